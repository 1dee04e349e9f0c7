"""The clock of plan, journal and worker: real time plus an offset that only virtual hardware may set.

Timers, sign-ins and TLS never use it: they run on monotonic or real time.
"""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


class Clock:
    """Wall time with an offset. Read from the loop thread; `set` only there."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset
        self.sure = True  # whether decisions by time may trust it

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def local(self, zone: ZoneInfo) -> datetime:
        """Aware, in `zone`."""
        return self.now().astimezone(zone)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def set(self, wanted: datetime | None) -> float:
        """Let `now` be `wanted` (aware) from this moment, or real time with None. Gives the offset in seconds."""
        self.offset = 0.0 if wanted is None else (wanted - datetime.now(UTC)).total_seconds()
        return self.offset
