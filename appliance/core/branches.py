"""Which branch of a scheme takes a call at `now`. Computed at each call from the clock, never switched by a job.

The night switch decides first which branches are looked at, then closed days, then the hours; of those that hold the
first one takes the call. A range is wall time of the line's zone and follows the rules of `schedule`: start included,
end excluded, over midnight and over clock changes.
"""

from datetime import UTC, date, datetime, timedelta

from appliance.core.model import Outcome, TraceStep
from appliance.core.plan_time import Hours
from appliance.core.schedule import LOOK_AHEAD, holiday_on, merged, open_spans
from appliance.core.scheme import Branch, Scheme

Spans = list[tuple[datetime, datetime]]


def branch_at(scheme: Scheme, calendar: Hours, now: datetime, night: str = "") -> tuple[int | None, TraceStep]:
    """The index of the branch that holds at `now` (aware), or None, and the step that says why.

    `calendar`: the line's own `Hours`, of which zone and closed days count. `night`: what the switch says for this
    line: "on", "off" (opened by hand: the first branch of the day takes the call whatever its hours), or "".
    """
    link = f"/schemes/{scheme.id}"
    if night == "off":
        by_hand = next((n for n, one in enumerate(scheme.branches) if _by_day(one)), None)
        if by_hand is not None:
            facts = {"branch": scheme.branches[by_hand].name, "scheme": scheme.name}
            return by_hand, TraceStep("branch-by-hand", Outcome.PASSED, facts, "/hours/night")
    switched_on = night == "on"
    first = now.astimezone(calendar.zone).date() - timedelta(days=1)
    spans = [branch_spans(one, calendar, first, LOOK_AHEAD + 1, switched_on) for one in scheme.branches]
    here = _holding(spans, now)
    facts = {"scheme": scheme.name, "until": _until(spans, here, now, calendar)}
    closed = holiday_on(calendar, now.astimezone(calendar.zone).date())
    reason = "night" if switched_on else "hours" if closed is None else "closed-day"
    for_good = "" if facts["until"] else "-for-good"
    if closed is not None:
        facts["name"] = closed
    if here is None:
        return None, TraceStep(f"no-branch-{reason}{for_good}", Outcome.STOPPED, facts, link)
    facts["branch"] = scheme.branches[here].name
    return here, TraceStep(f"branch-{reason}{for_good}", Outcome.PASSED, facts, f"{link}#branch-{here + 1}")


def branch_spans(branch: Branch, calendar: Hours, first: date, days: int, night: bool = False) -> Spans:
    """When a branch holds, in UTC, in order and joined: of its ranges that begin on `days` local days from `first`."""
    if not follows(branch, night):
        return []
    hours = Hours(branch.always, branch.ranges, calendar.holidays, calendar.zone)
    return merged(open_spans(hours, first, days, branch.days))


def follows(branch: Branch, night: bool) -> bool:
    """Whether the branch is looked at while the night switch is on (`night`) or off."""
    return branch.night in {"any", "on" if night else "off"}


def _by_day(branch: Branch) -> bool:
    return follows(branch, night=False) and branch.days != "closed"


def _holding(spans: list[Spans], at: datetime) -> int | None:
    return next((n for n, mine in enumerate(spans) if any(start <= at < end for start, end in mine)), None)


def _until(spans: list[Spans], here: int | None, now: datetime, calendar: Hours) -> str:
    """When another branch takes over, wall time of the line; "" when none does within a week."""
    utc = now.astimezone(UTC)
    edges = sorted({edge for mine in spans for span in mine for edge in span if edge > utc})
    far = utc + timedelta(days=LOOK_AHEAD - 1)
    change = next((edge for edge in edges if edge < far and _holding(spans, edge) != here), None)
    return change.astimezone(calendar.zone).strftime("%Y-%m-%d %H:%M") if change else ""
