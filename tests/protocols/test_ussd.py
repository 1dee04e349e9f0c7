"""Codes of the network: every answer modems were heard to give is read, and a dialogue goes its way to an end."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocols import modem_events as said
from appliance.protocols.at import AtEngine, Unsolicited
from appliance.protocols.modem_ussd import Ussd
from appliance.protocols.ussd_text import decode, encode, read
from tests.protocols.modem_bench import READY, Bench

DATA = Path(__file__).parent.parent / "data" / "at_transcripts.jsonl"
HEARD = [
    row
    for row in map(json.loads, DATA.read_text(encoding="utf-8").splitlines())
    if row["urc"] and "+CUSD" in row["response"] and "expect" in row
]
MENU = '\r\n+CUSD: 1,"1 Balance\r\n2 Packages",15\r\n'


def asked(code: str = "*100#", **answers: str | None) -> Bench:
    """A modem that is up, with a code on its way."""
    bench = Bench(**answers).up()
    assert bench.modem.ussd.ask(code, bench.at)
    return bench.run(0.5)


def codes(bench: Bench) -> list[str]:
    return [command for command in bench.sent if "CUSD" in command]


def test_there_are_as_many_answers_on_record_as_we_think() -> None:
    assert len(HEARD) == 22


@pytest.mark.parametrize("row", HEARD, ids=[f"{n}-{row['name']}" for n, row in enumerate(HEARD)])
def test_every_answer_on_record_is_read_as_people_read_it(row: dict) -> None:
    found = read(row["response"].strip("\r\n"))
    assert found is not None
    assert {key: getattr(found, key) for key in row["expect"]} == row["expect"]


@given(st.text(max_size=300), st.one_of(st.none(), st.integers(0, 255)), st.sampled_from(["", "text", "ucs2-hex"]))
def test_nothing_a_modem_writes_makes_the_reader_fail(text: str, dcs: int | None, known: str) -> None:
    body, form, _language = decode(text, dcs, known)
    assert form
    assert isinstance(body, str)
    assert read(f'+CUSD: 0,"{text}",{dcs or 0}') is not None


def test_a_number_alone_stays_a_number_unless_the_modem_is_known_to_write_hex() -> None:
    assert decode("1234", 15)[:2] == ("1234", "text")
    assert decode("20261125", 15)[:2] == ("20261125", "text")
    assert decode("0031003200330034", 15)[0] == "1234"
    assert decode("31323334", 0, "octets-hex")[0] == "1234"


def test_what_steers_a_terminal_is_taken_out() -> None:
    found = read('+CUSD: 0,"Balance \x1b[2J12.30\x07 \u202ePLN\r\nnext",15')
    assert found is not None
    assert found.text == "Balance [2J12.30 PLN\nnext"
    hidden = "".join(f"{ord(char):04X}" for char in "Saldo\x1b 7,05")
    assert read(f'+CUSD: 0,"{hidden}",72') is not None


def test_a_code_is_written_in_the_three_forms_modems_want() -> None:
    assert encode("*100#", "plain") == "*100#"
    assert encode("*101#", "packed") == "AA182C3602"
    assert encode("*100#", "packed") == "AA180C3602"
    assert encode("*1", "ucs2") == "002A0031"
    assert encode("*12345#", "packed")[-2:] == "1A", "seven septets are filled with CR, not with an @"


def test_a_code_is_answered() -> None:
    bench = asked()
    assert codes(bench) == ['AT+CUSD=1,"*100#",15']
    bench.hear('\r\n+CUSD: 0,"Your balance is 12.30 PLN",15\r\n')
    (answer,) = bench.told(said.UssdSaid)
    assert (answer.text, answer.more) == ("Your balance is 12.30 PLN", False)
    assert not bench.modem.ussd.busy


def test_an_answer_of_many_lines_is_one_even_when_the_phone_rings_within_it() -> None:
    bench = asked()
    bench.hear('\r\n+CUSD: 1,"Menu\r\n1 *111# info\r\n\r\nRING\r\nBUSY hours\r\n2 Quit",15\r\n')
    (answer,) = bench.told(said.UssdSaid)
    assert answer.text == "Menu\n1 *111# info\nBUSY hours\n2 Quit"
    assert bench.modem.calls.current is not None


def test_a_quote_that_never_closes_is_given_up_after_two_seconds() -> None:
    engine = AtEngine()
    assert engine.feed(b'\r\n+CUSD: 0,"Half a\r\nmessage\r\n', 0.0) == []
    assert engine.due() is not None
    assert engine.tick(1.0) == []
    assert engine.tick(2.1) == [Unsolicited('+CUSD: 0,"Half a\nmessage')]
    assert engine.feed(b"\r\nRING\r\n", 3.0) == [Unsolicited("RING")]


def test_text_without_quotes_is_collected_until_it_is_quiet() -> None:
    bench = asked()
    bench.hear("\r\n+CUSD: 0,Saldo 7,95\r\nvalid till Friday\r\n")
    assert bench.told(said.UssdSaid) == []
    bench.run(1.5)
    assert [event.text for event in bench.told(said.UssdSaid)] == ["Saldo 7,95\nvalid till Friday"]


def test_a_menu_is_answered_and_the_answer_takes_the_form_that_worked() -> None:
    plain, packed = 'AT+CUSD=1,"*100#",15', 'AT+CUSD=1,"AA180C3602",15'
    bench = asked(**{plain: None})
    assert codes(bench) == [plain, packed]
    bench.hear(MENU)
    assert [event.more for event in bench.told(said.UssdSaid)] == [True]
    assert bench.modem.ussd.answer("2", bench.at)
    bench.run(0.5)
    assert codes(bench)[-1] == 'AT+CUSD=1,"32",15'
    bench.hear('\r\n+CUSD: 2,"Done",15\r\n')
    last = bench.told(said.UssdSaid)[-1]
    assert (last.text, last.more, last.request) == ("Done", False, "packed")


def test_a_form_that_is_refused_by_the_network_gives_way_to_the_next_but_a_voucher_is_sent_once() -> None:
    bench = asked()
    bench.hear("\r\n+CUSD: 4\r\n")
    bench.run(0.5)
    bench.hear("\r\n+CUSD: 4\r\n")
    bench.run(0.5)
    assert [code.split('"')[1] for code in codes(bench)] == ["*100#", "AA180C3602", "002A0031003000300023"]
    bench.hear("\r\n+CUSD: 4\r\n")
    assert [event.reason for event in bench.told(said.UssdFailed)] == ["ussd-unsupported"]
    bench = Bench().up()
    assert bench.modem.ussd.ask("*123*12345678901234#", bench.at, once=True)
    bench.run(0.5)
    bench.hear("\r\n+CUSD: 4\r\n")
    bench.run(0.5)
    assert len(codes(bench)) == 1
    assert bench.told(said.UssdFailed)


def test_what_a_modem_took_once_is_tried_first() -> None:
    bench = Bench().up()
    bench.modem.ussd.ask("*100#", bench.at, form="ucs2")
    bench.run(0.5)
    assert codes(bench) == ['AT+CUSD=1,"002A0031003000300023",15']


def test_an_answer_that_does_not_come_is_given_up_after_a_minute_and_cancelled() -> None:
    bench = asked().run(59)
    assert bench.told(said.UssdFailed) == []
    bench.run(2)
    assert [event.reason for event in bench.told(said.UssdFailed)] == ["ussd-no-answer"]
    assert codes(bench)[-1] == "AT+CUSD=2"
    assert bench.modem.ussd.ask("*100#", bench.at), "the next one is free to begin"


def test_one_dialogue_at_a_time_and_an_open_menu_can_be_left() -> None:
    bench = asked()
    assert not bench.modem.ussd.ask("*101#", bench.at)
    bench.hear(MENU)
    assert not bench.modem.ussd.ask("*101#", bench.at)
    assert bench.modem.ussd.cancel()
    assert not bench.modem.ussd.cancel()
    bench.run(0.5)
    assert codes(bench)[-1] == "AT+CUSD=2"


def test_a_menu_nobody_answers_is_left_after_a_minute() -> None:
    bench = asked()
    bench.hear(MENU)
    bench.run(61)
    assert codes(bench)[-1] == "AT+CUSD=2"
    assert bench.told(said.UssdFailed) == [], "the code had its answer: a failure would be the next one's"
    assert not bench.modem.ussd.answer("1", bench.at)


def test_a_code_waits_while_a_call_is_up() -> None:
    bench = Bench().up()
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145\r\n')
    bench.modem.ussd.ask("*100#", bench.at)
    bench.run(2)
    assert codes(bench) == []
    bench.hear("\r\nNO CARRIER\r\n")
    bench.run(2)
    assert codes(bench) == ['AT+CUSD=1,"*100#",15']


def test_a_code_that_was_told_as_not_sent_never_leaves() -> None:
    """It may be a voucher: it is given back, and must not be spent after the call."""
    engine, told = AtEngine(long_allowed=False), []
    ussd = Ussd(engine, told.append)
    assert ussd.ask("*123*12345678#", 0.0, once=True)
    for at in range(100):  # a call goes on for longer than a code may wait
        assert engine.output(float(at)) == b""
        ussd.tick(float(at))
    assert told == [said.UssdFailed("ussd-not-sent", "")]
    engine.long_allowed = True
    assert engine.output(101.0) == b""
    assert ussd.ask("*100#", 102.0)
    assert b"*100#" in engine.output(102.0)


def test_words_of_the_network_that_nobody_asked_for_are_told_as_such() -> None:
    bench = Bench().up()
    bench.hear('\r\n+CUSD: 1,"Win a car! 1 yes",15\r\n')
    bench.run(0.5)
    assert [event.asked for event in bench.told(said.UssdSaid)] == [False]
    assert codes(bench) == ["AT+CUSD=2"], "a dialogue that nobody here began is closed"


def test_a_modem_that_goes_away_leaves_nobody_waiting() -> None:
    bench = asked()
    assert [event.reason for event in bench.modem.stop() if isinstance(event, said.UssdFailed)] == ["ussd-lost"]


def test_the_code_is_in_no_log_line() -> None:
    bench = asked("*123*12345678901234#", **{'AT+CUSD=1,"*123*12345678901234#",15': "?"})
    running = bench.modem.engine._running
    assert running is not None
    assert "12345678901234" not in str(running)


@pytest.mark.parametrize("code", ["", "hello", "*100#;ATD112", '*1"', "*" * 161, "*100#\r"])
def test_only_codes_are_sent(code: str) -> None:
    bench = Bench().up()
    assert not bench.modem.ussd.ask(code, bench.at)
    assert "AT+CUSD=1" not in READY
