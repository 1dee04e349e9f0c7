"""Digits of phones, each once: some phones send one as telephone-event (RFC 4733) and by INFO (RFC 6086) as well."""

from collections import deque
from dataclasses import dataclass, field

APART = 1.0  # seconds that the two forms of one digit may lie apart


@dataclass(slots=True)
class DigitsOnce:
    """Pairs the digits of the two ways: what came by the one is taken off when it comes by the other."""

    _unpaired: dict[bool, deque[tuple[str, float]]] = field(default_factory=lambda: {True: deque(), False: deque()})

    def is_new(self, digit: str, by_info: bool, at: float) -> bool:
        """Whether it was not heard by the other way already. `at`: monotonic seconds."""
        other = self._unpaired[not by_info]
        for way in self._unpaired.values():
            while way and way[0][1] < at - APART:
                way.popleft()
        if other and other[0][0] == digit:
            other.popleft()
            return False
        self._unpaired[by_info].append((digit, at))
        return True
