"""Codes: the forms in which their answers come, menus, time-outs, balances (27.007 7.15, 23.038 6.1.2.3)."""

import re
from collections.abc import Callable

import pytest

from tests.virtual.bench import Bench, Port

ANSWERS = {
    "plain": '+CUSD: 0,"Saldo 5",15',
    "plain-no-dcs": '+CUSD: 0,"Saldo 5"',
    "packed": '+CUSD: 0,"D3309BFD06D500",15',
    "packed-dcs1": '+CUSD: 0,"D3309BFD06D500",1',
    "packed-unquoted": "+CUSD: 0, D3309BFD06D500",
    "ucs2": '+CUSD: 0,"00530061006C0064006F00200035",72',
    "ucs2-dcs15": '+CUSD: 0,"00530061006C0064006F00200035",15',
    "ucs2-dcs7": '+CUSD: 0,"00530061006C0064006F00200035",7',
    "ucs2-language": '+CUSD: 0,"703600530061006C0064006F00200035",17',
    "octets": '+CUSD: 0,"53616C646F2035",0',
}


@pytest.fixture
def port(benches: Callable[..., Bench]) -> Port:
    return benches().gsm0.settle("AT+CUSD=1")


def asked(port: Port, code: str, dcs: str = ",15") -> str:
    assert "OK" in port.say(f'AT+CUSD=1,"{code}"{dcs}')
    return port.read(r"\+CUSD: [^\r]*\r\n").decode("latin-1").strip()


@pytest.mark.parametrize("form", ANSWERS)
def test_an_answer_comes_in_each_form_that_was_seen(port: Port, form: str) -> None:
    port.far("ussd", code="*99#", text="Saldo 5", encoding=form)
    said = asked(port, "*99#")
    if "packed" in form:
        # seven letters leave seven bits over: a carriage return fills them (23.038 6.1.2.3.1)
        packed = bytes.fromhex(re.search(r"[0-9A-F]{14}", said)[0])  # type: ignore[index]
        bits = int.from_bytes(packed, "little")
        assert [bits >> 7 * n & 127 for n in range(8)] == [*map(ord, "Saldo 5"), 13]
        assert re.sub(r"[0-9A-F]{14}", "X", said) == re.sub(r"[0-9A-F]{14}", "X", ANSWERS[form])
    else:
        assert said == ANSWERS[form]


def test_a_device_that_wants_packed_codes_takes_them_and_no_others(benches: Callable[..., Bench]) -> None:
    port = benches(quirks={"ussd_request": "packed"}).gsm0.settle("AT+CUSD=1")
    assert "ERROR" in port.say('AT+CUSD=1,"*101#",15')
    assert "Packages" in asked(port, "AA182C3602")
    assert port.status()["ussd"] == ["*101#"]


def test_a_device_that_speaks_ucs2_speaks_it_both_ways(port: Port) -> None:
    port.say('AT+CSCS="UCS2"')
    said = asked(port, "*100#".encode("utf-16-be").hex().upper())
    assert "Your balance" in bytes.fromhex(said.split('"')[1]).decode("utf-16-be")


def test_letters_the_alphabet_has_not_come_as_ucs2(port: Port) -> None:
    said = asked(port, "*105#")
    assert said.endswith(",72")
    assert "Ваш баланс" in bytes.fromhex(said.split('"')[1]).decode("utf-16-be")


def test_a_menu_leads_from_screen_to_screen_and_back_out(port: Port) -> None:
    port.write('AT+CUSD=1,"*101#",15\r')
    assert b"+CUSD: 1," in port.read(r'(?s)\+CUSD: 1,"1 Balance.*Packages",15')
    port.write('AT+CUSD=1,"2",15\r')
    port.read(r"(?s)\+CUSD: 1,.*2 Calls 60 min")
    port.say('AT+CUSD=1,"1",15')
    port.read(r'\+CUSD: 0,"Internet 1 GB: done."')
    port.say('AT+CUSD=1,"1",15')
    assert b"+CUSD: 4" in port.read(r"\+CUSD: [^\r]*\r\n")


def test_a_voucher_raises_the_balance_once(port: Port) -> None:
    port.far("balance", amount=10)
    assert "35.00" in asked(port, "*123*123456789012#")
    assert "used before" in asked(port, "*123*123456789012#")
    assert "Wrong code" in asked(port, "*123*012345678901#")
    assert "35.00" in asked(port, "*100#")


def test_what_the_network_can_say_instead(port: Port) -> None:
    assert asked(port, "*777#") == "+CUSD: 4"
    port.far("ussd", code="*5#", result=5)
    assert asked(port, "*5#") == "+CUSD: 5"
    port.far("ussd", code="*2#", text="Bye", result=2)
    assert asked(port, "*2#") == '+CUSD: 2,"Bye",15'
    port.far("ussd", code="*9#", result=9)
    assert "OK" in port.say('AT+CUSD=1,"*9#",15')
    assert b"CUSD" not in port.listen(0.3)
    assert "+CME ERROR: 3" in port.say('AT+CUSD=1,"*100#",15')
    assert "OK" in port.say("AT+CUSD=2")
    assert "balance" in asked(port, "*100#")
    port.far("network", on=False)
    assert "+CME ERROR: 30" in port.say('AT+CUSD=1,"*100#",15')


def test_an_open_menu_is_closed_by_the_network_in_the_end(port: Port) -> None:
    port.far("set", name="ussd_timeout", value=0.2)
    port.say('AT+CUSD=1,"*101#",15')
    port.read(r"\+CUSD: 2\r\n")


def test_answers_are_shown_only_to_who_wants_them(port: Port) -> None:
    port.say("AT+CUSD=0")
    port.far("ussd", code="push", text="Hello")
    assert b"CUSD" not in port.listen(0.2)
    port.say("AT+CUSD=1")
    port.far("ussd", code="push", text="Hello")
    port.read(r'\+CUSD: 0,"Hello",15')
