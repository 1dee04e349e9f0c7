"""Prompts in five languages, and uploads that are what they say, too large, too long, or hostile."""

import itertools
import math
import os
import random
import re
import struct
import subprocess
import sys
import time
import wave
from pathlib import Path

import pytest

from appliance.errors import ControlError
from appliance.settings.prompts import Prompts
from appliance.settings.schema import LANGUAGES
from appliance.words import PROMPTS
from appliance.worker import confined, media, melody, speech
from tests.worker.box import Box


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("spoken")
    assert speech.main(["render", str(out)]) == 0
    return out


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("prompt", sorted(PROMPTS))
def test_every_prompt_is_a_sound_the_exchange_can_play(spoken: Path, language: str, prompt: str) -> None:
    path = Prompts(spoken / "none", [spoken]).find(prompt, language)
    assert path == spoken / language / f"{prompt}.wav"
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, 8000, 2)
    sound = media.measure(path)
    assert 1 <= sound.seconds <= 30
    assert 8000 < sound.peak < 32767


def test_what_is_spoken_already_is_not_spoken_again(spoken: Path) -> None:
    assert speech.render(spoken) == 0
    (spoken / "pl" / "closed.wav").unlink()
    assert speech.render(spoken) == 1


def test_a_changed_text_is_spoken_anew(spoken: Path) -> None:
    assert speech.render(spoken, ["uk"], {"address": "192.168.1.10"}, only=("address",)) == 1
    assert speech.render(spoken, ["uk"], {"address": "192.168.1.10"}, only=("address",)) == 0
    longer = media.measure(spoken / "uk" / "address.wav").seconds
    assert speech.render(spoken, ["uk"], only=("address",)) == 1
    assert media.measure(spoken / "uk" / "address.wav").seconds < longer


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_every_text_and_no_foreign_one(language: str) -> None:
    texts = speech.texts_of(language)
    assert set(texts) == (set(PROMPTS) - {"hold"}) | {"address.none"}
    assert "{address}" in texts["address"]
    english = speech.texts_of("en")
    assert language == "en" or not set(texts.values()) & set(english.values())
    cyrillic = [bool(re.search(r"[а-яіїєґ]", text)) for text in texts.values()]
    assert all(cyrillic) if language == "uk" else not any(cyrillic)


def test_an_address_is_read_with_the_word_for_its_dots() -> None:
    assert speech.speakable("Adres: 10.0.0.7.\x00\n", "pl") == "Adres: 10 kropka 0 kropka 0 kropka 7."


def test_a_text_cannot_become_an_option_or_a_command(tmp_path: Path) -> None:
    sound = speech.speak("--help -w /tmp/x; $(touch /tmp/y) `id` <mark/>", "en", tmp_path / "a.wav")
    assert sound.seconds > 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav"]


@pytest.mark.parametrize(("text", "language"), [("", "pl"), ("\x00\n", "pl"), ("a", "xx"), ("a", "../pl")])
def test_what_cannot_be_spoken_is_refused(tmp_path: Path, text: str, language: str) -> None:
    with pytest.raises(ControlError):
        speech.speak(text, language, tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


def test_the_music_ends_where_it_begins() -> None:
    samples = melody.samples()
    assert len(samples) == 8000 * 128 // 10
    jumps = [abs(b - a) for a, b in itertools.pairwise(samples)]
    assert abs(samples[0] - samples[-1]) <= max(jumps)
    assert 8000 < max(abs(one) for one in samples) < 16000


def tone(
    path: Path, seconds: float, rate: int = 44100, channels: int = 2, hertz: float = 440, level: float = 0.1
) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        one = [int(level * 32767 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(rate)]
        second = b"".join(struct.pack("<h", value) * channels for value in one)
        for _ in range(int(seconds)):
            file.writeframesraw(second)
        file.writeframesraw(second[: int((seconds % 1) * rate) * 2 * channels])
    return path


def crossings(path: Path) -> float:
    """Hertz by counting how often the wave goes up through zero."""
    with wave.open(str(path)) as file:
        count = file.getnframes()
        samples = struct.unpack(f"<{count}h", file.readframes(count))
    ups = sum(a < 0 <= b for a, b in itertools.pairwise(samples))
    return ups * 8000 / count


def test_a_wav_becomes_eight_kilohertz_with_its_peak_raised(tmp_path: Path) -> None:
    sound = media.convert(tone(tmp_path / "in.upload", 2.5), tmp_path / "out.wav")
    assert sound.seconds == pytest.approx(2.5, abs=0.01)
    assert sound.peak == pytest.approx(32767 * 10 ** (-3 / 20), rel=0.02)
    assert crossings(tmp_path / "out.wav") == pytest.approx(440, abs=3)


def test_an_mp3_becomes_a_wav(tmp_path: Path) -> None:
    source = tone(tmp_path / "in.wav", 3)
    subprocess.run(["sox", str(source), "-C", "64", str(tmp_path / "in.mp3")], check=True, timeout=30)
    sound = media.convert(tmp_path / "in.mp3", tmp_path / "out.wav")
    assert sound.seconds == pytest.approx(3, abs=0.15)
    assert crossings(tmp_path / "out.wav") == pytest.approx(440, abs=8)


def test_a_file_that_is_too_large_or_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"RIFF....WAVE" + bytes(media.MOST_OCTETS))
    with pytest.raises(ControlError, match="file-too-big"):
        media.convert(tmp_path / "big", tmp_path / "out.wav")
    subprocess.run(
        ["sox", "-n", "-r", "8000", "-C", "8", str(tmp_path / "long.mp3"), "synth", "310", "sine", "300"],
        check=True, timeout=60,
    )  # fmt: skip
    with pytest.raises(ControlError, match="sound-too-long"):
        media.convert(tmp_path / "long.mp3", tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


def hostile(kind: str) -> bytes:
    dice = random.Random(5)
    noise = bytes(dice.randrange(256) for _ in range(20_000))
    head = b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 65535, 1, 1, 1, 255)
    return {
        "empty": b"", "text": b"hello, I am a sound", "riff-noise": b"RIFF\xff\xff\xff\xffWAVE" + noise,
        "riff-lies": head + b"data" + struct.pack("<I", 0x7FFFFFFF) + noise, "mp3-noise": b"ID3" + noise,
        "sync-noise": b"\xff\xfb" + noise, "riff-short": b"RIFF\x04\x00\x00\x00WAVE",
        "playlist": b"#EXTM3U\nhttp://127.0.0.1/x\n/etc/passwd\n", "zero-rate": b"RIFF\x24\x00\x00\x00WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 0, 0, 2, 16) + b"data" + struct.pack("<I", 0),
    }[kind]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    ["empty", "text", "riff-noise", "riff-lies", "mp3-noise", "sync-noise", "riff-short", "playlist", "zero-rate"],
)
def test_a_hostile_file_is_refused_or_harmless_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    (tmp_path / "in").write_bytes(hostile(kind))
    began = time.monotonic()
    if kind in ("mp3-noise", "sync-noise", "riff-lies"):  # the decoders may find something that sounds in it
        try:
            assert 0.1 <= media.convert(tmp_path / "in", tmp_path / "out.wav").seconds <= media.MOST_SECONDS
        except ControlError:
            assert not (tmp_path / "out.wav").exists()
    else:
        with pytest.raises(ControlError) as caught:
            media.convert(tmp_path / "in", tmp_path / "out.wav")
        assert caught.value.id == "not-a-sound"
        assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert time.monotonic() - began < 20


def test_an_old_prompt_stays_when_its_successor_is_refused(tmp_path: Path) -> None:
    media.convert(tone(tmp_path / "good", 1), tmp_path / "out.wav")
    (tmp_path / "bad").write_bytes(hostile("riff-noise"))
    with pytest.raises(ControlError):
        media.convert(tmp_path / "bad", tmp_path / "out.wav")
    assert media.measure(tmp_path / "out.wav").seconds == pytest.approx(1, abs=0.01)


def test_a_program_that_eats_time_memory_or_disk_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(confined.Failed, match="too long"):
        confined.run(["sleep", "30"], seconds=0.3)
    assert time.monotonic() - began < 5
    with pytest.raises(confined.Failed):
        confined.run([sys.executable, "-c", "x = bytearray(800_000_000)"], mebibytes=300)
    target = tmp_path / "large"
    with pytest.raises(confined.Failed):
        confined.run([sys.executable, "-c", f"open({str(target)!r}, 'wb').write(bytes(5_000_000))"], file_mebibytes=1)
    assert target.stat().st_size <= 1024 * 1024
    with pytest.raises(confined.Failed):
        confined.run(["no-such-program-here"])
    assert b"SECRET" not in confined.run(["env"]) or "SECRET" not in os.environ


def test_the_worker_speaks_and_converts_on_request(box: Box) -> None:
    box.start()
    answer = box.ask("speak", {"text": "Dzień dobry, tu biuro.", "language": "pl", "id": "greeting"})
    assert answer["id"] == "greeting"
    assert answer["language"] == "pl"
    assert media.measure(box.places.uploads / "greeting.wav").seconds == pytest.approx(answer["seconds"], abs=0.01)
    tone(box.places.uploads / "x.upload", 1)
    assert box.ask("convert", {"source": "x.upload", "id": "closed"}) == {"id": "closed", "seconds": 1.0}
    assert Prompts(box.places.uploads, [box.places.rendered]).find("closed", "pl") == box.places.uploads / "closed.wav"


@pytest.mark.parametrize("source", ["/etc/passwd", "../../settings.json", "nothing", "link", "\x00", "."])
def test_only_files_of_the_folder_of_prompts_are_converted(box: Box, source: str) -> None:
    (box.places.uploads / "link").symlink_to("/etc/passwd")
    box.start()
    with pytest.raises(ControlError) as caught:
        box.ask("convert", {"source": source, "id": "closed"})
    assert caught.value.id == "no-such-file"
    with pytest.raises(ControlError) as caught:
        box.ask("convert", {"source": "x", "id": "../closed"})
    assert caught.value.id == "not-an-id"


def test_a_wav_that_a_telephone_plays_is_kept_octet_by_octet(tmp_path: Path) -> None:
    source = tone(tmp_path / "in.upload", 2, 8000, 1)
    assert media.convert(source, tmp_path / "out.wav").seconds == 2
    assert (tmp_path / "out.wav").read_bytes() == source.read_bytes()
