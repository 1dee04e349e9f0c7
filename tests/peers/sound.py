"""Sound as a person hears it: tones made, and found again in recordings."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 8000


def tone(path: Path, hertz: float, seconds: float, level: float = 0.4) -> Path:
    """A wav file with a tone."""
    samples = (np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE) * level * 32767).astype("<i2")
    return write(path, samples)


def silence(path: Path, seconds: float) -> Path:
    """A wav file with nothing."""
    return write(path, np.zeros(int(RATE * seconds), "<i2"))


def write(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def alaw(hertz: float, start: int, count: int, level: float = 0.4) -> bytes:
    """A tone in A-law (ITU-T G.711), `count` samples from sample `start`."""
    linear = (np.sin(2 * np.pi * hertz * np.arange(start, start + count) / RATE) * level * 32767).astype(int) >> 3
    size = np.where(linear >= 0, linear, -linear - 1)
    segment = np.maximum(np.floor(np.log2(np.maximum(size, 1))).astype(int) - 4, 0)
    code = (segment << 4) | ((size >> np.maximum(segment, 1)) & 15)
    return bytes((np.where(linear >= 0, code | 0x80, code) ^ 0x55).astype(np.uint8))


def read(path: Path) -> np.ndarray:
    """Samples of a recording, mono, even when its header was never finished."""
    data = path.read_bytes()
    start = data.find(b"data") + 8
    channels = int.from_bytes(data[22:24], "little")
    samples = np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], "<i2")
    return samples[: len(samples) // channels * channels].reshape(-1, channels)[:, 0]


@dataclass(frozen=True)
class Heard:
    """What a stretch of sound is made of."""

    share: float  # of the energy within 5 Hz of the tone
    own: float  # of the energy within 5 Hz of the other tone
    longest_gap: float  # seconds without the tone
    seconds: float


def analyse(samples: np.ndarray, hertz: float, other: float, seconds: float = 3.0) -> Heard:
    """The best stretch of `seconds` in a recording: where the tone has most energy."""
    need = int(RATE * seconds)
    if len(samples) < need:
        return Heard(0, 0, seconds, len(samples) / RATE)
    best = max(range(0, len(samples) - need + 1, RATE // 10), key=lambda at: _share(samples[at : at + need], hertz))
    part = samples[best : best + need].astype(float)
    return Heard(_share(part, hertz), _share(part, other), _gap(part, hertz), seconds)


def _share(samples: np.ndarray, hertz: float, width: float = 5.0) -> float:
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples)))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    total = spectrum[frequencies > 20].sum()
    return float(spectrum[np.abs(frequencies - hertz) <= width].sum() / total) if total else 0.0


def _gap(samples: np.ndarray, hertz: float) -> float:
    """The longest time in which the tone is under a tenth of its usual strength, in steps of 5 ms."""
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / RATE)
    step, window = RATE // 200, RATE // 100
    strength = np.array([abs((samples[i : i + window] * turns[i : i + window]).mean())
                         for i in range(0, len(samples) - window, step)])  # fmt: skip
    low = strength < np.median(strength) * 0.1
    longest = run = 0
    for quiet in low:
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return longest * step / RATE


def level(samples: np.ndarray) -> float:
    """Root mean square, 0 to 1."""
    return float(np.sqrt(np.mean((samples.astype(float) / 32768) ** 2))) if len(samples) else 0.0
