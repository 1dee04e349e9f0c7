"""The page of messages sends: with its form, its reasons in words, and what can still be done about a message."""

import sqlite3

import pytest
from flask.testing import FlaskClient

from appliance.settings.places import Places
from appliance.words import SENDING, SMS_STATES
from tests.webui.conftest import post, token_of
from tests.webui.fake_exchange import FakeExchange

MARTA = "+48600100200"
THREAD = "/messages/%2B48600100200"


def text(client: FlaskClient, path: str) -> str:
    return str(client.get(path).get_data(as_text=True))


def send(client: FlaskClient, words: str = "See you on Friday.", **more: str):
    return post(client, "/messages", {"to": MARTA, "text": words, "line": "gsm0", "fixed": "1", **more}, THREAD)


def becomes(places: Places, state: str, reason: str = "", detail: str = "") -> None:
    with sqlite3.connect(places.journal) as db:
        db.execute("UPDATE sms_out SET state = ?, reason = ?, detail = ?", (state, reason, detail))


def test_an_answer_stands_in_the_conversation_with_its_state(anna: FlaskClient, places: Places) -> None:
    answer = send(anna)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(THREAD) or MARTA in answer.headers["Location"]
    page = text(anna, THREAD)
    assert "See you on Friday." in page
    assert SMS_STATES["queued"] in page
    assert "Take it back" in page
    becomes(places, "failed", "sms-network", "+CMS ERROR: 38")
    page = text(anna, THREAD)
    assert f"Not sent: {SENDING['sms-network']} (+CMS ERROR: 38)" in page
    assert "/messages/out/1/again" in page
    becomes(places, "delivered")
    assert "/messages/out/1/again" not in text(anna, THREAD)


def test_the_list_shows_who_had_the_last_word(anna: FlaskClient) -> None:
    send(anna, "The last word")
    assert "You: The last word" in text(anna, "/messages")


def test_a_number_nobody_wrote_from_has_a_conversation_once_we_wrote(anna: FlaskClient) -> None:
    answer = post(anna, "/messages", {"to": "+48600999111", "text": "Hello", "line": "gsm1"}, "/messages?new=1")
    assert answer.status_code == 303
    page = text(anna, "/messages/%2B48600999111")
    assert "Hello" in page
    assert "on Billboard" in page


@pytest.mark.parametrize(("fixed", "shown"), [("1", "See you on Friday."), ("", "New message")])
def test_what_is_refused_stays_in_the_form_with_the_reason(
    anna: FlaskClient, exchange: FakeExchange, fixed: str, shown: str
) -> None:
    exchange.sms_refused = "sms-premium"
    answer = send(anna, fixed=fixed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Reception may not send to short and premium numbers." in page
    assert shown in page
    assert "See you on Friday.</textarea>" in page


def test_what_failed_is_sent_again_and_what_waits_is_taken_back(
    anna: FlaskClient, exchange: FakeExchange, places: Places
) -> None:
    send(anna)
    becomes(places, "uncertain", "sms-no-result")
    assert SENDING["sms-no-result"] in text(anna, THREAD)
    assert post(anna, "/messages/out/1/again", {}, THREAD).status_code == 303
    assert post(anna, "/messages/out/1/cancel", {}, THREAD).status_code == 303
    assert exchange.asked["sms.again"] == exchange.asked["sms.cancel"] == 1
    assert SENDING["sms-cancelled"] in text(anna, THREAD)
    with sqlite3.connect(places.journal) as db:
        whats = [row[0] for row in db.execute("SELECT what FROM audit WHERE what LIKE 'sms.%' ORDER BY id")]
        assert "See you" not in str(db.execute("SELECT group_concat(new) FROM audit").fetchone()[0])
    assert whats == ["sms.send", "sms.again", "sms.cancel"]
    assert "Sent a message" in text(anna, "/box/changes")


def test_nothing_is_sent_without_the_token_or_without_signing_in(
    anna: FlaskClient, guest: FlaskClient, exchange: FakeExchange
) -> None:
    assert anna.post("/messages", data={"to": MARTA, "text": "x", "line": "gsm0"}).status_code in (400, 403)
    anna.post("/logout", data={"csrf_token": token_of(text(anna, "/messages"))})
    assert guest.post("/messages", data={"to": MARTA, "text": "x"}).status_code in (303, 400, 403)
    assert exchange.asked["sms.send"] == 0


def test_a_sender_that_is_a_name_gets_no_form(anna: FlaskClient) -> None:
    page = text(anna, "/messages/Bank")
    assert "This sender takes no answers." in page
    assert "<textarea" not in page


def test_the_counter_says_how_much_room_a_text_takes(anna: FlaskClient) -> None:
    answer = post(anna, "/messages/count", {"text": "x" * 100, "line": "gsm0"}, THREAD)
    assert answer.get_data(as_text=True) == "100 of 160 letters, 1 message"


def test_a_message_that_is_gone_is_not_found(anna: FlaskClient) -> None:
    assert post(anna, "/messages/out/99/again", {}, THREAD).status_code == 404
    send(anna)
    assert post(anna, "/messages/out/1/burn", {}, THREAD).status_code == 404


def test_markup_in_a_message_of_ours_is_text(anna: FlaskClient) -> None:
    send(anna, "<script>alert(1)</script>")
    assert "<script>alert" not in text(anna, THREAD)
    assert "<script>alert" not in text(anna, "/messages")
