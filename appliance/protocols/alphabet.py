"""The alphabets of messages: GSM 7-bit with national tables, UCS-2, 8-bit (3GPP TS 23.038). Pure and total.

`data/gsm_tables.json` holds the default table and the national ones, as the standard's annex A has them. Septets are
bytes, one septet in an octet. Thousands of messages are read in a second: whole tables and whole numbers, no loop over
letters.
"""

import json
from codecs import charmap_decode
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

ESCAPE = 0x1B
DEFAULT = 0


@cache
def _tables() -> dict[int, tuple[dict[int, str] | None, dict[int, str]]]:
    text = resources.files("appliance.protocols").joinpath("data/gsm_tables.json").read_text(encoding="utf-8")
    found: dict[int, tuple[dict[int, str] | None, dict[int, str]]] = {}
    for row in json.loads(text).values():
        if isinstance(row, dict) and isinstance(row.get("id"), int):
            locking = _by_code(row["locking"]) if row.get("locking") else None
            found[row["id"]] = (locking, _by_code(row.get("single") or {}))
    return found


def _by_code(table: dict[str, str]) -> dict[int, str]:
    return {int(code, 16): char for code, char in table.items()}


def _locking(language: int) -> dict[int, str]:
    return _tables()[language][0] or _tables()[DEFAULT][0] or {}


@cache
def _readers(locking: int, single: int) -> tuple[str, tuple[str, ...]]:
    """The letters of septets, and of septets behind an escape."""
    table, shift = _locking(locking), _tables()[single][1]
    plain = "".join(table.get(code, " ") for code in range(128))
    return plain, tuple(shift.get(code) or plain[code] for code in range(128))


# ---- septets --------------------------------------------------------------------------------------------------------

WIDEST = 256  # septets that are taken apart at once
ALL_OF_THEM = (1 << 7 * WIDEST) - 1


def _steps() -> tuple[tuple[int, int, int], ...]:
    """How a number of 7-bit digits becomes one of octets: each step cuts every group of digits into two and moves the
    upper half up. Masks of the lower and of the upper halves, and how far."""
    found = []
    size = WIDEST
    while size > 1:
        half = size // 2
        digits = (1 << 7 * half) - 1
        lower = sum(digits << (8 * size * group) for group in range(WIDEST // size))
        found.append((lower, lower << 7 * half, half))
        size = half
    return tuple(found)


STEPS = _steps()


def unpack(data: bytes, septets: int, skip_bits: int = 0) -> bytes:
    """The septets after `skip_bits` bits; fewer when the octets end before."""
    count = min(septets, max(len(data) * 8 - skip_bits, 0) // 7)
    bits = int.from_bytes(data, "little") >> skip_bits
    if count > WIDEST:
        return bytes((bits >> (7 * i)) & 0x7F for i in range(count))
    bits &= ALL_OF_THEM
    for lower, upper, far in STEPS:
        bits = bits & lower | (bits & upper) << far
    return bits.to_bytes(WIDEST, "little")[: max(count, 0)]


def pack(septets: Iterable[int], skip_bits: int = 0) -> bytes:
    """Septets as octets, behind `skip_bits` zero bits."""
    bits, at = 0, skip_bits
    for septet in septets:
        bits |= (septet & 0x7F) << at
        at += 7
    return bits.to_bytes((at + 7) // 8, "little")


def septets_of_header(octets: int) -> int:
    """How many septets a header takes, with the bits that fill it up (TS 23.040 9.2.3.24)."""
    return (octets * 8 + 6) // 7


def gsm7(septets: Iterable[int], locking: int = DEFAULT, single: int = DEFAULT) -> str:
    """The text of septets. A code that a national table leaves free is a space there; an unknown one after the escape
    is the character of the locking table; a double escape is a space. An unknown language is none."""
    known = _tables()
    plain, shifted = _readers(locking if locking in known else DEFAULT, single if single in known else DEFAULT)
    data = bytes(septets)
    if ESCAPE not in data:
        return charmap_decode(data, "replace", plain)[0]
    first, *others = data.split(b"\x1b")
    out = [charmap_decode(first, "replace", plain)[0]]
    doubled = False
    for piece in others:
        if doubled:  # this one stands behind the second escape
            out.append(charmap_decode(piece, "replace", plain)[0])
            doubled = False
        elif piece:
            out += (shifted[piece[0] & 0x7F], charmap_decode(piece[1:], "replace", plain)[0])
        else:
            out.append(" ")
            doubled = True
    return "".join(out)


# ---- from text ------------------------------------------------------------------------------------------------------


@cache
def codes(locking: int = DEFAULT, single: int = DEFAULT) -> Mapping[str, bytes]:
    """The septets of each character: one of the locking table, or the escape and one of the single shift table."""
    found = {char: bytes([code]) for code, char in reversed(_locking(locking).items()) if code != ESCAPE}
    for code, char in _tables()[single][1].items():
        if code != ESCAPE:
            found.setdefault(char, bytes([ESCAPE, code]))
    return found


@cache
def _national_letters() -> frozenset[str]:
    """Every character that some table holds."""
    return frozenset(char for language in _tables() for char in codes(language, language))


def tables_for(text: str, national: bool = False) -> tuple[int, int] | None:
    """The languages of locking and single shift table that hold every character, None where none do: the default ones
    where they can, else, if national ones are allowed, those that make the text shortest, its header counted."""
    letters = Counter(text)
    if letters.keys() <= codes().keys():
        return DEFAULT, DEFAULT
    if not national or not letters.keys() <= _national_letters():
        return None
    languages = sorted(_tables())
    best: tuple[int, int, int] | None = None
    for locking in (language for language in languages if language == DEFAULT or _tables()[language][0]):
        for single in languages:
            table = codes(locking, single)
            if letters.keys() <= table.keys():
                header = 1 + 3 * bool(locking) + 3 * bool(single)
                size = septets_of_header(header) + sum(count * len(table[char]) for char, count in letters.items())
                best = min(best or (size, locking, single), (size, locking, single))
    return best[1:] if best else None


# ---- the others -----------------------------------------------------------------------------------------------------


def ucs2(data: bytes) -> str:
    """UTF-16, big end first: an odd octet and a leading mark go, half a pair becomes U+FFFD."""
    text = data[: len(data) // 2 * 2].decode("utf-16-be", "replace")
    return text.removeprefix("\ufeff")


def printable_8bit(data: bytes) -> str | None:
    """8-bit data as text when it plainly is some, else None."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and all(c.isprintable() or c in "\r\n\t" for c in text) else None
