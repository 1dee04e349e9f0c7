"""The radio: registration, signal, operator, the network's time, and answers that never change."""

from collections.abc import Callable
from datetime import UTC, datetime

from appliance.virtual.at import ERROR, OK, Command, Handlers, Host, Reply, cme
from appliance.virtual.at_answers import recorded
from appliance.virtual.pdu import now

LAC, CELL = "8BE3", "2BAF"
IDENTITY = ("AT+CGMI", "AT+CGMM", "AT+CGMR")
REGISTERED = (1, 5, 6, 7, 9, 10)
NO_TIME = datetime(1980, 1, 6, tzinfo=UTC)  # what a device shows before the network told it (the day GPS begins)


class Network:
    """Owns registration; tells the calls and the messages through `on_change`."""

    def __init__(self, host: Host, usable: Callable[[], bool]) -> None:
        self._host = host
        self._usable = usable  # the card
        self.coverage = True
        self.radio = 1
        self.registered = False
        self._urcs = {"CREG": 0, "CGREG": 0, "CEREG": 0}
        self._names = 0
        self._quiet = False
        self._zone_urcs = 0
        self.on_change: Callable[[], None] = lambda: None

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {
            "+CFUN": self._cfun, "^RESET": self._reset, "+CRESET": self._reset,
            "+CREG": self._creg, "+CGREG": self._creg, "+CEREG": self._creg, "+COPS": self._cops, "+CSQ": self._csq,
            "^CURC": self._curc, "+CESQ": self._cesq, "+CTZR": self._ctzr, "+CTZU": self._ctzu, "+CCLK": self._cclk,
        }  # fmt: skip

    def boot(self) -> None:
        """Power is there: start anew."""
        self.radio, self._names, self._quiet, self._zone_urcs = 1, 0, False, 0
        self._urcs = dict.fromkeys(self._urcs, 0)
        self.registered = False
        lines = [line for line in self._host.family.boot if "READY" not in line or self._usable()]
        step = self._host.quirks.boot_seconds / max(1, len(lines) - 1)
        for place, line in enumerate(lines):
            self._boot_line(step * place, line)
        self._search()
        if self._host.quirks.noise > 0:
            self._host.later(self._host.quirks.noise, self._noise)

    def _boot_line(self, seconds: float, line: str) -> None:
        if seconds <= 0:
            self._host.urc(line)
        else:
            self._host.later(seconds, lambda: self._host.urc(line))

    def card_changed(self) -> None:
        """The card became usable, or stopped being so."""
        if self._usable():
            self._search()
        else:
            self._drop()

    def set_coverage(self, on: bool) -> None:
        """The network is lost or found."""
        self.coverage = on
        if on:
            self._search()
        else:
            self._drop()

    def _may_register(self) -> bool:
        welcome = self._host.quirks.registered_as in REGISTERED
        return self.coverage and self.radio == 1 and self._usable() and welcome and not self.registered

    def _search(self) -> None:
        if self._may_register():
            self._host.later(self._host.quirks.register_seconds, self._found)

    def _found(self) -> None:
        if self._may_register():
            self.registered = True
            self._announce()
            if self._zone_urcs and self._host.quirks.nitz:
                self._host.urc(f"+CTZV: {_quarters(now()):+03d}")
            self.on_change()

    def _drop(self) -> None:
        if self.registered:
            self.registered = False
            self._announce()
            self.on_change()

    @property
    def stat(self) -> int:
        if self.registered or (self.radio == 1 and self._host.quirks.registered_as not in REGISTERED):
            return self._host.quirks.registered_as
        return 2 if self.radio == 1 else 0

    def _announce(self) -> None:
        for name, mode in self._urcs.items():
            if mode == 2 and self.registered:
                self._host.urc(self._host.say("creg", name=name, stat=self.stat, lac=LAC, cell=CELL, act=2))
            elif mode:
                self._host.urc(f"+{name}: {self.stat}")

    def _noise(self) -> None:
        if not self._quiet:
            self._host.urc(
                self._host.say("noise", signal=self._host.quirks.signal, level=self._host.quirks.signal // 7)
            )
        if self._host.quirks.noise > 0:
            self._host.later(self._host.quirks.noise, self._noise)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _cfun(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+CFUN: {self.radio}",))
        if command.op == "=?":
            return Reply(("+CFUN: (0,1,4),(0,1)",))
        if command.number(0) not in (0, 1, 4):
            return ERROR
        if command.number(1, 0) == 1:
            return self._reset(command)
        self.radio = command.number(0)
        if self.radio == 1:
            self._search()
        else:
            self._drop()
        return OK

    def _reset(self, command: Command) -> Reply:
        self._host.reboot()
        return OK

    def _creg(self, command: Command) -> Reply:
        name = command.name[1:]
        if name == "CEREG" and (self._host.family.maker == "huawei" or self._host.quirks.no_lte):
            return Reply(final=self._host.family.unknown)
        if command.op == "=":
            if command.number(0) not in (0, 1, 2):
                return ERROR
            self._urcs[name] = command.number(0)
            return OK
        if command.op != "?":
            return Reply((f"+{name}: (0-2)",))
        mode = self._urcs[name]
        if mode == 2 and self.registered:
            line = self._host.say("creg-read", name=name, n=mode, stat=self.stat, lac=LAC, cell=CELL, act=2)
            return Reply((line,))
        return Reply((f"+{name}: {mode},{self.stat}",))

    def _cops(self, command: Command) -> Reply:
        if command.op == "=":
            if command.number(0) == 3:
                self._names = command.number(1, 0)
            return OK
        if command.op == "=?":
            raw = recorded(self._host.family, "AT+COPS=?")
            return Reply(raw=raw) if raw else Reply((f'+COPS: (2,"{self._host.quirks.operator}","",""),,(0,1),(0,2)',))
        if not self.registered:
            return Reply(("+COPS: 0",))
        name = self._host.quirks.operator_code if self._names == 2 else self._host.quirks.operator
        return Reply((self._host.say("cops", format=self._names, name=name, act=2),))

    def _csq(self, command: Command) -> Reply:
        signal = self._host.quirks.signal if self.coverage and self.radio == 1 else 99
        return Reply((self._host.say("csq", signal=signal),))

    def _curc(self, command: Command) -> Reply:
        if self._host.family.maker not in ("huawei", "worst"):
            return Reply(final=self._host.family.unknown)
        self._quiet = command.number(0) == 0
        return OK

    def _cesq(self, command: Command) -> Reply:
        signal = self._host.quirks.signal
        if not self.registered:
            return Reply(("+CESQ: 99,99,255,255,255,255",))
        if self._host.quirks.no_lte:
            return Reply((f"+CESQ: {signal * 2},99,255,255,255,255",))
        return Reply((f"+CESQ: 99,99,255,255,20,{min(97, signal * 3)}",))

    def _ctzr(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+CTZR: {self._zone_urcs}",))
        if command.op == "=":
            self._zone_urcs = command.number(0, 0)
        return OK

    def _ctzu(self, command: Command) -> Reply:
        return Reply(("+CTZU: 1",)) if command.op == "?" else OK

    def _cclk(self, command: Command) -> Reply:
        if command.op == "=":
            return OK if command.args else cme(50)
        told = self.registered and self._host.quirks.nitz
        at = now(self._host.quirks.clock_offset) if told else NO_TIME
        date = at.strftime("%Y/%m/%d,%H:%M:%S" if self._host.quirks.year_digits == 4 else "%y/%m/%d,%H:%M:%S")
        return Reply((f'+CCLK: "{date}{_quarters(at):+03d}"',))


def _quarters(at: datetime) -> int:
    """The zone of a time, in quarters of an hour from UTC."""
    offset = at.utcoffset()
    return round(offset.total_seconds() / 900) if offset else 0


def identity(host: Host, command: Command) -> Reply | None:
    """An answer that never changes: on record first, else ours."""
    key = command.text.upper()
    if key in ("AT+CGSN", "AT+GSN"):
        return Reply((host.imei,))
    told = host.family.ours.get(key) if key in IDENTITY and not host.family.rows else None
    if told:
        return Reply((told[0],))
    raw = recorded(host.family, key)
    if raw is not None:
        return Reply(raw=raw)
    if key in host.family.ours:
        line = host.family.ours[key][0]
        return Reply((line,) if line else ())
    return None
