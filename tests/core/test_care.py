"""The steps a failing modem goes through."""

from appliance.core.care import ROUND_AGAIN, Ladder


def climb(ladder: Ladder, seconds: float, answering: bool = False, begin: float = 0.0) -> list[str]:
    """What is done when it fails every ten seconds."""
    return [ladder.failed(begin + at, answering) for at in range(0, int(seconds), 10)]


def heavier(steps: list[str]) -> list[str]:
    return [step for step in steps if step not in ("reopen", "wait")]


def test_each_step_is_taken_once_and_then_people_are_told_once() -> None:
    steps = climb(Ladder(has_power=True), 500)
    assert steps[0] == "reopen"
    assert heavier(steps) == ["radio", "reset", "power", "give-up"]


def test_a_step_has_time_to_work_before_the_next() -> None:
    ladder = Ladder()
    steps = climb(ladder, 100)
    assert steps.index("reset") - steps.index("radio") == 2
    assert steps.index("give-up") - steps.index("reset") == 4


def test_the_heavy_steps_come_again_every_ten_minutes() -> None:
    ladder = Ladder(has_power=True)
    climb(ladder, 500)
    later = climb(ladder, 2 * ROUND_AGAIN, begin=500.0)
    assert heavier(later) == ["reset", "power", "reset", "power"]
    assert len(later) > 100, "and between them it is asked"


def test_a_modem_that_answers_is_not_opened_anew_but_helped() -> None:
    steps = climb(Ladder(), 500, answering=True)
    assert heavier(steps) == ["radio", "reset", "give-up"]
    assert "reopen" not in steps


def test_after_a_while_of_service_it_begins_at_the_first_step_and_says_that_it_is_back() -> None:
    ladder = Ladder()
    climb(ladder, 500)
    assert not ladder.well(500.0)
    assert not ladder.well(520.0)
    assert ladder.well(530.0)
    assert not ladder.well(560.0), "once"
    assert ladder.failed(600.0) == "reopen"
    assert ladder.failed(610.0) == "radio"


def test_a_moment_of_service_between_two_failures_does_not_begin_anew() -> None:
    ladder = Ladder()
    assert ladder.failed(0.0) == "reopen"
    assert not ladder.well(5.0)
    assert ladder.failed(10.0) == "radio"


def test_steps_are_counted() -> None:
    ladder = Ladder()
    climb(ladder, 60)
    assert (ladder.counts["radio"], ladder.counts["reset"]) == (1, 1)
    assert ladder.counts["reopen"] >= 2
