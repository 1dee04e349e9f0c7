"""How each write becomes SQL, inside a transaction of the storage thread: a table from class to method."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from appliance.core.causes import Cause
from appliance.core.model import TraceStep
from appliance.journal import sims
from appliance.journal import writes as w
from appliance.journal.blocks import Blocks
from appliance.journal.messages import Join, Messages
from appliance.journal.recordings import ForgetSound, KeepMessage, KeepRecording, MarkHeard, SaveMessage, Sounds
from appliance.journal.sending import AddOutgoing, Outbound, PutOutgoing
from appliance.journal.times import stamp

MOST_READ_AT_ONCE = 500
SIGNAL_KEPT = timedelta(days=30)


class Apply:
    """Carries writes out on one connection. Raises sqlite3.Error; the caller owns the transaction."""

    def __init__(self, db: sqlite3.Connection, join: Join, host: str) -> None:
        self._db = db
        self._messages = Messages(db, join, host)
        outbound, blocks, sounds = Outbound(db), Blocks(db), Sounds(db, host)
        self._table: Mapping[type, Callable[..., w.Result]] = {
            w.StoreCallRow: self._call,
            w.StoreSmsPart: self._messages.store,
            w.SweepParts: self._messages.sweep,
            w.SetOverrideRow: self._override,
            w.AddBlock: blocks.add,
            w.RemoveBlock: blocks.remove,
            w.PutBinding: self._put_binding,
            w.DropBinding: self._drop_binding,
            w.TouchBindings: self._touch_bindings,
            w.AddEvent: self._event,
            w.PutLineFact: self._line_fact,
            w.PutSignal: self._signal,
            w.RememberCaller: self._remember,
            w.AddCredit: lambda write: sims.store(db, write),
            w.AddNotice: lambda write: sims.notice(db, write, host),
            w.RetryOutbox: self._retry,
            w.MarkRead: self._read,
            w.MarkSenderRead: self._read_sender,
            w.CountHits: blocks.count,
            KeepRecording: sounds.recording,
            KeepMessage: sounds.message,
            MarkHeard: sounds.heard,
            SaveMessage: sounds.saved,
            ForgetSound: sounds.forget,
            AddOutgoing: outbound.add,
            PutOutgoing: outbound.put,
            w.AddBlocks: blocks.add_all,
        }

    def __call__(self, write: w.Write) -> w.Result:
        """Carry out one write and give its result."""
        return self._table[type(write)](write)

    def _call(self, write: w.StoreCallRow) -> None:
        r = write.record
        self._db.execute(
            "INSERT OR IGNORE INTO calls (id, direction, line, caller, caller_kind, caller_name, called, called_kind,"
            " started_at, ended_at, ring_ms, talk_ms, answered_by, cause, detail, legs, trace)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                r.id, str(r.direction), r.line, r.caller.text, str(r.caller.kind), r.caller_name, r.called.text,
                str(r.called.kind), r.started_at, r.ended_at, r.ring_ms, r.talk_ms, r.answered_by, str(Cause(r.cause)),
                r.detail, _json([dict(leg) for leg in r.legs]), _json([_trace_step(step) for step in r.trace]),
            ),
        )  # fmt: skip

    def _override(self, write: w.SetOverrideRow) -> None:
        if write.value:
            self._db.execute(
                "INSERT INTO overrides (name, value, by_, at) VALUES (?,?,?,?) ON CONFLICT (name) DO UPDATE"
                " SET value = excluded.value, by_ = excluded.by_, at = excluded.at",
                (write.name, write.value, write.by, write.at),
            )
        else:
            self._db.execute("DELETE FROM overrides WHERE name = ?", (write.name,))

    def _put_binding(self, write: w.PutBinding) -> None:
        self._db.execute(
            "INSERT INTO bindings (extension, key, contact, flow, expires_at, user_agent) VALUES (?,?,?,?,?,?)"
            " ON CONFLICT (extension, key) DO UPDATE SET contact = excluded.contact, flow = excluded.flow,"
            " expires_at = excluded.expires_at, user_agent = excluded.user_agent",
            (write.extension, write.key, write.contact, _json(dict(write.flow)), write.expires_at, write.user_agent),
        )

    def _drop_binding(self, write: w.DropBinding) -> None:
        self._db.execute(
            "DELETE FROM bindings WHERE extension = ? AND (key = ? OR ? = '')", (write.extension, write.key, write.key)
        )

    def _touch_bindings(self, write: w.TouchBindings) -> None:
        self._db.executemany(
            "UPDATE bindings SET expires_at = ? WHERE extension = ? AND key = ?",
            [(at, extension, key) for (extension, key), at in write.expiries.items()],
        )

    def _event(self, write: w.AddEvent) -> int:
        cursor = self._db.execute(
            "INSERT INTO events (at, message, args, severity) VALUES (?,?,?,?)",
            (write.at, write.message, _json(dict(write.args)), write.severity),
        )
        return int(cursor.lastrowid or 0)

    def _line_fact(self, write: w.PutLineFact) -> None:
        self._db.execute(
            "INSERT INTO line_facts (line, name, value, at) VALUES (?,?,?,?)"
            " ON CONFLICT (line, name) DO UPDATE SET value = excluded.value, at = excluded.at",
            (write.line, write.name, _json(write.value), write.at),
        )

    def _remember(self, write: w.RememberCaller) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO heard (line, number, at) VALUES (?,?,?)", (write.line, write.number, write.at)
        )

    def _signal(self, write: w.PutSignal) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO signal (line, at, percent, network, operator, state) VALUES (?,?,?,?,?,?)",
            (write.line, write.at, write.percent, write.network, write.operator, write.state),
        )
        oldest = stamp(datetime.fromisoformat(write.at) - SIGNAL_KEPT)
        self._db.execute("DELETE FROM signal WHERE line = ? AND at < ?", (write.line, oldest))

    def _retry(self, write: w.RetryOutbox) -> bool:
        row = self._db.execute(
            "SELECT recipients FROM outbox WHERE id = ? AND state IN ('dead', 'waiting')", (write.id,)
        ).fetchone()
        if row is None:
            return False
        recipients = {to: "sent" if state == "sent" else "waiting" for to, state in json.loads(row[0]).items()}
        self._db.execute(
            "UPDATE outbox SET state = 'waiting', attempts = 0, since = ?, next_at = ?, recipients = ? WHERE id = ?",
            (write.at, write.at, _json(recipients), write.id),
        )
        return True

    def _read(self, write: w.MarkRead) -> int:
        ids = write.ids[:MOST_READ_AT_ONCE]
        marks = ",".join("?" * len(ids))
        query = f"UPDATE sms SET read_at = ? WHERE read_at IS NULL AND id IN ({marks})"  # noqa: S608 - only "?" in it
        return self._db.execute(query, (write.at, *ids)).rowcount

    def _read_sender(self, write: w.MarkSenderRead) -> int:
        query = "UPDATE sms SET read_at = ? WHERE read_at IS NULL AND sender = ?"
        return self._db.execute(query, (write.at, write.sender)).rowcount


def merged(counts: list[w.CountHits]) -> w.CountHits:
    """Several counts as one."""
    total: dict[int, int] = {}
    for count in counts:
        for block, hits in count.hits.items():
            total[block] = total.get(block, 0) + hits
    return w.CountHits(total, max(count.at for count in counts))


def _trace_step(step: TraceStep) -> dict[str, object]:
    return {"rule": step.rule, "outcome": str(step.outcome), "args": dict(step.args), "link": step.link}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
