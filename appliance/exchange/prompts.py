"""Which file a prompt is: the owner's own recording, else the spoken one in the caller's language, else in English."""

from collections.abc import Sequence
from pathlib import Path

FALLBACK_LANGUAGE = "en"


class Prompts:
    """Looks prompts up; `spoken` are folders with <language>/<id>.wav in order of preference."""

    def __init__(self, uploads: Path, spoken: Sequence[Path]) -> None:
        self._uploads = uploads
        self._spoken = tuple(spoken)

    def find(self, prompt: str, language: str) -> Path | None:
        """The wav (mono, 8 kHz, 16 bit) or None. The id came from settings or code: letters, digits and dashes only."""
        if not prompt.replace("-", "").isalnum():
            return None
        candidates = [self._uploads / f"{prompt}.wav"]
        for spoken_in in (language, FALLBACK_LANGUAGE):
            candidates += [folder / spoken_in / f"{prompt}.wav" for folder in self._spoken]
        return next((path for path in candidates if path.is_file()), None)
