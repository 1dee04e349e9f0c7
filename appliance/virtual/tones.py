"""Keys in the sound: pairs of tones made and found (ITU-T Q.23, Q.24), 8 kHz, mono, 16 bits."""

import math
import struct

RATE = 8000
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")
FREQUENCIES = {key: (LOW[row], HIGH[column]) for row, keys in enumerate(KEYS) for column, key in enumerate(keys)}
TONE_SECONDS, GAP_SECONDS = 0.1, 0.1
LOUD = 9000.0
WINDOW = 205  # samples, so that each frequency falls near a bin
LEAST_SHARE = 0.6  # of the energy, in the two tones


def keys(digits: str) -> bytes:
    """The sound of the keys, a pause after each. Raises ValueError for what is no key."""
    found = b""
    for digit in digits.upper():
        if digit not in FREQUENCIES:
            raise ValueError("keys are 0 to 9, *, #, A to D")
        low, high = FREQUENCIES[digit]
        steps = (2 * math.pi * low / RATE, 2 * math.pi * high / RATE)
        samples = [int(LOUD * (math.sin(steps[0] * n) + math.sin(steps[1] * n)) / 2)
                   for n in range(int(RATE * TONE_SECONDS))]  # fmt: skip
        found += struct.pack(f"<{len(samples)}h", *samples) + b"\0\0" * int(RATE * GAP_SECONDS)
    return found


def find(sound: bytes) -> str:
    """The keys pressed in it."""
    count = len(sound) // 2
    samples = struct.unpack(f"<{count}h", sound[: count * 2])
    found, before, told = "", "", ""
    for start in range(0, count - WINDOW + 1, WINDOW):
        key = _key(samples[start : start + WINDOW])
        if key != before:
            told = ""
        elif key and key != told:  # heard in two windows one after the other
            found, told = found + key, key
        before = key
    return found


def _key(samples: tuple[int, ...]) -> str:
    energy = sum(s * s for s in samples)
    if energy < WINDOW * 200 * 200:
        return ""
    low = max(LOW, key=lambda f: _power(samples, f))
    high = max(HIGH, key=lambda f: _power(samples, f))
    share = (_power(samples, low) + _power(samples, high)) * 2 / (WINDOW * energy)
    return KEYS[LOW.index(low)][HIGH.index(high)] if share > LEAST_SHARE else ""


def _power(samples: tuple[int, ...], frequency: int) -> float:
    """Goertzel's sum."""
    turn = 2 * math.cos(2 * math.pi * frequency / RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    return one * one + two * two - turn * one * two
