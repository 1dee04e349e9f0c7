"""The PIN for what a phone may not call, told as stories."""

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call import State
from appliance.core.causes import Cause
from appliance.core.limits import TOO_MANY, Limits
from appliance.core.model import RefuseStep
from appliance.core.plan import Person
from appliance.core.plan_calling import Cap
from appliance.core.routing import route
from tests.core.builders import GSM0, GSM1, OPEN, dialled, line, plan, presence
from tests.core.test_call import CALLER, Story

NARROW = plan(people={"101": Person("101", "Anna", "pl", None, frozenset({"internal"}), pin="4711")})


def typed(story: Story, digits: str) -> Story:
    for digit in digits:
        story.then(ev.Digit(CALLER, digit))
    return story


def asked() -> Story:
    story = Story(dialled("600100200"), office=NARROW)
    assert story.did == [do.Answer(CALLER)]
    story.then(ev.Answered(CALLER))
    assert do.Play(CALLER, "enter-pin", "pl") in story.did
    return story


def test_who_types_the_right_pin_is_put_through() -> None:
    story = typed(asked(), "4711#")
    leg = story.legs()[0]
    story.then(ev.Answered(leg))
    assert do.Join(CALLER, leg) in story.did
    story.then(ev.Ended(CALLER, Cause.NORMAL))
    assert story.row.called.text == "+48600100200"
    assert "4711" not in repr(story.row)


def test_a_pause_ends_the_pin_as_well() -> None:
    story = typed(asked(), "4711").then(ev.TimerFired("c", "pin"))
    assert len(story.legs()) == 1


def test_three_wrong_pins_end_the_call_and_rest_the_question() -> None:
    story = typed(asked(), "1#")
    assert do.Say(CALLER, ("wrong-pin", "enter-pin"), "pl") in story.did
    typed(typed(story, "22#"), "333#")
    assert do.SetOverride("pin-wrong/101", "t", "101") in story.did
    assert do.HangUp(CALLER, Cause.NORMAL) in story.did
    assert story.row.cause is Cause.NOT_ALLOWED
    assert story.legs() == []


@pytest.mark.parametrize("event", [ev.Ended(CALLER, Cause.NORMAL)])
def test_who_hangs_up_at_the_question_leaves_one_record(event: ev.Event) -> None:
    story = asked().then(event)
    assert story.row.cause is Cause.CANCELLED


# ---- a call that runs into its cap --------------------------------------------------------------------------------


def test_a_running_call_is_warned_a_minute_before_and_then_ended() -> None:
    office = plan(lines={GSM0: line(cap=Cap(day_minutes=3))})
    story = Story(dialled("600100200"), office=office)
    leg = story.legs()[0]
    story.then(ev.Answered(leg)).then(ev.Answered(CALLER))
    assert do.StartTimer("c", "longest", 180) in story.did
    assert do.StartTimer("c", "warn", 120) in story.did
    story.then(ev.TimerFired("c", "warn"), later=120)
    assert story.did == [do.Play(one, "minute-left", "pl") for one in (CALLER, leg)]
    story.then(ev.TimerFired("c", "longest"), later=60)
    assert do.HangUp(leg, Cause.NORMAL) in story.did
    assert story.call.state is State.ENDED


def test_a_call_without_a_cap_is_not_warned() -> None:
    story = Story(dialled("600100200"))
    story.then(ev.Answered(story.legs()[0])).then(ev.Answered(CALLER))
    assert [c.name for c in story.did if isinstance(c, do.StartTimer)] == ["longest"]


# ---- calls a minute -----------------------------------------------------------------------------------------------


def test_a_phone_that_calls_out_again_and_again_is_stopped_at_the_set_rate() -> None:
    limits, offer = Limits(invites_per_phone=100), dialled("600100200")
    decided = route(offer, plan(), OPEN, presence())
    found = [limits.applied(offer, decided, 0, at=float(n)) for n in range(21)]
    assert [isinstance(one.steps[0], RefuseStep) for one in found] == [False] * 20 + [True]
    assert found[20].trace[-1].rule == TOO_MANY
    assert not isinstance(limits.applied(offer, decided, 0, at=61.0).steps[0], RefuseStep)
    other = dialled("600100200", "102")
    assert limits.applied(other, decided, 0, at=20.0) == decided, "other phones are not stopped"
    emergency = route(dialled("112"), plan(), OPEN, presence())
    assert limits.applied(dialled("112"), emergency, 9, at=20.5) == emergency


@pytest.mark.parametrize(
    ("cause", "next_line"),
    [
        (Cause.CONGESTION, True), (Cause.UNREACHABLE, True), (Cause.NOT_ALLOWED, True), (Cause.LINE_LOST, True),
        (Cause.BUSY, False), (Cause.REJECTED, False), (Cause.NO_ANSWER, False),
    ],
)  # fmt: skip
def test_the_next_line_is_tried_when_the_line_failed_and_not_when_somebody_said_no(
    cause: Cause, next_line: bool
) -> None:
    both = frozenset({GSM0, GSM1})
    office = plan(lines={GSM0: line(), GSM1: line(GSM1)}, outgoing=())
    story = Story(dialled("600100200"), office=office, lines_up=both, lines_free=both)
    story.then(ev.Ended(story.legs()[0], cause))
    assert bool(story.legs()) is next_line
    if next_line:
        story.then(ev.Ended(story.legs()[0], Cause.BUSY))
        assert [leg["line"] for leg in story.row.legs] == ["gsm0", "gsm1"], "the journal tells both"
        assert [leg["cause"] for leg in story.row.legs] == [cause, Cause.BUSY]
