"""What a line, a timer or a person reported: past participles, frozen, safe to hand from any thread to the loop."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.core.causes import Cause
from appliance.core.forwarding import Diverted
from appliance.core.model import LegId, LineId, Number, Offer


@dataclass(frozen=True, slots=True)
class Offered:
    """A call arrived on a leg that the line made."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class NumberKnown:
    """The caller's number came after the offer (late +CLIP)."""

    leg: LegId
    caller: Number
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Ringing:
    """The far end rings (180; CLCC alerting)."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Progressed:
    """Early media is there (183 with SDP)."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Answered:
    """The far end answered, or our Answer took effect: audio can be joined."""

    leg: LegId
    by: str = ""  # contact or user agent that answered


@dataclass(frozen=True, slots=True)
class Digit:
    """One DTMF digit 0-9 * # A-D, once."""

    leg: LegId
    digit: str


@dataclass(frozen=True, slots=True)
class Held:
    """The far end put us on hold, or took us back."""

    leg: LegId
    held: bool


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """A REFER, a flash or a code asked to move the call."""

    leg: LegId
    target: str
    replaces: LegId | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The leg is gone, by whatever side; it is the last event of a leg."""

    leg: LegId
    cause: Cause
    detail: str = ""  # "486 Busy Here", "NO CARRIER"


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A StartTimer of the same call and name has run out."""

    call: str
    name: str


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """The prompt of this leg was played to its end (or could not be played: `ok` false)."""

    leg: LegId
    ok: bool = True


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    """The recording `id` of this leg is whole on disk, `seconds` long; `why`: "stopped", "longest", "silence" or
    "failed"."""

    leg: LegId
    id: str
    seconds: float
    why: str = "stopped"


@dataclass(frozen=True, slots=True)
class AgentsChosen:
    """A waiting call's turn: ring these colleagues together for `seconds`."""

    call: str
    extensions: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class PlaceChanged:
    """A waiting call's place (from 1) and expected wait in seconds, -1 where it cannot be told."""

    call: str
    place: int
    wait: float


@dataclass(frozen=True, slots=True)
class SmsPart:
    """The PDU as it lies on the SIM, with what its header says. `text` is None where it could not be decoded;
    `octets` and `coding` let parts be joined (a surrogate pair may be cut between two parts)."""

    pdu: str  # hex, upper case, with SMSC field
    sender: Number
    text: str | None
    coding: str  # "gsm7" | "ucs2" | "8bit" | "raw"
    octets: bytes  # user data without header: UTF-16BE for ucs2
    sent_at: str | None  # ISO 8601 with offset, from the SCTS
    reference: int | None = None  # concatenation reference, None for a single message
    total: int = 1
    sequence: int = 1
    flags: tuple[str, ...] = ()  # "flash", "mms-waiting", "voicemail-waiting", "undecodable"...


@dataclass(frozen=True, slots=True)
class SmsReceived:
    """A message lies in a slot of a SIM, read whole; it is not ours until it is stored."""

    line: LineId
    memory: str  # "SM" | "ME"
    slot: int | None  # None: delivered directly (+CMT), nothing to free
    part: SmsPart


@dataclass(frozen=True, slots=True)
class SmsStored:
    """The part is on disk, fsynced; the slot may be freed."""

    line: LineId
    memory: str
    slot: int | None
    pdu: str


@dataclass(frozen=True, slots=True)
class SmsStoreFailed:
    """The part could not be stored (disk full): it stays on the SIM and is read again later."""

    line: LineId
    memory: str
    slot: int | None
    pdu: str
    reason: str


@dataclass(frozen=True, slots=True)
class SmsPartSent:
    """The network took a part of a message of ours; `reference` is -1 where the modem told none."""

    line: LineId
    out: int
    sequence: int
    reference: int


@dataclass(frozen=True, slots=True)
class SmsPartFailed:
    """A part did not leave: `code` of +CMS ERROR, -1 without one, 0 when the modem did not even take it."""

    line: LineId
    out: int
    sequence: int
    code: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SmsPartUncertain:
    """A part was handed over and no result came."""

    line: LineId
    out: int
    sequence: int


@dataclass(frozen=True, slots=True)
class SmsReported:
    """A delivery report arrived; `reference` is a TP-MR, `status` a TP-ST. Its slot is freed once it is stored."""

    line: LineId
    memory: str
    slot: int | None
    pdu: str
    reference: int
    recipient: str
    status: int


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """A button of the box: `press` is "short", "long" (3 s) or "very-long" (10 s)."""

    name: str
    press: str


@dataclass(frozen=True, slots=True)
class LineUp:
    """The line can carry calls."""

    line: LineId


@dataclass(frozen=True, slots=True)
class LineDown:
    """The line cannot carry calls; `reason` is an id of `words.LINE_STATES`."""

    line: LineId
    reason: str


@dataclass(frozen=True, slots=True)
class SecondCall:
    """Somebody called a line that was in a call, and was refused as busy. There is no leg of it."""

    line: LineId
    caller: Number
    name: str | None = None


@dataclass(frozen=True, slots=True)
class FactKnown:
    """Something about a line that is kept under `name` (table line_facts) instead of what was known; `value` can be
    JSON."""

    line: LineId
    name: str
    value: object


@dataclass(frozen=True, slots=True)
class LineSaid:
    """Something about a line that people should read; `message` is an id of `words.NOTICES`, to whose arguments the
    line's name is added as `line`. `severity`: "info", "warn", "bad"."""

    line: LineId
    message: str
    args: Mapping[str, str] = field(default_factory=dict)
    severity: str = "warn"


@dataclass(frozen=True, slots=True)
class BindingChanged:
    """A phone came, moved or went. `online` tells whether the extension has any live binding now."""

    extension: str
    online: bool


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """Settings were stored; the exchange swaps its plan."""

    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The answer of a look-up, or nothing in time."""

    call: str
    result: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UssdAnswered:
    """The network answered a code. `more`: it waits for an answer of ours; `coding` of its text and `request` of ours
    are what this modem does; `asked` is false for what the network said of its own accord."""

    line: LineId
    text: str
    more: bool
    coding: str = "text"
    request: str = "plain"
    asked: bool = True


@dataclass(frozen=True, slots=True)
class UssdFailed:
    """A code has no answer; `reason` is an id of `words.ERRORS`, `detail` the modem's word."""

    line: LineId
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ForwardingRead:
    """What the network holds of a line's forwarding; `refused` maps a reason that could not be set or asked to why."""

    line: LineId
    found: tuple[Diverted, ...]
    refused: Mapping[str, str] = field(default_factory=dict)


Event = (
    Offered | NumberKnown | Ringing | Progressed | Answered | Digit | Held | TransferAsked | Ended | TimerFired
    | PromptEnded | SmsReceived | SmsStored | SmsStoreFailed | SmsPartSent | SmsPartFailed | SmsPartUncertain
    | SmsReported | ButtonPressed | LineUp | LineDown | SecondCall | FactKnown | LineSaid | BindingChanged | PlanChanged
    | LookedUp | RecordingEnded | AgentsChosen | PlaceChanged | UssdAnswered | UssdFailed | ForwardingRead
)  # fmt: skip
