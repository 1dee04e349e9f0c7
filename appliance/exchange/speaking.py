"""Pieces spoken one after another to a leg: prompts, numbers, texts that were spoken before. Loop thread."""

import logging
from collections.abc import Callable
from pathlib import Path

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.model import LegId
from appliance.exchange.exchange import Exchange

log = logging.getLogger(__name__)

Find = Callable[[str, str], Path | None]


class Speaking:
    """Carries out Say. `find(piece, language)` gives the file of a piece, None where there is none."""

    def __init__(self, exchange: Exchange, find: Find) -> None:
        self._exchange = exchange
        self._find = find
        self._left: dict[LegId, list[Path]] = {}
        exchange.extend({do.Say: self._say}, {ev.PromptEnded: self._ended})
        self._stop = exchange.replace_command(do.StopPlay, self._stopped)
        self._play = exchange.replace_command(do.Play, self._played)

    def _say(self, command: do.Say) -> None:
        paths = [path for piece in command.pieces if (path := self._find(piece, command.language)) is not None]
        self._left[command.leg] = paths[1:]
        if not paths or not self._exchange.play_file(command.leg, paths[0]):
            self._left.pop(command.leg, None)
            self._exchange.post(ev.PromptEnded(command.leg, ok=False))

    def _ended(self, event: ev.PromptEnded) -> None:
        """A piece is over: the next one, and after the last the event goes to its call."""
        left = self._left.get(event.leg)
        if left and self._exchange.play_file(event.leg, left.pop(0)):
            return
        self._left.pop(event.leg, None)
        self._exchange.leg_event(event)

    def _stopped(self, command: do.StopPlay) -> None:
        self._left.pop(command.leg, None)
        self._stop(command)

    def _played(self, command: do.Play) -> None:
        self._left.pop(command.leg, None)
        self._play(command)
