"""SIP requests as text: what the registrar and the door of the exchange need of them (RFC 3261 7 and 20).

Parsing is total: anything unreadable raises SipTextError, sizes are bounded first. PJSIP has parsed the same message
already for dialogs; here are only the parts pjsua2 does not show.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.errors import ProtocolError

MOST_UDP, MOST_TCP = 4000, 8000  # octets of a message
MOST_HEADERS, MOST_LINE, MOST_BODY = 100, 1024, 4000
MOST_URI, MOST_USER, MOST_TOKEN = 255, 64, 128
MOST_CONTACT = 600  # push parameters of a softphone make it long

COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
    "k": "supported", "e": "content-encoding", "s": "subject", "o": "event", "u": "allow-events", "r": "refer-to",
    "x": "session-expires",
}  # fmt: skip
_LINE_BREAK = re.compile(r"\r?\n")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,64}\Z")
_START = re.compile(r"([A-Za-z0-9.!%*_+`'~-]{1,64}) +(\S+) +SIP/2\.0\Z", re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


class SipTextError(ProtocolError, ValueError):
    """Not a request that can be answered as asked. `code` is the SIP status that says so."""

    id = "bad-sip"

    def __init__(self, detail: str, code: int = 400) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Uri:
    """A SIP URI. `user` is unescaped, `host` in lower case, parameters' names in lower case."""

    scheme: str
    user: str
    host: str
    port: int | None
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def transport(self) -> str:
        """Its transport, "udp" when it names none."""
        return self.params.get("transport", "tls" if self.scheme == "sips" else "udp").lower()


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec: display name, the URI as it was written, and the header's own parameters."""

    display: str
    uri: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SipRequest:
    """A request; header names in lower case and long form, values as they came, in order."""

    method: str
    uri: str
    headers: Mapping[str, tuple[str, ...]]
    body: str

    def one(self, name: str) -> str:
        """The first value of a header, "" without one."""
        return next(iter(self.headers.get(name, ())), "")

    def listed(self, name: str) -> list[str]:
        """All values of a header whose values may share a line, split at commas outside quotes and brackets."""
        return [part for value in self.headers.get(name, ()) for part in split_commas(value)]

    @property
    def in_dialog(self) -> bool:
        """Whether it has a To tag. An empty one is none, as for PJSIP."""
        return bool(parse_address(self.one("to")).params.get("tag"))

    @property
    def call_id(self) -> str:
        """Its Call-ID."""
        return self.one("call-id")

    @property
    def cseq(self) -> int:
        """The number of its CSeq. Raises SipTextError."""
        number = self.one("cseq").split(" ")[0]
        if not number.isdecimal() or len(number) > 10:
            raise SipTextError("CSeq")
        return int(number)


def parse_request(data: bytes, reliable: bool) -> SipRequest:
    """A request of at most the sizes above. Raises SipTextError with the status to answer."""
    if len(data) > (MOST_TCP if reliable else MOST_UDP):
        raise SipTextError("message too long", 513)
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        head, _, body = data.partition(b"\n\n")
    lines = _unfolded(head.decode("utf-8", "replace"))
    start = _START.match(lines[0]) if lines else None
    if not start:
        raise SipTextError("start line")
    if len(lines) > MOST_HEADERS + 1:
        raise SipTextError("too many headers")
    headers: dict[str, tuple[str, ...]] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name = COMPACT.get(name.strip().lower(), name.strip().lower())
        if not colon or len(line) > MOST_LINE:
            raise SipTextError("header")
        headers[name] = (*headers.get(name, ()), value.strip())
    request = SipRequest(start[1], start[2], headers, body.decode("utf-8", "replace"))
    _check(request, body)
    return request


def _unfolded(head: str) -> list[str]:
    lines: list[str] = []
    for line in _LINE_BREAK.split(head):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return lines


def _check(request: SipRequest, body: bytes) -> None:
    if len(request.uri) > MOST_CONTACT:
        raise SipTextError("Request-URI", 414)
    for name in ("call-id", "from", "to", "cseq", "via"):
        if not request.one(name):
            raise SipTextError(name)
    for name in ("call-id", "from", "to", "cseq", "content-length", "max-forwards"):
        if len(request.headers.get(name, ())) > 1:
            raise SipTextError(f"{name} more than once")
    if len(request.call_id) > MOST_TOKEN * 2 or len(body) > MOST_BODY:
        raise SipTextError("too long", 513)
    _ = request.cseq
    if request.one("cseq").split(" ")[-1] != request.method:
        raise SipTextError("CSeq names another method")
    length = request.one("content-length")
    if length and (not length.isdecimal() or len(length) > 6 or int(length) > len(body)):
        raise SipTextError("Content-Length")


def split_commas(value: str) -> list[str]:
    """Split a header's value at commas outside quotes and angle brackets; empty parts are left out."""
    parts: list[str] = []
    current, quoted, angle, escaped = "", False, False, False
    for char in value:
        if char == "," and not quoted and not angle:
            parts.append(current)
            current = ""
            continue
        if quoted:
            if char == '"' and not escaped:
                quoted = False
            escaped = char == "\\" and not escaped
        elif char == '"':
            quoted = True
        elif char in "<>":
            angle = char == "<"
        current += char
    parts.append(current)
    return [part.strip() for part in parts if part.strip()]


def parse_address(value: str) -> Address:
    """`"Anna" <sip:101@box>;tag=1` or `sip:101@box;tag=1`. Raises SipTextError."""
    display = ""
    rest = value.strip()
    quoted = _QUOTED.match(rest)
    if quoted:
        display, rest = re.sub(r"\\(.)", r"\1", quoted[1]), rest[quoted.end() :].lstrip()
    if "<" in rest:
        before, _, rest = rest.partition("<")
        uri, closing, rest = rest.partition(">")
        if not closing:
            raise SipTextError("address")
        display = display or before.strip()
    else:
        uri, _, rest = rest.partition(";")
        rest = ";" + rest
        if "?" in uri:  # RFC 3261 20.10: a URI with headers needs brackets
            raise SipTextError("address")
    if not uri or len(uri) > MOST_CONTACT:
        raise SipTextError("address")
    return Address(display[:60], uri, parse_params(rest))


def parse_params(text: str) -> dict[str, str]:
    """`;a=1;b;c="x;y"` as a dictionary; names in lower case, a flag's value is ""."""
    params: dict[str, str] = {}
    for part in re.findall(r';\s*((?:[^;"]|"(?:[^"\\]|\\.)*")*)', text):
        name, _, value = part.partition("=")
        value = value.strip()
        quoted = _QUOTED.fullmatch(value)
        if name.strip():
            params.setdefault(name.strip().lower(), quoted[1] if quoted else value)
    return params


def parse_uri(text: str) -> Uri:
    """`sip:101@10.0.0.7:5062;transport=tcp`. Raises SipTextError: 416 for another scheme."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in ("sip", "sips"):
        raise SipTextError("scheme", 416)
    rest, _, _headers = rest.partition("?")
    user, at, hostpart = rest.rpartition("@")
    hostport, _, params = (hostpart if at else rest).partition(";")
    user = unescape(user.partition(":")[0])
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(?::(\d{1,5}))?", hostport)
    if not match or len(user) > MOST_USER * 2:
        raise SipTextError("URI")
    port = int(match[2]) if match[2] else None
    if port is not None and not 0 < port < 65536:
        raise SipTextError("URI")
    return Uri(scheme.lower(), user, match[1].lower(), port, parse_params(";" + params) if params else {})


def without_headers(uri: str) -> str:
    """A contact without what stands behind its "?": PJSIP would put that into our request, a Route for example. A user
    part may hold a question mark of its own."""
    user, at, rest = uri.rpartition("@")
    return user + at + rest.partition("?")[0]


def unescape(text: str) -> str:
    """Percent escapes undone; broken ones stay as they are."""
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode("utf-8", "replace"))
    return raw.decode("utf-8", "replace")


def same_uri(a: Uri, b: Uri) -> bool:
    """Whether two URIs name the same contact (RFC 3261 19.1.4): user as written, host not; a port given differs from
    none; `transport`, `user`, `ttl`, `method` and `maddr` must match when either has them, others when both have."""
    if (a.scheme, a.user, a.host, a.port) != (b.scheme, b.user, b.host, b.port):
        return False
    for name in a.params.keys() | b.params.keys():
        both = name in a.params and name in b.params
        matters = both or name in ("transport", "user", "ttl", "method", "maddr")
        if matters and a.params.get(name, "").lower() != b.params.get(name, "").lower():
            return False
    return True


def is_token(text: str) -> bool:
    """Whether it may stand as a token (RFC 3261 25.1)."""
    return bool(_TOKEN.match(text))


def quote(text: str, most: int = 60) -> str:
    """A display name for a header: quoted, cut at `most` octets on a character's border, control characters gone."""
    clean = "".join(c for c in text if c.isprintable())
    cut = clean.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
    escaped = cut.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
