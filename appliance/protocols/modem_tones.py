"""Digits of a modem's call, both ways: keys pressed at the far end as the modem tells them, ours one after the other.

Out: one AT+VTS (27.007 C.2.11) at a time with a pause after its OK, or the network runs two into one. In: vendors'
URCs; A to D are no keys of a telephone, and speech that a detector takes for one is most often taken for those.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_events import DigitHeard, ModemEvent
from appliance.protocols.modem_families import OTHERS, Family

MOST_DIGITS = 100  # that wait
KEYS = "0123456789*#"
SENDABLE = KEYS + "ABCD"


@dataclass(slots=True)
class Tones:
    """`talking` tells whether a call is up. Times are monotonic seconds."""

    engine: AtEngine
    tell: Callable[[ModemEvent], None]
    talking: Callable[[], bool]
    family: Family = OTHERS
    _out: deque[str] = field(default_factory=deque)
    _next_at: float = 0.0
    _in_flight: bool = False

    def send(self, digits: str) -> None:
        """Press these keys."""
        self._out.extend([one for one in digits if one in SENDABLE][: MOST_DIGITS - len(self._out)])

    def reset(self) -> None:
        """The modem begins anew."""
        self._out.clear()
        self._in_flight = False

    def tick(self, at: float) -> None:
        """The next key, when the one before it has sounded."""
        if self._out and not self.talking():
            self._out.clear()
        if self._out and not self._in_flight and at >= self._next_at:
            self._in_flight = True
            command = self.family.digit.format(d=self._out.popleft(), i=1)
            self.engine.send(Command(command, (), 5.0, Priority.CALL, tag="tone key"))

    def finished(self, done: Finished, what: str, at: float) -> None:
        """A key has been pressed, or refused."""
        self._in_flight = False
        self._next_at = at + self.family.digit_pause

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """A line that may be a key."""
        digit = heard(event.text)
        if digit and self.talking():
            self.tell(DigitHeard(digit))


def heard(line: str) -> str:
    """The key in +RXDTMF, +DTMF, ^DDTMF, or +QTONEDET with its ASCII code; "" for another line."""
    upper = line.upper()
    value = upper.partition(":")[2].strip()
    if upper.startswith("+QTONEDET"):
        code = text.number_in(value)
        value = chr(code) if 0 < code < 128 else ""
    elif not upper.startswith(("+RXDTMF", "+DTMF", "^DDTMF", "#DTMFEV")):
        return ""
    return value[0] if value[:1] and value[0] in KEYS else ""
