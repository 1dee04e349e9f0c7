"""The default alphabet of SMS (3GPP TS 23.038 6.2.1), its septets, and how a text is cut into parts.

Written for the virtual modem alone: it must not share a mistake with the product's own code. The national tables are
those of `data/gsm_tables.json`, facts of 23.038 as other projects carry them (its `note` says which).
"""

import json
from functools import cache
from importlib.resources import files

TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
ESCAPE = 0x1B
_PLAIN = {letter: code for code, letter in enumerate(TABLE) if code != ESCAPE}
_ESCAPED = {letter: code for code, letter in EXTENSION.items()}


def letters_to_septets(text: str) -> list[list[int]] | None:
    """Each letter's one or two septets, or None when a letter is not in the alphabet."""
    found: list[list[int]] = []
    for letter in text:
        if letter in _PLAIN:
            found.append([_PLAIN[letter]])
        elif letter in _ESCAPED:
            found.append([ESCAPE, _ESCAPED[letter]])
        else:
            return None
    return found


def septets_to_text(septets: list[int], locking: int = 0, single: int = 0) -> str:
    """The letters; an unknown extension code is the letter of the table in force at that code.

    `locking` and `single` are the numbers of national languages (3GPP TS 23.038 6.2.1.2.4), 0 for the default tables.
    """
    table = _national(locking, "locking") or dict(enumerate(TABLE))
    extension = _national(single, "single") or EXTENSION
    text, escaped = [], False
    for code in septets:
        if escaped:
            text.append(" " if code == ESCAPE else extension.get(code, table.get(code, " ")))
            escaped = False
        elif code == ESCAPE:
            escaped = True
        else:
            text.append(table.get(code, " "))
    return "".join(text)


@cache
def _national(number: int, kind: str) -> dict[int, str]:
    """A table of a language; empty for one that has none of its own."""
    if number == 0:
        return {}
    text = files("appliance.virtual").joinpath("data", "gsm_tables.json").read_text(encoding="utf-8")
    for found in json.loads(text).values():
        if isinstance(found, dict) and found.get("id") == number and isinstance(found.get(kind), dict):
            return {int(code, 16): letter for code, letter in found[kind].items()}
    return {}


def pack(septets: list[int], skip_bits: int = 0) -> bytes:
    """Septets as octets, behind `skip_bits` zero bits (header and fill)."""
    whole = 0
    for place, code in enumerate(septets):
        whole |= code << (skip_bits + 7 * place)
    return whole.to_bytes((skip_bits + 7 * len(septets) + 7) // 8, "little")


def unpack(data: bytes, count: int, skip_bits: int = 0) -> list[int]:
    """`count` septets behind `skip_bits` bits; as many as there are when the data ends early."""
    whole = int.from_bytes(data, "little")
    count = max(0, min(count, (8 * len(data) - skip_bits) // 7))
    return [(whole >> (skip_bits + 7 * place)) & 0x7F for place in range(count)]


def cut(units: list[list[int]], single: int, part: int) -> list[list[int]]:
    """One part of at most `single` codes, or parts of at most `part`; a letter's codes stay together."""
    if sum(map(len, units)) <= single:
        return [[code for unit in units for code in unit]]
    parts: list[list[int]] = [[]]
    for unit in units:
        if len(parts[-1]) + len(unit) > part:
            parts.append([])
        parts[-1] += unit
    return parts
