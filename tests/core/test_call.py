"""The call machine, as stories: what happened, what the exchange shall do."""

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call import Call, State, diagram
from appliance.core.call_talk import cut
from appliance.core.causes import Cause
from appliance.core.model import CallId, LegId, Offer
from appliance.core.plan import Plan
from appliance.core.routing import route
from tests.core.builders import CLOSED, OPEN, dialled, offer, plan, presence

CALLER = LegId("caller")


class Story:
    """A call, told event by event; `did` are the commands of the last event."""

    def __init__(self, of: Offer | None = None, now=OPEN, office: Plan | None = None, **there: object) -> None:
        office = office or plan()
        of = of or offer()
        self.at = 100.0
        self.call = Call(CallId("c"), of, route(of, office, now, presence(**there)), office, self.at, "t")
        self.did = self.call.begin()

    def then(self, event: ev.Event, later: float = 1.0) -> "Story":
        self.at += later
        self.did = self.call.handle(event, self.at)
        return self

    def legs(self) -> list[LegId]:
        return [c.leg for c in self.did if isinstance(c, do.Dial)]

    def kinds(self) -> list[str]:
        return [type(c).__name__ for c in self.did]

    @property
    def row(self) -> do.CallRecord:
        return next(c.record for c in self.did if isinstance(c, do.StoreCall))


def test_the_first_to_answer_takes_the_call_and_the_others_stop_ringing() -> None:
    story = Story()
    anna, ben = story.legs()
    assert "Answer" not in story.kinds()
    story.then(ev.Ringing(anna)).then(ev.Answered(ben))
    assert do.HangUp(anna, Cause.ELSEWHERE) in story.did
    assert do.Answer(CALLER) in story.did
    story.then(ev.Answered(CALLER))
    assert do.Join(CALLER, ben) in story.did
    story.then(ev.Ended(CALLER, Cause.NORMAL), later=30)
    assert do.HangUp(ben, Cause.NORMAL) in story.did
    assert (story.row.answered_by, story.row.talk_ms, story.row.cause) == ("102", 30000, Cause.NORMAL)


def test_a_late_answer_of_a_phone_that_lost_is_ended_and_hurts_nobody() -> None:
    story = Story()
    anna, ben = story.legs()
    story.then(ev.Answered(ben)).then(ev.Answered(CALLER)).then(ev.Answered(anna))
    assert story.did == [do.HangUp(anna, Cause.ELSEWHERE)]
    story.then(ev.Ended(anna, Cause.ELSEWHERE))
    assert story.did == []
    assert story.call.state is State.TALKING


def test_when_nobody_answers_the_caller_is_told() -> None:
    story = Story()
    anna, ben = story.legs()
    story.then(ev.TimerFired("c", "no-answer"), later=25)
    assert all(do.HangUp(leg, Cause.NO_ANSWER) in story.did for leg in (anna, ben))
    assert do.Answer(CALLER) in story.did
    story.then(ev.Answered(CALLER))
    assert do.Play(CALLER, "nobody", "pl") in story.did
    story.then(ev.PromptEnded(CALLER))
    assert do.HangUp(CALLER, Cause.NORMAL) in story.did
    assert story.row.cause is Cause.NO_ANSWER


def test_one_phone_refuses_and_the_other_rings_on() -> None:
    story = Story()
    anna, ben = story.legs()
    story.then(ev.Ended(anna, Cause.REJECTED))
    assert story.did == []
    story.then(ev.Answered(ben))
    assert do.Answer(CALLER) in story.did


def test_a_caller_who_gives_up_leaves_a_missed_call() -> None:
    story = Story()
    anna, ben = story.legs()
    story.then(ev.Ended(CALLER, Cause.CANCELLED), later=8)
    assert all(do.HangUp(leg, Cause.CANCELLED) in story.did for leg in (anna, ben))
    assert (story.row.cause, story.row.ring_ms, story.row.talk_ms) == (Cause.CANCELLED, 8000, 0)


def test_a_modem_that_is_unplugged_ends_the_talk_and_says_so() -> None:
    story = Story()
    ben = story.legs()[1]
    story.then(ev.Answered(ben)).then(ev.Answered(CALLER)).then(ev.Ended(CALLER, Cause.LINE_LOST))
    assert do.HangUp(ben, Cause.NORMAL) in story.did
    assert story.row.cause is Cause.LINE_LOST


def test_a_call_that_is_ended_from_the_page_leaves_no_leg_and_says_by_whom() -> None:
    story = Story()
    anna, ben = story.legs()
    story.did = cut(story.call, "ola", 105.0)
    assert {c.leg for c in story.did if isinstance(c, do.HangUp)} == {anna, ben, CALLER}
    assert (story.row.cause, story.row.answered_by) == (Cause.BY_HAND, "")
    assert (story.row.trace[-1].rule, story.row.trace[-1].args) == ("ended-by-hand", {"name": "ola"})
    story = Story()
    anna, ben = story.legs()
    story.then(ev.Answered(ben)).then(ev.Answered(CALLER))
    story.did = cut(story.call, "ola", story.at + 30)
    assert [c.leg for c in story.did if isinstance(c, do.HangUp)] == [CALLER, ben]
    assert (story.row.cause, story.row.talk_ms, story.row.answered_by) == (Cause.NORMAL, 30000, "102")
    assert story.then(ev.Ended(ben, Cause.NORMAL)).did == [], "its row is written once"


def test_a_blocked_caller_causes_no_dial() -> None:
    from appliance.core.plan import Block

    story = Story(office=plan(Block(4, "+48600*")))
    assert story.kinds() == ["CountHit", "HangUp", "StoreCall"]
    assert story.row.cause is Cause.BLOCKED


def test_outside_hours_the_caller_hears_why_and_no_phone_rings() -> None:
    story = Story(now=CLOSED)
    assert story.did == [do.Answer(CALLER)]
    story.then(ev.Answered(CALLER))
    assert do.Play(CALLER, "closed", "pl") in story.did
    story.then(ev.Ended(CALLER, Cause.NORMAL), later=2)
    assert (story.row.cause, story.row.answered_by) == (Cause.CLOSED, "announcement")


def test_hold_plays_music_to_the_one_who_waits() -> None:
    story = Story(dialled("102"))
    ben = story.legs()[0]
    story.then(ev.Answered(ben)).then(ev.Answered(CALLER)).then(ev.Held(CALLER, True))
    assert do.Play(ben, "hold", "pl", loop=True) in story.did
    assert do.Part(CALLER, ben) in story.did
    story.then(ev.Held(CALLER, False))
    assert story.did == [do.StopPlay(ben), do.Join(CALLER, ben)]


def test_two_who_both_hold_are_joined_only_when_neither_does() -> None:
    story = Story(dialled("102"))
    ben = story.legs()[0]
    story.then(ev.Answered(ben)).then(ev.Answered(CALLER)).then(ev.Held(CALLER, True))
    story.then(ev.Held(ben, True))
    assert story.did == [do.StopPlay(ben)]
    story.then(ev.Held(CALLER, False))
    assert story.did == [do.Play(CALLER, "hold", "pl", loop=True)], "the other still holds"
    assert story.call.state_name() == "held"
    story.then(ev.Held(ben, False))
    assert story.did == [do.StopPlay(CALLER), do.Join(CALLER, ben)]
    assert story.call.state_name() == "talking"


def test_a_hold_told_twice_is_one() -> None:
    story = Story(dialled("102"))
    ben = story.legs()[0]
    story.then(ev.Answered(ben)).then(ev.Answered(CALLER)).then(ev.Held(ben, True)).then(ev.Held(ben, True))
    assert story.did == []


def test_who_holds_before_the_caller_is_up_is_not_joined() -> None:
    story = Story(dialled("102"))
    ben = story.legs()[0]
    story.then(ev.Answered(ben)).then(ev.Held(ben, True)).then(ev.Answered(CALLER))
    assert "Join" not in story.kinds()
    assert do.Play(CALLER, "hold", "pl", loop=True) in story.did
    story.then(ev.Held(ben, False))
    assert do.Join(CALLER, ben) in story.did


def test_digits_go_to_the_other_side() -> None:
    story = Story(dialled("102"))
    ben = story.legs()[0]
    story.then(ev.Answered(ben)).then(ev.Answered(CALLER)).then(ev.Digit(CALLER, "5"))
    assert story.did == [do.SendDigits(ben, "5")]
    story.then(ev.Digit(ben, "#"))
    assert story.did == [do.SendDigits(CALLER, "#")]


def test_a_line_that_fails_gives_way_to_the_next_of_the_route() -> None:
    from appliance.core.plan import OutgoingRule
    from tests.core.builders import GSM0, GSM1, line

    both = frozenset({GSM0, GSM1})
    office = plan(lines={GSM0: line(), GSM1: line(GSM1, own_number="")}, outgoing=(OutgoingRule("*", (GSM0, GSM1)),))
    story = Story(dialled("600100200"), office=office, lines_up=both, lines_free=both)
    first = story.legs()[0]
    story.then(ev.Ended(first, Cause.CONGESTION))
    second = story.legs()[0]
    story.then(ev.Ended(second, Cause.BUSY))
    assert do.HangUp(CALLER, Cause.BUSY) in story.did


def test_the_table_prints_itself() -> None:
    assert "ringing     Answered     callee  -> taken" in diagram()


EVENTS = st.sampled_from(["ringing", "progress", "answered", "ended", "held", "digit", "timer", "prompt", "number"])


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(EVENTS, st.integers(0, 3), st.sampled_from(list(Cause))), max_size=25),
    st.sampled_from(["+48600100200", "withheld", "102", "112", "*28", "*43", "600100200"]),
    st.booleans(),
)
def test_no_order_of_events_breaks_a_call(steps: list, who: str, open_now: bool) -> None:
    """Whatever comes in whatever order: no exception, exactly one row, and after it nothing but tidying up."""
    from tests.core.builders import number

    of = offer(who) if who.startswith("+") or who == "withheld" else dialled(who)
    story = Story(of, OPEN if open_now else CLOSED)
    known = [CALLER, *story.legs(), LegId("stranger")]
    rows = story.kinds().count("StoreCall")
    for name, which, cause in steps:
        leg = known[which % len(known)]
        event: ev.Event = {
            "ringing": ev.Ringing(leg), "progress": ev.Progressed(leg), "answered": ev.Answered(leg),
            "ended": ev.Ended(leg, cause), "held": ev.Held(leg, which % 2 == 0), "digit": ev.Digit(leg, "1"),
            "timer": ev.TimerFired("c", ["no-answer", "no-sign", "longest", "announcement"][which]),
            "prompt": ev.PromptEnded(leg), "number": ev.NumberKnown(leg, number("+48600100209")),
        }[name]  # fmt: skip
        was_over = story.call.ended
        story.then(event)
        known += story.legs()
        rows += story.kinds().count("StoreCall")
        if was_over:
            assert all(isinstance(c, do.HangUp) for c in story.did)
    story.then(ev.Ended(CALLER, Cause.NORMAL))
    rows += story.kinds().count("StoreCall")
    assert rows == 1
    assert story.call.ended
