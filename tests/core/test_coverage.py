"""The coverage bar against every minute of the week, and the coming days against the wall clock."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.branches import branch_at
from appliance.core.coverage import DAY, WEEK, Mend, Week, ahead, edges_of, mended, ranges_of, week_of
from appliance.core.plan_time import Holiday, Hours, Range
from appliance.core.scheme import Branch, Scheme
from tests.core.builders import WARSAW
from tests.core.builders import WEEK as OFFICE_WEEK

MONDAY = date(2026, 6, 1)  # an ordinary week: no clock change in it
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 0, 1, 30, 59]))
ranges = st.lists(st.builds(Range, st.integers(0, 6), times, times), max_size=6)
branches = st.builds(
    Branch, st.sampled_from(["A", "B"]), st.sampled_from([False] * 5 + [True]), ranges.map(tuple), st.just(()),
    st.sampled_from(["normal", "normal", "any", "closed"]), st.sampled_from(["off", "off", "any", "on"]),
)  # fmt: skip
schemes = st.builds(Scheme, st.just("s"), st.just("Office"), st.lists(branches, max_size=4).map(tuple))
MINUTES = np.arange(WEEK)


def tried(branch: Branch) -> np.ndarray:
    """Every minute of the week tried: whether the branch holds then."""
    if branch.days == "closed" or branch.night == "on":
        return np.zeros(WEEK, bool)
    if branch.always:
        return np.ones(WEEK, bool)
    day, clock = MINUTES // DAY, MINUTES % DAY
    out = np.zeros(WEEK, bool)
    for one in branch.ranges:
        start, end = one.start.hour * 60 + one.start.minute, one.end.hour * 60 + one.end.minute
        if end > start:
            out |= (day == one.day) & (clock >= start) & (clock < end)
        else:
            out |= ((day == one.day) & (clock >= start)) | ((day == (one.day + 1) % 7) & (clock < end))
    return out


def minutes(spans: list[tuple[int, int]]) -> np.ndarray:
    out = np.zeros(WEEK, bool)
    for start, end in spans:
        assert start < end
        out[np.arange(start, end) % WEEK] = True
    return out


def scheme(*branches: Branch) -> Scheme:
    return Scheme("s", "Office", branches)


def branch(*ranges: Range, **more: Any) -> Branch:
    return Branch(**{"name": "A", "always": False, "ranges": ranges, "blocks": (), **more})


def gaps(week: Week) -> list[tuple[int, str, int, str]]:
    return [edges_of(gap.start, gap.end) for gap in week.gaps]


@settings(max_examples=1000, deadline=None)
@given(schemes)
def test_the_listed_gaps_are_those_found_by_trying_every_minute(one: Scheme) -> None:
    week = week_of(one)
    held = [tried(branch) for branch in one.branches]
    anybody = np.logical_or.reduce([*held, np.zeros(WEEK, bool)])
    assert (minutes([(g.start, g.end) for g in week.gaps]) == ~anybody).all()
    assert week.open_minutes == anybody.sum()
    for first in range(len(held)):
        for second in range(first + 1, len(held)):
            listed = [(o.start, o.end) for o in week.overlaps if (o.first, o.second) == (first, second)]
            rest = one.branches[second].always and not one.branches[first].always
            assert (minutes(listed) == (held[first] & held[second] & (not rest))).all()
    for piece in week.pieces:
        assert all((held[n][piece.start : piece.end] == (n in piece.branches)).all() for n in range(len(held)))


@settings(max_examples=300, deadline=None)
@given(schemes)
def test_the_mends_make_the_bar_green(one: Scheme) -> None:
    for _step in range(60):
        week = week_of(one)
        if not (week.gaps or week.overlaps):
            break
        before = week.open_minutes
        one = mended(one, (*week.overlaps, *week.gaps)[0].mend)
        assert week_of(one).open_minutes >= before, "a mend takes no hour away from the office"
    assert (week_of(one).gaps, week_of(one).overlaps) == ((), ())


@settings(max_examples=60, deadline=None)
@given(schemes, st.data())
def test_the_bar_says_what_a_call_in_that_minute_finds(one: Scheme, data: st.DataObject) -> None:
    calendar = Hours(False, (), (), WARSAW)
    week = week_of(one)
    for minute in data.draw(st.lists(st.integers(0, WEEK - 1), min_size=8, max_size=8)):
        now = datetime.combine(MONDAY, time(0), WARSAW) + timedelta(minutes=minute, seconds=59)
        piece = next(p for p in week.pieces if p.start <= minute < p.end)
        assert branch_at(one, calendar, now)[0] == (piece.branches[0] if piece.branches else None)


def test_one_all_week_branch_covers_all_hours() -> None:
    week = week_of(scheme(branch(always=True)))
    assert (week.gaps, week.overlaps, week.open_minutes) == ((), (), WEEK)


def test_without_sunday_exactly_sunday_is_a_gap() -> None:
    week = week_of(scheme(branch(*(Range(day, time(0), time(0)) for day in range(6)))))
    assert gaps(week) == [(6, "00:00", 6, "24:00")]


def test_a_gap_over_the_weeks_end_is_one() -> None:
    days = (*(Range(day, time(9), time(0)) for day in range(6)), *(Range(day, time(0), time(9)) for day in range(1, 6)))
    week = week_of(scheme(branch(*days)))
    assert gaps(week)[-1] == (6, "00:00", 0, "09:00")
    assert week.gaps[-1].end - week.gaps[-1].start == 33 * 60


def test_neighbouring_branches_leave_no_lost_minute() -> None:
    day = branch(*(Range(d, time(9), time(18)) for d in range(7)))
    night = branch(*(Range(d, time(18), time(9)) for d in range(7)))
    assert week_of(scheme(day, night)).open_minutes == WEEK
    assert week_of(scheme(day, night)).overlaps == ()


def test_friday_evening_to_saturday_morning_is_one_range_of_friday() -> None:
    one = scheme(branch(Range(4, time(18), time(9))))
    pieces = [p for p in week_of(one).pieces if p.branches]
    assert [edges_of(p.start, p.end) for p in pieces] == [(4, "18:00", 5, "09:00")]


def test_the_rest_of_the_week_is_no_overlap_but_an_all_week_branch_above_hides_the_others() -> None:
    day = branch(*OFFICE_WEEK)
    assert week_of(scheme(day, branch(always=True))).overlaps == ()
    hidden = week_of(scheme(branch(always=True), day)).overlaps
    assert {o.mend for o in hidden} == {Mend("move", 1, before=0)}


def test_a_gap_goes_to_the_branch_that_ends_there() -> None:
    day, weekend = branch(*OFFICE_WEEK), branch(Range(5, time(9), time(0)))
    week = week_of(scheme(day, weekend))
    sunday = next(g for g in week.gaps if g.start == 6 * DAY)
    assert (sunday.mend.do, sunday.mend.branch) == ("hours", 1)
    assert sunday.mend.ranges[1:] == (Range(6, time(0), time(0)), Range(0, time(0), time(9)))


def test_a_stretch_longer_than_a_day_is_cut_at_midnights() -> None:
    assert ranges_of(0, WEEK) == tuple(Range(day, time(0), time(0)) for day in range(7))
    assert ranges_of(100, 100 + DAY) == (Range(0, time(1, 40), time(1, 40)),)


CHANGES = {
    "Europe/Warsaw": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Kyiv": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Madrid": (date(2026, 3, 29), date(2026, 10, 25)),
    "Atlantic/Canary": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
}


@pytest.mark.parametrize("zone", CHANGES)
def test_the_coming_days_name_closed_days_and_both_clock_changes(zone: str) -> None:
    spring, autumn = CHANGES[zone]
    one = scheme(branch(always=True), branch(always=True, days="closed"))
    for change, hours in ((spring, 23), (autumn, 25)):
        first = change - timedelta(days=3)
        calendar = Hours(False, (), (Holiday(first, "Feast"),), ZoneInfo(zone))
        days = ahead(one, calendar, first)
        assert [d.day for d in days if d.hours != 24] == [change]
        assert next(d.hours for d in days if d.day == change) == hours
        assert [d.closed for d in days[:2]] == ["Feast", None]
        assert not any(d.gaps for d in days)


def test_a_closed_day_without_a_branch_is_a_gap_of_that_day_only() -> None:
    calendar = Hours(False, (), (Holiday(date(2026, 12, 25), "Christmas", yearly=True),), WARSAW)
    days = ahead(scheme(branch(always=True)), calendar, date(2026, 12, 20))
    assert [(d.day, d.uncovered) for d in days if d.gaps] == [(date(2026, 12, 25), DAY)]
    assert days[5].gaps == ((datetime(2026, 12, 24, 23, tzinfo=UTC), datetime(2026, 12, 25, 23, tzinfo=UTC)),)
