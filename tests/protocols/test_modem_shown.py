"""What a modem wrote, shown line by line, by the engine and the parsers that drive modems."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.protocols.modem_shown import Shown, Transcript

DATA = Path(__file__).parent.parent / "data" / "at_transcripts.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"


def shown(data: bytes, step: int = 0) -> list[Shown]:
    transcript = Transcript()
    found: list[Shown] = []
    for piece in [data[i : i + step] for i in range(0, len(data), step)] if step else [data]:
        found += transcript.feed(piece)
    return found + transcript.end()


def as_it_came(row: dict) -> bytes:
    return row["response"].encode("latin-1", "replace")


@pytest.mark.parametrize("row", [r for r in ROWS if "state" in r.get("expect", ())], ids=lambda row: row["response"])
def test_registration_is_shown_as_the_records_say(row: dict) -> None:
    found = [{key: one.get(key) for key in row["expect"]} for one in shown(as_it_came(row)) if "lac" in one]
    assert row["expect"] in found


def test_nothing_of_a_modem_s_answers_is_lost() -> None:
    """Each answer with its echo in front: what came is shown, whole or octet by octet."""
    for row in ROWS:
        data = (row["command"] or "AT").encode("latin-1", "replace") + b"\r" + as_it_came(row)
        assert shown(data) == shown(data, 1)
        names = [str(one.get("answer") or one.get("urc") or one.get("text") or "") for one in shown(data)]
        lines = [line for line in row["response"].replace("\r", "\n").split("\n") if line.startswith("+")]
        expected = [line.partition(":")[0].upper() for line in lines if ":" in line and "ERROR" not in line]
        assert all(any(name.upper().startswith(one) for name in names) for one in expected), row


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\nRING\r\n", [{"urc": "RING"}]),
        (
            b'+CLIP: "",128,,,,1\r\n',
            [{"urc": "+CLIP", "fields": ["", "128", "", "", "", "1"], "number": "", "validity": "withheld",
              "caller": ""}],
        ),
        (b'\r\n+CMTI: "SM",3\r\n', [{"urc": "+CMTI", "fields": ["SM", "3"], "memory": "SM", "slot": 3}]),
        (b"AT+CGMM\r\r\nSIM7600E\r\n\r\nOK\r\n",
         [{"echo": "AT+CGMM"}, {"text": "SIM7600E"}, {"final": "OK", "ok": True}]),
        (b"SIM7600E\r\n", [{"unknown": "SIM7600E"}]),
        (b"\r\n+CME ERROR: SIM busy\r\n", [{"final": "+CME ERROR: SIM busy", "ok": False, "code": 14}]),
        (b'AT+CPIN="1234"\r\r\nOK\r\n', [{"echo": "AT+CPIN=****"}, {"final": "OK", "ok": True}]),
        (b"AT+CMGS=24\r\r\n> ", [{"echo": "AT+CMGS=24"}, {"prompt": ">"}]),
        (b"+CMT: ,24\r\nATTENTION\r\n", [{"urc": "+CMT", "fields": ["", "24"], "text": "ATTENTION"}]),
        (b"+CDS: 25\r\n", [{"urc": "+CDS", "fields": ["25"]}]),
        (b"x" * 5000 + b"\r\n", [{"unknown": "a line of 5000 octets"}]),
    ],
)  # fmt: skip
def test_a_line_is_shown_with_its_meaning(data: bytes, expected: list[Shown]) -> None:
    assert shown(data) == shown(data, 1) == expected


def test_an_answer_of_the_network_is_shown_as_text() -> None:
    (one,) = shown(b'+CUSD: 0,"Balance 9.45",15\r\n')
    assert (one["urc"], one["status"], one["text"], one["dcs"]) == ("+CUSD", 0, "Balance 9.45", 15)


@pytest.mark.parametrize("head", ["+CMT: ,24", "+CMGR: 0,,24", '+CMGL: 1,1,"",24'])
def test_a_message_is_shown_behind_its_head(head: str) -> None:
    (one, *rest) = shown(f"\r\n{head}\r\n{PDU}\r\n\r\nOK\r\n".encode())
    message = one["message"]
    assert isinstance(message, dict)
    assert (message["sender"], message["text"]) == ("+31641600986", "How are you?")
    assert rest == [{"final": "OK", "ok": True}]


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([b"\r\n", b"+CMT: 1\r\n", b"OK\r\n", b"AT\r", b"> "])))
)
def test_any_octets_are_shown_and_break_nothing(pieces: list[bytes]) -> None:
    transcript = Transcript()
    found = [one for piece in pieces for one in transcript.feed(piece)] + transcript.end()
    assert found == shown(b"".join(pieces))
    json.dumps(found).encode("ascii")
