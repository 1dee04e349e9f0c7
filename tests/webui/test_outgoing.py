"""Calling out on the page: rules made, changed, removed and brought back; a number tried."""

import pytest
from flask.testing import FlaskClient

from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def rules(exchange: FakeExchange) -> list[tuple[str, list[str]]]:
    return [(rule["pattern"], rule["lines"]) for rule in exchange.store.read()["outgoing"]["items"]]


def test_a_rule_is_made_with_lines_in_order_and_the_page_reads_it_back(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    form = {"kind": "prefix", "pattern": "0044", "line": ["gsm1", "", "gsm0", "gsm1"]}
    assert post(anna, "/outgoing/new", form).status_code == 303
    assert ("+44*", ["gsm1", "gsm0"]) in rules(exchange)
    page = text(anna, "/outgoing")
    assert "2 rules say which line a call takes." in page
    assert "1. Billboard, 2. Reception" in page
    assert page.index("+44") < page.index("All numbers"), "the one that fits most exactly stands first"


def test_a_rule_is_changed_and_what_was_typed_stays_when_it_is_refused(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    assert post(anna, "/outgoing/all", {"kind": "number", "pattern": "600 100 200", "line": "gsm1"}).status_code == 303
    assert rules(exchange) == [("+48600100200", ["gsm1"])]
    assert "Numbers that fit no rule cannot be called." in text(anna, "/outgoing")
    for form, words in (
        ({"kind": "prefix", "pattern": "60", "line": "gsm0"}, "Begin with the country"),
        ({"kind": "number", "pattern": "", "line": "gsm0"}, "Give a number, or its beginning."),
        ({"kind": "number", "pattern": "+48600100200", "line": "gsm0"}, "There is a rule for these numbers already."),
        ({"kind": "all", "pattern": "", "line": ""}, "This is needed."),
        ({"kind": "number", "pattern": "<b>", "line": "gsm0"}, "A number, or its beginning with * at the end."),
    ):
        answer = post(anna, "/outgoing/new", form)
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
        assert "<b>" not in answer.get_data(as_text=True)
    assert len(rules(exchange)) == 1


def test_a_rule_that_is_removed_can_be_taken_back(anna: FlaskClient, exchange: FakeExchange) -> None:
    answer = post(anna, "/outgoing/all/remove", {}, page="/outgoing")
    assert answer.status_code == 303
    assert rules(exchange) == []
    drawn = text(anna, "/outgoing")
    assert "No rules: every line that may be used for calling out is tried" in drawn
    undo = drawn.split('action="/undo/')[1].split('"')[0]
    assert post(anna, f"/undo/{undo}", {}, page="/outgoing").status_code == 303
    assert rules(exchange) == [("*", ["gsm0"])]


def test_a_number_is_tried_and_the_page_names_the_line(anna: FlaskClient, exchange: FakeExchange) -> None:
    page = text(anna, "/outgoing?to=600+100+200&from=101").replace("\u00a0", " ")
    assert "The call goes out to +48 600 100 200 on Reception." in page
    assert "goes out on Reception" in page
    assert "may not call" in text(anna, "/outgoing?to=%2B1+212+555+0100&from=101")


def test_without_a_line_the_page_says_what_to_do_first(anna: FlaskClient, exchange: FakeExchange) -> None:
    exchange.store.put("outgoing", None, {"items": []})
    exchange.store.put("lines", None, {"items": []})
    page = text(anna, "/outgoing")
    assert "There is no line yet, so nobody can call out." in page
    assert 'href="/lines/new"' in page


@pytest.mark.parametrize("path", ["/outgoing/nope", "/outgoing/%3Cx%3E"])
def test_a_rule_that_is_not_there_is_not_found(anna: FlaskClient, path: str) -> None:
    assert anna.get(path).status_code == 404
