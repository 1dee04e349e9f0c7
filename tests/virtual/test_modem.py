"""The virtual modem on its wire, spoken to by hand: nothing of the product's engine is in between."""

import os
import re
import select
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.exchange.control import ask
from tests.peers import sound
from tests.peers.addresses import new_address
from tests.peers.waiting import until

FINAL = re.compile(rb"\r\n(OK|ERROR|\+CM[ES] ERROR: .*|NO CARRIER|BUSY|COMMAND NOT SUPPORT)\r\n")


class Bench:
    """A modem process, its AT port open, its far end by the socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ, "CENTRALKA_STATE": str(folder), "CENTRALKA_RUN": str(folder / "run"),
            "ADDRESS": new_address(),
            "CENTRALKA_VIRTUAL_QUIRKS": '{"gsm0": {"ring_interval": 0.3, "register_seconds": 0.05}}',
        }  # fmt: skip
        self.fd = -1
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "appliance.virtual"], env=self.environ, stderr=subprocess.DEVNULL, cwd="/"
        )
        until("the socket", lambda: (self.folder / "run" / "virtual.sock").exists(), 15)
        self.open()

    def open(self) -> None:
        link = self.folder / "run" / "devices" / "gsm0-at"
        until("the port", link.exists, 10)
        self.fd = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)

    def far(self, verb: str, **args: object) -> dict:
        answer = ask(self.folder / "run" / "virtual.sock", f"gsm0.{verb}", args, "test")  # type: ignore[arg-type]
        assert answer.ok is not None, answer
        return dict(answer.ok)

    def read(self, until_: re.Pattern[bytes], seconds: float = 4.0) -> bytes:
        """What comes until the pattern is there."""
        found, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                found += os.read(self.fd, 4096)
                if until_.search(found):
                    return found
        raise AssertionError(f"not said: {until_.pattern!r}, but {found!r}")

    def say(self, command: str) -> str:
        os.write(self.fd, command.encode() + b"\r")
        return self.read(FINAL).decode("latin-1")

    def stop(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        self.process.terminate()
        self.process.wait(5)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="virt") as name:
        one = Bench(Path(name))
        yield one
        one.stop()


def test_it_tells_who_it_is_and_refuses_what_it_does_not_know(bench: Bench) -> None:
    assert "OK" in bench.say("ATE0")
    assert "huawei" in bench.say("AT+CGMI").lower()
    assert "OK" in bench.say("ATI")
    assert "COMMAND NOT SUPPORT" in bench.say("AT+NOSUCH")
    until("it is registered", lambda: re.search(r"\+CREG: \d,1", bench.say("AT+CREG?")))


@pytest.mark.parametrize(
    ("args", "clip"),
    [({}, rb'\+CLIP: "\+48600100200",145'), ({"withheld": True}, rb'\+CLIP: "",\d+,,,,1'),
     ({"unavailable": True}, rb'\+CLIP: "",\d+,,,,2')],
)  # fmt: skip
def test_it_rings_and_says_who_calls(bench: Bench, args: dict, clip: bytes) -> None:
    bench.say("ATE0")
    bench.say("AT+CLIP=1")
    until("it is registered", lambda: bench.far("status")["registered"])
    bench.far("call", number="+48600100200", **args)
    bench.read(re.compile(rb"RING\r\n[\s\S]*" + clip))
    bench.say("ATH")
    assert bench.far("status")["history"][-1]["outcome"] == "refused"


def test_a_late_number_comes_with_the_second_ring(bench: Bench) -> None:
    bench.say("ATE0")
    bench.say("AT+CLIP=1")
    until("it is registered", lambda: bench.far("status")["registered"])
    bench.far("call", number="+48600100200", late=True)
    said = bench.read(re.compile(rb"\+CLIP"))
    assert said.count(b"RING") == 2


def test_sound_goes_both_ways_and_only_within_a_call(bench: Bench, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    bench.far("play", file=str(sound.tone(tmp_path / "said.wav", 1000, 5)))
    bench.far("record", file=str(heard))
    pcm = os.open(bench.folder / "run" / "devices" / "gsm0-pcm", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(pcm)
    bench.say("ATE0")
    until("it is registered", lambda: bench.far("status")["registered"])
    bench.far("call", number="+48600100200")
    assert select.select([pcm], [], [], 0.3)[0] == []
    assert "OK" in bench.say("ATA")
    assert "OK" in bench.say("AT^DDSETEX=2")
    out = sound.read(sound.tone(tmp_path / "mine.wav", 440, 4)).tobytes()
    got, sent, end = b"", 0, time.monotonic() + 3.6
    while time.monotonic() < end:
        if select.select([pcm], [], [], 0.05)[0]:
            piece = os.read(pcm, 4096)
            got += piece
            sent += os.write(pcm, out[sent : sent + len(piece)])
    bench.far("hang-up")
    os.close(pcm)
    import numpy as np

    assert sound.analyse(np.frombuffer(got[: len(got) // 2 * 2], "<i2"), 1000, 440).share > 0.9
    assert sound.analyse(sound.read(heard), 440, 1000).share > 0.9


def test_messages_lie_in_slots_and_outlive_the_process(bench: Bench) -> None:
    bench.say("ATE0")
    bench.say("AT+CMGF=0")
    bench.say("AT+CNMI=2,1,0,1,0")
    until("it is registered", lambda: bench.far("status")["registered"])
    bench.far("sms", **{"from": "+48600100200", "text": "Привіт 😀 " * 12})
    said = bench.read(re.compile(rb'\+CMTI: "SM",1\r\n'))
    assert b'"SM",0' in said
    bench.process.kill()
    bench.process.wait(5)
    os.close(bench.fd)
    (bench.folder / "run" / "virtual.sock").unlink()
    bench.start()
    bench.say("ATE0")
    bench.say("AT+CMGF=0")
    until("the SIM is ready", lambda: "OK" in bench.say("AT+CPMS?"))
    listed = bench.say("AT+CMGL=4")
    assert len(re.findall(r"\+CMGL: \d+,\d,,\d+", listed)) >= 2
    assert "OK" in bench.say("AT+CMGD=0")
    assert "ERROR" in bench.say("AT+CMGR=0")


def test_a_full_sim_lets_the_network_wait(bench: Bench) -> None:
    until("it is registered", lambda: bench.far("status")["registered"])
    bench.far("storage", full=True)
    bench.far("sms", **{"from": "+48600100200", "text": "later"})
    assert bench.far("status")["messages"]["waiting"] == 1
    bench.far("storage", full=False)
    until("it is delivered", lambda: bench.far("status")["messages"]["waiting"] == 0)


def test_pulled_out_it_is_gone_and_put_in_it_has_another_name(bench: Bench) -> None:
    before = bench.far("status")["port"]
    bench.far("unplug")
    assert not (bench.folder / "run" / "devices" / "gsm0-at").exists()
    os.close(bench.fd)
    bench.far("plug")
    bench.open()
    assert bench.far("status")["port"] != before
    assert "OK" in bench.say("AT")


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b"[1]\n", b'{"do":5}\n', b'{"do":"gsm0.call","args":[]}\n', b"\xff\n"]
)
def test_nonsense_on_its_socket_is_answered(bench: Bench, line: bytes) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(3)
        sock.connect(str(bench.folder / "run" / "virtual.sock"))
        sock.sendall(line)
        assert b"error" in sock.recv(4096)
    assert bench.far("status")["plugged"]
