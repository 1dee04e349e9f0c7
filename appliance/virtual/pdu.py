"""Short messages as PDUs (3GPP TS 23.040): what the network delivers, and reading what is submitted.

Small on purpose, and with no code of the product: a mistake in the product's codec must show against this one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from appliance.virtual.alphabet import cut, letters_to_septets, pack, septets_to_text, unpack

SMSC = "+48501200777"
DIGITS = "0123456789*#abc"


class BadPdu(ValueError):
    """Not a PDU; the sentence says where it stops being one."""


@dataclass(frozen=True, slots=True)
class Part:
    """Reference and place of one part of a long message."""

    reference: int
    total: int
    sequence: int
    bits: int = 8


@dataclass(frozen=True, slots=True)
class Message:
    """A message read from a PDU. `other` is the sender of a DELIVER, the recipient of a SUBMIT."""

    kind: str
    other: str
    text: str
    coding: str
    pid: int
    dcs: int
    part: Part | None = None
    sent_at: datetime | None = None
    reference: int | None = None
    wants_report: bool = False
    data: bytes = b""
    with_header: bool = False
    length: int = 0
    user_data: bytes = b""


def message_class(dcs: int) -> int | None:
    """0 flash, 1 device, 2 SIM, 3 computer; None when the message has no class (3GPP TS 23.038 4)."""
    if dcs & 0xF0 == 0xF0 or (dcs & 0x80 == 0 and dcs & 0x10):
        return dcs & 3
    return None


# -- writing -----------------------------------------------------------------------------------------------------------


def _semi(digits: str) -> bytes:
    values = [DIGITS.index(d) for d in digits] + ([15] if len(digits) % 2 else [])
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))


def address(number: str) -> bytes:
    """TP-OA or TP-DA: length in digits, type, digits; words as an alphanumeric sender. Raises ValueError."""
    if number and all(letter in DIGITS for letter in number.removeprefix("+").lower()):
        digits = number.removeprefix("+").lower()
        if not 1 <= len(digits) <= 20:
            raise ValueError("a number has 1 to 20 digits")
        return bytes([len(digits), 0x91 if number.startswith("+") else 0x81]) + _semi(digits)
    if not number:
        return b"\0\x80"
    units = letters_to_septets(number)
    septets = [code for unit in units or [] for code in unit]
    if units is None or len(septets) > 11:
        raise ValueError("a sender in words has at most 11 letters of the default alphabet")
    packed = pack(septets)
    return bytes([(len(septets) * 7 + 3) // 4, 0xD0]) + packed


def _smsc() -> bytes:
    digits = SMSC.removeprefix("+")
    return bytes([1 + (len(digits) + 1) // 2, 0x91]) + _semi(digits)


def timestamp(when: datetime) -> bytes:
    """TP-SCTS: local time and its distance from UTC in quarters of an hour (aware datetime)."""
    offset = when.utcoffset() or timedelta()
    quarters = round(offset.total_seconds() / 900)
    pairs = when.strftime("%y%m%d%H%M%S") + f"{abs(quarters):02d}"
    packed = bytearray(int(pairs[i + 1] + pairs[i], 16) for i in range(0, 14, 2))
    if quarters < 0:
        packed[6] |= 0x08
    return bytes(packed)


def deliver(
    sender: str,
    text: str,
    when: datetime,
    coding: str = "auto",
    reference: int = 0,
    bits: int = 8,
    flash: bool = False,
    pid: int = 0,
) -> list[str]:
    """The PDUs (hex, with service centre) that bring this text; several when it is long.

    `coding` is auto, gsm7 or ucs2; `reference` marks the parts of a long text, `bits` its width (8 or 16).
    Raises ValueError when the text has letters that gsm7 has not, or more than 255 parts.
    """
    letters = None if coding == "ucs2" else letters_to_septets(text)
    if letters is None and coding == "gsm7":
        raise ValueError("the text has letters that are not in the default alphabet")
    head = 6 if bits == 8 else 7
    if letters is not None:
        room = (140 * 8 - head * 8) // 7
        parts = cut(letters, 160, room)
    else:
        units = [list(letter.encode("utf-16-be", "surrogatepass")) for letter in text]
        parts = cut(units, 140, (140 - head) // 2 * 2)
    if len(parts) > 255:
        raise ValueError("a message has at most 255 parts")
    dcs = (0x10 if flash else 0) | (0 if letters is not None else 8)
    front = address(sender) + bytes([pid, dcs]) + timestamp(when)
    found = []
    for sequence, codes in enumerate(parts, 1):
        header = _concat(reference, len(parts), sequence, bits) if len(parts) > 1 else b""
        if letters is not None:
            skip = -(-len(header) * 8 // 7) * 7
            body = pack(codes, skip)
            body, length = header + body[len(header) :], skip // 7 + len(codes)
        else:
            body = header + bytes(codes)
            length = len(body)
        first = 0x04 | (0x40 if header else 0)  # no more messages to send
        found.append((_smsc() + bytes([first]) + front + bytes([length]) + body).hex().upper())
    return found


def _concat(reference: int, total: int, sequence: int, bits: int) -> bytes:
    if bits == 16:
        return bytes([6, 8, 4, reference >> 8 & 255, reference & 255, total, sequence])
    return bytes([5, 0, 3, reference & 255, total, sequence])


def report(recipient: str, reference: int, sent: datetime, done: datetime, status: int = 0) -> str:
    """A STATUS-REPORT as hex (9.2.2.3): the message `reference` to `recipient` arrived (status 0)."""
    body = bytes([0x06, reference]) + address(recipient) + timestamp(sent) + timestamp(done) + bytes([status])
    return (_smsc() + body).hex().upper()


def forward(message: Message, sender: str, when: datetime) -> str:
    """The DELIVER that brings a SUBMIT to its recipient: the same text, octet for octet (hex)."""
    first = 0x04 | (0x40 if message.with_header else 0)
    front = bytes([first]) + address(sender) + bytes([message.pid, message.dcs]) + timestamp(when)
    return (_smsc() + front + bytes([message.length]) + message.user_data).hex().upper()


# -- reading -----------------------------------------------------------------------------------------------------------


class _Octets:
    """A PDU's octets, taken from the front; raises BadPdu when they end."""

    def __init__(self, text: str) -> None:
        try:
            self._data = bytes.fromhex(text.strip())
        except ValueError:
            raise BadPdu("not hexadecimal") from None
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise BadPdu("it ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def octet(self) -> int:
        return self.take(1)[0]

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)

    def address(self) -> str:
        length = self.octet()
        kind = self.octet()
        data = self.take((length + 1) // 2)
        if length > 24:
            raise BadPdu("an address of more than 24 digits")
        if kind >> 4 & 7 == 5:
            return septets_to_text(unpack(data, length * 4 // 7))
        nibbles = [n for octet in data for n in (octet & 15, octet >> 4)][:length]
        if 15 in nibbles:
            raise BadPdu("a filler inside an address")
        return ("+" if kind >> 4 & 7 == 1 else "") + "".join(DIGITS[n] for n in nibbles)

    def timestamp(self) -> datetime | None:
        low_first = [(octet & 15, octet >> 4) for octet in self.take(7)]
        year, month, day, hour, minute, second = (low * 10 + high for low, high in low_first[:6])
        quarters = (low_first[6][0] & 7) * 10 + low_first[6][1]
        zone = timezone(timedelta(minutes=15 * quarters * (-1 if low_first[6][0] & 8 else 1)))
        try:
            return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            return None


def split_smsc(text: str) -> tuple[str, int]:
    """The PDU without its service centre, and the number of octets that are left (the `length` of AT+CMGS)."""
    octets = _Octets(text)
    octets.take(octets.octet())
    rest = octets.rest()
    return rest.hex().upper(), len(rest)


def read(text: str) -> Message:
    """A DELIVER or a SUBMIT with its service centre in front. Raises BadPdu."""
    octets = _Octets(text)
    octets.take(octets.octet())
    first = octets.octet()
    if first & 3 == 0:
        other = octets.address()
        pid, dcs = octets.octet(), octets.octet()
        return _body(octets, "DELIVER", first, other, pid, dcs, octets.timestamp(), None)
    if first & 3 == 1:
        reference = octets.octet()
        other = octets.address()
        pid, dcs = octets.octet(), octets.octet()
        octets.take({0: 0, 2: 1, 1: 7, 3: 7}[first >> 3 & 3])
        return _body(octets, "SUBMIT", first, other, pid, dcs, None, reference)
    raise BadPdu("neither a DELIVER nor a SUBMIT")


def _coding(dcs: int) -> str:
    if dcs & 0x80 == 0:
        return ("gsm7", "8bit", "ucs2", "gsm7")[dcs >> 2 & 3]
    if dcs & 0xF0 == 0xF0:
        return "8bit" if dcs & 4 else "gsm7"
    return "ucs2" if dcs & 0xF0 == 0xE0 else "gsm7"


def _body(
    octets: _Octets, kind: str, first: int, other: str, pid: int, dcs: int, sent: datetime | None, reference: int | None
) -> Message:
    length = octets.octet()
    coding = _coding(dcs)
    data = octets.take((length * 7 + 7) // 8 if coding == "gsm7" else length)
    if len(data) > 140:
        raise BadPdu("more than 140 octets of text")
    header = 0
    part, tables = None, (0, 0)
    if first & 0x40:
        if not data or data[0] + 1 > len(data):
            raise BadPdu("the header is longer than the message")
        header = data[0] + 1
        part, tables = _read_header(data[1:header])
    if coding == "gsm7":
        skip = -(-header * 8 // 7)
        text = septets_to_text(unpack(data, length - skip, skip * 7), *tables)
    elif coding == "ucs2":
        text = data[header:].decode("utf-16-be", "replace")
    else:
        text = ""
    return Message(
        kind, other, text, coding, pid, dcs, part, sent, reference, kind == "SUBMIT" and bool(first & 0x20),
        data[header:], bool(first & 0x40), length, data,
    )  # fmt: skip


def _read_header(header: bytes) -> tuple[Part | None, tuple[int, int]]:
    """Which part of what, and the national tables (locking shift, single shift) of the text."""
    part, at = None, 0
    locking = single = 0
    while at + 2 <= len(header):
        name, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if len(value) < length:
            raise BadPdu("an element longer than its header")
        if name == 0 and length == 3:
            part = Part(value[0], value[1], value[2])
        elif name == 8 and length == 4:
            part = Part(value[0] << 8 | value[1], value[2], value[3], 16)
        elif name == 0x24 and length == 1:
            single = value[0]
        elif name == 0x25 and length == 1:
            locking = value[0]
        at += 2 + length
    return part, (locking, single)


def now(offset: float = 0.0) -> datetime:
    """The network's clock: this machine's and `offset` seconds, with its zone."""
    return (datetime.now(UTC) + timedelta(seconds=offset)).astimezone()
