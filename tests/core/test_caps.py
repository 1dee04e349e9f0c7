"""Sums of calls out by day, month and night, what a call costs, and what is left."""

from datetime import datetime, time
from math import inf
from zoneinfo import ZoneInfo

import pytest

from appliance.core.caps import Charge, Ledger, Spent, Sum, is_night, left, price, rate_for, used
from appliance.core.numbers import with_mask
from appliance.core.plan_calling import Cap, Night, Rate
from tests.core.builders import WARSAW, at

NIGHT = Night(time(22), time(6))


def charge(text: str, seconds: int = 60, person: str = "101", line: str = "gsm0") -> Charge:
    return Charge(at(text), line, person, seconds, seconds // 6)


def test_a_call_counts_for_its_line_and_its_person_and_no_other() -> None:
    ledger = Ledger(WARSAW, NIGHT)
    ledger.add(charge("2026-11-25T10:00"))
    now = at("2026-11-25T11:00")
    assert ledger.spent("line/gsm0", now) == Spent(Sum(60, 10), Sum(60, 10))
    assert ledger.spent("person/101", now).day == Sum(60, 10)
    assert ledger.spent("line/gsm1", now) == ledger.spent("person/102", now) == Spent()


def test_a_call_that_is_sent_on_raises_the_minutes_of_its_line_alone() -> None:
    ledger = Ledger(WARSAW, NIGHT)
    ledger.add(charge("2026-11-25T10:00", person="", line="gsm1"))
    assert ledger.spent("line/gsm1", at("2026-11-25T11:00")).day.seconds == 60
    assert ledger.spent("line/gsm0", at("2026-11-25T11:00")).day.seconds == 0


def test_the_day_ends_at_midnight_of_the_office_the_night_in_the_morning() -> None:
    ledger = Ledger(WARSAW, NIGHT)
    ledger.add(charge("2026-11-25T23:30"))
    early = ledger.spent("line/gsm0", at("2026-11-26T01:00"))
    assert (early.day.seconds, early.night.seconds, early.month.seconds) == (0, 60, 60)
    assert ledger.spent("line/gsm0", at("2026-11-26T07:00")).night.seconds == 0
    utc = datetime(2026, 11, 25, 23, 30, tzinfo=ZoneInfo("UTC"))
    assert ledger.spent("line/gsm0", utc).day.seconds == 0, "it is the 26th in Warsaw"


def test_a_new_month_begins_with_nothing() -> None:
    ledger = Ledger(WARSAW, NIGHT)
    ledger.add(charge("2026-11-30T10:00"))
    ledger.add(charge("2026-12-01T10:00", 120))
    assert ledger.spent("line/gsm0", at("2026-12-01T11:00")).month.seconds == 120


def test_calls_that_run_are_counted_on_top() -> None:
    ledger = Ledger(WARSAW, NIGHT)
    ledger.add(charge("2026-11-25T10:00"))
    running = [charge("2026-11-25T10:30", 600), charge("2026-11-25T10:30", 600, line="gsm1")]
    spent = ledger.spent("person/101", at("2026-11-25T10:40"), running)
    assert spent.day.seconds == 1260
    assert ledger.spent("line/gsm1", at("2026-11-25T10:40"), running).day.seconds == 600


@pytest.mark.parametrize(
    ("text", "night"),
    [("2026-11-25T21:59", False), ("2026-11-25T22:00", True), ("2026-11-26T05:59", True), ("2026-11-26T06:00", False)],
)
def test_the_night_goes_over_midnight(text: str, night: bool) -> None:
    assert is_night(NIGHT, at(text)) is night


@pytest.mark.parametrize(
    ("seconds", "rate", "costs"),
    [
        (61, Rate("", 1900, 60), 38), (61, Rate("", 1900, 1), 20), (0, Rate("", 1900, 60), 0), (61, None, 0),
        (1, Rate("", 1, 1), 1),
    ],
)  # fmt: skip
def test_a_begun_step_is_paid_whole(seconds: int, rate: Rate | None, costs: int) -> None:
    assert price(seconds, rate) == costs


def test_the_longest_beginning_has_the_price() -> None:
    rates = (Rate("", 10), Rate("+48", 20), Rate("+4860", 30))
    assert rate_for("+48600100200", rates) == rates[2]
    assert rate_for("+48221234567", rates) == rates[1]
    assert rate_for("+1212", ()) is None


def test_what_is_left_and_how_much_is_used() -> None:
    cap, spent = Cap(day_minutes=100, month_money=1000, night_minutes=5), Spent(Sum(4800), Sum(4800, 900), Sum(240))
    assert left(cap, spent, False, None) == 1200
    assert left(cap, spent, False, Rate("", 10000, 60)) == 60
    assert left(cap, spent, True, None) == 60
    assert left(Cap(), spent, True, None) == inf
    assert used(cap, spent, False) == (90, "month")
    assert used(Cap(), spent, False) == (0, "")


def test_a_mask_changes_how_a_number_is_shown_and_nothing_else() -> None:
    masks = ("+48 22 ### ## ##", "+48 ## ### ## ##")
    assert with_mask("+48221234567", masks) == "+48 22 123 45 67"
    assert with_mask("+48601002003", masks) == "+48 60 100 20 03"
    assert with_mask("+380671234567", masks) == ""
    assert with_mask("112", masks) == ""
