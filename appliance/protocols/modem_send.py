"""Messages of ours on their way out of the modem (3GPP TS 27.005 4.3): one part at a time.

AT+CMGS gives a prompt, gets the PDU, and gives the network's result, which may take minutes. Without a prompt nothing
left; after the PDU went out and no result came, it may have: that is told apart and never guessed. A result that comes
too late still counts. The command is LONG: it never starts while a call is being set up or talked on. PDU mode is set
before each part: in text mode, to which a modem that restarted unseen has fallen back, AT+CMGS=23 would send the digits
of the PDU to the number 23.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, AtEvent, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_events import ModemEvent, PartFailed, PartSent, PartUncertain

RESULT_WITHIN = 120.0  # seconds, from the PDU to the network's result
LATE_RESULT = 300.0  # a result that comes within so many seconds is still that part's
LONGEST_TPDU = 164  # octets: 7 of time, 140 of text and the rest; more reboots some Huawei sticks
NO_PROMPT = 0
NO_REFERENCE = -1
UNANSWERED = ("timeout", "dropped")


@dataclass(frozen=True, slots=True)
class PartToSend:
    """`pdu` is hex with its SMSC field, `length` its octets without that field; `more` parts follow at once."""

    out: int
    sequence: int
    pdu: str
    length: int
    more: bool = False


@dataclass(slots=True)
class Sending:
    """See the module. At most one part is under way; its result is told once."""

    engine: AtEngine
    tell: Callable[[ModemEvent], None]
    current: PartToSend | None = None
    _linked: int = 0  # the message for which the link is kept
    _unsure: PartToSend | None = None
    _unsure_until: float = 0.0

    def send(self, part: PartToSend) -> bool:
        """Begin. False, and nothing is told, while another is under way."""
        if self.current is not None:
            return False
        if not (0 < part.length <= LONGEST_TPDU and text.is_hex(part.pdu)):
            self.tell(PartFailed(part.out, part.sequence, 304, "not a PDU that modems take"))
            return True
        self.current = part
        self.engine.send(Command("AT+CMGF=0", (), 5.0, Priority.LONG, tag="send mode"))
        return True

    def _go(self, part: PartToSend) -> None:
        if part.more and self._linked != part.out:
            self._linked = part.out
            self.engine.send(Command("AT+CMMS=1", (), 5.0, Priority.LONG, tag="send link"))
        self.engine.send(
            Command(
                f"AT+CMGS={part.length}", ("+CMGS",), RESULT_WITHIN, Priority.LONG, body=part.pdu, tag="send part",
                shown=f"AT+CMGS={part.length} (part {part.sequence} of message {part.out})",
            )
        )  # fmt: skip

    def finished(self, done: Finished, what: str, at: float) -> None:
        """The answer of a command of ours."""
        part = self.current
        if part is None or what == "link":
            return
        if what == "mode" and done.ok:
            self._go(part)
            return
        self.current = None
        reference = next((found for line in done.lines if (found := _reference(line)) is not None), None)
        if reference is not None:  # also where its OK was lost
            self.tell(PartSent(part.out, part.sequence, reference))
        elif done.ok:
            self.tell(PartSent(part.out, part.sequence, NO_REFERENCE))
        elif done.final not in UNANSWERED:
            self.tell(PartFailed(part.out, part.sequence, text.error_code(done.final) or -1, done.final))
        elif not done.prompted:
            self.tell(PartFailed(part.out, part.sequence, NO_PROMPT, done.final))
        else:
            self._unsure, self._unsure_until = part, at + LATE_RESULT
            self.tell(PartUncertain(part.out, part.sequence))

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """A result after its time belongs to the part that missed it."""
        reference, part = _reference(event.text), self._unsure
        if reference is None or part is None or at > self._unsure_until or self.current is not None:
            return
        self._unsure = None
        self.tell(PartSent(part.out, part.sequence, reference))

    def dropped(self, events: Iterable[AtEvent], at: float) -> None:
        """The port or the SIM is gone, and with it what was under way."""
        for event in events:
            if isinstance(event, Finished) and event.command.tag in ("send mode", "send part"):
                self.finished(event, event.command.tag.removeprefix("send "), at)
        self._linked, self._unsure = 0, None


def _reference(line: str) -> int | None:
    """The TP-MR of "+CMGS: 183" or "+CMGS: 183,...", None for another line."""
    name, colon, rest = line.partition(":")
    number = rest.partition(",")[0].strip()
    if name.strip().upper() != "+CMGS" or not colon or not number.isdecimal() or int(number) > 255:
        return None
    return int(number)
