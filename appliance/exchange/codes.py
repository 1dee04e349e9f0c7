"""Codes of the network (USSD): who asked, and what this modem did before. Loop thread.

A line has one dialogue at a time. What the network says goes to whoever asked last; what nobody asked for becomes an
event for people. Codes are never logged: one of them may be a voucher.
"""

import logging
import re
from collections.abc import Callable, Mapping

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.model import PHONES, LineId
from appliance.errors import ControlError
from appliance.exchange.facts import Facts
from appliance.lines import Line

log = logging.getLogger(__name__)

FACT = "ussd-coding"
CODE = re.compile(r"[*#0-9]{1,160}\Z")
ANSWER = re.compile(r"[*#0-9+]{1,160}\Z")
VOUCHER = re.compile(r"[0-9]{8,}")
FORWARDS = re.compile(r"(\*\*|\*|##|#)(21|61|62|67|002|004)[*#]")  # 3GPP TS 22.030: MMI of call forwarding

Said = ev.UssdAnswered | ev.UssdFailed
Done = Callable[[Said], None]


def sets_forwarding(code: str) -> bool:
    """Whether a code changes where the network sends calls: allowed, and said."""
    return bool(FORWARDS.match(code))


def may_spend(code: str) -> bool:
    """Whether a code looks like one with a voucher in it."""
    return bool(VOUCHER.search(code))


class Codes:
    """See the module."""

    def __init__(self, lines: Mapping[LineId, Line], facts: Facts, told: Callable[[ev.UssdAnswered], None]) -> None:
        """`told` takes what the network says of its own accord."""
        self.lines = lines
        self._facts = facts
        self._told = told
        self._waiting: dict[LineId, Done] = {}

    def send(self, line_id: LineId, code: str, done: Done, once: bool = False) -> None:
        """Ask the network; `done` gets its word. `once`: the code spends something. Raises ControlError."""
        if not CODE.match(code):
            raise ControlError("not-a-code")
        line = self.free(line_id)
        known = self._known(line)
        self._waiting[line_id] = done
        line.perform(do.SendUssd(line_id, code, known.get("request", ""), known.get("answer", ""), once))
        log.info("line %s: a code was sent", line_id)

    def answer(self, line_id: LineId, words: str, done: Done) -> None:
        """Answer the network's menu. Raises ControlError."""
        if not ANSWER.match(words):
            raise ControlError("not-a-code")
        line = self.free(line_id)
        self._waiting[line_id] = done
        line.perform(do.AnswerUssd(line_id, words))

    def cancel(self, line_id: LineId) -> None:
        """Leave the dialogue; nothing happens where none is open. Raises ControlError."""
        self.line(line_id).perform(do.CancelUssd(line_id))

    def said(self, event: Said) -> None:
        """The network's word, or that there is none."""
        if isinstance(event, ev.UssdAnswered) and not event.asked:
            self._told(event)
            return
        if isinstance(event, ev.UssdAnswered):
            self._remember(event)
        done = self._waiting.pop(event.line, None)
        if done:
            done(event)

    def free(self, line_id: LineId) -> Line:
        """The line when it can ask the network something now. Raises ControlError."""
        line = self.line(line_id)
        status = line.status()
        if not status.usable:
            raise ControlError("line-not-up")
        if status.busy:
            raise ControlError("line-in-call")
        if line_id in self._waiting:
            raise ControlError("ussd-busy")
        return line

    def line(self, line_id: LineId) -> Line:
        """A SIM's line. Raises ControlError."""
        line = self.lines.get(line_id)
        if line is None or line_id == PHONES or line.status().kind != "gsm":
            raise ControlError("no-such-line", line=str(line_id))
        return line

    def _known(self, line: Line) -> dict[str, str]:
        """What this modem did before; another one on the line begins anew."""
        held = self._facts.get(str(line.id), FACT)
        if not isinstance(held, Mapping) or held.get("modem") != line.status().facts.get("model", ""):
            return {}
        return {str(key): str(value) for key, value in held.items()}

    def _remember(self, event: ev.UssdAnswered) -> None:
        line = self.lines.get(event.line)
        if line is None:
            return
        seen = {"modem": line.status().facts.get("model", ""), "request": event.request, "answer": event.coding}
        if self._facts.get(str(event.line), FACT) != seen:
            self._facts.put(str(event.line), FACT, seen)
