"""The SIM line where it touches the machine: its ports, its files."""

import json
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import LegId, LineId
from appliance.lines.gsm import GsmLine
from appliance.lines.pin_memory import PinMemory
from appliance.protocols.modem import Modem


class Audio:
    """A bridge that takes a descriptor."""

    def __init__(self) -> None:
        self.opened: list[LegId] = []

    def open_pcm(self, leg: LegId, fd: int) -> int:
        self.opened.append(leg)
        return 7

    def close_pcm(self, leg: LegId) -> None: ...


class Port:
    """A modem's two ports as ptys; `line` has them, `hear` is what the modem says, `sent` what it was told."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []
        self.at = 0.0
        self.master, self.slave = os.openpty()
        self.pcm_master, self.pcm_slave = os.openpty()
        for fd in (self.slave, self.pcm_slave):
            tty.setraw(fd)
        os.set_blocking(self.master, False)
        self.audio = Audio()
        self.line = GsmLine(
            LineId("gsm0"), os.ttyname(self.slave), os.ttyname(self.pcm_slave), "+48600000000", "PL", Modem(),
            self.events.append, self.audio, lambda: self.at,
        )  # fmt: skip
        self.line.start()
        self.poll()

    def poll(self) -> None:
        self.at += 0.01
        self.line.poll(self.at)

    def hear(self, text: str) -> None:
        os.write(self.master, text.encode())
        self.poll()

    def sent(self) -> str:
        try:
            return os.read(self.master, 4096).decode()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        self.line.stop()
        for fd in (self.master, self.slave, self.pcm_master, self.pcm_slave):
            os.close(fd)


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    made.close()


def test_the_file_of_tried_pins_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "pins"
    old = os.umask(0)
    try:
        assert PinMemory(path, "1234").may_try("8948", -1)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "1234" not in path.read_text()


def test_a_pin_is_tried_once_for_each_sim_and_again_after_it_was_right(tmp_path: Path) -> None:
    path = tmp_path / "pins"
    assert PinMemory(path, "1234").may_try("8948", -1)
    assert not PinMemory(path, "1234").may_try("8948", -1), "not after a restart either"
    assert PinMemory(path, "1234").may_try("8949", -1), "another SIM"
    assert PinMemory(path, "4321").may_try("8948", -1), "another PIN"
    PinMemory(path, "1234").was_right("8948")
    assert PinMemory(path, "1234").may_try("8948", -1)
    assert len(json.loads(path.read_text())) == 3


def test_a_pin_that_cannot_be_written_down_is_not_tried(tmp_path: Path) -> None:
    assert not PinMemory(tmp_path / "no folder" / "pins", "1234").may_try("8948", -1)


def test_the_speech_port_is_made_ready_without_waiting_for_what_an_old_call_left(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    real = tty.setraw
    monkeypatch.setattr(tty, "setraw", lambda fd, when=tty.TCSAFLUSH: (waits.append(when), real(fd, when)))
    port.line._leg = LegId("gsm0-1")
    port.line._open_speech(LegId("gsm0-1"))
    assert waits == [tty.TCSANOW]
    assert port.audio.opened == ["gsm0-1"]


def test_a_line_that_is_stopped_ends_its_call_whatever_else_is_in_flight(port: Port) -> None:
    port.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    assert [type(e) for e in port.events] == [ev.Offered]
    assert port.sent() == "AT\r", "its answer is still to come"
    port.line.stop()
    assert "AT+CHUP\r" in port.sent()
    ended = next(e for e in port.events if isinstance(e, ev.Ended))
    assert ended.cause is Cause.LINE_LOST


def test_a_pin_cut_off_by_a_power_cut_is_tried_again_only_when_the_sim_says_that_it_cost_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "pins"
    assert PinMemory(path, "1234").may_try("8948", 3)
    assert not PinMemory(path, "1234").may_try("8948", 2), "it was wrong: a try is gone"
    assert not PinMemory(path, "1234").may_try("8948", -1), "nobody can tell"
    assert PinMemory(path, "1234").may_try("8948", 3)


def test_a_pin_that_the_sim_called_wrong_is_never_tried_again_whatever_its_counter_says(tmp_path: Path) -> None:
    path = tmp_path / "pins"
    assert PinMemory(path, "1234").may_try("8948", 3)
    PinMemory(path, "1234").was_wrong("8948")
    assert not PinMemory(path, "1234").may_try("8948", 3), (
        "somebody opened it in a telephone: the counter is full again"
    )


def test_what_an_older_release_remembered_of_pins_still_counts(tmp_path: Path) -> None:
    path = tmp_path / "pins"
    memory = PinMemory(path, "1234")
    path.write_text(json.dumps([memory._mark("8948")]))
    assert not memory.may_try("8948", 3)
    path.write_text("{broken")
    assert memory.may_try("8948", 3)
