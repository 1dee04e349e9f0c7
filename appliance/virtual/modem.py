"""A virtual modem, whole: two ports, the SIM and the radio, calls, messages, speech, and the far end of all of it."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from appliance.virtual.at import ERROR, OK, Command, Handler, Reply, final_of, parse
from appliance.virtual.at_answers import FAMILIES, Family
from appliance.virtual.calls import ACTIVE, Calls
from appliance.virtual.network import Network, identity
from appliance.virtual.pty import PtyPort
from appliance.virtual.quirks import Quirks
from appliance.virtual.speech import Speech
from appliance.virtual.store import MessageStore
from appliance.virtual.where import Where
from appliance.virtual.wire import AtWire

log = logging.getLogger(__name__)

AUDIO_COMMANDS = {"ddsetex": "^DDSETEX", "cpcmreg": "+CPCMREG", "qpcmv": "+QPCMV"}
Answer = dict[str, object]
Args = Mapping[str, object]


class VirtualModem:
    """One device. Implements `at.Host`; everything on the event loop's thread."""

    def __init__(self, name: str, family: str, where: Where) -> None:
        if family not in FAMILIES:
            raise ValueError(f"there is no modem {family}; there are: {', '.join(FAMILIES)}")
        self.name = name
        self.family: Family = FAMILIES[family]
        self.quirks = Quirks()
        for switch, value in where.quirks_of(name).items():
            self.quirks.change(switch, value)
        self._wire = AtWire(PtyPort(where.devices / f"{name}-at"), self.quirks, self._line, self._typed)
        self._speech = Speech(PtyPort(where.devices / f"{name}-pcm"), self.quirks)
        self._network = Network(self)
        self._calls = Calls(self, lambda: self._network.registered)
        self._store = MessageStore(self, where.kept / f"{name}-sim.json", lambda: self._network.registered)
        self._handlers: dict[str, Handler] = {
            **self._network.handlers(), **self._calls.handlers(), **self._store.handlers(),
            "E": self._echo, "+CMEE": self._errors, "Z": self._reset, "&F": self._reset,
        }  # fmt: skip
        self._calls.on_change = self._follow_calls
        self._network.on_change = self._network_changed
        self._plugged = False
        self._life = 0  # counts plugs: what was meant for an earlier one is forgotten
        self._echoes, self._cmee = True, 0
        self._audio_on = not self.family.audio
        self._pending: list[Command] = []
        self._reply_lines: list[str] = []
        self._busy = False
        self._take: Callable[[str | None], Reply | None] | None = None
        self._held: list[str] = []  # URCs that wait for the end of an answer
        self._dtmf: list[str] = []

    # -- life -----------------------------------------------------------------------

    def start(self) -> None:
        """Power on."""
        self._plug()

    def stop(self) -> None:
        """Power off."""
        self._unplug()

    def _plug(self) -> None:
        if self._plugged:
            return
        self._plugged = True
        self._life += 1
        self._wire.plug()
        self._speech.port.plug()
        self._boot()

    def _boot(self) -> None:
        self._echoes, self._cmee, self._busy, self._take = True, 0, False, None
        self._pending.clear()
        self._held.clear()
        self._audio_on = not self.family.audio
        self._calls.boot()
        self._store.boot()
        self._network.boot()

    def _unplug(self) -> None:
        if not self._plugged:
            return
        self._plugged = False
        self._life += 1
        self._calls.lost("the modem was unplugged")
        self._speech.end()
        self._wire.unplug()
        self._speech.port.unplug()

    # -- at.Host -----------------------------------------------------------------------

    def urc(self, *lines: str) -> None:
        """See `at.Host`."""
        if not self._plugged:
            return
        if self._busy:
            self._held += lines
            return
        end = self.quirks.terminator
        for line in lines:
            if line:
                self._wire.send(f"{end}{line}{end}".encode("latin-1", "replace"))

    def later(self, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
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
        self._take = take
        self._wire.prompt()

    def finish(self, reply: Reply) -> None:
        """See `at.Host`."""
        self._ended(reply, "")

    def reboot(self) -> None:
        """See `at.Host`."""
        self._unplug()
        loop = asyncio.get_running_loop()
        loop.call_later(self.quirks.reboot_seconds, self._plug)

    # -- commands -----------------------------------------------------------------------

    def _line(self, line: str) -> None:
        if self._echoes:
            self._wire.send(line.encode("latin-1", "replace") + b"\r")
        if self._busy or line[:2].upper() != "AT":
            return
        if self.quirks.silent and line.upper().startswith(self.quirks.silent.upper()):
            return
        wait = self.quirks.late if self.quirks.late and line.upper().startswith(self.quirks.late_for.upper()) else 0.0
        self._busy = True
        self._pending = parse(line[2:])
        self._reply_lines = []
        if wait:
            self.later(wait, self._next)
        else:
            self._next()

    def _next(self) -> None:
        """Carry out the next command of the line."""
        command = self._pending.pop(0)
        reply = self._answer_to(command)
        if reply is not None:
            self._ended(reply, command.text)

    def _answer_to(self, command: Command) -> Reply | None:
        if not command.name:
            return OK
        barrier = self._network.barrier(command)
        if barrier:
            return barrier
        if command.name == AUDIO_COMMANDS.get(self.family.audio):
            return self._audio(command)
        handler = self._handlers.get(command.name)
        if handler:
            return handler(command)
        known = identity(self, command)
        if known is not None:
            return known
        if f"AT{command.name}" in self.family.accepted or command.name in ("V", "Q", "X", "S0", "&C", "&D", "+IPR"):
            return OK
        return Reply(final=self.family.unknown)

    def _typed(self, text: str | None) -> None:
        take, self._take = self._take, None
        if take:
            reply = take(text)
            if reply is not None:
                self._ended(reply, "AT+CMGS")

    def _ended(self, reply: Reply, text: str) -> None:
        """One command of the line is done: the answer leaves when it was the last, or went wrong."""
        if reply.raw:
            self._write(self._inserted(reply.raw))
            self._over()
            return
        self._reply_lines += reply.lines
        final = final_of(reply, self._cmee)
        if final == "OK" and self._pending:
            self._next()
            return
        end = self.quirks.terminator
        body = "".join(f"{end}{line}{end}" for line in self._grouped())
        if self.quirks.lose_final and text.upper().startswith(self.quirks.lose_final.upper()):
            final = ""
        if final:
            body += f"{end}{final}{end}"
        self._write(self._inserted(body.encode("latin-1", "replace")))
        self._over()

    def _grouped(self) -> list[str]:
        """A PDU stands right below its head line."""
        end = self.quirks.terminator
        return [end.join(self._reply_lines)] if self._reply_lines else []

    def _inserted(self, body: bytes) -> bytes:
        if not self.quirks.inside or body.count(b"\n") < 3:
            return body
        at = body.find(b"\n", len(body) // 3) + 1
        line = f"\r\n{self.quirks.inside}\r\n".encode("latin-1", "replace")
        return body[:at] + line + body[at:]

    def _write(self, body: bytes) -> None:
        self._wire.send(bytes.fromhex(self.quirks.garbage) + body)

    def _over(self) -> None:
        self._busy = False
        held, self._held = self._held, []
        self.urc(*held)

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
        if self.quirks.voice_locked:
            return ERROR
        on = command.number(0, 0) != 0
        if on and not self._calls.talking and self.family.audio == "cpcmreg":
            return ERROR
        self._audio_on = on
        self._follow_calls()
        return OK

    # -- speech follows the calls -----------------------------------------------------------------------

    def _follow_calls(self) -> None:
        talking = any(call.state == ACTIVE for call in self._calls.now)
        if not self._calls.now and self.family.audio:
            self._audio_on = False
        if talking and self._audio_on:
            self._speech.begin()
        else:
            self._speech.end()

    def _network_changed(self) -> None:
        if self._network.registered:
            self._store.deliver()
        else:
            self._calls.lost("the network was lost")

    # -- the far end -----------------------------------------------------------------------

    def status(self) -> Answer:
        """Everything there is to see."""
        return {
            "name": self.name, "family": self.family.name, "plugged": self._plugged,
            "port": self._wire.name, "speech_port": self._speech.port.name, "registered": self._network.registered,
            "pin_tries": self._network.tries,
            "calls": [call.public() for call in self._calls.now],
            "history": [call.public() for call in self._calls.history[-20:]],
            "messages": self._store.status(), "submitted": self._store.submitted[-20:],
            "speech": {"sent": self._speech.frames_sent, "heard": self._speech.octets_heard},
        }  # fmt: skip

    def do(self, verb: str, args: Args) -> Answer:
        """What a person at the far end does. Raises ValueError with a sentence for people."""
        action = self._VERBS.get(verb)
        if action is None:
            raise ValueError(f"a modem cannot {verb}; it can: {', '.join(self._VERBS)}")
        if not self._plugged and verb not in ("plug", "status", "set", "unplug"):
            raise ValueError("the modem is unplugged")
        return action(self, args)

    def _call(self, args: Args) -> Answer:
        hidden = "withheld" if args.get("withheld") else "unavailable" if args.get("unavailable") else ""
        number = str(args.get("number", ""))
        if not number or len(number) > 40 or any(c not in "+0123456789*#" for c in number):
            raise ValueError("a number has digits, and a + before them")
        call = self._calls.ring(number, hidden, bool(args.get("late")), float(str(args.get("for") or 0)))
        return {"call": call.public()}

    def _far_answers(self, args: Args) -> Answer:
        return {"call": self._calls.far_answers().public()}

    def _press(self, args: Args) -> Answer:
        self._calls.far_digits(str(args.get("digits", "")))
        return {}

    def _sms(self, args: Args) -> Answer:
        return {"parts": self._store.send_text(str(args.get("from", "")), str(args.get("text", "")))}

    def _pdu(self, args: Args) -> Answer:
        self._store.arrive(str(args.get("hex", "")))
        return {}

    def _network_switch(self, args: Args) -> Answer:
        self._network.set_coverage(bool(args.get("on")))
        return {}

    def _storage(self, args: Args) -> Answer:
        self._store.set_full(bool(args.get("full")))
        return {}

    def _pull(self, args: Args) -> Answer:
        self._unplug()
        return {}

    def _push(self, args: Args) -> Answer:
        self._plug()
        return {}

    def _play(self, args: Args) -> Answer:
        self._speech.play(str(args.get("file", "")), bool(args.get("loop")))
        return {}

    def _record(self, args: Args) -> Answer:
        self._speech.record(str(args.get("file", "")))
        return {}

    def _set(self, args: Args) -> Answer:
        self.quirks.change(str(args.get("name", "")), args.get("value", ""))
        return {}

    def _ends(self, how: str) -> Answer:
        return {"call": self._calls.far_ends(how).public()}

    _VERBS: Mapping[str, Callable[["VirtualModem", Args], Answer]] = {
        "call": _call, "answer": _far_answers, "press": _press, "sms": _sms, "pdu": _pdu,
        "busy": lambda self, args: self._ends("busy"), "no-answer": lambda self, args: self._ends("no-answer"),
        "hang-up": lambda self, args: self._ends("hang-up"), "network": _network_switch, "storage": _storage,
        "unplug": _pull, "plug": _push, "play": _play, "record": _record, "set": _set,
        "status": lambda self, args: self.status(),
    }  # fmt: skip
