"""The exchange on stand-in lines: what people hear and see, from the offer to the row in the journal."""

from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import Kind, LegId, LineId, Offer
from appliance.core.plan import Block
from appliance.core.plan_time import Range
from appliance.core.scheme import Branch, Scheme
from appliance.exchange.status import lamps_now, open_rows
from tests.exchange.conftest import Office
from tests.fakes.lines import e164

WARSAW = ZoneInfo("Europe/Warsaw")
GSM = LineId("gsm0")
FRIDAY_NOON = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
FRIDAY_EVENING = datetime(2026, 11, 27, 17, 30, tzinfo=UTC)


def test_a_caller_from_outside_rings_the_group_and_talks_to_who_answers_first(office):
    office.call_in()
    assert office.rung() == ["101", "102"]
    assert not any(isinstance(c, do.Answer) for c in office.gsm.seen)  # ringing costs the caller nothing
    first, second = (c.leg for c in office.phones.dialled())
    office.phones.far_answers(second)
    office.settle()
    assert do.HangUp(first, Cause.ELSEWHERE) in office.phones.seen
    assert office.bridge.joined == {(office.gsm.slot(LegId("gsm0-1")), office.phones.slot(second))}
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    assert office.row().answered_by == "102"
    assert office.row().cause is Cause.NORMAL
    assert office.exchange.calls == {}
    assert office.phones.legs == {}


def test_nobody_answers_and_the_caller_hears_so(office):
    office.call_in()
    office.later(26)
    assert office.phones.legs == {}
    assert office.bridge.playing == {LegId("gsm0-1"): ("nobody", False)}
    office.bridge.prompt_ends(LegId("gsm0-1"))
    office.settle()
    assert office.row().cause is Cause.NO_ANSWER
    assert office.gsm.legs == {}


def test_a_blocked_caller_rings_no_phone_and_is_refused_at_once(tmp_path):
    office = Office(tmp_path, [Block(7, "+48600*")])
    office.call_in()
    assert office.rung() == []
    assert office.gsm.legs == {}
    assert office.row().cause is Cause.BLOCKED
    assert "block-list" in office.rules()
    assert office.storage.hits == [7]


def test_a_blocked_number_that_comes_late_stops_the_ringing(tmp_path):
    office = Office(tmp_path, [Block(7, "+48600*")])
    office.call_in("", kind=Kind.UNAVAILABLE)
    assert office.rung() == ["101", "102"]
    office.exchange.handle(ev.NumberKnown(LegId("gsm0-1"), e164("+48600100200")))
    office.settle()
    assert office.phones.legs == {}
    assert office.gsm.legs == {}
    row = office.row()
    assert (row.cause, row.caller.text) == (Cause.BLOCKED, "+48600100200")
    assert [step.rule for step in row.trace][-1] == "block-list"
    assert office.storage.hits == [7]


def test_the_allow_list_wins(tmp_path):
    office = Office(tmp_path, [Block(7, "+48600*"), Block(8, "+48600100200", allow=True)])
    office.call_in()
    assert office.rung() == ["101", "102"]


def test_outside_hours_the_caller_hears_the_announcement(office):
    office.clock.set(FRIDAY_EVENING)
    office.call_in()
    assert office.rung() == []
    assert office.bridge.playing[LegId("gsm0-1")] == ("closed", False)
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    assert office.row().cause is Cause.CLOSED
    assert "closed-hours" in office.rules()


def test_the_night_code_closes_the_lines_until_it_is_dialled_again(office):
    office.call_from("103", "*28")
    assert office.storage.overrides == {"night": "on"}
    assert office.bridge.playing[LegId("phones-1")] == ("night-on", False)
    office.bridge.prompt_ends(LegId("phones-1"))
    office.settle()
    office.call_in()
    assert office.rung() == []
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    assert "night-on" in [step.rule for step in office.storage.calls[-1].trace]
    office.call_from("103", "*28", "phones-2")
    assert office.storage.overrides == {"night": ""}


def test_a_phone_calls_a_colleague(office):
    office.call_from("101", "103")
    assert office.rung() == ["103"]
    leg = office.phones.dialled()[0].leg
    office.exchange.handle(ev.Ringing(leg))
    office.settle()
    assert do.Ring(LegId("phones-1")) in office.phones.seen
    office.phones.far_ends(leg, Cause.BUSY)
    office.settle()
    assert do.HangUp(LegId("phones-1"), Cause.BUSY) in office.phones.seen
    assert office.row().cause is Cause.BUSY


def test_a_phone_calls_out_over_the_sim_and_shows_its_number(office):
    office.call_from("101", "600100200")
    (dial,) = office.gsm.dialled()
    assert dial.number == e164("+48600100200")
    assert dial.caller.text == "+48990120100"
    office.gsm.far_answers(dial.leg)
    office.settle()
    assert len(office.bridge.joined) == 1
    office.phones.far_ends(LegId("phones-1"))
    office.settle()
    assert office.gsm.legs == {}
    assert office.row().direction == "out"


def test_an_emergency_call_goes_out_past_every_right_and_limit(office):
    office.exchange.limits.calls_per_phone = 0
    office.call_from("101", "112")
    assert [d.number.text for d in office.gsm.dialled()] == ["112"]


def test_a_phone_over_its_limit_is_refused(office):
    office.exchange.limits.calls_per_phone = 0
    office.call_from("101", "103")
    assert office.rung() == []
    assert office.row().cause is Cause.CONGESTION


def test_the_caller_hangs_up_while_it_rings_and_every_phone_falls_silent(office):
    office.call_in()
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    assert office.phones.legs == {}
    assert office.row().cause is Cause.CANCELLED


def test_a_phone_that_answers_too_late_is_let_go(office):
    office.call_in()
    first, second = (c.leg for c in office.phones.dialled())
    office.phones.far_answers(first)
    office.phones.far_answers(second)
    office.settle()
    assert office.phones.legs == {first: "up"}


def test_hold_plays_music_to_the_one_who_waits_and_resume_joins_again(office):
    office.call_in()
    leg = office.phones.dialled()[0].leg
    office.phones.far_answers(leg)
    office.settle()
    pair = set(office.bridge.joined)
    office.exchange.handle(ev.Held(leg, True))
    assert office.bridge.joined == set()
    assert office.bridge.playing == {LegId("gsm0-1"): ("hold", True)}
    office.exchange.handle(ev.Held(leg, False))
    assert office.bridge.joined == pair
    assert office.bridge.playing == {}


def test_a_digit_is_passed_on_once(office):
    office.call_in()
    leg = office.phones.dialled()[0].leg
    office.phones.far_answers(leg)
    office.settle()
    office.exchange.handle(ev.Digit(leg, "5"))
    assert [c for c in office.gsm.seen if isinstance(c, do.SendDigits)] == [do.SendDigits(LegId("gsm0-1"), "5")]


def test_an_unplugged_modem_ends_the_call_with_its_cause(office):
    office.call_in()
    leg = office.phones.dialled()[0].leg
    office.phones.far_answers(leg)
    office.settle()
    office.gsm.far_ends(LegId("gsm0-1"), Cause.LINE_LOST)
    office.settle()
    assert office.row().cause is Cause.LINE_LOST
    assert office.phones.legs == {}


def part(pdu="0791", sender="+48600100200"):
    return ev.SmsPart(pdu, e164(sender), "hello", "gsm7", b"hello", None)


def test_a_slot_is_freed_only_after_the_message_is_stored(office):
    office.exchange.handle(ev.SmsReceived(GSM, "SM", 3, part()))
    assert office.gsm.seen == []
    office.settle()
    assert office.gsm.seen == [do.FreeSlot(GSM, "SM", 3, "0791")]


def test_a_full_disk_leaves_the_message_on_the_sim(office):
    office.storage.full = True
    office.exchange.handle(ev.SmsReceived(GSM, "SM", 3, part()))
    office.settle()
    assert office.gsm.seen == []


def test_a_blocked_sender_is_stored_and_not_mailed(tmp_path):
    office = Office(tmp_path, [Block(9, "+48600100200", what="messages")])
    office.exchange.handle(ev.SmsReceived(GSM, "SM", 3, part()))
    office.settle()
    assert [m.mail for m in office.storage.messages] == [False]
    office.call_in()
    assert office.rung() == ["101", "102"]  # its calls are another matter


def test_the_trace_of_a_real_call_equals_what_explain_says(office):
    office.clock.set(FRIDAY_EVENING)
    offer = Offer(LegId("x"), GSM, e164("+48600100200"), e164("+48990120100"))
    said = office.exchange.explain(offer, office.clock.local(WARSAW))
    office.call_in()
    office.gsm.far_ends(LegId("gsm0-1"))
    office.settle()
    assert office.row().trace == said.trace


def test_a_caller_who_heard_busy_because_the_line_talked_is_in_the_list_of_calls(office):
    office.exchange.handle(ev.SecondCall(GSM, e164("+48600300400"), None))
    row = office.row()
    assert (row.caller, row.cause, row.direction) == (e164("+48600300400"), Cause.BUSY, "in")
    assert [step.rule for step in row.trace] == ["second-call"]
    assert office.exchange.last_caller == e164("+48600300400")


def test_what_a_line_says_is_told_with_its_name_and_what_is_known_of_it_is_kept(office):
    office.exchange.handle(ev.LineSaid(GSM, "sim-changed", {"iccid": "8948"}))
    office.exchange.handle(ev.FactKnown(GSM, "identity", {"imei": "35"}))
    assert office.storage.events == ["sim-changed"]
    assert office.storage.facts == {("gsm0", "identity"): {"imei": "35"}}
    assert office.exchange.line_facts["gsm0"]["identity"] == {"imei": "35"}


def test_a_message_without_a_slot_is_acknowledged_after_it_is_stored(office):
    office.exchange.handle(ev.SmsReceived(GSM, "", None, part()))
    assert office.gsm.seen == []
    office.settle()
    assert office.gsm.seen == [do.FreeSlot(GSM, "", None, "0791")]


def test_a_line_with_a_scheme_shows_the_branch_that_takes_calls_and_none_closes_it(office):
    week = tuple(Range(day, time(9), time(18)) for day in range(5))
    scheme = Scheme("main", "Main", (Branch("Day", False, week, ()), Branch("Night", True, (), (), night="on")))
    plan = office.exchange.plan
    lines = {line_id: replace(line, scheme="main") for line_id, line in plan.lines.items()}
    office.exchange.plan = replace(plan, lines=lines, schemes={"main": scheme})
    noon, evening = FRIDAY_NOON.astimezone(WARSAW), FRIDAY_EVENING.astimezone(WARSAW)
    shown = open_rows(office.exchange, noon)["gsm0"]
    assert (shown["open"], shown["branch"], shown["until"]) == (True, "Day", "2026-11-27T18:00:00+01:00")
    assert open_rows(office.exchange, evening)["gsm0"]["open"] is False
    night = {shown.name: shown.pattern for shown in lamps_now(office.exchange, (), 0, evening)}["night"]
    assert night == "slow"
    office.exchange.overrides["night"] = "on"
    assert open_rows(office.exchange, noon)["gsm0"]["branch"] == "Night"
