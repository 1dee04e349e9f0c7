"""`centralka virtual ...`: words of a person to one request, its answer to words again."""

import argparse
import json
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.virtual.where import Where

SECONDS = 8.0
HOLD_SAID = 1.0
Args = dict[str, object]
CALL = ("number", "--withheld", "--unavailable", "--late", "--clip=HOW", "--for=SECONDS")
# verb -> its help, then its arguments as `_argument` reads them
VERBS: dict[str, tuple[str, ...]] = {
    "call": ("somebody calls this SIM (the number comes with the ring, before it, late, never)", *CALL),
    "second": ("somebody else calls while it talks", *CALL),
    "answer": ("the called one answers",),
    "busy": ("the called one is busy",),
    "no-answer": ("the called one does not answer",),
    "hang-up": ("the far end hangs up; --silent: no line tells", "--silent"),
    "press": ("the far end presses keys; --sound: they are heard", "digits", "--sound"),
    "heard": ("the keys that were in the sound the far end heard",),
    "sms": ("a message arrives", "from", "text", "--flash", "--coding=gsm7|ucs2"),
    "pdu": ("a message arrives as it is", "hex"),
    "sent": ("the messages that the program sent",),
    "ussd": ("what a code answers, by which m and in which encoding; the code `push`: at once, unasked",
             "code", "text?", "--encoding=FORM", "--result=M", "--seconds=SECONDS"),
    "balance": ("the balance of the SIM, told or set", "amount?"),
    "forward": ("forwarding is changed elsewhere: always, busy, no-answer, not-reachable; no number erases it",
                "reason", "number?"),
    "network": ("coverage", "on|off"),
    "storage": ("the SIM is full, or has room", "full|free"),
    "sim": ("the card is pulled, or put in, or another one", "out|in", "iccid?"),
    "pin": ("the card has this PIN from now; none", "pin"),
    "profile": ("another modem is put in its place: huawei, e1550, sim800, sim7600, ec25, ublox, worst, FILE.jsonl",
                "name"),
    "unplug": ("USB drops",),
    "plug": ("it comes back, under another name if one is given", "--as=NAME"),
    "fault": ("something goes wrong (off: no more; none: nothing does); alone: what is wrong now",
              "name?", "words*", "--for=SECONDS", "--once"),
    "play": ("what the far end says (8 kHz mono wav)", "file", "--loop"),
    "record": ("what the far end hears", "file"),
    "set": ("a switch of its behaviour", "name", "value"),
    "status": ("everything there is to see",),
}  # fmt: skip


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
        if asked.device == "record":
            return _record(asked)
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
    record = devices.add_parser("record", help="write down the talk with a real modem, for its test")
    record.add_argument("port", help="the modem's port; a program talks to the port that is made for it")
    record.add_argument("file", help="a file of JSON lines; `profile FILE` makes a virtual modem of it")
    record.add_argument("--link", default="", help="the name of the port that is made")
    for name in _modems(Where.of()):
        _modem(devices.add_parser(name, help="a SIM modem and its far end"))
    return parser


def _modems(where: Where) -> list[str]:
    """Those of the running box, or those it would have."""
    try:
        running = _ask(str(where.socket), "devices.list", {}).get("ok")
    except OSError:
        running = None
    found = running.get("modems") if isinstance(running, dict) else None
    return [str(name) for name in found] if isinstance(found, list) else [name for name, _ in where.modems]


def _modem(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, words in VERBS.items():
        one = verbs.add_parser(verb, help=words[0])
        for word in words[1:]:
            names, rules = _argument(word)
            one.add_argument(*names, **rules)  # type: ignore[arg-type]


def _argument(word: str) -> tuple[tuple[str, ...], dict[str, object]]:
    """`number`, `amount?`, `words*`, `on|off`, `--flag`, `--seconds=1.5` or `--name=` as argparse wants them."""
    name, valued, default = word.partition("=")
    if name.startswith("--"):
        target = name[2:].replace("-", "_") + "_"
        if not valued:
            return (name,), {"dest": target, "action": "store_true"}
        return (name,), {"dest": target, "default": None, "metavar": default or name[2:].upper()}
    if "|" in name:
        return ("state",), {"choices": name.split("|")}
    many = name[-1] if name[-1] in "?*" else ""
    return (name.rstrip("?*") + "_",), {"metavar": name.rstrip("?*"), **({"nargs": many} if many else {})}


def _record(asked: argparse.Namespace) -> int:
    """Stand between a real modem and its program until Ctrl-C."""
    from appliance.virtual.recorder import Recorder

    try:
        recorder = Recorder(asked.port, Path(asked.file), Path(asked.link) if asked.link else None)
    except OSError as error:
        _say(f"It cannot be recorded: {error}.")
        return 1
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell starts what runs in its background deaf to Ctrl-C
        signal.signal(ending, recorder.stop)
    _say(f"Recording. Point the program at {recorder.port}; Ctrl-C ends it.")
    recorder.run()
    _say(f"{recorder.close()} rows are in {asked.file}.")
    return 0


def _args_of(asked: argparse.Namespace) -> Args:
    left_out = ("device", "verb")
    args = {name.rstrip("_"): value for name, value in vars(asked).items() if name not in left_out}
    args = {name: value for name, value in args.items() if value is not None}
    if asked.verb in ("play", "record", "profile"):
        args = {name: _whole_path(value) for name, value in args.items()}
    if asked.verb == "network":
        return {"on": args["state"] == "on"}
    if asked.verb == "storage":
        return {"full": args["state"] == "full"}
    return args


def _whole_path(value: object) -> object:
    """A file is named from here, and read there."""
    return str(Path(value).resolve()) if isinstance(value, str) and ("/" in value or "." in value) else value


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
