"""The loop thread: the only one that touches PJSIP, serial ports, calls, timers and the plan.

One turn: let the pump wait (at most 20 ms, not at all when work is waiting), poll the ports, fire what is due, drain
the inbox, and when nothing happened do the chores (garbage, watchdog). Other threads reach it by `Inbox.put` alone.
"""

import heapq
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

E = TypeVar("E")
T = TypeVar("T")

TICK_MS = 20  # how long a turn may wait when nothing comes: polls of serial ports are that far apart
CHORE_SECONDS = 1.0
MOST_EVENTS_A_TURN = 200  # then the pump gets its turn again
SPARE_TIMERS = 64  # so many stopped ones may lie about


class Inbox(Generic[E]):
    """Events for the loop, in order of arrival. `deque.append` is atomic, so any thread may put."""

    def __init__(self) -> None:
        self._events: deque[E] = deque()

    def put(self, event: E) -> None:
        """Hand an event over. Any thread; never blocks."""
        self._events.append(event)

    def get(self) -> E | None:
        """The next one, or None. Loop thread."""
        return self._events.popleft() if self._events else None

    def __len__(self) -> int:
        return len(self._events)


@dataclass(order=True, slots=True)
class _Timer:
    due: float
    number: int
    key: tuple[str, str] = field(compare=False)


class Timers:
    """Named timers; starting one anew forgets the old one."""

    def __init__(self) -> None:
        self._heap: list[_Timer] = []
        self._live: dict[tuple[str, str], int] = {}
        self._count = 0

    def start(self, key: tuple[str, str], due: float) -> None:
        """`due` in monotonic seconds."""
        self._count += 1
        self._live[key] = self._count
        heapq.heappush(self._heap, _Timer(due, self._count, key))
        if len(self._heap) > 2 * len(self._live) + SPARE_TIMERS:  # a stopped one would stay until its time: four hours
            self._heap = [timer for timer in self._heap if self._live.get(timer.key) == timer.number]
            heapq.heapify(self._heap)

    def stop(self, key: tuple[str, str]) -> None:
        """Forget it; no harm if it is not there."""
        self._live.pop(key, None)

    def stop_all(self, owner: str) -> None:
        """Forget all of one call."""
        for key in [k for k in self._live if k[0] == owner]:
            del self._live[key]

    def due(self, at: float) -> list[tuple[str, str]]:
        """Those that ran out, oldest first; they are forgotten."""
        fired: list[tuple[str, str]] = []
        while self._heap and self._heap[0].due <= at:
            timer = heapq.heappop(self._heap)
            if self._live.get(timer.key) == timer.number:
                del self._live[timer.key]
                fired.append(timer.key)
        return fired

    def next_due(self) -> float | None:
        """Monotonic seconds of the next, or None."""
        return self._heap[0].due if self._heap else None


class Loop:
    """Runs until `stop()`. A step that raises is logged and the loop goes on: one bad call must not end the others."""

    def __init__(self, waiting: Callable[[], int], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._waiting = waiting
        self._monotonic = monotonic
        self._steps: list[Callable[[float], None]] = []
        self._chores: list[Callable[[float], None]] = []
        self._next_chore = 0.0
        self._stopped = False
        self.turns = 0
        self.last_turn = monotonic()

    def add(self, step: Callable[[float], None]) -> None:
        """Call `step(at)` each turn."""
        self._steps.append(step)

    def add_chore(self, chore: Callable[[float], None]) -> None:
        """Call `chore(at)` about once a second."""
        self._chores.append(chore)

    def stop(self) -> None:
        """End after this turn. Any thread, and signal handlers."""
        self._stopped = True

    def run(self, pump: Callable[[int], None]) -> None:
        """`pump(milliseconds)` waits for SIP at most that long."""
        while not self._stopped:
            self.turn(pump)

    def turn(self, pump: Callable[[int], None]) -> None:
        """One turn."""
        _guarded(pump, 0 if self._waiting() else TICK_MS)
        at = self._monotonic()
        self.last_turn = at
        self.turns += 1
        for step in self._steps:
            _guarded(step, at)
        if at >= self._next_chore:
            self._next_chore = at + CHORE_SECONDS
            for chore in self._chores:
                _guarded(chore, at)


def _guarded(step: Callable[[T], None], value: T) -> None:
    """The boundary of the loop: whatever a step raises is told in the log, and the loop goes on."""
    try:
        step(value)
    except Exception:
        log.exception("a step of the loop failed: %s", getattr(step, "__qualname__", step))
