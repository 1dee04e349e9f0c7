"""Who takes calls in every minute of the week: the gaps and overlaps of a scheme, each with what mends it.

The week is the ordinary one: no closed day in it, the night switch off, every day of 24 hours. `ahead` shows the coming
days as they are, with closed days and clock changes. An "all week" branch below others takes what they leave; that is
no overlap. Times of the week are minutes from Monday 00:00 (0 to 10,080); a gap over the week's end ends past 10,080.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from appliance.core.branches import Spans, branch_spans, follows
from appliance.core.plan_time import Hours, Range
from appliance.core.schedule import holiday_on, merged, moment_of
from appliance.core.scheme import Branch, Scheme

DAY, WEEK = 1440, 10080
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the week with one answer: the branches that hold, first the one that takes calls; none: nobody."""

    start: int
    end: int
    branches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mend:
    """What makes a gap or an overlap go away. `do` is "hours" (the branch gets these ranges instead of its own), "add"
    (a new last branch with these ranges) or "move" (the branch stands before the branch `before`)."""

    do: str
    branch: int = -1
    ranges: tuple[Range, ...] = ()
    before: int = -1


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody takes calls from `start` to `end`."""

    start: int
    end: int
    mend: Mend


@dataclass(frozen=True, slots=True)
class Overlap:
    """Both branches hold from `start` to `end`; `first` takes the calls, `second` gets none."""

    start: int
    end: int
    first: int
    second: int
    mend: Mend


@dataclass(frozen=True, slots=True)
class Week:
    """The week of a scheme."""

    pieces: tuple[Piece, ...]
    gaps: tuple[Gap, ...]
    overlaps: tuple[Overlap, ...]

    @property
    def open_minutes(self) -> int:
        """Minutes of the week in which a branch takes calls."""
        return WEEK - sum(gap.end - gap.start for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Coming:
    """A coming day. `closed`: the name of the closed day ("" without one), None: an ordinary day. `hours`: its length,
    23 or 25 on the days clocks change. `gaps`: when nobody takes calls, UTC."""

    day: date
    closed: str | None
    hours: float
    gaps: tuple[tuple[datetime, datetime], ...]

    @property
    def uncovered(self) -> int:
        """Minutes without a branch."""
        return sum(int((end - start).total_seconds()) for start, end in self.gaps) // 60


# ---- the week ----------------------------------------------------------------------------------------------------


def week_of(scheme: Scheme) -> Week:
    """The ordinary week, its gaps, its overlaps."""
    spans = [_spans(one) for one in scheme.branches]
    edges = sorted({0, WEEK, *(edge for mine in spans for span in mine for edge in span)})
    pieces = _joined(
        Piece(start, end, tuple(n for n, mine in enumerate(spans) if any(a <= start < b for a, b in mine)))
        for start, end in pairwise(edges)
    )
    gaps = tuple(Gap(a, b, _mend_gap(scheme, spans, (a, b))) for a, b in _around(p for p in pieces if not p.branches))
    return Week(tuple(pieces), gaps, tuple(_overlaps(scheme, spans, pieces)))


def mended(scheme: Scheme, mend: Mend) -> Scheme:
    """The scheme after a mend; a branch that is added has no blocks yet."""
    branches = list(scheme.branches)
    if mend.do == "add":
        branches.append(Branch("", False, mend.ranges, ()))
    elif mend.do == "move":
        branches.insert(mend.before, branches.pop(mend.branch))
    else:
        branches[mend.branch] = replace(branches[mend.branch], always=False, ranges=mend.ranges)
    return replace(scheme, branches=tuple(branches))


def ranges_of(start: int, end: int) -> tuple[Range, ...]:
    """Ranges for a stretch of the week: one where it is no longer than a day, else cut at midnights."""
    if end - start <= DAY:
        return (_range(start, end),)
    cuts = [start, *range((start // DAY + 1) * DAY, end, DAY), end]
    return tuple(_range(a, b) for a, b in pairwise(cuts))


def edges_of(start: int, end: int) -> tuple[int, str, int, str]:
    """Day and time of both ends for words; midnight at the end is 24:00 of the day before."""
    last = (end - 1) // DAY
    return start // DAY % 7, _clock(start % DAY), last % 7, _clock(end - last * DAY)


def _spans(branch: Branch) -> list[Span]:
    """The minutes of the ordinary week in which a branch holds, joined, those over the week's end cut in two."""
    if branch.days == "closed" or not follows(branch, night=False):
        return []
    if branch.always:
        return [(0, WEEK)]
    spans: list[Span] = []
    for one in branch.ranges:
        start = one.day * DAY + _minutes(one.start)
        end = start + (_minutes(one.end) - _minutes(one.start) - 1) % DAY + 1
        spans += [(start, min(end, WEEK))] + ([(0, end - WEEK)] if end > WEEK else [])
    return _merged(spans)


def _merged(spans: Iterable[Span]) -> list[Span]:
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        elif start < end:
            out.append((start, end))
    return out


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours with the same answer as one."""
    out: list[Piece] = []
    for one in pieces:
        if out and out[-1].branches == one.branches:
            out[-1] = replace(out[-1], end=one.end)
        else:
            out.append(one)
    return out


def _around(pieces: Iterable[Piece]) -> list[Span]:
    """Stretches in order; one that reaches over the week's end is one."""
    spans = _merged((one.start, one.end) for one in pieces)
    if len(spans) > 1 and spans[0][0] == 0 and spans[-1][1] == WEEK:
        spans = [*spans[1:-1], (spans[-1][0], WEEK + spans[0][1])]
    return spans


def _overlaps(scheme: Scheme, spans: list[list[Span]], pieces: list[Piece]) -> Iterable[Overlap]:
    for first in range(len(spans)):
        for second in range(first + 1, len(spans)):
            if scheme.branches[second].always and not scheme.branches[first].always:
                continue  # it takes what is left
            both = (p for p in pieces if first in p.branches and second in p.branches)
            for start, end in _around(both):
                yield Overlap(start, end, first, second, _mend_overlap(scheme, spans, (first, second)))


# ---- what mends --------------------------------------------------------------------------------------------------


def _mend_gap(scheme: Scheme, spans: list[list[Span]], gap: Span) -> Mend:
    """The branch that ends where the gap begins goes on, else the one that follows begins earlier, else the last that
    takes calls in a week; where there is none a branch is added."""
    start, end = gap
    ends = (n for n, mine in enumerate(spans) if any(b % WEEK == start % WEEK for _a, b in mine))
    begins = (n for n, mine in enumerate(spans) if any(a == end % WEEK for a, _b in mine))
    some = (n for n in reversed(range(len(spans))) if spans[n])
    for which in (*ends, *begins, *some):
        return Mend("hours", which, (*scheme.branches[which].ranges, *ranges_of(start, end)))
    return Mend("add", ranges=ranges_of(start, end))


def _mend_overlap(scheme: Scheme, spans: list[list[Span]], pair: tuple[int, int]) -> Mend:
    """Whoever has hours besides gives way: the second, or the first where the second would have none left. Where the
    first is all week the second goes before it; a second branch of all week never gets a call and loses its hours."""
    first, second = pair
    if scheme.branches[first].always:
        return Mend("hours", second) if scheme.branches[second].always else Mend("move", second, before=first)
    rest = _without(spans[second], spans[first])
    if rest:
        return Mend("hours", second, _as_ranges(rest))
    return Mend("hours", first, _as_ranges(_without(spans[first], spans[second])))


def _without(mine: list[Span], others: list[Span]) -> list[Span]:
    out = list(mine)
    for a, b in others:
        out = [piece for x, y in out for piece in ((x, min(y, a)), (max(x, b), y)) if piece[0] < piece[1]]
    return out


def _as_ranges(spans: list[Span]) -> tuple[Range, ...]:
    pieces = (Piece(a, b, ()) for a, b in spans)
    return tuple(one for a, b in _around(pieces) for one in ranges_of(a, b))


def _range(start: int, end: int) -> Range:
    return Range(start // DAY % 7, _time(start), _time(end))


def _time(minute: int) -> time:
    return time(minute % DAY // 60, minute % 60)


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


# ---- the coming days ---------------------------------------------------------------------------------------------


def ahead(scheme: Scheme, calendar: Hours, first: date, days: int = 60) -> list[Coming]:
    """The coming days as callers find them, night switch off. `calendar`: zone and closed days of the line."""
    since = first - timedelta(days=1)  # what began the evening before
    covered = merged(span for one in scheme.branches for span in branch_spans(one, calendar, since, days + 1))
    out: list[Coming] = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        start = moment_of(datetime.combine(day, time(0)), calendar.zone)
        end = moment_of(datetime.combine(day + timedelta(days=1), time(0)), calendar.zone)
        hours = (end - start).total_seconds() / 3600
        out.append(Coming(day, holiday_on(calendar, day), hours, tuple(_uncovered(start, end, covered))))
    return out


def _uncovered(start: datetime, end: datetime, covered: Spans) -> Spans:
    out: Spans = []
    at = start
    for a, b in covered:
        if b <= at or a >= end:
            continue
        if a > at:
            out.append((at, a))
        at = max(at, b)
    return [*out, (at, end)] if at < end else out
