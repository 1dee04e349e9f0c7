"""What pages read of the journal: calls, messages, the block list, events. Read only; nothing here writes."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from appliance.errors import JournalError
from appliance.journal.outbox import why
from appliance.journal.queries import MISSED, line_facts
from webui import here
from webui.store import stamp

PAGE = 50


@dataclass(frozen=True, slots=True)
class Call:
    """A row of the call list."""

    id: str
    direction: str
    line: str
    caller: str
    caller_kind: str
    caller_name: str
    called: str
    called_kind: str
    started_at: str
    ended_at: str
    ring_ms: int
    talk_ms: int
    answered_by: str
    cause: str
    detail: str
    legs: list[dict[str, str]]
    trace: list[dict[str, object]]

    @property
    def state(self) -> str:
        """What came of it: "in", "out", "missed", "blocked", "closed", "failed", "internal"."""
        if self.cause == "blocked":
            return "blocked"
        if self.cause == "closed":
            return "closed"
        if self.answered_by and self.answered_by != "announcement":
            return {"in": "in", "out": "out"}.get(self.direction, "internal")
        return "missed" if self.direction == "in" else "failed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of the call list."""

    tab: str = "all"
    query: str = ""
    line: str = ""
    direction: str = ""
    days: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """An SMS with the state of its mail."""

    id: int
    line: str
    sender: str
    sender_kind: str
    text: str
    received_at: str
    parts: int
    parts_total: int
    complete: bool
    read_at: str
    mail_state: str
    mail_to: int
    next_at: str
    last_error: str
    why: list[dict[str, object]]
    flags: list[str]


@dataclass(frozen=True, slots=True)
class Happened:
    """A row of events."""

    at: str
    message: str
    args: dict[str, str]
    severity: str


@dataclass(frozen=True, slots=True)
class Dead:
    """A mail that will not be tried again by itself."""

    id: int
    created_at: str
    last_error: str
    to: str
    subject: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The day in numbers."""

    came: int = 0
    answered: int = 0
    missed: int = 0
    blocked: int = 0
    out: int = 0
    messages: int = 0


_CALL = (
    "id, direction, line, caller, caller_kind, caller_name, called, called_kind, started_at, ended_at, ring_ms,"
    " talk_ms, answered_by, cause, detail, legs, trace"
)


def calls(wanted: Wanted) -> tuple[list[Call], bool]:
    """A page of the list, newest first, and whether there are older ones."""
    where, values = _where(wanted)
    with here.store().open() as db:
        rows = db.execute(
            f"SELECT {_CALL} FROM calls WHERE {where} ORDER BY started_at DESC, id DESC LIMIT ?",  # noqa: S608
            (*values, PAGE + 1),
        ).fetchall()
    return [_call(row) for row in rows[:PAGE]], len(rows) > PAGE


def call(call_id: str) -> Call | None:
    """One call."""
    with here.store().open() as db:
        row = db.execute(f"SELECT {_CALL} FROM calls WHERE id = ?", (call_id,)).fetchone()  # noqa: S608
    return _call(row) if row else None


def newest_call() -> str:
    """The id of the last call that ended, to see whether the page is old."""
    with here.store().open() as db:
        row = db.execute("SELECT id FROM calls ORDER BY ended_at DESC LIMIT 1").fetchone()
    return str(row["id"]) if row else ""


def lines_known() -> set[str]:
    """Ids of lines that calls, messages or blocks were written down for."""
    with here.store().open() as db:
        rows = db.execute("SELECT line FROM calls UNION SELECT line FROM sms UNION SELECT line FROM blocks").fetchall()
    return {str(row["line"]) for row in rows if row["line"]}


def newest_sms() -> str:
    """The id of the last message."""
    with here.store().open() as db:
        row = db.execute("SELECT max(id) AS id FROM sms").fetchone()
    return str(row["id"] or "")


def today() -> Counts:
    """Counted from midnight of the office."""
    start = here.local_now().replace(hour=0, minute=0, second=0, microsecond=0)
    since = stamp(start)
    with here.store().open() as db:
        row = db.execute(
            "SELECT sum(direction = 'in') AS came,"  # noqa: S608
            " sum(direction = 'in' AND answered_by NOT IN ('', 'announcement')) AS answered,"
            f" sum({MISSED}) AS missed,"
            " sum(cause = 'blocked') AS blocked, sum(direction = 'out') AS out FROM calls WHERE started_at >= ?",
            (since,),
        ).fetchone()
        messages = db.execute("SELECT count(*) FROM sms WHERE received_at >= ?", (since,)).fetchone()[0]
    came, answered, missed, blocked, out = (int(cell or 0) for cell in row)
    return Counts(came, answered, missed, blocked, out, int(messages))


def events(limit: int) -> list[Happened]:
    """The last events, newest first."""
    with here.store().open() as db:
        rows = db.execute(
            "SELECT at, message, args, severity FROM events ORDER BY id DESC LIMIT ?", (limit,)
        ).fetchall()
    return [Happened(row["at"], row["message"], _texts(row["args"]), row["severity"]) for row in rows]


def self_test(line: str) -> dict[str, object] | None:
    """The last test of a line's speech: verdict, level, delay, slips, and `at`; None when there was none. A journal
    that cannot be read has none to tell."""
    try:
        with here.store().open() as db:
            found = line_facts(db, line).get("self-test")
    except JournalError:
        return None
    if found is None or not isinstance(found.value, dict):
        return None
    return {**found.value, "at": found.at}


def thread(sender: str, limit: int = 200) -> list[Message]:
    """The last messages of a sender, oldest first, with what became of their mail."""
    with here.store().open() as db:
        rows = db.execute(
            "SELECT s.*, o.state AS mail_state, o.next_at, o.last_error, o.payload AS payload FROM sms s"
            " LEFT JOIN outbox o ON o.id = (SELECT max(id) FROM outbox"
            " WHERE kind = 'mail' AND json_extract(payload, '$.sms_id') = s.id)"
            " WHERE s.sender = ? ORDER BY s.received_at DESC, s.id DESC"
            " LIMIT ?",
            (sender, limit),
        ).fetchall()
    return [_message(row) for row in reversed(rows)]


def dead(receivers: Mapping[str, str]) -> list[Dead]:
    """Mails and calls of web addresses that gave up, newest first. `receivers`: what people call those of webhooks by
    their ids, and by "" one that is not there any more."""
    with here.store().open() as db:
        rows = db.execute(
            "SELECT id, kind, created_at, last_error, payload FROM outbox WHERE state = 'dead'"
            " ORDER BY id DESC LIMIT 100"
        ).fetchall()
    return [_dead(row, receivers) for row in rows]


def waiting() -> int:
    """How many mails wait."""
    with here.store().open() as db:
        return int(
            db.execute("SELECT count(*) FROM outbox WHERE kind = 'mail' AND state IN ('waiting', 'leased')").fetchone()[
                0
            ]
        )


def _where(wanted: Wanted) -> tuple[str, list[str]]:
    parts, values = ["1"], []
    if wanted.tab == "missed":
        parts.append(MISSED)
    elif wanted.tab == "blocked":
        parts.append("cause = 'blocked'")
    if wanted.line:
        parts.append("line = ?")
        values.append(wanted.line)
    if wanted.direction in {"in", "out", "internal"}:
        parts.append("direction = ?")
        values.append(wanted.direction)
    if wanted.days in {"1", "7", "30"}:
        start = here.local_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
            days=int(wanted.days) - 1
        )
        parts.append("started_at >= ?")
        values.append(stamp(start))
    if wanted.query:
        parts.append("(caller LIKE ? ESCAPE '\\' OR called LIKE ? ESCAPE '\\' OR caller_name LIKE ? ESCAPE '\\')")
        values += [like(number_in(wanted.query)), like(number_in(wanted.query)), like(wanted.query)]
    if wanted.before:
        parts.append("started_at < ?")
        values.append(wanted.before)
    return " AND ".join(parts), values


def like(text: str) -> str:
    """A pattern of LIKE for what a person typed."""
    safe = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{safe}%"


def number_in(text: str) -> str:
    """Any spelling of a number: spaces, dashes and brackets go, 00 is +. A name stays as it is."""
    squeezed = "".join(c for c in text if c not in " -()./\u00a0")
    if squeezed.lstrip("+").isdigit():
        return "+" + squeezed[2:] if squeezed.startswith("00") else squeezed.lstrip("0") or squeezed
    return text


def _call(row: sqlite3.Row) -> Call:
    fields = [row[name.strip()] for name in _CALL.split(",")]
    legs = json.loads(fields[15] or "[]")
    trace = json.loads(fields[16] or "[]")
    first, way, line, caller, kind, name, called, called_kind, began, ended = (str(c or "") for c in fields[:10])
    return Call(
        first, way, line, caller, kind, name, called, called_kind, began, ended,
        int(fields[10] or 0), int(fields[11] or 0), str(fields[12] or ""), str(fields[13] or ""),
        str(fields[14] or ""), legs, trace,
    )  # fmt: skip


def _message(row: sqlite3.Row) -> Message:
    payload = json.loads(row["payload"] or "{}")
    to = payload.get("to", [])
    return Message(
        int(row["id"]), row["line"] or "", row["sender"] or "", row["sender_kind"] or "", row["text"] or "",
        row["received_at"] or "", int(row["parts"] or 1), int(row["parts_total"] or 1), bool(row["complete"]),
        row["read_at"] or "", row["mail_state"] or "", len(to) if isinstance(to, list) else 0, row["next_at"] or "",
        why(row["last_error"] or "")[1], json.loads(row["why"] or "[]"),
        json.loads(row["flags"] or "[]"),
    )  # fmt: skip


def _dead(row: sqlite3.Row, receivers: Mapping[str, str]) -> Dead:
    payload = json.loads(row["payload"] or "{}")
    to = payload.get("to", [])
    if row["kind"] == "webhook" and isinstance(to, list):
        to = [receivers.get(str(one), receivers.get("", one)) for one in to]
    subject = payload.get("sender") or payload.get("subject") or ""
    return Dead(
        int(row["id"]), row["created_at"], why(row["last_error"] or "")[1],
        ", ".join(str(one) for one in to) if isinstance(to, list) else "", str(subject),
    )  # fmt: skip


def _texts(text: str) -> dict[str, str]:
    found: Mapping[str, object] = json.loads(text or "{}")
    return {str(k): str(v) for k, v in found.items()}
