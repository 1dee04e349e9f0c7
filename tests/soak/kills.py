"""The store and the mailer alone, killed at random moments.

Each is a process of its own, as in the box: the store reads messages from a SIM (a folder, a file for each slot), has
them written to the journal and then frees their slot; the mailer sends what the journal's outbox has to a real mail
server. Afterwards each message is stored once and was mailed at least once, always under one Message-ID.
"""

import json
import logging
import multiprocessing
import os
import random
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from appliance.journal.db import open_writer
from appliance.journal.outbox import release_leases
from appliance.journal.writer import Writer
from appliance.protocols.multipart import join
from appliance.settings.secret import Secret
from appliance.worker.clock import PlanClock
from appliance.worker.mailer import Account
from appliance.worker.office import Office
from appliance.worker.post import Post
from tests.journal.builders import rows, sms, write
from tests.peers.exim import Exim
from tests.peers.waiting import until
from tests.worker.rows import DESK, QUICK

LONGEST_LIFE = 0.5  # seconds from the moment when it works until it is killed
MOST_ON_SIM = 20
LONG_EACH = 5  # every fifth message has three parts
SIM, JOURNAL = "sim", "journal.db"


@dataclass(slots=True)
class Report:
    """What came of it; `doubled`: stored twice, or mailed under two identifiers; `repeated`: one identifier twice,
    which a mailer killed between the server's answer and the note of it may cause."""

    seed: int
    kills: int = 0
    messages: int = 0
    stored: int = 0
    mailed: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    repeated: int = 0
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Whether each message was stored once and mailed under one identifier."""
        return not self.lost and not self.doubled and self.messages == self.stored == self.mailed


class Pair:
    """The two processes, over one folder. A process is forked from one that has everything loaded: it works at once,
    so the moment of its death falls into its work."""

    def __init__(self, folder: Path, server: Exim) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.soak.kills"])
        self._mailer = (str(folder), server.address, server.port)
        self._folder = folder
        self._running: dict[str, BaseProcess] = {}
        for name in ("store", "mailer"):
            self.start(name)

    def start(self, name: str) -> None:
        """It works when this returns."""
        ready = self._context.Event()
        what, words = (store, (str(self._folder),)) if name == "store" else (mailer, self._mailer)
        self._running[name] = process = self._context.Process(target=what, args=(*words, ready), daemon=True)
        process.start()
        until(f"{name} works", lambda: ready.is_set() or not process.is_alive(), 30, 0.002)
        assert process.is_alive(), f"{name} ended with {process.exitcode}"

    def kill(self, name: str) -> None:
        """SIGKILL, as a power cut."""
        self._running[name].kill()
        self._running.pop(name).join(10)

    def end(self) -> None:
        for name in list(self._running):
            self.kill(name)


def kills(server: Exim, number: int, seed: int) -> Report:
    """So many kills, of either process, while a message comes before each; then both work to the end."""
    chance, report, begun = random.Random(seed), Report(seed), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="kills"))
    (folder / SIM).mkdir()
    pair = Pair(folder, server)
    try:
        for one in range(number):
            until("the SIM has room", lambda: len(_slots(folder)) < MOST_ON_SIM, 60)
            _arrive(folder, _key(seed, one), _parts(one))
            name = chance.choice(("store", "mailer"))
            time.sleep(chance.random() * LONGEST_LIFE)  # the moment is what is varied
            pair.kill(name)
            report.kills += 1
            pair.start(name)
        until("the SIM is empty", lambda: not _slots(folder), 60, 0.1)
        until("all are sent", lambda: not _waiting(folder), 60 + number * 0.2, 0.1)
        wanted = {_key(seed, one): "".join(_texts(_key(seed, one), _parts(one))) for one in range(number)}
        _count(folder, server, wanted, report)
    finally:
        pair.end()
        shutil.rmtree(folder, ignore_errors=True)
    report.seconds = time.monotonic() - begun
    return report


# ---- the two processes -----------------------------------------------------------------------------------------------


def store(folder: str, ready: threading.Event) -> None:
    """Until it is killed: every slot to the journal, and only then freed."""
    writer = Writer(Path(folder, JOURNAL), join, "box.test")
    assert writer.start() is None
    ready.set()
    while True:
        for slot in _slots(Path(folder)):
            write(writer, sms(**json.loads(slot.read_text(encoding="utf-8"))))
            slot.unlink()
        time.sleep(0.005)  # there is nobody to say that a message has come


def mailer(folder: str, address: str, port: int, ready: threading.Event) -> None:
    """Until it is killed: what the outbox has, to the server."""
    logging.disable(logging.WARNING)
    account = Account(address, port, "plain", True, "", Secret(""), DESK.sender)
    office, post = Office(DESK, account, "", {}), Post(PlanClock(), lambda: None, QUICK)
    with closing(open_writer(Path(folder, JOURNAL), 10.0)) as db:
        release_leases(db, datetime.now(UTC))
        ready.set()
        while True:
            post.look(db, office)
            time.sleep(0.005)  # as above


# ---- what comes, what came of it -------------------------------------------------------------------------------------


def _key(seed: int, number: int) -> str:
    return f"{seed}-{number:06d}"


def _parts(number: int) -> int:
    return 3 if number % LONG_EACH == 0 else 1


def _texts(key: str, parts: int) -> list[str]:
    return [f"Zażółć {key} część {sequence}. " for sequence in range(1, parts + 1)]


def _arrive(folder: Path, key: str, parts: int) -> None:
    """A message, in one slot or in one for each part; a slot is there whole or not at all."""
    for sequence, text in enumerate(_texts(key, parts), 1):
        more = {"reference": int(key[-6:]) % 256, "total": parts, "sequence": sequence} if parts > 1 else {}
        beside = folder / f"{key}.{sequence}"
        beside.write_text(json.dumps({"text": text, "coding": "ucs2", **more}), encoding="utf-8")
        os.rename(beside, folder / SIM / beside.name)


def _slots(folder: Path) -> list[Path]:
    return sorted((folder / SIM).iterdir())


def _waiting(folder: Path) -> bool:
    return bool(rows(folder / JOURNAL, "SELECT 1 FROM outbox WHERE state != 'sent'"))


def _count(folder: Path, server: Exim, wanted: dict[str, str], report: Report) -> None:
    """`wanted`: the texts by their keys. A message that is not whole counts as lost."""
    stored: dict[str, list[str]] = defaultdict(list)
    for row in rows(folder / JOURNAL, "SELECT text FROM sms"):
        stored[_said(str(row["text"]))].append(str(row["text"]).strip())
    mailed: dict[str, list[str]] = defaultdict(list)
    for mail in server.mails():
        mailed[_said(mail.get_content())].append(str(mail["Message-ID"]))
    report.messages, report.stored = len(wanted), len(stored)
    report.mailed = len(wanted.keys() & mailed.keys())
    report.lost = [key for key, text in wanted.items() if text.strip() not in stored[key] or key not in mailed]
    report.doubled = [key for key in wanted if len(stored[key]) > 1 or len(set(mailed[key])) > 1]
    report.repeated = sum(len(found) - len(set(found)) for found in mailed.values())


def _said(text: str) -> str:
    """The key within a text: its second word."""
    return text.split()[1] if len(text.split()) > 1 else ""
