"""The speech of a SIM line: over the modem's serial speech port, or over a sound card (a Quectel's own USB audio, or
the one an analogue modem is wired to). Opened when a call is answered, closed when it ends.
"""

import logging
import os
import re
import termios
import tty
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from appliance.core.model import LegId, LineId
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

    card: str = ""  # ALSA's name, best by the card's own: hw:CARD=Android
    choice: str = "automatic"

    @property
    def by_card(self) -> bool:
        """Whether calls are heard over the sound card."""
        return self.choice == "alsa" or (self.choice == "automatic" and bool(self.card))


BY_PORT = Way()


def alsa_name(card: str) -> str:
    """ALSA's name of a card that is given by its socket, /dev/snd/by-path/...: two modems of a kind have the same name,
    and which of them is the second depends on who was first. Another name is given back as it is."""
    found = re.fullmatch(r".*/controlC(\d+)", os.path.realpath(card)) if card.startswith("/") else None
    return f"hw:{found[1]}" if found else card


class Speech:
    """Of one line; loop thread only. `heard` gets the digits that are in the sound, `lost` the reason when the speech
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

    def open(self, leg: LegId, family: Family, port: str) -> int | None:
        """The slot of the call's speech in the bridge. Without one the call is up and silent, and the log says so.
        `port`: path of the serial speech port, "" for none."""
        self._leg, self._family = leg, family
        try:
            self.slot = self._open_card(leg) if self.way.by_card else self._open_port(leg, family, port)
        except (OSError, termios.error) as error:
            self.state = "refused"
            log.error("line %s: the speech port cannot be opened, the call is silent: %s", self._line, error)
            return None
        if self.slot is None:
            self.state = "none"
            log.warning("line %s: no speech port is set, the call is silent", self._line)
            return None
        self.state = "up"
        self._audio.listen(leg, self._digit, self._gone)
        return self.slot

    def _open_card(self, leg: LegId) -> int | None:
        return self._audio.open_card(leg, alsa_name(self.way.card)) if self.way.card else None

    def _open_port(self, leg: LegId, family: Family, port: str) -> int | None:
        if not port:
            return None
        fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
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

    def _digit(self, digit: str) -> None:
        if digit in KEYS:
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
