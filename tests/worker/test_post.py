"""The post by itself: results that cannot be written down, clocks that jump, a server that is away."""

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.journal.db import open_writer
from appliance.settings.secret import Secret
from appliance.worker.clock import PlanClock
from appliance.worker.lines import LineServer
from appliance.worker.mailer import Account
from appliance.worker.office import Office
from appliance.worker.post import MOST_AT_ONCE, Post
from tests.peers.exim import Exim, until
from tests.worker.box import Box
from tests.worker.rows import DESK, QUICK, account, trusting


@pytest.fixture
def db(box: Box) -> Iterator[sqlite3.Connection]:
    assert box.writer.start() is None
    with closing(open_writer(box.places.journal, 5)) as made:
        yield made


def office(to: Account) -> Office:
    return Office(DESK, to, "", {})


def nobody() -> Account:
    """A port at which nobody listens."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    return Account("127.0.0.1", port, "plain", True, "", Secret(""), DESK.sender)


def rest(post: Post, db: sqlite3.Connection, where: Office) -> None:
    """Look until nothing is being sent."""

    def still() -> bool:
        post.look(db, where)
        return post.running == 0

    until(still, 20)


def attempts(db: sqlite3.Connection) -> list[int]:
    return [row["attempts"] for row in db.execute("SELECT attempts FROM outbox ORDER BY id")]


def test_a_result_that_cannot_be_written_is_written_later_and_the_mail_not_sent_again(
    box: Box, db: sqlite3.Connection, server: Exim
) -> None:
    post = Post(PlanClock(), lambda: None, QUICK, trusting(server))
    where = office(account(server))
    number = box.sms("karta jest pełna")
    post.look(db, where)
    db.execute("CREATE TRIGGER full BEFORE UPDATE OF sent_at ON outbox BEGIN SELECT RAISE(ABORT, 'disk is full'); END")

    def refused() -> bool:
        try:
            post.look(db, where)
        except sqlite3.Error:
            return True
        return False

    until(refused, 20)
    for _ in range(5):
        with pytest.raises(sqlite3.Error, match="disk is full"):
            post.look(db, where)
    db.execute("DROP TRIGGER full")
    post.look(db, where)
    assert box.wait_state(number, "sent")["attempts"] == 1
    until(lambda: [m for m in server.mails() if "karta jest" in m.get_content()], 10)
    assert len([m for m in server.mails() if "karta jest" in m.get_content()]) == 1


def test_a_clock_that_jumps_does_not_begin_a_mail_twice(box: Box, db: sqlite3.Connection) -> None:
    calls: list[socket.socket] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as hanging:
        threading.Thread(target=accept_all, args=(hanging, calls), daemon=True).start()
        clock = PlanClock()
        post = Post(clock, lambda: None, QUICK)
        where = office(Account(*hanging.getsockname(), "plain", True, "", Secret(""), DESK.sender))
        number = box.sms("raz")
        post.look(db, where)
        until(lambda: calls, 5)
        for jump in (3600, 90000, -90000):
            clock.set(float(jump))
            post.look(db, where)
            assert post.running == 1
        post.stop(db, 0.1)
        assert box.wait_state(number, "waiting")["lease_until"] is None
    assert len(calls) == 1
    for sock in calls:
        sock.close()


def accept_all(listener: socket.socket, calls: list[socket.socket]) -> None:
    while True:
        try:
            calls.append(listener.accept()[0])
        except OSError:
            return


def test_while_the_server_is_away_one_mail_in_half_a_minute_asks_for_it(box: Box, db: sqlite3.Connection) -> None:
    clock = PlanClock()
    post = Post(clock, lambda: None, QUICK)
    where = office(nobody())
    for n in range(8):
        box.sms(f"{n}")
    post.look(db, where)
    assert post.running <= MOST_AT_ONCE
    rest(post, db, where)
    assert post.trouble is not None
    assert sum(attempts(db)) == MOST_AT_ONCE
    for turn in (1, 2):
        clock.set(31.0 * turn)
        rest(post, db, where)
        assert sum(attempts(db)) == MOST_AT_ONCE + turn
    assert [message for message, _ in box.events()] == ["mail-down"]


def test_a_clock_set_back_does_not_stop_the_asking(box: Box, db: sqlite3.Connection) -> None:
    clock = PlanClock()
    post = Post(clock, lambda: None, QUICK)
    where = office(nobody())
    clock.set(timedelta(days=4).total_seconds())
    box.sms("a")
    rest(post, db, where)
    before = sum(attempts(db))
    clock.set(0.0)
    rest(post, db, where)
    assert sum(attempts(db)) == before + 1


def test_a_sender_address_that_no_mail_can_carry_keeps_the_mail(box: Box, db: sqlite3.Connection) -> None:
    post = Post(PlanClock(), lambda: None, QUICK)
    box.sms("a")
    rest(post, db, replace(office(nobody()), desk=replace(DESK, sender="a..b@")))
    [row] = box.outbox()
    assert (row["state"], row["last_error"]) == ("waiting", "fault")


@pytest.mark.parametrize("line", [b"", b"null", b"\xff", b'{"do":"x","args":[]}', b'{"v":1e999}', b"{" * 5000])
def test_any_line_gets_an_answer(tmp_path: Path, line: bytes) -> None:
    def broken(args: object) -> dict[str, object]:
        raise KeyError(str(args))

    server = LineServer(tmp_path / "s", {"broken": broken})
    assert server.answer(line).startswith(b'{"id": null, "error"')
    assert b'"fault"' in server.answer(b'{"id": 4, "do": "broken"}')
