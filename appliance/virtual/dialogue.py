"""One command at a time: a line comes in, its answer goes out, and what comes unasked waits for its turn meanwhile.

Knows how answers are framed and what can go wrong with them; what a command means is the modem's business (`answer`).
"""

from collections.abc import Callable

from appliance.virtual.at import OK, Command, Handlers, Host, Reply, cme, cms, final_of, parse
from appliance.virtual.wire import AtWire

JOIN_SECONDS = 0.5  # a line that waits for an answer to leave with does not wait longer


class Dialogue:
    """The AT side of one modem. `answer` gives None when the answer comes later, by `finish`; `done` hears of each."""

    def __init__(
        self, host: Host, wire: AtWire, answer: Callable[[Command], Reply | None], done: Callable[[], None]
    ) -> None:
        self._host = host
        self._wire = wire
        self._answer = answer
        self._done = done
        self._echoes, self._cmee = True, 0
        self._pending: list[Command] = []
        self._reply_lines: list[str] = []
        self._busy = False
        self._between = False  # a command waits for the network, or for its message
        self._deaf = self._pin_silent = False
        self._running = ""
        self._kept_answer = b""  # of the command before, while the fault "desync" is on
        self._take: Callable[[str | None], Reply | None] | None = None
        self._held: list[str] = []  # lines that wait for the end of an answer

    def handlers(self) -> Handlers:
        """Commands of this part."""
        return {"E": self._echo, "+CMEE": self._errors, "Z": self._reset, "&F": self._reset}

    def boot(self) -> None:
        """Settings as after power-on, nothing asked yet."""
        self._echoes, self._cmee, self._busy, self._take, self._between = True, 0, False, None, False
        self._pending.clear()
        self._held.clear()
        self._kept_answer = b""
        quirks = self._host.quirks
        self._deaf = quirks.deaf_seconds > 0
        if self._deaf:
            self._host.later(quirks.deaf_seconds, self._hears)
        self._pin_silent = quirks.pin_silent_seconds > 0
        if self._pin_silent:
            self._host.later(quirks.pin_silent_seconds, self._tells_pin)

    def _hears(self) -> None:
        self._deaf = False

    def _tells_pin(self) -> None:
        self._pin_silent = False

    # -- what comes unasked --------------------------------------------------------------------------------------------

    def urc(self, *lines: str) -> None:
        """Send unsolicited lines, now or behind the answer that is being made."""
        kept = [line for line in lines if line and not self._lost()]
        if self._busy and not (self._between and self._host.quirks.urcs_between):
            self._held += kept
        elif self._host.quirks.join and kept:
            self._held += kept
            self._host.later(JOIN_SECONDS, lambda: None if self._busy else self._flush())
        else:
            self._wire.send(self._framed(kept))

    def _lost(self) -> bool:
        lost = self._host.quirks.drop_urc > 0 and self._host.chance.random() < self._host.quirks.drop_urc
        if lost:
            self._host.quirks.shown("drop_urc")
        return lost

    def _framed(self, lines: list[str]) -> bytes:
        end = self._host.quirks.terminator
        return "".join(f"{end}{line}{end}" for line in lines).encode("latin-1", "replace")

    def _flush(self) -> None:
        held, self._held = self._held, []
        self._wire.send(self._framed(held))

    # -- commands ------------------------------------------------------------------------------------------------------

    def line(self, line: str) -> None:
        """The program wrote a line."""
        if self._deaf:
            return
        if self._echoes:
            self._wire.send(line.encode("latin-1", "replace") + b"\r")
        if self._busy or line[:2].upper() != "AT":
            return
        quirks, typed = self._host.quirks, line.upper()
        if self._pin_silent and typed == "AT+CPIN?":
            return
        if quirks.silent and typed.startswith(quirks.silent.upper()):
            quirks.shown("silent")
            return
        if quirks.reset_on and typed.startswith(quirks.reset_on.upper()):
            quirks.reset_on = ""
            self._host.reboot()
            return
        wait = quirks.late if quirks.late > 0 and typed.startswith(quirks.late_for.upper()) else 0.0
        self._busy = True
        self._pending = parse(line[2:])
        self._reply_lines = []
        if wait:
            quirks.shown("late")
            self._host.later(wait, self._next)
        else:
            self._next()

    def _next(self) -> None:
        """Carry out the next command of the line."""
        command = self._pending.pop(0)
        self._running = command.text
        reply = self._failure(command) or self._answer(command)
        if reply is not None:
            self._ended(reply)
        else:
            self._between = True

    def _failure(self, command: Command) -> Reply | None:
        """The error of the switch `fail`, or one that the recorded device gave to this very command."""
        prefix, _, code = self._host.quirks.fail.rpartition(" ")
        if code.isdecimal() and command.text.upper().startswith(prefix.upper()):
            self._host.quirks.shown("fail")
            return cms(int(code)) if command.name.startswith("+CM") else cme(int(code))
        for row in self._host.family.rows:
            if row.get("command") == command.text and "ERROR" in str(row["response"]):
                return Reply(raw=str(row["response"]).encode("latin-1", "replace"))
        return None

    def ask_message(self, take: Callable[[str | None], Reply | None]) -> None:
        """Send the prompt; `take` gets what was typed, None when it was cancelled."""
        self._take, self._between = take, True
        if self._host.quirks.prompt_lost:
            self._host.quirks.shown("prompt_lost")
            self._wire.prompt(b"")
            return
        prompt = self._host.quirks.prompt.encode("latin-1", "replace")
        if self._host.quirks.prompt_seconds > 0:
            self._host.later(
                self._host.quirks.prompt_seconds, lambda: self._wire.prompt(prompt) if self._take is take else None
            )
            self._host.quirks.shown("prompt_seconds")
        else:
            self._wire.prompt(prompt)

    def typed(self, text: str | None) -> None:
        """The program typed a message behind the prompt; None: it gave up."""
        take, self._take = self._take, None
        if take:
            reply = take(text)
            if reply is not None:
                self._ended(reply)

    def finish(self, reply: Reply) -> None:
        """End the command whose answer was to come later."""
        if self._busy:
            self._ended(reply)

    def _ended(self, reply: Reply) -> None:
        """One command of the line is done: the answer leaves when it was the last, or went wrong."""
        quirks = self._host.quirks
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
        if not self._host.quirks.inside or body.count(b"\n") < 3:
            return body
        at = body.find(b"\n", len(body) // 3) + 1
        line = f"\r\n{self._host.quirks.inside}\r\n".encode("latin-1", "replace")
        self._host.quirks.shown("inside")
        return body[:at] + line + body[at:]

    def _write(self, body: bytes) -> None:
        """The answer leaves, and what waited for its end."""
        if self._host.quirks.desync:
            body, self._kept_answer = self._kept_answer, body
        elif self._kept_answer:
            body, self._kept_answer = self._kept_answer + body, b""
        self._busy = self._between = False
        held, self._held = self._held, []
        garbage = bytes.fromhex(self._host.quirks.garbage)
        if self._host.quirks.join:
            self._wire.send(garbage + body + self._framed(held))
        else:
            self._wire.send(garbage + body)
            self._wire.send(self._framed(held))
        self._host.quirks.shown("garbage", "join", "desync")
        self._done()

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
