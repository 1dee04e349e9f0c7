"""Who calls again and again outside hours is blocked by itself for a while: how often is enough, and who never is.

Pure: `tries` maps a caller's number to the moments (aware) at which he was turned away as closed. It is bounded, and
after a restart it is read again from the rows of the calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.core.blocklist import Block
from appliance.core.model import Kind, Number

MOST_CALLERS = 1000  # remembered at once
ORIGIN = "automatic"

Tries = Mapping[str, tuple[datetime, ...]]


@dataclass(frozen=True, slots=True)
class Repeats:
    """`calls` within `minutes` outside hours block the caller for `hours`."""

    calls: int = 3
    minutes: int = 10
    hours: int = 24


def noted(tries: Tries, caller: Number, now: datetime, rule: Repeats) -> dict[str, tuple[datetime, ...]]:
    """The tries with one more; those too old to count are gone, and the longest unheard caller where there are too
    many."""
    since = now - timedelta(minutes=rule.minutes)
    kept = {number: fresh for number, at in tries.items() if (fresh := _within(at, since, now))}
    if caller.kind is Kind.E164:
        kept[caller.text] = (*kept.pop(caller.text, ()), now)[-rule.calls :]
    while len(kept) > MOST_CALLERS:
        del kept[min(kept, key=lambda number: kept[number][-1])]
    return kept


def due(tries: Tries, caller: Number, now: datetime, rule: Repeats) -> Block | None:
    """The entry that this call earns, None while it is not one too many. `now` is the moment of the call itself."""
    if caller.kind is not Kind.E164:
        return None
    before = _within(tries.get(caller.text, ()), now - timedelta(minutes=rule.minutes), now)
    if len(before) + 1 < rule.calls:
        return None
    return Block(0, caller.text, ends=now + timedelta(hours=rule.hours), origin=ORIGIN)


def _within(at: tuple[datetime, ...], since: datetime, now: datetime) -> tuple[datetime, ...]:
    return tuple(moment for moment in at if since < moment <= now)
