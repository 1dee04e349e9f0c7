"""What the exchange shall do: imperatives, frozen. Core returns them in lists; the exchange carries them out in order.

Commands with a `leg` go to the line that owns the leg; Join, Part, Play and StopPlay go to the audio bridge; the rest
to the exchange itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.core.causes import Cause
from appliance.core.forwarding import Diverted
from appliance.core.model import CallId, Direction, LegId, LineId, Number, TraceStep
from appliance.core.sms_rules import Rule


@dataclass(frozen=True, slots=True)
class Dial:
    """Make a new leg: ring `number` on `line`. `caller` and `name` are what the far end is shown."""

    leg: LegId
    line: LineId
    number: Number
    caller: Number
    name: str = ""
    withhold: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """Tell the caller that it rings (180); nothing to do on a SIM."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Progress:
    """Open early media towards the caller (183), to play something before the answer."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer an offered leg; Answered comes back when its audio is up."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the leg, refusing it where it was not answered yet; Ended comes back."""

    leg: LegId
    cause: Cause


@dataclass(frozen=True, slots=True)
class Join:
    """Let two answered legs hear each other."""

    a: LegId
    b: LegId


@dataclass(frozen=True, slots=True)
class Part:
    """Undo a Join."""

    a: LegId
    b: LegId


@dataclass(frozen=True, slots=True)
class Play:
    """Play a prompt to a leg; PromptEnded comes back unless it loops."""

    leg: LegId
    prompt: str  # prompt id, resolved to a file by the exchange with the language
    language: str
    loop: bool = False


@dataclass(frozen=True, slots=True)
class StopPlay:
    """Stop what is played to a leg; no PromptEnded comes."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Send DTMF digits on a leg."""

    leg: LegId
    digits: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """TimerFired(call, name) after `seconds`; a running one of that name starts anew."""

    call: CallId
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Stop it; no harm if it does not run."""

    call: CallId
    name: str


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One row of the journal. Times: ISO 8601 UTC of the plan's clock; durations in milliseconds, monotonic."""

    id: CallId
    direction: Direction
    line: str
    caller: Number
    called: Number
    caller_name: str
    started_at: str
    ended_at: str
    ring_ms: int
    talk_ms: int
    answered_by: str  # extension, line or "" ; "announcement" when only a prompt was heard
    cause: Cause
    detail: str
    legs: tuple[Mapping[str, str], ...]  # [{"leg","line","number","cause"}]
    trace: tuple[TraceStep, ...]


@dataclass(frozen=True, slots=True)
class StoreCall:
    """Write the row of an ended call."""

    record: CallRecord


@dataclass(frozen=True, slots=True)
class StoreSms:
    """Store the received part; SmsStored or SmsStoreFailed comes back."""

    line: LineId
    memory: str
    slot: int | None
    part: object  # events.SmsPart
    recipients: tuple[str, ...] = ()
    mail: bool = True  # false: sender blocked from mailing, stored all the same
    rules: tuple[Rule, ...] = ()  # those that hold for this line, sender and hour
    never: bool = False  # the line never passes this sender on


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """Delete the slot if it still holds this PDU; a message that was delivered without a slot is acknowledged."""

    line: LineId
    memory: str
    slot: int | None
    pdu: str


@dataclass(frozen=True, slots=True)
class SendSmsPart:
    """Send a part of a message of ours; SmsPartSent, SmsPartFailed or SmsPartUncertain comes back. `more` parts of the
    message follow at once."""

    line: LineId
    out: int
    sequence: int
    pdu: str
    length: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class SetOverride:
    """Set or clear ("") an override such as `night`; stored before it is confirmed."""

    name: str
    value: str
    by: str


@dataclass(frozen=True, slots=True)
class CountHit:
    """Add one to the hit counter of a block entry."""

    block: int


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell people: an event for the page, perhaps a mail; `message` is an id of `words.NOTICES`."""

    message: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lamp:
    """Show a pattern on a lamp: "off", "steady", "slow", "fast", "double", "code-3"."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Log:
    """A line for the log, so that tests of core can see it."""

    level: str
    text: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendUssd:
    """Send a code to the network; UssdAnswered or UssdFailed comes back. `request` and `coding`: what this modem did
    before; `once`: it spends something and is not sent twice. The code is a secret: it may be a voucher."""

    line: LineId
    code: str = field(repr=False)
    request: str = ""
    coding: str = ""
    once: bool = False


@dataclass(frozen=True, slots=True)
class AnswerUssd:
    """Answer the network's menu; UssdAnswered or UssdFailed comes back."""

    line: LineId
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CancelUssd:
    """Leave the dialogue; UssdFailed comes back when one was open."""

    line: LineId


@dataclass(frozen=True, slots=True)
class Forward:
    """Change the network's forwarding and read all of it; ForwardingRead comes back. No changes: only read."""

    line: LineId
    changes: tuple[Diverted, ...] = ()


@dataclass(frozen=True, slots=True)
class AllowCaller:
    """Put a caller on the allow list for good: he pressed the key that strangers are asked for."""

    caller: Number


Command = (
    Dial | Ring | Progress | Answer | HangUp | Join | Part | Play | StopPlay | SendDigits | StartTimer | StopTimer
    | StoreCall | StoreSms | FreeSlot | SendSmsPart | SetOverride | CountHit | Notify | Lamp | Log | SendUssd
    | AnswerUssd | CancelUssd | Forward | AllowCaller
)  # fmt: skip
