"""From parts to messages, inside the storage thread's transaction.

A part is keyed by line and the hash of its PDU: the same one read again (the SIM slot was not freed in time, or the
network sent it twice) is already ours. Parts of a long message wait for each other; the set they belong to has the
same line, sender (last eight digits: formats differ between parts), reference and number of parts, and is younger than
24 hours, after which a reference counts as used again. A set that waits for ten minutes is delivered as it is, and
once more when the rest comes.
"""

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from appliance.journal.dispatch import Dispatch
from appliance.journal.times import moment, stamp
from appliance.journal.writes import PartStored, StoreSmsPart, SweepParts

log = logging.getLogger(__name__)

REFERENCE_LIVES = timedelta(hours=24)
TAIL_DIGITS = 8
NOT_FOR_PEOPLE = frozenset({"silent", "sim-data", "status-report"})  # some networks send one every few minutes
REPLACING = frozenset({"return-call", *(f"replace-{n}" for n in range(1, 8))})  # 3GPP 23.040 9.2.3.9
REPLACED = "replaced"
GAP = " […] "  # where a part is missing; the note beside the text says which


@dataclass(frozen=True, slots=True)
class JoinPart:
    """What is needed of a part to join it with its neighbours."""

    sequence: int
    coding: str
    octets: bytes
    text: str | None


Join = Callable[[Sequence[JoinPart]], str]  # neighbouring parts, in order


def part_hash(pdu: str) -> str:
    """The key of a PDU: SHA-256 of its upper-case hex."""
    return hashlib.sha256(pdu.strip().upper().encode()).hexdigest()


def sender_tail(sender: str) -> str:
    """What of a sender is compared between parts: the last eight digits of a number, else the name, folded."""
    digits = "".join(c for c in sender if c.isdecimal())
    only_number = all(c.isdecimal() or c in "+ -" for c in sender)
    return digits[-TAIL_DIGITS:] if only_number and len(digits) >= TAIL_DIGITS else sender.casefold().strip()


class Messages:
    """Writes parts and messages. Every method runs inside a transaction of the caller."""

    def __init__(self, db: sqlite3.Connection, join: Join, host: str) -> None:
        self._db = db
        self._join = join
        self._dispatch = Dispatch(db, host)

    def store(self, write: StoreSmsPart) -> PartStored:
        """Store a part, and its message when it is complete."""
        digest = part_hash(write.part.pdu)
        new_set = f"{write.line}:{digest}"
        known = self._db.execute(
            "SELECT sms_id FROM sms_parts WHERE sha256 = ? AND line = ?", (digest, write.line)
        ).fetchone()
        if known:
            return PartStored(True, known["sms_id"])
        part = write.part
        long = part.reference is not None and 1 < part.total <= 255 and 1 <= part.sequence <= part.total
        if not long:
            self._insert_part(write, digest, new_set, None)
            sms = self._make_message(new_set, write.received_at)
            return PartStored(False, sms, self._enqueue(sms, new_set, write.received_at, ()))
        set_key, sms_id, again = self._set_of(write) or (new_set, None, False)
        self._insert_part(write, digest, set_key, sms_id)
        if again:
            return PartStored(True, sms_id)
        return self._advance(write, set_key, sms_id)

    def sweep(self, write: SweepParts) -> tuple[int, ...]:
        """Deliver the sets that waited too long; gives the messages made."""
        limit = stamp(moment(write.at) - timedelta(seconds=write.older_than_seconds))
        rows = self._db.execute(
            "SELECT set_key FROM sms_parts WHERE sms_id IS NULL GROUP BY set_key HAVING min(received_at) <= ?", (limit,)
        ).fetchall()
        made = []
        for row in rows:
            sms = self._make_message(row["set_key"], write.at, received_at=None)
            self._enqueue(sms, row["set_key"], write.at, ())
            made.append(sms)
        return tuple(made)

    def _set_of(self, write: StoreSmsPart) -> tuple[str, int | None, bool] | None:
        """The open set this part belongs to (its key, its message if delivered incomplete), and whether the set has
        the very same content already. None begins a new set: also a part that differs from the one in its place."""
        part = write.part
        since = stamp(moment(write.received_at) - REFERENCE_LIVES)
        rows = self._db.execute(
            "SELECT p.set_key, p.sms_id, p.sequence, p.octets, p.text FROM sms_parts p"
            " LEFT JOIN sms s ON s.id = p.sms_id"
            " WHERE p.line = ? AND p.sender_tail = ? AND p.reference = ? AND p.total = ? AND p.received_at > ?"
            " AND (p.sms_id IS NULL OR s.complete = 0) ORDER BY p.received_at DESC, p.rowid DESC",
            (write.line, sender_tail(part.sender.text), part.reference, part.total, since),
        ).fetchall()
        for set_key in dict.fromkeys(row["set_key"] for row in rows):
            members = [row for row in rows if row["set_key"] == set_key]
            same_place = [row for row in members if row["sequence"] == part.sequence]
            same_content = any(row["octets"] == part.octets and row["text"] == part.text for row in same_place)
            if not same_place or same_content:
                return set_key, members[0]["sms_id"], same_content
        return None

    def _advance(self, write: StoreSmsPart, set_key: str, sms_id: int | None) -> PartStored:
        parts = self._parts(set_key)
        complete = len(parts) == write.part.total
        if sms_id is None:
            if not complete:
                return PartStored(False)
            made = self._make_message(set_key, write.received_at)
            return PartStored(False, made, self._enqueue(made, set_key, write.received_at, ()))
        held = self._db.execute("SELECT flags FROM sms WHERE id = ?", (sms_id,)).fetchone()
        flags = [*_flags(parts), *({REPLACED} & set(json.loads(held["flags"])))]
        self._db.execute(
            "UPDATE sms SET text = ?, parts = ?, complete = ?, flags = ?, read_at = NULL WHERE id = ?",
            (self._text(parts), len(parts), complete, json.dumps([*flags, "completed" if complete else "incomplete"]),
             sms_id),
        )  # fmt: skip
        outbox = self._enqueue(sms_id, set_key, write.received_at, ("completed",)) if complete else None
        return PartStored(False, sms_id, outbox)

    def _insert_part(self, write: StoreSmsPart, digest: str, set_key: str, sms_id: int | None) -> None:
        part = write.part
        delivery = {
            "to": list(dict.fromkeys(write.recipients)),
            "line_label": write.line_label,
            "sender_name": write.sender_name,
            "mail": write.mail,
            "rules": [rule.record() for rule in write.rules],
            "never": write.never,
            "proof": write.proof,
        }
        self._db.execute(
            "INSERT INTO sms_parts (sha256, line, iccid, memory, slot, pdu, received_at, sms_id, set_key, reference,"
            " total, sequence, sender, sender_kind, sender_tail, coding, octets, text, sent_at, flags, delivery)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                digest, write.line, write.iccid, write.memory, write.slot, part.pdu.strip().upper(), write.received_at,
                sms_id, set_key, part.reference, part.total, part.sequence, part.sender.text, str(part.sender.kind),
                sender_tail(part.sender.text), part.coding, part.octets, _clean(part.text), part.sent_at,
                json.dumps(part.flags), json.dumps(delivery, ensure_ascii=False),
            ),
        )  # fmt: skip

    def _parts(self, set_key: str) -> list[sqlite3.Row]:
        """The parts of a set in order, each place once."""
        rows = self._db.execute(
            "SELECT * FROM sms_parts WHERE set_key = ? ORDER BY sequence, received_at, rowid", (set_key,)
        ).fetchall()
        return list({row["sequence"]: row for row in reversed(rows)}.values())[::-1]

    def _make_message(self, set_key: str, now: str, received_at: str | None = "") -> int:
        """The row of a message from the parts of its set. `received_at` None: that of its first part."""
        parts = self._parts(set_key)
        first, total = parts[0], _total(parts)
        complete = len(parts) >= total
        flags = [*_flags(parts), *([] if complete else ["incomplete"])]
        came = min(row["received_at"] for row in parts) if received_at is None else now
        cursor = self._db.execute(
            "INSERT INTO sms (line, iccid, sender, sender_kind, text, coding, sent_at, received_at, parts, parts_total,"
            " complete, flags, mailed) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,0)",
            (
                first["line"], first["iccid"], first["sender"], first["sender_kind"], self._text(parts),
                first["coding"], _sent_at(parts), came, len(parts), total, complete, json.dumps(flags),
            ),
        )  # fmt: skip
        sms = int(cursor.lastrowid or 0)
        self._db.execute("UPDATE sms_parts SET sms_id = ? WHERE set_key = ?", (sms, set_key))
        return sms

    def _enqueue(self, sms_id: int, set_key: str, now: str, more_flags: Iterable[str]) -> int | None:
        """What the message causes; gives its mail, None when nobody shall get one."""
        parts = self._parts(set_key)
        delivery = json.loads(parts[-1]["delivery"])
        flags = _flags(parts)
        empty = not any(row["text"] or row["octets"] for row in parts)
        sms = self._db.execute("SELECT * FROM sms WHERE id = ?", (sms_id,)).fetchone()
        replaces = self._replaced(sms, flags)
        if NOT_FOR_PEOPLE.intersection(flags) or (empty and "nothing-waits" in flags):
            self._db.execute("UPDATE sms SET read_at = ? WHERE id = ?", (now, sms_id))  # no lamp waits for a reader
            return None
        if not delivery["mail"]:
            return None
        facts = {
            "sms_id": sms_id, "line": sms["line"], "line_label": delivery["line_label"],
            "sender": sms["sender"], "sender_kind": sms["sender_kind"], "sender_name": delivery["sender_name"],
            "text": sms["text"], "sent_at": sms["sent_at"], "received_at": sms["received_at"],
            "parts": sms["parts"], "parts_total": sms["parts_total"],
            "missing": _missing(parts),
            "flags": list(dict.fromkeys([*json.loads(sms["flags"]), *more_flags])),
            "pdu": [row["pdu"] for row in parts], "replaces": replaces,
        }  # fmt: skip
        return self._dispatch.send(sms, delivery, facts, now)

    def _replaced(self, sms: sqlite3.Row, flags: Sequence[str]) -> str:
        """A message of a replace type, or one that asks to be called back, takes the place of the one before, of the
        same sender and type (3GPP 23.040 9.2.3.9): that one stays in the journal, marked. The centre it came through
        is not compared: a network with several may use any. Gives when the one before came, "" where there is none."""
        kind = next((flag for flag in flags if flag in REPLACING), "")
        if not kind or not sms["sender"]:
            return ""
        rows = self._db.execute(
            "SELECT id, received_at, flags FROM sms WHERE line = ? AND sender = ? AND id < ? AND EXISTS"
            " (SELECT 1 FROM json_each(sms.flags) WHERE value = ?) ORDER BY id DESC LIMIT 20",
            (sms["line"], sms["sender"], sms["id"], kind),
        ).fetchall()
        standing = [row for row in rows if REPLACED not in json.loads(row["flags"])]
        for row in standing:
            marked = json.dumps([*json.loads(row["flags"]), REPLACED])
            self._db.execute("UPDATE sms SET flags = ? WHERE id = ?", (marked, row["id"]))
        return str(standing[0]["received_at"]) if standing else ""

    def _text(self, parts: Sequence[sqlite3.Row]) -> str:
        """The text; neighbours are joined together, a gap between them is marked."""
        runs: list[list[JoinPart]] = []
        for row in parts:
            one = JoinPart(row["sequence"], row["coding"], row["octets"], row["text"])
            if runs and runs[-1][-1].sequence == one.sequence - 1:
                runs[-1].append(one)
            else:
                runs.append([one])
        whole = GAP.join(self._run_text(run) for run in runs)
        if _total(parts) == 1:
            return whole
        before = GAP.lstrip() if runs[0][0].sequence > 1 else ""
        return before + whole + (GAP.rstrip() if runs[-1][-1].sequence < _total(parts) else "")

    def _run_text(self, run: Sequence[JoinPart]) -> str:
        if len(run) == 1:
            return run[0].text or ""
        try:
            return _clean(self._join(run)) or ""
        except Exception:
            log.exception("parts could not be joined, they are put side by side")
            return "".join(part.text or "" for part in run)


def _total(parts: Sequence[sqlite3.Row]) -> int:
    """How many parts belong to the set; 1 for a message whose header made no sense."""
    row = parts[0]
    whole = row["reference"] is not None and 1 < row["total"] <= 255 and 1 <= row["sequence"] <= row["total"]
    return int(row["total"]) if whole else 1


def _missing(parts: Sequence[sqlite3.Row]) -> list[int]:
    """The places of the set that are empty."""
    total = _total(parts)
    return sorted(set(range(1, total + 1)) - {row["sequence"] for row in parts}) if total > 1 else []


def _flags(parts: Sequence[sqlite3.Row]) -> list[str]:
    flags = [flag for row in parts for flag in json.loads(row["flags"])]
    if any(row["text"] is None for row in parts):
        flags.append("undecodable")
    return list(dict.fromkeys(flags))


def _sent_at(parts: Sequence[sqlite3.Row]) -> str | None:
    """The time of the first part, else of the first that has one."""
    return next((row["sent_at"] for row in parts if row["sent_at"]), None)


def _clean(text: str | None) -> str | None:
    """Text that SQLite and mail can carry: lone surrogates become U+FFFD."""
    return None if text is None else "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
