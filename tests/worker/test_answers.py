"""An answer to a mail becomes one SMS: real IMAP server, real mail server, the real worker."""

import base64
import smtplib
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage

import pytest

from appliance.journal.times import stamp
from appliance.settings.secret import Secret
from appliance.worker.clock import PlanClock
from tests.peers.dovecot import PASSWORD, USER, Dovecot
from tests.peers.exim import PASSWORD as SMTP_PASSWORD
from tests.peers.exim import USER as SMTP_USER
from tests.peers.exim import Exim, until
from tests.worker.box import Box
from tests.worker.rows import ANNA
from tests.worker.stand_in import Sender

CLERK = "office@x.test"


@pytest.fixture
def mailbox() -> Iterator[Dovecot]:
    with Dovecot() as started:
        yield started


@pytest.fixture
def exchange(box: Box) -> Iterator[Sender]:
    assert box.writer.start() is None
    with Sender(box) as started:
        yield started


def answers_on(box: Box, mailbox: Dovecot, server: Exim, **more: object) -> None:
    """Settings for mail and mailbox; the worker trusts both authorities."""
    box.mail_to(server)
    doc = {
        "enabled": True, "host": mailbox.address, "port": mailbox.tls_port, "security": "tls", "user": USER,
        "password": Secret(PASSWORD), "address": USER,
    } | more  # fmt: skip
    box.store.put("mailbox", None, doc)
    both = box.folder / "authorities.pem"
    both.write_bytes(server.certificates.authority.read_bytes() + mailbox.certificates.authority.read_bytes())
    box.environ["SSL_CERT_FILE"] = str(both)


def mailed(server: Exim, text: str) -> EmailMessage:
    """The mail that has this text."""

    def found() -> list[EmailMessage]:
        return [mail for mail in server.mails() if text in mail.get_content()]

    until(found, 20, server.log)
    return found()[-1]


def answer(to: EmailMessage, text: str, number: int = 1, sender: str = CLERK, **headers: str) -> EmailMessage:
    """As a mail program answers: to Reply-To, with the references of the mail and its Message-ID."""
    made = EmailMessage()
    made["From"] = sender
    made["To"] = str(to["Reply-To"] or to["From"])
    made["Subject"] = f"Re: {to['Subject']}"
    made["Message-ID"] = f"<answer.{number}@x.test>"
    made["In-Reply-To"] = str(to["Message-ID"])
    made["References"] = f"{to['References']} {to['Message-ID']}"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    quoted = "\n".join(f"> {line}" for line in to.get_content().splitlines())
    made.set_content(f"{text}\n\nOn Friday, Box wrote:\n{quoted}\n")
    return made


def test_an_answer_is_one_sms_to_who_wrote(box: Box, exchange: Sender, mailbox: Dovecot, server: Exim) -> None:
    answers_on(box, mailbox, server)
    box.start()
    box.sms("are you open? (1)")
    first = mailed(server, "are you open? (1)")
    assert str(first["Reply-To"]).startswith("box+1-")
    assert first["Auto-Submitted"] == "auto-generated"
    mailbox.deliver(answer(first, "Until five"))
    until(lambda: exchange.sent, 20, box.log)
    [sent] = exchange.sent
    assert (sent["to"], sent["text"], sent["origin"], sent["line"]) == (ANNA, "Until five", "mail", "gsm0")
    assert (sent["key"], sent["reply_to"]) == ("<answer.1@x.test>", 1)


def test_the_token_in_the_references_is_enough(box: Box, exchange: Sender, mailbox: Dovecot, server: Exim) -> None:
    answers_on(box, mailbox, server, plus=False, security="starttls", port=mailbox.port)
    box.start()
    box.sms("are you open? (2)")
    first = mailed(server, "are you open? (2)")
    assert str(first["Reply-To"]) == USER
    mailbox.deliver(answer(first, "Until six"))
    until(lambda: exchange.sent, 20, box.log)
    assert exchange.sent[0]["text"] == "Until six"


def test_a_mail_that_is_read_twice_is_one_sms(box: Box, exchange: Sender, mailbox: Dovecot, server: Exim) -> None:
    answers_on(box, mailbox, server)
    box.start()
    box.sms("are you open? (3)")
    first = mailed(server, "are you open? (3)")
    exchange.refuse = "journal-error"  # the exchange cannot take it now
    mailbox.deliver(answer(first, "Until seven"))
    until(lambda: exchange.asked, 20, box.log)
    box.kill()
    exchange.refuse = ""
    box.start()
    until(lambda: exchange.sent, 20, box.log)
    box.kill()
    mailbox.deliver(answer(first, "Until seven"))  # the provider delivers it once more
    box.start()
    until(lambda: len(exchange.asked) >= 3, 20, box.log)
    assert len(exchange.sent) == 1


def test_a_machine_or_a_stranger_makes_no_sms(box: Box, exchange: Sender, mailbox: Dovecot, server: Exim) -> None:
    answers_on(box, mailbox, server)
    box.start()
    box.sms("are you open? (4)")
    first = mailed(server, "are you open? (4)")
    mailbox.deliver(answer(first, "I am away", 1, Auto_Submitted="auto-replied"))
    mailbox.deliver(answer(first, "buy now", 2, sender="stranger@elsewhere.test"))
    forged = answer(first, "hello", 3)
    forged.replace_header("To", str(forged["To"]).replace("+1-", "+2-"))
    mailbox.deliver(forged)
    mailbox.deliver(answer(first, "x" * 1531, 4))
    mailbox.deliver(answer(first, "", 5))
    mailbox.deliver(answer(first, "the last", 6))
    until(lambda: exchange.sent, 20, box.log)
    assert [one["text"] for one in exchange.sent] == ["the last"]

    def refusals() -> dict[str, str]:
        return {str(m["In-Reply-To"]): m.get_content() for m in server.mails() if "answer." in str(m["In-Reply-To"])}

    until(lambda: len(refusals()) == 4, 20, box.log)
    assert set(refusals()) == {f"<answer.{n}@x.test>" for n in (2, 3, 4, 5)}
    assert all("nie została wysłana" in text for text in refusals().values())
    assert all(m["Auto-Submitted"] == "auto-generated" for m in server.mails())


def test_only_those_named_may_answer(box: Box, exchange: Sender, mailbox: Dovecot, server: Exim) -> None:
    answers_on(box, mailbox, server, senders=["boss@x.test"])
    box.start()
    box.sms("are you open? (5)")
    first = mailed(server, "are you open? (5)")
    mailbox.deliver(answer(first, "no", 1))
    mailbox.deliver(answer(first, "yes", 2, sender="Boss <BOSS@x.test>"))
    until(lambda: exchange.sent, 20, box.log)
    assert [one["text"] for one in exchange.sent] == ["yes"]


def test_above_the_limit_an_answer_waits_and_people_are_told(
    box: Box, exchange: Sender, mailbox: Dovecot, server: Exim
) -> None:
    answers_on(box, mailbox, server)
    now = stamp(PlanClock().now())
    with closing(sqlite3.connect(box.places.journal, timeout=5)) as db, db:
        db.executemany(
            "INSERT INTO sms_out (line, recipient, text, origin, created_at, updated_at, next_at)"
            " VALUES ('gsm0','+48600100299','x','rule',?,?,?)", [(now, now, now)] * 20,
        )  # fmt: skip
    box.start()
    box.sms("are you open? (9)")
    mailbox.deliver(answer(mailed(server, "are you open? (9)"), "Later"))
    until(lambda: "sms-cap" in [message for message, _ in box.events()], 20, box.log)
    assert exchange.asked == []


def test_mail_of_others_in_the_mailbox_stays_as_it_is(
    box: Box, exchange: Sender, mailbox: Dovecot, server: Exim
) -> None:
    other = EmailMessage()
    other["From"], other["To"], other["Subject"] = "x@y.test", USER, "Invoice"
    other.set_content("please pay")
    mailbox.deliver(other)
    answers_on(box, mailbox, server)
    box.start()
    until(lambda: "a mail was left" in box.log(), 20, box.log)
    assert exchange.asked == []
    assert box.outbox() == []


def test_an_answer_that_the_network_did_not_take_is_told(
    box: Box, exchange: Sender, mailbox: Dovecot, server: Exim
) -> None:
    answers_on(box, mailbox, server)
    box.start()
    box.sms("are you open? (6)")
    mailbox.deliver(answer(mailed(server, "are you open? (6)"), "Until eight"))
    until(lambda: exchange.sent, 20, box.log)
    exchange.fail(1, "sms-unknown-number")
    box.datagram(b"outbox")
    told = mailed(server, "Until eight")
    assert told["In-Reply-To"] == "<answer.1@x.test>"
    assert told["To"] == CLERK


def test_a_mailbox_that_is_away_is_read_when_it_is_back(
    box: Box, exchange: Sender, mailbox: Dovecot, server: Exim
) -> None:
    answers_on(box, mailbox, server)
    box.start()
    box.sms("are you open? (7)")
    first = mailed(server, "are you open? (7)")
    mailbox.stop()
    until(lambda: "mailbox-no-server" in box.log(), 20, box.log)
    mailbox.deliver(answer(first, "Until nine"))
    mailbox.start()
    until(lambda: exchange.sent, 40, box.log)
    assert exchange.sent[0]["text"] == "Until nine"


def test_a_wrong_password_is_told_in_the_servers_words_and_never_logged(
    box: Box, exchange: Sender, mailbox: Dovecot, server: Exim
) -> None:
    answers_on(box, mailbox, server, password=Secret("wrong-secret-9"))
    box.start()
    until(lambda: ("mailbox-down") in [message for message, _ in box.events()], 20, box.log)
    assert box.ask("state")["mailbox_error"] == "mailbox-sign-in"
    assert "wrong-secret-9" not in box.log()
    tried = box.ask("mailbox.test", {"password": PASSWORD})
    assert tried["ok"], tried
    assert any("INBOX" in str(line) for line in tried["said"])
    assert box.ask("mailbox.test", {"password": "no"})["error_id"] == "mailbox-sign-in"
    assert box.ask("mailbox.test", {"host": "127.0.0.2"})["error_id"] == "mail-password-again"


def test_a_mail_program_of_its_own_can_answer_through_the_mail_server(
    box: Box, exchange: Sender, mailbox: Dovecot, server: Exim
) -> None:
    """What leaves by SMTP and is delivered, with the headers that delivery adds."""
    answers_on(box, mailbox, server)
    box.start()
    box.sms("are you open? (8)")
    mine = answer(mailed(server, "are you open? (8)"), "Until ten")
    context = ssl.create_default_context(cafile=str(server.certificates.authority))
    with smtplib.SMTP_SSL(server.address, server.tls_port, context=context, local_hostname="pc.test") as client:
        client.ehlo()
        whole = base64.b64encode(f"\0{SMTP_USER}\0{SMTP_PASSWORD}".encode()).decode()
        assert client.docmd("AUTH", "PLAIN " + whole)[0] == 235
        client.sendmail(CLERK, [str(mine["To"])], mine.as_bytes())
    delivered = [m for m in _when(server, "Until ten") if str(m["Message-ID"]) == "<answer.1@x.test>"]
    mailbox.deliver(delivered[0])
    until(lambda: exchange.sent, 20, box.log)
    assert exchange.sent[0]["text"] == "Until ten"


def _when(server: Exim, text: str) -> list[EmailMessage]:
    mailed(server, text)
    return [mail for mail in server.mails() if text in mail.get_content()]
