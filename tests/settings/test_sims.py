"""From a line's settings to its credit guard and its forwarding; settings of before have defaults."""

from appliance.core.forwarding import Diverted
from appliance.settings.schema import LINES, check_between, check_section
from appliance.settings.secret import Secret
from appliance.settings.sims import balance_of, guard_of, topup_hooks, wish_of

BEFORE = {"id": "gsm0", "label": "Reception", "device": "/dev/x"}


def line(**more: object) -> dict:
    clean, faults = check_section(LINES, {"items": [{**BEFORE, **more}]})
    assert faults == {}, faults
    return dict(clean["items"][0])  # type: ignore[index]


def test_a_line_of_before_reads_no_balance_tops_nothing_up_and_forwards_nothing() -> None:
    item = line()
    assert balance_of(item).code == ""
    guard = guard_of(item)
    assert (guard.low, guard.topup, guard.vouchers, guard.daily) == (300, "none", (), 1)
    assert wish_of(item).wanted() == ()
    assert topup_hooks([item]) == {}
    assert guard_of(BEFORE) == guard
    assert wish_of(BEFORE) == wish_of(item)


def test_settings_become_what_is_decided_with() -> None:
    item = line(balance_low="4,5", renewal_cost="30", renewal_day=5, topup="voucher", topup_code="*1*{voucher}#",
                vouchers="111122223333, 444455556666", topup_daily=2, backup_number="0048 22 123 45 67",
                forward_no_answer=True, forward_seconds="15")  # fmt: skip
    guard = guard_of(item)
    assert (guard.low, guard.renewal_cost, guard.renewal_day, guard.daily) == (450, 3000, 5, 2)
    assert guard.vouchers == ("111122223333", "444455556666")
    assert wish_of(item).wanted() == (
        Diverted("unreachable", "+48221234567"),
        Diverted("no-answer", "+48221234567", 15),
    )


def test_a_top_up_without_what_it_needs_is_a_fault() -> None:
    for more, missing in (
        ({"topup": "ussd"}, {"topup_code"}),
        ({"topup": "voucher", "topup_code": "*1#"}, {"topup_code", "vouchers"}),
        ({"topup": "webhook"}, {"topup_url"}),
        ({"topup": "none"}, set()),
    ):
        faults = check_between({"lines": {"items": [{**line(), **more}]}})
        assert {path.split(".")[2] for path in faults} == missing, more


def test_a_web_address_that_tops_up_has_its_line_in_its_name() -> None:
    item = line(topup="webhook", topup_url="https://example.org/topup", topup_secret=Secret("k"))
    assert topup_hooks([item]) == {"@topup:gsm0": ("Reception", "https://example.org/topup", Secret("k"))}
