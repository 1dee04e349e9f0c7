"""From a mail in the mailbox to an SMS of the exchange, or to a polite refusal. One mail at a time, any thread.

The exchange has a message before the mail is marked, and the mail's Message-ID is the key of the message, so a mail
that is read twice makes one SMS. Who is refused is told by a mail in the thread, but only somebody who has a token of
ours: spam gets no answer, and machines get none at all.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.errors import ControlError
from appliance.journal import outbox
from appliance.journal.notes import add_event
from appliance.journal.rows import Json
from appliance.journal.times import moment, stamp
from appliance.settings.places import Places
from appliance.worker.errands import FOR_NOW, HOUR, MOST_AN_HOUR, sent_since, tell_cap
from appliance.worker.lines import ask
from appliance.worker.replies import MOST_PARTS, Answer, Verdict, parts_of
from appliance.worker.tokens import HOST, Answers

log = logging.getLogger(__name__)

MOST_REFUSALS_A_DAY = 5  # to one address
TOLD_FOR = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Message:
    """The SMS that is answered."""

    id: int
    line: str
    number: str
    kind: str


class Replier:
    """`senders` are those who may answer ("" nobody named: who got the mail of that message). Raises sqlite3.Error."""

    def __init__(self, places: Places, answers: Answers, senders: frozenset[str], now: Callable[[], datetime]) -> None:
        self._places = places
        self._answers = answers
        self._senders = senders
        self._now = now

    def handle(self, db: sqlite3.Connection, answer: Answer) -> Verdict:
        """Carry out one mail."""
        token = self._answers.found_in(answer.addresses, answer.references)
        if answer.automatic or token is None:
            log.info("mailbox: a mail was left: %s", answer.automatic or "no token")
            return Verdict.NOT_OURS
        message = _message(db, token.sms_id)
        if message is None or not self._answers.valid(token, message.line, message.number):
            return self._refuse(db, answer, "answer-token")
        fault = self._fault(db, answer, message)
        if fault:
            return self._refuse(db, answer, fault, message.number)
        if sent_since(db, self._now() - HOUR) >= MOST_AN_HOUR:
            log.warning("mailbox: the limit of messages an hour is reached, an answer waits")
            tell_cap(db, self._now())
            return Verdict.LATER
        return self._send(db, answer, message)

    def _fault(self, db: sqlite3.Connection, answer: Answer, message: Message) -> str:
        """Why an answer does not go out; "" when it does."""
        if answer.sender not in (self._senders or _recipients(db, message.id)):
            return "answer-sender"
        if message.kind not in ("e164", "short"):
            return "answer-number"
        if not answer.text:
            return "answer-empty"
        return "answer-too-long" if parts_of(answer.text) > MOST_PARTS else ""

    def _send(self, db: sqlite3.Connection, answer: Answer, message: Message) -> Verdict:
        args: dict[str, Json] = {
            "to": message.number, "text": answer.text, "line": message.line, "origin": "mail", "key": answer.key,
            "reply_to": message.id,
        }  # fmt: skip
        try:
            ask(self._places.control, "sms.send", args, seconds=6.0, who=answer.sender)
        except ControlError as error:
            if error.id in FOR_NOW:
                return Verdict.LATER
            return self._refuse(db, answer, error.id, message.number, {"line": message.line})
        except (OSError, ValueError) as error:
            log.info("mailbox: the exchange does not answer, an answer waits: %s", error)
            return Verdict.LATER
        log.info("mailbox: an answer to message %d is with the exchange", message.id)
        return Verdict.DONE

    def _refuse(
        self, db: sqlite3.Connection, answer: Answer, error: str, number: str = "", facts: dict[str, Json] | None = None
    ) -> Verdict:
        """Tell the sender why, once, and people on the page."""
        now = self._now()
        name = hashlib.sha256(answer.key.encode()).hexdigest()[:24]
        since = stamp(now - timedelta(days=1))
        told = db.execute(
            "SELECT count(*) FROM outbox WHERE created_at >= ? AND json_extract(payload, '$.what') = 'answer'"
            " AND json_extract(payload, '$.to[0]') = ?",
            (since, answer.sender),
        ).fetchone()[0]
        payload: dict[str, Json] = {
            "what": "answer", "error": error, "args": {"most": MOST_PARTS, **(facts or {})}, "number": number,
            "subject": answer.subject.removeprefix("Re: "), "text": answer.text,
            "references": [answer.key] if answer.key.startswith("<") else [],
        }  # fmt: skip
        if told < MOST_REFUSALS_A_DAY and outbox.enqueue(
            db, "mail", f"<refused.{name}@{HOST}>", payload, [answer.sender], now
        ):
            add_event(db, now, "reply-refused", {"sender": answer.sender, "said": error}, "info")
        return Verdict.DONE


def tell_failures(db: sqlite3.Connection, now: datetime) -> int:
    """A mail in the thread for each answer that the network did not take in the end; gives how many. Raises
    sqlite3.Error."""
    rows = db.execute(
        "SELECT o.id, o.recipient, o.text, o.by_, o.reason, o.key, o.updated_at, s.line, s.sender FROM sms_out o"
        " LEFT JOIN sms s ON s.id = o.reply_to WHERE o.origin = 'mail' AND o.state = 'failed' AND o.updated_at >= ?",
        (stamp(now - TOLD_FOR),),
    ).fetchall()
    told = 0
    for row in rows:
        if "@" not in row["by_"]:
            continue
        payload: dict[str, Json] = {
            "what": "answer", "error": row["reason"] or "sms-not-delivered", "args": {"line": row["line"] or ""},
            "number": row["recipient"], "subject": f"SMS {row['recipient']}", "text": row["text"],
            "references": [row["key"]] if str(row["key"]).startswith("<") else [],
        }  # fmt: skip
        name = f"<failed.{row['id']}.{int(moment(row['updated_at']).timestamp())}@{HOST}>"
        told += outbox.enqueue(db, "mail", name, payload, [row["by_"]], now)
    return told


def _message(db: sqlite3.Connection, number: int) -> Message | None:
    row = db.execute("SELECT id, line, sender, sender_kind FROM sms WHERE id = ?", (number,)).fetchone()
    return Message(row["id"], row["line"], row["sender"], row["sender_kind"]) if row else None


def _recipients(db: sqlite3.Connection, sms_id: int) -> frozenset[str]:
    """Everybody who got the mail of a message."""
    rows = db.execute(
        "SELECT key FROM outbox, json_each(outbox.recipients) WHERE sms_id = ? AND kind = 'mail'", (sms_id,)
    )
    return frozenset(str(row["key"]).casefold() for row in rows)
