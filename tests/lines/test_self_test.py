"""The test of a line's speech, in a whole exchange with a modem on ptys: each fault is named."""

import json
from collections import deque
from collections.abc import Callable

import numpy as np
import pytest

from tests.peers.box import Box
from tests.peers.loop_modem import LoopModem, Says
from tests.peers.waiting import until

LOOP_FRAMES = 10  # 200 ms


def loop(gain: float = 0.5, frames: int = LOOP_FRAMES) -> Says:
    """What is heard comes back later."""
    waiting = deque([np.zeros(160)] * frames)

    def says(heard: np.ndarray | None) -> np.ndarray:
        if heard is not None:
            waiting.append(heard * gain)
        return waiting.popleft() if waiting else np.zeros(160)

    return says


def crackling() -> Says:
    """A loop that loses a piece of a frame every 400 ms."""
    held, turn = loop(), iter(range(1 << 30))

    def says(heard: np.ndarray | None) -> np.ndarray:
        frame = held(heard)
        return np.roll(frame, 53) * np.array([1] * 60 + [-1] * 100) if next(turn) % 20 == 0 else frame

    return says


def somebody(heard: np.ndarray | None) -> np.ndarray:
    return (3000 * np.sin(2 * np.pi * 350 * np.arange(160) / 8000)).round()


def noise() -> Says:
    random = np.random.default_rng(1)
    return lambda heard: random.normal(0, 6000, 160).clip(-32768, 32767)


def verdict_of(box: Box, **args: object) -> dict:
    """The verdict of a test, from the journal."""
    box.ask("line.selftest", line="gsm0", **args)
    assert box.status()["self_tests"]["gsm0"] in ("dialling", "listening")
    until("the test is over", lambda: not box.status()["self_tests"], 20)
    (row,) = until("its verdict is kept", lambda: box.rows("line_facts", "name = 'self-test'"))
    until("the call of the test is over", lambda: not box.status()["lines"][0]["busy"])
    return json.loads(row["value"])


def office(modem: LoopModem, **more: object) -> Box:
    line = {"id": "gsm0", "kind": "gsm", "label": "Main", "number": "+48600000000", "device": modem.device,
            "pcm_device": modem.pcm_device, **more}  # fmt: skip
    return Box({"lines": {"items": [line]}})


CASES: tuple[tuple[str, Callable[[], Says], bool], ...] = (
    ("good", loop, True),
    ("not-heard", lambda: somebody, True),
    ("heard-only-in", lambda: somebody, False),
    ("only-silence", lambda: lambda heard: np.zeros(160), True),
    ("nothing-in", lambda: lambda heard: None, True),
    ("noise", noise, True),
    ("echo", lambda: loop(0.2), False),
    ("weak", lambda: loop(0.03), True),
    ("crackle", crackling, True),
)


@pytest.mark.sound
@pytest.mark.parametrize(("verdict", "says", "back"), CASES, ids=[case[0] for case in CASES])
def test_the_test_of_speech_names_what_is_wrong(verdict: str, says: Callable[[], Says], back: bool) -> None:
    with LoopModem(says()) as modem, office(modem) as box:
        until("the line works", lambda: box.status()["lines"][0]["usable"], 20)
        found = verdict_of(box, number="600 100 200", loop=back)
        assert found["verdict"] == verdict, (found, box.log())
        assert modem.dialled == ["+48600100200"]
        if verdict == "good":
            assert found["delay"] >= 0
            assert -26 <= found["level"] <= -20, "half as loud as it was said"
        assert box.calls() == [], "a test is no call of the office"


def test_a_line_without_a_speech_port_and_one_with_a_wrong_port_are_told_so() -> None:
    for port, verdict in (("", "no-speech-port"), ("/dev/no-such-port", "port-refused")):
        with LoopModem(loop()) as modem, office(modem, pcm_device=port) as box:
            until("the line works", lambda box=box: box.status()["lines"][0]["usable"], 20)
            assert verdict_of(box, number="600100200", loop=True)["verdict"] == verdict


def test_a_test_is_refused_where_it_cannot_be() -> None:
    with LoopModem(loop(), answers=False) as modem, office(modem) as box:
        assert box.try_ask("line.selftest", line="gsm9").error == "no-such-line"
        until("the line works", lambda: box.status()["lines"][0]["usable"], 20)
        assert box.try_ask("line.selftest", line="gsm0").error == "no-speech-in-call"
        for number in ("112", "12", "no number", "+48600100200;AT"):
            assert box.try_ask("line.selftest", line="gsm0", number=number).error == "not-a-phone-number"
        box.ask("line.selftest", line="gsm0", number="600100200")
        assert box.try_ask("line.selftest", line="gsm0", number="600100200").error == "line-busy"
        assert modem.dialled == ["+48600100200"]
