"""What a person meets when something is to be typed, and what is shut to strangers."""

import json
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from appliance.panel.table import FAULT_CODES, Facts, lamps
from appliance.settings.places import Places
from appliance.words import LAMPS
from tests.webui.conftest import post, token_of
from tests.webui.fake_exchange import FakeExchange
from webui import auth

OPEN = {"static", "favicon", "box.alive", "door.login", "door.language", "start.begin"}


def address_of(rule: Rule) -> str:
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: "1" if found[1] == "int" else "x", rule.rule)


def test_no_address_but_the_sign_in_shows_anything_to_a_stranger(app: Flask, guest: FlaskClient) -> None:
    """Every address that there is, by every method it takes."""
    tried = 0
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            if rule.endpoint in OPEN:
                continue
            answer = guest.open(address_of(rule), method=method)
            tried += 1
            if answer.status_code == 303:
                assert "/login" in answer.headers["Location"], rule
            else:
                assert answer.status_code in (400, 401), (rule, answer.status_code)
            text = answer.get_data(as_text=True)
            assert "Reception" not in text
            assert "Anna" not in text
    assert tried > 40
    assert guest.get("/alive").get_data() == b"alive\n"


def test_who_leaves_the_page_alone_for_hours_signs_in_again(anna: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert anna.get("/").status_code == 200
    later = auth.now() + auth.IDLE + timedelta(minutes=1)
    monkeypatch.setattr("webui.app.now", lambda: later)
    assert anna.get("/").status_code == 303


def test_every_fault_of_a_form_stands_beside_its_field_and_nothing_is_saved(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    before = exchange.store.read()["network"]
    answer = post(anna, "/box/network", {"sip_port": "99999", "web_port": "x", "min_expiry": "1", "address": "nowhere"})
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    for name in ("sip_port", "web_port", "min_expiry", "address"):
        field = re.search(rf'<input[^>]*name="{name}"[^>]*>', text)
        assert field, name
        assert 'aria-invalid="true"' in field[0], name
        described = re.search(r'aria-describedby="([^"]+)"', field[0])
        assert described, name
        assert f'id="{described[1].split()[-1]}"' in text, name
    assert 'value="99999"' in text  # what was typed is still there
    assert exchange.store.read()["network"] == before


def test_a_range_over_midnight_is_read_back_with_both_days(anna: FlaskClient, exchange: FakeExchange) -> None:
    answer = post(anna, "/hours", {"line_id": "gsm0", "ranges-0-day": "4", "ranges-0-start": "18:00",
                                   "ranges-0-end": "09:00", "closed": "announce"})  # fmt: skip
    assert answer.status_code == 303
    assert exchange.store.read()["lines"]["items"][0]["ranges"] == [{"day": 4, "start": "18:00", "end": "09:00"}]
    text = anna.get("/hours").get_data(as_text=True)
    assert "Friday 18:00 to Saturday 09:00" in text
    assert "reaches into the next day" in text


def test_changing_one_line_leaves_every_other_as_it_was(anna: FlaskClient, exchange: FakeExchange) -> None:
    def other() -> str:
        return json.dumps(exchange.store.read()["lines"]["items"][1], default=str)

    before = other()
    forms = {
        "/lines/gsm0/incoming": {"label": "Front desk", "group": "office", "blocked": "busy", "withheld": "block"},
        "/lines/gsm0/messages": {"sms_to": "a@example.org"},
        "/hours?line=gsm0": {"line_id": "gsm0", "closed": "busy"},
    }
    for path, typed in forms.items():
        assert post(anna, path, typed).status_code == 303, path
    changed = exchange.store.read()["lines"]["items"][0]
    assert (changed["label"], changed["closed"], changed["sms_to"]) == ("Front desk", "busy", ["a@example.org"])
    assert other() == before


def test_an_eleventh_phone_of_a_group_is_refused(anna: FlaskClient, exchange: FakeExchange) -> None:
    people = [{"id": f"p{e}", "extension": str(e), "name": f"P {e}"} for e in range(101, 112)]
    exchange.store.put("people", None, {"items": people})
    page = anna.get("/people/groups/office").get_data(as_text=True)
    sent = {"csrf_token": token_of(page), "name": "Office", "seconds": "25"}
    ten = [str(e) for e in range(101, 111)]
    eleven = [*ten, "111"]
    for members, code in ((eleven, 422), (ten, 303)):
        typed = {**sent, "members": members if "checkbox" in page else "\n".join(members)}
        assert anna.post("/people/groups/office", data=typed).status_code == code
    assert exchange.store.read()["groups"]["items"][0]["members"] == ten


def test_a_dead_letter_can_be_sent_again(anna: FlaskClient, exchange: FakeExchange, places: Places) -> None:
    page = anna.get("/messages").get_data(as_text=True)
    assert "550 no such user" in page
    found = re.search(r'action="(/messages/retry/\d+)"', page)
    assert found
    assert post(anna, found[1], {}, page="/messages").status_code == 303
    assert exchange.asked["outbox.retry"] == 1


STATES = (
    *(Facts(sims=("up",), faults=(fault,)) for fault in FAULT_CODES),
    *(Facts(sims=(state,)) for state in ("up", "searching", "data-only", "pin-needed", "not-there")),
    *(Facts(sims=("up",), calls=(state,)) for state in ("talking", "held", "ringing")),
    Facts(sims=("up",), unread=1), Facts(sims=("up",), storage_full=True), Facts(sims=("up",), night="on"),
    Facts(sims=("up",), closed_by_hours=True), Facts(starting=True, sims=("up",)),
)  # fmt: skip


def test_the_page_says_of_each_lamp_what_the_lamp_shows(
    anna: FlaskClient, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = exchange._status
    for facts in STATES:
        shown = [{"name": s.name, "pattern": s.pattern, "word": s.word} for s in lamps(facts)]
        monkeypatch.setattr(exchange, "_status", lambda args, who, s=shown: {**plain(args, who), "lamps": s})
        text = anna.get("/").get_data(as_text=True)
        for lamp in shown:
            row = re.search(rf'data-testid="lamp-{lamp["name"]}".*?</li>', text, re.S)
            assert row, lamp
            assert LAMPS[lamp["word"]] in row[0].replace("&#39;", "'"), lamp
