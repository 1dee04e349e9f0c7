"""The page of a line: how well it hears its network, and what is done for its modem."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from appliance.journal.queries import SignalPoint
from tests.webui.fake_exchange import FACTS, FakeExchange
from webui.line_care import HEIGHT, WIDTH, drawn

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def point(hours_ago: float, percent: int | None) -> SignalPoint:
    return SignalPoint((NOW - timedelta(hours=hours_ago)).isoformat(), percent, "lte", "", "up")


def test_a_week_is_drawn_by_the_hour_with_gaps_where_nothing_was_heard() -> None:
    found = drawn([point(0.2, 40), point(0.5, 60), point(1.5, 80), point(3.5, 20), point(2.5, None)], NOW)
    assert (found.lowest, found.average, found.highest, found.hours_without) == (20, 50, 80, 1)
    assert len(found.paths) == 2
    assert found.paths[-1] == f"{WIDTH - 3:g},{HEIGHT * 0.2:.1f} {WIDTH - 1:g},{HEIGHT * 0.5:.1f}"


def test_what_is_older_than_a_week_or_of_a_clock_that_was_wrong_is_not_drawn() -> None:
    assert drawn([point(24 * 7 + 1, 40), point(-5, 40)], NOW).paths == ()
    assert drawn([], NOW).average is None


def tell(exchange: FakeExchange, **facts: object) -> None:
    places = exchange.places
    at = exchange.now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with sqlite3.connect(places.journal) as db:
        db.execute("INSERT INTO signal VALUES ('gsm0', ?, 71, 'lte', 'Orange PL', 'up')", (at,))
        for name, value in facts.items():
            db.execute("INSERT INTO line_facts VALUES ('gsm0', ?, ?, ?)", (name, json.dumps(value), at))


def test_the_page_tells_it_in_a_picture_and_in_words(anna: FlaskClient, exchange: FakeExchange) -> None:
    tell(
        exchange, care={"steps": {"radio": 2, "reset": 1}, "last": "reset", "given-up": True}, quarantine=["SM 3"],
        **{"network-time": {"network": "2026-11-25T11:03:00+00:00", "box": "2026-11-25T10:58:00+00:00",
                           "seconds": 300}},
    )  # fmt: skip
    page = anna.get("/lines/gsm0").get_data(as_text=True)
    assert '<svg class="history"' in page
    assert "Lowest 71\u00a0%, on average 71\u00a0%, highest 71\u00a0%." in page
    assert "2 times" in page
    assert "It fails again and again." in page
    assert "SM 3" in page
    assert "The network said" in page


def test_a_line_of_which_nothing_is_known_says_so(anna: FlaskClient, exchange: FakeExchange) -> None:
    page = anna.get("/lines/gsm1").get_data(as_text=True)
    assert "Nothing noted yet" in page
    assert "Care for the modem" not in page


@pytest.mark.parametrize("value", [[], "text", None, {"steps": "no", "last": 5}, 7])
def test_facts_in_a_strange_form_do_not_break_the_page(
    anna: FlaskClient, exchange: FakeExchange, value: object
) -> None:
    tell(exchange, care=value, quarantine=value, **{"network-time": value})
    assert anna.get("/lines/gsm0").status_code == 200


@pytest.mark.parametrize(
    ("voice", "says"), [("none", "Data and messages yes, calls no."), ("lte-only", "In the 4G network only.")]
)
def test_a_line_that_is_registered_and_cannot_call_is_not_shown_as_well(
    anna: FlaskClient, monkeypatch: pytest.MonkeyPatch, voice: str, says: str
) -> None:
    assert says not in anna.get("/lines/gsm0").get_data(as_text=True)
    monkeypatch.setitem(FACTS, "voice", voice)
    page = anna.get("/lines/gsm0").get_data(as_text=True)
    assert says in page
    assert "VoLTE" in page
