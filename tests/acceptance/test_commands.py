"""What a person types: `centralka ...`, its words and its exit codes."""

import json
import subprocess
import sys

import pytest

from tests.acceptance.conftest import CLOSED, MakePhone, Office
from tests.peers.box import PASSWORDS, Box
from tests.peers.waiting import until

CALLER = "+48600100200"


def typed(box: Box, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "appliance", *words], env=box.environ, cwd="/", capture_output=True, text=True,
        timeout=20, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_explain_says_what_would_happen_and_why_and_rings_nobody(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    code, text = typed(office, "explain", "--line", "gsm0", "--from", CALLER, "--at", "2026-11-27T12:00")
    assert code == 0
    assert "102 ring for 25 s" in text
    assert "Open by its hours until 2026-11-27 18:00." in text
    code, text = typed(office, "explain", "--line", "gsm0", "--from", CALLER, "--at", CLOSED, "--json")
    assert code == 0
    told = json.loads(text)
    assert told["steps"][0]["do"] == "announce"
    assert [step["rule"] for step in told["trace"]] == ["came-in", "not-blocked", "closed-hours", "then-announce"]
    assert not ben.saw("CALL_INCOMING")
    assert office.calls() == []


def test_the_story_of_a_call_is_on_one_screen(office: Office) -> None:
    entry = typed(office, "block", "600 100 200", "--reason", "noise")
    assert entry[0] == 0, entry[1]
    office.far("call", number=CALLER)
    row = office.wait_calls()[0]
    code, text = typed(office, "call", row["id"])
    assert code == 0
    assert "Refused: blocklist (+48600100200)." in text
    assert text.count("\n") < 24
    assert "Reception" in typed(office, "status")[1]
    assert typed(office, "unblock", str(office.rows("blocks")[0]["id"]))[0] == 0
    assert office.rows("blocks") == []


def test_a_blocks_hits_are_counted(office: Office) -> None:
    assert typed(office, "block", "+48600*")[0] == 0
    for number in (1, 2):
        office.far("call", number=CALLER)
        office.wait_calls(number)
    office.processes.pop("exchange").stop()
    assert [row["hits"] for row in office.rows("blocks")] == [2]


def test_the_night_switch_from_the_command_line(office: Office) -> None:
    assert typed(office, "night", "on") == (0, "Night: on\n")
    assert office.status()["night"] == "on"
    assert typed(office, "night", "auto") == (0, "Night: by the hours\n")
    assert office.status()["night"] == ""


def test_a_pdu_is_decoded_to_json_and_rubbish_is_refused(office: Office) -> None:
    pdu = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
    code, text = typed(office, "sms", "decode", pdu)
    assert code == 0
    assert json.loads(text)["text"] == "How are you?"
    code, text = typed(office, "sms", "decode", "not a message")
    assert code == 1
    assert json.loads(text)["error"] is True


def test_on_real_hardware_nothing_virtual_is_done() -> None:
    """Neither the clock is moved nor a call invented."""
    with Box({}, CENTRALKA_VIRTUAL="") as box:
        assert box.try_ask("clock.set", at="2026-11-27T18:30").error == "not-virtual"
        for words in (("clock", "2026-11-27T18:30"), ("gsm0", "call", CALLER), ("mail",), ("phone0", "answer")):
            code, text = typed(box, "virtual", *words)
            assert code == 1, text
            assert text.strip()
        assert box.status()["clock_offset"] == 0
        assert box.status()["calls"] == []


def test_without_an_exchange_every_command_says_so(office: Office) -> None:
    office.processes.pop("exchange").stop()
    for words in (("status",), ("night", "on"), ("explain", "--line", "gsm0", "--from", CALLER)):
        code, text = typed(office, *words)
        assert code == 1
        assert "not running" in text


def test_the_demo_phone_answers_dials_and_says_why_it_does_not(office: Office, phone: MakePhone) -> None:
    login = {"extension": "101", "password": PASSWORDS["101"], "server": office.address, "port": 5060}
    (office.places.devices.parent / "phone0.json").write_text(json.dumps(login))
    until("it is registered", lambda: json.loads(office.virtual("phone0 status"))["registered"], 10)
    ben = phone("102")
    office.far("call", number=CALLER)
    until("it rings", lambda: json.loads(office.virtual("phone0 status"))["call"] == "ringing", 10)
    assert office.virtual("phone0 answer") == "Answered.\n"
    assert office.virtual("phone0 hang-up") == "Hung up.\n"
    assert office.wait_calls()[0]["answered_by"] == "101"
    for words in ("answer", "hang-up", "press 1"):
        with pytest.raises(AssertionError, match=r"Not done: nobody is calling the phone|Not done: the phone is in no"):
            office.virtual(f"phone0 {words}")
    assert office.virtual("phone0 dial 102") == "Dialled 102.\n"
    ben.wait("CALL_INCOMING")


def test_an_entry_of_the_command_line_ends_by_itself_and_one_that_cannot_is_refused(office: Office) -> None:
    assert typed(office, "block", "600 100 200-299", "--until", "2026-12-24T18:00")[0] == 0
    [entry] = office.rows("blocks")
    assert (entry["pattern"], entry["ends_at"]) == ("+48600100200-299", "2026-12-24T17:00:00.000Z")
    code, text = typed(office, "block", "600 100 200", "--until", "soon")
    assert code != 0
    assert "2026-12-24 18:00" in text
