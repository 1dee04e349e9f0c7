"""DTMF heard in the sound itself: the limits of ITU-T Q.24, and people who only talk."""

import subprocess

import numpy as np
import pytest

from tests.native.rig import digits

KEYS = "123A456B789C*0#D"
HERTZ = (697, 770, 852, 941, 1209, 1336, 1477, 1633)
SPOKEN = {
    "en": "Please hold the line, somebody will be with you in a moment. One two three four five six seven eight nine.",
    "pl": "Proszę czekać na połączenie. Jeden dwa trzy cztery pięć sześć siedem osiem dziewięć zero.",
    "uk": "Будь ласка, зачекайте. Один два три чотири п'ять шість сім вісім дев'ять нуль.",
    "es": "Por favor espere un momento. El perro de San Roque no tiene rabo. Uno dos tres cuatro cinco seis siete.",
    "ro": "Vă rugăm să așteptați. Unu doi trei patru cinci șase șapte opt nouă zero.",
}
VOICES = ("", "+f2", "+m3", "+f4", "+croak")


def tone(key: str, ms: float, low_db: float = -20, high_db: float = -20, off: float = 0, rate: int = 8000, phase=0.0):
    """A digit; `off` is how far its frequencies are off, in per cent."""
    index, t = KEYS.index(key), np.arange(int(rate * ms / 1000)) / rate
    waves = (
        10 ** (db / 20) * np.sin(2 * np.pi * hertz * (1 + off / 100) * t + phase)
        for hertz, db in ((HERTZ[index // 4], low_db), (HERTZ[4 + index % 4], high_db))
    )
    return 32767 * sum(waves)


def quiet(ms: float, rate: int = 8000) -> np.ndarray:
    return np.zeros(int(rate * ms / 1000))


def heard(key: str, ms: float, noise: float = 20, **more) -> list[str]:
    """What is heard of one digit at eight places within the detector's windows, and in a little noise."""
    random = np.random.default_rng(KEYS.index(key))
    found = []
    for place in range(8):
        phase = random.uniform(0, 2 * np.pi)
        sound = np.concatenate([quiet(40 + place * 1.6), tone(key, ms, phase=phase, **more), quiet(60)])
        found.append(digits(sound + random.normal(0, noise, len(sound))))
    return found


@pytest.mark.parametrize("key", KEYS)
def test_a_digit_of_forty_milliseconds_is_heard_once(key: str) -> None:
    assert heard(key, 40) == [key] * 8
    assert heard(key, 500) == [key] * 8, "a long one is still one"


@pytest.mark.parametrize("key", "1590D")
def test_a_digit_at_the_limits_of_what_must_be_taken_is_taken(key: str) -> None:
    for off in (-1.5, 1.5):
        assert heard(key, 45, off=off) == [key] * 8
    assert heard(key, 45, low_db=-6, high_db=-6) == [key] * 8, "loud"
    assert heard(key, 45, low_db=-28, high_db=-28) == [key] * 8, "weak"
    assert heard(key, 45, low_db=-20, high_db=-16) == [key] * 8, "the high tone 4 dB stronger"
    assert heard(key, 45, low_db=-12, high_db=-20) == [key] * 8, "the low tone 8 dB stronger"
    assert heard(key, 45, noise=600) == [key] * 8, "15 dB above the noise"


@pytest.mark.parametrize("key", "1590D")
def test_what_is_no_digit_is_not_taken_for_one(key: str) -> None:
    assert heard(key, 20) == [""] * 8, "too short"
    for off in (-3.5, 3.5, 5.0):
        assert heard(key, 80, off=off) == [""] * 8
    assert heard(key, 80, low_db=-20, high_db=-12) == [""] * 8, "twist"
    assert heard(key, 80, low_db=-10, high_db=-24) == [""] * 8, "twist the other way"
    assert heard(key, 80, low_db=-50, high_db=-50) == [""] * 8, "next to silence"


def test_a_short_break_does_not_make_two_digits_of_one_and_a_long_one_does() -> None:
    def twice(gap: float) -> str:
        return digits(np.concatenate([quiet(50), tone("5", 60), quiet(gap), tone("5", 60), quiet(60)]))

    assert twice(10) == "5"
    assert twice(40) == "55"


def test_a_number_typed_fast_is_heard_whole_at_every_clock_of_a_wire() -> None:
    number = "48600100200*#0159"
    for rate in (8000, 16000, 48000):
        pieces = [piece for key in number for piece in (tone(key, 45, rate=rate), quiet(45, rate))]
        assert digits(np.concatenate([quiet(50, rate), *pieces, quiet(60, rate)]), rate, rate // 50) == number


def test_the_sound_may_come_in_pieces_of_any_size() -> None:
    sound = np.concatenate([quiet(31), tone("7", 50), quiet(50), tone("8", 50), quiet(50)])
    assert {digits(sound, chunk=chunk) for chunk in (1, 7, 160, 513, 5000)} == {"78"}


@pytest.mark.parametrize("language", SPOKEN)
def test_people_who_talk_press_no_digits(language: str) -> None:
    for voice in VOICES:
        speak = ["espeak-ng", "-v", language + voice, "-a", "150", "--stdout", SPOKEN[language]]
        said = subprocess.run(speak, capture_output=True, check=True, timeout=60).stdout
        convert = ["sox", "-t", "wav", "-", "-t", "raw", "-r", "8000", "-c", "1", "-e", "signed", "-b", "16", "-"]
        sound = np.frombuffer(subprocess.run(convert, input=said, capture_output=True, check=True).stdout, "<i2")
        assert len(sound) > 8000 * 3
        assert digits(sound) == ""
        loud = tone("5", 80, -10, -10)
        assert digits(np.concatenate([sound, quiet(20), loud, quiet(60)])) == "5"


def test_tones_of_the_network_and_noise_are_no_digits() -> None:
    t = np.arange(8000 * 5) / 8000
    for hertz in ((425,), (350, 440), (440, 480), (480, 620), (1400,), (941,), (2100,)):
        assert digits(6000 * sum(np.sin(2 * np.pi * one * t) for one in hertz)) == ""
    assert digits(np.random.default_rng(5).normal(0, 5000, 8000 * 20)) == ""
