"""Music for callers who wait: our own few bars, computed, so that nobody's rights are in it.

A calm broken chord over four chords of C major, soft attack and long decay, two octaves in the middle of what a
telephone carries (300 to 3400 Hz). It ends where it begins, so it can be played in a loop.
"""

import array
import math

from appliance.worker.media import RATE

NOTE_SECONDS = 0.4
CHORDS = ((0, 4, 7, 12), (-3, 0, 4, 9), (5, 9, 12, 17), (-5, 2, 7, 11))  # C, A minor, F, G, in half tones from C5
PATTERN = (0, 1, 2, 3, 2, 1, 2, 1)
BASE_HERTZ = 523.25
PARTIALS = ((1, 1.0), (2, 0.28), (3, 0.09))
LOUDEST = 0.35 * 32767


def samples() -> "array.array[int]":  # quoted: Python 3.11 cannot subscript it
    """The whole loop: 8 kHz, 16 bits, 12.8 s."""
    step = int(NOTE_SECONDS * RATE)
    notes = [chord[index] for chord in CHORDS for index in PATTERN]
    length = step * len(notes)
    mixed = [0.0] * length
    for number, note in enumerate(notes):
        _ring(mixed, number * step, BASE_HERTZ * 2 ** (note / 12))
    loudest = max(abs(one) for one in mixed)
    return array.array("h", (int(one / loudest * LOUDEST) for one in mixed))


def _ring(mixed: list[float], start: int, hertz: float) -> None:
    """Add one note that fades over 1.2 s; what is left at the end sounds on at the beginning."""
    for offset in range(int(1.2 * RATE)):
        t = offset / RATE
        shape = min(1.0, t / 0.012) * math.exp(-3.2 * t) * min(1.0, (1.2 - t) / 0.1)
        tone = sum(level * math.sin(2 * math.pi * hertz * times * t) for times, level in PARTIALS)
        mixed[(start + offset) % len(mixed)] += shape * tone
