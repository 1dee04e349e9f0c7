"""The worker as a process, between a real journal and a real mail server."""

import json
import signal
import socket
import time
from contextlib import closing

import pytest

from appliance.errors import ControlError
from appliance.exchange.control import Answer, Asked, ControlServer
from appliance.settings.secret import Secret
from tests.peers.exim import PASSWORD, Exim, until
from tests.worker.box import Box
from tests.worker.rows import ANNA


def mails_saying(server: Exim, text: str) -> list:
    return [mail for mail in server.mails() if text in mail.get_content()]


def test_a_stored_message_is_in_the_mailbox_within_a_second_and_once(box: Box, server: Exim) -> None:
    box.mail_to(server)
    box.writer.start()
    box.start()
    until(lambda: box.ask("state")["journal"], 5, box.log)
    began = time.monotonic()
    number = box.sms("Dzień dobry, jak się masz?")
    row = box.wait_state(number, "sent")
    assert time.monotonic() - began < 2.5  # the goal of one second is the bench's; this one shows that nobody polls
    until(lambda: mails_saying(server, "Dzień dobry"), 10, server.log)
    [mail] = mails_saying(server, "Dzień dobry")
    assert mail["Message-ID"] == row["message_id"]
    assert mail["Subject"] == f"SMS od {ANNA} na Recepcja"
    assert row["attempts"] == 1
    assert row["last_error"] == ""


def test_a_worker_that_starts_before_the_exchange_waits_for_its_journal(box: Box, server: Exim) -> None:
    box.mail_to(server)
    box.start()
    assert box.ask("state")["journal"] is False
    box.writer.start()
    number = box.sms("po starcie")
    assert box.wait_state(number, "sent")["attempts"] == 1


def test_come_back_later_is_tried_again_when_its_minute_is_over(box: Box) -> None:
    with Exim() as server:
        server.defer(True)
        box.mail_to(server)
        box.writer.start()
        box.start()
        number = box.sms("cierpliwość")
        assert "451 4.3.2 greylisted" in str(box.wait_state(number, "waiting", attempts=1)["last_error"])
        server.defer(False)
        box.datagram(b"clock 61")
        row = box.wait_state(number, "sent")
        assert row["attempts"] == 2
        assert len(server.wait_for(1)) == 1
        assert server.mails()[0]["Message-ID"] == row["message_id"]


def test_a_refused_recipient_is_dead_and_people_are_told(box: Box, server: Exim) -> None:
    box.mail_to(server)
    box.writer.start()
    box.start()
    number = box.sms("dla jednego", to=("someone@x.test", "nobody@x.test"))
    row = box.wait_state(number, "dead")
    assert json.loads(str(row["recipients"])) == {"someone@x.test": "sent", "nobody@x.test": "dead"}
    assert "550 5.1.1 no such user" in str(row["last_error"])
    until(lambda: ("mail-dead", {"count": "1"}) in box.events(), 10, box.log)
    until(lambda: mails_saying(server, "dla jednego"), 10, server.log)
    assert [mail["Envelope-To"] for mail in mails_saying(server, "dla jednego")] == ["someone@x.test"]


def test_a_wrong_password_keeps_the_mail_and_the_right_one_sends_it_at_once(box: Box, server: Exim) -> None:
    box.mail_to(server, password=Secret("wrong-Secret-9"))
    box.writer.start()
    box.start()
    first, second = box.sms("pierwszy czeka"), box.sms("drugi czeka")
    until(lambda: box.ask("state")["mail"] == "setup", 10, box.log)
    assert {row["state"] for row in box.outbox()} <= {"waiting", "leased"}
    until(box.events, 10, box.log)
    assert box.events()[0][0] == "mail-setup"
    assert box.events()[0][1]["said"].startswith("535 ")
    box.mail_to(server)
    box.datagram(b"plan")
    assert box.wait_state(first, "sent")["state"] == "sent"
    assert box.wait_state(second, "sent")["state"] == "sent"
    assert box.ask("state")["mail"] == "well"
    assert "wrong-Secret-9" not in box.log()
    assert PASSWORD not in box.log()


def test_a_server_that_comes_back_gets_everything_that_waited(box: Box) -> None:
    server = Exim()
    box.mail_to(server)
    box.writer.start()
    box.start()
    numbers = [box.sms(f"list {n}") for n in range(5)]
    until(lambda: box.ask("state")["mail"] == "down", 10, box.log)
    assert box.ask("state")["error"] == "mail-no-server"
    with server:
        box.datagram(b"clock 31")
        for number in numbers:
            box.wait_state(number, "sent")
        assert len(server.wait_for(5)) == 5
        assert box.events()[0][0] == "mail-down"


def test_mail_that_is_switched_off_waits_and_is_sent_when_switched_on(box: Box, server: Exim) -> None:
    box.mail_to(server, enabled=False)
    box.writer.start()
    box.start()
    number = box.sms("włącz mnie")
    until(lambda: box.ask("state")["journal"], 5, box.log)
    assert box.ask("state")["mail"] == "off"
    assert box.outbox()[0]["attempts"] == 0
    box.mail_to(server)
    box.datagram(b"plan")
    assert box.wait_state(number, "sent")["attempts"] == 1


def test_settings_that_cannot_be_read_are_waited_for(box: Box, server: Exim) -> None:
    box.places.settings.write_text("{ this is no settings file")
    box.places.settings_good.unlink(missing_ok=True)
    box.writer.start()
    box.start(SSL_CERT_FILE=str(server.certificates.authority))
    number = box.sms("mimo to")
    assert box.ask("state")["mail"] == "off"
    box.mail_to(server)
    box.datagram(b"plan")
    assert box.wait_state(number, "sent")["state"] == "sent"


def test_a_server_that_hangs_does_not_hold_up_requests_or_the_end(box: Box) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as hanging:
        fake = Exim.__new__(Exim)
        fake.address, fake.port = hanging.getsockname()
        box.store.put("mail", None, {
            "enabled": True, "host": fake.address, "port": fake.port, "security": "plain", "plain_allowed": True,
            "sender": "box@x.test", "to": ["office@x.test"],
        })  # fmt: skip
        box.writer.start()
        box.start()
        number = box.sms("wisi")
        box.wait_state(number, "leased")
        until(lambda: box.ask("state")["sending"] == 1, 5, box.log)
        began = time.monotonic()
        assert box.ask("state")["mail"] == "well"
        assert time.monotonic() - began < 1
        began = time.monotonic()
        assert box.end() == 0
        assert time.monotonic() - began < 3
        [row] = box.outbox()
        assert (row["state"], row["attempts"], row["lease_until"]) == ("waiting", 0, None)


def test_the_worker_tells_that_it_is_ready_alive_and_ending(box: Box) -> None:
    box.writer.start()
    box.start(WATCHDOG_USEC="600000")
    assert "WATCHDOG=1" in box.wait_told("WATCHDOG=1")[-1]
    assert box.end() == 0
    assert "STOPPING=1" in box.wait_told("STOPPING=1")[-1]
    assert not box.places.worker.exists()
    assert not box.places.worker_requests.exists()


def test_a_lease_of_a_worker_that_was_killed_is_worth_nothing(box: Box, server: Exim) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as hanging:
        box.mail_to(server, host="127.0.0.1", port=hanging.getsockname()[1])
        box.writer.start()
        box.start()
        number = box.sms("po wypadku")
        box.wait_state(number, "leased")
        box.kill()
    box.mail_to(server)
    box.start()
    assert box.wait_state(number, "sent")["attempts"] == 2


@pytest.mark.parametrize("said", [b"", b"clock", b"clock x", b"clock nan", b"clock 1e400", b"\xff\x00", b"p" * 200])
def test_nonsense_on_the_datagram_socket_changes_nothing(box: Box, said: bytes) -> None:
    box.writer.start()
    box.start()
    box.datagram(said)
    assert box.ask("state")["clock_offset"] == 0.0


def test_real_hardware_has_no_other_clock(box: Box) -> None:
    box.writer.start()
    box.start(CENTRALKA_VIRTUAL="")
    box.datagram(b"clock 3600")
    assert box.ask("state")["clock_offset"] == 0.0


def test_a_test_mail_arrives_and_shows_the_servers_words(box: Box, server: Exim) -> None:
    box.mail_to(server)
    box.start()
    answer = box.ask("mail.test")
    assert answer["ok"] is True, answer
    assert any("mail.test ESMTP" in line for line in answer["said"])
    until(lambda: mails_saying(server, "może wysyłać pocztę"), 10, server.log)


def test_a_test_mail_that_fails_says_why_and_never_the_password(box: Box, server: Exim) -> None:
    box.mail_to(server)
    box.start()
    answer = box.ask("mail.test", {"password": "not-the-Password-7", "port": str(server.port)})
    assert (answer["ok"], answer["error_id"]) == (False, "mail-sign-in")
    assert any(line.startswith("535 ") for line in answer["said"])
    assert "535" in str(answer["error"])
    assert "not-the-Password-7" not in json.dumps(answer) + box.log()


@pytest.mark.parametrize("elsewhere", [{"host": "127.0.0.9"}, {"port": "26"}, {"user": "other"}])
def test_a_stored_password_is_never_tried_on_another_server(box: Box, server: Exim, elsewhere: dict[str, str]) -> None:
    box.mail_to(server)
    box.start()
    answer = box.ask("mail.test", {**elsewhere, "password": {"secret": True}})
    assert (answer["ok"], answer["error_id"], answer["said"]) == (False, "mail-password-again", [])


def test_faulty_settings_of_a_test_mail_are_told_by_field(box: Box, server: Exim) -> None:
    box.mail_to(server)
    box.start()
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as sock:
        sock.settimeout(10)
        sock.connect(str(box.places.worker_requests))
        args = {"host": "", "port": "none", "security": "plain", "password": "x"}
        sock.sendall(json.dumps({"v": 1, "id": 3, "do": "mail.test", "args": args}).encode() + b"\n")
        answer = json.loads(sock.recv(65536))
    assert answer["id"] == 3
    assert answer["error"]["id"] == "invalid-settings"
    assert answer["error"]["fields"] == {
        "mail.host": "required", "mail.port": "not-a-number", "mail.security": "plain-not-allowed",
    }  # fmt: skip


def test_the_clock_is_learnt_from_the_exchange_when_a_datagram_was_lost(box: Box) -> None:
    def exchange(asked: Asked) -> None:
        asked.reply(Answer(ok={"clock_offset": 86400.0, "address": "10.0.0.7"}))

    control = ControlServer(box.places.control, exchange)
    control.start()
    try:
        box.writer.start()
        box.start()
        until(lambda: box.ask("state")["clock_offset"] == 86400.0, 10, box.log)
        until((box.places.rendered / "pl" / "address.wav").is_file, 10, box.log)
    finally:
        control.stop()


def test_a_test_mail_to_a_hanging_server_answers_before_the_page_gives_up(box: Box, server: Exim) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as hanging:
        box.mail_to(server)
        box.start()
        began = time.monotonic()
        answer = box.ask("mail.test", {"port": hanging.getsockname()[1], "password": "x"})
        assert answer["error_id"] == "mail-slow"
        assert time.monotonic() - began < 4.9


def test_a_request_that_is_none_gets_an_error_and_the_worker_lives(box: Box) -> None:
    box.start()
    for line in (b"nonsense", b"[]", b'{"do": 5}', b'{"v":2,"do":"state"}', b"[" * 60000, b'{"do":"nothing"}'):
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as sock:
            sock.settimeout(10)
            sock.connect(str(box.places.worker_requests))
            sock.sendall(line + b"\n")
            assert json.loads(sock.recv(65536))["error"]["id"] in ("bad-request", "no-such-verb")
    with pytest.raises(ControlError):
        box.ask("speak", {"text": "", "language": "pl", "id": "mine"})
    assert box.process is not None
    assert box.process.poll() is None
    box.process.send_signal(signal.SIGINT)
    assert box.process.wait(10) == 0
