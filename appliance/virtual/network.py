"""The SIM and the radio: PIN states, registration, signal, operator, identity."""

from collections.abc import Callable

from appliance.virtual.at import ERROR, OK, Command, Handlers, Host, Reply, cme
from appliance.virtual.at_answers import information, recorded

SAFE_WITHOUT_SIM = frozenset(
    [
        "",
        "E",
        "V",
        "Q",
        "Z",
        "&F",
        "&C",
        "&D",
        "S0",
        "S3",
        "S4",
        "H",
        "+CPIN",
        "^CPIN",
        "+SPIC",
        "+QPINC",
        "+CFUN",
        "+CMEE",
        "+CGMI",
        "+CGMM",
        "+CGMR",
        "+CGSN",
        "+GMI",
        "+GMM",
        "+GMR",
        "+GSN",
        "+CSQ",
        "I",
        "+CCID",
        "^ICCID",
        "+QCCID",
        "+CICCID",
        "+GCAP",
        "^RESET",
        "+CRESET",
        "+CREG",
        "+CGREG",
        "+CEREG",
        "+COPS",
        "^CURC",
        "+CIMI",
    ]
)
LAC, CELL = "8BE3", "2BAF"
PUK = "12345678"


class Network:
    """Owns registration; tells the calls and the messages through `on_change`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.coverage = True
        self.radio = 1
        self.registered = False
        self.pin_given = False
        self.tries = host.quirks.pin_tries
        self.puk_tries = 10
        self.iccid = "8948031234567890123"
        self._urcs = {"CREG": 0, "CGREG": 0, "CEREG": 0}
        self._names = 0
        self._quiet = False
        self.on_change: Callable[[], None] = lambda: None

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {
            "+CPIN": self._cpin, "^CPIN": self._tries, "+SPIC": self._tries, "+QPINC": self._tries,
            "+CFUN": self._cfun, "^RESET": self._reset, "+CRESET": self._reset, "+CIMI": self._imsi,
            "+CCID": self._iccid, "^ICCID": self._iccid, "+QCCID": self._iccid, "+CICCID": self._iccid,
            "+CREG": self._creg, "+CGREG": self._creg, "+CEREG": self._creg, "+COPS": self._cops, "+CSQ": self._csq,
            "^CURC": self._curc,
        }  # fmt: skip

    def boot(self) -> None:
        """Power is there: start anew."""
        self.radio, self.pin_given, self._names, self._quiet = 1, False, 0, False
        self._urcs = dict.fromkeys(self._urcs, 0)
        self.registered = False
        for line in self._host.family.boot:
            if "READY" not in line or self.pin_state == "READY":
                self._host.urc(line)
        self._search()
        if self._host.quirks.noise > 0:
            self._host.later(self._host.quirks.noise, self._noise)

    @property
    def pin_state(self) -> str:
        """What AT+CPIN? says; "" without a SIM."""
        if self._host.quirks.sim_absent:
            return ""
        if self.puk_tries <= 0 or (self.tries <= 0 and self._host.quirks.pin):
            return "SIM PUK"
        return "SIM PIN" if self._host.quirks.pin and not self.pin_given else "READY"

    def barrier(self, command: Command) -> Reply | None:
        """The error that a command meets while the SIM is not usable."""
        if command.name in SAFE_WITHOUT_SIM or self.pin_state == "READY":
            return None
        return cme({"": 10, "SIM PUK": 12}.get(self.pin_state, 11))

    def set_coverage(self, on: bool) -> None:
        """The network is lost or found."""
        self.coverage = on
        if on:
            self._search()
        else:
            self._drop()

    def _search(self) -> None:
        if self.coverage and self.radio == 1 and self.pin_state == "READY" and not self.registered:
            self._host.later(self._host.quirks.register_seconds, self._found)

    def _found(self) -> None:
        if self.coverage and self.radio == 1 and self.pin_state == "READY" and not self.registered:
            self.registered = True
            self._announce()
            self.on_change()

    def _drop(self) -> None:
        if self.registered:
            self.registered = False
            self._announce()
            self.on_change()

    @property
    def stat(self) -> int:
        if self.registered:
            return 1
        return 2 if self.radio == 1 else 0

    def _announce(self) -> None:
        for name, mode in self._urcs.items():
            if mode == 2 and self.registered:
                self._host.urc(self._host.say("creg", name=name, stat=self.stat, lac=LAC, cell=CELL, act=2))
            elif mode:
                self._host.urc(f"+{name}: {self.stat}")

    def _noise(self) -> None:
        if not self._quiet:
            self._host.urc(self._host.say("noise", signal=self._host.quirks.signal))
        if self._host.quirks.noise > 0:
            self._host.later(self._host.quirks.noise, self._noise)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _cpin(self, command: Command) -> Reply:
        state = self.pin_state
        if not state:
            return cme(10)
        if command.op == "?":
            raw = recorded(self._host.family, "AT+CPIN?") if state == "READY" else None
            return Reply(raw=raw) if raw else Reply((f"+CPIN: {state}",))
        if command.op != "=" or not command.args:
            return ERROR
        if state == "READY":
            return cme(3)
        if state == "SIM PUK":
            return self._puk(command)
        if command.args[0] != self._host.quirks.pin:
            self.tries -= 1
            return cme(16) if self.tries > 0 else cme(12)
        self.tries = self._host.quirks.pin_tries
        self._unlocked()
        return OK

    def _puk(self, command: Command) -> Reply:
        if len(command.args) < 2 or command.args[0] != PUK:
            self.puk_tries -= 1
            return cme(16)
        self._host.quirks.pin = command.args[1]
        self.tries = self._host.quirks.pin_tries
        self._unlocked()
        return OK

    def _unlocked(self) -> None:
        self.pin_given = True
        self._search()

    def _tries(self, command: Command) -> Reply:
        mine = {"huawei": "^CPIN", "sim7600": "+SPIC", "ec25": "+QPINC"}[self._host.family.name]
        if command.name != mine:
            return Reply(final=self._host.family.unknown)
        line = self._host.say("pin-tries", state=self.pin_state, pin=max(self.tries, 0), puk=self.puk_tries)
        return Reply((line,))

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

    def _imsi(self, command: Command) -> Reply:
        if self.pin_state != "READY":
            return cme({"": 10, "SIM PUK": 12}.get(self.pin_state, 11))
        raw = recorded(self._host.family, "AT+CIMI")
        return Reply(raw=raw) if raw else Reply((self._host.family.ours["AT+CIMI"][0],))

    def _iccid(self, command: Command) -> Reply:
        mine = {"huawei": "^ICCID", "sim7600": "+CICCID", "ec25": "+QCCID"}[self._host.family.name]
        if command.name not in (mine, "+CCID"):
            return Reply(final=self._host.family.unknown)
        return cme(10) if not self.pin_state else Reply((self._host.say("iccid", iccid=self.iccid),))

    def _creg(self, command: Command) -> Reply:
        name = command.name[1:]
        if name != "CREG" and self._host.family.name == "huawei" and name == "CEREG":
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
        if self._host.family.name != "huawei":
            return Reply(final=self._host.family.unknown)
        self._quiet = command.number(0) == 0
        return OK


def identity(host: Host, command: Command) -> Reply | None:
    """An answer that never changes: on record first, else ours."""
    key = command.text.upper()
    raw = recorded(host.family, key)
    if raw is not None:
        return Reply(raw=raw)
    if key in host.family.ours:
        line = host.family.ours[key][0]
        return Reply((line,) if line else ())
    return None


def recorded_lines(host: Host, command: str) -> list[str]:
    """The information lines on record for a command, without frame and result."""
    raw = recorded(host.family, command)
    return information(raw) if raw else []
