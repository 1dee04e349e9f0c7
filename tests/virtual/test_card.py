"""The SIM card: its PIN and PUK, what the device says without it, and its time to wake (27.007 8.3)."""

from collections.abc import Callable

import pytest

from tests.peers.waiting import until
from tests.virtual.bench import Bench, Port


@pytest.fixture
def locked(benches: Callable[..., Bench]) -> Port:
    port = benches(quirks={"pin": "1234"}).gsm0
    for command in ("ATE0", "AT+CMEE=1"):
        assert "OK" in port.say(command)
    return port


def test_three_wrong_pins_want_the_puk_and_the_puk_gives_a_new_pin(locked: Port) -> None:
    assert "+CPIN: SIM PIN" in locked.say("AT+CPIN?")
    assert "+CME ERROR: 11" in locked.say("AT+CMGF=0")
    for left in (2, 1):
        assert "+CME ERROR: 16" in locked.say('AT+CPIN="0000"')
        assert f",{left},10,3" in locked.say("AT^CPIN?")
    assert "+CME ERROR: 12" in locked.say('AT+CPIN="0000"')
    assert "+CPIN: SIM PUK" in locked.say("AT+CPIN?")
    assert "+CME ERROR: 12" in locked.say("AT+CMGF=0")
    assert "+CME ERROR: 16" in locked.say('AT+CPIN="11111111","4321"')
    assert locked.status()["puk_tries"] == 9
    assert "OK" in locked.say('AT+CPIN="12345678","4321"')
    assert "READY" in locked.say("AT+CPIN?")
    until("it registers", lambda: locked.status()["registered"])


def test_the_right_pin_gives_the_tries_back_and_a_restart_wants_it_anew(locked: Port) -> None:
    assert "+CME ERROR: 16" in locked.say('AT+CPIN="0000"')
    assert "OK" in locked.say('AT+CPIN="1234"')
    assert locked.status()["pin_tries"] == 3
    assert "+CME ERROR: 3" in locked.say('AT+CPIN="1234"')
    locked.write("AT+CFUN=1,1\r")
    until("it went away", lambda: not locked.status()["plugged"])
    locked.open()
    assert "SIM PIN" in locked.say("AT+CPIN?")


def test_ten_wrong_puks_end_the_card(locked: Port) -> None:
    locked.far("set", name="pin_tries", value=0)
    for _ in range(9):
        assert "+CME ERROR: 16" in locked.say('AT+CPIN="00000000","1234"')
    assert "+CME ERROR: 13" in locked.say('AT+CPIN="00000000","1234"')
    assert "+CME ERROR: 13" in locked.say("AT+CPIN?")


def test_a_card_that_is_pulled_is_missed_and_another_is_another(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    first = port.status()["iccid"]
    port.far("sim", state="out")
    assert "+CME ERROR: 10" in port.say("AT+CPIN?")
    assert "+CME ERROR: 10" in port.say("AT+CMGL=4")
    assert not port.status()["registered"]
    port.far("sim", state="in", iccid="8948010000000000042")
    until("it registers", lambda: port.status()["registered"])
    assert "8948010000000000042" in port.say("AT^ICCID?")
    port.far("sim", state="out")
    port.far("sim", state="in", iccid=first)
    assert first in port.say("AT^ICCID?")


def test_messages_stay_on_the_card_they_came_to(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    port.far("sms", **{"from": "+48600100200", "text": "for the first"})
    port.far("sim", state="in", iccid="8948010000000000042")
    assert port.status()["messages"]["SM"]["used"] == 0
    port.far("sim", state="in", iccid="8948031234567890123")
    assert port.status()["messages"]["SM"]["used"] == 1


def test_a_pin_set_by_hand_is_wanted_at_once(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    port.far("pin", pin="4711")
    port.read(r"\+CPIN: SIM PIN")
    assert not port.status()["registered"]
    assert "OK" in port.say('AT+CPIN="4711"')
    until("it registers", lambda: port.status()["registered"])
    assert "+CLCK: 1" in port.say('AT+CLCK="SC",2')
    assert "OK" in port.say('AT+CLCK="SC",0,"4711"')
    assert "+CLCK: 0" in port.say('AT+CLCK="SC",2')


def test_a_card_and_a_message_service_take_their_time_after_power_on(benches: Callable[..., Bench]) -> None:
    quirks = {"sim_busy_seconds": 0.6, "sms_busy_seconds": 1.2, "boot_seconds": 0.4}
    port = benches("gsm0=sim7600", quirks).gsm0
    port.say("ATE0")
    port.say("AT+CMEE=1")
    assert "+CME ERROR: 14" in port.say("AT+CPIN?")
    until("the card is ready", lambda: "READY" in port.say("AT+CPIN?"))
    assert "+CMS ERROR: 314" in port.say("AT+CMGF=0")
    until("the message service is ready", lambda: "OK" in port.say("AT+CMGF=0"))
    assert b"RDY" in port.listen(0.0) or port.status()["registered"]


def test_a_card_remembers_its_tries_its_money_and_its_forwarding(benches: Callable[..., Bench]) -> None:
    bench = benches(quirks={"pin": "1234"})
    assert "ERROR" in bench.gsm0.say('AT+CPIN="0000"')
    bench.gsm0.far("balance", amount=7.5)
    bench.gsm0.far("forward", reason="not-reachable", number="+48600700800")
    bench.process.kill()
    bench.process.wait(5)
    (bench.folder / "run" / "virtual.sock").unlink()
    bench.gsm0.close()
    bench.start()
    status = bench.gsm0.status()
    assert (status["pin_tries"], status["balance"]) == (2, 750)
    assert status["forwarding"]["not-reachable"]["number"] == "+48600700800"
