"""What the network keeps for a number: forwarding that really forwards, waiting, hiding, time (27.007 7.7 to 7.12)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.peers.waiting import until
from tests.virtual.bench import Bench, Port

BACKUP = "+48600700800"


@pytest.fixture
def port(benches: Callable[..., Bench]) -> Port:
    return benches().gsm0.settle()


def test_forwarding_is_registered_asked_and_erased(port: Port) -> None:
    assert "+CCFC: 0,7" in port.say("AT+CCFC=3,2")
    assert "OK" in port.say(f'AT+CCFC=3,3,"{BACKUP}",145')
    for bit in (1, 2, 4):
        assert f'+CCFC: 1,{bit},"{BACKUP}",145' in port.say("AT+CCFC=3,2")
    assert "OK" in port.say(f'AT+CCFC=2,3,"{BACKUP}",145,1,,,15')
    assert f'+CCFC: 1,1,"{BACKUP}",145,,,15' in port.say("AT+CCFC=2,2,,,1")
    assert "OK" in port.say("AT+CCFC=2,0,,,1")
    assert f'+CCFC: 0,1,"{BACKUP}"' in port.say("AT+CCFC=2,2,,,1")
    assert "OK" in port.say("AT+CCFC=2,1,,,1")
    assert set(port.status()["forwarding"]) == {"no-answer", "not-reachable"}
    assert "OK" in port.say("AT+CCFC=4,4")
    assert "+CCFC: 0,7" in port.say("AT+CCFC=3,2")


def test_nonsense_about_forwarding_is_refused(port: Port) -> None:
    for words in ("6,2", "0,5", '0,3,"12"', '0,3,"abc",145', '2,3,"+48600700800",145,1,,,31', "4,2", "x"):
        assert "+CME ERROR: 50" in port.say(f"AT+CCFC={words}"), words
    assert "+CME ERROR: 3" in port.say("AT+CCFC=0,1")
    port.far("fault", name="services", words=[], once=False)
    assert "+CME ERROR: 100" in port.say("AT+CCFC=0,2")
    port.far("fault", name="none")
    port.far("network", on=False)
    assert "+CME ERROR: 30" in port.say("AT+CCFC=0,2")


def test_a_call_goes_to_the_backup_number_while_the_modem_is_away(port: Port) -> None:
    port.say(f'AT+CCFC=3,3,"{BACKUP}",145')
    port.far("unplug")
    assert port.far("call", number="+48600100200")["forwarded"]["to"] == BACKUP
    assert [(one["from"], one["reason"]) for one in port.status()["forwarded"]] == [("+48600100200", "not-reachable")]


def test_a_call_nobody_answers_goes_on_after_its_time(port: Port) -> None:
    port.say(f'AT+CCFC=2,3,"{BACKUP}",145,1,,,1')
    port.far("call", number="+48600100200")
    port.read("RING")
    until("it went on", lambda: [one["reason"] for one in port.status()["forwarded"]] == ["no-answer"])
    assert port.status()["history"][-1]["outcome"] == "forwarded"


def test_a_second_caller_is_sent_on_when_the_line_is_busy(port: Port) -> None:
    port.say(f'AT+CCFC=1,3,"{BACKUP}",145')
    port.far("call", number="+48600100200")
    assert port.far("second", number="+48600100201")["forwarded"]["reason"] == "busy"


def test_all_calls_go_on_without_a_ring(port: Port) -> None:
    port.say(f'AT+CCFC=0,3,"{BACKUP}",145')
    assert port.far("call", number="+48600100200")["forwarded"]["reason"] == "always"
    assert b"RING" not in port.listen(0.3)


def test_a_change_made_elsewhere_is_what_the_network_says(port: Port) -> None:
    port.far("forward", reason="not-reachable", number="+48111222333")
    assert '"+48111222333"' in port.say("AT+CCFC=3,2")
    port.far("forward", reason="not-reachable")
    assert "+CCFC: 0,7" in port.say("AT+CCFC=3,2")


def test_waiting_hiding_and_showing_are_answered(port: Port) -> None:
    assert "+CCWA: 0,1" in port.say("AT+CCWA=1,2,1")
    assert "OK" in port.say("AT+CCWA=1,1,1")
    assert "+CCWA: 1,1" in port.say("AT+CCWA=1,2,1")
    assert "OK" in port.say("AT+CLIR=1")
    assert "+CLIR: 1,4" in port.say("AT+CLIR?")
    assert "+COLP: 0,1" in port.say("AT+COLP?")
    assert re.search(r"\+CESQ: \d+,\d+,\d+,\d+,\d+,\d+", port.say("AT+CESQ"))
    assert "+CEER: " in port.say("AT+CEER")
    assert "+CPOL: " in port.say("AT+CPOL?")
    assert '+CSCA: "+48501200777",145' in port.say("AT+CSCA?")


def test_the_network_tells_the_time(port: Port) -> None:
    port.far("set", name="clock_offset", value=86400)
    told = re.search(r'\+CCLK: "(\d\d/\d\d/\d\d,\d\d:\d\d:\d\d)([+-]\d\d)"', port.say("AT+CCLK?"))
    assert told
    utc = datetime.strptime(told[1], "%y/%m/%d,%H:%M:%S").replace(tzinfo=UTC) - timedelta(minutes=15 * int(told[2]))
    assert abs(utc - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    port.say("AT+CTZR=1")
    port.far("network", on=False)
    assert "80/01/06" in port.say("AT+CCLK?")
    port.far("network", on=True)
    port.read(r"\+CTZV: [+-]\d\d")
