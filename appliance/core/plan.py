"""The plan: everything routing may know of the settings, frozen. `settings/planning.py` builds it, nothing changes it.

A new plan is a new object; calls in progress keep the plan they began with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance.core.blocklist import Block as Block
from appliance.core.blocklist import Blocklist
from appliance.core.model import LineId
from appliance.core.plan_calling import Calling, Cap, Rate
from appliance.core.plan_time import Hours
from appliance.core.repeats import Repeats
from appliance.core.scheme import Mailbox, Menu, Scheme, Strategy
from appliance.core.sms_rules import Rule


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an extension."""

    extension: str
    name: str
    language: str
    outgoing_line: LineId | None  # None: by the outgoing routes
    may_dial: frozenset[str] = frozenset({"internal", "local", "national", "mobile"})
    mobile: str = ""  # E.164
    call_waiting: bool = False  # a second call rings a phone that is in a call
    forward_always: str = ""  # an extension, "mailbox", or a number to dial
    forward_busy: str = ""
    forward_no_answer: str = ""
    forward_offline: str = ""
    forward_seconds: float = 20.0  # nobody answers after
    record: bool = False
    cap: Cap = field(default_factory=Cap)
    pin: str = ""  # lets a call out that is not allowed; "": nothing does
    all_lines: bool = True  # may use the lines that everybody may use


@dataclass(frozen=True, slots=True)
class Group:
    """People that ring for the same callers. A `queue` answers and holds callers with music until somebody is free."""

    id: str
    name: str
    members: tuple[str, ...]  # extensions, in order
    seconds: float = 25.0
    strategy: Strategy = Strategy.ALL
    step: float = 20.0  # each rings this long where they ring in turn
    queue: bool = False
    music: str = "hold"  # a prompt id
    place: bool = True  # place and expected wait are said
    repeat: float = 60.0  # seconds between announcements; 0: none
    announcement: str = ""  # a prompt id said with them
    longest: float = 600.0  # a caller waits no longer
    most: int = 20  # callers that may wait
    wrap_up: float = 0.0  # seconds a colleague is left alone after a call
    call_back: bool = False  # a caller may press 1 to be called back


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
    mode: str = "receive"  # receive | forward | refuse
    forward_to: str = ""  # mode forward: the number
    forward_over: LineId | None = None  # and the line; None: by the rules for calling out
    scheme: str = ""  # id of the scheme; "": the group above, within the hours
    no_answer_to: str = ""  # what the action needs: a prompt, mailbox or number
    closed_to: str = ""
    offline: str = (
        ""  # nobody is there: "" goes on as if they rang; ring | busy | reject | announce | mailbox | transfer
    )
    offline_to: str = ""
    refuse: str = "reject"  # mode refuse: ring | busy | reject | announce | mailbox
    refuse_to: str = ""
    welcome: str = ""  # a prompt before the phones ring
    first_greeting: str = ""  # a prompt for who calls this line for the first time
    first_withheld: bool = False  # callers without a number hear it too
    whisper: str = ""  # a text with {line} {scheme} {name} {number} {wait}, said to who answers
    whisper_prompt: str = ""  # a prompt instead
    record: bool = False
    record_notice: bool = False  # both hear that the call is recorded
    music: str = "hold"  # what who is on hold hears
    users: frozenset[str] | None = None  # extensions that may use the line; None: everybody
    presents: bool = True  # calls out show its own number
    sms_never: tuple[str, ...] = ()  # senders whose messages are kept only: patterns of sms_rules.fits
    sms: SmsRules = SmsRules()
    cap: Cap = field(default_factory=Cap)
    rates: tuple[Rate, ...] = ()
    dial_form: str = ""  # how its operator wants numbers: "" +48... | national | plain (no +) | 00
    dial_prefix: str = ""  # digits in front of them
    early: bool = False  # announcements that end a call are said without answering: the caller pays nothing
    strangers: str = "ring"  # callers nobody knows: ring | key (they press one to be put through)


@dataclass(frozen=True, slots=True)
class OutgoingRule:
    """Numbers that fit `pattern` go out over `lines`, tried in order. A pattern is E.164, short, a beginning with *, or
    a mask in which X is any digit. `people`: extensions it is for, None for everybody; `hours`: when, None for always.
    `cut` digits at the front of what was dialled go, `add` comes there instead."""

    pattern: str
    lines: tuple[LineId, ...]
    people: frozenset[str] | None = None
    hours: Hours | None = None
    cut: int = 0
    add: str = ""
    withhold: bool = False


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
    call_codes: Mapping[str, str] = field(default_factory=dict)  # typed while talking: "##" -> "transfer"
    park_code: str = "700"
    park_slots: tuple[str, ...] = ("701", "702", "703", "704", "705", "706", "707", "708", "709")
    rooms: Mapping[str, str] = field(default_factory=dict)  # number of a conference room -> its PIN, "" none
    extension_digits: tuple[int, ...] = (3,)
    last_caller: str = "block"  # what a long press of the status button does: block | let-next
    sms_rules: tuple[Rule, ...] = ()
    schemes: Mapping[str, Scheme] = field(default_factory=dict)
    menus: Mapping[str, Menu] = field(default_factory=dict)
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    calling: Calling = field(default_factory=Calling)
    repeats: Repeats | None = None  # who calls too often outside hours is blocked; None: never by itself
    known: frozenset[str] = frozenset()  # numbers that are never blocked by themselves nor asked for a key: our own
    blocklist: Blocklist = field(init=False, repr=False, compare=False)  # `blocks`, made ready for questions

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocklist", Blocklist.of(self.blocks))
