"""What modems write, read leniently: parsers of information lines and URCs. Pure and total: None for what is not one.

Sources: 3GPP TS 27.007 and 27.005, vendors' manuals; devices leave out quotes, add spaces, fields and zeros.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_FIELD = re.compile(r'\s*(?:"([^"]*)"?|([^,]*))\s*(?:,|\Z)')
ACT = {0: "2g", 1: "2g", 3: "2g", 2: "3g", 4: "3g", 5: "3g", 6: "3g", 7: "lte", 8: "2g", 9: "lte"}


def fields_of(line: str) -> list[str]:
    """The fields after the first colon, quotes removed."""
    rest = line.partition(":")[2].strip()
    found: list[str] = []
    at = 0
    while at < len(rest) and len(found) < 64:
        match = _FIELD.match(rest, at)
        if not match or match.end() == at:
            break
        found.append(match[1] if match[1] is not None else (match[2] or "").strip())
        at = match.end()
    if rest.endswith(","):
        found.append("")
    return found


def number_in(text: str, otherwise: int = -1) -> int:
    """A whole number of at most nine digits."""
    found = re.fullmatch(r"\s*(-?[0-9]{1,9})\s*", text)  # int() knows fewer kinds of space than strip()
    return int(found[1]) if found else otherwise


@dataclass(frozen=True, slots=True)
class Caller:
    """A calling line: `validity` is "ok", "withheld" or "unavailable"; `name` as the network or phone book gave it."""

    number: str
    validity: str
    name: str = ""


def caller(line: str) -> Caller | None:
    """+CLIP or +CCWA (27.007 7.11): number, type, subaddress, its type, alpha, validity 0 ok, 1 withheld, 2
    interworking, 3 payphone, 4 others."""
    fields = fields_of(line)
    if not fields or (len(fields) > 1 and number_in(fields[0]) in (0, 1, 2) and number_in(fields[1]) in (0, 1, 2)):
        return None  # the answer of AT+CLIP?
    is_clip = line.upper().startswith("+CLIP")
    number, kind = fields[0], number_in(fields[1] if len(fields) > 1 else "")
    digits = re.sub(r"[^0-9*#+]", "", number)
    validity = number_in(fields[5]) if is_clip and len(fields) > 5 else -1
    if not digits:
        withheld = validity in (-1, 1)
        return Caller("", "withheld" if withheld else "unavailable")
    if kind == 145 and not digits.startswith("+"):
        digits = "+" + digits
    name = fields[4] if is_clip and len(fields) > 4 else ""
    return Caller(digits[:40], "ok", name[:60])


@dataclass(frozen=True, slots=True)
class Registration:
    """stat of 27.007 7.2 and the access technology, "" when it is not said; area and cell, 0 likewise; `act` is the
    technology's own number, -1 likewise."""

    stat: int
    network: str = ""
    area: int = 0
    cell: int = 0
    act: int = -1


def registration(line: str) -> Registration | None:
    """+CREG, +CGREG, +CEREG, +C5GREG: an answer begins with the mode, a URC with the state."""
    if not re.match(r"\+(C|CG|CE|C5G)REG\s*:", line, re.IGNORECASE):
        return None
    fields = fields_of(line)
    start = 1 if _has_mode(line, fields) else 0
    stat = number_in(fields[start]) if len(fields) > start else -1
    if stat < 0:
        return None
    rest = fields[start + 1 :]  # area, perhaps routing area, cell, technology
    place = 3 if len(rest) > 3 and len(rest[1]) <= 2 else 2
    act = number_in(rest[place]) if len(rest) > place else -1
    area, cell = (_hex(rest[n]) if len(rest) > n else 0 for n in (0, place - 1))
    return Registration(stat, ACT.get(act, "lte" if act >= 10 else ""), area, cell, act)


def _hex(text: str) -> int:
    return int(text, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,9}", text) else 0


def _has_mode(line: str, fields: list[str]) -> bool:
    """Devices leave out quotes and add zeros: the second field is a state when it is short, or unquoted before a quoted
    area code."""
    if len(fields) < 2 or number_in(fields[0]) not in range(4) or number_in(fields[1]) not in range(12):
        return False
    raw = [part.strip() for part in line.partition(":")[2].split(",")]
    if raw[1].startswith('"'):
        return False
    return len(fields[1]) <= 2 or (len(raw) > 2 and raw[2].startswith('"'))


def signal(line: str) -> int | None:
    """+CSQ as 0 to 100, None for unknown (99). 100..191 are the TD-SCDMA and LTE form."""
    fields = fields_of(line)
    raw = number_in(fields[0]) if fields else -1
    if 0 <= raw <= 31:
        return round(raw * 100 / 31)
    if 100 <= raw <= 191:
        return round((raw - 100) * 100 / 91)
    return None


def operator(line: str) -> tuple[str, str] | None:
    """+COPS: name and network, None without one."""
    fields = fields_of(line)
    if len(fields) < 3 or not fields[2]:
        return None
    name = fields[2]
    if re.fullmatch(r"(?:00[0-9A-Fa-f]{2}){3,}", name):  # UCS-2 as hex
        name = bytes.fromhex(name).decode("utf-16-be", "replace")
    return name[:40], ACT.get(number_in(fields[3]) if len(fields) > 3 else -1, "")


_CLOCK = r"(?P<y>\d{2,4})[/,](?P<mo>\d\d?)[/,](?P<d>\d\d?),(?P<h>\d\d?)[:,](?P<mi>\d\d?)[:,](?P<s>\d\d?)"
_ZONE = r"(?P<z>[+-]\d{1,2})"
# how each writes the network's time, and whether as local time (minus the zone, in quarters of an hour) or as UTC
TIMES = (
    (re.compile(rf'\+CCLK:\s*"?{_CLOCK}{_ZONE}', re.IGNORECASE), True),  # 27.007 8.15
    (re.compile(rf"\^NWTIME:\s*{_CLOCK}{_ZONE}", re.IGNORECASE), True),  # Huawei
    (re.compile(rf'\+CTZU:\s*"{_CLOCK}",{_ZONE}', re.IGNORECASE), False),  # Cinterion
    (re.compile(rf'\*PSUTTZ:\s*"?{_CLOCK}"?,\s*"?{_ZONE}', re.IGNORECASE), False),  # SIMCom
    (re.compile(rf'\+CTZE:\s*"?{_ZONE}"?,\d,"?{_CLOCK}', re.IGNORECASE), False),  # 27.007 8.41
)
EARLIEST = 2024  # a clock that nobody has set stands in 1980, 2000 or 2004


def network_time(line: str) -> datetime | None:
    """The time of the network, UTC and aware; None for another line, and for a clock that was never set."""
    for pattern, is_local in TIMES:
        match = pattern.match(line)
        if not match:
            continue
        y, mo, d, h, mi, s = (int(match[name]) for name in ("y", "mo", "d", "h", "mi", "s"))
        try:
            said = datetime(y if y > 99 else y + (1900 if y >= 70 else 2000), mo, d, h, mi, s, tzinfo=UTC)
            found = said - timedelta(minutes=15 * int(match["z"])) if is_local else said
        except (ValueError, OverflowError):
            return None
        return found if found.year >= EARLIEST else None
    return None


@dataclass(frozen=True, slots=True)
class CallState:
    """A voice call as the modem sees it. `state`: active, held, dialling, alerting, incoming, waiting, released."""

    index: int
    outgoing: bool
    state: str
    number: str = ""


CLCC = {
    0: "active", 1: "held", 2: "dialling", 3: "alerting", 4: "incoming", 5: "waiting", 6: "released", 7: "released",
    -1: "released",
}  # fmt: skip


def call_state(line: str) -> CallState | None:
    """+CLCC, or the same told by a vendor: +QIND: "ccinfo", ^DSCI, ^SLCC. None for data calls and other lines."""
    upper = line.upper()
    fields = fields_of(line)
    if upper.startswith("+QIND") and fields[:1] == ["ccinfo"]:
        fields = fields[1:]
    elif not upper.startswith(("+CLCC:", "^SLCC:", "^DSCI:")):
        return None
    if len(fields) < 4 or number_in(fields[3], 0) != 0:
        return None
    state = CLCC.get(number_in(fields[2], 99))
    if state is None or number_in(fields[0]) < 0:
        return None
    place = {"^DSCI": 4, "^SLCC": 6}.get(upper[:5], 5)
    number = fields[place] if len(fields) > place else ""
    return CallState(number_in(fields[0]), fields[1] == "0", state, number[:40])


# 3GPP TS 24.008 annex H, as ^CEND and +CEER give them
CC_CAUSES = {  # 8, 50, 57: this SIM may not call there, or has no credit
    1: "unreachable", 8: "congestion", 16: "normal", 17: "busy", 18: "no-answer", 19: "no-answer", 20: "unreachable",
    21: "rejected", 27: "unreachable", 31: "normal", 34: "congestion", 38: "congestion", 41: "congestion",
    42: "congestion", 47: "congestion", 50: "congestion", 57: "congestion",
}  # fmt: skip
CAUSE_WORDS = {
    "busy": "busy", "unassigned": "unreachable", "unallocated": "unreachable", "no answer": "no-answer",
    "not respond": "no-answer", "no user responding": "no-answer", "reject": "rejected", "barred": "congestion",
    "barring": "congestion", "congest": "congestion", "no circuit": "congestion", "out of order": "congestion",
    "resource": "congestion", "invalid number": "unreachable",
}  # fmt: skip


def release_cause(lines: tuple[str, ...]) -> tuple[str, str]:
    """+CEER: why a call ended, as the reason of CallEnded ("" when it says nothing useful), and the modem's words. Some
    write a text, some numbers, of which the last is a cause of 24.008."""
    said = next((line.partition(":")[2].strip(' "') for line in lines if line.upper().startswith("+CEER")), "")[:60]
    lower = said.lower()
    word = next((reason for word, reason in CAUSE_WORDS.items() if word in lower), "")
    numbers = [int(n) for n in re.findall(r"(?<!\d)\d{1,3}(?!\d)", said)]
    reason = word or (CC_CAUSES.get(numbers[-1], "") if numbers else "")
    return ("", "") if reason in ("", "normal") else (reason, said)


def stored(line: str) -> tuple[str, int] | None:
    """+CMTI or +CDSI: memory and slot; the first quoted and the first number, whatever stands between."""
    match = re.match(r'\+C(?:MT|DS)I:\s*"?([A-Z][A-Z ]{1,9})"?\s*,.*?(\d{1,5})', line, re.IGNORECASE)
    return (match[1].strip().upper(), int(match[2])) if match else None


def storage(line: str, memory: str = "") -> tuple[int, int] | None:
    """+CPMS: used and total of the first memory, with names or without; None when it is another than `memory`."""
    fields = fields_of(line)
    named = next((f.upper() for f in fields[:1] if re.fullmatch(r"[A-Za-z]{2}", f)), memory)
    plain = [n for f in fields if (n := number_in(f)) >= 0]
    return (plain[0], plain[1]) if len(plain) >= 2 and (not memory or named == memory) else None


def reports_new(line: str) -> bool | None:
    """+CNMI?: whether new messages are announced or delivered (27.005 3.4.1: mt is not 0); None for another line."""
    fields = [number_in(f) for f in fields_of(line)] if line.upper().startswith("+CNMI") else []
    return fields[1] > 0 if len(fields) > 1 else None


def memories(line: str) -> tuple[str, ...]:
    """+CPMS=?: what the first memory can be."""
    group = re.search(r"\(([^()]*)\)", line)
    return tuple(re.findall(r"[A-Z]{2}", group[1])) if group else ()


@dataclass(frozen=True, slots=True)
class Slot:
    """A message as CMGR or CMGL gives it. `stat`: 0 unread, 1 read, 2 and 3 are our own; -1 not said. `raw`: what stood
    there was no PDU, and `pdu` is the hex of its head and text as they came."""

    stat: int
    pdu: str
    index: int = -1
    raw: bool = False


HEADS = ("+CMGR:", "+CMGL:")
LONGEST_RAW = 600  # characters


def slots(lines: tuple[str, ...]) -> list[Slot]:
    """+CMGR and +CMGL in PDU mode: a head and the hex after it. A damaged entry does not lose the others, and is not
    lost itself; a head with nothing after it is an empty place."""
    found: list[Slot] = []
    for head, body in _entries(lines):
        fields = [number_in(f) for f in fields_of(head)]
        listed = head.upper().startswith("+CMGL")
        stat = fields[listed] if len(fields) > listed else -1
        index = fields[0] if listed and fields else -1
        pdu = next((line.strip().upper() for line in body if is_hex(line)), "")
        if pdu or body:
            found.append(Slot(stat, pdu or as_raw(head, *body), index, not pdu))
    return found


def _entries(lines: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Each head with the lines up to the next one."""
    entries: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.upper().startswith(HEADS):
            entries.append((line, []))
        elif entries and line.strip():
            entries[-1][1].append(line)
    return entries


def as_raw(*lines: str) -> str:
    """Lines that are no PDU, as hex: so that they can be kept, compared and mailed like one."""
    return "\n".join(lines)[:LONGEST_RAW].encode("latin-1", "replace").hex().upper()


def is_hex(text: str) -> bool:
    """An even number of hex digits, at least ten octets: the shortest PDU."""
    return bool(re.fullmatch(r"(?:[0-9A-Fa-f]{2}){10,400}", text.strip()))


def pin_state(line: str) -> str | None:
    """+CPIN: "READY", "SIM PIN", "SIM PUK"..."""
    match = re.match(r"\+CPIN:\s*\"?([A-Z0-9 -]{2,20})", line, re.IGNORECASE)
    return match[1].strip().upper() if match else None


def tries_left(lines: tuple[str, ...]) -> int:
    """How many tries of a PIN a vendor's counter says are left; -1 when it says nothing. The first number, but in
    ^CPIN, whose last four are PUK, PIN, PUK2, PIN2."""
    for line in lines:
        numbers = [number_in(f) for f in fields_of(line)] if line[:1] in ("+", "^", "#") else []
        if line.upper().startswith("^CPIN"):
            return numbers[-3] if len(numbers) > 3 else -1
        if numbers:
            return next((n for n in numbers if n >= 0), -1)
    return -1


def error_code(final: str) -> int:
    """The number of +CME ERROR or +CMS ERROR; texts of the same meaning too; -1 for a plain ERROR."""
    match = re.match(r"\+CM[ES] ERROR:\s*(.*)", final)
    if not match:
        return -1
    number = number_in(match[1])
    return number if number >= 0 else ERROR_TEXTS.get(match[1].strip().lower(), -1)


ERROR_TEXTS = {
    "sim not inserted": 10, "sim pin required": 11, "sim puk required": 12, "sim failure": 13, "sim busy": 14,
    "sim wrong": 15, "incorrect password": 16, "invalid index": 321, "invalid memory index": 321, "not found": 22,
    "memory full": 322, "operation not allowed": 3, "operation not supported": 4,
}  # fmt: skip


def digits_only(lines: tuple[str, ...]) -> str:
    """The first run of 10 to 22 digits in an answer: ICCID, IMSI, IMEI. Padding F at the end of an ICCID goes."""
    for line in lines:
        match = re.search(r"(?<![0-9A-F])([0-9]{10,22})F?(?![0-9])", line.upper())
        if match:
            return match[1]
    return ""
