"""The virtual modem on its wire, spoken to by hand: nothing of the product's engine is in between."""

import os
import re
import select
import tempfile
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import sound
from tests.peers.waiting import until
from tests.virtual.bench import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="virt") as name:
        one = Bench(Path(name))
        yield one
        one.stop()


def test_it_tells_who_it_is_and_refuses_what_it_does_not_know(bench: Bench) -> None:
    assert "OK" in bench.gsm0.say("ATE0")
    assert "huawei" in bench.gsm0.say("AT+CGMI").lower()
    assert "OK" in bench.gsm0.say("ATI")
    assert "COMMAND NOT SUPPORT" in bench.gsm0.say("AT+NOSUCH")
    until("it is registered", lambda: re.search(r"\+CREG: \d,1", bench.gsm0.say("AT+CREG?")))


@pytest.mark.parametrize(
    ("args", "clip"),
    [({}, rb'\+CLIP: "\+48600100200",145'), ({"withheld": True}, rb'\+CLIP: "",\d+,,,,1'),
     ({"unavailable": True}, rb'\+CLIP: "",\d+,,,,2')],
)  # fmt: skip
def test_it_rings_and_says_who_calls(bench: Bench, args: dict, clip: bytes) -> None:
    bench.gsm0.say("ATE0")
    bench.gsm0.say("AT+CLIP=1")
    until("it is registered", lambda: bench.gsm0.far("status")["registered"])
    bench.gsm0.far("call", number="+48600100200", **args)
    bench.gsm0.read(re.compile(rb"RING\r\n[\s\S]*" + clip))
    bench.gsm0.say("ATH")
    assert bench.gsm0.far("status")["history"][-1]["outcome"] == "refused"


def test_a_late_number_comes_with_the_second_ring(bench: Bench) -> None:
    bench.gsm0.say("ATE0")
    bench.gsm0.say("AT+CLIP=1")
    until("it is registered", lambda: bench.gsm0.far("status")["registered"])
    bench.gsm0.far("call", number="+48600100200", late=True)
    said = bench.gsm0.read(re.compile(rb"\+CLIP"))
    assert said.count(b"RING") == 2


def test_sound_goes_both_ways_and_only_within_a_call(bench: Bench, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    bench.gsm0.far("play", file=str(sound.tone(tmp_path / "said.wav", 1000, 5)))
    bench.gsm0.far("record", file=str(heard))
    pcm = os.open(bench.folder / "run" / "devices" / "gsm0-pcm", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(pcm)
    bench.gsm0.say("ATE0")
    until("it is registered", lambda: bench.gsm0.far("status")["registered"])
    bench.gsm0.far("call", number="+48600100200")
    assert select.select([pcm], [], [], 0.3)[0] == []
    assert "OK" in bench.gsm0.say("ATA")
    assert "OK" in bench.gsm0.say("AT^DDSETEX=2")
    out = sound.read(sound.tone(tmp_path / "mine.wav", 440, 4)).tobytes()
    got, sent, end = b"", 0, time.monotonic() + 3.6
    while time.monotonic() < end:
        if select.select([pcm], [], [], 0.05)[0]:
            piece = os.read(pcm, 4096)
            got += piece
            sent += os.write(pcm, out[sent : sent + len(piece)])
    bench.gsm0.far("hang-up")
    os.close(pcm)
    import numpy as np

    assert sound.analyse(np.frombuffer(got[: len(got) // 2 * 2], "<i2"), 1000, 440).share > 0.9
    assert sound.analyse(sound.read(heard), 440, 1000).share > 0.9


def test_messages_lie_in_slots_and_outlive_the_process(bench: Bench) -> None:
    bench.gsm0.say("ATE0")
    bench.gsm0.say("AT+CMGF=0")
    bench.gsm0.say("AT+CNMI=2,1,0,1,0")
    until("it is registered", lambda: bench.gsm0.far("status")["registered"])
    bench.gsm0.far("sms", **{"from": "+48600100200", "text": "Привіт 😀 " * 12})
    said = bench.gsm0.read(re.compile(rb'\+CMTI: "SM",1\r\n'))
    assert b'"SM",0' in said
    bench.process.kill()
    bench.process.wait(5)
    bench.gsm0.close()
    (bench.folder / "run" / "virtual.sock").unlink()
    bench.start()
    bench.gsm0.say("ATE0")
    bench.gsm0.say("AT+CMGF=0")
    until("the SIM is ready", lambda: "OK" in bench.gsm0.say("AT+CPMS?"))
    listed = bench.gsm0.say("AT+CMGL=4")
    assert len(re.findall(r"\+CMGL: \d+,\d,,\d+", listed)) >= 2
    assert "OK" in bench.gsm0.say("AT+CMGD=0")
    assert "ERROR" in bench.gsm0.say("AT+CMGR=0")


def test_a_full_sim_lets_the_network_wait(bench: Bench) -> None:
    until("it is registered", lambda: bench.gsm0.far("status")["registered"])
    bench.gsm0.far("storage", full=True)
    bench.gsm0.far("sms", **{"from": "+48600100200", "text": "later"})
    assert bench.gsm0.far("status")["messages"]["waiting"] == 1
    bench.gsm0.far("storage", full=False)
    until("it is delivered", lambda: bench.gsm0.far("status")["messages"]["waiting"] == 0)


def test_pulled_out_it_is_gone_and_put_in_it_has_another_name(bench: Bench) -> None:
    before = bench.gsm0.far("status")["port"]
    bench.gsm0.far("unplug")
    assert not (bench.folder / "run" / "devices" / "gsm0-at").exists()
    bench.gsm0.far("plug")
    bench.gsm0.open()
    assert bench.gsm0.far("status")["port"] != before
    assert "OK" in bench.gsm0.say("AT")


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
    assert bench.gsm0.far("status")["plugged"]
