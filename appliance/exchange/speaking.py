"""Pieces spoken one after another to a leg, without a gap: prompts, numbers, texts. Loop thread.

A text that was never spoken is spoken by the worker first; the leg waits for it a moment, and then hears the rest.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.model import LegId
from appliance.exchange.exchange import Exchange
from appliance.exchange.voices import text_of

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0  # a sentence is spoken in a tenth of that


class Speaker(Protocol):
    """What is needed of `voices.Voices`."""

    def find(self, piece: str, language: str, country: str = "") -> Path | None: ...
    def want(self, texts: list[str], language: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    command: do.Say
    missing: tuple[str, ...]
    until: float


class Speaking:
    """Carries out Say."""

    def __init__(self, exchange: Exchange, voices: Speaker, now: Callable[[], float]) -> None:
        """`now`: monotonic seconds."""
        self._exchange = exchange
        self._voices = voices
        self._now = now
        self._waiting: dict[LegId, _Waiting] = {}
        exchange.extend({do.Say: self._say}, {})
        self._stop = exchange.replace_command(do.StopPlay, self._stopped)
        self._play = exchange.replace_command(do.Play, self._played)

    def tick(self, at: float) -> None:
        """Say what was waited for, or what is there of it. `at`: monotonic seconds."""
        for leg, waiting in list(self._waiting.items()):
            found = all(self._voices.find(piece, waiting.command.language) for piece in waiting.missing)
            if found or at >= waiting.until:
                del self._waiting[leg]
                self._say_now(waiting.command)

    def _say(self, command: do.Say) -> None:
        self._waiting.pop(command.leg, None)
        texts = {piece: text for piece in command.pieces if (text := text_of(piece))}
        missing = {p: text for p, text in texts.items() if self._voices.find(p, command.language) is None}
        if not missing:
            self._say_now(command)
            return
        self._voices.want(list(missing.values()), command.language)
        self._waiting[command.leg] = _Waiting(command, tuple(missing), self._now() + PATIENCE_SECONDS)

    def _say_now(self, command: do.Say) -> None:
        country = self._exchange.country_of(command.leg)
        found = [self._voices.find(piece, command.language, country) for piece in command.pieces]
        paths = [path for path in found if path is not None]
        if len(paths) < len(found):
            log.warning("%s hears only a part of %s", command.leg, command.pieces)
        if not paths or not self._exchange.play_files(command.leg, paths):
            self._exchange.post(ev.PromptEnded(command.leg, ok=False))

    def _stopped(self, command: do.StopPlay) -> None:
        self._waiting.pop(command.leg, None)
        self._stop(command)

    def _played(self, command: do.Play) -> None:
        self._waiting.pop(command.leg, None)
        self._play(command)
