"""A talk with a modem is written down, without secrets, and a virtual modem can be made of it."""

import json
import os
import signal
import subprocess
import sys
import tty
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from appliance.virtual.recorder import Transcript, masked
from tests.peers.waiting import until
from tests.virtual.bench import Bench

FIELDS = {"model", "command", "response", "urc", "complete", "kind", "source"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [('AT+CPIN="1234"', 'AT+CPIN="****"'), ('AT+CPIN="12345678","1234"', 'AT+CPIN="********","****"'),
     ('AT+CLCK="SC",1,"1234"', 'AT+CLCK="SC",1,"****"'), ('AT+CPWD="SC","1234","4321"', 'AT+CPWD="**","****","****"'),
     ('AT+CUSD=1,"*123*123456789012#",15', 'AT+CUSD=1,"*123*************#",**'), ("AT+CPIN?", "AT+CPIN?"),
     ('AT+CUSD=1,"*100#",15', 'AT+CUSD=1,"*100#",15')],
)  # fmt: skip
def test_secrets_are_masked(said: str, kept: str) -> None:
    assert masked(said) == kept


def test_the_talk_becomes_rows_however_it_is_cut() -> None:
    talk = [("out", "AT+CGMM\r"), ("in", "\r\nE9\r\n\r\nOK\r\n"), ("in", '\r\n+CMTI: "SM",1\r\n'), ("quiet", ""),
            ("out", 'AT+CPIN="1234"\r'), ("in", 'AT+CPIN="1234"\r\r\n+CME ERROR: 16\r\n'), ("out", "AT+CMGS=3\r"),
            ("in", "\r\n> "), ("out", "001100\x1a"), ("in", "\r\n+CMGS: 4\r\n\r\nOK\r\n\r\nRING\r\n"),
            ("out", "AT\r"), ("end", "")]  # fmt: skip
    for size in (1, 3, 100):
        transcript = Transcript("a test")
        rows = []
        for who, text in talk:
            for start in range(0, len(text), size):
                piece = text[start : start + size].encode()
                rows += transcript.sent(piece) if who == "out" else transcript.received(piece)
            rows += {"quiet": transcript.quiet, "end": transcript.end}.get(who, list)()
        assert [(row["command"], row["urc"], row["complete"]) for row in rows] == [
            ("AT+CGMM", False, True), (None, True, True), ('AT+CPIN="****"', False, True),
            ("AT+CMGS=3", False, True), (None, True, True), ("AT", False, False),
        ]  # fmt: skip
        assert "1234" not in json.dumps(rows)
        assert rows[0]["model"] == rows[-1]["model"] == "E9"
        assert rows[4]["trigger"] == "incoming call"


@pytest.mark.parametrize("deaf", [False, True], ids=["by hand", "in the background of a shell"])
def test_a_modem_is_recorded_and_played_again(benches: Callable[..., Bench], tmp_path: Path, deaf: bool) -> None:
    real = benches("gsm0=sim7600")
    record = tmp_path / "customer.jsonl"
    link = tmp_path / "port"
    recorder = subprocess.Popen(
        [sys.executable, "-m", "appliance", "virtual", "record", str(real.gsm0.link), str(record), "--link", str(link)],
        stdout=subprocess.PIPE, env={**os.environ, **real.environ},
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_IGN) if deaf else None,
    )  # fmt: skip
    until("the recorder is there", link.exists)
    real.gsm0.close()
    port = real.gsm0
    port.fd = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(port.fd)
    for command in ("ATE0", "AT+CGMM", "AT+CGMR", "AT+CODEC?", "AT+NOSUCH"):
        port.say(command)
    recorder.send_signal(signal.SIGINT)
    assert b"5 rows" in recorder.communicate(timeout=10)[0]
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert all(set(row) >= FIELDS for row in rows)
    assert "SIM7600" in rows[2]["model"]
    again = benches().gsm0.settle()
    again.far("profile", name=str(record))
    again.open()
    again.settle()
    assert rows[2]["response"].strip() in again.say("AT+CGMR")
    assert "63,7" in again.say("AT+CODEC?")
    assert "ERROR" in again.say("AT+NOSUCH")


def test_a_file_that_is_no_record_is_refused(benches: Callable[..., Bench], tmp_path: Path) -> None:
    port = benches().gsm0
    for name, text in (("a.jsonl", ""), ("b.jsonl", "{}\n"), ("c.jsonl", "nonsense\n"), ("d.jsonl", "[" * 5000)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert port.ask("profile", name=str(tmp_path / name))["error"]["id"] == "refused"
    assert port.ask("profile", name="/nowhere.jsonl")["error"]["id"] == "refused"
    assert port.status()["plugged"]
