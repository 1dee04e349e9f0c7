"""A message in the mail, a recorded call made small, and what goes when its time is over."""

import sqlite3
import subprocess
import wave
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from appliance.core.model import Kind, Number
from appliance.journal.db import open_owner
from appliance.journal.recordings import KeepMessage, KeepRecording
from appliance.journal.times import stamp
from appliance.worker.clock import PlanClock
from appliance.worker.voice_files import Keep, forget_sounds, inside, small
from tests.journal.builders import write
from tests.peers.exim import Exim, until
from tests.worker.box import Box
from tests.worker.rows import ANNA
from tests.worker.stand_in import Sender
from tests.worker.test_sounds import tone

CALLER = Number(ANNA, Kind.E164)


def message(box: Box, **more: object) -> KeepMessage:
    tone(box.places.voicemail / "c1-message.wav", 3, 8000, 1)
    made = KeepMessage(
        "c1-message", "sales", "Sprzedaż", "c1", CALLER, "gsm0", stamp(PlanClock().now()), 3.0,
        "voicemail/c1-message", "Recepcja", "", ("office@x.test",), "+48600100299",
    )  # fmt: skip
    return replace(made, **more)


def test_a_message_is_in_the_mailbox_as_mp3_and_told_by_sms(box: Box, server: Exim, tmp_path: Path) -> None:
    box.mail_to(server)
    box.writer.start()
    with Sender(box) as exchange:
        box.start()
        write(box.writer, message(box))
        until(lambda: [m for m in server.mails() if "Sprzedaż" in str(m["Subject"])], 30, box.log)
        until(lambda: exchange.sent, 30, box.log)
    [mail] = [m for m in server.mails() if "Sprzedaż" in str(m["Subject"])]
    assert mail["Subject"] == f"Wiadomość głosowa dla skrzynki Sprzedaż od {ANNA} (0:03)"
    assert mail["Message-ID"].startswith("<voicemail.c1-message@")
    [attached] = mail.iter_attachments()
    assert (attached.get_content_type(), attached.get_filename()) == ("audio/mpeg", "c1-message.mp3")
    (tmp_path / "heard.mp3").write_bytes(attached.get_content())
    heard = tmp_path / "heard.wav"
    subprocess.run(["sox", str(tmp_path / "heard.mp3"), "-r", "8000", str(heard)], check=True, timeout=30)
    with wave.open(str(heard)) as file:
        assert abs(file.getnframes() / 8000 - 3) < 0.3
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    assert abs(np.exp(-2j * np.pi * 440 * np.arange(len(sound)) / 8000) @ sound) / len(sound) > 500
    assert exchange.sent[0]["to"] == "+48600100299"
    assert "Sprzedaż" in str(exchange.sent[0]["text"])
    assert (box.places.voicemail / "c1-message.wav").exists(), "the telephone plays the wav"


def test_a_recorded_call_becomes_a_stereo_mp3_and_its_wav_goes(box: Box) -> None:
    box.writer.start()
    box.start()
    folder = box.places.recordings / "2026" / "11"
    folder.mkdir(parents=True)
    tone(folder / "c2-2.wav", 4, 8000, 2)
    row = KeepRecording("c2-2", "c2", CALLER, "gsm0", stamp(PlanClock().now()), 4.0, "recordings/2026/11/c2-2")
    write(box.writer, row)
    until(lambda: (folder / "c2-2.mp3").exists() and not (folder / "c2-2.wav").exists(), 30, box.log)
    assert box.outbox()[0]["kind"] == "sound"
    assert (folder / "c2-2.mp3").stat().st_size < 40_000
    assert [path.name for path in folder.iterdir()] == ["c2-2.mp3"]


def test_a_path_that_leads_out_of_the_folders_is_nobodys(tmp_path: Path) -> None:
    assert inside(tmp_path, "../x") is None
    assert inside(tmp_path, "settings.json") is None
    assert inside(tmp_path, "recordings/../settings") is None
    assert inside(tmp_path, "voicemail/a\0b") is None
    assert inside(tmp_path, 7) is None
    assert inside(tmp_path, "voicemail/a") == tmp_path / "voicemail" / "a"
    assert small(tmp_path / "voicemail" / "a") is None


def add(db: sqlite3.Connection, state: Path, table: str, name: str, at: datetime, **more: object) -> Path:
    folder = "recordings" if table == "recordings" else "voicemail"
    path = state / folder / f"{name}.mp3"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    fields = {
        "id": name, "call": name, "caller": ANNA, "caller_kind": "e164", "line": "gsm0", "at": stamp(at),
        "seconds": 1.0, "path": f"{folder}/{name}",
    } | more  # fmt: skip
    marks = ",".join("?" * len(fields))
    db.execute(f"INSERT INTO {table} ({','.join(fields)}) VALUES ({marks})", tuple(fields.values()))
    return path


def test_what_is_old_goes_with_its_file_and_what_somebody_kept_stays(tmp_path: Path) -> None:
    now = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
    old, long_ago = now - timedelta(days=91), now - timedelta(days=400)
    heard = {"mailbox": "sales", "heard_at": stamp(long_ago)}
    with closing(open_owner(tmp_path / "j.db")) as db:
        db.execute("INSERT INTO events (at, message, severity) VALUES (?, 'started', 'info')", (stamp(now),))
        gone = [
            add(db, tmp_path, "recordings", "r1", old), add(db, tmp_path, "voicemail", "m1", long_ago, **heard),
        ]  # fmt: skip
        kept = [
            add(db, tmp_path, "recordings", "r2", now - timedelta(days=89)),
            add(db, tmp_path, "voicemail", "m2", long_ago, mailbox="sales"),
            add(db, tmp_path, "voicemail", "m3", long_ago, saved=1, **heard),
        ]
        assert forget_sounds(db, tmp_path, now + timedelta(days=300), Keep()) == 0, "a clock far ahead"
        assert forget_sounds(db, tmp_path, now, Keep(0, 0)) == 0
        assert forget_sounds(db, tmp_path, now, Keep()) == 2
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)
