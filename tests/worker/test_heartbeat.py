"""A heartbeat proves the way from the SIM to the mailbox, or raises the alarm."""

import json
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.journal.builders import rows
from tests.peers.dovecot import Dovecot
from tests.peers.exim import Exim, until
from tests.peers.receiver import Receiver
from tests.worker.box import Box
from tests.worker.stand_in import Sender
from tests.worker.test_answers import answers_on

LINE = {"id": "gsm0", "label": "Recepcja", "device": "/dev/null", "number": "+48990120100", "heartbeat": "daily",
        "heartbeat_at": "00:00"}  # fmt: skip


@pytest.fixture
def exchange(box: Box) -> Iterator[Sender]:
    assert box.writer.start() is None
    box.store.put("lines", None, {"items": [LINE]})
    with Sender(box) as started:
        yield started


def beat(box: Box) -> dict[str, object]:
    found = rows(box.places.journal, "SELECT value FROM line_facts WHERE name = 'heartbeat'")
    return dict(json.loads(str(found[0]["value"]))) if found else {}


def proof(server: Exim, token: object) -> EmailMessage:
    """The one mail of a heartbeat, once the server has delivered it."""

    def found() -> list[EmailMessage]:
        return [mail for mail in server.mails() if mail["X-Centralka-Heartbeat"] == token]

    until(found, 20, server.log)
    [mail] = found()
    return mail


def comes_back(box: Box, exchange: Sender, **more: object) -> None:
    """The network delivers what the line has sent to itself."""
    until(lambda: exchange.sent, 20, box.log)
    [one] = exchange.sent
    assert (one["to"], one["origin"], one["line"]) == ("+48990120100", "heartbeat", "gsm0")
    box.sms(str(one["text"]), sender="+48990120100", **more)


def test_a_heartbeat_whose_mail_has_left_is_well(box: Box, exchange: Sender, server: Exim) -> None:
    box.mail_to(server)
    box.start()
    comes_back(box, exchange)
    until(lambda: beat(box).get("mailed"), 20, box.log)
    found = beat(box)
    assert found["arrived"]
    assert float(str(found["seconds"])) > 0
    mail = proof(server, found["token"])
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "Recepcja" in str(mail["Subject"])
    assert box.events() == []


def test_with_a_mailbox_it_is_well_only_once_it_lies_there(box: Box, exchange: Sender, server: Exim) -> None:
    with Dovecot() as mailbox:
        answers_on(box, mailbox, server)
        box.start()
        comes_back(box, exchange, proof="box@office.test")
        until(lambda: beat(box).get("arrived"), 20, box.log)
        until(lambda: [row for row in box.outbox() if row["state"] == "sent"], 20, box.log)
        assert not beat(box)["mailed"]
        token = beat(box)["token"]
        mail = proof(server, token)
        assert mail["To"] == "box@office.test"
        mailbox.deliver(mail)
        until(lambda: beat(box)["mailed"], 20, box.log)


def test_a_heartbeat_that_does_not_come_raises_the_alarm_by_every_way(box: Box, exchange: Sender, server: Exim) -> None:
    with Receiver() as receiver:
        box.mail_to(server, alarm_url=receiver.url)
        box.start()
        until(lambda: exchange.sent, 20, box.log)
        token = beat(box)["token"]
        box.datagram(b"clock 1790")
        box.datagram(b"outbox")
        assert beat(box)["lost"] is False
        box.datagram(b"clock 1830")
        until(lambda: receiver.got, 20, box.log)
        assert json.loads(receiver.got[0].body)["message"] == "heartbeat-lost"
        until(lambda: [m for m in server.mails() if str(token) in str(m["Message-ID"])], 20, box.log)
        box.datagram(b"outbox")
        assert [message for message, _ in box.events()] == ["heartbeat-lost"]
        box.sms(f"Centralka heartbeat {token}", sender="+48990120100")
        until(lambda: ("heartbeat-back") in [message for message, _ in box.events()], 20, box.log)


def test_a_heartbeat_that_the_exchange_refuses_says_why(box: Box, exchange: Sender, server: Exim) -> None:
    exchange.refuse = "sms-line-may-not"
    box.mail_to(server)
    box.start()
    until(lambda: beat(box).get("error") == "sms-line-may-not", 20, box.log)
    assert len(exchange.asked) == 1


def test_where_nobody_is_mailed_it_is_well_once_it_is_back(box: Box, exchange: Sender, server: Exim) -> None:
    box.mail_to(server)
    box.start()
    comes_back(box, exchange, to=())
    until(lambda: beat(box).get("mailed"), 20, box.log)
    assert box.outbox() == []
