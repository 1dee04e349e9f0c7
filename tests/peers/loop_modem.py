"""A SIM7600 on two ptys that answers every call to itself and gives back what it hears, or what a test makes of it.

One thread; `says(heard)` is asked each 20 ms and returns what comes in, or None for nothing at all; `heard` is None
when no frame has arrived in time: a machine that is busy is no fault of the speech.
"""

import os
import select
import threading
import time
import tty
from collections.abc import Callable
from types import TracebackType

import numpy as np

FRAME = 160
ANSWERS = {
    "AT+CGMI": "SIMCOM INCORPORATED", "AT+CGMM": "SIMCOM_SIM7600E-H", "AT+CPIN?": "+CPIN: READY",
    "AT+CREG?": "+CREG: 2,1", "AT+CEREG?": "+CEREG: 2,1", "AT+CGREG?": "+CGREG: 2,1", "AT+CSQ": "+CSQ: 20,99",
    "AT+COPS?": '+COPS: 0,0,"Test",7', "AT+CFUN?": "+CFUN: 1", "AT+CICCID": "+ICCID: 8948010000012345678",
    "AT+CGSN": "867584030000001", "AT+SPIC": "+SPIC: 3,10,0,10",
    "AT+CPMS=?": '+CPMS: ("SM"),("SM"),("SM")', "AT+CPMS?": '+CPMS: "SM",0,20,"SM",0,20,"SM",0,20',
}  # fmt: skip

Says = Callable[[np.ndarray | None], np.ndarray | None]


class LoopModem:
    """`with LoopModem(says) as modem:`; `device` and `pcm_device` are its ports."""

    def __init__(self, says: Says, answers: bool = True) -> None:
        self.says = says
        self.answers = answers  # its far end picks up
        self.dialled: list[str] = []
        self._call = ""
        self._at, slave = os.openpty()
        self._pcm, pcm_slave = os.openpty()
        self._slaves = (slave, pcm_slave)
        for fd in self._slaves:
            tty.setraw(fd)
        for fd in (self._at, self._pcm):
            os.set_blocking(fd, False)
        self.device, self.pcm_device = os.ttyname(slave), os.ttyname(pcm_slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loop modem", daemon=True)

    def __enter__(self) -> "LoopModem":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(5)
        for fd in (self._at, self._pcm, *self._slaves):
            os.close(fd)

    def _run(self) -> None:
        line, heard, next_frame = b"", bytearray(), time.monotonic()
        while not self._stop.is_set():
            ready, _, _ = select.select([self._at, self._pcm], [], [], 0.005)
            if self._at in ready:
                line += os.read(self._at, 4096)
                while b"\r" in line:
                    command, _, line = line.partition(b"\r")
                    self._answer(command.decode("latin-1").strip())
            if self._pcm in ready:
                heard += os.read(self._pcm, 65536)
            while time.monotonic() >= next_frame:
                next_frame += 0.02
                frame = np.frombuffer(bytes(heard[: 2 * FRAME]), "<i2") if len(heard) >= 2 * FRAME else None
                if frame is not None:
                    del heard[: 2 * FRAME]
                self._speak(frame)

    def _speak(self, frame: np.ndarray | None) -> None:
        said = self.says(frame) if self._call == "active" else None
        if said is not None:
            try:
                os.write(self._pcm, said.astype("<i2").tobytes())
            except BlockingIOError:
                return

    def _answer(self, command: str) -> None:
        upper = command.upper()
        if upper.startswith("ATD"):
            self.dialled.append(command[3:].rstrip(";"))
            self._call = "active" if self.answers else "alerting"
            self._say("OK", *(["VOICE CALL: BEGIN"] if self.answers else []))
        elif upper == "AT+CLCC" and self._call:
            self._say(f"+CLCC: 1,0,{0 if self._call == 'active' else 3},0,0", "OK")
        elif upper in ("AT+CHUP", "ATH"):
            ended, self._call = self._call, ""
            self._say("OK", *(["VOICE CALL: END: 000003", "NO CARRIER"] if ended else []))
        else:
            self._say(*([ANSWERS[upper]] if upper in ANSWERS else []), "OK")

    def _say(self, *lines: str) -> None:
        os.write(self._at, "".join(f"\r\n{one}\r\n" for one in lines).encode())
