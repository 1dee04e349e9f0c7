"""The messages of a SIM: found, read, and deleted only when told so (3GPP TS 27.005).

A new message announces itself (+CMTI) or is found by going through the slots, which is done at the start and every
minute, because announcements get lost and messages that came while the modem was off make none. Slots are read one by
one: a call never has to wait for more than one short command. What is done in a memory is sent only when the modem has
said that it reads from that memory: the same number in another memory is another message.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_events import MessageRead, ModemEvent, SlotFreed
from appliance.protocols.modem_families import NEW_MESSAGES, OTHERS, Family

LOOK_EVERY = 60.0  # seconds
READ_AGAIN = (1.0, 3.0, 10.0)  # some modems announce a message before it can be read
SURE_FOR = 5.0  # a slot read so long ago is read again before it is deleted
FREE_AGAIN = 10.0
MOST_SLOTS = 500
EMPTY = (22, 321)


@dataclass(slots=True)
class _Known:
    """A slot whose message the line has: not reported again."""

    pdu: str
    read_at: float
    freeing: bool = False
    stuck: bool = False  # it could not be deleted: left alone


@dataclass(slots=True)
class Messages:
    """See the module. `used` and `total` are of the memory that is read."""

    engine: AtEngine
    tell: Callable[[ModemEvent], None]
    family: Family = OTHERS
    memory: str = "SM"
    used: int = 0
    total: int = 0
    announced_full: bool = False
    _known: dict[tuple[str, int], _Known] = field(default_factory=dict)
    _scan: deque[int] = field(default_factory=deque)
    _left: int = 0
    _look_at: float | None = None
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

    def choose_memory(self, known: tuple[str, ...]) -> None:
        """Among what the modem offers: the SIM, else its own."""
        self.memory = "SM" if "SM" in known or not known else ("ME" if "ME" in known else known[0])

    def begin(self, at: float) -> None:
        """The SIM is ready: say where new ones go, and look."""
        self._current = ""
        self._formats = list(NEW_MESSAGES)
        self._send("format", self._formats.pop(0), seconds=5.0)
        self._look_at = at

    def reset(self) -> None:
        """The modem begins anew; what lies on its SIM is read anew."""
        self._known.clear()
        self._scan.clear()
        self._later.clear()
        self._waiting.clear()
        self._busy, self._current, self._away = False, "", False
        self._look_at = None

    def free(self, memory: str, slot: int, pdu: str, at: float) -> None:
        """Delete the slot if it still holds this PDU; SlotFreed follows."""
        known = self._known.get((memory, slot))
        if known is None or known.pdu != pdu or known.freeing:
            return
        known.freeing = True
        if at - known.read_at > SURE_FOR:
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

    # ---- from the modem -------------------------------------------------------------------------------------------

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """A line that may be about a message."""
        upper = event.text.upper()
        if upper.startswith(("+CMT:", "+CDS:")):
            if text.is_hex(event.second):
                self.tell(MessageRead("", None, event.second.strip().upper()))
        elif upper.startswith(("+CMTI", "+CDSI")):
            found = text.stored(event.text)
            if found and len(found[0]) == 2:
                self._read("new 0", *found)
            else:
                self._look_at = at
        elif upper.startswith(("^SMMEMFULL", "+SMS FULL")) or ("+CIEV" in upper and "SMSFULL" in upper):
            self._look_at = at

    def finished(self, done: Finished, what: str, at: float) -> None:
        """The answer of a command of ours."""
        if done.final == "dropped":
            return
        verb, _, rest = what.partition(" ")
        if verb != "format":
            self._busy = False
        self._ANSWERS[verb](self, done, rest.split(" "), at)
        self._go_on()

    def tick(self, at: float) -> None:
        """Looks and second tries."""
        if self._look_at is not None and at >= self._look_at and not self._scan:
            self._look_at = at + LOOK_EVERY
            self._do(self.memory, "count", "AT+CPMS?", ("+CPMS",), 5.0, Priority.IDLE)
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
        three = f'"{memory}","{memory}","{memory}"' if memory == self.memory else f'"{memory}"'
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
        _, command = self._waiting.popleft()
        verb, *where = command.tag.split(" ")[1:]
        self._ANSWERS[verb](self, Finished(command, False, done.final), where, at)

    def _counted(self, done: Finished, rest: list[str], at: float) -> None:
        found = next((s for line in done.lines if (s := text.storage(line))), None)
        if not done.ok or found is None:
            return
        self.used, self.total = found
        self._left = min(self.used, MOST_SLOTS)
        first = self.family.first_slot
        self._scan = deque(range(first, first + min(self.total, MOST_SLOTS) + 1)) if self._left else deque()
        self._scan_on()

    def _scan_on(self) -> None:
        """The next slot that is not known yet, as long as some are missing."""
        while self._scan and self._left > 0:
            slot = self._scan.popleft()
            if (self.memory, slot) in self._known:
                self._left -= 1
                continue
            self._read("scan", self.memory, slot)
            return
        self._scan.clear()

    def _scanned(self, done: Finished, rest: list[str], at: float) -> None:
        if self._take(done, rest[0], int(rest[1]), at):
            self._left -= 1
        self._scan_on()

    def _new(self, done: Finished, rest: list[str], at: float) -> None:
        tries, memory, slot = int(rest[0]), rest[1], int(rest[2])
        if not self._take(done, memory, slot, at) and tries < len(READ_AGAIN):
            self._later.append((at + READ_AGAIN[tries], f"new {tries + 1} {memory} {slot}"))

    def _take(self, done: Finished, memory: str, slot: int, at: float) -> bool:
        """Report what was read; whether the slot holds anything."""
        found = text.slots(done.lines)
        if not found:
            return False
        message = found[0]
        key = (memory, slot)
        if message.stat in (2, 3):
            return True
        known = self._known.get(key)
        if known is None or known.pdu != message.pdu:
            self._known[key] = _Known(message.pdu, at)
            self.tell(MessageRead(memory, slot, message.pdu))
        return True

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

    _ANSWERS: ClassVar[dict[str, Callable[["Messages", Finished, list[str], float], None]]] = {
        "format": _formatted, "select": _selected, "count": _counted, "scan": _scanned, "new": _new,
        "verify": _verified, "free": _freed,
    }  # fmt: skip
