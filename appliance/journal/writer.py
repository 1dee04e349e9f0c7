"""The storage thread: every write of the exchange to its journal, with the fsync.

What waits is written together: one transaction, one fsync, and only then the results are told. A write that fails
alone (a broken rule of the schema) is taken back alone. When the disk refuses, everything of that transaction is
reported as DiskFull and nothing is kept: the caller decides what to try again; calls go on and messages stay on their
SIM. Hits of block entries wait in memory for the next transaction, ten seconds at most.
"""

import contextlib
import logging
import queue
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import JournalBusy, JournalError
from appliance.journal.apply import Apply, merged
from appliance.journal.db import open_owner, translate
from appliance.journal.messages import Join
from appliance.journal.recordings import KeepMessage, KeepRecording
from appliance.journal.writes import AddNotice, CountHits, PartStored, Result, RetryOutbox, SweepParts, Write

log = logging.getLogger(__name__)

MOST_WAITING = 2000
MOST_TOGETHER = 200
HITS_WAIT_SECONDS = 10.0
REOPEN_SECONDS = 2.0
BUSY_TRIES = 5  # each waits as long as db.BUSY_MS

# what is wrong with one write alone, not with the journal
_OF_ONE_WRITE = (
    sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError,
    ValueError, LookupError, OverflowError,
)  # fmt: skip

Done = Callable[[Result | JournalError], None]


@dataclass(frozen=True, slots=True)
class _Job:
    write: Write
    done: Done | None


class Writer:
    """Owns the exchange's connection and the thread `storage`. `start()` and `stop()` may be called twice."""

    def __init__(self, path: Path, join: Join, host: str = "centralka.local", worker: Path | None = None) -> None:
        """`join` joins neighbouring parts of a message; `host` ends the Message-IDs; `worker` is worker.sock."""
        self._path = path
        self._join = join
        self._host = host
        self._worker = worker
        self._queue: queue.Queue[_Job | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._db: sqlite3.Connection | None = None
        self._apply: Apply | None = None
        self._hits: list[CountHits] = []
        self._hits_since = 0.0
        self._reopen_at = 0.0
        self._fault: JournalError | None = None

    @property
    def fault(self) -> JournalError | None:
        """Why nothing can be stored now (DiskFull, JournalDamaged...), None while it can. Any thread."""
        return self._fault

    def start(self) -> JournalError | None:
        """Open and migrate the journal and start the thread. Gives the fault when it cannot be opened: the thread runs
        all the same, tries again, and answers every write with the fault until it succeeds."""
        if self._thread:
            return self._fault
        self._open()
        self._thread = threading.Thread(target=self._run, name="storage", daemon=True)
        self._thread.start()
        return self._fault

    def stop(self, seconds: float = 5.0) -> None:
        """Write what waits, close. Waits at most `seconds`."""
        thread, self._thread = self._thread, None
        if thread:
            with contextlib.suppress(queue.Full):
                self._queue.put(None, timeout=seconds)
            thread.join(seconds)

    def submit(self, write: Write, done: Done | None = None) -> None:
        """Hand a write over; never blocks. `done` gets the result, or a JournalError, on the storage thread (on the
        caller's when the queue is full) and must only post."""
        try:
            self._queue.put_nowait(_Job(write, done))
        except queue.Full:
            _tell(_Job(write, done), JournalBusy("too much waits to be written"))

    def _run(self) -> None:
        going = True
        while going:
            jobs: list[_Job] = []
            going = self._take(jobs)
            counts = [job for job in jobs if isinstance(job.write, CountHits)]
            self._keep_hits(counts)
            rest = [job for job in jobs if not isinstance(job.write, CountHits)]
            late = bool(self._hits) and time.monotonic() - self._hits_since >= HITS_WAIT_SECONDS
            if rest or late or (not going and self._hits):
                self._write(rest)
        self._close()

    def _take(self, jobs: list[_Job]) -> bool:
        """Wait for a job, take what else waits; False when the end is asked for and everything before it was taken."""
        try:
            wait = max(0.01, self._hits_since + HITS_WAIT_SECONDS - time.monotonic()) if self._hits else None
            job = self._queue.get(timeout=wait)
            while job is not None:
                jobs.append(job)
                if len(jobs) >= MOST_TOGETHER:
                    return True
                job = self._queue.get_nowait()
        except queue.Empty:
            return True
        return False

    def _keep_hits(self, counts: list[_Job]) -> None:
        for job in counts:
            if not self._hits:
                self._hits_since = time.monotonic()
            if isinstance(job.write, CountHits):
                self._hits.append(job.write)
            _tell(job, None)
        if len(self._hits) > 1:
            self._hits = [merged(self._hits)]

    def _write(self, jobs: list[_Job]) -> None:
        """One transaction for these jobs and the hits, then their results."""
        if not self._ready():
            self._hits_since = time.monotonic()
            for job in jobs:
                _tell(job, self._fault or JournalError())
            return
        results = self._tried(jobs)
        if isinstance(results, JournalError):
            for job in jobs:
                _tell(job, results)
            return
        self._fault = None
        self._hits.clear()
        for job, result in zip(jobs, results, strict=True):
            _tell(job, result)
        if any(_makes_mail(job.write, result) for job, result in zip(jobs, results, strict=True)):
            self._wake_worker()

    def _tried(self, jobs: list[_Job]) -> list[Result | JournalError] | JournalError:
        """The results, or why there are none. Another process that writes is waited for; whatever else goes wrong, this
        thread lives on: without it no message is ever stored again."""
        for left in reversed(range(BUSY_TRIES)):
            try:
                return self._transaction(jobs)
            except (sqlite3.Error, OSError) as error:
                if not left or not isinstance(translate(error), JournalBusy):
                    return self._failed(translate(error))
                self._take_back()
            except Exception as error:
                log.exception("a transaction failed")
                return self._failed(JournalError(str(error)))
        return JournalBusy()

    def _transaction(self, jobs: list[_Job]) -> list[Result | JournalError]:
        db, apply = self._db, self._apply
        if db is None or apply is None:
            raise OSError("the journal is not open")
        db.execute("BEGIN IMMEDIATE")
        if self._hits:
            apply(merged(self._hits))
        results: list[Result | JournalError] = []
        for job in jobs:
            db.execute("SAVEPOINT one")
            try:
                results.append(apply(job.write))
            except _OF_ONE_WRITE as error:
                log.exception("a write was taken back: %s", type(job.write).__name__)
                db.execute("ROLLBACK TO one")
                results.append(JournalError(str(error)))
            db.execute("RELEASE one")
        db.execute("COMMIT")
        return results

    def _failed(self, fault: JournalError) -> JournalError:
        """Take the transaction back and close: after an I/O error a connection's view of the file is not trusted."""
        self._fault = fault
        log.error("the journal cannot be written: %s", fault)
        self._hits_since = time.monotonic()
        self._close()
        return fault

    def _ready(self) -> bool:
        if self._db is None and time.monotonic() >= self._reopen_at:
            self._open()
        return self._db is not None

    def _open(self) -> None:
        try:
            self._db = open_owner(self._path)
            self._apply = Apply(self._db, self._join, self._host)
            self._fault = None
        except JournalError as error:
            self._fault = error
            self._reopen_at = time.monotonic() + REOPEN_SECONDS
            log.error("the journal cannot be opened: %s", error)

    def _close(self) -> None:
        self._take_back()
        db, self._db, self._apply = self._db, None, None
        if db is None:
            return
        try:
            db.close()
        except sqlite3.Error as error:
            log.warning("the journal could not be closed: %s", error)

    def _take_back(self) -> None:
        try:
            if self._db is not None and self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            log.warning("the transaction could not be taken back: %s", error)

    def _wake_worker(self) -> None:
        """Tell the worker that a mail waits; it looks every five seconds by itself, so this may be lost."""
        if self._worker is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.sendto(b"outbox", str(self._worker))
        except OSError as error:
            log.debug("the worker was not told: %s", error)


def _makes_mail(write: Write, result: Result | JournalError) -> bool:
    if isinstance(result, JournalError):
        return False
    if isinstance(result, PartStored):
        return result.outbox is not None
    return isinstance(write, KeepRecording) or (
        isinstance(write, RetryOutbox | SweepParts | AddNotice | KeepMessage) and bool(result)
    )


def _tell(job: _Job, result: Result | JournalError) -> None:
    if job.done is None:
        return
    try:
        job.done(result)
    except Exception:
        log.exception("the receiver of %s failed", type(job.write).__name__)
