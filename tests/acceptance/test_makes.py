"""Each make of modem does what a line is for: a message is mailed, a call comes in, a call goes out."""

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import Office
from tests.peers import sound
from tests.peers.addresses import new_address
from tests.peers.baresip import Phone
from tests.peers.box import PASSWORDS
from tests.peers.waiting import until
from tests.virtual.bench import Port

CALLER = "+48600100200"
HI = "0031000B918499100201F00000AA02C834"  # a SUBMIT to the number of gsm0


@pytest.mark.parametrize("make", ["e1550", "sim7600", "sim800", "ec25", "ublox"])
def test_a_line_of_each_make_takes_messages_and_calls(make: str, tmp_path: Path) -> None:
    box = Office(CENTRALKA_VIRTUAL_MODEMS=f"gsm0={make}")
    with box as office:
        office.virtual("gsm0 sms", CALLER, "Zażółć gęślą jaźń")
        assert "Zażółć gęślą jaźń" in office.wait_mails(1, 40)[0]["text"]
        mic = sound.silence(tmp_path / "mic.wav", 90)
        ben = Phone(tmp_path / "phone", new_address(), office.address, "102", PASSWORDS["102"], mic)
        ben.wait_registered()
        try:
            office.virtual(f"gsm0 call {CALLER}")
            assert "600100200" in str(ben.wait("CALL_INCOMING"))
            ben.answer()
            ben.wait("CALL_ESTABLISHED")
            until("they talk", lambda: office.modem()["calls"][0]["state"] == "active")
            office.virtual("gsm0 hang-up")
            row = office.wait_calls()[0]
            assert (row["caller"], row["answered_by"], row["cause"]) == (CALLER, "102", "normal")
            ben.dial("600100201")
            until(
                "it rings there", lambda: office.modem()["calls"] and office.modem()["calls"][0]["state"] == "alerting"
            )
            office.virtual("gsm0 answer")
            ben.wait("CALL_ESTABLISHED")
            until("they talk", lambda: office.modem()["calls"][0]["state"] == "active")
            office.virtual("gsm0 hang-up")
            row = office.wait_calls(2)[1]
            assert (row["direction"], row["cause"]) == ("out", "normal")
        finally:
            ben.stop()
        until(
            "the SIM is empty again",
            lambda: json.loads(office.virtual("gsm0 status"))["messages"]["SM"]["used"] == 0,
            30,
        )


def test_the_box_is_called_and_texted_by_another_sim() -> None:
    """The second SIM is a stranger's: no line of the box has it, and its modem is spoken to by hand."""
    with Office(CENTRALKA_VIRTUAL_MODEMS="gsm0=huawei,gsm1=ec25") as office:
        stranger = Port(office.folder, "gsm1").settle("AT+CNMI=2,1,0,2,0")
        number = stranger.status()["number"]
        assert "+CMGS:" in stranger.send(HI)
        mail = office.wait_mails()[0]
        assert "Hi" in mail["text"]
        assert [row["sender"] for row in office.rows("sms")] == [number]
        stranger.read(r'\+CDSI: "SR",\d+')
        assert "OK" in stranger.say(f"ATD{office.modem()['number']};")
        until("it rings here", lambda: office.modem()["calls"])
        assert "OK" in stranger.say("ATH")
        assert office.wait_calls()[0]["caller"] == number
        stranger.close()
