"""Messages of ours in the journal: written inside the storage thread's transactions, read on any connection.

The row and its parts are on disk before anybody is told that the message waits, and a part says "sending" before its
PDU leaves: what was going on when the power failed can be read here.
"""

import json
import random
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appliance.core.model import LineId
from appliance.core.sending import Outgoing, OutPart
from appliance.journal.times import moment, stamp

REFERENCE = "sms-reference"  # the line fact with the last reference of a long message
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class AddOutgoing:
    """A new message of ours. The same `key` again makes no second one. Result: OutgoingAdded.

    `options`: flash, report, national, valid_minutes; `reference` is the last that was used on the line; of `parts`
    sequence, total, pdu and length count alone.
    """

    line: str
    recipient: str
    text: str
    origin: str
    at: str
    parts: tuple[OutPart, ...]
    by: str = ""
    iccid: str = ""
    options: Mapping[str, bool | int] = field(default_factory=dict)
    reply_to: int | None = None
    key: str | None = None
    reference: int = 0


@dataclass(frozen=True, slots=True)
class OutgoingAdded:
    """The message of that key; `fresh` when it was not there before."""

    message: Outgoing
    fresh: bool


@dataclass(frozen=True, slots=True)
class PutOutgoing:
    """What has become of a message and its parts. Result: None."""

    message: Outgoing
    at: str


@dataclass(frozen=True, slots=True)
class OutRow:
    """A message of ours as people read it. `parts` counts all, `done` those that left; `over`: nothing more happens
    to it by itself; times are stamps."""

    id: int
    line: str
    recipient: str
    text: str
    origin: str
    by: str
    created_at: str
    updated_at: str
    next_at: str
    state: str
    reason: str
    detail: str
    attempts: int
    parts: int
    done: int
    over: bool
    reply_to: int | None = None


class Outbound:
    """Carries the writes out. Every method runs inside a transaction of the caller."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, write: AddOutgoing) -> OutgoingAdded:
        """The row, its parts and the reference that was used."""
        if write.key is not None:
            known = self._db.execute("SELECT id FROM sms_out WHERE key = ?", (write.key,)).fetchone()
            if known:
                return OutgoingAdded(_read(self._db, "o.id = ?", (known["id"],))[0], False)
        cursor = self._db.execute(
            "INSERT INTO sms_out (line, iccid, recipient, text, origin, by_, created_at, updated_at, next_at, options,"
            " reply_to, key) VALUES (?,?,?,?,?,?,?,?,?,?,(SELECT id FROM sms WHERE id = ?),?)",
            (write.line, write.iccid, write.recipient, write.text, write.origin, write.by, write.at, write.at, write.at,
             json.dumps(dict(write.options)), write.reply_to, write.key),
        )  # fmt: skip
        out = int(cursor.lastrowid or 0)
        self._db.executemany(
            "INSERT INTO sms_out_parts (out_id, sequence, total, pdu, length) VALUES (?,?,?,?,?)",
            [(out, part.sequence, part.total, part.pdu, part.length) for part in write.parts],
        )
        if len(write.parts) > 1:
            self._db.execute(
                "INSERT INTO line_facts (line, name, value, at) VALUES (?,?,?,?)"
                " ON CONFLICT (line, name) DO UPDATE SET value = excluded.value, at = excluded.at",
                (write.line, REFERENCE, json.dumps(write.reference), write.at),
            )
        return OutgoingAdded(_read(self._db, "o.id = ?", (out,))[0], True)

    def put(self, write: PutOutgoing) -> None:
        """The state of all of it."""
        m = write.message
        self._db.execute(
            "UPDATE sms_out SET state = ?, reason = ?, detail = ?, attempts = ?, next_at = ?, updated_at = ?"
            " WHERE id = ?",
            (m.state, m.reason, m.detail, m.attempts, stamp(m.next_at), write.at, m.id),
        )
        self._db.executemany(
            "UPDATE sms_out_parts SET state = ?, mr = ?, sent_at = ?, status = ?, reported_at = ?"
            " WHERE out_id = ? AND sequence = ?",
            [
                (p.state, p.mr, _stamp(p.sent_at), p.status, _stamp(p.reported_at), m.id, p.sequence)
                for p in m.parts
            ],
        )  # fmt: skip


# ---- reading --------------------------------------------------------------------------------------------------------


def live_messages(db: sqlite3.Connection, since: str) -> tuple[Outgoing, ...]:
    """What still waits, and what a report may still come for: begun since a stamp."""
    return _read(
        db,
        "o.state IN ('queued', 'sending') OR (o.state IN ('sent', 'uncertain') AND o.updated_at >= ?)",
        (since,),
    )


def outgoing(db: sqlite3.Connection, out: int) -> Outgoing | None:
    """One message with its parts."""
    return next(iter(_read(db, "o.id = ?", (out,))), None)


def left_since(db: sqlite3.Connection, since: str) -> tuple[tuple[str, datetime], ...]:
    """Line and time of every part that left since a stamp, oldest first: the caps count them."""
    rows = db.execute(
        "SELECT o.line, p.sent_at FROM sms_out_parts p JOIN sms_out o ON o.id = p.out_id WHERE p.sent_at >= ?"
        " ORDER BY p.sent_at",
        (since,),
    )
    return tuple((str(row["line"]), moment(row["sent_at"])) for row in rows)


def references(db: sqlite3.Connection) -> dict[str, int]:
    """The last reference of a long message, by line."""
    rows = db.execute("SELECT line, value FROM line_facts WHERE name = ?", (REFERENCE,))
    return {str(row["line"]): int(json.loads(row["value"])) for row in rows}


def first_reference() -> int:
    """Where a line that never sent a long message begins: anywhere, so that a new box does not repeat an old one."""
    return random.randrange(256)  # noqa: S311 - no secret


def last_line(db: sqlite3.Connection, number: str) -> str:
    """The line that got the last message of this number, or ""."""
    row = db.execute("SELECT line FROM sms WHERE sender = ? ORDER BY id DESC LIMIT 1", (number,)).fetchone()
    return str(row["line"]) if row else ""


def sent_messages(db: sqlite3.Connection, limit: int = 50, recipient: str = "", out: int = 0) -> tuple[OutRow, ...]:
    """Messages of ours, newest first; to one number, or one alone."""
    rows = db.execute(
        "SELECT o.*, count(p.sequence) AS parts, sum(p.state IN ('sent', 'delivered')) AS done FROM sms_out o"
        " LEFT JOIN sms_out_parts p ON p.out_id = o.id WHERE (? = '' OR o.recipient = ?) AND (? = 0 OR o.id = ?)"
        " GROUP BY o.id ORDER BY o.id DESC LIMIT ?",
        (recipient, recipient, out, out, max(1, min(limit, MOST_ROWS))),
    )
    return tuple(
        OutRow(
            r["id"], r["line"], r["recipient"], r["text"], r["origin"], r["by_"], r["created_at"], r["updated_at"],
            r["next_at"], r["state"], r["reason"], r["detail"], r["attempts"], r["parts"], int(r["done"] or 0),
            _over(r["state"], bool(json.loads(r["options"]).get("report"))), r["reply_to"],
        )
        for r in rows
    )  # fmt: skip


def _read(db: sqlite3.Connection, where: str, values: tuple[object, ...]) -> tuple[Outgoing, ...]:
    heads = db.execute(f"SELECT o.* FROM sms_out o WHERE {where} ORDER BY o.id", values).fetchall()  # noqa: S608
    parts: dict[int, list[OutPart]] = {}
    query = f"SELECT p.* FROM sms_out_parts p JOIN sms_out o ON o.id = p.out_id WHERE {where} ORDER BY p.sequence"  # noqa: S608
    for row in db.execute(query, values):
        parts.setdefault(row["out_id"], []).append(
            OutPart(
                row["sequence"], row["total"], row["pdu"], row["length"], row["state"], row["mr"],
                _moment(row["sent_at"]), row["status"], _moment(row["reported_at"]),
            )
        )  # fmt: skip
    return tuple(_message(head, tuple(parts.get(head["id"], ()))) for head in heads)


def _message(row: sqlite3.Row, parts: tuple[OutPart, ...]) -> Outgoing:
    options = json.loads(row["options"])
    return Outgoing(
        row["id"], LineId(row["line"]), row["recipient"], moment(row["created_at"]), moment(row["next_at"]), parts,
        row["state"], row["reason"], row["detail"], row["attempts"], bool(options.get("report")),
        int(options.get("valid_minutes") or 0),
    )  # fmt: skip


def _over(state: str, report: bool) -> bool:
    return state in ("delivered", "failed") or (state in ("sent", "uncertain") and not report)


def _stamp(at: datetime | None) -> str | None:
    return stamp(at) if at else None


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None
