"""Recordings and messages in the journal: written once, told once, counted, deleted."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.model import Kind, Number
from appliance.journal import recordings as r
from appliance.journal.apply import Apply
from appliance.journal.db import open_owner

CALLER = Number("+48600100200", Kind.E164)
AT = "2026-11-24T10:00:00.000Z"
MESSAGE = r.KeepMessage(
    "c1-message", "sales", "Sales", "c1", CALLER, "gsm0", AT, 12.4, "voicemail/c1-message", "Reception", "",
    ("a@example.org",), "+48600100999",
)  # fmt: skip
CALL = r.KeepRecording("c2-2", "c2", CALLER, "gsm0", AT, 61.0, "recordings/2026/11/c2-2", ((10.0, 20.0),))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_owner(tmp_path / "j.db")) as opened:
        yield opened


@pytest.fixture
def apply(db: sqlite3.Connection) -> Apply:
    return Apply(db, lambda parts: "", "box")


def outbox(db: sqlite3.Connection) -> list[tuple[str, str, list[str]]]:
    rows = db.execute("SELECT kind, message_id, recipients FROM outbox ORDER BY id")
    return [(row["kind"], row["message_id"], list(json.loads(row["recipients"]))) for row in rows]


def test_a_message_is_mailed_and_told_by_sms_once(db: sqlite3.Connection, apply: Apply) -> None:
    assert apply(MESSAGE) is True
    assert apply(MESSAGE) is False
    assert outbox(db) == [
        ("mail", "<voicemail.c1-message@box>", ["a@example.org"]),
        ("sms", "<voicemail-sms.c1-message@box>", ["+48600100999"]),
    ]


def test_a_mailbox_that_tells_nobody_keeps_its_message(db: sqlite3.Connection, apply: Apply) -> None:
    apply(replace(MESSAGE, mail_to=(), sms_to=""))
    assert outbox(db) == []
    assert r.mailbox_counts(db) == {"sales": (1, 0)}


def test_hearing_a_message_makes_it_old_and_deleting_takes_it_away(db: sqlite3.Connection, apply: Apply) -> None:
    apply(MESSAGE)
    apply(replace(MESSAGE, id="c3-message", call="c3", at="2026-11-24T11:00:00.000Z"))
    assert apply(r.MarkHeard("c1-message", AT)) is True
    assert r.mailbox_counts(db) == {"sales": (1, 1)}
    assert [one.id for one in r.messages(db, "sales", new_only=True)] == ["c3-message"]
    assert [one.id for one in r.messages(db, "sales")] == ["c3-message", "c1-message"]
    assert apply(r.SaveMessage("c1-message")) is True
    assert apply(r.MarkHeard("c1-message", "")) is True
    assert r.message(db, "c1-message").saved  # type: ignore[union-attr]
    assert apply(r.ForgetSound("c1-message", AT)) == "voicemail/c1-message"
    assert apply(r.ForgetSound("c1-message", AT)) == ""
    assert r.message(db, "c1-message") is None
    assert r.mailbox_counts(db) == {"sales": (1, 0)}
    assert apply(r.MarkHeard("none", AT)) is False


def test_a_recorded_call_is_found_by_its_call_and_made_small_once(db: sqlite3.Connection, apply: Apply) -> None:
    apply(CALL)
    apply(CALL)
    assert outbox(db) == [("sound", "<sound.c2-2@box>", ["mp3"])]
    [row] = r.recordings_of(db, "c2")
    assert (row.seconds, row.pauses, row.interrupted) == (61.0, ((10.0, 20.0),), False)
    apply(MESSAGE)
    assert r.recorded_calls(db, ["c1", "c2", "c9"]) == {"c1", "c2"}
    assert apply(r.ForgetSound("c2-2", AT)) == "recordings/2026/11/c2-2"
    assert r.recording(db, "c2-2") is None
