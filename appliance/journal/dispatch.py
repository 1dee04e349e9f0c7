"""What a whole message causes: its mail, its webhooks, its copies as SMS; each a row of the outbox. Inside the storage
thread's transaction.

The rules that hold for its line, sender and hour came with its parts; here the text is whole, so here it is decided
(`core.sms_rules.decide`), and the reasons are kept with the message. A heartbeat of ours is known by the token that the
worker wrote down before it was sent: it is read by nobody, and its mail goes where it proves most.
"""

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence

from appliance.core.codes import code_in
from appliance.core.heartbeat import Beat, token_in
from appliance.core.model import TraceStep
from appliance.core.sms_rules import Decision, Rule, decide
from appliance.journal.rows import Json

CODE_FIRST = 1  # a code is waited for: its mail leaves before others
HEARTBEAT = "heartbeat"


class Dispatch:
    """Writes the rows. Raises sqlite3.Error."""

    def __init__(self, db: sqlite3.Connection, host: str) -> None:
        self._db = db
        self._host = host

    def send(self, sms: sqlite3.Row, delivery: Mapping[str, Json], facts: Mapping[str, Json], now: str) -> int | None:
        """For one message; `facts` are what its mail says beyond the row. Gives the mail's row, else that
        of another kind, None when it causes nothing."""
        if self._is_heartbeat(sms):
            return self._heartbeat(sms, delivery, facts, now)
        decided = self._decide(sms, delivery)
        why = [_step(step) for step in decided.trace]
        self._db.execute("UPDATE sms SET why = ? WHERE id = ?", (_json(why), sms["id"]))
        priority = CODE_FIRST if code_in(sms["text"]) else 0
        about: dict[str, Json] = {"what": "sms", **facts, "why": list(why)}
        other: int | None = None
        if decided.hooks:
            other = self._row("webhook", sms["id"], decided.hooks, about, now, priority)
        if decided.numbers:
            other = self._row("sms", sms["id"], decided.numbers, about, now, priority)
        if not decided.mail:
            return other
        self._db.execute("UPDATE sms SET mailed = 1 WHERE id = ?", (sms["id"],))
        return self._row("mail", sms["id"], decided.mail, about, now, priority)

    def _decide(self, sms: sqlite3.Row, delivery: Mapping[str, Json]) -> Decision:
        rules, to = delivery.get("rules"), delivery.get("to")
        held = [Rule.of_record(one) for one in rules if isinstance(one, dict)] if isinstance(rules, list) else []
        addresses = [str(one) for one in to] if isinstance(to, list) else []
        return decide(held, sms["line"], sms["text"], addresses, bool(delivery.get("never")))

    def _is_heartbeat(self, sms: sqlite3.Row) -> bool:
        token = token_in(sms["text"])
        if not token:
            return False
        facts = self._db.execute("SELECT value FROM line_facts WHERE name = ?", (HEARTBEAT,)).fetchall()
        return any(Beat.of(json.loads(row["value"])).token == token for row in facts)

    def _heartbeat(
        self, sms: sqlite3.Row, delivery: Mapping[str, Json], facts: Mapping[str, Json], now: str
    ) -> int | None:
        """Read already; to the mailbox that we read ourselves, else to the people of the line."""
        self._db.execute("UPDATE sms SET read_at = ? WHERE id = ?", (now, sms["id"]))
        proof, to = str(delivery.get("proof") or ""), delivery.get("to")
        addresses = [proof] if proof else [str(one) for one in to] if isinstance(to, list) else []
        if not addresses:
            return None
        about: dict[str, Json] = {"what": HEARTBEAT, **facts, "token": token_in(sms["text"])}
        return self._row("mail", sms["id"], addresses, about, now, 0)

    def _row(
        self, kind: str, sms_id: int, to: Sequence[str], about: Mapping[str, Json], now: str, priority: int
    ) -> int:
        """One row; its Message-ID is fixed from here on."""
        name = "sms" if kind == "mail" else kind
        payload = {**about, "to": list(to)}
        cursor = self._db.execute(
            "INSERT INTO outbox (kind, created_at, since, next_at, message_id, sms_id, payload, recipients, priority)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (kind, now, now, now, f"<{name}.{sms_id}.{secrets.token_hex(8)}@{self._host}>", sms_id, _json(payload),
             _json(dict.fromkeys(to, "waiting")), priority),
        )  # fmt: skip
        return int(cursor.lastrowid or 0)


def _step(step: TraceStep) -> dict[str, Json]:
    return {"rule": step.rule, "outcome": str(step.outcome), "args": dict(step.args), "link": step.link}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
