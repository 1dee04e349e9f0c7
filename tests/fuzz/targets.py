"""What is fed with anything: each target takes octets, and fails by raising. An error of ours that a target expects is
no failure; a result that contradicts another one is."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping

from appliance.errors import MessageTooLong, PduError
from appliance.protocols import modem_text
from appliance.protocols.at import AtEngine, Command, Finished, Priority
from appliance.protocols.modem import Modem
from appliance.protocols.modem_shown import Transcript
from appliance.protocols.multipart import join
from appliance.protocols.pdu import decode, describe, to_part
from appliance.protocols.pdu_encode import submits

Target = Callable[[bytes], None]


def as_text(data: bytes) -> str:
    """Octets as hex digits, or as they are when the first is odd."""
    return data[1:].decode("latin-1") if data[:1] and data[0] & 1 else data[1:].hex()


def pdu(data: bytes) -> None:
    """Strict and lenient: PduError and nothing else; what strict takes, lenient reads the same."""
    text = as_text(data)
    try:
        strict = decode(text)
    except PduError:
        strict = None
    try:
        lenient = decode(text, strict=False)
    except PduError:
        lenient = None
    assert strict is None or strict == lenient


def shown(data: bytes) -> None:
    """What people and the store get can be written down: no half letter, nothing that is no JSON."""
    text = as_text(data)
    for strict in (True, False):
        try:
            json.dumps(describe(text, strict), ensure_ascii=False).encode("utf-8")
        except PduError:
            continue
    part = to_part(text)
    assert part.pdu == text.strip().upper()
    f"{part.sender}{part.text}{part.sent_at}".encode()
    assert part.total >= part.sequence >= 1


def parts(data: bytes) -> None:
    """Whatever parts are joined, their text can be written down."""
    found = [to_part(piece.hex()) for piece in data.split(b"\xff\xfe\xfd")[:20]]
    join(found).encode("utf-8")


def outgoing(data: bytes) -> None:
    """A text that goes out is read as it was written, and no part is too long for the air."""
    if not data:
        return
    text = data[1:].decode("utf-8", "replace")
    try:
        found = submits(
            "+48600100200", text, national=bool(data[0] & 1), sixteen_bit=bool(data[0] & 2), valid_minutes=60
        )
    except MessageTooLong:
        return
    assert all(part.length == len(part.pdu) // 2 - 1 <= 164 for part in found)
    assert join(to_part(part.pdu) for part in found) == text.removeprefix("\ufeff")


COMMANDS = (
    ("AT+CREG?", ("+CREG",), None), ("AT+CMGL=4", ("+CMGL",), None), ("AT+CGMM", ("",), None),
    ("AT+CMGS=24", ("+CMGS",), "0011"), ("ATD112;", (), None), ("AT", (), None),
)  # fmt: skip


def engine(data: bytes) -> None:
    """The AT engine with octets, cuts, commands and time in any order: no command is told twice, none is forgotten."""
    found = AtEngine()
    at, sent, finished = 0.0, 0, []
    for piece in data.split(b"\xff"):
        if piece[:1] and piece[0] >= 0xF8:
            text, expects, body = COMMANDS[(piece[0] - 0xF8) % len(COMMANDS)]
            found.send(Command(text, expects, 3.0, Priority.NORMAL, body, tag=str(sent)))
            sent += 1
            piece = piece[1:]
        elif piece[:1] and piece[0] >= 0xF0:
            at += (piece[0] - 0xEF) ** 2 * 0.1
            piece = piece[1:]
        found.output(at)
        finished += [event for event in [*found.feed(piece, at), *found.tick(at)] if isinstance(event, Finished)]
        due = found.due()
        assert due is None or due >= 0
    finished += [event for event in found.drop() if isinstance(event, Finished)]
    assert sorted(event.command.tag for event in finished) == sorted(str(n) for n in range(sent))


MODELS = ("huawei E1752", "SIMCOM_SIM7600E", "SIM800L", "Quectel EC25", "u-blox SARA-U201", "ZTE MF190", "other")
ANSWERS = {
    "AT+CGMI": "maker", "AT+CFUN?": "+CFUN: 1", "AT+CPIN?": "+CPIN: READY", "AT+CREG?": "+CREG: 2,1",
    "AT+CPMS=?": '+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")', "AT+CPMS?": '+CPMS: "SM",1,20,"SM",1,20,"SM",1,20',
    "AT+CSQ": "+CSQ: 20,99", "AT+COPS?": '+COPS: 0,0,"Orange PL",2', "AT+CCID": "+CCID: 8948031234567890123",
    "AT^ICCID?": "^ICCID: 8948031234567890123", "AT+CMGR=1": "+CMGR: 0,,24\r\n00112233445566778899AABBCC",
}  # fmt: skip


def modem(data: bytes) -> None:
    """A whole modem: it comes up, then says anything at any time, answers commands or does not; it is not thrown off,
    and a PIN is sent once."""
    answers = {**ANSWERS, "AT+CGMM": MODELS[data[0] % len(MODELS) if data else 0]}
    if data and data[0] & 0x80:
        answers["AT+CPIN?"] = "+CPIN: SIM PIN"
    tries: list[str] = []
    found = Modem(pin="1234", may_try_pin=lambda iccid, *_left: not tries.append(iccid) and len(tries) == 1)
    at, pins = 0.0, 0
    found.start(at)
    for piece in [b"\xf4"] * 30 + data[1:].split(b"\xff"):
        kind = piece[0] if piece[:1] and piece[0] >= 0xF0 else 0
        at += (kind - 0xEF) ** 2 * 0.02 if kind else 0.01
        found.tick(at)
        sent = found.output(at).decode("latin-1")
        pins += sent.count("AT+CPIN=")
        for command in sent.split("\r") if kind < 0xFC else ():
            if command.strip("\x1b"):
                text = answers.get(command, "")
                found.feed(f"\r\n{text}\r\n\r\nOK\r\n".encode(), at)
        found.feed(piece[1:] if kind else piece, at)
        assert found.engine.waiting < 500
    found.stop()
    assert pins <= 1


def _parsers() -> tuple[list[Callable[..., object]], list[Callable[..., object]]]:
    """The public functions of modem_text: those of one line, and those of several. A new one is fed by being there."""
    single, several = [], []
    for name, function in inspect.getmembers(modem_text, inspect.isfunction):
        if name.startswith("_") or function.__module__ != modem_text.__name__:
            continue
        first = next(iter(inspect.signature(function).parameters.values()))
        (several if first.annotation == tuple[str, ...] else single).append(function)
    return single, several


PARSERS, PARSERS_OF_LINES = _parsers()


def lines(data: bytes) -> None:
    """Every parser with every line."""
    written = tuple(data.decode("latin-1").split("\n"))
    for line in written:
        for parser in PARSERS:
            parser(line)
    for parser in PARSERS_OF_LINES:
        parser(written)


def transcript(data: bytes) -> None:
    """What is shown of a modem's output is the same wherever it is cut, and can be written down."""

    def fed(pieces: Iterator[bytes]) -> list[dict[str, object]]:
        found = Transcript()
        return [one for piece in pieces for one in found.feed(piece)] + found.end()

    size = data[0] % 16 + 1 if data else 1
    cut = fed(data[i : i + size] for i in range(1, len(data), size))
    assert cut == fed(iter([data[1:]]))
    json.dumps(cut, ensure_ascii=False).encode("utf-8")


# the longest input of each: beyond it nothing new comes, only time goes
LONGEST: Mapping[str, int] = {
    "pdu": 420, "shown": 420, "parts": 900, "outgoing": 600, "engine": 800, "modem": 600, "lines": 400,
    "transcript": 600,
}  # fmt: skip
TARGETS: Mapping[str, Target] = {
    "pdu": pdu, "shown": shown, "parts": parts, "outgoing": outgoing, "engine": engine, "modem": modem, "lines": lines,
    "transcript": transcript,
}  # fmt: skip
