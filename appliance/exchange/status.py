"""What the page and the command line see of the exchange: one dictionary, made afresh for each `status`."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from appliance.core.branches import branch_at
from appliance.core.model import PHONES, LegId, LineId
from appliance.core.plan import Line as PlanLine
from appliance.core.schedule import state_at
from appliance.exchange.control import Json
from appliance.exchange.exchange import Exchange
from appliance.exchange.parts import Running
from appliance.journal.times import stamp
from appliance.lines import LineStatus
from appliance.panel.table import Facts, Shown, lamps


def line_rows(exchange: Exchange) -> list[Json]:
    """Every line of the plan with the state of its wire."""
    rows: list[Json] = []
    for line_id, line in exchange.plan.lines.items():
        status = _status_of(exchange, line_id)
        rows.append(
            {
                "id": str(line_id),
                "kind": line.kind,
                "label": line.label,
                "number": line.own_number,
                "state": status.state if status else "not-there",
                "usable": bool(status and status.usable),
                "busy": bool(status and status.busy),
                "facts": dict(status.facts) if status else {},
            }
        )
    return rows


def _status_of(exchange: Exchange, line_id: LineId) -> LineStatus | None:
    line = exchange.lines.get(line_id)
    return line.status() if line else None


def open_rows(exchange: Exchange, now: datetime) -> dict[str, Json]:
    """Per line: open or not, until when, and why (an id of words.TRACE); with a scheme, the branch that takes calls."""
    return {str(line_id): _open(exchange, line, now) for line_id, line in exchange.plan.lines.items()}


def _open(exchange: Exchange, line: PlanLine, now: datetime) -> Json:
    night = exchange.overrides.get("night", "") if line.night else ""
    scheme = exchange.plan.schemes.get(line.scheme)
    if scheme:
        index, step = branch_at(scheme, line.hours, now, night)
        until = step.args.get("until", "")
        end = datetime.fromisoformat(until).replace(tzinfo=line.hours.zone).isoformat() if until else None
        name = scheme.branches[index].name if index is not None else ""
        return {"open": index is not None, "until": end, "reason": step.rule, "branch": name}
    state = state_at(line.hours, now)
    if night:
        return {"open": night == "off", "until": None, "reason": "night-" + night}
    return {"open": state.open, "until": state.until.isoformat() if state.until else None, "reason": state.reason}


def _takes_calls(exchange: Exchange, line: PlanLine, now: datetime) -> bool:
    """Whether the line is open by its hours, or a branch of its scheme holds, the night switch aside."""
    scheme = exchange.plan.schemes.get(line.scheme)
    return branch_at(scheme, line.hours, now)[0] is not None if scheme else state_at(line.hours, now).open


def call_rows(exchange: Exchange) -> list[Json]:
    """Calls in progress, oldest first."""
    return [_call(exchange, running) for running in exchange.calls.values()]


def _call(exchange: Exchange, running: Running) -> Json:
    offer = running.offer
    label = exchange.plan.lines[offer.line].label if offer.line in exchange.plan.lines else ""
    legs: list[Json] = [dict(leg) for leg in running.call.leg_facts()]
    heard, said = _levels(exchange, running)
    return {
        "id": str(running.call.id),
        "direction": str(running.route.direction),
        "line": str(offer.line),
        "line_label": label,
        "caller": offer.caller.text,
        "caller_kind": str(offer.caller.kind),
        "caller_name": _name_of(exchange, running),
        "called": offer.called.text,
        "state": running.call.state_name(),
        "since": stamp(running.since),
        "legs": legs,
        "level_in": heard,
        "level_out": said,
    }


def _levels(exchange: Exchange, running: Running) -> tuple[int | None, int | None]:
    """How loud the other side is and how loud it hears us, in dBFS: of the leg outside, or of the caller within."""
    legs = [leg for leg in running.call.leg_facts() if leg["state"] != "ended"]
    outside = [leg for leg in legs if leg["line"] != PHONES] or legs
    found = [levels for leg in outside if (levels := exchange.levels(LegId(leg["leg"])))]
    return found[0] if found else (None, None)


def _name_of(exchange: Exchange, running: Running) -> str:
    person = exchange.plan.people.get(running.offer.caller.text) if running.offer.line == PHONES else None
    return person.name if person else running.offer.name or ""


def phone_states(exchange: Exchange, phones: Iterable[Mapping[str, Json]]) -> list[Json]:
    """Each extension: free, ringing, talking, offline; the SIP line's own facts beside it."""
    states: dict[str, str] = {}
    for running in exchange.calls.values():
        for leg in running.call.leg_facts():
            if leg["line"] == PHONES and leg["state"] != "ended":
                states[leg["number"]] = "ringing" if leg["state"] in ("dialling", "ringing") else "talking"
    rows: list[Json] = []
    for phone in phones:
        extension = str(phone["extension"])
        state = "offline" if extension not in exchange.registered else states.get(extension, "free")
        person = exchange.plan.people.get(extension)
        rows.append({**phone, "name": person.name if person else "", "state": state})
    return rows


def lamps_now(
    exchange: Exchange, faults: tuple[str, ...], unread: int, now: datetime, button: str = ""
) -> tuple[Shown, ...]:
    """The lamps, for the pins and for the page alike. `button`: see `panel.table.Facts`."""
    lines = [status for line_id in exchange.plan.lines if (status := _status_of(exchange, line_id))]
    closed = [not _takes_calls(exchange, line, now) for line in exchange.plan.lines.values()]
    return lamps(
        Facts(
            button=button,
            faults=faults,
            sims=tuple(s.state for s in lines if s.kind == "gsm") or ("not-there",),
            calls=tuple(running.call.state_name() for running in exchange.calls.values()),
            unread=unread,
            storage_full=any(s.state == "storage-full" for s in lines),
            night=exchange.overrides.get("night", ""),
            closed_by_hours=bool(closed) and all(closed),
        )
    )
