"""What is written and read of a SIM beside its messages: the series of its balance, and notices that leave the box.

Times are stamps of the plan's clock. Raises sqlite3.Error.
"""

import json
import secrets
import sqlite3
from dataclasses import dataclass

from appliance.journal import writes as w

MOST_READINGS = 400  # a year of one a day, and some more
LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """A balance: `amount` in minor units; `text` as the operator said it."""

    at: str
    amount: int
    currency: str
    source: str
    text: str
    iccid: str


def store(db: sqlite3.Connection, write: w.AddCredit) -> None:
    """A balance that was read."""
    db.execute(
        "INSERT INTO credit (line, iccid, at, amount, currency, source, text) VALUES (?,?,?,?,?,?,?)",
        (write.line, write.iccid, write.at, write.amount, write.currency, write.source, write.text[:LONGEST_TEXT]),
    )


def notice(db: sqlite3.Connection, write: w.AddNotice, host: str) -> int:
    """The event, its mail and its call of a web address; a mail waits where mail is off, so nobody is named then."""
    args = dict(write.args)
    cursor = db.execute(
        "INSERT INTO events (at, message, args, severity) VALUES (?,?,?,?)",
        (write.at, write.message, json.dumps(args, ensure_ascii=False), write.severity),
    )
    event = int(cursor.lastrowid or 0)
    payload: dict[str, object] = {"what": "notice", "message": write.message, "args": args, "to": list(write.to)}
    if write.to:
        _enqueue(db, "mail", f"<notice.{event}.{secrets.token_hex(8)}@{host}>", payload, write.to, write.at)
    if write.hook:
        name = f"<hook.{event}.{secrets.token_hex(8)}@{host}>"
        _enqueue(db, "webhook", name, payload, (write.hook,), write.at)
    return event


def _enqueue(
    db: sqlite3.Connection, kind: str, name: str, payload: dict[str, object], to: tuple[str, ...], at: str
) -> None:
    db.execute(
        "INSERT INTO outbox (kind, created_at, since, next_at, message_id, payload, recipients, priority)"
        " VALUES (?,?,?,?,?,?,?,1)",
        (kind, at, at, at, name, json.dumps(payload, ensure_ascii=False), json.dumps(dict.fromkeys(to, "waiting"))),
    )


@dataclass(frozen=True, slots=True)
class LineFact:
    """The last that is known of a line under a name."""

    line: str
    name: str
    value: object
    at: str


def facts(db: sqlite3.Connection, names: tuple[str, ...]) -> tuple[LineFact, ...]:
    """What is known of all lines under these names."""
    marks = ",".join("?" * len(names))
    query = f"SELECT line, name, value, at FROM line_facts WHERE name IN ({marks})"  # noqa: S608 - only "?" in it
    return tuple(LineFact(row[0], row[1], json.loads(row[2]), row[3]) for row in db.execute(query, names))


def readings(db: sqlite3.Connection, line: str, iccid: str = "", most: int = MOST_READINGS) -> tuple[Reading, ...]:
    """The series of a line, oldest first; of one SIM where `iccid` is given."""
    rows = db.execute(
        "SELECT at, amount, currency, source, text, iccid FROM credit"
        " WHERE line = ? AND (? IN ('', iccid) OR iccid = '') ORDER BY at DESC, id DESC LIMIT ?",
        (line, iccid, min(most, MOST_READINGS)),
    ).fetchall()
    return tuple(Reading(*row) for row in reversed(rows))
