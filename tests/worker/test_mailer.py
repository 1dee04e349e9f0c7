"""Handing mails to a real server: protection, sign-in, and who is to blame when it fails."""

import base64
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

import pytest

from appliance.settings.secret import Secret
from appliance.worker.mailer import Delivery, Outcome
from appliance.worker.sms_mail import compose
from appliance.worker.wire import Wire, forms_of
from tests.peers.exim import PASSWORD, USER, Exim, free_port, until
from tests.worker.rows import DESK, QUICK, account, item, trusting


def send(server: Exim, to: tuple[str, ...] = ("office@x.test",), mail_id: str = "", **more: object) -> Outcome:
    row = item(to=to)
    mail = compose(row, DESK)
    if mail_id:
        mail.replace_header("Message-ID", mail_id)
    return Delivery(account(server, **more), QUICK, trusting(server)).run(mail, to)


def of(server: Exim, mail_id: str) -> list:
    return [mail for mail in server.mails() if mail["Message-ID"] == mail_id]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_arrives_once_with_its_letters_and_its_own_identifier(server: Exim, security: str) -> None:
    port = server.tls_port if security == "tls" else server.port
    outcome = send(server, mail_id=f"<{security}@box.test>", security=security, port=port)
    assert outcome.recipients == {"office@x.test": "sent"}, outcome
    assert outcome.error == ""
    until(lambda: of(server, f"<{security}@box.test>"), 10, server.log)
    [mail] = of(server, f"<{security}@box.test>")
    assert mail["Subject"] == "SMS od +48600100200 na Recepcja"
    assert mail.get_content().startswith("Zażółć gęślą jaźń 😀\n")
    assert f"A=plain:{USER}" in server.log()


def test_a_wrong_password_is_a_fault_of_the_setup_with_the_servers_words(server: Exim) -> None:
    outcome = send(server, password=Secret("not this one"))
    assert (outcome.error, outcome.setup, outcome.recipients) == ("mail-sign-in", True, {})
    assert outcome.words.startswith("535 ")


def test_starttls_that_is_not_offered_never_becomes_plain_text() -> None:
    with Exim(starttls=False) as server:
        outcome = send(server, mail_id="<plain@box.test>")
        assert (outcome.error, outcome.setup, outcome.recipients) == ("mail-no-tls", True, {})
        log = server.log()
        assert server.mails() == []
        assert "A=plain" not in log
        assert "rejected" not in log


def test_plain_text_is_spoken_only_where_the_owner_said_so() -> None:
    with Exim(starttls=False, sign_in=False) as server:
        refused = send(server, security="plain", user="")
        assert (refused.error, refused.setup) == ("mail-no-tls", True)
        assert server.mails() == []
        allowed = send(server, security="plain", user="", plain_allowed=True)
        assert allowed.recipients == {"office@x.test": "sent"}, allowed
        assert len(server.wait_for(1)) == 1


def test_a_certificate_nobody_vouches_for_is_refused(server: Exim) -> None:
    mail = compose(item(), DESK)
    for security, port in (("tls", server.tls_port), ("starttls", server.port)):
        outcome = Delivery(account(server, security=security, port=port), QUICK).run(mail, ["office@x.test"])
        assert (outcome.error, outcome.setup, outcome.recipients) == ("mail-certificate", True, {})
        assert "certificate" in outcome.words


def test_an_expired_certificate_is_refused() -> None:
    with Exim(expired=True) as server:
        outcome = send(server)
        assert (outcome.error, outcome.setup) == ("mail-certificate", True)
        assert "expired" in outcome.words
        assert server.mails() == []


def test_the_system_store_can_be_given_the_owners_authority(server: Exim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificates.authority))
    outcome = Delivery(account(server), QUICK).run(compose(item(), DESK), ["office@x.test"])
    assert outcome.recipients == {"office@x.test": "sent"}


def test_one_refused_recipient_does_not_take_the_mail_from_the_others(server: Exim) -> None:
    to = ("a@x.test", "nobody@x.test", "later@x.test", "b@x.test")
    outcome = send(server, to, mail_id="<several@box.test>")
    assert outcome.recipients == {
        "a@x.test": "sent", "b@x.test": "sent", "nobody@x.test": "dead", "later@x.test": "waiting",
    }  # fmt: skip
    assert outcome.error == "mail-refused-address"
    assert outcome.words == "nobody@x.test: 550 5.1.1 no such user"
    assert not outcome.down
    assert not outcome.setup
    until(lambda: len(of(server, "<several@box.test>")) >= 2, 10, server.log)
    assert sorted(str(mail["Envelope-To"]) for mail in of(server, "<several@box.test>")) == ["a@x.test", "b@x.test"]


def test_a_mail_refused_after_its_data_is_dead(server: Exim) -> None:
    outcome = send(server, ("spam@x.test",))
    assert outcome.recipients == {"spam@x.test": "dead"}
    assert (outcome.error, outcome.words) == ("mail-refused", "550 5.7.1 we do not want this")
    assert not outcome.down


def test_come_back_later_keeps_the_recipient_waiting(server: Exim) -> None:
    outcome = send(server, ("later@x.test",))
    assert outcome.recipients == {"later@x.test": "waiting"}
    assert outcome.settled().error == "mail-refused-address: later@x.test: 451 4.2.1 try later"


def test_a_closed_door_is_a_fault_of_the_setup() -> None:
    with Exim() as server:
        server.close_door(True)
        outcome = send(server)
        assert (outcome.error, outcome.setup, outcome.recipients) == ("mail-refused", True, {})
        assert outcome.words.startswith("5")


def test_a_mail_larger_than_the_server_takes_is_dead_before_it_is_sent() -> None:
    with Exim(size="1K") as server:
        row = item(text="x" * 3000)
        outcome = Delivery(account(server), QUICK, trusting(server)).run(compose(row, DESK), ["office@x.test"])
        assert outcome.recipients == {"office@x.test": "dead"}
        assert outcome.words.startswith("552 ")


def test_nobody_at_the_port_means_try_again() -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        outcome = scripted_account(nobody.getsockname()[1]).run(compose(item(), DESK), ["office@x.test"])
    assert (outcome.error, outcome.down, outcome.setup, outcome.recipients) == ("mail-no-server", True, False, {})
    assert outcome.words == "Connection refused"


def scripted_account(port: int, **more: object) -> Delivery:
    """Plain text to a server that the test plays itself."""
    server = Exim.__new__(Exim)
    server.address, server.port = "127.0.0.1", port
    fields = {"security": "plain", "plain_allowed": True, "user": "", "password": Secret("")} | more
    return Delivery(account(server, **fields), QUICK)


def played(play: Callable[[socket.socket], None]) -> tuple[int, threading.Thread]:
    """A server for one connection."""
    listener = socket.create_server(("127.0.0.1", free_port()))

    def serve() -> None:
        with closing(listener):
            sock, _ = listener.accept()
            with closing(sock), suppress(ConnectionError):  # the client may go while octets of ours are unread
                sock.settimeout(10)
                play(sock)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread


def test_a_server_that_says_nothing_is_given_up_in_the_time_of_its_step() -> None:
    def silent(sock: socket.socket) -> None:
        sock.recv(100)

    port, thread = played(silent)
    delivery = scripted_account(port)
    delivery._limits = type(QUICK)(connect=0.4, greeting=0.4, command=0.4, recipients=0.4, data=0.4, whole=2)
    began = time.monotonic()
    outcome = delivery.run(compose(item(), DESK), ["office@x.test"])
    assert (outcome.error, outcome.down) == ("mail-slow", True)
    assert time.monotonic() - began < 2
    thread.join(10)


def test_a_server_that_drips_octets_does_not_outlive_the_deadline() -> None:
    def drip(sock: socket.socket) -> None:
        try:
            for _ in range(200):
                sock.sendall(b"2")
                time.sleep(0.05)
        except OSError:
            return

    port, thread = played(drip)
    delivery = scripted_account(port)
    delivery._limits = type(QUICK)(connect=0.5, greeting=0.5, command=0.5, recipients=0.5, data=0.5, whole=2)
    began = time.monotonic()
    assert delivery.run(compose(item(), DESK), ["office@x.test"]).error == "mail-slow"
    assert time.monotonic() - began < 2
    thread.join(15)


@pytest.mark.parametrize("answer", [b"220-more\r\n" * 5000, b"220 " + b"x" * 100_000, b"\xff\xfe\x00garbage\r\n"])
def test_an_answer_without_end_or_sense_is_bounded(answer: bytes) -> None:
    def flood(sock: socket.socket) -> None:
        try:
            sock.sendall(answer)
            sock.recv(100)
        except OSError:
            return

    port, thread = played(flood)
    outcome = scripted_account(port).run(compose(item(), DESK), ["office@x.test"])
    assert outcome.error == "mail-refused"
    assert outcome.recipients == {}
    assert len(outcome.said) <= 40
    assert all(len(line) <= 300 for line in outcome.said)
    thread.join(10)


def test_words_in_the_clear_behind_starttls_end_the_connection(server: Exim) -> None:
    seen: list[bytes] = []

    def inject(sock: socket.socket) -> None:
        sock.sendall(b"220 hello\r\n")
        sock.recv(1000)
        sock.sendall(b"250-x\r\n250 STARTTLS\r\n")
        sock.recv(1000)
        sock.sendall(b"220 go on\r\n250 injected\r\n")
        seen.append(sock.recv(1000))

    port, thread = played(inject)
    outcome = scripted_account(port, security="starttls", user=USER, password=Secret(PASSWORD)).run(
        compose(item(), DESK), ["office@x.test"]
    )
    thread.join(10)
    assert outcome.error == "mail-no-server"
    assert seen == [b""]


def test_a_server_that_repeats_the_password_is_scrubbed(caplog: pytest.LogCaptureFixture) -> None:
    secret = "s3cret-pass!"
    heard: list[str] = []

    def parrot(sock: socket.socket) -> None:
        sock.sendall(b"220 hello\r\n")
        sock.recv(1000)
        sock.sendall(b"250-x\r\n250 AUTH PLAIN\r\n")
        line = sock.recv(1000).decode().strip()
        heard.append(line)
        decoded = base64.b64decode(line.split()[-1]).decode().replace("\0", " ")
        sock.sendall(f"535-{line}\r\n535 {decoded}\r\n".encode())
        sock.recv(100)

    port, thread = played(parrot)
    outcome = scripted_account(port, user="u", password=Secret(secret)).run(compose(item(), DESK), ["o@x.test"])
    thread.join(10)
    shown = " ".join((*outcome.said, outcome.words, outcome.settled().error, repr(outcome), caplog.text))
    assert outcome.error == "mail-sign-in"
    assert secret not in shown
    assert heard[0].split()[-1] not in shown
    assert secret[4:] not in shown


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "\0user\0"])
def test_a_secret_is_found_in_base64_wherever_it_stands(before: str) -> None:
    wire = Wire(None, [Secret("s3cret-pass!")])
    told = base64.b64encode(f"{before}s3cret-pass!tail".encode()).decode()
    assert wire.scrubbed(f"535 {told}") != f"535 {told}"
    assert all(len(form) >= 3 for form in forms_of(Secret("s3cret-pass!")))


def test_an_attempt_can_be_cut_from_outside() -> None:
    got = threading.Event()

    def hang(sock: socket.socket) -> None:
        sock.sendall(b"220 hello\r\n")
        got.set()
        while sock.recv(1000):
            pass

    port, thread = played(hang)
    delivery = scripted_account(port)
    results: list[Outcome] = []
    run = threading.Thread(target=lambda: results.append(delivery.run(compose(item(), DESK), ["office@x.test"])))
    run.start()
    assert got.wait(5)
    delivery.cut()
    run.join(3)
    assert not run.is_alive()
    assert results[0].recipients == {}
    thread.join(10)
