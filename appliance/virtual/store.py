"""The messages of the virtual SIM, in PDU mode (3GPP TS 27.005), and the network that waits while it is full.

What lies on the SIM is kept in a file, written whole and fsynced at each change: a killed process loses no message.
"""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from appliance.virtual import pdu
from appliance.virtual.at import ERROR, OK, Command, Handlers, Host, Reply, cms

UNREAD, READ, STORED = 0, 1, 2
FILLER_SENDER = "+48600000000"


class MessageStore:
    """Memories SM and ME, each a table from slot to [status, PDU]."""

    def __init__(self, host: Host, kept: Path, registered: Callable[[], bool]) -> None:
        self._host = host
        self._kept = kept
        self._registered = registered
        self.memories: dict[str, dict[int, list[object]]] = {"SM": {}, "ME": {}}
        self.waiting: list[str] = []  # held by the network
        self.submitted: list[dict[str, object]] = []
        self._fillers: list[int] = []
        self._current = ["SM", "SM", "SM"]
        self._cnmi = [0, 0]
        self._text_mode = False
        self._references = secrets.randbelow(256)
        self._readable_at: set[tuple[str, int]] = set()  # slots that cannot be read yet
        self._load()

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {
            "+CMGF": self._cmgf, "+CPMS": self._cpms, "+CNMI": self._cnmi_set, "+CMGR": self._cmgr,
            "+CMGL": self._cmgl, "+CMGD": self._cmgd, "+CMGS": self._cmgs, "+CSMS": self._csms, "+CSCS": self._csms,
            "+CNMA": lambda command: OK,
        }  # fmt: skip

    def boot(self) -> None:
        """Settings as after power-on; the SIM keeps what it has."""
        self._current, self._cnmi, self._text_mode = ["SM", "SM", "SM"], [0, 0], True

    def status(self) -> dict[str, object]:
        """Used and total of each memory, the PDUs on the SIM, what waits in the network."""
        found: dict[str, object] = {
            name: {"used": len(slots), "total": self._capacity(name)} for name, slots in self.memories.items()
        }
        return {**found, "pdus": [str(m[1]) for m in self.memories["SM"].values()], "waiting": len(self.waiting)}

    # -- from the network -----------------------------------------------------------------------

    def send_text(self, sender: str, text: str) -> int:
        """Somebody writes; how many parts it took. Raises ValueError."""
        self._references = (self._references + 1) % 256
        parts = pdu.deliver(sender, text, pdu.now(), reference=self._references)
        for part in parts:
            self.arrive(part)
        return len(parts)

    def arrive(self, message: str) -> None:
        """A PDU comes from the network. Raises ValueError when it is no hex."""
        clean = message.strip().upper()
        if len(clean) % 2 or not clean or any(c not in "0123456789ABCDEF" for c in clean) or len(clean) > 400:
            raise ValueError("a PDU is an even number of hex digits, 400 at most")
        self.waiting.append(clean)
        self.deliver()

    def deliver(self) -> None:
        """What the network holds, as far as there is room and coverage."""
        while self.waiting and self._registered():
            message = self.waiting[0]
            if self._cnmi[1] == 2 or (self._is_flash(message) and self._host.quirks.class0_direct and self._cnmi[0]):
                self.waiting.pop(0)
                self._host.urc(self._host.say("cmt", length=_tpdu_length(message)), message)
                continue
            memory = self._current[2]
            slot = self._free_slot(memory)
            if slot is None:
                full = self._host.say("full", memory=memory)
                if full:
                    self._host.urc(full)
                return
            self.waiting.pop(0)
            self._put(memory, slot, message)

    def _put(self, memory: str, slot: int, message: str) -> None:
        self.memories[memory][slot] = [UNREAD, message]
        self._save()
        wait = self._host.quirks.readable_after
        if wait > 0:
            self._readable_at.add((memory, slot))
            self._host.later(wait, lambda: self._readable_at.discard((memory, slot)))
        if self._cnmi[1] == 1:
            named = memory if not self._host.quirks.memory_lie else ("ME" if memory == "SM" else "SM")
            self._host.urc(self._host.say("cmti", memory=named, index=slot))

    def _is_flash(self, message: str) -> bool:
        try:
            return pdu.message_class(pdu.read(message).dcs) == 0
        except pdu.BadPdu:
            return False

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
        self._host.later(self._host.quirks.redeliver_seconds, self.deliver)

    def _free_slot(self, memory: str) -> int | None:
        first = self._host.family.first_slot
        slots = self.memories[memory]
        return next((i for i in range(first, first + self._capacity(memory)) if i not in slots), None)

    def _capacity(self, memory: str) -> int:
        return self._host.quirks.capacity_sm if memory == "SM" else self._host.quirks.capacity_me

    # -- commands -----------------------------------------------------------------------

    def _cmgf(self, command: Command) -> Reply | None:
        if command.op == "?":
            return Reply((f"+CMGF: {int(self._text_mode)}",))
        if command.op == "=" and command.number(0) in (0, 1):
            self._text_mode = command.number(0) == 1
            return OK
        return Reply(("+CMGF: (0,1)",)) if command.op == "=?" else cms(303)

    def _cpms(self, command: Command) -> Reply | None:
        if command.op == "=?":
            return Reply(('+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")',))
        if command.op == "=":
            if not command.args or any(name not in self.memories for name in command.args if name):
                return cms(302)
            for place, name in enumerate(command.args[:3]):
                self._current[place] = name or self._current[place]
            counts = [str(n) for name in self._current for n in (len(self.memories[name]), self._capacity(name))]
            return Reply((f"+CPMS: {','.join(counts)}",))
        named = [f'"{name}",{len(self.memories[name])},{self._capacity(name)}' for name in self._current]
        return Reply((f"+CPMS: {','.join(named)}",))

    def _cnmi_set(self, command: Command) -> Reply | None:
        if command.op == "?":
            return Reply((f"+CNMI: {self._cnmi[0]},{self._cnmi[1]},0,1,0",))
        if command.op == "=?":
            return Reply(("+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)",))
        mode, kind, reports = command.number(0, 0), command.number(1, 0), command.number(3, 0)
        if mode not in (0, 1, 2) or kind not in (0, 1, 2, 3) or reports not in (0, 1, 2):
            return cms(303)
        self._cnmi = [mode, kind]
        return OK

    def _cmgr(self, command: Command) -> Reply | None:
        slot = command.number(0)
        found = self.memories[self._current[0]].get(slot)
        if found is None or (self._current[0], slot) in self._readable_at:
            return cms(321)
        status, message = found
        if status == UNREAD:
            found[0] = READ
            self._save()
        return Reply((self._host.say("cmgr", stat=status, length=self._length(str(message))), str(message)))

    def _cmgl(self, command: Command) -> Reply | None:
        wanted = command.number(0, 0)
        lines: list[str] = []
        for slot, found in sorted(self.memories[self._current[0]].items()):
            if wanted in (4, found[0]):
                head = self._host.say("cmgl", index=slot, stat=found[0], length=self._length(str(found[1])))
                lines += [head, str(found[1])]
                found[0] = READ if found[0] == UNREAD else found[0]
        return Reply(tuple(lines))

    def _length(self, message: str) -> int:
        return _tpdu_length(message) + (7 if self._host.quirks.wrong_length else 0)

    def _cmgd(self, command: Command) -> Reply | None:
        if command.op == "=?":
            used = ",".join(str(slot) for slot in sorted(self.memories[self._current[0]]))
            return Reply((f"+CMGD: ({used}),(0-4)",))
        if self._host.quirks.delete_fails:
            self._host.quirks.delete_fails -= 1 if self._host.quirks.delete_fails > 0 else 0
            return cms(500)
        slots = self.memories[self._current[0]]
        if command.number(1, 0) == 4:
            slots.clear()
        elif command.number(0) not in slots:
            return cms(321)
        else:
            del slots[command.number(0)]
        self._save()
        self._room()
        return OK

    def _cmgs(self, command: Command) -> Reply | None:
        if self._text_mode:
            return cms(304)
        self._host.ask_message(self._take)
        return None

    def _take(self, typed: str | None) -> Reply | None:
        if typed is None:
            return OK
        try:
            message = pdu.read(typed)
        except pdu.BadPdu:
            return cms(304)
        if self._host.quirks.send_error:
            return cms(self._host.quirks.send_error)
        self._references = (self._references + 1) % 256
        self.submitted.append({"to": message.other, "text": message.text, "pdu": typed})
        reply = Reply((self._host.say("cmgs", reference=self._references),))
        self._host.later(self._host.quirks.send_seconds, lambda: self._host.finish(reply))
        return None

    def _csms(self, command: Command) -> Reply | None:
        if command.name == "+CSCS":
            return Reply(('+CSCS: "GSM"',)) if command.op == "?" else OK
        return Reply(("+CSMS: 1,1,1",)) if command.op == "=" else (Reply(("+CSMS: 0,1,1,1",)) if command.op else ERROR)

    # -- the file -----------------------------------------------------------------------

    def _load(self) -> None:
        try:
            kept = json.loads(self._kept.read_text(encoding="utf-8"))
            for name, slots in kept.items():
                if name in self.memories:
                    self.memories[name] = {int(slot): list(found) for slot, found in slots.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return

    def _save(self) -> None:
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        temp = self._kept.with_name(self._kept.name + ".new")
        with open(temp, "w", encoding="utf-8") as file:
            json.dump({name: {str(s): f for s, f in slots.items()} for name, slots in self.memories.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, self._kept)


def _tpdu_length(message: str) -> int:
    """Octets behind the field of the service centre."""
    return len(message) // 2 - 1 - int(message[:2], 16)
