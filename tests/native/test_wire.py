"""The PCM port under a clock of the test's own: what a modem says and is told, octet by octet, hour by hour."""

import os
import subprocess
import termios
import tty

import numpy as np
import pytest

from tests.native.rig import Rig, lib, rig

OCTETS = 320


def sine(hertz: float, samples: int, rate: int = 8000, level: float = 0.3) -> np.ndarray:
    return (32767 * level * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)).astype("<i2")


def speech(seconds: float) -> np.ndarray:
    """Somebody speaks, at 8 kHz."""
    text = "Good morning, this is the office. Somebody will be with you in a moment. " * 4
    said = subprocess.run(["espeak-ng", "-v", "en", "--stdout", text], capture_output=True, check=True).stdout
    convert = ["sox", "-t", "wav", "-", "-t", "raw", "-r", "8000", "-c", "1", "-e", "signed", "-b", "16", "-"]
    raw = subprocess.run(convert, input=said, capture_output=True, check=True).stdout
    return np.frombuffer(raw, "<i2")[: int(seconds * 8000)]


def roughest(samples: np.ndarray) -> int:
    """The greatest change of slope: a click is one."""
    return int(np.abs(np.diff(samples.astype(int), 2)).max())


# ---- every octet ----------------------------------------------------------------------------------------------------


def test_all_octets_pass_a_serial_port_both_ways_unchanged() -> None:
    """0x0D, 0x0A, 0x11, 0x13, 0x03, 0x7F and 0xFF too: made raw as the line makes it, a port leaves them alone."""
    master, slave = os.openpty()
    tty.setraw(slave, termios.TCSANOW)
    os.set_blocking(master, False)
    pattern = np.frombuffer(bytes(range(256)) * 5, "<i2")
    made = Rig(8000, 1, 2, (slave, None))
    told, heard = b"", []
    for turn in range(60):
        os.write(master, np.roll(pattern, -160 * turn)[:160].tobytes())
        heard.append(made.turn(np.roll(pattern, -160 * turn)[:160]))
        told += os.read(master, 65536) if turn else b""
    lib.rig_close(made.id)
    os.close(master)
    whole = (bytes(range(256)) * 80)[: 60 * OCTETS]
    heard_octets = np.concatenate(heard).tobytes().lstrip(b"\0")
    start = whole.index(heard_octets[:256])
    assert len(heard_octets) > 50 * OCTETS
    assert heard_octets == whole[start : start + len(heard_octets)]
    told_octets = told.lstrip(b"\0")
    start = whole.index(told_octets[:256])
    assert len(told_octets) > 50 * OCTETS
    assert told_octets == whole[start : start + len(told_octets)]


def test_octets_may_come_in_pieces_of_any_size() -> None:
    """A read may end within a sample; its other half comes with the next."""
    random = np.random.default_rng(11)
    said = random.normal(0, 3000, 160 * 200).clip(-32768, 32767).astype("<i2")
    octets, heard, sent = said.tobytes(), [], 0
    with rig() as port:
        for turn in range(200):
            due = min(len(octets), max(sent, (turn + 1) * OCTETS - int(random.integers(0, 150))))
            while sent < due:
                piece = int(random.integers(1, 90))
                sent += port.send(octets[sent : min(due, sent + piece)])
            heard.append(port.turn())
        assert port.counters()["realigned"] == port.counters()["starved"] == 0
    sound = np.concatenate(heard)
    begins = int(np.flatnonzero(sound)[0])
    passed = sound[begins : begins + 160 * 40].tobytes()  # until the first look at the level
    assert passed in octets


@pytest.mark.parametrize("lost_after", [8000 * 2 + 1, 8000 * 4 + 160, 8000 * 6 + 77])
def test_speech_is_speech_again_within_a_tenth_of_a_second_after_an_octet_was_lost(lost_after: int) -> None:
    said = speech(7)
    octets = said.tobytes()
    octets = octets[:lost_after] + octets[lost_after + 1 :]
    with rig() as port:
        heard = []
        for at in range(0, len(octets) - OCTETS, OCTETS):
            port.send(octets[at : at + OCTETS])
            heard.append(port.turn())
        assert port.counters()["realigned"] == 1
    sound = np.concatenate(heard).astype(float)
    noisy = [
        at for at in range(160, len(sound) - 160, 160)
        if (np.diff(sound[at : at + 160]) ** 2).sum() > 1.2 * (sound[at : at + 160] ** 2).sum() > 160 * 2000.0**2
    ]  # fmt: skip
    # what was said after the loss, as it would be heard without noise, is silence or speech
    assert len(noisy) <= 5, "at most 100 ms of noise"


def test_sound_that_is_whole_is_left_as_it_is() -> None:
    """Tones, loud ones too, noise, a pattern of octets, samples whose low octets are all nought."""
    random = np.random.default_rng(3)
    whole = {
        "tones": np.concatenate([sine(hertz, 8000, level=0.95) for hertz in (50, 300, 1000, 1633, 2600, 3400)]),
        "noise": random.normal(0, 8000, 40000).clip(-32768, 32767).astype("<i2"),
        "pattern": np.frombuffer(bytes(range(256)) * 200, "<i2"),
        "coarse": (sine(700, 40000).astype(int) // 256 * 256).astype("<i2"),
        "square": np.tile(np.repeat(np.array([0x1F02, -0x1F02], "<i2"), 4), 5000),
        "hiss": random.integers(-30, 30, 40000).astype("<i2"),
    }
    for name, samples in whole.items():
        with rig() as port:
            for at in range(0, len(samples) - 160, 160):
                port.send(samples[at : at + 160].tobytes())
                port.turn()
            assert port.counters()["realigned"] == 0, name


# ---- two clocks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ppm", "burst", "minutes"), [(200, 1, 60), (-200, 1, 60), (200, 5, 10), (-200, 5, 10)])
def test_an_hour_with_two_clocks_that_differ_has_no_click_in_either_way(ppm: int, burst: int, minutes: int) -> None:
    """The modem is fast or slow by 200 ppm. All that is done about it is a frame faded in or out, 36 times an hour."""
    turns, due_frames = 50 * 60 * minutes, 36 * minutes / 60
    theirs = sine(440, turns * 160 + 16000)
    ours = sine(1000, 160)  # 20 ms hold a whole number of waves
    with rig(burst=burst) as port:
        sent, heard, told = 0, [], []
        for turn in range(turns):
            due = int((turn + 1) * 160 * (1 + ppm / 1e6)) // 160 * 160
            port.send(theirs[sent:due].tobytes())
            sent = due
            heard.append(port.turn(ours))
            told.append(port.received())
        counters = port.counters()
    out, back = np.concatenate(heard[10:]), np.frombuffer(b"".join(told), "<i2")
    assert roughest(out) <= 2 * roughest(theirs[:8000]), "no click towards the bridge"
    assert roughest(back[1600:]) <= 2 * roughest(np.tile(ours, 50)), "no click towards the modem"
    rx, tx = ("removed", "tx_inserted") if ppm > 0 else ("inserted", "tx_removed")
    assert abs(counters[rx] - due_frames) <= 3
    assert abs(counters[tx] - due_frames) <= 3
    assert counters["starved"] == counters["overflowed"] == counters["unwritten"] == counters["own_clock"] == 0
    assert abs(len(back) - sent) <= 800, "as much is written as was read"


def test_a_modem_that_sends_in_lumps_is_heard_without_a_gap() -> None:
    """640 octets every 40 ms, and each lump up to 15 ms late."""
    random = np.random.default_rng(7)
    theirs = sine(440, 8000 * 61)
    with rig(keep=3) as port:
        sent, heard = 0, []
        for turn in range(50 * 60):
            due = int((turn * 20 - random.uniform(0, 15)) // 40) * 320
            if due > sent:
                port.send(theirs[sent:due].tobytes())
                sent = due
            heard.append(port.turn())
        assert port.counters()["starved"] <= 1
    assert roughest(np.concatenate(heard[50:])) <= 2 * roughest(theirs[:8000])


# ---- towards the modem ----------------------------------------------------------------------------------------------


def test_a_modem_that_says_nothing_is_spoken_to_all_the_same() -> None:
    with rig() as port:
        told = b""
        for _ in range(50):
            port.turn(sine(1000, 160))
            told += port.received()
        assert len(told) == 48 * OCTETS, "from the third turn on a frame each turn"
        for _ in range(100):
            port.send(bytes(OCTETS))
            port.turn(sine(1000, 160))
            told += port.received()
        assert 146 * OCTETS <= len(told) <= 149 * OCTETS, "then as much as it sends"


def test_a_modem_that_stood_still_does_not_hear_what_is_long_past() -> None:
    """It neither speaks nor listens for ten seconds; then both. What it was told waits at most a moment."""
    with rig() as port:
        for _ in range(500):
            port.turn(sine(1000, 160))
        waiting = len(port.received())
        port.send(bytes(OCTETS))
        told = b""
        for _ in range(200):
            port.send(bytes(OCTETS))
            port.turn(sine(440, 160))
            told += port.received()
        assert waiting < 16000
        assert len(told) + waiting <= 202 * OCTETS, "what waited is made up for"


def test_a_modem_that_says_stop_is_told_nothing_until_it_says_go() -> None:
    with rig(burst=5) as port:

        def turns(n: int) -> int:
            told = 0
            for _ in range(n):
                port.send(bytes(OCTETS))
                port.turn(sine(1000, 160))
                told += len(port.received())
            return told

        assert turns(50) == 50 * OCTETS
        lib.ck_pcm_flow(port.id, 0, 0)
        assert turns(50) == 0
        lib.ck_pcm_flow(port.id, 0, 1)
        assert turns(50) == 50 * OCTETS, "and only what is new"
        assert port.counters()["tx_level"] <= 8 * 160


def test_speech_goes_to_a_quectel_port_in_pieces_of_a_hundred_milliseconds() -> None:
    with rig(burst=5) as port:
        sizes = []
        for _ in range(100):
            port.send(bytes(OCTETS))
            port.turn(sine(1000, 160))
            sizes.append(len(port.received()))
        assert set(sizes) == {0, 1600}


def test_a_wire_of_sixteen_kilohertz_has_frames_of_640_octets() -> None:
    with rig(rate=16000) as port:
        heard, told = [], b""
        for _ in range(100):
            port.send(sine(440, 320, 16000).tobytes())
            heard.append(port.turn(sine(1000, 320, 16000)))
            told += port.received()
        assert len(told) == 100 * 640
        assert len(heard[0]) == 320
        assert port.counters()["starved"] == 0


# ---- levels ---------------------------------------------------------------------------------------------------------


def test_the_meters_show_how_loud_each_way_is() -> None:
    with rig() as port:
        for _ in range(50):
            port.send(sine(440, 160, level=0.1).tobytes())
            port.turn(sine(1000, 160, level=0.5))
        counters = port.counters()
        assert counters["sound_in"] == -23
        assert counters["sound_out"] == -9
        for _ in range(200):
            port.send(bytes(OCTETS))
            port.turn()
        counters = port.counters()
        assert counters["sound_in"] <= -60
        assert counters["sound_out"] <= -60
