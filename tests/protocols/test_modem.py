"""A modem from the first AT to the network: its SIM, its family, its health."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.protocols import modem_events as said
from appliance.protocols import modem_text as text
from appliance.protocols.modem_families import FAMILIES, OTHERS, family_of
from tests.protocols.modem_bench import PDU, Bench, TwoMemories


def test_a_modem_that_is_ready_comes_up() -> None:
    bench = Bench().run(5)
    assert [event.state for event in bench.told(said.StateChanged)][-1] == "up"
    assert bench.modem.family.name == "huawei"
    assert (bench.modem.network.operator, bench.modem.sim.iccid) == ("Orange PL", "8948031234567890123")
    assert bench.modem.network.signal == 65


def test_a_wrong_pin_is_sent_once_and_never_again() -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", 'AT+CPIN="1234"': "!+CME ERROR: 16"}).run(200)
    assert bench.sent.count('AT+CPIN="1234"') == 1
    assert bench.modem.state == "pin-wrong"
    again = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN"})
    again.tried.append("remembered from before the restart")
    again.run(100)
    assert 'AT+CPIN="1234"' not in again.sent


def test_a_right_pin_opens_the_sim_and_may_be_used_again() -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN"})
    bench.run(3)
    assert bench.right == ["8948031234567890123"]
    bench.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.run(6)
    assert bench.modem.state == "up"


@pytest.mark.parametrize(
    ("answer", "state"),
    [("+CPIN: SIM PUK", "puk-needed"), ("!+CME ERROR: 10", "no-sim"), ("!+CME ERROR: SIM not inserted", "no-sim"),
     ("+CPIN: SIM PIN", "pin-needed")],
)  # fmt: skip
def test_a_sim_that_wants_something_is_said_to_and_no_puk_is_ever_sent(answer: str, state: str) -> None:
    bench = Bench(**{"AT+CPIN?": answer}).run(60)
    assert bench.modem.state == state
    assert not [c for c in bench.sent if c.startswith("AT+CPIN=")]


def test_registered_for_messages_only_is_no_line_for_calls() -> None:
    bench = Bench().up()
    bench.answers["AT+CREG?"] = "+CREG: 2,6"
    bench.hear("\r\n+CREG: 6\r\n")
    assert bench.modem.state == "data-only"
    assert not bench.modem.usable


@pytest.mark.parametrize(
    ("model", "family"),
    [("huawei E1752", "huawei"), ("SIMCOM INCORPORATED SIMCOM_SIM7600E", "simcom-lte"), ("SIMCOM_Ltd SIM800L",
     "simcom-2g"), ("Quectel EC25", "quectel"), ("Telit HE910", "telit"), ("", "others")],
)  # fmt: skip
def test_models_find_their_row(model: str, family: str) -> None:
    assert family_of(model).name == family
    assert all(re.compile(row.matches) for row in (*FAMILIES, OTHERS))


def test_a_modem_that_is_slow_at_first_is_asked_for_its_pin_all_the_same() -> None:
    bench = Bench("1234", **{"AT": "?", "AT+CPIN?": "+CPIN: SIM PIN"})
    bench.run(3)
    bench.answers["AT"] = ""  # it slept; from now on it answers
    bench.run(8)
    assert 'AT+CPIN="1234"' in bench.sent
    assert bench.modem.family.name == "huawei"
    bench.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.run(6)
    assert bench.modem.state == "up"


def test_an_answer_that_is_lost_in_the_initialisation_does_not_shift_the_others() -> None:
    bench = Bench(**{"AT+CMEE=1": "?", "AT+CREG=2": "?"}).run(30)
    assert bench.modem.family.name == "huawei"
    assert bench.modem.sim.iccid == "8948031234567890123"
    assert bench.modem.state == "up"


def test_a_sim_put_in_later_comes_up() -> None:
    bench = Bench(**{"AT+CPIN?": "!+CME ERROR: 10"}).run(15)
    assert bench.modem.state == "no-sim"
    bench.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.run(15)
    assert bench.modem.state == "up"


def test_a_pin_whose_answer_was_lost_counts_as_right_when_the_sim_opens() -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", 'AT+CPIN="1234"': "?"}).run(12)
    assert bench.right == []
    bench.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.run(20)
    assert bench.right == ["8948031234567890123"]
    assert bench.sent.count('AT+CPIN="1234"') == 1
    assert bench.modem.state == "up"


@pytest.mark.parametrize(("state", "ended"), [(0, True), (2, True), (4, False)])
def test_a_call_left_from_before_a_crash_is_ended_and_one_that_rings_is_not(state: int, ended: bool) -> None:
    bench = Bench(**{"AT+CLCC": f'+CLCC: 1,0,{state},0,0,"600100200",129'}).run(3)
    assert ("AT+CHUP" in bench.sent) is ended


@pytest.mark.parametrize(
    ("answer", "sent"),
    [("^CPIN: SIM PIN,1,10,1,10,3", False), ("^CPIN: SIM PIN,2,10,2,10,3", True), (None, True)],
)  # fmt: skip
def test_the_last_try_of_a_pin_is_left_to_a_person(answer: str | None, sent: bool) -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", "AT^CPIN?": answer}).run(30)
    assert ('AT+CPIN="1234"' in bench.sent) is sent
    assert (bench.tried != []) is sent, "what was not sent does not count as tried"


@pytest.mark.parametrize(
    ("line", "left"),
    [("+UPINCNT: 3,3,10,10", 3), ("+UPINCNT: 0,3,5,5", 0), ('+QPINC: "SC",2,10', 2), ("+SPIC: 1,10,3,10", 1),
     ("#PCT: 3", 3), ("^CPIN: READY,,10,3,10,3", 3), ("^CPIN: SIM PIN,10,1,10,3", 1), ("ERROR", -1), ("", -1)],
)  # fmt: skip
def test_counters_of_tries_are_read_as_vendors_write_them(line: str, left: int) -> None:
    assert text.tries_left((line,)) == left


def test_the_modem_itself_sends_a_refused_pin_once_whatever_the_memory_says() -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", 'AT+CPIN="1234"': "!+CME ERROR: 16"})
    bench.modem.sim.may_try_pin = lambda iccid, left: True
    bench.run(100)
    assert bench.sent.count('AT+CPIN="1234"') == 1


def test_a_pin_whose_answer_was_lost_goes_out_once_more_only_when_it_cost_no_try() -> None:
    for before, after, times in (("3", "3", 2), ("3", "2", 1)):
        bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", 'AT+CPIN="1234"': "?",
                                 "AT^CPIN?": f"^CPIN: SIM PIN,{before},10,{before},10,3"})  # fmt: skip
        bench.modem.sim.may_try_pin = lambda iccid, left: True
        bench.run(10)
        bench.answers["AT^CPIN?"] = f"^CPIN: SIM PIN,{after},10,{after},10,3"
        bench.answers['AT+CPIN="1234"'] = "!+CME ERROR: 16"
        bench.run(100)
        assert bench.sent.count('AT+CPIN="1234"') == times


def test_every_memory_is_emptied_at_the_start_and_again_without_an_announcement() -> None:
    bench = TwoMemories({"SM": {}, "ME": {2: PDU}})
    bench.run(10)
    assert [(e.memory, e.slot) for e in bench.told(said.MessageRead)] == [("ME", 2)]
    bench.events.clear()
    bench.held["ME"][5] = PDU[:-2] + "08"
    bench.run(125)
    assert [(e.memory, e.slot) for e in bench.told(said.MessageRead)] == [("ME", 5)]


def test_slots_numbered_in_a_way_of_their_own_are_found_by_the_list() -> None:
    bench = TwoMemories({"SM": {4711: PDU}, "ME": {}}).run(15)
    assert [(e.memory, e.slot) for e in bench.told(said.MessageRead)] == [("SM", 4711)]


ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "data" / "at_transcripts.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("pieces", [0, 1], ids=["whole", "octet by octet"])
def test_whatever_modems_were_heard_to_say_leaves_a_modem_in_service(pieces: int) -> None:
    """Every record, as if it came by itself."""
    bench = Bench().up()
    for row in ROWS:
        for one in row["response"] if pieces else [row["response"]]:
            bench.hear(one)
        bench.run(0.2)
    bench.hear("\r\n+CREG: 1\r\n+CEREG: 0\r\n")
    bench.run(60)
    assert bench.modem.state == "up"
    assert bench.modem.calls.current is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=120), st.sampled_from([r["response"].encode() for r in ROWS])), max_size=8)
)
def test_no_octets_break_a_modem(pieces: list[bytes]) -> None:
    bench = Bench().up()
    for piece in pieces:
        bench.events += bench.modem.feed(piece, bench.at)
        bench.run(1)
    assert isinstance(bench.modem.state, str)


def test_a_flood_on_the_port_is_told_and_waits_in_no_memory() -> None:
    bench = Bench().up()
    for _ in range(300):
        bench.events += bench.modem.feed(b"+ZUSIMR:2\r\n" * 200 + b"\xff\x00" * 500, bench.at)
    bench.run(2)
    assert bench.modem.state == "up"
    assert len(bench.modem.engine._buffer) <= 4096


@pytest.mark.parametrize(
    ("line", "time"),
    [('+CCLK: "26/11/25,03:04:05+04"', "2026-11-25T02:04:05"), ("+CCLK: 26/07/26,11:42:15+08", "2026-07-26T09:42:15"),
     ("^NWTIME: 26/08/05,04:00:21+40,00", "2026-08-04T18:00:21"),
     ('+CTZU: "26/07/09,11:15:40",+08,1', "2026-07-09T11:15:40"),
     ('*PSUTTZ: 2026,7,9,11,15,40,"+8",0', "2026-07-09T11:15:40"),
     ('+CTZE: "+08",0,"2026/07/09,11:15:40"', "2026-07-09T11:15:40"),
     ('+CCLK: "80/01/06,00:00:00+00"', None), ('+CCLK: "14/08/05,04:00:21"', None),
     ('+CCLK: "XX/XX/XX,XX:XX:XX+XX"', None),
     ('+CCLK: "26/13/45,99:99:99+04"', None)],
)  # fmt: skip
def test_the_time_of_the_network_is_read_in_every_form(line: str, time: str | None) -> None:
    found = text.network_time(line)
    assert (found.isoformat()[:19] if found else None) == time


def test_a_modem_that_does_not_get_ready_or_loses_answers_again_and_again_says_so() -> None:
    bench = Bench(**{"AT+CPIN?": "!+CME ERROR: 14"}).run(130)
    assert [event.why for event in bench.told(said.Sick)] == ["init"]
    bench = Bench().up()
    bench.answers["AT+CSQ"] = "?"
    bench.run(90)
    assert "stalls" in [event.why for event in bench.told(said.Sick)]


@pytest.mark.parametrize(
    ("creg", "cereg", "state", "voice"),
    [("2,1", None, "up", "yes"), ("2,5", None, "up", "yes"), ("2,0", "2,1", "up", "lte-only"),
     ("2,3", "2,1", "up", "lte-only"),
     ("2,8", None, "emergency-only", ""), ("2,3", None, "denied", ""), ("2,6", None, "data-only", "")],
)  # fmt: skip
def test_what_the_registration_means_for_calls(creg: str, cereg: str | None, state: str, voice: str) -> None:
    bench = Bench(**{"AT+CREG?": f"+CREG: {creg}", "AT+CEREG?": f"+CEREG: {cereg}" if cereg else None}).run(8)
    assert (bench.modem.state, bench.modem.network.voice) == (state, voice)
    assert bench.modem.network.roaming is (creg == "2,5")


def test_a_call_that_was_ended_at_once_shows_until_one_works() -> None:
    bench = Bench(**{"ATD600100200;": "!NO CARRIER"}).up()
    bench.modem.calls.dial("600100200", bench.at)
    bench.run(1)
    assert bench.modem.network.voice == "none"
    bench.modem.calls.dial("600100200", bench.at)
    bench.run(1)
    assert len(bench.told(said.NoVoice)) == 1, "said once"
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    assert bench.modem.network.voice == "yes"


def test_a_sim_that_was_pulled_out_without_a_word_is_missed() -> None:
    bench = Bench().up()
    bench.answers["AT+CPIN?"] = "!+CME ERROR: 10"
    bench.run(25)
    assert bench.modem.state == "no-sim"
    bench.answers.update({"AT+CPIN?": "+CPIN: READY", "AT^ICCID?": "^ICCID: 8948039999999999999"})
    bench.run(15)
    assert (bench.modem.state, bench.modem.sim.iccid) == ("up", "8948039999999999999")


def test_a_sim_that_is_busy_for_a_moment_is_not_missed() -> None:
    bench = Bench().up()
    bench.answers["AT+CPIN?"] = "!+CME ERROR: 14"
    bench.run(60)
    assert bench.modem.state == "up"


def test_octets_of_a_line_that_is_switched_on_do_not_hide_what_is_said() -> None:
    bench = Bench(**{"AT+CPIN?": "\xff\xff+CPIN: READY", "AT+CGMM": "\xff\r\nE1752"}).run(5)
    assert (bench.modem.state, bench.modem.model) == ("up", "E1752")


@pytest.mark.parametrize(
    "said_so", ["+CCID: 8948031234567890123F", "^ICCID: 8948031234567890123", "8948031234567890123"]
)
def test_the_number_of_a_sim_is_read_however_it_is_said(said_so: str) -> None:
    bench = Bench(**{"AT^ICCID?": None, "AT+CCID": said_so}).run(5)
    assert bench.modem.sim.iccid == "8948031234567890123"
