"""The tones of each country: what the tables say is what sounds, and a loop has no click."""

import itertools
import wave
from pathlib import Path

import numpy as np
import pytest

from appliance.core import countries
from appliance.settings.prompts import Prompts
from appliance.worker import tones


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sounds")
    assert tones.render(out / "tones") > 40
    assert tones.render(out / "tones") == 0
    return out


def sound(path: Path | None) -> np.ndarray:
    assert path is not None
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def strength(part: np.ndarray, hertz: float) -> float:
    return float(abs(np.exp(-2j * np.pi * hertz * np.arange(len(part)) / 8000) @ part) / len(part))


def test_a_polish_caller_hears_one_second_of_ringing_and_four_of_silence(rendered: Path, tmp_path: Path) -> None:
    found = sound(Prompts(tmp_path, [rendered]).find("tone-ringing", "pl", "PL"))
    assert len(found) == 5 * 8000
    assert strength(found[:8000], 425) > 2000
    assert not found[8000:].any()


@pytest.mark.parametrize("code", countries.codes())
@pytest.mark.parametrize(("name", "tone"), list(tones.TONES.items()))
def test_every_tone_of_every_country_has_its_frequencies_and_its_length(
    rendered: Path, tmp_path: Path, code: str, name: str, tone: str
) -> None:
    segments = countries.tone(code, tone)
    found, at = sound(Prompts(tmp_path, [rendered]).find(name, "en", code)), 0
    for segment in segments:
        first = (segment.cadence or (tones.CONTINUOUS_MS,))[0] * 8
        for hertz in segment.hertz:
            assert strength(found[at : at + first], hertz) > 800, hertz
        at += sum(segment.cadence * segment.repeat or (tones.CONTINUOUS_MS,)) * 8
    assert len(found) == at
    jumps = [abs(b - a) for a, b in itertools.pairwise(found[:2000])]
    assert abs(found[0] - found[-1]) <= max(jumps)


def test_the_tone_of_a_mailbox_is_the_same_everywhere_and_an_own_one_comes_first(
    rendered: Path, tmp_path: Path
) -> None:
    prompts = Prompts(tmp_path, [rendered])
    assert prompts.find("tone-beep", "en", "ES") == rendered / "tones" / "tone-beep.wav"
    (tmp_path / "tone-beep.wav").write_bytes(b"")
    assert prompts.find("tone-beep", "en", "ES") == tmp_path / "tone-beep.wav"
    assert prompts.find("tone-busy", "en", "XX") == prompts.find("tone-busy", "pl", "PL")
    assert prompts.find("tone-busy", "en", "../PL") is None
