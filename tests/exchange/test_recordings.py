"""What becomes of a recording: its file, its row, its note, and what a crash leaves."""

import wave
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.model import CallId, LegId
from appliance.core.scheme import Mailbox
from appliance.exchange import recordings
from appliance.exchange.recordings import Kept, Recordings
from appliance.journal.recordings import KeepMessage, KeepRecording
from appliance.settings.places import Places
from tests.exchange.conftest import Office
from tests.fakes.lines import e164

CALLER, LEG, OTHER = e164("+48600100200"), LegId("gsm0-1"), LegId("phones-1")


class Sound:
    """Writes what it is told; ends when it is told."""

    def __init__(self) -> None:
        self.running: dict[str, Path] = {}
        self.slots: dict[str, tuple[int, int | None]] = {}
        self.paused: list[tuple[str, bool]] = []
        self.stopped: list[str] = []

    def record(self, name, leg, path, slots, longest, silence):
        self.running[name], self.slots[name] = path, slots
        path.with_name(path.name + ".part").write_bytes(b"")

    def pause(self, name, on):
        self.paused.append((name, on))

    def stop(self, name):
        self.stopped.append(name)

    def pauses(self, name):
        return ((1.0, 2.0),) if self.paused else ()


class Box(Office):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.places = Places(folder / "state", folder / "run")
        self.places.make()
        self.sound, self.writes, self.refuse = Sound(), [], False
        self.recordings = Recordings(self.exchange, self.sound, self.places, self._submit)
        self.recordings.kept = Kept(free_percent=0)
        box = Mailbox("sales", "Sales", owner="101", mail_to=("a@example.org",), sms_to="+48600100999")
        self.exchange.plan = replace(self.exchange.plan, mailboxes={"sales": box})
        self.call_in(leg=str(LEG))
        self.gsm.slots[LEG] = 7

    def _submit(self, write, done) -> None:
        self.writes.append(write)
        if not self.refuse:
            done(None)

    def begins(self, command: do.Record) -> None:
        self.exchange._commands[do.Record](command)

    def ends(self, name: str, seconds: float, why: str = "stopped") -> None:
        path = self.sound.running[name]
        path.with_name(path.name + ".part").rename(path)
        self.exchange.handle(ev.RecordingEnded(LEG, name, seconds, why))
        self.settle()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


MESSAGE = do.Record("c1-message", LEG, None, 180, 8, CallId("c1"), "sales", CALLER, "gsm0")
CALL = do.Record("c1-2", LEG, None, call=CallId("c1"), caller=CALLER, line="gsm0")


def test_a_message_is_kept_with_whom_it_is_told_to(box: Box) -> None:
    box.begins(MESSAGE)
    assert [p.name for p in box.places.voicemail.glob("*.json")] == ["c1-message.json"]
    box.ends("c1-message", 12.5, "silence")
    [write] = box.writes
    assert isinstance(write, KeepMessage)
    assert (write.mailbox, write.name, write.seconds, write.path) == ("sales", "Sales", 12.5, "voicemail/c1-message")
    assert (write.mail_to, write.sms_to, write.line_label) == (("a@example.org",), "+48600100999", "Reception")
    assert not list(box.places.voicemail.glob("*.json"))


def test_a_message_without_a_word_is_not_kept(box: Box) -> None:
    box.begins(MESSAGE)
    box.ends("c1-message", 1.1, "silence")
    assert box.writes == []
    assert not list(box.places.voicemail.iterdir())


def test_a_call_recorded_twice_has_two_files_by_year_and_month(box: Box) -> None:
    for _ in range(2):
        box.begins(CALL)
        box.exchange._commands[do.PauseRecord](do.PauseRecord("c1-2", True))
        box.exchange._commands[do.StopRecord](do.StopRecord("c1-2"))
        box.ends("c1-2", 20.0)
    first, second = box.writes
    assert isinstance(first, KeepRecording)
    assert (first.path, first.pauses) == ("recordings/2026/11/c1-2", ((1.0, 2.0),))
    assert (second.id, second.path) == ("c1-2-2", "recordings/2026/11/c1-2-2")


def test_a_call_is_recorded_once_its_colleague_can_be_heard(box: Box) -> None:
    box.begins(replace(CALL, other=OTHER))
    assert box.sound.running == {}
    box.exchange._line_of[OTHER] = box.phones.id
    box.phones.slots[OTHER] = 9
    box.recordings.tick(0.0)
    assert box.sound.slots == {"c1-2": (7, 9)}


def test_what_a_crash_cut_is_mended_and_kept_at_the_next_start(box: Box, tmp_path: Path) -> None:
    box.begins(MESSAGE)
    part = box.places.voicemail / "c1-message.wav.part"
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    with part.open("ab") as more:
        more.write(bytes(32001))
    again = Recordings(box.exchange, box.sound, box.places, box._submit)
    assert again.repair() == 1
    [write] = box.writes
    assert (write.mailbox, write.caller, write.seconds) == ("sales", CALLER, 3.0)
    with wave.open(str(box.places.voicemail / "c1-message.wav")) as file:
        assert file.getnframes() == 24000
    assert again.repair() == 0


def test_a_row_that_could_not_be_written_is_written_at_the_next_start(box: Box) -> None:
    box.refuse = True
    box.begins(CALL)
    path = box.sound.running["c1-2"]
    with wave.open(str(path.with_name(path.name + ".part")), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(32000))
    box.ends("c1-2", 1.0)
    box.refuse = False
    assert Recordings(box.exchange, box.sound, box.places, box._submit).repair() == 1
    assert box.writes[0].path == box.writes[1].path
    assert box.writes[1].interrupted


def test_a_full_disk_costs_the_recording_and_is_told_once(box: Box) -> None:
    box.recordings.kept = Kept(free_percent=101)
    box.begins(CALL)
    box.begins(CALL)
    assert box.sound.running == {}
    assert box.storage.events.count("recording-no-room") == 1


def test_the_lamp_counts_the_messages_of_a_colleagues_own_boxes(box: Box) -> None:
    box.recordings.counts = {"sales": (2, 1), "other": (5, 5)}
    assert box.recordings.unheard("101") == (2, 1)
    assert box.recordings.unheard("102") == (0, 0)


def test_a_deleted_message_leaves_no_file(box: Box) -> None:
    folder = box.places.voicemail
    for ending in (".wav", ".mp3"):
        (folder / f"c9{ending}").touch()
    box._submit = lambda write, done: done("voicemail/c9")  # type: ignore[method-assign]
    told: list[bool] = []
    Recordings(box.exchange, box.sound, box.places, box._submit).forget("c9", told.append)
    assert told == [True]
    assert not list(folder.iterdir())
    assert recordings.mended(folder / "c9.wav") is None
