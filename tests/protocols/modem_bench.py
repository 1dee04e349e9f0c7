"""A modem as a machine against a table of answers, with the time in our hands."""

from appliance.protocols import modem_events as said
from appliance.protocols.modem import Modem

PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"


READY = {
    "AT": "", "ATE0": "", "AT+CMEE=1": "", "AT+CGMI": "huawei", "AT+CGMM": "E1752", "AT+CFUN?": "+CFUN: 1",
    "AT+CPIN?": "+CPIN: READY", "AT+CPMS=?": '+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")', "AT+CPMS?":
    '+CPMS: "SM",0,20,"SM",0,20,"SM",0,20', "AT+CREG?": "+CREG: 2,1", "AT+CEREG?": None, "AT+CSQ": "+CSQ: 20,99",
    "AT+COPS?": '+COPS: 0,0,"Orange PL",2', "AT+CMGF=0": "", "AT+CLIP=1": "",
    "AT^ICCID?": "^ICCID: 8948031234567890123",
}  # fmt: skip


class Bench:
    """A modem, what its device answers, and what it told."""

    def __init__(self, pin: str = "", **answers: str | None) -> None:
        self.tried: list[str] = []
        self.right: list[str] = []
        self.modem = Modem(pin=pin, may_try_pin=self._may, pin_was_right=self.right.append)
        self.answers: dict[str, str | None] = {**READY, **answers}
        self.sent: list[str] = []
        self.raw: list[str] = []
        self.events: list[said.ModemEvent] = []
        self.at = 0.0
        self.modem.start(self.at)

    def _may(self, iccid: str, left: int) -> bool:
        self.tried.append(iccid)
        return len(self.tried) == 1

    def run(self, seconds: float) -> "Bench":
        """Let time pass; the device answers at once: a text with OK, None with ERROR, ? with silence, others as they
        stand."""
        end = self.at + seconds
        while self.at < end:
            self.at += 0.05
            self.events += self.modem.tick(self.at)
            out = self.modem.output(self.at).decode()
            self.raw.append(out)
            for command in out.split("\r"):
                if command.strip("\x1b"):
                    self.sent.append(command)
                    self.hear(self._answer(command))
        return self

    def _answer(self, command: str) -> str:
        answer = self.answers.get(command, "")
        if answer is None:
            return "\r\nERROR\r\n"
        if answer == "?":
            return ""
        if answer.startswith("!"):
            return f"\r\n{answer[1:]}\r\n"
        return (f"\r\n{answer}\r\n" if answer else "") + "\r\nOK\r\n"

    def hear(self, text: str) -> None:
        self.events += self.modem.feed(text.encode("latin-1", "replace"), self.at)

    def told(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def up(self) -> "Bench":
        self.run(5)
        assert self.modem.state == "up", (self.modem.state, self.sent)
        self.events.clear()
        self.sent.clear()
        return self


class TwoMemories(Bench):
    """A device whose answers to CPMS and CMGR depend on the memory that was chosen."""

    def __init__(self, held: dict[str, dict[int, str]]) -> None:
        self.held, self.chosen = held, "SM"
        super().__init__()

    def _answer(self, command: str) -> str:
        if command.startswith('AT+CPMS="'):
            self.chosen = command[9:11]
        elif command == "AT+CPMS?":
            self.answers[command] = f'+CPMS: "{self.chosen}",{len(self.held[self.chosen])},20'
        elif command.startswith("AT+CMGR="):
            pdu = self.held[self.chosen].get(int(command[8:]))
            self.answers[command] = f"+CMGR: 0,,30\r\n{pdu}" if pdu else "!+CMS ERROR: 321"
        elif command == "AT+CMGL=4":
            held = self.held[self.chosen].items()
            self.answers[command] = "\r\n".join(f"+CMGL: {n},1,,30\r\n{pdu}" for n, pdu in held)
        return super()._answer(command)


CLIP = '\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n'


def talking() -> Bench:
    bench = Bench(**{"AT+CLCC": '+CLCC: 1,1,0,0,0,"+48600100200",145'}).up()
    bench.hear(CLIP)
    bench.modem.calls.answer()
    bench.run(1)
    assert bench.told(said.CallAnswered)
    bench.sent.clear()
    return bench
