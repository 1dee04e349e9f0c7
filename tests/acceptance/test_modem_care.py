"""The modem looked after, on the virtual modem: any make, every fault, pulled out and put back."""

import json

import pytest

from appliance.virtual.faults import FAULTS as EVERY_FAULT
from tests.acceptance.conftest import MakePhone, Office
from tests.peers.waiting import until

SENDER = "+48600100200"
PROFILES = ("huawei", "e1550", "sim800", "sim7600", "ec25", "ublox", "worst")
FAULTS = (
    "silence 12", "late 4", "garbage", "desync", "dribble", "join", "inside", "lie-memory", "wrong-length",
    "unreadable 5", "drop-urc 50%", "cme 14", "delete-fails 2",
)  # fmt: skip
SENDING = ("reset", "prompt-lost", "prompt-slow", "result-lost", "cms", "no-report")
TALKING = ("no-voice", "audio-stall", "lose-octet", "drift")
ASKING = ("ussd", "services")


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


def in_service(office: Office) -> None:
    """Within a minute of the end of the fault a message comes in."""
    until("it is in service", lambda: office.line()["state"] == "up", 60, 0.2)
    office.far("sms", **{"from": SENDER, "text": "afterwards"})
    arrived(office, "afterwards", 60)


@pytest.mark.parametrize("name", SENDING)
def test_after_a_fault_met_while_sending_the_line_is_in_service_within_a_minute_and_sends(
    office: Office, name: str
) -> None:
    office.far("fault", name=name, once=name == "reset")
    first = office.ask("sms.send", to=SENDER, text="in trouble", line="gsm0")["id"]
    until("it was tried", lambda: not office.rows("sms_out", f"id = {first} AND state = 'queued' AND attempts = 0"), 20)
    office.far("fault", name="none")
    in_service(office)
    office.ask("sms.send", to=SENDER, text="out again", line="gsm0")
    until("it has left", lambda: "out again" in {one["text"] for one in office.far("sent")["sent"]}, 60, 0.2)


@pytest.mark.parametrize("name", TALKING)
def test_after_a_fault_met_in_a_call_the_line_is_in_service_within_a_minute_and_calls(
    office: Office, phone: MakePhone, name: str
) -> None:
    anna = phone("101")
    office.far("set", name="auto_answer", value=0.5)
    office.far("fault", name=name)
    anna.dial("600100200")
    until("the call came to something", lambda: office.rows("calls") or anna.saw("CALL_ESTABLISHED"), 20)
    anna.hang_up()
    office.wait_calls()
    office.far("fault", name="none")
    in_service(office)
    ben = phone("102")
    ben.dial("600100200")
    until("the called one answers", lambda: "active" in str(office.modem()["calls"]), 20)
    ben.wait("CALL_ESTABLISHED")


@pytest.mark.parametrize("name", ASKING)
def test_after_a_fault_met_by_a_code_the_line_is_in_service_within_a_minute_and_is_answered(
    office: Office, name: str
) -> None:
    office.far("fault", name=name)
    assert office.try_ask("ussd.send", line="gsm0", code="*100#").ok is None or name == "services"
    office.put_item("lines", "gsm0", backup_number="+48221234567")
    office.far("fault", name="none")
    in_service(office)
    assert office.ask("ussd.send", line="gsm0", code="*100#")["text"].startswith("Your balance is ")
    assert office.ask("forwarding.apply", line="gsm0")
    until("the network forwards", lambda: set(office.modem()["forwarding"]) == {"not-reachable"}, 20)


def test_no_fault_that_the_modem_can_play_is_left_out() -> None:
    tried = {words.split()[0] for words in FAULTS} | {*SENDING, *TALKING, *ASKING}
    assert tried == set(EVERY_FAULT)


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
