"""Making, migrating and protecting the journal's file."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from appliance.errors import JournalDamaged, JournalError, JournalTooNew
from appliance.journal import db as journal
from appliance.journal.schema import MIGRATIONS, VERSION, migrate, version
from appliance.journal.writer import Writer
from appliance.journal.writes import StoreCallRow
from tests.journal.builders import call_record, join, rows, write

MADE_UP = (
    ("CREATE TABLE calls (id TEXT PRIMARY KEY)",),
    ("ALTER TABLE calls ADD COLUMN rating INTEGER NOT NULL DEFAULT 0", "CREATE INDEX by_rating ON calls (rating)"),
)


def plain(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_migrations_lead_from_each_version_to_the_newest_and_keep_the_rows(path: Path) -> None:
    with closing(plain(path)) as db:
        assert migrate(db, MADE_UP[:1]) == 1
        db.execute("INSERT INTO calls VALUES ('old')")
        assert migrate(db, MADE_UP) == 1
        assert db.execute("SELECT id, rating FROM calls").fetchall() == [("old", 0)]
        assert version(db) == 2
        assert migrate(db, MADE_UP) == 0


def test_a_new_file_goes_through_all_steps(path: Path) -> None:
    with closing(plain(path)) as db:
        assert migrate(db, MADE_UP) == 2
        assert version(db) == 2


def test_a_failed_step_leaves_the_version_before_it_whole(path: Path) -> None:
    broken = (*MADE_UP, ("CREATE TABLE extra (id)", "CREATE TABLE calls (again)"))
    with closing(plain(path)) as db:
        with pytest.raises(sqlite3.OperationalError):
            migrate(db, broken)
        assert version(db) == 2
        assert not db.execute("SELECT name FROM sqlite_master WHERE name = 'extra'").fetchall()


def test_a_journal_of_a_later_release_is_not_touched(path: Path) -> None:
    with closing(plain(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(JournalTooNew):
        journal.open_owner(path)
    with pytest.raises(JournalTooNew):
        journal.open_writer(path, 1)
    assert path.read_bytes() == before


def test_the_product_has_every_table_of_its_processes(path: Path) -> None:
    journal.open_owner(path).close()
    found = {row["name"] for row in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert found >= {"calls", "sms", "sms_parts", "outbox", "blocks", "bindings", "overrides", "events"}
    assert found >= {"accounts", "sessions", "audit", "throttle"}
    assert len(MIGRATIONS) == VERSION


def test_the_file_and_its_log_are_for_owner_and_group_alone(path: Path) -> None:
    with closing(journal.open_owner(path)) as db:
        db.execute("INSERT INTO overrides VALUES ('night', 'on', 'x', 'now')")
        for file in (path, path.with_name("journal.db-wal"), path.with_name("journal.db-shm")):
            assert file.stat().st_mode & 0o777 == 0o660, file


def test_every_connection_is_durable_and_checks_references(path: Path) -> None:
    journal.open_owner(path).close()
    with closing(journal.open_writer(path, 1)) as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        assert db.execute("PRAGMA busy_timeout").fetchone()[0] == 2000


def test_a_reader_cannot_write(path: Path) -> None:
    journal.open_owner(path).close()
    with closing(journal.open_reader(path, 1)) as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM calls")


def test_others_wait_until_the_exchange_has_made_the_tables(path: Path) -> None:
    with pytest.raises(JournalError):
        journal.open_writer(path, 0.1)
    late = threading.Timer(0.2, lambda: journal.open_owner(path).close())
    late.start()
    with closing(journal.open_writer(path, 5)) as db:
        assert version(db) == VERSION
    late.join()


def damage(path: Path) -> bytes:
    journal.open_owner(path).close()
    body = bytearray(path.read_bytes())
    body[4096:12288] = b"\xa5" * 8192
    path.write_bytes(body)
    return bytes(body)


@pytest.mark.parametrize("kind", ["pages", "not-a-journal"])
def test_a_damaged_journal_is_reported_and_left_as_it_is(path: Path, kind: str) -> None:
    body = damage(path) if kind == "pages" else b"this is not a database at all, it is a text" * 100
    path.write_bytes(body)
    writer = Writer(path, join)
    fault = writer.start()
    try:
        assert isinstance(fault, JournalDamaged)
        assert isinstance(writer.fault, JournalDamaged)
        [result] = write(writer, StoreCallRow(call_record()))
        assert isinstance(result, JournalDamaged)
        assert path.read_bytes() == body
    finally:
        writer.stop()


def test_the_owner_can_put_a_damaged_journal_aside_and_begin_anew(path: Path) -> None:
    body = damage(path)
    aside = journal.put_aside(path)
    assert aside.name == "journal.damaged-1.db"
    assert aside.read_bytes() == body
    writer = Writer(path, join)
    assert writer.start() is None
    assert write(writer, StoreCallRow(call_record())) == [None]
    writer.stop()
    assert journal.put_aside(path).name == "journal.damaged-2.db"
