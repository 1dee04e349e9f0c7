"""The nouns of a call decision: numbers, offers, traces, routes.

All are frozen and carry no clock and no I/O. A leg is one party on one line, known by an id that is unique for the
life of the process; a line is something the office owns (`gsm0`) or the house itself (`phones`, all SIP phones).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:  # it stands on these nouns itself
    from appliance.core.blocklist import Block

from appliance.core.caps import Spent

LegId = NewType("LegId", str)  # "gsm0-17", "phones-3": the driver mints ids of legs that arrive, a Call those it dials
LineId = NewType("LineId", str)  # "gsm0"; PHONES for every SIP phone
CallId = NewType("CallId", str)  # sortable by time: "20261127T183000-0001"

PHONES = LineId("phones")


class Kind(StrEnum):
    """What sort of number it is."""

    E164 = "e164"  # "+48600100200"
    SHORT = "short"  # operator or emergency number as dialled, "112"
    ALPHANUMERIC = "alphanumeric"  # SMS sender "Bank"
    WITHHELD = "withheld"  # the caller hides it
    UNAVAILABLE = "unavailable"  # the network delivered none
    INTERNAL = "internal"  # extension "101" or feature code "*28"


@dataclass(frozen=True, slots=True)
class Number:
    """A number and its kind; `text` is empty for withheld and unavailable."""

    text: str
    kind: Kind

    def __str__(self) -> str:
        return self.text or f"({self.kind})"


class Direction(StrEnum):
    """Which way a call goes, as the journal tells it."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Offer:
    """A call that arrived: who, on which line, for whom. `called` is the line's own number for a SIM, the dialled text
    for a phone."""

    leg: LegId
    line: LineId
    caller: Number
    called: Number
    name: str | None = None  # display name as delivered


class Outcome(StrEnum):
    """What a rule did to the call."""

    PASSED = "passed"
    SKIPPED = "skipped"
    STOPPED = "stopped"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One line of the reason. `rule` is a message id of `words.TRACE`; `link` is the page where the rule is set."""

    rule: str
    outcome: Outcome
    args: Mapping[str, str] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be rung: an extension (line PHONES) or an outside number over a line. `delay`: seconds after
    the step began; `confirm`: who answers must press 1; `when_free`: not rung while it is in a call at that moment."""

    line: LineId
    number: Number
    label: str = ""
    delay: float = 0.0
    confirm: bool = False
    when_free: bool = False
    wire: str = ""  # how the line's operator wants the number; "": as it is
    withhold: bool = False  # our number is hidden


@dataclass(frozen=True, slots=True)
class Wave:
    """Targets that ring together for at most `seconds`; the next wave begins earlier when all of them are out."""

    targets: tuple[Target, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class RingStep:
    """Ring all targets together; give up after `seconds`. With `waves`, those ring one after another instead, again and
    again where `repeat`, until `seconds` have gone by."""

    targets: tuple[Target, ...]
    seconds: float
    name: str = ""  # the group's name, for the journal
    waves: tuple[Wave, ...] = ()
    repeat: bool = False
    whisper: str = ""  # a text with {wait} left open, said to who answers before the two are joined
    whisper_prompt: str = ""  # a prompt instead
    hunt: str = ""  # whose place moves on with this step: "group/sales", "scheme/main/0/1"
    detours: Mapping[str, tuple["Step", ...]] = field(default_factory=dict)  # busy | no-answer | offline: tried next


@dataclass(frozen=True, slots=True)
class DialStep:
    """An outside call: the targets are tried one after another on failure (hunt)."""

    targets: tuple[Target, ...]
    emergency: bool = False
    talk_seconds: float = 0.0  # the longest talk allowed; 0: the office's
    warning: str = "minute-left"  # a prompt that both hear a minute before; "" for none


@dataclass(frozen=True, slots=True)
class AnnounceStep:
    """Answer, play a prompt, hang up."""

    prompt: str  # a prompt id: "closed", "blocked", "nobody", or an uploaded one
    cause: str  # the Cause value stored with the call


@dataclass(frozen=True, slots=True)
class RefuseStep:
    """Never answer: end the leg. `cause` is stored with the call, `wire` (a Cause value too) is what the caller gets,
    where that differs: a blocked caller may be told "busy"."""

    cause: str
    wire: str = ""


@dataclass(frozen=True, slots=True)
class ToneStep:
    """Never answer: the caller hears it ring for `seconds`, no phone rings, and then the call ends."""

    cause: str
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class GreetStep:
    """Answer, play a prompt, go on; while phones ring afterwards the caller hears the ringing tone."""

    prompt: str
    first: bool = False  # the greeting of a first call: remembered once it was played


@dataclass(frozen=True, slots=True)
class QueueStep:
    """Answer, and hold the caller with music until somebody of the group is free."""

    group: str
    whisper: str = ""
    whisper_prompt: str = ""


@dataclass(frozen=True, slots=True)
class MenuStep:
    """Answer, play the menu, act on the key."""

    menu: str


@dataclass(frozen=True, slots=True)
class MailboxStep:
    """Answer, greet, take a message. It ends the hunt."""

    mailbox: str
    cause: str = "no-answer"


@dataclass(frozen=True, slots=True)
class ResponsibleStep:
    """Ask who looks after this caller (1.5 s at most) and ring all phones of that colleague."""

    seconds: float
    whisper: str = ""
    whisper_prompt: str = ""


@dataclass(frozen=True, slots=True)
class PinStep:
    """Answer, ask for the person's PIN, and go on with `steps` when it is right; three wrong ones end the call."""

    extension: str
    steps: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class ServiceStep:
    """A feature code, carried out by the exchange: `night.toggle`, `echo`..."""

    service: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScreenStep:
    """Answer, ask for a key, and go on to the next step only when `digit` is pressed within `seconds` after the
    prompt. `core.call_screen` runs it."""

    prompt: str  # "press-3": names the digit
    digit: str
    seconds: float = 8.0


Step = (
    RingStep | DialStep | AnnounceStep | RefuseStep | ToneStep | GreetStep | QueueStep | MenuStep | MailboxStep
    | ResponsibleStep | ServiceStep | PinStep | ScreenStep
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """The decision: steps in order, each tried when the one before it failed, and the reason in trace steps."""

    steps: tuple[Step, ...]
    trace: tuple[TraceStep, ...]
    direction: Direction = Direction.IN
    emergency: bool = False
    block: int | None = None  # the entry that stopped or let through, for its hit counter
    language: str = "en"  # of what the caller hears
    record: bool = False
    record_notice: bool = False
    music: str = "hold"
    early: bool = False  # the last announcement is said without answering
    adds: "Block | None" = None  # an entry that this decision makes: the caller is blocked by himself


@dataclass(frozen=True, slots=True)
class Presence:
    """What route() may know of the moment besides the clock: who is reachable and which overrides hold."""

    registered: frozenset[str] = frozenset()  # extensions with a live binding
    busy: frozenset[str] = frozenset()  # extensions in a call
    lines_up: frozenset[LineId] = frozenset()  # lines that can carry a call now
    lines_free: frozenset[LineId] = frozenset()  # of those, the ones not in a call
    lines_emergency: frozenset[LineId] = frozenset()  # lines that can make an emergency call, with a SIM or without
    overrides: Mapping[str, str] = field(default_factory=dict)  # "night" -> "on" | "off"; "dnd/101", "out/101" -> "on"
    resting: frozenset[str] = frozenset()  # extensions in their pause after a call
    places: Mapping[str, int] = field(default_factory=dict)  # RingStep.hunt -> where the next round begins
    answered: Mapping[str, str] = field(default_factory=dict)  # extension -> ISO 8601 UTC of its last answer
    taken: Mapping[str, int] = field(default_factory=dict)  # extension -> calls taken today
    first_call: bool | None = None  # the caller never called this line before; None: not known
    clock_sure: bool = True  # False: no block by time holds, and nobody is turned away by hours
    tries: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)  # see core.repeats
    last_caller: Number | None = None  # who called from outside last and showed a number
    digit: str = ""  # the key that a stranger is asked for in this moment; "" chooses the first of the list
    draw: int = 0  # a number drawn for this call, for random strategies
    spent: Mapping[str, Spent] = field(default_factory=dict)  # "line/gsm0", "person/101" -> what calls out have cost
    balances: Mapping[LineId, int | None] = field(default_factory=dict)  # of lines that are watched; None: unknown

    def present(self, extension: str) -> bool:
        """A phone is registered, and its owner is signed in and not on do-not-disturb (F70)."""
        away = self.overrides.get(f"dnd/{extension}") or self.overrides.get(f"out/{extension}")
        return extension in self.registered and not away

    def available(self, extension: str) -> bool:
        """Present, not in a call, not in the pause after one."""
        return self.present(extension) and extension not in self.busy and extension not in self.resting
