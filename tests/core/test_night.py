"""The end time of the night switch."""

import pytest

from appliance.core.night import night_over, until_of
from tests.core.builders import at

NOW = at("2026-11-27T17:00")


def test_an_end_ahead_is_kept_in_utc() -> None:
    assert until_of("2026-11-28T08:00:00+01:00", NOW) == "2026-11-28T07:00:00+00:00"
    assert until_of("", NOW) == ""


@pytest.mark.parametrize("text", ["2026-11-27T17:00:00+01:00", "2026-11-28T08:00", "tomorrow", "2029-01-01T00:00Z"])
def test_what_has_passed_or_is_no_time_is_refused(text: str) -> None:
    assert until_of(text, NOW) is None


def test_the_switch_goes_back_at_its_time_and_never_without_one() -> None:
    until = {"night": "on", "night/until": "2026-11-27T16:00:00+00:00"}
    assert night_over(until, NOW)
    assert not night_over(until, at("2026-11-27T16:59:59"))
    assert not night_over({"night": "on"}, NOW)
    assert not night_over({"night": "on", "night/until": ""}, NOW)
