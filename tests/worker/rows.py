"""Outbox rows, mail accounts and a desk, as the worker's tests need them."""

import ssl
from zoneinfo import ZoneInfo

from appliance.journal.outbox import OutboxItem
from appliance.settings.secret import Secret
from appliance.worker.mailer import Account, Limits
from appliance.worker.sms_mail import Desk
from tests.peers.exim import PASSWORD, USER, Exim

ANNA = "+48600100200"
DESK = Desk("Biuro Żuraw", "pl", ZoneInfo("Europe/Warsaw"), "box@office.test")
QUICK = Limits(connect=5, greeting=5, command=5, recipients=5, data=5, whole=15)


def item(text: str = "Zażółć gęślą jaźń 😀", to: tuple[str, ...] = ("office@x.test",), **more: object) -> OutboxItem:
    """A claimed row for one message."""
    payload = {
        "what": "sms", "sms_id": 7, "to": list(to), "line": "gsm0", "line_label": "Recepcja", "sender": ANNA,
        "sender_kind": "e164", "sender_name": "", "text": text, "sent_at": "2026-11-27T13:00:00+01:00",
        "received_at": "2026-11-27T12:00:01.000Z", "parts": 1, "parts_total": 1, "missing": [], "flags": [],
        "pdu": ["07918406"],
    } | more  # fmt: skip
    return OutboxItem(7, "mail", "<sms.7.0011223344556677@box.test>", payload, to, 1, "2026-11-27T12:00:01.000Z")


def account(server: Exim, **more: object) -> Account:
    """Signed in, STARTTLS."""
    fields = {
        "host": server.address, "port": server.port, "security": "starttls", "plain_allowed": False, "user": USER,
        "password": Secret(PASSWORD), "sender": DESK.sender,
    } | more  # fmt: skip
    return Account(**fields)


def trusting(server: Exim) -> ssl.SSLContext:
    """Trusts the server's authority and nobody else."""
    return ssl.create_default_context(cafile=str(server.certificates.authority))
