"""A day in the office of the tests: settings, calls, messages, mails, blocks."""

import json
import sqlite3
from pathlib import Path

from appliance.settings.secret import Secret
from appliance.settings.store import Store

PASSWORD = "three blue chairs"
PHONE_SECRET = "Zx7PqRt5WmKdYb3NhJcG"


def settings(store: Store) -> None:
    """One SIM, three phones, a mail server, a closed day."""
    store.put("office", None, {"name": "Biuro Lipowa", "country": "PL", "language": "en", "timezone": "Europe/Warsaw"})
    people = (("101", "Anna Nowak"), ("102", "Ben Kowalski"), ("103", "Oksana Shevchenko"))
    store.put("people", None, {"items": [
        {"id": f"p{ext}", "extension": ext, "name": name, "password": Secret(PHONE_SECRET)} for ext, name in people
    ]})  # fmt: skip
    store.put("groups", None, {"items": [{"id": "office", "name": "Office", "members": ["101", "102"], "seconds": 25}]})
    ranges = [{"day": d, "start": "09:00", "end": "18:00"} for d in range(5)]
    ranges.append({"day": 5, "start": "18:00", "end": "02:00"})
    store.put("lines", None, {"items": [
        {"id": "gsm0", "label": "Reception", "number": "+48990120100", "device": "/dev/centralka/gsm0-at",
         "group": "office", "always_open": False, "ranges": ranges},
        {"id": "gsm1", "label": "Billboard", "number": "+48990120200", "device": "/dev/centralka/gsm1-at",
         "group": "office", "always_open": True},
    ]})  # fmt: skip
    store.put("schemes", None, {"items": [{"id": "main", "name": "Main office", "branches": [
        {"name": "Always", "always": True, "blocks": [{"destinations": [{"to": "group", "ref": "office"}]}]}
    ]}]})  # fmt: skip
    store.put("outgoing", None, {"items": [{"id": "all", "pattern": "*", "lines": ["gsm0"]}]})
    store.put("hours", None, {"holidays": [{"day": "2026-12-25", "name": "Christmas", "yearly": True}]})
    store.put("mail", None, {
        "enabled": True, "host": "mail.example.org", "port": 465, "security": "tls", "user": "office",
        "password": "kitten-basket", "sender": "box@example.org", "to": ["office@example.org", "anna@example.org"],
    })  # fmt: skip


TRACE_IN = [
    {"rule": "came-in", "outcome": "passed", "args": {"caller": "+48600100200", "line": "Reception"}, "link": ""},
    {"rule": "not-blocked", "outcome": "passed", "args": {}, "link": "/blocking"},
    {"rule": "open-hours", "outcome": "passed", "args": {"until": "2026-11-24 18:00"}, "link": "/lines/gsm0/incoming"},
    {"rule": "phone-offline", "outcome": "skipped", "args": {"extension": "102"}, "link": "/people"},
    {"rule": "group-rings", "outcome": "chosen", "args": {"group": "Office", "who": "101 Anna Nowak", "seconds": "25"},
     "link": "/people/groups/office"},
]  # fmt: skip
TRACE_BLOCKED = [
    TRACE_IN[0],
    {"rule": "block-list", "outcome": "stopped", "args": {"pattern": "+48700*", "reason": ""}, "link": "/blocking"},
]


def journal(path: Path) -> None:
    """Calls of today and yesterday, conversations, an outbox in all its states, blocks, events."""
    with sqlite3.connect(path) as db:
        _calls(db)
        _messages(db)
        db.executemany(
            "INSERT INTO blocks (pattern, allow, what, when_, line, action, reason, created_at, created_by, hits, last_hit)"  # noqa: E501
            " VALUES (?, ?, ?, ?, ?, ?, ?, '2026-11-20T10:00:00.000Z', 'anna', ?, ?)",
            [
                ("+48700*", 0, "calls", "always", None, "", "premium numbers", 14, "2026-11-24T12:31:00.000Z"),
                ("withheld", 0, "calls", "after-hours", "gsm0", "announce", "", 3, "2026-11-23T20:01:00.000Z"),
                ("+48700100900", 1, "calls", "always", None, "", "our printer", 2, None),
            ],
        )
        db.executemany(
            "INSERT INTO events (at, message, args, severity) VALUES (?, ?, ?, ?)",
            [
                ("2026-11-24T07:00:00.000Z", "started", "{}", "info"),
                ("2026-11-24T07:00:09.000Z", "line-up", json.dumps({"line": "Reception"}), "info"),
                ("2026-11-24T12:50:00.000Z", "settings-saved", json.dumps({"who": "anna", "section": "Hours"}), "info"),
            ],
        )


def _calls(db: sqlite3.Connection) -> None:
    rows = [
        ("in", "gsm0", "+48600100200", "e164", "Marta Wójcik", "+48990120100", "e164", "24T12:48", 28000, 252000, "101", "normal", TRACE_IN),  # noqa: E501
        ("in", "gsm0", "+48700200300", "e164", "", "+48990120100", "e164", "24T12:31", 0, 0, "", "blocked", TRACE_BLOCKED),  # noqa: E501
        ("in", "gsm1", "+48600771236", "e164", "", "+48990120200", "e164", "24T11:20", 46000, 0, "", "no-answer", TRACE_IN),  # noqa: E501
        ("in", "gsm0", "+48600118471", "e164", "", "+48990120100", "e164", "24T10:31", 20000, 0, "announcement", "no-answer", TRACE_IN),  # noqa: E501
        ("in", "gsm0", "", "withheld", "", "+48990120100", "e164", "24T10:07", 12000, 0, "", "cancelled", TRACE_IN),
        ("out", "gsm0", "102", "internal", "Ben Kowalski", "+48221234567", "e164", "24T09:55", 9000, 400000, "gsm0", "normal", []),  # noqa: E501
        ("out", "gsm0", "101", "internal", "Anna Nowak", "+48600118470", "e164", "24T09:02", 4000, 0, "", "busy", []),
        ("internal", "phones", "101", "internal", "Anna Nowak", "102", "internal", "24T08:40", 3000, 52000, "102", "normal", []),  # noqa: E501
        ("in", "gsm0", "+48600204881", "e164", "", "+48990120100", "e164", "23T19:59", 0, 0, "announcement", "closed", TRACE_IN),  # noqa: E501
        ("in", "gsm0", "+40723204881", "e164", "Ștefan Ionescu", "+48990120100", "e164", "23T16:59", 9000, 137000, "101", "normal", TRACE_IN),  # noqa: E501
    ]  # fmt: skip
    for number, row in enumerate(rows):
        start = f"2026-11-{row[7]}:00.000Z"
        legs = [{"leg": "phones-1", "line": "phones", "number": "101", "cause": row[11]}] if row[12] else []
        db.execute(
            "INSERT INTO calls VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,'',?,?)",
            (
                f"20261124T0000{59 - number}-0001",
                *row[:7],
                start,
                start,
                *row[8:12],
                json.dumps(legs),
                json.dumps(row[12]),
            ),
        )


def _messages(db: sqlite3.Connection) -> None:
    rows = [
        ("gsm0", "+48600100200", "e164", "Dziękuję! Będę w piątek o dziesiątej.", "24T13:09", 1, 1, 1, "waiting"),
        ("gsm0", "+48600100200", "e164", "Tak, poproszę. Adres bez zmian.", "23T08:30", 1, 1, 1, "sent"),
        ("gsm0", "Bank", "alphanumeric", "Code 482 913", "24T13:05", 1, 1, 1, "sent"),
        ("gsm1", "+48600771236", "e164", "Is the flat on Lipowa still free? I can come any day after four.", "24T12:40", 1, 1, 1, "dead"),  # noqa: E501
        ("gsm0", "+380501234567", "e164", "Добрий день, надсилаю документи поштою…", "23T11:15", 2, 3, 0, "waiting"),
    ]  # fmt: skip
    for number, (line, sender, kind, text, at, parts, total, complete, mail) in enumerate(rows, 1):
        when = f"2026-11-{at}:00.000Z"
        db.execute(
            "INSERT INTO sms (id, line, sender, sender_kind, text, coding, sent_at, received_at, parts, parts_total,"
            " complete, mailed, read_at) VALUES (?,?,?,?,?,'gsm7',?,?,?,?,?,1,?)",
            (number, line, sender, kind, text, when, when, parts, total, complete, when if number == 2 else None),
        )
        payload = {"what": "sms", "sms_id": number, "to": ["office@example.org", "anna@example.org"], "sender": sender}
        error = {"dead": "550 no such user", "waiting": "421 try later" if number == 1 else ""}.get(mail, "")
        db.execute(
            "INSERT INTO outbox (kind, created_at, since, next_at, attempts, state, message_id, payload, last_error)"
            " VALUES ('mail', ?, ?, '2026-11-24T13:20:00.000Z', 1, ?, ?, ?, ?)",
            (when, when, mail, f"<{number}@box>", json.dumps(payload), error),
        )
