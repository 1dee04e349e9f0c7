"""SMS-DELIVER and SMS-STATUS-REPORT PDUs, as a network makes them (3GPP TS 23.040 9.2.2.1, 9.2.2.3): for what tries the
box without a network. Pure."""

from datetime import datetime

from appliance.errors import RecipientError
from appliance.protocols import alphabet
from appliance.protocols.pdu_encode import FLASH, UCS2, WITH_HEADER, address_of, is_number, user_data

NO_MORE_COME = 0x04
STATUS_REPORT = 0x02
MOST_LETTERS = 11  # of a name as a sender
NAME = 0xD0


def delivers(
    sender: str,
    text: str,
    sent_at: datetime,
    *,
    smsc: str = "",
    reference: int = 0,
    national: bool = False,
    sixteen_bit: bool = False,
    flash: bool = False,
    pid: int = 0,
) -> tuple[str, ...]:
    """The parts of a message that came, as hex with their SMSC field. `sender`: a number, a name of at most eleven
    letters of the default alphabet, or "" for a hidden one; `sent_at`: aware, its zone in quarters of an hour. Raises
    RecipientError, MessageTooLong."""
    head, tail = _sender(sender), stamp(sent_at)
    found = []
    for part in user_data(text, reference, national, sixteen_bit):
        scheme = (UCS2 if part.coding == "ucs2" else 0) | (FLASH if flash else 0)
        first = NO_MORE_COME | (WITH_HEADER if part.has_header else 0)
        tpdu = bytes([first]) + head + bytes([pid, scheme]) + tail + bytes([part.length]) + part.octets
        found.append((_centre(smsc) + tpdu).hex().upper())
    return tuple(found)


def status_report(
    recipient: str, reference: int, sent_at: datetime, done_at: datetime, status: int, *, smsc: str = ""
) -> str:
    """What became of a message, as hex. `reference`: that of its SUBMIT; `status` as in 9.2.3.15; times are aware.
    Raises RecipientError."""
    if not is_number(recipient):
        raise RecipientError
    tpdu = bytes([STATUS_REPORT | NO_MORE_COME, reference & 255]) + address_of(recipient)
    return (_centre(smsc) + tpdu + stamp(sent_at) + stamp(done_at) + bytes([status & 255])).hex().upper()


def stamp(at: datetime) -> bytes:
    """A time stamp of 7 octets (9.2.3.11)."""
    offset = at.utcoffset()
    quarters = round(offset.total_seconds() / 900) if offset else 0
    values = (at.year % 100, at.month, at.day, at.hour, at.minute, at.second, abs(quarters))
    octets = [value % 10 << 4 | value // 10 for value in values]
    octets[6] |= 8 if quarters < 0 else 0
    return bytes(octets)


def _sender(sender: str) -> bytes:
    if not sender:
        return bytes([0, 0x80])
    if is_number(sender):
        return address_of(sender)
    table = alphabet.codes()
    septets = b"".join(table.get(char, b"") for char in sender)
    if any(char not in table for char in sender) or len(septets) > MOST_LETTERS:
        raise RecipientError
    return bytes([(len(septets) * 7 + 3) // 4, NAME]) + alphabet.pack(septets)


def _centre(smsc: str) -> bytes:
    if not smsc:
        return b"\0"
    if not is_number(smsc):
        raise RecipientError
    field = address_of(smsc)
    return bytes([len(field) - 1]) + field[1:]
