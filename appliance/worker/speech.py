"""Spoken prompts: texts of `sounds/<language>.json`, the voice of espeak-ng, wav for the exchange.

    python -m appliance.worker.speech render OUT      all prompts of all languages to OUT/<language>/<id>.wav,
                                                      all tones to OUT/tones

Only what is not there yet, or whose text has changed, is spoken. A text may name {address}: spoken at the set-up it
has none, so the sentence beside it ("<id>.none") is taken; the worker speaks it again when it knows.
"""

import argparse
import hashlib
import json
import logging
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import appliance
from appliance.errors import ControlError
from appliance.settings.prompts import TONES
from appliance.settings.schema import LANGUAGES
from appliance.words import PROMPTS
from appliance.worker import melody, tones
from appliance.worker.confined import Failed, run
from appliance.worker.media import SILENT_BELOW, Sound, measure, put, resample, write_samples

log = logging.getLogger(__name__)

VOICES: Mapping[str, str] = {"en": "en-gb", "pl": "pl", "uk": "uk", "es": "es", "ro": "ro"}
SPEED = {"en": 150, "pl": 145, "uk": 135, "es": 150, "ro": 145}  # words a minute
LONGEST_TEXT = 1000
QUIET_SECONDS = 0.25  # before and after: the first syllable is not lost while the call is being joined
FORM = "2"  # a change here has everything spoken anew
TEXTS = Path(appliance.__file__).parent.parent / "sounds"
MUSIC = "hold"


@dataclass(frozen=True, slots=True)
class Job:
    """One file to make."""

    language: str
    prompt: str
    text: str


def texts_of(language: str, folder: Path = TEXTS) -> dict[str, str]:
    """Prompt id to text, as it lies in the package. Raises OSError, ValueError."""
    body = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    return {str(name): str(text) for name, text in body.items()}


def speakable(text: str, language: str) -> str:
    """One line without control characters; an address becomes its numbers with the language's word for the dot."""
    dot = {"en": "dot", "pl": "kropka", "uk": "крапка", "es": "punto", "ro": "punct"}.get(language, ".")
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_TEXT]
    return re.sub(r"(?<=\d)\.(?=\d)", f" {dot} ", plain)


def speak(text: str, language: str, target: Path) -> Sound:
    """Speak a text into a wav for the exchange. Raises ControlError: bad-request, no-such-language, cannot-speak."""
    if language not in VOICES:
        raise ControlError("no-such-language", language=language[:20])
    said = speakable(text, language)
    if not said:
        raise ControlError("bad-request", name="text")
    target.parent.mkdir(mode=0o770, parents=True, exist_ok=True)
    command = ["espeak-ng", "-v", VOICES[language], "-s", str(SPEED[language]), "-a", "150", "-b", "1"]
    with tempfile.TemporaryDirectory(prefix="speech-", dir=target.parent) as folder:
        raw, made = Path(folder) / "raw.wav", Path(folder) / "made.wav"
        try:
            run([*command, "--stdin", "-w", str(raw)], said.encode(), seconds=30)
            resample("wav", raw, made, QUIET_SECONDS)
        except Failed as error:
            raise ControlError("cannot-speak", str(error)) from error
        sound = measure(made)
        if sound.peak < SILENT_BELOW:
            raise ControlError("cannot-speak", "nothing was heard")
        put(made, target)
    return sound


def render(
    out: Path, languages: Iterable[str] = tuple(LANGUAGES), facts: Mapping[str, str] | None = None,
    only: Sequence[str] = (),
) -> int:  # fmt: skip
    """Speak what is missing or has changed below `out`, two at a time; gives how many files were made.

    Raises ControlError when one cannot be made.
    """
    jobs = [
        Job(language, prompt, text)
        for language in languages
        for prompt, text in _filled(texts_of(language), facts or {}).items()
        if not only or prompt in only
    ]
    due = [job for job in jobs if _stamp_of(out, job).exists() is False or not _path_of(out, job).is_file()]
    with ThreadPoolExecutor(2, "speech") as pool:
        list(pool.map(lambda job: _make(out, job), due))
    return len(due)


def _filled(texts: Mapping[str, str], facts: Mapping[str, str]) -> dict[str, str]:
    """The texts with their facts; one whose facts are not known takes the sentence beside it."""
    filled = {}
    for name in PROMPTS:
        text = texts.get(name, "")
        wanted = set(re.findall(r"\{(\w+)\}", text))
        if wanted - {key for key, value in facts.items() if value}:
            text = texts.get(name + ".none", "")
        for key in wanted:
            text = text.replace("{" + key + "}", facts.get(key, ""))
        if text or name == MUSIC:
            filled[name] = text
    return filled


def _make(out: Path, job: Job) -> None:
    path = _path_of(out, job)
    path.parent.mkdir(mode=0o770, parents=True, exist_ok=True)
    for old in path.parent.glob(f".{job.prompt}.*.text"):
        old.unlink(missing_ok=True)
    if job.prompt == MUSIC:
        write_samples(melody.samples(), path)
    else:
        speak(job.text, job.language, path)
    _stamp_of(out, job).touch()


def _path_of(out: Path, job: Job) -> Path:
    return out / job.language / f"{job.prompt}.wav"


def _stamp_of(out: Path, job: Job) -> Path:
    """An empty file whose name says from which text the sound was made."""
    digest = hashlib.sha256(f"{FORM}|{VOICES[job.language]}|{job.text}".encode()).hexdigest()[:16]
    return out / job.language / f".{job.prompt}.{digest}.text"


def main(argv: Sequence[str] | None = None) -> int:
    """`render OUT`: 0, or 1 with the reason on the error output."""
    parser = argparse.ArgumentParser(prog="python -m appliance.worker.speech", description="Speak the prompts.")
    parser.add_argument("what", choices=["render"])
    parser.add_argument("out", type=Path)
    wanted = parser.parse_args(argv)
    try:
        made = render(wanted.out.absolute()) + tones.render(wanted.out.absolute() / TONES)
    except (ControlError, OSError, ValueError) as error:
        detail = getattr(error, "detail", "") or str(error)
        sys.stderr.write(f"The prompts could not be spoken: {detail}\n")
        return 1
    sys.stderr.write(f"{made} prompts and tones made.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
