"""The button "send a test mail": the settings as they stand in the form, tried at once, with the server's own words."""

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from appliance.journal.outbox import State
from appliance.journal.rows import Json
from appliance.settings.fields import Value
from appliance.words import ERRORS, say
from appliance.worker.mailbox import MailboxAccount, Session, Unusable
from appliance.worker.mailer import Account, Delivery, Limits, Outcome
from appliance.worker.sms_mail import Desk, test_mail_of

SECONDS = 4.2  # the page waits five
LIMITS = Limits(connect=3.5, greeting=4.0, command=4.0, recipients=4.0, data=4.0, whole=SECONDS)


def try_mail(mail: Mapping[str, Value], desk: Desk, now: datetime) -> dict[str, Json]:
    """Send a test mail with these (valid) settings to their recipients, or to the sender where there are none.

    Gives {"ok", "said": the server's own lines, "error": a sentence in the office's language, "error_id",
    "error_args"}; never a secret. Any thread; ends within `SECONDS`.
    """
    account = Account.of(mail)
    wanted = mail.get("to")
    to = [str(one) for one in wanted] if isinstance(wanted, list) and wanted else [account.sender]
    desk = replace(desk, sender=account.sender)
    letter = test_mail_of(desk, to, f"<test.{secrets.token_hex(8)}@centralka.local>", now)
    delivery = Delivery(account, LIMITS)
    outcomes: list[Outcome] = []
    thread = threading.Thread(
        target=lambda: outcomes.append(delivery.run(letter, to)), name="test-mail", daemon=True
    )  # its own: looking a name up knows no time limit
    thread.start()
    thread.join(SECONDS)
    if not outcomes:
        delivery.cut()
        thread.join(0.1)
    return _answer(outcomes[0] if outcomes else Outcome(error="mail-slow", down=True), to, desk)


def try_mailbox(mailbox: Mapping[str, Value], desk: Desk) -> dict[str, Json]:
    """Sign in and open the folder with these (valid) settings; nothing is marked. The answer is `try_mail`'s."""
    results: list[dict[str, Json]] = []

    def run() -> None:
        try:
            session = Session(MailboxAccount.of(mailbox))
        except Unusable as error:
            results.append(not_tried(error.error, desk, error.words))
            return
        said: list[Json] = list(session.said)
        session.close()
        results.append({"ok": True, "said": said, "error": "", "error_id": "", "error_args": {}})

    thread = threading.Thread(target=run, name="test-mailbox", daemon=True)
    thread.start()
    thread.join(SECONDS)
    return results[0] if results else not_tried("mail-slow", desk)


def _answer(outcome: Outcome, to: Sequence[str], desk: Desk) -> dict[str, Json]:
    ok = all(outcome.recipients.get(one) == State.SENT for one in to)
    said: list[Json] = list(outcome.said)
    if ok:
        return {"ok": True, "said": said, "error": "", "error_id": "", "error_args": {}}
    return {**not_tried(outcome.error or "mail-refused", desk, outcome.words), "said": said}


def not_tried(error: str, desk: Desk, words: str = "") -> dict[str, Json]:
    """The answer for an error of words.ERRORS without a talk with a server."""
    facts = {"said": words}
    sentence = say(ERRORS, error, facts, desk.translate).rstrip(": ")
    return {"ok": False, "said": [], "error": sentence, "error_id": error, "error_args": cast(Json, facts)}
