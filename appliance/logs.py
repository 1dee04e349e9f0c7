"""How the processes log: lines to standard error, with the time unless systemd's journal adds it."""

import logging
import os


def setup() -> None:
    """Once, at the start of a process."""
    time = "" if os.environ.get("JOURNAL_STREAM") else "%(asctime)s "
    logging.basicConfig(level=logging.INFO, format=f"{time}%(levelname)s %(name)s: %(message)s")
