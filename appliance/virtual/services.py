"""Services that the network keeps for a number: forwarding, call waiting, who sees a number (27.007 7.7 to 7.12).

They are the subscriber's, not the device's: they hold while the device is unplugged, and they follow the card.
"""

from collections.abc import Callable

from appliance.virtual.at import OK, Command, Handlers, Host, Reply, cme
from appliance.virtual.card import Card, Forward

ALWAYS, BUSY, NO_ANSWER, NOT_REACHABLE, ALL, ALL_CONDITIONAL = range(6)
REASONS = ("always", "busy", "no-answer", "not-reachable")
GROUPS = {ALL: (0, 1, 2, 3), ALL_CONDITIONAL: (1, 2, 3)}
DISABLE, ENABLE, QUERY, REGISTER, ERASE = range(5)
VOICE = 1
CLASSES = (VOICE, 2, 4)  # voice, data, fax
NUMBER = "+0123456789*#"


class Services:
    """Answers come after `service_seconds`, and only while the device is registered."""

    def __init__(self, host: Host, card: Callable[[], Card], registered: Callable[[], bool]) -> None:
        self._host = host
        self._card = card
        self._registered = registered
        self._clir = self._colp = 0
        self.waiting_shown = False

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {"+CCFC": self._ccfc, "+CCWA": self._ccwa, "+CLIR": self._clir_set, "+COLP": self._colp_set}

    def boot(self) -> None:
        """Settings of the device as after power-on."""
        self._clir = self._colp = 0
        self.waiting_shown = False

    @property
    def hides(self) -> bool:
        """Our number is not shown to whom we call."""
        return self._clir == 1

    def forward(self, reason: int) -> Forward | None:
        """Where a voice call goes for this reason, if anywhere."""
        found = self._card().forwards.get((reason, VOICE))
        return found if found and found.active else None

    def status(self) -> dict[str, object]:
        """What is in force for voice, by reason."""
        found = {name: self.forward(reason) for reason, name in enumerate(REASONS)}
        return {name: {"number": f.number, "seconds": f.seconds} for name, f in found.items() if f}

    def change(self, reason: str, number: str) -> None:
        """Somebody changes the forwarding elsewhere, as by a call to the operator; "" erases. Raises ValueError."""
        if reason not in REASONS or any(c not in NUMBER for c in number):
            raise ValueError(f"a reason is one of {', '.join(REASONS)}, a number has digits")
        key = (REASONS.index(reason), VOICE)
        self._card().forwards.pop(key, None)
        if number:
            self._card().forwards[key] = Forward(number)

    def _network(self, reply: Reply) -> Reply | None:
        """The network answers after a while."""
        error = self._host.quirks.service_error
        final = cme(error) if error else reply
        self._host.later(self._host.quirks.service_seconds, lambda: self._host.finish(final))
        return None

    # -- commands ------------------------------------------------------------------------------------------------------

    def _ccfc(self, command: Command) -> Reply | None:
        if command.op == "=?":
            return Reply(("+CCFC: (0-5)",))
        reason, mode = command.number(0), command.number(1)
        if command.op != "=" or reason not in range(6) or mode not in range(5):
            return cme(50)
        if not self._registered():
            return cme(30)
        classes = tuple(bit for bit in CLASSES if command.number(4, 7) & bit)
        if mode == QUERY:
            return cme(50) if reason in GROUPS else self._network(self._query(reason, classes))
        return self._network(self._set(command, GROUPS.get(reason, (reason,)), mode, classes))

    def _query(self, reason: int, classes: tuple[int, ...]) -> Reply:
        lines = []
        for bit in classes:
            found = self._card().forwards.get((reason, bit))
            if found:
                kind = 145 if found.number.startswith("+") else 129
                time = f",,,{found.seconds}" if reason == NO_ANSWER else ""
                lines.append(f'+CCFC: {int(found.active)},{bit},"{found.number}",{kind}{time}')
        return Reply(tuple(lines) or (f"+CCFC: 0,{sum(classes)}",))

    def _set(self, command: Command, reasons: tuple[int, ...], mode: int, classes: tuple[int, ...]) -> Reply:
        forwards = self._card().forwards
        keys = [(reason, bit) for reason in reasons for bit in classes]
        number = command.args[2] if len(command.args) > 2 else ""
        if mode == REGISTER:
            seconds = command.number(7, 20)
            if not 3 <= len(number) <= 20 or any(c not in NUMBER for c in number) or not 1 <= seconds <= 30:
                return cme(50)
            international = command.number(3, 129) == 145 and not number.startswith("+")
            for key in keys:
                forwards[key] = Forward("+" + number if international else number, seconds)
            return OK
        if mode == ERASE:
            for key in keys:
                forwards.pop(key, None)
            return OK
        known = [forwards[key] for key in keys if key in forwards]
        if mode == ENABLE and not known:
            return cme(3)
        for found in known:
            found.active = mode == ENABLE
        return OK

    def _ccwa(self, command: Command) -> Reply | None:
        if command.op == "=?":
            return Reply(("+CCWA: (0,1)",))
        if command.op == "?":
            return Reply((f"+CCWA: {int(self.waiting_shown)}",))
        if command.number(0, 0) not in (0, 1) or command.number(1, 0) not in (0, 1, 2):
            return cme(50)
        mode = command.number(1)
        if mode != QUERY:
            self.waiting_shown = command.number(0) == 1
        if mode < 0:  # a device that is told so alone turns the service on, too: some do
            self._card().call_waiting = self.waiting_shown or self._card().call_waiting
            return OK
        if mode == QUERY:
            return self._network(Reply((f"+CCWA: {int(self._card().call_waiting)},{VOICE}",)))
        self._card().call_waiting = mode == 1
        return OK

    def _clir_set(self, command: Command) -> Reply | None:
        if command.op == "?":
            return self._network(Reply((f"+CLIR: {self._clir},4",)))
        if command.op == "=?":
            return Reply(("+CLIR: (0-2)",))
        if command.number(0) not in (0, 1, 2):
            return cme(50)
        self._clir = command.number(0)
        return OK

    def _colp_set(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+COLP: {self._colp},1",))
        self._colp = command.number(0, 0)
        return OK
