"""The SIM card in its slot: who it is, its PIN and PUK, and what a device says about both (27.007 8.3, 8.65, 7.4).

A card keeps its counters and messages while it changes devices; the device forgets at each start that a PIN was given.
"""

from collections.abc import Callable
from pathlib import Path

from appliance.virtual.at import ERROR, OK, Command, Handlers, Host, Reply, cme
from appliance.virtual.at_answers import recorded
from appliance.virtual.card import MOST_PUK_TRIES, MOST_TRIES, Card, CardFile, new_card

PUK = "12345678"
PIN_DIGITS = range(4, 9)
WITHOUT_SIM = (
    "E V Q Z &F &C &D S0 S3 S4 H I +CPIN ^CPIN +SPIC +QPINC +UPINCNT #PCT +CFUN +CMEE +CGMI +CGMM +CGMR +CGSN +GMI"
    " +GMM +GMR +GSN +CSQ +CCID ^ICCID +QCCID +CICCID +GCAP ^RESET +CRESET +CREG +CGREG +CEREG +COPS ^CURC +CIMI"
    " +CCLK +CTZR +CTZU +CESQ +CLCK"
)
SAFE_WITHOUT_SIM = frozenset(WITHOUT_SIM.split())  # and the empty command


class Slot:
    """The slot and the card in it. `on_change` hears when the card becomes usable or stops being so."""

    def __init__(self, host: Host, place: int, kept: Path) -> None:
        self._host = host
        self._file = CardFile(kept)
        self._place = place
        home = new_card(place)
        self._cards = {home.iccid: home} | {card.iccid: card for card in self._file.read()}
        self.card: Card | None = self._cards[home.iccid]
        self._last = self._cards[home.iccid]
        self._given = False
        self._busy = self._sms_busy = False
        self.on_change: Callable[[], None] = lambda: None

    @property
    def owner(self) -> Card:
        """The card, or the one that was in the slot last: the network still knows its number."""
        return self.card or self._last

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {
            "+CPIN": self._cpin, "^CPIN": self._tries, "+SPIC": self._tries, "+QPINC": self._tries,
            "+UPINCNT": self._tries, "#PCT": self._tries, "+CIMI": self._imsi, "+CCID": self._iccid,
            "^ICCID": self._iccid, "+QCCID": self._iccid, "+CICCID": self._iccid, "+CNUM": self._cnum,
            "+CLCK": self._clck, "+CPWD": self._cpwd,
        }  # fmt: skip

    def boot(self) -> None:
        """Power is there: the PIN is wanted anew, and the card takes its time."""
        self._given = False
        quirks = self._host.quirks
        self._busy, self._sms_busy = quirks.sim_busy_seconds > 0, quirks.sms_busy_seconds > 0
        if self._busy:
            self._host.later(quirks.sim_busy_seconds, self._ready)
        if self._sms_busy:
            self._host.later(quirks.sms_busy_seconds, self._sms_ready)

    def _ready(self) -> None:
        self._busy = False
        self.on_change()

    def _sms_ready(self) -> None:
        self._sms_busy = False

    @property
    def state(self) -> str:
        """What AT+CPIN? says; "" without a card."""
        if self.card is None:
            return ""
        if self.card.tries <= 0 and self.card.pin:
            return "SIM PUK"
        return "SIM PIN" if self.card.pin and not self._given else "READY"

    @property
    def usable(self) -> bool:
        """The network may see this card."""
        return self.state == "READY" and not self._busy

    def error(self) -> int:
        """The code (+CME) for a command that needs the card now; 0 when it is usable (27.007 9.2)."""
        if self.card is not None and self.card.puk_tries <= 0:
            return 13
        if self._busy:
            return 14
        return {"": 10, "SIM PIN": 11, "SIM PUK": 12}.get(self.state, 0)

    def barrier(self, command: Command) -> Reply | None:
        """The error that a command meets while the card is not usable."""
        if not command.name or command.name in SAFE_WITHOUT_SIM:
            return None
        code = self.error()
        if code:
            return cme(code)
        if self._sms_busy and command.name in ("+CMGF", "+CMGS", "+CMGL", "+CMGR", "+CMGD", "+CPMS", "+CNMI"):
            return Reply(cms=314)
        return None

    def keep(self) -> None:
        """Write down what changed on the cards, if anything did."""
        self._file.write(self._cards.values())

    # -- what a hand does ------------------------------------------------------------------------------------------

    def set_pin(self, pin: str, tries: int = MOST_TRIES) -> None:
        """The card has this PIN from now ("" for none), and it is not given yet. Raises ValueError."""
        if pin and (not pin.isdecimal() or len(pin) not in PIN_DIGITS):
            raise ValueError("a PIN has 4 to 8 digits")
        card = self.owner
        card.pin, card.tries, card.puk_tries = pin, tries, MOST_PUK_TRIES
        self._given = False
        self.on_change()
        if pin:
            self._host.urc("+CPIN: SIM PIN")

    def set_tries(self, tries: int) -> None:
        """How many tries are left."""
        self.owner.tries = tries

    def take_out(self) -> None:
        """Pull the card. May be called twice."""
        if self.card is None:
            return
        self._last, self.card = self.card, None
        self._host.urc(self._host.say("sim-gone"))
        self.on_change()

    def put_in(self, iccid: str = "") -> None:
        """Put the same card in again, or another one. Raises ValueError."""
        if iccid and (not iccid.isdecimal() or len(iccid) not in (19, 20)):
            raise ValueError("an ICCID has 19 or 20 digits")
        if self.card is not None:
            self.take_out()
        known = self._cards.setdefault(iccid, new_card(self._place, iccid)) if iccid else self._last
        self.card, self._given = known, False
        self._last = known
        if self.state:
            self._host.urc(f"+CPIN: {self.state}")
        self.on_change()

    # -- commands ------------------------------------------------------------------------------------------------------

    def _cpin(self, command: Command) -> Reply:
        code = self.error()
        if code in (10, 13, 14):
            return cme(code)
        state = self.state
        if command.op == "?":
            raw = recorded(self._host.family, "AT+CPIN?") if state == "READY" else None
            return Reply(raw=raw) if raw else Reply((f"+CPIN: {state}",))
        if command.op == "=?":
            return OK
        if command.op != "=" or not command.args:
            return ERROR
        if state == "READY":
            return cme(3)
        if state == "SIM PUK":
            return self._puk(command)
        return self._check(command.args[0]) or self._unlocked()

    def _check(self, typed: str) -> Reply | None:
        """None when it is the PIN; else the error, and one try less."""
        card = self.owner
        if typed == card.pin:
            card.tries = MOST_TRIES
            return None
        card.tries -= 1
        return cme(16) if card.tries > 0 else cme(12)

    def _puk(self, command: Command) -> Reply:
        card = self.owner
        fresh = command.args[1] if len(command.args) > 1 else ""
        if command.args[0] != PUK or not fresh.isdecimal() or len(fresh) not in PIN_DIGITS:
            card.puk_tries -= 1
            return cme(16) if card.puk_tries > 0 else cme(13)
        card.pin, card.tries, card.puk_tries = fresh, MOST_TRIES, MOST_PUK_TRIES
        return self._unlocked()

    def _unlocked(self) -> Reply:
        self._given = True
        self.on_change()
        return OK

    def _mine(self, command: Command, thing: str) -> bool:
        return command.name == self._host.family.own[thing]

    def _tries(self, command: Command) -> Reply:
        if not self._mine(command, "tries"):
            return Reply(final=self._host.family.unknown)
        card = self.owner
        return Reply((self._host.say("pin-tries", state=self.state, pin=max(card.tries, 0), puk=card.puk_tries),))

    def _imsi(self, command: Command) -> Reply:
        code = self.error()
        return cme(code) if code else Reply((self.owner.imsi,))

    def _iccid(self, command: Command) -> Reply:
        if not self._mine(command, "iccid") and command.name != "+CCID":
            return Reply(final=self._host.family.unknown)
        return cme(10) if self.card is None else Reply((self._host.say("iccid", iccid=self.card.iccid),))

    def _cnum(self, command: Command) -> Reply:
        known = self.owner.number if self._host.quirks.number_known else ""
        return Reply((f'+CNUM: "","{known}",145',) if known and command.op == "" else ())

    def _clck(self, command: Command) -> Reply:
        if command.op != "=" or len(command.args) < 2:
            return Reply(('+CLCK: ("SC","AO","OI","OX","AI","IR")',)) if command.op == "=?" else cme(50)
        code = self.error()
        if code in (10, 13, 14) or (code and command.number(1) != 2):
            return cme(code)
        if command.args[0] != "SC":
            return Reply(("+CLCK: 0,7",)) if command.number(1) == 2 else OK
        if command.number(1) == 2:
            return Reply((f"+CLCK: {int(bool(self.owner.pin))}",))
        typed = command.args[2] if len(command.args) > 2 else ""
        if command.number(1) == 1 and not self.owner.pin and typed.isdecimal() and len(typed) in PIN_DIGITS:
            self.owner.pin, self._given = typed, True
            return OK
        wrong = self._check(typed)
        if wrong is None and command.number(1) == 0:
            self.owner.pin = ""
        return wrong or OK

    def _cpwd(self, command: Command) -> Reply:
        if command.op != "=" or len(command.args) != 3 or command.args[0] != "SC":
            return cme(50)
        wrong = self._check(command.args[1]) if self.owner.pin else cme(3)
        if wrong is None:
            self.owner.pin = command.args[2]
        return wrong or OK
