"""What may be sent, when, and what a result or a report makes of a message."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from appliance.core import sending
from appliance.core.model import Kind, LineId, Number
from appliance.core.numbers import parse
from appliance.core.plan import SmsRules
from appliance.core.sending import Outgoing, OutPart, Traffic
from appliance.words import SENDING, SMS_STATES
from tests.core.builders import GSM0, GSM1, OWN, line, plan

NOW = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
TO = "+48600100200"
RULES = SmsRules()


def message(parts: int = 1, out: int = 1, **more: object) -> Outgoing:
    made = tuple(OutPart(n, parts, "00", 20) for n in range(1, parts + 1))
    return replace(Outgoing(out, GSM0, TO, NOW, NOW, made), **more)  # type: ignore[arg-type]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def left(one: Outgoing, sequence: int = 1, mr: int = 7, at: datetime = NOW) -> Outgoing:
    return sending.sent(sending.began(one, sequence, at), sequence, mr)


# ---- may it go ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("+48600100200", ""),
        ("600 100 200", ""),
        ("+380501234567", ""),
        ("112", "sms-emergency"),
        ("7155", "sms-premium"),
        ("+48701234567", "sms-premium"),
        ("*100#", "sms-not-a-number"),
        ("Bank", "sms-not-a-number"),
        ("", "sms-not-a-number"),
        ("anonymous", "sms-not-a-number"),
    ],
)
def test_a_number_is_judged_before_anything_is_sent(to: str, reason: str) -> None:
    assert sending.refused(parse(to, "PL"), line(), plan(), "page") == reason


def test_the_right_of_the_line_opens_short_and_premium_numbers_but_never_emergency() -> None:
    open_line = line(sms=SmsRules(premium=True))
    assert sending.refused(parse("7155", "PL"), open_line, plan(), "page") == ""
    assert sending.refused(parse("112", "PL"), open_line, plan(), "page") == "sms-emergency"


@pytest.mark.parametrize(("origin", "reason"), [("page", ""), ("mail", "sms-own-number"), ("heartbeat", "")])
def test_what_no_person_began_is_not_sent_to_ourselves(origin: str, reason: str) -> None:
    assert sending.refused(Number(OWN, Kind.E164), line(), plan(), origin) == reason


def test_a_line_without_the_right_sends_nothing() -> None:
    assert sending.refused(parse(TO, "PL"), line(sms=SmsRules(allowed=False)), plan(), "page") == "sms-line-may-not"


def test_the_line_they_wrote_to_answers_else_the_first_that_works() -> None:
    both = plan(lines={GSM0: line(), GSM1: line(GSM1)})
    assert sending.choose(both, GSM1, {GSM0}) == GSM1
    assert sending.choose(both, LineId(""), {GSM1}) == GSM1
    assert sending.choose(both, None, set()) == GSM0
    shut = plan(lines={GSM0: line(sms=SmsRules(allowed=False)), GSM1: line(GSM1)})
    assert sending.choose(shut, GSM0, {GSM0}) == GSM1
    assert sending.choose(plan(lines={}), None, set()) is None


# ---- which goes next ------------------------------------------------------------------------------------------------


def held(one: Outgoing, traffic: Traffic, rules: SmsRules = RULES, ready: bool = True, busy: bool = False) -> str:
    return sending.held_back(one, rules, traffic, NOW, ready, busy)


def traffic(*ago: float) -> Traffic:
    made = Traffic()
    for one in ago:
        made.add(NOW - minutes(one))
    return made


def test_a_line_that_is_down_or_in_a_call_holds_back() -> None:
    assert held(message(), Traffic(), ready=False) == "sms-line-down"
    assert held(message(), Traffic(), busy=True) == "sms-in-call"
    assert held(message(), Traffic(), replace(RULES, allowed=False)) == "sms-line-may-not"
    assert held(message(), Traffic()) == ""


def test_caps_count_parts_of_the_last_hour_and_day() -> None:
    assert held(message(), traffic(0.01)) == "sms-gap"
    assert held(message(), traffic(0.1)) == ""
    few = replace(RULES, per_hour=3, per_day=5)
    assert held(message(), traffic(30, 20, 10), few) == "sms-hour-cap"
    assert held(message(2), traffic(20, 10), few) == "sms-hour-cap"
    assert held(message(), traffic(300, 200, 100, 90, 80), few) == "sms-day-cap"
    assert held(message(), traffic(1500, 1490, 1480, 90, 80), few) == ""


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    assert held(message(), traffic(-500)) == ""
    assert sending.next_part(message(next_at=NOW + timedelta(days=3)), RULES, NOW) is not None


def test_a_begun_message_goes_on_without_a_pause() -> None:
    begun = left(message(3))
    assert held(begun, traffic(0.001), replace(RULES, per_hour=1)) == ""
    assert [one.id for one in sending.in_order([message(out=1), replace(begun, id=2)])] == [2, 1]
    part = sending.next_part(begun, RULES, NOW)
    assert part is not None
    assert part.sequence == 2


# ---- what follows ---------------------------------------------------------------------------------------------------


def test_the_states_of_the_parts_make_the_messages() -> None:
    one = message(2)
    assert one.state == "queued"
    one = sending.began(one, 1, NOW)
    assert one.state == "sending"
    one = left(one)
    assert one.state == "sending"
    one = left(one, 2, 8)
    assert one.state == "sent"
    one = sending.reported(one, 1, 7, 0, NOW)
    assert one.state == "sent"
    assert sending.reported(one, 2, 8, 0, NOW).state == "delivered"
    assert sending.reported(one, 2, 8, 0x41, NOW).state == "failed"
    assert sending.reported(one, 2, 8, 0x41, NOW).reason == "sms-not-delivered"
    assert sending.reported(one, 2, 8, 0x21, NOW).state == "sent"


@pytest.mark.parametrize("code", [38, 41, 42, 47, 331, 332, 0, 314])
def test_what_passes_is_tried_after_1_5_and_15_minutes_and_given_up_after_an_hour(code: int) -> None:
    one, at = message(), NOW
    waits = []
    while one.state != "failed":
        assert sending.next_part(one, RULES, at) is not None
        one = sending.failed(sending.began(one, 1, at), 1, code, "said", at)
        if one.state == "queued":
            waits.append((one.next_at - at) / minutes(1))
            assert sending.next_part(one, RULES, at) is None
            at = one.next_at
    assert waits == [1, 5, 15, 15, 15]
    assert one.reason in SENDING
    assert one.detail == "said"


@pytest.mark.parametrize("code", [1, 8, 10, 21, 28, 29, 30, 50, 69, 304, 305, 330])
def test_what_will_not_pass_is_over_at_once(code: int) -> None:
    one = sending.failed(sending.began(message(), 1, NOW), 1, code, "", NOW)
    assert one.state == "failed"
    assert one.reason in SENDING
    assert sending.next_part(one, RULES, NOW + timedelta(days=1)) is None


@pytest.mark.parametrize("code", [500, -1, 999])
def test_a_code_that_says_nothing_is_tried_once_more(code: int) -> None:
    one = sending.failed(sending.began(message(), 1, NOW), 1, code, "", NOW)
    assert one.state == "queued"
    assert sending.failed(sending.began(one, 1, one.next_at), 1, code, "", one.next_at).state == "failed"


def test_only_the_part_that_failed_is_sent_again() -> None:
    one = left(message(3))
    one = sending.failed(sending.began(one, 2, NOW), 2, 38, "", NOW)
    part = sending.next_part(one, RULES, one.next_at)
    assert part is not None
    assert part.sequence == 2
    assert [p.state for p in one.parts] == ["sent", "queued", "queued"]


def test_without_a_result_nothing_is_sent_blindly_again() -> None:
    one = sending.unsure(sending.began(message(), 1, NOW), 1, NOW)
    assert (one.state, one.reason) == ("uncertain", "sms-no-result")
    for later in (minutes(6), timedelta(days=1)):
        assert sending.next_part(one, RULES, NOW + later) is None
        assert sending.next_part(one, replace(RULES, again=True), NOW + later) is None  # a report may still come


def test_where_the_settings_say_so_it_goes_once_more_after_five_minutes() -> None:
    rules = replace(RULES, again=True)
    one = sending.unsure(sending.began(message(report=False), 1, NOW), 1, NOW)
    assert sending.next_part(one, rules, NOW + minutes(4)) is None
    assert sending.next_part(one, rules, NOW + minutes(5)) is not None
    one = sending.unsure(sending.began(one, 1, NOW), 1, NOW)
    assert sending.next_part(one, rules, NOW + minutes(50)) is None


def test_the_other_parts_of_an_uncertain_one_go_on() -> None:
    one = sending.unsure(sending.began(message(2), 1, NOW), 1, NOW)
    part = sending.next_part(one, RULES, NOW)
    assert part is not None
    assert part.sequence == 2
    assert left(one, 2).state == "uncertain"


def test_after_a_power_cut_what_was_under_way_is_uncertain() -> None:
    one = sending.interrupted(sending.began(message(2), 1, NOW), NOW)
    assert [p.state for p in one.parts] == ["uncertain", "queued"]
    assert sending.interrupted(left(message()), NOW) == left(message())


def test_what_waited_too_long_is_not_wanted_any_more() -> None:
    assert not sending.expired(message(), NOW + timedelta(days=1))
    assert sending.expired(message(), NOW + timedelta(days=3))
    assert sending.expired(message(valid_minutes=10), NOW + minutes(11))
    assert not sending.expired(left(message(2)), NOW + timedelta(days=3))


def test_a_person_can_send_again_what_did_not_arrive_and_nothing_else() -> None:
    one = left(message(3))
    one = sending.unsure(sending.began(one, 2, NOW), 2, NOW)
    one = sending.failed(sending.began(one, 3, NOW), 3, 10, "", NOW)
    one = sending.again(one, NOW)
    assert [p.state for p in one.parts] == ["sent", "queued", "queued"]
    assert (one.state, one.reason, one.attempts) == ("sending", "", 0)


# ---- reports --------------------------------------------------------------------------------------------------------


def found(mr: int, recipient: str, *messages: Outgoing, at: datetime = NOW) -> tuple[int, int] | None:
    pair = sending.match(mr, recipient, messages, at)
    return (pair[0].id, pair[1].sequence) if pair else None


def test_a_report_finds_its_part_by_reference_and_end_of_the_number() -> None:
    one, two = left(message(out=1), mr=7), left(message(out=2), mr=8)
    assert found(8, "600100200", one, two) == (2, 1)
    assert found(7, TO, one, two) == (1, 1)
    assert found(9, TO, one, two) is None
    assert found(7, "+48600100201", one, two) is None


def test_a_reference_that_began_anew_means_the_newest() -> None:
    old, new = left(message(out=1), at=NOW - timedelta(days=1)), left(message(out=2))
    assert found(7, TO, old, new) == (2, 1)
    assert found(7, TO, left(message(), at=NOW - timedelta(days=8))) is None


def test_a_report_settles_what_had_no_result() -> None:
    unsure = sending.unsure(sending.began(message(out=3), 1, NOW), 1, NOW)
    assert found(99, TO, unsure) == (3, 1)
    assert found(99, TO, replace(unsure, report=False)) is None
    settled = sending.reported(unsure, 1, 99, 0, NOW)
    assert (settled.state, settled.reason) == ("delivered", "")
    assert not sending.live(settled, NOW)


def test_a_modem_that_tells_no_reference_gets_its_report_by_the_number() -> None:
    assert found(99, TO, left(message(out=4), mr=-1)) == (4, 1)


def test_a_second_report_of_the_same_part_is_of_nobody() -> None:
    assert found(7, TO, sending.reported(left(message()), 1, 7, 0, NOW)) is None


def test_a_message_is_remembered_as_long_as_a_report_may_come() -> None:
    assert sending.live(message(), NOW)
    assert sending.live(left(message()), NOW + timedelta(days=6))
    assert not sending.live(left(message()), NOW + timedelta(days=8))
    assert not sending.live(left(message(report=False)), NOW)


def test_every_reason_and_state_has_its_words() -> None:
    reasons = {reason for reason, _ in sending.CODES.values()} | {sending.OTHER_CODE[0], sending.NO_ANSWER[0]}
    assert reasons <= set(SENDING)
    assert set(SMS_STATES) == {"queued", "sending", "sent", "delivered", "failed", "uncertain"}
