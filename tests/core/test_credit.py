"""The credit of a SIM: read out of any text, told once a fall, topped up once and never past the limit."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.credit import (
    Guard,
    Kept,
    TellLow,
    TellNoTopUp,
    TopUp,
    after_reading,
    amount_in,
    days_until,
    minor,
    runs_out,
    shown,
    vouchers_in,
    without_secrets,
)
from appliance.core.patterns import fault, found

FRIDAY = date(2026, 11, 27)
PLUS = r"stan konta[^:]*:\s*(?P<amount>-?\d+(?:[.,]\d{1,2})?)\s*PLN"


@pytest.mark.parametrize(
    ("text", "pattern", "amount"),
    [
        ("Aktualny stan konta dla numeru 48123456789: 1,23 PLN. Konto wazne do dnia 01-01-2022", PLUS, 123),
        ("Your balance is 12.30 PLN", "", 1230),
        ("Na rahunku 1 234,50 hrn", "", 123450),
        ("Saldo: -0,05 EUR", "", -5),
        ("Valid until 01-01-2022", "", None),
        ("nothing here", PLUS, None),
        ("Saldo 7 EUR", r"Saldo (\d+)", 700),
        ("", "", None),
    ],
)
def test_a_balance_is_read_or_unknown_but_never_zero(text: str, pattern: str, amount: int | None) -> None:
    assert amount_in(text, pattern) == amount


def test_amounts_are_written_as_people_write_them() -> None:
    assert [minor(text) for text in ("3", "3.5", "3,50", "1.234,50", "1,234.50", "x", "1.2.3", "")] == [
        300, 350, 350, 123450, 123450, None, None, None,
    ]  # fmt: skip
    assert [shown(amount, "PLN") for amount in (1230, 5, -5)] == ["12.30 PLN", "0.05 PLN", "-0.05 PLN"]


def test_a_fall_is_told_once_and_again_after_the_next_rise() -> None:
    guard, kept, told = Guard(low=300), Kept(), []
    for amount in (500, 250, 200, 400, 100):
        kept, actions = after_reading(guard, kept, amount, FRIDAY)
        told.append([type(action) for action in actions])
    assert told == [[], [TellLow], [], [], [TellLow]]


def test_it_is_topped_up_and_not_above_the_limit_of_a_day() -> None:
    guard, kept = Guard(topup="ussd", code="*100*5#", daily=2), Kept()
    done = []
    for _ in range(4):
        kept, actions = after_reading(guard, kept, 100, FRIDAY)
        done.append([action for action in actions if isinstance(action, TopUp)])
    assert [len(one) for one in done] == [1, 1, 0, 0]
    assert done[0][0].code == "*100*5#"
    kept, actions = after_reading(guard, Kept.of(kept.stored()), 100, FRIDAY + timedelta(days=1))
    assert [type(action) for action in actions] == [TopUp], "a new day has its own limit, and the fall is told already"


def test_the_threshold_is_exact_and_a_second_top_up_of_the_day_is_an_alarm() -> None:
    guard = Guard(low=300, renewal_cost=500, renewal_day=20, topup="ussd", code="*1#", daily=1)
    early, due = date(2026, 11, 10), date(2026, 11, 18)
    done = {
        (amount, day): [type(action) for action in after_reading(guard, Kept(), amount, day)[1]]
        for amount, day in ((299, early), (300, early), (400, early), (400, due), (500, due))
    }
    low = [TellLow, TopUp]
    assert done == {(299, early): low, (300, early): [], (400, early): [], (400, due): low, (500, due): []}
    kept, _ = after_reading(guard, Kept(), 299, early)
    kept, actions = after_reading(guard, kept, 299, early)
    assert actions == (TellNoTopUp("limit"),)
    assert after_reading(guard, Kept.of(kept.stored()), 299, early)[1] == (), "told once a day"


def test_a_clock_that_goes_back_does_not_open_the_limit() -> None:
    guard = Guard(topup="ussd", code="*100*5#")
    kept, _ = after_reading(guard, Kept(), 100, FRIDAY)
    for back, done in ((1, False), (7, False), (8, True)):
        actions = after_reading(guard, kept, 100, FRIDAY - timedelta(days=back))[1]
        assert any(isinstance(action, TopUp) for action in actions) is done, back


def test_a_limit_of_none_tops_nothing_up_and_says_so_once() -> None:
    guard = Guard(topup="ussd", code="*100*5#", daily=0)
    kept, actions = after_reading(guard, Kept(), 100, FRIDAY)
    assert actions[1:] == (TellNoTopUp("limit"),)
    assert after_reading(guard, kept, 100, FRIDAY)[1] == ()


def test_each_voucher_is_used_once() -> None:
    vouchers = vouchers_in("1111-2222-3333-44 55556666777788, 12\n55556666777788")
    assert vouchers == ("11112222333344", "55556666777788")
    guard, kept, codes = Guard(topup="voucher", code="*123*{voucher}#", vouchers=vouchers, daily=9), Kept(), []
    for _ in range(3):
        kept, actions = after_reading(guard, Kept.of(kept.stored()), 100, FRIDAY)
        codes += [action.code for action in actions if isinstance(action, TopUp)]
    assert codes == ["*123*11112222333344#", "*123*55556666777788#"]
    assert after_reading(guard, Kept(used=kept.used), 100, FRIDAY)[1][-1] == TellNoTopUp("no-vouchers")


def test_no_voucher_shows_in_what_is_logged_or_stored() -> None:
    guard = Guard(topup="voucher", code="*123*{voucher}#", vouchers=("11112222333344",))
    kept, actions = after_reading(guard, Kept(), 100, FRIDAY)
    assert "11112222333344" not in f"{guard} {actions} {kept.stored()}"
    assert without_secrets("Voucher 1111 2222 3333 44 is used. New balance 12.30") == (
        "Voucher ... is used. New balance 12.30"
    )


def test_the_money_for_a_package_must_be_there_three_days_before() -> None:
    guard = Guard(low=300, renewal_cost=3000, renewal_day=30)
    assert guard.needed(date(2026, 11, 26)) == 300
    assert guard.needed(date(2026, 11, 27)) == 3000
    assert guard.needed(date(2026, 12, 1)) == 300
    assert days_until(31, date(2027, 2, 25)) == 3
    assert days_until(5, date(2026, 12, 30)) == 6


def test_the_day_the_credit_ends_is_told_when_it_falls() -> None:
    start = datetime(2026, 11, 20, 3, tzinfo=UTC)
    falling = [(start + timedelta(days=n), 1000 - 100 * n) for n in range(5)]
    assert runs_out(falling) == date(2026, 11, 30)
    assert runs_out(falling[:2]) is None
    assert runs_out([(at, 1000) for at, _ in falling]) is None
    topped_up = [*falling, (start + timedelta(days=5), 5000), (start + timedelta(days=6), 4900)]
    assert runs_out(topped_up) is None, "two readings since the top-up say too little"


def test_a_pattern_that_never_ends_is_refused_and_could_not_hurt() -> None:
    assert fault(PLUS) == ""
    assert fault("(") == "not-a-regex"
    assert fault(r"(\d+)+(\s+)*(a|aa)+$x") in ("", "slow-regex")
    assert fault("(a|aa|aaa)+$") == "slow-regex"
    assert fault("x" * 301) == "too-long"
    assert found("(a|aa|aaa)+$", "a" * 200 + "!", "amount") is None


@given(st.text(max_size=60), st.text(max_size=200))
def test_no_pattern_and_no_text_makes_the_reader_fail(pattern: str, text: str) -> None:
    amount = amount_in(text, pattern)
    assert amount is None or abs(amount) <= 10_000_000
