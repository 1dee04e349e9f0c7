"""Recordings of calls and messages: begun and ended by the call machine, kept in storage once they are whole. Loop
thread. The samples are written by the native part; here are names, places and what becomes of a file."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.commands import NOBODY
from appliance.core.model import CallId, LegId
from appliance.exchange.exchange import Exchange

log = logging.getLogger(__name__)

SHORTEST_MESSAGE = 1.0  # seconds; a shorter one is somebody who hung up at the tone


class Recorder(Protocol):
    """What is needed of lines/recorder.py."""

    def record(
        self, name: str, leg: LegId, path: Path, slots: tuple[int, int | None], longest: float, silence: float
    ) -> None: ...
    def pause(self, name: str, on: bool) -> None: ...
    def stop(self, name: str) -> None: ...


class Recording:
    """`keep` hands a finished one to storage; `room` says whether there is room on the disk for one more."""

    def __init__(
        self,
        exchange: Exchange,
        recorder: Recorder,
        folders: tuple[Path, Path],
        keep: Callable[[do.StoreRecording, Path], None],
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        """`folders`: of calls and of messages."""
        self._exchange = exchange
        self._recorder = recorder
        self._calls, self._messages = folders
        self._keep = keep
        self._room = room
        self._running: dict[str, do.Record] = {}
        exchange.extend(
            {do.Record: self._record, do.PauseRecord: self._pause, do.StopRecord: self._stop},
            {ev.RecordingEnded: self._ended},
        )

    def path(self, name: str, mailbox: str) -> Path:
        """Where a recording lies: messages flat, calls by year and month of their id."""
        return (self._messages if mailbox else self._calls / name[:4] / name[4:6]) / f"{name}.wav"

    def _record(self, command: do.Record) -> None:
        slots = self._exchange.slot_of(command.leg), self._exchange.slot_of(command.other)
        known = command.id in self._running
        if slots[0] is None or (command.other and slots[1] is None) or not (known or self._room()):
            log.warning("recording %s is not made: no sound yet, or no room on the disk", command.id)
            self._exchange.post(ev.RecordingEnded(command.leg, command.id, 0.0, "failed"))
            return
        self._running.setdefault(command.id, command)
        path = self.path(command.id, command.mailbox)
        self._recorder.record(
            command.id, command.leg, path, (slots[0], slots[1]), command.longest, command.silence
        )  # fmt: skip

    def _pause(self, command: do.PauseRecord) -> None:
        self._recorder.pause(command.id, command.on)

    def _stop(self, command: do.StopRecord) -> None:
        self._recorder.stop(command.id)

    def _ended(self, event: ev.RecordingEnded) -> None:
        """The file is whole: it is kept, and the call is told where it still goes on."""
        begun = self._running.pop(event.id, None)
        if begun and event.why != "failed":
            path = self.path(event.id, begun.mailbox)
            if begun.mailbox and event.seconds < SHORTEST_MESSAGE:
                path.unlink(missing_ok=True)
            else:
                stored = do.StoreRecording(
                    event.id, begun.call or CallId(""), begun.mailbox, begun.caller or NOBODY, begun.line,
                    event.seconds,
                )  # fmt: skip
                self._keep(stored, path)
        self._exchange.leg_event(event)
