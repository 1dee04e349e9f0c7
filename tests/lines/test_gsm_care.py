"""A SIM line looks after its modem: finds it again, heals it, says what it cannot mend."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import Kind, LegId, LineId, Number
from appliance.lines.power import UsbPower
from tests.lines.modem_peer import Bench

ONE, TWO, THREE = "356938035643801", "356938035643802", "356938035643803"
PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


# ---- which modem is whose ------------------------------------------------------------------------------------------


def test_a_modem_put_back_under_another_name_is_in_service_again(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE), bench.line("usb0")
    bench.up(line)
    modem.unplug()
    assert bench.run(10, lambda: line.status().state == "not-there") < 10
    modem.plug("usb7")
    assert bench.up(line, 60) < 60
    assert ev.LineUp(line.id) in bench.events[-5:]


def test_what_the_line_was_on_before_a_restart_is_found_wherever_it_is_now(bench: Bench) -> None:
    bench.modem("usb0", TWO)
    bench.modem("usb1", ONE)
    first = bench.line("usb0", known={"identity": {"imei": ONE, "iccid": ""}})
    second = bench.line("usb1", known={"identity": {"imei": TWO, "iccid": ""}})
    bench.run(60, lambda: first.status().usable and second.status().usable)
    assert (first.status().facts["imei"], second.status().facts["imei"]) == (ONE, TWO)
    assert bench.said() == []


def test_a_new_modem_in_the_place_of_a_broken_one_is_taken_and_said(bench: Bench) -> None:
    bench.modem("usb0", TWO)
    line = bench.line("usb0", known={"identity": {"imei": ONE, "iccid": ""}})
    bench.run(10, lambda: line.status().state == "other-modem")
    assert bench.up(line, 60) >= 10, "the old one is looked for first"
    assert bench.said() == ["modem-changed"]
    assert bench.facts()[line.id, "identity"] == {"imei": TWO, "iccid": ""}


def test_the_modem_that_the_owner_named_is_the_only_one(bench: Bench) -> None:
    bench.modem("usb0", TWO)
    line = bench.line("usb0", imei=ONE)
    bench.run(90)
    assert line.status().state == "other-modem"
    assert not line.status().usable
    bench.modem("usb1", ONE)
    bench.up(line, 60)


def test_the_modem_of_another_line_is_never_taken(bench: Bench) -> None:
    bench.modem("usb0", TWO)
    bench.line("usb9", known={"identity": {"imei": TWO, "iccid": ""}})  # its port is gone, its modem is at usb0
    other = bench.line("usb0", known={"identity": {"imei": ONE, "iccid": ""}})
    bench.run(90)
    assert not other.status().usable
    assert bench.lines[0].status().facts["imei"] == TWO
    assert bench.lines[0].status().usable


def test_ports_that_stream_and_ports_that_others_hold_are_passed_by(bench: Bench) -> None:
    positions, taken = bench.modem("a-nmea"), bench.modem("b-taken", TWO)
    positions.streams = b"$GPGSV,3,1,11,03,03,111,00*74\r\n"
    held = os.open(taken.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(held, fcntl.LOCK_EX)
    bench.modem("c-right", ONE)
    line = bench.line("usb9", imei=ONE)
    bench.up(line, 60)
    os.close(held)
    assert taken.sent == []
    assert set(positions.sent) <= {"AT"}


def test_a_port_in_the_grip_of_another_program_is_said_so_and_taken_when_it_is_free(bench: Bench) -> None:
    modem = bench.modem("usb0", ONE)
    held = os.open(modem.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(held, fcntl.LOCK_EX)
    line = bench.line("usb0")
    bench.run(5)
    assert line.status().state == "port-busy"
    assert bench.told(ev.LineDown)[-1] == ev.LineDown(line.id, "port-busy")
    os.close(held)
    bench.up(line, 20)


def test_another_sim_is_noticed_also_after_a_restart(bench: Bench) -> None:
    bench.modem("usb0", ONE, **{"AT^ICCID?": "^ICCID: 8948031111111111111"})
    line = bench.line("usb0", known={"identity": {"imei": ONE, "iccid": "8948039999999999999"}})
    bench.up(line)
    assert bench.said() == ["sim-changed"]
    assert bench.facts()[line.id, "identity"] == {"imei": ONE, "iccid": "8948031111111111111"}


# ---- a modem that fails --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [5, 20, 60, 200, 900])
def test_however_long_it_was_silent_it_is_in_service_within_a_minute_after(bench: Bench, seconds: int) -> None:
    modem, line = bench.modem("usb0", ONE), bench.line("usb0")
    bench.up(line)
    modem.silent = True
    bench.run(seconds)
    modem.silent = False
    assert bench.run(60, lambda: line.status().usable) < 60


def test_a_silent_modem_is_opened_anew_then_reset_and_people_are_told_once(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE), bench.line("usb0")
    bench.up(line)
    modem.silent = True
    modem.sent.clear()
    bench.run(400)
    assert line.status().state == "no-answer"
    assert modem.sent.index("AT+CFUN=0") < modem.sent.index("AT^RESET")
    assert bench.said() == ["modem-given-up"]
    care = bench.facts()[line.id, "care"]
    assert care["given-up"]
    assert care["steps"]["reset"] == 1
    modem.silent = False
    bench.run(60)
    assert bench.said() == ["modem-given-up", "modem-back"]
    assert not bench.facts()[line.id, "care"]["given-up"]


def test_one_that_answers_but_finds_no_network_gets_its_radio_switched_and_then_a_reset(bench: Bench) -> None:
    modem = bench.modem("usb0", ONE, **{"AT+CREG?": "+CREG: 2,2"})
    line = bench.line("usb0")
    bench.run(320)
    assert "AT+CFUN=0" in modem.sent
    assert "AT^RESET" not in modem.sent
    bench.run(320)
    assert "AT^RESET" in modem.sent
    modem.answers["AT+CREG?"] = "+CREG: 2,1"
    bench.up(line, 60)


def test_a_modem_is_never_reset_in_a_call(bench: Bench) -> None:
    call = '+CLCC: 1,1,0,0,0,"+48600100200",145'
    modem, line = bench.modem("usb0", ONE), bench.line("usb0")
    bench.up(line)
    modem.answers["AT+CLCC"] = call
    modem.say('RING\r\n\r\n+CLIP: "+48600100200",145,,,,0')
    bench.run(1)
    leg = bench.told(ev.Offered)[0].offer.leg
    line.perform(do.Answer(leg))
    bench.run(1)
    modem.sent.clear()
    modem.silent = True
    bench.run(40)
    assert bench.told(ev.Ended) == [], "people go on talking"
    assert {command for command in modem.sent if "CFUN" in command or "RESET" in command} == set()
    modem.silent = False
    bench.run(20)
    assert bench.told(ev.Ended) == []
    assert line.status().usable


def test_a_call_on_a_modem_that_stays_silent_ends(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE), bench.line("usb0")
    bench.up(line)
    modem.answers["AT+CLCC"] = '+CLCC: 1,1,0,0,0,"+48600100200",145'
    modem.say('RING\r\n\r\n+CLIP: "+48600100200",145,,,,0')
    bench.run(1)
    line.perform(do.Answer(bench.told(ev.Offered)[0].offer.leg))
    bench.run(1)
    modem.silent = True
    bench.run(180)
    assert [event.cause for event in bench.told(ev.Ended)] == [Cause.LINE_LOST]


def test_the_last_step_switches_the_power_of_the_socket(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("bin")
    note = folder / "note"
    (folder / "uhubctl").write_text(f'#!/bin/sh\necho "$@" >> {note}\n')
    (folder / "uhubctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    modem = bench.modem("usb0", ONE)
    line = bench.line("usb0", power=UsbPower("1-1:2"))
    bench.up(line)
    modem.silent = True
    bench.run(200)
    assert bench.facts()[line.id, "care"]["steps"]["power"] == 1
    assert note.read_text() == "-l 1-1 -p 2 -a cycle -d 5\n"


def test_one_line_in_trouble_leaves_the_other_alone(bench: Bench) -> None:
    first, second = bench.modem("usb0", ONE), bench.modem("usb1", TWO)
    one, two = bench.line("usb0"), bench.line("usb1")
    bench.up(one)
    bench.up(two)
    first.silent = True
    second.sent.clear()
    bench.events.clear()
    bench.run(300)
    assert not one.status().usable
    assert two.status().usable
    assert [event for event in bench.told(ev.LineDown) if event.line == two.id] == []
    assert {command for command in second.sent if "CFUN=" in command} == set()


def test_a_sim_pulled_in_a_call_ends_neither_the_line_for_ever_nor_the_program(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE), bench.line("usb0")
    bench.up(line)
    modem.say('RING\r\n\r\n+CLIP: "+48600100200",145,,,,0')
    bench.run(1)
    modem.answers["AT+CPIN?"] = "!+CME ERROR: 10"
    modem.say("+CPIN: NOT INSERTED")
    modem.say("NO CARRIER")
    bench.run(15)
    assert line.status().state == "no-sim"
    assert len(bench.told(ev.Ended)) == 1
    modem.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.up(line, 60)


# ---- what it says --------------------------------------------------------------------------------------------------


def test_a_message_that_is_none_is_stored_as_it_is_and_its_slot_freed(bench: Bench) -> None:
    modem = bench.modem("usb0", ONE)
    line = bench.line("usb0")
    bench.up(line)
    modem.answers["AT+CMGR=3"] = '+CMGR: "REC UNREAD","Bank",,""\r\nŁ'.encode().decode("latin-1")
    modem.say('+CMTI: "SM",3')
    bench.run(5)
    (received,) = bench.told(ev.SmsReceived)
    assert received.part.flags == ("undecodable",)
    assert "Bank" in received.part.text
    line.perform(do.FreeSlot(line.id, "SM", 3, received.part.pdu))
    bench.run(2)
    assert modem.sent.count("AT+CMGD=3") == 1


def test_a_message_that_cannot_be_deleted_is_told_once_and_remembered(bench: Bench) -> None:
    answers = {"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}", "AT+CMGD=3": "!+CMS ERROR: 500"}
    modem, line = bench.modem("usb0", ONE, **answers), bench.line("usb0")
    bench.up(line)
    modem.say('+CMTI: "SM",3')
    bench.run(2)
    line.perform(do.FreeSlot(line.id, "SM", 3, PDU))
    bench.run(200)
    assert bench.said() == ["slot-stuck"]
    assert bench.facts()[line.id, "quarantine"] == ["SM 3"]
    assert len(bench.told(ev.SmsReceived)) == 1


def test_a_message_without_a_slot_is_acknowledged_only_when_it_is_stored(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE, **{"AT+CSMS?": "+CSMS: 1,1,1,1"}), bench.line("usb0")
    bench.up(line)
    modem.say(f"+CMT: ,24\r\n{PDU}")
    bench.run(5)
    assert "AT+CNMA" not in modem.sent
    line.perform(do.FreeSlot(line.id, "", None, PDU))
    bench.run(1)
    assert modem.sent.count("AT+CNMA") == 1


def test_the_time_of_the_network_is_told_and_a_difference_said(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE, **{"AT+CCLK?": '+CCLK: "30/01/02,03:04:05+04"'}), bench.line("usb0")
    bench.up(line)
    bench.run(30)
    clock = bench.facts()[line.id, "network-time"]
    assert clock["network"] == "2030-01-02T02:04:05+00:00"
    assert bench.said() == ["clock-differs"]
    modem.answers["AT+CCLK?"] = '+CCLK: "80/01/01,00:00:00+00"'
    bench.run(4000)
    assert len([event for event in bench.told(ev.FactKnown) if event.name == "network-time"]) == 1, "a clock never set"


def test_112_goes_out_without_a_sim_and_nothing_else_does(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE, **{"AT+CPIN?": "!+CME ERROR: 10"}), bench.line("usb0")
    bench.run(8)
    status = line.status()
    assert (status.state, status.usable, status.usable_for_emergency) == ("no-sim", False, True)
    line.perform(do.Dial(LegId("a"), line.id, Number("+48600100200", Kind.E164), Number("", Kind.WITHHELD)))
    assert [event.leg for event in bench.told(ev.Ended)] == ["a"]
    line.perform(do.Dial(LegId("b"), line.id, Number("112", Kind.SHORT), Number("", Kind.WITHHELD)))
    bench.run(1)
    assert "ATD112;" in modem.sent


def test_a_key_told_by_the_modem_and_heard_in_the_speech_is_one_key(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE), bench.line("usb0")
    bench.up(line)
    modem.answers["AT+CLCC"] = '+CLCC: 1,1,0,0,0,"+48600100200",145'
    modem.say('RING\r\n\r\n+CLIP: "+48600100200",145,,,,0')
    bench.run(1)
    line.perform(do.Answer(bench.told(ev.Offered)[0].offer.leg))
    bench.run(1)
    line.digit_heard("speech", "5", bench.at)
    modem.say("^DDTMF: 5")
    bench.run(0.3)
    modem.say("^DDTMF: 5")
    bench.run(0.3)
    assert [event.digit for event in bench.told(ev.Digit)] == ["5", "5"]


def test_a_second_caller_is_refused_and_told(bench: Bench) -> None:
    modem, line = bench.modem("usb0", ONE), bench.line("usb0")
    bench.up(line)
    modem.answers["AT+CLCC"] = '+CLCC: 1,1,0,0,0,"+48600100200",145'
    modem.say('RING\r\n\r\n+CLIP: "+48600100200",145,,,,0')
    bench.run(1)
    line.perform(do.Answer(bench.told(ev.Offered)[0].offer.leg))
    bench.run(1)
    modem.say('+CCWA: "600300400",129,1')
    bench.run(1)
    assert "AT+CHLD=0" in modem.sent
    assert bench.told(ev.SecondCall) == [ev.SecondCall(LineId("gsm0"), Number("+48600300400", Kind.E164), None)]
