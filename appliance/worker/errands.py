"""What leaves the box otherwise than by mail: webhooks and copies as SMS, rows of the same outbox, retried like mails.

Three at once, each on a thread of its own; a receiver that hangs ends after ten seconds. A result that could not be
written down is kept and written later, and its row is not begun again meanwhile. SMS by rules and answers by mail
share one limit an hour: when it is reached the rest waits, and people are told.
"""

import logging
import queue
import sqlite3
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta

from appliance.core.sms_rules import forwarded
from appliance.errors import ControlError, JournalError
from appliance.journal import outbox
from appliance.journal.db import open_reader
from appliance.journal.notes import add_event
from appliance.journal.outbox import OutboxItem, Settled, State
from appliance.journal.rows import Json
from appliance.journal.times import stamp
from appliance.settings.places import Places
from appliance.worker.clock import PlanClock
from appliance.worker.lines import ask
from appliance.worker.office import Office
from appliance.worker.sms_mail import voicemail_words
from appliance.worker.voice_files import make_small
from appliance.worker.webhook import Hook, body_of, call

log = logging.getLogger(__name__)

MOST_AT_ONCE = 3
MOST_AN_HOUR = 20
HOUR = timedelta(hours=1)
# refusals of the exchange that another time may not bring; every other one is for good
FOR_NOW = frozenset({
    "no-such-verb", "no-answer-in-time", "journal-error", "disk-full", "journal-busy", "fault", "line-error",
    "exchange-down", "sms-queue-full",
})  # fmt: skip


class Errands:
    """Loop thread; `wake` is called from others when a result waits."""

    def __init__(
        self, places: Places, clock: PlanClock, wake: Callable[[], None], roots: ssl.SSLContext | None = None
    ) -> None:
        self._places = places
        self._clock = clock
        self._wake = wake
        self._roots = roots
        self._running: dict[int, OutboxItem] = {}
        self._results: queue.SimpleQueue[tuple[int, Settled]] = queue.SimpleQueue()
        self._unsettled: dict[int, Settled] = {}
        self._carriers: Mapping[str, Callable[[OutboxItem, Office], Settled]] = {
            "webhook": self._webhook,
            "sms": self._forward,
            "sound": lambda item, office: make_small(self._places.state, item),
        }

    def look(self, db: sqlite3.Connection, office: Office) -> None:
        """Settle what has ended, begin what is due. Raises sqlite3.Error."""
        self._collect()
        for number, settled in list(self._unsettled.items()):
            self._settle(db, number, settled, office)
        while len(self._running) < MOST_AT_ONCE and not self._unsettled:
            item = outbox.claim(db, self._clock.now(), kinds=tuple(self._carriers))
            if item is None:
                return
            if item.id not in self._running:
                self._begin(item, office)

    def _begin(self, item: OutboxItem, office: Office) -> None:
        self._running[item.id] = item
        threading.Thread(target=self._run, args=(item, office), name=f"{item.kind}-{item.id}", daemon=True).start()

    def _run(self, item: OutboxItem, office: Office) -> None:
        """On the errand's own thread."""
        settled = Settled(error="fault")
        try:
            settled = self._carriers[item.kind](item, office)
        except Exception:
            log.exception("errand %d failed", item.id)
        finally:
            self._results.put((item.id, settled))
            self._wake()

    def _webhook(self, item: OutboxItem, office: Office) -> Settled:
        states: dict[str, str] = {}
        error = ""
        for rule in item.to:
            hook = office.hooks.get(rule)
            if hook is None:
                states[rule], error = State.DEAD, "hook-no-rule"
                continue
            states[rule], said = self._call(hook, f"{item.message_id.strip('<>')}/{rule}", item)
            error = said or error
        return Settled(states, error)

    def _call(self, hook: Hook, key: str, item: OutboxItem) -> tuple[State, str]:
        answer = call(hook, key, body_of(item, hook), self._clock.now().timestamp(), self._roots)
        log.info("webhook %d: %s %s", item.id, answer.state, answer.error)
        return answer.state, f"{answer.error}: {answer.words}" if answer.words else answer.error

    def _forward(self, item: OutboxItem, office: Office) -> Settled:
        states: dict[str, str] = {}
        error = ""
        text, line = _said(item, office), _sending_line(item, office)
        for number in item.to:
            if self.sent_lately() >= MOST_AN_HOUR:
                return Settled(states, "forward-cap")
            key = f"{item.message_id.strip('<>')}/{number}"
            args = {"to": number, "text": text, "line": line, "origin": "rule", "key": key}
            try:
                ask(self._places.control, "sms.send", args, seconds=6.0, who="rule")
                states[number] = State.SENT
            except ControlError as refused:
                states[number] = State.WAITING if refused.id in FOR_NOW else State.DEAD
                error = f"forward-refused: {refused.id}"
            except (OSError, ValueError):
                states[number], error = State.WAITING, "forward-refused: no-answer-in-time"
        return Settled(states, error)

    def sent_lately(self) -> int:
        """How many SMS rules and mails have sent in the last hour. Any thread; more than any limit when the journal
        cannot be read."""
        try:
            with closing(open_reader(self._places.journal, 2.0)) as db:
                return sent_since(db, self._clock.now() - HOUR)
        except (sqlite3.Error, JournalError) as error:
            log.warning("the messages of the last hour cannot be counted: %s", error)
            return MOST_AN_HOUR

    def _collect(self) -> None:
        while True:
            try:
                number, settled = self._results.get_nowait()
            except queue.Empty:
                return
            self._unsettled[number] = settled

    def _settle(self, db: sqlite3.Connection, number: int, settled: Settled, office: Office) -> None:
        now = self._clock.now()
        state = outbox.settle(db, number, settled, now)
        del self._unsettled[number]
        item = self._running.pop(number, None)
        if state is State.DEAD and item is not None:
            self._tell_dead(db, item, settled, now, office)
        if settled.error == "forward-cap":
            tell_cap(db, now)

    def _tell_dead(
        self, db: sqlite3.Connection, item: OutboxItem, settled: Settled, now: datetime, office: Office
    ) -> None:
        said = outbox.why(settled.error)[1] or settled.error
        if item.kind == "sound":
            add_event(db, now, "recording-not-small", {"path": str(item.payload.get("path"))}, "warning")
        elif item.kind == "sms":
            add_event(db, now, "forward-dead", {"number": ", ".join(item.to), "said": said}, "warning")
        else:
            names = [office.hooks[one].shown if one in office.hooks else one for one in item.to]
            add_event(db, now, "hook-dead", {"rule": ", ".join(names), "said": said}, "warning")


def _said(item: OutboxItem, office: Office) -> str:
    """The text of an SMS: a message that is sent on, or that a mailbox has a new one."""
    if item.payload.get("what") == "voicemail":
        return voicemail_words("voicemail-sms", item.payload, office.desk)
    return forwarded(str(item.payload.get("sender") or ""), str(item.payload.get("text") or ""))


def _sending_line(item: OutboxItem, office: Office) -> Json:
    """The line that sends it; of a mailbox any, when its call came on one without a SIM."""
    line = item.payload.get("line")
    sims = {row["id"] for row in office.lines if row.get("kind") in ("gsm", "virtual")}
    return line if item.payload.get("what") != "voicemail" or line in sims else ""


def tell_cap(db: sqlite3.Connection, now: datetime) -> None:
    """Say that the limit is reached, once an hour. Raises sqlite3.Error."""
    known = db.execute(
        "SELECT 1 FROM events WHERE message = 'sms-cap' AND at > ? AND at <= ?", (stamp(now - HOUR), stamp(now))
    ).fetchone()
    if known is None:
        waiting = db.execute("SELECT count(*) FROM outbox WHERE kind = 'sms' AND state != 'sent'").fetchone()[0]
        add_event(db, now, "sms-cap", {"most": str(MOST_AN_HOUR), "count": str(waiting)}, "warning")


def sent_since(db: sqlite3.Connection, since: datetime) -> int:
    """SMS that rules and mails have caused since then. Raises sqlite3.Error."""
    found = db.execute(
        "SELECT count(*) FROM sms_out WHERE origin IN ('rule', 'mail') AND created_at >= ?", (stamp(since),)
    ).fetchone()
    return int(found[0])
