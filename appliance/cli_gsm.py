"""The commands about messages and modems that need no running box: `sms decode`, `sms encode`, `at parse`."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict

from appliance.errors import PduError

CHUNK = 65536
LONGEST_LINE = 4096  # octets of a line on standard input; no PDU is as long


def add_sms(sms: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What `sms` can do without a box."""
    decode = sms.add_parser("decode", help="print what PDUs say, as JSON, one line each")
    decode.add_argument("hex", nargs="*", help="PDUs; lines of standard input if left out")
    decode.add_argument("--strict", action="store_true", help="refuse what is damaged, instead of showing what is left")
    decode.set_defaults(command=_decode)

    encode = sms.add_parser("encode", help="print the PDUs of a text, as JSON, one line for each part")
    encode.add_argument("--to", required=True, help="a number, such as +48600100200")
    encode.add_argument("--text", required=True)
    encode.add_argument("--flash", action="store_true", help="shown at once, not kept by the telephone")
    encode.add_argument("--report", action="store_true", help="ask whether it arrives")
    encode.add_argument("--national", action="store_true", help="use national alphabets where they make it shorter")
    encode.add_argument("--valid", type=int, metavar="MINUTES", help="how long the network tries")
    encode.add_argument(
        "--reference", type=int, default=0, help="of a long message: parts with the same belong together"
    )
    encode.set_defaults(command=_encode)


def add_at(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What can be done with the output of a modem."""
    at = commands.add_parser("at", help="modems").add_subparsers(required=True, metavar="WHAT")
    parse = at.add_parser("parse", help="read a modem's output on standard input and print what it says, as JSON lines")
    parse.set_defaults(command=_at_parse)


def _say(body: object) -> None:
    plain = (sys.stdout.encoding or "ascii").lower().replace("-", "") != "utf8"
    sys.stdout.write(json.dumps(body, ensure_ascii=plain) + "\n")


def _decode(arguments: argparse.Namespace) -> int:
    from appliance.protocols.pdu import describe  # only these commands need the codec

    refused = False
    for text in arguments.hex or _lines_of_input():
        try:
            _say(describe(text, arguments.strict))
        except PduError as error:
            refused = True
            _say({"error": True, "reason": str(error)})
    return 1 if refused else 0


def _lines_of_input() -> Iterator[str]:
    """Lines with something in them. A longer one than a PDU can be comes in pieces, which are none."""
    while line := sys.stdin.buffer.readline(LONGEST_LINE):
        text = line.decode("utf-8", "replace").strip()
        if text:
            yield text


def _encode(arguments: argparse.Namespace) -> int:
    from appliance.protocols.pdu_encode import submits

    parts = submits(
        arguments.to, arguments.text, reference=arguments.reference, national=arguments.national,
        flash=arguments.flash, report=arguments.report, valid_minutes=arguments.valid,
    )  # fmt: skip
    for part in parts:
        _say(asdict(part))
    return 0


def _at_parse(_arguments: argparse.Namespace) -> int:
    from appliance.protocols.modem_shown import Transcript

    transcript = Transcript()
    while data := os.read(sys.stdin.fileno(), CHUNK):  # what is there: a live modem may be behind it
        for shown in transcript.feed(data):
            _say(shown)
    for shown in transcript.end():
        _say(shown)
    return 0
