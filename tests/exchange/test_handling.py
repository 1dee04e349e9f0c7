"""What concerns more than one call, on stand-in lines: queues, parking, pick-up, transfer, rooms, first callers."""

from dataclasses import replace

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import State
from appliance.core.causes import Cause
from appliance.core.model import LegId, LineId
from appliance.core.plan import Group
from appliance.core.scheme import Strategy
from appliance.exchange.handling import Handling

GSM = LineId("gsm0")
CALLER = "+48600100200"


@pytest.fixture
def handling(office):
    """The office with everything that handles calls, and its feature codes."""
    office.remembered = []
    office.exchange.plan = replace(
        office.exchange.plan,
        codes={"*8": "pickup", "**": "pickup.of", "*78": "dnd.on", "*79": "dnd.off"},
        groups={"office": replace(office.exchange.plan.groups["office"], wrap_up=0.0)},
    )
    return Handling(office.exchange, lambda line, number: office.remembered.append((line, number)))


def line(office, **more):
    one = replace(office.exchange.plan.lines[GSM], **more)
    office.exchange.plan = replace(office.exchange.plan, lines={GSM: one})


def group(office, **more):
    one = replace(Group("office", "Office", ("101", "102"), 25), **more)
    office.exchange.plan = replace(office.exchange.plan, groups={"office": one})


def answered(office, extension):
    """This colleague lifts."""
    leg = [c.leg for c in office.phones.dialled() if c.number.text == extension][-1]
    office.phones.far_answers(leg)
    office.settle()
    return leg


def states(office):
    return [running.call.state for running in office.exchange.calls.values()]


def test_two_first_calls_at_once_are_one_greeting(office, handling):
    line(office, first_greeting="closed")
    office.call_in(leg="gsm0-1")
    office.call_in(leg="gsm0-2")
    assert list(office.bridge.playing) == [LegId("gsm0-1")]
    assert office.remembered == [("gsm0", CALLER)]
    assert [running.call.state for running in office.exchange.calls.values()] == [State.GREETING, State.RINGING]


def test_a_blind_transfer_frees_the_phone_and_the_other_talks_on(office, handling):
    office.call_in()
    ben = answered(office, "102")
    office.exchange.handle(ev.TransferAsked(ben, "103"))
    office.settle()
    assert ben not in office.phones.legs
    cyril = answered(office, "103")
    assert office.bridge.joined == {(office.gsm.slot(LegId("gsm0-1")), office.phones.slot(cyril))}
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    assert office.row().answered_by == "103"


def test_an_attended_transfer_joins_the_two_who_stay(office, handling):
    office.call_in()
    ben = answered(office, "102")
    office.call_from("102", "103", leg="phones-7")
    cyril = answered(office, "103")
    office.exchange.handle(ev.TransferAsked(ben, "103", replaces=LegId("phones-7")))
    office.settle()
    assert office.bridge.joined == {(office.gsm.slot(LegId("gsm0-1")), office.phones.slot(cyril))}
    assert set(office.phones.legs) == {cyril}
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    assert office.phones.legs == {}
    assert len(office.storage.calls) == 2


def test_a_caller_from_outside_sends_nobody_on(office, handling):
    office.call_in()
    answered(office, "102")
    office.exchange.handle(ev.TransferAsked(LegId("gsm0-1"), "103"))
    office.settle()
    assert states(office) == [State.TALKING]


def test_a_full_car_park_brings_the_caller_back_and_a_fetched_call_frees_its_slot(office, handling):
    office.exchange.plan = replace(office.exchange.plan, park_slots=("701",))
    office.call_in()
    ben = answered(office, "102")
    office.exchange.handle(ev.TransferAsked(ben, "700"))
    office.settle()
    assert handling.slots() == {"701": CALLER}
    office.call_from("103", "701", leg="phones-9")
    assert handling.slots() == {"701": ""}
    assert office.bridge.joined == {(office.gsm.slot(LegId("gsm0-1")), office.phones.slot(LegId("phones-9")))}
    office.exchange.handle(ev.TransferAsked(LegId("phones-9"), "700"))
    office.settle()
    office.later(61)
    assert office.rung()[-1] == "103", "nobody fetched it"


def test_nobody_takes_what_does_not_ring_in_his_group(office, handling):
    office.call_in()
    office.call_from("103", "*8", leg="phones-9")
    assert [leg for leg, _ in office.bridge.playing.items()] == []
    assert LegId("phones-9") not in office.phones.legs or office.phones.legs[LegId("phones-9")] == "up"
    office.call_from("103", "**102", leg="phones-10")
    assert State.RINGING in states(office)
    group(office, members=("101", "102", "103"))
    office.call_from("103", "**102", leg="phones-11")
    assert office.bridge.joined == {(office.gsm.slot(LegId("gsm0-1")), office.phones.slot(LegId("phones-11")))}


def test_do_not_disturb_by_code_is_kept_and_asked(office, handling):
    office.call_from("102", "*78")
    assert office.storage.overrides == {"dnd/102": "on"}
    assert handling.left_alone() == frozenset({"102"})
    office.call_in(leg="gsm0-3")
    assert office.rung() == ["101"]
    office.call_from("102", "*79", leg="phones-2")
    assert office.storage.overrides == {"dnd/102": ""}


def test_the_waiting_are_served_in_order_and_a_colleague_rests_after_a_call(office, handling):
    group(office, members=("102",), queue=True, wrap_up=30.0)
    office.call_in(leg="gsm0-1")
    office.call_in(leg="gsm0-2", caller="+48600100201")
    handling.tick(office.clock.monotonic())
    office.settle()
    assert [c.caller.text for c in office.phones.dialled()] == [CALLER]
    answered(office, "102")
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    handling.tick(office.clock.monotonic() + 1)
    office.settle()
    assert len(office.phones.dialled()) == 1, "he has a pause"
    handling._resting.clear()
    handling.tick(office.clock.monotonic() + 2)
    office.settle()
    assert [c.caller.text for c in office.phones.dialled()] == [CALLER, "+48600100201"]


def test_a_round_robin_goes_on_where_it_stood_and_is_kept(office, handling):
    group(office, strategy=Strategy.ROUND_ROBIN, step=10.0)
    office.call_in(leg="gsm0-1")
    assert office.rung() == ["101"]
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    office.call_in(leg="gsm0-2")
    assert office.rung() == ["101", "102"]
    assert office.storage.facts["hunt", "group/office"] == 2


def test_everybody_in_a_room_hears_the_others(office, handling):
    office.exchange.plan = replace(office.exchange.plan, rooms={"800": ""})
    for number, extension in enumerate(("101", "102", "103")):
        office.call_from(extension, "800", leg=f"phones-{number}")
    slots = [office.phones.slot(LegId(f"phones-{number}")) for number in range(3)]
    pairs = {frozenset(pair) for pair in office.bridge.joined}
    assert pairs == {frozenset((a, b)) for a in slots for b in slots if a < b}


def test_the_colleagues_phone_rings_first_and_the_number_only_when_it_is_lifted(office, handling):
    handling.make_call("102", "600100299")
    office.settle()
    assert office.rung() == ["102"]
    assert office.gsm.dialled() == []
    answered(office, "102")
    [dialled] = office.gsm.dialled()
    assert dialled.number.text == "+48600100299"
    office.gsm.far_ends(dialled.leg, Cause.BUSY)
    office.settle()
    assert (office.row().cause, office.phones.legs) == (Cause.BUSY, {})
    assert isinstance(office.phones.seen[-1], do.HangUp)
