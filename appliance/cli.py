"""The `centralka` command: what the page does, for the terminal. The only place that prints.

Each command is a function of the parsed arguments that gives the exit code: 0 done, 1 could not, 2 wrong words.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from appliance import __version__, cli_gsm
from appliance.errors import CentralkaError
from appliance.exchange.control import SECONDS_TO_ANSWER, Answer, ask
from appliance.settings.places import Places
from appliance.words import CAUSES, ERRORS, SENDING, SMS_STATES, TRACE, say

FOLLOW_SECONDS = 0.3  # between two looks at a message of ours

NETWORK_SECONDS = 95.0  # more than the exchange gives the network


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["virtual"]:
        # its devices and verbs are the virtual hardware's own business
        return int(import_module("appliance.virtual.commands").main(words[1:]))
    arguments = _parser().parse_args(words)
    try:
        command: Callable[[argparse.Namespace], int] = arguments.command
        return command(arguments)
    except (ConnectionRefusedError, FileNotFoundError):
        _say_error("The exchange is not running here. Start it with: make run   (or: make start)")
        return 1
    except TimeoutError:
        _say_error("The exchange did not answer in time.")
        return 1
    except CentralkaError as error:
        _say_error(say(ERRORS, error.id, error.args_for_words))
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="centralka", description="The office phone exchange in a box.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="start everything in the foreground")
    run.add_argument("--virtual", action="store_true", help="with a virtual modem, phone and mailbox")
    run.set_defaults(command=_run)

    start = commands.add_parser("start", help="start everything in the background")
    start.add_argument("--virtual", action="store_true", help="with a virtual modem, phone and mailbox")
    start.set_defaults(command=_start)
    commands.add_parser("stop", help="end what start started").set_defaults(command=_stop)

    status = commands.add_parser("status", help="lines, phones and calls now")
    _json(status)
    status.set_defaults(command=_status)

    explain = commands.add_parser("explain", help="what would happen to a call; rings nobody")
    explain.add_argument("--line", required=True, help="gsm0, or phones for a call from a phone")
    explain.add_argument("--from", dest="caller", required=True, help="number, withheld, unavailable, or an extension")
    explain.add_argument("--to", default="", help="the dialled number, for a call from a phone")
    explain.add_argument("--at", default="", help="2026-11-27T18:30 in the office's time; now if left out")
    explain.add_argument("--nobody", action="store_true", help="as if no phone were connected")
    explain.add_argument("--closed", action="store_true", help="as if the night switch were on")
    _json(explain)
    explain.set_defaults(command=_explain)

    sms = commands.add_parser("sms", help="messages").add_subparsers(required=True, metavar="WHAT")
    cli_gsm.add_sms(sms)
    cli_gsm.add_at(commands)

    send = sms.add_parser("send", help="send a message")
    send.add_argument("--to", required=True, help="a number, such as +48600100200")
    send.add_argument("--text", required=True)
    send.add_argument("--line", default="", help="gsm0; if left out, the line this number wrote to last")
    send.add_argument("--flash", action="store_true", help="shown at once, not kept by the telephone")
    send.add_argument("--no-report", action="store_true", help="do not ask whether it arrived")
    send.add_argument("--wait", action="store_true", help="print its states until nothing more will happen")
    send.set_defaults(command=_sms_send)

    ussd = commands.add_parser("ussd", help="send a code to the network of a SIM (*100#) and print its answer")
    ussd.add_argument("line", help="gsm0")
    ussd.add_argument("code")
    ussd.add_argument("--answer", action="append", default=[], metavar="TEXT", help="for a menu; can be repeated")
    _json(ussd)
    ussd.set_defaults(command=_ussd)

    night = commands.add_parser("night", help="the night switch: on, off, or auto for the hours")
    night.add_argument("value", choices=["on", "off", "auto", "toggle"])
    night.set_defaults(command=_night)

    block = commands.add_parser("block", help="block a number, a beginning (+48700*), withheld or unavailable")
    block.add_argument("pattern")
    block.add_argument("--allow", action="store_true", help="put it on the allow list instead")
    block.add_argument("--after-hours", action="store_true", help="only outside opening hours")
    block.add_argument("--messages", action="store_true", help="its messages too: they are stored, not mailed")
    block.add_argument("--line", default="")
    block.add_argument("--action", default="", choices=["", "reject", "busy", "announce"])
    block.add_argument("--reason", default="")
    block.add_argument("--until", default="", help="the moment it ends by itself, such as 2026-12-24T18:00")
    block.set_defaults(command=_block)

    unblock = commands.add_parser("unblock", help="take an entry off the list, by its number in the list")
    unblock.add_argument("id", type=int)
    unblock.set_defaults(command=_unblock)

    call = commands.add_parser("call", help="the story of a call: its row and its trace")
    call.add_argument("id", nargs="?", default="", help="the call's id; the newest if left out")
    _json(call)
    call.set_defaults(command=_call)

    commands.add_parser("virtual", help="the virtual modem, phone, mailbox and clock (centralka virtual --help)")
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _say(text: str = "") -> None:
    print(text)


def _say_error(text: str) -> None:
    print(text, file=sys.stderr)


def _print_json(body: object) -> None:
    _say(json.dumps(body, ensure_ascii=False, indent=2))


def _ask(verb: str, args: dict[str, object], seconds: float = SECONDS_TO_ANSWER) -> Answer:
    return ask(Places.of().control, verb, json.loads(json.dumps(args)), "command line", seconds)


def _failed(answer: Answer) -> int:
    _say_error(say(ERRORS, answer.error, {k: str(v) for k, v in answer.args.items()}))
    for path, fault in answer.fields.items():
        _say_error(f"  {path}: {say(ERRORS, str(fault), {})}")
    return 1


def _run(arguments: argparse.Namespace) -> int:
    from appliance.run import run  # what it needs (encryption, TinyDB) no other command does

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    return run(arguments.virtual)


def _start(arguments: argparse.Namespace) -> int:
    from appliance.background import start

    return start(arguments.virtual)


def _stop(arguments: argparse.Namespace) -> int:
    from appliance.background import stop

    return stop()


def _status(arguments: argparse.Namespace) -> int:
    answer = _ask("status", {})
    if answer.ok is None:
        return _failed(answer)
    if arguments.json:
        _print_json(answer.ok)
        return 0
    status = answer.ok
    _say(f"Centralka {status['version']}, {status['now']}, at {status['address']}")
    for row in _rows(status["lines"]):
        facts = row.get("facts")
        known = ", ".join(f"{k} {v}" for k, v in facts.items() if v) if isinstance(facts, dict) else ""
        _say(f"  line  {row['id']:8} {row['label']:20} {row['state']:12} {known}")
    for row in _rows(status["phones"]):
        _say(f"  phone {row['extension']:8} {row['name']:20} {row['state']}")
    for row in _rows(status["calls"]):
        _say(f"  call  {row['id']}  {row['caller'] or '(no number)'} on {row['line']}: {row['state']}")
    return 0


def _rows(value: object) -> list[dict[str, object]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _explain(arguments: argparse.Namespace) -> int:
    asked = {"line": arguments.line, "from": arguments.caller, "to": arguments.to, "at": arguments.at}
    answer = _ask("explain", {**asked, "nobody": arguments.nobody, "closed": arguments.closed})
    if answer.ok is None:
        return _failed(answer)
    if arguments.json:
        _print_json(answer.ok)
        return 0
    _say(f"At {answer.ok['at']}:")
    for number, step in enumerate(_rows(answer.ok["steps"]), 1):
        _say(f"  {number}. {_step_in_words(step)}")
    _say("Because:")
    for row in _rows(answer.ok["trace"]):
        _say(f"  - {row['text']}")
    return 0


def _step_in_words(step: dict[str, object]) -> str:
    who = ", ".join(str(t["number"]) + (f" on {t['line']}" if t["line"] != "phones" else "") for t in
                    _rows(step.get("targets")))  # fmt: skip
    cause = say(CAUSES, str(step.get("cause", "")), {})
    table = {
        "ring": f"{who} ring for {float(str(step.get('seconds') or 0)):g} s",
        "dial": f"{who} is dialled",
        "announce": f'the announcement "{step.get("prompt")}" is played, then the call ends ({cause})',
        "refuse": f"the call is refused ({cause})",
        "service": f"the code {step.get('service')} is carried out",
    }
    return table.get(str(step["do"]), str(step["do"]))


def _sms_send(arguments: argparse.Namespace) -> int:
    words: dict[str, object] = {"to": arguments.to, "text": arguments.text, "line": arguments.line}
    words |= {"flash": True} if arguments.flash else {}
    words |= {"report": False} if arguments.no_report else {}
    answer = _ask("sms.send", words)
    if answer.ok is None:
        return _failed(answer)
    parts = "1 part" if answer.ok["parts"] == 1 else f"{answer.ok['parts']} parts"
    _say(f"Message {answer.ok['id']}: {parts} ({answer.ok['coding']}) on {answer.ok['line']}")
    return _sms_follow(answer.ok["id"]) if arguments.wait else 0


def _sms_follow(out: object) -> int:
    """Print what becomes of a message; 0 when it arrived, or left and no report was asked for."""
    shown = ""
    while True:
        answer = _ask("sms.sent", {"id": out})
        if answer.ok is None:
            return _failed(answer)
        row = _rows(answer.ok["messages"])[0]
        why = say(SENDING, str(row["reason"]), {"line": row["line"]}) if row["reason"] else ""
        now = say(SMS_STATES, str(row["state"]), {}) + (f": {why}" if why else "")
        now += f" ({row['detail']})" if row["detail"] else ""
        if now != shown:
            _say(now)
            shown = now
        if row["over"]:
            return 0 if row["state"] in ("sent", "delivered") else 1
        time.sleep(FOLLOW_SECONDS)


def _ussd(arguments: argparse.Namespace) -> int:
    """A menu is answered from --answer, then by the person where there is one, else it is left."""
    answers = list(arguments.answer)
    answer = _ask("ussd.send", {"line": arguments.line, "code": arguments.code}, NETWORK_SECONDS)
    while answer.ok is not None:
        if arguments.json:
            _print_json(answer.ok)
        else:
            _say(str(answer.ok["text"]))
        if answer.ok.get("forwards"):
            _say_error("This code changes where the network sends callers.")
        if not answer.ok["more"]:
            return 0
        words = answers.pop(0) if answers else input("> ").strip() if sys.stdin.isatty() else ""
        if not words:
            _ask("ussd.cancel", {"line": arguments.line})
            _say_error("The network waits for an answer; the menu was left. Give it with --answer.")
            return 1
        answer = _ask("ussd.answer", {"line": arguments.line, "text": words}, NETWORK_SECONDS)
    return _failed(answer)


def _night(arguments: argparse.Namespace) -> int:
    answer = _ask("night", {"value": "" if arguments.value == "auto" else arguments.value})
    if answer.ok is None:
        return _failed(answer)
    _say({"on": "Night: on", "off": "Night: off, open"}.get(str(answer.ok["night"]), "Night: by the hours"))
    return 0


def _block(arguments: argparse.Namespace) -> int:
    answer = _ask(
        "block.add",
        {
            "pattern": arguments.pattern,
            "allow": arguments.allow,
            "what": "both" if arguments.messages else "calls",
            "when": "after-hours" if arguments.after_hours else "always",
            "line": arguments.line,
            "action": arguments.action,
            "reason": arguments.reason,
            "ends": arguments.until,
        },
    )
    if answer.ok is None:
        return _failed(answer)
    _say(f"{'Allowed' if arguments.allow else 'Blocked'}: {arguments.pattern} (entry {answer.ok['id']})")
    return 0


def _unblock(arguments: argparse.Namespace) -> int:
    answer = _ask("block.remove", {"id": arguments.id})
    if answer.ok is None:
        return _failed(answer)
    _say(f"Entry {arguments.id} is off the list.")
    return 0


def _call(arguments: argparse.Namespace) -> int:
    from appliance.journal.queries import call_story  # SQLite only where it is asked for

    story = call_story(Places.of().journal, arguments.id, lambda rule, facts: say(TRACE, rule, facts))
    if story is None:
        _say_error("There is no such call.")
        return 1
    if arguments.json:
        _print_json(story)
        return 0
    seconds = f"rang {int(str(story['ring_ms'])) // 1000} s, talked {int(str(story['talk_ms'])) // 1000} s"
    _say(f"{story['id']}  {story['started_at']}  {story['caller'] or story['caller_kind']} -> {story['called']}")
    _say(f"  {say(CAUSES, str(story['cause']), {})}, {seconds}, answered by {story['answered_by'] or 'nobody'}")
    for row in _rows(story["trace"]):
        _say(f"  - {row['text']}")
    return 0
