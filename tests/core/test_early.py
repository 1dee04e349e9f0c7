"""Announcements that are said without answering: the caller pays nothing for them."""

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from tests.core.builders import CLOSED, GSM0, line, plan
from tests.core.test_call import CALLER, Story

EARLY = plan(lines={GSM0: line(early=True)})


def test_the_caller_hears_it_before_an_answer_and_the_call_never_counts_as_talk() -> None:
    story = Story(office=EARLY, now=CLOSED)
    assert do.Progress(CALLER) in story.did
    assert do.Answer(CALLER) not in story.did
    story.then(ev.Progressed(CALLER))
    assert do.Play(CALLER, "closed", "pl") in story.did
    story.then(ev.PromptEnded(CALLER), later=6)
    assert do.HangUp(CALLER, Cause.CLOSED) in story.did
    assert (story.row.cause, story.row.talk_ms, story.row.answered_by) == (Cause.CLOSED, 0, "announcement")


def test_where_nothing_can_be_heard_before_an_answer_it_is_answered() -> None:
    story = Story(office=EARLY, now=CLOSED)
    story.then(ev.TimerFired("c", "early"), later=2)
    assert story.did == [do.Answer(CALLER)]
    story.then(ev.Answered(CALLER))
    assert do.Play(CALLER, "closed", "pl") in story.did
    story.then(ev.PromptEnded(CALLER))
    assert do.HangUp(CALLER, Cause.NORMAL) in story.did


def test_a_caller_who_has_heard_enough_hangs_up() -> None:
    story = Story(office=EARLY, now=CLOSED)
    story.then(ev.Progressed(CALLER)).then(ev.Ended(CALLER, Cause.CANCELLED), later=2)
    assert story.row.cause is Cause.CLOSED
    assert story.row.talk_ms == 0


def test_a_greeting_is_answered_all_the_same() -> None:
    story = Story(office=plan(lines={GSM0: line(early=True, welcome="hello")}))
    assert do.Answer(CALLER) in story.did
    assert do.Progress(CALLER) not in story.did
