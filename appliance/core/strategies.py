"""How several ring for one caller: who first, who next, when again. Pure: places, idle times and the drawn number come
with `Presence`."""

import random
from collections.abc import Callable, Sequence

from appliance.core.model import PHONES, Presence, Target, Wave
from appliance.core.scheme import Strategy

Order = Callable[[Sequence[Target], int, Presence], list[Target]]


def waves(
    strategy: Strategy, targets: Sequence[Target], step: float, place: int, state: Presence
) -> tuple[tuple[Wave, ...], bool]:
    """The waves, and whether they are repeated until the block gives up; none where all ring at once. `place`: where a
    round begins (round robin); `step`: seconds for each."""
    if strategy is Strategy.ALL or len(targets) < 2:
        return (), False
    ordered = ORDERS[strategy](targets, place, state)
    return tuple(Wave((target,), step) for target in ordered), strategy is not Strategy.ORDER


def _as_given(targets: Sequence[Target], place: int, state: Presence) -> list[Target]:
    return list(targets)


def _from_place(targets: Sequence[Target], place: int, state: Presence) -> list[Target]:
    first = place % len(targets)
    return [*targets[first:], *targets[:first]]


def _shuffled(targets: Sequence[Target], place: int, state: Presence) -> list[Target]:
    """The same drawn number gives the same order, so that a decision can be told again."""
    mixed = list(targets)
    random.Random(state.draw).shuffle(mixed)  # noqa: S311 - who rings first is no secret
    return mixed


def _longest_idle(targets: Sequence[Target], place: int, state: Presence) -> list[Target]:
    """Who answered longest ago first; who never did, before all."""
    return sorted(targets, key=lambda target: state.answered.get(_extension(target), ""))


def _fewest_calls(targets: Sequence[Target], place: int, state: Presence) -> list[Target]:
    """Of those with the same number, who has been idle longest."""
    return sorted(_longest_idle(targets, place, state), key=lambda target: state.taken.get(_extension(target), 0))


def _extension(target: Target) -> str:
    return target.number.text if target.line == PHONES else ""


ORDERS: dict[Strategy, Order] = {
    Strategy.ORDER: _as_given,
    Strategy.ROUND_ROBIN: _from_place,
    Strategy.RANDOM: _shuffled,
    Strategy.LONGEST_IDLE: _longest_idle,
    Strategy.FEWEST_CALLS: _fewest_calls,
}
