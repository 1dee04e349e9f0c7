"""Which lamps are lit, from the facts of the moment."""

from collections.abc import Mapping
from typing import Any

from appliance.core.model import PHONES, Kind, LegId, Number, Offer
from appliance.core.plan import Group, Plan
from appliance.core.watching import Moment, Ongoing, Stage, Talk, Watched, changes, circles, messages, watch
from tests.core.builders import GSM0, OWN, dialled, plan

PEOPLE = frozenset({"101", "102"})


def watched(office: Plan, moment: Moment) -> dict[str, Watched]:
    return watch(office, moment, circles(office))


def leg(name: str, line: str, number: str, state: str) -> Mapping[str, str]:
    return {"leg": name, "line": line, "number": number, "side": "", "state": state, "cause": ""}


def inside(state: str, called: str = "102", caller: str = "101") -> Ongoing:
    """A call from phone to phone."""
    legs = (leg("a", PHONES, caller, "caller"), leg("b", PHONES, called, state))
    return Ongoing(dialled(called, caller), legs)


def outside(state: str) -> Ongoing:
    """A call from the SIM to a phone."""
    offer = Offer(LegId("s"), GSM0, Number("+48600100200", Kind.E164), Number(OWN, Kind.E164), "Adam")
    return Ongoing(offer, (leg("s", GSM0, "+48600100200", "caller"), leg("b", PHONES, "102", state)))


def seen(name: str, *calls: Ongoing, **more: Any) -> Watched:
    return watched(plan(), Moment(calls, registered=PEOPLE, **more))[name]


def test_nobody_calls_and_every_lamp_is_dark() -> None:
    states = watched(plan(), Moment())
    assert set(states) == {"101", "102", "103", "gsm0", "office", "*28"}
    assert all(state.talks == () for state in states.values())


def test_a_phone_is_lit_while_it_dials_and_the_called_one_blinks_until_it_talks() -> None:
    assert seen("101", inside("ringing")).talks == (Talk("a", Stage.CONFIRMED, True, "102", "Person 102"),)
    for state, stage in (("dialling", Stage.TRYING), ("ringing", Stage.EARLY), ("talking", Stage.CONFIRMED)):
        assert seen("102", inside(state)).talks == (Talk("b", stage, False, "101", "Person 101"),)


def test_a_leg_that_lost_or_a_call_that_is_over_lights_nothing() -> None:
    assert seen("102", inside("ended")).talks == ()


def test_a_line_blinks_while_its_caller_waits_and_is_lit_while_somebody_talks() -> None:
    assert seen("gsm0", outside("ringing")).talks == (Talk("s", Stage.EARLY, False, "+48600100200", "Adam"),)
    assert seen("gsm0", outside("talking")).talks[0].stage is Stage.CONFIRMED
    assert seen("102", outside("ringing")).talks == (Talk("b", Stage.EARLY, False, "+48600100200", "Adam"),)


def test_a_line_that_somebody_dials_out_on_is_lit() -> None:
    legs = (leg("a", PHONES, "101", "caller"), leg("b", GSM0, "+48600", "ringing"))
    assert seen("gsm0", Ongoing(dialled("+48600"), legs)).talks == (Talk("b", Stage.CONFIRMED, True, "+48600"),)


def test_the_lamp_of_a_group_blinks_when_one_rings_and_is_lit_when_all_who_are_there_talk() -> None:
    assert seen("office", inside("ringing")).talks[0].stage is Stage.EARLY
    assert seen("office", inside("talking")).talks[0].stage is Stage.CONFIRMED
    assert seen("office", inside("talking", called="103")).talks == ()
    assert seen("office", inside("talking")).talks[0].other == ""


def test_night_mode_parked_calls_and_do_not_disturb_are_lamps_too() -> None:
    assert seen("*28", overrides={"night": "on"}).talks != ()
    assert seen("*28", overrides={"night": "off"}).talks == ()
    assert seen("701", parked={"701": "+48600", "702": ""}).talks[0].other == "+48600"
    assert seen("702", parked={"701": "+48600", "702": ""}).talks == ()
    assert seen("103", do_not_disturb=frozenset({"103"})).talks[0].stage is Stage.CONFIRMED


def test_who_is_signed_in_is_reachable() -> None:
    assert (seen("101").reachable, seen("103").reachable) == (True, False)


def test_colleagues_are_those_of_any_group_of_mine_and_i_myself() -> None:
    groups = {"a": Group("a", "A", ("101", "102")), "b": Group("b", "B", ("101", "103"))}
    office = plan(groups=groups)
    assert circles(office)["101"] == {"101", "102", "103"}
    assert circles(office)["102"] == {"101", "102"}
    assert watched(office, Moment())["103"].seen_by == {"101", "103"}


def test_only_what_changed_is_told_and_what_is_gone_as_gone() -> None:
    assert changes({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5}) == [("b", 4), ("d", 5), ("c", None)]
    assert messages(plan(), lambda e: (int(e == "101"), 0))["101"] == (1, 0)
