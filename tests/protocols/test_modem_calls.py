"""Calls of a modem."""

import pytest

from appliance.protocols import modem_events as said
from tests.protocols.modem_bench import CLIP, Bench, talking


def test_a_call_is_offered_when_its_number_is_known() -> None:
    bench = Bench().up()
    bench.hear("\r\nRING\r\n")
    assert bench.told(said.CallOffered) == []
    bench.hear('\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    offered = bench.told(said.CallOffered)
    assert [event.caller.number for event in offered] == ["+48600100200"]


def test_a_call_without_a_number_is_offered_after_the_second_ring() -> None:
    bench = Bench().up()
    bench.hear("\r\n+CRING: VOICE\r\n")
    bench.run(2)
    assert bench.told(said.CallOffered) == []
    bench.hear("\r\n+CRING: VOICE\r\n")
    bench.run(0.6)
    assert [event.caller for event in bench.told(said.CallOffered)] == [None]
    bench.hear('\r\n+CLIP: "600100200",129,,,,0\r\n')
    assert [event.caller.number for event in bench.told(said.CallerKnown)] == ["600100200"]


@pytest.mark.parametrize(("clip", "validity"), [('"",128,,,,1', "withheld"), ('"",128,,,,2', "unavailable")])
def test_hidden_and_not_delivered_are_told_apart(clip: str, validity: str) -> None:
    bench = Bench().up()
    bench.hear(f"\r\nRING\r\n\r\n+CLIP: {clip}\r\n")
    assert [event.caller.validity for event in bench.told(said.CallOffered)] == [validity]


def test_rings_that_stop_are_a_caller_who_gave_up() -> None:
    bench = Bench(**{"AT+CLCC": None}).up()
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    bench.run(20)
    assert [event.reason for event in bench.told(said.CallEnded)] == ["cancelled"]


@pytest.mark.parametrize(
    ("urc", "reason"),
    [("BUSY", "busy"), ("NO ANSWER", "no-answer"), ("^CEND:1,0,104,17", "busy"), ("^CEND:1,0,104,34", "congestion"),
     ("NO CARRIER", "unreachable")],
)  # fmt: skip
def test_a_call_out_that_fails_says_why(urc: str, reason: str) -> None:
    bench = Bench(**{"AT+CLCC": '+CLCC: 1,0,2,0,0,"600100200",129'}).up()
    assert bench.modem.calls.dial("600100200", bench.at)
    bench.run(0.5)
    assert "ATD600100200;" in bench.sent
    bench.hear(f"\r\n{urc}\r\n")
    bench.run(0.2)  # where nobody says why, the modem is asked
    assert [event.reason for event in bench.told(said.CallEnded)] == [reason]


def test_a_call_out_rings_is_answered_and_its_speech_is_opened() -> None:
    bench = Bench(**{"AT+CLCC": '+CLCC: 1,0,3,0,0,"600100200",129'}).up()
    bench.modem.calls.dial("600100200", bench.at)
    bench.run(2)
    assert len(bench.told(said.CallAlerting)) == 1
    bench.answers["AT+CLCC"] = '+CLCC: 1,0,0,0,0,"600100200",129'
    bench.run(2)
    assert "AT^DDSETEX=2" in bench.sent
    assert len(bench.told(said.CallAnswered)) == 1
    bench.answers["AT+CLCC"] = ""
    bench.run(12)
    assert [event.reason for event in bench.told(said.CallEnded)] == ["normal"], "three looks did not find it"


def test_a_restart_of_the_modem_begins_anew_and_ends_its_call() -> None:
    bench = Bench().up()
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    bench.hear("\r\nRDY\r\n")
    assert [event.reason for event in bench.told(said.CallEnded)] == ["lost"]
    bench.run(6)
    assert bench.modem.state == "up"


def test_a_call_whose_answer_was_lost_is_not_kept_by_the_modem() -> None:
    bench = Bench(**{"ATA": "?", "AT+CLCC": '+CLCC: 1,1,4,0,0,"+48600100200",145'}).up()
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    bench.modem.calls.answer()
    bench.run(20)
    assert [event.reason for event in bench.told(said.CallEnded)] == ["cancelled"]
    assert "AT+CHUP" in bench.sent


def test_a_ring_still_on_its_way_after_our_refusal_is_no_second_call() -> None:
    bench = Bench().up()
    bench.hear(CLIP)
    bench.modem.calls.hang_up()
    bench.run(0.3)
    assert len(bench.told(said.CallEnded)) == 1
    bench.hear(CLIP)
    bench.run(0.5)
    assert len(bench.told(said.CallOffered)) == 1
    bench.run(3)
    bench.hear(CLIP)  # whoever really calls again is heard with his next ring
    assert len(bench.told(said.CallOffered)) == 2


def test_who_calls_again_right_after_our_refusal_is_not_kept_waiting_for_his_next_ring() -> None:
    bench = Bench().up()
    bench.hear(CLIP)
    bench.modem.calls.hang_up()
    bench.run(0.3)
    bench.answers["AT+CLCC"] = '+CLCC: 1,1,4,0,0,"+48600100200",145'
    bench.hear(CLIP)
    bench.run(0.2)
    offered = [e.caller.number for e in bench.told(said.CallOffered)]
    assert offered == ["+48600100200", "+48600100200"]


@pytest.mark.parametrize(
    "urc", ['+CCWA: "+48600300400",145,1', '+CLIP: "+48600300400",145,,,,0', '+CLCC: 2,1,5,0,0,"+48600300400",145']
)
def test_who_calls_while_we_talk_is_refused_as_busy_and_told_about_once(urc: str) -> None:
    bench = talking()
    for _ in range(3):
        bench.hear(f"\r\n{urc}\r\n")
    bench.run(2)
    assert bench.sent.count("AT+CHLD=0") == 1
    assert [e.caller.number for e in bench.told(said.SecondCall)] == ["+48600300400"]
    assert bench.told(said.CallEnded) == []
    assert len(bench.told(said.CallOffered)) == 1


def test_our_number_is_withheld_for_one_call() -> None:
    bench = Bench().up()
    assert bench.modem.calls.dial("600100200", bench.at, withhold=True)
    bench.run(0.2)
    assert "ATD600100200I;" in bench.sent


def test_a_modem_without_the_i_of_atd_withholds_by_its_service_and_shows_the_number_again() -> None:
    bench = Bench(**{"ATD600100200I;": None}).up()
    bench.modem.calls.dial("600100200", bench.at, withhold=True)
    bench.run(0.5)
    assert [c for c in bench.sent if c.startswith(("ATD", "AT+CLIR"))] == [
        "ATD600100200I;", "AT+CLIR=1", "ATD600100200;"
    ]  # fmt: skip
    bench.modem.calls.hang_up()
    bench.run(1)
    assert bench.sent[-1] == "AT+CLIR=0"


def test_a_number_that_cannot_be_withheld_is_not_dialled() -> None:
    bench = Bench(**{"ATD600100200I;": None, "AT+CLIR=1": None}).up()
    bench.modem.calls.dial("600100200", bench.at, withhold=True)
    bench.run(0.5)
    assert "ATD600100200;" not in bench.sent
    assert [e.reason for e in bench.told(said.CallEnded)] == ["rejected"]


@pytest.mark.parametrize(
    ("words", "reason", "voice"),
    [("+CEER: Unassigned number", "unreachable", True), ("+CEER: Cause: 17, User busy", "busy", True),
     ("+CEER: 5,34", "congestion", True), ("+CEER: No cause information available", "unreachable", False),
     (None, "unreachable", False)],
)  # fmt: skip
def test_why_the_network_ended_a_call_is_asked_and_no_cause_at_once_means_no_voice(
    words: str | None, reason: str, voice: bool
) -> None:
    bench = Bench(**{"ATD600100200;": "!NO CARRIER", "AT+CEER": words}).up()
    bench.modem.calls.dial("600100200", bench.at)
    bench.run(1)
    assert [e.reason for e in bench.told(said.CallEnded)] == [reason]
    assert (bench.told(said.NoVoice) == []) is voice


def test_keys_are_pressed_one_after_the_other() -> None:
    bench = talking()
    at = bench.at
    bench.modem.tones.send("12x*")
    bench.run(0.1)
    assert bench.sent == ["AT^DTMF=1,1"]
    bench.run(1)
    assert bench.sent[:3] == ["AT^DTMF=1,1", "AT^DTMF=1,2", "AT^DTMF=1,*"]
    assert bench.at > at


@pytest.mark.parametrize(
    ("urc", "digits"),
    [("+RXDTMF: 8", "8"), ("+DTMF: *", "*"), ("+QTONEDET: 35", "#"), ("^DDTMF: 0", "0"), ("+RXDTMF: A", ""),
     ("+DTMF:", "")],
)  # fmt: skip
def test_keys_of_the_far_end_are_read_as_vendors_tell_them(urc: str, digits: str) -> None:
    bench = talking()
    bench.hear(f"\r\n{urc}\r\n")
    assert "".join(e.digit for e in bench.told(said.DigitHeard)) == digits


def test_a_hang_up_that_nobody_answers_ends_the_call_all_the_same() -> None:
    bench = talking()
    bench.answers.update({"AT+CHUP": "?", "ATH": "?"})
    bench.modem.calls.hang_up()
    bench.run(20)
    assert len(bench.told(said.CallEnded)) == 1
