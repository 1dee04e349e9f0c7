"""What goes wrong when it is told to: for a while, once, or until it is taken back."""

import os
import random
import re
from collections.abc import Callable

import pytest

from tests.peers.waiting import until
from tests.virtual.bench import Bench, Port


@pytest.fixture
def port(benches: Callable[..., Bench]) -> Port:
    return benches().gsm0.settle()


def fault(port: Port, name: str, *words: str, **rest: object) -> dict:
    return dict(port.far("fault", name=name, words=list(words), **rest)["faults"])


def quiet(port: Port, command: str, seconds: float = 0.3) -> bytes:
    port.write(command + "\r")
    return port.listen(seconds)


def test_silence_ends_by_itself(port: Port) -> None:
    assert "silence" in fault(port, "silence", "0.5")
    assert quiet(port, "AT") == b""
    until("it answers again", lambda: b"OK" in quiet(port, "AT"))
    assert fault(port, "") == {}


def test_a_late_answer_comes_after_its_time_and_only_once(port: Port) -> None:
    fault(port, "late", "0.5", once=True)
    assert quiet(port, "AT", 0.2) == b""
    assert b"OK" in port.read(r"OK\r\n")
    assert b"OK" in quiet(port, "AT", 0.2)
    assert fault(port, "") == {}


def test_answers_that_are_off_by_one_stay_so_until_it_is_taken_back(port: Port) -> None:
    fault(port, "desync")
    assert quiet(port, "AT+CSQ") == b""
    assert b"+CSQ" in quiet(port, "AT+CMGF?")
    assert b"+CMGF" in quiet(port, "AT")
    fault(port, "none")
    port.listen(0.1)
    until("it is in step", lambda: quiet(port, "AT+CSQ").count(b"OK") == 1)


def test_lines_are_lost_in_the_share_that_was_asked_for_and_the_same_ones_each_time(
    benches: Callable[..., Bench],
) -> None:
    heard = []
    for _ in range(2):
        port = benches(quirks={"capacity_sm": 100, "drop_urc": 0.3}).gsm0.settle("AT+CNMI=2,1,0,0,0")
        for number in range(40):
            port.far("sms", **{"from": "+48600100200", "text": f"number {number}"})
        heard.append(re.findall(rb'\+CMTI: "SM",(\d+)', port.listen(0.3)))
    assert 15 <= len(heard[0]) <= 38
    assert heard[0] == heard[1]


def test_a_reset_in_place_of_an_answer(port: Port) -> None:
    fault(port, "reset", "AT+CSQ")
    assert "OK" in port.say("AT")
    port.write("AT+CSQ\r")
    until("it went away", lambda: not port.status()["plugged"])
    port.open()
    assert "OK" in port.say("AT")
    port.settle()


def test_usb_drops_and_comes_back_under_another_name(port: Port) -> None:
    port.far("unplug")
    assert not port.link.exists()
    port.far("plug", **{"as": "other"})
    assert not port.link.exists()
    port.open(port.link.with_name("other-at"))
    assert "OK" in port.say("AT")
    port.far("unplug")
    port.far("plug")
    port.open()
    assert "OK" in port.say("AT")


def test_a_name_that_is_a_path_is_refused(port: Port) -> None:
    port.far("unplug")
    assert port.ask("plug", **{"as": "../../etc"})["error"]["id"] == "refused"
    assert not port.status()["plugged"]


def test_codes_for_the_commands_that_are_named(port: Port) -> None:
    fault(port, "cme", "14", "AT+CIMI", once=True)
    assert "+CME ERROR: 14" in port.say("AT+CIMI")
    assert "OK" in port.say("AT+CIMI")
    fault(port, "cme", "3")
    assert "+CME ERROR: 3" in port.say("AT+CREG?")
    assert "OK" in port.say("AT")
    fault(port, "cme", "off")
    assert "OK" in port.say("AT+CREG?")


def test_garbage_dribble_and_lines_inside_answers(port: Port) -> None:
    fault(port, "garbage", "00ff7e")
    assert b"\x00\xff~" in quiet(port, "AT")
    fault(port, "garbage", "off")
    fault(port, "dribble", "0.01")
    port.write("AT+CSQ\r")
    assert os.read(port.fd, 100) if port.listen(0.0) else True
    port.read(r"\+CSQ: \d+,99\r\n\r\nOK\r\n")
    fault(port, "dribble", "off")
    fault(port, "inside")
    assert re.search(rb"\+CSQ.*RSSI.*OK", quiet(port, "AT+CSQ"), re.DOTALL)
    refused = port.ask("fault", name="garbage", words=["xyz"])["error"]
    assert refused["id"] == "refused"


def test_a_line_and_an_answer_leave_in_one_write(port: Port) -> None:
    port.say("AT+CNMI=2,1,0,0,0")
    fault(port, "join")
    port.far("sms", **{"from": "+48600100200", "text": "joined"})
    port.write("AT+CSQ\r")
    assert re.search(rb"(?s)OK\r\n\r\n\+CMTI", port.read(r"\+CMTI[^\r]*\r\n"))


def test_a_fault_nobody_knows_is_refused_with_the_list(port: Port) -> None:
    assert "silence" in port.ask("fault", name="earthquake")["error"]["text"]
    for words in (["x"], ["-1"]):
        assert port.ask("fault", name="silence", words=words)["error"]["id"] == "refused"
    assert "OK" in port.say("AT")


def test_a_supply_that_is_too_weak_ends_it_with_a_word(benches: Callable[..., Bench]) -> None:
    port = benches("gsm0=sim800").gsm0.settle()
    port.far("fault", name="under-voltage")
    port.read("UNDER-VOLTAGE POWER DOWN")
    until("it went away", lambda: not port.status()["plugged"])
    port.open()
    port.read(r"(?s)RDY.*SMS Ready")
    assert port.settle().status()["plugged"]


def test_the_question_for_the_pin_is_lost_right_after_power_on(benches: Callable[..., Bench]) -> None:
    port = benches("gsm0=ec25", {"pin_silent_seconds": 1.0}).gsm0
    assert b"CPIN" not in quiet(port, "ATE0").replace(b"+CPIN: READY", b"")
    assert b"OK" not in quiet(port, "AT+CPIN?", 0.1)
    until("it answers", lambda: b"READY" in quiet(port, "AT+CPIN?"))


ODD = (None, -1, 1e308, float("inf"), "", "x" * 1500, "\x00\xff", [], {}, True, "-5", "1e9", "ż", "../..", "1,2")
VERBS = (
    "call second answer press busy no-answer hang-up heard sms pdu sent ussd balance forward network storage sim pin"
    " plug fault play record set status"
)
ARGUMENTS = (
    "number clip for digits sound from text coding hex code encoding result seconds amount reason on full state iccid"
    " pin as name words file value"
)


def test_no_order_of_a_person_is_more_than_refused(port: Port) -> None:
    """Every verb with every kind of nonsense, whole and one by one: done or refused, never a fault."""
    faults = []
    for verb in VERBS.split():
        for odd in ODD:
            args = {name: odd for name in ARGUMENTS.split() if not (verb == "set" and name == "value")}
            answer = port.ask(verb, **args)
            if answer.get("error", {}).get("id") == "fault":
                faults.append((verb, odd))
    assert faults == []
    for odd in (float("nan"), float("inf"), "nan", "1e999", [], None):
        assert port.ask("set", name="ring_interval", value=odd)["error"]["id"] == "refused"
    port.far("fault", name="none")
    port.far("plug")
    assert port.status()["name"] == "gsm0"


def test_any_octets_on_its_port_leave_it_answering(port: Port) -> None:
    chance = random.Random(7)
    for _ in range(60):
        junk = bytes(
            chance.choice(b'AT+CMGSLR=?",;01\r\n\x1a\x1b\x00\xff^*#D&') for _ in range(chance.randrange(1, 200))
        )
        os.write(port.fd, junk)
        port.listen(0.005)
    port.write("\x1b\r")
    port.listen(0.5)
    until("it answers", lambda: b"OK" in quiet(port, "AT", 0.2))
