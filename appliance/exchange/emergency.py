"""Emergency calls when every line is taken: one is freed for them. And the office is told of each such call.

`core.calling_out.emergency` says over which lines, those in use after the free ones. A dial that finds its line taken
ends an ordinary call there and goes out as soon as the line is free; another emergency call is never ended.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.core import commands as do
from appliance.core.call_talk import take_down
from appliance.core.causes import Cause
from appliance.core.model import PHONES, LegId, LineId, Offer, Outcome, Route, TraceStep
from appliance.exchange.exchange import Exchange
from appliance.exchange.notices import Notices
from appliance.exchange.parts import Running

log = logging.getLogger(__name__)

FREED_SECONDS = 4.0  # a line that is not free by then is dialled all the same, and says itself what is wrong


@dataclass(frozen=True, slots=True)
class Waiting:
    """A dial that waits for its line; `until` monotonic."""

    command: do.Dial
    until: float


class Emergency:
    """Stands before `Dial`. Loop thread."""

    def __init__(self, exchange: Exchange, notices: Notices) -> None:
        self._exchange = exchange
        self._notices = notices
        self._waiting: list[Waiting] = []
        self._dial = exchange.replace_command(do.Dial, self.dial)
        exchange.decided.append(self.decided)

    def dial(self, command: do.Dial) -> None:
        """Free the line first where an emergency call needs it."""
        line = self._exchange.lines.get(command.line) if command.line != PHONES else None
        taken = list(self._calls_on(command.line)) if line and line.status().busy and self._urgent(command.leg) else []
        if not taken:
            self._dial(command)
            return
        at = self._exchange.clock.monotonic()
        for running in taken[:1]:
            log.warning("call %s is ended: an emergency call needs line %s", running.call.id, command.line)
            why = TraceStep("freed-for-emergency", Outcome.STOPPED, {"line": str(command.line)})
            self._exchange.carry_out(running.call.id, take_down(running.call, why, Cause.FREED, at))
        self._waiting.append(Waiting(command, at + FREED_SECONDS))

    def tick(self, at: float) -> None:
        """Dial what waited, as soon as its line is free."""
        for waiting in list(self._waiting):
            line = self._exchange.lines.get(waiting.command.line)
            if not self._urgent(waiting.command.leg):  # the caller hung up meanwhile
                self._waiting.remove(waiting)
            elif line is None or not line.status().busy or at >= waiting.until:
                self._waiting.remove(waiting)
                self._dial(waiting.command)

    def decided(self, offer: Offer, route: Route) -> None:
        """Tell the office, by mail too: somebody may need help on the spot."""
        if route.emergency:
            person = self._exchange.plan.people.get(offer.caller.text)
            facts = {"who": person.name if person else offer.caller.text, "number": offer.called.text}
            self._notices.tell(LineId(""), "emergency-call", facts, mail=True)

    def _urgent(self, leg: LegId) -> bool:
        """Whether this leg is part of an emergency call, and still wanted."""
        return any(
            one["leg"] == leg and one["state"] != "ended"
            for running in self._exchange.calls.values()
            if running.route.emergency
            for one in running.call.leg_facts()
        )

    def _calls_on(self, line: LineId) -> Iterator[Running]:
        """Ordinary calls with a leg on this line, those that do not talk yet first, then the newest."""
        found = [
            running
            for running in self._exchange.calls.values()
            if not running.route.emergency
            and any(one["line"] == line and one["state"] != "ended" for one in running.call.leg_facts())
        ]
        yield from sorted(found, key=lambda running: (running.call.answered_at is not None, -running.since.timestamp()))
