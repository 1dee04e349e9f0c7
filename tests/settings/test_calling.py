"""Settings of calling out: a file of before gives what was before, and what does not fit is said."""

import pytest

from appliance.core.plan_calling import CLASSES, Calling, Cap
from appliance.settings import calling
from appliance.settings.fields import check
from appliance.settings.schema import CALLING, LINES, OUTGOING, PEOPLE, check_section


def clean(fields, **values):
    found, faults = check(fields, values)
    assert faults == {}
    return found


def test_a_settings_file_of_before_has_no_cap_no_lock_and_only_its_own_country() -> None:
    assert calling.calling(clean(CALLING.fields)) == Calling(night_classes=CLASSES)
    assert calling.cap(clean(calling.LINE_FIELDS)) == Cap()
    assert calling.person_more(clean(calling.PERSON_FIELDS)) == {"cap": Cap(), "pin": "", "all_lines": True}
    rule, faults = check_section(OUTGOING, {"items": [{"id": "all", "pattern": "*", "lines": ["gsm0"]}]})
    assert faults == {}
    found = calling.rule(rule["items"][0], {}, None)
    assert (found.people, found.hours, found.cut, found.add, found.withhold) == (None, None, 0, "", False)


def test_prices_are_read_with_point_or_comma_to_the_ten_thousandth() -> None:
    rates = [{"beginning": "+48", "price": text, "step": 1} for text in ("0.19", "0,0125", "3")]
    line = calling.line_more(clean(calling.LINE_FIELDS, rates=rates))
    assert [rate.per_minute for rate in line["rates"]] == [1900, 125, 30000]


@pytest.mark.parametrize(
    ("doc", "field", "fault"),
    [
        ({"countries": [{"country": "XX"}]}, "calling.countries.0.country", "not-a-country"),
        ({"countries": [{"country": "UA", "until": "soon"}]}, "calling.countries.0.until", "not-a-date"),
        ({"countries": [{"country": "UA", "until": "2026-11-25T10:00"}]}, "calling.countries.0.until", "not-a-date"),
        ({"default_line": "gsm9"}, "calling.default_line", "unknown-line"),
        ({"default_line": "gsm0"}, "calling.default_line", "line-without-number"),
    ],
)
def test_what_does_not_fit_is_said(doc: dict, field: str, fault: str) -> None:
    line = {"id": "gsm0", "outgoing": True, "presents": True, "number": ""}
    found = calling.faults({"calling": clean(CALLING.fields, **doc)}, [line], [], [])
    assert {name: one.id for name, one in found.items()} == {field: fault}


def test_a_country_whose_moment_cannot_be_read_is_closed() -> None:
    found = calling.calling({**clean(CALLING.fields), "countries": [{"country": "UA", "until": "soon"}]})
    assert found.countries == {"UA": calling.NEVER}


def test_lists_are_bounded() -> None:
    rates = [{"beginning": "+48", "price": "1", "step": 60}] * 501
    assert check_section(LINES, {"items": [{"id": "gsm0", "rates": rates}]})[1]["lines.0.rates"].id == "too-many"
    people = {"id": "p1", "extension": "101", "name": "A", "call_pin": "1" * 13}
    assert check_section(PEOPLE, {"items": [people]})[1]["people.0.call_pin"].id == "too-long"
