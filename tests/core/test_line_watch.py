"""Numbers that stop arriving, and networks that are switched off."""

from datetime import date, timedelta

import pytest

from appliance.core.line_watch import MISSING, numbers_arrive, switch_off
from appliance.core.model import Kind

END = date(2027, 6, 30)


def told(*kinds: Kind) -> list[str]:
    known, said = -1, []
    for kind in kinds:
        known, what = numbers_arrive(known, kind)
        said.append(what)
    return said


def test_numbers_that_stop_arriving_are_told_once_and_their_return_too() -> None:
    none = [Kind.UNAVAILABLE] * (MISSING + 3)
    assert told(Kind.E164, *none, Kind.E164, Kind.E164) == ["", *[""] * 4, "stopped", "", "", "", "back", ""]


def test_a_line_that_never_showed_numbers_and_callers_who_hide_are_no_alarm() -> None:
    assert set(told(*[Kind.UNAVAILABLE] * 20)) == {""}
    assert set(told(Kind.E164, *[Kind.WITHHELD] * 20)) == {""}
    assert told(Kind.E164, Kind.UNAVAILABLE, Kind.WITHHELD, *[Kind.UNAVAILABLE] * 4)[-1] == "stopped"


@pytest.mark.parametrize(
    ("days", "before", "tells"),
    [(200, None, None), (180, None, 180), (100, 180, None), (90, 180, 90), (7, 30, 7), (1, 7, None), (0, 7, 0),
     (-10, 0, None), (-10, None, 0)],
)  # fmt: skip
def test_a_network_that_ends_is_told_in_steps(days: int, before: int | None, tells: int | None) -> None:
    today = END - timedelta(days=days)
    assert switch_off("2g", END, today, before) == tells
    assert switch_off("lte", END, today, before) is None
    assert switch_off("3g", None, today, before) is None
