"""The plan: everything routing may know of the settings, frozen. `settings/planning.py` builds it, nothing changes it.

A new plan is a new object; calls in progress keep the plan they began with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from zoneinfo import ZoneInfo

from appliance.core.blocklist import Block as Block
from appliance.core.blocklist import Blocklist
from appliance.core.model import LineId
from appliance.core.repeats import Repeats
from appliance.core.sms_rules import Rule


@dataclass(frozen=True, slots=True)
class Range:
    """Open from `start` on `day` (0 Monday) to `end`; end <= start reaches into the next day; both 00:00 is the whole
    day. Start included, end excluded. Local wall time of the line's zone."""

    day: int
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Holiday:
    """A closed day; `yearly` repeats it each year."""

    day: date
    name: str
    yearly: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """The week of a line. No ranges and `always` false: always closed."""

    always: bool
    ranges: tuple[Range, ...]
    holidays: tuple[Holiday, ...]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an extension."""

    extension: str
    name: str
    language: str
    outgoing_line: LineId | None  # None: by the outgoing routes
    may_dial: frozenset[str] = frozenset({"internal", "local", "national", "mobile"})


@dataclass(frozen=True, slots=True)
class Group:
    """People that ring together."""

    id: str
    name: str
    members: tuple[str, ...]  # extensions, in order
    seconds: float = 25.0


@dataclass(frozen=True, slots=True)
class SmsRules:
    """What a line may send. `report`: ask for delivery reports; `national`: use the tables of languages (old phones
    cannot show them); `again`: send once more what had no result; `gap`: seconds between messages; caps count parts."""

    allowed: bool = True
    report: bool = True
    national: bool = False
    premium: bool = False
    again: bool = False
    gap: float = 4.0
    per_hour: int = 60
    per_day: int = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A line the office owns, as far as decisions go. Actions are "announce", "busy", "reject"."""

    id: LineId
    kind: str  # "gsm"
    label: str
    own_number: str  # E.164 or ""
    country: str  # ISO 3166 alpha-2
    language: str
    hours: Hours
    group: str  # id of the group that rings
    no_answer: str = "announce"  # announce | busy | reject | ring-out
    closed: str = "announce"
    closed_prompt: str = "closed"
    blocked: str = "reject"  # how a blocked caller is turned away: reject | busy | announce
    withheld: str = "ring"  # ring | block | block-after-hours | key
    unavailable: str = "ring"
    night: bool = True  # follows the night switch
    outgoing: bool = True  # may be used to dial out
    sms_never: tuple[str, ...] = ()  # senders whose messages are kept only: patterns of sms_rules.fits
    sms: SmsRules = SmsRules()
    strangers: str = "ring"  # callers nobody knows: ring | key (they press one to be put through)


@dataclass(frozen=True, slots=True)
class OutgoingRule:
    """Numbers that fit `pattern` (E.164 or short, * at the end) go out over `lines`, tried in order."""

    pattern: str
    lines: tuple[LineId, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it."""

    country: str
    language: str
    zone: ZoneInfo
    lines: Mapping[LineId, Line] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)  # by extension
    groups: Mapping[str, Group] = field(default_factory=dict)
    blocks: Iterable[Block] = ()
    outgoing: tuple[OutgoingRule, ...] = ()
    emergency: frozenset[str] = frozenset({"112"})
    help_numbers: frozenset[str] = frozenset()
    codes: Mapping[str, str] = field(default_factory=lambda: {"*28": "night.toggle"})
    extension_digits: tuple[int, ...] = (3,)
    last_caller: str = "block"  # what a long press of the status button does: block | let-next
    sms_rules: tuple[Rule, ...] = ()
    repeats: Repeats | None = None  # who calls too often outside hours is blocked; None: never by itself
    known: frozenset[str] = frozenset()  # numbers that are never blocked by themselves nor asked for a key: our own
    blocklist: Blocklist = field(init=False, repr=False, compare=False)  # `blocks`, made ready for questions

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocklist", Blocklist.of(self.blocks))
