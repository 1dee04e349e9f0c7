"""What is asked of each SIM every night, over the exchange: its balance, and whether the network still forwards.

Each line has a minute of its own between three and five, so that an operator does not see all SIMs of the world at
once, and no two lines of a box. A line that cannot be asked now (in a call, out of service) is asked again later.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from appliance.errors import ControlError
from appliance.settings.fields import Value
from appliance.settings.sims import balance_of, wish_of
from appliance.worker.jobs import Round
from appliance.worker.lines import ask

log = logging.getLogger(__name__)

FIRST_MINUTE, MINUTES = 3 * 60, 120  # of the day
ANSWER_SECONDS = 620.0  # more than the exchange gives the network
LATER = frozenset({"line-in-call", "line-not-up", "ussd-busy", "ussd-lost", "ussd-no-network", "no-answer-in-time"})

Asked = tuple[str, str, int]  # verb, line, and every how many days


def asked_of(lines: Sequence[Mapping[str, Value]]) -> tuple[Asked, ...]:
    """What is asked every night, by the items of the section `lines`."""
    wanted: list[Asked] = []
    for item in lines:
        if not item.get("enabled", True):
            continue
        if balance_of(item).code:
            wanted.append(("credit.read", str(item["id"]), int(str(item.get("balance_days") or 1))))
        if wish_of(item).wanted():
            wanted.append(("forwarding.check", str(item["id"]), 1))
    return tuple(wanted)


def rounds_of(asked: Sequence[Asked], control: Path) -> list[Round]:
    """The same as rounds over the socket of the exchange; lines that share a minute by chance get the next one."""
    rounds: list[Round] = []
    taken: set[int] = set()
    for verb, line, days in asked:
        minute = int.from_bytes(hashlib.sha256(f"{verb} {line}".encode()).digest()[:4], "big") % MINUTES
        while minute in taken and len(taken) < MINUTES:
            minute = (minute + 1) % MINUTES
        taken.add(minute)
        hour, minute = divmod(FIRST_MINUTE + minute, 60)
        rounds.append(Round(f"{verb} {line}", hour, minute, partial(go, control, verb, line), days))
    return rounds


def go(control: Path, verb: str, line: str) -> bool:
    """Ask; False when it shall be asked again later. Blocks until the network has answered."""
    try:
        ask(control, verb, {"line": line}, seconds=ANSWER_SECONDS)
    except ControlError as error:
        log.info("%s of line %s: %s", verb, line, error.id)
        return error.id not in LATER
    except OSError as error:
        log.info("%s of line %s: the exchange does not answer: %s", verb, line, error)
        return False
    return True
