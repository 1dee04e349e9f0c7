"""How much one phone may do: calls at once and new calls a second. Pure counters; emergency calls pass every limit."""

from dataclasses import dataclass, field, replace

from appliance.core.causes import Cause
from appliance.core.model import PHONES, Offer, Outcome, RefuseStep, Route, TraceStep


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

    def applied(self, offer: Offer, route: Route, calls: int, at: float) -> Route:
        """The route, or a refusal with its reason when the phone is over a limit. `calls`: those it has already; `at`:
        monotonic seconds."""
        if offer.line != PHONES or route.emergency:
            return route
        too_fast = not self._take(offer.caller.text, at)
        if not too_fast and calls < self.calls_per_phone:
            return route
        rule = "too-many-calls" if calls >= self.calls_per_phone else "too-fast"
        facts = {"extension": offer.caller.text, "most": str(self.calls_per_phone)}
        step = TraceStep(rule, Outcome.STOPPED, facts, "/box/network")
        return replace(route, steps=(RefuseStep(Cause.CONGESTION),), trace=(*route.trace, step))

    def _take(self, extension: str, at: float) -> bool:
        most = self.invites_per_phone * 2
        bucket = self._buckets.setdefault(extension, _Bucket(most, at))
        bucket.tokens = min(most, bucket.tokens + (at - bucket.at) * self.invites_per_phone)
        bucket.at = at
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
