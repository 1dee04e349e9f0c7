"""Recorded calls and messages of mailboxes: rows of the journal beside the sound files.

A `path` is relative to the folder of state and has no ending: the file is `<path>.wav` until the worker has made
`<path>.mp3` of it. A message and everything that tells of it (its mail, its SMS) are written in one transaction.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.core.model import Number

MOST_ROWS = 500

RECORDINGS = """
CREATE TABLE recordings (
    id TEXT PRIMARY KEY, call TEXT NOT NULL, caller TEXT NOT NULL, caller_kind TEXT NOT NULL, line TEXT NOT NULL,
    at TEXT NOT NULL, seconds REAL NOT NULL, path TEXT NOT NULL, pauses TEXT NOT NULL DEFAULT '[]',
    interrupted INTEGER NOT NULL DEFAULT 0
) STRICT
"""

VOICEMAIL = """
CREATE TABLE voicemail (
    id TEXT PRIMARY KEY, mailbox TEXT NOT NULL, call TEXT NOT NULL, caller TEXT NOT NULL, caller_kind TEXT NOT NULL,
    line TEXT NOT NULL, at TEXT NOT NULL, seconds REAL NOT NULL, path TEXT NOT NULL, heard_at TEXT, deleted_at TEXT,
    saved INTEGER NOT NULL DEFAULT 0
) STRICT
"""

TABLES = (
    RECORDINGS,
    VOICEMAIL,
    "CREATE INDEX recordings_by_call ON recordings (call)",
    "CREATE INDEX recordings_by_time ON recordings (at)",
    "CREATE INDEX voicemail_by_box ON voicemail (mailbox, at) WHERE deleted_at IS NULL",
    "CREATE INDEX voicemail_by_call ON voicemail (call)",
)


# ---- writing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeepRecording:
    """A recording that is whole on disk; the same id again changes nothing. `pauses`: seconds from and to.
    `interrupted`: it was cut by a power cut or a crash. Result: None."""

    id: str
    call: str
    caller: Number
    line: str
    at: str
    seconds: float
    path: str
    pauses: tuple[tuple[float, float], ...] = ()
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class KeepMessage:
    """A message for a mailbox, with whom it is mailed and told to; the same id again changes nothing. `sms_line`: the
    line that sends the SMS. Result: True, False when it was there."""

    id: str
    mailbox: str
    name: str
    call: str
    caller: Number
    line: str
    at: str
    seconds: float
    path: str
    line_label: str = ""
    caller_name: str = ""
    mail_to: tuple[str, ...] = ()
    sms_to: str = ""


@dataclass(frozen=True, slots=True)
class MarkHeard:
    """Somebody has heard a message, or with `at` "" wants it to count as new. Result: whether there is one."""

    id: str
    at: str


@dataclass(frozen=True, slots=True)
class SaveMessage:
    """A message shall be kept when old ones go. Result: whether there is one."""

    id: str


@dataclass(frozen=True, slots=True)
class ForgetSound:
    """A recording or a message shall go. Result: the path whose files can be deleted now, "" when there is none."""

    id: str
    at: str


RecordingWrite = KeepRecording | KeepMessage | MarkHeard | SaveMessage | ForgetSound


class Sounds:
    """Carries these writes out on one connection, inside the caller's transaction."""

    def __init__(self, db: sqlite3.Connection, host: str) -> None:
        self._db = db
        self._host = host

    def recording(self, write: KeepRecording) -> None:
        """The row, and the errand that makes the file small."""
        added = self._db.execute(
            "INSERT OR IGNORE INTO recordings (id, call, caller, caller_kind, line, at, seconds, path, pauses,"
            " interrupted) VALUES (?,?,?,?,?,?,?,?,?,?)",
            (write.id, write.call, write.caller.text, str(write.caller.kind), write.line, write.at, write.seconds,
             write.path, json.dumps(write.pauses), int(write.interrupted)),
        ).rowcount  # fmt: skip
        if added:
            self._enqueue("sound", f"sound.{write.id}", {"path": write.path}, ("mp3",), write.at)

    def message(self, write: KeepMessage) -> bool:
        """The row, its mail and its SMS."""
        added = self._db.execute(
            "INSERT OR IGNORE INTO voicemail (id, mailbox, call, caller, caller_kind, line, at, seconds, path)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (write.id, write.mailbox, write.call, write.caller.text, str(write.caller.kind), write.line, write.at,
             write.seconds, write.path),
        ).rowcount > 0  # fmt: skip
        if not added:
            return False
        payload = {
            "what": "voicemail", "voicemail": write.id, "mailbox": write.name, "sender": write.caller.text,
            "sender_name": write.caller_name, "line": write.line, "line_label": write.line_label,
            "seconds": round(write.seconds), "path": write.path, "received_at": write.at,
        }  # fmt: skip
        if write.mail_to:
            mail = {**payload, "to": list(write.mail_to)}
            self._enqueue("mail", f"voicemail.{write.id}", mail, write.mail_to, write.at)
        if write.sms_to:
            self._enqueue("sms", f"voicemail-sms.{write.id}", payload, (write.sms_to,), write.at)
        return True

    def heard(self, write: MarkHeard) -> bool:
        query = "UPDATE voicemail SET heard_at = nullif(?, '') WHERE id = ? AND deleted_at IS NULL"
        return self._db.execute(query, (write.at, write.id)).rowcount > 0

    def saved(self, write: SaveMessage) -> bool:
        query = "UPDATE voicemail SET saved = 1 WHERE id = ? AND deleted_at IS NULL"
        return self._db.execute(query, (write.id,)).rowcount > 0

    def forget(self, write: ForgetSound) -> str:
        row = (
            self._db.execute(
                "UPDATE voicemail SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL RETURNING path",
                (write.at, write.id),
            ).fetchone()
            or self._db.execute("DELETE FROM recordings WHERE id = ? RETURNING path", (write.id,)).fetchone()
        )
        return str(row[0]) if row else ""

    def _enqueue(self, kind: str, name: str, payload: Mapping[str, object], to: Sequence[str], at: str) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO outbox (kind, created_at, since, next_at, message_id, payload, recipients)"
            " VALUES (?,?,?,?,?,?,?)",
            (kind, at, at, at, f"<{name}@{self._host}>", json.dumps(payload, ensure_ascii=False),
             json.dumps(dict.fromkeys(to, "waiting"))),
        )  # fmt: skip


# ---- reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recorded call. Times: ISO 8601 UTC; `pauses` in seconds from the start."""

    id: str
    call: str
    caller: str
    line: str
    at: str
    seconds: float
    path: str
    pauses: tuple[tuple[float, float], ...]
    interrupted: bool


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message of a mailbox; `heard_at` "" is new."""

    id: str
    mailbox: str
    call: str
    caller: str
    caller_kind: str
    line: str
    at: str
    seconds: float
    path: str
    heard_at: str
    saved: bool


def recordings_of(db: sqlite3.Connection, call: str) -> tuple[RecordingRow, ...]:
    """What was recorded of a call, in order."""
    return tuple(_recording(row) for row in db.execute("SELECT * FROM recordings WHERE call = ? ORDER BY at", (call,)))


def recording(db: sqlite3.Connection, name: str) -> RecordingRow | None:
    """One recording."""
    row = db.execute("SELECT * FROM recordings WHERE id = ?", (name,)).fetchone()
    return _recording(row) if row else None


def recorded_calls(db: sqlite3.Connection, calls: Sequence[str]) -> frozenset[str]:
    """Which of these calls have a recording or left a message."""
    query = (
        "SELECT call FROM recordings WHERE call IN (SELECT value FROM json_each(:calls)) UNION SELECT call FROM"
        " voicemail WHERE deleted_at IS NULL AND call IN (SELECT value FROM json_each(:calls))"
    )
    return frozenset(str(row[0]) for row in db.execute(query, {"calls": json.dumps(list(calls)[:MOST_ROWS])}))


def messages(
    db: sqlite3.Connection, mailbox: str = "", call: str = "", limit: int = 100, new_only: bool = False
) -> tuple[MessageRow, ...]:
    """Messages that were not deleted, newest first: of a mailbox, of a call, or all."""
    rows = db.execute(
        "SELECT * FROM voicemail WHERE deleted_at IS NULL AND (? = '' OR mailbox = ?) AND (? = '' OR call = ?)"
        " AND (? = 0 OR heard_at IS NULL) ORDER BY at DESC, id DESC LIMIT ?",
        (mailbox, mailbox, call, call, int(new_only), max(1, min(limit, MOST_ROWS))),
    )
    return tuple(_message(row) for row in rows)


def message(db: sqlite3.Connection, name: str) -> MessageRow | None:
    """One message that was not deleted."""
    row = db.execute("SELECT * FROM voicemail WHERE id = ? AND deleted_at IS NULL", (name,)).fetchone()
    return _message(row) if row else None


def mailbox_counts(db: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Mailbox to how many messages are new and how many were heard."""
    query = "SELECT mailbox, sum(heard_at IS NULL), count(*) FROM voicemail WHERE deleted_at IS NULL GROUP BY mailbox"
    return {str(row[0]): (int(row[1]), int(row[2]) - int(row[1])) for row in db.execute(query)}


def _recording(row: sqlite3.Row) -> RecordingRow:
    pauses = tuple((float(one[0]), float(one[1])) for one in json.loads(row["pauses"]))
    return RecordingRow(
        row["id"], row["call"], row["caller"], row["line"], row["at"], row["seconds"], row["path"], pauses,
        bool(row["interrupted"]),
    )  # fmt: skip


def _message(row: sqlite3.Row) -> MessageRow:
    return MessageRow(
        row["id"], row["mailbox"], row["call"], row["caller"], row["caller_kind"], row["line"], row["at"],
        row["seconds"], row["path"], row["heard_at"] or "", bool(row["saved"]),
    )  # fmt: skip
