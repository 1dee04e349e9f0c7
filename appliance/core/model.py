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
    """Something that can be rung: an extension (line PHONES) or an outside number over a line."""

    line: LineId
    number: Number
    label: str = ""


@dataclass(frozen=True, slots=True)
class RingStep:
    """Ring all targets together; give up after `seconds`."""

    targets: tuple[Target, ...]
    seconds: float
    name: str = ""  # the group's name, for the journal


@dataclass(frozen=True, slots=True)
class DialStep:
    """An outside call: the targets are tried one after another on failure (hunt)."""

    targets: tuple[Target, ...]
    emergency: bool = False


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
class ServiceStep:
    """A feature code, carried out by the exchange: `night.toggle`, `echo`..."""

    service: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScreenStep:
    """Answer, ask for a key, and go on to the next step only when `digit` is pressed within `seconds` after the
    prompt. `core.stages_screen` is its machine."""

    prompt: str  # "press-3": names the digit
    digit: str
    seconds: float = 8.0


Step = RingStep | DialStep | AnnounceStep | RefuseStep | ServiceStep | ScreenStep


@dataclass(frozen=True, slots=True)
class Route:
    """The decision: steps in order, each tried when the one before it failed, and the reason in trace steps."""

    steps: tuple[Step, ...]
    trace: tuple[TraceStep, ...]
    direction: Direction = Direction.IN
    emergency: bool = False
    block: int | None = None  # the entry that stopped or let through, for its hit counter
    language: str = "en"  # of what the caller hears
    adds: "Block | None" = None  # an entry that this decision makes: the caller is blocked by himself


@dataclass(frozen=True, slots=True)
class Presence:
    """What route() may know of the moment besides the clock: who is reachable and which overrides hold."""

    registered: frozenset[str] = frozenset()  # extensions with a live binding
    busy: frozenset[str] = frozenset()  # extensions in a call
    lines_up: frozenset[LineId] = frozenset()  # lines that can carry a call now
    lines_free: frozenset[LineId] = frozenset()  # of those, the ones not in a call
    lines_emergency: frozenset[LineId] = frozenset()  # lines that can make an emergency call, with a SIM or without
    overrides: Mapping[str, str] = field(default_factory=dict)  # "night" -> "on" | "off"
    clock_sure: bool = True  # False: no block by time holds (a box that lost its clock)
    tries: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)  # see core.repeats
    last_caller: Number | None = None  # who called from outside last and showed a number
    digit: str = ""  # the key that a stranger is asked for in this moment; "" chooses the first of the list
