"""Voice calls of the virtual modem: the table of calls, and what its lines say when they change.

States as in 27.007 7.18: 0 active, 1 held, 2 dialing, 3 alerting, 4 incoming, 5 waiting. One call is the rule; a second
incoming one waits when the program asked for that (+CCWA), else it finds the number busy. Our end of a call is moved
by AT commands (`call_commands.py`), the far end by the control socket, or by another virtual SIM.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.virtual.at import Host
from appliance.virtual.operator import Caller, Operator, Placed
from appliance.virtual.services import BUSY, NO_ANSWER, NOT_REACHABLE, REASONS, Services

ACTIVE, HELD, DIALING, ALERTING, INCOMING, WAITING = range(6)
STATES = ("active", "held", "dialing", "alerting", "incoming", "waiting")
MOST_HISTORY = 100
VALIDITY = {"": 0, "withheld": 1, "unavailable": 2}
CAUSES = {16: "Normal call clearing", 17: "User busy", 19: "No answer", 21: "Call rejected"}


@dataclass(slots=True)
class VirtualCall:
    """One call. Times are of this machine's clock, in seconds; `hidden` is "", withheld or unavailable.

    `told_answer` and `told_end` belong to the other side of a call between two virtual SIMs.
    """

    index: int
    incoming: bool
    number: str
    state: int
    hidden: str = ""
    clip: str = "with"
    began: float = field(default_factory=time.time)
    number_at: float = 0.0
    answered_at: float = 0.0
    ended_at: float = 0.0
    rings: int = 0
    ended_by: str = ""
    outcome: str = ""
    sent_digits: str = ""
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    told_answer: Callable[[], None] | None = None
    told_end: Callable[[str], None] | None = None
    ear: Callable[[bytes], None] | None = None  # hears what our side says
    passed_on: Placed | None = None  # rings there instead, since nobody answered here

    def public(self) -> dict[str, object]:
        """For the status."""
        return {
            "index": self.index, "direction": "in" if self.incoming else "out", "number": self.number,
            "hidden": self.hidden, "state": STATES[self.state] if not self.outcome else "ended", "began": self.began,
            "rings": self.rings, "number_at": self.number_at, "answered_at": self.answered_at,
            "ended_at": self.ended_at, "ended_by": self.ended_by, "outcome": self.outcome, "digits": self.sent_digits,
            "talk_seconds": round(self.ended_at - self.answered_at, 3) if self.answered_at and self.ended_at else 0,
            "refused_after_ms": self._refused_after(),
        }  # fmt: skip

    def _refused_after(self) -> float | None:
        """Milliseconds from the number to the refusal."""
        return round((self.ended_at - self.number_at) * 1000, 1) if self.outcome == "refused" else None

    @property
    def shown(self) -> str:
        """The number as the network gives it."""
        return "" if self.hidden else self.number

    @property
    def kind(self) -> int:
        """Its type of address."""
        return 128 if self.hidden else 145 if self.number.startswith("+") else 129


class Ringing:
    """An incoming call as the caller's side knows it. Implements `operator.Placed`."""

    def __init__(self, calls: "Calls", call: VirtualCall) -> None:
        self._calls = calls
        self.call = call

    def hang_up(self) -> None:
        """See `operator.Placed`."""
        self.call.told_end = None
        if self.call.passed_on:
            self.call.passed_on.hang_up()
        self._calls.end(self.call, "far", "ended" if self.call.answered_at else "missed", 16)

    def hear(self, sound: bytes) -> None:
        """See `operator.Placed`."""
        if self.call.passed_on:
            self.call.passed_on.hear(sound)
        elif self.call.state == ACTIVE:
            self._calls.hear(sound)


class Calls:
    """The table of calls and the rules between them. `on_change` hears of each change (audio follows it)."""

    def __init__(self, host: Host, operator: Operator, services: Services, own_number: Callable[[], str]) -> None:
        self._host = host
        self._operator = operator
        self.services = services
        self._own_number = own_number
        self.now: list[VirtualCall] = []
        self.history: list[VirtualCall] = []
        self.reports: set[str] = set()  # what the program asked to be told: clip, cring, clcc, ccinfo, dsci, tones ...
        self.last_cause = "No cause information available"
        self.on_change: Callable[[], None] = lambda: None

    def hear(self, sound: bytes) -> None:
        """The far end, another virtual SIM, says this."""
        self._host.hear(sound)

    def boot(self) -> None:
        """Settings as after power-on, no calls."""
        self.reports.clear()

    def lost(self, why: str) -> None:
        """The device or the network went away under the calls. Lines are sent for those who still listen."""
        for call in list(self.now):
            self.end(call, why, "dropped", 41)

    @property
    def talking(self) -> VirtualCall | None:
        return next((c for c in self.now if c.state == ACTIVE), None)

    # -- the far end ---------------------------------------------------------------------------------------------------

    def incoming(self, caller: Caller) -> Placed | None:
        """Somebody calls; None when the network sends the call on. Raises ValueError when it cannot be brought."""
        if self.services.forward(0):
            return self._sent_on(caller, 0)
        if not self._host.on_network():
            if self.services.forward(NOT_REACHABLE):
                return self._sent_on(caller, NOT_REACHABLE)
            raise ValueError("the modem is not registered, so the network has nobody to ring")
        busy = bool(self.now)
        waiting = self.services.waiting_shown and not any(c.state in (INCOMING, WAITING) for c in self.now)
        if busy and not waiting:
            if self.services.forward(BUSY):
                return self._sent_on(caller, BUSY)
            raise ValueError("the line is busy and the caller hears that")
        return Ringing(self, self._ring(caller, WAITING if busy else INCOMING))

    def _sent_on(self, caller: Caller, reason: int) -> Placed | None:
        to = self.services.forward(reason)
        if to is None:
            return None
        return self._operator.forward(self._own_number(), caller, to.number, REASONS[reason])

    def _ring(self, caller: Caller, state: int) -> VirtualCall:
        clip = caller.clip or self._host.quirks.clip
        call = VirtualCall(self._free(), True, caller.number, state, caller.hidden, clip)
        call.told_answer, call.told_end, call.ear = caller.answered, caller.ended, caller.ear
        self.now.append(call)
        if state == WAITING:
            call.rings, call.number_at = 1, time.time()
            self._host.urc(self._host.say("ccwa", number=call.shown, type=call.kind))
        else:
            self._ring_once(call)
        if caller.seconds > 0:
            call.timers.append(self._host.later(caller.seconds, lambda: self.end(call, "far", "missed", 16)))
        forward = self.services.forward(NO_ANSWER)
        if forward:
            call.timers.append(self._host.later(forward.seconds, lambda: self._nobody_answers(call, caller)))
        self.changed(call)
        return call

    def _nobody_answers(self, call: VirtualCall, caller: Caller) -> None:
        call.told_end = None
        self.end(call, "network", "forwarded", 16)
        call.passed_on = self._sent_on(caller, NO_ANSWER)

    def _ring_once(self, call: VirtualCall) -> None:
        if call not in self.now or call.state != INCOMING:
            return
        call.rings += 1
        clip = "clip" in self.reports and call.clip != "never" and not (call.clip == "late" and call.rings == 1)
        long = "cring" in self.reports or self._host.quirks.cring
        lines = [self._host.say("cring" if long else "ring")]
        if clip:
            call.number_at = call.number_at or time.time()
            number = self._host.say("clip", number=call.shown, type=call.kind, validity=VALIDITY[call.hidden])
            lines.insert(0 if call.clip == "before" else 1, number)
        self._host.urc(*lines)
        call.timers.append(self._host.later(self._host.quirks.ring_interval, lambda: self._ring_once(call)))

    def far_answers(self) -> VirtualCall:
        """The one we called picks up. Raises ValueError."""
        call = next((c for c in self.now if c.state in (DIALING, ALERTING)), None)
        if call is None:
            raise ValueError("no outgoing call is waiting for an answer")
        self.go_active(call)
        return call

    def far_ends(self, how: str, silent: bool = False) -> VirtualCall:
        """`busy`, `no-answer` or `hang-up`; silent: no line tells. Raises ValueError when no call is in that state."""
        wanted = (DIALING, ALERTING) if how in ("busy", "no-answer") else tuple(range(6))
        call = next((c for c in self.now if c.state in wanted), None)
        if call is None:
            raise ValueError("there is no such call" if how == "hang-up" else "no outgoing call is being set up")
        cause = {"busy": 17, "no-answer": 19}.get(how, 16)
        outcome = how if how in ("busy", "no-answer") else "ended" if call.answered_at else "missed"
        self.end(call, "far", outcome, cause, silent)
        return call

    def far_digits(self, digits: str) -> None:
        """The far end presses keys: reported when the program asked for that. Raises ValueError."""
        if not self.talking:
            raise ValueError("nobody is talking")
        if "tones" in self.reports:
            self._host.urc(*(self._host.say("dtmf", digit=digit, code=ord(digit)) for digit in digits))

    # -- states --------------------------------------------------------------------------------------------------------

    def _free(self) -> int:
        return next(i for i in range(1, 9) if i not in [c.index for c in self.now])

    def go_active(self, call: VirtualCall) -> None:
        """It is answered, by whichever side."""
        for timer in call.timers:
            timer.cancel()
        call.timers.clear()
        call.state = ACTIVE
        call.answered_at = call.answered_at or time.time()
        self._say("conn", call)
        if not call.incoming and "moring" in self.reports:
            self._say("mo-connected", call)
        self.changed(call)
        if call.told_answer:
            told, call.told_answer = call.told_answer, None
            told()

    def dial(self, number: str, hidden: bool) -> VirtualCall:
        """We call somebody: one of the virtual SIMs, or the world outside."""
        call = VirtualCall(self._free(), False, number, DIALING)
        self.now.append(call)
        self._host.later(0, lambda: self._say("orig", call))
        call.timers.append(self._host.later(self._host.quirks.setup_seconds, lambda: self._through(call, hidden)))
        self.changed(call)
        return call

    def _through(self, call: VirtualCall, hidden: bool) -> None:
        """The network has the call through: the other side rings, or does not."""
        if call not in self.now or call.state != DIALING:
            return
        peer = self._operator.subscriber(call.number)
        if peer and peer.number != self._own_number():
            caller = Caller(
                self._own_number(), "withheld" if hidden else "",
                answered=lambda: self._pick_up(call), ended=lambda how: self._peer_ended(call, how),
                ear=self._host.hear,
            )  # fmt: skip
            try:
                placed = peer.incoming(caller)
            except ValueError:
                self.end(call, "far", "busy", 17)
                return
            if placed:
                call.told_end, call.ear = (lambda how: placed.hang_up()), placed.hear
        call.state = ALERTING
        self._say("conf", call)
        if "moring" in self.reports:
            self._say("mo-ring", call)
        self.changed(call)
        if self._host.quirks.auto_answer >= 0:
            call.timers.append(self._host.later(self._host.quirks.auto_answer, lambda: self._pick_up(call)))

    def _pick_up(self, call: VirtualCall) -> None:
        if call in self.now and call.state == ALERTING:
            self.go_active(call)

    def _peer_ended(self, call: VirtualCall, how: str) -> None:
        call.told_end = None
        if call.answered_at:
            self.end(call, "far", "ended", 16)
        else:
            self.end(call, "far", "busy" if how == "refused" else "no-answer", 17 if how == "refused" else 19)

    def end(self, call: VirtualCall, by: str, outcome: str, cause: int, silent: bool = False) -> None:
        """The call is over; `silent`: the program is not told."""
        if call not in self.now:
            return
        for timer in call.timers:
            timer.cancel()
        self.now.remove(call)
        call.ended_at, call.ended_by, call.outcome = time.time(), by, outcome
        self.history = [*self.history, call][-MOST_HISTORY:]
        self.last_cause = CAUSES.get(cause, "Network failure")
        if silent:
            self.on_change()
        else:
            seconds = int(call.ended_at - call.answered_at) if call.answered_at else 0
            self._say("cend", call, seconds=seconds, end=29 if call.answered_at else 104, cause=cause)
            if by != "us":
                self._far_end_lines(call, outcome)
            self.changed(call, ended=True)
        told, call.told_end = call.told_end, None
        if told:
            told(outcome)

    def _far_end_lines(self, call: VirtualCall, outcome: str) -> None:
        maker = self._host.family.maker
        if call.incoming and not call.answered_at:
            self._say("missed", call, clock=time.strftime("%I:%M%p"))
            if maker in ("quectel", "ublox") or self._host.family.name == "sim800":
                self._host.urc("NO CARRIER")
        elif outcome in ("busy", "no-answer"):
            self._host.urc({"busy": "BUSY", "no-answer": "NO ANSWER"}[outcome])
        elif maker not in ("huawei", "worst"):
            self._host.urc("NO CARRIER")

    def _say(self, word: str, call: VirtualCall, **facts: object) -> None:
        line = self._host.say(word, index=call.index, number=call.shown, **facts)
        if line:
            self._host.urc(line)

    def changed(self, call: VirtualCall, ended: bool = False) -> None:
        """Tell those who want to know."""
        for word, over in (("ccinfo", -1), ("dsci", 6), ("clcc", 6), ("ucallstat", 6)):
            if word in self.reports:
                state = over if ended else call.state
                self._say(word, call, direction=int(call.incoming), state=state, type=call.kind)
        self.on_change()
