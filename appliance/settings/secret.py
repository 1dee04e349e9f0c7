"""Secrets: masked wherever they could be shown by accident, encrypted wherever they lie.

The key of the box is a file of mode 0600 beside the settings; a backup without it cannot be read. Fernet (AES-128-CBC
with HMAC-SHA256) of `cryptography` does the work.
"""

import os
import secrets
import string
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

MASK: Final = "••••"
PASSWORD_LETTERS: Final = "".join(c for c in string.ascii_letters + string.digits if c not in "0O1lI")


class Secret:
    """A text that does not show itself: `str`, `repr` and logs give a mask, `reveal()` the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Every caller is a place to look at when secrets are reviewed."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(set)" if self._text else "Secret(empty)"

    def __str__(self) -> str:
        return MASK if self._text else ""

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and secrets.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


def new_password(length: int = 20) -> str:
    """A password for a phone: 20 characters that can be read aloud and typed, about 115 bits."""
    return "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(length))


class Vault:
    """Encrypts and opens with the key of the box, made at first use."""

    def __init__(self, key_file: Path) -> None:
        self._fernet = Fernet(_load_or_make(key_file))

    def seal(self, secret: Secret) -> str:
        """The form that lies on disk; empty stays empty."""
        return self._fernet.encrypt(secret.reveal().encode()).decode() if secret else ""

    def open(self, sealed: str) -> Secret:
        """The secret again. Sealed with another key: an empty secret, for the owner to set anew."""
        if not sealed:
            return Secret("")
        try:
            return Secret(self._fernet.decrypt(sealed.encode()).decode())
        except (InvalidToken, ValueError):
            return Secret("")


def _load_or_make(path: Path) -> bytes:
    """The key; made with O_EXCL so that two processes that start together agree on one."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        key = Fernet.generate_key()
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
