"""A telephone company by hand: a registrar that challenges and a switch that does what a test says, on UDP or TCP.

It runs in a thread of its own on its own address. What it got is kept in `requests`; what it answers to an INVITE is a
list of steps. It can be ended and started again as a provider's server would be.
"""

import contextlib
import hashlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from itertools import count

from tests.peers import sound
from tests.peers.sip_client import sdp
from tests.peers.waiting import until

PASSWORD = "TrunkPassword1"
_numbers = count(1)


def head(text: str, name: str) -> str:
    """The first value of a header."""
    found = re.search(rf"(?im)^{name}\s*:\s*(.*?)\r?$", text)
    return found[1] if found else ""


class Provider:
    """`answers`: to an INVITE, such as ("180", "200") or ("486",); "183" has an offer, "wait" waits for the CANCEL,
    "tone 1000" plays one, "sleep 2" takes its time.
    `refuses`: a status for REGISTER in place of the challenge."""

    def __init__(self, address: str, user: str = "482212345", password: str = PASSWORD, port: int = 5060) -> None:
        self.address, self.port, self.user = address, port, user
        self.answers: tuple[str, ...] = ("180", "200")
        self.extra: dict[str, str] = {}  # headers of the final answer
        self.refuses = ""
        self.expires = 600
        self.pings = True
        self.challenges: tuple[str, ...] = ()  # methods besides REGISTER that it wants a proof for
        self.route = ""  # a Record-Route that it puts into dialogs
        self.name = ""  # in its Contact in place of its address
        self.requests: list[str] = []
        self.contact = ""  # of who signed in last
        self.accounts = {user: password}
        self.contacts: dict[str, str] = {}
        self.registrations: list[float] = []
        self._nonces: set[str] = set()
        self._waiting: dict[str, threading.Event] = {}
        self._replies: list[str] = []
        self.socket: socket.socket | None = None
        self.start()

    def start(self) -> None:
        """Listen."""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((self.address, self.port))
        self.socket.settimeout(0.1)
        threading.Thread(target=self._serve, args=(self.socket,), daemon=True).start()

    def stop(self) -> None:
        """As if the plug were pulled."""
        if self.socket:
            self.socket.close()
        self.socket = None
        self.contact = ""

    def _serve(self, listening: socket.socket) -> None:
        while self.socket is listening:
            try:
                data, peer = listening.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            text = data.decode(errors="replace")
            if text.startswith("SIP/2.0"):
                self._replies.append(text)
                continue
            self.requests.append(text)
            method = text.split(" ")[0]
            if method in self.challenges and not self._proved(text, method, "Proxy-Authorization"):
                self._send(
                    self.reply(text, "407 Proxy Authentication Required", Proxy_Authenticate=self._nonce()), peer
                )
                continue
            handler = getattr(self, f"_{method.lower()}", None)
            if handler:
                handler(text, peer)

    def _send(self, text: str, peer: tuple[str, int]) -> None:
        if self.socket:
            with contextlib.suppress(OSError):
                self.socket.sendto(text.encode(), peer)

    def reply(self, request: str, status: str, body: str = "", tag: str = "", **more: str) -> str:
        """A response; `tag`: of another branch of a fork."""
        kept = [line for line in request.split("\r\n") if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq",
                                                                                 "Record-Route")]  # fmt: skip
        to = next(line for line in request.split("\r\n") if line.startswith("To:"))
        if body:
            more["Content_Type"] = "application/sdp"
        if self.route and request.startswith("INVITE") and "Record-Route" not in request:
            kept.append(f"Record-Route: {self.route}")
        tag = tag or hashlib.md5(head(request, "Call-ID").encode()).hexdigest()[:10]
        lines = [f"SIP/2.0 {status}", *kept, to if ";tag=" in to or status.startswith("100") else f"{to};tag={tag}",
                 *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
                 f"Content-Length: {len(body.encode())}"]  # fmt: skip
        return "\r\n".join(lines) + "\r\n\r\n" + body

    # ---- the registrar --------------------------------------------------------------------------------------------

    def _register(self, text: str, peer: tuple[str, int]) -> None:
        if self.refuses:
            self.registrations.append(time.monotonic())
            self._send(self.reply(text, self.refuses, **self.extra), peer)
            return
        if not self._proved(text, "REGISTER"):
            if "Authorization:" in text:
                self.registrations.append(time.monotonic())
            self._send(self.reply(text, "401 Unauthorized", WWW_Authenticate=self._nonce()), peer)
            return
        self.registrations.append(time.monotonic())
        contact, wanted = head(text, "Contact"), head(text, "Expires")
        self.contact = "" if wanted == "0" else (re.search(r"<([^>]+)>", contact) or [contact, contact])[1]
        self.contacts[str(re.search(r"sips?:([^@>]+)@", head(text, "To"))[1])] = self.contact  # type: ignore[index]
        expires = "0" if wanted == "0" else str(self.expires)
        self._send(self.reply(text, "200 OK", Contact=f"{contact};expires={expires}", Expires=expires), peer)

    def _nonce(self) -> str:
        nonce = f"n{next(_numbers)}"
        self._nonces.add(nonce)
        return f'Digest realm="provider", nonce="{nonce}", algorithm=MD5, qop="auth"'

    def _proved(self, text: str, method: str, name: str = "Authorization") -> bool:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', head(text, name)))
        user = given.get("username", "")
        if given.get("nonce") not in self._nonces or user not in self.accounts:
            return False
        ha1 = hashlib.md5(f"{user}:provider:{self.accounts[user]}".encode()).hexdigest()
        ha2 = hashlib.md5(f"{method}:{given['uri']}".encode()).hexdigest()
        proof = f"{ha1}:{given['nonce']}:{given['nc']}:{given['cnonce']}:auth:{ha2}"
        return hashlib.md5(proof.encode()).hexdigest() == given["response"]

    def wait_registered(self, seconds: float = 10.0) -> "Provider":
        until(f"the box signs in at {self.address}", lambda: self.contact, seconds)
        return self

    # ---- the switch -----------------------------------------------------------------------------------------------

    def _options(self, text: str, peer: tuple[str, int]) -> None:
        if self.pings:
            self._send(self.reply(text, "200 OK"), peer)

    def _invite(self, text: str, peer: tuple[str, int]) -> None:
        call_id = head(text, "Call-ID")
        if call_id in self._waiting:
            return  # a repeat, or a re-INVITE
        self._waiting[call_id] = threading.Event()
        threading.Thread(target=self._answer, args=(text, peer, call_id), daemon=True).start()

    def _answer(self, text: str, peer: tuple[str, int], call_id: str) -> None:
        here = f"<sip:switch@{self.name or self.address}:{self.port}>"
        self._send(self.reply(text, "100 Trying"), peer)
        for step in self.answers:
            code = step.split(" ")[0]
            if step == "wait":
                self._waiting[call_id].wait(20)
                continue
            if step.startswith("tone"):
                threading.Thread(target=self._play, args=(text, float(step.split(" ")[1])), daemon=True).start()
                continue
            if step.startswith("sleep"):
                time.sleep(float(step.split(" ")[1]))  # how long this switch takes
                continue
            if step == "180 fork":
                self._send(self.reply(text, "180 Ringing", tag="fork", Contact=here), peer)
            elif code == "180":
                self._send(self.reply(text, "180 Ringing", Contact=here), peer)
            elif step == "183 bare":
                self._send(self.reply(text, "183 Session Progress", Contact=here), peer)
            elif code == "183":
                self._send(self.reply(text, "183 Session Progress", sdp(self.address, 9000), Contact=here), peer)
            elif code == "200":
                self._send(self.reply(text, "200 OK", sdp(self.address, 9000), Contact=here), peer)
            else:
                self._send(self.reply(text, step if " " in step else f"{step} Refused", **self.extra), peer)

    def _play(self, invite: str, hertz: float, seconds: float = 8.0) -> None:
        """A tone to where the INVITE wants speech, A-law, 20 ms a packet, from port 9000."""
        found = re.search(r"(?m)^c=IN IP4 (\S+)", invite), re.search(r"(?m)^m=audio (\d+)", invite)
        assert found[0]
        assert found[1]
        where, begun = (found[0][1], int(found[1][1])), time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
            rtp.bind((self.address, 9000))
            for number in range(int(seconds * 50)):
                octets = sound.alaw(hertz, number * 160, 160)
                rtp.sendto(struct.pack("!BBHII", 0x80, 8, number, number * 160, 7) + octets, where)
                time.sleep(max(begun + (number + 1) * 0.02 - time.monotonic(), 0))  # the pace of speech

    def _cancel(self, text: str, peer: tuple[str, int]) -> None:
        self._send(self.reply(text, "200 OK"), peer)
        invite = next(
            r for r in self.requests if r.startswith("INVITE") and head(r, "Call-ID") == head(text, "Call-ID")
        )
        self._send(self.reply(invite, "487 Request Terminated"), peer)
        self._waiting[head(text, "Call-ID")].set()

    def _bye(self, text: str, peer: tuple[str, int]) -> None:
        self._send(self.reply(text, "200 OK"), peer)

    def _info(self, text: str, peer: tuple[str, int]) -> None:
        self._send(self.reply(text, "200 OK"), peer)

    # ---- what a test asks -----------------------------------------------------------------------------------------

    def got(self, method: str) -> list[str]:
        """Requests of a method, oldest first."""
        return [text for text in list(self.requests) if text.startswith(method + " ")]

    def wait_for(self, method: str, number: int = 1, seconds: float = 10.0) -> str:
        """The newest of at least that many."""
        until(f"{number} {method} at the provider", lambda: len(self.got(method)) >= number, seconds)
        return self.got(method)[-1]

    def call(self, box: tuple[str, int], number: str = "", caller: str = "+48600100200", **more: str) -> "Incoming":
        """A call to the box: to its contact, or to a number at its address."""
        return Incoming(self, box, number, caller, **more)

    def wait_reply(self, check: Callable[[str], bool], seconds: float = 10.0) -> str:
        """The first response that fits."""
        return until("a response to the provider", lambda: next((r for r in list(self._replies) if check(r)), ""),
                     seconds)  # fmt: skip


class Incoming:
    """A call from the provider's switch to the box."""

    def __init__(self, provider: Provider, box: tuple[str, int], number: str, caller: str, **more: str) -> None:
        self.provider, self.box = provider, box
        self.call_id = f"in{next(_numbers)}-{time.monotonic_ns()}"
        at = f"{provider.address}:{provider.port}"
        uri = more.pop("uri", provider.contact or f"sip:{number}@{box[0]}:{box[1]}")
        to = more.pop("to", f"<sip:{number or provider.user}@{provider.address}>")
        sender = more.pop("sender", f"<sip:{caller}@{provider.address}>")
        self.body = more.pop("body", sdp(provider.address, 9002))
        contact = more.pop("Contact", f"<sip:switch@{at}>")
        self.lines = [
            f"INVITE {uri} SIP/2.0", f"Via: SIP/2.0/UDP {at};branch=z9hG4bK{self.call_id};rport", "Max-Forwards: 70",
            f"From: {sender};tag=f{self.call_id}", f"To: {to}", f"Call-ID: {self.call_id}", "CSeq: 1 INVITE",
            f"Contact: {contact}", *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
            "Content-Type: application/sdp", f"Content-Length: {len(self.body)}",
        ]  # fmt: skip
        self.uri = uri
        provider._send("\r\n".join(self.lines) + "\r\n\r\n" + self.body, box)

    def wait(self, code: str, seconds: float = 10.0) -> str:
        """A response to the INVITE."""
        return self.provider.wait_reply(
            lambda r: r.startswith(f"SIP/2.0 {code}") and head(r, "Call-ID") == self.call_id
            and "INVITE" in head(r, "CSeq"), seconds,
        )  # fmt: skip

    def ack(self) -> None:
        """Take the answer."""
        answer = self.wait("200")
        target = (re.search(r"<([^>]+)>", head(answer, "Contact")) or [self.uri, self.uri])[1]
        self._within("ACK", target, head(answer, "To"), 1)
        self._target, self._to = target, head(answer, "To")

    def hang_up(self, cseq: int = 8) -> None:
        """BYE."""
        self._within("BYE", self._target, self._to, cseq)

    def invite_again(self, cseq: int, body: str) -> None:
        """A re-INVITE; without a body it wants an offer."""
        contact = f"Contact: <sip:switch@{self.provider.address}:{self.provider.port}>"
        self._within("INVITE", self._target, self._to, cseq, body, "application/sdp" if body else "", contact)

    def ack_again(self, cseq: int, body: str = "") -> None:
        """Take its answer."""
        self._within("ACK", self._target, self._to, cseq, body, "application/sdp" if body else "")

    def cancel(self) -> None:
        """Give up."""
        lines = [line.replace("INVITE", "CANCEL") if line.startswith(("INVITE", "CSeq")) else line
                 for line in self.lines if not line.startswith(("Contact", "Content"))]  # fmt: skip
        self.provider._send("\r\n".join([*lines, "Content-Length: 0"]) + "\r\n\r\n", self.box)

    def refer(self, to: str) -> None:
        """Ask the box to call somebody else."""
        self._within("REFER", self._target, self._to, 4, more=f"Refer-To: <{to}>")

    def _within(
        self, method: str, target: str, to: str, cseq: int, body: str = "", kind: str = "", more: str = ""
    ) -> None:
        at = f"{self.provider.address}:{self.provider.port}"
        lines = [
            f"{method} {target} SIP/2.0", f"Via: SIP/2.0/UDP {at};branch=z9hG4bK{method}{self.call_id}{cseq};rport",
            "Max-Forwards: 70", self.lines[3], f"To: {to}", f"Call-ID: {self.call_id}", f"CSeq: {cseq} {method}",
            *([f"Content-Type: {kind}"] if kind else []), *([more] if more else []), f"Content-Length: {len(body)}",
        ]  # fmt: skip
        self.provider._send("\r\n".join(lines) + "\r\n\r\n" + body, self.box)

    def info(self, digit: str) -> None:
        """A key, told by INFO."""
        self._within("INFO", self._target, self._to, 3, f"Signal={digit}\r\nDuration=160\r\n", "application/dtmf-relay")
