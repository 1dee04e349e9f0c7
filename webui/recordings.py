"""Announcements as the pages see them: which there are, where each is heard, and the way of a file or a text into one.

Functions that change something give a sentence when it was refused, and nothing when it was done.
"""

import contextlib
import os
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from appliance.core.screening import DIGITS
from appliance.errors import ControlError, JournalError
from appliance.settings.places import Places
from appliance.settings.prompts import Prompts
from webui import blocked, forms, here, prompt_uses, security
from webui.prompt_uses import Use
from webui.words import PROMPTS, error_words, sentence

KEYS = tuple(f"press-{digit}" for digit in DIGITS)
CALLERS = (
    "closed", "nobody", "blocked", *KEYS, "hold", "mailbox", "message-kept", "recorded", "queue-place", "queue-wait",
    "queue-minutes", "queue-call-back", "call-back-kept", "wrong-key", "voicedrop",
)  # fmt: skip
COLLEAGUES = (
    "all-busy", "not-allowed", "emergency-failed", "night-on", "night-off", "block-last", "block-number",
    "block-nobody", "let-next",
)  # fmt: skip
LONGEST_TEXT = 1000
LONGEST_ID = 26  # with room for "-999"
UPLOAD = "upload-"
LETTERS = str.maketrans({
    "ł": "l", "đ": "d", "ß": "ss", "а": "a", "б": "b", "в": "v", "г": "h", "ґ": "g", "д": "d", "е": "e", "є": "ie",
    "ж": "zh", "з": "z", "и": "y", "і": "i", "ї": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o",
    "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
    "щ": "shch", "ь": "", "ю": "iu", "я": "ia",
})  # fmt: skip


@dataclass(slots=True)
class Prompt:
    """An announcement. `own`: the owner's recording or text is played; `text` is what was spoken, if it was."""

    id: str
    name: str
    audience: str
    standard: bool
    own: bool
    when: str = ""
    used: list[Use] = field(default_factory=list)
    text: str = ""
    language: str = ""
    own_name: str = ""
    seconds: int = 0
    version: int = 0

    @property
    def sound(self) -> bool:
        """Whether there is something to hear."""
        return self.version > 0


def files() -> Prompts:
    """Where the sounds lie."""
    return Prompts.of(here.kit().places)


def listed() -> list[Prompt]:
    """All that may be heard: the standard ones, then the owner's further ones, which callers hear."""
    lines = _items("lines")
    records = {str(item.get("id")): item for item in _items("prompts")}
    found = files()
    rest = [name for name in PROMPTS if name not in (*CALLERS, *COLLEAGUES)]
    names = [*CALLERS, *(name for name in records if name not in PROMPTS), *COLLEAGUES, *rest]
    return [_prompt(name, records.get(name, {}), lines, found) for name in names]


def _prompt(name: str, record: dict[str, object], lines: list[dict[str, object]], found: Prompts) -> Prompt:
    path = found.find(name, here.office().language)
    seconds, version = 0, 0
    if path:
        with contextlib.suppress(OSError):
            facts = path.stat()
            seconds, version = max(1, round((facts.st_size - 44) / 16000)), facts.st_mtime_ns
    standard = name in PROMPTS
    own_name = "" if standard else str(record.get("name") or name)
    return Prompt(
        name, own_name or sentence(PROMPTS, name),
        "colleagues" if standard and name not in CALLERS else "callers", standard,
        found.own(name) is not None, _when(name), _used(name, lines), str(record.get("text") or ""),
        str(record.get("language") or ""), own_name, seconds, version,
    )  # fmt: skip


def _when(name: str) -> str:
    """On which occasion it is heard."""
    words = {
        "nobody": _("Nobody answers"),
        "blocked": _("A blocked caller"),
        "all-busy": _("No line is free for a call out"),
        "not-allowed": _("The number may not be called from this phone"),
        "emergency-failed": _("An emergency call does not go through"),
        "night-on": _("*28 closes the office"),
        "night-off": _("*28 opens it again"),
        "hold": _("Whoever is put on hold"),
        "block-last": _("*32 blocks the last caller"),
        "block-number": _("*30 and a number blocks it"),
        "block-nobody": _("There was nobody to block"),
        "let-next": _("*31 lets the next caller through"),
        **dict.fromkeys(KEYS, _("A stranger is asked for a key")),
    }
    return str(words.get(name) or ("" if name in PROMPTS and name != "closed" else _("Outside hours")))


def _used(name: str, lines: list[dict[str, object]]) -> list[Use]:
    """The lines that play it."""
    key = {"nobody": "no_answer", "blocked": "blocked"}.get(name, "closed")
    if name in COLLEAGUES:
        return []
    if name in PROMPTS and name not in ("closed", "nobody", "blocked"):
        return prompt_uses.chosen(name, lines)
    return (
        ([Use(str(_("Blocking")), "/blocking")] if name == "blocked" and _announced() else [])
        + [
            Use(str(line.get("label")), f"/lines/{line.get('id')}/incoming")
            for line in lines
            if _plays(line, key, name)
        ]
        + prompt_uses.chosen(name, lines)
    )


def _announced() -> bool:
    """Whether an entry of the block list wants the announcement."""
    try:
        return any(entry.action == "announce" for entry in blocked.every() if not entry.allow)
    except JournalError:
        return False


def _plays(line: dict[str, object], key: str, name: str) -> bool:
    if key != "closed":
        return line.get(key) == "announce"
    chosen = line.get("closed_prompt") == name
    return chosen and (line.get(key) == "announce" or name not in PROMPTS)  # a further one is kept while it is chosen


def everything() -> list[tuple[str, str]]:
    """Every announcement that can be chosen: id and name."""
    return [(one.id, one.name) for one in listed()]


def languages() -> list[str]:
    """What callers of this office hear: the office's language, then those of its lines."""
    spoken = [here.office().language, *(str(line.get("language") or "") for line in _items("lines"))]
    return list(dict.fromkeys(one for one in spoken if one))


def choices() -> list[tuple[str, str]]:
    """What a line may say outside its hours."""
    own = [(str(item.get("id")), str(item.get("name"))) for item in _items("prompts") if item.get("id") not in PROMPTS]
    return [("closed", sentence(PROMPTS, "closed")), *own]


def id_of(name: str) -> str:
    """An id for a new one: its name in small letters and dashes, and a number when that is taken."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(LETTERS)).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_ID].strip("-") or "own"
    taken = {"new", *PROMPTS, *(str(item.get("id")) for item in _items("prompts"))}
    return next(one for one in [stem, *(f"{stem}-{n}" for n in range(2, 1000))] if one not in taken)


def room() -> str:
    """Let the file of this request in; a sentence when it is too big. Raises CSRFError."""
    try:
        security.take_upload()
    except RequestEntityTooLarge:
        return _too_big(request.content_length or 0)
    return ""


def convert(prompt: str) -> str:
    """The file of this request as a prompt."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return str(_("Choose a wav or mp3 file first."))
    path = here.kit().places.prompts / f"{UPLOAD}{secrets.token_hex(8)}"
    try:
        size = _write(file, path)
        if size > security.LARGEST_UPLOAD:
            return _too_big(size)
        here.control().ask("prompt.convert", {"id": prompt, "source": str(path)}, here.who())
    except ControlError as error:
        return error_words(error)
    except OSError:
        return str(_("The file could not be stored here. Look at Health whether the card is full."))
    finally:
        path.unlink(missing_ok=True)
    return ""


def _write(file: FileStorage, path: Path) -> int:
    """Copy an upload to a file of our own that the worker's group may read; the octets. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
    size = 0
    with os.fdopen(handle, "wb") as out:
        while (piece := file.stream.read(security.PIECE)) and size <= security.LARGEST_UPLOAD:
            size += len(piece)
            out.write(piece)
    return size


def _too_big(size: int) -> str:
    return str(
        _("This file has %(size)s MB; the limit is 5 MB. Save it as mp3 and try again.", size=f"{size / 1048576:.1f}")
    )


def speak(prompt: str, text: str, language: str) -> str:
    """An own text as a prompt."""
    if not text:
        return str(_("Type what is to be said."))
    if len(text) > LONGEST_TEXT:
        return str(_("This text has %(n)d characters; the limit is 1000.", n=len(text)))
    try:
        here.control().ask("prompt.speak", {"id": prompt, "text": text, "language": language}, here.who())
    except ControlError as error:
        return error_words(error)
    return ""


def remember(prompt: str, record: dict[str, object] | None) -> None:
    """The record of an announcement as it is to be; None: none. Raises ControlError."""
    held = here.control().section("prompts")
    items = forms.items_of(held["doc"])
    rest = [item for item in items if item.get("id") != prompt]
    wanted = [*rest, record] if record else rest
    if wanted != items:
        here.control().put("prompts", held["version"], {"items": wanted}, here.who())


def forget(prompt: str) -> None:
    """Take back a sound whose record could not be stored."""
    with contextlib.suppress(ControlError):
        here.control().ask("prompt.remove", {"id": prompt}, here.who())


def sweep(places: Places) -> None:
    """Delete files of uploads whose process is gone."""
    for path in places.prompts.glob(f"{UPLOAD}*"):
        with contextlib.suppress(OSError):
            path.unlink()


def _items(name: str) -> list[dict[str, object]]:
    held = here.section(name)
    return forms.items_of(held["doc"]) if held else []
