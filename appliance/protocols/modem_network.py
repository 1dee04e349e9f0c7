"""The network of a modem: registration, signal, operator, and what it means for calls (3GPP TS 27.007 7 and 8.5)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_events import ModemEvent, NetworkTime

SIGNAL_EVERY, NETWORK_EVERY, OPERATOR_EVERY, CLOCK_EVERY = 20.0, 30.0, 120.0, 600.0  # seconds
FIRST_CLOCK = 15.0

VOICE = frozenset({1, 5, 9, 10})
VOICE_BY_LTE = frozenset({1, 5})
MESSAGES_ONLY = frozenset({6, 7})
ROAMING = frozenset({5, 7, 10})
EMERGENCY_ONLY = 8


@dataclass(slots=True)
class Network:
    """`changed` is called when the registration may have changed. Times are monotonic seconds."""

    engine: AtEngine
    tell: Callable[[ModemEvent], None]
    changed: Callable[[], None]
    signal: int | None = None  # 0 to 100
    operator: str = ""
    technology: str = ""  # 2g, 3g, lte
    no_voice: bool = False  # the last call out was ended at once, without a cause
    _registered: dict[str, int] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)

    def reset(self) -> None:
        """The modem begins anew."""
        self._registered.clear()
        self._due.clear()

    def begin(self, at: float) -> None:
        """The SIM is open: look, and go on looking."""
        self._due = {"signal": at, "network": at, "operator": at + 1.0, "clock": at + FIRST_CLOCK}

    def tick(self, at: float) -> None:
        """Ask what is due."""
        for name, (every, questions) in self._QUESTIONS.items():
            if name in self._due and at >= self._due[name]:
                self._due[name] = at + every
                for command, expects in questions:
                    self.engine.send(Command(command, (expects,), 10.0, Priority.IDLE, tag=f"net {name}"))

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """A line that may be about the network."""
        if self._hear(event.text):
            self.changed()

    def finished(self, done: Finished, what: str, at: float) -> None:
        """The answer of a command of ours."""
        if done.final == "dropped":
            return
        if what == "operator":
            found = next((o for line in done.lines if (o := text.operator(line))), None)
            self.operator = found[0] if found else ""
            self.technology = (found[1] if found else "") or self.technology
        for line in done.lines:
            self._hear(line)
        if what == "network":
            self.changed()

    def _hear(self, line: str) -> bool:
        """Whether it was about the registration."""
        found = text.registration(line)
        if found:
            self._registered[line.partition(":")[0].upper()] = found.stat
            self.technology = found.network or self.technology
        elif line.upper().startswith("+CSQ"):
            self.signal = text.signal(line)
        elif told := text.network_time(line):
            self.tell(NetworkTime(told))
        return bool(found)

    @property
    def roaming(self) -> bool:
        """Whether it is in another operator's network."""
        return bool(ROAMING & set(self._registered.values()))

    @property
    def voice(self) -> str:
        """Whether calls can work: "yes", "lte-only" (then VoLTE decides), "none" (a call was ended at once), "" while
        nothing is known."""
        if self.no_voice:
            return "none"
        if self._registered.get("+CREG", 0) in VOICE:
            return "yes"
        return "lte-only" if self._registered.get("+CEREG", 0) in VOICE_BY_LTE else ""

    @property
    def state(self) -> str:
        """What it means for the line: "up", "data-only", "emergency-only", "denied", "searching"; "" unknown."""
        if not self._registered:
            return ""
        stats = set(self._registered.values())
        if self._registered.get("+CREG", 0) in VOICE or self._registered.get("+CEREG", 0) in VOICE_BY_LTE:
            return "up"
        if stats & MESSAGES_ONLY or self._registered.get("+CGREG", 0) in VOICE_BY_LTE:
            return "data-only"
        if EMERGENCY_ONLY in stats:
            return "emergency-only"
        return "denied" if 3 in stats else "searching"

    _QUESTIONS: ClassVar[dict[str, tuple[float, tuple[tuple[str, str], ...]]]] = {
        "signal": (SIGNAL_EVERY, (("AT+CSQ", "+CSQ"),)),
        "network": (NETWORK_EVERY, (("AT+CREG?", "+CREG"), ("AT+CEREG?", "+CEREG"))),
        "operator": (OPERATOR_EVERY, (("AT+COPS?", "+COPS"),)),
        "clock": (CLOCK_EVERY, (("AT+CCLK?", "+CCLK"),)),
    }
