"""Who hears whom: slots of the conference bridge joined and parted, prompts, and PCM ports for modems.

No sample passes through Python. The place where two legs are joined is also where a direct relay of their packets would
take the bridge's part: `join` and `part` are all the rest of the exchange knows.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.core.events import PromptEnded
from appliance.core.model import LegId
from appliance.core.self_test import Heard
from appliance.lines import Post
from appliance.lines.recorder import Recorder
from appliance.native import api as native

log = logging.getLogger(__name__)

TAIL_SECONDS = 0.2  # what the far end's buffer still holds when the last sample has left
LOOK_SECONDS = 0.5  # between two looks whether a modem's audio is still there
CLOSED = 1  # as the native part tells an end of file
TEST_HERTZ, TEST_MILLISECONDS, TEST_LEVEL, TEST_DB = 1000, 3000, 20, -17  # 20 % of full scale are -17 dBFS


@dataclass(slots=True)
class _Playing:
    player: int
    slot: int
    ended_at: float | None = None


@dataclass(slots=True)
class _Wire:
    """A modem's audio."""

    port: native.PcmPort
    heard: Callable[[str], None] = lambda digit: None
    lost: Callable[[str], None] = lambda why: None
    look_at: float = 0.0
    told: bool = False
    before: dict[str, int] = field(default_factory=dict)  # counters when a test began


class Audio:
    """Loop thread only."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._joined: set[tuple[int, int]] = set()
        self._playing: dict[LegId, _Playing] = {}
        self._pcm: dict[LegId, _Wire] = {}
        self.recorder = Recorder(post)

    def join(self, a: int, b: int) -> None:
        """Let two slots hear each other; a slot joined to itself is an echo."""
        self._joined.add((a, b))
        self._connect(a, b)

    def part(self, a: int, b: int) -> None:
        """Undo `join`."""
        self._joined.discard((a, b))
        self._joined.discard((b, a))
        native.disconnect(a, b)
        if a != b:
            native.disconnect(b, a)

    def echo(self, slot: int) -> None:
        """Let somebody hear themselves."""
        self.join(slot, slot)

    def moved(self, old: int, new: int) -> None:
        """A leg's media was made anew, perhaps in another slot: what it was joined to is joined again."""
        for a, b in [pair for pair in self._joined if old in pair]:
            self._joined.discard((a, b))
            self.join(new if a == old else a, new if b == old else b)
        self.recorder.moved(old, new)

    def gone(self, slot: int) -> None:
        """The leg of a slot ended: the bridge has forgotten it."""
        self._joined = {pair for pair in self._joined if slot not in pair}

    def _connect(self, a: int, b: int) -> None:
        native.connect(a, b)
        if a != b:
            native.connect(b, a)

    # ---- prompts ------------------------------------------------------------------------------------------------

    def play(self, leg: LegId, slot: int, path: Path, loop: bool) -> None:
        """Play a file to a leg; PromptEnded follows unless it loops or is stopped."""
        self.say(leg, slot, (path,), loop)

    def say(self, leg: LegId, slot: int, paths: Sequence[Path], loop: bool = False) -> None:
        """Play files one after another without a gap; PromptEnded follows unless it loops or is stopped."""
        self.stop_play(leg)
        try:
            self._playing[leg] = _Playing(native.play([str(path) for path in paths], slot, loop), slot)
        except OSError as error:
            log.warning("%s cannot be played: %s", paths, error)
            self._post(PromptEnded(leg, ok=False))

    def stop_play(self, leg: LegId) -> None:
        """Stop what is played to a leg."""
        playing = self._playing.pop(leg, None)
        if playing:
            native.stop(playing.player)

    def poll(self, at: float) -> None:
        """Tell of prompts that ended, digits that were heard, and audio that went away."""
        self.recorder.poll()
        for wire in list(self._pcm.values()):
            self._poll_wire(wire, at)
        for leg, playing in list(self._playing.items()):
            if playing.ended_at is None and native.finished(playing.player):
                playing.ended_at = at
            if playing.ended_at is not None and at >= playing.ended_at + TAIL_SECONDS:
                self.stop_play(leg)
                self._post(PromptEnded(leg))

    # ---- PCM ------------------------------------------------------------------------------------------------------

    def open_pcm(self, leg: LegId, fd: int, rate: int = 8000, burst: int = 1) -> int:
        """Put a modem's audio into the bridge and return its slot. The caller keeps `fd`. `rate`, `burst`: see
        `native.api.open_pcm`. Raises OSError."""
        self.close_pcm(leg)
        return self._opened(leg, native.open_pcm(os.dup(fd), rate, burst))

    def open_card(self, leg: LegId, name: str) -> int:
        """The same with a sound card, by its ALSA name. Raises OSError."""
        self.close_pcm(leg)
        return self._opened(leg, native.open_card(name))

    def _opened(self, leg: LegId, port: native.PcmPort) -> int:
        self._pcm[leg] = _Wire(port)
        return port.slot

    def listen(self, leg: LegId, heard: Callable[[str], None], lost: Callable[[str], None]) -> None:
        """Tell of digits that are heard in a modem's audio, and once when it went away."""
        if leg in self._pcm:
            self._pcm[leg].heard, self._pcm[leg].lost = heard, lost

    def flow(self, leg: LegId, go: bool) -> None:
        """The modem takes speech, or none for now."""
        if leg in self._pcm:
            native.pcm_flow(self._pcm[leg].port, go)

    def press(self, leg: LegId, digits: str) -> None:
        """Say digits to a modem as sound."""
        if leg in self._pcm:
            native.pcm_dial(self._pcm[leg].port, digits)

    def close_pcm(self, leg: LegId) -> None:
        """Take it out again; no harm when it is gone."""
        wire = self._pcm.pop(leg, None)
        if wire:
            counters = native.read_pcm(wire.port)
            log.info("%s: audio ended, %s", leg, counters)
            self.gone(wire.port.slot)
            native.close_pcm(wire.port)

    def _poll_wire(self, wire: "_Wire", at: float) -> None:
        for digit in native.pcm_digits(wire.port):
            wire.heard(digit)
        if at < wire.look_at:
            return
        wire.look_at = at + LOOK_SECONDS
        counters = native.read_pcm(wire.port)
        if counters and counters["closed"] and not wire.told:
            wire.told = True
            wire.lost("it was closed" if counters["closed"] == CLOSED else os.strerror(counters["closed"]))

    # ---- how loud ---------------------------------------------------------------------------------------------------

    def levels(self, slot: int) -> tuple[int, int]:
        """How loud a leg is now, from it and to it: dBFS, -90 is silence. Of modems measured over 150 ms, of phones in
        the last 20 ms."""
        port = next((wire.port for wire in self._pcm.values() if wire.port.slot == slot), None)
        counters = native.read_pcm(port) if port else None
        if counters:
            return counters["sound_in"], counters["sound_out"]
        to, of = native.level(slot)
        return native.decibels(of), native.decibels(to)

    @property
    def has_speech(self) -> bool:
        """Whether a modem's audio is open."""
        return bool(self._pcm)

    # ---- the test of a line -----------------------------------------------------------------------------------------

    def begin_test(self, leg: LegId) -> bool:
        """Say the test's tone to a modem and look for it in what comes back. False: its audio is not open."""
        wire = self._pcm.get(leg)
        if wire is None:
            return False
        wire.before = native.read_pcm(wire.port) or {}
        native.pcm_probe(wire.port, TEST_HERTZ)
        native.pcm_tone(wire.port, TEST_HERTZ, TEST_MILLISECONDS, TEST_LEVEL)
        return True

    def tested(self, leg: LegId) -> Heard | None:
        """What was heard since `begin_test`; None when the audio is gone."""
        wire = self._pcm.get(leg)
        probe, after = (native.pcm_probed(wire.port), native.read_pcm(wire.port)) if wire else (None, None)
        if wire is None or probe is None or after is None:
            return None
        more = {name: value - wire.before.get(name, 0) for name, value in after.items()}
        return Heard(
            more["in_bytes"], probe.blocks, probe.silent, probe.tone, probe.noisy, probe.jumps, probe.first_ms,
            probe.best_db, TEST_DB, more["inserted"] + more["removed"] + more["starved"], more["realigned"],
        )  # fmt: skip

    def counters(self) -> dict[str, dict[str, int]]:
        """Counters of the open PCM ports, by leg."""
        return {str(leg): found for leg, wire in self._pcm.items() if (found := native.read_pcm(wire.port))}

    def stop(self) -> None:
        """End all recordings, players and ports."""
        self.recorder.stop_all()
        for leg in list(self._playing):
            self.stop_play(leg)
        for leg in list(self._pcm):
            self.close_pcm(leg)
