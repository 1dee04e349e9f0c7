"""`centralka run`: exchange, worker and web (and the virtual hardware) under one supervisor, in the foreground.

On the Pi systemd does this job; here a child that dies is started again after a pause that doubles, exactly as a unit
with Restart=always would be. Children tell that they are ready through the sd_notify protocol, each on a socket of its
own. Their logs go to files; the terminal shows what a person needs.
"""

import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.exchange.address import is_loopback, own_address
from appliance.exchange.control import ask
from appliance.settings.demo import demo_settings
from appliance.settings.places import Places
from appliance.settings.store import Store

log = logging.getLogger(__name__)

READY_SECONDS = 30.0
STOP_SECONDS = 8.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
UNUSABLE_SETTINGS = 78  # a child that ends so cannot be helped by another start


@dataclass(slots=True)
class Child:
    """One process and how it is doing."""

    name: str
    module: str
    process: subprocess.Popen[bytes] | None = None
    notify: socket.socket | None = None
    ready: bool = False
    pause: float = FIRST_PAUSE
    start_at: float = 0.0
    started: float = 0.0
    extra: dict[str, str] = field(default_factory=dict)


class Supervisor:
    """Starts the children in order, keeps them alive, ends them in reverse order."""

    def __init__(self, places: Places, environ: dict[str, str], names: tuple[tuple[str, str], ...]) -> None:
        self._places = places
        self._environ = environ
        self._logs = places.state / "log"
        self._logs.mkdir(mode=0o770, parents=True, exist_ok=True)
        self.children = [Child(name, module) for name, module in names]
        self.stopping = False
        self.failed = False

    def stop(self, *_: object) -> None:
        """For signal handlers."""
        self.stopping = True

    def start(self, child: Child) -> None:
        """Start it and listen for its READY=1."""
        path = self._places.run / f"{child.name}.notify"
        path.unlink(missing_ok=True)
        child.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        child.notify.bind(str(path))
        child.notify.setblocking(False)
        out = open(self._logs / f"{child.name}.log", "ab")  # noqa: SIM115 - the child keeps it
        environ = {**self._environ, "NOTIFY_SOCKET": str(path), **child.extra}
        child.process = subprocess.Popen(
            [sys.executable, "-m", child.module], env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
        out.close()
        child.ready, child.started = False, time.monotonic()

    def look(self) -> None:
        """Take readiness in and start again what died."""
        now = time.monotonic()
        for child in self.children:
            self._take_readiness(child)
            if child.process is None:
                if now >= child.start_at and not self.stopping:
                    self.start(child)
            elif child.process.poll() is not None and not self.stopping:
                self._died(child, now)

    def _take_readiness(self, child: Child) -> None:
        while child.notify is not None:
            try:
                said = child.notify.recv(4096)
            except (BlockingIOError, OSError):
                return
            if b"READY=1" in said:
                child.ready, child.pause = True, FIRST_PAUSE

    def _died(self, child: Child, now: float) -> None:
        code = child.process.returncode if child.process else 0
        if code == UNUSABLE_SETTINGS:
            tell(f"The {child.name} process cannot work like this: {self._last_words(child)}")
            self.stopping = self.failed = True
            return
        tell(f"The {child.name} process ended (code {code}); it starts again. Its log: {self._logs / child.name}.log")
        self._forget(child)
        child.pause = FIRST_PAUSE if now - child.started > 60 else min(child.pause * 2, LONGEST_PAUSE)
        child.start_at = now + child.pause

    def _last_words(self, child: Child) -> str:
        """The last error in a child's log."""
        text = (self._logs / f"{child.name}.log").read_text(encoding="utf-8", errors="replace")
        errors = [line for line in text.splitlines() if "ERROR" in line]
        return errors[-1].partition("ERROR ")[2].partition(": ")[2] if errors else f"see {self._logs}"

    def _forget(self, child: Child) -> None:
        child.process, child.ready = None, False
        if child.notify:
            child.notify.close()
            child.notify = None

    def wait_ready(self, names: tuple[str, ...], seconds: float = READY_SECONDS) -> list[str]:
        """Wait until these are ready; gives the names of those that are not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.stopping:
            self.look()
            late = [c.name for c in self.children if c.name in names and not c.ready]
            if not late:
                return []
            time.sleep(0.02)  # readiness comes as a datagram to one of several sockets; this is a start, not a call
        return [c.name for c in self.children if c.name in names and not c.ready]

    def stop_all(self) -> None:
        """End them in reverse order: TERM, eight seconds, KILL."""
        self.stopping = True
        for child in reversed(self.children):
            if child.process is None or child.process.poll() is not None:
                continue
            child.process.terminate()
            try:
                child.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                tell(f"The {child.name} process did not end in {STOP_SECONDS:.0f} s and was killed.")
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait(2)
            self._forget(child)


def tell(sentence: str) -> None:
    """A sentence for the person at the terminal."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def prepare(places: Places, virtual: bool, address: str, sims: int = 1) -> None:
    """First start: settings of the demo with a line for each virtual SIM, the one-time sign-in."""
    places.make()
    store = Store(places.settings, places.settings_good, places.key)
    if virtual and not places.settings.exists():
        for name, doc in demo_settings(places.devices, address, sims).items():
            store.put(name, None, doc)
    if not places.first_start.exists() and not (places.state / "first-start.done").exists():
        write_private(places.first_start, secrets.token_urlsafe(24))


def write_private(path: Path, text: str) -> None:
    """A file that only its owner reads, replaced whole."""
    temp = path.with_name(path.name + ".new")
    handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temp, path)


def give_demo_phone(places: Places) -> None:
    """Tell the demo phone 101 its password and where to register."""
    answer = ask(places.control, "secret.show", {"kind": "phone", "id": "p101"}, "demo phone")
    if answer.ok:
        shown = answer.ok
        write_private(
            places.run / "phone0.json",
            json.dumps({"extension": shown["username"], "password": shown["password"],
                        "server": shown["server"], "port": shown["port"]}),
        )  # fmt: skip


def set_demo_clock(places: Places) -> str:
    """Outside the demo line's hours, let its clock stand one hour after the next opening. Gives the moment, or ""."""
    answer = ask(places.control, "status", {}, "run")
    state = (answer.ok or {}).get("open", {})
    line = state.get("gsm0") if isinstance(state, dict) else None
    if not isinstance(line, dict) or line.get("open") or not line.get("until"):
        return ""
    moment = str(line["until"]).replace("T09:00", "T10:00")
    ask(places.control, "clock.set", {"at": moment}, "run")
    return moment


def welcome(places: Places, address: str, virtual: bool, clock: str) -> str:
    """What a newcomer reads: the page, the sign-in, three things to try."""
    network = Store(places.settings, places.settings_good, places.key).read()["network"]
    local = is_loopback(address)
    page = f"http://{address}:{network['web_port']}/" if local else f"https://{address}:{network['https_port']}/"
    lines = ["", "Centralka is running.", "", f"  The page:       {page}"]
    if places.first_start.exists():
        token = places.first_start.read_text(encoding="utf-8").strip()
        lines.append(f"  First sign-in:  {page}start?token={token}   (works once)")
    if not local:
        lines.append("                  (your browser will warn: the certificate is the box's own)")
    elif not os.environ.get("ADDRESS"):
        lines.append("  This machine has no private network address, so only this machine reaches the page.")
    if virtual:
        command = os.environ.get("CENTRALKA_COMMAND", ".venv/bin/centralka")
        lines += [
            "",
            "Three things to try, each in another terminal:",
            f"  {command} virtual gsm0 call +48600100200      a call comes in; phone 101 rings",
            f"  {command} virtual phone0 answer               answer it   (virtual gsm0 hang-up ends it)",
            f'  {command} virtual gsm0 sms +48600100200 "Hello"   then: {command} virtual mail',
        ]
        if clock:
            lines += ["", f"  The office is closed now, so the demo's clock stands at {clock}.",
                      f"  {command} virtual clock real                  gives it the real time back"]  # fmt: skip
    lines += ["", f"  Logs: {places.state / 'log'}    Ctrl-C ends everything.", ""]
    return "\n".join(lines)


def run(virtual: bool, environ: dict[str, str] | None = None, told: Callable[[str], None] = tell) -> int:
    """The whole appliance in the foreground; 0 after a clean end, 1 when it could not start."""
    environ = dict(environ if environ is not None else os.environ)
    places = Places.of(environ)
    address = own_address(environ.get("ADDRESS", ""))
    environ |= {"CENTRALKA_STATE": str(places.state), "CENTRALKA_RUN": str(places.run), "ADDRESS": address}
    environ["CENTRALKA_VIRTUAL"] = "1" if virtual else ""
    sims = environ.get("CENTRALKA_VIRTUAL_SIMS", "")
    prepare(places, virtual, address, int(sims) if sims.isdecimal() else 1)
    names: tuple[tuple[str, str], ...] = (("virtual", "appliance.virtual"),) if virtual else ()
    names += (("exchange", "appliance.exchange"), ("worker", "appliance.worker"), ("web", "webui"))
    supervisor = Supervisor(places, environ, names)
    signal.signal(signal.SIGINT, supervisor.stop)
    signal.signal(signal.SIGTERM, supervisor.stop)
    try:
        late = supervisor.wait_ready(tuple(name for name, _ in names))
        if supervisor.stopping:
            return int(supervisor.failed)
        if late:
            told(
                f"Not ready after {READY_SECONDS:.0f} s: {', '.join(late)}. The logs in {places.state / 'log'} say why."
            )
            return 1
        clock = ""
        if virtual:
            give_demo_phone(places)
            clock = set_demo_clock(places)
        told(welcome(places, address, virtual, clock))
        while not supervisor.stopping:
            supervisor.look()
            time.sleep(0.2)  # how soon a dead child is noticed
    finally:
        supervisor.stop_all()
        told("Centralka has ended.")
    return int(supervisor.failed)
