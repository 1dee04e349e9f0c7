"""What a modem reports to its line."""

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
class SpeechFlow:
    """The speech port takes what we say, or nothing for now."""

    go: bool


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


ModemEvent = (
    StateChanged | PortDead | CallOffered | CallerKnown | CallAlerting | CallAnswered | CallEnded | DigitHeard
    | SpeechFlow
    | MessageRead | SlotFreed
)  # fmt: skip
