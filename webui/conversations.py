"""What was said with whom: messages that came and messages of ours, read together."""

import sqlite3
from dataclasses import dataclass

from webui import here
from webui.reading import like, number_in

MOST = 200
NEWEST = 12  # whose states are told live


@dataclass(frozen=True, slots=True)
class Conversation:
    """Somebody we write with, the last message either way, and how many of theirs are unread."""

    sender: str
    text: str
    received_at: str
    unread: int
    ours: bool


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours. `done` of `parts` have left; `reason` is an id of `words.SENDING`, `detail` the modem's own
    word for it."""

    id: int
    line: str
    recipient: str
    text: str
    created_at: str
    updated_at: str
    by: str
    state: str
    reason: str
    detail: str
    parts: int
    done: int


def conversations(query: str = "") -> list[Conversation]:
    """By their last message, at most 200."""
    with here.store().open() as db:
        rows = db.execute(
            "WITH said AS (SELECT id, sender AS who, text, received_at AS at, read_at IS NULL AS unread, 0 AS ours"
            " FROM sms UNION ALL SELECT id, recipient, text, created_at, 0, 1 FROM sms_out)"
            " SELECT who, text, at, unread, ours FROM (SELECT who, text, at, ours,"
            " row_number() OVER (PARTITION BY who ORDER BY at DESC, id DESC) AS place,"
            " sum(unread) OVER (PARTITION BY who) AS unread FROM said"
            " WHERE who LIKE ? ESCAPE '\\' OR text LIKE ? ESCAPE '\\') WHERE place = 1 ORDER BY at DESC LIMIT ?",
            (like(number_in(query)), like(query), MOST),
        ).fetchall()
    return [Conversation(r["who"], r["text"], r["at"], int(r["unread"]), bool(r["ours"])) for r in rows]


def ours(recipient: str) -> list[Ours]:
    """The last messages of ours to somebody, oldest first."""
    return _read("o.recipient = ?", (recipient,), MOST)


def one(out: int) -> Ours | None:
    """A message of ours."""
    return next(iter(_read("o.id = ?", (out,), 1)), None)


def newest() -> list[Ours]:
    """The messages of ours that changed last, whose states an open page follows."""
    return _read("1", (), NEWEST, "o.updated_at DESC, o.id DESC")


def _read(
    where: str, values: tuple[object, ...], limit: int, order: str = "o.created_at DESC, o.id DESC"
) -> list[Ours]:
    with here.store().open() as db:
        rows = db.execute(
            "SELECT o.*, count(p.sequence) AS parts, sum(p.state IN ('sent', 'delivered')) AS done FROM sms_out o"  # noqa: S608
            f" LEFT JOIN sms_out_parts p ON p.out_id = o.id WHERE {where} GROUP BY o.id ORDER BY {order} LIMIT ?",
            (*values, limit),
        ).fetchall()
    return [_ours(row) for row in reversed(rows)]


def _ours(row: sqlite3.Row) -> Ours:
    return Ours(
        int(row["id"]), row["line"], row["recipient"], row["text"], row["created_at"], row["updated_at"], row["by_"],
        row["state"], row["reason"], row["detail"], int(row["parts"]), int(row["done"] or 0),
    )  # fmt: skip
