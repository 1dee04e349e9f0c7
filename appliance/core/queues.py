"""Who waits in which queue, and whose turn it is. Pure state: the exchange tells what happened and asks `turns`.

Callers are served in the order in which they came. A waiting caller for whom phones ring keeps the place; colleagues
that did not answer him are asked again only when all others were. A caller who wants to be called back waits on without
a call: his turn gives a `Turn` with his number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.core import strategies
from appliance.core.model import PHONES, Kind, Number, Presence, Target
from appliance.core.plan import Group
from appliance.core.scheme import Strategy

FIRST_GUESS = 120.0  # seconds a call takes, until calls were seen
LEARNED = 0.2  # how much the newest call counts


@dataclass(slots=True)
class Waiting:
    """One who waits. `call` is "" for who will be called back."""

    call: str
    number: Number
    since: float
    line: str = ""
    ringing: tuple[str, ...] = ()  # the colleagues that are asked now
    tried: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Turn:
    """These colleagues are rung for this call; without a call, for a number that wants to be called back."""

    call: str
    group: str
    extensions: tuple[str, ...]
    seconds: float
    number: Number
    line: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A waiting call's place from 1, and the expected wait in seconds, -1 where nobody is there."""

    call: str
    place: int
    wait: float


@dataclass(slots=True)
class Queues:
    """All of them, by group id."""

    _waiting: dict[str, list[Waiting]] = field(default_factory=dict)
    _talk: dict[str, float] = field(default_factory=dict)  # seconds a call of the group takes
    _told: dict[str, int] = field(default_factory=dict)

    def enter(self, call: str, group: str, number: Number, at: float, line: str = "") -> None:
        """The call waits; one that waits already was not answered, and keeps its place."""
        for one in self._waiting.setdefault(group, []):
            if one.call == call:
                one.tried |= set(one.ringing)
                one.ringing = ()
                return
        self._waiting[group].append(Waiting(call, number, at, line))

    def leave(self, call: str) -> None:
        """The call waits no more."""
        self._told.pop(call, None)
        for group in self._waiting.values():
            group[:] = [one for one in group if one.call != call]

    def call_back(self, call: str, line: str) -> bool:
        """The caller hangs up and keeps his place. False where he waits no more."""
        for group in self._waiting.values():
            for one in group:
                if one.call == call:
                    one.call, one.line, one.ringing = "", line, ()
                    return True
        return False

    def called_back(self, group: str, number: Number) -> None:
        """He was reached, or could not be: he is out of the queue."""
        waiting = self._waiting.get(group, [])
        waiting[:] = [one for one in waiting if one.call or one.number != number]

    def talked(self, group: str, seconds: float) -> None:
        """A call of the queue ended after `seconds` of talk: expected waits learn from it."""
        before = self._talk.get(group, FIRST_GUESS)
        self._talk[group] = before + (seconds - before) * LEARNED

    def turns(self, groups: Mapping[str, Group], state: Presence) -> list[Turn]:
        """Whose turn it is now. A colleague is asked for one caller at a time."""
        asked = {extension for group in self._waiting.values() for one in group for extension in one.ringing}
        found: list[Turn] = []
        for group_id, waiting in self._waiting.items():
            group = groups.get(group_id)
            for one in waiting if group else ():
                if one.ringing or group is None:
                    continue
                chosen = _choose(group, one, asked, state)
                if not chosen:
                    continue
                one.ringing = chosen
                asked |= set(chosen)
                seconds = group.seconds if group.strategy is Strategy.ALL else group.step
                found.append(Turn(one.call, group_id, chosen, seconds, one.number, one.line))
        return found

    def places(self, groups: Mapping[str, Group], state: Presence) -> list[Place]:
        """The places that changed since they were asked for last."""
        found: list[Place] = []
        for group_id, waiting in self._waiting.items():
            group = groups.get(group_id)
            there = sum(state.present(extension) for extension in group.members) if group else 0
            for place, one in enumerate(waiting, 1):
                if one.call and self._told.get(one.call) != place:
                    self._told[one.call] = place
                    wait = place * self._talk.get(group_id, FIRST_GUESS) / there if there else -1.0
                    found.append(Place(one.call, place, wait))
        return found

    def length(self, group: str) -> int:
        """How many wait."""
        return len(self._waiting.get(group, ()))

    def rows(self) -> list[tuple[str, Waiting]]:
        """Everybody who waits, in order, for the page."""
        return [(group, one) for group, waiting in self._waiting.items() for one in waiting]


def _choose(group: Group, one: Waiting, asked: set[str], state: Presence) -> tuple[str, ...]:
    free = [extension for extension in group.members if state.available(extension) and extension not in asked]
    if not free:
        return ()
    fresh = [extension for extension in free if extension not in one.tried]
    if not fresh:
        one.tried.clear()
        fresh = free
    if group.strategy is Strategy.ALL:
        return tuple(fresh)
    targets = [Target(PHONES, Number(extension, Kind.INTERNAL)) for extension in fresh]
    place = state.places.get(f"group/{group.id}", 0)
    waves, _ = strategies.waves(group.strategy, targets, group.step, place, state)
    return (waves[0].targets[0].number.text if waves else fresh[0],)
