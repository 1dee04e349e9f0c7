"""The AT engine against everything modems were heard to say."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.protocols import modem_text
from appliance.protocols.at import (
    AtEngine,
    AtEvent,
    Command,
    Finished,
    Lost,
    Priority,
    Synced,
    Unsolicited,
    is_answer,
)

DATA = Path(__file__).parent.parent / "data" / "at_transcripts.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
ANSWERS = [row for row in ROWS if not row["urc"]]
URCS = [row for row in ROWS if row["urc"]]
CLIP = '\r\n+CLIP: "+48600100200",145,,,,0\r\n'

# answers that we do not take as one, and why
NOT_UNDERSTOOD = {
    "AT+CMGL=4 (header line": "a head line alone, noted from a log without its PDU",
}


def octets_of(row: dict) -> bytes:
    """The answer as it came, with a final result where the record has none."""
    text = row["response"]
    if not row.get("complete", True):
        text += "\r\n\r\nOK\r\n"
    if not text.endswith(("\r", "\n", "> ")):
        text += "\r\n"
    return text.encode("latin-1", "replace")


def expects(command: str) -> tuple[str, ...]:
    """The prefix that the command's answer has."""
    name = command[2:].split("=")[0].split("?")[0].split(" ")[0].strip('"')
    return (name,) if name[:1] in "+^#*$%" and len(name) > 1 else ("",)


def run(data: bytes, command: str, step: int = 0) -> list[AtEvent]:
    """Feed an answer, whole or in pieces of `step` octets."""
    engine = AtEngine()
    engine.send(Command(command, expects(command), 30.0, tag="x"))
    engine.output(0.0)
    pieces = [data[i : i + step] for i in range(0, len(data), step)] if step else [data]
    events: list[AtEvent] = []
    for number, piece in enumerate(pieces):
        events += engine.feed(piece, 0.001 * number)
    return events + engine.tick(100.0) + engine.tick(200.0)


def finished(events: list[AtEvent]) -> tuple[bool, str, tuple[str, ...]] | None:
    done = next((e for e in events if isinstance(e, Finished)), None)
    return (done.ok, done.final, done.lines) if done else None


def test_every_answer_is_understood_the_same_whole_and_octet_by_octet() -> None:
    lost = []
    for row in ANSWERS:
        command = row["command"]
        whole, dribbled = run(octets_of(row), command), run(octets_of(row), command, 1)
        assert whole == dribbled, row["name"]
        result = finished(whole)
        if (result is None or result[1] == "timeout") and not command.startswith(tuple(NOT_UNDERSTOOD)):
            lost.append((row["model"], command, row["response"][:60]))
    assert lost == [], "add it to NOT_UNDERSTOOD with its reason, or understand it"
    for start, reason in NOT_UNDERSTOOD.items():
        assert reason
        assert any(row["command"].startswith(start) for row in ANSWERS), f"{start} is in no record"


def test_a_call_that_comes_in_the_middle_of_an_answer_is_heard_and_the_answer_is_the_same() -> None:
    """A +CLIP between two lines of every answer of several lines."""
    tried = 0
    for row in ANSWERS:
        data = octets_of(row)
        cut = data.find(b"\n", 1) + 1
        if cut <= 1 or cut >= len(data) or b"CMGR" in data[:cut] or b"CMGL" in data[:cut] or b"+CUSD" in data[:cut]:
            continue
        plain = finished(run(data, row["command"]))
        if plain is None or plain[1] == "timeout":
            continue
        joined = run(data[:cut] + CLIP.encode() + data[cut:], row["command"])
        tried += 1
        assert finished(joined) == plain, row["command"]
        assert any(isinstance(e, Unsolicited) and e.text.startswith("+CLIP") for e in joined), row["command"]
    assert tried > 150


def test_what_nobody_asked_for_is_told_as_such() -> None:
    strange = []
    for row in URCS:
        engine = AtEngine()
        events = engine.feed(octets_of(row), 0.0) + engine.tick(10.0)
        if not any(isinstance(e, Unsolicited) for e in events) and row["response"].strip() != "OK":
            strange.append(row["response"][:40])
    assert strange == []


STATES = {
    "IDLE": 0, "HOME": 1, "SEARCHING": 2, "DENIED": 3, "ROAMING": 5, "HOME_SMS_ONLY": 6, "ROAMING_SMS_ONLY": 7,
    "ROAMING_CSFB_NOT_PREFERRED": 10, "ATTACHED_RLOS": 11,
}  # fmt: skip
NETWORKS = {
    "GSM": "2g",
    "EDGE": "2g",
    "UMTS": "3g",
    "HSDPA": "3g",
    "HSPA": "3g",
    "HSUPA": "3g",
    "LTE": "lte",
    "5GNR": "lte",
}


def test_registration_is_read_as_the_records_say() -> None:
    rows = [row for row in ROWS if isinstance(row.get("expect"), dict) and "state" in row["expect"]]
    wrong = []
    for row in rows:
        lines = [line for line in row["response"].replace("\r", "\n").split("\n") if "REG:" in line]
        found = [r for line in lines if (r := modem_text.registration(line))]
        network = NETWORKS.get(row["expect"].get("act", ""), "")
        if not any(r.stat == STATES[row["expect"]["state"]] and r.network == network for r in found):
            wrong.append((row["response"].strip(), row["expect"]))
    assert len(rows) > 40
    assert len(wrong) <= len(rows) * 0.05, wrong


def test_a_number_between_strange_spaces_is_one_or_none() -> None:
    """Found by fuzzing: what counts as a space differs between the functions of the language."""
    for code in range(256):
        assert modem_text.number_in(f"{chr(code)}288") in (288, -1, -288, (code - 48) * 1000 + 288), code


def test_a_memory_is_found_behind_brackets_and_spaces() -> None:
    """Found by fuzzing: either took a quarter of a second, in which the loop served nobody (see test_fuzz)."""
    assert modem_text.memories("+CPMS: " + "(" * 4000 + '"SM","ME"),("SM")') == ("SM", "ME")
    assert modem_text.stored("+CMTI: " + " " * 4000 + '"SM" , 3') == ("SM", 3)


def test_one_command_is_in_flight_and_the_urgent_one_is_next() -> None:
    engine = AtEngine()
    engine.send(Command("AT+CSQ", ("+CSQ",), priority=Priority.IDLE))
    engine.send(Command("AT+COPS?", ("+COPS",), priority=Priority.IDLE))
    assert engine.output(0.0) == b"AT+CSQ\r"
    engine.send(Command("AT+CHUP", priority=Priority.CALL))
    assert engine.output(0.0) == b""
    engine.feed(b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n", 0.1)
    assert engine.output(0.1) == b"AT+CHUP\r"


def test_long_commands_wait_while_a_call_is_set_up() -> None:
    engine = AtEngine(long_allowed=False)
    engine.send(Command("AT+COPS=?", ("+COPS",), 180.0, Priority.LONG))
    assert engine.output(0.0) == b""
    engine.long_allowed = True
    assert engine.output(0.0) == b"AT+COPS=?\r"


def test_a_late_answer_is_not_taken_for_the_next_command() -> None:
    """Time-out, quiet, a plain AT, an OK with nothing behind it: only then the next command goes out."""
    engine = AtEngine()
    engine.send(Command("AT+CMGR=1", ("+CMGR",), 3.0, tag="first"))
    engine.send(Command("AT+CSQ", ("+CSQ",), 3.0, tag="second"))
    engine.output(0.0)
    assert finished(engine.tick(3.1)) == (False, "timeout", ())
    assert engine.output(3.1) == b""
    engine.feed(b"\r\n+CMGR: 0,,20\r\n00112233\r\n\r\nOK\r\n", 3.2)  # the late answer
    engine.tick(3.6)
    assert engine.output(3.6).endswith(b"AT\r")
    engine.feed(b"\r\nOK\r\n", 3.7)
    assert engine.tick(4.0) == [Synced()]
    assert engine.output(4.0) == b"AT+CSQ\r"
    assert finished(engine.feed(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n", 4.1)) == (True, "OK", ("+CSQ: 20,99",))


def test_a_modem_that_answers_nothing_is_lost_after_three_tries() -> None:
    engine = AtEngine()
    engine.send(Command("AT", seconds=1.0))
    engine.output(0.0)
    events: list[AtEvent] = []
    for tenth in range(200):
        events += engine.tick(tenth / 10)
        engine.output(tenth / 10)
    assert sum(isinstance(e, Lost) for e in events) == 1


def test_a_busy_signal_ends_a_dial_and_nothing_else() -> None:
    dial, query = Command("ATD112;"), Command("AT+CSQ", ("+CSQ",))
    assert is_answer(dial, "BUSY")
    assert not is_answer(query, "BUSY")
    assert finished(run(b"\r\nNO CARRIER\r\n\r\n+CSQ: 5,99\r\n\r\nOK\r\n", "AT+CSQ")) == (True, "OK", ("+CSQ: 5,99",))
    assert finished(run(b"\r\nNO CARRIER\r\n", "ATD112;")) == (False, "NO CARRIER", ())


def test_a_pdu_that_comes_directly_belongs_to_its_head_line() -> None:
    events = run(b"\r\n+CMT: ,24\r\nOK\r\n\r\n+CSQ: 9,99\r\n\r\nOK\r\n", "AT+CSQ")
    assert Unsolicited("+CMT: ,24", "OK") in events
    assert finished(events) == (True, "OK", ("+CSQ: 9,99",))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=80), st.sampled_from([r["response"].encode("latin-1", "replace") for r in ROWS[:200]])
        ),
        max_size=12,
    )
)
def test_no_octets_break_the_engine(pieces: list[bytes]) -> None:
    engine = AtEngine()
    engine.send(Command("AT+CREG?", ("+CREG",)))
    at = 0.0
    for piece in pieces:
        engine.output(at)
        engine.feed(piece, at)
        engine.tick(at)
        at += 1.7
        assert len(engine._buffer) <= 4096
    for event in engine.drop():
        assert isinstance(event, Finished)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=80))
def test_no_line_breaks_a_parser(line: str) -> None:
    for prefix in ("", "+CLIP: ", "+CREG: ", "+CLCC: ", "+CSQ: ", "+COPS: ", "+CPMS: ", "+CMTI: ", "^CEND:"):
        text = prefix + line
        modem_text.caller(text), modem_text.registration(text), modem_text.call_state(text), modem_text.signal(text)
        modem_text.operator(text), modem_text.storage(text), modem_text.stored(text), modem_text.pin_state(text)
        assert modem_text.error_code("+CME ERROR: " + line) >= -1
        assert isinstance(modem_text.slots((text, line)), list)


def test_a_port_that_is_never_quiet_is_given_up() -> None:
    engine = AtEngine()
    engine.send(Command("AT", seconds=2.0))
    engine.output(0.0)
    events = []
    for step in range(400):
        at = step * 0.1
        events += engine.feed(b"$GPGGA,noise\r\n", at) + engine.tick(at)
        engine.output(at)
    assert [type(e).__name__ for e in events if not isinstance(e, Unsolicited)] == ["Finished", "Lost"]
