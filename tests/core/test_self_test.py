"""Counts and levels of a test of speech, and the one fault they mean."""

from dataclasses import replace

import pytest

from appliance.core.self_test import VERDICTS, Heard, judge
from appliance.words import SELF_TEST

GOOD = Heard(octets=48000, blocks=30, silent=2, tone=26, noisy=0, jumps=0, first_ms=200, best_db=-22, said_db=-17)


@pytest.mark.parametrize(
    ("verdict", "speech", "heard", "loop"),
    [
        ("good", "up", GOOD, True),
        ("no-speech-port", "none", None, True),
        ("port-refused", "refused", None, True),
        ("port-lost", "lost", GOOD, True),
        ("nothing-in", "up", None, True),
        ("nothing-in", "up", replace(GOOD, octets=0, blocks=0, tone=0), True),
        ("only-silence", "up", replace(GOOD, silent=30, tone=0), True),
        ("noise", "up", replace(GOOD, silent=0, noisy=28, tone=0), True),
        ("octets-lost", "up", replace(GOOD, realigned=1), True),
        ("not-heard", "up", replace(GOOD, tone=0, first_ms=-1, best_db=-90), True),
        ("crackle", "up", replace(GOOD, jumps=4), True),
        ("crackle", "up", replace(GOOD, slips=3), True),
        ("crackle", "up", replace(GOOD, slips=3, tone=0), False),
        ("weak", "up", replace(GOOD, best_db=-50), True),
        ("echo", "up", GOOD, False),
        ("heard-only-in", "up", replace(GOOD, tone=0, best_db=-90), False),
        ("heard-only-in", "up", replace(GOOD, best_db=-60), False),
        ("good", "up", replace(GOOD, jumps=1, slips=1), True),
    ],
)
def test_what_was_heard_means_one_thing(verdict: str, speech: str, heard: Heard | None, loop: bool) -> None:
    assert judge(speech, heard, loop) == verdict
    assert verdict in VERDICTS


def test_every_verdict_has_its_sentence() -> None:
    assert [verdict for verdict in VERDICTS if verdict not in SELF_TEST] == []
