"""Commands and replies as values: what was asked, what is answered (3GPP TS 27.007 4, ITU-T V.250 5)."""

import asyncio
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from appliance.virtual.at_answers import Family
from appliance.virtual.quirks import Quirks

CME_TEXTS = {
    3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted", 11: "SIM PIN required",
    12: "SIM PUK required", 14: "SIM busy", 16: "incorrect password", 21: "invalid index", 30: "no network service",
    13: "SIM failure", 22: "not found", 50: "Incorrect parameters", 100: "unknown",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """`AT+CPMS="SM","ME"` is name `+CPMS`, op `=`, args `("SM", "ME")`. `op` is "", "?", "=?" or "="."""

    name: str
    op: str = ""
    args: tuple[str, ...] = ()
    text: str = ""

    def number(self, place: int, otherwise: int = -1) -> int:
        """An argument as a number; `otherwise` when it is missing or none."""
        try:
            return int(self.args[place])
        except (IndexError, ValueError):
            return otherwise


@dataclass(frozen=True, slots=True)
class Reply:
    """Lines of information and the final result; or `raw`, an answer on record; `final` "" = none is sent."""

    lines: tuple[str, ...] = ()
    final: str = "OK"
    raw: bytes = b""
    cme: int = -1
    cms: int = -1


OK = Reply()
ERROR = Reply(final="ERROR")


def cme(code: int) -> Reply:
    """An error of the device, in the form AT+CMEE asks for."""
    return Reply(cme=code)


def cms(code: int) -> Reply:
    """An error of the message service."""
    return Reply(cms=code)


Handler = Callable[[Command], Reply | None]
"""None: the answer comes later, by `Host.finish`."""


class Host(Protocol):
    """What the parts of a modem may ask of the whole."""

    family: Family
    quirks: Quirks
    imei: str
    chance: random.Random

    def on_network(self) -> bool:
        """It is registered."""

    def hear(self, sound: bytes) -> None:
        """The far end of the call is another virtual SIM, and says this."""

    def urc(self, *lines: str) -> None:
        """Send unsolicited lines."""

    def later(self, seconds: float, do: Callable[[], None]) -> asyncio.TimerHandle:
        """Do something after a while, unless the device is gone by then."""

    def finish(self, reply: Reply) -> None:
        """End the command whose handler gave None."""

    def ask_message(self, take: Callable[[str | None], Reply | None]) -> None:
        """Send the prompt; `take` gets what was typed, None when it was cancelled."""

    def say(self, word: str, **facts: object) -> str:
        """A line of the family's table; "" when the family has no such line."""

    def reboot(self) -> None:
        """Go away and come back."""


_EXTENDED = re.compile(r"([+^*#$%&][A-Z0-9]+)(=\?|\?|=|)(.*)", re.IGNORECASE | re.DOTALL)


def parse(body: str) -> list[Command]:
    """The commands of a line without its `AT`; several may be joined by semicolons."""
    text = body.strip()
    if not text:
        return [Command("", text="AT")]
    if text[0] in "dD":
        return [Command("D", "=", (text[1:],), "AT" + text)]
    return [_one(part) for part in _split(text, ";") if part.strip()]


def _one(text: str) -> Command:
    text = text.strip()
    match = _EXTENDED.fullmatch(text)
    if match and text[0] != "&":
        name, op, rest = match.groups()
        if not op and rest:
            return Command(text.upper(), text="AT" + text)
        args = tuple(_unquote(a) for a in _split(rest, ",")) if op == "=" else ()
        return Command(name.upper(), op, args, "AT" + text)
    basic = re.fullmatch(r"(&?[A-Z])(\d*)(=(\d+)|\?|)", text, re.IGNORECASE)
    if basic:
        name = basic[1].upper() + (basic[2] if basic[1].upper() == "S" else "")
        value = basic[4] if basic[1].upper() == "S" else basic[2]
        return Command(name, "?" if basic[3] == "?" else "=", (value or "0",), "AT" + text)
    return Command(text.upper(), text="AT" + text)


def _split(text: str, mark: str) -> list[str]:
    parts, quoted = [""], False
    for letter in text:
        if letter == '"':
            quoted = not quoted
        if letter == mark and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _unquote(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def final_of(reply: Reply, mode: int) -> str:
    """The final line; `mode` is the setting of AT+CMEE: 0 bare, 1 numbers, 2 words."""
    if reply.cms >= 0:
        return f"+CMS ERROR: {reply.cms}"
    if reply.cme >= 0:
        if mode == 0:
            return "ERROR"
        return f"+CME ERROR: {CME_TEXTS.get(reply.cme, 'unknown') if mode == 2 else reply.cme}"
    return reply.final


Handlers = Mapping[str, Handler]
