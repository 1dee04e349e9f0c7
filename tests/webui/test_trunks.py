"""SIP trunks on the page: a new one, its state, what it cannot do, and its secret."""

from flask.testing import FlaskClient

from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange
from tests.webui.test_lines import lines

FORM = {
    "label": "City line", "number": "+48 22 123 45 00", "sip_host": "sip.provider.example", "sip_register": "on",
    "sip_user": "482212345", "sip_password": "four green doors", "sip_transport": "udp", "sip_channels": "3",
    "group": "office",
}  # fmt: skip


def test_a_new_line_asks_for_its_kind_first(anna: FlaskClient) -> None:
    page = anna.get("/lines/new").get_data(as_text=True)
    assert 'href="/lines/new?kind=sip"' in page
    assert 'name="device"' in page
    page = anna.get("/lines/new?kind=sip").get_data(as_text=True)
    assert 'name="sip_host"' in page
    assert 'name="device"' not in page
    assert "Modems that we found" not in page


def test_a_trunk_is_added_and_its_password_is_never_shown(anna: FlaskClient, exchange: FakeExchange) -> None:
    answer = post(anna, "/lines/new?kind=sip", FORM)
    assert answer.headers["Location"].endswith("/lines/sip0")
    new = lines(exchange)["sip0"]
    assert (new["kind"], new["number"], new["sip_host"], new["sip_channels"]) == (
        "sip", "+48221234500", "sip.provider.example", 3,
    )  # fmt: skip
    assert new["sip_password"].reveal() == "four green doors"
    for path in ("/lines/sip0/provider", "/lines/sip0", "/lines", "/box/changes"):
        assert "four green doors" not in anna.get(path).get_data(as_text=True)


def test_what_is_missing_is_said_and_what_was_typed_stays(anna: FlaskClient) -> None:
    answer = post(anna, "/lines/new?kind=sip", {**FORM, "sip_host": "", "sip_user": ""})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert page.count("This is needed.") >= 2
    assert 'value="City line"' in page


def test_a_sim_still_needs_its_modem(anna: FlaskClient) -> None:
    answer = post(anna, "/lines/new", {"label": "Sales", "number": "", "device": "", "group": "office"})
    assert answer.status_code == 422
    assert "This is needed." in answer.get_data(as_text=True)


def test_encrypted_speech_without_tls_is_refused_with_the_reason(anna: FlaskClient, exchange: FakeExchange) -> None:
    post(anna, "/lines/new?kind=sip", FORM)
    answer = post(anna, "/lines/sip0/provider", {**FORM, "enabled": "on", "sip_srtp": "mandatory"})
    assert "the key can be read on the way" in answer.get_data(as_text=True)
    secure = {**FORM, "enabled": "on", "sip_srtp": "mandatory", "sip_transport": "tls", "sip_verify": "on"}
    assert post(anna, "/lines/sip0/provider", secure).status_code == 303
    assert lines(exchange)["sip0"]["sip_srtp"] == "mandatory"


def test_what_a_trunk_cannot_do_is_grey_and_says_why(anna: FlaskClient) -> None:
    post(anna, "/lines/new?kind=sip", FORM)
    page = anna.get("/lines/sip0").get_data(as_text=True)
    assert "A trunk carries calls, and no messages." in page
    assert 'href="/lines/sip0/messages"' not in page
    assert 'href="/lines/sip0/provider"' in page
    for path in ("/lines/sip0/messages", "/lines/sip0/modem", "/lines/gsm0/provider"):
        assert anna.get(path).status_code == 404
    assert "City line" not in anna.get("/messages?new=1").get_data(as_text=True)


def test_its_state_is_told_and_it_can_be_asked_now(anna: FlaskClient, exchange: FakeExchange) -> None:
    post(anna, "/lines/new?kind=sip", FORM)
    exchange.states = {"sip0": {
        "state": "password-refused", "usable": False, "busy": False,
        "facts": {"said": "403 Forbidden", "peer": "192.0.2.7:5060", "provider": "sip.provider.example", "calls": "0",
                  "channels": "3", "transport": "udp", "since": "2026-11-24T12:00:00Z"},
    }}  # fmt: skip
    page = anna.get("/lines/sip0").get_data(as_text=True)
    assert "The provider refuses user or password." in page
    assert "It said: 403 Forbidden." in page
    assert "192.0.2.7:5060" in page
    answer = post(anna, "/lines/sip0/register", {}, page="/lines/sip0")
    assert answer.status_code == 303
    assert exchange.registered == ["sip0"]
    assert "0 of 3 calls" in anna.get("/").get_data(as_text=True)
