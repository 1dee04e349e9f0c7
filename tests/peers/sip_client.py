"""A SIP client by hand: raw datagrams, for requests that no phone would send."""

import hashlib
import re
import socket
import time
from collections.abc import Callable
from itertools import count

_numbers = count(1)


class SipClient:
    """One UDP socket and what it takes to make requests. Bound to an address of its own."""

    def __init__(self, address: str, server: str, port: int = 5060) -> None:
        self.server = (server, port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.address, self.port = self.socket.getsockname()
        self.call_id = f"call{next(_numbers)}-{time.monotonic_ns()}"
        self.cseq = 0

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.server)

    def answers(self, seconds: float = 0.5) -> list[str]:
        """Everything that comes within that time."""
        found: list[str] = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                found.append(self.socket.recv(65536).decode(errors="replace"))
            except TimeoutError:
                break
        return found

    def wait(self, check: Callable[[str], bool] = lambda text: True, seconds: float = 3.0) -> str:
        """The first message that fits."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                text = self.socket.recv(65536).decode(errors="replace")
            except TimeoutError:
                break
            if check(text):
                return text
        raise AssertionError(f"no such message within {seconds} s")

    def request(self, method: str, user: str = "", **more: str) -> bytes:
        """A request; `more` are headers (underscores for dashes), `uri`, `body`, `sender`, `to`."""
        self.cseq += 1
        server = self.server[0]
        uri = more.pop("uri", f"sip:{user}@{server}" if user and method != "REGISTER" else f"sip:{server}")
        sender, to = more.pop("sender", user or "101"), more.pop("to", "")
        body = more.pop("body", "")
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{self.call_id}{self.cseq};rport",
            "Max-Forwards: 70", f"From: <sip:{sender}@{server}>;tag=from{self.call_id}",
            f"To: {to or f'<sip:{user or sender}@{server}>'}", f"Call-ID: {more.pop('Call_ID', self.call_id)}",
            f"CSeq: {more.pop('CSeq', str(self.cseq))} {method}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
            f"Content-Length: {len(body.encode())}",
        ]  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def answer(self, request: str, status: str, body: str = "", **more: str) -> bytes:
        """A response to a request that came; `more` are headers. The tag is the same for the whole call."""
        kept = [line for line in request.splitlines() if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
        to = next(line for line in request.splitlines() if line.startswith("To:"))
        if body:
            more["Content_Type"] = "application/sdp"
        lines = [
            f"SIP/2.0 {status}", *kept, to if ";tag=" in to else f"{to};tag=to{self.call_id}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
            f"Content-Length: {len(body.encode())}",
        ]  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def authorised(
        self, method: str, user: str, password: str, target: str = "", algorithm: str = "MD5", **more: str
    ) -> str:
        """Send, be challenged, send again with the answer; the final answer to that."""
        self.send(self.request(method, target or user, sender=user, **more))
        challenge = self.wait(lambda text: " 401 " in text[:16])
        self.send(self.request(method, target or user, sender=user, Authorization=self.credentials(
            challenge, method, user, password, more.get("uri", ""), target, algorithm), **more))  # fmt: skip
        return self.wait(lambda text: text.startswith("SIP/2.0") and not text[7:].startswith(" 100"))

    def credentials(
        self, challenge: str, method: str, user: str, password: str, uri: str = "", target: str = "",
        algorithm: str = "MD5",
    ) -> str:  # fmt: skip
        """The Authorization header that answers a challenge."""
        offered = [line for line in challenge.splitlines() if line.startswith("WWW-Authenticate")]
        line = next(one for one in offered if f"algorithm={algorithm}" in one)
        nonce, realm = re.search(r'nonce="([^"]+)"', line), re.search(r'realm="([^"]+)"', line)
        assert nonce
        assert realm
        digest = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
        server = self.server[0]
        uri = uri or (f"sip:{target or user}@{server}" if method != "REGISTER" else f"sip:{server}")

        def hashed(text: str) -> str:
            return digest(text.encode()).hexdigest()

        proof = hashed(
            f"{hashed(f'{user}:{realm[1]}:{password}')}:{nonce[1]}:00000001:xyz:auth:{hashed(f'{method}:{uri}')}"
        )
        return (
            f'Digest username="{user}", realm="{realm[1]}", nonce="{nonce[1]}", uri="{uri}", response="{proof}", '
            f'algorithm={algorithm}, qop=auth, nc=00000001, cnonce="xyz"'
        )


def sdp(address: str, port: int = 9000) -> str:
    """An offer of A-law."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
