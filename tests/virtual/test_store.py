"""The store, and the ways in which a message reaches a program (27.005 3.4)."""

import re
from collections.abc import Callable

import pytest

from tests.peers.waiting import until
from tests.virtual.bench import Bench, Port

SENDER = {"from": "+48600100200"}


@pytest.fixture
def port(benches: Callable[..., Bench]) -> Port:
    return benches(quirks={"ack_seconds": 0.3}).gsm0.settle()


def used(port: Port, memory: str = "SM") -> int:
    return int(port.status()["messages"][memory]["used"])


def test_a_message_handed_over_must_be_acknowledged_or_nothing_is_handed_over_any_more(port: Port) -> None:
    assert "OK" in port.say("AT+CSMS=1")
    assert "OK" in port.say("AT+CNMI=2,2,0,1,0")
    port.far("sms", **SENDER, text="one")
    port.far("sms", **SENDER, text="two")
    port.read(r"\+CMT: ,\d+\r\n[0-9A-F]+\r\n")
    assert port.status()["messages"]["waiting"] == 2
    assert "OK" in port.say("AT+CNMA")
    port.read(r"\+CMT: ,\d+\r\n[0-9A-F]+\r\n")
    assert port.status()["messages"]["waiting"] == 1
    until("it gave up", lambda: "+CNMI: 2,0,0,0,0" in port.say("AT+CNMI?"))
    until("the network brings it again", lambda: port.status()["messages"]["waiting"] == 0)
    assert used(port) == 1
    assert "+CMS ERROR: 340" in port.say("AT+CNMA")


def test_without_the_newer_service_it_acknowledges_by_itself(port: Port) -> None:
    port.say("AT+CNMI=2,2,0,0,0")
    port.far("sms", **SENDER, text="gone")
    port.read(r"\+CMT: ,\d+\r\n[0-9A-F]+\r\n")
    assert port.status()["messages"]["waiting"] == 0
    assert used(port) == 0


def test_a_flash_message_comes_at_once_and_one_for_the_card_lies_on_it(port: Port) -> None:
    port.say("AT+CNMI=2,1,0,0,0")
    port.far("sms", **SENDER, text="flash", flash=True)
    port.read(r"\+CMT: ,\d+\r\n[0-9A-F]+\r\n")
    port.say("AT+CNMI=2,2,0,0,0")
    port.far("pdu", hex="0791841512007077040B918406100002F000F262113132000040024834")
    until("it is on the card", lambda: used(port) == 1)


def test_indications_wait_while_they_are_not_wanted(port: Port) -> None:
    port.say("AT+CNMI=0,1,0,0,0")
    port.far("sms", **SENDER, text="later")
    assert port.listen(0.2) == b""
    port.write("AT+CNMI=2,1,0,0,0\r")
    port.read(r'\+CMTI: "SM",0')
    port.say("AT+CNMI=0,1,0,0,0")
    port.far("sms", **SENDER, text="never")
    assert "CMTI" not in port.say("AT+CNMI=2,1,0,0,1")
    assert used(port) == 2


def test_each_memory_is_its_own(port: Port) -> None:
    port.say("AT+CNMI=2,1,0,0,0")
    assert "OK" in port.say('AT+CPMS="SM","SM","ME"')
    port.far("sms", **SENDER, text="for the device")
    port.read(r'\+CMTI: "ME",0')
    assert "+CMGL" not in port.say("AT+CMGL=4")
    assert "+CMS ERROR: 321" in port.say("AT+CMGR=0")
    assert "OK" in port.say('AT+CPMS="ME"')
    assert "+CMGR: 0," in port.say("AT+CMGR=0")
    assert "+CMGR: 1," in port.say("AT+CMGR=0")
    assert "+CMS ERROR: 302" in port.say('AT+CPMS="XX"')


def test_it_can_lie_about_the_memory_the_length_and_the_time(port: Port) -> None:
    port.say("AT+CNMI=2,1,0,0,0")
    port.far("fault", name="lie-memory", words=[], once=True)
    port.far("fault", name="unreadable", words=["0.4"])
    port.far("sms", **SENDER, text="where")
    port.read(r'\+CMTI: "ME",0')
    assert "+CMS ERROR: 321" in port.say("AT+CMGR=0")
    until("it can be read", lambda: "+CMGR" in port.say("AT+CMGR=0"))
    port.far("fault", name="none")
    port.far("sms", **SENDER, text="here")
    port.read(r'\+CMTI: "SM",1')
    right = re.search(r"\+CMGR: \d,,(\d+)", port.say("AT+CMGR=1"))
    port.far("fault", name="wrong-length", words=[])
    wrong = re.search(r"\+CMGR: \d,,(\d+)", port.say("AT+CMGR=1"))
    assert right and wrong and right[1] != wrong[1]  # noqa: PT018 - one fact: two lengths that differ


def test_what_could_not_be_read_yet_when_it_lost_its_power_can_be_read_afterwards(port: Port) -> None:
    port.say("AT+CNMI=2,1,0,0,0")
    port.far("fault", name="unreadable", words=["2"])
    port.far("sms", **SENDER, text="caught in between")
    port.read(r"\+CMTI")
    port.far("unplug")
    port.far("plug")
    port.open()
    port.settle()
    until("it can be read", lambda: "+CMGR" in port.say("AT+CMGR=0"), 5, 0.1)


def test_a_deletion_can_fail_and_a_full_card_makes_the_network_wait(benches: Callable[..., Bench]) -> None:
    port = benches("gsm0=sim800", {"capacity_sm": 3}).gsm0.settle("AT+CNMI=2,1,0,0,0")
    for number in range(5):
        port.far("sms", **SENDER, text=f"number {number}")
    port.read(r"(?s)\+CMTI: \"SM\",3.*SMS FULL")
    assert (used(port), port.status()["messages"]["waiting"]) == (3, 2)
    port.far("fault", name="delete-fails", words=["1"])
    assert "+CMS ERROR: 500" in port.say("AT+CMGD=1")
    assert used(port) == 3
    assert "OK" in port.say("AT+CMGD=1")
    until("the next one came", lambda: port.status()["messages"]["waiting"] == 1)
    assert "+CMS ERROR: 321" in port.say("AT+CMGD=7")


@pytest.mark.parametrize(("quirk", "said"), [("321", "+CMS ERROR: 321"), ("22", "+CME ERROR: 22"), ("ok", "OK")])
def test_an_empty_slot_is_told_in_three_ways(port: Port, quirk: str, said: str) -> None:
    port.far("set", name="empty_slot", value=quirk)
    assert said in port.say("AT+CMGR=5")
