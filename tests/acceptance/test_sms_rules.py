"""Who gets a message, by the rules of the office, through the whole box: from the air to a mailbox or another phone."""

import json

from tests.acceptance.conftest import Office
from tests.peers.waiting import until

SENDER, COLLEAGUE, OWN = "+48600100200", "+48600100299", "+48990120100"
# "How are you?" as a message of replace type 1 (TP-PID 41), at two moments
REPLACING = ("07911326040000F0040B911346610089F64100208062917314080CC8F71D14969741F977FD07",
             "07911326040000F0040B911346610089F64100208062917324080CC8F71D14969741F977FD07")  # fmt: skip


def rule(name: str, action: str, **more: object) -> dict[str, object]:
    return {"id": name.lower(), "name": name, "action": action, "stop": False, **more}


def stored(office: Office, text: str) -> dict:
    return until(f"“{text}” is stored", lambda: next(iter(office.rows("sms", f"text = '{text}'")), None), 20)


def why(office: Office, text: str) -> list[str]:
    return [step["rule"] for step in json.loads(stored(office, text)["why"])]


def sent_on(office: Office) -> list[tuple[str, str]]:
    """What the network got of us."""
    return [(one["to"], one["text"]) for one in office.far("sent")["sent"]]


def test_an_alarm_goes_to_the_boss_and_everything_else_where_the_line_says(office: Office) -> None:
    office.put("sms_rules", items=[rule("Boss", "mail", word="alarm", to=["boss@demo.invalid"], stop=True)])
    office.far("sms", **{"from": SENDER, "text": "Pożar! ALARM w hali"})
    office.far("sms", **{"from": SENDER, "text": "Do jutra"})
    mails = {mail["text"].splitlines()[0]: mail["to"] for mail in office.wait_mails(2)}
    assert mails["Pożar! ALARM w hali"] == ["boss@demo.invalid"]
    assert "boss@demo.invalid" not in mails["Do jutra"]


def test_a_message_is_sent_on_to_a_colleague_once_and_goes_in_no_circle(office: Office) -> None:
    office.put("sms_rules", items=[rule("On", "sms", number=COLLEAGUE), rule("Round", "sms", number=OWN)])
    office.put_item("lines", "gsm0", number=OWN)
    office.far("sms", **{"from": SENDER, "text": "come at noon"})
    until("the colleague has it", lambda: sent_on(office), 20, 0.1)
    assert why(office, "come at noon") == ["sms-rule-sms", "sms-line-mail"]  # to our own number nothing is sent
    sent_on_text = f"Fwd {SENDER}: come at noon"
    office.far("sms", **{"from": COLLEAGUE, "text": sent_on_text})  # another box sends it back
    office.far("sms", **{"from": OWN, "text": "from ourselves"})
    assert why(office, sent_on_text) == ["sms-rule-again", "sms-line-mail"]
    assert why(office, "from ourselves") == ["sms-line-mail"]
    office.wait_mails(3)  # the mails of all three have left, so nothing waits behind them
    assert office.rows("outbox", "kind = 'sms' AND state != 'sent'") == []
    assert sent_on(office) == [(COLLEAGUE, sent_on_text)]


def test_a_message_that_takes_the_place_of_another_says_so_in_its_mail(office: Office) -> None:
    for pdu in REPLACING:
        office.far("pdu", hex=pdu)
    mails = office.wait_mails(2)
    flags = [json.loads(row["flags"]) for row in office.rows("sms")]
    assert flags == [["replace-1", "replaced"], ["replace-1"]]
    assert sorted("It takes the place of the message of" in mail["text"] for mail in mails) == [False, True]
