"""Kinds of modems: each says what its make says, two of them are two, one can take the place of another."""

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from appliance.virtual.at_answers import records
from appliance.virtual.families import FAMILIES
from tests.peers.waiting import until
from tests.virtual.bench import Bench

MAKES = {
    "huawei": ("E1752", "AT^ICCID?", "AT^CPIN?", "^CPIN: READY,10,3,10,3"),
    "e1550": ("E1550", "AT^ICCID?", "AT^CPIN?", "^CPIN: READY,10,3,10,3"),
    "sim7600": ("SIM7600", "AT+CICCID", "AT+SPIC", "+SPIC: 3,10,3,10"),
    "sim800": ("SIM800", "AT+CCID", "AT+SPIC", "+SPIC: 3,10,3,10"),
    "ec25": ("EC25", "AT+QCCID", 'AT+QPINC="SC"', '+QPINC: "SC",3,10'),
    "ublox": ("TOBY", "AT+CCID", "AT+UPINCNT", "+UPINCNT: 3,3,10,10"),
}


def test_every_line_that_claims_a_record_has_one() -> None:
    models = {row["model"] for row in records()}
    claims = {
        (name, word, words.source.removeprefix("record: "))
        for name, family in FAMILIES.items()
        for word, words in family.words.items()
        if words.source.startswith("record: ")
    }
    assert len(claims) > 50
    assert {claim for claim in claims if claim[2] not in models} == set()
    assert all(words.source.startswith(("record: ", "ours: ")) for f in FAMILIES.values() for words in f.words.values())


def luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0


@pytest.mark.parametrize("make", MAKES)
def test_each_make_says_what_it_is_and_how_many_tries_are_left(benches: Callable[..., Bench], make: str) -> None:
    model, iccid, tries, told = MAKES[make]
    port = benches(f"gsm0={make}").gsm0.settle()
    assert model in port.say("AT+CGMM").upper()
    assert luhn(re.findall(r"\d{15}", port.say("AT+CGSN"))[0])
    assert port.status()["iccid"] in port.say(iccid)
    assert told in port.say(tries)
    assert port.status()["number"] in port.say("AT+CNUM")


def test_two_sims_are_two_modems_of_different_make(benches: Callable[..., Bench]) -> None:
    bench = benches("gsm0=huawei,gsm1=sim7600", CENTRALKA_VIRTUAL_MODEMS="", CENTRALKA_VIRTUAL_SIMS="2")
    one, two = bench.gsm0.status(), bench.gsm1.status()
    assert (one["family"], two["family"]) == ("huawei", "sim7600")
    for fact in ("imei", "iccid", "number", "port"):
        assert one[fact] != two[fact]


def test_another_modem_in_its_place_goes_away_and_comes_back_with_the_same_card(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    before = port.status()
    port.far("profile", name="ec25")
    assert not port.link.exists()
    port.open()
    port.settle()
    assert "EC25" in port.say("AT+CGMM")
    after = port.status()
    assert after["imei"] != before["imei"]
    assert after["iccid"] == before["iccid"]


def test_a_profile_nobody_knows_is_refused_with_the_list(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0
    refused = port.ask("profile", name="nokia")["error"]
    assert "sim7600" in str(refused)
    assert port.status()["family"] == "huawei"


def test_the_worst_modem_can_still_be_spoken_to(benches: Callable[..., Bench]) -> None:
    port = benches("gsm0=worst").gsm0
    until("it is registered", lambda: port.status()["registered"])
    until("it is no more deaf", lambda: _answers(port), 10)
    until("the messages can be read", lambda: "OK" in port.say("AT+CMGF=0"), 10)
    said = port.say("AT+CPMS?")
    assert "\r\r\n" in said
    assert "\xff" in said


def _answers(port) -> bool:  # type: ignore[no-untyped-def]
    port.write("AT\r")
    return b"OK" in port.listen(0.3)


def test_the_command_line_plays_every_verb(benches: Callable[..., Bench]) -> None:
    bench = benches("gsm0=huawei,gsm1=sim7600")
    bench.gsm0.settle()

    def centralka(*words: str) -> tuple[int, str]:
        run = subprocess.run(
            [sys.executable, "-m", "appliance", "virtual", *words], env={**os.environ, **bench.environ},
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        return run.returncode, run.stdout + run.stderr

    assert centralka("gsm1", "ussd", "*100#", "Balance 12.34 PLN", "--encoding", "packed") == (0, "Done.\n")
    assert centralka("gsm0", "fault", "silence", "20")[0] == 0
    assert "silence" in centralka("gsm0", "fault")[1]
    assert centralka("gsm0", "fault", "none")[0] == 0
    assert "silence" not in centralka("gsm0", "fault")[1]
    assert centralka("gsm0", "pin", "12")[0] == 1
    assert '"sent": []' in centralka("gsm0", "sent")[1]
    assert centralka("gsm0", "sim", "out")[0] == 0
    assert bench.gsm0.status()["sim"] == "absent"
    assert centralka("gsm7", "status")[0] == 2
