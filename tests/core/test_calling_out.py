"""Calling out: which line, with which number, for how long, and what is refused with which words."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.caps import Spent, Sum
from appliance.core.model import AnnounceStep, DialStep, LineId, Number, PinStep, Presence, Route
from appliance.core.numbers import parse
from appliance.core.plan import OutgoingRule, Person, Plan
from appliance.core.plan_calling import Calling, Cap, Night, Rate
from appliance.core.rights import may_call
from appliance.core.routing import route
from appliance.words import PROMPTS, TRACE, say
from tests.core.builders import CLOSED, GSM0, GSM1, OPEN, dialled, hours, line, plan, presence

BOTH = frozenset({GSM0, GSM1})
MOBILE, ABROAD = "600100200", "+380671234567"
ALL = frozenset({"internal", "local", "national", "mobile", "abroad", "premium"})


def office(*rules: OutgoingRule, calling: Calling | None = None, **more: object) -> Plan:
    lines = {GSM0: line(), GSM1: line(GSM1, label="Second", own_number="+48990120101")}
    facts: dict[str, object] = {"lines": lines, "outgoing": rules, "calling": calling or Calling()}
    return plan(**{**facts, **more})


def person(**more: object) -> dict[str, Person]:
    return {"101": replace(Person("101", "Anna", "pl", None, ALL), **more), "102": Person("102", "Ben", "pl", None)}


def called(number: str, where: Plan, now=OPEN, extension: str = "101", **there: object) -> Route:
    return route(dialled(number, extension), where, now, presence(**{"lines_up": BOTH, "lines_free": BOTH, **there}))


def lines(found: Route) -> list[LineId]:
    return [target.line for step in found.steps if isinstance(step, DialStep) for target in step.targets]


def rules(found: Route) -> list[str]:
    return [step.rule for step in found.trace]


def first(found: Route) -> DialStep:
    assert isinstance(found.steps[0], DialStep), found.steps
    return found.steps[0]


# ---- rules -----------------------------------------------------------------------------------------------------------


def test_the_rule_that_fits_most_exactly_wins_and_people_and_hours_narrow_it() -> None:
    everybody = OutgoingRule("*", (GSM0,))
    for special, now, extension, wins in (
        (OutgoingRule("+48600100200", (GSM1,)), OPEN, "101", True),
        (OutgoingRule("+48600XXXXXX", (GSM1,)), OPEN, "101", True),
        (OutgoingRule("+48601XXXXXX", (GSM1,)), OPEN, "101", False),
        (OutgoingRule("+48600*", (GSM1,)), OPEN, "101", True),
        (OutgoingRule("*", (GSM1,), people=frozenset({"101"})), OPEN, "101", True),
        (OutgoingRule("*", (GSM1,), people=frozenset({"101"})), OPEN, "102", False),
        (OutgoingRule("*", (GSM1,), hours=hours()), OPEN, "101", True),
        (OutgoingRule("*", (GSM1,), hours=hours()), CLOSED, "101", False),
    ):
        found = called(MOBILE, office(everybody, special), now, extension)
        assert lines(found) == [GSM1 if wins else GSM0], special


def test_digits_are_cut_and_added_and_rights_look_at_what_leaves() -> None:
    access = OutgoingRule("9*", (GSM0,), cut=1)
    found = called("9600100200", office(access))
    assert first(found).targets[0].number.text == "+48600100200"
    assert "rewritten" in rules(found)
    refused = called("900380671234567", office(access))
    assert refused.steps == (AnnounceStep("not-allowed", "not-allowed"),)
    assert called("9112", office(OutgoingRule("9*", (GSM0,), cut=1))).emergency


def test_each_operator_gets_the_digits_it_wants_and_the_journal_the_international_form() -> None:
    for form, prefix, wire in (
        ("", "", ""), ("plain", "", "48600100200"), ("00", "", "0048600100200"), ("national", "", "600100200"),
        ("national", "1010", "1010600100200"),
    ):  # fmt: skip
        lined = {GSM0: line(dial_form=form, dial_prefix=prefix)}
        target = first(called(MOBILE, office(lines=lined))).targets[0]
        assert (target.number.text, target.wire) == ("+48600100200", wire)


def test_the_own_number_is_hidden_where_a_rule_says_so() -> None:
    hidden = OutgoingRule("+48600*", (GSM0,), withhold=True)
    assert first(called(MOBILE, office(hidden))).targets[0].withhold
    assert not first(called("601100200", office(hidden, OutgoingRule("*", (GSM0,))))).targets[0].withhold


def test_a_new_colleague_calls_out_on_the_default_line_and_another_on_his_own() -> None:
    people = {"101": Person("101", "Anna", "pl", None), "102": Person("102", "Ben", "pl", GSM0)}
    where = office(OutgoingRule("*", (GSM0,)), calling=Calling(default_line="gsm1"), people=people)
    assert lines(called(MOBILE, where)) == [GSM1, GSM0]
    assert lines(called(MOBILE, where, extension="102")) == [GSM0, GSM1]
    kept = office(OutgoingRule("+48600*", (GSM0,)), calling=Calling(default_line="gsm1"), people=people)
    assert lines(called(MOBILE, kept)) == [GSM0, GSM1], "a rule for these numbers goes before the default line"


def test_only_colleagues_of_a_line_call_out_on_it() -> None:
    lined = {GSM0: line(users=frozenset({"102"})), GSM1: line(GSM1, label="Second")}
    found = called(MOBILE, office(lines=lined))
    assert lines(found) == [GSM1]
    assert "line-not-yours" in rules(found)
    assert lines(called(MOBILE, office(lines=lined), extension="102")) == [GSM0, GSM1]
    apart = office(lines=lined, people=person(all_lines=False))
    assert lines(called(MOBILE, apart)) == [], "who has no lines uses none that everybody may use"


# ---- rights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["national", "mobile", "abroad", "premium"])
def test_each_class_is_allowed_or_refused_as_set(kind: str) -> None:
    number = {"national": "221234567", "mobile": MOBILE, "abroad": ABROAD, "premium": "+48700123456"}[kind]
    calling = Calling(countries={"UA": None})
    assert lines(called(number, office(calling=calling, people=person())))
    refused = called(number, office(calling=calling, people=person(may_dial=ALL - {kind})))
    assert refused.steps == (AnnounceStep("not-allowed", "not-allowed"),)
    assert refused.steps[0].prompt in PROMPTS


def test_a_new_box_calls_no_other_country_and_one_can_be_opened_for_good_or_until_a_moment() -> None:
    people = person()
    assert called(ABROAD, office(people=people)).steps[0].prompt == "country-closed"
    assert lines(called(ABROAD, office(people=people, calling=Calling(countries={"UA": None}))))
    day = office(people=people, calling=Calling(countries={"UA": OPEN + timedelta(days=1)}))
    assert lines(called(ABROAD, day))
    assert called(ABROAD, day, OPEN + timedelta(days=1)).steps[0].prompt == "country-closed"


def test_numbers_of_no_country_are_closed_and_america_is_told_from_its_islands() -> None:
    usa = office(people=person(), calling=Calling(countries={"US": None}))
    assert lines(called("+12125550100", usa))
    for number in ("+18765550100", "+881612345678", "+883510012345", "+9999999999"):
        assert isinstance(called(number, usa).steps[0], AnnounceStep), number


@pytest.mark.parametrize("number", ["**21*+380671234567#", "#31#00380671234567", "*100#", "0038099", "00999123456789"])
def test_no_code_and_no_odd_spelling_reaches_the_network_as_a_call_abroad(number: str) -> None:
    found = called(number, office(people=person(pin="1")))
    assert lines(found) == []
    assert {"code-not-out", "country-closed"} & set(rules(found))


def test_who_is_sent_on_by_the_office_needs_the_country_but_no_right() -> None:
    where = office()
    passed, closed, dear = (
        may_call(parse(n, "PL"), None, where, OPEN, Presence()) for n in (MOBILE, ABROAD, "+48700123456")
    )
    assert (passed.rule, closed.rule, dear.rule) == ("may-send-on", "country-closed", "may-not-dial")


def test_at_night_only_the_chosen_classes_may_be_called() -> None:
    locked = Calling(night=Night(time(22), time(6)), night_classes=frozenset({"national"}))
    where, late = office(calling=locked), OPEN.replace(hour=23)
    assert lines(called(MOBILE, where))
    assert called(MOBILE, where, late).steps[0].prompt == "locked-now"
    assert lines(called("221234567", where, late))
    assert called(MOBILE, where, overrides={"night": "on"}).steps[0].prompt == "locked-now"
    weekend = replace(locked, night=Night(time(22), time(6), weekend=True))
    assert called(MOBILE, office(calling=weekend), CLOSED).steps[0].prompt == "locked-now"


def test_a_pin_lifts_what_is_not_allowed_and_never_a_cap() -> None:
    people = person(may_dial=frozenset({"internal"}), pin="4711", cap=Cap(day_minutes=10))
    found = called(MOBILE, office(people=people))
    assert isinstance(found.steps[0], PinStep)
    assert isinstance(found.steps[0].steps[0], DialStep)
    spent = {"person/101": Spent(day=Sum(600))}
    assert isinstance(called(MOBILE, office(people=people), spent=spent).steps[0], AnnounceStep)
    wrong = {"pin-wrong/101": OPEN.isoformat()}
    assert isinstance(called(MOBILE, office(people=people), overrides=wrong).steps[0], AnnounceStep)
    later = OPEN + timedelta(minutes=16)
    assert isinstance(called(MOBILE, office(people=people), later, overrides=wrong).steps[0], PinStep)


# ---- caps and credit -------------------------------------------------------------------------------------------------


def test_a_line_whose_cap_is_reached_is_passed_over_and_a_call_ends_when_its_minutes_do() -> None:
    lined = {GSM0: line(cap=Cap(day_minutes=10)), GSM1: line(GSM1, label="Second")}
    found = called(MOBILE, office(lines=lined), spent={"line/gsm0": Spent(day=Sum(500))})
    assert [step.talk_seconds for step in found.steps[:2]] == [100, 4 * 3600]
    assert "talk-limited" in rules(found)
    over = called(MOBILE, office(lines=lined), spent={"line/gsm0": Spent(day=Sum(600))})
    assert lines(over) == [GSM1]
    assert "line-cap" in rules(over)
    only = called(MOBILE, office(lines={GSM0: lined[GSM0]}), spent={"line/gsm0": Spent(day=Sum(600))})
    assert only.steps[0].prompt == "cap-reached"


def test_a_person_over_the_cap_is_refused_with_a_prompt_and_at_night_sooner() -> None:
    people = person(cap=Cap(day_minutes=60, night_minutes=5))
    spent = {"person/101": Spent(day=Sum(1800), night=Sum(300))}
    assert first(called(MOBILE, office(people=people), spent=spent)).talk_seconds == 1800
    night = called(MOBILE, office(people=people), OPEN.replace(hour=23), spent=spent)
    assert night.steps == (AnnounceStep("cap-reached", "not-allowed"),)
    all_of_them = Calling(person_cap=Cap(month_minutes=30))
    assert first(called(MOBILE, office(people=person(), calling=all_of_them), spent=spent))


def test_money_counts_by_the_rate_of_the_line() -> None:
    rates = (Rate("", 1000, 60), Rate("+380", 30000, 60))
    lined = {GSM0: line(cap=Cap(day_money=500), rates=rates)}
    where = office(lines=lined, people=person(), calling=Calling(countries={"UA": None}))
    assert first(called(MOBILE, where)).talk_seconds == 50 * 60
    assert first(called(ABROAD, where)).talk_seconds == 60
    assert called(ABROAD, where, spent={"line/gsm0": Spent(day=Sum(60, 300))}).steps[0].prompt == "cap-reached"


@pytest.mark.parametrize(
    ("balance", "number", "goes"),
    [(None, ABROAD, False), (None, MOBILE, True), (0, MOBILE, False), (-5, ABROAD, False), (1000, ABROAD, True)],
)
def test_credit_that_is_not_known_closes_abroad_and_none_closes_all_that_costs(
    balance: int | None, number: str, goes: bool
) -> None:
    where = office(people=person(), calling=Calling(countries={"UA": None}), lines={GSM0: line()})
    assert bool(lines(called(number, where, balances={GSM0: balance}))) is goes
    assert called("112", where, balances={GSM0: balance}).emergency
    assert lines(called("116111", where, balances={GSM0: balance})), "a help line costs nothing"


@pytest.mark.parametrize("trouble", ["busy", "down", "credit"])
def test_a_line_in_trouble_is_passed_over_at_once_and_the_reason_says_why(trouble: str) -> None:
    there: dict[str, object] = {
        "busy": {"lines_free": frozenset({GSM1})}, "down": {"lines_up": frozenset({GSM1})},
        "credit": {"balances": {GSM0: 0}},
    }[trouble]  # fmt: skip
    found = called(MOBILE, office(OutgoingRule("*", (GSM0, GSM1))), **there)
    assert lines(found) == [GSM1]
    assert {"line-busy", "line-down", "line-no-credit"} & set(rules(found))


# ---- emergency -------------------------------------------------------------------------------------------------------

NUMBERS = st.integers(0, 2**20)
CAPS = st.builds(Cap, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
SPENT = st.builds(Spent, *[st.builds(Sum, NUMBERS, NUMBERS)] * 3)
SUBSET = st.sets(st.sampled_from([GSM0, GSM1])).map(frozenset)
RULES = st.lists(st.builds(
    OutgoingRule, st.sampled_from(["*", "1*", "112", "XXX", "999", "+48*"]),
    st.sampled_from([(), (GSM0,), (GSM1, GSM0)]), st.sampled_from([None, frozenset(), frozenset({"101"})]),
    cut=st.integers(0, 4), add=st.sampled_from(["", "0700", "+380"]),
), max_size=4)  # fmt: skip
LINE = {"outgoing": st.booleans(), "users": st.sampled_from([None, frozenset()]), "cap": CAPS,
        "dial_prefix": st.sampled_from(["", "0700"]), "dial_form": st.sampled_from(["", "00", "national"])}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(data=st.data(), number=st.sampled_from(["112", "999"]), extension=st.sampled_from(["101", "103", "777"]))
def test_an_emergency_number_leaves_over_every_line_whatever_the_plan_says(
    data: st.DataObject, number: str, extension: str
) -> None:
    lined = {i: line(i, **{n: data.draw(s) for n, s in LINE.items()}) for i in (GSM0, GSM1)}
    classes = data.draw(st.sets(st.sampled_from(sorted(ALL))).map(frozenset))
    people = person(may_dial=classes, cap=data.draw(CAPS), pin=data.draw(st.sampled_from(["", "1"])))
    calling = Calling(night=Night(time(0), time(0)), night_classes=frozenset(), person_cap=data.draw(CAPS))
    where = office(*data.draw(RULES), calling=calling, lines=lined, people=people)
    keys = ("line/gsm0", "line/gsm1", "person/101")
    found = called(
        number, where, data.draw(st.sampled_from([OPEN, CLOSED])), extension,
        spent={key: data.draw(SPENT) for key in keys}, lines_up=data.draw(SUBSET), lines_free=data.draw(SUBSET),
        balances={GSM0: data.draw(st.sampled_from([None, 0, -1])), GSM1: None},
        overrides={"night": data.draw(st.sampled_from(["", "on"])), "pin-wrong/101": OPEN.isoformat()},
    )  # fmt: skip
    step = first(found)
    assert found.emergency
    assert step.emergency
    assert {target.line for target in step.targets} == {GSM0, GSM1}
    assert all((t.number.text, t.wire) == (number, "") for t in step.targets)
    assert step.talk_seconds == 0, "no cap ends it"


def test_every_reason_has_words_and_every_refusal_a_prompt() -> None:
    where = office(OutgoingRule("*", (GSM0,), add="0"), people=person(pin="1", may_dial=frozenset()))
    lined = {GSM0: line(cap=Cap(day_minutes=1), outgoing=False), GSM1: line(GSM1, users=frozenset())}
    for found in (
        called(MOBILE, where), called(MOBILE, office(lines=lined)), called(ABROAD, office(people=person())),
        called(MOBILE, office(lines={GSM0: line(cap=Cap(day_minutes=1))}), spent={"line/gsm0": Spent(day=Sum(60))}),
        called(MOBILE, office(), balances={GSM0: 0, GSM1: None}),
    ):  # fmt: skip
        for step in found.trace:
            assert "{" not in say(TRACE, step.rule, step.args)
        assert all(step.prompt in PROMPTS for step in found.steps if isinstance(step, AnnounceStep))


def test_a_number_in_any_spelling_is_one_number() -> None:
    spellings = {parse(text, "PL") for text in ("600 100 200", "+48600100200", "0048 600-100-200", "(600)100200")}
    assert spellings == {Number("+48600100200", "e164")}
