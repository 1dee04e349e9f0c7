"""The speech of a SIM line: over the modem's serial speech port, or over a sound card (a Quectel's own USB audio, or
the one an analogue modem is wired to). Opened when a call is answered, closed when it ends.

Digits come from two sides, the modem's own detector and ours that listens to the sound; each is told once.
"""

import logging
import os
import termios
import tty
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from appliance.core.model import LegId, LineId
from appliance.protocols.dtmf import DigitsOnce
from appliance.protocols.modem_families import Family

log = logging.getLogger(__name__)

KEYS = "0123456789*#"  # A to D are no keys of a telephone: speech is taken for those most often


class PcmAudio(Protocol):
    """What a line needs of `audio.Audio`."""

    def open_pcm(self, leg: LegId, fd: int, rate: int = 8000, burst: int = 1) -> int: ...
    def open_card(self, leg: LegId, name: str) -> int: ...
    def close_pcm(self, leg: LegId) -> None: ...
    def listen(self, leg: LegId, heard: Callable[[str], None], lost: Callable[[str], None]) -> None: ...
    def flow(self, leg: LegId, go: bool) -> None: ...
    def press(self, leg: LegId, digits: str) -> None: ...
    def levels(self, slot: int) -> tuple[int, int]: ...


@dataclass(frozen=True, slots=True)
class Way:
    """What the settings say of a line's speech. `choice`: automatic, serial or alsa; automatic takes the sound card
    where one is named."""

    port: str = ""  # path of the serial speech port
    card: str = ""  # ALSA's name, best by the card's own: hw:CARD=Android
    choice: str = "automatic"

    @property
    def by_card(self) -> bool:
        """Whether calls are heard over the sound card."""
        return self.choice == "alsa" or (self.choice == "automatic" and bool(self.card))


class Speech:
    """Of one line; loop thread only. `heard` gets each digit of the far end once, `lost` the reason when the speech
    ended within a call. `state`: "" before the first call, none, refused, up, lost."""

    def __init__(
        self, line: LineId, way: Way, audio: PcmAudio, heard: Callable[[str], None], lost: Callable[[str], None]
    ) -> None:
        self.way = way
        self.state = ""
        self.slot: int | None = None
        self._line = line
        self._audio = audio
        self._heard = heard
        self._lost = lost
        self._leg: LegId | None = None
        self._family: Family | None = None
        self._once = DigitsOnce()

    def open(self, leg: LegId, family: Family, now: Callable[[], float]) -> int | None:
        """The slot of the call's speech in the bridge. Without one the call is up and silent, and the log says so.
        `now`: monotonic seconds, asked for each digit."""
        self._leg, self._family, self._once = leg, family, DigitsOnce()
        try:
            self.slot = self._open_card(leg) if self.way.by_card else self._open_port(leg, family)
        except (OSError, termios.error) as error:
            self.state = "refused"
            log.error("line %s: the speech port cannot be opened, the call is silent: %s", self._line, error)
            return None
        if self.slot is None:
            self.state = "none"
            log.warning("line %s: no speech port is set, the call is silent", self._line)
            return None
        self.state = "up"
        self._audio.listen(leg, lambda digit: self.digit(digit, False, now()), self._gone)
        return self.slot

    def _open_card(self, leg: LegId) -> int | None:
        return self._audio.open_card(leg, self.way.card) if self.way.card else None

    def _open_port(self, leg: LegId, family: Family) -> int | None:
        if not self.way.port:
            return None
        fd = os.open(self.way.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if os.isatty(fd):
                tty.setraw(fd, termios.TCSANOW)  # without waiting until an old call's speech has left
                termios.tcflush(fd, termios.TCIOFLUSH)
            return self._audio.open_pcm(leg, fd, family.speech_rate, family.speech_burst)
        finally:
            os.close(fd)

    def close(self) -> None:
        """The call is over."""
        leg, self._leg, self.slot = self._leg, None, None
        if leg:
            self._audio.close_pcm(leg)

    def _gone(self, why: str) -> None:
        self.state = "lost"
        log.warning("line %s: the speech of the call went away: %s", self._line, why)
        self._lost(why)

    def flow(self, go: bool) -> None:
        """The modem takes speech, or none for now (+QPCMV)."""
        if self._leg:
            self._audio.flow(self._leg, go)

    def digit(self, digit: str, by_modem: bool, at: float) -> None:
        """A key pressed at the far end, as the modem or the sound tells it. `at`: monotonic seconds."""
        if digit in KEYS and self._once.is_new(digit, by_modem, at):
            self._heard(digit)

    def press(self, digits: str) -> bool:
        """Our digits as sound, where the modem's own tones do not reach the far end; False: let the modem make them."""
        if not (self._leg and self._family and self.slot is not None):
            return False
        if not (self.way.by_card and self._family.card_needs_tones):
            return False
        self._audio.press(self._leg, digits)
        return True

    def facts(self) -> dict[str, str]:
        """For the page: how the speech is, and how loud each way in dBFS while there is a call."""
        facts = {"speech": self.state}
        if self.slot is not None:
            heard, said = self._audio.levels(self.slot)
            facts |= {"level_in": str(heard), "level_out": str(said)}
        return facts
