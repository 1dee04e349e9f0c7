"""A digit pressed once is one digit, however many ways the phone sends it."""

import pytest

from appliance.protocols.dtmf import DigitsOnce


@pytest.mark.parametrize(
    ("heard", "pressed"),
    [
        ("r1 i1", "1"),  # both ways, telephone-event first
        ("i1 r1", "1"),
        ("r1 i1 r1 i1", "11"),
        ("r1 r2 i1 i2", "12"),  # INFO is slow
        ("r1 r1 r1", "111"),  # one way only
        ("i5 i5", "55"),
        ("r1 i2", "12"),
    ],
)
def test_a_digit_that_comes_both_ways_is_one(heard: str, pressed: str) -> None:
    once, got = DigitsOnce(), ""
    for number, one in enumerate(heard.split()):
        if once.is_new(one[1], one[0] == "i", 10 + number * 0.2):
            got += one[1]
    assert got == pressed


def test_the_same_digit_later_by_the_other_way_is_another_one() -> None:
    once = DigitsOnce()
    assert once.is_new("1", True, 1.0)
    assert once.is_new("1", False, 3.0)
