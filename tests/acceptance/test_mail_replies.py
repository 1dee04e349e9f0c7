"""A person answers the mail of an SMS, and the phone that wrote gets it, once; a machine's answer goes nowhere."""

import email
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage

import pytest

from tests.acceptance.conftest import Office
from tests.peers.dovecot import PASSWORD, USER, Dovecot
from tests.peers.waiting import until

ANNA = "+48600100200"


@pytest.fixture
def mailbox() -> Iterator[Dovecot]:
    with Dovecot() as started:
        yield started


@pytest.fixture
def office(mailbox: Dovecot) -> Iterator[Office]:
    with Office(SSL_CERT_FILE=str(mailbox.certificates.authority)) as box:
        box.put(
            "mailbox", enabled=True, host=mailbox.address, port=mailbox.tls_port, security="tls", user=USER,
            password=PASSWORD, address=USER,
        )  # fmt: skip
        yield box


def mail_of(office: Office, text: str) -> EmailMessage:
    """The mail of a message, with its headers, as it lies in the mailbox of the demo."""

    def found() -> EmailMessage | None:
        for path in sorted((office.places.state).rglob("*.eml")):
            mail = email.message_from_bytes(path.read_bytes(), policy=policy.default)
            if isinstance(mail, EmailMessage) and text in str(mail.get_content()):
                return mail
        return None

    return until(f"the mail of {text!r}", found, 20, 0.1)


def answer(to: EmailMessage, text: str, number: int, **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"] = "office@demo.invalid", str(to["Reply-To"])
    made["Message-ID"] = f"<answer.{number}@demo.invalid>"
    made["References"] = f"{to['References']} {to['Message-ID']}"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(f"{text}\n\nOn Friday, Office wrote:\n> {to.get_content().splitlines()[0]}\n")
    return made


def got(office: Office) -> list[tuple[str, str]]:
    """What phones of the virtual network have received from us: number and text."""
    return [(str(one["to"]), str(one["text"])) for one in office.far("sent")["sent"]]


def test_an_answer_by_mail_reaches_the_phone_once_though_the_worker_is_killed(office: Office, mailbox: Dovecot) -> None:
    office.virtual("gsm0 sms", ANNA, "Are you open?")
    mine = answer(mail_of(office, "Are you open?"), "Until five, see you", 1)
    mailbox.deliver(answer(mail_of(office, "Are you open?"), "I am away", 2, Auto_Submitted="auto-replied"))
    mailbox.deliver(mine)
    until("the exchange has it", lambda: office.rows("sms_out"), 20, 0.05)
    office.processes.pop("worker").kill()
    mailbox.deliver(mine)  # and the provider delivers it once more
    office.start("worker")
    until("it was sent", lambda: got(office), 30, 0.1)
    until("all mails were looked at", lambda: office.log("worker").count("an answer to message 1") >= 2, 30, 0.1)
    assert got(office) == [(ANNA, "Until five, see you")]
    assert [(row["recipient"], row["origin"], row["by_"]) for row in office.rows("sms_out")] == [
        (ANNA, "mail", "office@demo.invalid")
    ]


def test_a_heartbeat_of_the_line_proves_the_way_and_is_no_unread_message(office: Office, mailbox: Dovecot) -> None:
    own = office.line()["number"]
    office.put_item("lines", "gsm0", heartbeat="daily", heartbeat_at="00:00")
    [(to, text)] = until("it was sent", lambda: got(office), 30, 0.1)
    assert to == own
    office.virtual("gsm0 sms", own, text)  # the network brings it back
    mailbox.deliver(mail_of(office, "Reception"))
    until("the way is whole", lambda: [r for r in office.rows("line_facts") if '"mailed": "2' in r["value"]], 30, 0.1)
    assert office.rows("sms", "read_at IS NULL") == []
