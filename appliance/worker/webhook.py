"""Handing a message to a web address of the owner's: one POST of JSON, signed, bounded in time and size.

The receiver checks `X-Centralka-Signature`, "sha256=" and the hex HMAC-SHA256 with the shared secret over the bytes of
`X-Centralka-Timestamp` (Unix seconds), a dot and the body; `Idempotency-Key` is the same on every repeat. 2xx means
that it has it. 4xx is for good but for 408, 425 and 429; redirects are not followed, since they would take the message
to somebody whom the owner did not name. The office's own network may be called, but no link-local address: in a cloud
the keys of the machine lie there.
"""

import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance.core.codes import code_in
from appliance.journal.outbox import ALARM, TOPUP, OutboxItem, State
from appliance.journal.rows import Json
from appliance.settings.fields import Value
from appliance.settings.secret import Secret

WHOLE_SECONDS = 10.0
LONGEST_ANSWER = 4096
LONGEST_SAID = 200
NOT_FOR_GOOD = frozenset({408, 425, 429})
METADATA = ipaddress.ip_network("fd00:ec2::/32")  # the IPv6 twin of 169.254.169.254 in one cloud


@dataclass(frozen=True, slots=True)
class Hook:
    """Where to, and the secret of its signature; `name` is the rule's."""

    name: str
    url: str
    secret: Secret

    @property
    def shown(self) -> str:
        """What people call it; of an address without a name its server. Never the address, which may hold a key."""
        return self.name or urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call: the state of this receiver, an id of words.ERRORS and the receiver's own words."""

    state: State
    error: str = ""
    words: str = ""


class Refused(OSError):
    """An address that is never called."""


def body_of(item: OutboxItem, hook: Hook) -> bytes:
    """The JSON of a row: the same on every repeat."""
    payload = item.payload
    names = ("line", "line_label", "sender", "sender_kind", "sender_name", "text", "sent_at", "received_at", "flags",
             "parts", "parts_total", "missing")  # fmt: skip
    what = "message" if payload.get("what") == "sms" else str(payload.get("what"))
    body: dict[str, Json] = {"event": what, "id": item.message_id.strip("<>"), "rule": hook.name}
    if what == "message":
        about: dict[str, Json] = {name: payload.get(name) for name in names}
        body["message"] = {"id": payload.get("sms_id"), **about, "code": code_in(str(payload.get("text") or ""))}
    else:
        body |= {"message": payload.get("message"), "args": payload.get("args"), "at": item.created_at}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def signature(secret: Secret, timestamp: str, body: bytes) -> str:
    """What stands in X-Centralka-Signature."""
    digest = hmac.new(secret.reveal().encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def call(
    hook: Hook, key: str, body: bytes, at: float, roots: ssl.SSLContext | None = None, seconds: float = WHOLE_SECONDS
) -> Answer:
    """One attempt; `at` are Unix seconds, `key` names the message for the receiver. Never raises. Any thread; a look-up
    of the name can outlast `seconds`."""
    connection: _Connection | None = None
    timer: threading.Timer | None = None
    try:
        parts = urlsplit(hook.url)
        tls = (roots or ssl.create_default_context()) if parts.scheme == "https" else None
        connection = _Connection(parts.hostname or "", parts.port or (443 if tls else 80), tls, seconds)
        timer = threading.Timer(seconds, connection.cut)
        timer.daemon = True
        timer.start()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, _headers(hook, key, body, str(int(at))))
        answer = connection.getresponse()
        return _judged(answer.status, answer.read(LONGEST_ANSWER))
    except Refused as error:
        return Answer(State.DEAD, "hook-address", str(error))
    except ssl.SSLCertVerificationError as error:
        return Answer(State.WAITING, "hook-certificate", error.verify_message)
    except TimeoutError:
        return Answer(State.WAITING, "hook-slow")
    except (OSError, http.client.HTTPException, ValueError) as error:
        if connection is not None and connection.was_cut:
            return Answer(State.WAITING, "hook-slow")
        return Answer(State.WAITING, "hook-no-server", _plain(error))
    finally:
        if timer is not None:
            timer.cancel()
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()


def _headers(hook: Hook, key: str, body: bytes, timestamp: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8", "User-Agent": "Centralka", "Connection": "close",
        "Idempotency-Key": key, "X-Centralka-Timestamp": timestamp,
    }  # fmt: skip
    if hook.secret:
        headers["X-Centralka-Signature"] = signature(hook.secret, timestamp, body)
    return headers


def _judged(status: int, said: bytes) -> Answer:
    words = " ".join(f"{status} {said.decode('utf-8', 'replace')}".split())[:LONGEST_SAID]
    plain = "".join(c for c in words if c.isprintable())
    if 200 <= status <= 299:
        return Answer(State.SENT)
    if 400 <= status <= 499 and status not in NOT_FOR_GOOD:
        return Answer(State.DEAD, "hook-refused", plain)
    return Answer(State.WAITING, "hook-refused", plain)


class _Connection(http.client.HTTPConnection):
    """Connects to the very address that was looked at, so that a name cannot change its mind in between."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self._tls = tls
        self.was_cut = False

    def connect(self) -> None:
        """Raises Refused, OSError."""
        address = _address_of(self.host, self.port)
        sock = socket.create_connection(address, self.timeout)
        self.sock = sock
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(sock, server_hostname=self.host)

    def cut(self) -> None:
        """The time is over, whatever it waits for. The timer's thread."""
        self.was_cut = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


def _address_of(host: str, port: int) -> tuple[str, int]:
    """The first address of a name. Raises Refused for one that is never called, OSError when there is none."""
    found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        ip = ipaddress.ip_address(text.partition("%")[0])
        plain = getattr(ip, "ipv4_mapped", None) or ip
        if plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain in METADATA:
            raise Refused(text)
    return found[0], port


def _plain(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "the name of the server is not known"
    return str(getattr(error, "strerror", "") or error)[:LONGEST_SAID]


def hooks_of(
    rules: Sequence[Mapping[str, Value]], mail: Mapping[str, Value], lines: Sequence[Mapping[str, Value]] = ()
) -> dict[str, Hook]:
    """Every web address of the settings by its rule's id; the one for alarms by `ALARM`, the one that tops a line up
    by `TOPUP` and the line."""
    hooks = {
        str(rule["id"]): Hook(str(rule.get("name") or ""), str(rule["url"]), _secret(rule.get("secret")))
        for rule in rules
        if rule.get("action") == "webhook" and rule.get("url")
    }
    if mail.get("alarm_url"):
        hooks[ALARM] = Hook("", str(mail["alarm_url"]), _secret(mail.get("alarm_secret")))
    for line in lines:
        if line.get("topup_url"):
            label = str(line.get("label") or line["id"])
            hooks[f"{TOPUP}{line['id']}"] = Hook(label, str(line["topup_url"]), _secret(line.get("topup_secret")))
    return hooks


def _secret(value: Value | None) -> Secret:
    return value if isinstance(value, Secret) else Secret("")
