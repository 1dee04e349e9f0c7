"""Recordings of calls and messages of mailboxes: where they lie, that nothing of them is lost, and who is told.

A note beside the file (`<id>.json`) says whose it is until its row is in the journal; at the start every note that is
left is a recording that was cut by a crash or a power cut: its file is mended and its row written. Loop thread.
"""

import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.model import CallId, Kind, LegId, LineId, Number
from appliance.errors import JournalError
from appliance.exchange.control import Answer
from appliance.exchange.exchange import Exchange
from appliance.exchange.verbs import Args, Later, Reply, text
from appliance.journal.recordings import ForgetSound, KeepMessage, KeepRecording, MarkHeard, SaveMessage
from appliance.journal.times import moment, stamp
from appliance.journal.writes import Result, Write
from appliance.settings.places import Places

log = logging.getLogger(__name__)

LEAST_MESSAGE = 1.5  # seconds: a message without a word ends with one second of silence
PATIENCE_SECONDS = 10.0  # a leg gets its sound a moment after it is answered
HEAD, RATE = 44, 8000
NOTE = ".json"

Submit = Callable[[Write, Callable[[Result | JournalError], None]], None]


class Sound(Protocol):
    """What is needed of lines/recorder.py."""

    def record(
        self, name: str, leg: LegId, path: Path, slots: tuple[int, int | None], longest: float, silence: float
    ) -> None: ...
    def pause(self, name: str, on: bool) -> None: ...
    def stop(self, name: str) -> None: ...
    def pauses(self, name: str) -> tuple[tuple[float, float], ...]: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """How recordings are kept: `free_percent` of the disk must be free for a new one."""

    free_percent: int = 10


@dataclass(frozen=True, slots=True)
class _Running:
    command: do.Record
    path: Path  # without ending
    at: datetime


class Recordings:
    """Carries out Record, PauseRecord and StopRecord, and keeps what has ended."""

    def __init__(self, exchange: Exchange, sound: Sound, places: Places, submit: Submit) -> None:
        self._exchange = exchange
        self._sound = sound
        self._places = places
        self._submit = submit
        self._running: dict[str, _Running] = {}
        self._waiting: dict[str, tuple[do.Record, float]] = {}
        self._told_full = False
        self.kept = Kept()
        self.counts: Mapping[str, tuple[int, int]] = {}  # mailbox: new, heard
        self.changed: Callable[[], None] = lambda: None  # on the storage thread: what is kept is other than before
        exchange.extend(
            {
                do.Record: self._record,
                do.PauseRecord: self._pause,
                do.StopRecord: self._stop,
                do.MarkMessage: self._mark,
            },
            {ev.RecordingEnded: self._ended},
        )

    def tick(self, at: float) -> None:
        """Begin what waited for its legs. `at`: monotonic seconds."""
        for name, (command, until) in list(self._waiting.items()):
            if self._try(command):
                del self._waiting[name]
            elif at >= until:
                del self._waiting[name]
                log.warning("%s is not recorded: its sound did not come", name)
                self._exchange.leg_event(ev.RecordingEnded(command.leg, name, 0.0, "failed"))

    def recorded_now(self) -> frozenset[str]:
        """The calls that are recorded now."""
        return frozenset(str(one.command.call) for one in self._running.values() if one.command.call)

    def unheard(self, extension: str) -> tuple[int, int]:
        """New and heard messages of a colleague's own mailboxes: his lamp."""
        boxes = [box.id for box in self._exchange.plan.mailboxes.values() if box.owner == extension]
        found = [self.counts.get(box, (0, 0)) for box in boxes]
        return sum(new for new, _ in found), sum(old for _, old in found)

    # ---- verbs ----------------------------------------------------------------------------------------------------

    def verbs(self) -> dict[str, Later]:
        """For the control socket."""
        return {"sound.heard": self._verb_heard, "sound.remove": self._verb_remove}

    def _verb_heard(self, args: Args, who: str, reply: Reply) -> None:
        """Somebody heard a message on the page."""

        def done(result: Result | JournalError) -> None:
            self.changed()
            failed = isinstance(result, JournalError)
            reply(Answer(error="journal-error") if failed else Answer(ok={"heard": bool(result)}))

        self._submit(MarkHeard(text(args, "id"), stamp(self._exchange.clock.now())), done)

    def _verb_remove(self, args: Args, who: str, reply: Reply) -> None:
        """A recording or a message goes for good."""
        log.info("%s deletes %s", who, text(args, "id"))
        self.forget(text(args, "id"), lambda gone: reply(Answer(ok={}) if gone else Answer(error="no-such-recording")))

    # ---- commands -------------------------------------------------------------------------------------------------

    def _record(self, command: do.Record) -> None:
        if command.id not in self._running and not self._room():
            self._exchange.post(ev.RecordingEnded(command.leg, command.id, 0.0, "failed"))
        elif not self._try(command):
            self._waiting[command.id] = command, self._exchange.clock.monotonic() + PATIENCE_SECONDS

    def _room(self) -> bool:
        """The guard of the disk: a call goes on without its recording, and people are told once."""
        found = shutil.disk_usage(self._places.state)
        room = found.free * 100 >= self.kept.free_percent * found.total
        if not room and not self._told_full:
            self._exchange.happened("recording-no-room", {"percent": str(self.kept.free_percent)}, "warning")
        self._told_full = not room
        return room

    def _try(self, command: do.Record) -> bool:
        slot = self._exchange.slot_of(command.leg)
        other = self._exchange.slot_of(command.other) if command.other else None
        if slot is None or (command.other and other is None):
            return False
        running = self._running.get(command.id)
        if running is None:
            now = self._exchange.clock.now()
            running = _Running(command, self._path(command, now), now)
            self._running[command.id] = running
            _write_note(running)
        path = running.path.with_name(running.path.name + ".wav")
        self._sound.record(command.id, command.leg, path, (slot, other), command.longest, command.silence)
        return True

    def _path(self, command: do.Record, now: datetime) -> Path:
        """A name that no file has: a call may be recorded, stopped and recorded again."""
        local = now.astimezone(self._exchange.plan.zone)
        folder = self._places.voicemail if command.mailbox else self._places.recordings / f"{local:%Y/%m}"
        safe = re.sub(r"[^A-Za-z0-9-]", "-", command.id)[:80]
        names = [safe, *(f"{safe}-{n}" for n in range(2, 100))]
        taken = {path.stem.removesuffix(".wav") for path in folder.glob(f"{safe}*")} if folder.is_dir() else set()
        folder.mkdir(mode=0o770, parents=True, exist_ok=True)
        return folder / next((name for name in names if name not in taken), names[-1])

    def _pause(self, command: do.PauseRecord) -> None:
        self._sound.pause(command.id, command.on)

    def _stop(self, command: do.StopRecord) -> None:
        waited = self._waiting.pop(command.id, None)
        if waited:
            self._exchange.post(ev.RecordingEnded(waited[0].leg, command.id, 0.0, "failed"))
        self._sound.stop(command.id)

    # ---- what has ended -------------------------------------------------------------------------------------------

    def _ended(self, event: ev.RecordingEnded) -> None:
        running = self._running.pop(event.id, None)
        pauses = self._sound.pauses(event.id)
        if running:
            wordless = bool(running.command.mailbox) and event.seconds < LEAST_MESSAGE
            if event.why == "failed":
                self._exchange.happened("recording-failed", {"line": running.command.line}, "warning")
            elif wordless:
                remove_files(running.path)
            else:
                self.keep(running, event.seconds, pauses)
        self._exchange.leg_event(event)

    def keep(
        self, running: _Running, seconds: float, pauses: tuple[tuple[float, float], ...], interrupted: bool = False
    ) -> None:
        """Write the row; the note goes once it is there."""
        command, path = running.command, str(running.path.relative_to(self._places.state))
        note, name = running.path.with_name(running.path.name + NOTE), running.path.name
        facts = (str(command.call or ""), command.caller, command.line, stamp(running.at), seconds, path)
        write: Write = KeepRecording(name, *facts, pauses, interrupted)
        if command.mailbox:
            write = self._message(command, name, facts)

        def done(result: Result | JournalError) -> None:  # storage thread
            if isinstance(result, JournalError):
                log.error("%s has no row yet, it gets one at the next start: %s", name, result)
            else:
                note.unlink(missing_ok=True)
                self.changed()

        self._submit(write, done)

    def _message(self, command: do.Record, name: str, facts: tuple[str, Number, str, str, float, str]) -> KeepMessage:
        box = self._exchange.plan.mailboxes.get(command.mailbox)
        line = self._exchange.plan.lines.get(LineId(command.line))
        return KeepMessage(
            name, command.mailbox, box.name if box else command.mailbox, *facts,
            line_label=line.label if line else command.line, mail_to=box.mail_to if box else (),
            sms_to=box.sms_to if box else "",
        )  # fmt: skip

    # ---- the start ------------------------------------------------------------------------------------------------

    def repair(self) -> int:
        """At the start, before any call: mend what was cut, keep it, and give how much that was."""
        found = 0
        for folder in (self._places.recordings, self._places.voicemail):
            for note in folder.glob(f"**/*{NOTE}"):
                running, path = _read_note(note), note.with_name(note.name.removesuffix(NOTE))
                seconds = mended(path.with_name(path.name + ".wav"))
                if running is None or seconds is None:
                    note.unlink(missing_ok=True)
                    continue
                found += 1
                self.keep(_Running(running[0], path, running[1]), seconds, (), interrupted=True)
        return found

    def _mark(self, command: do.MarkMessage) -> None:
        if command.what == "deleted":
            self.forget(command.id, lambda gone: None)
            return
        now = stamp(self._exchange.clock.now())
        write: Write = SaveMessage(command.id) if command.what == "saved" else MarkHeard(command.id, now)
        self._submit(write, lambda result: self.changed())

    def forget(self, name: str, done: Callable[[bool], None]) -> None:
        """Delete a recording or a message with its files; `done` is told on the storage thread."""

        def written(result: Result | JournalError) -> None:
            if isinstance(result, str) and result:
                remove_files(self._places.state / result)
            self.changed()
            done(isinstance(result, str) and bool(result))

        self._submit(ForgetSound(name, stamp(self._exchange.clock.now())), written)


def remove_files(path: Path) -> None:
    """All files of a recording; `path` has no ending."""
    for ending in (".wav", ".mp3", ".wav.part", NOTE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def mended(path: Path) -> float | None:
    """The seconds of a wav file of ours whose end was cut off, with its sizes set right; None where there is none."""
    part = path.with_name(path.name + ".part")
    if not path.exists() and not part.exists():
        return None
    with (path if path.exists() else part).open("r+b") as file:
        head = file.read(HEAD)
        if len(head) < HEAD or head[:4] != b"RIFF" or head[36:40] != b"data":
            return None
        frame = max(int.from_bytes(head[32:34], "little"), 2)
        size = (os.fstat(file.fileno()).st_size - HEAD) // frame * frame
        file.truncate(HEAD + size)
        for at, value in ((4, size + HEAD - 8), (40, size)):
            file.seek(at)
            file.write(value.to_bytes(4, "little"))
        file.flush()
        os.fsync(file.fileno())
    if not path.exists():
        part.rename(path)
    return size / frame / RATE


def _write_note(running: _Running) -> None:
    command = running.command
    body = {
        "call": str(command.call or ""), "mailbox": command.mailbox, "caller": command.caller.text,
        "kind": str(command.caller.kind), "line": command.line, "at": stamp(running.at),
    }  # fmt: skip
    running.path.with_name(running.path.name + NOTE).write_text(json.dumps(body), encoding="utf-8")


def _read_note(note: Path) -> tuple[do.Record, datetime] | None:
    try:
        body: Mapping[str, object] = json.loads(note.read_text(encoding="utf-8"))
        facts = {name: str(body[name]) for name in ("call", "mailbox", "caller", "kind", "line", "at")}
        caller = Number(facts["caller"], Kind(facts["kind"]))
        command = do.Record(
            note.name.removesuffix(NOTE), LegId(""), None, call=CallId(facts["call"]), mailbox=facts["mailbox"],
            caller=caller, line=facts["line"],
        )  # fmt: skip
        return command, moment(facts["at"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be read: %s", note.name, error)
        return None
