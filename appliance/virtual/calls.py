"""Voice calls of the virtual modem: both ends of them, ours by AT, the far one told by the control socket.

States as in 27.007 7.18: 0 active, 1 held, 2 dialing, 3 alerting, 4 incoming, 5 waiting. One call is the rule; a second
incoming one waits when the program asked for that (+CCWA), else it finds the number busy.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.virtual.at import ERROR, OK, Command, Handlers, Host, Reply, cme

ACTIVE, HELD, DIALING, ALERTING, INCOMING, WAITING = range(6)
STATES = ("active", "held", "dialing", "alerting", "incoming", "waiting")
MOST_HISTORY = 100
VALIDITY = {"": 0, "withheld": 1, "unavailable": 2}


@dataclass(slots=True)
class VirtualCall:
    """One call. Times are of this machine's clock, in seconds; `hidden` is "", withheld or unavailable."""

    index: int
    incoming: bool
    number: str
    state: int
    hidden: str = ""
    late: bool = False
    began: float = field(default_factory=time.time)
    number_at: float = 0.0
    answered_at: float = 0.0
    ended_at: float = 0.0
    rings: int = 0
    ended_by: str = ""
    outcome: str = ""
    sent_digits: str = ""
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

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


class Calls:
    """The table of calls and the rules between them. `on_change` hears of each change (audio follows it)."""

    def __init__(self, host: Host, registered: Callable[[], bool]) -> None:
        self._host = host
        self._registered = registered
        self.now: list[VirtualCall] = []
        self.history: list[VirtualCall] = []
        self.clip = self.cring = self.waiting = self.clcc_auto = False
        self.tones = False
        self.ccinfo = False
        self.last_cause = "No cause information available"
        self.on_change: Callable[[], None] = lambda: None

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {
            "D": self._dial, "A": self._answer, "H": self._hang_up, "+CHUP": self._hang_up, "+CLCC": self._clcc,
            "+CLIP": self._clip, "+CRC": self._crc, "+CCWA": self._ccwa, "+CHLD": self._chld, "+VTS": self._tone,
            "^DTMF": self._tone, "+QVTS": self._tone, "+CEER": self._ceer, "+CPAS": self._cpas, "+QHUP": self._hang_up,
            "^DDTMFCFG": self._tone_reports, "+DDET": self._tone_reports, "+QTONEDET": self._tone_reports,
            "+QINDCFG": self._indications,
        }  # fmt: skip

    def boot(self) -> None:
        """Settings as after power-on, no calls."""
        self.clip = self.cring = self.waiting = self.clcc_auto = self.tones = self.ccinfo = False

    def lost(self, why: str) -> None:
        """The device or the network went away under the calls. Lines are sent for those who still listen."""
        for call in list(self.now):
            self._end(call, why, "dropped", 41)

    @property
    def talking(self) -> VirtualCall | None:
        return next((c for c in self.now if c.state == ACTIVE), None)

    # -- the far end ---------------------------------------------------------------------------------------------------

    def ring(self, number: str, hidden: str, late: bool, seconds: float) -> VirtualCall:
        """Somebody calls. `seconds` 0 = until answered or refused. Raises ValueError when that cannot be."""
        if not self._registered():
            raise ValueError("the modem is not registered, so the network has nobody to ring")
        busy = bool(self.now)
        if busy and (not self.waiting or any(c.state in (INCOMING, WAITING) for c in self.now)):
            raise ValueError("the line is busy and the caller hears that")
        call = VirtualCall(self._free(), True, number, WAITING if busy else INCOMING, hidden, late)
        self.now.append(call)
        if busy:
            call.rings, call.number_at = 1, time.time()
            self._host.urc(self._host.say("ccwa", number=_shown(call), type=_type(call)))
        else:
            self._ring_once(call)
        if seconds > 0:
            call.timers.append(self._host.later(seconds, lambda: self._end(call, "far", "missed", 16)))
        self._changed(call)
        return call

    def _ring_once(self, call: VirtualCall) -> None:
        if call not in self.now or call.state != INCOMING:
            return
        call.rings += 1
        self._host.urc(self._host.say("cring" if self.cring else "ring"))
        if self.clip and not (call.late and call.rings == 1):
            call.number_at = call.number_at or time.time()
            line = self._host.say("clip", number=_shown(call), type=_type(call), validity=VALIDITY[call.hidden])
            self._host.urc(line)
        call.timers.append(self._host.later(self._host.quirks.ring_interval, lambda: self._ring_once(call)))

    def far_answers(self) -> VirtualCall:
        """The one we called picks up. Raises ValueError."""
        call = next((c for c in self.now if c.state in (DIALING, ALERTING)), None)
        if call is None:
            raise ValueError("no outgoing call is waiting for an answer")
        self._go_active(call)
        return call

    def far_ends(self, how: str) -> VirtualCall:
        """`busy`, `no-answer` or `hang-up`. Raises ValueError when no call is in that state."""
        wanted = (DIALING, ALERTING) if how in ("busy", "no-answer") else tuple(range(6))
        call = next((c for c in self.now if c.state in wanted), None)
        if call is None:
            raise ValueError("there is no such call" if how == "hang-up" else "no outgoing call is being set up")
        cause = {"busy": 17, "no-answer": 19}.get(how, 16)
        outcome = how if how in ("busy", "no-answer") else "ended" if call.answered_at else "missed"
        self._end(call, "far", outcome, cause)
        return call

    def far_digits(self, digits: str) -> None:
        """The far end presses keys: reported when the program asked for that. Raises ValueError."""
        if not self.talking:
            raise ValueError("nobody is talking")
        for digit in digits:
            if self.tones:
                self._host.urc(self._host.say("dtmf", digit=digit, code=ord(digit)))

    # -- states --------------------------------------------------------------------------------------------------------

    def _free(self) -> int:
        return next(i for i in range(1, 9) if i not in [c.index for c in self.now])

    def _go_active(self, call: VirtualCall) -> None:
        for timer in call.timers:
            timer.cancel()
        call.timers.clear()
        call.state = ACTIVE
        call.answered_at = call.answered_at or time.time()
        self._say("conn", call)
        self._changed(call)

    def _alerting(self, call: VirtualCall) -> None:
        if call in self.now and call.state == DIALING:
            call.state = ALERTING
            self._say("conf", call)
            self._changed(call)
            if self._host.quirks.auto_answer >= 0:
                call.timers.append(self._host.later(self._host.quirks.auto_answer, lambda: self._pick_up(call)))

    def _pick_up(self, call: VirtualCall) -> None:
        if call in self.now and call.state == ALERTING:
            self._go_active(call)

    def _end(self, call: VirtualCall, by: str, outcome: str, cause: int) -> None:
        if call not in self.now:
            return
        for timer in call.timers:
            timer.cancel()
        self.now.remove(call)
        call.ended_at, call.ended_by, call.outcome = time.time(), by, outcome
        self.history = [*self.history, call][-MOST_HISTORY:]
        self.last_cause = {16: "Normal call clearing", 17: "User busy", 19: "No answer"}.get(cause, "Network failure")
        seconds = int(call.ended_at - call.answered_at) if call.answered_at else 0
        end = 29 if call.answered_at else 104
        self._say("cend", call, seconds=seconds, end=end, cause=cause)
        if by != "us":
            self._far_end_lines(call, outcome)
        self._changed(call, ended=True)

    def _far_end_lines(self, call: VirtualCall, outcome: str) -> None:
        if call.incoming and not call.answered_at:
            clock = time.strftime("%I:%M%p")
            self._say("missed", call, clock=clock)
            if self._host.family.name == "ec25":
                self._host.urc("NO CARRIER")
        elif outcome in ("busy", "no-answer"):
            self._host.urc({"busy": "BUSY", "no-answer": "NO ANSWER"}[outcome])
        elif self._host.family.name != "huawei":
            self._host.urc("NO CARRIER")

    def _say(self, word: str, call: VirtualCall, **facts: object) -> None:
        line = self._host.say(word, index=call.index, number=_shown(call), **facts)
        if line:
            self._host.urc(line)

    def _changed(self, call: VirtualCall, ended: bool = False) -> None:
        if self.ccinfo or self.clcc_auto:
            state = (-1 if self.ccinfo else 6) if ended else call.state
            facts = {"index": call.index, "direction": int(call.incoming), "state": state, "number": _shown(call)}
            line = self._host.say("ccinfo" if self.ccinfo else "clcc", type=_type(call), **facts)
            if line:
                self._host.urc(line)
        self.on_change()

    # -- commands ------------------------------------------------------------------------------------------------------

    def _dial(self, command: Command) -> Reply:
        number = command.args[0].strip()
        if not number.endswith(";"):
            return Reply(final="NO CARRIER")  # a data call, which this modem has not
        number = number.rstrip(";").rstrip("IiGg")
        if not number or any(letter not in "0123456789*#+ABCDabcd" for letter in number):
            return cme(50) if number else ERROR
        if not self._registered():
            return Reply(final="NO CARRIER")
        if self.now:
            return cme(3)
        call = VirtualCall(self._free(), False, number, DIALING)
        self.now.append(call)
        self._host.later(0, lambda: self._say("orig", call))
        call.timers.append(self._host.later(self._host.quirks.setup_seconds, lambda: self._alerting(call)))
        self._changed(call)
        return OK

    def _answer(self, command: Command) -> Reply:
        call = next((c for c in self.now if c.state == INCOMING), None)
        if call is None:
            return Reply(final="NO CARRIER")
        self._host.later(0, lambda: self._go_active(call) if call in self.now else None)
        return OK

    def _hang_up(self, command: Command) -> Reply:
        if command.name == "H" and self._host.family.name == "huawei" and not self.now:
            return OK
        for call in [c for c in self.now if c.state != HELD]:
            self._end(call, "us", self._our_end(call), 16)
        return OK

    def _our_end(self, call: VirtualCall) -> str:
        if call.answered_at:
            return "ended"
        return "refused" if call.incoming else "cancelled"

    def _chld(self, command: Command) -> Reply:
        if command.op == "=?":
            return Reply(("+CHLD: (0,1,1x,2,2x)",))
        what = command.args[0][:1] if command.args else ""
        waiting = next((c for c in self.now if c.state in (WAITING, INCOMING)), None)
        if what == "0" and waiting:
            self._end(waiting, "us", "refused", 17)
        elif what == "1":
            for call in [c for c in self.now if c.state == ACTIVE]:
                self._end(call, "us", "ended", 16)
            if waiting:
                self._go_active(waiting)
        elif what == "2" and self.now:
            for call in self.now:
                call.state = {ACTIVE: HELD, HELD: ACTIVE}.get(call.state, call.state)
            if waiting:
                self._go_active(waiting)
            self.on_change()
        else:
            return cme(3)
        return OK

    def _clcc(self, command: Command) -> Reply:
        if command.op == "=":
            self.clcc_auto = command.number(0) == 1 and self._host.family.name == "sim7600"
            return OK if self._host.family.name == "sim7600" else ERROR
        lines = []
        for call in self.now:
            facts = {"index": call.index, "direction": int(call.incoming), "state": call.state}
            word = "clcc" if _shown(call) else "clcc-hidden"
            lines.append(self._host.say(word, number=_shown(call), type=_type(call), **facts))
        return Reply(tuple(lines))

    def _clip(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+CLIP: {int(self.clip)},1",))
        if command.op == "=?":
            return Reply(("+CLIP: (0,1)",))
        self.clip = command.number(0) == 1
        return OK

    def _crc(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+CRC: {int(self.cring)}",))
        self.cring = command.number(0) == 1
        return OK

    def _ccwa(self, command: Command) -> Reply:
        if command.op == "=" and command.number(1, 1) != 2:
            self.waiting = command.number(1, command.number(0)) == 1
        return OK

    def _tone(self, command: Command) -> Reply:
        call = self.talking
        if call is None:
            return cme(3)
        digits = command.args[-1] if command.args else ""
        if not digits or any(d not in "0123456789*#ABCDabcd" for d in digits):
            return cme(50)
        call.sent_digits += digits
        return OK

    def _tone_reports(self, command: Command) -> Reply:
        mine = {"huawei": "^DDTMFCFG", "sim7600": "+DDET", "ec25": "+QTONEDET"}[self._host.family.name]
        if command.name != mine:
            return Reply(final=self._host.family.unknown)
        if command.op == "=":
            self.tones = command.args[-1] == "1"
        return OK

    def _indications(self, command: Command) -> Reply:
        if self._host.family.name != "ec25":
            return Reply(final=self._host.family.unknown)
        if command.op == "=" and command.args[0] == "ccinfo":
            self.ccinfo = command.number(1) == 1
        return OK

    def _ceer(self, command: Command) -> Reply:
        return Reply((f"+CEER: {self.last_cause}",))

    def _cpas(self, command: Command) -> Reply:
        ringing = any(c.state == INCOMING for c in self.now)
        return Reply((f"+CPAS: {3 if ringing else 4 if self.now else 0}",))


def _shown(call: VirtualCall) -> str:
    return "" if call.hidden else call.number


def _type(call: VirtualCall) -> int:
    if call.hidden:
        return 128
    return 145 if call.number.startswith("+") else 129
