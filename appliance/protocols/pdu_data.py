"""User data of a PDU: its header with all elements, and the text behind it (3GPP TS 23.040 9.2.3.24)."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.errors import PduError
from appliance.protocols import alphabet
from appliance.protocols.pdu_fields import WAITING, Coding, Reader, Waiting, address_from

MOST_OCTETS, MOST_SEPTETS = 140, 160
# elements of the header (9.2.3.24)
CONCAT_8, INDICATION, PORTS_8, PORTS_16, CONCAT_16 = 0x00, 0x01, 0x04, 0x05, 0x08
EMAIL_HEADER, REPLY_ADDRESS, SINGLE_SHIFT, LOCKING_SHIFT = 0x20, 0x22, 0x24, 0x25
VIDEO = 0x07  # "other", and an extension that says what

Elements = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Concat:
    """One part of several."""

    reference: int
    sequence: int
    total: int
    bits: int  # width of the reference


@dataclass(frozen=True, slots=True)
class UserData:
    """`octets` of gsm7 are its septets, one in an octet; of the others those behind the header. `text` is None for
    8-bit and compressed data. `cut`: fewer octets than the length says; `damaged`: the header's lengths do not fit."""

    coding: str
    text: str | None = None
    octets: bytes = b""
    header: bytes | None = None
    elements: Elements = ()
    cut: bool = False
    damaged: bool = False


NOTHING = UserData("gsm7", "", cut=True)


def user_data(reader: Reader, coding: Coding, has_header: bool) -> UserData:
    """TP-UDL and TP-UD. Strict, a text that is cut off or a header that is damaged is a PduError; else what is there
    is shown: a header whose elements run over its end is left out, one that runs over the end of all is read as text.

    A length of 160 where octets are counted is no count, because no user data has more than 140 octets: a sender that
    writes the limit of the default alphabet there always (seen in the field) means all there is. It is read in strict
    mode too, and told to be cut where it is.
    """
    if not reader.strict and not reader.rest:
        return NOTHING
    length = reader.octet()
    name = coding.alphabet
    in_septets = name == "gsm7" and not coding.compressed
    need = (length * 7 + 7) // 8 if in_septets else length
    rest = reader.rest
    if coding.reserved and len(rest) == length != need:
        name, need, in_septets = _other_coding(rest), length, False  # the count fits octets, not septets
    limit = length == MOST_SEPTETS and not in_septets
    if reader.strict and not limit:
        if length > (MOST_SEPTETS if in_septets else MOST_OCTETS):
            raise PduError("no text is that long")
        if len(rest) < need:
            raise PduError("its text is cut off")
    data = rest[:need]
    reader.at += len(data)
    cut = len(data) < need
    if not has_header or not data:  # senders that announce a header always, on an empty text too, are seen
        return _text(name, coding.compressed, data, length, cut)
    header, elements, damaged = _header(data)
    behind = len(header) if header is not None else 0
    damaged |= in_septets and alphabet.septets_of_header(behind) > length
    if damaged and reader.strict:
        raise PduError("its header is damaged")
    return _text(name, coding.compressed, data, length, cut, header, elements, damaged)


def _other_coding(data: bytes) -> str:
    return "ucs2" if len(data) % 2 == 0 and data[:1] in (b"\0", b"\4") else "8bit"


def _text(
    name: str,
    compressed: bool,
    data: bytes,
    length: int,
    cut: bool,
    header: bytes | None = None,
    elements: Elements = (),
    damaged: bool = False,
) -> UserData:
    behind = len(header) if header is not None else 0
    if compressed:
        return UserData("8bit", None, data[behind:], header, elements, cut, damaged)
    if name == "gsm7":
        fill = alphabet.septets_of_header(behind)
        septets = alphabet.unpack(data, length - fill, fill * 7)
        text = alphabet.gsm7(septets, *_languages(elements)) if elements else alphabet.gsm7(septets)
        return UserData(name, text, septets, header, elements, cut, damaged)
    rest = data[behind:]
    return UserData(name, alphabet.ucs2(rest) if name == "ucs2" else None, rest, header, elements, cut, damaged)


# ---- the header -----------------------------------------------------------------------------------------------------


def _header(data: bytes) -> tuple[bytes | None, Elements, bool]:
    """The header and its length octet, its elements in order, whether its lengths do not fit. `data` is not empty."""
    if data[0] + 1 > len(data):
        return None, (), True
    end = data[0] + 1
    elements: list[tuple[int, bytes]] = []
    at = 1
    while at < end:
        if at + 2 > end or at + 2 + data[at + 1] > end:
            return data[:end], (), True
        elements.append((data[at], data[at + 2 : at + 2 + data[at + 1]]))
        at += 2 + data[at + 1]
    return data[:end], tuple(elements), False


def _last(elements: Elements, name: int) -> bytes:
    """The value of an element; of several the last one counts (9.2.3.24)."""
    return next((value for found, value in reversed(elements) if found == name), b"")


def _languages(elements: Elements) -> tuple[int, int]:
    """Locking and single shift table."""
    locking, single = _last(elements, LOCKING_SHIFT), _last(elements, SINGLE_SHIFT)
    return (locking[0] if locking else alphabet.DEFAULT), (single[0] if single else alphabet.DEFAULT)


def concat(elements: Elements) -> Concat | None:
    """Which part it is, as the last element says that makes sense; None makes it a single message."""
    for name, value in reversed(elements):
        if name == CONCAT_8 and len(value) == 3:
            found = Concat(value[0], value[2], value[1], 8)
        elif name == CONCAT_16 and len(value) == 4:
            found = Concat(value[0] << 8 | value[1], value[3], value[2], 16)
        else:
            continue
        if 0 < found.sequence <= found.total:
            return found
    return None


def ports(elements: Elements) -> tuple[int, int, int] | None:
    """Destination and source port, and how many bits each has: the message is for a program, not for a person."""
    for name, value in reversed(elements):
        if name == PORTS_16 and len(value) == 4:
            return value[0] << 8 | value[1], value[2] << 8 | value[3], 16
        if name == PORTS_8 and len(value) == 2:
            return value[0], value[1], 8
    return None


def waiting(elements: Elements) -> Iterable[Waiting]:
    """What waits with the operator (9.2.3.24.2); a message may tell of several kinds, the last word on each counts."""
    found: dict[str, Waiting] = {}
    for name, value in elements:
        if name == INDICATION and len(value) == 2:
            kind = "video" if value[0] & 0x1F == VIDEO else WAITING[value[0] & 3]
            found[kind] = Waiting(kind, value[1])
    return found.values()


def more_of(elements: Elements) -> dict[str, object]:
    """What else the header tells a person: how many characters at the beginning are those of a mail, and where an
    answer goes. Pictures, sounds and the look of letters (EMS, 0A to 1F) are left out."""
    found: dict[str, object] = {}
    if length := _last(elements, EMAIL_HEADER):
        found["email_header"] = length[0]
    reply = _last(elements, REPLY_ADDRESS)
    if len(reply) > 2 and reply[0] <= 2 * len(reply[2:]):
        found["reply_to"] = address_from(reply[0], reply[1], reply[2 : 2 + (reply[0] + 1) // 2]).text
    return found
