"""What the exchange shall do: imperatives, frozen. Core returns them in lists; the exchange carries them out in order.

Commands with a `leg` go to the line that owns the leg; Join, Part, Play and StopPlay go to the audio bridge; the rest
to the exchange itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.core.causes import Cause
from appliance.core.forwarding import Diverted
from appliance.core.model import CallId, Direction, Kind, LegId, LineId, Number, TraceStep
from appliance.core.sms_rules import Rule

NOBODY = Number("", Kind.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Dial:
    """Make a new leg: ring `number` on `line`. `caller` and `name` are what the far end is shown."""

    leg: LegId
    line: LineId
    number: Number
    caller: Number
    name: str = ""
    withhold: bool = False
    when_free: bool = False  # a phone that is in a call is not rung: Ended(busy) comes back


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
class Say:
    """Play pieces one after another; PromptEnded comes back. A piece is a prompt id, "n:23" a number, "t:text" a text
    that was spoken before (left out where it was not)."""

    leg: LegId
    pieces: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record into the file `id`: what `leg` says alone (a message), or with `other` what both say: caller left,
    colleague right. `silence`: seconds of silence after which RecordingEnded comes by itself, 0 for never."""

    id: str
    leg: LegId
    other: LegId | None = None
    longest: float = 4 * 3600.0
    silence: float = 0.0
    call: CallId | None = None
    mailbox: str = ""  # a message for it, else the record of a call
    caller: Number = NOBODY
    line: str = ""


@dataclass(frozen=True, slots=True)
class PauseRecord:
    """Leave out what is said (card numbers), or go on."""

    id: str
    on: bool


@dataclass(frozen=True, slots=True)
class StopRecord:
    """End it; RecordingEnded comes back once the file is whole on disk."""

    id: str


@dataclass(frozen=True, slots=True)
class MarkMessage:
    """Somebody did this with a message of a mailbox by telephone: "heard", "saved" or "deleted"."""

    id: str
    what: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask who looks after this number; LookedUp comes back, empty after `seconds`."""

    call: CallId
    number: Number
    seconds: float = 1.5


@dataclass(frozen=True, slots=True)
class Serve:
    """Do what a feature code says that is no matter of a call: block a number... `by`: the extension that dialled."""

    call: CallId
    service: str
    args: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True)
class Park:
    """Put the call on a free slot; `Call.parked` is told which. `by`: the extension that parks it."""

    call: CallId
    by: str


@dataclass(frozen=True, slots=True)
class TakeCall:
    """The caller leg of this call takes another one: "pickup" with the extension that rings, "" for one of its groups;
    "slot" with a parking slot. The answer is `Call.taken_by` there, or `Call.refused` here."""

    call: CallId
    what: str
    which: str
    by: str


@dataclass(frozen=True, slots=True)
class EnterRoom:
    """The leg talks in a conference room, and leaves it by ending."""

    leg: LegId
    room: str


@dataclass(frozen=True, slots=True)
class CallBack:
    """The caller wants to be called back when it is his turn."""

    call: CallId
    group: str
    caller: Number
    line: str


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask the router where this call goes on: `dialled` by `by` (a key in a menu, a transfer); the answer is
    `Call.go_on`."""

    call: CallId
    destination: object  # scheme.Destination, or a Number that `by` dialled
    by: str = ""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """The call waits for a colleague of the group; AgentsChosen comes back when it is its turn."""

    call: CallId
    group: str
    caller: Number


@dataclass(frozen=True, slots=True)
class Dequeue:
    """The call waits no more."""

    call: CallId


@dataclass(frozen=True, slots=True)
class MovePlace:
    """The next round of `hunt` begins one place further; kept over a restart."""

    hunt: str


@dataclass(frozen=True, slots=True)
class Remember:
    """This caller has heard the first greeting of this line."""

    line: LineId
    caller: Number


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
    """Set or clear ("") an override such as `night`; stored before it is confirmed. `until`: when the night switch
    goes back by itself (ISO 8601, UTC), "" for never."""

    name: str
    value: str
    by: str
    until: str = ""


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
    Dial | Ring | Progress | Answer | HangUp | Join | Part | Play | StopPlay | Say | Record | PauseRecord | StopRecord
    | LookUp | Serve | Park | TakeCall | EnterRoom | CallBack | Decide | Enqueue | Dequeue | MovePlace
    | Remember | SendDigits | StartTimer | StopTimer | StoreCall | StoreSms | FreeSlot | SendSmsPart | SetOverride
    | CountHit | Notify | Lamp | Log | SendUssd | AnswerUssd | CancelUssd | Forward | AllowCaller
    | MarkMessage
)  # fmt: skip
