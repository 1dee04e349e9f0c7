"""A modem on a pty that does as the test says: it answers from a table, can be silent, restart, go and come back."""

import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path

from appliance.core import events as ev
from appliance.core.model import LegId, LineId
from appliance.lines.gsm import GsmLine
from appliance.lines.gsm_care import Care
from appliance.lines.ports import Ports
from appliance.lines.power import UsbPower
from appliance.protocols.modem import Modem

READY = {
    "AT+CGMI": "huawei", "AT+CGMM": "E1752", "AT+CFUN?": "+CFUN: 1", "AT+CPIN?": "+CPIN: READY",
    "AT+CPMS=?": '+CPMS: ("SM"),("SM"),("SM")', "AT+CPMS?": '+CPMS: "SM",0,20,"SM",0,20,"SM",0,20',
    "AT+CREG?": "+CREG: 2,1", "AT+CSQ": "+CSQ: 20,99", "AT+COPS?": '+COPS: 0,0,"Orange PL",2',
}  # fmt: skip


class Silent:
    """A bridge that takes a descriptor."""

    def __init__(self) -> None:
        self.opened: list[LegId] = []

    def open_pcm(self, leg: LegId, fd: int) -> int:
        self.opened.append(leg)
        return 7

    def close_pcm(self, leg: LegId) -> None: ...


class ModemPeer:
    """A device under `folder`, as `name`; `silent`: it answers nothing; `streams`: it only sends this."""

    def __init__(self, folder: Path, name: str, imei: str = "", **answers: str) -> None:
        self.folder, self.name, self.streams = folder, name, b""
        self.answers = {**READY, "AT+CGSN": imei, **answers}
        self.sent: list[str] = []
        self.silent = False
        self.on: Callable[[str], None] = lambda command: None
        self.plug(name)

    @property
    def path(self) -> str:
        return str(self.folder / self.name)

    def plug(self, name: str) -> None:
        """It is there, under this name."""
        self.name = name
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        (self.folder / name).symlink_to(os.ttyname(self.slave))
        self._heard = b""

    def unplug(self) -> None:
        """It is pulled out."""
        (self.folder / self.name).unlink()
        os.close(self.master)
        os.close(self.slave)
        self.master = -1

    def say(self, text: str) -> None:
        os.write(self.master, f"\r\n{text}\r\n".encode())

    def step(self) -> None:
        """Answer what came."""
        if self.master < 0:
            return
        if self.streams:
            with contextlib.suppress(BlockingIOError):
                os.write(self.master, self.streams)
        with contextlib.suppress(BlockingIOError, OSError):
            self._heard += os.read(self.master, 4096)
        *commands, self._heard = self._heard.split(b"\r")
        for command in (one.decode("latin-1").strip("\x1b") for one in commands):
            self.sent.append(command)
            self.on(command)
            if self.silent or self.streams or self.master < 0:
                continue
            answer = self.answers.get(command, "")
            text = f"\r\n{answer}\r\n" if answer and not answer.startswith("!") else ""
            final = answer[1:] if answer.startswith("!") else "OK"
            os.write(self.master, f"{text}\r\n{final}\r\n".encode())

    def close(self) -> None:
        if self.master >= 0:
            self.unplug()


class Bench:
    """Lines and modems in one folder, with the time in our hands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = 0.0
        self.events: list[ev.Event] = []
        self.modems: list[ModemPeer] = []
        self.lines: list[GsmLine] = []
        self.ports = Ports(lambda: sorted(str(path) for path in folder.iterdir()))

    def modem(self, name: str, imei: str = "", **answers: str) -> ModemPeer:
        peer = ModemPeer(self.folder, name, imei, **answers)
        self.modems.append(peer)
        return peer

    def line(
        self, device: str, imei: str = "", known: dict | None = None, power: UsbPower | None = None, name: str = ""
    ) -> GsmLine:
        line_id = LineId(name or f"gsm{len(self.lines)}")
        path = str(self.folder / device)
        care = Care(line_id, path, self.events.append, self.ports, power or UsbPower(), imei, known)
        made = GsmLine(
            line_id, path, "", "+48600000000", "PL", Modem(), self.events.append, Silent(), lambda: self.at, care
        )
        self.lines.append(made)
        made.start()
        return made

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Let time pass, or until something holds; how long it took."""
        began = self.at
        while self.at < began + seconds and not until():
            self.at += 0.05
            for line in self.lines:
                line.poll(self.at)
            for modem in self.modems:
                modem.step()
        return self.at - began

    def up(self, line: GsmLine, within: float = 30.0) -> float:
        """Run until the line is in service."""
        took = self.run(within, lambda: line.status().usable)
        assert line.status().usable, (line.status().state, self.modems[0].sent[-20:])
        return took

    def told(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def said(self) -> list[str]:
        return [event.message for event in self.told(ev.LineSaid)]

    def facts(self) -> dict[tuple[str, str], object]:
        return {(event.line, event.name): event.value for event in self.told(ev.FactKnown)}

    def close(self) -> None:
        for line in self.lines:
            line.stop()
        for modem in self.modems:
            modem.close()
