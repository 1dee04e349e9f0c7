"""Which branch of a scheme takes a call now: the first whose hours, days and night mode hold. Pure."""

from dataclasses import replace
from datetime import datetime

from appliance.core.model import Outcome, Presence, TraceStep
from appliance.core.plan import Line
from appliance.core.plan_time import Hours
from appliance.core.schedule import holiday_on, state_at
from appliance.core.scheme import Branch, Scheme


def branch_at(scheme: Scheme, line: Line, now: datetime, state: Presence) -> tuple[int | None, TraceStep]:
    """The index of the branch that holds at `now` (aware) in the line's zone, and why; None: no branch does. Without a
    clock that can be trusted the first branch of the day takes the call."""
    page = f"/schemes/{scheme.id}"
    facts = {"scheme": scheme.name}
    night = line.night and state.overrides.get("night") == "on"
    fitting = [index for index, branch in enumerate(scheme.branches) if _fits_night(branch, night)]
    if not state.clock_trusted and fitting:
        branch = scheme.branches[fitting[0]]
        return fitting[0], TraceStep("branch-clock-unsure", Outcome.PASSED, {**facts, "branch": branch.name}, page)
    for index in fitting:
        if branch_open(scheme.branches[index], line.hours, now):
            named = {**facts, "branch": scheme.branches[index].name}
            return index, TraceStep("branch-night" if night else "branch-holds", Outcome.CHOSEN, named, page)
    return None, TraceStep("branch-none", Outcome.STOPPED, facts, page)


def _fits_night(branch: Branch, night: bool) -> bool:
    return branch.night == "any" or branch.night == ("on" if night else "off")


def branch_open(branch: Branch, hours: Hours, now: datetime) -> bool:
    """Whether its days and hours hold at `now`; `hours` gives the zone and the closed days."""
    closed_day = holiday_on(hours, now.astimezone(hours.zone).date()) is not None
    if branch.days == "closed" and not closed_day:
        return False
    kept = hours.holidays if branch.days == "normal" else ()
    return state_at(replace(hours, always=branch.always, ranges=branch.ranges, holidays=kept), now).open
