"""Texts spoken on the way: whispers, numbers, names of lines. Kept, so that the next time they are there at once.

Of texts the 500 used last are kept; numbers stay.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from appliance.errors import ControlError
from appliance.settings.prompts import NUMBER, said_path
from appliance.settings.schema import LANGUAGES
from appliance.worker.speech import speak

log = logging.getLogger(__name__)

MOST_KEPT = 500
MOST_AT_ONCE = 20
LONGEST = 1000

_lock = threading.Lock()  # guards the folder against two threads that tidy it


def speak_cached(folder: Path, texts: Sequence[str], language: str) -> int:
    """Speak what is missing of these texts; gives how many files were made. Raises ControlError: no-such-language,
    bad-request (too many, too long), cannot-speak."""
    if language not in LANGUAGES:
        raise ControlError("no-such-language", language=language[:20])
    if len(texts) > MOST_AT_ONCE or any(not text.strip() or len(text) > LONGEST for text in texts):
        raise ControlError("bad-request", name="texts")
    due = [text for text in texts if not said_path(folder, text, language).is_file()]
    for text in due:
        speak(text, language, said_path(folder, text, language))
    if due:
        with _lock:
            tidy(folder)
    return len(due)


def tidy(folder: Path) -> None:
    """Of texts, keep those used last."""
    found = []
    for path in folder.glob("*/*.wav"):
        if not path.name.startswith(NUMBER):
            try:
                found.append((path.stat().st_mtime, path))
            except OSError:
                continue
    for _, path in sorted(found, reverse=True)[MOST_KEPT:]:
        path.unlink(missing_ok=True)
