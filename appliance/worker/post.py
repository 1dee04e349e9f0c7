"""The post: claims rows of the outbox, hands each to a thread of its own, settles what came of it.

Three mails at once, so that one that hangs does not hold the others up. When the server as such cannot be used, one
mail every half minute tries whether it is back; the first that gets through makes everything due that waits. A result
that cannot be written down (card full) is kept and written later, and its row is not sent again meanwhile. The plan's
clock may jump, so a row that is being sent is never begun a second time, whatever its lease says.
"""

import logging
import queue
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from appliance.journal import outbox
from appliance.journal.notes import add_event
from appliance.journal.outbox import OutboxItem, State
from appliance.worker.clock import PlanClock
from appliance.worker.mailer import Account, Delivery, Limits, Outcome
from appliance.worker.office import Office
from appliance.worker.sms_mail import Desk, compose

log = logging.getLogger(__name__)

MOST_AT_ONCE = 3
TRY_EVERY = timedelta(seconds=30)
WHOLE_AND_MORE = 270.0  # seconds after which an attempt is cut


@dataclass(slots=True)
class _Run:
    item: OutboxItem
    delivery: Delivery
    thread: threading.Thread
    began: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why no mail leaves: `setup` for the owner to mend, else the server cannot be reached now."""

    error: str
    words: str
    setup: bool


class Post:
    """Loop thread; `wake` is called from others when a result waits."""

    def __init__(
        self,
        clock: PlanClock,
        wake: Callable[[], None],
        limits: Limits | None = None,
        roots: ssl.SSLContext | None = None,
        attach: Callable[[EmailMessage, OutboxItem], None] = lambda mail, item: None,
    ) -> None:
        """`attach` adds to a mail what lies in files; on the mail's own thread."""
        self._attach = attach
        self._clock = clock
        self._wake = wake
        self._limits = limits or Limits()
        self._roots = roots
        self._runs: dict[int, _Run] = {}
        self._results: queue.SimpleQueue[tuple[int, Outcome]] = queue.SimpleQueue()
        self._unsettled: dict[int, Outcome] = {}
        self._next_try: datetime | None = None
        self.trouble: Trouble | None = None

    @property
    def running(self) -> int:
        """How many mails are being sent."""
        return len(self._runs)

    def look(self, db: sqlite3.Connection, office: Office) -> None:
        """Settle what has ended, begin what is due. Raises sqlite3.Error."""
        self._collect()
        self._settle(db)
        self._cut_stuck()
        if office.account is None or self._unsettled:
            return
        while self._may_begin():
            item = outbox.claim(db, self._clock.now())
            if item is None:
                return
            if item.id not in self._runs:
                self._begin(item, office.desk, office.account)

    def try_now(self, db: sqlite3.Connection) -> None:
        """The settings of mail have changed: whatever was wrong may be right now. Raises sqlite3.Error."""
        self.trouble, self._next_try = None, None
        outbox.hurry(db, self._clock.now())

    def stop(self, db: sqlite3.Connection | None, seconds: float = 1.2) -> None:
        """Let running mails end for a moment, cut the rest, give their rows back."""
        until = time.monotonic() + seconds
        for run in list(self._runs.values()):
            run.thread.join(max(0.0, until - time.monotonic()))
        self._collect()
        cut = dict(self._runs)
        for run in cut.values():
            run.delivery.cut()
        for run in cut.values():
            run.thread.join(0.1)
        self._collect()
        back = [number for number in cut if not (number in self._unsettled and self._unsettled[number].recipients)]
        for number in back:
            self._unsettled.pop(number, None)
        if db is None:
            return
        try:
            self._settle(db)
            for number in back:
                outbox.unclaim(db, number, self._clock.now())
        except sqlite3.Error as error:
            log.warning("rows of the outbox keep their lease: %s", error)

    def _may_begin(self) -> bool:
        if self.trouble is None:
            return len(self._runs) < MOST_AT_ONCE
        now = self._clock.now()
        waits = self._next_try is not None and now < self._next_try <= now + TRY_EVERY
        return not self._runs and not waits

    def _begin(self, item: OutboxItem, desk: Desk, account: Account) -> None:
        delivery = Delivery(account, self._limits, self._roots)
        thread = threading.Thread(
            target=self._send, args=(item, desk, delivery), name=f"mail-{item.id}", daemon=True
        )  # daemon: it must not hold up the end of the process
        self._runs[item.id] = _Run(item, delivery, thread, time.monotonic())
        log.info("mail %d: attempt %d, %d recipients", item.id, item.attempts, len(item.to))
        thread.start()

    def _send(self, item: OutboxItem, desk: Desk, delivery: Delivery) -> None:
        """On the mail's own thread."""
        outcome = Outcome(error="fault", words="", setup=True)
        try:
            outcome = delivery.run(self._composed(item, desk), item.to) if item.to else Outcome()
        except Exception:
            log.exception("mail %d could not be composed", item.id)
        finally:
            self._results.put((item.id, outcome))
            self._wake()

    def _composed(self, item: OutboxItem, desk: Desk) -> EmailMessage:
        """The mail; one whose file cannot be read leaves without it."""
        mail = compose(item, desk)
        try:
            self._attach(mail, item)
        except Exception:
            log.exception("mail %d leaves without its file", item.id)
        return mail

    def _collect(self) -> None:
        while True:
            try:
                number, outcome = self._results.get_nowait()
            except queue.Empty:
                return
            self._runs.pop(number, None)
            self._unsettled[number] = outcome

    def _settle(self, db: sqlite3.Connection) -> None:
        for number, outcome in list(self._unsettled.items()):
            now = self._clock.now()
            state = outbox.settle(db, number, outcome.settled(), now)
            del self._unsettled[number]
            log.info("mail %d: %s%s", number, state, f" ({outcome.settled().error})" if outcome.error else "")
            if state is State.DEAD:
                self._tell_dead(db, now)
            self._judge(db, outcome, now)

    def _judge(self, db: sqlite3.Connection, outcome: Outcome, now: datetime) -> None:
        """What an attempt says about the server."""
        if outcome.down or outcome.setup:
            before, self.trouble = self.trouble, Trouble(outcome.error, outcome.words, outcome.setup)
            self._next_try = now + TRY_EVERY
            if before is None or before.setup != outcome.setup:
                waiting = db.execute("SELECT count(*) FROM outbox WHERE state IN ('waiting', 'leased')").fetchone()[0]
                said = {"said": outcome.words or outcome.error, "error": outcome.error, "count": str(waiting)}
                add_event(db, now, "mail-setup" if outcome.setup else "mail-down", said, "warning")
        elif outcome.recipients and self.trouble is not None:
            log.info("the mail server takes mail again")
            self.trouble, self._next_try = None, None
            outbox.hurry(db, now)

    def _tell_dead(self, db: sqlite3.Connection, now: datetime) -> None:
        dead = db.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()[0]
        add_event(db, now, "mail-dead", {"count": str(dead)}, "warning")

    def _cut_stuck(self) -> None:
        now = time.monotonic()
        for run in self._runs.values():
            if now - run.began > WHOLE_AND_MORE:
                log.error("mail %d hangs; its connection is cut", run.item.id)
                run.delivery.cut()
