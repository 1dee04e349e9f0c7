"""Recordings on disk: made small (mp3), attached to mails, and deleted when their time is over.

A file is called `<path>.wav` until `<path>.mp3` is whole; the wav of a call goes then, that of a message stays for the
telephone.
"""

import logging
import os
import sqlite3
import tempfile
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from appliance.journal.notes import believed
from appliance.journal.outbox import OutboxItem, Settled, State
from appliance.journal.times import stamp
from appliance.settings.fields import Value
from appliance.worker.confined import Failed, run
from appliance.worker.media import put

log = logging.getLogger(__name__)

RATE, KBITS = 16000, {1: 24, 2: 48}  # a rate that every player knows; of speech nothing is lost
ENCODE_SECONDS = 1200.0  # four hours of a call on the slowest box
MEBIBYTES = 256
MOST_ATTACHED = 10 * 1024 * 1024
MOST_AT_ONCE = 100
DELETED_ROWS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Keep:
    """Days; 0 is for ever."""

    recordings: int = 90
    messages: int = 365

    @classmethod
    def of(cls, section: Mapping[str, Value]) -> "Keep":
        """From the section `recording`."""
        return cls(int(str(section.get("keep_days", 90))), int(str(section.get("message_days", 365))))


def inside(state: Path, path: object) -> Path | None:
    """A path of the journal below the folder of state, without ending; None for one that leads out of it."""
    if not isinstance(path, str) or not path or "\0" in path:
        return None
    found = (state / path).resolve()
    folders = (state / "recordings", state / "voicemail")
    return found if any(found.is_relative_to(folder.resolve()) for folder in folders) else None


def small(path: Path) -> Path | None:
    """Make the mp3 unless it is there; None when there is no sound at all. `path` has no ending. Raises Failed."""
    wav, mp3 = path.with_name(path.name + ".wav"), path.with_name(path.name + ".mp3")
    if mp3.is_file():
        return mp3
    if not wav.is_file():
        return None
    with tempfile.TemporaryDirectory(prefix="mp3-", dir=path.parent) as folder:
        made = Path(folder) / "made.mp3"
        command = ["sox", "-V1", "-t", "wav", str(wav), "-t", "mp3", "-r", str(RATE), "-C", str(KBITS[_sides(wav)])]
        run([*command, str(made)], seconds=ENCODE_SECONDS, file_mebibytes=MEBIBYTES)
        if not made.is_file() or made.stat().st_size < 100:
            raise Failed("sox made no mp3")
        put(made, mp3)
        _sync(path.parent)
    return mp3


def _sides(wav: Path) -> int:
    try:
        with wave.open(str(wav), "rb") as file:
            return 2 if file.getnchannels() == 2 else 1
    except (OSError, EOFError, wave.Error) as error:
        raise Failed(f"{wav.name}: {error}") from error


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_small(state: Path, item: OutboxItem) -> Settled:
    """The errand `sound`: the mp3 of a recorded call, then its wav goes."""
    path = inside(state, item.payload.get("path"))
    try:
        if path is not None and small(path) is not None:
            path.with_name(path.name + ".wav").unlink(missing_ok=True)
    except (Failed, OSError) as error:
        log.warning("a recording stays as it is for now: %s", error)
        return Settled(error="sound-not-small")
    return Settled(dict.fromkeys(item.to, State.SENT))


def attach(state: Path, mail: EmailMessage, item: OutboxItem) -> None:
    """The message as mp3 to its mail; what was deleted meanwhile is not attached. Raises Failed."""
    path = inside(state, item.payload.get("path"))
    if item.payload.get("what") != "voicemail" or path is None:
        return
    mp3 = small(path)
    if mp3 is not None and mp3.stat().st_size <= MOST_ATTACHED:
        mail.add_attachment(mp3.read_bytes(), maintype="audio", subtype="mpeg", filename=mp3.name)


def forget_sounds(
    db: sqlite3.Connection, state: Path, at: datetime, keep: Keep, going: Callable[[], bool] = lambda: True
) -> int:
    """Delete recordings and heard messages that are older than they shall be kept, files first; gives how many. A clock
    that is not believed deletes nothing. Raises sqlite3.Error."""
    if not believed(db, at):
        return 0
    gone = 0
    if keep.recordings:
        old = "SELECT id, path FROM recordings WHERE at < ? LIMIT ?"
        gone += _forget(db, state, old, "DELETE FROM recordings WHERE id = ?", at - timedelta(keep.recordings), going)
    if keep.messages:
        old = "SELECT id, path FROM voicemail WHERE heard_at IS NOT NULL AND saved = 0 AND at < ? LIMIT ?"
        gone += _forget(db, state, old, "DELETE FROM voicemail WHERE id = ?", at - timedelta(keep.messages), going)
    db.execute("DELETE FROM voicemail WHERE deleted_at IS NOT NULL AND deleted_at < ?", (stamp(at - DELETED_ROWS),))
    return gone


def _forget(
    db: sqlite3.Connection, state: Path, old: str, delete: str, before: datetime, going: Callable[[], bool]
) -> int:
    gone = 0
    while going() and (rows := db.execute(old, (stamp(before), MOST_AT_ONCE)).fetchall()):
        for row in rows:
            if path := inside(state, row["path"]):
                for ending in (".wav", ".mp3"):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
            db.execute(delete, (row["id"],))
        gone += len(rows)
    return gone
