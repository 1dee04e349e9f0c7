"""Decisions with their reasons, as the Try page shows them."""

from dataclasses import replace

import pytest

from appliance.core.causes import Cause
from appliance.core.model import AnnounceStep, DialStep, Direction, LineId, RefuseStep, RingStep, Route, ServiceStep
from appliance.core.plan import Block, OutgoingRule, Person, Plan
from appliance.core.routing import route
from appliance.core.screening import screen_sms
from appliance.words import TRACE, say
from tests.core.builders import CLOSED, GSM0, GSM1, OPEN, dialled, line, number, offer, plan, presence


def rules(found: Route) -> list[str]:
    return [step.rule for step in found.trace]


def test_a_caller_in_hours_rings_the_group() -> None:
    found = route(offer(), plan(), OPEN, presence())
    ring = found.steps[0]
    assert isinstance(ring, RingStep)
    assert [t.number.text for t in ring.targets] == ["101", "102"]
    assert rules(found)[:3] == ["came-in", "not-blocked", "open-hours"]


def test_a_caller_outside_hours_hears_the_announcement() -> None:
    found = route(offer(), plan(), CLOSED, presence())
    assert found.steps == (AnnounceStep("closed", Cause.CLOSED),)
    assert "closed-hours" in rules(found)


@pytest.mark.parametrize(("action", "wire"), [("busy", Cause.BUSY), ("reject", Cause.REJECTED)])
def test_outside_hours_a_line_may_be_busy_or_refuse(action: str, wire: Cause) -> None:
    office = plan(lines={GSM0: line(closed=action)})
    assert route(offer(), office, CLOSED, presence()).steps == (RefuseStep(Cause.CLOSED, wire),)


def test_a_blocked_number_is_refused_without_a_ring() -> None:
    found = route(offer(), plan(Block(7, "+48600100200")), OPEN, presence())
    assert found.steps == (RefuseStep(Cause.BLOCKED, Cause.REJECTED),)
    assert found.block == 7
    assert "block-list" in rules(found)


def test_the_allow_list_wins() -> None:
    office = plan(Block(1, "+48600*"), Block(2, "+48600100200", allow=True))
    found = route(offer(), office, OPEN, presence())
    assert isinstance(found.steps[0], RingStep)
    assert found.block == 2


def test_a_block_after_hours_lets_through_in_hours() -> None:
    office = plan(Block(1, "+48600100200", when="after-hours"))
    assert isinstance(route(offer(), office, OPEN, presence()).steps[0], RingStep)
    assert isinstance(route(offer(), office, CLOSED, presence()).steps[0], RefuseStep)


def test_a_block_of_one_line_leaves_the_others_alone() -> None:
    office = plan(Block(1, "+48600100200", line=GSM1), lines={GSM0: line(), GSM1: line(GSM1)})
    assert isinstance(route(offer(), office, OPEN, presence()).steps[0], RingStep)
    assert isinstance(route(offer(line_id=GSM1), office, OPEN, presence()).steps[0], RefuseStep)


@pytest.mark.parametrize(("action", "step"), [("busy", RefuseStep), ("announce", AnnounceStep)])
def test_a_blocked_caller_may_hear_something(action: str, step: type) -> None:
    assert isinstance(route(offer(), plan(Block(1, "+48600*", action=action)), OPEN, presence()).steps[0], step)


def test_withheld_and_not_delivered_have_rules_of_their_own() -> None:
    office = plan(lines={GSM0: line(withheld="block", unavailable="ring")})
    assert isinstance(route(offer("withheld"), office, OPEN, presence()).steps[0], RefuseStep)
    assert isinstance(route(offer("unavailable"), office, OPEN, presence()).steps[0], RingStep)


def test_the_night_switch_outweighs_the_hours() -> None:
    closed = route(offer(), plan(), OPEN, presence(overrides={"night": "on"}))
    assert isinstance(closed.steps[0], AnnounceStep)
    opened = route(offer(), plan(), CLOSED, presence(overrides={"night": "off"}))
    assert isinstance(opened.steps[0], RingStep)


def test_a_line_that_ignores_the_night_switch_ignores_it() -> None:
    office = plan(lines={GSM0: line(night=False)})
    assert isinstance(route(offer(), office, OPEN, presence(overrides={"night": "on"})).steps[0], RingStep)


def test_phones_that_are_offline_or_talking_are_left_out() -> None:
    found = route(offer(), plan(), OPEN, presence(registered=frozenset({"102"})))
    assert [t.number.text for t in found.steps[0].targets] == ["102"]
    assert "phone-offline" in rules(found)
    nobody = route(offer(), plan(), OPEN, presence(registered=frozenset()))
    assert nobody.steps == (AnnounceStep("nobody", Cause.NO_ANSWER),)


def test_no_extension_and_no_code_stands_in_the_way_of_an_emergency_number() -> None:
    office = plan(people={"112": Person("112", "Somebody", "pl", None)}, codes={"999": "echo"})
    for called in ("112", "999"):
        found = route(dialled(called), office, OPEN, presence())
        assert found.emergency
        assert isinstance(found.steps[0], DialStep)


@pytest.mark.parametrize("called", ["112", "999"])
def test_emergency_goes_first_and_past_every_rule(called: str) -> None:
    office = plan(lines={GSM0: line(outgoing=False)}, outgoing=(), people={})
    found = route(dialled(called), office, CLOSED, presence(lines_free=frozenset()))
    assert found.emergency
    assert isinstance(found.steps[0], DialStep)
    assert found.steps[0].targets[0].number.text == called


def test_of_two_lines_that_are_down_the_one_that_can_call_112_is_tried_first() -> None:
    gone, no_sim = LineId("a-gone"), LineId("b-no-sim")
    office = plan(lines={gone: line(id=gone), no_sim: line(id=no_sim)})
    state = presence(lines_up=frozenset(), lines_free=frozenset(), lines_emergency=frozenset({no_sim}))
    found = route(dialled("112"), office, OPEN, state)
    assert [target.line for target in found.steps[0].targets] == [no_sim, gone]


def test_a_colleague_rings_and_an_unknown_extension_does_not() -> None:
    assert isinstance(route(dialled("102"), plan(), OPEN, presence()).steps[0], RingStep)
    unknown = route(dialled("199"), plan(), OPEN, presence())
    assert unknown.steps == (RefuseStep(Cause.UNKNOWN_NUMBER),)


def test_the_most_exact_outgoing_rule_counts() -> None:
    office = plan(
        lines={GSM0: line(), GSM1: line(GSM1, own_number="+48990120101")},
        outgoing=(OutgoingRule("*", (GSM0,)), OutgoingRule("+4860*", (GSM1, GSM0))),
    )
    both = frozenset({GSM0, GSM1})
    found = route(dialled("600100200"), office, OPEN, presence(lines_up=both, lines_free=both))
    assert [t.line for t in found.steps[0].targets] == [GSM1, GSM0]
    assert found.direction is Direction.OUT


def test_nobody_dials_what_they_may_not() -> None:
    found = route(dialled("+380671234567"), plan(), OPEN, presence())
    assert found.steps == (AnnounceStep("not-allowed", Cause.NOT_ALLOWED),)
    assert "may-not-dial" in rules(found)


def test_a_feature_code_turns_the_night_on_and_off() -> None:
    on = route(dialled("*28"), plan(), OPEN, presence())
    assert on.steps == (ServiceStep("night.toggle", {"value": "on"}),)
    off = route(dialled("*28"), plan(), OPEN, presence(overrides={"night": "on"}))
    assert off.steps == (ServiceStep("night.toggle", {"value": ""}),)


def test_our_own_number_stays_in_the_house() -> None:
    found = route(dialled("+48990120100", "103"), plan(), OPEN, presence())
    assert found.direction is Direction.INTERNAL
    assert isinstance(found.steps[0], RingStep)


def test_every_trace_line_has_words() -> None:
    office = plan(Block(1, "+48700*"), Block(2, "+48600*", allow=True))
    situations = [
        route(offer(caller), office, now, presence())
        for caller in ("+48600100200", "+48700100200", "withheld", "unavailable", "+48500100200")
        for now in (OPEN, CLOSED)
    ] + [route(dialled(n), office, OPEN, presence()) for n in ("112", "102", "199", "*28", "600100200", "0901")]
    for found in situations:
        for step in found.trace:
            assert step.rule in TRACE
            assert "{" not in say(TRACE, step.rule, step.args)


def test_a_message_of_a_blocked_sender_is_stored_and_not_mailed() -> None:
    office = plan(Block(3, "+48600100200", what="messages"))
    assert screen_sms(number("+48600100200"), GSM0, office, OPEN).blocked
    assert not screen_sms(number("+48600100201"), GSM0, office, OPEN).blocked
    calls_only = plan(Block(3, "+48600100200", what="calls"))
    assert not screen_sms(number("+48600100200"), GSM0, calls_only, OPEN).blocked


def test_the_same_question_has_the_same_answer() -> None:
    office: Plan = plan(Block(1, "+48700*"))
    assert route(offer(), office, OPEN, presence()) == route(offer(), replace(office), OPEN, presence())
