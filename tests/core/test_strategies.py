"""Who rings first, who next: the strategies of blocks and groups, and whose turn it is in a queue."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from appliance.core.model import PHONES, Kind, Number, Presence, Target
from appliance.core.plan import Group
from appliance.core.queues import Queues
from appliance.core.scheme import Strategy
from appliance.core.strategies import waves
from tests.core.builders import number, presence

THREE = tuple(Target(PHONES, Number(extension, Kind.INTERNAL)) for extension in ("101", "102", "103"))
CALLER, OTHER = number("+48600100200"), number("+48600100201")
EVERYBODY = frozenset({"101", "102", "103"})


def order(strategy: Strategy, state: Presence, place: int = 0) -> list[str]:
    found, _ = waves(strategy, THREE, 20.0, place, state)
    return [wave.targets[0].number.text for wave in found]


def test_one_after_another_once_and_round_robin_again_and_again_from_its_place() -> None:
    assert order(Strategy.ORDER, presence()) == ["101", "102", "103"]
    assert waves(Strategy.ORDER, THREE, 20.0, 0, presence())[1] is False
    assert [order(Strategy.ROUND_ROBIN, presence(), place) for place in (0, 1, 2, 3)] == [
        ["101", "102", "103"], ["102", "103", "101"], ["103", "101", "102"], ["101", "102", "103"],
    ]  # fmt: skip
    assert waves(Strategy.ROUND_ROBIN, THREE, 20.0, 0, presence())[1] is True


def test_at_random_each_is_first_about_as_often_and_the_same_draw_gives_the_same_order() -> None:
    firsts = Counter(order(Strategy.RANDOM, presence(draw=draw))[0] for draw in range(300))
    assert all(60 <= firsts[extension] <= 141 for extension in EVERYBODY)  # 20 to 47 %
    assert order(Strategy.RANDOM, presence(draw=7)) == order(Strategy.RANDOM, presence(draw=7))


def test_who_answered_longest_ago_rings_first_and_who_never_did_before_all() -> None:
    state = presence(answered={"101": "2026-11-27T10:05", "102": "2026-11-27T10:01", "103": "2026-11-27T10:03"})
    assert order(Strategy.LONGEST_IDLE, state) == ["102", "103", "101"]
    assert order(Strategy.LONGEST_IDLE, replace(state, answered={"102": "2026-11-27T10:01"}))[-1] == "102"


def test_who_took_fewest_calls_rings_first() -> None:
    assert order(Strategy.FEWEST_CALLS, presence(taken={"101": 3, "103": 1})) == ["102", "103", "101"]


def test_all_at_once_has_no_waves() -> None:
    assert waves(Strategy.ALL, THREE, 20.0, 0, presence()) == ((), False)


# ---- queues ------------------------------------------------------------------------------------------------------


def group(strategy: Strategy = Strategy.ALL, **more: Any) -> dict[str, Group]:
    return {"sales": replace(Group("sales", "Sales", ("101", "102"), 30.0, strategy, queue=True), **more)}


def test_callers_are_served_in_the_order_in_which_they_came() -> None:
    queues, state = Queues(), presence(busy=frozenset({"101", "102"}))
    queues.enter("first", "sales", CALLER, 0.0)
    queues.enter("second", "sales", OTHER, 1.0)
    assert queues.turns(group(), state) == []
    [turn] = queues.turns(group(), replace(state, busy=frozenset({"101"})))
    assert (turn.call, turn.extensions) == ("first", ("102",))
    queues.leave("first")
    [turn] = queues.turns(group(), replace(state, busy=frozenset({"101"})))
    assert turn.call == "second"


def test_a_colleague_is_asked_for_one_caller_at_a_time_and_others_before_him_again() -> None:
    queues, state = Queues(), presence()
    queues.enter("first", "sales", CALLER, 0.0)
    queues.enter("second", "sales", OTHER, 1.0)
    turns = queues.turns(group(Strategy.ORDER), state)
    assert [(turn.call, turn.extensions) for turn in turns] == [("first", ("101",)), ("second", ("102",))]
    queues.enter("first", "sales", CALLER, 20.0)  # 101 did not answer
    queues.leave("second")
    assert [turn.extensions for turn in queues.turns(group(Strategy.ORDER), state)] == [("102",)]
    queues.enter("first", "sales", CALLER, 40.0)
    assert [turn.extensions for turn in queues.turns(group(Strategy.ORDER), state)] == [("101",)]


@pytest.mark.parametrize("away", ["dnd/101", "out/101"])
def test_who_is_away_or_rests_is_not_asked(away: str) -> None:
    queues = Queues()
    queues.enter("first", "sales", CALLER, 0.0)
    state = presence(overrides={away: "on"}, resting=frozenset({"102"}))
    assert queues.turns(group(), state) == []
    assert [turn.extensions for turn in queues.turns(group(), replace(state, resting=frozenset()))] == [("102",)]


def test_places_are_told_as_they_change_and_waits_learn_from_talks() -> None:
    queues, state = Queues(), presence(registered=frozenset({"101"}), busy=frozenset({"101"}))
    for name in ("first", "second"):
        queues.enter(name, "sales", CALLER, 0.0)
    assert [(one.call, one.place, one.wait) for one in queues.places(group(), state)] == [
        ("first", 1, 120.0), ("second", 2, 240.0),
    ]  # fmt: skip
    assert queues.places(group(), state) == []
    for _ in range(40):
        queues.talked("sales", 30.0)
    queues.leave("first")
    [place] = queues.places(group(), state)
    assert (place.call, place.place) == ("second", 1)
    assert 30.0 <= place.wait < 40.0


def test_who_wants_to_be_called_back_keeps_his_place_without_a_call() -> None:
    queues, state = Queues(), presence(busy=frozenset({"101", "102"}))
    queues.enter("first", "sales", CALLER, 0.0, "gsm0")
    queues.enter("second", "sales", OTHER, 1.0, "gsm0")
    assert queues.call_back("first", "gsm0")
    [turn, _] = queues.turns(group(Strategy.ORDER), presence())
    assert (turn.call, turn.number, turn.line) == ("", CALLER, "gsm0")
    queues.called_back("sales", CALLER)
    assert queues.length("sales") == 1
    assert queues.turns(group(), state) == []
