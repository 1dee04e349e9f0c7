"""The network's forwarding of each line: set after the settings changed, looked at daily, put back when it was lost.

What is asked of the network takes seconds and never happens in a call. The last that the network said is the line's
fact "forwarding": what was wished, what is found, which reasons are ours, what is wrong, when it was looked. Loop
thread.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.forwarding import Wish, changes, deviations
from appliance.core.model import PHONES, LineId
from appliance.errors import ControlError
from appliance.exchange.clock import Clock
from appliance.exchange.codes import Codes
from appliance.exchange.control import Answer, Json
from appliance.exchange.credit import Items
from appliance.exchange.facts import Facts
from appliance.exchange.notices import Notices
from appliance.exchange.verbs import Reply
from appliance.journal.times import stamp
from appliance.settings.sims import wish_of

log = logging.getLogger(__name__)

FACT = "forwarding"
LOOK_SECONDS = 5.0
AGAIN_SECONDS = (30.0, 120.0, 600.0, 3600.0)  # a network that does not answer is asked again


@dataclass(slots=True)
class _Run:
    """A look at a line's forwarding, and what follows it."""

    replies: list[Reply]
    checking: bool  # a deviation is news
    setting: bool = False
    lost: tuple[str, ...] = field(default_factory=tuple)


class Forwardings:
    """See the module."""

    def __init__(self, items: Items, codes: Codes, facts: Facts, notices: Notices, clock: Clock) -> None:
        self._items = items
        self._codes = codes
        self._facts = facts
        self._notices = notices
        self._clock = clock
        self._runs: dict[LineId, _Run] = {}
        self._tries: dict[LineId, int] = {}
        self._again_at: dict[LineId, float] = {}
        self._look_at = 0.0

    def check(self, line: LineId, reply: Reply) -> None:
        """Look; what was lost is told and put back. Raises ControlError."""
        self._begin(line, reply, checking=True)

    def apply(self, line: LineId, reply: Reply) -> None:
        """Set what the settings want, and look. Raises ControlError."""
        self._begin(line, reply, checking=False)

    def chore(self, at: float) -> None:
        """Lines whose settings, or whose SIM, are not those of the last time: as soon as they are free. `at`: monotonic
        seconds."""
        if at < self._look_at:
            return
        self._look_at = at + LOOK_SECONDS
        for line_id in map(LineId, self._items()):
            if at >= self._again_at.get(line_id, 0.0) and line_id not in self._runs and self._is_new(line_id):
                try:
                    self._begin(line_id, _nobody, checking=False)
                except ControlError:
                    continue  # not up, or in a call: at the next look

    def read(self, event: ev.ForwardingRead) -> None:
        """What the network holds."""
        run = self._runs.get(event.line)
        if run is None:
            return
        if not event.found:
            self._unknown(event, run)
            return
        wish = self._wish(event.line)
        todo = changes(wish, event.found, self._ours(event.line))
        if todo and not run.setting and event.line in self._codes.lines:
            if run.checking and self._held_before(event.line):
                run.lost = deviations(wish, event.found)
            run.setting = True
            self._codes.line(event.line).perform(do.Forward(event.line, todo))
            return
        self._end(event, run, wish)

    # ---- inside ---------------------------------------------------------------------------------------------------

    def _begin(self, line_id: LineId, reply: Reply, checking: bool) -> None:
        if line_id in self._runs:
            self._runs[line_id].replies.append(reply)
            return
        line = self._codes.free(line_id)
        self._runs[line_id] = _Run([reply], checking)
        line.perform(do.Forward(line_id))

    def _unknown(self, event: ev.ForwardingRead, run: _Run) -> None:
        """The network said nothing at all: what was known stays, and it is asked again, less and less often."""
        tries = self._tries.get(event.line, 0)
        self._tries[event.line] = tries + 1
        self._again_at[event.line] = self._clock.monotonic() + AGAIN_SECONDS[min(tries, len(AGAIN_SECONDS) - 1)]
        del self._runs[event.line]
        if tries == len(AGAIN_SECONDS) - 1:
            self._notices.tell(event.line, "forwarding-unknown", {"number": self._wish(event.line).number}, mail=True)
        for reply in run.replies:
            reply(Answer(error="forwarding-unknown", args={"said": next(iter(event.refused.values()), "")}))

    def _end(self, event: ev.ForwardingRead, run: _Run, wish: Wish) -> None:
        wrong = deviations(wish, event.found)
        del self._runs[event.line]
        self._tries.pop(event.line, None)
        active = {one.reason for one in event.found if one.active}
        wanted = {one.reason for one in wish.wanted()}
        ours = sorted((wanted | set(self._ours(event.line))) & active)
        found: list[Json] = [asdict(one) for one in event.found]
        body: dict[str, Json] = {
            "wish": self._mark(event.line), "number": wish.number, "wanted": [*sorted(wanted)], "ours": [*ours],
            "found": found, "refused": dict(event.refused), "wrong": [*wrong], "lost": [*run.lost],
            "checked": stamp(self._clock.now()),
        }  # fmt: skip
        self._facts.put(str(event.line), FACT, body)
        self._tell(event.line, wish, wrong, run)
        for reply in run.replies:
            reply(Answer(ok={**body, "wish": asdict(wish)}))

    def _tell(self, line: LineId, wish: Wish, wrong: tuple[str, ...], run: _Run) -> None:
        facts = {"number": wish.number}
        if wrong:
            self._notices.tell(line, "forwarding-refused", facts, mail=True)
        elif run.lost:
            self._notices.tell(line, "forwarding-restored", facts, mail=True)
        elif run.setting:
            self._notices.tell(line, "forwarding-set" if wish.number else "forwarding-gone", facts, severity="info")
        log.info("line %s: the network's forwarding: %s", line, ", ".join(wrong) or "as wanted")

    def _wish(self, line: LineId) -> Wish:
        return wish_of(self._items().get(str(line), {}))

    def _mark(self, line: LineId) -> str:
        return f"{self._wish(line)} {self._notices.iccid(line)}"

    def _fact(self, line: LineId) -> Mapping[str, object]:
        held = self._facts.get(str(line), FACT)
        return held if isinstance(held, Mapping) else {}

    def _ours(self, line: LineId) -> tuple[str, ...]:
        ours = self._fact(line).get("ours")
        return tuple(str(one) for one in ours) if isinstance(ours, list) else ()

    def _held_before(self, line: LineId) -> bool:
        """Whether the network did what is wanted now when it was last looked."""
        fact = self._fact(line)
        return fact.get("wish") == self._mark(line) and not fact.get("wrong")

    def _is_new(self, line: LineId) -> bool:
        if line == PHONES:
            return False
        fact = self._fact(line)
        return fact.get("wish") != self._mark(line) if fact or self._wish(line).wanted() else False


def _nobody(answer: Answer) -> None:
    """No one waits for this look."""
