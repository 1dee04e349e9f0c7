"""Codes of the network, the credit of a SIM, and callers who reach somebody although the box is off."""

import json
import os
import pty
import subprocess
import sys

import pytest

from appliance.virtual import ussd_forms
from tests.acceptance.conftest import MakePhone, Office
from tests.peers.waiting import until

BACKUP = "+48221234567"


def centralka(office: Office, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", *words], env=office.environ, capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def notices(office: Office) -> list[str]:
    return [row["message"] for row in office.rows("events")]


def forwarding(office: Office) -> dict:
    return office.modem()["forwarding"]


def test_a_code_typed_is_answered(office: Office) -> None:
    done = centralka(office, "ussd", "gsm0", "*100#")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Your balance is ")
    assert office.ask("ussd.send", line="gsm0", code="*105#")["text"].startswith("Ваш баланс")


def test_a_menu_of_two_steps_is_gone_through(office: Office) -> None:
    done = centralka(office, "ussd", "gsm0", "*101#", "--answer", "2", "--answer", "1")
    assert done.stdout.splitlines()[-1] == "Internet 1 GB: done."
    assert done.returncode == 0
    assert office.modem()["ussd"] == ["*101#", "2", "1"]
    left = centralka(office, "ussd", "gsm0", "*101#")
    assert left.returncode == 1
    assert "the menu was left" in left.stderr
    assert office.ask("ussd.send", line="gsm0", code="*100#")["more"] is False, "the next code finds no open menu"


@pytest.mark.parametrize(
    ("request_form", "answer_form", "request_kept"),
    [("packed", "packed", "packed"), ("ucs2", "ucs2-dcs15", "ucs2"), ("plain", "ucs2", "plain")],
)
def test_a_modem_that_wants_it_differently_is_understood_and_remembered(
    office: Office, request_form: str, answer_form: str, request_kept: str
) -> None:
    office.virtual(f"gsm0 set ussd_request {request_form}")
    office.virtual(f"gsm0 set ussd_answer {answer_form}")
    for _ in range(2):
        assert office.ask("ussd.send", line="gsm0", code="*100#")["text"].startswith("Your balance is ")
    facts = {row["name"]: json.loads(row["value"]) for row in office.rows("line_facts")}
    assert facts["ussd-coding"]["request"] == request_kept


def test_what_cannot_be_asked_is_said_and_no_code_is_in_the_log(office: Office, phone: MakePhone) -> None:
    voucher = "*123*912345678901#"
    assert "Topped up" in office.ask("ussd.send", line="gsm0", code=voucher)["text"]
    assert office.try_ask("ussd.send", line="gsm0", code="*999#").error == "ussd-unsupported"
    assert office.try_ask("ussd.send", line="gsm0", code="call me").error == "not-a-code"
    assert office.try_ask("ussd.send", line="gsm7", code="*100#").error == "no-such-line"
    assert office.ask("ussd.send", line="gsm0", code="*101#")["more"]
    assert office.try_ask("ussd.send", line="gsm0", code="*100#").error == "ussd-busy"
    office.ask("ussd.cancel", line="gsm0")
    phone("102", answers=True)
    office.virtual("gsm0 call +48600100209")
    until("the call is up", lambda: office.status()["calls"] and office.status()["calls"][0]["state"] == "talking")
    assert office.try_ask("ussd.send", line="gsm0", code="*100#").error == "line-in-call"
    office.virtual("gsm0 hang-up")
    office.processes.pop("exchange").stop()
    assert voucher not in office.log()
    journal = office.places.journal
    held = b"".join(path.read_bytes() for path in journal.parent.glob(journal.name + "*"))
    assert b"912345678901" not in held


def test_a_balance_is_read_and_kept(office: Office) -> None:
    office.put_item("lines", "gsm0", balance_code="*100#", currency="PLN", balance_sender="Operator")
    office.far("balance", amount="12.30")
    assert office.ask("credit.read", line="gsm0")["amount"] == 1230
    office.virtual("gsm0 sms", "Operator", "Your balance is 7,05 PLN")
    office.virtual("gsm0 sms", "Somebody", "You owe me 99,00 PLN")
    rows = until("both are stored", lambda: r if len(r := office.rows("credit")) >= 2 else None)
    assert [(row["amount"], row["source"], row["currency"]) for row in rows] == [
        (1230, "ussd", "PLN"), (705, "sms", "PLN"),
    ]  # fmt: skip
    assert "credit-low" not in notices(office)


def test_a_balance_that_cannot_be_read_is_unknown_and_never_zero(office: Office) -> None:
    office.put_item("lines", "gsm0", balance_code="*100#")
    office.far("ussd", code="*100#", text="Service is not available, call 500")
    assert office.ask("credit.read", line="gsm0")["amount"] is None
    until("it is told", lambda: "credit-unknown" in notices(office))
    assert office.rows("credit") == []
    assert "credit-low" not in notices(office)


def test_a_low_balance_alarms_once_and_tops_up_once_and_not_above_the_limit(office: Office) -> None:
    vouchers = "912345678901 912345678902 912345678903"
    office.put_item(
        "lines", "gsm0", balance_code="*100#", balance_low="30.00", topup="voucher", topup_code="*123*{voucher}#",
        vouchers=vouchers, topup_daily=1,
    )  # fmt: skip
    office.far("balance", amount="2.00")
    office.ask("credit.read", line="gsm0")
    mails = office.wait_mails(2)
    assert any("2.00 PLN" in mail["text"] for mail in mails)
    assert office.far("balance")["balance"] == 2700, "one voucher, and it is still low"
    for _ in range(3):
        office.ask("credit.read", line="gsm0")
    assert [code for code in office.modem()["ussd"] if code.startswith("*123*")] == ["*123*912345678901#"]
    assert notices(office).count("credit-low") == 1
    office.at("2026-11-28T12:00")
    office.ask("credit.read", line="gsm0")
    until("the next voucher was used", lambda: office.far("balance")["balance"] == 5200)
    assert office.modem()["ussd"][-1] != "*123*912345678901#"
    until("it was told", lambda: notices(office).count("topup-done") == 2)
    office.ask("credit.read", line="gsm0")
    office.processes.pop("exchange").kill()
    office.start("exchange")
    until("the SIM is registered", lambda: office.line()["state"] == "up", 20)
    office.at("2026-11-28T18:00")
    office.far("balance", amount="1.00")
    office.ask("credit.read", line="gsm0")
    until("it was told again", lambda: notices(office).count("credit-low") == 2)
    assert office.far("balance")["balance"] == 100, "the limit of the day holds over a kill"
    assert "9123456789" not in json.dumps(office.rows("events")) + json.dumps(office.rows("line_facts"))


def test_the_backup_number_is_set_in_the_network_and_takes_calls_when_the_modem_is_dead(office: Office) -> None:
    office.put_item("lines", "gsm0", backup_number=BACKUP, forward_no_answer=True, forward_seconds="15")
    until("the network forwards", lambda: set(forwarding(office)) == {"not-reachable", "no-answer"}, 20)
    assert forwarding(office)["no-answer"]["seconds"] == 15
    fact = until("it was verified", lambda: next(
        (row for row in office.rows("line_facts") if row["name"] == "forwarding"), None))  # fmt: skip
    said = json.loads(fact["value"])
    assert (said["wrong"], sorted(said["ours"]), said["number"]) == ([], ["no-answer", "unreachable"], BACKUP)
    office.virtual("gsm0 unplug")
    office.processes.pop("exchange").stop()
    assert office.far("call", number="+48600100209")["forwarded"]["to"] == BACKUP


def test_a_backup_number_that_was_lost_is_noticed_and_set_again(office: Office) -> None:
    office.put_item("lines", "gsm0", backup_number=BACKUP)
    until("it is set", lambda: "forwarding-set" in notices(office), 20)
    office.far("forward", reason="not-reachable", number="+48600100666")
    said = office.ask("forwarding.check", line="gsm0")
    assert (said["lost"], said["wrong"]) == (["unreachable"], [])
    assert forwarding(office)["not-reachable"]["number"] == BACKUP
    assert "forwarding-restored" in notices(office)
    assert BACKUP in office.wait_mails()[0]["text"]
    assert office.ask("forwarding.check", line="gsm0")["lost"] == []


def test_without_the_number_only_what_we_set_is_erased(office: Office) -> None:
    office.far("forward", reason="busy", number="+48501000501")
    office.put_item("lines", "gsm0", backup_number=BACKUP)
    until("it is set", lambda: "forwarding-set" in notices(office), 20)
    office.put_item("lines", "gsm0", backup_number="")
    until("it is erased", lambda: "forwarding-gone" in notices(office), 20)
    assert set(forwarding(office)) == {"busy"}


def test_a_network_that_refuses_is_said_to(office: Office) -> None:
    office.put_item("lines", "gsm0", balance_code="*100#")
    office.virtual("gsm0 set service_error 4")
    office.put_item("lines", "gsm0", backup_number=BACKUP)
    answer = office.try_ask("forwarding.apply", line="gsm0")
    assert answer.error == "forwarding-unknown"
    assert office.ask("credit.read", line="gsm0")["amount"] is not None, "the rest of the line works on"


def test_every_way_to_write_an_answer_is_read(office: Office) -> None:
    """The far end writes the same text in all the forms that modems were seen to use."""
    wrong = {}
    texts = {"*1#": "Stan konta: 12.30 PLN, wazne do 31.12", "*2#": "1 Saldo\n2 Pakiety\n3 Koniec"}
    for form in ussd_forms.FORMS:
        for code, text in texts.items():
            office.far("ussd", code=code, text=text, encoding=form)
            answer = office.try_ask("ussd.send", line="gsm0", code=code)
            said = str(dict(answer.ok or {}).get("text", answer.error))
            if said.strip().replace("\r", "") != text:
                wrong[form, code] = said
    assert wrong == {}


def test_a_person_at_a_terminal_answers_the_menu(office: Office) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "appliance", "ussd", "gsm0", "*101#"], env=office.environ, text=True,
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(theirs)
        os.write(ours, b"1\n")
        said, errors = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0, errors
    assert "1 Balance" in said
    assert "Your balance is" in said.splitlines()[-1]
