"""Recordings and messages on the page: heard with seeking, marked, taken home, deleted, and every playback noted."""

import json
from contextlib import closing

import pytest
from flask.testing import FlaskClient

from appliance.core.model import Kind, Number
from appliance.errors import ControlError
from appliance.journal.apply import Apply
from appliance.journal.db import open_owner, open_reader
from appliance.journal.recordings import ForgetSound, KeepMessage, KeepRecording, MarkHeard
from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange
from webui import rights

CALLER, AT = Number("+48600100200", Kind.E164), "2026-11-24T12:00:00.000Z"
SOUND = b"ID3" + bytes(range(256)) * 40


@pytest.fixture
def kept(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> FakeExchange:
    """A message and a recording of one call of the journal; the exchange marks and deletes."""
    places = exchange.places
    with closing(open_reader(places.journal, 2.0)) as db:
        call = str(db.execute("SELECT id FROM calls ORDER BY started_at DESC LIMIT 1").fetchone()[0])
    exchange.a_call = call  # type: ignore[attr-defined]

    def apply(write: object) -> object:
        with closing(open_owner(places.journal)) as db, db:
            return Apply(db, lambda parts: "", "box")(write)  # type: ignore[arg-type]

    def remove(args: dict, who: str) -> dict:
        if not apply(ForgetSound(args["id"], AT)):
            raise ControlError("no-such-recording")
        return {}

    exchange._sound_heard = lambda args, who: {"heard": apply(MarkHeard(args["id"], AT))}  # type: ignore[attr-defined]
    exchange._sound_remove = remove  # type: ignore[attr-defined]
    apply(KeepMessage("m1", "sales", "Sales", call, CALLER, "gsm0", AT, 12.0, "voicemail/m1"))
    apply(KeepRecording("r1", call, CALLER, "gsm0", AT, 61.0, "recordings/2026/11/r1", ((10.0, 20.0),), True))
    for path in (places.voicemail / "m1.mp3", places.recordings / "2026" / "11" / "r1.mp3"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SOUND)
    return exchange


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def audit(exchange: FakeExchange) -> list[tuple[str, str]]:
    with closing(open_reader(exchange.places.journal, 2.0)) as db:
        rows = db.execute(
            "SELECT what, new, old FROM audit WHERE what LIKE 'sound.%' OR what LIKE 'right.%' ORDER BY id"
        )
        return [(row["what"], {**json.loads(row["new"]), **json.loads(row["old"])}.get("id", "")) for row in rows]


def test_a_message_is_listed_as_new_and_hearing_it_makes_it_old(anna: FlaskClient, kept: FakeExchange) -> None:
    page = text(anna, "/voicemail")
    assert "1 new message." in page
    assert 'src="/sounds/m1"' in page
    with anna.get("/sounds/m1") as heard:
        assert (heard.status_code, heard.mimetype, heard.data) == (200, "audio/mpeg", SOUND)
    assert 'data-state="heard"' in text(anna, "/voicemail")
    assert audit(kept) == [("sound.play", "m1")]


def test_seeking_gets_a_piece_and_is_no_second_playback(anna: FlaskClient, kept: FakeExchange) -> None:
    for want, octets in (("bytes=0-", SOUND), ("bytes=100-199", SOUND[100:200]), ("bytes=-10", SOUND[-10:])):
        with anna.get("/sounds/r1", headers={"Range": want}) as piece:
            assert (piece.status_code, piece.data) == (206, octets)
    assert audit(kept) == [("sound.play", "r1")]


def test_the_call_shows_what_was_recorded_and_where_it_was_paused(anna: FlaskClient, kept: FakeExchange) -> None:
    page = text(anna, f"/calls/{kept.a_call}")  # type: ignore[attr-defined]
    for words in ('src="/sounds/r1"', 'src="/sounds/m1"', "paused from", "cut off by", "The caller left a message"):
        assert words in page, words


def test_a_sound_is_taken_home_under_its_name(anna: FlaskClient, kept: FakeExchange) -> None:
    with anna.get("/sounds/r1/file") as file:
        assert file.headers["Content-Disposition"] == "attachment; filename=r1.mp3"
    assert audit(kept) == [("sound.download", "r1")]


def test_deleting_is_asked_first_and_leaves_nothing(anna: FlaskClient, kept: FakeExchange) -> None:
    assert "Delete this message?" in text(anna, "/sounds/m1/remove")
    assert post(anna, "/sounds/m1/remove", {}).headers["Location"] == "/voicemail"
    assert "No messages." in text(anna, "/voicemail")
    assert anna.get("/sounds/m1").status_code == 404
    assert audit(kept) == [("sound.remove", "m1")]


@pytest.mark.parametrize(
    ("path", "right"), [("/sounds/r1", "hear"), ("/sounds/r1/file", "download"), ("/sounds/r1/remove", "delete")]
)
def test_each_right_is_one_of_its_own(
    anna: FlaskClient, kept: FakeExchange, monkeypatch: pytest.MonkeyPatch, path: str, right: str
) -> None:
    monkeypatch.setitem(rights.RIGHTS, "main", frozenset(rights.Right) - {rights.Right(right)})
    assert anna.get(path).status_code == 403
    assert audit(kept) == [("right.missing", "")]
    for other in {"/sounds/r1", "/sounds/r1/file", "/sounds/r1/remove"} - {path}:
        with anna.get(other) as answer:
            assert answer.status_code == 200
    page = text(anna, f"/calls/{kept.a_call}")  # type: ignore[attr-defined]
    assert (f'"{path}"' in page) is False


def test_what_is_not_there_is_not_found(anna: FlaskClient, kept: FakeExchange) -> None:
    (kept.places.voicemail / "m1.mp3").unlink()
    for path in ("/sounds/m1", "/sounds/none", "/sounds/..%2Fsettings.json"):
        assert anna.get(path).status_code == 404


def test_nobody_hears_without_signing_in(guest: FlaskClient, kept: FakeExchange) -> None:
    for path in ("/voicemail", "/sounds/m1", "/sounds/m1/file"):
        assert guest.get(path).status_code in (302, 303)
