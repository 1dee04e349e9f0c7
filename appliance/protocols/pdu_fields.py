"""The fields of a PDU: addresses, time stamps, validity, identifiers (3GPP TS 23.040 9.1 and 9.2.3, 23.038 4). Pure and
total: PduError where octets run out, else a meaning."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from appliance.errors import PduError
from appliance.protocols import alphabet

NIBBLES = "0123456789*#abc"
INTERNATIONAL, ALPHANUMERIC = 1, 5
PAIRS = tuple("".join(NIBBLES[n] for n in (octet & 15, octet >> 4) if n < 15) for octet in range(256))
SWAPPED = tuple((octet & 15) * 10 + (octet >> 4) for octet in range(256))


class Reader:
    """Octets from left to right; running out is a PduError. `strict`: a fault is a PduError, else it is read over."""

    __slots__ = ("_data", "at", "strict")

    def __init__(self, data: bytes, strict: bool) -> None:
        self._data = data
        self.at = 0
        self.strict = strict

    def take(self, count: int) -> bytes:
        """The next octets."""
        start = self.at
        self.at = start + count
        if self.at > len(self._data):
            raise PduError("it ends too early")
        return self._data[start : self.at]

    def octet(self) -> int:
        """The next octet."""
        return self.take(1)[0]

    @property
    def rest(self) -> bytes:
        """What was not taken yet."""
        return self._data[self.at :]


# ---- addresses ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """`kind`: number, alphanumeric, hidden (no number came). `voicemail`: not None when it is no sender but the sign
    of an operator's voicemail (CPHS 4.2 B.4.2.1): whether a message waits."""

    text: str
    kind: str
    voicemail: bool | None = None


def digits(octets: bytes, count: int) -> str:
    """Swapped digits; fillers are left out."""
    if count % 2 and octets:
        last = octets[-1] & 15
        return "".join(map(PAIRS.__getitem__, octets[:-1])) + (NIBBLES[last] if last < 15 else "")
    return "".join(map(PAIRS.__getitem__, octets))


def smsc(reader: Reader) -> str | None:
    """The message centre: its length counts octets, the kind's among them. None for the SIM's own."""
    length = reader.octet()
    if length > 12:
        raise PduError("no SMSC is that long")
    if length == 0:
        return None
    octets = reader.take(length)
    number = digits(octets[1:], 2 * (length - 1))
    if not number:
        return None
    return "+" + number if octets[0] >> 4 & 7 == INTERNATIONAL else number


def address(reader: Reader) -> Address:
    """An address field (9.1.2.5); its length counts digits."""
    length = reader.octet()
    if length > 24:
        raise PduError("no address is that long")
    return address_from(length, reader.octet(), reader.take((length + 1) // 2))


def address_from(length: int, kind: int, octets: bytes) -> Address:
    """An address from its parts."""
    number = kind >> 4 & 7
    if number == ALPHANUMERIC:
        if length == 4 and octets[0] in (0x10, 0x11) and octets[1] & 0x7F == 0:
            return Address("", "hidden", octets[0] == 0x11)
        name = alphabet.gsm7(alphabet.unpack(octets, length * 4 // 7)).rstrip("\r")
        plain = "".join(char if char.isprintable() else " " for char in name)
        return Address(plain, "alphanumeric") if plain.strip() else Address("", "hidden")
    text = digits(octets, length)
    if not text:
        return Address("", "hidden")
    return Address("+" + text if number == INTERNATIONAL else text, "number")


# ---- times ----------------------------------------------------------------------------------------------------------


def _zone(octet: int) -> timezone:
    """Quarters of an hour with a sign (9.2.3.11). Devices are seen that write a unit above nine: it counts."""
    quarters = (octet & 7) * 10 + (octet >> 4)
    return timezone(timedelta(minutes=15 * (-quarters if octet & 8 else quarters)))


ZONES = tuple(_zone(octet) for octet in range(256))


def time(octets: bytes) -> str | None:
    """A time stamp (9.2.3.11) as ISO 8601 with its offset: years from 1990 to 2089. None when it is no date."""
    year, month, day, hour, minute, second = map(SWAPPED.__getitem__, octets[:6])
    try:
        return datetime(
            2000 + year if year < 90 else 1900 + year, month, day, hour, minute, second, tzinfo=ZONES[octets[6]]
        ).isoformat()
    except ValueError:
        return None


def relative_minutes(value: int) -> int:
    """TP-VP relative (9.2.3.12.1)."""
    if value <= 143:
        return (value + 1) * 5
    if value <= 167:
        return 720 + (value - 143) * 30
    if value <= 196:
        return (value - 166) * 1440
    return (value - 192) * 10080


def validity(reader: Reader, form: int) -> dict[str, object]:
    """TP-VP by its form, bits 4 and 3 of the first octet: none, enhanced, relative, absolute (9.2.3.12)."""
    if form == 2:
        return {"vp_relative_minutes": relative_minutes(reader.octet())}
    if form == 3:
        return {"vp_absolute": time(reader.take(7))}
    if form == 1:
        return _enhanced(reader.take(7))
    return {}


def _enhanced(octets: bytes) -> dict[str, object]:
    """Enhanced TP-VP (9.2.3.12.3): the octets, and what they say: how long in seconds, and whether the network may
    try once only."""
    found: dict[str, object] = {"vp_enhanced": octets.hex().upper()}
    if octets[0] & 0x40:
        found["single_shot"] = True
    at = 2 if octets[0] & 0x80 else 1  # an extension octet comes first
    value = octets[at]
    if octets[0] & 7 == 1:
        found["vp_seconds"] = relative_minutes(value) * 60
    elif octets[0] & 7 == 2:
        found["vp_seconds"] = value
    elif octets[0] & 7 == 3:
        hours, minutes, seconds = map(SWAPPED.__getitem__, octets[at : at + 3])
        found["vp_seconds"] = hours * 3600 + minutes * 60 + seconds
    return found


# ---- coding ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something waits with the operator, or no longer: voicemail, fax, email, video, other; `count` None where only
    that something waits was said, 0 when nothing does any more."""

    kind: str
    count: int | None


WAITING = ("voicemail", "fax", "email", "other")


@dataclass(frozen=True, slots=True)
class Coding:
    """What TP-DCS says (TS 23.038 4)."""

    alphabet: str
    message_class: int | None = None
    compressed: bool = False
    waiting: Waiting | None = None
    reserved: bool = False


def _coding(dcs: int) -> Coding:
    group = dcs >> 4
    if group < 8:
        names = ("gsm7", "8bit", "ucs2", "gsm7")
        has_class = bool(dcs & 0x10)
        return Coding(names[dcs >> 2 & 3], dcs & 3 if has_class else None, bool(dcs & 0x20))
    if group in (0xC, 0xD, 0xE):
        what = Waiting(WAITING[dcs & 3], None if dcs & 8 else 0)
        return Coding("ucs2" if group == 0xE else "gsm7", waiting=what)
    if group == 0xF:
        return Coding("8bit" if dcs & 4 else "gsm7", dcs & 3, reserved=bool(dcs & 8))
    return Coding("gsm7")


CODINGS = tuple(_coding(dcs) for dcs in range(256))
"""What each data coding scheme says. Reserved ones are the default alphabet, as the standard wants it."""
