"""The control socket: every question gets one answer, whatever the question is."""

import json
import socket
import threading

import pytest

from appliance.exchange import control
from appliance.exchange.control import LONGEST_LINE, Answer, ControlServer, ask


@pytest.fixture
def server(tmp_path):
    def answer(asked):
        if asked.verb == "silent":
            return
        if asked.verb == "later":
            threading.Timer(0.05, lambda: asked.reply(Answer(ok={"later": True}))).start()
        elif asked.verb == "slow":
            threading.Timer(1.0, lambda: asked.reply(Answer(ok={"slow": True}))).start()
        elif asked.verb == "wrong":
            asked.reply(Answer(error="not-a-choice", fields={"office.country": "required"}))
        else:
            asked.reply(Answer(ok={"verb": asked.verb, "args": dict(asked.args), "who": asked.who}))

    made = ControlServer(tmp_path / "x.sock", answer, {"slow": 4.0})
    made.start()
    yield made, tmp_path / "x.sock"
    made.stop()
    made.stop()


def lines(path, sent, count, seconds=3.0):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(seconds)
        sock.connect(str(path))
        sock.sendall(sent)
        received = b""
        while received.count(b"\n") < count:
            piece = sock.recv(65536)
            if not piece:
                break
            received += piece
    return [json.loads(line) for line in received.splitlines()]


def test_a_question_is_answered_with_its_number(server):
    _, path = server
    (answer,) = lines(path, b'{"v":1,"id":7,"do":"hello","args":{"a":"\xc5\xbc"},"who":"anna"}\n', 1)
    assert answer == {"id": 7, "ok": {"verb": "hello", "args": {"a": "ż"}, "who": "anna"}}


def test_answers_may_come_later_and_out_of_order(server):
    _, path = server
    answers = lines(path, b'{"id":1,"do":"later"}\n{"id":2,"do":"now"}\n', 2)
    assert [a["id"] for a in answers] == [2, 1]


def test_an_error_keeps_its_fields(server):
    _, path = server
    answer = ask(path, "wrong", {})
    assert answer.ok is None
    assert (answer.error, dict(answer.fields)) == ("not-a-choice", {"office.country": "required"})


def test_a_question_is_answered_in_time_or_told_so_and_a_slow_verb_has_more_time(server, monkeypatch):
    monkeypatch.setattr(control, "SECONDS_TO_ANSWER", 0.2)
    _, path = server
    assert ask(path, "silent", {}, seconds=3).error == "no-answer-in-time"
    assert ask(path, "slow", {}, seconds=4).ok == {"slow": True}


@pytest.mark.parametrize("rubbish", [b"\n", b"[]\n", b"{}\n", b"\xff\xfe\n", b'{"do":1}\n', b"[" * 5000 + b"\n"])
def test_rubbish_is_answered_and_the_connection_closed(server, rubbish):
    _, path = server
    (answer,) = lines(path, rubbish, 1)
    assert answer["error"]["id"] == "bad-request"
    assert ask(path, "still-there", {}).ok


def test_a_line_without_end_is_cut_off(server):
    _, path = server
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(3)
        sock.connect(str(path))
        try:
            sock.sendall(b"x" * (LONGEST_LINE + 70000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            assert b"too-long" in sock.recv(4096)
    assert ask(path, "still-there", {}).ok


def test_subscribers_get_their_topics_only(server):
    made, path = server
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(3)
        sock.connect(str(path))
        sock.sendall(b'{"id":1,"do":"subscribe","args":{"topics":["calls"]}}\n')
        file = sock.makefile()
        assert json.loads(file.readline()) == {"id": 1, "ok": {}}
        made.publish("lines", {})
        made.publish("calls", {"n": 1})
        assert json.loads(file.readline()) == {"event": "calls", "data": {"n": 1}}


def test_the_socket_is_for_owner_and_group_only(server):
    _, path = server
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_hundred_connections_at_once_do_not_stop_it(server):
    _, path = server
    held = []
    for _ in range(100):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(2)
        sock.connect(str(path))
        held.append(sock)
    for sock in held:
        sock.close()
    assert ask(path, "still-there", {}).ok
