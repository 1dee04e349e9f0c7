"""The settings of call handling: schemes, menus, mailboxes, and what lines, groups and people got with them."""

from appliance.settings.fields import (
    Choice,
    Email,
    Field,
    Integer,
    ListOf,
    Password,
    Phone,
    Rows,
    Switch,
    Text,
    TimeOfDay,
    Zone,
)

ID = r"[a-z0-9][a-z0-9-]{0,30}"
REF = r"[^\x00-\x1f]{0,40}"
STRATEGIES = {
    "all": "All at once", "order": "One after another", "round-robin": "In turn, again and again",
    "random": "At random", "longest-idle": "Who has been idle longest", "fewest-calls": "Who has taken fewest calls",
}  # fmt: skip
DESTINATIONS = {
    "person": "A colleague", "group": "A group", "outside": "A number outside",
    "responsible": "Who looks after the caller", "menu": "A menu", "mailbox": "A mailbox",
    "announcement": "An announcement",
}  # fmt: skip
MODES = {"receive": "Takes calls", "forward": "Sends every call to one number", "refuse": "Takes no calls"}
ENDINGS = {
    "ring": "Let it ring for 30 seconds", "busy": "Busy", "reject": "Refuse", "announce": "Play an announcement",
    "mailbox": "Take a message", "transfer": "Send it to a number",
}  # fmt: skip
REFUSALS = {name: label for name, label in ENDINGS.items() if name != "transfer"}
DAYS = {"normal": "On days that are not closed", "closed": "On closed days only", "any": "On both"}
NIGHTS = {"off": "By day", "on": "In night mode only", "any": "Both"}


def _ref(name: str, label: str, **more: object) -> Text:
    return Text(name=name, label=label, longest=40, pattern=REF, **more)  # type: ignore[arg-type]


def destination(prefix: str = "") -> tuple[Field, ...]:
    """The fields of one destination; with a prefix, of a single optional one."""
    options = DESTINATIONS if not prefix else {"": "Nothing", **DESTINATIONS}
    return (
        Choice(name=f"{prefix}to", label="Where to", options=options, default="" if prefix else "person"),
        _ref(f"{prefix}ref", "Which"),
        Text(name=f"{prefix}line", label="Over the line", longest=31),
    )


BRANCHES = Rows(name="branches", label="Branches", most=30, columns=(
    Text(name="name", label="Name", longest=60),
    Switch(name="always", label="All week", default=False),
    Rows(name="ranges", label="Hours", most=100, columns=(
        Integer(name="day", label="Day", least=0, most=6, required=True, kind="weekday"),
        TimeOfDay(name="start", label="From", required=True),
        TimeOfDay(name="end", label="To", required=True),
    )),
    Choice(name="days", label="Closed days", options=DAYS, default="normal"),
    Choice(name="night", label="Night mode", options=NIGHTS, default="off"),
    Rows(name="blocks", label="Blocks", most=20, columns=(
        Choice(name="strategy", label="How they ring", options=STRATEGIES, default="all"),
        Integer(name="seconds", label="Gives up after", unit="seconds", default=25, least=5, most=600),
        Integer(name="step", label="Each rings for", unit="seconds", default=20, least=5, most=120),
        Rows(name="destinations", label="Destinations", most=10, columns=(
            *destination(),
            Integer(name="delay", label="Begins after", unit="seconds", default=0, least=0, most=300),
            Switch(name="confirm", label="Must press 1", default=False),
        )),
    )),
))  # fmt: skip

SCHEME_FIELDS: tuple[Field, ...] = (
    Text(name="name", label="Name", required=True, longest=60),
    BRANCHES,
    *destination("backup_"),
)

MENU_FIELDS: tuple[Field, ...] = (
    Text(name="name", label="Name", required=True, longest=60),
    Text(name="prompt", label="What is said", longest=31, required=True, pattern=ID, pattern_fault="not-an-id"),
    Rows(name="keys", label="Keys", most=40, columns=(
        Text(name="digits", label="Key", required=True, longest=6, pattern=r"[0-9*#]{1,6}", pattern_fault="not-a-key"),
        *destination(),
    )),
    Integer(name="seconds", label="Waits for a key", unit="seconds", default=5, least=1, most=60),
    Integer(name="tries", label="Says it at most", unit="times", default=3, least=1, most=9),
    Switch(name="extensions", label="Extensions may be dialled", default=False),
    *destination("no_key_"),
    *destination("wrong_key_"),
)  # fmt: skip

MAILBOX_FIELDS: tuple[Field, ...] = (
    Text(name="name", label="Name", required=True, longest=60),
    Text(name="owner", label="Lights the lamp of", longest=5, help="An extension. Empty: a mailbox of the office."),
    Text(name="greeting", label="Greeting", longest=31, default="mailbox", pattern=ID, pattern_fault="not-an-id"),
    Integer(name="seconds", label="Longest message", unit="seconds", default=180, least=5, most=600),
    Integer(name="silence", label="Ends after silence of", unit="seconds", default=8, least=2, most=60, seldom=True),
    Password(name="pin", label="PIN for listening by phone", longest=8),
    ListOf(name="mail_to", label="Messages are mailed to", item=Email(name="address", label="Address"), most=20),
    Phone(name="sms_to", label="And told by SMS to"),
)

LINE_FIELDS: tuple[Field, ...] = (
    Choice(name="mode", label="Incoming calls", options=MODES, default="receive"),
    Phone(name="forward_to", label="Send every call to"),
    Text(name="forward_over", label="Over the line", longest=31, seldom=True),
    Text(name="scheme", label="Scheme", longest=31, help="Empty: the group above, within the hours."),
    _ref("no_answer_to", "When nobody answers: which"),
    _ref("closed_to", "Outside hours: which"),
    Choice(name="offline", label="When nobody is there", options={"": "As when nobody answers", **ENDINGS}),
    _ref("offline_to", "When nobody is there: which"),
    Choice(name="refuse", label="When it takes no calls", options=REFUSALS, default="reject"),
    _ref("refuse_to", "When it takes no calls: which"),
    Text(name="welcome", label="Welcome before the phones ring", longest=31),
    Text(name="first_greeting", label="Greeting for who calls for the first time", longest=31),
    Switch(name="first_withheld", label="Callers without a number hear it too", default=False, seldom=True),
    Text(name="whisper", label="Said to who answers", longest=200,
         help="Only the colleague hears it. {line}, {scheme}, {name}, {number} and {wait} are filled in."),
    Text(name="whisper_prompt", label="Or this announcement", longest=31, seldom=True),
    Switch(name="record", label="Record calls", default=False),
    Switch(name="record_notice", label="Tell both that the call is recorded", default=False),
    Text(name="music", label="Music on hold", longest=31, default="hold", seldom=True),
    Switch(name="everybody", label="Everybody may use it", default=True),
    ListOf(name="users", label="Who may use it", most=200,
           item=Text(name="extension", label="Extension", pattern=r"[1-9][0-9]{1,4}",
                     pattern_fault="not-an-extension")),
    Switch(name="presents", label="Calls out show its own number", default=True, seldom=True),
    Zone(name="timezone", label="Time zone of its hours", help="Empty: as the office.", seldom=True),
)  # fmt: skip

GROUP_FIELDS: tuple[Field, ...] = (
    Choice(name="strategy", label="How they ring", options=STRATEGIES, default="all"),
    Integer(name="step", label="Each rings for", unit="seconds", default=20, least=5, most=120, seldom=True),
    Switch(name="queue", label="Callers wait with music until somebody is free", default=False),
    Text(name="music", label="Music", longest=31, default="hold", seldom=True),
    Switch(name="place", label="Say place and expected wait", default=True, seldom=True),
    Integer(name="repeat", label="Say it every", unit="seconds", default=60, least=0, most=600, seldom=True),
    Text(name="announcement", label="Announcement said with it", longest=31, seldom=True),
    Integer(name="longest", label="Longest wait", unit="seconds", default=600, least=10, most=7200, seldom=True),
    Integer(name="most", label="Callers that may wait", default=20, least=1, most=100, seldom=True),
    Integer(name="wrap_up", label="Pause after a call", unit="seconds", default=0, least=0, most=600, seldom=True),
    Switch(name="call_back", label="Callers may ask to be called back", default=False, seldom=True),
)

PERSON_FIELDS: tuple[Field, ...] = (
    Phone(name="mobile", label="Mobile"),
    Switch(name="call_waiting", label="A second call rings", default=False, seldom=True),
    _ref("forward_always", "Send calls always to", help="An extension, a number, or mailbox."),
    _ref("forward_busy", "Send calls when busy to"),
    _ref("forward_no_answer", "Send calls that are not answered to"),
    _ref("forward_offline", "Send calls when no phone is connected to"),
    Integer(name="forward_seconds", label="Not answered after", unit="seconds", default=20, least=5, most=120),
    Switch(name="record", label="Record calls", default=False, seldom=True),
)
