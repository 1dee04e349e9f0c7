"""The speech port of the virtual modem: 8 kHz, mono, 16 bits, a frame of 320 octets each 20 ms while a call is up.

The far end says what a wav file holds and writes what it hears into another, so that sound can be proved both ways.
"""

import asyncio
import time
import wave
from pathlib import Path

from appliance.virtual.pty import PtyPort
from appliance.virtual.quirks import Quirks

FRAME = 320
FRAME_SECONDS = 0.02
MOST_UNREAD = 10 * FRAME  # a program that does not read: the oldest sound is thrown away
MOST_FILE_SECONDS = 600
MOST_CATCH_UP = 10  # frames sent at once after the process slept


class Speech:
    """All on the event loop's thread."""

    def __init__(self, port: PtyPort, quirks: Quirks) -> None:
        self.port = port
        self._quirks = quirks
        self._said = b""
        self._loop = False
        self._at = 0
        self._record: Path | None = None
        self._heard = bytearray()
        self._saved = 0
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._sent = 0
        self.frames_sent = 0
        self.octets_heard = 0

    def play(self, path: str, loop: bool) -> None:
        """What the far end says, from the start of each call. Raises ValueError."""
        try:
            with wave.open(path, "rb") as file:
                if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, 8000):
                    raise ValueError("the file is not 8 kHz, mono, 16 bits")
                self._said = file.readframes(8000 * MOST_FILE_SECONDS)
        except (OSError, EOFError, wave.Error) as error:
            raise ValueError(f"the file cannot be read: {error}") from None
        self._loop, self._at = loop, 0

    def record(self, path: str) -> None:
        """Where what the far end hears is written. Raises ValueError."""
        target = Path(path)
        if not target.is_absolute() or not target.parent.is_dir():
            raise ValueError("give the whole path of a file in a folder that is there")
        self._record = target

    def begin(self) -> None:
        """A call is up."""
        if self._timer or not self.port.open:
            return
        self.port.forget_unheard()
        self.port.forget_unread()
        self._at = self._sent = self.frames_sent = self.octets_heard = self._saved = 0
        self._heard.clear()
        self._began = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(FRAME_SECONDS, self._tick)

    def end(self) -> None:
        """The call is over: the recording is finished."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
            self._save()

    def _tick(self) -> None:
        elapsed = (time.monotonic() - self._began) * (1 + self._quirks.drift_ppm / 1e6)
        due = min(int(elapsed / FRAME_SECONDS) - self._sent, MOST_CATCH_UP)
        self._sent = max(self._sent + max(due, 0), int(elapsed / FRAME_SECONDS) - MOST_CATCH_UP)
        for _ in range(max(due, 0)):
            self._send(self._next_frame())
        heard = self.port.read()
        self._heard += heard
        self.octets_heard += len(heard)
        if len(self._heard) - self._saved >= 16000:
            self._save()
        self._timer = asyncio.get_running_loop().call_later(FRAME_SECONDS / 2, self._tick)

    def _next_frame(self) -> bytes:
        frame = self._said[self._at : self._at + FRAME]
        self._at += FRAME
        if self._loop and self._at >= len(self._said):
            self._at = 0
        return frame.ljust(FRAME, b"\0")

    def _send(self, frame: bytes) -> None:
        self.frames_sent += 1
        lose = self._quirks.lose_octet
        if lose and self.frames_sent % lose == 0:
            frame = frame[:-1]
        if self.port.unread() > MOST_UNREAD:
            self.port.forget_unread()
        self.port.write(frame)

    def _save(self) -> None:
        self._saved = len(self._heard)
        if self._record is None:
            return
        temp = self._record.with_name(self._record.name + ".new")
        try:
            with wave.open(str(temp), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(bytes(self._heard[: len(self._heard) // 2 * 2]))
            temp.replace(self._record)
        except OSError:
            self._record = None
