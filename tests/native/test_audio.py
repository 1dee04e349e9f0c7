"""The audio of a modem as the line uses it: digits heard and said, levels, the end of the wire."""

import json
import subprocess
import sys

import numpy as np

from tests.native.rig import digits
from tests.native.test_digits import quiet, tone
from tests.peers.addresses import new_address

CALL = """
import json, socket, sys, time
from appliance.core.model import LegId
from appliance.lines.audio import Audio
from appliance.lines.endpoint import Endpoint, SipSettings
from tests.native.harness import Hook
said = sys.stdin.buffer.read()
endpoint = Endpoint(SipSettings(sys.argv[1]), Hook(), lambda call: None, lambda lost: None)
endpoint.start()
audio, leg, keys, lost, told = Audio(lambda event: None), LegId("gsm0-1"), [], [], b""
modem, ours = socket.socketpair()
modem.setblocking(False)
slot = audio.open_pcm(leg, ours.fileno())
ours.close()
audio.listen(leg, keys.append, lost.append)
sent, began, levels = 0, time.monotonic(), []
audio.press(leg, "159#")
while sent * 320 < len(said):
    while sent * 0.02 < time.monotonic() - began:
        modem.send(said[sent * 320 : sent * 320 + 320])
        sent += 1
        levels.append(audio.levels(slot))
    try:
        told += modem.recv(65536)
    except BlockingIOError:
        pass
    endpoint.pump(5)
    audio.poll(time.monotonic())
modem.close()
for _ in range(200):
    endpoint.pump(5)
    audio.poll(time.monotonic())
print(json.dumps({"keys": keys, "lost": lost, "told": told.hex(), "levels": levels}))
audio.stop()
endpoint.stop()
"""


def test_digits_are_heard_in_a_modems_sound_and_said_to_it_and_its_end_is_told_once() -> None:
    sound = np.concatenate([quiet(300), tone("4", 80), quiet(80), tone("8", 80), quiet(900), tone("0", 80), quiet(100)])
    done = subprocess.run(
        [sys.executable, "-c", CALL, new_address()], input=sound.astype("<i2").tobytes(),
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert "".join(found["keys"]) == "480"
    assert digits(np.frombuffer(bytes.fromhex(found["told"]), "<i2")) == "159#"
    assert max(heard for heard, _ in found["levels"]) > -30
    assert max(said for _, said in found["levels"]) > -20
    assert len(found["lost"]) == 1
