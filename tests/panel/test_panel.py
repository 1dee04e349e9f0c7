"""Lamps and buttons: the table in words, and real gpiozero devices on mock pins."""

import itertools

import pytest
from gpiozero.pins.mock import MockFactory

from appliance.core.events import ButtonPressed
from appliance.panel import pins
from appliance.panel.pins import BUTTON_PINS, LAMP_PINS, Panel
from appliance.panel.table import FAULT_CODES, SIM_PATTERNS, Facts, blink, lamps, press_of


def shown(facts):
    return {lamp.name: (lamp.pattern, lamp.word) for lamp in lamps(facts)}


def test_all_well_is_power_steady_and_the_rest_quiet():
    assert shown(Facts(sims=("up",))) == {
        "power": ("steady", "power-well"),
        "sim": ("steady", "sim-registered"),
        "line": ("off", "line-free"),
        "message": ("off", "message-none"),
        "night": ("off", "night-open"),
    }


@pytest.mark.parametrize(
    ("facts", "lamp", "pattern"),
    [
        (Facts(starting=True), "power", "slow"),
        (Facts(faults=("disk-full",)), "power", "code-4"),
        (Facts(sims=("up", "pin-needed")), "sim", "double"),
        (Facts(sims=("searching",)), "sim", "slow"),
        (Facts(sims=("data-only",)), "sim", "fast"),
        (Facts(sims=("not-there",)), "sim", "off"),
        (Facts(calls=("talking", "ringing")), "line", "fast"),
        (Facts(calls=("held",)), "line", "slow"),
        (Facts(calls=("talking",)), "line", "steady"),
        (Facts(unread=1), "message", "slow"),
        (Facts(unread=1, storage_full=True), "message", "fast"),
        (Facts(night="on"), "night", "steady"),
        (Facts(closed_by_hours=True), "night", "slow"),
        (Facts(night="off", closed_by_hours=True), "night", "off"),
    ],
)
def test_each_state_has_its_pattern(facts, lamp, pattern):
    assert shown(facts)[lamp][0] == pattern


def test_every_state_of_a_sim_has_a_pattern_that_blinks_or_stands():
    for state in SIM_PATTERNS:
        assert blink(shown(Facts(sims=(state,)))["sim"][0])


@pytest.mark.parametrize("code", sorted(FAULT_CODES.values()))
def test_a_fault_code_is_blinked_as_often_as_its_number(code):
    assert sum(lit for lit, _ in blink(f"code-{code}")) == code


@pytest.mark.parametrize(
    ("held", "press"), [(0.1, "short"), (2.9, "short"), (3.0, "long"), (9.9, "long"), (10.0, "very-long")]
)
def test_a_press_is_named_by_how_long_it_was_held(held, press):
    assert press_of(held) == press


@pytest.fixture
def factory():
    made = MockFactory()
    yield made
    made.reset()


def test_a_long_press_never_also_does_the_short_one(factory, monkeypatch):
    posted = []
    clock = itertools.chain([100.0, 103.5, 200.0, 200.2])
    monkeypatch.setattr(pins.time, "monotonic", lambda: next(clock))
    panel = Panel(posted.append, factory)
    panel.start()
    button = factory.pin(BUTTON_PINS["night"])
    button.drive_low()
    button.drive_high()
    button.drive_low()
    button.drive_high()
    panel.stop()
    assert posted == [ButtonPressed("night", "long"), ButtonPressed("night", "short")]


def test_lamps_follow_their_pattern_and_go_out_at_the_end(factory):
    panel = Panel(lambda event: None, factory)
    panel.start()
    panel.start()
    panel.show(lamps(Facts(sims=("searching",), night="on")), 0.0)
    seen = []
    for at in (0.0, 0.9, 1.1, 2.1):
        panel.tick(at)
        seen.append((factory.pin(LAMP_PINS["sim"]).state, factory.pin(LAMP_PINS["night"]).state))
    panel.stop()
    panel.stop()
    assert seen == [(1, 1), (1, 1), (0, 1), (1, 1)]
