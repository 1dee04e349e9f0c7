"""The appliance in its own processes, in a folder and on an address of its own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from appliance.exchange.control import Answer, ask
from appliance.settings.places import Places
from appliance.settings.secret import Secret
from appliance.settings.store import Store
from tests.peers.addresses import new_address
from tests.peers.waiting import until

PASSWORDS = {"101": "Phone101PasswordAbcd", "102": "Phone102PasswordAbcd", "103": "Phone103PasswordAbcd"}
MODULES = {
    "virtual": "appliance.virtual",
    "exchange": "appliance.exchange",
    "worker": "appliance.worker",
    "web": "webui",
}


def people(extensions: Mapping[str, str]) -> dict:
    """The section `people` for extensions and passwords."""
    return {
        "items": [
            {"id": f"p{e}", "extension": e, "name": f"Person {e}", "password": Secret(p)} for e, p in extensions.items()
        ]
    }


class Process:
    """One process of the box."""

    def __init__(self, box: "Box", name: str) -> None:
        self.name = name
        self.ready = False
        path = box.places.run / f"{name}.notify"
        path.unlink(missing_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(path))
        self._notify.settimeout(0.02)
        self._log = (box.folder / f"{name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", MODULES[name]], env={**box.environ, "NOTIFY_SOCKET": str(path)},
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True, cwd="/",
        )  # fmt: skip

    def is_ready(self) -> bool:
        with contextlib.suppress(TimeoutError):
            self.ready = self.ready or b"READY=1" in self._notify.recv(4096)
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}")
        return self.ready

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As systemd would; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(5)
        self._notify.close()
        self._log.close()
        return int(self.process.returncode)


class Box:
    """`with Box(...) as box:` starts the processes named and ends them."""

    def __init__(self, sections: Mapping[str, Mapping], start: tuple[str, ...] = ("exchange",), **environ: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="box"))
        self.address = new_address()
        self.places = Places(self.folder / "state", self.folder / "run")
        self.places.make()
        self.environ = {
            **os.environ, "CENTRALKA_STATE": str(self.places.state), "CENTRALKA_RUN": str(self.places.run),
            "ADDRESS": self.address, "CENTRALKA_VIRTUAL": "1", "PYTHONWARNINGS": "default", **environ,
        }  # fmt: skip
        self._start = start
        self.processes: dict[str, Process] = {}
        store = Store(self.places.settings, self.places.settings_good, self.places.key)
        for name, doc in sections.items():
            store.put(name, None, doc)

    def __enter__(self) -> "Box":
        for name in self._start:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        """Ends all; the logs go to standard error, which is shown with a test that failed."""
        for name in reversed(list(self.processes)):
            self.processes.pop(name).stop()
        for log in sorted(self.folder.glob("*.log")):
            sys.stderr.write(f"---- {log.name}\n{log.read_text(errors='replace')[-6000:]}\n")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name: str) -> Process:
        """Start a process and wait until it says that it is ready."""
        self.processes[name] = process = Process(self, name)
        until(f"{name} is ready (log {self.folder}/{name}.log)", process.is_ready, 30)
        return process

    def log(self, name: str = "exchange") -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    # ---- asking ---------------------------------------------------------------------------------------------------

    def ask(self, verb: str, **args: object) -> dict:
        """The answer of a verb; fails on an error."""
        answer = self.try_ask(verb, **args)
        assert answer.ok is not None, (verb, answer)
        return dict(answer.ok)

    def try_ask(self, verb: str, **args: object) -> Answer:
        return ask(self.places.control, verb, args, "test", 30.0)  # type: ignore[arg-type]

    def status(self) -> dict:
        return self.ask("status")

    def put(self, section: str, **changes: object) -> None:
        """Change fields of a single section."""
        now = self.ask("settings.get", section=section)
        self.ask("settings.put", section=section, version=now["version"], doc={**now["doc"], **changes})

    def put_item(self, section: str, item: str, **changes: object) -> None:
        """Change fields of one item of a list section."""
        now = self.ask("settings.get", section=section)
        items = [{**one, **changes} if one["id"] == item else one for one in now["doc"]["items"]]
        self.ask("settings.put", section=section, version=now["version"], doc={"items": items})

    def virtual(self, words: str, *more: str) -> str:
        """`centralka virtual ...`, as a person types it."""
        done = subprocess.run(
            [sys.executable, "-m", "appliance", "virtual", *words.split(), *more], env=self.environ, cwd="/",
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # ---- journal --------------------------------------------------------------------------------------------------

    def rows(self, table: str, where: str = "1") -> list[dict]:
        db = sqlite3.connect(f"file:{self.places.journal}?mode=ro", uri=True, timeout=5)
        try:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(f"SELECT * FROM {table} WHERE {where}")]
        finally:
            db.close()

    def calls(self) -> list[dict]:
        """Rows of ended calls, oldest first, with legs and trace read."""
        rows = sorted(self.rows("calls"), key=lambda row: row["started_at"])
        return [{**row, "legs": json.loads(row["legs"]), "trace": json.loads(row["trace"])} for row in rows]

    def calls_as_written(self) -> list[dict]:
        """Rows in the order in which they were written, whatever the clock was moved to."""
        rows = self.rows("calls", "1 ORDER BY rowid")
        return [{**row, "legs": json.loads(row["legs"]), "trace": json.loads(row["trace"])} for row in rows]

    def wait_calls(self, number: int = 1, seconds: float = 10.0) -> list[dict]:
        """The rows once there are that many."""
        return until(f"{number} rows of calls", lambda: r if len(r := self.calls()) >= number else None, seconds)

    def idle(self) -> None:
        """Wait until no call is left."""
        until("no call in progress", lambda: not self.status()["calls"])
