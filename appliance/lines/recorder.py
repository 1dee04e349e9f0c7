"""Recordings of the bridge: what a leg says into a file, or what two legs say, caller left and colleague right.

The samples are written by a thread of the native part. A recording that runs is called `<name>.part`; it gets its name
once it is whole on disk.
"""

import logging
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from appliance.core.events import RecordingEnded
from appliance.core.model import LegId
from appliance.lines import Post
from appliance.native import api as native

log = logging.getLogger(__name__)

LAST_SECONDS = 3.0  # at the end of the process: how long a slow card may take to close the files


@dataclass(slots=True)
class _Running:
    leg: LegId
    port: native.Recorder
    slots: list[int]  # of the legs, in the order of the port's sides
    pauses: list[list[float]] = field(default_factory=list)  # [from, to] in seconds; the last may lack its end


class Recorder:
    """Loop thread only."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._running: dict[str, _Running] = {}
        self._pauses: dict[str, tuple[tuple[float, float], ...]] = {}

    def record(
        self, name: str, leg: LegId, path: Path, slots: tuple[int, int | None], longest: float, silence: float
    ) -> None:
        """Record the first slot, and the second beside it where there is one. RecordingEnded follows always, with
        `why` failed when the file cannot be made. One that runs goes on in its file with these slots. `longest`,
        `silence`: seconds, 0 for never."""
        heard = [slot for slot in slots if slot is not None]
        if name in self._running:
            self._go_on(self._running[name], heard)
            return
        try:
            path.parent.mkdir(mode=0o770, parents=True, exist_ok=True)
            port = native.record(str(path), len(heard), longest, silence)
        except OSError as error:
            log.error("recording %s cannot be made: %s", name, error)
            self._post(RecordingEnded(leg, name, 0.0, "failed"))
            return
        self._running[name] = _Running(leg, port, heard)
        for slot, side in zip(heard, port.slots, strict=True):
            native.connect(slot, side)

    @staticmethod
    def _go_on(running: _Running, slots: list[int]) -> None:
        """Other legs speak into the same file."""
        for index, slot in enumerate(slots[: len(running.slots)]):
            if slot != running.slots[index]:
                native.disconnect(running.slots[index], running.port.slots[index])
                native.connect(slot, running.port.slots[index])
                running.slots[index] = slot

    def pause(self, name: str, on: bool) -> None:
        """Leave silence in place of what is said; where, `pauses` tells afterwards."""
        running = self._running.get(name)
        if running is None:
            return
        native.record_pause(running.port, on)
        at, open_one = native.record_length(running.port), bool(running.pauses) and len(running.pauses[-1]) == 1
        if on and not open_one:
            running.pauses.append([at])
        elif not on and open_one:
            running.pauses[-1].append(at)

    def stop(self, name: str) -> None:
        """End it; no harm when it has ended."""
        if name in self._running:
            native.record_stop(self._running[name].port)

    def pauses(self, name: str) -> tuple[tuple[float, float], ...]:
        """The pauses of a recording that has ended, in seconds from its start; asked once."""
        return self._pauses.pop(name, ())

    def length(self, name: str) -> float:
        """Seconds recorded so far, 0 when it does not run."""
        return native.record_length(self._running[name].port) if name in self._running else 0.0

    def runs(self, name: str) -> bool:
        """Whether it has not ended."""
        return name in self._running

    def moved(self, old: int, new: int) -> None:
        """A leg is in another slot now."""
        for running in self._running.values():
            for index, slot in enumerate(running.slots):
                if slot == old:
                    running.slots[index] = new
                    native.connect(new, running.port.slots[index])

    def poll(self) -> None:
        """Tell of those that have ended."""
        for name, running in list(self._running.items()):
            ended = native.recorded(running.port)
            if ended is None:
                continue
            del self._running[name]
            native.record_close(running.port)
            if running.pauses:
                self._pauses[name] = tuple(
                    (one[0], one[1] if len(one) > 1 else ended.seconds) for one in running.pauses
                )
            if ended.error:
                log.error("recording %s is not whole: %s", name, os.strerror(ended.error))
            self._post(RecordingEnded(running.leg, name, ended.seconds, ended.why))

    def stop_all(self) -> None:
        """At the end: close the files, and wait for that a moment."""
        for name in list(self._running):
            self.stop(name)
        until = time.monotonic() + LAST_SECONDS
        while self._running and time.monotonic() < until:
            self.poll()
            time.sleep(0.02)  # the native thread closes the files; no call is left by now, LAST_SECONDS at most
