"""The plan's clock in this process: real time plus the offset that only virtual hardware may set."""

import time
from datetime import UTC, datetime, timedelta

MOST_SECONDS = 50 * 366 * 86400.0


class PlanClock:
    """Loop thread."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def set(self, offset: float) -> bool:
        """A new offset in seconds; True when it is another one. Nonsense is ignored."""
        if not abs(offset) <= MOST_SECONDS or abs(offset - self.offset) < 0.5:
            return False
        self.offset = offset
        return True

    @staticmethod
    def monotonic() -> float:
        """Seconds that never jump."""
        return time.monotonic()
