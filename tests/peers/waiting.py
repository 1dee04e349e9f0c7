"""Waiting for something to become true, with a limit and a reason."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, check: Callable[[], T], seconds: float = 10.0, pause: float = 0.02) -> T:
    """The first true value of `check`. Fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < end:
        last = check()
        if last:
            return last  # type: ignore[return-value]
        time.sleep(pause)  # the other side is another process; bounded by `seconds`
    raise AssertionError(f"not within {seconds:.0f} s: {what} (last: {last!r})")
