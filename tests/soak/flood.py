"""A flood of messages through a box on which everything goes wrong: its modem lies, loses words and is pulled out, and
every process is killed again and again. Afterwards each message lies in the mailbox of a real mail server, once."""

import random
import sqlite3
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

from appliance.exchange.control import ask
from tests.acceptance.conftest import Office
from tests.peers.exim import Exim
from tests.peers.waiting import until

SENDERS = ("+48600100200", "+380501234567", "+34600100200", "Bank", "+40721000111")
TEXTS = (
    "Dzień dobry, numer {n}",
    "Доброго дня, номер {n} \U0001f44d",
    "Buenos días, número {n}",
    "Order {n} is ready " * 12,
)
NETWORK_HOLDS = 200  # what comes faster than the box takes it waits there


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    messages: int = 1000
    burst: int = 50
    kills: int = 200  # of the exchange and the worker, at random moments
    unplugs: int = 10
    seed: int = 1


@dataclass(slots=True)
class Report:
    """What came of it. `lost`: never mailed; `doubled`: mailed under two identifiers; `repeated`: one identifier twice,
    which a worker killed between the server's answer and the note of it may cause."""

    messages: int = 0
    mailed: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    repeated: int = 0
    kills: int = 0
    unplugs: int = 0
    seconds: float = 0.0
    sim_left: int = 0

    @property
    def well(self) -> bool:
        """Whether nothing was lost or doubled and the SIM is empty."""
        return not self.lost and not self.doubled and self.sim_left == 0 and self.mailed == self.messages


def flood(office: Office, server: Exim, size: Size) -> Report:
    """Send them all, in bursts, while killing and unplugging; then wait until the box has recovered and count."""
    chance = random.Random(size.seed)
    report, begun = Report(messages=size.messages), time.monotonic()
    _prepare(office, server)
    done = threading.Event()
    breaker = threading.Thread(
        target=_break, args=(office, size, random.Random(size.seed + 1), report, done), daemon=True
    )
    breaker.start()
    wanted = {}
    for number in range(size.messages):
        key = f"{size.seed}-{number:06d}"
        wanted[key] = text = chance.choice(TEXTS).format(n=key)
        sender = chance.choice(SENDERS)
        until("the network takes it", lambda s=sender, t=text: _given(office, s, t), 30, 0.1)
        if number % size.burst == size.burst - 1:
            time.sleep(chance.random() * 2)  # bursts come apart; the moment is what is varied
            until("the network holds less", lambda n=number: _stored(office) >= n - NETWORK_HOLDS, 120, 0.2)
    breaker.join()
    done.set()
    for name, value in (("memory_lie", False),):
        office.far("set", name=name, value=value)
    until("the journal has them all", lambda: _stored(office) >= size.messages, 180 + size.messages * 0.3, 0.5)
    until("the outbox is empty", lambda: not _waiting(office), 180 + size.messages * 0.2, 0.5)
    _count(office, server, wanted, report)
    report.seconds = time.monotonic() - begun
    return report


def _given(office: Office, sender: str, text: str) -> bool:
    """Whether the virtual network has the message; it takes none while the modem is unplugged."""
    return ask(office.places.virtual, "gsm0.sms", {"from": sender, "text": text}, "test").ok is not None


def _prepare(office: Office, server: Exim) -> None:
    office.put(
        "mail", host=server.address, port=server.port, security="plain", plain_allowed=True, user="", password="",
        sender="box@box.test", to=["office@box.test"],
    )  # fmt: skip
    # DROP office.far("set", name="drop_urc", value=0.05)
    office.far("set", name="memory_lie", value=True)


def _break(office: Office, size: Size, chance: random.Random, report: Report, done: threading.Event) -> None:
    """Kill and unplug until both counts are reached."""
    pulls = set(chance.sample(range(size.kills), min(size.unplugs, size.kills)))
    for number in range(size.kills):
        time.sleep(chance.random() * 0.5)
        if number in pulls:
            office.far("unplug")
            time.sleep(chance.random())
            office.far("plug")
            report.unplugs += 1
        name = chance.choice(["exchange", "worker"])
        office.processes.pop(name).kill()
        office.start(name)
        report.kills += 1
        if done.is_set():
            return


def _stored(office: Office) -> int:
    try:
        return len(office.rows("sms"))
    except sqlite3.Error:
        return 0


def _waiting(office: Office) -> list[dict]:
    """Rows that are not sent; a failed try would wait for minutes, so it is asked to be made now."""
    rows = office.rows("outbox", "state != 'sent'")
    for row in rows:
        if row["state"] in ("dead", "waiting") and row["attempts"]:
            office.try_ask("outbox.retry", id=row["id"])
    return rows


def _count(office: Office, server: Exim, wanted: dict[str, str], report: Report) -> None:
    names: dict[str, list[str]] = defaultdict(list)
    for mail in server.mails():
        body = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
        for key, text in wanted.items():
            if text.strip() in body.replace("\r\n", "\n"):
                names[key].append(str(mail["Message-ID"]))
    report.mailed = len(names)
    report.lost = sorted(wanted.keys() - names.keys())
    report.doubled = sorted(key for key, found in names.items() if len(set(found)) > 1)
    report.repeated = sum(len(found) - len(set(found)) for found in names.values())
    until("the SIM is empty", lambda: office.far("status")["messages"]["SM"]["used"] == 0, 130, 1.0)
    report.sim_left = office.far("status")["messages"]["SM"]["used"]
