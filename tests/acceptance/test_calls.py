"""A call goes through the box: what the caller, the office and the journal see and hear."""

from pathlib import Path

import pytest

from tests.acceptance.conftest import CLOSED, MakePhone, Office
from tests.peers import sound
from tests.peers.waiting import until

CALLER = "+48600100200"


@pytest.mark.sound
def test_a_call_on_the_sim_rings_a_phone_and_both_hear_each_other(
    office: Office, phone: MakePhone, tmp_path: Path
) -> None:
    ben = phone("102", hertz=1000)
    said, heard = sound.tone(tmp_path / "said.wav", 440, 60), tmp_path / "heard.wav"
    office.virtual(f"gsm0 play {said} --loop")
    office.virtual(f"gsm0 record {heard}")
    office.virtual(f"gsm0 call {CALLER}")
    ringing = ben.wait("CALL_INCOMING")
    assert "600100200" in str(ringing)
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    until("4.5 s of talk", lambda: len(sound.read(ben.heard())) > 5 * 8000, 20, 0.2)
    until("the far end has heard as much", lambda: heard.exists() and len(sound.read(heard)) > 4.5 * 8000, 20, 0.2)
    office.virtual("gsm0 hang-up")
    ben.wait("CALL_CLOSED")
    for path, tone, own in ((ben.heard(), 440, 1000), (heard, 1000, 440)):
        found = sound.analyse(sound.read(path), tone, own)
        assert found.share >= 0.8
        assert found.own < 0.01
        assert found.longest_gap <= 0.04
    row = office.wait_calls()[0]
    assert (row["direction"], row["line"], row["caller"], row["answered_by"]) == ("in", "gsm0", CALLER, "102")
    assert row["cause"] == "normal"
    assert row["talk_ms"] > 4000
    assert [step["rule"] for step in row["trace"]][:2] == ["came-in", "not-blocked"]


def test_a_caller_who_gives_up_is_a_missed_call(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    office.virtual(f"gsm0 call {CALLER}")
    ben.wait("CALL_INCOMING")
    office.virtual("gsm0 hang-up")
    ben.wait("CALL_CLOSED")
    row = office.wait_calls()[0]
    assert (row["cause"], row["talk_ms"], row["answered_by"]) == ("cancelled", 0, "")


def test_a_blocked_caller_is_refused_without_a_ring_and_the_row_says_why(office: Office, phone: MakePhone) -> None:
    """Allowed, blocked, allowed again: one ring, none, one ring."""
    ben = phone("102")
    office.virtual(f"gsm0 call {CALLER}")
    ben.wait("CALL_INCOMING")
    office.virtual("gsm0 hang-up")
    ben.wait("CALL_CLOSED")
    entry = office.ask("block.add", pattern="600 100 200", allow=False, what="calls", when="always", reason="noise")
    office.virtual(f"gsm0 call {CALLER}")
    rows = office.wait_calls(2)
    assert rows[1]["cause"] == "blocked"
    assert "block-list" in [step["rule"] for step in rows[1]["trace"]]
    assert not ben.saw("CALL_INCOMING")
    assert office.modem()["history"][-1]["outcome"] == "refused"
    office.ask("block.remove", id=entry["id"])
    office.virtual(f"gsm0 call {CALLER}")
    ben.wait("CALL_INCOMING")
    office.virtual("gsm0 hang-up")
    assert len(office.wait_calls(3)) == 3


@pytest.mark.parametrize(("hidden", "kind"), [("--withheld", "withheld"), ("--unavailable", "unavailable")])
def test_a_caller_without_a_number_rings_unless_the_line_refuses_them(
    office: Office, phone: MakePhone, hidden: str, kind: str
) -> None:
    ben = phone("102")
    office.virtual(f"gsm0 call {CALLER} {hidden}")
    ben.wait("CALL_INCOMING")
    office.virtual("gsm0 hang-up")
    ben.wait("CALL_CLOSED")
    office.put_item("lines", "gsm0", **{kind: "block"})
    office.virtual(f"gsm0 call {CALLER} {hidden}")
    rows = office.wait_calls(2)
    assert [row["caller_kind"] for row in rows] == [kind, kind]
    assert [row["cause"] for row in rows] == ["cancelled", "blocked"]
    assert not ben.saw("CALL_INCOMING")


def test_outside_hours_the_caller_hears_the_announcement_and_nobody_is_rung(
    office: Office, phone: MakePhone, tmp_path: Path
) -> None:
    ben = phone("102")
    heard = tmp_path / "heard.wav"
    office.at(CLOSED)
    office.virtual(f"gsm0 record {heard}")
    office.virtual(f"gsm0 call {CALLER}")
    row = office.wait_calls(1, 30)[0]
    assert (row["cause"], row["answered_by"]) == ("closed", "announcement")
    assert "closed-hours" in [step["rule"] for step in row["trace"]]
    assert not ben.saw("CALL_INCOMING")
    speech = sound.read(heard)
    assert len(speech) > 2 * 8000
    assert sound.level(speech) > 0.01


def test_the_night_switch_from_a_phone_closes_and_opens(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    ben.dial("*28")
    ben.wait("CALL_CLOSED", 20)
    assert office.status()["night"] == "on"
    office.virtual(f"gsm0 call {CALLER}")
    rows = office.wait_calls(2, 30)
    assert rows[1]["cause"] == "closed"
    ben.dial("*28")
    ben.wait("CALL_CLOSED", 20)
    assert office.status()["night"] == ""


def test_a_call_out_reaches_the_far_end_and_digits_too(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    ben.dial("600100200")
    until("the far end rings", lambda: [c for c in office.modem()["calls"] if c["state"] == "alerting"])
    ben.wait("CALL_RINGING")
    office.virtual("gsm0 answer")
    ben.wait("CALL_ESTABLISHED")
    ben.press("12#")
    until("the far end has the digits", lambda: office.modem()["calls"][0]["digits"] == "12#", 10, 0.1)
    ben.hang_up()
    row = office.wait_calls()[0]
    assert (row["direction"], row["called"], row["cause"]) == ("out", "+48600100200", "normal")
    until("the line is free", lambda: not office.line()["busy"])


@pytest.mark.parametrize(("word", "cause", "answer"), [("busy", "busy", "486"), ("no-answer", "no-answer", "480")])
def test_a_call_out_that_fails_says_why(office: Office, phone: MakePhone, word: str, cause: str, answer: str) -> None:
    ben = phone("102")
    ben.dial("600100200")
    until("the far end rings", lambda: [c for c in office.modem()["calls"] if c["state"] == "alerting"])
    office.virtual(f"gsm0 {word}")
    assert answer in ben.wait("CALL_CLOSED")["param"]
    assert office.wait_calls()[0]["cause"] == cause


def test_an_unplugged_modem_ends_the_call_and_comes_back(office: Office, phone: MakePhone) -> None:
    ben = phone("102", answers=True)
    office.virtual(f"gsm0 call {CALLER}")
    ben.wait("CALL_ESTABLISHED")
    before = office.modem()["port"]
    office.virtual("gsm0 unplug")
    ben.wait("CALL_CLOSED")
    assert office.wait_calls()[0]["cause"] == "line-lost"
    until("the line is not there", lambda: office.line()["state"] == "not-there", 10)
    office.virtual("gsm0 plug")
    until("the line is back", lambda: office.line()["state"] == "up", 30)
    assert office.modem()["port"] != before, "under another device name"
    office.virtual(f"gsm0 call {CALLER}")
    ben.wait("CALL_ESTABLISHED")
    office.virtual("gsm0 hang-up")


def test_a_lost_network_is_shown_and_found_again(office: Office) -> None:
    office.virtual("gsm0 network off")
    until("it searches", lambda: office.line()["state"] in ("searching", "denied"), 40, 0.2)
    office.virtual("gsm0 network on")
    until("it is back", lambda: office.line()["state"] == "up", 40, 0.2)


def test_nobody_connected_is_said_to_the_caller(office: Office) -> None:
    office.virtual(f"gsm0 call {CALLER}")
    row = office.wait_calls(1, 30)[0]
    assert (row["cause"], row["answered_by"]) == ("no-answer", "announcement")
    assert "nobody-there" in [step["rule"] for step in row["trace"]]


def test_a_line_that_refuses_when_nobody_is_there_never_answers(office: Office) -> None:
    """So the caller pays nothing: the call is let go while it rings at the far end."""
    office.put_item("lines", "gsm0", no_answer="reject")
    office.virtual(f"gsm0 call {CALLER}")
    row = office.wait_calls()[0]
    assert (row["cause"], row["talk_ms"], row["answered_by"]) == ("no-answer", 0, "")
    assert row["ring_ms"] < 1000
    assert office.modem()["history"][-1]["outcome"] == "refused"
