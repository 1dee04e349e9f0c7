"""What the exchange reads of its own journal, off the loop: the block list, overrides, registrations, counts.

One thread with one connection; results are handed back through the inbox.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from appliance.core.blocklist import Block
from appliance.core.model import Kind, LineId, Number
from appliance.errors import JournalError
from appliance.journal import queries
from appliance.journal.db import open_reader, translate
from appliance.journal.rows import BindingRow, BlockRow, CallRow
from appliance.journal.sims import LineFact, facts
from appliance.journal.times import moment, stamp

log = logging.getLogger(__name__)

T = TypeVar("T")
Connection = sqlite3.Connection


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the page and the lamps count."""

    unread: int = 0
    missed: int = 0
    dead: int = 0
    stuck: int = 0  # mails tried and not delivered yet
    said: str = ""  # what the mail server said last
    lost: tuple[str, ...] = ()  # lines whose last heartbeat did not arrive


class Views:
    """Reads on its own thread. Any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="views")
        self._db: sqlite3.Connection | None = None

    def stop(self) -> None:
        """Finish what runs."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def later(self, read: Callable[[sqlite3.Connection], T], done: Callable[[T | None], None]) -> None:
        """Read, then tell `done` (on this thread: it must only post); None when the journal cannot be read."""
        self._thread.submit(lambda: done(self._read(read)))

    def now(self, read: Callable[[sqlite3.Connection], T]) -> T | None:
        """Read and wait: at start only."""
        return self._thread.submit(self._read, read).result(10)

    def _read(self, read: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            if self._db is None:
                self._db = open_reader(self._path, 2.0)
            return read(self._db)
        except (sqlite3.Error, JournalError) as error:
            fault = error if isinstance(error, JournalError) else translate(error)
            log.warning("the journal could not be read: %s", fault.id)
            if self._db is not None:
                self._db.close()
                self._db = None
            return None


def blocks(db: sqlite3.Connection) -> tuple[Block, ...]:
    """The block list as routing wants it."""
    return tuple(_block(row) for row in queries.blocks(db))


def _block(row: BlockRow) -> Block:
    line = LineId(row.line) if row.line else None
    return Block(
        row.id, row.pattern, row.allow, row.when, line, row.what, row.action, row.reason, _moment(row.begins_at),
        _moment(row.ends_at), row.origin,
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None


def called_closed(since: datetime) -> Callable[[sqlite3.Connection], tuple[tuple[Number, str], ...]]:
    """Who called since then while a line was closed, and when, oldest first."""
    return lambda db: tuple((Number(caller, Kind.E164), at) for caller, at in queries.called_closed(db, stamp(since)))


def overrides(db: sqlite3.Connection) -> dict[str, str]:
    """Overrides that outlived the last run."""
    return queries.overrides(db)


def last_caller(db: sqlite3.Connection) -> Number | None:
    """Who called from outside last and showed a number."""
    found = queries.last_caller(db)
    return Number(found, Kind.E164) if found else None


def line_facts(lines: Iterable[str]) -> Callable[[sqlite3.Connection], dict[str, dict[str, object]]]:
    """What is known of each line, by name."""
    return lambda db: {
        line: {name: fact.value for name, fact in queries.line_facts(db, line).items()} for line in lines
    }


def facts_named(names: tuple[str, ...]) -> Callable[[sqlite3.Connection], tuple[LineFact, ...]]:
    """The last that is known of each line under these names."""
    return lambda db: facts(db, names)


def talked(since: str) -> Callable[[sqlite3.Connection], tuple[CallRow, ...]]:
    """Calls since a stamp in which somebody spoke."""
    return lambda db: queries.talked(db, since)


def bindings(now: str) -> Callable[[sqlite3.Connection], tuple[BindingRow, ...]]:
    """Registrations that have not ended."""
    return lambda db: queries.bindings(db, now)


def numbers(since: str) -> Callable[[sqlite3.Connection], Numbers]:
    """What is counted; missed calls since a stamp."""

    def read(db: sqlite3.Connection) -> Numbers:
        found, (stuck, said) = queries.counts(db, since), queries.mail_trouble(db)
        return Numbers(found.unread, found.missed, found.dead, stuck, said, queries.lost_heartbeats(db))

    return read
