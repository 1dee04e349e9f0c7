"""The messages of a SIM: found, read, and deleted only when told so (3GPP TS 27.005).

A new message announces itself (+CMTI) or is found by going through the slots, which is done at the start and every
minute, because announcements get lost and messages that came while the modem was off make none. The other memory is
looked into every other time, and when an announcement names a slot that is empty: some modems name the wrong memory
(E3531, E3131). Slots are read one by one: a call never has to wait for more than one short command. What is done in a
memory is sent only when the modem has said that it reads from that memory: the same number in another memory is another
message.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_events import Mended, MessageRead, ModemEvent, SlotFreed, SlotStuck
from appliance.protocols.modem_families import NEW_MESSAGES, OTHERS, Family

LOOK_EVERY = 60.0  # seconds
READ_AGAIN = (1.0, 3.0, 10.0)  # some modems announce a message before it can be read
SURE_FOR = 5.0  # a slot read so long ago is read again before it is deleted
FREE_AGAIN, FREE_LATER = 10.0, 3600.0  # a slot that cannot be deleted: once more soon, then once an hour
CHECK_EVERY = 180.0  # whether new ones are still announced: a reset or a missed acknowledgement ends that silently
MOST_SLOTS = 500
NEARLY_FULL = 0.8
EMPTY = (22, 321)
OURS = ("SM", "ME")  # memories where received messages can lie
LISTING_SECONDS = 120.0


@dataclass(slots=True)
class _Known:
    """A slot whose message the line has: not reported again."""

    pdu: str
    read_at: float
    raw: bool = False
    freeing: bool = False
    stuck: bool = False  # it could not be deleted: left alone
    told_stuck: bool = False


@dataclass(slots=True)
class Messages:
    """See the module. `used` and `total` are of the memory that is read."""

    engine: AtEngine
    tell: Callable[[ModemEvent], None]
    family: Family = OTHERS
    memory: str = "SM"
    used: int = 0
    total: int = 0
    _others: tuple[str, ...] = ()  # memories beside ours
    _known: dict[tuple[str, int], _Known] = field(default_factory=dict)
    _odd: dict[tuple[str, int], str] = field(default_factory=dict)  # read once, no PDU: perhaps only a bad line
    _scan: deque[tuple[str, int]] = field(default_factory=deque)
    _left: dict[str, int] = field(default_factory=dict)  # memory -> messages that are still to be found
    _listed: dict[str, int] = field(default_factory=dict)  # memory -> how many it held when it was listed
    _looks: int = 0
    _look_at: float | None = None
    _check_at: float | None = None
    _one_by_one: bool = False  # it refused to have all three memories named together
    _acknowledges: bool = False  # CSMS 1: what is delivered directly must be acknowledged
    _at: float = 0.0
    _later: list[tuple[float, str]] = field(default_factory=list)
    _formats: list[str] = field(default_factory=list)
    _current: str = ""  # the memory the modem reads from, "" when that is not sure
    _away: bool = False  # it was led to another memory than ours
    _waiting: deque[tuple[str, Command]] = field(default_factory=deque)  # memory and what to do there
    _busy: bool = False

    @property
    def full(self) -> bool:
        """Whether nothing more fits on the SIM: the network keeps what comes."""
        return bool(self.total) and self.used >= self.total

    # ---- from the modem's owner -----------------------------------------------------------------------------------

    @property
    def nearly_full(self) -> bool:
        """Whether four fifths are used."""
        return bool(self.total) and self.used >= self.total * NEARLY_FULL

    def choose_memory(self, known: tuple[str, ...]) -> None:
        """Among what the modem offers: the SIM, else its own."""
        self.memory = "SM" if "SM" in known or not known else ("ME" if "ME" in known else known[0])
        self._others = tuple(one for one in OURS if one in known and one != self.memory)

    def begin(self, at: float) -> None:
        """The SIM is ready: say where new ones go, and look."""
        self._current = ""
        self._announce()
        self._send("service", "AT+CSMS?", ("+CSMS",), 5.0)
        self._looks = 0
        self._look_at, self._check_at = at, at + CHECK_EVERY

    def _announce(self) -> None:
        self._formats = list(NEW_MESSAGES)
        self._send("format", self._formats.pop(0), seconds=5.0)

    def reset(self) -> None:
        """The modem begins anew; what lies on its SIM is read anew."""
        for kept in (self._known, self._odd, self._scan, self._left, self._listed, self._later, self._waiting):
            kept.clear()
        self._busy, self._current, self._away, self._one_by_one = False, "", False, False
        self._look_at = self._check_at = None

    def free(self, memory: str, slot: int, pdu: str, at: float) -> None:
        """Delete the slot if it still holds this PDU; SlotFreed follows."""
        known = self._known.get((memory, slot))
        if known is None or known.pdu != pdu or known.freeing:
            return
        known.freeing = True
        if known.raw or at - known.read_at > SURE_FOR:
            self._read("verify", memory, slot)
        else:
            self._delete(memory, slot)

    def forget(self, memory: str, slot: int) -> None:
        """It was not stored: report it again at the next look."""
        known = self._known.get((memory, slot))
        if known and not known.freeing:
            del self._known[(memory, slot)]

    def look_soon(self, at: float) -> None:
        """Go through the slots now."""
        self._look_at = at

    def acknowledge(self) -> None:
        """What was delivered directly is on disk: say so, where the network waits for it (27.005 3.4.4); without it the
        modem ends delivery and announcements alike."""
        if self._acknowledges:
            self._send("acknowledge", "AT+CNMA", seconds=5.0)

    # ---- from the modem -------------------------------------------------------------------------------------------

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """A line that may be about a message."""
        self._at = at
        upper = event.text.upper()
        if upper.startswith(("+CMT:", "+CDS:")):
            if event.second:
                raw = not text.is_hex(event.second)
                pdu = text.as_raw(event.text, event.second) if raw else event.second.strip().upper()
                self.tell(MessageRead("", None, pdu, raw))
            if upper.startswith("+CDS:"):
                self.acknowledge()  # a report that gets lost costs a word on the page, no message
        elif upper.startswith(("+CMTI", "+CDSI")):
            found = text.stored(event.text)
            if found and found[0] in (*OURS, "SR") and found[1] <= MOST_SLOTS * 2:
                self._read("new 0", *found)
            else:
                self._look_at = at
        elif upper.startswith(("^SMMEMFULL", "+SMS FULL")) or ("+CIEV" in upper and "SMSFULL" in upper):
            self._look_at = at

    def finished(self, done: Finished, what: str, at: float) -> None:
        """The answer of a command of ours."""
        self._at = at
        if done.final == "dropped":
            return
        verb, _, rest = what.partition(" ")
        if verb not in ASIDE:
            self._busy = False
        self._ANSWERS[verb](self, done, rest.split(" "), at)
        self._go_on()

    def tick(self, at: float) -> None:
        """Looks and second tries."""
        self._at = at
        if self._look_at is not None and at >= self._look_at and not self._scan:
            self._look_at = at + LOOK_EVERY
            for memory in (*(self._others if self._looks % 2 == 0 else ()), self.memory):
                self._do(memory, f"count {memory}", "AT+CPMS?", ("+CPMS",), 5.0, Priority.IDLE)
            self._looks += 1
        if self._check_at is not None and at >= self._check_at:
            self._check_at = at + CHECK_EVERY
            self._send("check", "AT+CNMI?", ("+CNMI",), 5.0, Priority.IDLE)
            self._send("mode", "AT+CMGF?", ("+CMGF",), 5.0, Priority.IDLE)
        due = [what for when, what in self._later if at >= when]
        self._later = [(when, what) for when, what in self._later if at < when]
        for what in due:
            verb, *rest = what.split(" ")
            if verb == "new":
                self._read(f"new {rest[0]}", rest[1], int(rest[2]))
            else:
                self._read("verify", rest[0], int(rest[1]))  # the first try may have worked, and its answer was lost

    # ---- commands -------------------------------------------------------------------------------------------------

    def _send(
        self, what: str, command: str, expects: tuple[str, ...] = (), seconds: float = 10.0,
        priority: Priority = Priority.MESSAGE,
    ) -> None:  # fmt: skip
        self.engine.send(Command(command, expects, seconds, priority, tag=f"sms {what}"))

    def _do(
        self, memory: str, what: str, command: str, expects: tuple[str, ...] = (), seconds: float = 10.0,
        priority: Priority = Priority.MESSAGE,
    ) -> None:  # fmt: skip
        """Send it as soon as the modem reads from that memory."""
        self._waiting.append((memory, Command(command, expects, seconds, priority, tag=f"sms {what}")))
        self._go_on()

    def _go_on(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        memory, command = self._waiting[0]
        if memory == self._current:
            self._waiting.popleft()
            self.engine.send(command)
            return
        # all three memories the same: announcements then name the one that is read
        together = memory == self.memory and not self._one_by_one
        three = f'"{memory}","{memory}","{memory}"' if together else f'"{memory}"'
        self._send(f"select {memory}", f"AT+CPMS={three}", ("+CPMS",))

    def _read(self, verb: str, memory: str, slot: int) -> None:
        self._do(memory, f"{verb} {memory} {slot}", f"AT+CMGR={slot}", ("+CMGR",))

    def _delete(self, memory: str, slot: int) -> None:
        self._do(memory, f"free {memory} {slot}", f"AT+CMGD={slot}")

    # ---- answers --------------------------------------------------------------------------------------------------

    def _formatted(self, done: Finished, rest: list[str], at: float) -> None:
        if not done.ok and self._formats:
            self._send("format", self._formats.pop(0), seconds=5.0)

    def _selected(self, done: Finished, rest: list[str], at: float) -> None:
        memory = rest[0]
        if done.ok or (memory == self.memory and not self._away):  # who knows no CPMS has only one memory
            self._current, self._away = memory, memory != self.memory
            return
        self._current = ""
        if memory == self.memory and not self._one_by_one:
            self._one_by_one = True  # it may take the short form
            return
        _, command = self._waiting.popleft()
        verb, *where = command.tag.split(" ")[1:]
        self._ANSWERS[verb](self, Finished(command, False, done.final), where, at)

    def _service_said(self, done: Finished, rest: list[str], at: float) -> None:
        self._acknowledges = any(text.fields_of(line)[:1] == ["1"] for line in done.lines)

    def _checked(self, done: Finished, rest: list[str], at: float) -> None:
        if any(text.reports_new(line) is False for line in done.lines):
            self.tell(Mended("announcements"))
            self._announce()
            self._look_at = at  # what came meanwhile was not announced

    def _mode_said(self, done: Finished, rest: list[str], at: float) -> None:
        if any(text.fields_of(line)[:1] == ["1"] for line in done.lines):
            self.tell(Mended("pdu-mode"))
            self._send("set", "AT+CMGF=0", seconds=5.0)

    def _counted(self, done: Finished, rest: list[str], at: float) -> None:
        memory = rest[0]
        found = next((s for line in done.lines if (s := text.storage(line, memory))), None)
        if not done.ok or found is None:
            return
        used, total = found
        if memory == self.memory:
            self.used, self.total = found
        self._left[memory] = min(used, MOST_SLOTS)
        if used:
            first = self.family.first_slot
            slots = [*range(first, first + min(total, MOST_SLOTS) + 1), *range(first)]
            self._scan.extend((memory, slot) for slot in slots)
        else:
            self._listed.pop(memory, None)
        self._scan_on()

    def _scan_on(self) -> None:
        """The next slot that is not known yet, as long as some are missing."""
        while self._scan:
            memory, slot = self._scan.popleft()
            if self._left.get(memory, 0) <= 0:
                continue
            if (memory, slot) in self._known:
                self._left[memory] -= 1
                continue
            self._read("scan", memory, slot)
            return
        for memory, missing in self._left.items():
            if missing > 0 and self._listed.get(memory) != missing:  # numbered in a way of its own
                self._listed[memory] = missing
                self._do(memory, f"list {memory}", "AT+CMGL=4", ("+CMGL",), LISTING_SECONDS, Priority.LONG)
        self._left.clear()

    def _scanned(self, done: Finished, rest: list[str], at: float) -> None:
        if self._take(done, rest[0], int(rest[1]), at):
            self._left[rest[0]] = self._left.get(rest[0], 0) - 1
        self._scan_on()

    def _list_said(self, done: Finished, rest: list[str], at: float) -> None:
        for message in text.slots(done.lines)[:MOST_SLOTS]:
            if message.index >= 0:
                self._heard(message, rest[0], message.index, at)

    def _new(self, done: Finished, rest: list[str], at: float) -> None:
        tries, memory, slot = int(rest[0]), rest[1], int(rest[2])
        if self._take(done, memory, slot, at):
            return
        if self._others:  # it may have named the wrong memory, and there, too, it may be readable only later
            self._looks, self._look_at = 0, at
        if tries < len(READ_AGAIN):
            self._later.append((at + READ_AGAIN[tries], f"new {tries + 1} {memory} {slot}"))

    def _take(self, done: Finished, memory: str, slot: int, at: float) -> bool:
        """Report what was read; whether the slot holds anything."""
        found = text.slots(done.lines)
        if found:
            self._heard(found[0], memory, slot, at)
        return bool(found)

    def _heard(self, message: text.Slot, memory: str, slot: int, at: float) -> None:
        key = (memory, slot)
        known = self._known.get(key)
        if message.stat in (2, 3) or (known and known.pdu == message.pdu):
            return
        if message.raw and self._odd.get(key) != message.pdu:
            self._odd[key] = message.pdu  # a second look tells whether it is so, or was only heard so
            self._later.append((at + READ_AGAIN[0], f"new {len(READ_AGAIN)} {memory} {slot}"))
            return
        self._odd.pop(key, None)
        self._known[key] = _Known(message.pdu, at, message.raw)
        self.tell(MessageRead(memory, slot, message.pdu, message.raw))

    def _verified(self, done: Finished, rest: list[str], at: float) -> None:
        memory, slot = rest[0], int(rest[1])
        known = self._known.get((memory, slot))
        found = text.slots(done.lines)
        if known and found and found[0].pdu == known.pdu:
            known.read_at = at
            self._delete(memory, slot)
            return
        self._known.pop((memory, slot), None)
        self.tell(SlotFreed(memory, slot))
        if found:
            self._look_at = at  # another message has moved in

    def _freed(self, done: Finished, rest: list[str], at: float) -> None:
        memory, slot = rest[0], int(rest[1])
        known = self._known.get((memory, slot))
        if done.ok or text.error_code(done.final) in EMPTY:
            self._known.pop((memory, slot), None)
            self.used = max(self.used - 1, 0)
            self.tell(SlotFreed(memory, slot))
        elif known and not known.stuck:
            known.stuck = True
            self._later.append((at + FREE_AGAIN, f"free {memory} {slot}"))
        elif known:
            self._later.append((at + FREE_LATER, f"free {memory} {slot}"))
            if not known.told_stuck:
                known.told_stuck = True
                self.tell(SlotStuck(memory, slot))

    def _nothing(self, done: Finished, rest: list[str], at: float) -> None:
        """Nothing follows from this answer."""

    _ANSWERS: ClassVar[dict[str, Callable[["Messages", Finished, list[str], float], None]]] = {
        "format": _formatted, "select": _selected, "count": _counted, "scan": _scanned, "new": _new,
        "verify": _verified, "free": _freed, "list": _list_said, "service": _service_said, "check": _checked,
        "mode": _mode_said, "acknowledge": _nothing, "set": _nothing,
    }  # fmt: skip


ASIDE = frozenset({"format", "service", "check", "mode", "acknowledge", "set"})  # sent whatever memory is being read
