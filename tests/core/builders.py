"""A small office to decide about, and the verbs of the playbook."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from appliance.core.model import PHONES, Kind, LegId, LineId, Number, Offer, Presence
from appliance.core.plan import Block, Group, Line, OutgoingRule, Person, Plan
from appliance.core.plan_time import Holiday, Hours, Range

WARSAW = ZoneInfo("Europe/Warsaw")
GSM0, GSM1 = LineId("gsm0"), LineId("gsm1")
WEEK = tuple(Range(day, time(9), time(18)) for day in range(5))
ALWAYS = Hours(True, (), (), WARSAW)
OWN = "+48990120100"


def hours(*ranges: Range, holidays: tuple[Holiday, ...] = (), zone: ZoneInfo = WARSAW) -> Hours:
    return Hours(False, ranges or WEEK, holidays, zone)


def line(line_id: LineId = GSM0, **more: object) -> Line:
    facts: dict[str, object] = {
        "id": line_id, "kind": "gsm", "label": "Reception", "own_number": OWN, "country": "PL", "language": "pl",
        "hours": hours(), "group": "office",
    }  # fmt: skip
    return Line(**{**facts, **more})  # type: ignore[arg-type]


def plan(*blocks: Block, **more: object) -> Plan:
    people = {e: Person(e, f"Person {e}", "pl", None) for e in ("101", "102", "103")}
    facts: dict[str, object] = {
        "country": "PL", "language": "en", "zone": WARSAW, "lines": {GSM0: line()}, "people": people,
        "groups": {"office": Group("office", "Office", ("101", "102"), 25.0)}, "blocks": blocks,
        "outgoing": (OutgoingRule("*", (GSM0,)),), "emergency": frozenset({"112", "999"}),
        "help_numbers": frozenset({"116111"}),
        "codes": {"*28": "night.toggle", "*43": "echo"},
    }  # fmt: skip
    return Plan(**{**facts, **more})  # type: ignore[arg-type]


def number(text: str) -> Number:
    kinds = {"withheld": Kind.WITHHELD, "unavailable": Kind.UNAVAILABLE}
    return Number("", kinds[text]) if text in kinds else Number(text, Kind.E164)


def offer(caller: str = "+48600100200", line_id: LineId = GSM0) -> Offer:
    return Offer(LegId("caller"), line_id, number(caller), Number(OWN, Kind.E164))


def dialled(called: str, extension: str = "101") -> Offer:
    return Offer(LegId("caller"), PHONES, Number(extension, Kind.INTERNAL), Number(called, Kind.INTERNAL))


def presence(**more: object) -> Presence:
    facts: dict[str, object] = {
        "registered": frozenset({"101", "102"}), "lines_up": frozenset({GSM0}), "lines_free": frozenset({GSM0}),
    }  # fmt: skip
    return Presence(**{**facts, **more})  # type: ignore[arg-type]


def at(text: str, zone: ZoneInfo = WARSAW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


OPEN = at("2026-11-27T12:00")  # a Friday
CLOSED = at("2026-11-28T12:00")  # a Saturday
