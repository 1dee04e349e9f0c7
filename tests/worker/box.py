"""A box with settings and a journal, and the real worker process beside it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from appliance.core.events import SmsPart
from appliance.core.model import Kind, Number
from appliance.journal.times import stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import StoreSmsPart
from appliance.settings.places import Places
from appliance.settings.secret import Secret
from appliance.settings.store import Store
from appliance.worker.clock import PlanClock
from appliance.worker.lines import ask
from tests.journal.builders import join, rows, write
from tests.peers.exim import PASSWORD, USER, Exim, until
from tests.worker.rows import ANNA, DESK

ROOT = Path(__file__).parent.parent.parent


class Box:
    """`close()` ends everything. The writer stands for the exchange."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="box-"))  # short: names of sockets have a limit
        self.places = Places(self.folder / "s", self.folder / "r")
        self.places.make()
        self.store = Store(self.places.settings, self.places.settings_good, self.places.key)
        self.store.put(
            "office", None, {"name": DESK.name, "language": "pl", "timezone": "Europe/Warsaw", "country": "PL"}
        )
        self.writer = Writer(self.places.journal, join, "box.test", self.places.worker)
        self.environ: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(self.folder / "n"))
        self._notify.settimeout(10)
        self._count = 0

    def mail_to(self, server: Exim, **more: object) -> None:
        """Store settings for mail that fit the server, and trust its authority."""
        doc = {
            "enabled": True, "host": server.address, "port": server.port, "security": "starttls", "user": USER,
            "password": Secret(PASSWORD), "sender": DESK.sender, "to": ["office@x.test"],
        } | more  # fmt: skip
        self.store.put("mail", None, doc)
        self.environ["SSL_CERT_FILE"] = str(server.certificates.authority)

    def start(self, **environ: str) -> None:
        """The worker, ready when this returns."""
        everything = {
            **os.environ, "CENTRALKA_STATE": str(self.places.state), "CENTRALKA_RUN": str(self.places.run),
            "NOTIFY_SOCKET": str(self.folder / "n"), "PYTHONPATH": str(ROOT), "CENTRALKA_VIRTUAL": "1",
            **self.environ, **environ,
        }  # fmt: skip
        with open(self.folder / "log", "ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "appliance.worker"], env=everything, stdout=out, stderr=out, cwd=ROOT
            )
        self.wait_told("READY=1")

    def wait_told(self, wanted: str) -> list[str]:
        """Wait for a state told to the supervisor; gives all that was told until then."""
        told: list[str] = []
        while not told or wanted not in told[-1]:
            told.append(self._notify.recv(4096).decode())
        return told

    def kill(self) -> None:
        """As a power cut does."""
        if self.process:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def end(self, seconds: float = 10) -> int:
        """SIGTERM; its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def close(self) -> None:
        self.kill()
        self.writer.stop()
        self._notify.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sms(self, text: str, to: tuple[str, ...] = ("office@x.test",), sender: str = ANNA, **more: object) -> int:
        """Store a message as the exchange does; gives the outbox row of its mail, 0 when it has none."""
        self._count += 1
        part = SmsPart(
            pdu=f"{self._count:08X}", sender=Number(sender, Kind.E164), text=text, coding="ucs2",
            octets=text.encode("utf-16-be"), sent_at=None,
        )  # fmt: skip
        now = stamp(PlanClock().now())
        one = StoreSmsPart("gsm0", "SM", 1, part, now, recipients=to, line_label="Recepcja", **more)
        [stored] = write(self.writer, one)
        return int(stored.outbox or 0)

    def datagram(self, said: bytes) -> None:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sock:
            sock.sendto(said, str(self.places.worker))

    def outbox(self) -> list[dict[str, object]]:
        return rows(self.places.journal, "SELECT * FROM outbox ORDER BY id")

    def events(self) -> list[tuple[str, dict[str, str]]]:
        found = rows(self.places.journal, "SELECT message, args FROM events ORDER BY id")
        return [(str(row["message"]), json.loads(str(row["args"]))) for row in found]

    def wait_state(self, number: int, state: str, seconds: float = 20, attempts: int = 0) -> dict[str, object]:
        """Wait until an outbox row has this state and at least so many attempts behind it."""

        def row() -> dict[str, object]:
            return next(one for one in self.outbox() if one["id"] == number)

        def there() -> bool:
            found = row()
            return found["state"] == state and int(str(found["attempts"])) >= attempts

        until(there, seconds, lambda: f"{row()}\n{self.log()}")
        return row()

    def ask(self, verb: str, args: Mapping[str, object] | None = None, seconds: float = 10) -> dict[str, object]:
        return dict(ask(self.places.worker_requests, verb, args, seconds))

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")
