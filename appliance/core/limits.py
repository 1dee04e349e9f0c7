"""How much one phone may do: calls at once and new calls a second. Pure counters; emergency calls pass every limit."""

from dataclasses import dataclass, field

from appliance.core.causes import Cause
from appliance.core.model import PHONES, Offer, RefuseStep, Route


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class Limits:
    """Limits per extension; what the settings say goes into the two numbers."""

    calls_per_phone: int = 4
    invites_per_phone: float = 2.0  # a second; twice as many in a burst
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def refuse(self, offer: Offer, route: Route, calls: int, at: float) -> RefuseStep | None:
        """A refusal when the phone is over a limit. `calls`: calls it has already; `at`: monotonic seconds."""
        if offer.line != PHONES or route.emergency:
            return None
        too_fast = not self._take(offer.caller.text, at)
        if too_fast or calls >= self.calls_per_phone:
            return RefuseStep(Cause.CONGESTION)
        return None

    def _take(self, extension: str, at: float) -> bool:
        most = self.invites_per_phone * 2
        bucket = self._buckets.setdefault(extension, _Bucket(most, at))
        bucket.tokens = min(most, bucket.tokens + (at - bucket.at) * self.invites_per_phone)
        bucket.at = at
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
