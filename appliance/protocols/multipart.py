"""Neighbouring parts of a long message, joined. Parts may be cut inside a surrogate pair or behind an escape."""

from collections.abc import Iterable
from itertools import groupby
from typing import Protocol

from appliance.protocols import alphabet

ESCAPE = bytes([alphabet.ESCAPE])


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
    held = False
    for part in run:
        octets, text = part.octets, part.text or ""
        if held and octets[:1] not in (b"", ESCAPE):  # its first letter is one behind an escape
            out.append(alphabet.gsm7(ESCAPE + octets[:1]))
            octets, text = octets[1:], text[1:]
        elif held:
            out.append(" ")  # a doubled escape, or no more octets
            octets, text = octets[1:], alphabet.gsm7(octets[1:])
        held = (len(octets) - len(octets.rstrip(ESCAPE))) % 2 == 1
        out.append(text[:-1] if held else text)
    return "".join(out) + (" " if held else "")
