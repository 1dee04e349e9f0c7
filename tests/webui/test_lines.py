"""SIM lines added and removed on the page, with the modems that are plugged in."""

from pathlib import Path

from flask.testing import FlaskClient

from appliance.exchange.devices import cards, ports
from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange

FOUND = [
    "/dev/centralka/gsm0-at", "/dev/centralka/gsm0-pcm", "/dev/centralka/modem-b-at", "/dev/centralka/modem-b-pcm",
    "/dev/serial/by-id/usb-Huawei-if00",
]  # fmt: skip


def lines(exchange: FakeExchange) -> dict[str, dict]:
    return {line["id"]: line for line in exchange.store.read()["lines"]["items"]}


def test_the_form_offers_the_modem_that_no_line_has(anna: FlaskClient, exchange: FakeExchange) -> None:
    exchange.ports = FOUND
    page = anna.get("/lines/new").get_data(as_text=True)
    assert 'value="/dev/centralka/modem-b-at"' in page
    assert "In use by “Reception”." in page
    assert '<option value="/dev/serial/by-id/usb-Huawei-if00">' in page


def test_a_line_is_added_with_its_speech_port_and_an_id_that_was_never_used(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    exchange.ports = FOUND
    form = {"label": "Sales", "number": "+48 990 120 300", "device": "/dev/centralka/modem-b-at", "group": "office"}
    answer = post(anna, "/lines/new", form)
    assert answer.status_code == 303
    new = lines(exchange)["gsm2"]
    assert (new["label"], new["number"], new["group"]) == ("Sales", "+48990120300", "office")
    assert new["pcm_device"] == "/dev/centralka/modem-b-pcm"
    post(anna, "/lines/gsm0/remove", {})
    post(anna, "/lines/new", {**form, "label": "Again", "device": "/dev/ttyUSB9"})
    assert set(lines(exchange)) == {"gsm1", "gsm2", "gsm3"}, "calls of gsm0 are in the journal"


def test_the_first_line_of_a_new_box_is_made_on_the_page_or_in_the_wizard(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    for path in ("/lines/new", "/start/line"):
        exchange.store.put("outgoing", None, {"items": []})
        exchange.store.put("lines", None, {"items": []})
        exchange.ports = FOUND[2:4]
        page = anna.get(path).get_data(as_text=True)
        assert 'value="/dev/centralka/modem-b-at"' in page
        post(anna, path, {"label": "Reception", "number": "", "device": "/dev/centralka/modem-b-at"})
        (line,) = lines(exchange).values()
        assert (line["label"], line["pcm_device"]) == ("Reception", "/dev/centralka/modem-b-pcm")


def test_sound_cards_are_offered_by_the_names_that_last(
    anna: FlaskClient, exchange: FakeExchange, tmp_path: Path
) -> None:
    (tmp_path / "card1").mkdir()
    (tmp_path / "Android").symlink_to("card1")
    (tmp_path / "version").write_text("k")
    sockets = tmp_path / "by-path"
    sockets.mkdir()
    (sockets / "usb-0:1.3:1.0").symlink_to("../controlC1")
    assert cards(tmp_path, sockets) == ["hw:CARD=Android", f"{sockets}/usb-0:1.3:1.0"]
    assert cards(tmp_path / "none", tmp_path / "none") == []
    exchange.cards = ["hw:CARD=Android"]
    assert '<option value="hw:CARD=Android">' in anna.get("/lines/gsm0/modem").get_data(as_text=True)
    for bad in ("hw:CARD=A;B", "file:x", "/etc/passwd", "/dev/snd/by-path/../../sda", "tee:hw"):
        answer = post(anna, "/lines/gsm0/modem", {"device": "/dev/ttyUSB2", "alsa_device": bad})
        assert "Write the name ALSA has for it" in answer.get_data(as_text=True), bad
    for good in ("hw:CARD=Android", "plughw:1,0", "/dev/snd/by-path/platform-fd500000.pcie-usb-0:1.3:1.0"):
        assert post(anna, "/lines/gsm0/modem", {"device": "/dev/ttyUSB2", "alsa_device": good}).status_code == 303
        assert lines(exchange)["gsm0"]["alsa_device"] == good


def test_the_wizard_goes_on_without_a_modem(anna: FlaskClient, exchange: FakeExchange) -> None:
    exchange.store.put("outgoing", None, {"items": []})
    exchange.store.put("lines", None, {"items": []})
    answer = post(anna, "/start/line", {"label": "", "number": "", "device": ""})
    assert answer.headers["Location"].endswith("/start/people")


def test_a_refused_line_keeps_what_was_typed(anna: FlaskClient, exchange: FakeExchange) -> None:
    answer = post(anna, "/lines/new", {"label": "Sales", "number": "12", "device": "/dev/centralka/gsm0-at"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="Sales"' in page
    assert page.count('aria-invalid="true"') == 1
    answer = post(anna, "/lines/new", {"label": "Sales", "number": "", "device": "/dev/centralka/gsm0-at"})
    assert "Somebody or something else has this already." in answer.get_data(as_text=True)


def test_removing_a_line_names_what_else_changes_and_changes_it(anna: FlaskClient, exchange: FakeExchange) -> None:
    people = exchange.store.read()["people"]["items"]
    exchange.store.put("people", None, {"items": [{**people[0], "outgoing_line": "gsm0"}, *people[1:]]})
    page = anna.get("/lines/gsm0/remove").get_data(as_text=True)
    assert "Anna Nowak" in page
    assert "1 rule has no other line and goes too." in page
    assert set(lines(exchange)) == {"gsm0", "gsm1"}, "nothing was done yet"
    assert post(anna, "/lines/gsm0/remove", {}).status_code == 303
    assert set(lines(exchange)) == {"gsm1"}
    assert exchange.store.read()["outgoing"]["items"] == []
    assert exchange.store.read()["people"]["items"][0]["outgoing_line"] == ""
    assert "Changed settings: Lines" in anna.get("/box/changes").get_data(as_text=True)


def test_ports_are_named_once_by_their_surest_name(tmp_path) -> None:
    real, ours, by_path = tmp_path / "ttyUSB2", tmp_path / "centralka", tmp_path / "by-path"
    real.touch()
    for folder in (ours, by_path):
        folder.mkdir()
        (folder / f"{folder.name}-at").symlink_to(real)
    (by_path / "gone").symlink_to(tmp_path / "ttyUSB3")
    assert ports(tmp_path / "none", (ours, by_path)) == [str(ours / "centralka-at")]
