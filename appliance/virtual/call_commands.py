"""Our end of the calls: dialling, answering, hanging up, the list of calls, keys, reports (27.007 7 and annex C)."""

from appliance.virtual.at import ERROR, OK, Command, Handlers, Host, Reply, cme
from appliance.virtual.calls import ACTIVE, HELD, INCOMING, WAITING, Calls, VirtualCall

DIGITS = "0123456789*#+ABCDabcd"
# a command that turns reports on and off -> (the report, the makers that have it, its argument that says so)
REPORTS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "^DDTMFCFG": ("tones", ("huawei", "worst"), -1),
    "+DDET": ("tones", ("simcom",), 0),
    "+QTONEDET": ("tones", ("quectel",), 0),
    "+UDTMFD": ("tones", ("ublox",), 0),
    "^DSCI": ("dsci", ("quectel",), 0),
    "+MORING": ("moring", ("simcom",), 0),
    "+UCALLSTAT": ("ucallstat", ("ublox",), 0),
}


class CallCommands:
    """Moves the calls of the table."""

    def __init__(self, host: Host, calls: Calls) -> None:
        self._host = host
        self._calls = calls

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {
            "D": self._dial, "A": self._answer, "H": self._hang_up, "+CHUP": self._hang_up, "+CLCC": self._clcc,
            "+CLIP": self._clip, "+CRC": self._crc, "+CHLD": self._chld, "+VTS": self._tone,
            "^DTMF": self._tone, "+QVTS": self._tone, "+CEER": self._ceer, "+CPAS": self._cpas, "+QHUP": self._hang_up,
            "+QINDCFG": self._indications, "+CVHU": self._cvhu, **dict.fromkeys(REPORTS, self._reports),
        }  # fmt: skip

    def _dial(self, command: Command) -> Reply:
        number = command.args[0].strip()
        if not number.endswith(";"):
            return Reply(final="NO CARRIER")  # a data call, which this modem has not
        number = number.rstrip(";")
        hidden = "I" in number or (self._calls.services.hides and "i" not in number)
        number = number.rstrip("IiGg")
        if not number or any(letter not in DIGITS for letter in number):
            return cme(50) if number else ERROR
        if not self._host.on_network() or self._host.quirks.no_voice:
            return Reply(final="NO CARRIER")
        if self._calls.now:
            return cme(3)
        self._calls.dial(number, hidden)
        return OK

    def _answer(self, command: Command) -> Reply:
        call = next((c for c in self._calls.now if c.state == INCOMING), None)
        if call is None:
            return Reply(final="NO CARRIER")
        self._host.later(0, lambda: self._calls.go_active(call) if call in self._calls.now else None)
        return OK

    def _hang_up(self, command: Command) -> Reply:
        if command.name == "H" and self._host.quirks.ath_ignored and "cvhu0" not in self._calls.reports:
            return OK
        for call in [c for c in self._calls.now if c.state != HELD]:
            self._calls.end(call, "us", _our_end(call), 16)
        return OK

    def _chld(self, command: Command) -> Reply:
        if command.op == "=?":
            return Reply(("+CHLD: (0,1,1x,2,2x)",))
        what = command.args[0] if command.args else ""
        calls = self._calls
        waiting = next((c for c in calls.now if c.state in (WAITING, INCOMING)), None)
        if len(what) == 2 and what[0] == "1":
            one = next((c for c in calls.now if str(c.index) == what[1]), None)
            if one is None:
                return cme(3)
            calls.end(one, "us", _our_end(one), 16)
        elif what == "0" and waiting:
            calls.end(waiting, "us", "refused", 17)
        elif what == "0" and any(c.state == HELD for c in calls.now):
            for call in [c for c in calls.now if c.state == HELD]:
                calls.end(call, "us", "ended", 16)
        elif what == "1":
            self._release_active(waiting)
        elif what == "2" and calls.now:
            self._swap(waiting)
        else:
            return cme(3)
        return OK

    def _release_active(self, waiting: VirtualCall | None) -> None:
        for call in [c for c in self._calls.now if c.state == ACTIVE]:
            self._calls.end(call, "us", "ended", 16)
        held = next((c for c in self._calls.now if c.state == HELD), None)
        if waiting or held:
            self._calls.go_active(waiting or held)  # type: ignore[arg-type]

    def _swap(self, waiting: VirtualCall | None) -> None:
        for call in list(self._calls.now):
            if call.state == ACTIVE or (call.state == HELD and not waiting):
                call.state = {ACTIVE: HELD, HELD: ACTIVE}[call.state]
                self._calls.changed(call)
        if waiting:
            self._calls.go_active(waiting)
        self._calls.on_change()

    def _clcc(self, command: Command) -> Reply:
        if command.op == "=":
            if self._host.family.maker != "simcom":
                return ERROR
            return self._switch("clcc", command.number(0) == 1)
        lines = ['+CLCC: 8,0,0,1,0,"",128'] if self._host.quirks.bearer else []
        for call in self._calls.now:
            facts = {"index": call.index, "direction": int(call.incoming), "state": call.state}
            word = "clcc" if call.shown else "clcc-hidden"
            lines.append(self._host.say(word, number=call.shown, type=call.kind, **facts))
        return Reply(tuple(lines))

    def _cvhu(self, command: Command) -> Reply:
        """27.007 6.20: 0 = ATH hangs up."""
        if command.op == "=":
            return self._switch("cvhu0", command.number(0) == 0)
        if command.op == "?":
            return Reply((f"+CVHU: {int('cvhu0' not in self._calls.reports)}",))
        return Reply(("+CVHU: (0,1)",))

    def _switch(self, report: str, on: bool) -> Reply:
        (self._calls.reports.add if on else self._calls.reports.discard)(report)
        return OK

    def _clip(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+CLIP: {int('clip' in self._calls.reports)},1",))
        if command.op == "=?":
            return Reply(("+CLIP: (0,1)",))
        return self._switch("clip", command.number(0) == 1)

    def _crc(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+CRC: {int('cring' in self._calls.reports)}",))
        return self._switch("cring", command.number(0) == 1)

    def _tone(self, command: Command) -> Reply:
        call = self._calls.talking
        if call is None:
            return cme(3)
        digits = command.args[-1] if command.args else ""
        if not digits or any(d not in "0123456789*#ABCDabcd" for d in digits):
            return cme(50)
        call.sent_digits += digits
        return OK

    def _reports(self, command: Command) -> Reply:
        report, makers, place = REPORTS[command.name]
        if self._host.family.maker not in makers:
            return Reply(final=self._host.family.unknown)
        if command.op == "=" and command.args:
            return self._switch(report, command.args[place] not in ("0", ""))
        return OK

    def _indications(self, command: Command) -> Reply:
        if self._host.family.maker != "quectel":
            return Reply(final=self._host.family.unknown)
        if command.op == "=" and command.args and command.args[0] == "ccinfo":
            return self._switch("ccinfo", command.number(1) == 1)
        return OK

    def _ceer(self, command: Command) -> Reply:
        return Reply((f"+CEER: {self._calls.last_cause}",))

    def _cpas(self, command: Command) -> Reply:
        ringing = any(c.state == INCOMING for c in self._calls.now)
        return Reply((f"+CPAS: {3 if ringing else 4 if self._calls.now else 0}",))


def _our_end(call: VirtualCall) -> str:
    if call.answered_at:
        return "ended"
    return "refused" if call.incoming else "cancelled"
