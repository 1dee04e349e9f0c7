"""The speech port of the virtual modem: 8 kHz, mono, 16 bits, a frame of 320 octets each 20 ms while a call is up.

The far end says what a wav file holds (or a pattern, or what it heard, or another virtual SIM) and writes what it hears
into another file, so that sound can be proved both ways.
"""

import asyncio
import time
import wave
from collections.abc import Callable
from pathlib import Path

from appliance.virtual import tones
from appliance.virtual.pty import PtyPort
from appliance.virtual.quirks import Quirks

FRAME = 320
FRAME_SECONDS = 0.02
OCTETS_A_SECOND = 16000
MOST_UNREAD = 10 * FRAME  # a program that does not read: the oldest sound is thrown away
MOST_FILE_SECONDS = 600
MOST_CATCH_UP = 10  # frames sent at once after the process slept
MOST_FED = OCTETS_A_SECOND // 2
PAUSE_AT, GO_AT = 15 * FRAME, 3 * FRAME  # sound that waits in the device
SEARCHED_SECONDS = 30
EVERY_OCTET = bytes(range(256)) * 5  # a whole number of frames: 4 of 320


class Speech:
    """All on the event loop's thread. `flow` hears whether the program may go on writing."""

    def __init__(self, port: PtyPort, quirks: Quirks, flow: Callable[[bool], None]) -> None:
        self.port = port
        self._quirks = quirks
        self._flow = flow
        self._said = b""
        self._loop = False
        self._at = 0
        self._record: Path | None = None
        self._heard = bytearray()
        self._saved = 0
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._sent = 0
        self._ear: Callable[[bytes], None] | None = None
        self._fed = bytearray()
        self._keys = bytearray()
        self._paused = False
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

    def press(self, digits: str) -> None:
        """The far end presses keys that are heard. Raises ValueError."""
        self._keys += tones.keys(digits)

    def feed(self, sound: bytes) -> None:
        """The far end is another SIM, and says this."""
        self._fed += sound
        del self._fed[:-MOST_FED]

    def keys_heard(self) -> str:
        """The keys in what the far end heard lately."""
        return tones.find(bytes(self._heard[-SEARCHED_SECONDS * OCTETS_A_SECOND :]))

    def begin(self, ear: Callable[[bytes], None] | None = None) -> None:
        """A call is up; `ear` hears what is written."""
        self._ear = ear
        if self._timer or not self.port.open:
            return
        self.port.forget_unheard()
        self.port.forget_unread()
        self._at = self._sent = self.frames_sent = self.octets_heard = self._saved = 0
        self._heard.clear()
        self._fed.clear()
        self._keys.clear()
        self._paused = False
        self._began = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(FRAME_SECONDS, self._tick)

    def end(self) -> None:
        """The call is over: the recording is finished."""
        self._ear = None
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
        if self._ear and heard:
            self._ear(heard)
        self._watch_flow(elapsed)
        if len(self._heard) - self._saved >= OCTETS_A_SECOND:
            self._save()
        self._timer = asyncio.get_running_loop().call_later(FRAME_SECONDS / 2, self._tick)

    def _watch_flow(self, elapsed: float) -> None:
        """More sound came than time passed: the program is to wait, until the device has said it all."""
        ahead = self.octets_heard - elapsed * OCTETS_A_SECOND
        if not self._paused and ahead > PAUSE_AT and self._quirks.flow_control:
            self._paused = True
            self._flow(False)
        elif self._paused and ahead < GO_AT:
            self._paused = False
            self._flow(True)

    def _next_frame(self) -> bytes:
        if self._keys:
            return _taken(self._keys)
        if self._fed or self._ear:
            return _taken(self._fed)
        if self._quirks.audio == "octets":
            at = self.frames_sent * FRAME % len(EVERY_OCTET)
            return EVERY_OCTET[at : at + FRAME]
        if self._quirks.audio == "loop-back":
            at = self.frames_sent * FRAME - int(self._quirks.loopback_seconds * 50) * FRAME
            return bytes(self._heard[max(at, 0) : max(at + FRAME, 0)]).ljust(FRAME, b"\0")
        if self._quirks.audio == "silence":
            return bytes(FRAME)
        frame = self._said[self._at : self._at + FRAME]
        self._at += FRAME
        if self._loop and self._at >= len(self._said):
            self._at = 0
        return frame.ljust(FRAME, b"\0")

    def _send(self, frame: bytes) -> None:
        if self._quirks.audio_stall:
            return
        self.frames_sent += 1
        lose = self._quirks.lose_octet
        if lose and self.frames_sent % lose == 0:
            frame = frame[:-1]
            self._quirks.shown("lose_octet")
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


def _taken(sound: bytearray) -> bytes:
    """The next frame of what waits."""
    frame = bytes(sound[:FRAME]).ljust(FRAME, b"\0")
    del sound[:FRAME]
    return frame
