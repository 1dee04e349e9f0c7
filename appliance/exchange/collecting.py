"""Python's collector of reference circles, run by hand: it stops the thread it runs on, so it waits for a quiet moment.

The SIP library's objects must go on the thread that made them, so the automatic one is off (lines/endpoint.py).
"""

import gc
from collections.abc import Callable

SECONDS = 5.0


class Collecting:
    """Collects every few seconds while `quiet`. Loop thread."""

    def __init__(self, quiet: Callable[[], bool]) -> None:
        self._quiet = quiet
        self._next = 0.0

    def tick(self, at: float) -> None:
        """What was there at the first time stays: looking at all of it again and again would hold up calls."""
        if at < self._next or not self._quiet():
            return
        first, self._next = not self._next, at + SECONDS
        gc.collect()
        if first:
            gc.freeze()
