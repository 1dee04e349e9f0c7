"""Which branch takes a call: hours, closed days, night switch; minute by minute on the days clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.core.branches import branch_at
from appliance.core.plan_time import Holiday, Hours, Range
from appliance.core.scheme import Branch, Scheme
from tests.core.builders import WARSAW, WEEK, at

CHRISTMAS = Holiday(date(2020, 12, 25), "Christmas", yearly=True)
CALENDAR = Hours(False, (), (CHRISTMAS,), WARSAW)


def branch(name: str, *ranges: Range, **more: Any) -> Branch:
    return Branch(**{"name": name, "always": not ranges, "ranges": ranges, "blocks": (), **more})


OFFICE = Scheme("office", "Office", (
    branch("Day", *WEEK),
    branch("Evening", *(Range(day, time(18), time(9)) for day in range(4)), Range(4, time(18), time(0))),
    branch("Weekend", Range(5, time(0), time(0)), Range(6, time(0), time(9))),
    branch("Feast", days="closed"),
    branch("Night", night="on", days="any"),
))  # fmt: skip


def name(moment: str, night: str = "") -> str | None:
    index, _step = branch_at(OFFICE, CALENDAR, at(moment), night)
    return None if index is None else OFFICE.branches[index].name


def test_noon_evening_and_sunday_have_their_own_branches() -> None:
    moments = ("2026-11-23T12:00", "2026-11-23T20:00", "2026-11-29T08:00")
    assert [name(moment) for moment in moments] == ["Day", "Evening", "Weekend"]


def test_friday_one_second_before_six_is_the_day_and_six_is_not() -> None:
    assert [name("2026-11-27T17:59:59"), name("2026-11-27T18:00:00")] == ["Day", "Evening"]


def test_the_night_of_friday_takes_saturday_at_three_but_not_friday_at_three() -> None:
    one = Scheme("s", "S", (branch("Night", Range(4, time(18), time(9))),))
    assert branch_at(one, CALENDAR, at("2026-11-28T03:00"))[0] == 0
    assert branch_at(one, CALENDAR, at("2026-11-27T03:00"))[0] is None


def test_a_whole_day_takes_its_last_half_minute() -> None:
    assert [name("2026-11-28T23:59:30"), name("2026-11-29T00:00")] == ["Weekend", "Weekend"]
    assert name("2026-11-29T09:00") is None


def test_a_closed_day_takes_its_own_branch_and_the_evening_before_ends_at_midnight() -> None:
    assert [name("2026-12-24T23:59"), name("2026-12-25T00:00"), name("2026-12-25T12:00")] == [
        "Evening",
        "Feast",
        "Feast",
    ]
    assert name("2026-12-26T00:00") == "Weekend"


def test_the_night_switch_takes_the_night_branch_also_on_a_closed_day() -> None:
    assert [name("2026-11-27T12:00", "on"), name("2026-12-25T12:00", "on")] == ["Night", "Night"]


def test_opened_by_hand_takes_the_first_branch_of_the_day_at_any_hour() -> None:
    assert [name("2026-11-29T23:00", "off"), name("2026-12-25T12:00", "off")] == ["Day", "Day"]


def test_without_a_night_branch_the_switch_leaves_nobody() -> None:
    one = Scheme("s", "S", (branch("Day"),))
    index, step = branch_at(one, CALENDAR, at("2026-11-27T12:00"), "on")
    assert (index, step.rule, step.outcome) == (None, "no-branch-night-for-good", "stopped")


@pytest.mark.parametrize(
    ("moment", "rule", "facts"),
    [
        ("2026-11-27T12:00", "branch-hours", {"branch": "Day", "until": "2026-11-27 18:00"}),
        ("2026-11-29T12:00", "no-branch-hours", {"until": "2026-11-30 09:00"}),
        (
            "2026-12-25T12:00",
            "branch-closed-day",
            {"branch": "Feast", "name": "Christmas", "until": "2026-12-26 00:00"},
        ),
    ],
)
def test_the_step_says_which_branch_why_and_until_when(moment: str, rule: str, facts: dict[str, str]) -> None:
    _index, step = branch_at(OFFICE, CALENDAR, at(moment))
    assert (step.rule, dict(step.args)) == (rule, {"scheme": "Office", **facts})


CHANGES = {  # the moment of each change, UTC
    "Europe/Warsaw": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "Europe/Kyiv": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "Europe/Madrid": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "Atlantic/Canary": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
}
OFFSETS = {  # hours before and after each change: winter to summer, summer to winter
    "Europe/Warsaw": (1, 2), "Europe/Kyiv": (2, 3), "Europe/Madrid": (1, 2), "Atlantic/Canary": (0, 1),
    "America/New_York": (-5, -4),
}  # fmt: skip


def reckoned(wall: datetime, second_passing: bool) -> str:
    """The night from 20:00 to 02:30, then the morning until 20:00, by the clock on the wall alone: a change of branch
    at a time that passes twice happens the first time."""
    clock = wall.time()
    night = clock >= time(20) or clock < time(2, 30)
    return "Night" if night and not second_passing else "Morning"


@pytest.mark.parametrize("zone", CHANGES)
def test_every_minute_of_both_clock_changes_has_the_branch_of_the_wall_clock(zone: str) -> None:
    one = Scheme("s", "S", (
        branch("Night", *(Range(day, time(20), time(2, 30)) for day in range(7))),
        branch("Morning", *(Range(day, time(2, 30), time(20)) for day in range(7))),
    ))  # fmt: skip
    calendar = Hours(False, (), (), ZoneInfo(zone))
    winter, summer = OFFSETS[zone]
    for change, before, after in ((CHANGES[zone][0], winter, summer), (CHANGES[zone][1], summer, winter)):
        turned = (change + timedelta(hours=before)).replace(tzinfo=None)  # the wall clock as the change begins
        for minute in range(-26 * 60, 26 * 60):
            moment = change + timedelta(minutes=minute)
            wall = (moment + timedelta(hours=before if minute < 0 else after)).replace(tzinfo=None)
            again = after < before and minute >= 0 and time(2, 30) <= turned.time() and wall < turned
            index, _step = branch_at(one, calendar, moment)
            assert index is not None
            assert one.branches[index].name == reckoned(wall, again), (zone, moment)
