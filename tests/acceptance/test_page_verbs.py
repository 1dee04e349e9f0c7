"""What the page asks of the exchange about calls and colleagues, on a real box with real phones."""

from tests.acceptance.conftest import MakePhone, Office
from tests.acceptance.test_handling import CALLER, calls, talking, third_phone
from tests.peers.waiting import until


def the_call(office: Office) -> str:
    return str(office.status()["calls"][0]["id"])


def test_a_call_ended_from_the_page_is_over_on_both_sides_and_its_story_says_so(
    office: Office, phone: MakePhone
) -> None:
    ben = phone("102")
    talking(office, ben)
    office.ask("call.hang_up", call=the_call(office))
    ben.wait("CALL_CLOSED")
    until("the far end is let go", lambda: office.modem()["calls"] == [])
    row = office.wait_calls()[0]
    assert (row["cause"], row["trace"][-1]["rule"]) == ("normal", "ended-by-hand")
    office.far("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    office.ask("call.hang_up", call=the_call(office))
    ben.wait("CALL_CLOSED")
    assert office.wait_calls(2)[1]["cause"] == "by-hand"
    assert office.try_ask("call.hang_up", call="nothing").error == "no-such-call"


def test_a_call_sent_on_from_the_page_rings_the_colleague(office: Office, phone: MakePhone) -> None:
    third_phone(office)
    ben, carla = phone("102"), phone("103")
    talking(office, ben)
    office.ask("call.transfer", call=the_call(office), to="103")
    ben.wait("CALL_CLOSED")
    carla.wait("CALL_INCOMING")
    carla.answer()
    carla.wait("CALL_ESTABLISHED")
    until("the caller talks to Carla", lambda: calls(office) == ["talking"])


def test_a_message_left_from_the_page_plays_on_without_the_colleague(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    talking(office, ben)
    office.ask("call.drop", call=the_call(office), prompt="closed")
    ben.wait("CALL_CLOSED")
    assert calls(office) == ["announcement"]
    row = office.wait_calls(1, 30)[0]
    assert (row["answered_by"], row["cause"]) == ("102", "normal")


def test_a_click_tells_what_cannot_be_called_and_rings_no_phone(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    assert office.try_ask("call.make", extension="101", to="600100200").error == "not-connected"
    answer = office.try_ask("call.make", extension="102", to="+4420700100200")
    assert (answer.error, answer.args["rule"]) == ("call-refused", "may-not-dial")
    assert calls(office) == []
    assert not ben.saw("CALL_INCOMING")
