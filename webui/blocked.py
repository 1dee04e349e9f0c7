"""What the pages of Blocking read of the journal: entries by tab, by what is searched for, page by page."""

import sqlite3
from dataclasses import dataclass

from appliance.core.blocklist import Block as Entry
from appliance.core.model import LineId
from appliance.journal.times import moment
from webui import here
from webui.reading import like, number_in
from webui.store import stamp

PAGE = 50
MOST = 20000
TABS = {
    "blocked": "allow = 0 AND NOT (ended)",
    "allowed": "allow = 1 AND NOT (ended)",
    "automatic": "origin != '' AND NOT (ended)",
    "ended": "(ended)",
}
ENDED = "ends_at IS NOT NULL AND ends_at <= :now"


@dataclass(frozen=True, slots=True)
class Block:
    """An entry of the block or allow list."""

    id: int
    pattern: str
    allow: bool
    what: str
    when: str
    line: str
    action: str
    reason: str
    created_at: str
    created_by: str
    hits: int
    last_hit: str
    begins_at: str
    ends_at: str
    origin: str

    def as_entry(self) -> Entry:
        """As core knows it."""
        return Entry(
            self.id, self.pattern, self.allow, self.when, LineId(self.line) if self.line else None, self.what,
            self.action, self.reason, moment(self.begins_at) if self.begins_at else None,
            moment(self.ends_at) if self.ends_at else None, self.origin,
        )  # fmt: skip

    def as_args(self) -> dict[str, object]:
        """What puts it on the list again."""
        return {
            "pattern": self.pattern, "allow": self.allow, "what": self.what, "when": self.when,
            "line": self.line or None, "action": self.action, "reason": self.reason, "begins": self.begins_at,
            "ends": self.ends_at, "origin": self.origin,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, how many there are in all, and how many calls they turned away."""

    rows: list[Block]
    count: int
    hits: int


def listed(tab: str, query: str, page: int) -> Found:
    """Entries of a tab, newest first; `query` is a part of a number in any spelling or of a reason."""
    where = TABS[tab].replace("ended", ENDED)
    values: dict[str, object] = {"now": stamp(here.local_now()), "most": PAGE, "skip": page * PAGE}
    if query:
        where += " AND (pattern LIKE :number ESCAPE '\\' OR reason LIKE :text ESCAPE '\\')"
        values |= {"number": like(number_in(query)), "text": like(query)}
    with here.store().open() as db:
        rows = db.execute(
            f"SELECT * FROM blocks WHERE {where} ORDER BY id DESC LIMIT :most OFFSET :skip",  # noqa: S608 - of TABS
            values,
        ).fetchall()
        count, hits = db.execute(
            f"SELECT count(*), coalesce(sum(hits), 0) FROM blocks WHERE {where}",  # noqa: S608 - of TABS
            values,
        ).fetchone()
    return Found([_block(row) for row in rows], int(count), int(hits))


def one(number: int) -> Block | None:
    """The entry with this number."""
    with here.store().open() as db:
        row = db.execute("SELECT * FROM blocks WHERE id = ?", (number,)).fetchone()
    return _block(row) if row else None


def exactly(pattern: str) -> Block | None:
    """The entry that blocks exactly this pattern."""
    with here.store().open() as db:
        row = db.execute("SELECT * FROM blocks WHERE pattern = ? AND allow = 0 LIMIT 1", (pattern,)).fetchone()
    return _block(row) if row else None


def every() -> list[Block]:
    """Both lists, in the order in which they were made."""
    with here.store().open() as db:
        rows = db.execute("SELECT * FROM blocks ORDER BY id LIMIT ?", (MOST,)).fetchall()
    return [_block(row) for row in rows]


def _block(row: sqlite3.Row) -> Block:
    return Block(
        int(row["id"]), row["pattern"], bool(row["allow"]), row["what"], row["when_"], row["line"] or "",
        row["action"] or "", row["reason"] or "", row["created_at"] or "", row["created_by"] or "",
        int(row["hits"] or 0), row["last_hit"] or "", row["begins_at"] or "", row["ends_at"] or "", row["origin"] or "",
    )  # fmt: skip
