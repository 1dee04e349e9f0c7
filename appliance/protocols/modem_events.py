"""What a modem reports to its line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance.protocols.modem_text import Caller


@dataclass(frozen=True, slots=True)
class StateChanged:
    """An id of words.LINE_STATES."""

    state: str


@dataclass(frozen=True, slots=True)
class PortDead:
    """It does not even answer AT: open the port anew."""


@dataclass(frozen=True, slots=True)
class Sick:
    """It answers, but does not do its work: "stalls" (answers are lost again and again), "init" (it does not get
    ready), "network" (it finds none for long)."""

    why: str


@dataclass(frozen=True, slots=True)
class Identified:
    """Which modem it is (IMEI), and once its SIM is open, which SIM (ICCID, IMSI). "" is unknown."""

    imei: str
    iccid: str = ""
    imsi: str = ""


@dataclass(frozen=True, slots=True)
class NetworkTime:
    """The time the network tells, UTC."""

    utc: datetime


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
class SecondCall:
    """Somebody called while a call was there, and was refused as busy."""

    caller: Caller


@dataclass(frozen=True, slots=True)
class SpeechRefused:
    """The modem does not open its speech channel: nobody hears anything (voice locked, or a firmware without it)."""


@dataclass(frozen=True, slots=True)
class NoVoice:
    """The network ended our call at once and without a cause: it carries no voice for this modem."""


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
    """A PDU lies in a slot, or was delivered directly (slot None). `raw`: it is no PDU, but the hex of what came."""

    memory: str
    slot: int | None
    pdu: str
    raw: bool = False


@dataclass(frozen=True, slots=True)
class SlotFreed:
    """It was deleted, or held another message already."""

    memory: str
    slot: int


@dataclass(frozen=True, slots=True)
class SlotStuck:
    """It cannot be deleted, and is left alone from now on."""

    memory: str
    slot: int


@dataclass(frozen=True, slots=True)
class Mended:
    """Something that had gone wrong by itself was put right: "announcements", "pdu-mode"."""

    what: str


@dataclass(frozen=True, slots=True)
class PartSent:
    """The network took a part of ours; `reference` (TP-MR) is what a delivery report names."""

    out: int
    sequence: int
    reference: int


@dataclass(frozen=True, slots=True)
class PartFailed:
    """It did not leave the modem. `code` of +CMS ERROR, -1 for an error without one, 0 when no prompt came; `detail` is
    the modem's own word."""

    out: int
    sequence: int
    code: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PartUncertain:
    """It was handed to the modem and no result came: it may have left."""

    out: int
    sequence: int


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
    StateChanged | PortDead | Sick | Identified | NetworkTime | CallOffered | CallerKnown | CallAlerting | CallAnswered
    | CallEnded | SecondCall | NoVoice | DigitHeard | SpeechFlow | SpeechRefused | MessageRead | SlotFreed
    | SlotStuck | Mended
    | PartSent | PartFailed | PartUncertain | UssdSaid | UssdFailed | ForwardingSaid
)  # fmt: skip
