"""Sounds as the exchange plays them: wav, one channel, 8000 samples a second, 16 bits. From uploads, which are hostile.

A file is looked at by its first octets, not by its name; decoded by mpg123 or sox in a process with bounds; and what
comes out is measured with our own eyes, because both programs end with 0 on some garbage.
"""

import array
import os
import shutil
import sys
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ControlError
from appliance.worker.confined import Failed, run

RATE = 8000
MOST_OCTETS = 5 * 1024 * 1024
MOST_SECONDS = 300.0
LEAST_SECONDS = 0.1
PEAK_DB = -3.0
SILENT_BELOW = 64  # of 32767: -54 dB


@dataclass(frozen=True, slots=True)
class Sound:
    """What a finished file holds; `peak` of 32767."""

    seconds: float
    peak: int


def convert(source: Path, target: Path) -> Sound:
    """Make a wav for the exchange from an uploaded wav or mp3, its peak at -3 dB; one that is just right is kept as
    it is. The target is replaced at the end.

    Raises ControlError: no-such-file, file-too-big, not-a-sound, sound-too-long.
    """
    kind = kind_of(source)
    if kind == "wav" and (exact := _as_it_is(source, target)):
        return exact
    with tempfile.TemporaryDirectory(prefix="sound-", dir=target.parent) as folder:
        raw, made = Path(folder) / "raw.wav", Path(folder) / "made.wav"
        try:
            if kind == "mp3":
                # at most the frames of MOST_SECONDS and a bit: 48 kHz has 41.7 a second, 8 kHz fewer
                frames = str(int(MOST_SECONDS * 45) + 1000)
                run(["mpg123", "-q", "-m", "-r", str(RATE), "-e", "s16", "-n", frames, "-w", str(raw), str(source)])
            resample("wav", raw if kind == "mp3" else source, made)
        except Failed as error:
            raise ControlError("not-a-sound", str(error)) from error
        sound = measure(made)
        if sound.seconds > MOST_SECONDS:
            raise ControlError("sound-too-long")
        if sound.seconds < LEAST_SECONDS:
            raise ControlError("not-a-sound")
        put(made, target)
    return sound


def _as_it_is(source: Path, target: Path) -> Sound | None:
    """A wav that is just what the exchange plays is kept octet by octet. None when it has to be converted."""
    try:
        sound = measure(source)
    except ControlError:
        return None
    if not LEAST_SECONDS <= sound.seconds <= MOST_SECONDS:
        return None
    with tempfile.TemporaryDirectory(prefix="sound-", dir=target.parent) as folder:
        made = Path(folder) / "made.wav"
        shutil.copyfile(source, made)
        put(made, target)
    return sound


def kind_of(source: Path) -> str:
    """ "wav" or "mp3" by the first octets. Raises ControlError."""
    try:
        size = source.stat().st_size
        with source.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise ControlError("no-such-file", str(error)) from error
    if size > MOST_OCTETS:
        raise ControlError("file-too-big")
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "mp3"
    raise ControlError("not-a-sound")


def resample(kind: str, source: Path, target: Path, quiet: float = 0.0) -> None:
    """sox: one channel, 8 kHz, 16 bits, peak at -3 dB, `quiet` seconds before and after. Raises Failed."""
    trim = ["trim", "0", str(MOST_SECONDS + 1)]
    pad = ["pad", str(quiet), str(quiet)] if quiet else []
    run(
        ["sox", "-V1", "-R", "-D", "-t", kind, str(source), "-t", "wav", "-e", "signed-integer", "-b", "16",
         str(target), *trim, "channels", "1", "rate", str(RATE), "highpass", "80", "norm", str(PEAK_DB), *pad]
    )  # fmt: skip


def measure(path: Path) -> Sound:
    """Length and peak. Raises ControlError `not-a-sound` unless it is exactly what the exchange plays."""
    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getcomptype())
            if form != (1, 2, RATE, "NONE"):
                raise ControlError("not-a-sound")
            octets = file.readframes(int((MOST_SECONDS + 60) * RATE))
    except (OSError, EOFError, wave.Error) as error:
        raise ControlError("not-a-sound", str(error)) from error
    samples = array.array("h", octets[: len(octets) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    peak = max(max(samples), -min(samples)) if samples else 0
    return Sound(len(samples) / RATE, peak)


def put(made: Path, target: Path) -> None:
    """Move a finished file to its place: fsynced, readable for the group, all or nothing."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.chmod(0o640)
    os.replace(made, target)


def write_samples(sound: "array.array[int]", target: Path) -> None:
    """Samples of 16 bits at 8 kHz, mono, as a wav file, put in its place whole. Swaps `sound` in place on a big-endian
    machine. Raises OSError."""
    if sys.byteorder == "big":
        sound.byteswap()
    with tempfile.TemporaryDirectory(prefix="made-", dir=target.parent) as folder:
        made = Path(folder) / "made.wav"
        with wave.open(str(made), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(sound.tobytes())
        put(made, target)
