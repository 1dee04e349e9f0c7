"""Call forwarding that the mobile network holds: set, erased, asked (3GPP TS 27.007 7.11, TS 22.082).

One change after the other, each allowed its minute, since each is a talk with the network; then every kind is asked,
and what the network says is told whole. Only voice (class 1) is meant. Modems differ in the fields they take behind
the number: the forms of a change are tried in order.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_events import Diverted, ForwardingSaid, ModemEvent

NETWORK_WITHIN = 60.0  # seconds
REASONS = ("all", "busy", "no-answer", "unreachable")  # in the order of 27.007: 0 unconditional, 1, 2, 3
VOICE = 1
INTERNATIONAL = 145


@dataclass(frozen=True, slots=True)
class Change:
    """What shall hold for a reason: a number (E.164), or "" to erase it; `seconds` (5 to 30, by 5) for no-answer."""

    reason: str
    number: str = ""
    seconds: int = 20


def commands_of(change: Change) -> tuple[str, ...]:
    """The forms of a change, the standard's first."""
    reason = REASONS.index(change.reason)
    if not change.number:
        return (f"AT+CCFC={reason},4", f"AT+CCFC={reason},4,,,{VOICE}", f"AT+CCFC={reason},0")
    kind = INTERNATIONAL if change.number.startswith("+") else 129
    base = f'AT+CCFC={reason},3,"{change.number}",{kind}'
    if change.reason == "no-answer":  # Cinterion takes the time directly behind the class
        return (f"{base},{VOICE},,,{change.seconds}", f"{base},{VOICE},{change.seconds}", f"{base},{VOICE}")
    return (f"{base},{VOICE}", base)


def read(line: str, reason: str) -> Diverted | None:
    """A line of the answer to a query: status, class, number, type, subaddress, its type, seconds. None for a line that
    is not about voice. Modems give class 7 for voice, data and fax in one."""
    if not line.upper().startswith("+CCFC"):
        return None
    fields = text.fields_of(line)
    status, service = text.number_in(fields[0] if fields else ""), text.number_in(fields[1] if len(fields) > 1 else "7")
    if status not in (0, 1) or not service & VOICE:
        return None
    number = "".join(c for c in (fields[2] if len(fields) > 2 else "") if c in "0123456789*#+")[:40]
    if number and text.number_in(fields[3] if len(fields) > 3 else "") == INTERNATIONAL and not number.startswith("+"):
        number = "+" + number
    seconds = text.number_in(fields[6] if len(fields) > 6 else "", 0)
    return Diverted(reason, status == 1, number, seconds)


@dataclass(slots=True)
class Services:
    """See the module."""

    engine: AtEngine
    tell: Callable[[ModemEvent], None]
    _changes: deque[Change] = field(default_factory=deque)
    _forms: deque[str] = field(default_factory=deque)
    _asks: deque[str] = field(default_factory=deque)
    _found: list[Diverted] = field(default_factory=list)
    _refused: dict[str, str] = field(default_factory=dict)
    _open: bool = False

    @property
    def busy(self) -> bool:
        """Whether something is set or asked."""
        return self._open

    def forward(self, changes: tuple[Change, ...]) -> bool:
        """Make the changes (none: only ask), then ask for every kind; ForwardingSaid follows. False while busy."""
        if self._open:
            return False
        self._open = True
        self._changes, self._asks = deque(changes), deque(REASONS)
        self._found.clear()
        self._refused.clear()
        self._go_on()
        return True

    def reset(self) -> None:
        """The modem begins anew; nothing is known of what was under way."""
        if self._open:
            self._refused = dict.fromkeys(REASONS, "lost")
            self._tell()

    def tick(self, at: float) -> None:
        """Nothing is due here: the engine keeps the time of each command."""

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """Nothing comes without being asked for."""

    def finished(self, done: Finished, what: str, at: float) -> None:
        """The answer of a command of ours."""
        if not self._open or done.final == "dropped":
            return
        verb, _, reason = what.partition(" ")
        if verb == "set":
            self._changed(done, reason)
        else:
            self._asked(done, reason)
        self._go_on()

    def _changed(self, done: Finished, reason: str) -> None:
        if not done.ok and self._forms and done.final != "timeout":
            return  # the next form
        self._forms.clear()
        self._changes.popleft()
        if not done.ok:
            self._refused[reason] = done.final

    def _asked(self, done: Finished, reason: str) -> None:
        voice = [one for line in done.lines if (one := read(line, reason))]
        if done.ok and (voice or not done.lines):
            self._found.append(next((one for one in voice if one.active), Diverted(reason, False)))
        else:
            self._refused.setdefault(reason, done.final)

    def _go_on(self) -> None:
        if self._changes:
            change = self._changes[0]
            if not self._forms:
                self._forms = deque(commands_of(change))
            self._send(f"set {change.reason}", self._forms.popleft())
        elif self._asks:
            reason = self._asks.popleft()
            self._send(f"ask {reason}", f"AT+CCFC={REASONS.index(reason)},2")
        else:
            self._tell()

    def _tell(self) -> None:
        self._open = False
        self._changes.clear()
        self._forms.clear()
        self._asks.clear()
        self.tell(ForwardingSaid(tuple(self._found), dict(self._refused)))

    def _send(self, what: str, command: str) -> None:
        self.engine.send(Command(command, ("+CCFC",), NETWORK_WITHIN, Priority.LONG, tag=f"ccfc {what}"))
