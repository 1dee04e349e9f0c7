"""Where a modem went: ports that no line holds are asked for their IMEI, one at a time, without waiting for any.

Kernel names move when a modem is pulled out and put back. A line that misses its modem looks here; what was asked a
moment ago is not asked again. Loop thread only; times are monotonic seconds.
"""

import contextlib
import fcntl
import logging
import os
import termios
import tty
from collections.abc import Callable
from dataclasses import dataclass

from appliance.core.model import LineId
from appliance.protocols.modem_probe import Probe

log = logging.getLogger(__name__)

ASK_AGAIN = 10.0
TRUE_FOR = 30.0
LIST_EVERY = 1.0
SPEECH = "-pcm"  # how the names of speech ports end


@dataclass(frozen=True, slots=True)
class _Said:
    imei: str
    at: float


class Ports:
    """Shared by all SIM lines. `candidates` lists ports, the surest names first; it is asked every few seconds."""

    def __init__(self, candidates: Callable[[], list[str]]) -> None:
        self._candidates = candidates
        self._held: dict[LineId, str] = {}
        self._expected: dict[LineId, str] = {}
        self._said: dict[str, _Said] = {}
        self._probe: Probe | None = None
        self._fd = -1
        self._path = ""
        self._next_at = 0.0
        self._listed: list[str] = []
        self._listed_at = -LIST_EVERY

    def hold(self, line: LineId, path: str) -> None:
        """The line uses this port, or will in a moment: nobody asks it."""
        self._held[line] = os.path.realpath(path)
        self._said.pop(self._held[line], None)
        if self._probe and os.path.realpath(self._path) == self._held[line]:
            self._end()

    def release(self, line: LineId) -> None:
        """It does not any more."""
        self._held.pop(line, None)

    def expect(self, line: LineId, imei: str) -> None:
        """Which modem is the line's; "" for any."""
        self._expected[line] = imei

    def is_of_another(self, line: LineId, imei: str) -> bool:
        """Whether that modem is the one of another line."""
        return any(one != line and theirs == imei for one, theirs in self._expected.items() if theirs)

    def forget(self, line: LineId) -> None:
        """The line is gone."""
        self._held.pop(line, None)
        self._expected.pop(line, None)

    def look_for(self, imei: str, at: float) -> str:
        """The port where that modem answered, "" while it is not found. Called again and again; each call does a small
        step."""
        if at >= self._listed_at + LIST_EVERY:
            self._listed, self._listed_at = self._candidates(), at
        self._go_on(at)
        for path in self._free():
            said = self._said.get(os.path.realpath(path))
            if said and said.imei == imei and at < said.at + TRUE_FOR:
                return path
        return ""

    def all_asked(self, at: float) -> bool:
        """Whether every port that nobody holds was asked lately."""
        asked = (self._said.get(os.path.realpath(path)) for path in self._free())
        return all(said is not None and at < said.at + TRUE_FOR for said in asked)

    def _free(self) -> list[str]:
        held = set(self._held.values())
        found = [path for path in self._listed if not path.endswith(SPEECH)]
        return [path for path in found if os.path.realpath(path) not in held]

    # ---- one port -------------------------------------------------------------------------------------------------

    def _go_on(self, at: float) -> None:
        if self._probe is None:
            if at >= self._next_at:
                self._begin(at)
            return
        probe = self._probe
        try:
            self._exchange(probe, at)
        except OSError:
            probe.imei = ""
        probe.tick(at)
        if probe.imei is not None:
            self._said[os.path.realpath(self._path)] = _Said(probe.imei, at)
            self._end()

    def _exchange(self, probe: Probe, at: float) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._fd, 4096)
            if data:
                probe.feed(data, at)
        if probe.output and probe.imei is None:
            with contextlib.suppress(BlockingIOError):
                sent = os.write(self._fd, probe.output)
                probe.output = probe.output[sent:]

    def _begin(self, at: float) -> None:
        for path in self._free():
            real = os.path.realpath(path)
            said = self._said.get(real)
            if said and at < said.at + ASK_AGAIN:
                continue
            try:
                self._fd = _open(real)
            except (OSError, termios.error):
                self._said[real] = _Said("", at)  # another program has it, or it just went
                continue
            self._path, self._probe = path, Probe.begun(at)
            return
        self._next_at = at + 1.0

    def _end(self) -> None:
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd, self._probe = -1, None


def _open(path: str) -> int:
    """A port for us alone, raw, 115200 (a USB modem does not care). Raises OSError, termios.error."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tty.setraw(fd, termios.TCSANOW)
        mode = termios.tcgetattr(fd)
        mode[4] = mode[5] = termios.B115200
        termios.tcsetattr(fd, termios.TCSANOW, mode)
        termios.tcflush(fd, termios.TCIFLUSH)
    except (OSError, termios.error):
        os.close(fd)
        raise
    return fd
