"""The worker killed at any moment, and servers that vanish between the end of DATA and their answer: every mail
arrives, and a mail that arrives twice has the same identifier both times."""

import random
import socket
import threading
from collections import Counter
from contextlib import closing, suppress

import pytest

from appliance.settings.secret import Secret
from tests.peers.exim import Exim, until
from tests.worker.box import Box

MOMENTS = 20


@pytest.mark.parametrize("seed", [11, 12])
def test_killed_at_any_moment_every_mail_arrives_under_one_identifier(box: Box, server: Exim, seed: int) -> None:
    dice = random.Random(seed)
    box.mail_to(server)
    box.writer.start()
    numbers: list[int] = []
    for moment in range(MOMENTS // 2):
        box.start()
        numbers += [box.sms(f"kill {seed}.{moment}.{n}") for n in range(3)]
        threading.Event().wait(dice.uniform(0.0, 0.12))  # the moment; seeded
        box.kill()
    box.start()
    for number in numbers:
        box.wait_state(number, "sent", 40)
    rows = {str(row["message_id"]): row for row in box.outbox()}

    def arrived() -> Counter[str]:
        return Counter(str(mail["Message-ID"]) for mail in server.mails() if f"kill {seed}." in mail.get_content())

    until(lambda: set(arrived()) == set(rows), 20, server.log)
    assert len(rows) == len(numbers)
    texts = {str(mail["Message-ID"]): mail.get_content().split("\n")[0] for mail in server.mails()}
    assert sorted(texts[one] for one in rows) == sorted(
        f"kill {seed}.{moment}.{n}" for moment in range(MOMENTS // 2) for n in range(3)
    )


class VanishingServer:
    """Takes mails; the first time it closes the connection after the end of DATA, without its answer."""

    def __init__(self, vanish: int = 1) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.mails: list[bytes] = []
        self._vanish = vanish
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                with closing(sock), suppress(OSError):
                    sock.settimeout(10)
                    self._serve(sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.sendall(b"220 here\r\n")
        with sock.makefile("rb") as lines:
            for line in lines:
                if line.upper().startswith(b"DATA"):
                    sock.sendall(b"354 go on\r\n")
                    mail = b""
                    while (piece := lines.readline()) != b".\r\n":
                        if not piece:
                            return
                        mail += piece
                    self.mails.append(mail)
                    if len(self.mails) <= self._vanish:
                        return
                sock.sendall(b"250 yes\r\n")


def test_a_server_that_vanishes_before_its_answer_gets_the_same_mail_again(box: Box) -> None:
    server = VanishingServer()
    with closing(server.listener):
        box.store.put("mail", None, {
            "enabled": True, "host": "127.0.0.1", "port": server.listener.getsockname()[1], "security": "plain",
            "plain_allowed": True, "sender": "box@x.test", "password": Secret(""),
        })  # fmt: skip
        box.writer.start()
        box.start()
        number = box.sms("dwa razy to samo")
        box.wait_state(number, "waiting", attempts=1)
        box.datagram(b"clock 61")
        assert box.wait_state(number, "sent")["attempts"] == 2
    assert len(server.mails) == 2
    assert server.mails[0] == server.mails[1]
    assert str(box.outbox()[0]["message_id"]).encode() in server.mails[0]
