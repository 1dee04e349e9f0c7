"""The token in our mails: an answer that carries it belongs to one SMS, its line and its number.

It stands in the address that answers go to (user+TOKEN@domain) and in a reference that mail programs copy (RFC 5322
3.6.4), so that one of the two survives. It is a signature, not a secret that is kept: the key lies beside that of the
vault, and whoever got the mail has the token; who may answer is another question.
"""

import base64
import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from pathlib import Path

HOST = "centralka.local"
_FORM = r"(\d{1,12})-([a-z2-7]{16})"
_REFERENCE = re.compile(rf"<reply\.{_FORM}@{re.escape(HOST)}>", re.IGNORECASE)
MOST_READ = 20_000  # letters of headers


@dataclass(frozen=True, slots=True)
class Token:
    """As it stands in a mail; `valid` against the message it names."""

    sms_id: int
    mark: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Where answers go; `plus`: the provider delivers user+anything@domain to user@domain."""

    address: str
    plus: bool
    key: bytes

    def token(self, sms_id: int, line: str, number: str) -> str:
        """The token of a message."""
        return f"{sms_id}-{self._mark(sms_id, line, number)}"

    def reply_to(self, token: str) -> str:
        """The address for answers."""
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{token}@{domain}" if self.plus else self.address

    @staticmethod
    def reference(token: str) -> str:
        """The Message-ID that never existed and names the message."""
        return f"<reply.{token}@{HOST}>"

    def valid(self, token: Token, line: str, number: str) -> bool:
        """Whether a token is ours, for this line and number."""
        return hmac.compare_digest(token.mark.encode(), self._mark(token.sms_id, line, number).encode())

    def found_in(self, addresses: str, references: str) -> Token | None:
        """The token in the recipients or the references of a mail, None when there is none."""
        local, _, domain = self.address.rpartition("@")
        address = re.compile(rf"{re.escape(local)}\+{_FORM}@{re.escape(domain)}", re.IGNORECASE)
        match = address.search(addresses[:MOST_READ]) or _REFERENCE.search(references[:MOST_READ])
        return Token(int(match[1]), match[2].lower()) if match else None

    def _mark(self, sms_id: int, line: str, number: str) -> str:
        digest = hmac.new(self.key, f"{sms_id}|{line}|{number}".encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:10]).decode().lower()


def load_key(path: Path) -> bytes:
    """The key, made at first use. Raises OSError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        key = os.urandom(32)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
