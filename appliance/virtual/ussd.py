"""USSD: codes, menus, balances and top-up codes of the virtual operator, and the +CUSD of the device (27.007 7.15)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance.virtual import ussd_forms
from appliance.virtual.at import ERROR, OK, Command, Handlers, Host, Reply, cme
from appliance.virtual.card import Card

DONE, WANTED, ENDED, OTHER, UNKNOWN, LATE = range(6)  # the m of +CUSD
NEVER = 9  # no answer comes
TOP_UP = "*123*"
VOUCHER_DIGITS = 12
VOUCHER_WORTH = 2500
LONGEST_CODE = 182
CHARSETS = ("GSM", "IRA", "UCS2", "HEX")


@dataclass(frozen=True, slots=True)
class Screen:
    """One answer: its text ({balance} is filled in), its m, and what each choice leads to."""

    text: str
    result: int = DONE
    choices: Mapping[str, "Screen"] = field(default_factory=dict)
    form: str = ""
    seconds: float = -1.0


def menu(text: str, **choices: Screen) -> Screen:
    """A screen that wants a digit: `_1=...`."""
    return Screen(text, WANTED, {name.strip("_"): screen for name, screen in choices.items()})


BALANCE = Screen("Your balance is {balance} PLN. Valid until 31.12.2026.")
CODES: Mapping[str, Screen] = {
    "*100#": BALANCE,
    "*101#": menu(
        "1 Balance\n2 Packages",
        _1=BALANCE,
        _2=menu("Packages:\n1 Internet 1 GB 5 PLN\n2 Calls 60 min 3 PLN", _1=Screen("Internet 1 GB: done."),
                _2=Screen("Calls 60 min: done.")),
    ),
    "*102#": Screen("Stan konta: {balance} zł"),
    "*105#": Screen("Ваш баланс {balance} PLN"),
}  # fmt: skip
WRONG = Screen("Wrong choice.", ENDED)


class Ussd:
    """One dialogue at a time, none during a call."""

    def __init__(self, host: Host, card: Callable[[], Card], registered: Callable[[], bool]) -> None:
        self._host = host
        self._card = card
        self._registered = registered
        self.in_call: Callable[[], bool] = lambda: False
        self._own: dict[str, Screen] = {}
        self._shown = False  # +CUSD=1: answers are shown
        self._open: Screen | None = None
        self._turn = 0  # counts requests: a time-out or an answer that is meant for an earlier one is dropped
        self._waits = False
        self.charset = "GSM"
        self.asked: list[str] = []

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {"+CUSD": self._cusd, "+CSCS": self._cscs}

    def boot(self) -> None:
        """Settings as after power-on."""
        self._shown, self._open, self._waits, self.charset = False, None, False, "GSM"
        self._turn += 1

    def teach(self, code: str, screen: Screen) -> None:
        """The answer to a code from now on. Raises ValueError."""
        if not code or len(code) > LONGEST_CODE:
            raise ValueError("a code has 1 to 182 characters")
        if screen.form and screen.form not in ussd_forms.FORMS:
            raise ValueError(f"there is no encoding {screen.form}; there are: {', '.join(ussd_forms.FORMS)}")
        self._own[code] = screen

    def push(self, text: str, result: int) -> None:
        """The network says something of its own accord; with result 1 it wants an answer."""
        self._show(Screen(text, result))

    # -- commands ------------------------------------------------------------------------------------------------------

    def _cscs(self, command: Command) -> Reply:
        if command.op == "=" and command.args and command.args[0].upper() in CHARSETS:
            self.charset = command.args[0].upper()
            return OK
        if command.op == "?":
            return Reply((f'+CSCS: "{self.charset}"',))
        return Reply(('+CSCS: ("GSM","IRA","UCS2")',)) if command.op == "=?" else ERROR

    def _cusd(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+CUSD: {int(self._shown)}",))
        if command.op == "=?":
            return Reply(("+CUSD: (0,1,2)",))
        if command.op != "=" or command.number(0) not in (0, 1, 2):
            return cme(50)
        if command.number(0) == 2:
            self._open, self._waits = None, False
            self._turn += 1
            return OK
        self._shown = command.number(0) == 1
        return self._ask(command) if len(command.args) > 1 and command.args[1] else OK

    def _ask(self, command: Command) -> Reply:
        if not self._registered():
            return cme(30)
        if self._waits or self.in_call():
            return cme(3)
        quirks = self._host.quirks
        code = ussd_forms.request(command.args[1], quirks.ussd_request, self.charset)
        if code is None or len(code) > LONGEST_CODE:
            return ERROR
        self.asked = [*self.asked, code][-20:]
        screen = Screen("", quirks.ussd_refused) if quirks.ussd_refused >= 0 else self._screen(code)
        self._turn += 1
        self._waits, turn = True, self._turn
        seconds = screen.seconds if screen.seconds >= 0 else quirks.ussd_seconds
        if quirks.ussd_first:
            self._show(screen)
        elif screen.result != NEVER:
            self._host.later(seconds, lambda: self._show(screen) if turn == self._turn else None)
        return OK

    def _screen(self, code: str) -> Screen:
        if self._open is not None:
            return self._open.choices.get(code, WRONG)
        if code in self._own:
            return self._own[code]
        if code.startswith(TOP_UP) and code.endswith("#"):
            return self._top_up(code[len(TOP_UP) : -1])
        return CODES.get(code, Screen("", UNKNOWN))

    def _top_up(self, voucher: str) -> Screen:
        """Twelve digits are worth 25.00, once; those that begin with 0 are no voucher."""
        card = self._card()
        if len(voucher) != VOUCHER_DIGITS or not voucher.isdecimal() or voucher[0] == "0":
            return Screen("Wrong code. Please try again.")
        if voucher in card.vouchers:
            return Screen("This code was used before.")
        card.vouchers.add(voucher)
        card.balance += VOUCHER_WORTH
        return Screen("Topped up by 25.00 PLN. Your balance is {balance} PLN.")

    def _show(self, screen: Screen) -> None:
        self._waits = False
        self._open = screen if screen.result == WANTED else None
        self._turn += 1
        turn = self._turn
        if screen.result == WANTED:
            self._host.later(self._host.quirks.ussd_timeout, lambda: self._time_out(turn))
        balance = self._card().balance
        text = screen.text.replace("{balance}", f"{balance // 100}.{balance % 100:02d}")
        if self._shown and screen.result != NEVER:
            form = screen.form or self._host.quirks.ussd_answer
            self._host.urc(ussd_forms.answer(screen.result, text, form, self.charset))

    def _time_out(self, turn: int) -> None:
        if turn == self._turn and self._open:
            self._open = None
            if self._shown:
                self._host.urc(f"+CUSD: {ENDED}")
