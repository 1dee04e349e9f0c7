"""Heartbeats: sends those that are due, notes how far each came, raises the alarm for those that do not come.

The token is written down before the exchange is asked to send it, so that whatever comes back is known. The worker
drives it, because the last part of the way is its own: the mail that left, or that lies in the mailbox.
"""

import json
import logging
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, time

from appliance.core.heartbeat import Beat, arrived, due, is_lost, mailed, text_of
from appliance.errors import ControlError
from appliance.journal import outbox
from appliance.journal.notes import add_event
from appliance.journal.rows import Json
from appliance.journal.times import moment, stamp
from appliance.settings.fields import Value
from appliance.settings.places import Places
from appliance.worker.lines import ask
from appliance.worker.office import Office
from appliance.worker.tokens import HOST

log = logging.getLogger(__name__)

FACT = "heartbeat"


class Heartbeats:
    """`look` on the loop thread, `found` on the mailbox's. Both raise sqlite3.Error."""

    def __init__(self, places: Places, now: Callable[[], datetime]) -> None:
        self._places = places
        self._now = now

    def look(self, db: sqlite3.Connection, office: Office) -> None:
        """Every line once: send, follow, judge."""
        for line in office.lines:
            if line.get("heartbeat", "off") == "off":
                continue
            name = str(line["id"])
            beat = read(db, name)
            if self._is_due(line, beat, office):
                self._send(db, line, beat, office)
            elif beat.token and not beat.mailed:
                self._follow(db, line, beat, office)

    def found(self, db: sqlite3.Connection, token: str) -> None:
        """The mail of a heartbeat lies in our mailbox: the way is whole."""
        for row in db.execute("SELECT line, value FROM line_facts WHERE name = ?", (FACT,)).fetchall():
            beat = Beat.of(_json(row["value"]))
            if beat.token == token and not beat.mailed:
                self._whole(db, str(row["line"]), beat)

    def _is_due(self, line: Mapping[str, Value], beat: Beat, office: Office) -> bool:
        at = time.fromisoformat(str(line.get("heartbeat_at") or "07:30"))
        last = _moment(beat.sent)
        return due(str(line.get("heartbeat")), at, last, self._now(), office.desk.zone)

    def _send(self, db: sqlite3.Connection, line: Mapping[str, Value], before: Beat, office: Office) -> None:
        number = _number_of(line, office)
        if not number:
            return  # the page says that the line needs its number
        now = self._now()
        beat = Beat(token=secrets.token_hex(8), sent=stamp(now), before=before.lost)
        put(db, str(line["id"]), beat, now)
        args: dict[str, Json] = {
            "to": number, "text": text_of(beat.token), "line": str(line["id"]), "origin": "heartbeat",
            "key": f"heartbeat/{beat.token}", "report": False,
        }  # fmt: skip
        error = ""
        try:
            ask(self._places.control, "sms.send", args, who="heartbeat")
        except ControlError as refused:
            error = refused.id
        except (OSError, ValueError):
            error = "no-answer-in-time"
        log.info("heartbeat of %s: %s", line["id"], error or "sent")
        if error:
            put(db, str(line["id"]), replace(beat, error=error), now)

    def _follow(self, db: sqlite3.Connection, line: Mapping[str, Value], beat: Beat, office: Office) -> None:
        """How far it has come, and whether it is late."""
        now, name = self._now(), str(line["id"])
        row = db.execute(
            "SELECT s.received_at, o.state, o.sent_at FROM sms s LEFT JOIN outbox o ON o.sms_id = s.id"
            " AND o.kind = 'mail' WHERE s.text = ? ORDER BY s.id DESC LIMIT 1",
            (text_of(beat.token),),
        ).fetchone()
        if row is not None and not beat.arrived:
            beat = arrived(beat, str(row["received_at"]))
            put(db, name, beat, now)
        left = row is not None and row["state"] == outbox.State.SENT and office.mailbox is None
        if left or (row is not None and row["state"] is None):  # no mail of it: the line mails nobody
            self._whole(db, name, beat)
            return
        sent = _moment(beat.sent)
        if sent is not None and is_lost(beat, sent, now):
            self._alarm(db, line, beat, office, now)

    def _whole(self, db: sqlite3.Connection, line: str, beat: Beat) -> None:
        now, sent = self._now(), _moment(beat.sent)
        came = arrived(beat, stamp(now))
        put(db, line, mailed(came, stamp(now), (now - sent).total_seconds() if sent else 0.0), now)
        log.info("heartbeat of %s: well", line)
        if beat.lost or beat.before:
            add_event(db, now, "heartbeat-back", {"line": line}, "info")

    def _alarm(
        self, db: sqlite3.Connection, line: Mapping[str, Value], beat: Beat, office: Office, now: datetime
    ) -> None:
        """By every way there is: the page and its lamp, mail, and the web address for alarms."""
        label = str(line.get("label") or line["id"])
        put(db, str(line["id"]), replace(beat, lost=True), now)
        add_event(db, now, "heartbeat-lost", {"line": label}, "error")
        payload: dict[str, Json] = {"what": "notice", "message": "heartbeat-lost", "args": {"line": label}}
        wanted = line.get("sms_to") or office.mail.get("to")
        to = [str(one) for one in wanted] if isinstance(wanted, list) else []
        if to:
            outbox.enqueue(db, "mail", f"<heartbeat.{beat.token}@{HOST}>", payload, to, now)
        if outbox.ALARM in office.hooks:
            outbox.enqueue(db, "webhook", f"<alarm.{beat.token}@{HOST}>", payload, [outbox.ALARM], now)


def read(db: sqlite3.Connection, line: str) -> Beat:
    """The last heartbeat of a line. Raises sqlite3.Error."""
    row = db.execute("SELECT value FROM line_facts WHERE line = ? AND name = ?", (line, FACT)).fetchone()
    return Beat.of(_json(row["value"])) if row else Beat()


def put(db: sqlite3.Connection, line: str, beat: Beat, now: datetime) -> None:
    """Write it down. Raises sqlite3.Error."""
    db.execute(
        "INSERT INTO line_facts (line, name, value, at) VALUES (?,?,?,?) ON CONFLICT (line, name) DO UPDATE"
        " SET value = excluded.value, at = excluded.at",
        (line, FACT, json.dumps(beat.record()), stamp(now)),
    )


def _number_of(line: Mapping[str, Value], office: Office) -> str:
    """The number that is texted: the line's own, or that of another line."""
    target = str(line.get("heartbeat_to") or line["id"])
    return next((str(one.get("number") or "") for one in office.lines if one["id"] == target), "")


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        return moment(text) if text else None
    return None


def _json(text: str) -> object:
    with suppress(ValueError):
        found: object = json.loads(text)
        return found
    return None
