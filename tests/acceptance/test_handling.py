"""In a call and around it: sent on, parked, picked up, waiting, chosen by key: real phones, and the virtual SIM."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakePhone, Office
from tests.peers import sound
from tests.peers.baresip import Phone
from tests.peers.waiting import until

CALLER = "+48600100200"
Put = Callable[..., None]


def put(office: Office, section: str, *items: dict) -> None:
    version = office.ask("settings.get", section=section)["version"]
    office.ask("settings.put", section=section, version=version, doc={"items": list(items)})


def third_phone(office: Office) -> None:
    doc = office.ask("settings.get", section="people")
    carla = {"id": "p103", "extension": "103", "name": "Carla", "password": "Phone103PasswordAbcd"}
    office.ask("settings.put", section="people", version=doc["version"], doc={"items": [*doc["doc"]["items"], carla]})


def talking(office: Office, ben: Phone) -> None:
    """The caller outside talks with Ben."""
    office.far("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    until("both are joined", lambda: [c for c in office.status()["calls"] if c["state"] == "talking"])


def calls(office: Office) -> list[str]:
    return [call["state"] for call in office.status()["calls"]]


def test_a_call_is_sent_on_to_a_colleague_and_the_first_phone_is_free(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    ben, carla = phone("102"), phone("103")
    talking(office, ben)
    ben.command("transfer", "103")
    assert CALLER.lstrip("+") in str(carla.wait("CALL_INCOMING"))
    ben.wait("CALL_CLOSED")
    carla.answer()
    carla.wait("CALL_ESTABLISHED")
    until("the caller talks to Carla", lambda: calls(office) == ["talking"])
    office.far("hang-up")
    carla.wait("CALL_CLOSED")
    row = office.wait_calls()[0]
    assert (row["answered_by"], row["cause"]) == ("103", "normal")
    assert [leg["number"] for leg in row["legs"] if leg["cause"] == "normal"][-1] == "103"
    assert len(office.wait_calls()) == 1


def test_a_call_that_the_colleague_does_not_take_comes_back(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    ben, carla = phone("102"), phone("103")
    talking(office, ben)
    ben.command("transfer", "103")
    carla.wait("CALL_INCOMING")
    ben.wait("CALL_CLOSED")
    carla.hang_up()
    ben.wait("CALL_INCOMING")
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    until("back again", lambda: calls(office) == ["talking"])


def test_a_colleague_is_asked_first_and_then_has_the_call(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    ben, carla = phone("102"), phone("103")
    talking(office, ben)
    first = ben.seen[-1]["id"]
    ben.hold()
    ben.dial("103")
    carla.wait("CALL_INCOMING")
    carla.answer()
    second = ben.wait("CALL_ESTABLISHED")["id"]
    until("Ben asks Carla", lambda: sorted(calls(office)) == ["held", "talking"])
    ben.command("callfind", first)
    ben.command("transfer", f"sip:103@{office.address}?Replaces={second}")
    ben.wait("CALL_CLOSED", id=second)
    until("the caller talks to Carla", lambda: calls(office) == ["talking"], 10)
    office.far("hang-up")
    carla.wait("CALL_CLOSED")
    rows = office.wait_calls(2)
    assert {row["cause"] for row in rows} == {"normal"}


def test_by_keys_alone_a_call_is_sent_on(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    ben, carla = phone("102"), phone("103")
    talking(office, ben)
    ben.press("##")
    until("the number is asked for", lambda: calls(office) == ["held"])
    ben.press("103#")
    carla.wait("CALL_INCOMING")
    ben.wait("CALL_CLOSED")
    carla.answer()
    carla.wait("CALL_ESTABLISHED")
    until("the caller talks to Carla", lambda: calls(office) == ["talking"])


def test_by_keys_a_colleague_is_asked_first_and_then_has_the_call(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    ben, carla = phone("102"), phone("103")
    talking(office, ben)
    ben.press("*2")
    until("the number is asked for", lambda: calls(office) == ["held"])
    ben.press("103#")
    carla.wait("CALL_INCOMING")
    carla.answer()
    carla.wait("CALL_ESTABLISHED")
    assert calls(office) == ["held"]
    ben.hang_up()
    until("the caller talks to Carla", lambda: calls(office) == ["talking"], 10)
    office.far("hang-up")
    carla.wait("CALL_CLOSED")
    rows = office.wait_calls(1)
    assert (len(rows), rows[0]["answered_by"], rows[0]["cause"]) == (1, "103", "normal")


def test_a_parked_call_is_fetched_by_its_slot(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    ben, carla = phone("102"), phone("103")
    talking(office, ben)
    ben.command("transfer", "700")
    until("it is parked", lambda: calls(office) == ["parked"])
    ben.wait("CALL_CLOSED")
    carla.dial("701")
    carla.wait("CALL_ESTABLISHED")
    until("Carla talks to the caller", lambda: "talking" in calls(office))
    office.far("hang-up")
    carla.wait("CALL_CLOSED")


def test_a_colleague_of_the_group_picks_up_and_a_stranger_may_not(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    put(office, "groups", {"id": "office", "name": "Office", "members": ["102", "101"], "seconds": 60})
    ben, anna, carla = phone("102"), phone("101"), phone("103")
    office.put_item("lines", "gsm0", group="office")
    office.ask("settings.get", section="groups")
    office.far("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    carla.dial("*8")
    carla.wait("CALL_CLOSED", 20)
    assert calls(office) == ["ringing"]
    anna.hang_up()
    anna.wait("CALL_CLOSED")
    anna.dial("*8")
    anna.wait("CALL_ESTABLISHED")
    ben.wait("CALL_CLOSED")
    until("Anna talks", lambda: "talking" in calls(office))
    office.far("hang-up")
    anna.wait("CALL_CLOSED")
    assert office.wait_calls(2)


def test_a_scheme_rings_one_after_another_and_then_takes_the_other_branch(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    ben, carla = phone("102"), phone("103")
    people = [{"to": "person", "ref": "102"}, {"to": "person", "ref": "103"}]
    week = [{"day": day, "start": "09:00", "end": "17:00"} for day in range(5)]
    day = {"name": "Day", "ranges": week, "blocks": [
        {"strategy": "order", "step": 5, "seconds": 60, "destinations": people},
    ]}  # fmt: skip
    night = {"name": "Rest", "always": True, "blocks": [{"destinations": [{"to": "announcement", "ref": "closed"}]}]}
    put(office, "schemes", {"id": "main", "name": "Main", "branches": [day, night]})
    office.put_item("lines", "gsm0", scheme="main")
    office.far("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    carla.wait("CALL_INCOMING", 15)
    ben.wait("CALL_CLOSED")
    carla.answer()
    carla.wait("CALL_ESTABLISHED")
    office.far("hang-up")
    rules = [step["rule"] for step in office.wait_calls()[0]["trace"]]
    assert any(rule.startswith("branch-hours") for rule in rules)
    assert "block-rings-order" in rules
    office.at("2026-11-27T20:00")
    office.far("call", number=CALLER)
    row = office.wait_calls(2, 30)[1]
    assert row["answered_by"] == "announcement"
    assert not ben.saw("CALL_INCOMING")


@pytest.mark.sound
def test_two_wait_in_a_queue_with_music_and_are_served_in_order(
    office: Office, phone: MakePhone, tmp_path: Path
) -> None:
    put(office, "groups", {"id": "office", "name": "Office", "members": ["102"], "seconds": 30, "queue": True})
    ben = phone("102", hertz=1000)
    heard = tmp_path / "heard.wav"
    office.far("record", file=str(heard))
    other = phone("101", hertz=0)
    other.dial("102")  # Ben is busy with a colleague
    ben.wait("CALL_INCOMING")
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    office.far("call", number=CALLER)
    until("the caller waits", lambda: "waiting" in calls(office))
    until("he hears music", lambda: heard.exists() and sound.level(sound.read(heard)[-8000:]) > 0.01, 10, 0.2)
    other.hang_up()
    ben.wait("CALL_CLOSED")
    ben.wait("CALL_INCOMING")
    ben.answer()
    until("they talk", lambda: "talking" in calls(office))
    office.far("hang-up")
    assert office.wait_calls(2)[1]["answered_by"] == "102"


def test_a_key_of_a_menu_leads_to_a_colleague(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    keys = [{"digits": "2", "to": "person", "ref": "102"}]
    put(office, "menus", {"id": "main", "name": "Main menu", "prompt": "closed", "keys": keys})
    branch = {"name": "All", "always": True, "blocks": [{"destinations": [{"to": "menu", "ref": "main"}]}]}
    put(office, "schemes", {"id": "main", "name": "Main", "branches": [branch]})
    office.put_item("lines", "gsm0", scheme="main")
    office.far("call", number=CALLER)
    until("the menu asks", lambda: calls(office) == ["announcement"])
    office.far("press", digits="2")
    ben.wait("CALL_INCOMING")
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    until("they talk", lambda: calls(office) == ["talking"])
    office.far("hang-up")
    assert office.wait_calls()[0]["answered_by"] == "102"


def test_the_colleagues_phone_rings_first_and_then_the_number(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    office.ask("call.make", extension="102", to="600100200")
    ben.wait("CALL_INCOMING")
    assert office.modem()["calls"] == []
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    until("the far end rings", lambda: [c for c in office.modem()["calls"] if c["state"] == "alerting"])
    office.far("answer")
    until("they talk", lambda: calls(office) == ["talking"])
    ben.hang_up()
    row = office.wait_calls()[0]
    assert (row["direction"], row["called"]) == ("out", "+48600100200")
