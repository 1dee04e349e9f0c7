"""The credit of the SIMs: read by code or from the operator's messages, written down, watched, topped up. Loop thread.

What is to be done says `core.credit`; here it is carried out in the order that loses no money: the state with the used
voucher and the counted top-up is on disk before the code leaves. A top-up that could not even begin is given back.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from appliance.core import credit
from appliance.core import events as ev
from appliance.core.commands import CallRecord
from appliance.core.model import Direction, LineId
from appliance.errors import ControlError
from appliance.exchange.clock import Clock
from appliance.exchange.codes import Codes, Said
from appliance.exchange.control import Answer, Json
from appliance.exchange.facts import Facts
from appliance.exchange.notices import Notices
from appliance.exchange.verbs import Reply
from appliance.journal.times import stamp
from appliance.journal.writes import AddCredit
from appliance.settings.fields import Value
from appliance.settings.sims import HOOK, balance_of, guard_of

log = logging.getLogger(__name__)

FACT = "credit-guard"
NOT_SENT = "ussd-not-sent"  # the only failure after which nothing was spent for certain
BALANCE = "balance"  # the last that was read: {"amount": minor units, None when it was not understood, "at"}
AGAIN_SECONDS = 30.0  # after a top-up the balance is read again: operators need a moment
COSTLY_MS = 300_000  # of talk, of a call out
COSTLY_SECONDS = 3600.0
LONGEST_SAID = 200

Items = Callable[[], Mapping[str, Mapping[str, Value]]]  # lines of the settings, by id


@dataclass(frozen=True, slots=True)
class _Step:
    """A top-up on its way, and what is put back when it cannot begin."""

    line: LineId
    action: credit.TopUp
    before: credit.Kept


class Credit:
    """See the module."""

    def __init__(self, items: Items, codes: Codes, facts: Facts, notices: Notices, clock: Clock) -> None:
        self._items = items
        self._codes = codes
        self._facts = facts
        self._notices = notices
        self._clock = clock
        self._again: dict[LineId, float] = {}  # monotonic seconds
        self._not_before: dict[LineId, float] = {}  # after a costly call

    def read(self, line: LineId, reply: Reply) -> None:
        """Ask for the balance by the line's code. Raises ControlError."""
        code = balance_of(self._item(line)).code
        if not code:
            raise ControlError("no-balance-code")
        self._codes.send(line, code, lambda said: self._answered(line, said, reply))

    def message(self, event: ev.SmsReceived) -> None:
        """A message that may tell the balance: only of the operator's sender, and where the pattern fits."""
        item = self._items().get(str(event.line), {})
        how = balance_of(item)
        text, sender = event.part.text or "", event.part.sender.text
        if not how.sender or sender.lstrip("+").lower() != how.sender.lstrip("+").lower():
            return
        amount = credit.amount_in(text, how.pattern)
        if amount is not None:
            self._took(event.line, amount, text, "sms", _nothing)

    def call_ended(self, record: CallRecord) -> None:
        """A long call out costs: the balance is read when the operator has counted it, once an hour at most, and not
        where the question is asked seldom because it costs, too."""
        line, at = LineId(record.answered_by), self._clock.monotonic()
        item = self._items().get(str(line), {})
        if record.direction is not Direction.OUT or record.talk_ms < COSTLY_MS:
            return
        if balance_of(item).code and item.get("balance_days", 1) == 1 and at >= self._not_before.get(line, at):
            self._not_before[line] = at + COSTLY_SECONDS
            self._again[line] = at + AGAIN_SECONDS

    def chore(self, at: float) -> None:
        """Once a second: read again after a top-up or a costly call. `at`: monotonic seconds."""
        for line in [line for line, due in self._again.items() if at >= due]:
            del self._again[line]
            try:
                self.read(line, _nobody)
            except ControlError as error:
                log.info("line %s: the balance is not read after its top-up: %s", line, error.id)

    def _item(self, line: LineId) -> Mapping[str, Value]:
        item = self._items().get(str(line))
        if item is None:
            raise ControlError("no-such-line", line=str(line))
        return item

    def _answered(self, line: LineId, said: Said, reply: Reply) -> None:
        if isinstance(said, ev.UssdFailed):
            reply(Answer(error=said.reason, args={"said": said.detail}))
            return
        if said.more:
            self._codes.cancel(line)
        how = balance_of(self._items().get(str(line), {}))
        amount = credit.amount_in(said.text, how.pattern)
        facts: dict[str, Json] = {"text": said.text, "amount": amount, "currency": how.currency}
        if amount is None:
            self._keep_balance(line, None)
            self._notices.tell(line, "credit-unknown", {"said": said.text[:LONGEST_SAID]})
            reply(Answer(ok=facts))
        else:
            self._took(line, amount, said.text, "ussd", lambda: reply(Answer(ok=facts)))

    def _took(self, line: LineId, amount: int, text: str, source: str, then: Callable[[], None]) -> None:
        """A balance is known: to the guard, and into the series; `then` when all of it is on disk."""
        item = self._items().get(str(line), {})
        currency, now = balance_of(item).currency, self._clock.now()
        self._keep_balance(line, amount)
        guard, before = guard_of(item), credit.Kept.of(self._facts.get(str(line), FACT))
        if source == "sms" and balance_of(item).code:  # a sender can be forged: the operator itself is asked first
            guard = replace(guard, topup="none")
            self._again[line] = self._clock.monotonic()
        kept, actions = credit.after_reading(guard, before, amount, self._notices.today())
        log.info("line %s: the balance is %s, %d things to do", line, credit.shown(amount, currency), len(actions))
        for action in actions:
            if isinstance(action, credit.TellLow):
                low = {name: credit.shown(value, currency) for name, value in
                       (("amount", action.amount), ("needed", action.needed))}  # fmt: skip
                self._notices.tell(line, "credit-low", low, mail=True)
            elif isinstance(action, credit.TellNoTopUp):
                self._notices.tell(line, f"topup-{action.reason}", {}, mail=True)
        top_up = next((action for action in actions if isinstance(action, credit.TopUp)), None)
        written = partial(self._written, _Step(line, top_up, before)) if top_up else None
        if top_up or kept != before:
            self._facts.put(str(line), FACT, kept.stored(), written)
        iccid = self._notices.iccid(line)
        self._notices.write(AddCredit(str(line), stamp(now), amount, currency, source, text, iccid), then)

    def _keep_balance(self, line: LineId, amount: int | None) -> None:
        self._facts.put(str(line), BALANCE, {"amount": amount, "at": stamp(self._clock.now())})

    # ---- top-up ---------------------------------------------------------------------------------------------------

    def _written(self, step: _Step, ok: bool) -> None:
        """Only what is on disk is done."""
        if not ok:
            self._put_back(step)
            self._failed(step.line, "journal-error")
        elif step.action.kind == "webhook":
            about = {"line_id": str(step.line)}
            self._notices.tell(step.line, "topup-asked", about, severity="info", hook=f"{HOOK}{step.line}")
        else:
            try:
                self._codes.send(step.line, step.action.code, partial(self._topped_up, step), once=True)
            except ControlError as error:
                self._put_back(step)
                self._failed(step.line, error.id)

    def _put_back(self, step: _Step) -> None:
        """Nothing has left: the voucher is not used and the day's count is as it was; that it was told stays."""
        back = {**step.before.stored(), "told": True}
        self._facts.put(str(step.line), FACT, back)

    def _topped_up(self, step: _Step, said: Said) -> None:
        if isinstance(said, ev.UssdFailed):
            if said.reason == NOT_SENT:
                self._put_back(step)
            self._failed(step.line, said.reason)
            return
        if said.more:
            self._codes.cancel(step.line)
        text = credit.without_secrets(said.text)[:LONGEST_SAID]
        self._notices.tell(step.line, "topup-done", {"said": text}, severity="info", mail=True)
        if balance_of(self._items().get(str(step.line), {})).code:
            self._again[step.line] = self._clock.monotonic() + AGAIN_SECONDS

    def _failed(self, line: LineId, reason: str) -> None:
        log.warning("line %s: the top-up failed: %s", line, reason)
        self._notices.tell(line, "topup-failed", {"reason": reason}, mail=True)


def _nothing() -> None:
    """No one waits for this reading."""


def _nobody(answer: Answer) -> None:
    """No one waits for this reading."""
