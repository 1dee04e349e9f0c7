"""What the worker adds to the journal beside the outbox: events for people, and the daily care for the file.

Every function is one short transaction, or a row of them with at most 500 rows each, so that the exchange's storage
thread never waits long. Raises sqlite3.Error.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from appliance.errors import JournalDamaged
from appliance.journal.db import translate
from appliance.journal.times import moment, stamp

MOST_AT_ONCE = 500
SMS_DAYS = 730
OLD_SMS = (
    "DELETE FROM sms WHERE id IN (SELECT id FROM sms WHERE line = ? AND received_at < ? AND read_at IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.sms_id = sms.id AND o.state IN ('waiting', 'leased')) LIMIT ?)"
)
LONGEST_SILENCE = timedelta(days=60)

# what is old enough to go: table, the column with its date, a condition, days
RETENTION: tuple[tuple[str, str, str, int], ...] = (
    ("calls", "ended_at", "1", 730),
    ("events", "at", "1", 180),
    ("credit", "at", "1", 730),
    ("outbox", "created_at", "state = 'sent'", 90),
    ("outbox", "created_at", "state = 'dead'", 365),
)


def add_event(db: sqlite3.Connection, at: datetime, message: str, args: Mapping[str, str], severity: str) -> int:
    """Something people should see: an id of words.NOTICES with its facts. Gives the row's id."""
    cursor = db.execute(
        "INSERT INTO events (at, message, args, severity) VALUES (?,?,?,?)",
        (stamp(at), message, json.dumps(dict(args), ensure_ascii=False), severity),
    )
    return int(cursor.lastrowid or 0)


def forget_old(
    db: sqlite3.Connection,
    at: datetime,
    going: Callable[[], bool] = lambda: True,
    sms_days: Mapping[str, int] | None = None,
) -> int:
    """Delete what is older than its time, in pieces; gives how many rows went. `going` False ends it early. `sms_days`:
    how long each line's messages are kept, 0 for ever; those of a line that is gone, two years.

    A message goes when it was read, and never while its mail waits.

    A clock far ahead of everything that was ever written is not believed: then nothing goes.
    """
    if not believed(db, at):
        return 0
    gone = 0
    for table, column, condition, days in RETENTION:
        piece = (
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table}"  # noqa: S608 - our own words only
            f" WHERE {condition} AND {column} < ? LIMIT {MOST_AT_ONCE})"
        )
        gone += _in_pieces(db, piece, (stamp(at - timedelta(days=days)),), going)
    lines = {str(row[0]) for row in db.execute("SELECT DISTINCT line FROM sms")}
    for line in sorted(lines):
        days = (sms_days or {}).get(line, SMS_DAYS)
        if days:
            gone += _in_pieces(db, OLD_SMS, (line, stamp(at - timedelta(days=days)), MOST_AT_ONCE), going)
    return gone


def believed(db: sqlite3.Connection, at: datetime) -> bool:
    """Whether a clock may be right: it is not far ahead of everything that was ever written."""
    newest = db.execute(
        "SELECT max(at) FROM (SELECT max(ended_at) AS at FROM calls UNION ALL SELECT max(received_at) FROM sms"
        " UNION ALL SELECT max(at) FROM events)"
    ).fetchone()[0]
    return newest is not None and at - moment(newest) <= LONGEST_SILENCE


def _in_pieces(db: sqlite3.Connection, piece: str, values: tuple[str | int, ...], going: Callable[[], bool]) -> int:
    gone = 0
    while going():
        count = db.execute(piece, values).rowcount
        gone += max(count, 0)
        if count < MOST_AT_ONCE:
            break
    return gone


def checkpoint(db: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the file; False when a reader or writer was in the way (it is tried again)."""
    return int(db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]) == 0


def fault_in(db: sqlite3.Connection) -> str:
    """What `quick_check` found, "" when the file is sound."""
    try:
        found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if not isinstance(translate(error), JournalDamaged):
            raise
        found = str(error)
    return "" if found == "ok" else found[:300]
