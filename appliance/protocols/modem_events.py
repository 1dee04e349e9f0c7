"""What a modem reports to its line."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.protocols.modem_text import Caller


@dataclass(frozen=True, slots=True)
class StateChanged:
    """An id of words.LINE_STATES."""

    state: str


@dataclass(frozen=True, slots=True)
class PortDead:
    """It does not even answer AT: open the port anew."""


@dataclass(frozen=True, slots=True)
class CallOffered:
    """A call comes in; `caller` is None when the network has told none until the second ring."""

    caller: Caller | None


@dataclass(frozen=True, slots=True)
class CallerKnown:
    """The number of an offered call came late."""

    caller: Caller


@dataclass(frozen=True, slots=True)
class CallAlerting:
    """The far end of our call rings."""


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """It is up, either way; the modem's audio is switched on."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """`reason`: normal, cancelled, busy, no-answer, rejected, unreachable, congestion, lost, fault; `detail` is the
    modem's own word."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DigitHeard:
    """DTMF that the modem detected."""

    digit: str


@dataclass(frozen=True, slots=True)
class MessageRead:
    """A PDU lies in a slot, or was delivered directly (slot None)."""

    memory: str
    slot: int | None
    pdu: str


@dataclass(frozen=True, slots=True)
class SlotFreed:
    """It was deleted, or held another message already."""

    memory: str
    slot: int


@dataclass(frozen=True, slots=True)
class UssdSaid:
    """The network answered a code. `more`: it wants an answer; `form` of its text and `request` of ours are what this
    modem does (see ussd_text); `asked` is false for a message of the network's own accord."""

    text: str
    more: bool
    form: str
    request: str
    asked: bool = True


@dataclass(frozen=True, slots=True)
class UssdFailed:
    """A code has no answer: `reason` is an id of words.ERRORS, `detail` the modem's word."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Diverted:
    """Where calls go for a reason (all, busy, no-answer, unreachable) as the network says; `seconds` 0: not told."""

    reason: str
    active: bool
    number: str = ""
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class ForwardingSaid:
    """What the network holds; `refused` maps a reason that could not be set or asked to the modem's word."""

    found: tuple[Diverted, ...]
    refused: Mapping[str, str]


ModemEvent = (
    StateChanged | PortDead | CallOffered | CallerKnown | CallAlerting | CallAnswered | CallEnded | DigitHeard
    | MessageRead | SlotFreed | UssdSaid | UssdFailed | ForwardingSaid
)  # fmt: skip
