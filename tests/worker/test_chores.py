"""The daily chores: what goes, what stays, and when."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.journal.db import open_owner, open_writer
from appliance.journal.notes import RETENTION, SMS_DAYS, add_event, checkpoint, fault_in, forget_old
from appliance.journal.times import stamp
from appliance.worker.jobs import Chores
from tests.journal.builders import rows
from tests.peers.exim import until

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def fill(path: Path, days: int, count: int = 3) -> None:
    """So many rows of each kind, so many days old."""
    at = stamp(NOW - timedelta(days=days))
    with closing(open_owner(path)) as db:
        db.execute("BEGIN")
        for n in range(count):
            name = f"{days}-{n}"
            db.execute(
                "INSERT INTO calls (id, direction, line, caller, caller_kind, called, called_kind, started_at,"
                " ended_at, ring_ms, talk_ms, cause) VALUES (?,'in','gsm0','','','','',?,?,0,0,'normal')",
                (name, at, at),
            )  # fmt: skip
            db.execute("INSERT INTO events (at, message, severity) VALUES (?,'started','info')", (at,))
            for read in (at, None):
                db.execute(
                    "INSERT INTO sms (line, sender, sender_kind, text, coding, received_at, parts, parts_total,"
                    " complete, read_at) VALUES ('gsm0','','','','gsm7',?,1,1,1,?)", (at, read),
                )  # fmt: skip
            for state in ("sent", "dead", "waiting"):
                db.execute(
                    "INSERT INTO outbox (kind, created_at, since, next_at, message_id, payload, state)"
                    " VALUES ('mail',?,?,?,?,'{}',?)", (at, at, at, f"{name}{state}", state),
                )  # fmt: skip
        db.execute("COMMIT")


def left(path: Path, table: str, where: str = "1") -> int:
    return int(str(rows(path, f"SELECT count(*) AS n FROM {table} WHERE {where}")[0]["n"]))


def test_old_rows_go_and_what_waits_or_is_unread_stays(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    fill(path, 0)
    fill(path, 800)
    with closing(open_writer(path, 0)) as db:
        assert forget_old(db, NOW) == 3 * 5
    assert left(path, "calls") == 3
    assert left(path, "events") == 3
    assert left(path, "sms", "read_at IS NULL") == 6
    assert left(path, "sms", "read_at IS NOT NULL") == 3
    assert left(path, "outbox", "state = 'waiting'") == 6
    assert left(path, "outbox", "state IN ('sent', 'dead')") == 6


def test_each_table_keeps_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    fill(path, 0, 1)
    fill(path, 100, 1)
    with closing(open_writer(path, 0)) as db:
        assert forget_old(db, NOW) == 1
    assert left(path, "outbox", "state = 'sent'") == 1
    assert {days for _, _, _, days in RETENTION} | {SMS_DAYS} == {90, 180, 365, 730}


def test_messages_go_after_the_days_of_their_line_and_never_before_their_mail_left(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    fill(path, 0, 1)
    fill(path, 40, 2)
    with closing(open_writer(path, 0)) as db:
        assert forget_old(db, NOW, sms_days={"gsm0": 0}) == 0
        db.execute("UPDATE outbox SET sms_id = (SELECT max(id) FROM sms WHERE read_at IS NOT NULL) WHERE id = 6")
        assert forget_old(db, NOW, sms_days={"gsm0": 30}) == 1
        db.execute("UPDATE outbox SET state = 'sent' WHERE id = 6")
        assert forget_old(db, NOW, sms_days={"gsm0": 30}) == 1
    assert left(path, "sms", "read_at IS NULL") == 3


def test_a_clock_far_ahead_deletes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    fill(path, 0)
    with closing(open_writer(path, 0)) as db:
        assert forget_old(db, NOW + timedelta(days=5000)) == 0
    assert left(path, "calls") == 3


def test_many_rows_go_in_pieces_and_an_end_is_obeyed_between_them(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    fill(path, 0, 1)
    fill(path, 800, 1200)
    turns = iter([True, True])
    with closing(open_writer(path, 0)) as db:
        assert forget_old(db, NOW, lambda: next(turns, False)) == 1000
        assert left(path, "calls") == 201
        assert forget_old(db, NOW) > 0
    assert left(path, "calls") == 1


def test_the_log_is_moved_into_the_file_and_a_sound_file_has_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    fill(path, 0, 50)
    with closing(open_writer(path, 0)) as db:
        add_event(db, NOW, "started", {}, "info")
        assert path.with_name("j.db-wal").stat().st_size > 0
        assert checkpoint(db)
        assert path.with_name("j.db-wal").stat().st_size == 0
        assert fault_in(db) == ""


def test_a_damaged_file_is_told_to_people(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    fill(path, 0, 400)
    with closing(open_writer(path, 0)) as db:
        checkpoint(db)
        root = int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'calls_by_start'").fetchone()[0])
        size = int(db.execute("PRAGMA page_size").fetchone()[0])
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    chores = Chores(path, lambda: NOW)
    with closing(open_writer(path, 0)) as db:
        chores.check(db)
    assert chores.fault
    assert [row["message"] for row in rows(path, "SELECT message FROM events WHERE severity = 'error'")] == [
        "journal-damaged"
    ]


def test_chores_are_planned_in_the_time_of_the_office(tmp_path: Path) -> None:
    chores = Chores(tmp_path / "none.db", lambda: NOW)
    zone = ZoneInfo("America/New_York")
    chores.start(zone)
    chores.start(zone)
    try:
        plan = {name: at.astimezone(zone) for name, at in chores.plan().items()}
        assert set(plan) == {"retention", "check", "checkpoint"}
        assert (plan["retention"].hour, plan["retention"].minute) == (3, 17)
    finally:
        chores.stop()
        chores.stop()
    assert chores.plan() == {}
    until(lambda: not [t for t in threading.enumerate() if t.name == "APScheduler"], 5)
