"""How much one phone may do: calls at once, new calls a second, calls out a minute. Pure counters; emergency calls pass
every limit."""

from collections import deque
from dataclasses import dataclass, field, replace

from appliance.core.causes import Cause
from appliance.core.model import PHONES, Direction, Offer, Outcome, RefuseStep, Route, TraceStep

TOO_MANY = "too-many-a-minute"  # the trace rule that is an alarm


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class Limits:
    """Limits per extension; what the settings say goes into the two numbers."""

    calls_per_phone: int = 4
    invites_per_phone: float = 2.0  # a second; twice as many in a burst
    a_minute: int = 20  # calls to the outside
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _out: dict[str, deque[float]] = field(default_factory=dict)  # when a phone called out, in the last minute

    def applied(self, offer: Offer, route: Route, calls: int, at: float) -> Route:
        """The route, or a refusal with its reason when the phone is over a limit. `calls`: those it has already; `at`:
        monotonic seconds."""
        if offer.line != PHONES or route.emergency:
            return route
        too_fast = not self._take(offer.caller.text, at)
        too_many = route.direction is Direction.OUT and not self._out_again(offer.caller.text, at)
        if not too_fast and not too_many and calls < self.calls_per_phone:
            return route
        most = self.calls_per_phone
        rule = "too-many-calls" if calls >= most else "too-fast"
        if too_many:
            rule, most = TOO_MANY, self.a_minute
        facts = {"extension": offer.caller.text, "most": str(most)}
        step = TraceStep(rule, Outcome.STOPPED, facts, "/box/network")
        return replace(route, steps=(RefuseStep(Cause.CONGESTION),), trace=(*route.trace, step))

    def _out_again(self, extension: str, at: float) -> bool:
        """Count a call out; a refused one counts no more, so that the limit is a rate and not a ban."""
        times = self._out.setdefault(extension, deque())
        while times and at - times[0] >= 60:
            times.popleft()
        if len(times) >= self.a_minute:
            return False
        times.append(at)
        return True

    def _take(self, extension: str, at: float) -> bool:
        most = self.invites_per_phone * 2
        bucket = self._buckets.setdefault(extension, _Bucket(most, at))
        bucket.tokens = min(most, bucket.tokens + (at - bucket.at) * self.invites_per_phone)
        bucket.at = at
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
