"""SMS PDUs as a SIM holds them: SMS-DELIVER, SMS-SUBMIT and SMS-STATUS-REPORT behind an SMSC field (3GPP TS 23.040 9).

`decode` is total: it gives a Pdu or raises PduError, for any text. `to_part` never raises: what cannot be read is kept
as it is, because a message that nobody can read must still reach somebody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

from appliance.errors import PduError
from appliance.protocols import alphabet
from appliance.protocols.sms_part import Part

LONGEST = 400  # octets: SMSC 12, TPDU 164 and what SIMs pad with
NIBBLES = "0123456789*#abc"
INTERNATIONAL, ALPHANUMERIC = 1, 5
SILENT, SIM_DOWNLOAD = 0x40, 0x7F  # protocol identifiers
MMS_PORT = 2948
FLAGS_OF_PID = {SILENT: "silent", SIM_DOWNLOAD: "sim-data", 0x5F: "return-call"}


@dataclass(frozen=True, slots=True)
class Concat:
    """One part of several."""

    reference: int
    sequence: int
    total: int
    bits: int  # width of the reference


@dataclass(frozen=True, slots=True)
class Pdu:
    """A decoded PDU. Fields a kind does not have are None. `text` is None for data that is no text; times are ISO 8601
    with their offset, None where the digits make no date."""

    kind: str  # "DELIVER" | "SUBMIT" | "STATUS-REPORT"
    smsc: str | None
    address: str  # sender or recipient
    address_kind: str = "number"  # number | alphanumeric | hidden
    pid: int | None = None
    dcs: int | None = None
    coding: str | None = None  # gsm7 | ucs2 | 8bit
    message_class: int | None = None
    text: str | None = None
    octets: bytes = b""  # user data behind the header
    timestamp: str | None = None
    discharge: str | None = None
    status: int | None = None
    reference: int | None = None
    header: bytes | None = None
    concat: Concat | None = None
    ports: tuple[int, int, int] | None = None  # destination, source, bits
    waiting: str | None = None  # "voicemail"... when it says that something waits
    cut: bool = False  # fewer octets than its length says
    more: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


class _Reader:
    """Octets from left to right; running out is a PduError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self.strict = True

    def take(self, count: int) -> bytes:
        found = self._data[self.at : self.at + count]
        if len(found) < count:
            raise PduError("it ends too early")
        self.at += count
        return found

    def octet(self) -> int:
        return self.take(1)[0]

    @property
    def rest(self) -> bytes:
        return self._data[self.at :]


def decode(text: str, strict: bool = True) -> Pdu:
    """The PDU behind hex digits. Raises PduError, and nothing else. Not strict: a text that is cut off is read as far
    as it goes."""
    if not isinstance(text, str):
        raise PduError("not text")
    clean = text.strip()
    if len(clean) > 2 * LONGEST or len(clean) % 2 or not clean.isascii() or not clean.isalnum():
        raise PduError("not an even number of hex digits")
    try:
        reader = _Reader(bytes.fromhex(clean))
    except ValueError as error:
        raise PduError("not hex digits") from error
    smsc = _smsc(reader)
    start = reader.at
    first = reader.octet()
    kinds = {0: _deliver, 1: _submit, 2: _status_report}
    if first & 3 not in kinds:
        raise PduError("a reserved kind of message")
    reader.strict = strict
    return kinds[first & 3](reader, first, smsc, start)


def _smsc(reader: _Reader) -> str | None:
    length = reader.octet()
    if length > 12:
        raise PduError("no SMSC is that long")
    if length == 0:
        return None
    field_ = reader.take(length)
    digits = _digits(field_[1:], 2 * (length - 1))
    if not digits:
        return None
    return ("+" if field_[0] >> 4 & 7 == INTERNATIONAL else "") + digits


def _digits(octets: bytes, count: int) -> str:
    nibbles = [n for octet in octets for n in (octet & 15, octet >> 4)][:count]
    return "".join(NIBBLES[n] for n in nibbles if n < 15)


def _address(reader: _Reader) -> tuple[str, str]:
    """Text and kind of an address field (9.1.2.5); its length counts digits."""
    length = reader.octet()
    if length > 24:
        raise PduError("no address is that long")
    kind = reader.octet()
    octets = reader.take((length + 1) // 2)
    ton = kind >> 4 & 7
    if ton == ALPHANUMERIC:
        septets = alphabet.unpack(octets, length * 4 // 7)
        return alphabet.gsm7(septets).rstrip("\r"), "alphanumeric"
    digits = _digits(octets, length)
    if not digits:
        return "", "hidden"
    return ("+" if ton == INTERNATIONAL else "") + digits, "number"


def _time(octets: bytes) -> str | None:
    """A time stamp (9.2.3.11): swapped digits, the zone in quarters of an hour. None when it is no date."""
    year, month, day, hour, minute, second = ((o & 15) * 10 + (o >> 4) for o in octets[:6])
    zone = octets[6]
    quarters = (zone & 7) * 10 + (zone >> 4)
    if zone & 8:
        quarters = -quarters
    try:
        offset = timezone(timedelta(minutes=15 * quarters))
        return datetime(
            2000 + year if year < 90 else 1900 + year, month, day, hour, minute, second, tzinfo=offset
        ).isoformat()
    except ValueError:
        return None


# ---- coding ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Coding:
    """What TP-DCS says (TS 23.038 4)."""

    alphabet: str
    message_class: int | None = None
    compressed: bool = False
    waiting: str | None = None
    reserved: bool = False


WAITING = ("voicemail", "fax", "email", "other")


def coding_of(dcs: int) -> Coding:
    """The data coding scheme. Reserved ones are the default alphabet, as the standard wants it."""
    group = dcs >> 4
    if group < 8:
        names = ("gsm7", "8bit", "ucs2", "gsm7")
        has_class = bool(dcs & 0x10)
        return Coding(names[dcs >> 2 & 3], dcs & 3 if has_class else None, bool(dcs & 0x20))
    if group in (0xC, 0xD, 0xE):
        what = WAITING[dcs & 3] if dcs & 8 else None
        return Coding("ucs2" if group == 0xE else "gsm7", waiting=what)
    if group == 0xF:
        return Coding("8bit" if dcs & 4 else "gsm7", dcs & 3, reserved=bool(dcs & 8))
    return Coding("gsm7")


# ---- user data ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _UserData:
    coding: str
    text: str | None
    octets: bytes
    header: bytes | None
    elements: Mapping[int, bytes]
    cut: bool


def _user_data(reader: _Reader, coding: Coding, has_header: bool) -> _UserData:
    length = reader.octet()
    name = coding.alphabet
    need = (length * 7 + 7) // 8 if name == "gsm7" and not coding.compressed else length
    data = reader.rest[:need]
    if coding.reserved and len(reader.rest) == length != need:
        name, need, data = _other_coding(reader.rest), length, reader.rest  # the count fits octets, not septets
    cut = len(data) < need
    if cut and reader.strict:
        raise PduError("its text is cut off")
    reader.at += len(data)
    header, elements = _header(data) if has_header else (None, {})
    behind = len(header) if header is not None else 0
    if coding.compressed:
        return _UserData("8bit", None, data[behind:], header, elements, cut)
    if name == "gsm7":
        fill = (behind * 8 + 6) // 7 * 7
        septets = alphabet.unpack(data, length - fill // 7, fill)
        text = alphabet.gsm7(septets, _language(elements, 0x25), _language(elements, 0x24))
        return _UserData(name, text, bytes(septets), header, elements, cut)
    rest = data[behind:]
    if name == "ucs2":
        return _UserData(name, alphabet.ucs2(rest), rest, header, elements, cut)
    return _UserData(name, None, rest, header, elements, cut)


def _other_coding(data: bytes) -> str:
    return "ucs2" if len(data) % 2 == 0 and data[:1] in (b"\0", b"\4") else "8bit"


def _language(elements: Mapping[int, bytes], name: int) -> int:
    found = elements.get(name, b"")
    return found[0] if found else alphabet.DEFAULT


def _header(data: bytes) -> tuple[bytes | None, dict[int, bytes]]:
    """The header with its length octet, and its elements; the last of a kind counts. A header that runs over its own
    end is shown as text."""
    if not data or data[0] + 1 > len(data):
        return None, {}
    header = data[: data[0] + 1]
    elements: dict[int, bytes] = {}
    at = 1
    while at + 2 <= len(header):
        name, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if len(value) < length:
            break
        elements[name] = value
        at += 2 + length
    return header, elements


def _concat(elements: Mapping[int, bytes]) -> Concat | None:
    """Which part it is; numbers that make no sense make it a single message."""
    for name, value in elements.items():
        if name == 0x00 and len(value) == 3:
            found = Concat(value[0], value[2], value[1], 8)
        elif name == 0x08 and len(value) == 4:
            found = Concat(value[0] << 8 | value[1], value[3], value[2], 16)
        else:
            continue
        if 0 < found.sequence <= found.total:
            return found
    return None


def _ports(elements: Mapping[int, bytes]) -> tuple[int, int, int] | None:
    if len(elements.get(0x05, b"")) == 4:
        value = elements[0x05]
        return value[0] << 8 | value[1], value[2] << 8 | value[3], 16
    if len(elements.get(0x04, b"")) == 2:
        return elements[0x04][0], elements[0x04][1], 8
    return None


# ---- the three kinds ------------------------------------------------------------------------------------------------


def _deliver(reader: _Reader, first: int, smsc: str | None, start: int) -> Pdu:
    sender, kind = _address(reader)
    pid, dcs = reader.octet(), reader.octet()
    coding = coding_of(dcs)
    stamp = _time(reader.take(7))
    data = _user_data(reader, coding, bool(first & 0x40))
    waiting = coding.waiting or (_waiting_of(data.elements[0x01]) if data.elements.get(0x01) else None)
    return Pdu(
        "DELIVER", smsc, sender, kind, pid, dcs, data.coding, coding.message_class, data.text, data.octets, stamp,
        header=data.header, concat=_concat(data.elements), ports=_ports(data.elements), waiting=waiting,
        cut=data.cut, more=_lengths(reader, start),
    )  # fmt: skip


def _waiting_of(element: bytes) -> str | None:
    return WAITING[element[0] & 3] if len(element) > 1 and element[1] else None


def _submit(reader: _Reader, first: int, smsc: str | None, start: int) -> Pdu:
    reference = reader.octet()
    recipient, kind = _address(reader)
    pid, dcs = reader.octet(), reader.octet()
    coding = coding_of(dcs)
    more: dict[str, object] = {}
    if first >> 3 & 3 == 2:
        more["vp_relative_minutes"] = _relative_minutes(reader.octet())
    elif first >> 3 & 3 == 3:
        more["vp_absolute"] = _time(reader.take(7))
    elif first >> 3 & 3 == 1:
        more["vp_enhanced"] = reader.take(7).hex().upper()
    more["status_report_request"] = bool(first & 0x20)
    more["reject_duplicates"] = bool(first & 0x04)
    data = _user_data(reader, coding, bool(first & 0x40))
    return Pdu(
        "SUBMIT", smsc, recipient, kind, pid, dcs, data.coding, coding.message_class, data.text, data.octets,
        reference=reference, header=data.header, concat=_concat(data.elements), ports=_ports(data.elements),
        more={**more, **_lengths(reader, start)},
    )  # fmt: skip


def _relative_minutes(value: int) -> int:
    """TP-VP relative (9.2.3.12.1)."""
    if value <= 143:
        return (value + 1) * 5
    if value <= 167:
        return 720 + (value - 143) * 30
    if value <= 196:
        return (value - 166) * 1440
    return (value - 192) * 10080


def _status_report(reader: _Reader, first: int, smsc: str | None, start: int) -> Pdu:
    reference = reader.octet()
    recipient, kind = _address(reader)
    stamp, discharge = _time(reader.take(7)), _time(reader.take(7))
    status = reader.octet()
    more: dict[str, object] = {}
    if len(reader.rest) == 1 or (reader.rest and reader.rest[0] != 0xFF and reader.rest[0] & 0xF8 == 0):
        more["pi"] = reader.rest[0]
    return Pdu(
        "STATUS-REPORT", smsc, recipient, kind, timestamp=stamp, discharge=discharge, status=status,
        reference=reference, more={**more, **_lengths(reader, start)},
    )  # fmt: skip


def _lengths(reader: _Reader, start: int) -> dict[str, object]:
    rest = len(reader.rest)
    return {"tpdu_length": reader.at - start, **({"trailing": rest} if rest else {})}


# ---- for people and for the store -----------------------------------------------------------------------------------


def describe(text: str) -> dict[str, object]:
    """A PDU as a JSON object, for `centralka sms decode`. Raises PduError."""
    pdu = decode(text)
    body: dict[str, object] = {
        "kind": pdu.kind, "smsc": pdu.smsc, "recipient" if pdu.kind != "DELIVER" else "sender": pdu.address,
        "text": pdu.text, "coding": pdu.coding, "pid": pdu.pid, "dcs": pdu.dcs, "class": pdu.message_class,
        "timestamp": pdu.timestamp, "discharge": pdu.discharge, "status": pdu.status, "mr": pdu.reference,
        "udh": pdu.header.hex().upper() if pdu.header is not None else None,
        "data_hex": pdu.octets.hex().upper() if pdu.coding == "8bit" else None,
        **pdu.more,
    }  # fmt: skip
    if pdu.concat:
        c = pdu.concat
        body["concat"] = {"ref": c.reference, "seq": c.sequence, "total": c.total, "bits": c.bits}
    if pdu.ports:
        body["ports"] = {"dst": pdu.ports[0], "src": pdu.ports[1], "bits": pdu.ports[2]}
    keep = {"kind", "smsc", "sender", "recipient", "text", "status_report_request", "reject_duplicates"}
    return {name: value for name, value in body.items() if value is not None or name in keep & {"smsc"}}


def to_part(text: str) -> Part:
    """What the store needs of a PDU. Never raises: an unreadable one is a part without text."""
    clean = text.strip().upper()
    try:
        pdu = decode(clean, strict=False)
    except PduError:
        return Part(clean, flags=("undecodable",))
    flags = [FLAGS_OF_PID[pdu.pid]] if pdu.pid in FLAGS_OF_PID else []
    if pdu.message_class == 0:
        flags.append("flash")
    if pdu.cut:
        flags.append("cut")
    if pdu.waiting:
        flags.append(f"{pdu.waiting}-waiting")
    shown = pdu.text
    if pdu.coding == "8bit":
        shown = alphabet.printable_8bit(pdu.octets)
        if pdu.ports and pdu.ports[0] == MMS_PORT:
            flags.append("mms-waiting")
    if pdu.kind == "STATUS-REPORT":
        flags.append("status-report")
    c = pdu.concat
    return Part(
        clean, pdu.address, pdu.address_kind, shown, pdu.coding or "raw", pdu.octets, pdu.timestamp,
        c.reference if c else None, c.total if c else 1, c.sequence if c else 1, tuple(flags),
    )  # fmt: skip
