"""Codes of the network: one dialogue at a time, asked, answered, given up (USSD, 3GPP TS 27.007 7.15).

A request goes out as text; a modem that refuses it gets the code as packed hex, then as UCS-2 hex, and what it took is
told, so that the next request begins with it. A code that spends something (`once`) is not sent in another form after
the network has had it. While nobody has called, the answer has a minute; then the dialogue is cancelled, since a modem
with an open one refuses the next. No code is ever written to a log: a voucher is money.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_events import ModemEvent, UssdFailed, UssdSaid
from appliance.protocols.ussd_text import FORMS, UssdText, encode, read

ANSWER_WITHIN = 60.0  # seconds; networks give themselves as long
TAKEN_WITHIN = 90.0  # the modem may be asking the network something else, or be in a call that has just come
QUICK = 10.0  # a "not supported" that comes so soon is about the form of the request
MORE_LINES = 1.0  # text without quotes may go on for so long
LONGEST_CODE = 160
CODE = re.compile(r"[*#0-9+]{1,160}\Z")
FORM_FAULTS = frozenset({-1, 3, 4, 21, 23, 24, 25, 50, 100})  # +CME: the request was not understood (27.007 9.2)

DONE, MORE, ENDED, ELSEWHERE, UNSUPPORTED, NETWORK_SILENT = range(6)
FAILURES = {UNSUPPORTED: "ussd-unsupported", NETWORK_SILENT: "ussd-no-network", ENDED: "ussd-ended"}


class State(Enum):
    """Where the dialogue is."""

    FREE = "free"
    ASKED = "asked"  # the command is out
    WAITING = "waiting"  # the network has it
    MENU = "menu"  # it wants an answer of ours


@dataclass(slots=True)
class Ussd:
    """See the module. Times are monotonic seconds."""

    engine: AtEngine
    tell: Callable[[ModemEvent], None]
    state: State = State.FREE
    _code: str = ""
    _form: str = FORMS[0]
    _forms: deque[str] = field(default_factory=deque)
    _known: str = ""
    _once: bool = False
    _asked_at: float = 0.0
    _until: float = 0.0
    _held: str = ""  # text without quotes that may go on
    _held_until: float = 0.0

    # ---- from the line ------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a dialogue is open."""
        return self.state is not State.FREE

    def ask(self, code: str, at: float, form: str = "", known: str = "", once: bool = False) -> bool:
        """Send a code; UssdSaid or UssdFailed follows. `form`: the request this modem took before; `known`: the form of
        its answers. False when a dialogue is open or the code is none."""
        if self.busy or not CODE.match(code):
            return False
        first = form if form in FORMS else FORMS[0]
        self._forms = deque(one for one in FORMS if one != first)
        self._known, self._once = known, once
        self._send_code(code, first, at)
        return True

    def answer(self, words: str, at: float) -> bool:
        """Answer a menu; what follows is as after `ask`. False when none is open."""
        if self.state is not State.MENU or not CODE.match(words):
            return False
        self._forms.clear()
        self._send_code(words, self._form, at)
        return True

    def cancel(self) -> bool:
        """Give the dialogue up; UssdFailed("ussd-cancelled") follows where an answer is awaited. False when none is
        open."""
        if not self.busy:
            return False
        self._give_up("ussd-cancelled")
        return True

    def reset(self) -> None:
        """The modem begins anew: so does whoever waits."""
        self._held = ""
        if self.busy:
            self._fail("ussd-lost", "")

    # ---- from the modem -----------------------------------------------------------------------------------------

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """A line that may be the network's word."""
        line = event.text
        if self._held:
            self._held += "\n" + line
            return
        if line[:6].upper() != "+CUSD:":
            return
        said = read(line, self._known)
        if said is None:
            return
        if said.quoted:
            self._said(said, at)
        else:
            self._held, self._held_until = line, at + MORE_LINES

    def finished(self, done: Finished, what: str, at: float) -> None:
        """The answer of a command of ours: OK means that the network has it, not that it has answered."""
        if what != "ask" or self.state is not State.ASKED or done.final == "dropped":
            return
        if done.ok:
            self.state, self._asked_at, self._until = State.WAITING, at, at + ANSWER_WITHIN
        elif done.final == "timeout":
            self._give_up("ussd-no-answer")
        elif self._forms and text.error_code(done.final) in FORM_FAULTS:
            self._send_code(self._code, self._forms.popleft(), at)
        else:
            self._fail("ussd-refused", done.final)

    def tick(self, at: float) -> None:
        """Text that has ended without saying so; answers that did not come."""
        if self._held and at >= self._held_until:
            held, self._held = self._held, ""
            said = read(held, self._known)
            if said:
                self._said(said, at)
        if self.busy and at >= self._until:
            self._give_up("ussd-no-answer")

    # ---- inside -------------------------------------------------------------------------------------------------

    def _said(self, said: UssdText, at: float) -> None:
        if self.state in (State.FREE, State.MENU):
            if said.text.strip():
                self.tell(UssdSaid(said.text, False, said.form, self._form, asked=False))
            if self.state is State.FREE and said.status == MORE:
                self._send("quiet", "AT+CUSD=2")  # the network asks us something that nobody here has begun
            elif said.status in FAILURES:
                self.state = State.FREE  # it has left the menu that is open
            return
        self._ANSWERS.get(said.status, Ussd._done)(self, said, at)

    def _done(self, said: UssdText, at: float) -> None:
        self.state = State.FREE
        self.tell(UssdSaid(said.text, False, said.form, self._form))

    def _more(self, said: UssdText, at: float) -> None:
        self.state, self._until = State.MENU, at + ANSWER_WITHIN
        self.tell(UssdSaid(said.text, True, said.form, self._form))

    def _ended(self, said: UssdText, at: float) -> None:
        """Many a network ends what it has answered with 2; without a text it has ended it without an answer."""
        if said.text.strip():
            self._done(said, at)
        else:
            self._fail(FAILURES[said.status], "")

    def _not_taken(self, said: UssdText, at: float) -> None:
        if said.text.strip():
            self._done(said, at)
        elif self._forms and not self._once and at - self._asked_at < QUICK:
            self._send_code(self._code, self._forms.popleft(), at)
        else:
            self._fail(FAILURES[said.status], "")

    def _send_code(self, code: str, form: str, at: float) -> None:
        self._code, self._form, self.state = code, form, State.ASKED
        self._asked_at, self._until = at, at + TAKEN_WITHIN
        self._send("ask", f'AT+CUSD=1,"{encode(code, form)}",15')

    def _give_up(self, reason: str) -> None:
        """What has not left does not leave any more: a voucher that is told as not sent is not spent later."""
        if self.state is State.ASKED and self.engine.withdraw("ussd ask"):
            self._fail(reason if reason == "ussd-cancelled" else "ussd-not-sent", "")
            return
        self._send("quiet", "AT+CUSD=2")
        self._fail(reason, "")

    def _fail(self, reason: str, detail: str) -> None:
        """A menu that is left is not told: what was asked has had its answer, and the next request is another's."""
        awaited = self.state is not State.MENU
        self.state, self._code = State.FREE, ""
        if awaited:
            self.tell(UssdFailed(reason, detail))

    def _send(self, what: str, command: str) -> None:
        self.engine.send(Command(command, (), 15.0, Priority.LONG, tag=f"ussd {what}", shown=command[:10] + "..."))

    _ANSWERS: ClassVar[dict[int, Callable[["Ussd", UssdText, float], None]]] = {
        DONE: _done, MORE: _more, ENDED: _ended, ELSEWHERE: _done, UNSUPPORTED: _not_taken, NETWORK_SILENT: _not_taken,
    }  # fmt: skip
