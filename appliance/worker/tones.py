"""The tones a caller hears from us, computed for each country: ringing, busy, congestion, special information, and the
two that are the same everywhere, the beep of a mailbox and the tick of a queue.

What a country's tones are, `core.countries` knows. Each file is one whole cadence, so that it can be played in a loop.
"""

import array
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from appliance.core import countries
from appliance.core.countries import Segment
from appliance.worker.media import RATE, write_samples

LEVEL = 10 ** (-10 / 20) * 32767 * 0.707  # -10 dBm0 in all, as the countries' rules ask; 0 dBm0 is 3.14 dB under full
RAMP_SECONDS = 0.004  # without it each beat would click
CONTINUOUS_MS = 1000  # a whole number of every tone's waves
TONES: Mapping[str, str] = {
    "tone-dial": "dial", "tone-ringing": "ringback", "tone-busy": "busy", "tone-congestion": "congestion",
    "tone-waiting": "call_waiting", "tone-information": "special_information",
}  # fmt: skip
EVERYWHERE: Mapping[str, tuple[Segment, ...]] = {
    "tone-beep": (Segment((1000,), (400, 100)),),
    "tone-tick": (Segment((880,), (60, 4940)),),
}


def samples(segments: Sequence[Segment]) -> "array.array[int]":  # quoted: Python 3.11 cannot subscript it
    """One whole cadence: 8 kHz, 16 bits."""
    found = array.array("h")
    for segment in segments:
        cadence = segment.cadence * segment.repeat or (CONTINUOUS_MS,)
        for index, milliseconds in enumerate(cadence):
            count = milliseconds * RATE // 1000
            sounds = index % 2 == 0
            found.extend(
                _beat(segment.hertz, count, bool(segment.cadence)) if sounds else array.array("h", [0]) * count
            )
    return found


def _beat(hertz: Sequence[int], count: int, soft: bool) -> list[int]:
    each = LEVEL / math.sqrt(len(hertz))
    ramp = RAMP_SECONDS * RATE
    beat = []
    for n in range(count):
        shape = min(1.0, n / ramp, (count - n) / ramp) if soft else 1.0
        beat.append(int(each * shape * sum(math.sin(2 * math.pi * one * n / RATE) for one in hertz)))
    return beat


def render(out: Path) -> int:
    """Make what is missing below `out`: <country>/<tone>.wav, and those of no country in it. Gives how many were made.
    Raises OSError."""
    wanted = {out / f"{name}.wav": segments for name, segments in EVERYWHERE.items()}
    for code in countries.codes():
        for name, tone in TONES.items():
            if segments := countries.tone(code, tone):
                wanted[out / code / f"{name}.wav"] = segments
    due = {path: segments for path, segments in wanted.items() if not path.is_file()}
    for path, segments in due.items():
        path.parent.mkdir(mode=0o770, parents=True, exist_ok=True)
        write_samples(samples(segments), path)
    return len(due)
