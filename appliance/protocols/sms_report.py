"""Delivery reports: what a STATUS-REPORT says of a message of ours (3GPP TS 23.040 9.2.2.3)."""

from dataclasses import dataclass

from appliance.errors import PduError
from appliance.protocols.pdu import decode


@dataclass(frozen=True, slots=True)
class Report:
    """`reference` (TP-MR) and `recipient` name the part; `status` is its TP-ST; `at` when the centre was done with it,
    ISO 8601 with offset, None where the digits make no date."""

    reference: int
    recipient: str
    status: int
    at: str | None = None


def report_of(pdu: str) -> Report | None:
    """The report behind hex digits, None for any other message. Never raises: one that cannot be read is no report (a
    ZTE writes a wrong length before its SMSC and a hex digit into the number; the end of the number still holds)."""
    try:
        found = decode(pdu, strict=False)
    except PduError:
        return None
    if found.kind != "STATUS-REPORT" or found.reference is None or found.status is None:
        return None
    return Report(found.reference, found.address, found.status, found.discharge)
