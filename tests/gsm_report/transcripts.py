"""What modems wrote in the field: understood, and nothing in it unknown."""

import re

from appliance.protocols.at import AtEngine, Command, Finished, Unsolicited
from appliance.protocols.modem_shown import Transcript
from tests.fuzz.seeds import rows
from tests.gsm_report.table import Table


def transcripts(table: Table) -> None:
    """Rows that say what is to be read, and the rest."""
    found = rows("at_transcripts.jsonl")
    stated = [row for row in found if row.get("expect")]
    short = [f"{row['response'].strip()!r}: {row['expect']}" for row in stated if not _gives(row)]
    table.all_of("answers of modems that give what their record says", short, len(stated))
    rest = [row for row in found if not row.get("expect")]
    lost = [f"{row['model']}: {row['command']} {row['response']!r}" for row in rest if not _consumed(row)]
    # a head line that was noted without its PDU has no end: that is what the record is
    table.row("other answers and reports taken without an unknown line", f"{len(rest) - len(lost)} of {len(rest)}",
              "all but 1", len(lost) <= 1, lost)  # fmt: skip


def _gives(row: dict) -> bool:
    transcript = Transcript()
    shown = transcript.feed(row["response"].encode("latin-1", "replace")) + transcript.end()
    return any(all(one.get(key) == value for key, value in row["expect"].items()) for one in shown)


def _consumed(row: dict) -> bool:
    data = row["response"].encode("latin-1", "replace")
    engine = AtEngine()
    if row["urc"]:
        events = engine.feed(data + b"\r\n", 0.0) + engine.tick(10.0)
        told = any(isinstance(event, Unsolicited) for event in events) or data.strip() == b"OK"
        return told and engine.unknown == 0
    name = re.split(r"[=? ]", row["command"][2:])[0].strip('"')
    expects = (name,) if name[:1] in "+^#*$%" and len(name) > 1 else ("",)
    engine.send(Command(row["command"], expects, 30.0))
    engine.output(0.0)
    end = b"" if row.get("complete", True) else b"\r\n\r\nOK\r\n"
    events = engine.feed(data + end + b"\r\n", 0.0) + engine.tick(100.0)
    done = next((event for event in events if isinstance(event, Finished)), None)
    return ((done is not None and done.final != "timeout") or data.endswith(b"> ")) and engine.unknown == 0
