"""Texts spoken on the way: made once, kept, the oldest forgotten."""

import os
from pathlib import Path

import pytest

from appliance.errors import ControlError
from appliance.settings.prompts import said_path
from appliance.worker import voices


def test_a_text_and_a_number_are_spoken_once(tmp_path: Path) -> None:
    assert voices.speak_cached(tmp_path, ["Połączenie z linii Sklep", "23"], "pl") == 2
    assert said_path(tmp_path, "23", "pl") == tmp_path / "pl" / "n-23.wav"
    assert said_path(tmp_path, "23", "pl").stat().st_size > 4000
    assert voices.speak_cached(tmp_path, ["Połączenie z linii Sklep", "23"], "pl") == 0


def test_texts_used_last_are_kept_and_numbers_stay(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    for n in range(voices.MOST_KEPT + 3):
        (folder / f"{n:032x}.wav").touch()
        os.utime(folder / f"{n:032x}.wav", (n + 1, n + 1))
    (folder / "n-5.wav").touch()
    os.utime(folder / "n-5.wav", (0, 0))
    voices.tidy(tmp_path)
    left = {path.name for path in folder.iterdir()}
    assert len(left) == voices.MOST_KEPT + 1
    assert "n-5.wav" in left
    assert f"{2:032x}.wav" not in left


@pytest.mark.parametrize(
    ("texts", "language"), [(["a"], "../x"), (["a"] * 21, "en"), ([" "], "en"), (["a" * 1001], "en")]
)
def test_what_is_no_request_is_refused(tmp_path: Path, texts: list[str], language: str) -> None:
    with pytest.raises(ControlError):
        voices.speak_cached(tmp_path, texts, language)
