"""Keeps the mailbox of the settings being read: starts it, starts it anew when the settings change, tells its troubles.

A mail is handled on the mailbox's thread, with a connection to the journal of its own.
"""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing

from appliance.errors import JournalError
from appliance.journal.db import open_writer
from appliance.journal.notes import add_event
from appliance.settings.places import Places
from appliance.worker.answers import Replier
from appliance.worker.clock import PlanClock
from appliance.worker.mailbox import Mailbox, MailboxAccount
from appliance.worker.office import Office
from appliance.worker.replies import Answer, Verdict
from appliance.worker.tokens import Answers

log = logging.getLogger(__name__)


class Reader:
    """Loop thread. `found(token)` is told, on the mailbox's thread, of each heartbeat that lies in the mailbox."""

    def __init__(self, places: Places, clock: PlanClock, found: Callable[[sqlite3.Connection, str], None]) -> None:
        self._places = places
        self._clock = clock
        self._found = found
        self._mailbox: Mailbox | None = None
        self._settings: tuple[MailboxAccount | None, Answers | None, frozenset[str]] = (None, None, frozenset())

    @property
    def trouble(self) -> tuple[str, str]:
        """Why the mailbox cannot be read: an id of words.ERRORS and the server's words; empty while it can."""
        return self._mailbox.trouble if self._mailbox else ("", "")

    def look(self, office: Office) -> None:
        """Follow the settings."""
        wanted = (office.mailbox, office.desk.answers, office.senders)
        if wanted == self._settings:
            return
        self.stop()
        self._settings = wanted
        if office.mailbox is None or office.desk.answers is None:
            return
        replier = Replier(self._places, office.desk.answers, office.senders, self._clock.now)
        self._mailbox = Mailbox(office.mailbox, lambda answer: self._handle(replier, answer), self._told)
        self._mailbox.start()

    def stop(self) -> None:
        """End reading."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.stop()

    def _handle(self, replier: Replier, answer: Answer) -> Verdict:
        """The mailbox's thread. Without the journal nothing is known: the mail waits."""
        try:
            with closing(open_writer(self._places.journal, 2.0)) as db:
                if answer.heartbeat:
                    self._found(db, answer.heartbeat)
                    return Verdict.DONE
                return replier.handle(db, answer)
        except (JournalError, sqlite3.Error) as error:
            log.warning("mailbox: a mail waits for the journal: %s", error)
            return Verdict.LATER

    def _told(self, error: str, words: str) -> None:
        """The mailbox's thread: people see it."""
        try:
            with closing(open_writer(self._places.journal, 2.0)) as db:
                add_event(db, self._clock.now(), "mailbox-down", {"said": words or error, "error": error}, "warning")
        except (JournalError, sqlite3.Error) as fault:
            log.warning("mailbox: its trouble could not be written down: %s", fault)
