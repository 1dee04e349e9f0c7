"""`centralka virtual ...`: words of a person to one request, its answer to words again."""

import argparse
import json
import socket
import sys
import time
from collections.abc import Callable, Sequence

from appliance.virtual.where import Where

SECONDS = 8.0
HOLD_SAID = 1.0
Args = dict[str, object]


def main(words: Sequence[str]) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for words nobody understands."""
    try:
        asked = _parser().parse_args(list(words))
    except SystemExit as stop:
        return int(stop.code or 0)
    where = Where.of()
    try:
        if asked.device == "clock":
            answer = _ask(str(where.exchange), "clock.set", {"at": None if asked.at == "real" else asked.at})
            return _told(answer, lambda ok: f"The clock is {float(str(ok.get('offset', 0))):+.0f} s from real time.")
        if asked.device == "button":
            answer = _ask(str(where.exchange), "button.press", {"name": asked.name, "seconds": asked.hold})
            return _told(answer, lambda ok: "Pressed." if asked.hold < HOLD_SAID else f"Held for {asked.hold:g} s.")
        if not where.socket.exists():
            _say("This box does not run on virtual hardware (or is not running): there is nothing to play with.")
            return 1
        if asked.device == "mail":
            answer = _ask(str(where.socket), "mail.list", {"number": asked.number} if asked.number else {})
            return _told(answer, lambda ok: _mails(ok, asked))
        answer = _ask(str(where.socket), f"{asked.device}.{asked.verb}", _args_of(asked))
        return _told(answer, _plain)
    except OSError:
        _say("The box does not answer. Is it running?")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="centralka virtual", description="Play the far end of a virtual box.")
    devices = parser.add_subparsers(dest="device", required=True)
    mail = devices.add_parser("mail", help="mails of the local mailbox")
    mail.add_argument("number", nargs="?", type=int)
    mail.add_argument("--json", action="store_true")
    clock = devices.add_parser("clock", help="move the clock of plan, journal and worker: 2026-11-27T18:30, or real")
    clock.add_argument("at")
    button = devices.add_parser("button", help="press a button of the box: night, status")
    button.add_argument("name", choices=("night", "status"))
    button.add_argument("--hold", type=float, default=0.2, metavar="SECONDS", help="3 is a long press, 10 a very long")
    phone = devices.add_parser("phone0", help="the demo phone").add_subparsers(dest="verb", required=True)
    for verb in ("answer", "hang-up", "status"):
        phone.add_parser(verb)
    for verb in ("dial", "press"):
        phone.add_parser(verb).add_argument("number")
    for name in [modem for modem, _ in Where.of().modems]:
        _modem(devices.add_parser(name, help="a SIM modem and its far end"))
    return parser


def _modem(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    call = verbs.add_parser("call", help="somebody calls this SIM")
    call.add_argument("number")
    call.add_argument("--withheld", action="store_true")
    call.add_argument("--unavailable", action="store_true")
    call.add_argument("--late", action="store_true", help="the number comes with the second ring")
    call.add_argument("--for", dest="for_", type=float, default=0.0, metavar="SECONDS", help="then the caller gives up")
    for verb in ("answer", "busy", "no-answer", "hang-up", "unplug", "plug", "status"):
        verbs.add_parser(verb)
    verbs.add_parser("press").add_argument("digits")
    sms = verbs.add_parser("sms", help="a message arrives")
    sms.add_argument("from_", metavar="from")
    sms.add_argument("text")
    verbs.add_parser("pdu", help="a message arrives as it is").add_argument("hex")
    verbs.add_parser("network").add_argument("state", choices=("off", "on"))
    verbs.add_parser("storage").add_argument("state", choices=("full", "free"))
    play = verbs.add_parser("play", help="what the far end says (8 kHz mono wav)")
    play.add_argument("file")
    play.add_argument("--loop", action="store_true")
    verbs.add_parser("record", help="what the far end hears").add_argument("file")
    change = verbs.add_parser("set", help="a switch of its behaviour")
    change.add_argument("name")
    change.add_argument("value")


def _args_of(asked: argparse.Namespace) -> Args:
    args = {name.rstrip("_"): value for name, value in vars(asked).items() if name not in ("device", "verb")}
    if asked.verb == "network":
        return {"on": args["state"] == "on"}
    if asked.verb == "storage":
        return {"full": args["state"] == "full"}
    return args


def _ask(path: str, verb: str, args: Args) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(SECONDS)
        sock.connect(path)
        sock.sendall(json.dumps({"v": 1, "id": 1, "do": verb, "args": args, "who": "virtual"}).encode() + b"\n")
        received = b""
        while not received.endswith(b"\n"):
            piece = sock.recv(65536)
            if not piece:
                break
            received += piece
    answer = json.loads(received or b"{}")
    return answer if isinstance(answer, dict) else {}


def _told(answer: dict[str, object], shown: Callable[[dict[str, object]], str]) -> int:
    error, ok = answer.get("error"), answer.get("ok")
    if isinstance(error, dict):
        _say(f"Not done: {error.get('text') or error.get('id')}.")
        return 1
    _say(shown(ok if isinstance(ok, dict) else {}))
    return 0


def _plain(ok: dict[str, object]) -> str:
    """What came of it, in a sentence; the status as JSON."""
    call = ok.get("call")
    if isinstance(call, dict):
        who = call.get("number") or call.get("hidden") or "a caller"
        way = "from" if call.get("direction") == "in" else "to"
        return f"The call {way} {who}: {call.get('outcome') or call.get('state')}."
    if set(ok) == {"parts"}:
        return f"Sent, in {ok['parts']} parts." if ok["parts"] != 1 else "Sent."
    if set(ok) <= {"said"}:
        return str(ok.get("said") or "Done.")
    return json.dumps(ok, ensure_ascii=False, indent=2)


def _mails(ok: dict[str, object], asked: argparse.Namespace) -> str:
    mails = ok.get("mails")
    found = [mail for mail in mails if isinstance(mail, dict)] if isinstance(mails, list) else []
    if asked.json:
        return json.dumps(found, ensure_ascii=False, indent=2)
    if asked.number and found:
        mail = found[0]
        return f"From: {mail['from']}\nTo: {', '.join(mail['to'])}\nSubject: {mail['subject']}\n\n{mail['text']}"
    if not found:
        return "No mail has arrived."
    lines = []
    for mail in found:
        at = time.strftime("%H:%M:%S", time.localtime(float(mail["at"])))
        first = next((line for line in str(mail["text"]).splitlines() if line.strip()), "")
        lines.append(f"{mail['number']:>4}  {at}  {mail['subject']}\n                 {first[:90]}")
    return "\n".join(lines)


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
