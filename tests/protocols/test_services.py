"""Forwarding that the network holds: what modems are told and what they say of it."""

import json
from pathlib import Path

from appliance.protocols import modem_events as said
from appliance.protocols.modem_services import Change, commands_of, read
from tests.protocols.modem_bench import Bench

DATA = Path(__file__).parent.parent / "data" / "at_transcripts.jsonl"
ROWS = [
    row
    for row in map(json.loads, DATA.read_text(encoding="utf-8").splitlines())
    if str(row["command"]).startswith("AT+CCFC")
]
NUMBER = "+48221234567"
UNREACHABLE = f'AT+CCFC=3,3,"{NUMBER}",145,1'
OFF = "+CCFC: 0,7"


def test_the_answers_on_record_are_read() -> None:
    lines = [line for row in ROWS for line in row["response"].split() if line.startswith("+CCFC")]
    lines += [" ".join(row["response"].split()[:2]) for row in ROWS if "+CCFC: " in row["response"]]
    found = [one for line in lines if (one := read(line, "unreachable"))]
    assert {(one.active, one.number) for one in found} >= {
        (True, "+420800123456"), (False, ""), (True, "+420123456678"),
    }  # fmt: skip


def test_only_voice_counts_and_the_time_is_read() -> None:
    assert read("+CCFC: 1,2", "busy") is None
    assert read("+CCFC: 1,4", "busy") is None
    assert read('+CCFC: 1,1,"48221234567",145,,,20', "no-answer") == said.Diverted("no-answer", True, NUMBER, 20)
    assert read("+CCFC: x", "busy") is None
    assert read("+CSQ: 1", "busy") is None


def test_the_commands_are_those_of_the_standard() -> None:
    assert commands_of(Change("unreachable", NUMBER))[0] == UNREACHABLE
    assert commands_of(Change("no-answer", NUMBER, 15))[0] == f'AT+CCFC=2,3,"{NUMBER}",145,1,,,15'
    assert commands_of(Change("all"))[0] == "AT+CCFC=0,4"
    assert commands_of(Change("busy", "221234567"))[0] == 'AT+CCFC=1,3,"221234567",129,1'


def test_a_change_is_made_and_then_everything_is_asked() -> None:
    held = {"AT+CCFC=0,2": OFF, "AT+CCFC=1,2": OFF, "AT+CCFC=2,2": OFF, "AT+CCFC=3,2": f'+CCFC: 1,1,"{NUMBER}",145'}
    bench = Bench(**held).up()
    assert bench.modem.services.forward((Change("unreachable", NUMBER),))
    assert not bench.modem.services.forward(()), "one at a time"
    bench.run(2)
    (answer,) = bench.told(said.ForwardingSaid)
    assert [c for c in bench.sent if "CCFC" in c] == [UNREACHABLE, *held]
    assert {one.reason: one.number for one in answer.found if one.active} == {"unreachable": NUMBER}
    assert answer.refused == {}


def test_a_form_that_is_refused_gives_way_to_the_next_and_what_stays_refused_is_told() -> None:
    first, second, third = commands_of(Change("no-answer", NUMBER, 15))
    bench = Bench(**{first: None, "AT+CCFC=1,2": "!+CME ERROR: 4"}).up()
    bench.modem.services.forward((Change("no-answer", NUMBER, 15),))
    bench.run(2)
    assert [c for c in bench.sent if c.startswith("AT+CCFC=2,3")] == [first, second]
    assert dict(bench.told(said.ForwardingSaid)[0].refused) == {"busy": "+CME ERROR: 4"}
    bench = Bench(**{first: None, second: None, third: None}).up()
    bench.modem.services.forward((Change("no-answer", NUMBER, 15),))
    bench.run(2)
    assert dict(bench.told(said.ForwardingSaid)[0].refused) == {"no-answer": "ERROR"}


def test_a_modem_that_goes_away_says_that_nothing_is_known() -> None:
    bench = Bench(**{"AT+CCFC=0,2": "?"}).up()
    bench.modem.services.forward(())
    bench.run(0.5)
    (answer,) = [event for event in bench.modem.stop() if isinstance(event, said.ForwardingSaid)]
    assert set(answer.refused) == {"all", "busy", "no-answer", "unreachable"}
    assert answer.found == ()
