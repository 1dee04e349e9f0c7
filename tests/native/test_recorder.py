"""Recordings as an owner hears them: both voices, in step, pauses silent, and nothing lost by a cut."""

import json
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np

from tests.peers.addresses import new_address

# Two modems with a burst of tone each 500 ms: both at the same moments, the left one at 440 Hz, the right at 880 Hz.
CALL = """
import json, os, socket, sys, time
import numpy as np
from pathlib import Path
from appliance.core.model import LegId
from appliance.lines.audio import Audio
from appliance.lines.endpoint import Endpoint, SipSettings
from tests.native.harness import Hook
address, folder, plan = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
endpoint = Endpoint(SipSettings(address), Hook(), lambda call: None, lambda lost: None)
endpoint.start()
told = []
audio = Audio(told.append)
legs = [(LegId("gsm0-1"), 440), (LegId("gsm1-1"), 880)]
modems, slots = [], []
for leg, _ in legs:
    modem, ours = socket.socketpair()
    modem.setblocking(False)
    slots.append(audio.open_pcm(leg, ours.fileno()))
    ours.close()
    modems.append(modem)
t = np.arange(8000 * 60) / 8000
on = (t % 0.5 < 0.2) & (t < plan.get("speech", 60))
tones = [(np.sin(2 * np.pi * hertz * t) * 9000 * on).astype("<i2").tobytes() for _, hertz in legs]
began, sent, started, paused = time.monotonic(), 0, False, False
other = slots[1] if plan["sides"] == 2 else None
while not told and sent < 50 * plan["seconds"]:
    while sent * 0.02 < time.monotonic() - began:
        for modem, tone in zip(modems, tones):
            modem.send(tone[sent * 320 : sent * 320 + 320])
        sent += 1
    for modem in modems:
        try:
            modem.recv(65536)
        except BlockingIOError:
            pass
    if not started and sent > 25:
        audio.recorder.record(
            "r1", legs[0][0], folder / "2026" / "r1.wav", (slots[0], other), plan.get("longest", 0),
            plan.get("silence", 0),
        )
        started = True
        print("started", flush=True)
    if plan.get("pause") and plan["pause"][0] < audio.recorder.length("r1") < plan["pause"][1] and not paused:
        audio.recorder.pause("r1", True)
        paused = True
    if paused and audio.recorder.length("r1") >= plan["pause"][1]:
        audio.recorder.pause("r1", False)
        paused = False
    endpoint.pump(5)
    audio.poll(time.monotonic())
audio.recorder.stop("r1")
until = time.monotonic() + 10
while not told and time.monotonic() < until:
    endpoint.pump(5)
    audio.poll(time.monotonic())
print(json.dumps({
    "told": [[str(e.leg), e.id, e.seconds, e.why] for e in told], "pauses": audio.recorder.pauses("r1"),
}), flush=True)
audio.stop()
endpoint.stop()
"""


def recorded(folder: Path, plan: dict[str, object]) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", CALL, new_address(), str(folder), json.dumps(plan)],
        capture_output=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def samples(path: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        sides = file.getnchannels()
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, sides), sides


def strength(part: np.ndarray, hertz: int) -> float:
    t = np.arange(len(part)) / 8000
    return float(abs(np.exp(-2j * np.pi * hertz * t) @ part.astype(float)) / max(len(part), 1))


def rises(side: np.ndarray) -> np.ndarray:
    """Where bursts begin, samples."""
    loud = np.abs(side.astype(int)) > 1500
    spread = np.convolve(loud, np.ones(80), "same") > 0
    return np.flatnonzero(np.diff(spread.astype(int)) == 1)


def test_a_recorded_call_has_the_caller_left_and_the_colleague_right_in_step(tmp_path: Path) -> None:
    found = recorded(tmp_path, {"sides": 2, "seconds": 6})
    (leg, name, seconds, why) = found["told"][0]  # type: ignore[index]
    both, sides = samples(tmp_path / "2026" / "r1.wav")
    assert (leg, name, why, sides) == ("gsm0-1", "r1", "stopped", 2)
    assert abs(len(both) / 8000 - seconds) < 0.01
    assert 4 < seconds < 6.5
    left, right = both[:, 0], both[:, 1]
    assert strength(left, 440) > 10 * strength(left, 880)
    assert strength(right, 880) > 10 * strength(right, 440)
    # each side waits in its own elastic buffer of 40 ms before it is recorded: that may differ, the recorder adds none
    first, second = rises(left)[1:], rises(right)[1:]
    apart = [int(np.min(np.abs(second - at))) for at in first[:-1]]
    assert max(apart) <= 160 + 320, apart
    assert not list(tmp_path.rglob("*.part"))


def test_a_pause_is_silent_and_its_place_is_told(tmp_path: Path) -> None:
    found = recorded(tmp_path, {"sides": 2, "seconds": 7, "pause": [1.5, 3.5]})
    [[begun, ended]] = found["pauses"]  # type: ignore[misc]
    both, _ = samples(tmp_path / "2026" / "r1.wav")
    assert 1.4 < begun < 2.6
    assert begun < ended < 4.6
    silent = both[int((begun + 0.1) * 8000) : int((ended - 0.1) * 8000)]
    assert len(silent) > 4000
    assert not silent.any()
    assert both[: int(begun * 8000)].any()
    assert both[int((ended + 0.6) * 8000) :].any()


def test_a_message_ends_by_itself_when_nobody_speaks_and_its_silence_is_cut(tmp_path: Path) -> None:
    found = recorded(tmp_path, {"sides": 1, "seconds": 20, "speech": 3, "silence": 2})
    (_, _, seconds, why) = found["told"][0]  # type: ignore[index]
    one, sides = samples(tmp_path / "2026" / "r1.wav")
    assert (why, sides) == ("silence", 1)
    assert 2 < seconds < 4.8
    assert len(one) == round(seconds * 8000)
    assert not np.abs(one[-6000:].astype(int)).max() > 300


def test_a_message_ends_at_its_longest(tmp_path: Path) -> None:
    found = recorded(tmp_path, {"sides": 1, "seconds": 20, "longest": 2})
    assert found["told"][0][2:] == [2.0, "longest"]  # type: ignore[index]


def test_a_recording_that_cannot_be_written_is_told_as_failed(tmp_path: Path) -> None:
    (tmp_path / "2026").write_text("a file where the folder should be")
    assert recorded(tmp_path, {"sides": 1, "seconds": 20})["told"][0][3] == "failed"  # type: ignore[index]


def test_a_recording_that_is_cut_by_a_kill_plays_to_its_last_second(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, new_address(), str(tmp_path), json.dumps({"sides": 2, "seconds": 40})],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        part = tmp_path / "2026" / "r1.wav.part"
        while part.stat().st_size < 4 * 32000 and process.poll() is None:
            signal.sigtimedwait([], 0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
    both, sides = samples(part)
    assert sides == 2
    assert part.stat().st_size / 32000 - len(both) / 8000 < 1.5
    assert len(both) > 8000
    assert strength(both[:, 0], 440) > 10 * strength(both[:, 0], 880)
