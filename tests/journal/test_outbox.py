"""The outbox: who gets a row, when it is tried again, and when it is given up."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.journal import outbox
from appliance.journal.db import open_owner, open_writer
from appliance.journal.outbox import GIVE_UP_AFTER, Settled, State, claim, settle
from appliance.journal.times import moment, stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import RetryOutbox
from tests.journal.builders import NOON, at, rows, sms, write

MINUTE = timedelta(minutes=1)


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_owner(path)) as made:
        yield made


def row(
    db: sqlite3.Connection, name: str = "a", when: datetime = NOON, to: tuple[str, ...] = ("o@x.test",), **more: object
) -> int:
    """A waiting row made at a moment."""
    fields = {
        "kind": "mail", "created_at": stamp(when), "since": stamp(when), "next_at": stamp(when), "message_id": name,
        "payload": json.dumps({"what": "sms", "name": name}), "recipients": json.dumps(dict.fromkeys(to, "waiting")),
    } | more  # fmt: skip
    names, marks = ", ".join(fields), ", ".join("?" * len(fields))
    cursor = db.execute(f"INSERT INTO outbox ({names}) VALUES ({marks})", tuple(fields.values()))
    return int(cursor.lastrowid or 0)


def state(db: sqlite3.Connection, number: int) -> sqlite3.Row:
    return db.execute("SELECT * FROM outbox WHERE id = ?", (number,)).fetchone()


def test_a_row_that_is_due_is_claimed_once(db: sqlite3.Connection) -> None:
    number = row(db)
    item = claim(db, NOON)
    assert item is not None
    assert (item.id, item.message_id, item.to, item.attempts, item.created_at) == (number, "a", ("o@x.test",), 1, at(0))
    assert item.payload["name"] == "a"
    assert claim(db, NOON) is None
    assert (state(db, number)["state"], state(db, number)["lease_until"]) == ("leased", at(5))


def test_urgent_ones_come_first_then_the_oldest(db: sqlite3.Connection) -> None:
    row(db, "new", NOON)
    row(db, "old", NOON - 9 * MINUTE)
    row(db, "urgent", NOON, priority=5)
    row(db, "later", NOON + MINUTE)
    claimed = [claim(db, NOON) for _ in range(4)]
    assert [item.message_id if item else None for item in claimed] == ["urgent", "old", "new", None]


def test_two_workers_never_claim_the_same_row(db: sqlite3.Connection, path: Path) -> None:
    for number in range(40):
        row(db, str(number))
    got: list[int] = []

    def take() -> None:
        with closing(open_writer(path, 5)) as own:
            while item := claim(own, NOON):
                got.append(item.id)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(got) == list(range(1, 41))


def test_attempts_come_after_1_5_15_60_minutes_then_every_four_hours_and_end_after_five_days(
    db: sqlite3.Connection,
) -> None:
    number = row(db)
    now, waits = NOON, []
    while True:
        item = claim(db, now)
        assert item is not None
        assert item.id == number
        if settle(db, number, Settled({}, "mail-no-server: nobody"), now) is State.DEAD:
            break
        due = moment(state(db, number)["next_at"])
        assert claim(db, due - MINUTE / 60) is None
        waits.append((due - now) / MINUTE)
        now = due
    assert waits[:6] == [1, 5, 15, 60, 240, 240]
    assert set(waits[4:]) == {240}
    assert GIVE_UP_AFTER <= now - NOON < GIVE_UP_AFTER + timedelta(hours=4)
    dead = state(db, number)
    assert json.loads(dead["recipients"]) == {"o@x.test": "dead"}
    assert dead["last_error"] == "mail-no-server: nobody"
    assert claim(db, now + timedelta(days=1)) is None


def test_a_mail_everybody_has_is_sent(db: sqlite3.Connection) -> None:
    number = row(db, to=("a@x.test", "b@x.test"))
    claim(db, NOON)
    assert settle(db, number, Settled({"a@x.test": "sent", "b@x.test": "sent"}), NOON) is State.SENT
    assert (state(db, number)["sent_at"], state(db, number)["lease_until"]) == (at(0), None)
    assert claim(db, NOON + timedelta(days=9)) is None


def test_only_those_who_wait_are_tried_again(db: sqlite3.Connection) -> None:
    number = row(db, to=("a@x.test", "b@x.test", "c@x.test"))
    claim(db, NOON)
    result = Settled({"a@x.test": "sent", "b@x.test": "dead", "c@x.test": "waiting"}, "mail-refused-address: b")
    assert settle(db, number, result, NOON) is State.WAITING
    again = claim(db, NOON + MINUTE)
    assert again is not None
    assert (again.to, again.attempts) == (("c@x.test",), 2)
    assert settle(db, number, Settled({"c@x.test": "sent"}), NOON + MINUTE) is State.DEAD
    assert json.loads(state(db, number)["recipients"])["b@x.test"] == "dead"


def test_a_lease_that_ran_out_is_claimed_again_under_the_same_identifier(db: sqlite3.Connection) -> None:
    row(db)
    first = claim(db, NOON, timedelta(minutes=5))
    assert claim(db, NOON + 4 * MINUTE) is None
    second = claim(db, NOON + 6 * MINUTE)
    assert first is not None
    assert second is not None
    assert (second.id, second.message_id, second.attempts) == (first.id, first.message_id, 2)


def test_a_row_given_back_is_due_and_its_attempt_does_not_count(db: sqlite3.Connection) -> None:
    number = row(db)
    claim(db, NOON)
    outbox.unclaim(db, number, NOON + MINUTE)
    item = claim(db, NOON + MINUTE)
    assert item is not None
    assert item.attempts == 1
    settle(db, number, Settled({"o@x.test": "sent"}), NOON + MINUTE)
    outbox.unclaim(db, number, NOON + 2 * MINUTE)
    assert state(db, number)["state"] == "sent"


def test_leases_of_the_worker_before_are_due_at_the_start(db: sqlite3.Connection) -> None:
    row(db, "a")
    row(db, "b")
    claim(db, NOON)
    assert outbox.release_leases(db, NOON) == 1
    assert {item.message_id for item in (claim(db, NOON), claim(db, NOON)) if item} == {"a", "b"}


def test_everything_that_waits_is_due_when_the_server_is_back(db: sqlite3.Connection) -> None:
    numbers = [row(db, name) for name in "ab"]
    for number in numbers:
        claim(db, NOON)
        settle(db, number, Settled({}, "mail-slow"), NOON)
    assert claim(db, NOON + MINUTE / 2) is None
    assert outbox.next_due(db) == at(1)
    assert outbox.hurry(db, NOON + MINUTE / 2) == 2
    assert claim(db, NOON + MINUTE / 2) is not None


def test_a_clock_set_back_does_not_hold_mails_for_months(db: sqlite3.Connection) -> None:
    number = row(db, when=NOON + timedelta(days=200))
    item = claim(db, NOON)
    assert item is not None
    settle(db, number, Settled({}, "mail-slow"), NOON)
    assert state(db, number)["state"] == "waiting"
    leased = row(db, "leased", state="leased", lease_until=stamp(NOON + timedelta(days=200)))
    claimed = claim(db, NOON)
    assert claimed is not None
    assert claimed.id == leased


def test_five_days_are_not_counted_from_before_the_clock_was_set(db: sqlite3.Connection) -> None:
    number = row(db, when=datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    claim(db, NOON)
    assert settle(db, number, Settled({}, "mail-slow"), NOON) is State.WAITING
    assert state(db, number)["since"] == at(0)


def test_what_is_settled_stays_settled(db: sqlite3.Connection) -> None:
    number = row(db)
    claim(db, NOON)
    settle(db, number, Settled({"o@x.test": "sent"}), NOON)
    assert settle(db, number, Settled({"o@x.test": "waiting"}, "late"), NOON) is State.SENT
    assert state(db, number)["last_error"] == ""
    assert settle(db, 999, Settled(), NOON) is State.DEAD


def test_a_dead_letter_sent_again_begins_anew_and_spares_those_who_have_it(writer: Writer, path: Path) -> None:
    write(writer, sms(recipients=("a@x.test", "b@x.test")))
    with closing(open_writer(path, 1)) as db:
        claim(db, NOON)
        settle(db, 1, Settled({"a@x.test": "sent", "b@x.test": "dead"}, "mail-refused-address: b"), NOON)
    message_id = rows(path, "SELECT message_id FROM outbox")[0]["message_id"]
    later = NOON + timedelta(days=30)
    assert write(writer, RetryOutbox(1, stamp(later)), RetryOutbox(7, stamp(later))) == [True, False]
    with closing(open_writer(path, 1)) as db:
        item = claim(db, later)
        assert item is not None
        assert (item.to, item.attempts, item.message_id) == (("b@x.test",), 1, message_id)
        assert settle(db, 1, Settled({}, "mail-slow"), later) is State.WAITING
        settle(db, 1, Settled({"b@x.test": "sent"}), later)
    assert write(writer, RetryOutbox(1, stamp(later))) == [False]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mail-sign-in: 535 no: really", ("mail-sign-in", "535 no: really")), ("mail-slow", ("mail-slow", "")),
        ("", ("", "")), ("Something else: x", ("", "Something else: x")),
        ("mail-refused: a\nb", ("mail-refused", "a\nb")),
    ],
)  # fmt: skip
def test_a_last_error_is_an_id_and_the_words_of_the_server(text: str, parts: tuple[str, str]) -> None:
    assert outbox.why(text) == parts
