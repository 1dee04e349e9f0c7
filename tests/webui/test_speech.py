"""How loud a call is, and the test of a line's speech, on the page."""

import json

import pytest
from flask.testing import FlaskClient

from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange

CALL = {
    "id": "20261124T141000-abc", "direction": "in", "line": "gsm0", "line_label": "Reception",
    "caller": "+48600100200", "caller_kind": "e164", "caller_name": "", "called": "+48990120300", "state": "talking",
    "since": "2026-11-24T13:10:00.000Z", "legs": [], "level_in": -21, "level_out": -34,
}  # fmt: skip


def test_a_call_in_progress_shows_how_loud_each_way_is(anna: FlaskClient, exchange: FakeExchange) -> None:
    exchange.calls = [CALL]
    page = anna.get("/").get_data(as_text=True)
    assert 'aria-label="From the line"' in page
    assert "To the line: -34 dB" in page
    exchange.calls = [{**CALL, "level_in": None, "level_out": None}]
    assert "<meter" not in anna.get("/").get_data(as_text=True), "it has no sound yet"


def test_the_page_of_a_line_begins_a_test_and_shows_what_it_found(anna: FlaskClient, exchange: FakeExchange) -> None:
    assert 'data-verdict=""' in anna.get("/lines/gsm0").get_data(as_text=True)
    answer = post(anna, "/lines/gsm0/selftest", {"number": "600 100 200", "loop": "1"}, page="/lines/gsm0")
    assert answer.headers["Location"].endswith("/lines/gsm0")
    assert exchange.tests == [{"line": "gsm0", "number": "600 100 200", "loop": True}]
    assert "The test says a tone and listens." in anna.get("/lines/gsm0").get_data(as_text=True)
    exchange.running_tests = {}
    found = {"verdict": "crackle", "level": -22, "delay": 200, "slips": 7}
    with exchange.db:
        exchange.db.execute(
            "INSERT INTO line_facts VALUES (?,?,?,?)",
            ("gsm0", "self-test", json.dumps(found), "2026-11-24T13:10:00.000Z"),
        )
    page = anna.get("/lines/gsm0").get_data(as_text=True)
    assert 'data-verdict="crackle"' in page
    assert "7 gaps in three seconds" in page


@pytest.mark.parametrize("error", ["line-busy", "line-down", "no-speech-in-call", "not-a-phone-number"])
def test_a_test_that_cannot_begin_is_told_in_words(anna: FlaskClient, exchange: FakeExchange, error: str) -> None:
    exchange.test_error = error
    post(anna, "/lines/gsm0/selftest", {"number": ""}, page="/lines/gsm0")
    page = anna.get("/lines/gsm0").get_data(as_text=True)
    assert "The test did not begin." in page
    assert error not in page


def test_a_test_is_begun_by_a_form_with_its_token_only(anna: FlaskClient, exchange: FakeExchange) -> None:
    assert anna.post("/lines/gsm0/selftest", data={"number": "600100200"}).status_code == 400
    assert exchange.tests == []
