"""The worker's process: one loop that sleeps until a datagram, a result, a signal or five seconds have come.

It owns its connection to the journal, the outbox and the plan's clock. What takes time runs elsewhere: mails on
threads of their own (`post`), requests on theirs (`lines`), chores on the scheduler's (`jobs`); all wake the loop.
It is ready as soon as it listens: a journal that the exchange has not made yet, settings that cannot be used or mail
that is switched off are states it waits in and tells, never reasons to end.
"""

import logging
import os
import selectors
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from appliance import logs, notify
from appliance.errors import ControlError, JournalError
from appliance.journal.db import open_writer
from appliance.journal.outbox import release_leases
from appliance.journal.rows import Json
from appliance.settings.places import Places
from appliance.worker.answers import tell_failures
from appliance.worker.clock import PlanClock
from appliance.worker.errands import Errands
from appliance.worker.heartbeat import Heartbeats
from appliance.worker.jobs import Chores
from appliance.worker.lines import LineServer, ask
from appliance.worker.office import Office, OfficeReader, sms_days_of
from appliance.worker.post import Post
from appliance.worker.reader import Reader
from appliance.worker.rounds import rounds_of
from appliance.worker.verbs import Verbs
from appliance.worker.voice_files import attach, forget_sounds

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
ASK_SECONDS = 30.0  # how often a virtual box asks the exchange for its clock, in case a datagram was lost
REOPEN_SECONDS = 0.5
SPEAK_SECONDS = 2.0
LONGEST_DATAGRAM = 256


class Daemon:
    """`run()` on the main thread; `stop()` from anywhere, signal handlers too."""

    def __init__(self, places: Places, virtual: bool = False) -> None:
        self._places = places
        self._virtual = virtual
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._stopping = False
        self._clock = PlanClock()
        self._settings = OfficeReader(places)
        self._office: Office = self._settings.read()
        self._post = Post(self._clock, self.wake, attach=lambda mail, item: attach(places.state, mail, item))
        self._errands = Errands(places, self._clock, self.wake)
        self._heartbeats = Heartbeats(places, self._clock.now)
        self._mailbox = Reader(places, self._clock, self._heartbeats.found)
        self._chores = Chores(
            places.journal, lambda: datetime.now(UTC), lambda: sms_days_of(self._office), self._forget_sounds
        )
        self._verbs = Verbs(places, lambda: self._office, self._clock.now, self._state)
        self._server = LineServer(places.worker_requests, self._verbs.table())
        self._db: sqlite3.Connection | None = None
        self._journal_file = 0  # its inode: a reset of the box puts another file in its place
        self._open_at = 0.0
        self._ask_at = 0.0
        self._address = os.environ.get("ADDRESS", "")
        self._told = ""

    def wake(self) -> None:
        """Have the loop look now. Any thread."""
        try:
            self._wake_write.send(b"x")
        except (BlockingIOError, OSError):
            return  # it is awake already, or gone

    def stop(self, *_: object) -> None:
        """End after this turn."""
        self._stopping = True
        self.wake()

    def run(self) -> int:
        """Until `stop()`; gives the exit code. Raises OSError when the sockets cannot be made."""
        self._places.make()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox, selectors.DefaultSelector() as selector:
            self._places.worker.unlink(missing_ok=True)
            inbox.bind(str(self._places.worker))
            os.chmod(self._places.worker, 0o660)
            inbox.setblocking(False)
            selector.register(inbox, selectors.EVENT_READ, lambda: self._take(inbox))
            selector.register(self._wake_read, selectors.EVENT_READ, self._awake)
            self._server.start()
            self._plan_rounds()
            self._chores.start(self._office.desk.zone)
            self._speak_address()
            notify.ready()
            self.wake()
            try:
                while not self._stopping:
                    self._turn(selector)
            finally:
                self._end()
        return 0

    def _turn(self, selector: selectors.BaseSelector) -> None:
        wait = LOOK_SECONDS if self._db is not None else REOPEN_SECONDS
        beat = notify.watchdog_seconds()
        for key, _ in selector.select(min(wait, beat / 3) if beat else wait):
            handler: Callable[[], None] = key.data
            handler()
        if self._stopping:
            return
        if self._settings.changed():
            self._reload()
        self._ask_clock()
        self._look()
        notify.watchdog()  # a loop that comes round and threads that are cut in time: that is our health
        self._tell()

    # ---- what comes in ------------------------------------------------------------------------------------------

    def _awake(self) -> None:
        try:
            while self._wake_read.recv(4096):
                pass
        except BlockingIOError:
            return

    def _take(self, inbox: socket.socket) -> None:
        """Datagrams of the exchange; "outbox" needs nothing but the look that follows."""
        while True:
            try:
                said = inbox.recv(LONGEST_DATAGRAM)
            except (BlockingIOError, OSError):
                return
            if said == b"plan":
                self._reload()
            elif said.startswith(b"clock "):
                try:
                    self._set_clock(float(said[6:].decode("ascii")))
                except (ValueError, OverflowError):
                    log.warning("a clock that cannot be read was ignored")
            elif said != b"outbox":
                log.debug("an unknown datagram was ignored")

    def _set_clock(self, offset: float) -> None:
        if self._virtual and self._clock.set(offset):
            log.info("the clock is %.0f s off", self._clock.offset)

    def _ask_clock(self) -> None:
        """A virtual box: the exchange knows the clock and our address. Its silence changes nothing."""
        now = time.monotonic()
        if not self._virtual or now < self._ask_at:
            return
        self._ask_at = now + ASK_SECONDS
        try:
            status = ask(self._places.control, "status", seconds=1.0)
        except (OSError, ControlError, ValueError):
            self._ask_at = now + LOOK_SECONDS
            return
        offset, address = status.get("clock_offset"), status.get("address")
        if isinstance(offset, int | float):
            self._set_clock(float(offset))
        if isinstance(address, str) and address and address != self._address:
            self._address = address
            self._speak_address()

    def _reload(self) -> None:
        """Read the settings again; mail that waits is tried at once when anything of mail has changed."""
        before, self._office = self._office, self._settings.read()
        if self._office.desk.zone != before.desk.zone:
            self._chores.start(self._office.desk.zone)
        if self._office.asked != before.asked:
            self._plan_rounds()
        if (self._office.languages, self._office.address) != (before.languages, before.address):
            self._speak_address()
        if self._office.account != before.account and self._db is not None:
            try:
                self._post.try_now(self._db)
            except sqlite3.Error as error:
                self._lost(error)

    def _plan_rounds(self) -> None:
        self._chores.plan_rounds(rounds_of(self._office.asked, self._places.control))

    # ---- the outbox ---------------------------------------------------------------------------------------------

    def _look(self) -> None:
        try:
            if self._db is not None and self._inode() not in (0, self._journal_file):
                self._lost(sqlite3.OperationalError("it was replaced"))
            if self._db is None and not self._open():
                return
            if self._db is not None:
                self._post.look(self._db, self._office)
                self._errands.look(self._db, self._office)
                self._heartbeats.look(self._db, self._office)
                tell_failures(self._db, self._clock.now())
                self._mailbox.look(self._office)
        except sqlite3.Error as error:
            self._lost(error)

    def _open(self) -> bool:
        """Once the exchange has made the journal. The leases of a worker before us are worth nothing."""
        now = time.monotonic()
        if now < self._open_at:
            return False
        self._open_at = now + REOPEN_SECONDS
        try:
            self._db = open_writer(self._places.journal, 0.0)
        except JournalError as error:
            log.debug("the journal is not there yet: %s", error)
            return False
        self._journal_file = self._inode()
        if self._post.running == 0:
            freed = release_leases(self._db, self._clock.now())
            log.info("the journal is open, %d mails of the worker before us are due", freed)
        return True

    def _inode(self) -> int:
        try:
            return self._places.journal.stat().st_ino
        except OSError:
            return 0

    def _lost(self, error: sqlite3.Error) -> None:
        """After a fault a new connection; what was sent is remembered by the post."""
        log.error("the journal cannot be used: %s", error)
        db, self._db = self._db, None
        self._open_at = time.monotonic() + LOOK_SECONDS
        if db is not None:
            try:
                db.close()
            except sqlite3.Error as second:
                log.debug("closing failed: %s", second)

    # ---- what goes out ------------------------------------------------------------------------------------------

    def _speak_address(self) -> None:
        """The prompt that says our address, on a thread: it takes a tenth of a second a language."""
        address = self._office.address or self._address
        threading.Thread(
            target=self._verbs.speak_address, args=(address, self._office.languages), name="speak", daemon=True
        ).start()

    def _forget_sounds(self, db: sqlite3.Connection, going: Callable[[], bool]) -> int:
        """On the thread of the chores: recordings and messages whose time is over."""
        return forget_sounds(db, self._places.state, datetime.now(UTC), self._office.keep, going)

    def _state(self) -> dict[str, Json]:
        """For the verb `state`. Any thread: it reads what is replaced whole."""
        trouble, office = self._post.trouble, self._office
        mail = "off" if office.account is None else "well"
        if office.account is not None and trouble is not None:
            mail = "setup" if trouble.setup else "down"
        return {
            "mail": mail,
            "why": office.why,
            "error": trouble.error if trouble else "",
            "said": trouble.words if trouble else "",
            "sending": self._post.running,
            "mailbox": self._mailbox_state(),
            "mailbox_error": self._mailbox.trouble[0],
            "mailbox_said": self._mailbox.trouble[1],
            "journal": self._db is not None,
            "journal_fault": self._chores.fault,
            "clock_offset": self._clock.offset,
        }

    def _mailbox_state(self) -> str:
        if self._office.mailbox is None:
            return "off"
        return "down" if self._mailbox.trouble[0] else "well"

    def _tell(self) -> None:
        """One line for `systemctl status`, when it is another one."""
        state = self._state()
        words = (
            f"mail: {state['mail']} {state['why'] or state['error']}" if state["journal"] else "waits for the journal"
        )
        if words != self._told:
            self._told = words
            log.info("%s", words)
            notify.status(words)

    def _end(self) -> None:
        notify.stopping()
        self._server.stop()
        self._chores.stop()
        self._mailbox.stop()
        self._post.stop(self._db)
        if self._db is not None:
            self._db.close()
        self._places.worker.unlink(missing_ok=True)
        self._wake_read.close()
        self._wake_write.close()
        log.info("the worker ends")


def main() -> int:
    """The process: exit code 0 after SIGTERM or SIGINT."""
    logs.setup()
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    os.umask(0o007)
    daemon = Daemon(Places.of(), bool(os.environ.get("CENTRALKA_VIRTUAL")))
    signal.signal(signal.SIGTERM, daemon.stop)
    signal.signal(signal.SIGINT, daemon.stop)
    return daemon.run()
