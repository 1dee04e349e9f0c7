"""Block lists from files on the box: every .csv and .txt in the watched folder is a list, read again when it changes.

A list only blocks: it cannot let anybody through. What cannot be read is left out and counted. The thread of views.
"""

import logging
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from appliance.core.blocklist import Block
from appliance.core.entry_form import LONGEST_FILE, MOST_ROWS, clean, read

log = logging.getLogger(__name__)

MOST_LISTS = 8
KINDS = (".csv", ".txt")


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A list as it was read: `at` is when its file was written (aware, UTC), `refused` how many rows could not be
    read, `mark` tells a changed file from the same one."""

    name: str
    at: datetime
    entries: tuple[Block, ...]
    refused: int
    mark: tuple[int, int, int]


def scan(
    folder: Path, before: Mapping[str, Subscribed], country: str, zone: tzinfo, lines: Collection[str]
) -> dict[str, Subscribed]:
    """The lists that are there now. A file that has not changed is not read again; one that cannot be read now keeps
    what it held. Never raises."""
    found: dict[str, Subscribed] = {}
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in KINDS)[:MOST_LISTS]
    except OSError:
        return {}
    for path in files:
        name = "".join(c for c in path.name if c.isprintable())[:60]
        try:
            facts = path.lstat()
            if not stat.S_ISREG(facts.st_mode):
                continue
            mark = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            old = before.get(name)
            if old and old.mark == mark:
                found[name] = old
                continue
            with path.open("rb") as file:
                text = file.read(LONGEST_FILE).decode("utf-8", "replace")
        except OSError as error:
            log.warning("the list %s cannot be read: %s", name, error.strerror)
            if name in before:
                found[name] = before[name]
            continue
        entries, refused = _entries(path.suffix.lower(), text, country, zone, lines)
        marked = tuple(replace(entry, id=0, origin=f"list:{name}") for entry in entries)
        found[name] = Subscribed(name, datetime.fromtimestamp(facts.st_mtime, UTC), marked, refused, mark)
        log.info("list %s: %d entries, %d rows left out", name, len(marked), refused)
    return found


def _entries(kind: str, text: str, country: str, zone: tzinfo, lines: Collection[str]) -> tuple[list[Block], int]:
    """The blocks of a file, and how many rows were left out."""
    if kind == ".csv":
        entries, faults = read(text, country, zone, lines)
        wrong = len({fault.line for fault in faults})
    else:
        entries, wrong = [], 0
        for row in text.removeprefix("\ufeff").splitlines():
            pattern, _mark, reason = row.partition("  #")
            if not pattern.strip() or pattern.lstrip().startswith("#"):
                continue
            entry, refused = clean({"pattern": pattern, "reason": reason}, country, zone, lines)
            if refused or len(entries) >= MOST_ROWS:
                wrong += 1
            else:
                entries.append(entry)
    blocks = [entry for entry in entries if not entry.allow]
    return blocks, wrong + len(entries) - len(blocks)
