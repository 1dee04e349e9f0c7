"""What a lamp on a phone may show: who is free, rings or talks; which line is in use; whether night mode is on.

Pure: facts of the moment in, one state per watched name out. Watched names are extensions, groups, lines, parking slots
and the codes of the night switch; whatever stands in no `watch` is not there to be watched.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from appliance.core.model import PHONES, Kind, Number, Offer
from appliance.core.plan import Plan

T = TypeVar("T")

NIGHT = "night.toggle"
MOST_TALKS = 4  # of one name; a document of more would not fit a datagram


class Stage(StrEnum):
    """How far a talk is, in the words of RFC 4235 3.7.1."""

    TRYING = "trying"  # the phone was called, it does not ring yet
    EARLY = "early"  # it rings
    CONFIRMED = "confirmed"  # it talks, or has picked up to dial: its lamp is lit


@dataclass(frozen=True, slots=True)
class Talk:
    """One call as the watched side has it. `id` stays the same while the call lasts."""

    id: str
    stage: Stage
    calling: bool = False  # the watched side began it
    other: str = ""  # the number of the other side, "" where it is hidden or unknown
    name: str = ""  # and its name


@dataclass(frozen=True, slots=True)
class Watched:
    """What is to be seen of a name. No talks: free. `seen_by`: extensions that may see who the other side is."""

    talks: tuple[Talk, ...] = ()
    reachable: bool = True
    seen_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ongoing:
    """A call in progress: its offer and its legs as `Call.leg_facts` tells them, the caller first."""

    offer: Offer
    legs: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known now. `parked`: every parking slot, "" for an empty one, else the number that waits there."""

    calls: tuple[Ongoing, ...] = ()
    registered: frozenset[str] = frozenset()
    lines_up: frozenset[str] = frozenset()
    do_not_disturb: frozenset[str] = frozenset()
    overrides: Mapping[str, str] = field(default_factory=dict)
    parked: Mapping[str, str] = field(default_factory=dict)


def watch(plan: Plan, moment: Moment, circles: Mapping[str, frozenset[str]]) -> dict[str, Watched]:
    """Every name that can be watched, and its state. A name that is two things is an extension before anything else.
    `circles`: those of the plan."""
    talks = _talks(plan, moment.calls)
    found: dict[str, Watched] = {code: _switch(code, moment) for code, deed in plan.codes.items() if deed == NIGHT}
    found |= {slot: _slot(plan, slot, waiting) for slot, waiting in moment.parked.items()}
    found |= {
        str(line.id): Watched(talks.get(str(line.id), ()), str(line.id) in moment.lines_up, _members(plan, line.group))
        for line in plan.lines.values()
    }
    people = {extension: _person(extension, talks, moment, circles[extension]) for extension in plan.people}
    found |= {group.id: _group([people[m] for m in group.members if m in people]) for group in plan.groups.values()}
    return {**found, **people}


def messages(plan: Plan, unheard: Callable[[str], tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """New and old messages of each extension's mailbox."""
    return {extension: unheard(extension) for extension in plan.people}


def changes(before: Mapping[str, T], now: Mapping[str, T]) -> list[tuple[str, T | None]]:
    """What to tell: names that are new or other than before, and None for those that are gone."""
    other = [(name, state) for name, state in now.items() if before.get(name) != state]
    return [*other, *((name, None) for name in before if name not in now)]


def circles(plan: Plan) -> dict[str, frozenset[str]]:
    """For each extension: who stands in a group with it, and itself. The same for as long as the plan is."""
    found = {extension: {extension} for extension in plan.people}
    for group in plan.groups.values():
        for member in found.keys() & set(group.members):
            found[member].update(group.members)
    return {extension: frozenset(circle) for extension, circle in found.items()}


# ---- parts -----------------------------------------------------------------------------------------------------------


def _person(extension: str, talks: Mapping[str, tuple[Talk, ...]], moment: Moment, circle: frozenset[str]) -> Watched:
    """Do-not-disturb shows as busy: whoever sees the lamp need not try."""
    own = talks.get(extension, ())
    if not own and extension in moment.do_not_disturb:
        own = (Talk(f"dnd-{extension}", Stage.CONFIRMED),)
    return Watched(own, extension in moment.registered, circle)


def _group(members: list[Watched]) -> Watched:
    """Rings when somebody of it rings; busy when nobody who is there is free."""
    there = [one for one in members if one.reachable]
    ringing = [talk for one in members for talk in one.talks if talk.stage is Stage.EARLY]
    busy = there and all(one.talks for one in there)
    shown = ringing[:1] or ([talk for one in there for talk in one.talks][:1] if busy else [])
    return Watched(tuple(Talk(talk.id, talk.stage, talk.calling) for talk in shown), bool(there))


def _switch(code: str, moment: Moment) -> Watched:
    lit = moment.overrides.get("night") == "on"
    return Watched((Talk("night", Stage.CONFIRMED),) if lit else ())


def _slot(plan: Plan, slot: str, waiting: str) -> Watched:
    talk = (Talk(f"parked-{slot}", Stage.CONFIRMED, other=waiting),) if waiting else ()
    return Watched(talk, True, frozenset(plan.people))


def _members(plan: Plan, group: str) -> frozenset[str]:
    found = plan.groups.get(group)
    return frozenset(found.members) if found else frozenset()


def _talks(plan: Plan, calls: Iterable[Ongoing]) -> dict[str, tuple[Talk, ...]]:
    """Talks by extension and by line."""
    found: dict[str, list[Talk]] = {}
    for call in calls:
        for index, leg in enumerate(call.legs):
            stage = _stage(call, index)
            if stage is None:
                continue
            name = leg["number"] if leg["line"] == PHONES else leg["line"]
            calling = (index == 0) is (leg["line"] == PHONES)  # a line's caller is outside: the line is called
            number, shown = _other(plan, call, index)
            found.setdefault(name, []).append(Talk(leg["leg"], stage, calling, number, shown))
    return {name: tuple(talks[:MOST_TALKS]) for name, talks in found.items()}


def _stage(call: Ongoing, index: int) -> Stage | None:
    """Who dials is lit at once; a line rings while nobody has answered its caller; None: not in the call any more."""
    leg = call.legs[index]
    if leg["state"] == "ended":
        return None
    if index == 0:
        waiting = call.offer.line != PHONES and not any(one["state"] == "talking" for one in call.legs[1:])
        return Stage.EARLY if waiting else Stage.CONFIRMED
    if leg["line"] != PHONES:
        return Stage.CONFIRMED
    stages = {"dialling": Stage.TRYING, "ringing": Stage.EARLY, "talking": Stage.CONFIRMED}
    return stages.get(leg["state"])


def _other(plan: Plan, call: Ongoing, index: int) -> tuple[str, str]:
    """Number and name of the other side. A line's own other side is outside; a phone's is the caller, or who answered,
    or what was dialled."""
    leg = call.legs[index]
    if leg["line"] != PHONES:
        return (call.offer.caller.text, call.offer.name or "") if index == 0 else (leg["number"], "")
    if index:
        return _shown(plan, call.offer.caller, call.offer.name or "")
    talking = [one["number"] for one in call.legs[1:] if one["state"] == "talking"]
    return _shown(plan, Number(talking[0] if talking else call.offer.called.text, Kind.INTERNAL), "")


def _shown(plan: Plan, number: Number, name: str) -> tuple[str, str]:
    person = plan.people.get(number.text)
    return number.text, person.name if person else name
