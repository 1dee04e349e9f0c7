"""A sound card as a port of the bridge: a modem with USB audio, or an analogue one. The card is a plug-in of ALSA with
a clock of its own (virtual_card.c); all else is what a real one meets."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.peers.addresses import new_address
from tests.peers.sound import analyse

HERE = Path(__file__).resolve().parent

CALL = """
import json, os, socket, sys, time
from appliance.lines.endpoint import Endpoint, SipSettings
from appliance.native import api as native
from tests.native.harness import Hook
names, alive, refused = sys.argv[2].split(","), sys.argv[3], []
endpoint = Endpoint(SipSettings(sys.argv[1]), Hook(), lambda call: None, lambda lost: None)
endpoint.start()
for name in ("hw:CARD=Nobody", "gone"):
    try:
        native.open_card(name)
    except OSError as error:
        refused.append(error.errno)
cards = [native.open_card(name) for name in names]
peers, ports = [], []
for card in cards:
    there, ours = socket.socketpair()
    there.setblocking(False)
    port = native.open_pcm(ours.detach())
    native.connect(port.slot, card.slot)
    native.connect(card.slot, port.slot)
    peers.append(there)
    ports.append(port)
tone = [open(os.environ["TONE"], "rb").read()] * len(peers)
heard = [b"" for _ in peers]
sent, began = 0, time.monotonic()
def talk(seconds):
    global sent
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        while sent * 0.02 < time.monotonic() - began:
            for said, there in zip(tone, peers):
                at = sent * 320 % (len(said) - 320)
                there.send(said[at : at + 320])
            sent += 1
        for number, there in enumerate(peers):
            try:
                heard[number] += there.recv(65536)
            except BlockingIOError:
                pass
        endpoint.pump(5)
talk(4.5)
up = [native.read_pcm(card) for card in cards]
os.unlink(alive)
talk(0.3)
down = [native.read_pcm(card) for card in cards]
for card in cards:
    native.close_pcm(card)
talk(0.3)
print(json.dumps({"up": up, "down": down, "refused": refused, "heard": [h.hex() for h in heard],
                  "left": native.ports(), "gone": [native.read_pcm(card) is None for card in cards]}))
for port in ports:
    native.close_pcm(port)
endpoint.stop()
"""


def sine(path: Path, hertz: float, rate: int, seconds: int) -> Path:
    samples = 8000 * np.sin(2 * np.pi * hertz * np.arange(rate * seconds) / rate)
    path.write_bytes(samples.astype("<i2").tobytes())
    return path


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """ALSA's configuration: three cards, of 8, 16 and 48 kHz, and one that is not plugged in."""
    module = tmp_path / "libasound_module_pcm_virtual.so"
    flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]
    subprocess.run(["gcc", *flags, "-o", module, HERE / "virtual_card.c", "-lasound"], check=True)
    lines = [f'pcm_type.virtual {{ lib "{module}" }}']
    (tmp_path / "alive").touch()
    for hertz, rate in ((440, 8000), (600, 16000), (700, 48000)):
        sine(tmp_path / f"in{rate}", hertz, rate, 8)
        lines.append(
            f'pcm.card{rate} {{ type virtual in "{tmp_path}/in{rate}" out "{tmp_path}/out{rate}" '
            f'alive "{tmp_path}/alive" rate {rate} }}'
        )
    lines.append(f'pcm.gone {{ type virtual in "/dev/null" out "/dev/null" alive "{tmp_path}/never" rate 8000 }}')
    config = tmp_path / "asound.conf"
    config.write_text("\n".join(lines) + "\n")
    return config


@pytest.mark.sound
def test_three_sound_cards_carry_speech_both_ways_until_they_are_pulled_out(cards: Path) -> None:
    rates = (8000, 16000, 48000)
    folder = cards.parent
    environ = {**os.environ, "ALSA_CONFIG_PATH": str(cards), "TONE": str(sine(folder / "tone", 1000, 8000, 8))}
    names = ",".join(f"card{rate}" for rate in rates)
    done = subprocess.run(
        [sys.executable, "-c", CALL, new_address(), names, str(folder / "alive")],
        capture_output=True, text=True, timeout=60, check=False, env=environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [card["rate"] for card in found["up"]] == list(rates)
    assert [card["closed"] for card in found["up"]] == [0, 0, 0]
    for rate, hertz, octets in zip(rates, (440, 600, 700), found["heard"], strict=True):
        told = analyse(np.frombuffer(bytes.fromhex(octets), "<i2"), hertz, 1000)
        assert told.share > 0.9, f"what the card of {rate} Hz records is heard in the call"
        assert told.longest_gap <= 0.04
        played = np.frombuffer((folder / f"out{rate}").read_bytes(), "<i2")[:: rate // 8000]
        spoken = analyse(played, 1000, hertz)
        assert spoken.share > 0.9, f"what the call says is played on the card of {rate} Hz"
        assert spoken.longest_gap <= 0.04
    assert [card["closed"] for card in found["down"]] == [errno.ENODEV] * 3, "pulled out: a cause, and no more"
    assert found["gone"] == [True, True, True]
    assert found["left"] == 4, "the bridge's own port and the other three"
    assert all(error > 0 for error in found["refused"])
    assert len(found["refused"]) == 2, "a card that is not there is an error at once"
