"""Where a caller goes: modes of lines, schemes and their blocks, endings, colleagues' forwarding; and why."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    DialStep,
    GreetStep,
    MailboxStep,
    MenuStep,
    QueueStep,
    RefuseStep,
    ResponsibleStep,
    RingStep,
    Route,
    Step,
    ToneStep,
)
from appliance.core.plan import Group, Line, Person, Plan
from appliance.core.plan_time import Range
from appliance.core.routing import route
from appliance.core.scheme import Branch, Destination, Mailbox, Menu, Scheme, SchemeBlock, Strategy, To
from tests.core.builders import CLOSED, GSM0, GSM1, OPEN, at, dialled, line, offer, plan, presence

DAY = tuple(Range(day, time(9), time(17)) for day in range(5))
ANNA, BEN = Destination(To.PERSON, "101"), Destination(To.PERSON, "102")
BOX = Destination(To.MAILBOX, "office")
MOBILE = "+48600200300"


def block(*destinations: Destination, **more: Any) -> SchemeBlock:
    return replace(SchemeBlock(destinations), **more)


def office(*branches: Branch, of: Line | None = None, **more: Any) -> Plan:
    facts: dict[str, object] = {
        "schemes": {"main": Scheme("main", "Main", branches)},
        "lines": {GSM0: of or line(scheme="main"), GSM1: line(GSM1, label="Mobile", own_number="+48990120101")},
        "mailboxes": {"office": Mailbox("office", "Office")}, "menus": {"main": Menu("main", "Main", "menu", ())},
        "outgoing": (),
    }  # fmt: skip
    return plan(**{**facts, **more})


def all_week(*blocks: SchemeBlock, **more: Any) -> Branch:
    return replace(Branch("All", True, (), blocks), **more)


def come(the: Plan, now=OPEN, **state: Any) -> Route:
    facts = {"lines_up": frozenset({GSM0, GSM1}), "lines_free": frozenset({GSM1}), **state}
    return route(offer(), the, now, presence(**facts))


def kinds(steps: tuple[Step, ...]) -> list[str]:
    return [type(step).__name__.removesuffix("Step").lower() for step in steps]


def who(step: Step) -> list[str]:
    assert isinstance(step, RingStep | DialStep)
    return [target.number.text for target in step.targets]


def test_the_branch_of_the_hour_takes_the_call_and_its_blocks_come_in_order() -> None:
    day = Branch("Day", False, DAY, (block(ANNA), block(BEN, seconds=60.0)))
    rest = all_week(block(BOX))
    found = come(office(day, rest))
    assert kinds(found.steps) == ["ring", "ring", "announce"]
    assert [who(step) for step in found.steps[:2]] == [["101"], ["102"]]
    assert [step.targets[0].when_free for step in found.steps[:2] if isinstance(step, RingStep)] == [False, True]
    assert kinds(come(office(day, rest), CLOSED).steps) == ["mailbox"]
    assert kinds(come(office(day, rest), at("2026-11-27T17:00")).steps) == ["mailbox"]
    assert kinds(come(office(day, rest), at("2026-11-27T16:59:59")).steps)[0] == "ring"


def test_no_branch_is_the_end_of_the_line_and_night_mode_chooses_its_own_branches() -> None:
    day = Branch("Day", False, DAY, (block(ANNA),))
    night = all_week(block(BOX), night="on", name="Night")
    assert kinds(come(office(day), CLOSED).steps) == ["announce"]
    assert kinds(come(office(day, night), overrides={"night": "on"}).steps) == ["mailbox"]
    assert kinds(come(office(day, night)).steps)[0] == "ring"


def test_a_block_that_ends_the_hunt_is_the_last() -> None:
    the = office(all_week(block(ANNA), block(BOX), block(BEN)))
    assert kinds(come(the).steps) == ["ring", "mailbox"]


@pytest.mark.parametrize(
    ("destination", "step"),
    [(Destination(To.MENU, "main"), MenuStep("main")), (BOX, MailboxStep("office")),
     (Destination(To.ANNOUNCEMENT, "closed"), AnnounceStep("closed", Cause.NO_ANSWER)),
     (Destination(To.RESPONSIBLE), ResponsibleStep(25.0))],
)  # fmt: skip
def test_what_stands_alone_in_a_block(destination: Destination, step: Step) -> None:
    assert come(office(all_week(block(destination)))).steps[0] == step


def test_a_number_outside_is_called_over_another_line_than_the_callers_and_must_press_one() -> None:
    outside = Destination(To.OUTSIDE, MOBILE, confirm=True)
    [ring, *_] = come(office(all_week(block(ANNA, outside)))).steps
    assert isinstance(ring, RingStep)
    assert [(str(t.line), t.number.text, t.confirm) for t in ring.targets] == [
        ("phones", "101", False), ("gsm1", MOBILE, True),
    ]  # fmt: skip
    later = come(office(all_week(block(ANNA), block(outside))), lines_free=frozenset()).steps[1]
    assert who(later) == [MOBILE], "the line may be free when it is its turn"


def test_what_is_gone_is_passed_over_and_a_scheme_with_nobody_left_has_its_backup() -> None:
    gone = all_week(block(Destination(To.PERSON, "199")), block(Destination(To.MAILBOX, "gone")), block(BEN))
    assert kinds(come(office(gone)).steps) == ["ring", "announce"]
    assert "gone" in [step.rule for step in come(office(gone)).trace]
    empty = Scheme("main", "Main", (all_week(block(Destination(To.MENU, "gone"))),), BOX)
    found = come(office(schemes={"main": empty}))
    assert kinds(found.steps) == ["mailbox", "announce"]
    assert "scheme-backup" in [step.rule for step in found.trace]


def test_a_queue_takes_the_caller_while_somebody_is_there_even_if_busy() -> None:
    queue = {"sales": Group("sales", "Sales", ("101", "102"), queue=True)}
    the = office(all_week(block(Destination(To.GROUP, "sales")), block(BOX)), groups=queue)
    assert come(the, busy=frozenset({"101", "102"})).steps[0] == QueueStep("sales")
    assert kinds(come(the, registered=frozenset()).steps) == ["mailbox"]


def test_a_round_robin_begins_at_its_place_and_moves_on() -> None:
    the = office(all_week(block(ANNA, BEN, strategy=Strategy.ROUND_ROBIN, step=10.0, seconds=60.0)))
    [ring, *_] = come(the, places={"scheme/main/0/0": 1}).steps
    assert isinstance(ring, RingStep)
    assert ring.hunt == "scheme/main/0/0"
    assert [wave.targets[0].number.text for wave in ring.waves] == ["102", "101"]


# ---- modes and endings -------------------------------------------------------------------------------------------


def test_the_three_modes_of_a_line() -> None:
    forward = office(of=line(mode="forward", forward_to=MOBILE))
    assert who(come(forward).steps[0]) == [MOBILE]
    refuse = office(of=line(mode="refuse", refuse="busy"))
    assert come(refuse).steps == (RefuseStep(Cause.CLOSED, Cause.BUSY),)
    assert kinds(come(office(of=line())).steps) == ["ring", "announce"]


@pytest.mark.parametrize(
    ("action", "to", "step"),
    [("ring", "", ToneStep(Cause.NO_ANSWER)), ("busy", "", RefuseStep(Cause.NO_ANSWER, Cause.BUSY)),
     ("reject", "", RefuseStep(Cause.NO_ANSWER, Cause.REJECTED)),
     ("announce", "mine", AnnounceStep("mine", Cause.NO_ANSWER)), ("mailbox", "office", MailboxStep("office")),
     ("transfer", MOBILE, None)],
)  # fmt: skip
def test_when_nobody_of_the_line_is_there(action: str, to: str, step: Step | None) -> None:
    """Only presence decides: somebody who is busy is there."""
    the = office(of=line(offline=action, offline_to=to))
    found = come(the, registered=frozenset())
    assert found.steps[0] == step if step else who(found.steps[0]) == [MOBILE]
    assert kinds(come(the, busy=frozenset({"101"})).steps)[0] == "ring"
    away = come(the, overrides={"dnd/101": "on", "out/102": "on"})
    assert "line-offline" in [step.rule for step in away.trace]


def test_only_colleagues_of_the_line_count_and_ring() -> None:
    the = office(of=line(offline="busy", users=frozenset({"103"})))
    assert kinds(come(the).steps) == ["refuse"], "the registered ones are not of this line"
    the = office(of=line(users=frozenset({"102"})))
    assert who(come(the).steps[0]) == ["102"]


def test_greetings_come_before_ringing_and_only_where_somebody_can_ring() -> None:
    the = office(of=line(welcome="hello", first_greeting="first"))
    assert come(the, first_call=True).steps[:2] == (GreetStep("first", first=True), GreetStep("hello"))
    assert come(the, first_call=False).steps[0] == GreetStep("hello")
    assert not any(isinstance(step, GreetStep) for step in come(the, registered=frozenset()).steps)


def test_the_whisper_is_filled_in_and_the_callers_words_are_no_template() -> None:
    the = office(of=line(whisper="Call for {line} from {name} after {wait}"))
    named = replace(offer(), name="{wait} {line}")
    state = presence(lines_up=frozenset({GSM0}))
    [ring, *_] = route(named, the, OPEN, state).steps
    assert isinstance(ring, RingStep)
    assert ring.whisper == "Call for Reception from wait line after {wait}"


def test_without_a_clock_that_is_sure_nobody_is_turned_away_by_hours() -> None:
    assert kinds(come(office(of=line()), CLOSED, clock_sure=False).steps)[0] == "ring"
    day = Branch("Day", False, DAY, (block(ANNA),))
    assert kinds(come(office(day), CLOSED, clock_sure=False).steps)[0] == "ring"


# ---- colleagues --------------------------------------------------------------------------------------------------


def people(**of_anna: Any) -> dict[str, Person]:
    made = {e: Person(e, f"Person {e}", "pl", None) for e in ("101", "102", "103")}
    return {**made, "101": replace(made["101"], **of_anna)}


def call_anna(the: Plan, **state: Any) -> Route:
    facts = {"lines_up": frozenset({GSM0, GSM1}), "lines_free": frozenset({GSM0, GSM1}), **state}
    return route(dialled("101", "102"), the, OPEN, presence(**facts))


def test_each_way_of_sending_on_reaches_its_target() -> None:
    always = office(people=people(forward_always="103"))
    assert who(call_anna(always, registered=frozenset({"101", "102", "103"})).steps[0]) == ["103"]
    busy = office(people=people(forward_busy="103"))
    assert who(call_anna(busy, busy=frozenset({"101"}), registered=frozenset({"101", "103"})).steps[0]) == ["103"]
    offline = office(people=people(forward_offline=MOBILE))
    assert set(who(call_anna(offline, registered=frozenset({"102"})).steps[0])) == {MOBILE}
    silent = office(people=people(forward_no_answer="103", forward_seconds=10.0))
    [ring] = call_anna(silent, registered=frozenset({"101", "103"})).steps
    assert isinstance(ring, RingStep)
    assert (ring.seconds, who(ring.detours["no-answer"][0])) == (10.0, ["103"])


def test_a_circle_of_forwarding_ends_in_the_mailbox() -> None:
    made = people(forward_always="102")
    made["102"] = replace(made["102"], forward_always="101")
    box = {"anna": Mailbox("anna", "Anna", "101"), "ben": Mailbox("ben", "Ben", "102")}
    found = route(dialled("101", "103"), office(people=made, mailboxes=box), OPEN, presence())
    assert kinds(found.steps) == ["mailbox"]
    assert "sent-on-loop" in [step.rule for step in found.trace]


def test_who_has_a_mailbox_and_cannot_answer_is_found_there() -> None:
    the = office(people=people(), mailboxes={"anna": Mailbox("anna", "Anna", "101")})
    for state in ({"busy": frozenset({"101"})}, {"registered": frozenset()}, {"overrides": {"dnd/101": "on"}}):
        assert kinds(call_anna(the, **state).steps) == ["mailbox"]


def test_a_second_call_rings_where_call_waiting_is_on() -> None:
    the = office(people=people(call_waiting=True))
    assert kinds(call_anna(the, busy=frozenset({"101"})).steps) == ["ring"]
    assert kinds(call_anna(office(people=people()), busy=frozenset({"101"})).steps) == ["refuse"]


def test_forwarding_by_code_wins_and_abroad_is_asked_for() -> None:
    the = office(people=people(forward_always="103"))
    state = {"overrides": {"forward/101": "102"}, "registered": frozenset({"102", "103"})}
    assert who(route(dialled("101", "103"), the, OPEN, presence(**state)).steps[0]) == ["102"]
    abroad = office(people=people(forward_always="+8613800138000"))
    assert not any(isinstance(step, DialStep) for step in call_anna(abroad).steps)
    assert PHONES not in abroad.lines
