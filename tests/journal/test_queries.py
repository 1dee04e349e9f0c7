"""Reading the journal: pages, filters, threads and counts."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.core.causes import Cause
from appliance.core.model import Direction, Kind, Number
from appliance.journal import queries as q
from appliance.journal import writes as w
from appliance.journal.db import open_reader, open_writer
from appliance.journal.outbox import Settled, claim, settle
from appliance.journal.queries import CallFilter
from appliance.journal.writer import Writer
from tests.journal.builders import ANNA, NOON, at, call_record, sms, write


@pytest.fixture
def db(writer: Writer, path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_reader(path, 5)) as reader:
        yield reader


def ids(page: q.Page) -> list:
    return [row.id for row in page.rows]


def put_calls(writer: Writer, *records: object) -> None:
    assert write(writer, *(w.StoreCallRow(record) for record in records)) == [None] * len(records)


def test_a_reader_cannot_write(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM calls")


def test_calls_come_newest_first_in_pages_that_miss_and_repeat_none(writer: Writer, db: sqlite3.Connection) -> None:
    put_calls(writer, *(call_record(n, started_at=at(n // 3)) for n in range(25)))
    seen, before, pages = [], "", 0
    while True:
        page = q.calls(db, before=before, limit=7)
        seen += page.rows
        pages += 1
        before = page.next
        if not before:
            break
    assert pages == 4
    assert len(seen) == len({row.id for row in seen}) == 25
    assert [row.started_at for row in seen] == sorted((row.started_at for row in seen), reverse=True)


def test_a_page_that_ends_exactly_has_no_next(writer: Writer, db: sqlite3.Connection) -> None:
    put_calls(writer, *(call_record(n) for n in range(4)))
    assert q.calls(db, limit=4).next == ""
    assert q.calls(db, limit=3).next != ""
    assert q.calls(db, before="nonsense", limit=2).rows


@pytest.fixture
def mixed(writer: Writer) -> None:
    put_calls(
        writer,
        call_record(1),
        call_record(2, answered_by="", cause=Cause.NO_ANSWER, caller=Number("+48600100_01", Kind.E164)),
        call_record(3, answered_by="announcement", cause=Cause.CLOSED, line="gsm1"),
        call_record(4, answered_by="", cause=Cause.BLOCKED, caller_name="100% Sales"),
        call_record(5, answered_by="", cause=Cause.NO_ANSWER, direction=Direction.OUT),
    )


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (CallFilter(), [5, 4, 3, 2, 1]), (CallFilter(direction="in"), [4, 3, 2, 1]), (CallFilter(line="gsm1"), [3]),
        (CallFilter(outcome="missed"), [2]), (CallFilter(outcome="answered"), [1]),
        (CallFilter(outcome="blocked"), [4]), (CallFilter(cause="no-answer"), [5, 2]),
        (CallFilter(since=at(3)), [5, 4, 3]), (CallFilter(until=at(3)), [2, 1]),
        (CallFilter(text="600100_01"), [2]), (CallFilter(text="100%"), [4]), (CallFilter(text="' OR 1=1 --"), []),
        (CallFilter(text="990120100", direction="out"), [5]),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("mixed")
def test_a_filter_lets_through_what_it_names(db: sqlite3.Connection, which: CallFilter, found: list[int]) -> None:
    assert ids(q.calls(db, which)) == [f"20261127T1200{n:02}-0001" for n in found]
    assert q.count_calls(db, which) == len(found)


def test_a_call_is_told_with_its_trace_in_words(writer: Writer, db: sqlite3.Connection, path: Path) -> None:
    put_calls(writer, call_record(1))
    found = q.call(db, "20261127T120001-0001")
    assert found is not None
    assert found.trace[0]["rule"] == "open"
    story = q.call_story(path, found.id, lambda rule, args: f"{rule} on {args['line']}")
    assert story is not None
    assert story["trace"] == [
        {"rule": "open", "outcome": "passed", "args": {"line": "Reception"}, "link": "/hours",
         "text": "open on Reception"}
    ]  # fmt: skip
    assert story["legs"] == [{"leg": "gsm0-1", "line": "gsm0", "number": ANNA, "cause": "normal"}]
    assert q.call(db, "none") is None
    assert q.call_story(path, "none") is None


def test_the_newest_call_is_the_one_written_last_wherever_the_clock_was_moved(writer: Writer, path: Path) -> None:
    assert q.call_story(path, "") is None
    put_calls(writer, call_record(5), call_record(2))
    story = q.call_story(path, "")
    assert story is not None
    assert story["id"] == "20261127T120002-0001"


def test_messages_of_one_sender_are_one_thread_with_its_news(writer: Writer, db: sqlite3.Connection) -> None:
    write(writer, sms("one"), sms("two", minute=1), sms("bank", sender="mBank", minute=2), sms("x", line="gsm1"))
    threads = q.threads(db).rows
    assert [(t.line, t.sender, t.messages, t.unread, t.newest.text) for t in threads] == [
        ("gsm1", ANNA, 1, 1, "x"), ("gsm0", "mBank", 1, 1, "bank"), ("gsm0", ANNA, 2, 2, "two"),
    ]  # fmt: skip
    assert [row.text for row in q.messages(db, "gsm0", ANNA).rows] == ["two", "one"]
    assert [t.sender for t in q.threads(db, text="ban").rows] == ["mBank"]
    assert q.threads(db, text="%").rows == ()
    write(writer, w.MarkRead((1, 2), at(5)))
    assert {t.sender: t.unread for t in q.threads(db).rows if t.line == "gsm0"} == {"mBank": 1, ANNA: 0}


def test_threads_and_messages_come_in_pages(writer: Writer, db: sqlite3.Connection) -> None:
    write(writer, *(sms(f"text {n}", sender=f"+4860010020{n}") for n in range(5)))
    first = q.threads(db, limit=2)
    rest = q.threads(db, before=int(first.next), limit=9)
    assert [t.newest.text for t in (*first.rows, *rest.rows)] == [f"text {n}" for n in (4, 3, 2, 1, 0)]
    assert rest.next == ""
    page = q.messages(db, limit=3)
    assert ids(page) == [5, 4, 3]
    assert ids(q.messages(db, before=int(page.next))) == [2, 1]


def test_a_message_shows_its_octets_and_what_became_of_its_mail(writer: Writer, db: sqlite3.Connection) -> None:
    write(writer, sms("Hello", pdu="0aff"), sms("quiet", mail=False))
    found, quiet = q.message(db, 1), q.message(db, 2)
    assert found is not None
    assert quiet is not None
    assert (found.pdus, found.mail, found.mailed) == (("0AFF",), "waiting", True)
    assert (quiet.mail, quiet.mailed) == ("", False)
    assert q.message(db, 3) is None


def test_parts_that_wait_are_counted(writer: Writer, db: sqlite3.Connection) -> None:
    write(writer, sms("a", reference=1, total=2, sequence=1))
    assert q.waiting_parts(db) == 1
    write(writer, sms("b", reference=1, total=2, sequence=2))
    assert q.waiting_parts(db) == 0


def test_dead_letters_are_listed_with_the_servers_words(writer: Writer, db: sqlite3.Connection, path: Path) -> None:
    write(writer, sms("a"), sms("b"))
    with closing(open_writer(path, 1)) as worker:
        claim(worker, NOON)
        settle(worker, 1, Settled({"office@x.test": "dead"}, "mail-refused-address: 550 no"), NOON)
    [dead] = q.dead_letters(db).rows
    assert (dead.id, dead.state, dead.last_error) == (1, "dead", "mail-refused-address: 550 no")
    assert dead.recipients == {"office@x.test": "dead"}
    assert dead.payload["text"] == "a"
    assert ids(q.outbox(db)) == [2, 1]
    assert ids(q.outbox(db, ("waiting", "leased"))) == [2]
    assert q.counts(db).dead == 1


@pytest.mark.usefixtures("mixed")
def test_badges_count_unread_missed_and_dead(writer: Writer, db: sqlite3.Connection) -> None:
    write(writer, sms("a"), sms("b"))
    assert q.counts(db) == q.Counts(unread=2, missed=1, dead=0)
    assert q.counts(db, missed_since=at(3)).missed == 0


def test_what_the_exchange_reads_at_its_start_is_what_it_wrote(writer: Writer, db: sqlite3.Connection) -> None:
    write(
        writer,
        w.SetOverrideRow("night", "on", "101", at(0)),
        w.AddBlock("+48700*", at(0), allow=False, what="both", line="gsm0", reason="spam"),
        w.PutBinding("101", "k", "sip:101@127.0.0.11", at(10), "baresip", {"transport": "udp", "cseq": 4}),
        w.PutBinding("102", "k", "sip:102@127.0.0.12", at(-10)),
        w.AddEvent(at(1), "line-down", {"line": "Reception"}, "warning"),
    )
    assert q.overrides(db) == {"night": "on"}
    [block] = q.blocks(db)
    assert (block.pattern, block.allow, block.what, block.line, block.hits) == ("+48700*", False, "both", "gsm0", 0)
    [binding] = q.bindings(db, at(0))
    assert (binding.extension, binding.flow) == ("101", {"transport": "udp", "cseq": 4})
    [event] = q.events(db).rows
    assert (event.message, event.args, event.severity) == ("line-down", {"line": "Reception"}, "warning")


def test_no_page_is_larger_than_its_limit(writer: Writer, db: sqlite3.Connection) -> None:
    write(writer, *(w.AddEvent(at(n), "started") for n in range(520)))
    assert len(q.events(db, limit=100_000).rows) == q.MOST_ROWS
    assert len(q.events(db, limit=-5).rows) == 1


def test_what_is_known_of_a_line_is_the_last_that_was_said(writer: Writer, db: sqlite3.Connection) -> None:
    for value in (["first"], {"busy": "+48600100200"}):
        write(writer, w.PutLineFact("gsm0", "forwarding", value, at(1)))
    write(writer, w.PutLineFact("gsm1", "forwarding", None, at(2)))
    assert q.line_facts(db, "gsm0") == {"forwarding": q.Fact({"busy": "+48600100200"}, at(1))}
    assert q.line_facts(db, "gsm2") == {}


def test_the_signal_of_a_line_is_kept_for_thirty_days(writer: Writer, db: sqlite3.Connection) -> None:
    write(writer, w.PutSignal("gsm0", "2026-10-01T10:00:00.000Z", 50, "2g", "Orange PL", "up"))
    write(writer, w.PutSignal("gsm1", "2026-10-01T10:00:00.000Z", 50))
    write(writer, w.PutSignal("gsm0", "2026-11-27T11:00:00.000Z", None, "", "", "searching"))
    write(writer, w.PutSignal("gsm0", "2026-11-27T11:05:00.000Z", 71, "lte", "Orange PL", "up"))
    assert q.signal_history(db, "gsm0", "2026-01-01T00:00:00.000Z") == (
        q.SignalPoint("2026-11-27T11:00:00.000Z", None, "", "", "searching"),
        q.SignalPoint("2026-11-27T11:05:00.000Z", 71, "lte", "Orange PL", "up"),
    )
    assert len(q.signal_history(db, "gsm1", "2026-01-01T00:00:00.000Z")) == 1, "each line for itself"
