"""Between the exchange and the journal's writer: commands become writes, results become events in the inbox.

Nothing here waits for the disk. Call rows that could not be written (disk full) are kept and tried again once a minute,
newest thousand; messages are not kept, they still lie on their SIM, but for those that were delivered without a slot.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.blocklist import Block
from appliance.core.plan import Plan
from appliance.errors import JournalError
from appliance.exchange.clock import Clock
from appliance.journal.times import stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import (
    AddBlock,
    AddEvent,
    CountHits,
    PutLineFact,
    PutSignal,
    RememberCaller,
    Result,
    SetOverrideRow,
    StoreCallRow,
    StoreSmsPart,
    SweepParts,
)

log = logging.getLogger(__name__)

MOST_KEPT = 1000
RETRY_SECONDS = 60.0


class JournalStorage:
    """The exchange's `Storage`. Methods on the loop thread; results arrive as events."""

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        plan: Callable[[], Plan],
        recipients: Callable[[str], tuple[str, ...]],
        iccid: Callable[[str], str],
        post: Callable[[ev.Event], None],
        proof: Callable[[], str] = str,
    ) -> None:
        """`recipients` and `iccid` answer for a line's id; `proof` gives the mailbox that we read ourselves, or ""."""
        self._writer = writer
        self._clock = clock
        self._plan = plan
        self._recipients = recipients
        self._iccid = iccid
        self._post = post
        self._proof = proof
        self._kept: deque[do.CallRecord] = deque(maxlen=MOST_KEPT)
        self._kept_sms: deque[do.StoreSms] = deque(maxlen=MOST_KEPT)  # those that lie on no SIM
        self._retry_at = 0.0

    @property
    def fault(self) -> JournalError | None:
        """Why nothing can be stored now, None while it can."""
        return self._writer.fault

    def call(self, record: do.CallRecord) -> None:
        """Write the row of an ended call."""

        def done(result: Result | JournalError) -> None:
            if isinstance(result, JournalError):
                self._kept.append(record)  # deque.append is atomic: this runs on the storage thread

        self._writer.submit(StoreCallRow(record), done)

    def sms(self, command: do.StoreSms) -> None:
        """Store a part; SmsStored or SmsStoreFailed comes back."""
        part = command.part
        if not isinstance(part, ev.SmsPart):
            return
        line = self._plan().lines.get(command.line)

        def done(result: Result | JournalError) -> None:
            facts = (command.line, command.memory, command.slot, part.pdu)
            if isinstance(result, JournalError):
                if command.slot is None:
                    self._kept_sms.append(command)
                self._post(ev.SmsStoreFailed(*facts, reason=result.id))
            else:
                self._post(ev.SmsStored(*facts))

        self._writer.submit(
            StoreSmsPart(
                line=str(command.line),
                memory=command.memory,
                slot=command.slot,
                part=part,
                received_at=stamp(self._clock.now()),
                iccid=self._iccid(command.line),
                line_label=line.label if line else str(command.line),
                recipients=command.recipients or self._recipients(command.line),
                mail=command.mail,
                rules=command.rules,
                never=command.never,
                proof=self._proof(),
            ),
            done,
        )

    def override(self, name: str, value: str, by: str) -> None:
        """Keep an override over a restart."""
        self._writer.submit(SetOverrideRow(name, value, by, stamp(self._clock.now())))

    def hit(self, block: int) -> None:
        """Count a hit; written in batches."""
        self._writer.submit(CountHits({block: 1}, stamp(self._clock.now())))

    def block(self, pattern: str, by: str) -> None:
        """A new entry of the block list; PlanChanged comes back when it is stored."""
        self.add_block(Block(0, pattern), by)

    def add_block(self, entry: Block, by: str) -> None:
        """A new entry of a list that was decided here; PlanChanged comes back when it is stored."""

        def done(result: Result | JournalError) -> None:
            if not isinstance(result, JournalError):
                self._post(ev.PlanChanged(("blocks",)))

        write = AddBlock(
            entry.pattern, stamp(self._clock.now()), by, entry.allow, reason=entry.reason, origin=entry.origin,
            ends=stamp(entry.ends) if entry.ends else None,
        )  # fmt: skip
        self._writer.submit(write, done)

    def happened(self, message: str, args: Mapping[str, str], severity: str) -> None:
        """An event for people."""
        self._writer.submit(AddEvent(stamp(self._clock.now()), message, dict(args), severity))

    def fact(self, line: str, name: str, value: object) -> None:
        """Keep what is known of a line."""
        self._writer.submit(PutLineFact(line, name, value, stamp(self._clock.now())))

    def remember(self, line: str, number: str) -> None:
        """This caller has heard the line's first greeting."""
        self._writer.submit(RememberCaller(line, number, stamp(self._clock.now())))

    def signal(self, line: str, percent: int | None, network: str, operator: str, state: str) -> None:
        """A point of a line's signal history."""
        self._writer.submit(PutSignal(line, stamp(self._clock.now()), percent, network, operator, state))

    def chore(self, at: float) -> None:
        """Once a second: deliver what waits too long for its parts, write kept rows again. `at`: monotonic seconds."""
        if at < self._retry_at:
            return
        self._retry_at = at + RETRY_SECONDS
        self._writer.submit(SweepParts(stamp(self._clock.now())))
        for _ in range(len(self._kept)):
            self.call(self._kept.popleft())
        for _ in range(len(self._kept_sms)):
            self.sms(self._kept_sms.popleft())
