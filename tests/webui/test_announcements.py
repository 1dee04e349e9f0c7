"""Announcements on the page: heard, replaced, added, taken back; what is refused says the rule."""

import io

import pytest
from flask.testing import FlaskClient

from tests.webui.conftest import post, token_of
from tests.webui.fake_exchange import FakeExchange

WAV = b"RIFF" + bytes(40) + bytes(32000)
MB = 1024 * 1024


@pytest.fixture
def spoken(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> FakeExchange:
    """The set-up has left the standard text in two languages; nothing lies anywhere else."""
    monkeypatch.setenv("CENTRALKA_SOUNDS", str(exchange.places.rendered))
    for language in ("en", "pl"):
        (exchange.places.rendered / language).mkdir(parents=True)
        (exchange.places.rendered / language / "closed.wav").write_bytes(b"RIFF" + language.encode() + bytes(16038))
    return exchange


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def upload(client: FlaskClient, path: str, octets: bytes, page: str = "", **more: str):
    """Send a file as a browser does, under a name that wants to be somewhere else."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"csrf_token": token_of(text(client, page or path)), **more}.items()
    ]
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="../x.php"\r\n\r\n'
    body = b"".join([*parts, head, octets, b"\r\n--x--\r\n"])
    return client.post(path, data=body, content_type="multipart/form-data; boundary=x")


def heard(client: FlaskClient, query: str = "", **headers: str) -> bytes:
    """What the player of "closed" gets."""
    with client.get(f"/hours/prompts/closed/sound{query}", headers=headers) as answer:
        assert (answer.status_code, answer.mimetype) == (206 if headers else 200, "audio/wav")
        return answer.data


def chosen_by(exchange: FakeExchange, prompt: str) -> None:
    items = exchange.store.read()["lines"]["items"]
    exchange.store.put("lines", None, {"items": [{**items[0], "closed_prompt": prompt}, *items[1:]]})


def test_the_list_says_what_is_heard_when_and_on_which_line(anna: FlaskClient, spoken: FakeExchange) -> None:
    page = text(anna, "/hours/prompts")
    for words in ("Closed now", "Nobody can answer", "All lines are busy", "Spoken by the box", "Reception"):
        assert words in page
    assert '<audio controls preload="none"' in page


def test_what_is_heard_now_can_be_listened_to_in_each_language_and_in_part(
    anna: FlaskClient, spoken: FakeExchange, guest: FlaskClient
) -> None:
    assert heard(anna)[:6] == b"RIFFen"
    assert heard(anna, "?language=pl")[:6] == b"RIFFpl"
    assert heard(anna, Range="bytes=0-3") == b"RIFF"
    for path in ("closed/sound?language=../pl", "..%2F..%2Fx/sound", "nobody/sound", "a.b/sound"):
        assert anna.get(f"/hours/prompts/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/hours/prompts/closed/sound", "/hours/prompts/closed", "/hours/prompts/new"])
def test_nobody_listens_without_signing_in(guest: FlaskClient, spoken: FakeExchange, path: str) -> None:
    assert guest.get(path).status_code == 303


def test_an_upload_is_heard_and_given_back(anna: FlaskClient, spoken: FakeExchange) -> None:
    answer = upload(anna, "/hours/prompts/closed/upload", WAV, "/hours/prompts/closed")
    assert answer.status_code == 303
    assert "Your own recording" in text(anna, "/hours/prompts/closed")
    assert heard(anna) == WAV
    assert not any(source.exists() for source in spoken.sources), "the private file is gone"
    assert "Uploaded an announcement" in text(anna, "/box/changes")
    assert "cannot be brought back" in text(anna, "/hours/prompts/closed/remove")
    assert post(anna, "/hours/prompts/closed/remove", {}).status_code == 303
    assert heard(anna)[:6] == b"RIFFen"
    assert "Removed an announcement" in text(anna, "/box/changes")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "Choose a wav or mp3 file first."),
        (b"MZ" + bytes(3000), "neither a wav nor an mp3"),
        (b"RIFF" + bytes(5 * MB), "the limit is 5 MB"),
        (bytes(9 * MB), "This file has 9.0 MB; the limit is 5 MB"),
    ],
)
def test_a_refused_file_says_the_rule_and_changes_nothing(
    anna: FlaskClient, spoken: FakeExchange, octets: bytes, words: str
) -> None:
    page = "/hours/prompts/closed"
    answer = upload(anna, f"{page}/upload", octets, page) if octets else post(anna, f"{page}/upload", {}, page=page)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert heard(anna)[:6] == b"RIFFen"
    assert list(spoken.places.prompts.glob("upload-*")) == []


@pytest.mark.parametrize("path", ["/hours/prompts/closed/upload", "/hours/prompts/new", "/hours/prompts/closed/speak"])
def test_a_file_without_its_token_changes_nothing(anna: FlaskClient, spoken: FakeExchange, path: str) -> None:
    answer = anna.post(path, data={"file": (io.BytesIO(WAV), "x.wav"), "name": "x", "text": "x"})
    assert answer.status_code == 400
    assert spoken.asked["prompt.convert"] + spoken.asked["prompt.speak"] == 0


def test_a_stranger_may_not_send_a_file(guest: FlaskClient, spoken: FakeExchange) -> None:
    answer = guest.post("/hours/prompts/closed/upload", data=bytes(3 * MB))
    assert answer.status_code == 303
    assert "/login" in answer.headers["Location"]


def test_an_own_text_is_spoken_in_its_language_and_stays_in_the_form(anna: FlaskClient, spoken: FakeExchange) -> None:
    said = "Zapraszamy  od\r\nponiedziałku."
    answer = post(anna, "/hours/prompts/nobody/speak", {"text": said, "language": "pl"}, page="/hours/prompts/nobody")
    assert answer.status_code == 303
    assert spoken.spoken == [("nobody", "Zapraszamy od poniedziałku.", "pl")]
    page = text(anna, "/hours/prompts/nobody")
    assert "Zapraszamy od poniedziałku.</textarea>" in page
    assert "Your own text" in page
    upload(anna, "/hours/prompts/nobody/upload", WAV, "/hours/prompts/nobody")
    assert "Zapraszamy" not in text(anna, "/hours/prompts/nobody"), "the recording takes its place"


@pytest.mark.parametrize(("said", "words"), [(" ", "Type what is to be said."), ("a" * 1001, "the limit is 1000")])
def test_a_text_that_cannot_be_spoken_says_why(anna: FlaskClient, spoken: FakeExchange, said: str, words: str) -> None:
    answer = post(anna, "/hours/prompts/nobody/speak", {"text": said}, page="/hours/prompts/nobody")
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_a_new_one_has_a_name_and_a_line_chooses_it(anna: FlaskClient, spoken: FakeExchange) -> None:
    answer = upload(anna, "/hours/prompts/new", WAV, name="Літні канікули", text="", language="uk")
    assert answer.headers["Location"].endswith("/hours/prompts/litni-kanikuly")
    assert "No line uses it yet" in text(anna, "/hours/prompts/litni-kanikuly")
    form = text(anna, "/lines/gsm0/incoming")
    assert '<option value="litni-kanikuly">Літні канікули</option>' in form
    chosen_by(spoken, "litni-kanikuly")
    own = "/hours/prompts/litni-kanikuly"
    assert post(anna, f"{own}/name", {"name": "Свята"}, page=own).status_code == 303
    assert "<h1>Свята</h1>" in text(anna, own)
    assert post(anna, f"{own}/name", {"name": "closed now"}, page=own).status_code == 422
    page = anna.get("/hours/prompts/litni-kanikuly/remove", follow_redirects=True).get_data(as_text=True)
    assert "cannot be deleted. It is used by Reception." in page
    assert "Replace it, or choose another there first." in page
    assert (spoken.places.uploads / "litni-kanikuly.wav").exists()
    chosen_by(spoken, "closed")
    post(anna, "/hours/prompts/litni-kanikuly/remove", {})
    assert not (spoken.places.uploads / "litni-kanikuly.wav").exists()
    assert "litni-kanikuly" not in text(anna, "/hours/prompts")


def test_a_new_one_wants_a_name_of_its_own_and_something_to_say(anna: FlaskClient, spoken: FakeExchange) -> None:
    for sent, words in (
        ({"name": "", "text": "x"}, "Give it a name."),
        ({"name": "closed NOW", "text": "x"}, "of this name already"),
        ({"name": "Holidays", "text": ""}, "Choose a wav or mp3 file, or type a text."),
    ):
        answer = post(anna, "/hours/prompts/new", sent)
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    assert post(anna, "/hours/prompts/new", {"name": "New", "text": "Hello", "language": "en"}).status_code == 303
    assert spoken.spoken == [("new-2", "Hello", "en")], "its address is not that of the form"


def test_the_exchange_keeps_an_announcement_that_a_line_names(spoken: FakeExchange, anna: FlaskClient) -> None:
    post(anna, "/hours/prompts/new", {"name": "Holidays", "text": "Hello", "language": "en"})
    chosen_by(spoken, "holidays")
    with pytest.raises(ValueError, match="closed_prompt"):
        spoken.store.put("prompts", None, {"items": []})


def test_an_announcement_that_anything_uses_cannot_be_deleted_and_its_users_are_named(
    anna: FlaskClient, spoken: FakeExchange
) -> None:
    (spoken.places.uploads / "summer.wav").write_bytes(WAV)
    spoken.store.put("prompts", None, {"items": [{"id": "summer", "name": "Summer"}]})
    items = spoken.store.read()["lines"]["items"]
    spoken.store.put("lines", None, {"items": [{**items[0], "welcome": "summer"}, *items[1:]]})
    spoken.store.put("menus", None, {"items": [{"id": "main", "name": "Main menu", "prompt": "summer"}]})
    spoken.store.put("mailboxes", None, {"items": [{"id": "sales", "name": "Sales box", "greeting": "summer"}]})
    blocks = [{"destinations": [{"to": "announcement", "ref": "summer"}]}]
    branches = [{"name": "Always", "always": True, "blocks": blocks}]
    spoken.store.put("schemes", None, {"items": [{"id": "day", "name": "Day plan", "branches": branches}]})
    page = text(anna, "/hours/prompts/summer")
    for user in (items[0]["label"], "Main menu", "Sales box", "Day plan"):
        assert user in page, user
    answer = anna.get("/hours/prompts/summer/remove", follow_redirects=True).get_data(as_text=True)
    assert "cannot be deleted" in answer
    assert "Day plan" in answer
    assert (spoken.places.uploads / "summer.wav").exists()
