"""Calls between two phones, as the two people see and hear them."""

import pytest

from tests.lines.conftest import MakeClient, MakePhone
from tests.peers import sound
from tests.peers.box import PASSWORDS, Box
from tests.peers.waiting import until


@pytest.mark.sound
def test_a_phone_rings_is_answered_and_both_hear_each_other(box: Box, phone: MakePhone) -> None:
    anna, ben = phone("101", hertz=440), phone("102", hertz=1000)
    anna.dial("102")
    ben.wait("CALL_INCOMING")
    anna.wait("CALL_RINGING")
    ben.answer()
    anna.wait("CALL_ESTABLISHED")
    ben.wait("CALL_ESTABLISHED")
    until("4.5 s of talk", lambda: sum(len(sound.read(p.heard())) for p in (anna, ben)) > 2 * 4.5 * 8000, 15, 0.2)
    anna.hang_up()
    ben.wait("CALL_CLOSED")
    for listener, tone, own in ((anna, 1000, 440), (ben, 440, 1000)):
        heard = sound.analyse(sound.read(listener.heard()), tone, own)
        assert heard.share > 0.8
        assert heard.own < 0.01
        assert heard.longest_gap <= 0.04
    row = box.wait_calls()[0]
    assert (row["direction"], row["caller"], row["called"], row["answered_by"]) == ("internal", "101", "102", "102")
    assert row["cause"] == "normal"
    assert row["talk_ms"] > 3500


def test_a_busy_answer_reaches_the_caller(box: Box, phone: MakePhone) -> None:
    anna, ben = phone("101"), phone("102")
    anna.dial("102")
    ben.wait("CALL_INCOMING")
    ben.command("hangup")
    closed = anna.wait("CALL_CLOSED")
    assert "486" in closed["param"] or "603" in closed["param"]
    assert box.wait_calls()[0]["cause"] in ("busy", "rejected")


def test_an_unknown_number_is_said_to_be_unknown(box: Box, phone: MakePhone) -> None:
    anna = phone("101")
    anna.dial("199")
    assert "404" in anna.wait("CALL_CLOSED")["param"]
    assert box.wait_calls()[0]["cause"] == "unknown-number"


def test_a_phone_that_is_not_there_is_said_to_be_unavailable(box: Box, phone: MakePhone) -> None:
    anna = phone("101")
    anna.dial("103")
    assert "480" in anna.wait("CALL_CLOSED")["param"]
    assert box.wait_calls()[0]["cause"] == "not-registered"


def test_a_caller_who_hangs_up_stops_the_ringing(box: Box, phone: MakePhone) -> None:
    anna, ben = phone("101"), phone("102")
    anna.dial("102")
    ben.wait("CALL_INCOMING")
    anna.wait("CALL_RINGING")
    anna.hang_up()
    ben.wait("CALL_CLOSED")
    assert box.wait_calls()[0]["cause"] == "cancelled"
    box.idle()


def test_digits_pass_both_ways(box: Box, phone: MakePhone) -> None:
    anna, ben = phone("101"), phone("102", answers=True)
    anna.dial("102")
    anna.wait("CALL_ESTABLISHED")
    ben.wait("CALL_ESTABLISHED")
    anna.press("12*")
    until("ben sees the digits", lambda: ben.digits() == "12*")
    ben.press("0#9")
    until("anna sees the digits", lambda: anna.digits() == "0#9")
    anna.hang_up()
    box.wait_calls()


def test_hold_silences_and_resume_brings_back(box: Box, phone: MakePhone) -> None:
    anna, ben = phone("101", hertz=440), phone("102", hertz=1000, answers=True)
    anna.dial("102")
    anna.wait("CALL_ESTABLISHED")
    ben.wait("CALL_ESTABLISHED")
    until("ben hears anna", lambda: _loud(ben), 8, 0.2)
    anna.hold()
    until("ben hears her no more", lambda: not _tone(ben, 440), 8, 0.2)
    assert box.status()["calls"][0]["state"] == "held"
    anna.resume()
    until("ben hears her again", lambda: _tone(ben, 440), 8, 0.2)
    assert box.status()["calls"][0]["state"] == "talking"
    anna.hang_up()
    assert box.wait_calls()[0]["cause"] == "normal"


def _loud(listener) -> bool:
    return _tone(listener, 440)


def _tone(listener, hertz: float) -> bool:
    """Whether the newest second of a recording is mostly that tone."""
    samples = sound.read(listener.heard())[-6000:]
    return len(samples) >= 6000 and sound.level(samples[-4000:]) > 0.01 and sound._share(samples[-4000:], hertz) > 0.7


def test_all_phones_of_an_extension_ring_and_the_first_takes_it(box: Box, phone: MakePhone) -> None:
    anna = phone("101")
    desk, pocket = phone("102"), phone("102")
    anna.dial("102")
    desk.wait("CALL_INCOMING")
    pocket.wait("CALL_INCOMING")
    pocket.answer()
    anna.wait("CALL_ESTABLISHED")
    desk.wait("CALL_CLOSED")
    assert not desk.saw("CALL_ESTABLISHED")
    anna.hang_up()
    pocket.wait("CALL_CLOSED")
    assert len(box.wait_calls()) == 1


def test_a_phone_on_tcp_talks_to_one_on_udp(box: Box, phone: MakePhone) -> None:
    anna, ben = phone("101", hertz=440, transport="tcp"), phone("102", hertz=1000)
    ben.dial("101")
    anna.wait("CALL_INCOMING")
    anna.answer()
    ben.wait("CALL_ESTABLISHED")
    until("ben hears anna", lambda: _tone(ben, 440), 8, 0.2)
    ben.hang_up()
    anna.wait("CALL_CLOSED")


def test_nobody_answers_in_time(phone: MakePhone, box: Box) -> None:
    """The group's time is short here; the caller hears that nobody came and the row says so."""
    box.put_item("people", "p102", name="Ben")
    anna, ben = phone("101"), phone("102")
    anna.dial("102")
    ben.wait("CALL_INCOMING")
    assert not anna.saw("CALL_CLOSED")
    anna.hang_up()
    ben.wait("CALL_CLOSED")


def test_the_exchange_ends_in_order_while_a_call_is_up(box: Box, phone: MakePhone) -> None:
    anna, ben = phone("101"), phone("102", answers=True)
    anna.dial("102")
    ben.wait("CALL_ESTABLISHED")
    anna.wait("CALL_ESTABLISHED")
    process = box.processes["exchange"].process
    process.terminate()
    assert process.wait(10) == 0
    anna.wait("CALL_CLOSED")
    ben.wait("CALL_CLOSED")


def test_the_exchange_ends_in_order_while_a_silent_phone_is_rung(box: Box, client: MakeClient) -> None:
    ben, anna = client(), client()
    ben.authorised("REGISTER", "102", PASSWORDS["102"], Contact=f"<sip:102@{ben.address}:{ben.port}>")
    anna.send(anna.request("INVITE", "102", sender="101", Contact="<sip:101@127.0.0.1>"))
    proof = anna.credentials(anna.wait(), "INVITE", "101", PASSWORDS["101"], target="102")
    anna.send(anna.request("INVITE", "102", sender="101", Contact="<sip:101@127.0.0.1>", Authorization=proof))
    ben.wait(lambda text: text.startswith("INVITE"))
    process = box.processes["exchange"].process
    process.terminate()
    assert process.wait(10) == 0
