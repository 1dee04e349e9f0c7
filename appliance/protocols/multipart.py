"""Neighbouring parts of a long message, joined. Parts may be cut inside a surrogate pair or behind an escape."""

from collections.abc import Iterable
from itertools import groupby
from typing import Protocol

from appliance.protocols import alphabet


class JoinablePart(Protocol):
    """What is needed of a part."""

    @property
    def coding(self) -> str: ...
    @property
    def octets(self) -> bytes: ...
    @property
    def text(self) -> str | None: ...


def join(parts: Iterable[JoinablePart]) -> str:
    """The text of parts in order. UCS-2 octets are joined before they are read; 7-bit parts are joined where one ends
    with an escape, else each keeps the tables it was written with."""
    out: list[str] = []
    for coding, group in groupby(parts, key=lambda part: part.coding):
        run = list(group)
        if coding == "ucs2":
            out.append(alphabet.ucs2(b"".join(part.octets for part in run)))
        elif coding == "gsm7":
            out.append(_septets(run))
        else:
            out.extend(part.text or "" for part in run)
    return "".join(out)


def _septets(run: list[JoinablePart]) -> str:
    out: list[str] = []
    held = b""
    for part in run:
        if held:
            out.append(alphabet.gsm7(list(held + part.octets[:1])))
            rest = part.octets[1:]
            held = b""
            ends = rest[-1:] == bytes([alphabet.ESCAPE])
            out.append(alphabet.gsm7(list(rest[:-1] if ends else rest)))
        else:
            ends = part.octets[-1:] == bytes([alphabet.ESCAPE])
            out.append((part.text or "")[:-1] if ends else part.text or "")
        held = bytes([alphabet.ESCAPE]) if ends else b""
    return "".join(out) + (" " if held else "")
