"""The settings of calling out: the office's own section, and what rules, lines and people got with it.

A cap of 0 is no cap; an empty rate table costs nothing. `faults` finds what only shows between sections.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from appliance.core.credit import minor
from appliance.core.model import LineId
from appliance.core.numbers import regions
from appliance.core.plan import OutgoingRule
from appliance.core.plan_calling import CLASSES, Calling, Cap, Night, Rate
from appliance.core.plan_time import Hours, Range
from appliance.settings.fields import (
    Choice,
    Fault,
    Field,
    Integer,
    ListOf,
    Money,
    Password,
    Rows,
    Switch,
    Text,
    TimeOfDay,
    Value,
)
from appliance.settings.secret import Secret

Row = Mapping[str, Value]

OUTSIDE = {"local": "Local", "national": "Country-wide", "mobile": "Mobile", "abroad": "Abroad", "premium": "Premium"}
FORMS = {
    "": "With + and the country", "00": "With 00 and the country", "plain": "With the country, without +",
    "national": "As people dial it there",
}  # fmt: skip
EVERYBODY = {"all": "Everybody", "none": "Nobody yet"}
ALL_LINES = {"all": "All lines", "none": "None yet"}
EXTENSION = r"[1-9][0-9]{1,4}"


def cap_fields(prefix: str = "") -> tuple[Field, ...]:
    """Six caps; `prefix` tells those of one owner from those of another in the same section."""
    return (
        _minutes(f"{prefix}day_minutes", "Minutes a day", "0: no cap."),
        _minutes(f"{prefix}month_minutes", "Minutes a month"),
        _minutes(f"{prefix}night_minutes", "Minutes a night"),
        _money(f"{prefix}day_money", "Money a day", "0: no cap. Counted by the prices of the line."),
        _money(f"{prefix}month_money", "Money a month"),
        _money(f"{prefix}night_money", "Money a night"),
    )


def _minutes(name: str, label: str, about: str = "") -> Integer:
    return Integer(name=name, label=label, help=about, unit="minutes", least=0, most=100000, default=0, seldom=True)


def _money(name: str, label: str, about: str = "") -> Money:
    return Money(name=name, label=label, help=about, default="0.00", seldom=True)


FIELDS: tuple[Field, ...] = (
    Text(name="default_line", label="Default line", longest=31,
         help="All who have no line of their own call out on it and show its number. Empty: by the rules."),
    Rows(name="countries", label="Open countries", most=300, columns=(
        Text(name="country", label="Country", required=True, longest=2, pattern=r"[A-Z]{2}",
             pattern_fault="not-a-country"),
        Text(name="until", label="Until", longest=40),
    )),
    Integer(name="longest", label="Longest call", unit="minutes", default=240, least=1, most=1440),
    Integer(name="a_minute", label="Calls out of one phone", unit="a minute", default=20, least=1, most=1000,
            help="A phone that makes more is stopped, and you are told: its password may be stolen."),
    TimeOfDay(name="night_from", label="Night from", default="22:00"),
    TimeOfDay(name="night_to", label="Night to", default="06:00"),
    Switch(name="weekend", label="Saturday and Sunday count as night", default=False),
    Switch(name="night_mode", label="Night mode counts as night", default=True),
    ListOf(name="night_classes", label="May be called at night", default=sorted(CLASSES), most=5,
           item=Choice(name="class", label="Kind", options=OUTSIDE)),
    *cap_fields("person_"),
    ListOf(name="masks", label="How numbers are shown", most=20, item=Text(
        name="mask", label="Mask", longest=30, pattern=r"\+[0-9# ()-]{3,29}", pattern_fault="not-a-mask"),
        help="One a line, such as +48 ## ### ## ##. The first that fits is used; numbers are stored as they are."),
    Choice(name="new_line", label="A new line is for", options=EVERYBODY, default="all", seldom=True),
    Choice(name="new_person", label="A new colleague may use", options=ALL_LINES, default="all", seldom=True),
)  # fmt: skip

RULE_FIELDS: tuple[Field, ...] = (
    ListOf(name="people", label="For these colleagues", most=200, item=Text(
        name="extension", label="Extension", pattern=EXTENSION, pattern_fault="not-an-extension"),
        help="Empty: for everybody."),
    Text(name="group", label="And for the group", longest=31),
    ListOf(name="days", label="On these days", most=7, item=Integer(
        name="day", label="Day", least=0, most=6, kind="weekday"), help="None: every day."),
    TimeOfDay(name="start", label="From", help="Empty: the whole day."),
    TimeOfDay(name="end", label="To"),
    Integer(name="cut", label="Digits cut off in front", default=0, least=0, most=15, seldom=True),
    Text(name="add", label="Digits put in front", longest=15, pattern=r"\+?[0-9*#]{0,14}", pattern_fault="not-a-code",
         seldom=True),
    Switch(name="withhold", label="Hide our number", default=False, seldom=True),
)  # fmt: skip

LINE_FIELDS: tuple[Field, ...] = (
    *cap_fields("cap_"),
    Rows(name="rates", label="Prices", most=500, columns=(
        Text(name="beginning", label="Numbers that begin with", longest=16, pattern=r"\+?[0-9]{0,15}",
             pattern_fault="not-a-pattern"),
        Text(name="price", label="A minute", required=True, longest=10, pattern=r"[0-9]{1,4}([.,][0-9]{1,4})?",
             pattern_fault="not-an-amount"),
        Integer(name="step", label="Counted every", unit="seconds", default=60, least=1, most=600),
    )),
    Choice(name="dial_form", label="How its operator wants numbers", options=FORMS, seldom=True),
    Text(name="dial_prefix", label="Digits in front of every number", longest=10, pattern=r"[0-9*#]{0,10}",
         pattern_fault="not-a-code", seldom=True),
)  # fmt: skip

PERSON_FIELDS: tuple[Field, ...] = (
    *cap_fields("cap_"),
    Password(name="call_pin", label="PIN for calls that are not allowed", longest=12,
             help="4 to 12 digits, asked for by phone. Empty: such calls are refused."),
    Switch(name="all_lines", label="May use the lines that are for everybody", default=True, seldom=True),
)  # fmt: skip


# ---- to the plan -------------------------------------------------------------------------------------------------


def calling(doc: Row) -> Calling:
    """From the section `calling`."""
    return Calling(
        default_line=str(doc.get("default_line") or ""),
        countries={str(row["country"]): _until(row.get("until")) for row in _records(doc.get("countries"))},
        longest=_whole(doc.get("longest")) * 60.0,
        a_minute=_whole(doc.get("a_minute")),
        night=Night(
            _time(doc["night_from"]), _time(doc["night_to"]), bool(doc["weekend"]), bool(doc["night_mode"])
        ),
        night_classes=frozenset(_texts(doc.get("night_classes"))),
        person_cap=cap(doc, "person_"),
        masks=tuple(_texts(doc.get("masks"))),
    )  # fmt: skip


def cap(row: Row, prefix: str = "cap_") -> Cap:
    """Six fields of `cap_fields`."""
    return Cap(
        **{name: _whole(row.get(prefix + name)) for name in ("day_minutes", "month_minutes", "night_minutes")},
        **{name: minor(str(row.get(prefix + name) or "")) or 0 for name in ("day_money", "month_money", "night_money")},
    )


def line_more(row: Row) -> dict[str, Any]:
    """What `plan.Line` has of calling out."""
    return {
        "cap": cap(row),
        "rates": tuple(_rate(rate) for rate in _records(row.get("rates"))),
        "dial_form": str(row.get("dial_form") or ""),
        "dial_prefix": str(row.get("dial_prefix") or ""),
    }


def person_more(row: Row) -> dict[str, Any]:
    """What `plan.Person` has of calling out."""
    pin = row.get("call_pin")
    return {
        "cap": cap(row), "pin": pin.reveal() if isinstance(pin, Secret) else "",
        "all_lines": bool(row.get("all_lines", True)),
    }  # fmt: skip


def rule(row: Row, groups: Mapping[str, Sequence[str]], zone: ZoneInfo) -> OutgoingRule:
    """From the section `outgoing`. `groups`: their members, by id."""
    people = {*_texts(row.get("people")), *groups.get(str(row.get("group") or ""), ())}
    return OutgoingRule(
        pattern=str(row["pattern"]),
        lines=tuple(LineId(name) for name in _texts(row["lines"])),
        people=frozenset(people) if row.get("people") or row.get("group") else None,
        hours=_hours(row, zone),
        cut=_whole(row.get("cut")),
        add=str(row.get("add") or ""),
        withhold=bool(row.get("withhold")),
    )


def _hours(row: Row, zone: ZoneInfo) -> Hours | None:
    days = [_whole(day) for day in _texts(row.get("days"))]
    start, end = str(row.get("start") or "00:00"), str(row.get("end") or "00:00")
    if not days and start == end == "00:00":
        return None
    return Hours(False, tuple(Range(day, _time(start), _time(end)) for day in days or range(7)), (), zone)


def _rate(row: Row) -> Rate:
    whole, _, part = str(row["price"]).replace(",", ".").partition(".")
    beginning = str(row.get("beginning") or "")
    return Rate(beginning, int(whole) * 10000 + int((part + "0000")[:4]), _whole(row.get("step")) or 60)


# ---- between sections --------------------------------------------------------------------------------------------


def faults(
    settings: Mapping[str, Row], lines: Sequence[Row], rules: Sequence[Row], people: Sequence[Row]
) -> dict[str, Fault]:
    """A default line that is not there or shows no number, countries that are none, people and groups of rules that are
    gone, PINs that are no digits."""
    found: dict[str, Fault] = {}
    doc, by_id = settings.get("calling", {}), {line.get("id"): line for line in lines}
    default = doc.get("default_line")
    if default:
        why = why_no_default(by_id.get(default))
        if why:
            found["calling.default_line"] = Fault(why, line=str(default))
    for i, row in enumerate(_records(doc.get("countries"))):
        if row.get("country") not in regions():
            found[f"calling.countries.{i}.country"] = Fault("not-a-country")
        if row.get("until") and _until(row["until"]) == NEVER:
            found[f"calling.countries.{i}.until"] = Fault("not-a-date")
    extensions = {person.get("extension") for person in people}
    groups = {group.get("id") for group in _records(settings.get("groups", {}).get("items"))}
    for i, one in enumerate(rules):
        if one.get("group") and one["group"] not in groups:
            found[f"outgoing.{i}.group"] = Fault("unknown-group", group=str(one["group"]))
        gone = [name for name in _texts(one.get("people")) if name not in extensions]
        if gone:
            found[f"outgoing.{i}.people"] = Fault("unknown-extension", extension=gone[0])
    for i, person in enumerate(people):
        pin = person.get("call_pin")
        typed = pin.reveal() if isinstance(pin, Secret) else ""
        if typed and not (typed.isdecimal() and typed.isascii() and 4 <= len(typed) <= 12):
            found[f"people.{i}.call_pin"] = Fault("not-a-pin")
    return found


def why_no_default(line: Mapping[str, object] | None) -> str:
    """The id of why a line cannot be the default for calling out, "" where it can (F26)."""
    if line is None:
        return "unknown-line"
    if not line.get("outgoing", True) or not line.get("enabled", True):
        return "line-not-outgoing"
    if not line.get("presents", True):
        return "line-hides-number"
    return "" if line.get("number") else "line-without-number"


NEVER = datetime.fromisoformat("2000-01-01T00:00+00:00")  # what cannot be read is over


def _until(value: Value) -> datetime | None:
    if not value:
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return NEVER
    return found if found.utcoffset() is not None else NEVER


def day_from(now: datetime) -> str:
    """The moment a day after `now` (aware), as the section stores it."""
    return (now + timedelta(days=1)).isoformat(timespec="minutes")


def _time(value: Value) -> time:
    return time.fromisoformat(str(value))


def _whole(value: Value) -> int:
    text = str(value or 0)
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _texts(value: Value) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []


def _records(value: Value) -> list[Row]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
