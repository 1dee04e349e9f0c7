"""SMS PDUs as a SIM holds them: SMS-DELIVER, SMS-SUBMIT and SMS-STATUS-REPORT behind an SMSC field (3GPP TS 23.040 9).

`decode` is total: it gives a Pdu or raises PduError, for any text. `to_part` never raises: what cannot be read is kept
as it is, because a message that nobody can read must still reach somebody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from appliance.errors import PduError
from appliance.protocols import alphabet, pdu_data, pdu_fields
from appliance.protocols.pdu_data import Concat, UserData
from appliance.protocols.pdu_fields import CODINGS, Address, Coding, Reader, Waiting
from appliance.protocols.sms_part import Part

LONGEST = 400  # octets: SMSC 12, TPDU 164 and what SIMs pad with
SILENT, EMAIL, RETURN_CALL, SIM_DOWNLOAD = 0x40, 0x32, 0x5F, 0x7F  # protocol identifiers (9.2.3.9)
FLAGS_OF_PID = {
    SILENT: "silent", EMAIL: "e-mail", RETURN_CALL: "return-call", SIM_DOWNLOAD: "sim-data",
    **{0x40 + n: f"replace-{n}" for n in range(1, 8)},  # it takes the place of the one before, of sender and number
}  # fmt: skip
MMS_PORT = 2948
NONE: Mapping[str, object] = MappingProxyType({})


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
    waiting: tuple[Waiting, ...] = ()
    cut: bool = False  # fewer octets than its length says
    damaged: bool = False  # the lengths of its header do not fit
    compressed: bool = False  # by the method of TS 23.042, which nobody uses: its data is kept, not read
    more: Mapping[str, object] = field(default_factory=lambda: NONE)


def decode(text: str, strict: bool = True) -> Pdu:
    """The PDU behind hex digits. Raises PduError, and nothing else. Not strict: a text that is cut off is read as far
    as it goes, a damaged header is left out, and the Pdu says so."""
    if not isinstance(text, str):
        raise PduError("not text")
    clean = text.strip()
    if not strict:
        clean = clean[: len(clean) // 2 * 2]  # cut in the middle of an octet
    if len(clean) > 2 * LONGEST or len(clean) % 2 or not clean.isascii() or not clean.isalnum():
        raise PduError("not an even number of hex digits")
    try:
        reader = Reader(bytes.fromhex(clean), strict)
    except ValueError as error:
        raise PduError("not hex digits") from error
    smsc = pdu_fields.smsc(reader)
    start = reader.at
    first = reader.octet()
    kind = KINDS.get(first & 3)
    if kind is None:
        raise PduError("a reserved kind of message")
    return kind(reader, first, smsc, start)


# ---- the three kinds ------------------------------------------------------------------------------------------------


def _deliver(reader: Reader, first: int, smsc: str | None, start: int) -> Pdu:
    sender = pdu_fields.address(reader)
    pid, dcs = reader.take(2)
    coding = CODINGS[dcs]
    stamp = pdu_fields.time(reader.take(7))
    data = pdu_data.user_data(reader, coding, bool(first & 0x40))
    waiting = _waiting(sender, coding, data)
    more = {**_lengths(reader, start), **pdu_data.more_of(data.elements)} if data.elements else _lengths(reader, start)
    return Pdu(
        "DELIVER", smsc, sender.text, sender.kind, pid, dcs, data.coding, coding.message_class, data.text, data.octets,
        stamp, None, None, None, data.header, pdu_data.concat(data.elements), pdu_data.ports(data.elements), waiting,
        data.cut, data.damaged, coding.compressed, more,
    )  # fmt: skip


def _waiting(sender: Address, coding: Coding, data: UserData) -> tuple[Waiting, ...]:
    """What waits: elements of the header count more than the coding, and that more than the sender (TS 23.038 4)."""
    found = tuple(pdu_data.waiting(data.elements)) if data.elements else ()
    if not found and coding.waiting:
        return (coding.waiting,)
    if not found and sender.voicemail is not None:
        return (Waiting("voicemail", None if sender.voicemail else 0),)
    return found


def _submit(reader: Reader, first: int, smsc: str | None, start: int) -> Pdu:
    reference = reader.octet()
    recipient = pdu_fields.address(reader)
    pid, dcs = reader.take(2)
    coding = CODINGS[dcs]
    more = pdu_fields.validity(reader, first >> 3 & 3)
    more["status_report_request"] = bool(first & 0x20)
    more["reject_duplicates"] = bool(first & 0x04)
    data = pdu_data.user_data(reader, coding, bool(first & 0x40))
    return Pdu(
        "SUBMIT", smsc, recipient.text, recipient.kind, pid, dcs, data.coding, coding.message_class, data.text,
        data.octets, None, None, None, reference, data.header, pdu_data.concat(data.elements),
        pdu_data.ports(data.elements), (), data.cut, data.damaged, coding.compressed,
        {**more, **_lengths(reader, start), **pdu_data.more_of(data.elements)},
    )  # fmt: skip


def _status_report(reader: Reader, first: int, smsc: str | None, start: int) -> Pdu:
    reference = reader.octet()
    recipient = pdu_fields.address(reader)
    stamp, discharge = pdu_fields.time(reader.take(7)), pdu_fields.time(reader.take(7))
    status = reader.octet()
    end, reader.strict = reader.at, True  # what is damaged there is no text of anybody
    try:
        more, pid, dcs, data = _report_text(reader, bool(first & 0x40))
    except PduError:  # a SIM's padding that looks like more
        reader.at = end
        more, pid, dcs, data = {}, None, None, None
    return Pdu(
        "STATUS-REPORT", smsc, recipient.text, recipient.kind, pid, dcs, data.coding if data else None,
        CODINGS[dcs].message_class if dcs is not None else None, data.text if data else None,
        data.octets if data else b"", stamp, discharge, status, reference, data.header if data else None,
        cut=data.cut if data else False, more={**more, **_lengths(reader, start)},
    )  # fmt: skip


def _report_text(reader: Reader, has_header: bool) -> tuple[dict[str, object], int | None, int | None, UserData | None]:
    """TP-PI and what it announces: PID, DCS, user data (9.2.3.27). Its reserved bits set, it is padding."""
    rest = reader.rest
    if not rest or (rest[0] & 0xF8 and len(rest) > 1):
        return {}, None, None, None
    announced = reader.octet()
    pid = reader.octet() if announced & 1 else None
    dcs = reader.octet() if announced & 2 else None
    data = pdu_data.user_data(reader, CODINGS[dcs or 0], has_header) if announced & 4 else None
    return {"pi": announced}, pid, dcs, data


def _lengths(reader: Reader, start: int) -> dict[str, object]:
    rest = len(reader.rest)
    return {"tpdu_length": reader.at - start, "trailing": rest} if rest else {"tpdu_length": reader.at - start}


KINDS: Mapping[int, Callable[[Reader, int, str | None, int], Pdu]] = {0: _deliver, 1: _submit, 2: _status_report}


# ---- for people and for the store -----------------------------------------------------------------------------------


def describe(text: str, strict: bool = True) -> dict[str, object]:
    """A PDU as a JSON object, for `centralka sms decode`. Raises PduError."""
    pdu = decode(text, strict)
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
    if pdu.waiting:
        body["waiting"] = [{"kind": w.kind, "count": w.count} for w in pdu.waiting]
    if flags := flags_of(pdu):
        body["flags"] = list(flags)
    return {name: value for name, value in body.items() if value is not None or name == "smsc"}


def flags_of(pdu: Pdu) -> tuple[str, ...]:
    """What a reader or the store must know beside the text."""
    found = [FLAGS_OF_PID[pdu.pid]] if pdu.pid in FLAGS_OF_PID else []
    if "email_header" in pdu.more and "e-mail" not in found:
        found.append("e-mail")
    if pdu.message_class == 0:
        found.append("flash")
    found += [name for name, said in (("cut-off", pdu.cut), ("damaged", pdu.damaged)) if said]
    if pdu.compressed:
        found.append("compressed")
    found += [f"{w.kind}-waiting" for w in pdu.waiting if w.count != 0]
    if pdu.waiting and all(w.count == 0 for w in pdu.waiting):
        found.append("nothing-waits")
    if pdu.ports and pdu.ports[0] == MMS_PORT:
        found.append("mms-waiting")
    if pdu.kind == "STATUS-REPORT":
        found.append("status-report")
    return tuple(found)


def to_part(text: str) -> Part:
    """What the store needs of a PDU. Never raises: an unreadable one is a part without text, whatever it is."""
    clean = text.strip().upper()
    try:
        pdu = decode(clean, strict=False)
    except PduError:
        return Part(clean, flags=("undecodable",))
    c = pdu.concat
    return Part(
        clean, pdu.address, pdu.address_kind, _readable(pdu), pdu.coding or "raw", pdu.octets, pdu.timestamp,
        c.reference if c else None, c.total if c else 1, c.sequence if c else 1, flags_of(pdu),
    )  # fmt: skip


def _readable(pdu: Pdu) -> str | None:
    """The text for a person: 8-bit data where it plainly is text, and none of what announces a picture message."""
    if pdu.ports and pdu.ports[0] == MMS_PORT:
        return None
    return alphabet.printable_8bit(pdu.octets) if pdu.coding == "8bit" else pdu.text
