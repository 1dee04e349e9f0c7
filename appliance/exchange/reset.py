"""Back to the first start: settings, journal, recordings and accounts go; the memory of PINs tried stays.

It is asked for by a marker on the disk and carried out before anything is opened, so that it is whole even when the
power goes in between: the marker is removed last.
"""

import logging
import os
import shutil
from pathlib import Path

from appliance.settings.places import Places

log = logging.getLogger(__name__)

MARKER = "reset-wanted"


def ask(places: Places) -> None:
    """Leave the marker, fsynced; the next start of the exchange does it. Raises OSError."""
    with open(places.state / MARKER, "w", encoding="ascii") as file:
        file.flush()
        os.fsync(file.fileno())
    _sync(places.state)


def carry_out(places: Places) -> bool:
    """Do what the marker asks; False when there is none. Raises OSError when a file cannot be removed."""
    marker = places.state / MARKER
    if not marker.exists():
        return False
    journal = places.journal
    for path in (
        places.settings, places.settings_good, places.first_start, places.state / "first-start.done",
        journal, journal.with_name(journal.name + "-wal"), journal.with_name(journal.name + "-shm"),
    ):  # fmt: skip
        path.unlink(missing_ok=True)
    for folder in (places.prompts, places.tls):
        shutil.rmtree(folder, ignore_errors=True)
    places.make()
    _sync(places.state)
    marker.unlink()
    _sync(places.state)
    log.warning("the box was reset to its first start")
    return True


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
