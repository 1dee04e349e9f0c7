"""Parts and records as the exchange hands them over, for the journal's tests."""

import queue
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.core.causes import Cause
from appliance.core.commands import CallRecord
from appliance.core.events import SmsPart
from appliance.core.model import CallId, Direction, Kind, Number, Outcome, TraceStep
from appliance.journal.messages import JoinPart
from appliance.journal.times import stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import StoreSmsPart, Write

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ANNA = "+48600100200"


def at(minutes: float = 0) -> str:
    """A stamp so many minutes after noon."""
    return stamp(NOON + timedelta(minutes=minutes))


def join(parts: Sequence[JoinPart]) -> str:
    """UCS-2 by octets, the rest by text: what the product's own joining does."""
    if all(part.coding == "ucs2" for part in parts):
        return b"".join(part.octets for part in parts).decode("utf-16-be", "replace")
    return "".join(part.text or "" for part in parts)


def sms(
    text: str | None = "Hello", pdu: str = "", minute: float = 0, sender: str = ANNA, **more: object
) -> StoreSmsPart:
    """A write for a single message, or a part of one with reference, total and sequence."""
    of_part = {k: more.pop(k) for k in ("reference", "total", "sequence", "coding", "octets", "flags") if k in more}
    kind = Kind.E164 if sender.startswith("+") else Kind.ALPHANUMERIC
    octets = (text or "").encode("utf-16-be", "surrogatepass")
    name = f"{sender}{text}{of_part.get('reference')}{of_part.get('sequence')}"
    fields = {"coding": "gsm7", "octets": octets, "sent_at": "2026-11-27T13:00:00+01:00"} | of_part
    part = SmsPart(
        pdu=pdu or name.encode("utf-16-be", "surrogatepass").hex(), sender=Number(sender, kind), text=text, **fields
    )
    settings = {"line": "gsm0", "recipients": ("office@x.test",), "line_label": "Reception"} | more
    return StoreSmsPart(memory="SM", slot=1, part=part, received_at=at(minute), **settings)


def call_record(number: int = 1, **more: object) -> CallRecord:
    """An ended call; later numbers began later."""
    fields = {
        "id": CallId(f"20261127T1200{number:02}-0001"),
        "direction": Direction.IN,
        "line": "gsm0",
        "caller": Number(ANNA, Kind.E164),
        "called": Number("+48990120100", Kind.E164),
        "caller_name": "",
        "started_at": at(number),
        "ended_at": at(number + 1),
        "ring_ms": 4000,
        "talk_ms": 56000,
        "answered_by": "101",
        "cause": Cause.NORMAL,
        "detail": "",
        "legs": ({"leg": "gsm0-1", "line": "gsm0", "number": ANNA, "cause": "normal"},),
        "trace": (TraceStep("open", Outcome.PASSED, {"line": "Reception"}, "/hours"),),
    }
    return CallRecord(**(fields | more))


def write(writer: Writer, *writes: Write) -> list[object]:
    """Submit and wait for all results, in order of submission."""
    results: queue.Queue[tuple[int, object]] = queue.Queue()
    for index, one in enumerate(writes):
        writer.submit(one, lambda result, index=index: results.put((index, result)))
    got = dict(results.get(timeout=10) for _ in writes)
    return [got[index] for index in range(len(writes))]


def rows(path: Path, query: str) -> list[dict[str, object]]:
    """What lies in the file, read on a connection of its own."""
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in db.execute(query)]
    finally:
        db.close()
