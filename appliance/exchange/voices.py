"""Texts and numbers as sound: what was spoken before is there at once, what was not the worker speaks. Loop thread."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from appliance.journal.rows import Json
from appliance.settings.prompts import Prompts, said_path

log = logging.getLogger(__name__)

NUMBERS = range(121)  # spoken together the first time one of them is needed: places in a queue, seconds of a wait
MOST_AT_ONCE = 20
MOST_WANTED = 500
MESSAGE = "v:"

Ask = Callable[[str, Mapping[str, Json], Callable[[], None]], None]  # the worker: verb, arguments, told once it is over


class Voices:
    """`ask` hands a request to the worker without waiting and tells its end on any thread."""

    def __init__(self, folder: Path, prompts: Prompts, ask: Ask, messages: Path) -> None:
        """`messages`: where those of mailboxes lie."""
        self._messages = messages
        self._folder = folder
        self._prompts = prompts
        self._ask = ask
        self._wanted: set[tuple[str, str]] = set()  # add and discard are atomic: the end is told on another thread

    def find(self, piece: str, language: str, country: str = "") -> Path | None:
        """The file of a piece: a prompt's id, "n:23", "t:text" or "v:message"; None where there is none (yet)."""
        if piece.startswith(MESSAGE):
            path = self._messages / f"{piece.removeprefix(MESSAGE)}.wav"
            return path if path.parent == self._messages and path.is_file() else None
        text = text_of(piece)
        return self._prompts.find(piece, language, country) if text is None else self.have(text, language)

    def have(self, text: str, language: str) -> Path | None:
        """The sound of a text, where it was spoken before; it counts as used now."""
        path = said_path(self._folder, text, language)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def want(self, texts: Sequence[str], language: str) -> None:
        """Have texts spoken, without waiting; of numbers all the usual ones are spoken then."""
        self._request([text for text in texts if text], language)
        if any(text.isdecimal() for text in texts):
            all_numbers = [str(number) for number in NUMBERS]
            for begin in range(0, len(all_numbers), MOST_AT_ONCE):
                self._request(all_numbers[begin : begin + MOST_AT_ONCE], language)

    def _request(self, texts: Sequence[str], language: str) -> None:
        missing = [
            text for text in texts
            if (text, language) not in self._wanted and not said_path(self._folder, text, language).is_file()
        ][:MOST_AT_ONCE]  # fmt: skip
        if not missing or len(self._wanted) > MOST_WANTED:
            return
        keys = {(text, language) for text in missing}
        self._wanted |= keys

        def over() -> None:
            for key in keys:
                self._wanted.discard(key)

        self._ask("speak.cached", {"texts": list[Json](missing), "language": language}, over)


def text_of(piece: str) -> str | None:
    """What is spoken for a piece, None for a prompt."""
    kind, colon, rest = piece.partition(":")
    return rest.strip() if colon and kind in ("n", "t") else None
