"""From settings to the plan that routing reads. Pure: the same settings give the same plan."""

from collections.abc import Iterable, Mapping
from datetime import date, time
from zoneinfo import ZoneInfo

from appliance.core.blocklist import Block, Blocklist
from appliance.core.feature_codes import DIALLED, TYPED
from appliance.core.model import LineId
from appliance.core.numbers import as_pattern
from appliance.core.plan import Group, Line, Person, Plan, SmsRules
from appliance.core.plan_time import Holiday, Hours, Range
from appliance.core.sms_rules import Rule
from appliance.settings import calling
from appliance.settings.fields import Value
from appliance.settings.planning_calls import group_more, line_more, mailbox, menu, person_more, scheme
from appliance.settings.schema import Settings, rows
from appliance.settings.screening import repeats_of


def build(settings: Settings, blocks: Iterable[Block], emergency: Iterable[str], helping: Iterable[str]) -> Plan:
    """The plan. `emergency` and `helping` are the numbers of the office's country; the settings are already valid."""
    office = settings["office"]
    zone = ZoneInfo(str(office["timezone"]))
    holidays = holidays_of(settings["hours"])
    people = {str(p["extension"]): _person(p, office) for p in rows(settings, "people") if p.get("enabled")}
    groups = {str(g["id"]): _group(g, people) for g in rows(settings, "groups")}
    members = {name: group.members for name, group in groups.items()}
    lines = {
        LineId(str(line["id"])): _line(line, office, zone, holidays, groups)
        for line in rows(settings, "lines")
        if line.get("enabled")
    }
    return Plan(
        country=str(office["country"]),
        language=str(office["language"]),
        zone=zone,
        lines=lines,
        people=people,
        groups=groups,
        blocks=Blocklist.of(blocks),
        outgoing=tuple(calling.rule(row, members, zone) for row in rows(settings, "outgoing")),
        calling=calling.calling(settings["calling"]),
        emergency=frozenset(emergency) or frozenset({"112"}),
        help_numbers=frozenset(helping),
        codes=DIALLED,
        call_codes=TYPED,
        last_caller=str(office["last_caller"]),
        sms_rules=tuple(
            _sms_rule(rule, str(office["country"])) for rule in rows(settings, "sms_rules") if rule.get("enabled")
        ),
        schemes={str(row["id"]): scheme(row) for row in rows(settings, "schemes")},
        menus={str(row["id"]): menu(row) for row in rows(settings, "menus")},
        mailboxes={str(row["id"]): mailbox(row) for row in rows(settings, "mailboxes")},
        extension_digits=tuple(sorted({len(extension) for extension in people})) or (3,),
        repeats=repeats_of(settings["screening"]),
        known=frozenset(line.own_number for line in lines.values() if line.own_number),
    )


def holidays_of(hours: Mapping[str, Value]) -> tuple[Holiday, ...]:
    """The closed days of the section `hours`."""
    return tuple(_holiday(row) for row in _records(hours.get("holidays")))


def _records(value: Value) -> list[Mapping[str, Value]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, list) else ()


def _holiday(row: Mapping[str, Value]) -> Holiday:
    return Holiday(date.fromisoformat(str(row["day"])), str(row.get("name") or ""), bool(row.get("yearly")))


def _range(row: Mapping[str, Value]) -> Range:
    return Range(int(str(row["day"])), time.fromisoformat(str(row["start"])), time.fromisoformat(str(row["end"])))


def _person(row: Mapping[str, Value], office: Mapping[str, Value]) -> Person:
    return Person(
        extension=str(row["extension"]),
        name=str(row["name"]),
        language=str(row.get("language") or office["language"]),
        outgoing_line=LineId(str(row["outgoing_line"])) if row.get("outgoing_line") else None,
        may_dial=frozenset(_texts(row.get("may_dial"))) | {"internal"},
        **person_more(row),
        **calling.person_more(row),
    )


def _group(row: Mapping[str, Value], people: Mapping[str, Person]) -> Group:
    members = tuple(m for m in _texts(row["members"]) if m in people)
    return Group(str(row["id"]), str(row["name"]), members, float(str(row["seconds"])), **group_more(row))


def _sms_rule(row: Mapping[str, Value], country: str) -> Rule:
    sender = str(row.get("sender") or "")
    name = sender.endswith("*") and not sender.strip("+* ").isdigit()  # the beginning of a name stays as it is
    return Rule(
        id=str(row["id"]),
        name=str(row["name"]),
        action=str(row["action"]),
        line=str(row.get("line") or ""),
        sender=as_pattern(sender, country) if sender and not name else sender,
        word=str(row.get("word") or ""),
        when=str(row.get("when") or "always"),
        to=_texts(row.get("to")),
        number=str(row.get("number") or ""),
        stop=bool(row.get("stop")),
    )


def _line(
    row: Mapping[str, Value],
    office: Mapping[str, Value],
    zone: ZoneInfo,
    holidays: tuple[Holiday, ...],
    groups: Mapping[str, Group],
) -> Line:
    own = ZoneInfo(str(row["timezone"])) if row.get("timezone") else zone
    hours = Hours(bool(row["always_open"]), tuple(_range(r) for r in _records(row["ranges"])), holidays, own)
    group = str(row["group"]) if row.get("group") in groups else next(iter(groups), "")
    return Line(
        id=LineId(str(row["id"])),
        kind=str(row["kind"]),
        label=str(row["label"]),
        own_number=str(row["number"]),
        country=str(row.get("country") or office["country"]),
        language=str(row.get("language") or office["language"]),
        hours=hours,
        group=group,
        no_answer=str(row["no_answer"]),
        closed=str(row["closed"]),
        closed_prompt=str(row["closed_prompt"]),
        blocked=str(row["blocked"]),
        withheld=str(row["withheld"]),
        unavailable=str(row["unavailable"]),
        night=bool(row["night"]),
        outgoing=bool(row["outgoing"]),
        sms_never=tuple(as_pattern(one, str(office["country"])) for one in _texts(row.get("sms_never"))),
        sms=_sms_rules(row),
        **line_more(row),
        **calling.line_more(row),
        strangers=str(row["strangers"]),
        early=bool(row.get("sip_early")) and row.get("kind") == "sip",
    )


def _sms_rules(row: Mapping[str, Value]) -> SmsRules:
    return SmsRules(
        allowed=bool(row["sms_out"]) and row.get("kind", "gsm") == "gsm",
        report=bool(row["sms_report"]),
        national=bool(row["sms_national"]),
        premium=bool(row["sms_premium"]),
        again=bool(row["sms_again"]),
        gap=float(str(row["sms_gap"])),
        per_hour=int(str(row["sms_per_hour"])),
        per_day=int(str(row["sms_per_day"])),
    )
