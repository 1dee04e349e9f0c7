"""One modem: initialisation, SIM and network, messages and the current call, as a machine without I/O.

Octets go in by `feed`, come out by `output`; `tick` runs what is due. Both give events for the line. What differs
between models stands in `modem_families`, what they write is read in `modem_text`, calls are in `modem_call`, messages
in `modem_sms`; here they are joined, and SIM and network looked after.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, AtEvent, Command, Finished, Lost, Priority, Synced, Unsolicited
from appliance.protocols.modem_call import Calls
from appliance.protocols.modem_events import ModemEvent, PortDead, StateChanged
from appliance.protocols.modem_families import AFTER_PIN, OTHERS, START, Family, family_of
from appliance.protocols.modem_send import Sending
from appliance.protocols.modem_sms import Messages

SIGNAL_EVERY, NETWORK_EVERY, OPERATOR_EVERY = 20.0, 30.0, 120.0  # seconds
PIN_AGAIN = 10.0  # how often a SIM that is not ready is looked at
PIN_PATIENCE = 30.0  # how long a SIM may go on asking after its PIN was taken
BUSY_AGAIN = 2.0  # "SIM busy", "please wait"
FORMAT_TRIES = 15  # SIM800 refuses CMGF until "SMS Ready"
LEAST_TRIES_LEFT = 2  # a PIN is not sent when fewer are left

VOICE = frozenset({1, 5, 9, 10})
VOICE_BY_LTE = frozenset({1, 5})
MESSAGES_ONLY = frozenset({6, 7})
RESTARTED = ("RDY", "NORMAL POWER UP", "MODEM:STARTUP", "+SYSSTART")
SIM_GONE = ("+CPIN: NOT INSERTED", "+CPIN: NOT READY", "+SIMCARD: NOT AVAILABLE", "^SIMST: 0", "^SIMST:0")

MayTryPin = Callable[
    [str], bool
]  # the SIM's number ("" unknown) -> whether this PIN may be sent; remembers that it was

Row = tuple[str, tuple[str, ...], float, bool]


@dataclass(slots=True)
class Modem:
    """`pin` is tried at most once, after `may_try_pin` has said yes. Times are monotonic seconds."""

    pin: str = ""
    may_try_pin: MayTryPin = lambda iccid: True
    pin_was_right: Callable[[str], None] = lambda iccid: None
    engine: AtEngine = field(default_factory=AtEngine)
    family: Family = OTHERS
    state: str = "starting"  # an id of words.LINE_STATES
    maker: str = ""
    model: str = ""
    iccid: str = ""
    signal: int | None = None
    operator: str = ""
    network: str = ""
    calls: Calls = field(init=False)
    messages: Messages = field(init=False)
    sending: Sending = field(init=False)
    _steps: deque[Row] = field(default_factory=deque)
    _then: str = ""
    _timers: dict[str, float] = field(default_factory=dict)
    _registered: dict[str, int] = field(default_factory=dict)
    _pin_tried: bool = False
    _pin_taken_at: float | None = None
    _pin_unsure: bool = False
    _format_tries: int = 0
    _events: list[ModemEvent] = field(default_factory=list)
    _at: float = 0.0

    def __post_init__(self) -> None:
        self.calls = Calls(self.engine, self._events.append)
        self.messages = Messages(self.engine, self._events.append)
        self.sending = Sending(self.engine, self._events.append)

    # ---- from outside -------------------------------------------------------------------------------------------

    def start(self, at: float) -> None:
        """The port is open: find out what it is."""
        self._at = at
        self.sending.dropped(self.engine.drop(), at)  # what was meant for the device or the SIM before
        self._timers.clear()
        self._registered.clear()
        self._format_tries = 0
        self.iccid = ""
        if self._pin_taken_at is not None:  # a modem that restarts wants its PIN again, and it was right
            self._pin_tried, self._pin_taken_at = False, None
        self.calls.reset()
        self.messages.reset()
        self._set_state("starting")
        self._steps, self._then = deque(START), "pin"
        self._next_step()

    def stop(self) -> list[ModemEvent]:
        """The port is gone: a call ends, nothing waits any more."""
        self.sending.dropped(self.engine.drop(), self._at)
        self.calls.lost()
        self.messages.reset()  # another SIM may be in it when it comes back
        self._timers.clear()
        self._steps.clear()
        return self._take()

    def feed(self, data: bytes, at: float) -> list[ModemEvent]:
        """What the modem sent."""
        self._at = at
        self._handle(self.engine.feed(data, at))
        return self._take()

    def tick(self, at: float) -> list[ModemEvent]:
        """Whatever is due."""
        self._at = at
        self._handle(self.engine.tick(at))
        for name in [n for n, due in self._timers.items() if at >= due]:
            del self._timers[name]
            self._TIMERS[name](self)
        self.calls.tick(at)
        self.messages.tick(at)
        return self._take()

    def output(self, at: float) -> bytes:
        """Octets for the port."""
        self.engine.long_allowed = self.calls.current is None
        return self.engine.output(at)

    @property
    def usable(self) -> bool:
        """Whether it can carry a call."""
        return self.state in ("up", "storage-full")

    def _take(self) -> list[ModemEvent]:
        events = list(self._events)
        self._events.clear()
        return events

    # ---- events of the engine -----------------------------------------------------------------------------------

    def _handle(self, events: list[AtEvent]) -> None:
        for event in events:
            if isinstance(event, Unsolicited):
                self._unsolicited(event)
            elif isinstance(event, Finished):
                self._finished(event)
            elif isinstance(event, Synced) and self._then == "ready" and not self._steps:
                self._after_pin()  # an initialisation that is under way just goes on
            elif isinstance(event, Lost):
                self._set_state("no-answer")
                self._events.append(PortDead())

    def _finished(self, done: Finished) -> None:
        area, _, what = done.command.tag.partition(" ")
        if area == "call":
            self.calls.finished(done, what, self._at)
        elif area == "sms":
            self.messages.finished(done, what, self._at)
            self._refresh_state()
        elif area == "send":
            self.sending.finished(done, what, self._at)
        elif area in self._ANSWERS and done.final != "dropped":
            self._ANSWERS[area](self, done)

    def _unsolicited(self, event: Unsolicited) -> None:
        upper = event.text.upper()
        if upper.startswith(RESTARTED) and self.state != "starting":
            self.calls.lost()
            self.start(self._at)
        elif upper.startswith(SIM_GONE) and self.state != "starting":
            self._sim_gone()
        elif not self._network_said(event.text):
            self.messages.unsolicited(event, self._at)
            self.sending.unsolicited(event, self._at)
            self.calls.unsolicited(event.text, self._at)

    def _sim_gone(self) -> None:
        """What lies on the next one is another's, and so is what it wants."""
        self.messages.reset()
        self.iccid, self._then, self._pin_unsure = "", "pin", False
        self._steps.clear()
        self._wait_for_sim("no-sim")

    def _network_said(self, line: str) -> bool:
        found = text.registration(line)
        if found:
            self._registered[line.partition(":")[0].upper()] = found.stat
            self.network = found.network or self.network
            self._refresh_state()
        elif line.upper().startswith("+CSQ"):
            self.signal = text.signal(line)
        return bool(found)

    # ---- start ----------------------------------------------------------------------------------------------------

    def _next_step(self) -> None:
        if self._steps:
            command, expects, seconds, required = self._steps[0]
            self._send("start", command, expects, seconds, required=required)
        elif self._then == "pin":
            self._send("cpin", "AT+CPIN?", ("+CPIN",), 10.0)
        else:
            self._ready()

    def _send(
        self, tag: str, command: str, expects: tuple[str, ...] = (), seconds: float = 3.0,
        priority: Priority = Priority.NORMAL, required: bool = False, shown: str = "",
    ) -> None:  # fmt: skip
        self.engine.send(Command(command, expects, seconds, priority, tag=tag, shown=shown))

    def _started_step(self, done: Finished) -> None:
        if not self._steps:
            return
        command, _, _, required = self._steps[0]
        if done.command.text != command:
            return  # of an initialisation that was begun anew meanwhile
        if not done.ok and required and command.startswith("AT+CMGF") and self._format_tries < FORMAT_TRIES:
            self._format_tries += 1
            self._timers["step"] = self._at + BUSY_AGAIN
            return
        self._steps.popleft()
        self._learn(command, done)
        self._next_step()

    def _learn(self, command: str, done: Finished) -> None:
        """What an answer of the initialisation tells."""
        said = next((line for line in done.lines), "")
        value = said.partition(":")[2].strip() if said.startswith("+") else said
        if command == "AT+CGMI":
            self.maker = value.strip('" ')[:40]
        elif command == "AT+CGMM":
            self.model = value.strip('" ')[:40]
            self.family = family_of(f"{self.maker} {self.model}")
            self.calls.family = self.messages.family = self.family
        elif command == "AT+CFUN?" and done.ok and not said.replace(" ", "").startswith("+CFUN:1"):
            self._steps.appendleft(("AT+CFUN=1", (), 15.0, False))
        elif command == "AT+CLCC":
            self._steps.extend((one, (), 5.0, False) for one in self.calls.forget_old(done.lines))
        elif command == "AT+CPMS=?":
            self.messages.choose_memory(text.memories(said))
        elif command in self.family.iccid and done.ok and not self.iccid:
            self.iccid = text.digits_only(done.lines)

    def _pin_answered(self, done: Finished) -> None:
        found = next((p for line in done.lines if (p := text.pin_state(line))), None)
        code = text.error_code(done.final)
        if found == "READY":
            if self._pin_unsure:  # its answer was lost, but it was right
                self._pin_unsure = False
                self.pin_was_right(self.iccid)
                self._pin_taken_at = self._at
            self._set_state("starting")
            self._after_pin()
        elif found == "SIM PIN":
            self._pin_wanted()
        elif found and "PUK" in found:
            self._wait_for_sim("puk-needed")
        elif code in (10, 13, 15, 310, 313) or found in ("NOT INSERTED", "NOT READY"):
            self._wait_for_sim("no-sim")
        elif code in (11, 311):
            self._pin_wanted()
        elif code in (12, 316):
            self._wait_for_sim("puk-needed")
        else:
            self._timers["pin"] = self._at + BUSY_AGAIN

    def _wait_for_sim(self, state: str) -> None:
        self._set_state(state)
        self._timers["pin"] = self._at + PIN_AGAIN

    def _pin_wanted(self) -> None:
        if self._pin_taken_at is not None and self._at < self._pin_taken_at + PIN_PATIENCE:
            self._timers["pin"] = self._at + BUSY_AGAIN  # it was right; the SIM is still opening
        elif self._pin_tried:
            self._wait_for_sim("pin-wrong")
        elif not self.pin:
            self._wait_for_sim("pin-needed")
        else:
            self._send("pinccid", self.family.iccid[0], _iccid_prefix(self.family.iccid[0]))

    def _pin_iccid(self, done: Finished) -> None:
        """Which SIM it is, as far as a locked one tells: a PIN is remembered together with it."""
        self.iccid = text.digits_only(done.lines) if done.ok else ""
        if self.family.pin_tries:
            prefix = self.family.pin_tries.removeprefix("AT").partition("=")[0].rstrip("?")
            self._send("pintries", self.family.pin_tries, (prefix,))
        else:
            self._enter_pin()

    def _tries_said(self, done: Finished) -> None:
        """The last try is a person's: after it only the PUK opens the SIM."""
        left = text.tries_left(done.lines) if done.ok else -1
        if 0 <= left < LEAST_TRIES_LEFT:
            self._wait_for_sim("pin-wrong")
        else:
            self._enter_pin()

    def _enter_pin(self) -> None:
        if not self.may_try_pin(self.iccid):
            self._wait_for_sim("pin-wrong")
            return
        self._pin_tried = True
        self._send("pin", f'AT+CPIN="{self.pin}"', (), 10.0, shown="AT+CPIN=...")

    def _pin_given(self, done: Finished) -> None:
        if done.ok:
            self.pin_was_right(self.iccid)
            self._pin_taken_at = self._at
            self._timers["pin"] = self._at + BUSY_AGAIN
        else:
            self._pin_unsure = done.final == "timeout"
            self._wait_for_sim("pin-wrong" if text.error_code(done.final) in (16, -1) else "pin-needed")

    def _after_pin(self) -> None:
        rows = list(AFTER_PIN) + [(c, _iccid_prefix(c), 3.0, False) for c in self.family.iccid]
        rows += [(c, (), 5.0, False) for c in self.family.extra]
        self._steps, self._then = deque(rows), "ready"
        self._next_step()

    def _ready(self) -> None:
        self.messages.begin(self._at)
        for name, seconds in (("signal", 0.0), ("network", 0.0), ("operator", 1.0)):
            self._timers[name] = self._at + seconds

    # ---- what is asked again and again ------------------------------------------------------------------------

    def _ask_signal(self) -> None:
        self._timers["signal"] = self._at + SIGNAL_EVERY
        self._send("csq", "AT+CSQ", ("+CSQ",), priority=Priority.IDLE)

    def _ask_network(self) -> None:
        self._timers["network"] = self._at + NETWORK_EVERY
        self._send("creg", "AT+CREG?", ("+CREG",), 10.0, priority=Priority.IDLE)
        self._send("creg", "AT+CEREG?", ("+CEREG",), 10.0, priority=Priority.IDLE)

    def _ask_operator(self) -> None:
        self._timers["operator"] = self._at + OPERATOR_EVERY
        self._send("cops", "AT+COPS?", ("+COPS",), 10.0, priority=Priority.IDLE)

    def _signal_said(self, done: Finished) -> None:
        for line in done.lines:
            if line.upper().startswith("+CSQ"):
                self.signal = text.signal(line)

    def _registration_said(self, done: Finished) -> None:
        for line in done.lines:
            self._network_said(line)
        self._refresh_state()

    def _operator_said(self, done: Finished) -> None:
        found = next((o for line in done.lines if (o := text.operator(line))), None)
        self.operator = found[0] if found else ""
        self.network = (found[1] if found else "") or self.network

    def _again_pin(self) -> None:
        self._send("cpin", "AT+CPIN?", ("+CPIN",), 10.0)

    # ---- state ----------------------------------------------------------------------------------------------------

    def _refresh_state(self) -> None:
        if self._then != "ready" or not self._registered or self.state in ("no-sim", "pin-wrong", "puk-needed"):
            return
        stats = set(self._registered.values())
        voice = self._registered.get("+CREG", 0) in VOICE or self._registered.get("+CEREG", 0) in VOICE_BY_LTE
        if voice:
            self._set_state("storage-full" if self.messages.full else "up")
        elif stats & MESSAGES_ONLY or self._registered.get("+CGREG", 0) in VOICE_BY_LTE:
            self._set_state("data-only")
        else:
            self._set_state("denied" if 3 in stats else "searching")

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._events.append(StateChanged(state))

    _ANSWERS: ClassVar[dict[str, Callable[["Modem", Finished], None]]] = {
        "start": _started_step, "cpin": _pin_answered, "pin": _pin_given, "pinccid": _pin_iccid,
        "pintries": _tries_said,
        "csq": _signal_said, "creg": _registration_said, "cops": _operator_said,
    }  # fmt: skip
    _TIMERS: ClassVar[dict[str, Callable[["Modem"], None]]] = {
        "signal": _ask_signal, "network": _ask_network, "operator": _ask_operator, "pin": _again_pin,
        "step": _next_step,
    }  # fmt: skip


def _iccid_prefix(command: str) -> tuple[str, ...]:
    return ("+" + command[3:].rstrip("?"), "^" + command[3:].rstrip("?"), "")
