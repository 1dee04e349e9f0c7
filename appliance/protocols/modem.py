"""One modem: its initialisation and its parts, joined as a machine without I/O.

Octets go in by `feed`, come out by `output`; `tick` runs what is due. Both give events for the line. What differs
between models stands in `modem_families`, what they write is read in `modem_text`. The parts are machines of their own:
the SIM (`modem_sim`), the network (`modem_network`), calls (`modem_call`), messages (`modem_sms`). A command of a part
has its area as the first word of its tag; its answer goes back there.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, AtEvent, Command, Finished, Lost, Synced, Unsolicited
from appliance.protocols.modem_call import Calls
from appliance.protocols.modem_events import (
    CallAlerting,
    CallAnswered,
    CallOffered,
    Identified,
    ModemEvent,
    NoVoice,
    PortDead,
    Sick,
    StateChanged,
)
from appliance.protocols.modem_families import (
    AFTER_PIN,
    OTHERS,
    RADIO_OFF_AND_ON,
    START,
    Family,
    family_of,
)
from appliance.protocols.modem_network import Network
from appliance.protocols.modem_send import Sending
from appliance.protocols.modem_services import Services
from appliance.protocols.modem_sim import BUSY_AGAIN, GONE, MayTryPin, Sim, number_prefix
from appliance.protocols.modem_sms import Messages
from appliance.protocols.modem_tones import Tones
from appliance.protocols.modem_ussd import Ussd

FORMAT_TRIES = 15  # SIM800 refuses CMGF until "SMS Ready"
STALLS, STALLS_WITHIN = 3, 120.0  # so many lost answers in so many seconds are no chance
READY_WITHIN = 120.0
NETWORK_WITHIN = 300.0
RESET_PAUSE = 3.0  # after a reset was taken: it answers for a moment before it goes
LOSSES_IN_CALL = 6  # how often it is asked anew while a call is up, before the port is closed
RESTARTED = ("RDY", "NORMAL POWER UP", "MODEM:STARTUP", "+SYSSTART")

Row = tuple[str, tuple[str, ...], float, bool]


class Part(Protocol):
    """What the modem needs of each of its parts."""

    def reset(self) -> None: ...
    def tick(self, at: float) -> None: ...
    def unsolicited(self, event: Unsolicited, at: float) -> None: ...
    def finished(self, done: Finished, what: str, at: float) -> None: ...


@dataclass(slots=True)
class Modem:
    """`pin` is tried at most once, after `may_try_pin` has said yes. Times are monotonic seconds."""

    pin: str = ""
    may_try_pin: MayTryPin = lambda iccid, left: True
    pin_was_right: Callable[[str], None] = lambda iccid: None
    pin_was_wrong: Callable[[str], None] = lambda iccid: None
    engine: AtEngine = field(default_factory=AtEngine)
    family: Family = OTHERS
    state: str = "starting"  # an id of words.LINE_STATES
    maker: str = ""
    model: str = ""
    imei: str = ""
    call_waiting: bool = False
    sim: Sim = field(init=False)
    network: Network = field(init=False)
    calls: Calls = field(init=False)
    messages: Messages = field(init=False)
    ussd: Ussd = field(init=False)
    services: Services = field(init=False)
    sending: Sending = field(init=False)
    tones: Tones = field(init=False)
    _parts: Mapping[str, Part] = field(init=False)  # area of a command's tag -> who gets its answer
    _steps: deque[Row] = field(default_factory=deque)
    _then: str = ""
    _step_at: float | None = None
    _format_tries: int = 0
    _stalls: deque[float] = field(default_factory=lambda: deque(maxlen=STALLS))
    _since: float = 0.0  # since when it is not ready, or has no network
    _losses: int = 0
    _answers: bool = False
    _events: list[ModemEvent] = field(default_factory=list)
    _at: float = 0.0

    def __post_init__(self) -> None:
        tell = self._events.append
        self.sim = Sim(
            self.engine, self._set_state, self._sim_opened, self._sim_gone, self.pin, self.may_try_pin,
            self.pin_was_right, self.pin_was_wrong,
        )  # fmt: skip
        self.network = Network(self.engine, tell, self._refresh_state)
        self.calls = Calls(self.engine, tell)
        self.messages = Messages(self.engine, tell)
        self.tones = Tones(self.engine, tell, lambda: self.calls.talking)
        self.sending = Sending(self.engine, tell)
        self.ussd = Ussd(self.engine, tell)
        self.services = Services(self.engine, tell)
        self._parts = {
            "sim": self.sim, "net": self.network, "sms": self.messages, "call": self.calls, "tone": self.tones,
            "send": self.sending, "ussd": self.ussd, "ccfc": self.services,
        }  # fmt: skip

    # ---- from outside -------------------------------------------------------------------------------------------

    def start(self, at: float, step: str = "") -> None:
        """The port is open: find out what it is. `step`: what is done to it first, "radio" or "reset"."""
        self._at = self._since = at
        self.sending.dropped(self.engine.drop(), at)  # what was meant for the device or the SIM before
        self._step_at = None
        self._format_tries = self._losses = 0
        self._answers = False
        self._stalls.clear()
        for part in self._parts.values():
            part.reset()
        self._set_state("starting")
        first: dict[str, tuple[Row, ...]] = {
            "radio": RADIO_OFF_AND_ON, "reset": tuple((one, (), 5.0, False) for one in self.family.reset),
        }  # fmt: skip
        self._steps, self._then = deque((*first.get(step, ()), *START)), "pin"
        self._next_step()

    def stop(self) -> list[ModemEvent]:
        """The port is gone: a call ends, nothing waits any more."""
        self.sending.dropped(self.engine.drop(), self._at)
        self.calls.lost()
        for part in self._parts.values():  # another SIM may be in it when it comes back
            part.reset()
        self._step_at = None
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
        if self._step_at is not None and at >= self._step_at:
            self._step_at = None
            self._next_step()
        for part in self._parts.values():
            part.tick(at)
        self._look_at_itself()
        return self._take()

    def output(self, at: float) -> bytes:
        """Octets for the port."""
        self.engine.long_allowed = self.calls.current is None
        return self.engine.output(at)

    @property
    def usable(self) -> bool:
        """Whether it can carry a call."""
        return self.state in ("up", "storage-full")

    @property
    def answers(self) -> bool:
        """Whether it has said what it is: then it can make an emergency call, whatever its SIM wants."""
        return self._answers and self.state != "no-answer"

    def _look_at_itself(self) -> None:
        """Whether it does its work."""
        why = ""
        if len(self._stalls) == STALLS and self._at < self._stalls[0] + STALLS_WITHIN:
            why = "stalls"
        elif self.state == "starting" and self._at >= self._since + READY_WITHIN:
            why = "init"
        elif self.state == "searching" and self._at >= self._since + NETWORK_WITHIN:
            why = "network"
        if why:
            self._since = self._at
            self._stalls.clear()
            self._events.append(Sick(why))

    def _take(self) -> list[ModemEvent]:
        events: list[ModemEvent] = []
        for event in self._events:
            if isinstance(event, NoVoice | CallAlerting | CallAnswered | CallOffered):
                known, self.network.no_voice = self.network.no_voice, isinstance(event, NoVoice)
                if known and self.network.no_voice:
                    continue  # said already
            events.append(event)
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
                self._lost()

    def _lost(self) -> None:
        """A call that is up goes on without commands for a while; else the port is opened anew."""
        self._losses += 1
        if self.calls.talking and self._losses < LOSSES_IN_CALL:
            self.engine.again(self._at)
            return
        self._set_state("no-answer")
        self._events.append(PortDead())

    def _finished(self, done: Finished) -> None:
        area, _, what = done.command.tag.partition(" ")
        if done.final == "timeout":
            self._stalls.append(self._at)
        if area == "start":
            self._started_step(done)
        else:
            self._parts[area].finished(done, what, self._at)
        if area == "sms":
            self._refresh_state()

    def _unsolicited(self, event: Unsolicited) -> None:
        upper = event.text.upper()
        if upper.startswith(RESTARTED) and self.state != "starting":
            self.calls.lost()
            self.start(self._at)
        elif upper.startswith(GONE) and self.state != "starting":
            self._sim_gone()
        else:
            for part in self._parts.values():
                part.unsolicited(event, self._at)

    def _sim_gone(self) -> None:
        """What lies on the next one is another's."""
        self.messages.reset()
        self._then = "pin"
        self._steps.clear()
        self.sim.left()

    # ---- start ----------------------------------------------------------------------------------------------------

    def _next_step(self) -> None:
        if self._steps:
            command, expects, seconds, _ = self._steps[0]
            self.engine.send(Command(command, expects, seconds, tag="start"))
        elif self._then == "pin":
            self.sim.ask()
        else:
            self._events.append(Identified(self.imei, self.sim.iccid, self.sim.imsi))
            self.calls.begin(self.call_waiting)
            self.messages.begin(self._at)
            self.network.begin(self._at)
            self._refresh_state()

    def _started_step(self, done: Finished) -> None:
        if not self._steps or done.final == "dropped":
            return
        command, _, _, required = self._steps[0]
        if done.command.text != command:
            return  # of an initialisation that was begun anew meanwhile
        if not done.ok and required and command.startswith("AT+CMGF") and self._format_tries < FORMAT_TRIES:
            self._format_tries += 1
            self._step_at = self._at + BUSY_AGAIN
            return
        self._steps.popleft()
        self._learn(command, done)
        if command in self.family.reset and done.ok:
            self._step_at = self._at + RESET_PAUSE
        else:
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
            self.sim.family = self.calls.family = self.messages.family = self.tones.family = self.family
        elif command == "AT+CGSN" and done.ok:
            self.imei = text.digits_only(done.lines)
            self._answers = True
            self._events.append(Identified(self.imei))
        elif command == "AT+CIMI" and done.ok:
            self.sim.imsi = text.digits_only(done.lines)
        elif command == "AT+CFUN?" and done.ok and not said.replace(" ", "").startswith("+CFUN:1"):
            self._steps.appendleft(("AT+CFUN=1", (), 15.0, False))
        elif command == "AT+CLCC":
            self._steps.extend((one, (), 5.0, False) for one in self.calls.forget_old(done.lines))
        elif command == "AT+CPMS=?":
            self.messages.choose_memory(text.memories(said))
        elif command in self.family.iccid and done.ok:
            self.sim.learn(done.lines)

    def _sim_opened(self) -> None:
        self._set_state("starting")
        self._after_pin()

    def _after_pin(self) -> None:
        rows = list(AFTER_PIN) + [(c, number_prefix(c), 3.0, False) for c in self.family.iccid]
        rows += [(c, (), 5.0, False) for c in self.family.extra]
        self._steps, self._then = deque(rows), "ready"
        self._next_step()

    # ---- state ----------------------------------------------------------------------------------------------------

    def _refresh_state(self) -> None:
        state = self.network.state
        if self._steps and self.state == "starting":
            return  # it is not through with its initialisation
        if self._then == "ready" and state and self.state not in ("no-sim", "pin-wrong", "puk-needed"):
            self._set_state("storage-full" if state == "up" and self.messages.full else state)

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state, self._since = state, self._at
            self._events.append(StateChanged(state))
