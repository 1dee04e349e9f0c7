"""What is recorded, and who hears what before a call is joined: messages, recordings, whispers, greetings."""

from pathlib import Path

import numpy as np
import pytest

from tests.acceptance.conftest import MakePhone, Office
from tests.acceptance.test_handling import CALLER, calls, put, third_phone
from tests.peers import sound
from tests.peers.waiting import until

pytestmark = pytest.mark.sound


def sides(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Left and right of a stereo file."""
    import wave

    with wave.open(str(path)) as file:
        assert file.getnchannels() == 2
        both = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    return both[:, 0] / 32768, both[:, 1] / 32768


def recorded(office: Office, kind: str) -> list[Path]:
    return sorted((office.places.state / kind).rglob("*.wav"))


def test_a_message_is_taken_after_greeting_and_tone_and_no_phone_rings(
    office: Office, phone: MakePhone, tmp_path: Path
) -> None:
    ben = phone("102")
    put(office, "mailboxes", {"id": "office", "name": "Office", "seconds": 60, "silence": 3})
    branch = {"name": "All", "always": True, "blocks": [{"destinations": [{"to": "mailbox", "ref": "office"}]}]}
    put(office, "schemes", {"id": "main", "name": "Main", "branches": [branch]})
    office.put_item("lines", "gsm0", scheme="main")
    said, heard = sound.tone(tmp_path / "said.wav", 440, 60), tmp_path / "heard.wav"
    office.virtual(f"gsm0 play {said} --loop")
    office.far("record", file=str(heard))
    office.far("call", number=CALLER)
    until("the box takes a message", lambda: calls(office) == ["message"])
    running = until("the message is recorded", lambda: list((office.places.state / "voicemail").glob("*.part")), 30)
    until("3 s of it", lambda: running[0].exists() and running[0].stat().st_size > 3 * 16000, 20, 0.2)
    office.far("hang-up")
    row = office.wait_calls()[0]
    assert (row["answered_by"], row["cause"]) == ("mailbox office", "no-answer")
    [message] = until("it is whole", lambda: recorded(office, "voicemail"))
    found = sound.analyse(sound.read(message), 440, 1000)
    assert found.share > 0.8
    assert sound.level(sound.read(heard)) > 0.01, "the greeting was heard"
    assert not ben.saw("CALL_INCOMING")


def test_a_recorded_call_has_the_caller_left_and_the_colleague_right(
    office: Office, phone: MakePhone, tmp_path: Path
) -> None:
    office.put_item("lines", "gsm0", record=True)
    ben = phone("102", hertz=1000)
    office.virtual(f"gsm0 play {sound.tone(tmp_path / 'said.wav', 440, 60)} --loop")
    office.far("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    until("4 s of talk", lambda: len(sound.read(ben.heard())) > 4 * 8000, 20, 0.2)
    office.far("hang-up")
    office.wait_calls()
    [file] = until("the recording is whole", lambda: recorded(office, "recordings"))
    left, right = sides(file)
    assert sound.analyse(left, 440, 1000, 2.0).share > 0.8
    assert sound.analyse(right, 1000, 440, 2.0).share > 0.8


def test_only_the_colleague_hears_the_whisper_and_then_they_talk(
    office: Office, phone: MakePhone, tmp_path: Path
) -> None:
    third_phone(office)
    office.put_item("lines", "gsm0", whisper_prompt="night-on")
    ben = phone("102", hertz=1000)
    heard = tmp_path / "heard.wav"
    office.virtual(f"gsm0 play {sound.tone(tmp_path / 'said.wav', 440, 60)} --loop")
    office.far("record", file=str(heard))
    office.far("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    until("they talk", lambda: calls(office) == ["talking"], 20)
    until("3 s of talk", lambda: heard.exists() and len(sound.read(heard)) > 3 * 8000, 20, 0.2)
    office.far("hang-up")
    colleague = sound.read(ben.heard())
    whisper = colleague[: 8000 * 1]
    assert sound.level(whisper) > 0.01, "the whisper was heard"
    assert sound.analyse(whisper, 440, 1000, 1.0).share < 0.3, "and not the caller"
    assert sound.analyse(sound.read(heard), 1000, 440, 2.0).share > 0.8, "the caller heard the colleague alone"


def test_the_welcome_is_heard_before_any_phone_rings(office: Office, phone: MakePhone, tmp_path: Path) -> None:
    office.put_item("lines", "gsm0", welcome="night-off")
    ben = phone("102", hertz=1000)
    heard = tmp_path / "heard.wav"
    office.far("record", file=str(heard))
    office.far("call", number=CALLER)
    until("the welcome is played", lambda: calls(office) == ["announcement"])
    assert not ben.saw("CALL_INCOMING")
    ben.wait("CALL_INCOMING")
    assert sound.level(sound.read(heard)) > 0.01
    ben.answer()
    until("they talk", lambda: calls(office) == ["talking"])
    office.far("hang-up")
    assert office.wait_calls()[0]["answered_by"] == "102"


def test_a_colleague_hears_his_messages_with_his_pin_and_the_page_counts_them(
    office: Office, phone: MakePhone, tmp_path: Path
) -> None:
    put(office, "mailboxes", {"id": "ben", "name": "Ben", "owner": "102", "seconds": 60, "pin": "4711"})
    office.put_item("lines", "gsm0", no_answer="mailbox", no_answer_to="ben")
    office.virtual(f"gsm0 play {sound.tone(tmp_path / 'said.wav', 440, 60)} --loop")
    office.far("call", number=CALLER)  # no phone is there
    running = until("the message is recorded", lambda: list((office.places.state / "voicemail").glob("*.part")), 30)
    until("3 s of it", lambda: running[0].exists() and running[0].stat().st_size > 3 * 16000, 20, 0.2)
    office.far("hang-up")
    until("it is whole", lambda: recorded(office, "voicemail"))
    office.wait_calls()
    ben = phone("102")
    ben.dial("*97")
    ben.wait("CALL_ESTABLISHED")
    ben.press("4711#")
    until("the menu was said", lambda: len(sound.read(ben.heard())) > 8 * 8000, 30, 0.2)
    ben.press("1")
    until("the message was played", lambda: _has_tone(ben.heard()), 30, 0.5)
    ben.press("#")
    ben.wait("CALL_CLOSED", 20)


def _has_tone(path: Path) -> bool:
    last = sound.read(path)[-2 * 8000 :]
    return len(last) == 2 * 8000 and sound.analyse(last, 440, 1000, 1.0).share > 0.8
