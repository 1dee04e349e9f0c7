"""Reading the journal: what the page, the command line and the exchange at its start ask for.

Every function takes an open connection (`db.open_reader`), gives frozen rows and writes nothing. Lists come newest
first, in pages: `next` of a page is the cursor for the one after it, "" at the end.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from appliance.journal.db import open_reader
from appliance.journal.rows import BindingRow, BlockRow, CallRow, EventRow, Json, OutboxRow, SmsRow, ThreadRow

T = TypeVar("T")
MOST_ROWS = 500
MISSED = (  # nobody of the office spoke with the caller though the office was open
    "direction = 'in' AND (answered_by IN ('', 'announcement', 'menu') OR answered_by LIKE 'mailbox %'"
    " OR answered_by LIKE 'queue %') AND cause NOT IN ('blocked', 'not-allowed', 'closed')"
)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list and the cursor of the one after it ("" at the end)."""

    rows: tuple[T, ...]
    next: str = ""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls: every field that is not empty narrows the list. `text` finds numbers and names; `outcome` is
    answered, missed or blocked; `since` and `until` are stamps (until is not included)."""

    direction: str = ""
    line: str = ""
    cause: str = ""
    outcome: str = ""
    text: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """For the menu's badges: unread messages, calls missed since a moment, mails given up."""

    unread: int
    missed: int
    dead: int


# ---- calls ----------------------------------------------------------------------------------------------------------


def calls(db: sqlite3.Connection, which: CallFilter | None = None, before: str = "", limit: int = 50) -> Page[CallRow]:
    """Calls, newest first; `before` is the `next` of the page before."""
    where, values = _calls_where(which or CallFilter())
    if "|" in before:
        where.append("(started_at, id) < (?, ?)")
        values += before.split("|", 1)
    query = f"SELECT * FROM calls WHERE {' AND '.join(where)} ORDER BY started_at DESC, id DESC LIMIT ?"  # noqa: S608 - own words
    rows = [_call_row(row) for row in db.execute(query, (*values, _limit(limit) + 1))]
    return _page(rows, limit, lambda row: f"{row.started_at}|{row.id}")


def count_calls(db: sqlite3.Connection, which: CallFilter | None = None) -> int:
    """How many calls the filter lets through."""
    where, values = _calls_where(which or CallFilter())
    return int(db.execute(f"SELECT count(*) FROM calls WHERE {' AND '.join(where)}", values).fetchone()[0])  # noqa: S608


def talked(db: sqlite3.Connection, since: str) -> tuple[CallRow, ...]:
    """Calls since a stamp in which somebody spoke, oldest first."""
    rows = db.execute("SELECT * FROM calls WHERE started_at >= ? AND talk_ms > 0 ORDER BY started_at", (since,))
    return tuple(_call_row(row) for row in rows)


def call(db: sqlite3.Connection, call_id: str) -> CallRow | None:
    """One call with its legs and trace."""
    row = db.execute("SELECT * FROM calls WHERE id = ?", (call_id,)).fetchone()
    return _call_row(row) if row else None


def call_story(
    path: Path, call_id: str, say: Callable[[str, Mapping[str, str]], str] | None = None
) -> dict[str, Json] | None:
    """One call as JSON, for the command line; for "" the one written last, wherever a clock was moved to. `say` turns a
    trace rule and its args into the `text` of the step, without it the text is the rule's id. None when there is no
    such call."""
    with closing(open_reader(path, 2.0)) as db:
        last = db.execute("SELECT id FROM calls ORDER BY rowid DESC LIMIT 1").fetchone()
        found = call(db, call_id or (last["id"] if last else ""))
    if found is None:
        return None
    story: dict[str, Json] = {**asdict(found), "legs": [dict(leg) for leg in found.legs]}
    steps: list[Json] = []
    for step in found.trace:
        rule, args = str(step.get("rule", "")), step.get("args")
        facts = {k: str(v) for k, v in args.items()} if isinstance(args, dict) else {}
        steps.append({**step, "text": say(rule, facts) if say else rule})
    return {**story, "trace": steps}


def _calls_where(which: CallFilter) -> tuple[list[str], list[str]]:
    where, values = ["1"], list[str]()
    for column in ("direction", "line", "cause"):
        value = getattr(which, column)
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    if which.since:
        where.append("started_at >= ?")
        values.append(which.since)
    if which.until:
        where.append("started_at < ?")
        values.append(which.until)
    outcomes = {"answered": "answered_by NOT IN ('', 'announcement')", "missed": MISSED, "blocked": "cause = 'blocked'"}
    if which.outcome in outcomes:
        where.append(f"({outcomes[which.outcome]})")
    if which.text:
        like = "%" + which.text[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where.append("(caller LIKE ? ESCAPE '\\' OR called LIKE ? ESCAPE '\\' OR caller_name LIKE ? ESCAPE '\\')")
        values += [like, like, like]
    return where, values


# ---- messages -------------------------------------------------------------------------------------------------------

_SMS = (
    "SELECT s.*, coalesce((SELECT state FROM outbox o WHERE o.sms_id = s.id AND o.kind = 'mail' ORDER BY o.id DESC"
    " LIMIT 1), '') AS mail"
    " FROM sms s"
)


def messages(
    db: sqlite3.Connection, line: str = "", sender: str = "", before: int = 0, limit: int = 50
) -> Page[SmsRow]:
    """Messages, newest first; line and sender together are one thread."""
    query = (
        f"{_SMS} WHERE (? = '' OR line = ?) AND (? = '' OR sender = ?) AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?"
    )
    values = (line, line, sender, sender, before, before, _limit(limit) + 1)
    rows = [_sms_row(row) for row in db.execute(query, values)]
    return _page(rows, limit, lambda row: str(row.id))


def message(db: sqlite3.Connection, sms_id: int) -> SmsRow | None:
    """One message with the raw PDUs of its parts."""
    row = db.execute(f"{_SMS} WHERE id = ?", (sms_id,)).fetchone()
    if row is None:
        return None
    pdus = db.execute("SELECT pdu FROM sms_parts WHERE sms_id = ? ORDER BY sequence, received_at", (sms_id,))
    return _sms_row(row, tuple(one["pdu"] for one in pdus))


def threads(db: sqlite3.Connection, text: str = "", before: int = 0, limit: int = 50) -> Page[ThreadRow]:
    """One row a line and sender, the ones with news first; `text` finds senders and words."""
    like = "%" + text[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = db.execute(
        "SELECT line, sender, sender_kind, count(*) AS messages, sum(read_at IS NULL) AS unread, max(id) AS newest"
        " FROM sms WHERE (? = '' OR sender LIKE ? ESCAPE '\\' OR text LIKE ? ESCAPE '\\') GROUP BY line, sender"
        " HAVING ? = 0 OR max(id) < ? ORDER BY max(id) DESC LIMIT ?",
        (text, like, like, before, before, _limit(limit) + 1),
    ).fetchall()
    found = []
    for row in rows:
        newest = message(db, row["newest"])
        if newest is not None:
            found.append(
                ThreadRow(row["line"], row["sender"], row["sender_kind"], row["messages"], row["unread"], newest)
            )
    return _page(found, limit, lambda thread: str(thread.newest.id))


def waiting_parts(db: sqlite3.Connection) -> int:
    """How many parts wait for the rest of their message."""
    return int(db.execute("SELECT count(*) FROM sms_parts WHERE sms_id IS NULL").fetchone()[0])


# ---- outbox, blocks, the rest ---------------------------------------------------------------------------------------


def outbox(db: sqlite3.Connection, states: Sequence[str] = (), before: int = 0, limit: int = 50) -> Page[OutboxRow]:
    """Outbox rows, newest first; `states` narrows (("dead",) are the dead letters)."""
    marks = ",".join("?" * len(states)) or "'waiting','leased','sent','dead'"
    query = f"SELECT * FROM outbox WHERE state IN ({marks}) AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?"  # noqa: S608
    rows = [_outbox_row(row) for row in db.execute(query, (*states, before, before, _limit(limit) + 1))]
    return _page(rows, limit, lambda row: str(row.id))


def dead_letters(db: sqlite3.Connection, before: int = 0, limit: int = 50) -> Page[OutboxRow]:
    """Mails that were given up, newest first."""
    return outbox(db, ("dead",), before, limit)


def blocks(db: sqlite3.Connection) -> tuple[BlockRow, ...]:
    """The block and allow list, in the order in which it was made."""
    return tuple(block_row(row) for row in db.execute("SELECT * FROM blocks ORDER BY id"))


def called_closed(db: sqlite3.Connection, since: str) -> tuple[tuple[str, str], ...]:
    """Caller and start of each call since a stamp that came while its line was closed, oldest first."""
    found = db.execute(
        "SELECT caller, started_at FROM calls WHERE started_at >= ? AND direction = 'in' AND caller_kind = 'e164'"
        ' AND (trace LIKE \'%"rule": "closed-%\' OR trace LIKE \'%"rule": "night-on"%\')'
        " ORDER BY started_at LIMIT 10000",
        (since,),
    )
    return tuple((str(row["caller"]), str(row["started_at"])) for row in found)


def bindings(db: sqlite3.Connection, now: str) -> tuple[BindingRow, ...]:
    """Registrations that have not run out at `now`."""
    rows = db.execute("SELECT * FROM bindings WHERE expires_at > ? ORDER BY extension, key", (now,))
    return tuple(
        BindingRow(r["extension"], r["key"], r["contact"], _record(r["flow"]), r["expires_at"], r["user_agent"])
        for r in rows
    )


def overrides(db: sqlite3.Connection) -> dict[str, str]:
    """Name to value of what is switched by hand."""
    return {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM overrides")}


def events(db: sqlite3.Connection, before: int = 0, limit: int = 50) -> Page[EventRow]:
    """What happened, newest first."""
    found = db.execute(
        "SELECT * FROM events WHERE (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?", (before, before, _limit(limit) + 1)
    )
    rows = [EventRow(r["id"], r["at"], r["message"], _record(r["args"]), r["severity"]) for r in found]
    return _page(rows, limit, lambda row: str(row.id))


def counts(db: sqlite3.Connection, missed_since: str = "") -> Counts:
    """Unread messages, calls missed since a stamp, dead letters."""
    row = db.execute(
        "SELECT (SELECT count(*) FROM sms WHERE read_at IS NULL) AS unread,"  # noqa: S608 - own words
        f" (SELECT count(*) FROM calls WHERE started_at >= ? AND {MISSED}) AS missed,"
        " (SELECT count(*) FROM outbox WHERE state = 'dead') AS dead",
        (missed_since,),
    ).fetchone()
    return Counts(row["unread"], row["missed"], row["dead"])


def last_caller(db: sqlite3.Connection) -> str:
    """The number of the newest call from outside that showed one, or ""."""
    row = db.execute(
        "SELECT caller FROM calls WHERE direction = 'in' AND caller_kind = 'e164' ORDER BY started_at DESC LIMIT 1"
    ).fetchone()
    return str(row["caller"]) if row else ""


def mail_trouble(db: sqlite3.Connection) -> tuple[int, str]:
    """How many mails were tried and still wait, and what the server said last; (0, "") when mail flows."""
    row = db.execute(
        "SELECT count(*) AS waiting, max(last_error) AS said FROM outbox WHERE state IN ('waiting', 'leased')"
        " AND kind = 'mail' AND last_error <> '' AND (attempts > 1 OR last_error LIKE 'mail-sign-in:%'"
        " OR last_error LIKE 'mail-no-tls:%' OR last_error LIKE 'mail-certificate:%')"
    ).fetchone()
    return int(row["waiting"]), str(row["said"] or "")


def lost_heartbeats(db: sqlite3.Connection) -> tuple[str, ...]:
    """Lines whose last heartbeat did not arrive in its time."""
    found = db.execute(
        "SELECT line FROM line_facts WHERE name = 'heartbeat' AND json_extract(value, '$.lost') ORDER BY line"
    )
    return tuple(str(row["line"]) for row in found)


# ---- rows -----------------------------------------------------------------------------------------------------------


def block_row(row: sqlite3.Row) -> BlockRow:
    """A row of `blocks`."""
    return BlockRow(
        row["id"], row["pattern"], bool(row["allow"]), row["what"], row["when_"], row["line"], row["action"],
        row["reason"], row["created_at"], row["created_by"], row["hits"], row["last_hit"],
        row["begins_at"], row["ends_at"], row["origin"],
    )  # fmt: skip


def _call_row(row: sqlite3.Row) -> CallRow:
    plain = {name: row[name] for name in row.keys() if name not in ("legs", "trace")}  # noqa: SIM118 - sqlite3.Row
    return CallRow(**plain, legs=_records(row["legs"]), trace=_records(row["trace"]))


def _sms_row(row: sqlite3.Row, pdus: tuple[str, ...] = ()) -> SmsRow:
    return SmsRow(
        row["id"], row["line"], row["iccid"], row["sender"], row["sender_kind"], row["text"], row["coding"],
        row["sent_at"], row["received_at"], row["parts"], row["parts_total"], bool(row["complete"]),
        tuple(str(flag) for flag in json.loads(row["flags"])), bool(row["mailed"]), row["read_at"], row["mail"], pdus,
    )  # fmt: skip


def _outbox_row(row: sqlite3.Row) -> OutboxRow:
    return OutboxRow(
        row["id"], row["kind"], row["created_at"], row["next_at"], row["attempts"], row["state"], row["message_id"],
        _record(row["payload"]), {to: str(state) for to, state in _record(row["recipients"]).items()},
        row["last_error"], row["sent_at"], row["priority"],
    )  # fmt: skip


def _record(text: str) -> dict[str, Json]:
    value = json.loads(text)
    return value if isinstance(value, dict) else {}


def _records(text: str) -> tuple[dict[str, Json], ...]:
    value = json.loads(text)
    return tuple(one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def _limit(limit: int) -> int:
    return max(1, min(limit, MOST_ROWS))


def _page(rows: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """`rows` has one more than fits when there is a next page."""
    fits = _limit(limit)
    return Page(tuple(rows[:fits]), cursor(rows[fits - 1]) if len(rows) > fits else "")


@dataclass(frozen=True, slots=True)
class Fact:
    """The last that is known of a line under a name; `at` is a stamp."""

    value: Json
    at: str


def line_facts(db: sqlite3.Connection, line: str) -> dict[str, Fact]:
    """Everything that is known of a line, by name."""
    rows = db.execute("SELECT name, value, at FROM line_facts WHERE line = ?", (line,)).fetchall()
    return {row["name"]: Fact(json.loads(row["value"]), row["at"]) for row in rows}


@dataclass(frozen=True, slots=True)
class SignalPoint:
    """A line at a moment: `percent` 0 to 100, None unknown; `state` an id of words.LINE_STATES."""

    at: str
    percent: int | None
    network: str
    operator: str
    state: str


def signal_history(db: sqlite3.Connection, line: str, since: str) -> tuple[SignalPoint, ...]:
    """Oldest first, since a stamp."""
    rows = db.execute(
        "SELECT at, percent, network, operator, state FROM signal WHERE line = ? AND at >= ? ORDER BY at", (line, since)
    )
    return tuple(SignalPoint(*row) for row in rows)
