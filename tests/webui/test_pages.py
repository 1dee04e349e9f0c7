"""Every page with a live office behind it: it draws, it is safe, its forms save all or nothing."""

import re
from contextlib import closing

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.journal.db import open_reader
from appliance.journal.queries import counts
from appliance.settings.places import Places
from tests.webui import office
from tests.webui.conftest import post, token_of
from tests.webui.fake_exchange import FakeExchange
from webui import translate
from webui.app import create_app
from webui.auth import COOKIE

PAGES = (
    "/", "/voicemail",
    "/calls", "/messages", "/messages?new=1", "/lines", "/hours", "/hours/night", "/hours/holidays", "/blocking",
    "/blocking/allowed", "/blocking/automatic", "/blocking/ended", "/blocking/files",
    "/people", "/people/groups", "/box/health", "/box/mail", "/box/network", "/box/access", "/box/changes", "/try",
    "/me", "/hours/prompts", "/hours/prompts/closed", "/hours/prompts/new", "/outgoing", "/outgoing/new",
    "/outgoing/all", "/lines/new", "/lines/new?kind=sip", "/lines/gsm0/remove", "/voicemail",
    "/menus", "/menus/new", "/mailboxes", "/mailboxes/new", "/lines/gsm0/heard", "/dial", "/dial?to=600100200",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_drawn(anna: FlaskClient, path: str) -> None:
    answer = anna.get(path)
    assert answer.status_code == 200
    text = answer.get_data(as_text=True)
    assert "<h1" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_it_without_signing_in(guest: FlaskClient, path: str) -> None:
    answer = guest.get(path)
    assert answer.status_code == 303
    assert "/login" in answer.headers["Location"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_runs_in_the_page_that_is_not_ours(anna: FlaskClient, path: str) -> None:
    """A strict policy, and a page that needs no exception from it."""
    answer = anna.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe" not in policy
    text = answer.get_data(as_text=True)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r'<[a-z]+[^>]*\sstyle="', text)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get("Referrer-Policy")


FORMS = (
    "/night", "/blocking", "/hours", "/hours/holidays", "/people/new", "/box/mail", "/box/network", "/box/access",
    "/me", "/logout", "/box/access/sign-out-others", "/people/p101/password", "/blocking/1/remove", "/undo/1",
    "/blocking/automatic", "/blocking/now/pause", "/blocking/import",
    "/dial", "/calls/live/c1/end", "/calls/live/c1/transfer", "/calls/live/c1/drop",
    "/outgoing/new", "/outgoing/all", "/outgoing/all/remove", "/lines/new", "/lines/gsm0/remove",
    "/hours/prompts/closed/remove",
)  # fmt: skip


CHANGING = ("settings.put", "block.add", "block.remove", "night", "call.hang_up", "call.transfer", "call.make",
            "password.new", "secret.show", "mail.test", "prompt.remove")  # fmt: skip


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_changes_nothing(anna: FlaskClient, exchange: FakeExchange, path: str) -> None:
    before = {verb: exchange.asked[verb] for verb in CHANGING}
    assert anna.post(path, data={"name": "x"}).status_code == 400
    assert {verb: exchange.asked[verb] for verb in CHANGING} == before


def test_a_wrong_password_is_told_and_after_some_tries_there_is_a_pause(guest: FlaskClient) -> None:
    codes = []
    for _ in range(7):
        answer = post(guest, "/login", {"username": "anna", "password": "wrong"})
        codes.append(answer.status_code)
    assert codes[0] in (401, 403, 422)
    assert codes[-1] == 429
    right = post(guest, "/login", {"username": "anna", "password": office.PASSWORD})
    assert right.status_code == 429, "the pause holds for the right password too"


def test_an_unknown_name_and_a_wrong_password_read_the_same(guest: FlaskClient) -> None:
    texts = []
    for name in ("anna", "nobody"):
        answer = post(guest, "/login", {"username": name, "password": "wrong"})
        text = answer.get_data(as_text=True)
        texts.append(re.findall(r'role="alert".*?</', text, re.S))
    assert texts[0] == texts[1]


def test_a_cookie_kept_from_before_the_sign_out_opens_nothing(anna: FlaskClient) -> None:
    kept = anna.get_cookie(COOKIE)
    assert kept is not None
    assert post(anna, "/logout", {}, page="/").status_code == 303
    anna.set_cookie(COOKIE, kept.value)
    assert anna.get("/").status_code == 303


def test_signing_out_ends_the_session(anna: FlaskClient) -> None:
    assert post(anna, "/logout", {}, page="/").status_code == 303
    assert anna.get("/").status_code == 303


def test_secrets_are_in_no_page(anna: FlaskClient, exchange: FakeExchange) -> None:
    words = [w for w in (getattr(office, "PHONE_PASSWORD", ""), getattr(office, "MAIL_PASSWORD", "")) if w]
    pages = "".join(anna.get(path).get_data(as_text=True) for path in PAGES)
    assert office.PASSWORD not in pages
    assert not [word for word in words if word in pages]


def test_a_missed_call_is_the_same_in_the_list_its_tab_the_day_and_the_badge(anna: FlaskClient, places: Places) -> None:
    """A caller who only heard that nobody answers was missed; one who called a closed office was not."""
    states = re.findall(r'data-state="(\w+)"', anna.get("/calls").text)
    tab = re.findall(r'data-state="(\w+)"', anna.get("/calls?tab=missed").text)
    with closing(open_reader(places.journal)) as db:
        assert counts(db).missed == states.count("missed") == len(tab) == 3
    assert set(tab) == {"missed"}
    assert "3 were missed" in anna.get("/calls").text


def test_the_exchange_being_away_is_said_and_pages_still_come(
    app: Flask, anna: FlaskClient, exchange: FakeExchange
) -> None:
    exchange.stop()
    for path in ("/", "/calls", "/messages"):
        answer = anna.get(path)
        assert answer.status_code in (200, 503)
        assert "exchange" in answer.get_data(as_text=True).lower()


def test_on_a_new_box_only_the_one_time_link_opens_the_wizard(places: Places, exchange: FakeExchange) -> None:
    places.first_start.write_text("one-time-token-of-this-box\n")
    guest = create_app({"PLACES": places, "TESTING": False}).test_client()
    assert guest.get("/start/language").status_code == 303
    assert guest.get("/start?token=guess").status_code == 404
    opened = guest.get("/start?token=one-time-token-of-this-box")
    assert opened.headers["Location"].endswith("/start/language")
    assert guest.get("/start/language").status_code == 200
    assert guest.get("/start/line").status_code == 303, "the other steps want an account"
    page = guest.get("/start/password").get_data(as_text=True)
    made = guest.post(
        "/start/password",
        data={
            "csrf_token": token_of(page),
            "display": "Ola",
            "name": "ola",
            "password": "three words here",
            "again": "three words here",
        },
    )
    assert made.headers["Location"].endswith("/start/line")
    assert guest.get("/start/line").status_code == 200
    other = create_app({"PLACES": places, "TESTING": False}).test_client()
    assert other.get("/start?token=one-time-token-of-this-box").status_code == 404, "the link works once"


def test_a_weak_password_is_refused_with_words(places: Places, exchange: FakeExchange) -> None:
    places.first_start.write_text("one-time-token-of-this-box\n")
    guest = create_app({"PLACES": places, "TESTING": False}).test_client()
    guest.get("/start?token=one-time-token-of-this-box")
    page = guest.get("/start/password").get_data(as_text=True)
    answer = guest.post(
        "/start/password", data={"csrf_token": token_of(page), "name": "ola", "password": "short", "again": "short"}
    )
    assert answer.status_code == 422
    assert "at least" in answer.get_data(as_text=True).lower()


def test_the_stream_wants_a_session(guest: FlaskClient) -> None:
    answer = guest.get("/live")
    assert answer.status_code in (303, 401, 404)


def test_hostile_addresses_and_headers_are_answered_calmly(anna: FlaskClient) -> None:
    for path in (
        "/calls?q=%00%ff<script>",
        "/calls?days=999999999999",
        "/messages/%2e%2e%2f",
        "/lines/<x>",
        "/calls/nope",
    ):
        answer = anna.get(path, headers={"Accept-Language": "x" * 5000, "HX-Request": "true"})
        assert answer.status_code < 500
        assert "<script>alert" not in answer.get_data(as_text=True)
    answer = anna.get("/calls?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert(1)" not in answer.get_data(as_text=True)


def test_every_page_names_its_language(anna: FlaskClient) -> None:
    assert '<html lang="en"' in anna.get("/").get_data(as_text=True)


@pytest.mark.parametrize("language", translate.LANGUAGES)
def test_no_sentence_is_without_its_translation(language: str) -> None:
    """A sentence without one is shown in English in the middle of the page."""
    held = {(one.id, one.context): one.string for one in translate.read(language)}
    wanted = [(one.id, one.context) for one in translate.template() if one.id]
    assert [one for one in wanted if not all(held.get(one, "") or [""])] == []
