"""What a modem wrote, as JSON objects: for `centralka at parse`, and for whoever looks at a log of a modem. Pure.

The engine that drives modems reads the octets, and the parsers that it is used with read the lines: what is shown here
is what the box understands. Nobody has sent a command, so a command is made of each echo, and of what has none.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance.errors import PduError
from appliance.protocols import modem_text as text
from appliance.protocols import ussd_text
from appliance.protocols.at import (
    LONGEST_LINE,
    SECOND_LINE,
    TWO_LINES,
    URC,
    AtEngine,
    AtEvent,
    Command,
    Finished,
    Unsolicited,
)
from appliance.protocols.pdu import describe

Shown = dict[str, object]
FOR_EVER = 1e9
ECHO = re.compile(r"AT(?:\Z|[+^#$*%&\\A-Z\d])", re.IGNORECASE)
SECRET = re.compile(r"(AT\+(?:CPIN|CLCK|CPWD|CUSD)\s*=\s*).*", re.IGNORECASE)  # PINs, passwords, vouchers
NAME = re.compile(r"([+^#*$%][A-Z0-9]{1,20}|[A-Z][A-Z _]{1,20})(?=:|\Z)", re.IGNORECASE)

STATES = {
    0: "IDLE", 1: "HOME", 2: "SEARCHING", 3: "DENIED", 4: "UNKNOWN", 5: "ROAMING", 6: "HOME_SMS_ONLY",
    7: "ROAMING_SMS_ONLY", 8: "EMERGENCY_ONLY", 9: "HOME_CSFB_NOT_PREFERRED", 10: "ROAMING_CSFB_NOT_PREFERRED",
    11: "ATTACHED_RLOS",
}  # fmt: skip  # 27.007 7.2
TECHNOLOGIES = {
    0: "GSM", 1: "GSM_COMPACT", 2: "UMTS", 3: "EDGE", 4: "HSDPA", 5: "HSUPA", 6: "HSPA", 7: "LTE", 8: "EC_GSM_IOT",
    9: "LTE_NB_IOT", 10: "LTE_5GCN", 11: "5GNR", 12: "NG_RAN", 13: "LTE_5GNR",
}  # fmt: skip  # 27.007 7.3


# ---- lines ----------------------------------------------------------------------------------------------------------


def _registration(line: str) -> Shown:
    found = text.registration(line)
    if found is None:
        return {}
    state, act = STATES.get(found.stat, "UNKNOWN"), TECHNOLOGIES.get(found.act, "UNKNOWN")
    return {"state": state, "lac": found.area, "ci": found.cell, "act": act}


def _caller(line: str) -> Shown:
    found = text.caller(line)
    return {"number": found.number, "validity": found.validity, "caller": found.name} if found else {}


def _call(line: str) -> Shown:
    found = text.call_state(line)
    if found is None:
        return {}
    return {"call": found.index, "outgoing": found.outgoing, "call_state": found.state, "number": found.number}


def _stored(line: str) -> Shown:
    found = text.stored(line)
    return {"memory": found[0], "slot": found[1]} if found else {}


def _storage(line: str) -> Shown:
    if "(" in line:
        return {"memories": list(text.memories(line))}
    found = text.storage(line)
    return {"used": found[0], "total": found[1]} if found else {}


def _signal(line: str) -> Shown:
    return {"signal_percent": text.signal(line)}


def _operator(line: str) -> Shown:
    found = text.operator(line) if "(" not in line else None
    return {"operator": found[0], "network": found[1]} if found else {}


def _pin(line: str) -> Shown:
    found = text.pin_state(line)
    return {"pin": found} if found else {}


def _ussd(line: str) -> Shown:
    said = ussd_text.read(line)
    if said is None:
        return {}
    found: Shown = {"status": said.status, "text": said.text, "form": said.form}
    return (
        found
        | ({"dcs": said.dcs} if said.dcs is not None else {})
        | ({"language": said.language} if said.language else {})
    )


PARSERS: Mapping[str, Callable[[str], Shown]] = {
    "+CREG": _registration, "+CGREG": _registration, "+CEREG": _registration, "+C5GREG": _registration,
    "+CLIP": _caller, "+CCWA": _caller, "+CLCC": _call, "^SLCC": _call, "^DSCI": _call, "+QIND": _call,
    "+CMTI": _stored, "+CDSI": _stored, "+CPMS": _storage, "+CSQ": _signal, "+COPS": _operator, "+CPIN": _pin,
    "+CUSD": _ussd,
}  # fmt: skip


def line_shown(line: str) -> Shown | None:
    """Name, fields and meaning of a line; None for text without a name."""
    named = NAME.match(line)
    if not named or (named[1][0].isalpha() and not URC.match(line)):
        return None
    name = named[1].upper()
    found: Shown = {"name": name}
    if ":" in line:
        found["fields"] = text.fields_of(line)
    parser = PARSERS.get(name)
    return found | parser(line) if parser else found


def message_shown(line: str) -> Shown:
    """A PDU behind its head line, or what stood there instead."""
    try:
        return {"message": describe(line, strict=False)}
    except PduError:
        return {"text": line}


# ---- octets ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Transcript:
    """A modem's output, fed in any pieces; `end` tells the rest. Never raises; memory is bounded by the engine's own
    limits."""

    _engine: AtEngine = field(default_factory=AtEngine)
    _buffer: bytearray = field(default_factory=bytearray)
    _second: bool = False  # the next line belongs to the one before
    _skipped: int = 0  # octets of a line that is too long to be one

    def feed(self, data: bytes) -> list[Shown]:
        """What these octets complete."""
        found: list[Shown] = []
        for piece in data.splitlines(keepends=True):
            ended = piece.endswith((b"\r", b"\n"))
            self._buffer += piece.rstrip(b"\r\n")
            if self._skipped or len(self._buffer) > LONGEST_LINE:
                self._skipped += len(self._buffer)
                self._buffer.clear()
            if ended:
                found += self._ended()
        return found

    def _ended(self) -> list[Shown]:
        line, skipped = bytes(self._buffer), self._skipped
        self._buffer.clear()
        self._skipped = 0
        return [{"unknown": f"a line of {skipped} octets"}] if skipped else self._line(line + b"\n")

    def end(self) -> list[Shown]:
        """What is left when nothing more comes."""
        found = self.feed(b"\n")
        for event in [*self._engine.tick(SECOND_LINE), *self._engine.drop()]:
            found += self._event(event)
        return found

    def _line(self, line: bytes) -> list[Shown]:
        found: list[Shown] = []
        written = line.replace(b"\0", b"").decode("latin-1").strip()
        if ECHO.match(written) and not self._second:
            for event in self._engine.drop():
                found += self._event(event)
            found.append({"echo": SECRET.sub(r"\1****", written)})
            self._engine.send(_command(written))
        elif self._engine.idle:
            self._engine.send(Command("", (), FOR_EVER))
        self._engine.output(0.0)
        if written:
            self._second = not self._second and bool(TWO_LINES.match(written))
        for event in self._engine.feed(line, 0.0):
            found += self._event(event)
        return found

    def _event(self, event: AtEvent) -> list[Shown]:
        if isinstance(event, Unsolicited):
            shown = line_shown(event.text)
            if shown is None:
                return [{"unknown": event.text}]
            second = message_shown(event.second) if event.second else {}
            return [{"urc": shown.pop("name"), **shown, **second}]
        if isinstance(event, Finished):
            answered = event.final != "dropped"
            return _lines(event.lines, answered) + ([_final(event)] if answered else [])
        return []


def _command(echo: str) -> Command:
    """The command behind an echo: its answer begins with its name."""
    named = NAME.match(re.split(r"[=?]", echo[2:])[0])
    name = named[1].upper() if named and named[1][0] in "+^#*$%" else ""
    return Command(echo, (name,) if name else (), FOR_EVER)


def _final(event: Finished) -> Shown:
    code = text.error_code(event.final)
    return {"final": event.final, "ok": event.ok, **({"code": code} if code >= 0 else {})}


def _lines(lines: tuple[str, ...], answered: bool) -> list[Shown]:
    """Information lines; text without a name is one of them only where a final result came behind it."""
    found: list[Shown] = []
    expected = False  # a PDU
    for line in lines:
        shown = line_shown(line)
        if expected and text.is_hex(line):
            found[-1] |= message_shown(line)
        elif shown is not None:
            found.append({"answer": shown.pop("name"), **shown})
        elif line == ">":
            found.append({"prompt": line})
        else:
            found.append({"text": line} if answered else {"unknown": line})
        expected = line.upper().startswith(("+CMGR:", "+CMGL:"))
    return found
