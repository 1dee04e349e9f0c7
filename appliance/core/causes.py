"""Why a leg ended, and what each wire calls it.

One table: our cause, the SIP code we send (RFC 3261 21), the Q.850 cause that goes with it. A journal row stores the
value of the enum; pages show the words of `words.CAUSES`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a leg or a call ended."""

    NORMAL = "normal"
    CANCELLED = "cancelled"  # the caller gave up before an answer
    ELSEWHERE = "elsewhere"  # another phone of the group took it
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTED = "rejected"
    UNKNOWN_NUMBER = "unknown-number"
    NOT_REGISTERED = "not-registered"  # the extension exists, no phone of it is connected
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"
    NOT_ALLOWED = "not-allowed"
    BLOCKED = "blocked"  # refused by the block list
    CLOSED = "closed"  # refused or announced outside hours
    LINE_LOST = "line-lost"  # the modem was unplugged, the network went
    MEDIA = "media"  # no common codec, or no audio arrived
    TIMEOUT = "timeout"
    FAULT = "fault"
    BY_HAND = "by-hand"  # ended from the page before anybody talked
    FREED = "freed"  # ended because an emergency call needed its line


@dataclass(frozen=True, slots=True)
class OnTheWire:
    """SIP status for a leg not yet answered, and the Q.850 cause of the Reason header (ITU-T Q.850)."""

    sip: int
    q850: int


WIRE: dict[Cause, OnTheWire] = {
    Cause.NORMAL: OnTheWire(487, 16),
    Cause.CANCELLED: OnTheWire(487, 16),
    Cause.ELSEWHERE: OnTheWire(487, 26),
    Cause.BUSY: OnTheWire(486, 17),
    Cause.NO_ANSWER: OnTheWire(480, 19),
    Cause.REJECTED: OnTheWire(603, 21),
    Cause.UNKNOWN_NUMBER: OnTheWire(404, 1),
    Cause.NOT_REGISTERED: OnTheWire(480, 20),
    Cause.UNREACHABLE: OnTheWire(480, 20),
    Cause.CONGESTION: OnTheWire(503, 34),
    Cause.NOT_ALLOWED: OnTheWire(403, 21),
    Cause.BLOCKED: OnTheWire(603, 21),
    Cause.CLOSED: OnTheWire(480, 21),
    Cause.LINE_LOST: OnTheWire(503, 41),
    Cause.MEDIA: OnTheWire(488, 65),
    Cause.TIMEOUT: OnTheWire(504, 102),
    Cause.FAULT: OnTheWire(500, 41),
    Cause.BY_HAND: OnTheWire(603, 21),
    Cause.FREED: OnTheWire(503, 34),
}
