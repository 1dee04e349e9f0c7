"""Pieces spoken one after another to a leg: prompts, numbers, texts that were spoken before. Loop thread."""

import logging
from collections.abc import Callable
from pathlib import Path

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.exchange.exchange import Exchange

log = logging.getLogger(__name__)

Find = Callable[[str, str], Path | None]


class Speaking:
    """Carries out Say. `find(piece, language)` gives the file of a piece, None where there is none: it is left out."""

    def __init__(self, exchange: Exchange, find: Find) -> None:
        self._exchange = exchange
        self._find = find
        exchange.extend({do.Say: self._say}, {})

    def _say(self, command: do.Say) -> None:
        paths = [path for piece in command.pieces if (path := self._find(piece, command.language)) is not None]
        if not paths or not self._exchange.play_files(command.leg, paths):
            log.warning("nothing can be said to %s", command.leg)
            self._exchange.post(ev.PromptEnded(command.leg, ok=False))
