"""The test of a line's speech: in a call that is up, or in one that the box makes to a number of the owner's.

Steps per line: dial, wait for the answer, say a tone and listen for three seconds, hang up what we dialled, judge, keep
the verdict with what is known of the line. A call of the test is no call of the office: nobody rings, no row is kept.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import Kind, LegId, LineId, Number
from appliance.core.numbers import parse
from appliance.core.self_test import Heard, judge
from appliance.errors import ControlError
from appliance.exchange.control import Json
from appliance.exchange.exchange import Exchange

log = logging.getLogger(__name__)

ANSWER_SECONDS = 45.0
LISTEN_SECONDS = 3.4  # the tone sounds for three; its way there and back takes some hundred milliseconds
SPEECH_SECONDS = 3.0  # between the answer and the modem's speech

Args = Mapping[str, Json]


class ProbedAudio(Protocol):
    """What the test needs of lines/audio.py."""

    def begin_test(self, leg: LegId) -> bool: ...
    def tested(self, leg: LegId) -> Heard | None: ...


@dataclass(slots=True)
class _Test:
    line: LineId
    leg: LegId
    ours: bool  # we dialled it
    loop: bool
    state: str  # dialling, answered, listening
    until: float


class SelfTests:
    """One test per line at a time. Loop thread only; `keep` stores a verdict, `changed` tells pages."""

    def __init__(
        self,
        exchange: Exchange,
        audio: ProbedAudio,
        keep: Callable[[LineId, dict[str, Json]], None],
        changed: Callable[[str], None],
    ) -> None:
        self._exchange = exchange
        self._audio = audio
        self._keep = keep
        self._changed = changed
        self._tests: dict[LineId, _Test] = {}
        self._numbers = count(1)

    def running(self) -> dict[str, Json]:
        """What the tests do now, by line: an id of words.SELF_TEST."""
        return {
            str(test.line): "dialling" if test.state == "dialling" else "listening" for test in self._tests.values()
        }

    def start(self, args: Args) -> dict[str, Json]:
        """The verb line.selftest {line, number?, loop?}: begins and answers at once. Raises ControlError."""
        line_id = LineId(str(args.get("line") or ""))
        line, of_plan = self._exchange.lines.get(line_id), self._exchange.plan.lines.get(line_id)
        if line is None or of_plan is None or of_plan.kind != "gsm":  # of a modem's speech
            raise ControlError("no-such-line", line=str(line_id))
        number, loop, now = str(args.get("number") or ""), args.get("loop") is True, self._exchange.clock.monotonic()
        status = line.status()
        if line_id in self._tests or (number and status.busy):
            raise ControlError("line-busy")
        if not status.usable:
            raise ControlError("line-down")
        if number:
            self._dial(line_id, self._callable(number, of_plan.country), loop, now)
        else:
            leg = next((leg for leg in self._legs_on(line_id) if line.slot(leg) is not None), None)
            if leg is None:
                raise ControlError("no-speech-in-call")
            self._tests[line_id] = _Test(line_id, leg, False, loop, "answered", now)
        self._changed("lines")
        return {"started": True}

    def _callable(self, text: str, country: str) -> Number:
        """A number that the test may call. Raises ControlError: not for emergency numbers, nor for half ones."""
        number = parse(text[:40], country)
        if number.kind is not Kind.E164 or number.text in self._exchange.plan.emergency:
            raise ControlError("not-a-phone-number")
        return number

    def _dial(self, line_id: LineId, number: Number, loop: bool, now: float) -> None:
        leg = LegId(f"{line_id}-test{next(self._numbers)}")
        self._tests[line_id] = _Test(line_id, leg, True, loop, "dialling", now + ANSWER_SECONDS)
        own = Number(self._exchange.plan.lines[line_id].own_number, Kind.E164)
        self._exchange.lines[line_id].perform(do.Dial(leg, line_id, number, own))

    def _legs_on(self, line_id: LineId) -> list[LegId]:
        facts = [leg for running in self._exchange.calls.values() for leg in running.call.leg_facts()]
        return [LegId(leg["leg"]) for leg in facts if leg["line"] == line_id and leg["state"] != "ended"]

    # ---- what happens -------------------------------------------------------------------------------------------

    def heard(self, event: ev.Event) -> None:
        """An event of a leg that no call has: perhaps a test's."""
        test = next((t for t in self._tests.values() if t.leg == getattr(event, "leg", None)), None)
        if test and isinstance(event, ev.Answered):
            test.state, test.until = "answered", self._exchange.clock.monotonic() + SPEECH_SECONDS
        elif test and isinstance(event, ev.Ended):
            self._over(test, "no-call" if test.state == "dialling" else self._verdict(test))

    def tick(self, at: float) -> None:
        """What is due. `at`: monotonic seconds."""
        for test in list(self._tests.values()):
            if test.state == "answered":
                self._listen(test, at)
            elif at >= test.until:
                self._over(test, "no-call" if test.state == "dialling" else self._verdict(test))

    def _listen(self, test: _Test, at: float) -> None:
        if self._audio.begin_test(test.leg):
            test.state, test.until = "listening", at + LISTEN_SECONDS
            self._changed("lines")
        elif at >= test.until or self._speech(test) in ("none", "refused"):
            self._over(test, self._verdict(test))

    def _speech(self, test: _Test) -> str:
        line = self._exchange.lines.get(test.line)
        return line.status().facts.get("speech", "") if line else "lost"

    def _verdict(self, test: _Test) -> str:
        heard = self._audio.tested(test.leg)
        speech = self._speech(test)
        return judge("lost" if heard is None and speech == "up" else speech, heard, test.loop)

    def _over(self, test: _Test, verdict: str) -> None:
        heard = self._audio.tested(test.leg)
        self._tests.pop(test.line, None)
        line = self._exchange.lines.get(test.line)
        if test.ours and line:
            line.perform(do.HangUp(test.leg, Cause.NORMAL))
        log.info("line %s: test of its speech: %s, %s", test.line, verdict, heard)
        facts: dict[str, Json] = {"verdict": verdict}
        if heard:
            facts |= {"level": heard.best_db, "delay": heard.first_ms, "slips": heard.jumps + heard.slips}
        self._keep(test.line, facts)
        self._changed("lines")
