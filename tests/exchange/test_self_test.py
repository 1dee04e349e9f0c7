"""The test of a line's speech beside the calls of the office."""

from dataclasses import dataclass, field

import pytest

from appliance.core import commands as do
from appliance.core.model import LegId, LineId
from appliance.core.self_test import Heard
from appliance.errors import ControlError
from appliance.exchange.self_test import ANSWER_SECONDS, LISTEN_SECONDS, SPEECH_SECONDS, SelfTests
from appliance.exchange.status import call_rows
from tests.exchange.conftest import Office

GSM = LineId("gsm0")
LOOP = Heard(octets=48000, blocks=30, silent=2, tone=27, noisy=0, jumps=0, first_ms=200, best_db=-20, said_db=-17)


@dataclass
class Sound:
    """Speech of a modem that is there or not."""

    there: bool = True
    heard: Heard | None = LOOP
    begun: list[LegId] = field(default_factory=list)

    def begin_test(self, leg):
        if self.there:
            self.begun.append(leg)
        return self.there

    def tested(self, leg):
        return self.heard


class Line:
    """An office with its tests."""

    def __init__(self, office: Office) -> None:
        self.office, self.sound, self.kept = office, Sound(), []
        self.tests = SelfTests(office.exchange, self.sound, lambda line, facts: self.kept.append(facts), lambda t: None)
        office.exchange.stray = self.tests.heard
        self.line = office.gsm

    def start(self, **args):
        return self.tests.start({"line": "gsm0", **args})

    def later(self, seconds):
        self.tests.tick(self.office.clock.monotonic() + seconds)
        self.office.settle()

    def leg(self):
        return self.line.dialled()[-1].leg


@pytest.fixture
def tested(office: Office) -> Line:
    return Line(office)


def test_a_test_calls_its_number_and_leaves_no_row(tested: Line) -> None:
    tested.start(number="600100200", loop=True)
    assert tested.tests.running() == {"gsm0": "dialling"}
    tested.line.far_answers(tested.leg())
    tested.office.settle()
    tested.later(0.1)
    assert (tested.tests.running(), tested.sound.begun) == ({"gsm0": "listening"}, [tested.leg()])
    tested.later(LISTEN_SECONDS + 0.2)
    assert tested.kept == [{"verdict": "good", "level": -20, "delay": 200, "slips": 0}]
    assert (tested.tests.running(), tested.line.legs) == ({}, {}), "and hangs up"
    assert tested.office.storage.calls == []
    assert tested.office.phones.dialled() == []


def test_a_call_that_is_up_is_tested_and_goes_on(tested: Line) -> None:
    with pytest.raises(ControlError, match="no-speech-in-call"):
        tested.start()
    tested.office.call_in()
    tested.office.phones.far_answers(tested.office.phones.dialled()[0].leg)
    tested.office.settle()
    with pytest.raises(ControlError, match="line-busy"):
        tested.start(number="600100200")
    tested.start()
    tested.later(0.1)
    tested.later(LISTEN_SECONDS + 0.2)
    assert tested.sound.begun == [LegId("gsm0-1")]
    assert [facts["verdict"] for facts in tested.kept] == ["echo"], "a far end that is no loop gives nothing back"
    assert LegId("gsm0-1") in tested.line.legs
    assert not any(isinstance(command, do.HangUp) for command in tested.line.seen)


def test_a_number_that_does_not_answer_is_given_up(tested: Line) -> None:
    tested.sound.heard = None
    tested.start(number="600100200")
    tested.later(ANSWER_SECONDS + 1)
    assert tested.kept == [{"verdict": "no-call"}]
    assert tested.line.legs == {}
    tested.start(number="600100200")
    tested.line.far_ends(tested.leg())
    tested.office.settle()
    assert tested.kept[1:] == [{"verdict": "no-call"}]
    assert tested.tests.running() == {}


def test_a_call_whose_speech_never_comes_is_told(tested: Line) -> None:
    tested.sound.there, tested.sound.heard = False, None
    tested.start(number="600100200")
    tested.line.far_answers(tested.leg())
    tested.office.settle()
    tested.later(SPEECH_SECONDS + 1)
    assert tested.kept == [{"verdict": "nothing-in"}]
    assert tested.line.legs == {}


def test_a_line_out_of_service_is_not_tested(tested: Line) -> None:
    tested.line.usable = False
    with pytest.raises(ControlError, match="line-down"):
        tested.start(number="600100200")
    with pytest.raises(ControlError, match="no-such-line"):
        tested.tests.start({"line": "gsm7"})
    assert tested.line.dialled() == []


def test_the_status_tells_how_loud_the_other_side_is_once_it_has_sound(tested: Line) -> None:
    tested.office.call_in()
    (ringing,) = call_rows(tested.office.exchange)
    assert (ringing["level_in"], ringing["level_out"]) == (None, None)
    tested.office.phones.far_answers(tested.office.phones.dialled()[0].leg)
    tested.office.settle()
    (talking,) = call_rows(tested.office.exchange)
    assert (talking["level_in"], talking["level_out"]) == (-20, -30)
