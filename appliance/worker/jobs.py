"""The daily chores, by APScheduler: old rows go, the write-ahead log is moved into the file, the file is checked.

The scheduler decides only when; what is done has a connection of its own and ends at once when the worker does. Nothing
here is anything a caller, a message or the page waits for; a chore that was missed is done at the next time.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from appliance.errors import JournalDamaged, JournalError
from appliance.journal.db import open_writer
from appliance.journal.notes import add_event, checkpoint, fault_in, forget_old

log = logging.getLogger(__name__)

RETENTION_AT = (3, 17)  # hour and minute in the office's zone, when nobody calls
CHECK_AT = (3, 47)
CHECKPOINT_MINUTES = 60
LATE_SECONDS = 6 * 3600  # a box that was off at that time does it when it is on again

ROUND_AGAIN = timedelta(minutes=10)
ROUND_TRIES = 12
ROUND = "round "  # how the ids of rounds begin

Chore = Callable[[sqlite3.Connection], None]


@dataclass(frozen=True, slots=True)
class Round:
    """Something done once a day at an hour and minute of the office's zone. `run` gives whether it is done with; if
    not (the line is in a call), it is tried again every ten minutes, for two hours."""

    name: str
    hour: int
    minute: int
    run: Callable[[], bool]
    days: int = 1  # every so many days of the month, counted from its first


class Chores:
    """Owns the scheduler. `start()` and `stop()` may be called twice; `now` gives the real time, aware."""

    def __init__(
        self, journal: Path, now: Callable[[], datetime], sms_days: Callable[[], Mapping[str, int]] = dict,
        sounds: Callable[[sqlite3.Connection, Callable[[], bool]], int] = lambda db, going: 0,
    ) -> None:  # fmt: skip
        """`sms_days`: how many days the messages of each line are kept now; `sounds` deletes old recordings."""
        self._sounds = sounds
        self._sms_days = sms_days
        self._journal = journal
        self._now = now
        self._scheduler: BackgroundScheduler | None = None
        self._lock = threading.Lock()  # guards _open: the connections of running chores
        self._open: set[sqlite3.Connection] = set()
        self._going = True
        self._rounds: tuple[Round, ...] = ()
        self.fault = ""

    def start(self, zone: ZoneInfo) -> None:
        """Begin, with times of this zone; again with another zone: plan anew."""
        self._end()
        scheduler = BackgroundScheduler(timezone=zone, daemon=True)
        common = {"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE_SECONDS}
        for name, (hour, minute), chore in (
            ("retention", RETENTION_AT, self.retention),
            ("check", CHECK_AT, self.check),
        ):
            trigger = CronTrigger(hour=hour, minute=minute, timezone=zone)
            scheduler.add_job(self._run, trigger, args=[name, chore], id=name, **common)
        every = IntervalTrigger(minutes=CHECKPOINT_MINUTES, timezone=zone)
        scheduler.add_job(self._run, every, args=["checkpoint", self.checkpoint], id="checkpoint", **common)
        scheduler.start()
        self._scheduler = scheduler
        self.plan_rounds(self._rounds)

    def plan_rounds(self, rounds: Sequence[Round]) -> None:
        """These rounds from now on, instead of those before."""
        self._rounds = tuple(rounds)
        scheduler = self._scheduler
        if scheduler is None:
            return
        for job in scheduler.get_jobs():
            if job.id.startswith(ROUND):
                job.remove()
        for one in self._rounds:
            day = f"*/{one.days}" if one.days > 1 else "*"
            trigger = CronTrigger(day=day, hour=one.hour, minute=one.minute, timezone=scheduler.timezone)
            scheduler.add_job(
                self._go_round, trigger, args=[one, 1], id=ROUND + one.name, coalesce=True, max_instances=1,
                misfire_grace_time=LATE_SECONDS,
            )  # fmt: skip

    def stop(self) -> None:
        """End, and interrupt what runs."""
        self._going = False
        with self._lock:
            for db in self._open:
                db.interrupt()
        self._end()

    def plan(self) -> dict[str, datetime]:
        """When each chore runs next."""
        jobs = self._scheduler.get_jobs() if self._scheduler else []
        return {str(job.id): job.next_run_time for job in jobs}

    def retention(self, db: sqlite3.Connection) -> None:
        """Old rows go, 500 at a time."""
        gone = forget_old(db, self._now(), lambda: self._going, self._sms_days())
        sounds = self._sounds(db, lambda: self._going)
        log.info("retention: %d old rows and %d recordings deleted", gone, sounds)

    def checkpoint(self, db: sqlite3.Connection) -> None:
        """The write-ahead log becomes part of the file."""
        if not checkpoint(db):
            log.info("checkpoint: somebody was reading, next time then")

    def check(self, db: sqlite3.Connection) -> None:
        """Is the file sound? If not, people are told, and nothing is repaired behind their back."""
        self.fault = fault_in(db)
        if not self.fault:
            log.info("check: the journal is sound")
            return
        log.critical("check: the journal is damaged: %s", self.fault)
        add_event(db, self._now(), "journal-damaged", {"said": self.fault}, "error")

    def _go_round(self, one: Round, attempt: int) -> None:
        """On the scheduler's thread: the boundary of a round."""
        try:
            done = one.run()
        except Exception:
            log.exception("the round %s failed", one.name)
            return
        scheduler = self._scheduler
        if not done and attempt < ROUND_TRIES and self._going and scheduler is not None:
            again = DateTrigger(datetime.now(scheduler.timezone) + ROUND_AGAIN)
            scheduler.add_job(
                self._go_round, again, args=[one, attempt + 1], id=f"{ROUND}{one.name} again", replace_existing=True
            )

    def _run(self, name: str, chore: Chore) -> None:
        """On the scheduler's thread: the boundary of a chore."""
        try:
            with closing(open_writer(self._journal, 0.0)) as db:
                with self._lock:
                    self._open.add(db)
                try:
                    if self._going:
                        chore(db)
                finally:
                    with self._lock:
                        self._open.discard(db)
        except JournalDamaged as error:
            self.fault = str(error)
            log.critical("%s: the journal is damaged: %s", name, error)
        except (JournalError, sqlite3.Error, OSError) as error:
            log.warning("%s was not done: %s", name, error)

    def _end(self) -> None:
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=False)
