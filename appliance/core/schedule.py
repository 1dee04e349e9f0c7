"""Open or closed, computed from `now` at each call, never switched by a job.

A range is wall time of the line's zone: start included, end excluded; an end not after the start reaches into the next
day; 00:00 to 00:00 is the whole day. A holiday closes its whole local day, also the part after midnight of a range that
began the day before. On the day clocks change a wall time that does not exist is the moment of the change, and one that
exists twice counts from its first to its second passing, so that a range is never cut or doubled: moments are compared
in UTC (PEP 495, fold 0 for starts and fold 0 for ends).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.core.plan_time import Hours, Range

LOOK_AHEAD = 8  # days: one week and the rest of today


@dataclass(frozen=True, slots=True)
class State:
    """Open or not, until when (aware, in the line's zone; None: no change within a week), and why."""

    open: bool
    until: datetime | None
    reason: str  # "always" | "hours" | "holiday" | "never"
    args: Mapping[str, str] = field(default_factory=dict)


def state_at(hours: Hours, now: datetime) -> State:
    """The state at `now` (aware)."""
    local = now.astimezone(hours.zone)
    if hours.always and not hours.holidays:
        return State(True, None, "always")
    spans = merged(open_spans(hours, local.date() - timedelta(days=1), LOOK_AHEAD + 1))
    here = next((span for span in spans if span[0] <= now < span[1]), None)
    if here:
        far = here[1] - now.astimezone(UTC) > timedelta(days=LOOK_AHEAD - 1)
        return State(True, None if far else here[1].astimezone(hours.zone), "always" if hours.always else "hours")
    ahead = next((span[0] for span in spans if span[0] > now), None)
    until = ahead.astimezone(hours.zone) if ahead else None
    holiday = holiday_on(hours, local.date())
    if holiday is not None:
        return State(False, until, "holiday", {"name": holiday})
    return State(False, until, "hours" if hours.ranges or hours.always else "never")


def holiday_on(hours: Hours, day: date) -> str | None:
    """The name of the holiday on that local day ("" where it has none), or None."""
    for holiday in hours.holidays:
        if holiday.day == day or (holiday.yearly and (holiday.day.month, holiday.day.day) == (day.month, day.day)):
            return holiday.name
    return None


def open_spans(hours: Hours, first: date, days: int, on: str = "normal") -> list[tuple[datetime, datetime]]:
    """Open spans in UTC of the ranges that begin on `days` days from `first`; may overlap. `on`: "normal" cuts the
    holidays out, "closed" leaves nothing but holidays, "any" keeps both."""
    spans: list[tuple[datetime, datetime]] = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        for one in _ranges_of(hours, day):
            spans += _on_days(hours, _local(one, day), on)
    return [(a, b) for start, end in spans if (a := moment_of(start, hours.zone)) < (b := moment_of(end, hours.zone))]


def _ranges_of(hours: Hours, day: date) -> Iterable[Range]:
    if hours.always:
        return (Range(day.weekday(), time(0), time(0)),)
    return (one for one in hours.ranges if one.day == day.weekday())


def _local(one: Range, day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, one.start)
    end = datetime.combine(day, one.end)
    return start, end if end > start else end + timedelta(days=1)


def _on_days(hours: Hours, span: tuple[datetime, datetime], on: str) -> list[tuple[datetime, datetime]]:
    """The part of a local span that lies on the days wanted: a span touches at most two days."""
    start, end = span
    if on == "any":
        return [span]
    midnight = datetime.combine(start.date() + timedelta(days=1), time(0))
    pieces = [(start, min(end, midnight)), (midnight, end)]
    return [(a, b) for a, b in pieces if a < b and (holiday_on(hours, a.date()) is None) == (on == "normal")]


def moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC moment of a naive wall time; in the hour that is skipped, the moment of the change."""
    aware = local.replace(tzinfo=zone)
    back = aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if back == local:
        return aware.astimezone(UTC)
    # Inside the gap fold 0 reads the wall time with the offset before the change and fold 1 with the one after: the
    # change itself is where both offsets agree with the last existing wall time.
    before, after = aware.utcoffset(), local.replace(tzinfo=zone, fold=1).utcoffset()
    gap = (after or timedelta()) - (before or timedelta())
    probe = aware.astimezone(UTC)
    low, high = probe - abs(gap) - timedelta(hours=1), probe + abs(gap)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset():
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Overlapping and touching spans joined, in order."""
    out: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out
