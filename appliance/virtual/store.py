"""The messages of the virtual SIM, in PDU mode (3GPP TS 27.005), and the network that waits while it is full.

What lies on the SIM is kept in a file, written whole and fsynced at each change: a killed process loses no message.
"""

import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.virtual import pdu
from appliance.virtual.at import OK, Command, Handlers, Host, Reply, cme, cms
from appliance.virtual.card import Card

UNREAD, READ, STORED, SENT = range(4)
FILLER_SENDER = "+48600000000"
OWN_STATES = {"unsent": STORED, "sent": SENT}  # of what a telephone wrote to the card
MOST_OCTETS = 400
NO_PDU = "a PDU is an even number of hex digits, 400 at most"
DELETED_BY = {1: (READ,), 2: (READ, SENT), 3: (READ, SENT, STORED), 4: (UNREAD, READ, SENT, STORED)}
SILENT, INDICATED, DIRECT, DIRECT_CLASS_3 = range(4)  # the mt of +CNMI


@dataclass(slots=True)
class Held:
    """What the network has for this SIM; `stored` is told when the device took it."""

    message: str
    stored: Callable[[], None] | None = None
    report: bool = False


class MessageStore:
    """Memories SM (the card's), ME and SR (the device's), each a table from slot to [status, PDU]."""

    def __init__(self, host: Host, kept: Path, card: Callable[[], Card], chance: random.Random) -> None:
        self._host = host
        self._kept = kept
        self._card = card
        self._home = card()
        self._device: dict[str, dict[int, list[object]]] = {"ME": {}, "SR": {}}
        self.waiting: list[Held] = []  # held by the network
        self._fillers: list[int] = []
        self._current = ["SM", "SM", "SM"]
        self._cnmi = [0, 0, 0, 0, 0]
        self._phase = 0  # the service of +CSMS: 1 = what comes directly must be acknowledged
        self._owed: Held | None = None  # came directly, and +CNMA is due
        self._debts = 0
        self._buffer: list[str] = []  # indications kept back while mode is 0
        self._told_full = False
        self.text_mode = False
        self._part_reference = chance.randrange(256)
        self._unreadable: set[tuple[str, int]] = set()
        self._load()

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {
            "+CMGF": self._cmgf, "+CPMS": self._cpms, "+CNMI": self._cnmi_set, "+CMGR": self._cmgr,
            "+CMGL": self._cmgl, "+CMGD": self._cmgd, "+CSMS": self._csms, "+CNMA": self._cnma,
        }  # fmt: skip

    def boot(self) -> None:
        """Settings as after power-on; the SIM keeps what it has."""
        self._current, self._cnmi, self.text_mode, self._phase = ["SM", "SM", "SM"], [0] * 5, True, 0
        self._owed = None
        self._buffer.clear()
        self._unreadable.clear()
        self._told_full = False

    @property
    def memories(self) -> dict[str, dict[int, list[object]]]:
        """All memories by name."""
        return {"SM": self._card().messages, **self._device}

    def status(self) -> dict[str, object]:
        """Used and total of each memory, the PDUs on the SIM, what waits in the network."""
        found: dict[str, object] = {
            name: {"used": len(slots), "total": self._capacity(name)} for name, slots in self.memories.items()
        }
        return {**found, "pdus": [str(m[1]) for m in self.memories["SM"].values()], "waiting": len(self.waiting),
                "cnmi": list(self._cnmi)}  # fmt: skip

    # -- from the network ----------------------------------------------------------------------------------------------

    def send_text(self, sender: str, text: str, flash: bool = False, coding: str = "auto") -> int:
        """Somebody writes; how many parts it took. Raises ValueError."""
        self._part_reference = (self._part_reference + 1) % 256
        when = pdu.now(self._host.quirks.clock_offset)
        parts = pdu.deliver(sender, text, when, coding, reference=self._part_reference, flash=flash)
        for part in parts:
            self.arrive(part)
        return len(parts)

    def arrive(self, message: str, stored: Callable[[], None] | None = None) -> None:
        """A PDU comes from the network. Raises ValueError when it is no hex."""
        clean = _hex(message)
        if not clean:
            raise ValueError(NO_PDU)
        self.waiting.append(Held(clean, stored))
        self.deliver()

    def keep(self, message: str, state: str) -> None:
        """Somebody wrote it to the card with another telephone: a row that is no message from the network, an empty
        one too. Raises ValueError."""
        memory = self._current[2]
        slot = self._free_slot(memory)
        if state not in OWN_STATES or slot is None:
            raise ValueError(f"there is no room, or the state is none of {', '.join(OWN_STATES)}")
        self.memories[memory][slot] = [OWN_STATES[state], _hex(message)]
        self._save()

    def report(self, message: str) -> None:
        """A status report comes from the network."""
        self.waiting.append(Held(message, None, True))
        self.deliver()

    def deliver(self) -> None:
        """What the network holds, as far as there is room and coverage; reports need no room."""
        full = False
        for held in list(self.waiting):
            if self._owed is not None or not self._host.on_network():
                return
            if held.report:
                self._report_came(held)
            else:
                full = full or not self._message_came(held)
            if self._owed is None and (held.report or not full):
                self._taken(held)

    def _taken(self, held: Held) -> None:
        self.waiting.remove(held)
        if held.stored:
            held.stored()

    def _message_came(self, held: Held) -> bool:
        """True when the device has it (or was handed it and owes the acknowledgement)."""
        kind = _class_of(held.message)
        mode, way = self._cnmi[0], self._cnmi[1]
        flash = kind == 0 and self._host.quirks.class0_direct and mode > 0
        if kind != 2 and (flash or way == DIRECT or (way == DIRECT_CLASS_3 and kind == 3)):
            self._hand(held, self._host.say("cmt", length=_tpdu_length(held.message)))
            return True
        memory = "SM" if kind == 2 else self._current[2]
        slot = self._free_slot(memory)
        if slot is None:
            if not self._told_full:
                self._told_full = True
                self._host.urc(self._host.say("full", memory=memory))
            return False
        self._put(memory, slot, held.message)
        if way != SILENT:
            self._indicate("cmti", memory, slot)
        return True

    def _report_came(self, held: Held) -> None:
        if self._cnmi[3] == 1:
            self._hand(held, self._host.say("cds", length=_tpdu_length(held.message)))
        elif self._cnmi[3] == 2:
            slot = self._free_slot("SR")
            if slot is not None:
                self._put("SR", slot, held.message)
            self._indicate("cdsi", "SR", len(self._device["SR"]) if slot is None else slot)

    def _hand(self, held: Held, head: str) -> None:
        """Straight to the program; with +CSMS=1 it owes +CNMA, else what comes is taken from now on elsewhere."""
        self._host.urc(f"{head}\r\n{held.message}")
        if self._phase != 1:
            return
        self._owed = held
        self._debts += 1
        debt = self._debts
        self._host.later(self._host.quirks.ack_seconds, lambda: self._not_acknowledged(debt))

    def _not_acknowledged(self, debt: int) -> None:
        """27.005 3.4.4: no +CNMA in time, so nothing comes directly from now on; the network keeps the message."""
        if self._owed and debt == self._debts:
            self._owed, self._cnmi[1], self._cnmi[3] = None, 0, 0
            self._host.later(self._host.quirks.redeliver_seconds, self.deliver)

    def _put(self, memory: str, slot: int, message: str) -> None:
        self.memories[memory][slot] = [UNREAD, message]
        self._save()
        wait = self._host.quirks.readable_after
        if wait > 0:
            self._unreadable.add((memory, slot))
            self._host.later(wait, lambda: self._unreadable.discard((memory, slot)))

    def _indicate(self, word: str, memory: str, slot: int) -> None:
        quirks = self._host.quirks
        named = memory
        if quirks.memory_lie and word == "cmti":
            named = "ME" if memory == "SM" else "SM"
            quirks.shown("memory_lie")
        line = self._host.say(word, memory=named, index=slot)
        if self._cnmi[0] == 0:
            self._buffer = [*self._buffer, line][-20:]
        else:
            self._host.urc(line)

    def set_full(self, full: bool) -> None:
        """Fill every free slot of the SIM, or take those messages away again."""
        if full:
            filler = pdu.deliver(FILLER_SENDER, "filler", pdu.now())[0]
            while (slot := self._free_slot("SM")) is not None:
                self.memories["SM"][slot] = [STORED, filler]
                self._fillers.append(slot)
        else:
            for slot in self._fillers:
                self.memories["SM"].pop(slot, None)
            self._fillers.clear()
            self._room()
        self._save()

    def _room(self) -> None:
        self._told_full = False
        self._host.later(self._host.quirks.redeliver_seconds, self.deliver)

    def _free_slot(self, memory: str) -> int | None:
        first = self._host.family.first_slot
        slots = self.memories[memory]
        return next((i for i in range(first, first + self._capacity(memory)) if i not in slots), None)

    def _capacity(self, memory: str) -> int:
        quirks = self._host.quirks
        return {"SM": quirks.capacity_sm, "ME": quirks.capacity_me}.get(memory, quirks.capacity_sr)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _cmgf(self, command: Command) -> Reply | None:
        if command.op == "?":
            return Reply((f"+CMGF: {int(self.text_mode)}",))
        if command.op == "=" and command.number(0) in (0, 1):
            self.text_mode = command.number(0) == 1
            return OK
        return Reply(("+CMGF: (0,1)",)) if command.op == "=?" else cms(303)

    def _cpms(self, command: Command) -> Reply | None:
        known = self._host.family.memories
        if command.op == "=?":
            received = ",".join(f'"{name}"' for name in known if name != "SR")
            everything = ",".join(f'"{name}"' for name in known)
            return Reply((f"+CPMS: ({everything}),({received}),({received})",))
        if command.op == "=":
            if not command.args or any(name not in known for name in command.args if name):
                return cms(302)
            if any(name == "SR" for name in command.args[1:]):
                return cms(302)
            for place, name in enumerate(command.args[:3]):
                self._current[place] = name or self._current[place]
            self._host.later(self._host.quirks.redeliver_seconds, self.deliver)
            counts = [str(n) for name in self._current for n in (len(self.memories[name]), self._capacity(name))]
            return Reply((f"+CPMS: {','.join(counts)}",))
        named = [f'"{name}",{len(self.memories[name])},{self._capacity(name)}' for name in self._current]
        return Reply((f"+CPMS: {','.join(named)}",))

    def _cnmi_set(self, command: Command) -> Reply | None:
        kinds = self._host.quirks.report_kinds
        if command.op == "?":
            return Reply((f"+CNMI: {','.join(map(str, self._cnmi))}",))
        if command.op == "=?":
            return Reply((f"+CNMI: (0,1,2),(0,1,2,3),(0,2),({','.join(kinds)}),(0,1)",))
        if any(not arg.isdecimal() for arg in command.args if arg) or len(command.args) > len(self._cnmi):
            return cms(303)
        wanted = [command.number(place, old) for place, old in enumerate(self._cnmi)]
        good = wanted[0] in (0, 1, 2) and wanted[1] in range(4) and wanted[2] in (0, 2) and wanted[4] in (0, 1)
        if not good or str(wanted[3]) not in kinds:
            return cms(303)
        self._cnmi = wanted
        if wanted[0] > 0:
            kept, self._buffer = self._buffer, []
            self._host.urc(*(kept if wanted[4] == 0 else ()))
        return OK

    def _empty(self) -> Reply:
        return {"22": cme(22), "ok": OK}.get(self._host.quirks.empty_slot.lower(), cms(321))

    def _cmgr(self, command: Command) -> Reply | None:
        slot = command.number(0)
        found = self.memories[self._current[0]].get(slot)
        if found is None or (self._current[0], slot) in self._unreadable:
            return self._empty()
        status, message = found
        if status == UNREAD:
            found[0] = READ
            self._save()
        return Reply((self._host.say("cmgr", stat=status, length=self._length(str(message))), str(message)))

    def _cmgl(self, command: Command) -> Reply | None:
        wanted = command.number(0, 0)
        lines: list[str] = []
        for slot, found in sorted(self.memories[self._current[0]].items()):
            if wanted in (4, found[0]) and (self._current[0], slot) not in self._unreadable:
                head = self._host.say("cmgl", index=slot, stat=found[0], length=self._length(str(found[1])))
                lines += [head, str(found[1])]
                found[0] = READ if found[0] == UNREAD else found[0]
        return Reply(tuple(lines))

    def _length(self, message: str) -> int:
        wrong = self._host.quirks.wrong_length
        self._host.quirks.shown("wrong_length")
        return _tpdu_length(message) + (7 if wrong else 0)

    def _cmgd(self, command: Command) -> Reply | None:
        slots = self.memories[self._current[0]]
        if command.op == "=?":
            return Reply((f"+CMGD: ({','.join(str(slot) for slot in sorted(slots))}),(0-4)",))
        if self._host.quirks.delete_fails:
            self._host.quirks.delete_fails -= 1 if self._host.quirks.delete_fails > 0 else 0
            return cms(500)
        many = DELETED_BY.get(command.number(1, 0))
        if many:
            for slot in [slot for slot, found in slots.items() if found[0] in many]:
                del slots[slot]
        elif command.number(0) not in slots:
            return cms(321)
        else:
            del slots[command.number(0)]
        self._save()
        self._room()
        return OK

    def _csms(self, command: Command) -> Reply | None:
        if command.op == "=?":
            return Reply(("+CSMS: (0,1)",))
        if command.op == "?":
            return Reply((f"+CSMS: {self._phase},1,1,1",))
        if command.number(0) not in (0, 1):
            return cms(303)
        self._phase = command.number(0)
        return Reply(("+CSMS: 1,1,1",))

    def _cnma(self, command: Command) -> Reply | None:
        if command.op == "=?":
            return Reply(("+CNMA: (0-2)",))
        if self._owed is None:
            return cms(340)
        held, self._owed = self._owed, None
        self._debts += 1
        if command.number(0, 0) != 2:  # 2: the program could not take it, so the network keeps it
            self._taken(held)
        self._host.later(self._host.quirks.redeliver_seconds, self.deliver)
        return OK

    # -- the file ------------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        try:
            kept = json.loads(self._kept.read_text(encoding="utf-8"))
            for name, slots in kept.items():
                if name in self.memories:
                    self.memories[name].update({int(slot): list(found) for slot, found in slots.items()})
        except (OSError, ValueError, AttributeError, TypeError):
            return

    def _save(self) -> None:
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        temp = self._kept.with_name(self._kept.name + ".new")
        memories = {"SM": self._home.messages, **self._device}
        with open(temp, "w", encoding="utf-8") as file:
            json.dump({name: {str(s): f for s, f in slots.items()} for name, slots in memories.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, self._kept)


def _hex(message: str) -> str:
    """Without what is around it. Raises ValueError."""
    clean = message.strip().upper()
    if len(clean) % 2 or len(clean) > MOST_OCTETS or not all(c in "0123456789ABCDEF" for c in clean):
        raise ValueError(NO_PDU)
    return clean


def _class_of(message: str) -> int | None:
    """The class of a message that can be read; None for one that has none."""
    try:
        return pdu.message_class(pdu.read(message).dcs)
    except pdu.BadPdu:
        return None


def _tpdu_length(message: str) -> int:
    """Octets behind the field of the service centre."""
    return len(message) // 2 - 1 - int(message[:2], 16)
