"""Calling out with real phones: who is refused hears why, a PIN opens, another line takes over, a flood is stopped."""

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import MakePhone, Office
from tests.acceptance.test_two_lines import TwoLines
from tests.peers.waiting import until

MOBILE = "600100200"
CYRIL = {"id": "p103", "extension": "103", "name": "Cyril", "password": "Phone103PasswordAbcd", "cap_day_minutes": 1}


@pytest.fixture
def office() -> Iterator[TwoLines]:
    with TwoLines() as box:
        yield box


def rules(row: dict) -> list[str]:
    return [step["rule"] for step in row["trace"]]


def notices(office: Office, message: str) -> list[dict]:
    return office.rows("events", f"message = '{message}'")


def test_a_call_abroad_is_refused_with_words_until_the_country_is_opened_for_a_day(
    office: TwoLines, phone: MakePhone
) -> None:
    office.put_item("people", "p101", may_dial=["internal", "mobile", "abroad"])
    anna = phone("101")
    anna.dial("00380671234567")
    anna.wait("CALL_ESTABLISHED")  # the announcement
    row = office.wait_calls(1, 20)[0]
    assert (row["cause"], rules(row)[-1]) == ("not-allowed", "country-closed")
    office.put("calling", countries=[{"country": "UA", "until": "2026-11-28T12:00+01:00"}])
    anna.dial("00380671234567")
    until("the far end rings", lambda: office.far("status")["calls"], 10)
    anna.hang_up()
    office.wait_calls(2)
    office.at("2026-11-28T12:01")  # a day later it has closed by itself
    anna.dial("00380671234567")
    assert rules(office.wait_calls(3, 20)[-1])[-1] == "country-closed"


def test_who_types_the_pin_on_the_phone_is_put_through(office: TwoLines, phone: MakePhone) -> None:
    office.put_item("people", "p101", may_dial=["internal"], call_pin="4711")
    anna = phone("101")
    anna.dial(MOBILE)
    anna.wait("CALL_ESTABLISHED")
    assert office.far("status")["calls"] == []
    anna.press("4711#")
    until("the far end rings", lambda: office.far("status")["calls"], 15)
    office.far("answer")
    until("they talk", lambda: [c for c in office.status()["calls"] if c["state"] == "talking"], 10)
    anna.hang_up()
    row = office.wait_calls(1)[0]
    assert (row["called"], row["answered_by"]) == ("+48600100200", "gsm0")
    assert "pin-asked" in rules(row)
    assert "4711" not in office.log()


def test_a_line_that_is_refused_gives_the_call_to_the_next_and_the_journal_tells_both(
    office: TwoLines, phone: MakePhone
) -> None:
    office.put_item("outgoing", "all", lines=["gsm0", "gsm1"])
    office.far("fault", name="no-voice")
    anna = phone("101")
    anna.dial(MOBILE)
    until("the second SIM calls", lambda: office.other("status")["calls"], 3)
    anna.hang_up()
    legs = [leg["line"] for leg in office.wait_calls(1)[0]["legs"]]
    assert legs == ["gsm0", "gsm1"]


def test_a_line_in_a_call_gives_the_next_call_to_the_other(office: TwoLines, phone: MakePhone) -> None:
    office.put_item("outgoing", "all", lines=["gsm0", "gsm1"])
    anna, ben = phone("101"), phone("102")
    anna.dial(MOBILE)
    until("the first SIM calls", lambda: office.far("status")["calls"], 10)
    ben.dial("600100201")
    until("the second SIM calls", lambda: office.other("status")["calls"], 3)
    ben.hang_up()
    anna.hang_up()
    row = next(row for row in office.wait_calls(2) if row["caller"] == "102")
    assert rules(row)[-2:] == ["line-busy", "goes-out"]


def test_a_phone_that_calls_out_without_end_is_stopped_and_an_alarm_goes_out(
    office: TwoLines, phone: MakePhone
) -> None:
    office.put("calling", a_minute=2)
    anna = phone("101")
    for turn in (1, 2, 3):
        anna.dial(MOBILE)
        if turn < 3:
            until("the far end rings", lambda: office.far("status")["calls"], 10)
            anna.hang_up()
        office.wait_calls(turn, 15)
    assert rules(office.calls()[-1])[-1] == "too-many-a-minute"
    until("the alarm is told", lambda: notices(office, "phone-flood"), 10)
    until("it is mailed", lambda: [m for m in office.mails() if "password" in m["text"]], 15, 0.2)
    anna.dial("112")
    until("emergency calls go out", lambda: [c for c in office.far("status")["calls"] if c["number"] == "112"], 10)
    anna.hang_up()


def test_with_every_line_in_a_talk_an_emergency_call_is_connected_and_the_office_told(
    office: TwoLines, phone: MakePhone
) -> None:
    """Both SIMs talk, and the caller has a cap: one talk is ended, not the other."""
    people = office.ask("settings.get", section="people")["doc"]["items"]
    office.put("people", items=[*people, CYRIL])
    office.put_item("outgoing", "all", lines=["gsm0", "gsm1"])
    anna, ben, cyril = phone("101"), phone("102"), phone("103")
    anna.dial(MOBILE)
    until("the first SIM calls", lambda: office.far("status")["calls"] or office.other("status")["calls"], 10)
    ben.dial("600100201")
    until("both SIMs call", lambda: office.far("status")["calls"] and office.other("status")["calls"], 10)
    office.far("answer")
    office.other("answer")
    until("both talk", lambda: [c["state"] for c in office.status()["calls"]] == ["talking"] * 2, 10)
    cyril.dial("112")
    until("112 is called", lambda: "112" in numbers_called(office), 5)
    ended = office.wait_calls(1)[0]
    assert (ended["cause"], rules(ended)[-1]) == ("freed", "freed-for-emergency")
    assert sorted(numbers_called(office)) == ["+48600100201", "112"], "the other talk goes on"
    until("the office is told", lambda: notices(office, "emergency-call"), 10)
    until("by mail too", lambda: [m for m in office.mails() if "112" in m["text"]], 15, 0.2)
    for one in (anna, ben, cyril):
        one.hang_up()


def numbers_called(office: TwoLines) -> list[str]:
    return [call["number"] for side in (office.far, office.other) for call in side("status")["calls"]]


def test_a_relayed_minute_raises_the_minutes_of_its_line_and_of_no_other(office: TwoLines, phone: MakePhone) -> None:
    """The caller on the first SIM is sent on over the second: that one pays."""
    office.put_item("lines", "gsm0", mode="forward", forward_to="+48601100200", forward_over="gsm1",
                    cap_day_minutes=60)  # fmt: skip
    office.put_item("lines", "gsm1", cap_day_minutes=60)
    office.far("call", number="+48600100200")
    until("the second SIM calls", lambda: office.other("status")["calls"], 10)
    office.other("answer")
    until("they talk", lambda: [c for c in office.status()["calls"] if c["state"] == "talking"], 10)
    until("it is counted", lambda: spent(office)["line/gsm1"] > 0, 10)
    assert spent(office)["line/gsm0"] == 0
    office.far("hang-up")
    office.wait_calls(1)
    assert spent(office)["line/gsm1"] > 0


def spent(office: Office) -> dict[str, int]:
    return {row["key"]: row["day"] for row in office.ask("calling.spent")["spent"]}
