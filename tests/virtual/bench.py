"""A process of virtual hardware, its ports spoken to by hand: nothing of the product's engine is in between."""

import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path

from tests.peers.addresses import new_address
from tests.peers.waiting import until

FINAL = re.compile(rb"\r\n(OK|ERROR|\+CM[ES] ERROR: .*|NO CARRIER|BUSY|COMMAND NOT SUPPORT)\r+\n")
QUICK = {
    "ring_interval": 0.3, "register_seconds": 0.05, "reboot_seconds": 0.2, "setup_seconds": 0.05, "send_seconds": 0.05,
    "report_seconds": 0.1, "ussd_seconds": 0.05, "service_seconds": 0.05, "redeliver_seconds": 0.05,
}  # fmt: skip


class Port:
    """One modem: its AT port, and its far end by the socket."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.name = name
        self.fd = -1
        self.open()

    @property
    def link(self) -> Path:
        return self._folder / "run" / "devices" / f"{self.name}-at"

    def open(self, link: Path | None = None) -> None:
        """The port, anew if it was open."""
        self.close()
        path = link or self.link
        until(f"{path.name} is there", path.exists)
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd, termios.TCSANOW)  # what it said already is kept

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def ask(self, verb: str, **args: object) -> dict:
        """The far end's raw answer: `ok` or `error`."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(5)
            sock.connect(str(self._folder / "run" / "virtual.sock"))
            sock.sendall(json.dumps({"id": 1, "do": f"{self.name}.{verb}", "args": args}).encode() + b"\n")
            with sock.makefile("rb") as lines:
                return dict(json.loads(lines.readline()))

    def far(self, verb: str, **args: object) -> dict:
        found = self.ask(verb, **args)
        assert "ok" in found, found
        return dict(found["ok"])

    def status(self) -> dict:
        return self.far("status")

    def read(self, until_: re.Pattern[bytes] | str, seconds: float = 4.0) -> bytes:
        """What comes until the pattern is there."""
        pattern = re.compile(until_.encode("latin-1")) if isinstance(until_, str) else until_
        found, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                found += os.read(self.fd, 4096)
                if pattern.search(found):
                    return found
        raise AssertionError(f"not said: {pattern.pattern!r}, but {found!r}")

    def listen(self, seconds: float) -> bytes:
        """Everything that comes in so long a time."""
        found, end = b"", time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                found += os.read(self.fd, 4096)
        return found

    def write(self, text: str) -> None:
        os.write(self.fd, text.encode("latin-1"))

    def say(self, command: str, seconds: float = 4.0) -> str:
        self.write(command + "\r")
        return self.read(FINAL, seconds).decode("latin-1")

    def settle(self, *commands: str) -> "Port":
        """Registered, without echo, in PDU mode with numbered errors; then what else is wanted."""
        until(f"{self.name} is registered", lambda: self.status()["registered"])
        until(f"{self.name} answers", self._answers)
        for command in ("ATE0", "AT+CMEE=1", "AT+CMGF=0", *commands):
            assert "OK" in self.say(command), command
        return self

    def _answers(self) -> bool:
        self.write("AT\r")
        return b"OK" in self.listen(0.1)

    def send(self, pdu: str) -> str:
        """AT+CMGS and the PDU behind the prompt; what came back."""
        self.write(f"AT+CMGS={len(pdu) // 2 - 1 - int(pdu[:2], 16)}\r")
        self.read(r"> ?$")
        self.write(pdu + "\x1a")
        return self.read(FINAL).decode("latin-1")


class Bench:
    """The process; `gsm0` of it is open."""

    def __init__(self, folder: Path, modems: str = "gsm0=huawei", quirks: dict | None = None, **environ: str) -> None:
        self.folder = folder
        names = [pair.split("=")[0] for pair in modems.split(",")]
        switches = {name: QUICK | (quirks or {}) for name in names}
        self.environ = {
            **os.environ, "CENTRALKA_STATE": str(folder), "CENTRALKA_RUN": str(folder / "run"),
            "ADDRESS": new_address(), "CENTRALKA_VIRTUAL_MODEMS": modems,
            "CENTRALKA_VIRTUAL_QUIRKS": json.dumps(switches), **environ,
        }  # fmt: skip
        self._names = names
        self.ports: list[Port] = []
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "appliance.virtual"], env=self.environ, stderr=subprocess.DEVNULL, cwd="/"
        )
        until("the socket answers", self._is_up, 15)
        self.ports = [Port(self.folder, name) for name in self._names]

    def _is_up(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, contextlib.suppress(OSError):
            sock.connect(str(self.folder / "run" / "virtual.sock"))
            return True
        return False

    @property
    def gsm0(self) -> Port:
        return self.ports[0]

    @property
    def gsm1(self) -> Port:
        return self.ports[1]

    def stop(self) -> None:
        for port in self.ports:
            port.close()
        self.process.terminate()
        self.process.wait(5)
