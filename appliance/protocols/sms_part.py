"""A message part as the wire gives it: the line makes it an event of core."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """`octets` of gsm7 are its septets, one in an octet; of ucs2 UTF-16BE. `sender_kind`: number, alphanumeric, hidden.
    `text` is None where it is no text or cannot be read."""

    pdu: str
    sender: str = ""
    sender_kind: str = "hidden"
    text: str | None = None
    coding: str = "raw"
    octets: bytes = b""
    sent_at: str | None = None
    reference: int | None = None
    total: int = 1
    sequence: int = 1
    flags: tuple[str, ...] = ()
