"""Messages the program sends: the prompt, what the network does, what is reported (27.005 4.3, 23.040 9.2.3)."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.virtual import pdu as own
from tests.virtual.bench import FINAL, Bench

CORPUS = Path(__file__).parents[1] / "data" / "pdu_corpus.jsonl"
# SUBMIT to +48600100200, report asked, relative validity, "Hi" in the default alphabet
HI = "0031000B918406100002F00000AA02C834"
# the same with class 0, and 😀 in UCS-2 over two parts, cut inside the pair
FLASH = "0031000B918406100002F00010AA02C834"
HALF_1 = "0071000B918406100002F00008AA08050003420201D83D"
HALF_2 = "0071000B918406100002F00008AA08050003420202DE00"


def to(number: str, pdu: str) -> str:
    """The same message to another number of eleven digits."""
    digits = number.removeprefix("+") + "F"
    return pdu.replace("8406100002F0", "".join(digits[i + 1] + digits[i] for i in range(0, 12, 2)))


@pytest.mark.parametrize("prompt", ["\r\n> ", "\n>", ">", "\r\n\r\n> "])
def test_a_message_goes_out_behind_any_prompt(benches: Callable[..., Bench], prompt: str) -> None:
    port = benches(quirks={"prompt": prompt, "next_reference": 255}).gsm0.settle()
    assert "+CMGS: 255" in port.send(HI)
    assert "+CMGS: 0" in port.send(FLASH)
    sent = port.far("sent")["sent"]
    assert [(one["to"], one["text"], one["report"], one["class"]) for one in sent] == [
        ("+48600100200", "Hi", True, None), ("+48600100200", "Hi", True, 0),
    ]  # fmt: skip


def test_the_parts_of_a_long_message_are_one_message(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    port.send(HALF_2)
    assert not port.far("sent")["sent"][0]["complete"]
    port.send(HALF_1)
    sent = port.far("sent")["sent"]
    assert [(one["text"], one["parts"], one["complete"]) for one in sent] == [("😀", 2, True)]


def test_a_wrong_length_and_what_is_no_message_are_refused(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    for length, text in ((3, HI), (16, "XY"), (16, HI[:-4]), (16, HI.replace("0031", "0030", 1))):
        port.write(f"AT+CMGS={length}\r")
        port.read(r"> ?$")
        port.write(text + "\x1a")
        assert b"+CMS ERROR: 304" in port.read(FINAL)
    assert port.far("sent")["sent"] == []
    port.write("AT+CMGS=16\r")
    port.read(r"> ?$")
    port.write("00\x1b")
    assert b"OK" in port.read(FINAL)


def test_the_report_comes_as_a_line_or_lies_in_its_memory(benches: Callable[..., Bench]) -> None:
    port = benches(quirks={"report_statuses": "30,00"}).gsm0.settle("AT+CNMI=2,1,0,1,0")
    port.send(HI)
    found = port.read(r"(?s)\+CDS: \d+\r\n[0-9A-F]+\r\n.*\+CDS: \d+\r\n[0-9A-F]+\r\n")
    reports = re.findall(rb"\+CDS: (\d+)\r\n([0-9A-F]+)\r\n", found)
    assert [pdu[-2:] for _, pdu in reports] == [b"30", b"00"]
    assert all(int(length) == len(pdu) // 2 - 1 - int(pdu[:2], 16) for length, pdu in reports)
    assert port.far("sent")["sent"][0]["statuses"] == [0]
    assert "OK" in port.say("AT+CNMI=2,1,0,2,0")
    port.send(HI)
    slot = re.search(rb'\+CDSI: "SR",(\d+)', port.read(r'\+CDSI: "SR",\d+\r\n'))
    assert slot
    assert "OK" in port.say('AT+CPMS="SR"')
    assert re.search(r"\+CMGR: \d,,\d+\r\n[0-9A-F]+", port.say(f"AT+CMGR={slot[1].decode()}"))


def test_a_memory_for_reports_without_room_names_slots_that_are_empty(benches: Callable[..., Bench]) -> None:
    port = benches("gsm0=sim7600").gsm0.settle("AT+CNMI=2,1,0,2,0")
    port.send(HI)
    port.read(r'\+CDSI: "SR",\d+\r\n')
    assert "+CPMS: 0,0," in port.say('AT+CPMS="SR"')
    assert "+CMS ERROR: 321" in port.say("AT+CMGR=0")


def test_some_makes_refuse_reports_as_lines(benches: Callable[..., Bench]) -> None:
    port = benches("gsm0=ec25").gsm0.settle()
    assert "+CMS ERROR: 303" in port.say("AT+CNMI=2,1,0,1,0")
    assert "OK" in port.say("AT+CNMI=2,1,0,2,0")


def test_a_message_to_the_other_sim_arrives_there_and_its_report_comes_back(benches: Callable[..., Bench]) -> None:
    bench = benches("gsm0=huawei,gsm1=sim7600")
    one, two = bench.gsm0.settle("AT+CNMI=2,1,0,1,0"), bench.gsm1.settle("AT+CNMI=2,1,0,1,0")
    one.send(to(two.status()["number"], HI))
    two.read(r'\+CMTI: "SM",0')
    listed = re.search(r"\r\n(0791[0-9A-F]+)\r\n", two.say("AT+CMGL=4"))
    assert listed
    message = own.read(listed[1])
    assert (message.kind, message.other, message.text) == ("DELIVER", one.status()["number"], "Hi")
    assert b"00\r\n" in one.read(r"\+CDS: \d+\r\n[0-9A-F]+\r\n")


def test_a_sim_that_is_away_gets_its_messages_later_and_the_report_says_so(benches: Callable[..., Bench]) -> None:
    bench = benches("gsm0=huawei,gsm1=sim7600")
    one, two = bench.gsm0.settle("AT+CNMI=2,1,0,1,0"), bench.gsm1.settle()
    two.far("unplug")
    one.send(to(two.status()["number"], HI))
    assert b"22\r\n" in one.read(r"\+CDS: \d+\r\n[0-9A-F]+\r\n")
    two.far("plug")
    assert b"00\r\n" in one.read(r"\+CDS: \d+\r\n[0-9A-F]+\r\n")
    assert two.status()["messages"]["SM"]["used"] == 1


def test_a_report_comes_though_the_card_is_full(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle("AT+CNMI=2,1,0,1,0")
    port.far("storage", full=True)
    port.far("sms", **{"from": "+48600100200", "text": "waits"})
    port.send(HI)
    port.read(r"\+CDS: \d+\r\n[0-9A-F]+\r\n")
    assert port.status()["messages"]["waiting"] == 1


def test_errors_slow_prompts_and_lost_results_as_ordered(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    port.far("fault", name="cms", words=["38"], once=True)
    assert "+CMS ERROR: 38" in port.send(HI)
    assert "+CMGS:" in port.send(HI)
    port.far("fault", name="prompt-lost", words=[], once=True)
    port.write("AT+CMGS=16\r")
    assert port.listen(0.3) == b""
    port.write("\x1b")
    assert b"OK" in port.read(FINAL)
    port.far("fault", name="prompt-slow", words=["0.3"], once=True)
    assert "+CMGS:" in port.send(HI)
    port.far("fault", name="result-lost", words=[], once=True)
    port.write("AT+CMGS=16\r")
    port.read(r"> ?$")
    port.write(HI + "\x1a")
    assert b"OK" not in port.listen(0.4)
    assert port.far("sent")["sent"][-1]["complete"]
    port.far("network", on=False)
    assert "+CMS ERROR: 331" in port.send(HI)


def test_its_reading_of_messages_agrees_with_those_of_others() -> None:
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    known = [row for row in rows if row["kind"] == "SUBMIT" and "text" in row["expect"] and not row.get("disputed")]
    wrong = []
    for row in known:
        try:
            message = own.read(row["pdu"])
        except own.BadPdu as error:
            wrong.append(f"{row['name']}: {error}")
            continue
        if message.text != row["expect"]["text"] and message.coding != "8bit":
            wrong.append(f"{row['name']}: {message.text!r}")
    assert len(known) > 100
    assert wrong == []
