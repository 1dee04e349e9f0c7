"""Who is blocked by himself, who is asked for a key, and what a pause does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call import Call
from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    CallId,
    Kind,
    LegId,
    Number,
    RefuseStep,
    RingStep,
    Route,
    ScreenStep,
    Target,
)
from appliance.core.plan import Block
from appliance.core.repeats import MOST_CALLERS, Repeats, due, noted
from appliance.core.routing import route
from appliance.core.screening import DIGITS
from tests.core.builders import CLOSED, GSM0, OPEN, OWN, line, number, offer, plan, presence

CALLER = number("+48600100200")
RULE = Repeats(3, 10, 24)


def test_the_third_call_in_ten_minutes_outside_hours_is_blocked_and_makes_an_entry_with_its_end() -> None:
    tries: dict = {}
    for minutes in (0, 4):
        at = CLOSED + timedelta(minutes=minutes)
        found = route(offer(), plan(repeats=RULE), at, presence(tries=tries))
        assert found.adds is None
        assert found.trace[-1].rule == "then-announce"
        tries = noted(tries, CALLER, at, RULE)
    at = CLOSED + timedelta(minutes=9)
    found = route(offer(), plan(repeats=RULE), at, presence(tries=tries))
    assert found.steps == (RefuseStep(Cause.BLOCKED, Cause.REJECTED),)
    assert found.trace[-1].rule == "blocked-by-itself"
    assert found.adds == Block(0, CALLER.text, ends=at + timedelta(hours=24), origin="automatic")
    later = CLOSED + timedelta(minutes=20)
    assert route(offer(), plan(repeats=RULE), later, presence(tries=tries)).adds is None


@pytest.mark.parametrize("why", ["off", "open", "allowed", "own", "unsure clock", "other caller"])
def test_nobody_is_blocked_by_himself_who_should_not_be(why: str) -> None:
    tries = noted(noted({}, CALLER, CLOSED, RULE), CALLER, CLOSED, RULE)
    facts: dict = {
        "repeats": None if why == "off" else RULE,
        "known": frozenset({CALLER.text if why == "own" else OWN}),
    }
    blocks = [Block(1, "+48600*", allow=True)] if why == "allowed" else []
    state = presence(tries=tries, clock_sure=why != "unsure clock")
    caller = offer("+48600100201") if why == "other caller" else offer()
    found = route(caller, plan(*blocks, **facts), OPEN if why == "open" else CLOSED, state)
    assert found.adds is None
    assert found.steps[0].cause != Cause.BLOCKED if hasattr(found.steps[0], "cause") else True


def test_an_entry_made_by_itself_ends_by_itself() -> None:
    entry = Block(4, CALLER.text, ends=CLOSED + timedelta(hours=24), origin="automatic")
    blocked = route(offer(), plan(entry), CLOSED + timedelta(hours=23), presence())
    assert [step.rule for step in blocked.trace] == ["came-in", "block-automatic"]
    assert route(offer(), plan(entry), CLOSED + timedelta(hours=24), presence()).block is None


def test_counters_are_bounded_and_forget_what_is_old() -> None:
    tries: dict = {}
    for n in range(MOST_CALLERS + 50):
        tries = noted(tries, number(f"+48600{n:06d}"), CLOSED + timedelta(milliseconds=n), RULE)
    assert len(tries) == MOST_CALLERS
    assert "+48600000000" not in tries
    assert noted(tries, number("withheld"), CLOSED + timedelta(hours=1), RULE) == {}
    assert due(tries, number("withheld"), CLOSED, RULE) is None


def test_a_pause_lets_everybody_ring_until_its_end() -> None:
    until = {"pause-blocks": (OPEN + timedelta(minutes=5)).isoformat()}
    paused = route(offer(), plan(Block(1, "+48*")), OPEN, presence(overrides=until))
    assert isinstance(paused.steps[0], RingStep)
    assert paused.trace[1].rule == "blocking-paused"
    over = route(offer(), plan(Block(1, "+48*")), OPEN + timedelta(minutes=5), presence(overrides=until))
    assert over.block == 1
    broken = route(offer(), plan(Block(1, "+48*")), OPEN, presence(overrides={"pause-blocks": "soon"}))
    assert broken.block == 1


def test_a_clock_that_is_not_sure_lets_hidden_callers_ring_outside_hours() -> None:
    office = plan(lines={GSM0: replace(line(), withheld="block-after-hours")})
    assert route(offer("withheld"), office, CLOSED, presence()).steps[0].cause == Cause.BLOCKED
    assert isinstance(route(offer("withheld"), office, CLOSED, presence(clock_sure=False)).steps[0], RingStep)


def test_a_stranger_is_asked_for_a_key_before_any_phone_rings() -> None:
    office = plan(Block(1, "+48500100200", allow=True), lines={GSM0: line(strangers="key")})
    found = route(offer(), office, OPEN, presence(digit="7"))
    assert found.steps[0] == ScreenStep("press-7", "7")
    assert isinstance(found.steps[1], RingStep)
    assert "asked-for-a-key" in [step.rule for step in found.trace]
    assert isinstance(route(offer("+48500100200"), office, OPEN, presence()).steps[0], RingStep)
    assert not isinstance(route(offer(), office, CLOSED, presence()).steps[0], ScreenStep)
    nobody = route(offer(), office, OPEN, presence(registered=frozenset()))
    assert not isinstance(nobody.steps[0], ScreenStep)


def test_hidden_callers_may_be_asked_for_a_key() -> None:
    office = plan(lines={GSM0: line(withheld="key")})
    assert isinstance(route(offer("withheld"), office, OPEN, presence()).steps[0], ScreenStep)
    assert isinstance(route(offer("unavailable"), office, OPEN, presence()).steps[0], RingStep)
    assert isinstance(route(offer(), office, OPEN, presence()).steps[0], RingStep)


CALL, LEG = CallId("c1"), LegId("caller")


def screened(*events: ev.Event, caller=CALLER) -> tuple[Call, list[do.Command]]:
    """A call that is up and asked for key 3, and the commands of the last event."""
    steps = (ScreenStep("press-3", "3", 8.0), RingStep((Target(PHONES, Number("101", Kind.INTERNAL)),), 20.0))
    call = Call(CALL, offer(caller.text or str(caller.kind)), Route(steps, ()), plan(), 0.0, "t")
    assert call.begin() == [do.Answer(LEG)]
    said = call.handle(ev.Answered(LEG), 1.0)
    assert said == [do.Play(LEG, "press-3", "en"), do.StartTimer(CALL, "screen", 38.0)]
    for event in events:
        said = call.handle(event, 2.0)
    return call, said


def test_the_right_key_passes_and_the_caller_is_on_the_allow_list() -> None:
    assert screened(ev.PromptEnded(LEG))[1] == [do.StartTimer(CALL, "screen", 8.0)]
    call, done = screened(ev.PromptEnded(LEG), ev.Digit(LEG, "3"))
    assert done[:3] == [do.StopPlay(LEG), do.StopTimer(CALL, "screen"), do.AllowCaller(CALLER)]
    assert [type(c) for c in done if isinstance(c, do.Dial)] == [do.Dial]
    assert call.route.trace[-1].rule == "key-pressed"


def test_a_hidden_caller_passes_once_only() -> None:
    _, done = screened(ev.Digit(LEG, "3"), caller=number("withheld"))
    assert do.AllowCaller not in [type(c) for c in done]
    assert do.Dial in [type(c) for c in done]


@pytest.mark.parametrize("event", [ev.Digit(LEG, "4"), ev.TimerFired(CALL, "screen")])
def test_a_wrong_key_and_none_are_turned_away(event: ev.Event) -> None:
    call, done = screened(event)
    assert do.HangUp(LEG, Cause.NORMAL) in done
    assert call.ended
    assert (call.cause, call.route.trace[-1].rule) == (Cause.BLOCKED, "key-wrong")


def test_who_hangs_up_has_left_and_what_belongs_to_others_changes_nothing() -> None:
    for other in (ev.Digit(LegId("x"), "3"), ev.TimerFired(CALL, "longest")):
        assert screened(other)[1] == []
    call, _ = screened(ev.Ended(LEG, Cause.NORMAL))
    assert (call.ended, call.cause) == (True, Cause.CANCELLED)


def test_the_keys_are_not_those_that_machines_press() -> None:
    assert set(DIGITS).isdisjoint("012")
