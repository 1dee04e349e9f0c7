"""Codes, credit and forwarding in the exchange: in which order things happen, and what is given back."""

import json

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.forwarding import Diverted
from appliance.core.model import Direction, Kind, LegId, Number
from appliance.errors import ControlError, DiskFull
from appliance.exchange.control import Answer
from appliance.exchange.sims import Sims
from appliance.journal.sims import LineFact
from appliance.journal.writes import AddCredit, AddNotice, PutLineFact
from appliance.settings.secret import Secret
from tests.exchange.conftest import GSM

NUMBER = "+48221234567"


class Desk:
    """The SIM services of the small office. `writes` are what the journal got; `broken`: it takes nothing."""

    def __init__(self, office, **item):
        self.office = office
        self.items = {"gsm0": {"id": "gsm0", "enabled": True, "balance_code": "*100#", "currency": "PLN", **item}}
        self.writes, self.later, self.answers = [], [], []
        self.broken = False
        self.sims = Sims(
            office.exchange, self._submit, self.later.append, lambda: self.items, lambda: ("office@example.org",)
        )

    def _submit(self, write, done):
        self.writes.append(write)
        if done:
            done(DiskFull("full") if self.broken else None)

    def ask(self, verb, **args):
        self.sims.verbs()[verb]({"line": "gsm0", **args}, "test", self.answers.append)
        return self

    def said(self, text, more=False):
        self.office.exchange.handle(ev.UssdAnswered(GSM, text, more))
        return self.settle()

    def settle(self):
        while self.later:
            self.later.pop(0)()
        return self

    def sent(self, kind=do.SendUssd):
        return [command for command in self.office.gsm.seen if isinstance(command, kind)]

    def notices(self):
        return [write.message for write in self.writes if isinstance(write, AddNotice)]


@pytest.fixture
def make(office):
    return lambda **item: Desk(office, **item)


def voucher_line(**more):
    return {
        "topup": "voucher",
        "topup_code": "*123*{voucher}#",
        "vouchers": Secret("111122223333 444455556666"),
        **more,
    }


def test_the_voucher_is_written_down_before_its_code_leaves(make):
    desk = make(**voucher_line()).ask("credit.read")
    desk.office.exchange.handle(ev.UssdAnswered(GSM, "Balance 1.00 PLN", False))
    kept = [write for write in desk.writes if isinstance(write, PutLineFact) and write.name == "credit-guard"]
    assert len(kept[0].value["used"]) == 1
    assert len(desk.sent()) == 1, "only the question for the balance"
    desk.settle()
    assert [command.code for command in desk.sent()] == ["*100#", "*123*111122223333#"]
    assert desk.sent()[-1].once
    assert "111122223333" not in repr(desk.sent()) + repr(desk.writes)


def test_what_cannot_be_written_down_is_not_done_and_not_lost(make):
    desk = make(**voucher_line()).ask("credit.read")
    desk.broken = True
    desk.said("Balance 1.00 PLN")
    assert len(desk.sent()) == 1
    assert desk.notices() == ["credit-low", "topup-failed"]
    desk.broken = False
    desk.ask("credit.read").said("Balance 1.00 PLN")
    assert desk.sent()[-1].code == "*123*111122223333#", "the voucher was given back"


def test_a_top_up_that_cannot_begin_gives_its_voucher_back(make):
    desk = make(**voucher_line()).ask("credit.read")
    desk.office.exchange.handle(ev.UssdAnswered(GSM, "Balance 1.00 PLN", False))
    desk.office.gsm.legs[LegId("gsm0-1")] = "up"  # a call came in between
    desk.settle()
    assert "topup-failed" in desk.notices()
    desk.office.gsm.legs.clear()
    desk.ask("credit.read").said("Balance 1.00 PLN")
    assert desk.sent()[-1].code == "*123*111122223333#"


def test_a_top_up_that_a_call_kept_from_leaving_gives_its_voucher_back(make):
    desk = make(**voucher_line()).ask("credit.read").said("Balance 1.00 PLN")
    desk.office.exchange.handle(ev.UssdFailed(GSM, "ussd-not-sent"))
    desk.ask("credit.read").said("Balance 1.00 PLN")
    assert [one.code for one in desk.sent() if one.code.startswith("*123*")] == ["*123*111122223333#"] * 2


def test_a_top_up_whose_answer_is_lost_counts_as_done(make):
    desk = make(**voucher_line()).ask("credit.read").said("Balance 1.00 PLN")
    desk.office.exchange.handle(ev.UssdFailed(GSM, "ussd-no-answer"))
    desk.ask("credit.read").said("Balance 1.00 PLN")
    assert len([one for one in desk.sent() if one.code.startswith("*123*")]) == 1
    assert desk.notices() == ["credit-low", "topup-failed", "topup-limit"]


def test_after_a_top_up_the_balance_is_read_again_and_its_answer_shows_no_voucher(make):
    desk = make(**voucher_line()).ask("credit.read").said("Balance 1.00 PLN")
    desk.said("Voucher 1111 2222 3333 taken")
    done = next(write for write in desk.writes if isinstance(write, AddNotice) and write.message == "topup-done")
    assert done.args["said"] == "Voucher ... taken"
    at = desk.office.clock.monotonic()
    desk.sims.chore(at + 10)
    assert len(desk.sent()) == 2
    desk.sims.chore(at + 60)
    assert desk.sent()[-1].code == "*100#"


def test_a_top_up_can_be_a_web_address(make):
    desk = make(topup="webhook", topup_url="https://example.org/").ask("credit.read").said("Balance 1.00 PLN")
    (asked,) = [write for write in desk.writes if isinstance(write, AddNotice) and write.hook]
    assert (asked.message, asked.hook, asked.args["line_id"]) == ("topup-asked", "@topup:gsm0", "gsm0")
    assert len(desk.sent()) == 1


def test_low_credit_goes_out_by_mail_and_the_reading_into_the_series(make):
    desk = make(balance_low="5.00").ask("credit.read").said("Balance 4.99 PLN")
    (low,) = [write for write in desk.writes if isinstance(write, AddNotice)]
    assert (low.message, low.to) == ("credit-low", ("office@example.org",))
    assert low.args == {"line": "Reception", "amount": "4.99 PLN", "needed": "5.00 PLN"}
    assert [write.amount for write in desk.writes if isinstance(write, AddCredit)] == [499]
    assert desk.answers == [Answer(ok={"text": "Balance 4.99 PLN", "amount": 499, "currency": "PLN"})]


def test_only_the_operator_tells_the_balance_by_message(make):
    desk = make(balance_sender="Orange")
    for sender, text in (("Orange", "Masz 12,30 PLN"), ("Mallory", "Masz 0,00 PLN"), ("Orange", "Hello")):
        part = ev.SmsPart("00", Number(sender, Kind.ALPHANUMERIC), text, "gsm7", b"", None)
        desk.office.exchange.handle(ev.SmsReceived(GSM, "SM", 1, part))
    assert [(w.amount, w.source) for w in desk.writes if isinstance(w, AddCredit)] == [(1230, "sms")]


def test_a_message_may_be_forged_so_it_tops_nothing_up_before_the_operator_was_asked(make):
    desk = make(**voucher_line(balance_sender="Orange"))
    part = ev.SmsPart("00", Number("Orange", Kind.ALPHANUMERIC), "Masz 0,10 PLN", "gsm7", b"", None)
    desk.office.exchange.handle(ev.SmsReceived(GSM, "SM", 1, part))
    assert desk.settle().sent() == []
    desk.sims.chore(desk.office.clock.monotonic() + 1)
    assert [command.code for command in desk.sent()] == ["*100#"]
    desk.said("Balance 1.00 PLN")
    assert desk.sent()[-1].code == "*123*111122223333#"


def test_after_a_long_call_out_the_balance_is_read_once_an_hour(make):
    desk = make()
    nobody = Number("", Kind.INTERNAL)

    def ended(direction, talk_ms, by="gsm0"):
        record = do.CallRecord(
            "c", direction, "phones", nobody, nobody, "", "", "", 0, talk_ms, by, "normal", "", (), ()
        )
        for told in desk.office.exchange.call_ended:
            told(record)

    at = desk.office.clock.monotonic()
    for direction, talk_ms, by in ((Direction.IN, 900_000, "gsm0"), (Direction.OUT, 1000, "gsm0"),
                                   (Direction.OUT, 900_000, "trunk")):  # fmt: skip
        ended(direction, talk_ms, by)
    desk.sims.chore(at + 100)
    assert desk.sent() == []
    for _ in range(2):
        ended(Direction.OUT, 900_000)
        desk.sims.chore(at + 100)
        if desk.sent():
            desk.said("Balance 9.00 PLN")
    assert len(desk.sent()) == 1


def test_one_question_at_a_time_and_none_in_a_call(make):
    desk = make().ask("ussd.send", code="*100#")
    with pytest.raises(ControlError, match="ussd-busy"):
        desk.ask("credit.read")
    desk.said("hello")
    desk.office.gsm.legs[LegId("gsm0-1")] = "up"
    with pytest.raises(ControlError, match="line-in-call"):
        desk.ask("ussd.send", code="*100#")
    desk.office.gsm.legs.clear()
    desk.office.gsm.usable = False
    with pytest.raises(ControlError, match="line-not-up"):
        desk.ask("ussd.send", code="*100#")


def test_a_code_that_sets_forwarding_is_sent_and_said(make):
    for code, forwards in (("**21*600100200#", True), ("##002#", True), ("*100#", False), ("*21345#", False)):
        desk = make().ask("ussd.send", code=code).said("ok")
        assert desk.answers[-1].ok["forwards"] is forwards, code


def test_what_the_network_says_of_its_own_accord_is_told_to_people(make):
    desk = make()
    desk.office.exchange.handle(ev.UssdAnswered(GSM, "Your package ends today", False, asked=False))
    assert desk.notices() == ["network-said"]


def test_forwarding_is_set_once_and_a_silent_network_is_asked_less_and_less_often(make):
    desk = make(backup_number=NUMBER)
    at = 1000.0
    for _ in range(3):
        desk.sims.chore(at)
        desk.office.exchange.handle(ev.ForwardingRead(GSM, (), {"all": "+CME ERROR: 30"}))
        at += 6
    assert len(desk.sent(do.Forward)) == 1
    at = desk.office.clock.monotonic() + 40
    desk.sims.chore(at)
    desk.office.exchange.handle(ev.ForwardingRead(GSM, (Diverted("unreachable"), Diverted("busy"))))
    desk.office.exchange.handle(ev.ForwardingRead(GSM, (Diverted("unreachable", NUMBER), Diverted("busy"))))
    desk.sims.chore(at + 4000)
    assert [command.changes for command in desk.sent(do.Forward)] == [(), (), (Diverted("unreachable", NUMBER),)]
    assert desk.notices() == ["forwarding-set"]


def test_a_network_that_does_not_keep_what_was_set_is_told_by_mail(make):
    desk = make(backup_number=NUMBER).ask("forwarding.apply")
    for _ in range(2):
        desk.office.exchange.handle(ev.ForwardingRead(GSM, (Diverted("unreachable"),), {"unreachable": "ERROR"}))
    assert desk.notices() == ["forwarding-refused"]
    assert desk.answers[-1].ok["wrong"] == ["unreachable"]


def test_a_restart_forgets_nothing(make):
    desk = make(backup_number=NUMBER).ask("forwarding.apply")
    for number in ("", NUMBER):
        desk.office.exchange.handle(ev.ForwardingRead(GSM, (Diverted("unreachable", number),)))
    kept = [write for write in desk.writes if isinstance(write, PutLineFact)]
    again = make(backup_number=NUMBER)
    again.sims.facts.restore(LineFact(w.line, w.name, json.loads(json.dumps(w.value)), w.at) for w in kept)
    before = len(again.sent(do.Forward))
    again.sims.chore(again.office.clock.monotonic() + 10)
    assert len(again.sent(do.Forward)) == before, "the network holds what is wanted"
    again.items["gsm0"]["backup_number"] = ""
    again.sims.chore(again.office.clock.monotonic() + 20)
    again.office.exchange.handle(ev.ForwardingRead(GSM, (Diverted("unreachable", NUMBER),)))
    assert again.sent(do.Forward)[-1].changes == (Diverted("unreachable"),)
