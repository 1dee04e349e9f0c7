"""Digest authentication of SIP phones (RFC 3261 22, RFC 7616, RFC 8760): nonces, challenges, verification. Pure.

A nonce is its own record: time, random, HMAC over both, in hex (signs like + and / broke a client). For each live one
the highest count (nc) is kept, so that a used answer is not taken twice; a right answer to an old nonce is `STALE`,
which costs the phone nothing but a repeat.
"""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

REALM = "centralka"
LIFETIME = 300.0  # seconds
MOST_NONCES = 10000
ALGORITHMS = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_PART = re.compile(r'\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|\Z)')


class Verdict(Enum):
    """What credentials are worth."""

    RIGHT = "right"
    MISSING = "missing"  # none, or for another realm or scheme
    STALE = "stale"  # right, for a nonce that is old or was used
    UNKNOWN = "unknown"  # a nonce that is not ours
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An Authorization header, its texts as they came."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str
    nc: str
    cnonce: str


def parse_authorization(value: str) -> Credentials | None:
    """None for anything but a readable Digest header for our realm."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest" or len(rest) > 1024:
        return None
    found: dict[str, str] = {}
    at = 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if not part:
            return None
        found.setdefault(part[1].lower(), part[2] if part[2] is not None else part[3])
        at = part.end()
    algorithm = found.get("algorithm", "MD5").upper()
    if found.get("realm") != REALM or algorithm not in ALGORITHMS or found.get("qop", "auth").lower() != "auth":
        return None
    if not all(found.get(name) for name in ("username", "nonce", "uri", "response")):
        return None
    return Credentials(
        found["username"], REALM, found["nonce"], found["uri"], found["response"].lower(), algorithm,
        found.get("qop", "").lower(), found.get("nc", ""), found.get("cnonce", ""),
    )  # fmt: skip


def ha1(username: str, password: str, algorithm: str) -> str:
    """The secret both sides share."""
    return ALGORITHMS[algorithm](f"{username}:{REALM}:{password}".encode()).hexdigest()


def response(credentials: Credentials, method: str, secret: str) -> str:
    """What the right answer is; `uri` is hashed as it was received."""
    digest = ALGORITHMS[credentials.algorithm]
    ha2 = digest(f"{method}:{credentials.uri}".encode()).hexdigest()
    middle = f"{credentials.nc}:{credentials.cnonce}:{credentials.qop}:" if credentials.qop else ""
    return digest(f"{secret}:{credentials.nonce}:{middle}{ha2}".encode()).hexdigest()


class Guard:
    """Mints nonces and judges credentials. `secret` is random per start; times are monotonic seconds."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._minted = 0

    def nonce(self, at: float) -> str:
        """A new one; every challenge has its own."""
        self._minted += 1
        body = f"{int(at * 1000):012x}{self._minted & 0xFFFFFFFF:08x}"
        return body + self._mac(body)

    def challenges(self, at: float, algorithms: tuple[str, ...], stale: bool = False) -> list[str]:
        """Values of WWW-Authenticate, the most wanted algorithm first."""
        nonce = self.nonce(at)
        flag = ", stale=true" if stale else ""
        return [f'Digest realm="{REALM}", nonce="{nonce}", qop="auth", algorithm={name}{flag}' for name in algorithms]

    def judge(self, found: Credentials | None, method: str, secrets: Mapping[str, str] | None, at: float) -> Verdict:
        """`secrets`: HA1 by algorithm of the user named, None for a user who does not exist, which takes the same time
        and ends the same way as a wrong password."""
        if found is None:
            return Verdict.MISSING
        secret = (secrets or {}).get(found.algorithm) or "0" * 32
        right = hmac.compare_digest(response(found, method, secret).encode(), found.response.encode()) and bool(secrets)
        age = self._age(found.nonce, at)
        if age is None:
            return Verdict.UNKNOWN
        if not right:
            return Verdict.WRONG
        if age > LIFETIME or not self._use(found):
            return Verdict.STALE
        return Verdict.RIGHT

    def _mac(self, body: str) -> str:
        return hmac.new(self._secret, body.encode(), hashlib.sha256).hexdigest()[:24]

    def _age(self, nonce: str, at: float) -> float | None:
        if len(nonce) != 44 or not nonce.isascii() or not hmac.compare_digest(self._mac(nonce[:20]), nonce[20:]):
            return None
        return at - int(nonce[:12], 16) / 1000

    def _use(self, found: Credentials) -> bool:
        """Whether this nonce and count were not used before. Without qop (RFC 2069) a nonce serves its whole life."""
        if not found.qop:
            return True
        try:
            count = int(found.nc, 16)
        except ValueError:
            return False
        if count <= self._counts.get(found.nonce, 0):
            return False
        self._counts[found.nonce] = count
        self._counts.move_to_end(found.nonce)
        while len(self._counts) > MOST_NONCES:
            self._counts.popitem(last=False)
        return True
