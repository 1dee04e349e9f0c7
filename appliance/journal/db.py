"""Opening the journal: the same settings of SQLite for every process, and its faults told apart.

A damaged file is reported and left alone: making a new one in its place would hide the loss, and what is still
readable in it would be gone. `put_aside` is for the owner's decision only.
"""

import errno
import os
import sqlite3
import time
from pathlib import Path

from appliance.errors import DiskFull, JournalBusy, JournalDamaged, JournalError, JournalTooNew
from appliance.journal.schema import MIGRATIONS, VERSION, migrate, version

BUSY_MS = 2000
MODE = 0o660
LARGEST_CHECKED = 64 * 1024 * 1024  # quick_check reads the whole file: 0.1 s here, too long above

_PRIMARY = 0xFF  # extended result codes carry the primary one in the low byte (sqlite.org/rescode.html)
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def translate(error: sqlite3.Error | OSError) -> JournalError:
    """Our error for what SQLite or the system said. An I/O error counts as a full disk: nothing can be stored."""
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
        return DiskFull(str(error)) if full else JournalError(str(error))
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code in _FULL:
        return DiskFull(str(error))
    if code in _BUSY:
        return JournalBusy(str(error))
    if code in _DAMAGED:
        return JournalDamaged(str(error))
    return JournalError(str(error))


def open_owner(path: Path) -> sqlite3.Connection:
    """The exchange's connection: made if it is not there, checked, migrated. It may be handed to one other thread.

    Raises JournalDamaged, JournalTooNew, DiskFull, JournalError.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, MODE))
        if path.stat().st_mode & 0o777 != MODE and path.stat().st_uid == os.geteuid():
            path.chmod(MODE)
        db = _connect(path)
    except (sqlite3.Error, OSError) as error:
        raise translate(error) from error
    try:
        _check(db, path)
        migrate(db, MIGRATIONS)
    except (sqlite3.Error, OSError) as error:
        db.close()
        raise translate(error) from error
    except JournalError:
        db.close()
        raise
    return db


def open_writer(path: Path, seconds: float = 10.0) -> sqlite3.Connection:
    """A connection for worker and page, once the exchange has made the tables. Raises JournalError after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        try:
            if path.exists():
                db = _connect(path)
                found = version(db)
                if found == VERSION:
                    return db
                db.close()
                if found > VERSION:
                    raise JournalTooNew(found=str(found), known=str(VERSION))
        except (sqlite3.Error, OSError) as error:
            fault = translate(error)
            if isinstance(fault, JournalDamaged):
                raise fault from error
        if time.monotonic() >= until:
            raise JournalError("the exchange has not made the journal yet")
        time.sleep(0.05)  # until the exchange has migrated; bounded by `seconds`


def open_reader(path: Path, seconds: float = 10.0) -> sqlite3.Connection:
    """A connection that cannot write. Raises JournalError after `seconds`."""
    db = open_writer(path, seconds)
    db.execute("PRAGMA query_only = ON")
    return db


def put_aside(path: Path) -> Path:
    """Rename a damaged journal and its log so that the next start makes a new one; gives its new name.

    Only by the owner's decision, with the exchange stopped.
    """
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    for ending in ("-wal", "-shm", ""):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(str(path), timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA trusted_schema = OFF")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size > LARGEST_CHECKED:
        return
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise JournalDamaged(str(found)[:200])
