"""The AT engine: octets in, events out; one command in flight; nothing blocks (3GPP TS 27.007, V.250).

A line is told apart before it is given to the running command: a known unsolicited code (URC) belongs to nobody, unless
it has the shape of the answer that is waited for. When a command is not answered in time, its late answer would be
taken for the next one's for ever: the engine then drops what comes, asks for a plain OK and goes on when it got one.
"""

import heapq
import re
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from itertools import count

LONGEST_LINE = 4096
MOST_LINES = 4096
QUIET = 0.3  # seconds without an octet before a resync asks
RESYNC_ANSWER = 2.0
RESYNC_AFTER = 0.2  # after its OK nothing may come
RESYNC_TRIES = 3
LONGEST_NOISE = 15.0  # seconds: a port that is never quiet is no modem's, or its modem is lost
SECOND_LINE = 2.0
GRACE = 3.0  # some modems end an answer of one line without OK
PROMPT = 5.0  # seconds a body waits for its prompt
ESCAPE, CTRL_Z = b"\x1b", b"\x1a"

FINAL = re.compile(
    r"(OK|ERROR|\+CM[ES] ERROR:.*|COMMAND NOT SUPPORT|MODEM ERROR:.*|NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE|CONNECT.*|"
    r"TOO MANY PARAMETERS|NA)\Z"
)
OF_A_CALL = re.compile(r"(NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE|CONNECT.*)\Z")  # final for ATD and ATA alone
CALL_COMMAND = re.compile(r"AT(D|A\Z|O)", re.IGNORECASE)
# octets of a line that is switched on, before what is really said
NOISE = re.compile(r"^(?:[^ -~]+(?=[+^*#$A-Z])|[\x00-\x1f\x7f\xff]+\Z)")
TWO_LINES = re.compile(r"\+(CMT|CDS|CBM):")  # the next line belongs to them, whatever it looks like
OPEN_TEXT = re.compile(r'\+CUSD:[^"]*"(?!(?s:.*)"\s*(,\s*\d*\s*)?\Z)', re.IGNORECASE)  # goes on until its quote ends
NEVER_TEXT = re.compile(r"(RING|NO CARRIER|\+(CLIP|CCWA|CMTI|CRING|CLCC|CREG|CGREG|CEREG):.*)\Z")  # not even within it

# codes nobody asked for; those that can also be an answer stand in ALSO_ANSWERS
URC = re.compile(
    r"(RING\b|\+CRING|\+CLIP|\+CCWA|\+CMTI|\+CMT:|\+CDS|\+CBM|\+CUSD|\+CREG|\+CGREG|\+CEREG|\+C5GREG|\+CLCC|\+CSQ:|"
    r"\+CPIN|\+CFUN|\+CIEV|\+QIND|\+QTONEDET|\+DTMF|\+RXDTMF|\+CTZ|\+CSSI|\+CSSU|\+COLP|\+CNAP|\+QPCMV|\+SIMCARD|"
    r"\^|\*|VOICE CALL|MISSED_CALL|NO CARRIER|BUSY|NO ANSWER|NO DIAL|RDY|READY|\+READY|CALL READY|"
    r"SMS READY|SMS DONE|PB DONE|NORMAL POWER|POWERED DOWN|UNDER-VOLTAGE|OVER-VOLTAGE|DST:|\+ZUSIMR|\+ZDONR|\+ZPASR|"
    r"\+ZCONSTAT|\+WIND|MO RING|MO CONNECTED|HANGUP|CONNECT|\+CGEV|\+PACSP|\+UUSIMSTAT|\$|#|\+SIM |\+SMS FULL|\+STIN|"
    r"\+NITZ|\+CPSI|MODEM:STARTUP|STARTUP|\+SYSSTART|\+PBREADY)",
    re.IGNORECASE,
)


class Priority(Enum):
    """Who goes first. LONG ones (they may take minutes) never start while a call is being set up."""

    CALL = 0
    NORMAL = 1
    MESSAGE = 2
    IDLE = 3
    LONG = 4


@dataclass(frozen=True, slots=True)
class Command:
    """A command line without its CR. `expects`: how its information lines begin ("" for lines without a prefix, as
    those of CGMM); `seconds` until it counts as lost; `body` follows the prompt "> ", from which on the seconds count;
    `shown` stands in logs instead of a text with a secret."""

    text: str
    expects: tuple[str, ...] = ()
    seconds: float = 3.0
    priority: Priority = Priority.NORMAL
    body: str | None = None
    tag: str = ""
    shown: str = ""

    def __str__(self) -> str:
        return self.shown or self.text


@dataclass(frozen=True, slots=True)
class Finished:
    """A command has its final result. `ok` for OK and CONNECT; `final` is its line, "timeout" or "dropped"."""

    command: Command
    ok: bool
    final: str
    lines: tuple[str, ...] = ()
    prompted: bool = False  # its body went out


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """A line nobody asked for; `second` is the line that belongs to it, for +CMT and its like."""

    text: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class Synced:
    """The modem answers again after it was lost. What was in flight has been reported as "timeout"."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The modem does not even answer AT: the port must be opened anew."""


AtEvent = Finished | Unsolicited | Synced | Lost


class _State(Enum):
    READY = "ready"
    DRAINING = "draining"  # resync: waiting for quiet
    ASKING = "asking"  # resync: AT is out
    SETTLING = "settling"  # resync: OK came, nothing may follow
    LOST = "lost"


@dataclass(slots=True)
class AtEngine:
    """Times are monotonic seconds. `long_allowed` is cleared by the owner while a call is being set up."""

    long_allowed: bool = True
    unknown: int = 0  # lines nobody understood
    _state: _State = _State.READY
    _buffer: bytearray = field(default_factory=bytearray)
    _queue: list[tuple[int, int, Command]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)
    _running: Command | None = None
    _lines: list[str] = field(default_factory=list)
    _echo: str = ""
    _deadline: float = 0.0
    _last_byte: float = 0.0
    _first_of_two: str = ""
    _second_by: float = 0.0
    _prompted: bool = False
    _tries: int = 0
    _give_up_at: float = 0.0
    _out: bytearray = field(default_factory=bytearray)
    _late: deque[AtEvent] = field(default_factory=deque)

    # ---- what the owner does ------------------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Queue a command; its Finished comes back once, always."""
        heapq.heappush(self._queue, (command.priority.value, next(self._numbers), command))

    def withdraw(self, tag: str) -> bool:
        """Take commands with this tag out of the queue: none of them leaves, and no Finished comes back. False where
        nothing waited: what runs already has left."""
        kept = [entry for entry in self._queue if entry[2].tag != tag]
        found = len(kept) < len(self._queue)
        self._queue[:] = kept
        heapq.heapify(self._queue)
        return found

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return self._running is None and not self._queue and self._state is _State.READY

    @property
    def waiting(self) -> int:
        """How many commands wait or run."""
        return len(self._queue) + (self._running is not None)

    def output(self, at: float) -> bytes:
        """Octets to write now; starts the next command when none runs."""
        if self._state is _State.READY and self._running is None:
            self._start(at)
        out = bytes(self._out)
        self._out.clear()
        return out

    def due(self) -> float | None:
        """When `tick` has something to do, None for never."""
        times = [self._second_by] if self._first_of_two else []
        if self._state is _State.DRAINING:
            times.append(max(self._last_byte + QUIET, self._deadline - RESYNC_ANSWER))
        elif self._state in (_State.ASKING, _State.SETTLING):
            times.append(self._deadline)
        elif self._running:
            times.append(min(self._deadline, self._last_byte + GRACE) if self._lines else self._deadline)
        return min(times) if times else None

    def feed(self, data: bytes, at: float) -> list[AtEvent]:
        """What came from the modem."""
        if data:
            self._last_byte = at
        self._buffer += data.replace(b"\0", b"")
        events: list[AtEvent] = []
        while (end := _line_end(self._buffer)) >= 0:
            line = NOISE.sub("", self._buffer[:end].decode("latin-1").strip(" \t"))
            del self._buffer[: end + 1]
            if line:
                events += self._line(line, at)
        if len(self._buffer) > LONGEST_LINE:
            self._buffer.clear()
            self.unknown += 1
        self._look_for_prompt(at)
        return events

    def tick(self, at: float) -> list[AtEvent]:
        """Time-outs. Call it when `due` says so, or always."""
        events: list[AtEvent] = []
        if self._first_of_two and at >= self._second_by:
            events.append(Unsolicited(self._first_of_two))
            self._first_of_two = ""
        if self._state is _State.READY and self._running:
            if at >= self._deadline:
                events += self._finish(False, "timeout")
                self._resync(at)
            elif self._lines and self._may_end_without_ok() and at >= self._last_byte + GRACE:
                events += self._finish(True, "")
        elif self._state is not _State.READY:
            events += self._tick_resync(at)
        return events

    def again(self, at: float) -> None:
        """After Lost: ask once more, without opening the port anew."""
        if self._state is _State.LOST:
            self._resync(at)

    def drop(self) -> list[AtEvent]:
        """The port is gone: everything that waited is reported as dropped, the engine is as new."""
        events: list[AtEvent] = self._finish(False, "dropped") if self._running else []
        while self._queue:
            events.append(Finished(heapq.heappop(self._queue)[2], False, "dropped"))
        self._buffer.clear()
        self._out.clear()
        self._first_of_two, self._state, self._tries = "", _State.READY, 0
        return events

    # ---- lines ----------------------------------------------------------------------------------------------------

    def _line(self, line: str, at: float) -> list[AtEvent]:
        if self._first_of_two:
            return self._second(line)
        if self._state is not _State.READY:
            return self._line_in_resync(line, at)
        running = self._running
        if running and self._echo and line == self._echo:
            self._echo = ""
            return []
        if TWO_LINES.match(line) or OPEN_TEXT.match(line):
            self._first_of_two, self._second_by = line, at + SECOND_LINE
            return []
        if running is None:
            return self._idle_line(line)
        if URC.match(line) and not is_answer(running, line):
            return [Unsolicited(line)]
        if FINAL.match(line) and not (OF_A_CALL.match(line) and not CALL_COMMAND.match(running.text)):
            return self._finish(line == "OK" or line.startswith("CONNECT"), line)
        if len(self._lines) < MOST_LINES:
            self._lines.append(line)
        self._deadline = max(self._deadline, at + min(running.seconds, 5.0))  # as long as it talks it is not lost
        return []

    def _second(self, line: str) -> list[AtEvent]:
        first, self._first_of_two = self._first_of_two, ""
        if not OPEN_TEXT.match(first):
            return [Unsolicited(first, line)]
        if NEVER_TEXT.match(line):
            self._first_of_two = first
            return [Unsolicited(line)]
        whole = f"{first}\n{line}"
        if OPEN_TEXT.match(whole) and len(whole) < LONGEST_LINE:
            self._first_of_two = whole
            return []
        return [Unsolicited(whole)]

    def _idle_line(self, line: str) -> list[AtEvent]:
        if URC.match(line):
            return [Unsolicited(line)]
        if not FINAL.match(line):
            self.unknown += 1
            return [Unsolicited(line)]
        return []  # a late OK

    def _may_end_without_ok(self) -> bool:
        running = self._running
        if not (running and running.expects and running.expects != ("",) and len(self._lines) == 1):
            return False
        return running.body is None or self._lines[0].startswith(running.expects)  # a body may be echoed

    def _finish(self, ok: bool, final: str) -> list[AtEvent]:
        command, lines, prompted = self._running, tuple(self._lines), self._prompted
        self._running, self._prompted, self._echo = None, False, ""
        self._lines.clear()
        return [Finished(command, ok, final, lines, prompted)] if command else []

    # ---- commands ---------------------------------------------------------------------------------------------------

    def _start(self, at: float) -> None:
        if not self._queue:
            return
        if self._queue[0][0] == Priority.LONG.value and not self.long_allowed:
            return
        self._running = command = heapq.heappop(self._queue)[2]
        self._lines.clear()
        self._echo = command.text
        self._deadline, self._last_byte = at + (command.seconds if command.body is None else PROMPT), at
        self._prompted = False
        self._out += command.text.encode("latin-1", "replace") + b"\r"

    def _look_for_prompt(self, at: float) -> None:
        if self._running and self._running.body is not None and not self._prompted and self._buffer.strip() == b">":
            self._prompted = True
            self._deadline = at + self._running.seconds
            self._buffer.clear()
            self._out += self._running.body.encode("ascii", "replace") + CTRL_Z

    # ---- resync -----------------------------------------------------------------------------------------------------

    def _resync(self, at: float) -> None:
        self._state, self._tries, self._last_byte = _State.DRAINING, 0, at
        self._deadline = at + RESYNC_ANSWER
        self._give_up_at = at + LONGEST_NOISE

    def _tick_resync(self, at: float) -> list[AtEvent]:
        if self._state is not _State.LOST and at >= self._give_up_at:
            self._state = _State.LOST
            return [Lost()]
        if self._state is _State.DRAINING and at >= self._last_byte + QUIET:
            self._buffer.clear()
            self._out += ESCAPE if self._tries == 0 else b""
            self._out += b"AT\r"
            self._state, self._deadline = _State.ASKING, at + RESYNC_ANSWER
        elif self._state is _State.SETTLING and at >= self._deadline:
            self._state = _State.READY
            return [Synced()]
        elif self._state is _State.ASKING and at >= self._deadline:
            self._tries += 1
            if self._tries >= RESYNC_TRIES:
                self._state = _State.LOST
                return [Lost()]
            self._state = _State.DRAINING
        return []

    def _line_in_resync(self, line: str, at: float) -> list[AtEvent]:
        if line == "OK" and self._state is _State.ASKING:
            self._state, self._deadline = _State.SETTLING, at + RESYNC_AFTER
            return []
        if TWO_LINES.match(line) or OPEN_TEXT.match(line):
            self._first_of_two, self._second_by = line, at + SECOND_LINE
            return []
        if URC.match(line) or line.startswith("+CMGS:"):  # a result after its time is still one
            return [Unsolicited(line)]
        if self._state is _State.SETTLING:  # that OK was another command's: ask again
            self._state = _State.DRAINING
        return []


def _line_end(buffer: bytearray) -> int:
    found = [at for at in (buffer.find(b"\r"), buffer.find(b"\n")) if at >= 0]
    return min(found) if found else -1


def is_answer(command: Command, line: str) -> bool:
    """Whether a line that looks like a URC is what `command` asked for. Decided by its prefix, and where both have the
    same, by its shape: an answer to AT+CREG? has one field more than the URC."""
    prefix = line.partition(":")[0]
    if not any(e and prefix.upper() == e.rstrip(":").upper() for e in command.expects):
        return bool(FINAL.match(line)) and bool(OF_A_CALL.match(line)) and bool(CALL_COMMAND.match(command.text))
    if prefix.upper() in ("+CLIP", "+CCWA"):  # a setting is numbers, a caller comes in quotes
        return not line.partition(":")[2].strip().startswith('"')
    if prefix.upper() in ("+CREG", "+CGREG", "+CEREG", "+C5GREG"):
        fields = [f.strip() for f in line.partition(":")[2].split(",")]
        return len(fields) >= 2 and bool(re.fullmatch(r"0*[0-3]", fields[0]) and re.fullmatch(r"\d{1,4}", fields[1]))
    return True
