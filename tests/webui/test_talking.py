"""Calls from the page: one in progress is ended, sent on, left a message; a number is called by a click."""

import pytest
from flask.testing import FlaskClient

from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange
from webui.pages.dialling import COOKIE

TALK: dict[str, object] = {
    "id": "c1", "direction": "in", "line": "gsm0", "caller": "+48600100200", "caller_kind": "e164", "caller_name": "",
    "called": "+48990120100", "state": "talking", "since": "2026-11-24T13:10:00.000Z", "legs": [
        {"leg": "gsm0-1", "line": "gsm0", "number": "+48600100200", "side": "caller", "state": "caller", "cause": ""},
        {"leg": "c1/1", "line": "phones", "number": "102", "side": "target", "state": "talking", "cause": ""},
    ],
}  # fmt: skip


@pytest.fixture
def talk(exchange: FakeExchange) -> FakeExchange:
    """A caller talks with Ben."""
    exchange.calls = [dict(TALK)]
    return exchange


def test_a_call_is_ended_after_a_question(anna: FlaskClient, talk: FakeExchange) -> None:
    assert "/calls/live/c1/end" in anna.get("/").text
    assert "cut off at once" in anna.get("/calls/live/c1/end").text
    assert post(anna, "/calls/live/c1/end", {}).status_code == 303
    assert talk.calls == []
    assert "The call is ended." in anna.get("/").text
    assert "Ended a call" in anna.get("/box/changes").text


@pytest.mark.parametrize("typed", ["101", "Anna Nowak", "101 anna nowak"])
def test_a_call_is_sent_to_a_colleague_by_extension_or_name(anna: FlaskClient, talk: FakeExchange, typed: str) -> None:
    assert post(anna, "/calls/live/c1/transfer", {"to": typed}, "/").status_code == 303
    assert talk.done == [("transfer", "101")]
    assert "The call is sent to 101 Anna Nowak." in anna.get("/").text


def test_a_call_is_sent_to_a_number_as_people_write_it(anna: FlaskClient, talk: FakeExchange) -> None:
    post(anna, "/calls/live/c1/transfer", {"to": "+48 (600) 100-299"}, "/")
    assert talk.done == [("transfer", "+48600100299")]
    post(anna, "/calls/live/c1/transfer", {"to": " "}, "/")
    assert len(talk.done) == 1
    assert "Type a number or a colleague" in anna.get("/").text


def test_a_call_that_only_rings_can_be_ended_and_not_sent_on(anna: FlaskClient, talk: FakeExchange) -> None:
    talk.calls[0]["state"] = "ringing"
    page = anna.get("/").text
    assert "/calls/live/c1/end" in page
    assert "/calls/live/c1/transfer" not in page
    post(anna, "/calls/live/c1/transfer", {"to": "101"}, "/dial")
    assert "Nobody of the office talks in this call now" in anna.get("/").text


def test_a_message_is_left_in_a_call(anna: FlaskClient, talk: FakeExchange) -> None:
    assert "/calls/live/c1/drop" in anna.get("/").text
    assert post(anna, "/calls/live/c1/drop", {"prompt": "closed"}).status_code == 303
    assert post(anna, "/calls/live/c1/drop", {"prompt": "../../etc"}).status_code == 303
    assert talk.done == [("drop", "closed"), ("drop", "voicedrop")]


def test_a_call_that_is_over_says_so(anna: FlaskClient, talk: FakeExchange) -> None:
    talk.calls = []
    for path in ("/calls/live/c1/end", "/calls/live/c1/drop"):
        assert anna.get(path).status_code == 303
    assert "The call is over already." in anna.get("/").text


def test_the_first_click_asks_which_phone_and_the_browser_remembers_it(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    asked = post(anna, "/dial", {"to": "+48600100200", "back": "/calls"}, "/calls")
    assert "/dial?to=" in asked.headers["Location"]
    assert exchange.done == []
    form = anna.get(asked.headers["Location"]).text
    assert "103 Oksana Shevchenko (not connected)" in form
    assert 'value="+48600100200"' in form
    sent = {"to": "+48600100200", "phone": "101", "back": "/calls"}
    assert post(anna, "/dial", sent, "/dial").headers["Location"] == "/calls"
    assert "The phone 101 Anna Nowak rings." in anna.get("/calls").text
    post(anna, "/dial", {"to": "+48600100299", "back": "/calls"}, "/calls")
    assert exchange.done == [("101", "+48600100200"), ("101", "+48600100299")]


def test_the_button_stands_with_calls_conversations_and_colleagues(anna: FlaskClient, exchange: FakeExchange) -> None:
    for path in ("/calls", "/messages/%2B48600100200", "/people/p102"):
        assert 'action="/dial"' in anna.get(path).text, path


def test_a_phone_that_is_not_connected_and_a_number_that_is_not_allowed_are_told(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    post(anna, "/dial", {"to": "600100200", "phone": "103", "back": "/calls"}, "/dial")
    assert "No phone of 103 is connected" in anna.get("/calls").text
    post(anna, "/dial", {"to": "999999", "phone": "102", "back": "/calls"}, "/dial")
    assert "Ben Kowalski may not call 999999." in anna.get("/calls").text
    assert exchange.done == []


def test_without_any_phone_the_button_is_off_and_says_why(anna: FlaskClient, exchange: FakeExchange) -> None:
    exchange.phones = {}
    page = anna.get("/dial?to=600100200").text
    assert "No phone is connected" in page
    assert "disabled" in page


def test_a_cookie_of_somebody_who_is_gone_and_a_way_out_of_the_box_are_not_followed(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    anna.set_cookie(COOKIE, "777")
    assert "/dial" in post(anna, "/dial", {"to": "600100200", "back": "/calls"}, "/calls").headers["Location"]
    sent = {"to": "600100200", "phone": "101", "back": "//evil.example"}
    assert "evil" not in post(anna, "/dial", sent, "/dial").headers["Location"]
