"""Messages the program sends: prompt, reference, what the network does with them, reports (27.005 4.3, 23.040 9.2.2).

A message to another virtual SIM arrives there, and its report says when; one to the world outside is reported as the
switches say. `sent` lists what was sent, the parts of a long message joined.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from appliance.virtual import pdu
from appliance.virtual.at import OK, Command, Handlers, Host, Reply, cms
from appliance.virtual.operator import Operator

LONGEST_TPDU = 164
MOST_KEPT = 500
TRYING, DELIVERED = 0x22, 0x00  # no answer from the recipient, still trying; arrived
KIND_OF_CENTRE = {True: 145, False: 129}


@dataclass(slots=True)
class Submitted:
    """One part that was sent."""

    message: pdu.Message
    pdu: str
    reference: int
    at: datetime
    status: int = -1  # TP-ST of the newest report; below 0: none came


class Submit:
    """+CMGS and the service centre's number. `text_mode` and `take_report` are the store's."""

    def __init__(
        self,
        host: Host,
        operator: Operator,
        own_number: Callable[[], str],
        text_mode: Callable[[], bool],
        take_report: Callable[[str], None],
        chance: random.Random,
    ) -> None:
        self._host = host
        self._operator = operator
        self._own_number = own_number
        self._text_mode = text_mode
        self._take_report = take_report
        self._reference = chance.randrange(256)
        self._centre = pdu.SMSC
        self._promised = 0
        self.in_hand = False  # the network has a message and has not said what became of it
        self.parts: list[Submitted] = []

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {"+CMGS": self._cmgs, "+CSCA": self._csca}

    def _csca(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f'+CSCA: "{self._centre}",{KIND_OF_CENTRE[self._centre.startswith("+")]}',))
        if command.op == "=" and command.args:
            self._centre = command.args[0]
        return OK

    def _cmgs(self, command: Command) -> Reply | None:
        if self._text_mode() or not 1 <= command.number(0) <= LONGEST_TPDU:
            return cms(304)
        self._promised = command.number(0)
        self._host.ask_message(self._typed)
        return None

    def _typed(self, typed: str | None) -> Reply | None:
        if typed is None:
            return OK
        quirks = self._host.quirks
        try:
            message = pdu.read(typed)
            _, length = pdu.split_smsc(typed)
        except pdu.BadPdu:
            return cms(304)
        if message.kind != "SUBMIT" or length != self._promised:
            return cms(304)
        if quirks.send_error:
            error = quirks.send_error
            quirks.shown("send_error")
            return cms(error)
        if not self._centre:
            return cms(330)
        if not self._host.on_network():
            return cms(331)
        self.in_hand = True
        self._host.later(quirks.send_seconds, lambda: self._sent(message, typed))
        return None

    def _sent(self, message: pdu.Message, typed: str) -> None:
        quirks = self._host.quirks
        self.in_hand = False
        self._reference = (quirks.next_reference if quirks.next_reference >= 0 else self._reference + 1) % 256
        quirks.next_reference = -1
        part = Submitted(message, typed, self._reference, pdu.now(quirks.clock_offset))
        self.parts = [*self.parts, part][-MOST_KEPT:]
        self._host.finish(Reply((self._host.say("cmgs", reference=self._reference),)))
        self._bring(part)

    # -- the network ---------------------------------------------------------------------------------------------------

    def _bring(self, part: Submitted) -> None:
        quirks = self._host.quirks
        peer = self._operator.subscriber(part.message.other)
        if peer is None:
            statuses = [int(word, 16) for word in quirks.report_statuses.split(",") if word.strip()]
            self._report_in_turn(part, statuses, quirks.report_seconds)
            return
        message = pdu.forward(part.message, self._own_number(), part.at)
        wait = quirks.report_seconds
        if not peer.receive(message, lambda: self._report_in_turn(part, [DELIVERED], wait)):
            self._report_in_turn(part, [TRYING], wait)

    def _report_in_turn(self, part: Submitted, statuses: list[int], seconds: float) -> None:
        for place, status in enumerate(statuses, 1):
            self._operator.later(seconds * place, lambda status=status: self._report(part, status))  # type: ignore[misc]

    def _report(self, part: Submitted, status: int) -> None:
        part.status = status
        if part.message.wants_report:
            done = pdu.now(self._host.quirks.clock_offset)
            self._take_report(pdu.report(part.message.other, part.reference, part.at, done, status))

    # -- what is told --------------------------------------------------------------------------------------------------

    def listed(self) -> list[dict[str, object]]:
        """Each message with its parts joined: to, text, whether a report was asked for, class."""
        found: list[dict[str, object]] = []
        open_ones: dict[tuple[str, int, int], list[Submitted]] = {}
        for part in self.parts:
            place = part.message.part
            if place is None:
                found.append(_told([part], 1))
                continue
            key = (part.message.other, place.reference, place.total)
            known = open_ones.setdefault(key, [])
            known.append(part)
            if len({p.message.part.sequence for p in known if p.message.part}) == place.total:
                found.append(_told(open_ones.pop(key), place.total))
        return found + [_told(parts, key[2]) for key, parts in open_ones.items()]

    def status(self) -> list[dict[str, object]]:
        """Part by part, as they came."""
        return [{"to": p.message.other, "text": p.message.text, "pdu": p.pdu} for p in self.parts[-20:]]


def _told(parts: list[Submitted], total: int) -> dict[str, object]:
    ordered = sorted(parts, key=lambda p: p.message.part.sequence if p.message.part else 0)
    first = ordered[0].message
    if first.coding == "ucs2":
        text = b"".join(p.message.data for p in ordered).decode("utf-16-be", "replace")
    else:
        text = "".join(p.message.text for p in ordered)
    return {
        "to": first.other, "text": text, "coding": first.coding, "class": pdu.message_class(first.dcs),
        "report": any(p.message.wants_report for p in ordered), "parts": len(ordered), "total": total,
        "complete": len(ordered) == total, "references": [p.reference for p in ordered],
        "statuses": [p.status for p in ordered], "at": ordered[0].at.isoformat(timespec="seconds"),
    }  # fmt: skip
