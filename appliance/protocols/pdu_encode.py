"""SMS-SUBMIT PDUs from a text and a number (3GPP TS 23.040 9.2.2.2, 23.038). Pure: nothing is sent here.

The coding is chosen by the text: the default alphabet where it has every letter, national tables only where they are
asked for (old phones show rubbish for them), else UCS-2. A long text is cut into parts, never inside a letter as a
reader sees it: not behind an escape, not in a surrogate pair, not between a letter and its accent.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appliance.errors import MessageTooLong, RecipientError, ValidityError
from appliance.protocols import alphabet
from appliance.protocols.graphemes import clusters
from appliance.protocols.pdu_fields import NIBBLES

USER_DATA = 140  # octets (9.2.3.24)
MOST_PARTS = 255  # one octet counts them (9.2.3.24.1)
MOST_DIGITS = 20  # an address has at most 12 octets (9.1.2.5)
LONGEST_TEXT = MOST_PARTS * 160
LONGEST_VALIDITY = 63 * 7 * 1440  # minutes (9.2.3.12.1)
SUBMIT, WITH_VALIDITY, WITH_REPORT, WITH_HEADER = 0x01, 0x10, 0x20, 0x40  # the first octet
FLASH = 0x10  # message class 0 in the data coding scheme
UCS2 = 0x08


@dataclass(frozen=True, slots=True)
class Submit:
    """One part, ready for AT+CMGS. `pdu` is hex and begins with "00": the SIM's own message centre; `length` counts
    the octets behind that field, as AT+CMGS wants it (27.005 4.3). `coding`: gsm7 or ucs2."""

    pdu: str
    length: int
    sequence: int
    total: int
    coding: str


@dataclass(frozen=True, slots=True)
class UserData:
    """TP-UDL and what is behind it."""

    length: int
    octets: bytes
    coding: str
    has_header: bool


def submits(
    recipient: str,
    text: str,
    *,
    reference: int = 0,
    national: bool = False,
    flash: bool = False,
    report: bool = False,
    valid_minutes: int | None = None,
    sixteen_bit: bool = False,
) -> tuple[Submit, ...]:
    """The parts of a message in order; a short text is one part without a header.

    `recipient`: digits and * # a b c, with + in front of an international number; `reference` tells long messages to
    one recipient apart (its low 8 or, with `sixteen_bit`, 16 bits count); `national`: national tables may be used;
    `flash`: class 0, shown at once and not kept; `report`: the network shall tell of its delivery; `valid_minutes`:
    how long the network tries, rounded up to what can be said, None for the network's own time. Half a surrogate pair
    becomes U+FFFD. Raises RecipientError, MessageTooLong, ValidityError.
    """
    address = _recipient(recipient)
    validity = _validity(valid_minutes)
    parts = user_data(text, reference, national, sixteen_bit)
    first = SUBMIT | (WITH_VALIDITY if validity else 0) | (WITH_REPORT if report else 0)
    found = []
    for sequence, part in enumerate(parts, 1):
        scheme = (UCS2 if part.coding == "ucs2" else 0) | (FLASH if flash else 0)
        head = bytes([first | (WITH_HEADER if part.has_header else 0), 0]) + address + bytes([0, scheme]) + validity
        tpdu = head + bytes([part.length]) + part.octets
        found.append(Submit("00" + tpdu.hex().upper(), len(tpdu), sequence, len(parts), part.coding))
    return tuple(found)


def address_of(digits: str) -> bytes:
    """An address field: number of digits, kind, swapped digits (9.1.2.5). `digits` as in `submits`, at most 20."""
    plain = digits.removeprefix("+")
    nibbles = [NIBBLES.index(digit) for digit in plain] + [15] * (len(plain) % 2)
    pairs = bytes(nibbles[i] | nibbles[i + 1] << 4 for i in range(0, len(nibbles), 2))
    return bytes([len(plain), 0x91 if digits.startswith("+") else 0x81]) + pairs


def is_number(text: str) -> bool:
    """Whether an address field can hold it."""
    digits = text.removeprefix("+")
    return 1 <= len(digits) <= MOST_DIGITS and not set(digits) - set(NIBBLES)


def _recipient(recipient: str) -> bytes:
    if not is_number(recipient):
        raise RecipientError
    return address_of(recipient)


def _validity(minutes: int | None) -> bytes:
    """TP-VP, relative (9.2.3.12.1): steps of 5 minutes, half hours, days, weeks."""
    if minutes is None:
        return b""
    if not 1 <= minutes <= LONGEST_VALIDITY:
        raise ValidityError
    for most, step, offset in ((720, 5, -1), (1440, 30, 119), (30 * 1440, 1440, 166), (LONGEST_VALIDITY, 10080, 192)):
        if minutes <= most:
            # the half hours count from 12 hours on: 143 + (minutes - 720) / 30 = minutes / 30 + 119
            return bytes([-(-minutes // step) + offset])
    raise ValidityError


# ---- user data ------------------------------------------------------------------------------------------------------


def user_data(text: str, reference: int = 0, national: bool = False, sixteen_bit: bool = False) -> tuple[UserData, ...]:
    """A text as user data of one or more parts. Raises MessageTooLong."""
    if len(text) > LONGEST_TEXT:
        raise MessageTooLong
    clean = text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
    tables = alphabet.tables_for(clean, national)
    if tables is None:
        units: list[bytes] = [cluster.encode("utf-16-be") for cluster in clusters(clean)]
        splitter = _Splitter(units, b"", 1, reference, sixteen_bit)
        return tuple(
            UserData(len(header + body), header + body, "ucs2", bool(header)) for header, body in splitter.parts()
        )
    locking, single = tables
    codes = alphabet.codes(locking, single)
    units = [bytes(code for char in cluster for code in codes[char]) for cluster in clusters(clean)]
    languages = (bytes([0x25, 1, locking]) if locking else b"") + (bytes([0x24, 1, single]) if single else b"")
    splitter = _Splitter(units, languages, 7, reference, sixteen_bit)
    return tuple(_septets(header, body) for header, body in splitter.parts())


def _septets(header: bytes, septets: bytes) -> UserData:
    """Septets begin on a septet's border behind the header (9.2.3.24)."""
    fill = alphabet.septets_of_header(len(header))
    packed = header + alphabet.pack(septets, fill * 7)[len(header) :]
    return UserData(fill + len(septets), packed, "gsm7", bool(header))


@dataclass(frozen=True, slots=True)
class _Splitter:
    """Units that stay together, filled into parts. A unit of the default alphabet is its septets, one in an octet; of
    UCS-2 its octets."""

    units: list[bytes]
    languages: bytes  # elements of the header that every part has
    size: int  # 7 for septets, else 1
    reference: int
    sixteen_bit: bool

    def parts(self) -> Iterator[tuple[bytes, bytes]]:
        """Header ("" for none) and body of each part. Raises MessageTooLong."""
        whole = b"".join(self.units)
        header = self._header(self.languages)
        if len(whole) <= self._room(header):
            yield header, whole
            return
        bodies = list(self._bodies(self._room(self._header(self._place(1, 1) + self.languages))))
        if len(bodies) > MOST_PARTS:
            raise MessageTooLong
        for sequence, body in enumerate(bodies, 1):
            yield self._header(self._place(len(bodies), sequence) + self.languages), body

    def _bodies(self, room: int) -> Iterator[bytes]:
        body = b""
        for unit in self._small(room):
            if len(body) + len(unit) > room:
                yield body
                body = b""
            body += unit
        yield body

    def _small(self, room: int) -> Iterable[bytes]:
        """The units; one that no part can hold (a letter with fifty accents) comes in pieces."""
        for unit in self.units:
            if len(unit) <= room:
                yield unit
            else:
                yield from (_septet_pieces(unit) if self.size == 7 else _utf16_pieces(unit))

    def _place(self, total: int, sequence: int) -> bytes:
        if self.sixteen_bit:
            return bytes([8, 4, self.reference >> 8 & 255, self.reference & 255, total, sequence])
        return bytes([0, 3, self.reference & 255, total, sequence])

    def _header(self, elements: bytes) -> bytes:
        return bytes([len(elements)]) + elements if elements else b""

    def _room(self, header: bytes) -> int:
        if self.size == 7:
            return USER_DATA * 8 // 7 - alphabet.septets_of_header(len(header))
        return (USER_DATA - len(header)) // 2 * 2


def _septet_pieces(unit: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(unit):
        size = 2 if unit[at] == alphabet.ESCAPE else 1
        yield unit[at : at + size]
        at += size


def _utf16_pieces(unit: bytes) -> Iterator[bytes]:
    yield from (char.encode("utf-16-be") for char in unit.decode("utf-16-be"))
