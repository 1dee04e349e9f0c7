"""The modem looked after, on the virtual modem: any make, every fault, pulled out and put back."""

import json

import pytest

from tests.acceptance.conftest import Office
from tests.peers.waiting import until

SENDER = "+48600100200"
PROFILES = ("huawei", "e1550", "sim800", "sim7600", "ec25", "ublox", "worst")
FAULTS = (
    "silence 12", "late 4", "garbage", "desync", "dribble", "join", "inside", "lie-memory", "wrong-length",
    "unreadable 5", "drop-urc 50%", "cme 14", "delete-fails 2",
)  # fmt: skip


def arrived(office: Office, text: str, seconds: float) -> None:
    until(f"{text!r} is stored", lambda: text in {row["text"] for row in office.rows("sms")}, seconds, 0.2)


def freed(office: Office) -> bool:
    stuck = office.rows("line_facts", "name = 'quarantine'")
    return bool(stuck) or office.far("status")["messages"]["SM"]["used"] == 0


def fault(office: Office, words: str, seconds: float) -> None:
    office.virtual(f"gsm0 fault {words} --for={seconds:g}")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_modem_of_any_make_comes_up_gets_a_message_and_is_offered_a_call(office: Office, profile: str) -> None:
    office.virtual(f"gsm0 profile {profile}")
    until("it is gone", lambda: office.line()["state"] != "up", 20)
    until("it is in service", lambda: office.line()["state"] == "up", 90, 0.2)
    office.far("sms", **{"from": SENDER, "text": f"to {profile}"})
    arrived(office, f"to {profile}", 60)
    until("the SIM is empty, or the slot is known as one that cannot be deleted", lambda: freed(office), 60, 0.2)
    office.far("call", number=SENDER)
    until("the call is there", lambda: office.rows("calls") or office.status()["calls"], 20)
    office.far("hang-up")
    until("it is over", lambda: [r for r in office.rows("calls") if r["caller"] == SENDER], 30)


@pytest.mark.parametrize("words", FAULTS)
def test_after_a_fault_ends_the_line_is_in_service_within_a_minute_and_nothing_was_lost(
    office: Office, words: str
) -> None:
    fault(office, words, 15)
    office.far("sms", **{"from": SENDER, "text": "in trouble"})
    arrived(office, "in trouble", 15 + 60)
    until("it is in service", lambda: office.line()["state"] == "up", 60, 0.2)
    office.far("sms", **{"from": SENDER, "text": "afterwards"})
    arrived(office, "afterwards", 75)
    texts = [row["text"] for row in office.rows("sms")]
    assert sorted(texts) == ["afterwards", "in trouble"]


def test_pulled_and_put_back_under_another_name_it_is_noticed_and_in_service_within_a_minute(office: Office) -> None:
    until("its number is known", lambda: office.line()["facts"].get("imei"), 20)
    office.virtual("gsm0 unplug")
    until("it is noticed", lambda: office.line()["state"] == "not-there", 10)
    office.virtual("gsm0 plug --as=other")
    until("it is in service", lambda: office.line()["state"] == "up", 60)
    office.far("sms", **{"from": SENDER, "text": "found again"})
    arrived(office, "found again", 30)


def test_a_card_that_is_swapped_is_noticed(office: Office) -> None:
    office.virtual("gsm0 sim out")
    until("it is missed", lambda: office.line()["state"] == "no-sim", 30)
    office.virtual("gsm0 sim in 8948030000000000042")
    until("it is in service", lambda: office.line()["state"] == "up", 60)
    assert office.line()["facts"]["iccid"] == "8948030000000000042"
    until("people are told", lambda: "sim-changed" in {row["message"] for row in office.rows("events")}, 10)


def test_what_the_box_did_for_its_modem_is_kept_and_what_it_is_too(office: Office) -> None:
    office.virtual("gsm0 fault silence")
    until("it is missed", lambda: office.line()["state"] == "no-answer", 60)
    office.virtual("gsm0 fault none")
    until("it is in service", lambda: office.line()["state"] == "up", 90)
    facts = {row["name"]: json.loads(row["value"]) for row in office.rows("line_facts")}
    assert facts["care"]["steps"]["reopen"] >= 1
    assert facts["identity"]["imei"] == office.line()["facts"]["imei"]
    assert facts["identity"]["iccid"] == office.line()["facts"]["iccid"]
