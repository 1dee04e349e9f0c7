"""The alphabets of messages: GSM 7-bit with national tables, UCS-2, 8-bit (3GPP TS 23.038). Pure and total.

`data/gsm_tables.json` holds the default table and the national ones, as the standard's annex A has them.
"""

import json
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


@cache
def _locking(language: int) -> tuple[dict[int, str], bool]:
    """The table, and whether it is the default one."""
    own = _tables().get(language, (None, {}))[0]
    if language == DEFAULT or own is None:
        return _tables()[DEFAULT][0] or {}, True
    return own, False


def unpack(data: bytes, septets: int, skip_bits: int = 0) -> list[int]:
    """The septets after `skip_bits` bits; fewer when the octets end before."""
    bits = int.from_bytes(data, "little") >> skip_bits
    available = max(len(data) * 8 - skip_bits, 0) // 7
    return [(bits >> (7 * i)) & 0x7F for i in range(min(septets, available))]


def pack(septets: list[int], skip_bits: int = 0) -> bytes:
    """Septets as octets, behind `skip_bits` zero bits."""
    bits = 0
    for i, septet in enumerate(septets):
        bits |= (septet & 0x7F) << (skip_bits + 7 * i)
    return bits.to_bytes((skip_bits + 7 * len(septets) + 7) // 8, "little")


def gsm7(septets: list[int], locking: int = DEFAULT, single: int = DEFAULT) -> str:
    """The text of septets. A code that a national table leaves free is a space there; an unknown one after the escape
    is the character of the locking table; a double escape is a space."""
    table, _ = _locking(locking)
    shift = _tables().get(single, (None, {}))[1] or {}
    basic = _tables()[DEFAULT][1]
    out: list[str] = []
    escaped = False
    for code in septets:
        if not escaped and code == ESCAPE:
            escaped = True
            continue
        if escaped and code == ESCAPE:
            out.append(" ")
        elif escaped:
            out.append(shift.get(code) or (basic.get(code) if single == DEFAULT else None) or table.get(code, " "))
        else:
            out.append(table.get(code, " "))
        escaped = False
    if escaped:
        out.append(" ")
    return "".join(out)


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
