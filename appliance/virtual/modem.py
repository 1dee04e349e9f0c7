"""A virtual modem, whole: two ports, the card and the radio, calls, messages, speech. Its far end is `far_end.py`."""

import asyncio
import logging
import random
from collections.abc import Callable

from appliance.virtual.at import ERROR, OK, Command, Handler, Reply, cme, cms, final_of, parse
from appliance.virtual.at_answers import Family
from appliance.virtual.call_commands import CallCommands
from appliance.virtual.calls import ACTIVE, Calls
from appliance.virtual.card import Card
from appliance.virtual.families import family
from appliance.virtual.faults import Faults
from appliance.virtual.network import Network, identity
from appliance.virtual.operator import Caller, Operator, Placed
from appliance.virtual.pty import PtyPort
from appliance.virtual.quirks import Quirks
from appliance.virtual.services import Services
from appliance.virtual.sim import Slot
from appliance.virtual.speech import Speech
from appliance.virtual.store import MessageStore
from appliance.virtual.submit import Submit
from appliance.virtual.ussd import Ussd
from appliance.virtual.where import Where
from appliance.virtual.wire import AtWire

log = logging.getLogger(__name__)

AUDIO_COMMANDS = {"ddsetex": "^DDSETEX", "cpcmreg": "+CPCMREG", "qpcmv": "+QPCMV"}
HARMLESS = ("V", "Q", "X", "S0", "&C", "&D", "+IPR")
JOIN_SECONDS = 0.5  # a line that waits for an answer to leave with does not wait longer
CARD_FACTS = ("pin", "pin_tries", "sim_absent")


class VirtualModem:
    """One device. Implements `at.Host` and `operator.Subscriber`; everything on the event loop's thread."""

    def __init__(self, name: str, profile: str, where: Where, operator: Operator, place: int) -> None:
        self.name = name
        self.operator = operator
        self._where = where
        self._place = place
        self.quirks = Quirks()
        self.chance = random.Random(f"{where.seed}/{name}")  # noqa: S311 - the same each time is what is wanted
        self.slot = Slot(self, place, where.kept / f"{name}-cards.json")
        self.wire = AtWire(PtyPort(where.devices / f"{name}-at"), self.quirks, self._line, self._typed)
        self.speech = Speech(PtyPort(where.devices / f"{name}-pcm"), self.quirks, self._flow)
        self.network = Network(self, lambda: self.slot.usable)
        self.services = Services(self, self._card, self.on_network)
        self.calls = Calls(self, operator, self.services, lambda: self.number)
        self.store = MessageStore(self, where.kept / f"{name}-sim.json", self._card, self.chance)
        self.submit = Submit(
            self, operator, lambda: self.number, lambda: self.store.text_mode, self.store.report, self.chance
        )
        self.ussd = Ussd(self, self._card, self.on_network)
        self.faults = Faults(self.quirks)
        self._handlers: dict[str, Handler] = {"E": self._echo, "+CMEE": self._errors, "Z": self._reset,
                                              "&F": self._reset}  # fmt: skip
        for part in (self.slot, self.network, self.services, CallCommands(self, self.calls), self.store, self.submit,
                     self.ussd):  # fmt: skip
            self._handlers |= part.handlers()
        self.ussd.in_call = lambda: bool(self.calls.now)
        self.calls.on_change = self._follow_calls
        self.network.on_change = self._network_changed
        self.slot.on_change = self.network.card_changed
        self.plugged = False
        self._life = 0  # counts plugs: what was meant for an earlier one is forgotten
        self._echoes, self._cmee = True, 0
        self._pending: list[Command] = []
        self._reply_lines: list[str] = []
        self._busy = False
        self._between = False  # a command waits for the network, or for its message
        self._deaf = self._pin_silent = False
        self._running = ""
        self._kept_answer = b""  # of the command before, while the fault "desync" is on
        self._take: Callable[[str | None], Reply | None] | None = None
        self._held: list[str] = []  # URCs that wait for the end of an answer
        self.family: Family = family(profile)
        self.take_profile(self.family)
        for fact, value in where.quirks_of(name).items():
            if fact in CARD_FACTS and (fact != "pin" or value != self.slot.owner.pin):
                self.change(fact, value)

    def take_profile(self, found: Family) -> None:
        """Be this modem from the next power-on: its forms, its habits, its serial number. Raises ValueError."""
        self.family = found
        self.imei = imei_of(found.tac, self._place)
        mine = self._where.quirks_of(self.name)
        self.quirks.start_anew(found.quirks, {name: mine[name] for name in mine if name not in CARD_FACTS})
        self._audio_on = not found.audio

    def change(self, name: str, value: object) -> None:
        """A switch, or a fact of the card. Raises ValueError."""
        name = name.replace("-", "_")
        if name == "pin":
            self.slot.set_pin(str(value))
        elif name == "pin_tries":
            self.slot.set_tries(int(str(value)))
        elif name == "sim_absent":
            self.slot.take_out() if str(value).lower() in ("1", "true", "on") else self.slot.put_in()
        else:
            self.quirks.change(name, value)

    def _card(self) -> Card:
        return self.slot.owner

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Power on. May be called twice."""
        if self.plugged:
            return
        self.plugged = True
        self._life += 1
        self.wire.plug()
        self.speech.port.plug()
        self._boot()

    def name_ports(self, name: str) -> None:
        """The links of the ports from the next power-on. Raises ValueError."""
        if not name.replace("_", "").replace("-", "").isalnum():
            raise ValueError("a device's name has letters and digits")
        self.wire.port.link = self._where.devices / f"{name}-at"
        self.speech.port.link = self._where.devices / f"{name}-pcm"

    def _boot(self) -> None:
        self._echoes, self._cmee, self._busy, self._take, self._between = True, 0, False, None, False
        self._pending.clear()
        self._held.clear()
        self._kept_answer = b""
        self._audio_on = not self.family.audio
        self._deaf = self.quirks.deaf_seconds > 0
        if self._deaf:
            self.later(self.quirks.deaf_seconds, self._hears)
        self._pin_silent = self.quirks.pin_silent_seconds > 0
        if self._pin_silent:
            self.later(self.quirks.pin_silent_seconds, self._tells_pin)
        self.slot.boot()
        for part in (self.calls, self.services, self.store, self.ussd):
            part.boot()
        self.network.boot()

    def _hears(self) -> None:
        self._deaf = False

    def _tells_pin(self) -> None:
        self._pin_silent = False

    def stop(self) -> None:
        """Power off. May be called twice."""
        if not self.plugged:
            return
        self.calls.lost("the modem was unplugged")
        self.plugged = False
        self._life += 1
        self.speech.end()
        self.wire.unplug()
        self.speech.port.unplug()

    # -- at.Host -------------------------------------------------------------------------------------------------------

    def on_network(self) -> bool:
        """See `at.Host`."""
        return self.plugged and self.network.registered

    def urc(self, *lines: str) -> None:
        """See `at.Host`."""
        if not self.plugged:
            return
        kept = [line for line in lines if line and not self._lost()]
        if self._busy and not (self._between and self.quirks.urcs_between):
            self._held += kept
        elif self.quirks.join and kept:
            self._held += kept
            self.later(JOIN_SECONDS, lambda: None if self._busy else self._flush())
        else:
            self.wire.send(self._framed(kept))

    def _lost(self) -> bool:
        lost = self.quirks.drop_urc > 0 and self.chance.random() < self.quirks.drop_urc
        if lost:
            self.quirks.shown("drop_urc")
        return lost

    def _framed(self, lines: list[str]) -> bytes:
        end = self.quirks.terminator
        return "".join(f"{end}{line}{end}" for line in lines).encode("latin-1", "replace")

    def _flush(self) -> None:
        held, self._held = self._held, []
        self.wire.send(self._framed(held))

    def later(self, seconds: float, do: Callable[[], object]) -> asyncio.TimerHandle:
        """See `at.Host`."""
        life = self._life

        def when_due() -> None:
            if life == self._life:
                do()

        return asyncio.get_running_loop().call_later(seconds, when_due)

    def say(self, word: str, **facts: object) -> str:
        """See `at.Host`."""
        words = self.family.words.get(word)
        return words.form.format(**facts) if words else ""

    def ask_message(self, take: Callable[[str | None], Reply | None]) -> None:
        """See `at.Host`."""
        self._take, self._between = take, True
        if self.quirks.prompt_lost:
            self.quirks.shown("prompt_lost")
            self.wire.prompt(b"")
            return
        prompt = self.quirks.prompt.encode("latin-1", "replace")
        if self.quirks.prompt_seconds > 0:
            self.later(self.quirks.prompt_seconds, lambda: self.wire.prompt(prompt) if self._take is take else None)
            self.quirks.shown("prompt_seconds")
        else:
            self.wire.prompt(prompt)

    def finish(self, reply: Reply) -> None:
        """See `at.Host`."""
        if self._busy:
            self._ended(reply)

    def hear(self, sound: bytes) -> None:
        """See `at.Host`."""
        self.speech.feed(sound)

    def reboot(self) -> None:
        """See `at.Host`."""
        self.stop()
        asyncio.get_running_loop().call_later(self.quirks.reboot_seconds, self.start)

    # -- operator.Subscriber -------------------------------------------------------------------------------------------

    @property
    def number(self) -> str:
        """See `operator.Subscriber`."""
        return str(self.slot.owner.number)

    def receive(self, message: str, stored: Callable[[], None] | None) -> bool:
        """See `operator.Subscriber`."""
        before = len(self.store.waiting)
        self.store.arrive(message, stored)
        return len(self.store.waiting) == before

    def incoming(self, caller: Caller) -> Placed | None:
        """See `operator.Subscriber`."""
        return self.calls.incoming(caller)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _line(self, line: str) -> None:
        if self._deaf:
            return
        if self._echoes:
            self.wire.send(line.encode("latin-1", "replace") + b"\r")
        if self._busy or line[:2].upper() != "AT":
            return
        quirks, typed = self.quirks, line.upper()
        if self._pin_silent and typed == "AT+CPIN?":
            return
        if quirks.silent and typed.startswith(quirks.silent.upper()):
            quirks.shown("silent")
            return
        if quirks.reset_on and typed.startswith(quirks.reset_on.upper()):
            quirks.reset_on = ""
            self.reboot()
            return
        wait = quirks.late if quirks.late > 0 and typed.startswith(quirks.late_for.upper()) else 0.0
        self._busy = True
        self._pending = parse(line[2:])
        self._reply_lines = []
        if wait:
            quirks.shown("late")
            self.later(wait, self._next)
        else:
            self._next()

    def _next(self) -> None:
        """Carry out the next command of the line."""
        command = self._pending.pop(0)
        self._running = command.text
        reply = self._answer_to(command)
        if reply is not None:
            self._ended(reply)
        else:
            self._between = True

    def _answer_to(self, command: Command) -> Reply | None:
        if not command.name:
            return OK
        refused = self._failure(command) or self.slot.barrier(command)
        if refused:
            return refused
        if command.name == AUDIO_COMMANDS.get(self.family.audio):
            return self._audio(command)
        handler = self._handlers.get(command.name)
        if handler:
            return handler(command)
        known = identity(self, command)
        if known is not None:
            return known
        if f"AT{command.name}" in self.family.accepted or command.name in HARMLESS:
            return OK
        return Reply(final=self.family.unknown)

    def _failure(self, command: Command) -> Reply | None:
        """The error of the switch `fail`, or one that the recorded device gave to this very command."""
        prefix, _, code = self.quirks.fail.rpartition(" ")
        if code.isdecimal() and command.text.upper().startswith(prefix.upper()):
            self.quirks.shown("fail")
            return cms(int(code)) if command.name.startswith("+CM") else cme(int(code))
        for row in self.family.rows:
            if row.get("command") == command.text and "ERROR" in str(row["response"]):
                return Reply(raw=str(row["response"]).encode("latin-1", "replace"))
        return None

    def _typed(self, text: str | None) -> None:
        take, self._take = self._take, None
        if take:
            reply = take(text)
            if reply is not None:
                self._ended(reply)

    def _ended(self, reply: Reply) -> None:
        """One command of the line is done: the answer leaves when it was the last, or went wrong."""
        quirks = self.quirks
        if reply.raw:
            self._write(self._inserted(reply.raw))
            return
        self._reply_lines += reply.lines
        final = final_of(reply, 0 if quirks.plain_errors else self._cmee)
        if final == "OK" and self._pending:
            self._next()
            return
        end = quirks.terminator
        body = f"{end}{end.join(self._reply_lines)}{end}" if self._reply_lines else ""  # a PDU right below its head
        if quirks.lose_final and self._running.upper().startswith(quirks.lose_final.upper()):
            quirks.shown("lose_final")
            final = ""
        if final:
            body += f"{end}{final}{end}"
        self._write(self._inserted(body.encode("latin-1", "replace")))

    def _inserted(self, body: bytes) -> bytes:
        if not self.quirks.inside or body.count(b"\n") < 3:
            return body
        at = body.find(b"\n", len(body) // 3) + 1
        line = f"\r\n{self.quirks.inside}\r\n".encode("latin-1", "replace")
        self.quirks.shown("inside")
        return body[:at] + line + body[at:]

    def _write(self, body: bytes) -> None:
        """The answer leaves, and what waited for its end."""
        if self.quirks.desync:
            body, self._kept_answer = self._kept_answer, body
        elif self._kept_answer:
            body, self._kept_answer = self._kept_answer + body, b""
        self._busy = self._between = False
        held, self._held = self._held, []
        garbage = bytes.fromhex(self.quirks.garbage)
        if self.quirks.join:
            self.wire.send(garbage + body + self._framed(held))
        else:
            self.wire.send(garbage + body)
            self.wire.send(self._framed(held))
        self.quirks.shown("garbage", "join", "desync")
        self.slot.keep()

    def _echo(self, command: Command) -> Reply:
        self._echoes = command.number(0, 0) == 1
        return OK

    def _errors(self, command: Command) -> Reply:
        if command.op == "?":
            return Reply((f"+CMEE: {self._cmee}",))
        self._cmee = command.number(0, 0)
        return OK

    def _reset(self, command: Command) -> Reply:
        self._echoes, self._cmee = True, 0
        return OK

    def _audio(self, command: Command) -> Reply:
        """The command that opens speech over USB: within a call, and again in each."""
        if command.op == "=?":
            return identity(self, command) or OK
        if command.op == "?":
            return Reply((f"{command.name}: {int(self._audio_on)}",))
        if self.quirks.voice_locked:
            return ERROR
        on = command.number(0, 0) != 0
        if on and not self.calls.talking and self.family.audio == "cpcmreg":
            return ERROR
        self._audio_on = on
        self._follow_calls()
        return OK

    # -- what follows what ---------------------------------------------------------------------------------------------

    def _follow_calls(self) -> None:
        talking = next((call for call in self.calls.now if call.state == ACTIVE), None)
        if not self.calls.now and self.family.audio:
            self._audio_on = False
        if talking and self._audio_on:
            self.speech.begin(talking.ear)
        else:
            self.speech.end()

    def _flow(self, go: bool) -> None:
        self.urc(self.say("flow", go=int(go)))

    def _network_changed(self) -> None:
        if self.network.registered:
            self.store.deliver()
        else:
            self.calls.lost("the network was lost")


def imei_of(tac: str, place: int) -> str:
    """A serial number with its check digit (3GPP TS 23.003 6.2): the type's eight digits, and the device's place."""
    digits = f"{tac}{100200 + place:06d}"
    doubled = [int(d) * 2 if i % 2 else int(d) for i, d in enumerate(digits)]
    return digits + str(-sum(n // 10 + n % 10 for n in doubled) % 10)
