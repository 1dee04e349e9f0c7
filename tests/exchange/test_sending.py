"""The queue of messages of ours on a stand-in line and a real journal: nothing leaves twice, whatever ends the box."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.plan import SmsRules
from appliance.errors import ControlError
from appliance.exchange.control import Answer
from appliance.exchange.sending import Sending
from appliance.exchange.sending_verbs import SendingVerbs
from appliance.exchange.views import Views
from appliance.journal.writer import Writer
from tests.exchange.conftest import GSM, Office
from tests.journal.builders import join, rows
from tests.peers.waiting import until

TO = "+48600100200"
LONG = "A long message. " * 15


class Desk(Office):
    """The office with its queue. What the storage thread posts is run by `turn`."""

    def __init__(self, folder):
        super().__init__(folder)
        self.path = folder / "journal.db"
        self.answers = []
        self.at = 0.0
        self.begin()

    def begin(self):
        self.writer, self.views = Writer(self.path, join), Views(self.path)
        assert self.writer.start() is None
        self.sending = Sending(self.exchange, self.writer, self.views, self.clock, self.inbox.put)
        self.exchange.sms_out = self.sending.handle
        self.verbs = SendingVerbs(
            self.sending, self.exchange, self.writer, self.views, self.clock, self.inbox.put, lambda line: "8948"
        ).table  # fmt: skip
        self.sending.restore()

    def end(self):
        self.views.stop()
        self.writer.stop()

    def power_cut(self):
        """What is on disk is all that is left."""
        self.end()
        while self.inbox.get() is not None:
            pass
        self.gsm.seen.clear()
        self.begin()

    def rules(self, **more):
        line = replace(self.exchange.plan.lines[GSM], sms=SmsRules(**more))
        self.exchange.plan = replace(self.exchange.plan, lines={GSM: line})

    def turn(self, seconds=1.0):
        self.at += seconds
        while (item := self.inbox.get()) is not None:
            item() if callable(item) else self.exchange.handle(item)
        self.sending.tick(self.at)

    def later(self, minutes):
        self.clock.offset += minutes * 60
        self.turn()

    def ask(self, verb, **args):
        answers = []
        try:
            self.verbs[verb](args, "command line", answers.append)
        except ControlError as error:  # what Verbs makes an answer of
            return Answer(error=error.id)
        until("an answer", lambda: self.turn() or answers)
        return answers[0]

    def send(self, text="Hello", **args):
        answer = self.ask("sms.send", to=TO, text=text, line="gsm0", **args)
        assert isinstance(answer, Answer)
        assert answer.ok is not None, answer
        return answer.ok["id"]

    def parts(self):
        return [c for c in self.gsm.seen if isinstance(c, do.SendSmsPart)]

    def goes_out(self, number=1):
        """The part that the line got as the `number`th."""
        return until("a part goes out", lambda: self.turn() or self.parts()[number - 1 :])[0]

    def stays(self, number):
        for _ in range(10):
            self.turn()
        assert len(self.parts()) == number

    def said(self, event):
        self.exchange.handle(event)
        self.turn()

    def row(self, out=1):
        return rows(self.path, f"SELECT * FROM sms_out WHERE id = {out}")[0]

    def becomes(self, state, out=1):
        return until(f"message {out} is {state}", lambda: self.turn() or (r if (r := self.row(out))["state"] == state
                     else None))  # fmt: skip

    def part_states(self, out=1):
        query = f"SELECT state FROM sms_out_parts WHERE out_id = {out} ORDER BY sequence"
        return [row["state"] for row in rows(self.path, query)]


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.end()


def test_a_message_is_on_disk_before_its_answer_and_says_sending_before_it_leaves(desk):
    out = desk.send()
    assert desk.row(out)["text"] == "Hello"
    part = desk.goes_out()
    assert desk.part_states() == ["sending"]
    assert (part.out, part.sequence, part.more) == (out, 1, False)
    desk.said(ev.SmsPartSent(GSM, out, 1, 7))
    desk.becomes("sent")
    desk.said(ev.SmsReported(GSM, "SM", 4, "PDU", 7, "600100200", 0))
    desk.becomes("delivered")
    until("the slot is freed", lambda: desk.turn() or do.FreeSlot(GSM, "SM", 4, "PDU") in desk.gsm.seen)


def test_a_power_cut_between_the_parts_sends_none_twice(desk):
    out = desk.send(LONG)
    first = desk.goes_out()
    assert first.more
    desk.said(ev.SmsPartSent(GSM, out, 1, 7))
    second = desk.goes_out(2)
    assert second.sequence == 2
    desk.power_cut()
    assert desk.row()["state"] in ("uncertain", "sending")
    desk.becomes("uncertain")
    desk.stays(0)
    assert desk.part_states() == ["sent", "uncertain"]
    desk.said(ev.SmsReported(GSM, "", None, "PDU", 7, TO, 0))
    desk.said(ev.SmsReported(GSM, "", None, "PDU", 8, TO, 0))
    desk.becomes("delivered")


def test_a_power_cut_before_the_line_got_it_is_no_loss(desk):
    desk.gsm.usable = False
    out = desk.send()
    desk.stays(0)
    desk.power_cut()
    desk.gsm.usable = True
    assert desk.goes_out().out == out


def test_two_messages_go_one_after_the_other_with_a_pause(desk):
    first, second = desk.send("one"), desk.send("two")
    desk.goes_out()
    desk.stays(1)
    desk.said(ev.SmsPartSent(GSM, first, 1, 7))
    desk.stays(1)
    desk.later(0.1)
    assert desk.goes_out(2).out == second


def test_caps_hold_back_and_say_so(desk):
    desk.rules(per_hour=1, gap=0)
    first, second = desk.send("one"), desk.send("two")
    desk.goes_out()
    desk.said(ev.SmsPartSent(GSM, first, 1, 7))
    desk.stays(1)
    until("it says why", lambda: desk.turn() or desk.row(second)["reason"] == "sms-hour-cap")
    assert desk.row(second)["state"] == "queued"
    desk.power_cut()
    desk.stays(0)
    desk.later(61)
    assert desk.goes_out().out == second


def test_what_passes_is_tried_again_later(desk):
    out = desk.send()
    desk.goes_out()
    desk.said(ev.SmsPartFailed(GSM, out, 1, 38, "+CMS ERROR: 38"))
    row = desk.becomes("queued")
    assert (row["reason"], row["detail"], row["attempts"]) == ("sms-network", "+CMS ERROR: 38", 1)
    desk.stays(1)
    desk.later(1.1)
    assert desk.goes_out(2).out == out


def test_what_will_not_pass_fails_and_people_are_told(desk):
    out = desk.send()
    desk.goes_out()
    desk.said(ev.SmsPartFailed(GSM, out, 1, 28, "+CMS ERROR: 28"))
    assert desk.becomes("failed")["reason"] == "sms-unknown-number"
    assert desk.storage.events == ["sms-not-sent"]
    desk.stays(1)
    assert desk.ask("sms.again", id=out).ok == {}
    assert desk.goes_out(2).out == out


def test_no_result_is_uncertain_until_somebody_says_again(desk):
    out = desk.send()
    desk.goes_out()
    desk.said(ev.SmsPartUncertain(GSM, out, 1))
    assert desk.becomes("uncertain")["reason"] == "sms-no-result"
    desk.later(30)
    desk.stays(1)
    assert desk.ask("sms.again", id=out).ok == {}
    desk.goes_out(2)


def test_what_waits_can_be_taken_back_and_what_left_cannot(desk):
    desk.gsm.usable = False
    waits = desk.send()
    assert desk.ask("sms.cancel", id=waits).ok == {}
    assert (desk.row()["state"], desk.row()["reason"]) == ("failed", "sms-cancelled")
    assert desk.storage.events == []
    desk.gsm.usable = True
    desk.stays(0)
    left = desk.send()
    desk.goes_out()
    assert desk.ask("sms.again", id=left).error == "sms-not-failed"
    assert desk.ask("sms.cancel", id=left).error == "sms-not-waiting"


def test_a_report_that_comes_before_its_result_waits_for_it(desk):
    out = desk.send()
    desk.goes_out()
    desk.said(ev.SmsReported(GSM, "", None, "PDU", 7, TO, 0))
    desk.said(ev.SmsPartSent(GSM, out, 1, 7))
    desk.becomes("delivered")


def test_a_report_of_nobody_is_freed_from_the_sim(desk):
    desk.said(ev.SmsReported(GSM, "SM", 9, "PDU", 7, TO, 0))
    assert do.FreeSlot(GSM, "SM", 9, "PDU") in desk.gsm.seen


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"to": "112"}, "sms-emergency"),
        ({"to": "7155"}, "sms-premium"),
        ({"text": "  "}, "sms-empty"),
        ({"text": "x" * 2001}, "sms-too-long"),
        ({"to": "+48990120100", "origin": "mail"}, "sms-own-number"),
        ({"line": "gsm9"}, "no-such-line"),
        ({"valid_minutes": -5}, "bad-validity"),
        ({"flash": "yes"}, "bad-request"),
        ({"to": "x" * 3000}, "bad-request"),
    ],
)  # fmt: skip
def test_a_message_that_may_not_go_is_refused_with_its_reason(desk, args, error):
    assert desk.ask("sms.send", **{"to": TO, "text": "Hello", "line": "gsm0", **args}).error == error
    assert rows(desk.path, "SELECT * FROM sms_out") == []


def test_without_a_line_named_the_answer_goes_the_way_they_wrote(desk):
    answer = desk.ask("sms.send", to=TO, text="Hello")
    assert answer.ok["line"] == "gsm0"
    desk.rules(allowed=False)
    assert desk.ask("sms.send", to=TO, text="Hello").error == "sms-no-line"


def test_long_messages_have_references_of_their_own_that_outlive_the_box(desk):
    desk.gsm.usable = False
    desk.send(LONG)
    first = rows(desk.path, "SELECT value FROM line_facts")[0]["value"]
    desk.power_cut()
    desk.send(LONG)
    assert int(rows(desk.path, "SELECT value FROM line_facts")[0]["value"]) == (int(first) + 1) % 256


def test_half_a_letter_of_a_damaged_request_becomes_a_mark(desk):
    desk.send("broken \ud83d")
    assert desk.row()["text"] == "broken \ufffd"


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("x" * 160, (160, 160, 1, "gsm7")),
        ("x" * 161, (161, 306, 2, "gsm7")),
        ("€", (2, 160, 1, "gsm7")),
        ("ж" * 70, (70, 70, 1, "ucs2")),
        ("ж" * 71, (71, 134, 2, "ucs2")),
        ("😀", (2, 70, 1, "ucs2")),
    ],
)
def test_letters_are_counted_as_they_will_be_sent(desk, text, counted):
    answer = desk.ask("sms.count", text=text, line="gsm0")
    assert tuple(answer.ok[name] for name in ("letters", "room", "parts", "coding")) == counted


def test_the_same_key_is_one_message(desk):
    assert desk.send(key="mail-1") == desk.send(key="mail-1", text="again")
    desk.goes_out()
    desk.stays(1)
