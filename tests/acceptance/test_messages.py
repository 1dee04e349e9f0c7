"""A message on the SIM is in somebody's mailbox, once, whatever happens in between."""

import pytest

from tests.acceptance.conftest import MakePhone, Office
from tests.gsm_report import drain
from tests.peers.waiting import until

SENDER = "+48600100200"


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "Zażółć gęślą jaźń",
        "Привіт, як справи?",
        "Smile 😀 and a flag 🇵🇱",
        "A long one. " * 30,
        "Długa wiadomość z ogonkami, ąćęłńóśźż 😀. " * 8,
    ],
    ids=["plain", "polish", "ukrainian", "emoji", "long", "long-emoji"],
)
def test_a_message_arrives_in_the_mailbox_as_it_was_written(office: Office, text: str) -> None:
    office.virtual("gsm0 sms", SENDER, text)
    mail = office.wait_mails()[0]
    assert text.strip() in mail["text"].replace("\n", " ") or text.strip() in mail["text"]
    assert "+48 600 100 200" in mail["subject"] or SENDER in mail["subject"]
    assert "Reception" in mail["subject"]
    assert mail["to"] == ["office@demo.invalid"]
    until("the SIM is empty again", lambda: office.modem()["messages"]["SM"]["used"] == 0, 10, 0.1)
    rows = office.rows("sms")
    assert [row["text"].strip() for row in rows] == [text.strip()]
    assert [row["state"] for row in office.rows("outbox")] == ["sent"]


def test_messages_that_came_while_the_box_was_off_are_found(office: Office) -> None:
    office.processes.pop("exchange").stop()
    office.virtual("gsm0 sms", SENDER, "while you were out")
    office.start("exchange")
    assert "while you were out" in office.wait_mails()[0]["text"]


def test_a_read_message_is_unread_no_more(office: Office) -> None:
    office.virtual("gsm0 sms", SENDER, "read me")
    office.wait_mails()
    until("one is unread", lambda: office.status()["counts"]["unread"] == 1)
    assert office.ask("sms.read", sender=SENDER) == {"read": 1}
    until("none is unread", lambda: office.status()["counts"]["unread"] == 0)


def test_a_blocked_sender_is_kept_and_not_mailed(office: Office) -> None:
    office.ask("block.add", pattern=SENDER, allow=False, what="messages", when="always")
    office.virtual("gsm0 sms", SENDER, "buy now")
    office.virtual("gsm0 sms", "+48600100201", "good morning")
    mails = office.wait_mails()
    until("both are stored", lambda: len(office.rows("sms")) == 2)
    assert [mail["text"].count("good morning") for mail in mails] == [1]
    assert len(office.rows("outbox")) == 1


def test_a_full_sim_is_emptied_and_what_waited_arrives(office: Office) -> None:
    office.virtual("gsm0 storage full")
    office.virtual("gsm0 sms", SENDER, "waits at the network")
    office.virtual("gsm0 storage free")
    assert any("waits at the network" in mail["text"] for mail in until(
        "it arrives", lambda: [m for m in office.mails() if "waits" in m["text"]], 30, 0.2))  # fmt: skip


def test_a_sim_that_filled_up_while_the_box_was_off_is_emptied_in_time_and_each_message_is_stored(
    office: Office,
) -> None:
    """The short form of the section `drain` of `make gsm-report`, which has fifty."""
    seconds, stored = drain.drained(office, 10)
    assert stored == sorted(drain.texts(10))
    assert seconds < drain.GOAL
    assert len(office.wait_mails(10, 30)) == 10


def test_a_pdu_nobody_can_read_reaches_somebody_as_it_is(office: Office) -> None:
    office.virtual("gsm0 pdu 07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD")
    mail = office.wait_mails()[0]
    assert mail["text"]
    until("its slot is free", lambda: office.modem()["messages"]["SM"]["used"] == 0, 10, 0.1)


def test_a_call_and_a_message_at_once_disturb_neither(office: Office, phone: MakePhone) -> None:
    ben = phone("102", answers=True)
    office.virtual("gsm0 call +48600100209")
    ben.wait("CALL_ESTABLISHED")
    office.virtual("gsm0 sms", SENDER, "during the call")
    assert "during the call" in office.wait_mails()[0]["text"]
    assert office.status()["calls"][0]["state"] == "talking"
    office.virtual("gsm0 hang-up")
    assert office.wait_calls()[0]["cause"] == "normal"


def test_when_the_mail_server_is_gone_nothing_is_lost_and_calls_go_on(office: Office, phone: MakePhone) -> None:
    port = office.ask("settings.get", section="mail")["doc"]["port"]
    office.put("mail", port=1)
    office.virtual("gsm0 sms", SENDER, "patience")
    until("it was tried", lambda: [r for r in office.rows("outbox") if r["attempts"] >= 1 and r["state"] == "waiting"])
    ben = phone("102")
    office.virtual("gsm0 call +48600100209")
    ben.wait("CALL_INCOMING")
    office.virtual("gsm0 hang-up")
    office.put("mail", port=port)
    row = office.rows("outbox")[0]
    office.try_ask("outbox.retry", id=row["id"])  # unless the new settings have sent it already
    assert "patience" in office.wait_mails()[0]["text"]
    assert office.mails()[0]["message_id"].strip("<>") == row["message_id"].strip("<>")


def test_one_message_for_three_addresses_is_one_mail_for_three(office: Office) -> None:
    to = ["anna@demo.invalid", "ben@demo.invalid", "cyril@demo.invalid"]
    office.put_item("lines", "gsm0", sms_to=to)
    office.virtual("gsm0 sms", SENDER, "Zażółć gęślą jaźń, Привіт")
    mail = office.wait_mails()[0]
    assert mail["to"] == to
    assert "Zażółć gęślą jaźń, Привіт" in mail["text"]
    assert len(office.rows("outbox")) == 1


def test_a_code_for_somebody_else_comes_first_and_stays_out_of_the_subject(office: Office) -> None:
    office.virtual("gsm0 sms", "Bank", "Your code is 482913")
    mail = office.wait_mails(1, 10)[0]
    assert mail["text"].strip().startswith("Your code is 482913") or "482913" in mail["text"].splitlines()[0]
    assert "482913" not in mail["subject"]
    office.put("mail", code_in_subject=True)
    office.virtual("gsm0 sms", "Bank", "Your code is 571204")
    assert "571 204" in next(m["subject"] for m in office.wait_mails(2) if "571204" in m["text"])
