"""The commands about messages and modems, as a person types them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
ROWS = [json.loads(line) for line in (DATA / "pdu_corpus.jsonl").read_text(encoding="utf-8").splitlines()]
PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"


def run(*words: str, given: bytes = b"") -> tuple[int, list[dict], str]:
    done = subprocess.run(
        [sys.executable, "-m", "appliance", *words], input=given, capture_output=True, timeout=30, check=False
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_pdus_as_words_and_as_lines_are_decoded_the_same() -> None:
    code, found, _ = run("sms", "decode", PDU, PDU.lower())
    assert (code, [one["text"] for one in found]) == (0, ["How are you?"] * 2)
    assert run("sms", "decode", given=f"\n{PDU}\r\n  {PDU.lower()}".encode())[:2] == (code, found)


def test_the_corpus_in_one_go_strictly() -> None:
    rows = [row for row in ROWS if row["stated"]]
    code, found, _ = run("sms", "decode", "--strict", given="\n".join(row["pdu"] for row in rows).encode())
    assert code == 1
    assert len(found) == len(rows) > 300
    for row, one in zip(rows, found, strict=True):
        wanted = row["expect"]
        if wanted.get("error"):
            assert one["error"] is True
            assert one["reason"]
        else:
            keys = {*row["stated"], *row.get("derived", ())} & wanted.keys()
            assert {key: one.get(key) for key in keys} == {key: wanted[key] for key in keys}


def test_what_is_damaged_is_shown_unless_refused() -> None:
    code, (found,), _ = run("sms", "decode", PDU[:-8])
    assert (code, found["flags"]) == (0, ["cut-off"])
    code, (found,), _ = run("sms", "decode", "--strict", PDU[:-8])
    assert (code, found) == (1, {"error": True, "reason": "its text is cut off"})


def test_hostile_lines_are_refused_and_the_next_is_read() -> None:
    given = b"\xff\xfe\x00\n" + b"0" * 100_000 + b"\n" + PDU.encode() + b"\n"
    code, found, errors = run("sms", "decode", given=given)
    assert (code, errors, found[-1]["text"]) == (1, "", "How are you?")
    assert all(one["error"] for one in found[:-1])


def test_a_text_is_encoded_and_decoded_to_itself() -> None:
    text = "Zażółć gęślą jaźń 😀 " * 8
    code, parts, _ = run("sms", "encode", "--to", "+48600100200", "--text", text, "--report", "--valid", "1440")
    assert code == 0
    assert [(p["sequence"], p["total"], p["coding"]) for p in parts] == [(n, len(parts), "ucs2") for n in (1, 2, 3)]
    assert all(part["length"] == len(part["pdu"]) // 2 - 1 for part in parts)
    _, found, _ = run("sms", "decode", "--strict", *(part["pdu"] for part in parts))
    assert "".join(one["text"] for one in found) == text
    assert {(one["recipient"], one["vp_relative_minutes"], one["status_report_request"]) for one in found} == {
        ("+48600100200", 1440, True)
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--to", "Anna", "--text", "x"], "no number"), (["--to", "112", "--text", "ż" * 60000], "too long"),
     (["--to", "112", "--text", "x", "--valid", "0"], "63 weeks")],
)  # fmt: skip
def test_what_cannot_be_encoded_is_said_in_words(words: list[str], sentence: str) -> None:
    code, found, errors = run("sms", "encode", *words)
    assert (code, found) == (1, [])
    assert sentence in errors
    assert "Traceback" not in errors


def test_a_modem_s_output_is_read_from_standard_input() -> None:
    code, found, errors = run("at", "parse", given=b'\xff\r\nRING\r\n\r\n+CREG: 1,"8B37","0A265185",7\r\nOK\r\nhm')
    assert (code, errors) == (0, "")
    assert {"urc": "RING"} in found
    assert any(one.get("urc") == "+CREG" and one["ci"] == 170283397 and one["act"] == "LTE" for one in found)
    assert {"final": "OK", "ok": True} in found
    assert found[-1] == {"unknown": "hm"}
