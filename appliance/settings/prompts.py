"""Which file a prompt is: the owner's own recording, else the spoken one in the caller's language, else in English;
of a tone the one of the line's country.

The exchange plays what is found here and the page lets it be heard, so that both are the same.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import appliance
from appliance.settings.places import Places, cache

FALLBACK_LANGUAGE = "en"
SOUNDS = "CENTRALKA_SOUNDS"  # where the set-up step left the spoken prompts
PRODUCT_SOUNDS = Path("/usr/share/centralka/sounds")
TONE, TONES = "tone-", "tones"  # how the ids of tones begin; their folder beside those of the languages
NUMBER = "n-"  # how the files of spoken numbers begin
TEXTS = Path(appliance.__file__).parent.parent / "sounds"


class Prompts:
    """Looks prompts up; `spoken` are folders with <language>/<id>.wav in order of preference."""

    def __init__(self, uploads: Path, spoken: Sequence[Path]) -> None:
        self._uploads = uploads
        self._spoken = tuple(spoken)

    @classmethod
    def of(cls, places: Places, environ: Mapping[str, str] = os.environ) -> "Prompts":
        """The box's own: what the worker spoke, what the set-up left, what was installed."""
        sounds = Path(environ.get(SOUNDS) or cache(environ) / "sounds")
        return cls(places.uploads, (places.rendered, sounds, PRODUCT_SOUNDS))

    def find(self, prompt: str, language: str, country: str = "") -> Path | None:
        """The wav (mono, 8 kHz, 16 bit) or None. The id came from settings or code: letters, digits and dashes only.
        A tone is that of the country (ISO 3166 alpha-2), of Poland where it is not among ours."""
        if not prompt.replace("-", "").isalnum() or (country and not country.isalpha()):
            return None
        candidates = [self._uploads / f"{prompt}.wav"]
        if prompt.startswith(TONE):
            tones = [folder / TONES for folder in self._spoken]
            candidates += [folder / where / f"{prompt}.wav" for where in (country, "PL", "") for folder in tones]
        for spoken_in in (language, FALLBACK_LANGUAGE):
            candidates += [folder / spoken_in / f"{prompt}.wav" for folder in self._spoken]
        return next((path for path in candidates if os.path.isfile(path)), None)

    def own(self, prompt: str) -> Path | None:
        """The owner's recording, where there is one."""
        path = self._uploads / f"{prompt}.wav"
        return path if prompt.replace("-", "").isalnum() and os.path.isfile(path) else None


def standard_text(prompt: str, language: str) -> str:
    """What the spoken prompt says, or nothing."""
    try:
        body = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(body.get(prompt, "")) if isinstance(body, dict) else ""


def said_path(folder: Path, text: str, language: str) -> Path:
    """Where a text that was spoken on the way lies below `folder` (`Places.voices`): by its hash, a number by name."""
    known = text if text.isascii() and text.isdecimal() and len(text) < 6 else ""
    name = f"{NUMBER}{known}" if known else hashlib.sha256(f"{language}|{text}".encode()).hexdigest()[:32]
    return folder / language / f"{name}.wav"
