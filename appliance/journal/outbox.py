"""The outbox: what must reach the outside, tried again until it does or five days are over.

The worker claims a row for a while (the lease), sends it, and settles it. A worker that dies leaves a lease that runs
out, and the row is claimed again: with the same Message-ID, so that a mail server that already has it can tell. Times
are the plan's clock; since a clock may be moved or be unset after a power cut, a date further ahead than any plan sets
counts as due, and five days are not counted from before the clock was set.
"""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from appliance.journal.rows import Json
from appliance.journal.times import moment, stamp

RETRY_MINUTES = (1, 5, 15, 60)
RETRY_THEN = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=5)
LONGEST_LEASE = timedelta(minutes=15)
ALARM = "@alarm"  # who gets a webhook for alarms: no rule has such an id
TOPUP = "@topup:"  # who gets one that tops a line up: this and the line
CLOCK_IS_SET = datetime(2026, 1, 1, tzinfo=UTC)  # before it, the box has not learnt the time since its power cut


class State(StrEnum):
    """How far a row is."""

    WAITING = "waiting"
    LEASED = "leased"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A claimed row. `to` are the recipients that still wait; `attempts` counts this one."""

    id: int
    kind: str
    message_id: str
    payload: Mapping[str, Json]
    to: tuple[str, ...]
    attempts: int
    created_at: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an attempt: for each recipient that was tried "sent", "dead" or "waiting" (again later), and the
    server's own words where something went wrong. A recipient not named still waits."""

    recipients: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


def claim(
    db: sqlite3.Connection,
    at: datetime,
    lease: timedelta = timedelta(minutes=5),
    kinds: Sequence[str] = ("mail",),
) -> OutboxItem | None:
    """Take the next row of these kinds that is due: urgent ones first, then the oldest date. None when none is."""
    lease = min(lease, LONGEST_LEASE)
    now = stamp(at)
    query = (
        "SELECT * FROM outbox WHERE ((state = 'waiting' AND (next_at <= ? OR next_at > ?))"
        " OR (state = 'leased' AND (lease_until <= ? OR lease_until > ?)))"
        " AND kind IN (SELECT value FROM json_each(?)) ORDER BY priority DESC, next_at, id LIMIT 1"
    )
    db.execute("BEGIN IMMEDIATE")
    try:
        row = db.execute(
            query,
            (now, stamp(at + RETRY_THEN + timedelta(minutes=1)), now, stamp(at + LONGEST_LEASE), json.dumps(kinds)),
        ).fetchone()
        if row is not None:
            db.execute(
                "UPDATE outbox SET state = 'leased', lease_until = ?, attempts = attempts + 1 WHERE id = ?",
                (stamp(at + lease), row["id"]),
            )
        db.execute("COMMIT")
    except sqlite3.Error:
        _take_back(db)
        raise
    if row is None:
        return None
    states = json.loads(row["recipients"])
    return OutboxItem(
        row["id"], row["kind"], row["message_id"], json.loads(row["payload"]),
        tuple(to for to, state in states.items() if state == State.WAITING), row["attempts"] + 1, row["created_at"],
    )  # fmt: skip


def settle(db: sqlite3.Connection, id: int, result: Settled, at: datetime) -> State:  # noqa: A002 - the row's own word
    """Note what became of a claimed row and plan the next attempt; gives its new state.

    It is sent when every recipient has it, dead when nobody waits and somebody was refused, or when five days are over.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        row = db.execute("SELECT * FROM outbox WHERE id = ?", (id,)).fetchone()
        if row is None or row["state"] in (State.SENT, State.DEAD):
            db.execute("COMMIT")
            return State(row["state"]) if row else State.DEAD
        states = {**json.loads(row["recipients"]), **result.recipients}
        since = moment(row["since"])
        if since < CLOCK_IS_SET <= at:
            since = at
        state = _next_state(states, at - since)
        if state is State.DEAD:
            states = {to: State.DEAD if one == State.WAITING else one for to, one in states.items()}
        db.execute(
            "UPDATE outbox SET state = ?, lease_until = NULL, next_at = ?, since = ?, recipients = ?, last_error = ?,"
            " sent_at = ? WHERE id = ?",
            (state, stamp(at + pause(row["attempts"])), stamp(since), json.dumps(states), result.error[:2000],
             stamp(at) if state is State.SENT else row["sent_at"], id),
        )  # fmt: skip
        db.execute("COMMIT")
    except sqlite3.Error:
        _take_back(db)
        raise
    return state


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    if attempts <= len(RETRY_MINUTES):
        return timedelta(minutes=RETRY_MINUTES[max(attempts, 1) - 1])
    return RETRY_THEN


def unclaim(db: sqlite3.Connection, id: int, at: datetime) -> None:  # noqa: A002 - the row's own word
    """Give a row back that was not tried: it stays due and the attempt does not count."""
    db.execute(
        "UPDATE outbox SET state = 'waiting', lease_until = NULL, attempts = max(attempts - 1, 0), next_at = ?"
        " WHERE id = ? AND state = 'leased'",
        (stamp(at), id),
    )


def release_leases(db: sqlite3.Connection, at: datetime) -> int:
    """At the worker's start: leases of the one before it are worth nothing. Gives how many there were."""
    return db.execute(
        "UPDATE outbox SET state = 'waiting', lease_until = NULL, next_at = ? WHERE state = 'leased'", (stamp(at),)
    ).rowcount


def hurry(db: sqlite3.Connection, at: datetime) -> int:
    """The mail server answers again: every mail that waits is due now. Gives how many rows that concerns."""
    return db.execute(
        "UPDATE outbox SET next_at = ? WHERE state = 'waiting' AND kind = 'mail' AND next_at > ?",
        (stamp(at), stamp(at)),
    ).rowcount


def why(last_error: str) -> tuple[str, str]:
    """What `last_error` of a row holds: an id of words.ERRORS ("" when it has none) and the server's own words."""
    found = re.fullmatch(r"([a-z]+(?:-[a-z]+)*)(?:: (.*))?", last_error, re.DOTALL)
    return (found[1], found[2] or "") if found else ("", last_error)


def enqueue(
    db: sqlite3.Connection, kind: str, message_id: str, payload: Mapping[str, Json], to: Sequence[str], at: datetime
) -> bool:
    """A row of the worker's own (an answer to a mail it read, an alarm); the same Message-ID again changes nothing and
    gives False."""
    now = stamp(at)
    return db.execute(
        "INSERT OR IGNORE INTO outbox (kind, created_at, since, next_at, message_id, payload, recipients)"
        " VALUES (?,?,?,?,?,?,?)",
        (kind, now, now, now, message_id, json.dumps({**payload, "to": list(to)}, ensure_ascii=False),
         json.dumps(dict.fromkeys(to, State.WAITING))),
    ).rowcount > 0  # fmt: skip


def next_due(db: sqlite3.Connection) -> str | None:
    """The stamp at which the next waiting row is due, None when none waits."""
    row = db.execute("SELECT min(next_at) FROM outbox WHERE state = 'waiting'").fetchone()
    return str(row[0]) if row and row[0] else None


def _next_state(states: Mapping[str, str], age: timedelta) -> State:
    if any(state == State.WAITING for state in states.values()):
        return State.DEAD if age >= GIVE_UP_AFTER else State.WAITING
    if all(state == State.SENT for state in states.values()):
        return State.SENT
    return State.DEAD


def _take_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("ROLLBACK")
