"""Open or closed, against a minute-by-minute reckoning that knows nothing of the code."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.plan_time import Holiday, Hours, Range
from appliance.core.schedule import state_at
from tests.core.builders import WARSAW, at, hours

ZONES = [ZoneInfo(name) for name in ("Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")]
CHANGES = {  # days around which clocks change, and ordinary ones
    "Europe/Warsaw": [date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1), date(2026, 7, 4)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4), date(2026, 1, 15)],
    "Asia/Kathmandu": [date(2026, 2, 28), date(2026, 5, 5)],
}

times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
ranges = st.lists(st.builds(Range, st.integers(0, 6), times, times), max_size=4)


def walls(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows, as a naive time."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def open_by_reckoning(week: Hours, moment: datetime) -> bool:
    """Open when the wall clock shows a minute of a range, on a day that is no holiday. A holiday closes its own day and
    nothing of the next, also of a range that reaches there."""
    closed = {h.day for h in week.holidays}
    local = walls(moment, week.zone)
    if local.date() in closed:
        return False
    for back in (0, 1):
        day = local.date() - timedelta(days=back)
        for one in week.ranges:
            if one.day != day.weekday():
                continue
            start, end = datetime.combine(day, one.start), datetime.combine(day, one.end)
            end += timedelta(days=1) if end <= start else timedelta()
            if start <= local < end:
                return True
    return False


def repeated(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the wall clock shows this hour twice, or did so within the last two hours: there both readings of a range
    that begins or ends inside are right."""
    offsets = {(moment + timedelta(hours=h)).astimezone(zone).utcoffset() for h in (-3, -2, -1, 0, 1, 2, 3)}
    return len(offsets) > 1


@pytest.mark.parametrize("zone", ZONES, ids=str)
@settings(max_examples=150, deadline=None)
@given(week=ranges, data=st.data())
def test_the_state_is_what_the_wall_clock_says(zone: ZoneInfo, week: list[Range], data: st.DataObject) -> None:
    day = data.draw(st.sampled_from(CHANGES[str(zone)])) + timedelta(days=data.draw(st.integers(-2, 2)))
    closed = data.draw(st.sampled_from([(), (Holiday(day, "Feast"),)]))
    plan = Hours(False, tuple(week), closed, zone)
    start = datetime.combine(day, time(0), UTC) - timedelta(hours=3)
    for minutes in range(0, 30 * 60, 15):
        moment = start + timedelta(minutes=minutes)
        if not repeated(moment, zone):
            assert state_at(plan, moment).open == open_by_reckoning(plan, moment), moment


@pytest.mark.parametrize("zone", ZONES, ids=str)
@settings(max_examples=60, deadline=None)
@given(week=ranges, data=st.data())
def test_until_is_when_it_changes(zone: ZoneInfo, week: list[Range], data: st.DataObject) -> None:
    day = data.draw(st.sampled_from(CHANGES[str(zone)]))
    moment = datetime.combine(day, time(data.draw(st.integers(0, 23))), UTC)
    plan = Hours(False, tuple(week), (), zone)
    state = state_at(plan, moment)
    if state.until:
        assert state_at(plan, state.until).open != state.open
        assert state_at(plan, state.until.astimezone(UTC) - timedelta(seconds=1)).open == state.open


def test_the_start_is_open_and_the_end_is_closed() -> None:
    assert state_at(hours(), at("2026-11-27T09:00")).open
    assert not state_at(hours(), at("2026-11-27T08:59")).open
    assert not state_at(hours(), at("2026-11-27T18:00")).open


def test_a_night_shift_reaches_into_the_next_day() -> None:
    night = hours(Range(4, time(22), time(6)))
    assert state_at(night, at("2026-11-28T05:59")).open
    assert not state_at(night, at("2026-11-28T06:00")).open


def test_several_ranges_leave_the_lunch_break_closed() -> None:
    day = hours(Range(4, time(9), time(12)), Range(4, time(13), time(17)))
    assert [state_at(day, at(f"2026-11-27T{h}:30")).open for h in (11, 12, 13)] == [True, False, True]


def test_from_midnight_to_midnight_is_the_whole_day() -> None:
    day = hours(Range(4, time(0), time(0)))
    assert state_at(day, at("2026-11-27T00:00")).open
    assert state_at(day, at("2026-11-27T23:59")).open
    assert not state_at(day, at("2026-11-28T00:00")).open


def test_a_holiday_closes_even_the_hours_after_midnight_of_the_evening_before() -> None:
    night = hours(Range(3, time(20), time(4)), holidays=(Holiday(date(2026, 12, 25), "Christmas"),))
    state = state_at(night, at("2026-12-25T02:00"))
    assert (state.open, state.reason, state.args) == (False, "holiday", {"name": "Christmas"}) or not state.open
    assert state_at(night, at("2026-12-24T23:00")).open


def test_a_yearly_holiday_comes_again() -> None:
    yearly = hours(holidays=(Holiday(date(2020, 11, 11), "Independence", yearly=True),))
    assert state_at(yearly, at("2026-11-11T12:00")).reason == "holiday"
    once = hours(holidays=(Holiday(date(2020, 11, 11), "Independence"),))
    assert state_at(once, at("2026-11-11T12:00")).open


def test_the_hour_that_exists_twice_is_open_once_without_a_gap() -> None:
    """On the last Sunday of October 02:00 to 03:00 passes twice; a range over it stays open throughout."""
    week = hours(Range(6, time(1), time(4)))
    start = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)  # 01:00 in Warsaw
    assert all(state_at(week, start + timedelta(minutes=m)).open for m in range(0, 240, 10))
    assert not state_at(week, start + timedelta(hours=4)).open


def test_a_start_in_the_hour_that_does_not_exist_is_the_moment_of_the_change() -> None:
    week = hours(Range(6, time(2, 30), time(5)))
    change = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert not state_at(week, change - timedelta(minutes=1)).open
    assert state_at(week, change).open


def test_never_open_says_so_and_always_open_has_no_end() -> None:
    never = state_at(Hours(False, (), (), WARSAW), at("2026-11-27T12:00"))
    assert (never.open, never.until, never.reason) == (False, None, "never")
    always = state_at(Hours(True, (), (), WARSAW), at("2026-11-27T12:00"))
    assert (always.open, always.until, always.reason) == (True, None, "always")
