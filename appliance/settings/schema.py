"""All settings there are: the sections, their fields, and the rules between sections.

A section is one document ("single": office, network...) or a list of records with a stable `id` ("list": lines,
people...). `check_all` gives every fault of a whole set of settings at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.settings import calling, recording
from appliance.settings.calls import (
    ENDINGS,
    GROUP_FIELDS,
    LINE_FIELDS,
    MAILBOX_FIELDS,
    MENU_FIELDS,
    PERSON_FIELDS,
    SCHEME_FIELDS,
)
from appliance.settings.calls_checks import call_faults
from appliance.settings.fields import (
    Address,
    Choice,
    Day,
    Email,
    Fault,
    Field,
    Host,
    Integer,
    ListOf,
    Money,
    Password,
    Pattern,
    Phone,
    Rows,
    Switch,
    Text,
    TimeOfDay,
    Value,
    Zone,
    check,
)
from appliance.settings.screening import FIELDS as SCREENING_FIELDS
from appliance.settings.screening import STRANGERS
from appliance.settings.sims import sim_faults
from appliance.settings.trunks import KINDS, trunk_faults
from appliance.settings.trunks import LINE_FIELDS as TRUNK_FIELDS
from appliance.words import PROMPTS

COUNTRIES = {
    "PL": "Poland", "UA": "Ukraine", "ES": "Spain", "RO": "Romania",
    "DE": "Germany", "FR": "France", "GB": "United Kingdom", "US": "United States",
}  # fmt: skip
LANGUAGES = {"en": "English", "pl": "Polish", "uk": "Ukrainian", "es": "Spanish", "ro": "Romanian"}
TURN_AWAY = {"announce": "Play an announcement", "busy": "Busy", "reject": "Refuse"}
UNKNOWN_CALLER = {
    "ring": "Let it ring", "block": "Refuse always", "block-after-hours": "Refuse outside hours",
    "key": "Ask for a key first",
}  # fmt: skip
DIAL_CLASSES = {
    "internal": "Inside", "local": "Local", "national": "Country-wide", "mobile": "Mobile",
    "abroad": "Abroad", "premium": "Premium",
}  # fmt: skip
TOPUPS = {
    "none": "Do nothing more", "ussd": "Send a code", "voucher": "Send the next voucher",
    "webhook": "Call a web address",
}  # fmt: skip
CODE = r"[*#0-9]{2,40}"
TOPUP_CODE = r"(?:[*#0-9]|\{voucher\}){2,60}"
ID = r"[a-z0-9][a-z0-9-]{0,30}"
URL = r"https?://[^\s/?#@]+(?:[/?][^\s]*)?"
HEARTBEATS = {"off": "Never", "daily": "Every day", "weekly": "Every Monday"}


@dataclass(frozen=True, slots=True)
class Section:
    """A named set of fields; `many` makes it a list of records; `also` gives faults between fields of one record."""

    name: str
    label: str
    fields: tuple[Field, ...]
    many: bool = False
    also: Callable[[Mapping[str, Value]], Mapping[str, Fault]] = lambda record: {}


def _id() -> Text:
    return Text(name="id", label="Id", required=True, longest=31, pattern=ID, pattern_fault="not-an-id", kind="hidden")


OFFICE = Section("office", "Office", (
    Text(name="name", label="Name of the office", default="Office", longest=60),
    Choice(name="country", label="Country", options=COUNTRIES, default="PL",
           help="Decides how numbers are read, the emergency numbers and the tones."),
    Choice(name="language", label="Language", options=LANGUAGES, default="en",
           help="What callers hear, where a line has no language of its own."),
    Zone(name="timezone", label="Time zone", default="Europe/Warsaw", help="Opening hours are read in this zone."),
    Choice(name="last_caller", label="Status button, held 3 to 10 seconds", default="block", seldom=True,
           options={"block": "Blocks the last caller", "let-next": "Lets the next caller through"}),
    Day(name="ends_2g", label="2G is switched off on", seldom=True,
        help="By your operator. Lines that are on 2G only warn you in time. Empty: not known."),
    Day(name="ends_3g", label="3G is switched off on", seldom=True),
))  # fmt: skip

NETWORK = Section("network", "Network", (
    Address(name="address", label="Address of the box", help="Leave it empty to let the box find it.", default=""),
    Integer(name="sip_port", label="Port for phones", default=5060, least=1024, most=65535, seldom=True),
    Integer(name="web_port", label="Port of the page on this machine", default=8080, least=1, most=65535, seldom=True),
    Integer(name="https_port", label="Port of the page in the network", default=8443, least=1, most=65535, seldom=True),
    Integer(name="rtp_from", label="First port for speech", default=20000, least=1024, most=65000, seldom=True),
    Integer(name="rtp_to", label="Last port for speech", default=23999, least=1025, most=65535, seldom=True),
    Integer(name="requests_per_source", label="Requests without a password, per address", unit="a second",
            default=20, least=1, most=10000, seldom=True),
    Integer(name="requests_in_all", label="Requests without a password, in all", unit="a second",
            default=100, least=1, most=100000, seldom=True),
    Integer(name="invites_per_phone", label="New calls of one phone", unit="a second",
            default=2, least=1, most=1000, seldom=True),
    Integer(name="calls_per_phone", label="Calls of one phone at once", default=4, least=1, most=1000, seldom=True),
    Integer(name="min_expiry", label="Shortest registration", unit="seconds", default=60, least=10, most=3600,
            seldom=True),
    Integer(name="max_expiry", label="Longest registration", unit="seconds", default=3600, least=60, most=7200,
            seldom=True),
    Integer(name="sip_tls_port", label="Port for phones that encrypt (TLS)", default=5061, least=0, most=65535,
            seldom=True, help="0: none. Phones must take the certificate of the box."),
    Switch(name="unsolicited_mwi", label="Light message lamps of phones that do not ask", default=False, seldom=True,
           help="For phones whose lamp stays dark although there are messages. Phones that ask are told anyway."),
))  # fmt: skip

MAIL = Section("mail", "Mail", (
    Switch(name="enabled", label="Send mail", default=False),
    Host(name="host", label="Mail server", help="The name your provider gives for outgoing mail (SMTP)."),
    Integer(name="port", label="Port", default=465, least=1, most=65535),
    Choice(name="security", label="Protection", default="tls",
           options={"tls": "TLS from the start (465)", "starttls": "STARTTLS (587)", "plain": "None"}),
    Switch(name="plain_allowed", label="I know that mail without TLS can be read on its way", default=False,
           seldom=True),
    Text(name="user", label="User", longest=200, help="Leave it empty where the server wants no sign-in."),
    Password(name="password", label="Password"),
    Email(name="sender", label="Sender address"),
    ListOf(name="to", label="Messages go to", item=Email(name="address", label="Address"), most=20,
           help="One address a line. A line can have its own."),
    Switch(name="code_in_subject", label="Show one-time codes in the subject", default=False, seldom=True),
    Text(name="alarm_url", label="Alarms also go to", longest=500, pattern=URL, pattern_fault="not-a-url", seldom=True,
         help="A web address that is called when a heartbeat is lost: mail may be what fails."),
    Password(name="alarm_secret", label="Secret for its signature", longest=100, seldom=True),
))  # fmt: skip

HOURS = Section("hours", "Hours", (
    Rows(name="holidays", label="Closed days", columns=(
        Day(name="day", label="Day", required=True),
        Text(name="name", label="Name", longest=60),
        Switch(name="yearly", label="Every year"),
    )),
))  # fmt: skip

SPEECH = {"automatic": "By itself", "serial": "The speech port", "alsa": "The sound card"}
LINES = Section("lines", "Lines", (
    _id(),
    Choice(name="kind", label="Kind", options=KINDS, default="gsm", kind="hidden"),
    Text(name="label", label="Name", required=True, longest=40, help="What colleagues and reports call it."),
    Phone(name="number", label="Its number"),
    Switch(name="enabled", label="In use", default=True),
    Text(name="device", label="Port of the modem", longest=200, pattern=r"/[^\0]*",
         pattern_fault="not-a-path", help="The command port, best by its lasting name under /dev/centralka."),
    Text(name="pcm_device", label="Speech port", longest=200, pattern=r"/[^\0]*", pattern_fault="not-a-path",
         help="Leave it empty for a new line: we take the one beside the command port, if there is one."),
    Password(name="pin", label="PIN of the SIM", longest=8,
             help="Tried once; a wrong PIN is never tried again by itself."),
    Choice(name="country", label="Country", options={"": "As the office", **COUNTRIES}, seldom=True),
    Choice(name="language", label="Language of its announcements", options={"": "As the office", **LANGUAGES}),
    Text(name="group", label="Who rings", longest=31, help="The group whose phones ring."),
    Choice(name="no_answer", label="When nobody answers", options=ENDINGS, default="announce"),
    Switch(name="always_open", label="Open around the clock", default=True),
    Rows(name="ranges", label="Open", most=100, columns=(
        Integer(name="day", label="Day", least=0, most=6, required=True, kind="weekday"),
        TimeOfDay(name="start", label="From", required=True),
        TimeOfDay(name="end", label="To", required=True,
                  help="Earlier than the start reaches into the next day; 00:00 to 00:00 is the whole day."),
    )),
    Choice(name="closed", label="Outside hours", options=ENDINGS, default="announce"),
    Text(name="closed_prompt", label="Announcement outside hours", default="closed", longest=31, pattern=ID,
         pattern_fault="not-an-id"),
    Choice(name="blocked", label="How a blocked caller is turned away", options=TURN_AWAY, default="reject"),
    Choice(name="withheld", label="Callers who hide their number", options=UNKNOWN_CALLER, default="ring"),
    Choice(name="unavailable", label="Callers whose number did not arrive", options=UNKNOWN_CALLER, default="ring"),
    Switch(name="night", label="Follows the night switch", default=True),
    Switch(name="outgoing", label="Colleagues may call out on it", default=True),
    ListOf(name="sms_to", label="Messages of this line go to", item=Email(name="address", label="Address"), most=20,
           help="Empty: to the addresses under Mail."),
    Switch(name="sms_mail", label="Mail its messages", default=True),
    Text(name="imei", label="Number of the modem (IMEI)", longest=17, pattern=r"[0-9]{14,17}",
         pattern_fault="not-an-imei",
         seldom=True, help="Empty: the modem it was last on, and any other when that one is nowhere."),
    Switch(name="call_waiting", label="Hear of a second call", default=False, seldom=True,
           help="A second caller hears busy either way; with this on he is also in the list of calls."),
    Choice(name="power", label="Power of the modem's USB socket", options={"none": "Cannot be switched",
           "uhubctl": "Switched by uhubctl"}, default="none", seldom=True,
           help="The last thing that helps a modem that hangs."),
    Text(name="power_port", label="Hub and socket", longest=40, pattern=r"[0-9]+(-[0-9]+(\.[0-9]+)*)?:[0-9]+",
         pattern_fault="not-a-socket", seldom=True, help="As uhubctl shows them, for example 1-1:2."),
    ListOf(name="sms_never", label="Senders that are never passed on", most=100, seldom=True,
           item=Text(name="sender", label="Sender", longest=30),
           help="One a line: a number, the beginning of one with *, or a name. Their messages are kept here only."),
    Integer(name="sms_keep_days", label="Messages are kept for", unit="days", default=730, least=0, most=3650,
            seldom=True, help="0 keeps them for ever."),
    Choice(name="heartbeat", label="Heartbeat", options=HEARTBEATS, default="off",
           help="The SIM texts itself to prove the whole way into the mailbox. Each costs one message."),
    TimeOfDay(name="heartbeat_at", label="Time of the heartbeat", default="07:30", seldom=True),
    Text(name="heartbeat_to", label="The heartbeat goes to", longest=31, seldom=True,
         help="Another line proves more than the line itself."),
    Switch(name="sms_out", label="Messages may be sent", default=True),
    Switch(name="sms_report", label="Ask whether messages have arrived", default=True, seldom=True),
    Switch(name="sms_national", label="Use the alphabets of languages", default=False, seldom=True,
           help="Shorter Polish or Spanish messages; old phones show other letters."),
    Switch(name="sms_premium", label="Messages to short and premium numbers", default=False, seldom=True),
    Switch(name="sms_again", label="Send again what had no result", default=False, seldom=True,
           help="Once, after five minutes; somebody may get it twice."),
    Integer(name="sms_gap", label="Time between messages", unit="seconds", default=4, least=0, most=600, seldom=True),
    Integer(name="sms_per_hour", label="Messages in an hour at most", default=60, least=1, most=1000, seldom=True,
            help="A long message counts once for each part, as your operator counts it."),
    Integer(name="sms_per_day", label="Messages in a day at most", default=200, least=1, most=10000, seldom=True),
    Text(name="balance_code", label="Code for the balance", longest=40, pattern=CODE, pattern_fault="not-a-code",
         help="Such as *100#. It is sent every night. Empty: the balance is not read."),
    Pattern(name="balance_pattern", label="Where the amount stands", seldom=True,
            help="A regular expression with the amount in brackets. Empty: the first amount with two decimals."),
    Integer(name="balance_days", label="It is asked every", unit="days", default=1, least=1, most=28, seldom=True,
            help="More than 1 where the operator takes money for the question."),
    Text(name="currency", label="Currency", longest=8, pattern=r"[^\W\d_]{0,8}", default="PLN"),
    Text(name="balance_sender", label="Sender of messages with the balance", longest=20, seldom=True,
         help="The name or number under which the operator texts it. Empty: no message is read for it."),
    Money(name="balance_low", label="Tell when it falls under", default="3.00",
          help="Once a fall: on the page, and by mail where mail is set up."),
    Money(name="renewal_cost", label="Cost of a package", default="0.00", seldom=True,
          help="It must be there three days before its day."),
    Integer(name="renewal_day", label="Day of the month it is renewed", default=0, least=0, most=31, seldom=True,
            help="0: no package."),
    Choice(name="topup", label="When it is low", options=TOPUPS, default="none"),
    Text(name="topup_code", label="Code that tops up", longest=60, pattern=TOPUP_CODE, pattern_fault="not-a-code",
         help="For a voucher, {voucher} stands for its digits: *123*{voucher}#."),
    Password(name="vouchers", label="Vouchers", longest=2000,
             help="Their digits, separated by spaces or commas. Each is used once. What is typed replaces the list."),
    Text(name="topup_url", label="Web address that tops up", longest=300, pattern=r"https?://[^\s]+",
         pattern_fault="not-a-web-address", seldom=True),
    Password(name="topup_secret", label="Secret of that address", longest=100, seldom=True),
    Integer(name="topup_daily", label="Top-ups a day at most", default=1, least=0, most=5,
            help="A hard limit, whether they worked or not."),
    Phone(name="backup_number", label="Backup number",
          help="The mobile network sends callers there when the box cannot. Each costs as a call of this line."),
    Switch(name="forward_unreachable", label="When the SIM cannot be reached (no power, no network)", default=True),
    Switch(name="forward_busy", label="When it is busy"),
    Switch(name="forward_no_answer", label="When nobody answers"),
    Choice(name="forward_seconds", label="Nobody answers after", default="20",
           options={str(n): f"{n} seconds" for n in range(5, 31, 5)}),
    Switch(name="forward_all", label="Always: no call reaches the box any more", seldom=True),
    Choice(name="audio", label="Speech goes over", options=SPEECH, default="automatic", seldom=True,
           help="By itself: the sound card where one is named, else the speech port."),
    Text(name="alsa_device", label="Sound card", longest=150,
         pattern=r"(plug)?hw:[A-Za-z0-9_=,-]+|/dev/snd/by-(path|id)/[A-Za-z0-9_:.+-]+",
         pattern_fault="not-a-sound-card", seldom=True,
         help="ALSA's name of it, best by the card's own, such as hw:CARD=Android."),
    *LINE_FIELDS,
    *calling.LINE_FIELDS,
    Choice(name="strangers", label="Callers nobody knows yet", options=STRANGERS, default="ring",
           help="With a key: a voice asks for a digit. Who presses it rings, and later on without being asked."),
    *TRUNK_FIELDS,
), many=True, also=trunk_faults)  # fmt: skip

PEOPLE = Section("people", "People and phones", (
    _id(),
    Text(name="extension", label="Extension", required=True, pattern=r"[1-9][0-9]{1,4}",
         pattern_fault="not-an-extension", help="2 to 5 digits. Colleagues dial it."),
    Text(name="name", label="Name", required=True, longest=60),
    Password(name="password", label="Password of the phone", longest=64),
    Choice(name="language", label="Language", options={"": "As the office", **LANGUAGES}),
    Email(name="email", label="Mail address"),
    Text(name="outgoing_line", label="Calls out on", longest=31, help="Empty: by the rules for calling out."),
    ListOf(name="may_dial", label="May call", item=Choice(name="class", label="Kind", options=DIAL_CLASSES),
           default=["internal", "local", "national", "mobile"], most=6),
    Switch(name="enabled", label="In use", default=True),
    *PERSON_FIELDS,
    *calling.PERSON_FIELDS,
), many=True)  # fmt: skip

GROUPS = Section("groups", "Groups", (
    _id(),
    Text(name="name", label="Name", required=True, longest=40),
    ListOf(name="members", label="Who rings", required=True, most=10,
           item=Text(name="extension", label="Extension", pattern=r"[1-9][0-9]{1,4}",
                     pattern_fault="not-an-extension")),
    Integer(name="seconds", label="Rings for", unit="seconds", default=25, least=5, most=600),
    *GROUP_FIELDS,
), many=True)  # fmt: skip

OUTGOING = Section("outgoing", "Calling out", (
    _id(),
    Text(name="pattern", label="Numbers", required=True, longest=20, pattern=r"\*|\+?[0-9]{1,15}\*?|\+?[0-9X]{2,15}",
         pattern_fault="not-a-pattern", help="A whole number, the beginning with * at the end, or * for all."),
    ListOf(name="lines", label="Lines, in order", required=True, most=20,
           item=Text(name="line", label="Line", longest=31)),
    *calling.RULE_FIELDS,
), many=True)  # fmt: skip

ANNOUNCEMENTS = Section("prompts", "Announcements", (
    _id(),
    Text(name="name", label="Name", longest=40),
    Text(name="text", label="Text", longest=1000),
    Choice(name="language", label="Language of the text", options={"": "As the office", **LANGUAGES}),
), many=True)  # fmt: skip

SMS_RULES = Section("sms_rules", "Rules for messages", (
    _id(),
    Text(name="name", label="Name", required=True, longest=60),
    Switch(name="enabled", label="In use", default=True),
    Text(name="line", label="Line", longest=31),
    Text(name="sender", label="From", longest=30,
         help="A number, the beginning of one with * at the end, or a name. Empty: anybody."),
    Text(name="word", label="With the words", longest=60, help="Capitals do not matter. Empty: any text."),
    Choice(name="when", label="When", default="always",
           options={"always": "At any time", "open": "In opening hours", "closed": "Outside hours"}),
    Choice(name="action", label="What happens", default="mail",
           options={"mail": "Mail it", "webhook": "Call a web address", "sms": "Send it on as SMS",
                    "keep": "Keep it here only"}),
    ListOf(name="to", label="To these addresses", item=Email(name="address", label="Address"), most=20,
           help="For mail: one address a line."),
    Text(name="url", label="Web address", longest=500, pattern=URL, pattern_fault="not-a-url",
         help="Gets each message as JSON (POST)."),
    Password(name="secret", label="Secret for the signature", longest=100,
             help="The receiver checks with it that a message comes from this box."),
    Phone(name="number", label="To this number", help="At most 20 messages an hour are sent on."),
    Switch(name="stop", label="No further rules, and not to the line's addresses", default=True),
), many=True)  # fmt: skip

MAILBOX = Section("mailbox", "Answers by mail", (
    Switch(name="enabled", label="Answers to a mail go out as SMS", default=False),
    Host(name="host", label="Mailbox server", help="The name your provider gives for incoming mail (IMAP)."),
    Integer(name="port", label="Port", default=993, least=1, most=65535),
    Choice(name="security", label="Protection", default="tls",
           options={"tls": "TLS from the start (993)", "starttls": "STARTTLS (143)"}),
    Text(name="user", label="User", longest=200),
    Password(name="password", label="Password"),
    Text(name="folder", label="Folder", default="INBOX", longest=100, seldom=True),
    Email(name="address", label="Address of the mailbox", help="Answers are sent to it."),
    Switch(name="plus", label="The provider delivers address+anything to this mailbox", default=True, seldom=True),
    ListOf(name="senders", label="Who may answer", item=Email(name="address", label="Address"), most=50,
           help="One address a line. Empty: everybody who got the mail."),
))  # fmt: skip

SCHEMES = Section("schemes", "Schemes", (_id(), *SCHEME_FIELDS), many=True)
MENUS = Section("menus", "Menus", (_id(), *MENU_FIELDS), many=True)
MAILBOXES = Section("mailboxes", "Mailboxes", (_id(), *MAILBOX_FIELDS), many=True)
CALLING = Section("calling", "Limits of calling out", calling.FIELDS)
SCREENING = Section("screening", "Blocking by itself", SCREENING_FIELDS)

RECORDING = Section("recording", "Recordings", recording.FIELDS)

# a new section stands last: the place of each is its number in the file
SECTIONS: dict[str, Section] = {
    s.name: s
    for s in (
        OFFICE,
        NETWORK,
        MAIL,
        HOURS,
        LINES,
        PEOPLE,
        GROUPS,
        OUTGOING,
        ANNOUNCEMENTS,
        SMS_RULES,
        MAILBOX,
        SCHEMES,
        MENUS,
        MAILBOXES,
        CALLING,
        SCREENING,
        RECORDING,
    )
}

NEEDED = {"mail": "to", "webhook": "url", "sms": "number"}  # what a rule's action cannot do without

Settings = Mapping[str, Mapping[str, Value]]


def check_section(section: Section, doc: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, Fault]]:
    """The clean document and its faults; a list section has the key `items`."""
    if not section.many:
        return check(section.fields, {k: v for k, v in doc.items() if k != "version"}, f"{section.name}.")
    items = doc.get("items", [])
    if not isinstance(items, list) or len(items) > 500:
        return {"items": []}, {f"{section.name}.items": Fault("not-a-list")}
    clean: list[Value] = []
    faults: dict[str, Fault] = {}
    seen: set[Value] = set()
    for index, item in enumerate(items):
        path = f"{section.name}.{index}."
        if not isinstance(item, Mapping):
            faults[path + "id"] = Fault("not-a-record")
            continue
        values, wrong = check(section.fields, item, path)
        more = section.also({**item, **values})
        faults.update({path + name: fault for name, fault in more.items()} | wrong)
        if isinstance(values.get("id"), str) and values["id"] in seen:
            faults[path + "id"] = Fault("taken")
        seen.add(str(values.get("id")))
        clean.append(values)
    return {"items": clean}, faults


def rows(settings: Settings, section: str) -> list[Mapping[str, Value]]:
    """The records of a list section."""
    items = settings.get(section, {}).get("items", [])
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def check_between(settings: Settings) -> dict[str, Fault]:
    """Faults that only show between sections or records: twice the same extension, a group that is not there..."""
    faults: dict[str, Fault] = {}
    people, groups, lines = rows(settings, "people"), rows(settings, "groups"), rows(settings, "lines")
    extensions = [p.get("extension") for p in people]
    _no_twins(faults, "people", "extension", extensions)
    _no_twins(faults, "lines", "device", [line.get("device") for line in lines])
    line_ids = {line.get("id") for line in lines}
    group_ids = {group.get("id") for group in groups}
    prompt_ids = {*PROMPTS, *(prompt.get("id") for prompt in rows(settings, "prompts"))}
    for i, group in enumerate(groups):
        for member in _texts(group.get("members")):
            if member not in extensions:
                faults[f"groups.{i}.members"] = Fault("unknown-extension", extension=member)
    for i, line in enumerate(lines):
        if line.get("group") and line.get("group") not in group_ids:
            faults[f"lines.{i}.group"] = Fault("unknown-group", group=str(line.get("group")))
        if line.get("closed_prompt") not in prompt_ids:
            faults[f"lines.{i}.closed_prompt"] = Fault("unknown-prompt", prompt=str(line.get("closed_prompt")))
        for name in sim_faults(line):
            faults[f"lines.{i}.{name}"] = Fault("required")
    for i, person in enumerate(people):
        if person.get("outgoing_line") and person.get("outgoing_line") not in line_ids:
            faults[f"people.{i}.outgoing_line"] = Fault("unknown-line", line=str(person.get("outgoing_line")))
    for i, rule in enumerate(rows(settings, "outgoing")):
        for name in _texts(rule.get("lines")):
            if name not in line_ids:
                faults[f"outgoing.{i}.lines"] = Fault("unknown-line", line=name)
    numbers = {line.get("id"): line.get("number") for line in lines}
    for i, line in enumerate(lines):
        if line.get("heartbeat", "off") != "off" and not numbers.get(line.get("heartbeat_to") or line.get("id")):
            faults[f"lines.{i}.number"] = Fault("required")
        if line.get("heartbeat_to") and line.get("heartbeat_to") not in line_ids:
            faults[f"lines.{i}.heartbeat_to"] = Fault("unknown-line", line=str(line.get("heartbeat_to")))
    for i, rule in enumerate(rows(settings, "sms_rules")):
        if rule.get("line") and rule.get("line") not in line_ids:
            faults[f"sms_rules.{i}.line"] = Fault("unknown-line", line=str(rule.get("line")))
        needed = NEEDED.get(str(rule.get("action")))
        if needed and not rule.get(needed):
            faults[f"sms_rules.{i}.{needed}"] = Fault("required")
    faults.update(calling.faults(settings, lines, rows(settings, "outgoing"), people))
    faults.update(_check_single(settings))
    faults.update(call_faults({name: rows(settings, name) for name, section in SECTIONS.items() if section.many}))
    return faults


def _check_single(settings: Settings) -> dict[str, Fault]:
    faults: dict[str, Fault] = {}
    network, mail = settings.get("network", {}), settings.get("mail", {})
    first, last = network.get("rtp_from"), network.get("rtp_to")
    if isinstance(first, int) and isinstance(last, int) and last - first < 99:
        faults["network.rtp_to"] = Fault("too-few-ports", least="100")
    least, most = network.get("min_expiry"), network.get("max_expiry")
    if isinstance(least, int) and isinstance(most, int) and most < least:
        faults["network.max_expiry"] = Fault("from-after-to")
    mailbox = settings.get("mailbox", {})
    if mailbox.get("enabled"):
        for name in ("host", "user", "address"):
            if not mailbox.get(name):
                faults[f"mailbox.{name}"] = Fault("required")
    if mail.get("enabled"):
        for name in ("host", "sender"):
            if not mail.get(name):
                faults[f"mail.{name}"] = Fault("required")
        if mail.get("security") == "plain" and not mail.get("plain_allowed"):
            faults["mail.security"] = Fault("plain-not-allowed")
    return faults


def _texts(value: Value) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []


def _no_twins(faults: dict[str, Fault], section: str, name: str, values: list[Value]) -> None:
    for index, value in enumerate(values):
        if value and value in values[:index]:
            faults[f"{section}.{index}.{name}"] = Fault("taken")
