"""The queue of messages of ours: what core decides about them, done; the journal holds it, this only remembers.

A message is on disk before it is acknowledged, and a part is on disk as "sending" before its PDU goes to the line. So
whatever ends this process, no part leaves twice unless a person says so. Everything runs on the loop thread; what the
storage thread and the reader answer comes back as functions in the inbox.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core import sending as core
from appliance.core.model import LineId
from appliance.core.numbers import display, parse
from appliance.core.sending import Outgoing, OutPart, Traffic
from appliance.errors import JournalError
from appliance.exchange.clock import Clock
from appliance.exchange.exchange import Exchange
from appliance.exchange.views import Views
from appliance.journal import sending as rows
from appliance.journal.sending import PutOutgoing
from appliance.journal.times import stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import Result

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
JOURNAL_PAUSE = 10.0  # after a write that failed
MOST_EARLY = 50
HELD = ("", "sms-gap", "sms-in-call")  # reasons too short-lived to be written down

Post = Callable[[Callable[[], None]], None]  # run this on the loop


class Sending:
    """Owns the messages that wait or are waited for."""

    def __init__(self, exchange: Exchange, writer: Writer, views: Views, clock: Clock, post: Post) -> None:
        self._exchange = exchange
        self._writer = writer
        self._views = views
        self._clock = clock
        self._post = post
        self._messages: dict[int, Outgoing] = {}
        self._traffic: dict[LineId, Traffic] = {}
        self._references: dict[str, int] = {}
        self._flying: dict[LineId, tuple[int, int]] = {}  # the message and part that are under way
        self._unsaved: set[int] = set()
        self._early: list[ev.SmsReported] = []  # reports that came before the result they belong to
        self._look_at = 0.0
        self._events: Mapping[type, Callable[..., None]] = {
            ev.SmsPartSent: self._part_sent, ev.SmsPartFailed: self._part_failed,
            ev.SmsPartUncertain: self._part_uncertain, ev.SmsReported: self._reported,
        }  # fmt: skip

    def restore(self) -> None:
        """At the start: what waits goes on, what was under way is uncertain."""
        now = self._clock.now()
        found = self._views.now(lambda db: rows.live_messages(db, stamp(now - core.REPORTS_FOR))) or ()
        self._references = self._views.now(rows.references) or {}
        for line, at in self._views.now(lambda db: rows.left_since(db, stamp(now - core.DAY))) or ():
            self._traffic_of(LineId(line)).add(at)
        for message in found:
            settled = core.interrupted(message, now)
            self._messages[message.id] = settled
            if settled != message:
                log.warning("message %d: a part was under way when the box ended; it may have left", message.id)
                self._save(settled)

    def handle(self, event: ev.Event) -> None:
        """What a line says of a part, or of a report."""
        self._events[type(event)](event)
        self.hurry()

    def tick(self, at: float) -> None:
        """Begin what is due. `at`: monotonic seconds."""
        if at < self._look_at:
            return
        self._look_at = at + LOOK_SECONDS
        if self._unsaved:
            self._look_at = at + JOURNAL_PAUSE
            for out in list(self._unsaved):
                self._unsaved.discard(out)
                if out in self._messages:
                    self._save(self._messages[out])
            return
        now = self._clock.now()
        for line in {message.line for message in self._messages.values()} - set(self._flying):
            self._go_on(line, now)

    # ---- for the verbs --------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many messages have something to send."""
        return sum(1 for message in self._messages.values() if message.state in core.OPEN)

    def find(self, out: int) -> Outgoing | None:
        """A message that is not over yet."""
        return self._messages.get(out)

    def new_reference(self, line: LineId) -> int:
        """For a message on this line; the same recipient sees it again after 256 others."""
        self._references[line] = (self._references.get(line, rows.first_reference()) + 1) % 256
        return self._references[line]

    def take(self, message: Outgoing) -> None:
        """A message that is on disk: it goes when it may."""
        self._messages[message.id] = message
        self.hurry()
        self._exchange.changed("sms")

    def hurry(self) -> None:
        """Look at the next turn of the loop."""
        self._look_at = 0.0

    # ---- the queue ------------------------------------------------------------------------------------------------

    def _go_on(self, line_id: LineId, now: datetime) -> None:
        plan = self._exchange.plan.lines.get(line_id)
        line = self._exchange.lines.get(line_id)
        status = line.status() if line else None
        ready = status is not None and status.state in core.SENDS
        busy = status is not None and status.busy
        for message in core.in_order(m for m in self._messages.values() if m.line == line_id):
            if core.expired(message, now):
                self.put(core.given_up(message, "sms-too-late"))
                continue
            rules = plan.sms if plan else None
            part = core.next_part(message, rules, now) if rules else None
            if rules is None or part is None:
                continue
            held = core.held_back(message, rules, self._traffic_of(line_id), now, ready, busy)
            if not held:
                self._begin(message, part, now)
                return
            if held not in HELD and held != message.reason:
                self.put(replace(message, reason=held, detail=""))

    def _begin(self, message: Outgoing, part: OutPart, now: datetime) -> None:
        begun = core.began(message, part.sequence, now)
        self._messages[message.id] = begun
        self._flying[message.line] = (message.id, part.sequence)

        def done(result: Result | JournalError) -> None:  # storage thread
            self._post(lambda: self._begun(message, begun, part, isinstance(result, JournalError)))

        self._writer.submit(PutOutgoing(begun, stamp(now)), done)

    def _begun(self, before: Outgoing, begun: Outgoing, part: OutPart, failed: bool) -> None:
        """Only now the PDU may leave."""
        if failed:
            self._flying.pop(begun.line, None)
            self._messages[begun.id] = before
            self._unsaved.add(begun.id)
            return
        log.info("message %d: part %d of %d goes out on %s", begun.id, part.sequence, part.total, begun.line)
        line = self._exchange.lines.get(begun.line)
        more = any(one.state == "queued" for one in begun.parts)
        if line is None:
            self._part_failed(ev.SmsPartFailed(begun.line, begun.id, part.sequence, 0, "no such line"))
        else:
            line.perform(do.SendSmsPart(begun.line, begun.id, part.sequence, part.pdu, part.length, more))
        self._exchange.changed("sms")

    def _traffic_of(self, line: LineId) -> Traffic:
        return self._traffic.setdefault(line, Traffic())

    # ---- what the line says ---------------------------------------------------------------------------------------

    def _part_sent(self, event: ev.SmsPartSent) -> None:
        found = self._landed(event.line, event.out, event.sequence, ("sending", "uncertain"))
        if found is None:
            return
        message, part = found
        if part.state == "sending":
            self._traffic_of(event.line).add(self._clock.now())
        self.put(core.sent(message, event.sequence, event.reference))
        early, self._early = self._early, []
        for report in early:
            self._reported(report)

    def _part_failed(self, event: ev.SmsPartFailed) -> None:
        found = self._landed(event.line, event.out, event.sequence, ("sending",))
        if found is None:
            return
        log.warning("message %d: part %d failed: %s", event.out, event.sequence, event.detail)
        self.put(core.failed(found[0], event.sequence, event.code, event.detail[:80], self._clock.now()))

    def _part_uncertain(self, event: ev.SmsPartUncertain) -> None:
        found = self._landed(event.line, event.out, event.sequence, ("sending",))
        if found is None:
            return
        log.warning("message %d: part %d has no result", event.out, event.sequence)
        self._traffic_of(event.line).add(self._clock.now())
        self.put(core.unsure(found[0], event.sequence, self._clock.now()))

    def _landed(
        self, line: LineId, out: int, sequence: int, states: tuple[str, ...]
    ) -> tuple[Outgoing, OutPart] | None:
        """The message and part of a result, when one is waited for."""
        if self._flying.get(line) == (out, sequence):
            del self._flying[line]
        message = self._messages.get(out)
        part = message.part(sequence) if message else None
        return (message, part) if message and part and part.state in states else None

    def _reported(self, event: ev.SmsReported) -> None:
        now = self._clock.now()
        mine = [m for m in self._messages.values() if m.line == event.line]
        found = core.match(event.reference, event.recipient, mine, now)
        if found is None:
            if event.line in self._flying and len(self._early) < MOST_EARLY:
                self._early.append(event)
                return
            log.info("line %s: a delivery report with reference %d is of no message here", event.line, event.reference)
            self._free(event)
            return
        message, part = found
        after = core.reported(message, part.sequence, event.reference, event.status, now)
        self.put(after, lambda: self._free(event))

    def _free(self, event: ev.SmsReported) -> None:
        line = self._exchange.lines.get(event.line)
        if line is not None and event.slot is not None:
            line.perform(do.FreeSlot(event.line, event.memory, event.slot, event.pdu))

    # ---- the journal ----------------------------------------------------------------------------------------------

    def put(self, message: Outgoing, then: Callable[[], None] | None = None) -> None:
        """A message has changed: remember it, write it down, `then` go on."""
        before = self._messages.get(message.id)
        self._messages[message.id] = message
        if message.state == "failed" and message.reason != "sms-cancelled" and (not before or before.state != "failed"):
            shown = display(parse(message.recipient, self._exchange.plan.country))
            self._exchange.happened("sms-not-sent", {"number": shown}, "warn")
        self._save(message, then)

    def _save(self, message: Outgoing, then: Callable[[], None] | None = None) -> None:
        """Write it down; what could not be written is tried again. `then` runs on the loop once it is on disk."""

        def written(failed: bool) -> None:
            if failed:
                self._unsaved.add(message.id)
                return
            now = self._messages.get(message.id)
            if now is message and not core.live(message, self._clock.now()):
                del self._messages[message.id]
            if then:
                then()
            self._exchange.changed("sms")

        def done(result: Result | JournalError) -> None:  # storage thread
            self._post(lambda: written(isinstance(result, JournalError)))

        self._writer.submit(PutOutgoing(message, stamp(self._clock.now())), done)
