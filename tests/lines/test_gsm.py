"""The SIM line where it touches the machine: its ports, its files."""

import json
import os
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import LegId, LineId
from appliance.lines.gsm import GsmLine
from appliance.lines.pin_memory import PinMemory
from appliance.lines.speech import Speech, Way, alsa_name
from appliance.protocols import modem_events as said
from appliance.protocols.at import AtEngine, Command, Finished, Unsolicited
from appliance.protocols.modem import Modem
from appliance.protocols.modem_call import Calls
from appliance.protocols.modem_families import FAMILIES, Family


class Audio:
    """A bridge that takes a descriptor."""

    def __init__(self) -> None:
        self.opened: list[LegId] = []
        self.closed: list[LegId] = []
        self.wires: list[object] = []
        self.flows: list[bool] = []
        self.pressed = ""

    def open_pcm(self, leg: LegId, fd: int, rate: int = 8000, burst: int = 1) -> int:
        self.opened.append(leg)
        self.wires.append((rate, burst))
        return 7

    def open_card(self, leg: LegId, name: str) -> int:
        if name == "hw:CARD=Nobody":
            raise OSError(19, "no such device")
        self.opened.append(leg)
        self.wires.append(name)
        return 8

    def close_pcm(self, leg: LegId) -> None:
        self.closed.append(leg)

    def listen(self, leg: LegId, heard: Callable[[str], None], lost: Callable[[str], None]) -> None:
        self.heard, self.lost = heard, lost

    def flow(self, leg: LegId, go: bool) -> None:
        self.flows.append(go)

    def press(self, leg: LegId, digits: str) -> None:
        self.pressed += digits

    def levels(self, slot: int) -> tuple[int, int]:
        return -20, -30


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


# ---- speech ---------------------------------------------------------------------------------------------------------


def family(name: str) -> Family:
    return next(one for one in FAMILIES if one.name == name)


class Call:
    """The speech of a call, with a bridge that takes it."""

    def __init__(self, way: Way, kind: str, port: str = "") -> None:
        self.audio, self.keys, self.lost = Audio(), [], []
        self.speech = Speech(LineId("gsm0"), way, self.audio, self.keys.append, self.lost.append)
        self.slot = self.speech.open(LegId("gsm0-1"), family(kind), port)


def test_speech_goes_over_the_sound_card_where_one_is_named_and_over_the_port_else(port: Port) -> None:
    device, card = os.ttyname(port.pcm_slave), "hw:CARD=Android"
    ways = {Way(): (8000, 1), Way(card): card, Way(card, "serial"): (8000, 1), Way(card, "alsa"): card}
    assert {way: Call(way, "huawei", device).audio.wires for way in ways} == {way: [wire] for way, wire in ways.items()}
    assert Call(Way(), "quectel", device).audio.wires == [(8000, 5)], "100 ms at once"


def test_a_sound_card_may_be_given_by_its_socket(tmp_path: Path) -> None:
    (tmp_path / "controlC3").touch()
    (tmp_path / "usb-0:1.3:1.0").symlink_to("controlC3")
    assert alsa_name(str(tmp_path / "usb-0:1.3:1.0")) == "hw:3"
    assert alsa_name("/dev/snd/by-path/not-plugged-in") == "/dev/snd/by-path/not-plugged-in"
    assert alsa_name("hw:CARD=Android") == "hw:CARD=Android"


def test_speech_that_cannot_be_leaves_the_call_silent_and_says_why() -> None:
    cases = (
        (Way(), "", "none"), (Way(), "/dev/no-such-port", "refused"), (Way("hw:CARD=Nobody"), "", "refused"),
        (Way("", "alsa"), "/dev/null", "none"),
    )  # fmt: skip
    for way, device, state in cases:
        call = Call(way, "simcom-lte", device)
        assert (call.slot, call.speech.facts()) == (None, {"speech": state})


def test_a_key_that_modem_and_sound_both_tell_is_one_key(port: Port) -> None:
    port.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    port.line._open_speech(next(e for e in port.events if isinstance(e, ev.Offered)).offer.leg)
    for key in "55#":
        port.audio.heard(key)
        port.at += 0.3
        port.line.digit_heard("modem", key, port.at)
        port.at += 0.1
    port.audio.heard("7")  # the modem missed it
    port.at += 2
    port.line.digit_heard("modem", "8", port.at)  # the sound was too poor
    port.audio.heard("A")
    assert "".join(e.digit for e in port.events if isinstance(e, ev.Digit)) == "55#78"


def test_keys_go_out_as_sound_where_the_modem_cannot_send_them() -> None:
    card, serial = Call(Way("hw:CARD=Android"), "quectel"), Call(Way("hw:CARD=Usb"), "simcom-2g")
    assert (card.speech.press("12#"), card.audio.pressed) == (True, "12#")
    assert (serial.speech.press("12#"), serial.audio.pressed) == (False, "")


def test_a_call_whose_sound_card_is_pulled_out_ends_with_that_cause(port: Port) -> None:
    port.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    leg = next(e for e in port.events if isinstance(e, ev.Offered)).offer.leg
    port.line._open_speech(leg)
    assert port.line.slot(leg) == 7
    assert port.line.status().facts["level_in"] == "-20"
    port.audio.lost("No such device")
    port.poll()
    assert not [e for e in port.events if isinstance(e, ev.Ended)], "the modem may be on its way out as well"
    port.at += 1
    port.poll()
    ended = next(e for e in port.events if isinstance(e, ev.Ended))
    assert (ended.cause, ended.detail) == (Cause.MEDIA, "No such device")
    assert port.audio.closed == [leg]
    assert port.line.slot(leg) is None
    assert port.line.status().facts["speech"] == "lost"


def test_a_modem_of_quectel_says_over_which_way_speech_goes_and_when_it_is_full() -> None:
    for card, command in ((False, "AT+QPCMV=1,0"), (True, "AT+QPCMV=1,2")):
        told: list[object] = []
        engine = AtEngine()
        calls = Calls(engine, told.append, family("quectel"), by_card=card)
        calls.dial("+48600100200", 0.0)
        engine.output(0.0)
        engine.feed(b"\r\nOK\r\n", 0.1)
        calls.unsolicited(Unsolicited('+CLCC: 1,0,0,0,0,"+48600100200",145'), 0.2)
        assert engine.output(0.3).decode().strip() == command
        calls.finished(Finished(Command(command), True, "OK"), "audio", 0.4)
        calls.unsolicited(Unsolicited("+QPCMV: 0,0"), 0.5)
        calls.unsolicited(Unsolicited("+QPCMV: 1,0"), 0.6)
        assert told[-2:] == [said.SpeechFlow(False), said.SpeechFlow(True)]
