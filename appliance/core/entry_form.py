"""An entry of the block or allow list as texts, and back: what a form, the socket and a CSV file say of it.

Pure and total: any texts give an entry, or the id of what is wrong with each of them.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from appliance.core.blocklist import Block
from appliance.core.entry import entry_fault, entry_pattern
from appliance.core.model import LineId

COLUMNS = ("pattern", "list", "what", "when", "line", "action", "begins", "ends", "reason", "origin")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "list": ("block", "allow"),
    "what": ("calls", "messages", "both"),
    "when": ("always", "after-hours"),
    "action": ("", "reject", "busy", "announce"),
    "origin": ("", "automatic", "key"),
}
DEFAULTS = {"list": "block", "what": "calls", "when": "always"}
LONGEST_REASON = 200
MOST_ROWS = 5000  # of one file, and of the whole list
LONGEST_FILE = 1024 * 1024  # octets
FORMULA = ("=", "+", "-", "@", "'")  # a reason that begins so would be a formula in a spreadsheet


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row: its line in the file (from 1), the column ("" the whole row), the id and its facts."""

    line: int
    column: str
    fault: str
    facts: Mapping[str, str]


def clean(
    texts: Mapping[str, str], country: str, zone: tzinfo, lines: Collection[str]
) -> tuple[Block, dict[str, tuple[str, Mapping[str, str]]]]:
    """The entry, and its faults by name, all at once; it is for use only where there are none. `zone` reads moments
    without an offset, `lines` are the ids that exist."""
    faults: dict[str, tuple[str, Mapping[str, str]]] = {}
    chosen: dict[str, str] = {}
    for name, options in CHOICES.items():
        chosen[name] = texts.get(name, "").strip().lower() or DEFAULTS.get(name, "")
        if chosen[name] not in options:
            faults[name] = ("not-a-list-name" if name == "list" else "not-a-choice", {})
    pattern = entry_pattern(texts.get("pattern", ""), country)
    fault = entry_fault(pattern) if pattern else "not-an-entry"
    if fault:
        faults["pattern"] = (fault, {"most": "120"})
    line = texts.get("line", "").strip()
    if line and line not in lines:
        faults["line"] = ("unknown-line", {"line": line[:40]})
    moments: dict[str, datetime | None] = {}
    for name in ("begins", "ends"):
        try:
            moments[name] = moment(texts.get(name, ""), zone)
        except ValueError:
            moments[name] = None
            faults[name] = ("not-a-moment", {})
    begins, ends = moments["begins"], moments["ends"]
    if begins and ends and ends <= begins:
        faults["ends"] = ("ends-before-it-begins", {})
    entry = Block(
        0, pattern, chosen["list"] == "allow", chosen["when"], LineId(line) if line else None, chosen["what"],
        chosen["action"], _plain(texts.get("reason", "")), begins, ends, chosen["origin"],
    )  # fmt: skip
    return entry, faults


def moment(text: str, zone: tzinfo) -> datetime | None:
    """An ISO 8601 moment in UTC, None for nothing. Raises ValueError."""
    if not text.strip():
        return None
    found = datetime.fromisoformat(text.strip()[:40])
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC).replace(microsecond=0)
    except OverflowError as error:
        raise ValueError(text[:40]) from error


def written(entries: Iterable[Block]) -> str:
    """The list as CSV (RFC 4180: commas, CRLF, a first row of names)."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for entry in entries:
        table.writerow([
            entry.pattern, "allow" if entry.allow else "block", entry.what, entry.when, entry.line or "", entry.action,
            _stamp(entry.begins), _stamp(entry.ends), _guarded(entry.reason), entry.origin,
        ])  # fmt: skip
    return out.getvalue()


def read(
    text: str, country: str, zone: tzinfo, lines: Collection[str], most: int = MOST_ROWS
) -> tuple[list[Block], list[RowFault]]:
    """Entries and faults of a CSV file, of every row. Commas or semicolons; columns in any order, only `pattern` is
    needed; a row that stands twice counts once."""
    rows = _rows(text)
    _line, head = next(rows, (1, []))
    names = [name.strip().lower() for name in head or []]
    if "pattern" not in names:
        return [], [RowFault(1, "", "not-a-csv", {})]
    found: dict[tuple[object, ...], Block] = {}
    faults: list[RowFault] = []
    for line, cells in rows:
        if cells is None:
            faults.append(RowFault(line, "", "not-a-csv", {}))
            break
        if not any(cell.strip() for cell in cells):
            continue
        texts = dict(zip(names, cells, strict=False))
        texts["reason"] = texts.get("reason", "").removeprefix("'")
        entry, wrong = clean(texts, country, zone, lines)
        faults += [RowFault(line, column, fault, facts) for column, (fault, facts) in wrong.items()]
        if not wrong:
            found[key_of(entry)] = entry
        if len(found) > most:
            faults.append(RowFault(line, "", "list-full", {"most": str(most)}))
            break
    return list(found.values())[:most], faults


def key_of(entry: Block) -> tuple[object, ...]:
    """What makes two entries the same: all but why and until when."""
    return entry.pattern.casefold(), entry.allow, entry.line, entry.what, entry.when


def _rows(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """Line of each row in the file, and its cells; cells are None where the rest cannot be read."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first and "," not in first else ",")
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
            return


def _plain(reason: str) -> str:
    return "".join(c if c.isprintable() else " " for c in reason).strip()[:LONGEST_REASON]


def _guarded(reason: str) -> str:
    return "'" + reason if reason.startswith(FORMULA) else reason


def _stamp(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""
