"""The SIM of a modem: is it there, whose is it, what does it want; its PIN, at most once (3GPP TS 27.007 8.3, 22.101).

A wrong PIN sent three times locks the card. So a PIN goes out once for each card, after that was written down; a second
time only when its answer was lost and the card's own counter says that it cost no try. A PUK is never sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_families import OTHERS, Family

LOOK_AGAIN = 10.0  # seconds: how often a SIM that is not ready is looked at
STILL_THERE = 20.0  # how often one that is ready is: not every modem tells that it was pulled out
PATIENCE = 30.0  # how long a SIM may go on asking after its PIN was taken
BUSY_AGAIN = 2.0  # "SIM busy", "please wait"
LEAST_TRIES_LEFT = 2  # a PIN is not sent when fewer are left
GONE = ("+CPIN: NOT INSERTED", "+CPIN: NOT READY", "+SIMCARD: NOT AVAILABLE", "^SIMST: 0", "^SIMST:0", "^SIMST: 255",
        "+QSIMSTAT: 1,0", "+QSIMSTAT:1,0", "+QUSIM: 0", "#QSS: 0", "#QSS:0", "+UUSIMSTAT: 0")  # fmt: skip

# the SIM's number ("" unknown) and the tries left (-1 unknown) -> whether this PIN may be sent; remembers that it was
MayTryPin = Callable[[str, int], bool]


@dataclass(slots=True)
class Sim:
    """`say` gets the state a SIM that is not ready puts the line in; `opened` is called when it is ready, `gone` when
    one that was ready is not there any more. Times are monotonic seconds."""

    engine: AtEngine
    say: Callable[[str], None]
    opened: Callable[[], None]
    gone: Callable[[], None]
    pin: str = ""
    may_try_pin: MayTryPin = lambda iccid, left: True
    pin_was_right: Callable[[str], None] = lambda iccid: None
    pin_was_wrong: Callable[[str], None] = lambda iccid: None
    family: Family = OTHERS
    iccid: str = ""
    imsi: str = ""
    _is_open: bool = False
    _left: int = -1
    _tried: bool = False
    _taken_at: float | None = None
    _unsure: bool = False
    _look_at: float | None = None
    _at: float = field(default=0.0)

    def reset(self) -> None:
        """The modem begins anew: one that restarts wants its PIN again, and it was right."""
        self.iccid = self.imsi = ""
        self._look_at, self._is_open = None, False
        if self._taken_at is not None:
            self._tried, self._taken_at = False, None

    def ask(self) -> None:
        """Look what it wants."""
        self._send("state", "AT+CPIN?", ("+CPIN",), 10.0)

    def left(self) -> None:
        """It was pulled out; the next one is another's, and so is what it wants."""
        self.iccid, self.imsi, self._unsure, self._tried, self._taken_at = "", "", False, False, None
        self._is_open = False
        self._wait("no-sim")

    def tick(self, at: float) -> None:
        """Second looks."""
        self._at = at
        if self._look_at is not None and at >= self._look_at:
            self._look_at = None
            priority = Priority.IDLE if self._is_open else Priority.NORMAL
            self.engine.send(Command("AT+CPIN?", ("+CPIN",), 10.0, priority, tag="sim state"))

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """A SIM that was put in is looked at at once."""
        self._at = at
        if self._look_at is not None and not self._is_open and text.pin_state(event.text):
            self._look_at = at

    def finished(self, done: Finished, what: str, at: float) -> None:
        """The answer of a command of ours."""
        self._at = at
        if done.final != "dropped":
            self._ANSWERS[what](self, done)

    def learn(self, lines: tuple[str, ...]) -> None:
        """Its number, as an answer of the initialisation gave it."""
        self.iccid = self.iccid or text.digits_only(lines)

    # ---- what it wants --------------------------------------------------------------------------------------------

    def _state_said(self, done: Finished) -> None:
        found = next((p for line in done.lines if (p := text.pin_state(line))), "")
        code = text.error_code(done.final)
        missing = code in (10, 13, 15, 310, 313) or found in ("NOT INSERTED", "NOT READY")
        if self._is_open:
            self._look_at = self._at + STILL_THERE
            if missing or found.startswith("SIM P"):
                self.gone()
        elif found == "READY":
            self._ready()
        elif found == "SIM PIN" or code in (11, 311):
            self._pin_wanted()
        elif "PUK" in found or code in (12, 316):
            self._wait("puk-needed")
        elif missing:
            self._wait("no-sim")
        else:
            self._look_at = self._at + BUSY_AGAIN

    def _ready(self) -> None:
        if self._unsure:  # its answer was lost, but it was right
            self._unsure = False
            self._was_right()
        self._is_open, self._look_at = True, self._at + STILL_THERE
        self.opened()

    def _was_right(self) -> None:
        self.pin_was_right(self.iccid)
        self._taken_at = self._at

    def _wait(self, state: str) -> None:
        self.say(state)
        self._look_at = self._at + LOOK_AGAIN

    # ---- its PIN --------------------------------------------------------------------------------------------------

    def _pin_wanted(self) -> None:
        if self._taken_at is not None and self._at < self._taken_at + PATIENCE:
            self._look_at = self._at + BUSY_AGAIN  # it was right; the SIM is still opening
        elif self._tried and not self._unsure:
            self._wait("pin-wrong")
        elif not self.pin:
            self._wait("pin-needed")
        else:
            self._send("number", self.family.iccid[0], number_prefix(self.family.iccid[0]))

    def _number_said(self, done: Finished) -> None:
        """Which SIM it is, as far as a locked one tells: a PIN is remembered together with it."""
        self.iccid = text.digits_only(done.lines) if done.ok else ""
        if self.family.pin_tries:
            prefix = self.family.pin_tries.removeprefix("AT").partition("=")[0].rstrip("?")
            self._send("tries", self.family.pin_tries, (prefix,))
        else:
            self._enter(-1)

    def _tries_said(self, done: Finished) -> None:
        self._enter(text.tries_left(done.lines) if done.ok else -1)

    def _enter(self, left: int) -> None:
        """The last try is a person's: after it only the PUK opens the SIM."""
        lost = self._unsure
        self._tried, self._unsure = True, False
        if 0 <= left < LEAST_TRIES_LEFT or (lost and left < self._left) or not self.may_try_pin(self.iccid, left):
            self._wait("pin-wrong")
            return
        self._left = left
        self._send("pin", f'AT+CPIN="{self.pin}"', (), 10.0, shown="AT+CPIN=...")

    def _pin_given(self, done: Finished) -> None:
        if done.ok:
            self._was_right()
            self._look_at = self._at + BUSY_AGAIN
        elif text.error_code(done.final) == WRONG:
            self.pin_was_wrong(self.iccid)
            self._wait("pin-wrong")
        else:
            self._unsure = done.final == "timeout"
            self._wait("pin-needed" if self._unsure else "pin-wrong")

    def _send(
        self, what: str, command: str, expects: tuple[str, ...] = (), seconds: float = 3.0, shown: str = ""
    ) -> None:
        self.engine.send(Command(command, expects, seconds, tag=f"sim {what}", shown=shown))

    _ANSWERS: ClassVar[dict[str, Callable[["Sim", Finished], None]]] = {
        "state": _state_said, "number": _number_said, "tries": _tries_said, "pin": _pin_given,
    }  # fmt: skip


WRONG = 16  # +CME ERROR: incorrect password


def number_prefix(command: str) -> tuple[str, ...]:
    """How the answer to a question for the SIM's number begins: as the question, or as another vendor's, or with the
    digits themselves."""
    name = command[3:].rstrip("?")
    names = dict.fromkeys((name, "ICCID", "CCID"))
    return (*(f"{mark}{one}" for mark in "+^#" for one in names), "")
