"""The speech port: its clock, its patterns, its pauses, and the keys in its sound."""

import itertools
import os
import select
import time
import tty
from collections.abc import Callable, Iterator

import pytest

from appliance.virtual import tones
from tests.peers.waiting import until
from tests.virtual.bench import Bench, Port

FRAME = 320
CALLER = "+48600100200"
Talk = Callable[..., tuple[Port, int]]


@pytest.fixture
def talk(benches: Callable[..., Bench]) -> Iterator[Talk]:
    """A call that is up with its sound on: the port and the descriptor of its sound."""
    opened: list[int] = []

    def begin(make: str = "huawei", enable: str = "AT^DDSETEX=2", **quirks: object) -> tuple[Port, int]:
        bench = benches(f"gsm0={make}", quirks)
        port = bench.gsm0.settle()
        link = bench.folder / "run" / "devices" / "gsm0-pcm"
        opened.append(os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
        tty.setraw(opened[-1])
        port.far("call", number=CALLER)
        port.say("ATA")
        until("they talk", lambda: "+CLCC: 1,1,0" in port.say("AT+CLCC"))
        assert "OK" in port.say(enable)
        return port, opened[-1]

    yield begin
    for fd in opened:
        os.close(fd)


def hear(fd: int, octets: int, seconds: float = 5.0) -> bytes:
    """So many octets of sound."""
    found, end = b"", time.monotonic() + seconds
    while len(found) < octets and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            found += os.read(fd, 4096)
    assert len(found) >= octets
    return found


def test_every_octet_value_comes_through_the_port(talk: Talk) -> None:
    _, fd = talk(audio="octets")
    sound = hear(fd, 8 * FRAME)
    start = sound[0]
    assert sound[:2048] == bytes((start + n) % 256 for n in range(2048))


def test_what_is_said_comes_back_after_a_while(talk: Talk) -> None:
    _, fd = talk(audio="loop-back")
    said = tones.keys("5")
    os.write(fd, said)
    assert said[:FRAME] in hear(fd, 50 * FRAME)


def test_keys_are_pressed_and_heard_in_the_sound(talk: Talk) -> None:
    port, fd = talk(audio="silence")
    port.far("press", digits="159#", sound=True)
    assert tones.find(hear(fd, 45 * FRAME)) == "159#"
    os.write(fd, tones.keys("0A7"))
    until("the far end heard it", lambda: port.far("heard")["digits"] == "0A7")
    assert port.ask("press", digits="x", sound=True)["error"]["id"] == "refused"


def test_no_sound_comes_when_it_stalls_and_an_octet_is_lost_when_it_is_told(talk: Talk) -> None:
    port, fd = talk(audio="octets")
    port.far("fault", name="lose-octet", words=["2"])
    hear(fd, 4 * FRAME)
    sound = hear(fd, 8 * FRAME)
    jumps = sum((after - before) % 256 != 1 for before, after in itertools.pairwise(sound))
    assert jumps >= 3
    port.far("fault", name="audio-stall", words=[])
    until("it is still", lambda: not select.select([fd], [], [], 0.2)[0] or not os.read(fd, 65536))
    port.far("fault", name="none")
    hear(fd, FRAME)


def test_a_program_that_writes_too_fast_is_told_to_wait(talk: Talk) -> None:
    port, fd = talk("ec25", "AT+QPCMV=1,0")
    hear(fd, FRAME)
    for _ in range(8):
        os.write(fd, bytes(1600))
    port.read(r"\+QPCMV: 0,0")
    port.read(r"\+QPCMV: 1,0")


def test_speech_is_opened_within_a_call_or_not_at_all(benches: Callable[..., Bench]) -> None:
    port = benches("gsm0=sim7600").gsm0.settle()
    assert "ERROR" in port.say("AT+CPCMREG=1")
    port.far("call", number=CALLER)
    port.say("ATA")
    until("they talk", lambda: "+CLCC: 1,1,0" in port.say("AT+CLCC"))
    assert "OK" in port.say("AT+CPCMREG=1")
    port.far("set", name="voice_locked", value=True)
    assert "ERROR" in port.say("AT+CPCMREG=1")


def test_a_clock_that_is_wrong_shows_in_the_number_of_frames(talk: Talk) -> None:
    port, fd = talk(audio="silence", drift_ppm=500000.0)
    began, start = time.monotonic(), port.status()["speech"]["sent"]
    hear(fd, 100 * FRAME)
    sent, seconds = port.status()["speech"]["sent"] - start, time.monotonic() - began
    assert sent / seconds > 55  # frames; 50 by a clock that is right, 75 by this one
