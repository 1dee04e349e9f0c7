"""The block and allow list in the journal: how its writes become SQL, inside a transaction of the storage thread."""

import sqlite3
from datetime import datetime, timedelta

from appliance.journal import writes as w
from appliance.journal.queries import block_row
from appliance.journal.rows import BlockRow
from appliance.journal.times import stamp

MOST_BY_ITSELF = 1000  # entries that nobody made are bounded: whoever can call can make them
ENDED_KEPT = timedelta(days=30)  # an entry that was made by itself is shown so long after its end
_INSERT = (
    "INSERT INTO blocks (pattern, allow, what, when_, line, action, reason, created_at, created_by, begins_at, ends_at,"
    " origin) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
)


class Blocks:
    """Raises sqlite3.Error; the caller owns the transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, write: w.AddBlock) -> int:
        """See `writes.AddBlock`."""
        if write.origin:
            self._make_room(write)
        return int(self._db.execute(_INSERT, _values(write)).lastrowid or 0)

    def add_all(self, write: w.AddBlocks) -> int:
        """See `writes.AddBlocks`."""
        held = {_key(row): int(row["id"]) for row in self._db.execute("SELECT * FROM blocks")}
        wanted = {(e.pattern, int(e.allow), e.line, e.what, e.when): e for e in write.entries}
        if write.replace:
            gone = [(number,) for key, number in held.items() if key not in wanted]
            self._db.executemany("DELETE FROM blocks WHERE id = ?", gone)
        self._db.executemany(
            "UPDATE blocks SET action = ?, reason = ?, begins_at = ?, ends_at = ?, origin = ? WHERE id = ?",
            [(e.action, e.reason, e.begins, e.ends, e.origin, held[key]) for key, e in wanted.items() if key in held],
        )
        self._db.executemany(_INSERT, [_values(e) for key, e in wanted.items() if key not in held])
        return int(self._db.execute("SELECT count(*) FROM blocks").fetchone()[0])

    def remove(self, write: w.RemoveBlock) -> BlockRow | None:
        """See `writes.RemoveBlock`."""
        row = self._db.execute("DELETE FROM blocks WHERE id = ? RETURNING *", (write.id,)).fetchone()
        return block_row(row) if row else None

    def count(self, write: w.CountHits) -> None:
        """See `writes.CountHits`."""
        for block, hits in write.hits.items():
            self._db.execute(
                "UPDATE blocks SET hits = hits + ?, last_hit = max(coalesce(last_hit, ''), ?) WHERE id = ?",
                (hits, write.at, block),
            )

    def _make_room(self, write: w.AddBlock) -> None:
        oldest = stamp(datetime.fromisoformat(write.created_at) - ENDED_KEPT)
        self._db.execute(
            "DELETE FROM blocks WHERE origin = ? AND ((pattern = ? AND allow = ?) OR ends_at < ? OR id IN"
            " (SELECT id FROM blocks WHERE origin = ? ORDER BY id DESC LIMIT -1 OFFSET ?))",
            (write.origin, write.pattern, write.allow, oldest, write.origin, MOST_BY_ITSELF - 1),
        )


def _key(row: sqlite3.Row) -> tuple[object, ...]:
    return row["pattern"], row["allow"], row["line"], row["what"], row["when_"]


def _values(write: w.AddBlock) -> tuple[object, ...]:
    return (
        write.pattern, write.allow, write.what, write.when, write.line, write.action, write.reason, write.created_at,
        write.created_by, write.begins, write.ends, write.origin,
    )  # fmt: skip
