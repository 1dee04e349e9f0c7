"""The storage thread: what it acknowledges, groups, takes back and refuses."""

import json
import queue
import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from appliance.core.model import Kind, Number
from appliance.errors import DiskFull, JournalBusy, JournalError
from appliance.journal import writes as w
from appliance.journal.blocks import MOST_BY_ITSELF
from appliance.journal.db import open_owner
from appliance.journal.writer import Writer
from tests.journal.builders import at, call_record, join, rows, sms, write


def test_a_call_is_a_row_with_its_legs_and_trace(writer: Writer, path: Path) -> None:
    record = call_record(caller_name="Anna", caller=Number("", Kind.WITHHELD))
    assert write(writer, w.StoreCallRow(record)) == [None]
    [row] = rows(path, "SELECT * FROM calls")
    assert (row["caller"], row["caller_kind"], row["caller_name"]) == ("", "withheld", "Anna")
    assert (row["ring_ms"], row["talk_ms"], row["cause"]) == (4000, 56000, "normal")
    assert json.loads(str(row["trace"])) == [
        {"rule": "open", "outcome": "passed", "args": {"line": "Reception"}, "link": "/hours"}
    ]
    assert json.loads(str(row["legs"]))[0]["leg"] == "gsm0-1"


def test_the_same_call_twice_is_one_row(writer: Writer, path: Path) -> None:
    write(writer, w.StoreCallRow(call_record()), w.StoreCallRow(call_record()))
    assert len(rows(path, "SELECT id FROM calls")) == 1


def test_a_result_is_told_only_after_it_can_be_read_by_others(writer: Writer, path: Path) -> None:
    seen: queue.Queue[int] = queue.Queue()
    writer.submit(w.StoreCallRow(call_record()), lambda result: seen.put(len(rows(path, "SELECT id FROM calls"))))
    assert seen.get(timeout=5) == 1


def test_a_write_that_fails_does_not_take_its_neighbours_with_it(writer: Writer, path: Path) -> None:
    bad = w.StoreCallRow(call_record(2, ring_ms="not a number"))
    first, failed, last = write(writer, w.StoreCallRow(call_record(1)), bad, w.StoreCallRow(call_record(3)))
    assert first is None
    assert last is None
    assert isinstance(failed, JournalError)
    assert len(rows(path, "SELECT id FROM calls")) == 2
    assert writer.fault is None


def test_what_waits_is_written_in_one_transaction(path: Path) -> None:
    writer = Writer(path, join)
    done: queue.Queue[object] = queue.Queue()
    for number in range(50):
        writer.submit(w.StoreCallRow(call_record(number)), done.put)
    commits = count_commits(writer)
    for _ in range(50):
        assert done.get(timeout=5) is None
    writer.stop()
    assert commits == ["COMMIT"]


def count_commits(writer: Writer) -> list[str]:
    """Start the writer and note every COMMIT its connection carries out after opening."""
    commits: list[str] = []
    opened = writer._open

    def open_and_watch() -> None:
        opened()
        assert writer._db is not None
        writer._db.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)

    writer._open = open_and_watch  # type: ignore[method-assign]
    writer.start()
    return commits


def test_a_full_queue_answers_at_once_and_blocks_nobody(path: Path) -> None:
    writer = Writer(path, join)
    writer._queue = queue.Queue(2)
    results: list[object] = []
    for number in range(3):
        writer.submit(w.StoreCallRow(call_record(number)), results.append)
    assert [type(result) for result in results] == [JournalBusy]
    writer.start()
    writer.stop()
    assert len(rows(path, "SELECT id FROM calls")) == 2


def test_a_full_disk_is_told_and_nothing_of_the_transaction_is_kept(path: Path) -> None:
    writer = Writer(path, join)
    writer.start()
    write(writer, w.StoreCallRow(call_record(1)))
    assert writer._db is not None
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count = {pages}")
    big = w.StoreCallRow(call_record(3, detail="x" * 50_000))
    results = write(writer, w.StoreCallRow(call_record(2)), big)
    assert any(isinstance(result, DiskFull) for result in results)
    assert isinstance(results[1], DiskFull)
    kept = {row["id"] for row in rows(path, "SELECT id FROM calls")}
    assert (call_record(2).id in kept) == (results[0] is None)
    assert call_record(3).id not in kept
    assert write(writer, big) == [None], "with room again (a new connection has no limit) the same write succeeds"
    assert writer.fault is None
    writer.stop()


def test_a_journal_held_by_another_process_is_told_as_busy_and_works_afterwards(path: Path) -> None:
    writer = Writer(path, join)
    writer.start()
    assert writer._db is not None
    writer._db.execute("PRAGMA busy_timeout = 50")
    with closing(open_owner(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        [result] = write(writer, w.StoreCallRow(call_record()))
        assert isinstance(result, JournalBusy)
        other.execute("ROLLBACK")
    assert write(writer, w.StoreCallRow(call_record())) == [None]
    writer.stop()


def test_a_write_waits_for_another_process_that_takes_its_time(path: Path) -> None:
    writer = Writer(path, join)
    writer.start()
    assert writer._db is not None
    writer._db.execute("PRAGMA busy_timeout = 100")
    with closing(open_owner(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.25, other.execute, ("ROLLBACK",))
        release.start()
        assert write(writer, w.SetOverrideRow("night", "on", "panel", at(0))) == [None]
        release.join()
    assert len(rows(path, "SELECT name FROM overrides")) == 1
    writer.stop()


def test_a_number_too_large_for_the_journal_does_not_end_the_thread(writer: Writer, path: Path) -> None:
    failed, good = write(writer, w.StoreCallRow(call_record(1, ring_ms=2**70)), w.StoreCallRow(call_record(2)))
    assert isinstance(failed, JournalError)
    assert good is None
    assert write(writer, w.StoreCallRow(call_record(3))) == [None]


def test_blocks_are_added_counted_and_removed(writer: Writer, path: Path) -> None:
    added = w.AddBlock("+48700*", at(), created_by="admin", what="both", when="after-hours", line="gsm0")
    [block] = write(writer, added)
    write(writer, w.CountHits({int(str(block)): 2}, at(1)), w.CountHits({int(str(block)): 1}, at(2)))
    [entry] = write(writer, w.RemoveBlock(int(str(block))))
    assert (entry.pattern, entry.hits, entry.last_hit, entry.when) == ("+48700*", 3, at(2), "after-hours")
    assert write(writer, w.RemoveBlock(int(str(block)))) == [None]
    assert rows(path, "SELECT id FROM blocks") == []


def test_hits_cost_no_transaction_of_their_own_and_are_kept_at_the_end(path: Path) -> None:
    writer = Writer(path, join)
    commits = count_commits(writer)
    [block] = write(writer, w.AddBlock("+48700*", at()))
    write(writer, *(w.CountHits({int(str(block)): 1}, at(n)) for n in range(100)))
    assert len(commits) == 1
    writer.stop()
    assert len(commits) == 2
    assert rows(path, "SELECT hits, last_hit FROM blocks") == [{"hits": 100, "last_hit": at(99)}]


def test_bindings_are_put_touched_and_dropped(writer: Writer, path: Path) -> None:
    phone = w.PutBinding("101", "k1", "sip:101@10.0.0.5", at(1), "Yealink", {"transport": "udp", "cseq": 4})
    write(writer, phone, w.PutBinding("101", "k2", "sip:101@10.0.0.6", at(1)), w.TouchBindings({("101", "k1"): at(9)}))
    first, second = rows(path, "SELECT * FROM bindings ORDER BY key")
    assert (first["expires_at"], second["expires_at"]) == (at(9), at(1))
    assert json.loads(str(first["flow"])) == {"transport": "udp", "cseq": 4}
    write(writer, w.DropBinding("101", "k1"))
    assert [row["key"] for row in rows(path, "SELECT key FROM bindings")] == ["k2"]
    write(writer, w.DropBinding("101"))
    assert rows(path, "SELECT key FROM bindings") == []


def test_an_override_is_kept_until_it_is_cleared(writer: Writer, path: Path) -> None:
    write(writer, w.SetOverrideRow("night", "on", "101", at()), w.SetOverrideRow("night", "off", "button", at(1)))
    assert rows(path, "SELECT * FROM overrides") == [{"name": "night", "value": "off", "by_": "button", "at": at(1)}]
    write(writer, w.SetOverrideRow("night", "", "admin", at(2)))
    assert rows(path, "SELECT * FROM overrides") == []


def test_marking_messages_read_counts_the_unread_ones(writer: Writer, path: Path) -> None:
    write(writer, sms("one"), sms("two"))
    assert write(writer, w.MarkRead((1,), at(1)), w.MarkRead((1, 2, 99), at(2)), w.MarkRead((), at(3))) == [1, 1, 0]
    assert [row["read_at"] for row in rows(path, "SELECT read_at FROM sms ORDER BY id")] == [at(1), at(2)]


def test_the_worker_is_told_after_a_mail_was_committed_and_only_then(tmp_path: Path, path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as worker:
        worker.bind(str(tmp_path / "w"))
        worker.settimeout(5)
        writer = Writer(path, join, worker=tmp_path / "w")
        writer.start()
        write(writer, w.StoreCallRow(call_record()), sms(mail=False))
        write(writer, sms("mailed"))
        assert worker.recv(100) == b"outbox"
        assert len(rows(path, "SELECT id FROM outbox")) == 1
        worker.setblocking(False)
        writer.stop()
        try:
            extra = worker.recv(100)
        except BlockingIOError:
            extra = b""
        assert extra == b""


def test_a_worker_that_is_not_there_harms_nothing(tmp_path: Path, path: Path) -> None:
    writer = Writer(path, join, worker=tmp_path / "nobody")
    writer.start()
    assert write(writer, sms()) == [w.PartStored(False, 1, 1)]
    writer.stop()


def test_starting_and_stopping_twice_is_harmless_and_stop_writes_what_waits(path: Path) -> None:
    writer = Writer(path, join)
    writer.start()
    writer.start()
    for number in range(20):
        writer.submit(w.StoreCallRow(call_record(number)))
    writer.stop()
    writer.stop()
    assert len(rows(path, "SELECT id FROM calls")) == 20
    assert "storage" not in {thread.name for thread in threading.enumerate()}


def test_a_receiver_that_fails_does_not_stop_the_thread(writer: Writer) -> None:
    writer.submit(w.StoreCallRow(call_record()), lambda result: 1 / 0)
    assert write(writer, w.AddEvent(at(), "line-up", {"line": "Reception"})) == [1]


def test_every_write_of_the_vocabulary_has_its_method(path: Path) -> None:
    from typing import get_args

    from appliance.journal.apply import Apply

    with closing(open_owner(path)) as db:
        assert set(Apply(db, join, "x")._table) == set(get_args(w.Write))
        assert isinstance(db, sqlite3.Connection)


def test_an_entry_made_by_itself_takes_the_place_of_the_last_one_and_old_ones_go(writer: Writer, path: Path) -> None:
    def automatic(pattern: str, created: str, ends: str) -> None:
        write(writer, w.AddBlock(pattern, created, ends=ends, origin="automatic"))

    automatic("+48600100200", at(0), at(60))
    automatic("+48600100201", at(0), at(120))
    write(writer, w.AddBlock("+48600100200", at(0)))
    automatic("+48600100200", at(90), at(600))
    held = "SELECT pattern, ends_at, origin FROM blocks ORDER BY id"
    assert rows(path, held) == [
        {"pattern": "+48600100201", "ends_at": at(120), "origin": "automatic"},
        {"pattern": "+48600100200", "ends_at": None, "origin": ""},
        {"pattern": "+48600100200", "ends_at": at(600), "origin": "automatic"},
    ]
    automatic("+48600100202", at(40 * 86400), at(41 * 86400))
    assert [row["pattern"] for row in rows(path, held)] == ["+48600100200", "+48600100202"]


def test_entries_that_strangers_can_cause_are_bounded(writer: Writer, path: Path) -> None:
    for n in range(MOST_BY_ITSELF + 5):
        writer.submit(w.AddBlock(f"+48{n:09d}", at(0), ends=at(600), origin="automatic"))
    write(writer, w.AddBlock("+48600100200", at(0)))
    assert rows(path, "SELECT count(*) AS n FROM blocks") == [{"n": MOST_BY_ITSELF + 1}]
    assert rows(path, "SELECT pattern FROM blocks ORDER BY id LIMIT 1") == [{"pattern": "+48000000005"}]


def test_many_entries_are_added_at_once_and_those_that_are_there_keep_their_counter(writer: Writer, path: Path) -> None:
    kept = int(str(write(writer, w.AddBlock("+48600100200", at(0)))[0]))
    write(writer, w.AddBlock("+48600100201", at(0)))
    write(writer, w.CountHits({kept: 3}, at(1)))
    entries = (w.AddBlock("+48600100200", at(5), reason="new"), w.AddBlock("+48600100202", at(5), line="gsm0"))
    assert write(writer, w.AddBlocks(entries)) == [3]
    assert write(writer, w.AddBlocks(entries, replace=True)) == [2]
    assert rows(path, "SELECT id, pattern, hits, reason FROM blocks ORDER BY id") == [
        {"id": kept, "pattern": "+48600100200", "hits": 3, "reason": "new"},
        {"id": kept + 2, "pattern": "+48600100202", "hits": 0, "reason": ""},
    ]
