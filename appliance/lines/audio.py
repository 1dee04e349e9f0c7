"""Who hears whom: slots of the conference bridge joined and parted, prompts, and PCM ports for modems.

No sample passes through Python. The place where two legs are joined is also where a direct relay of their packets would
take the bridge's part: `join` and `part` are all the rest of the exchange knows.
"""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from appliance.core.events import PromptEnded
from appliance.core.model import LegId
from appliance.lines import Post
from appliance.native import api as native

log = logging.getLogger(__name__)

TAIL_SECONDS = 0.2  # what the far end's buffer still holds when the last sample has left


@dataclass(slots=True)
class _Playing:
    player: int
    slot: int
    ended_at: float | None = None


class Audio:
    """Loop thread only."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._joined: set[tuple[int, int]] = set()
        self._playing: dict[LegId, _Playing] = {}
        self._pcm: dict[LegId, native.PcmPort] = {}

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
        self.stop_play(leg)
        try:
            self._playing[leg] = _Playing(native.play(str(path), slot, loop), slot)
        except OSError as error:
            log.warning("%s cannot be played: %s", path, error)
            self._post(PromptEnded(leg, ok=False))

    def stop_play(self, leg: LegId) -> None:
        """Stop what is played to a leg."""
        playing = self._playing.pop(leg, None)
        if playing:
            native.stop(playing.player)

    def poll(self, at: float) -> None:
        """Tell of prompts that ended."""
        for leg, playing in list(self._playing.items()):
            if playing.ended_at is None and native.finished(playing.player):
                playing.ended_at = at
            if playing.ended_at is not None and at >= playing.ended_at + TAIL_SECONDS:
                self.stop_play(leg)
                self._post(PromptEnded(leg))

    # ---- PCM ------------------------------------------------------------------------------------------------------

    def open_pcm(self, leg: LegId, fd: int) -> int:
        """Put a modem's audio into the bridge and return its slot. The caller keeps `fd`. Raises OSError."""
        self.close_pcm(leg)
        port = native.open_pcm(os.dup(fd))
        self._pcm[leg] = port
        return port.slot

    def close_pcm(self, leg: LegId) -> None:
        """Take it out again; no harm when it is gone."""
        port = self._pcm.pop(leg, None)
        if port:
            counters = native.read_pcm(port)
            log.info("%s: audio ended, %s", leg, counters)
            self.gone(port.slot)
            native.close_pcm(port)

    def counters(self) -> dict[str, dict[str, int]]:
        """Counters of the open PCM ports, by leg."""
        return {str(leg): found for leg, port in self._pcm.items() if (found := native.read_pcm(port))}

    def stop(self) -> None:
        """End all players and ports."""
        for leg in list(self._playing):
            self.stop_play(leg)
        for leg in list(self._pcm):
            self.close_pcm(leg)
