"""The network's own forwarding: what a line wants of it, what must be changed, whether it still holds (TS 22.082).

The network forwards when the box cannot: the SIM out of reach, busy, unanswered. What somebody else has set there (the
operator's mailbox, as a rule) stays, unless this line wants that reason or had set it itself. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

REASONS = ("unreachable", "busy", "no-answer", "all")  # in the order people read them
UNTOLD = "?"  # it is forwarded, and the network does not say where
TAIL = 9  # digits: networks give numbers back with and without their country


@dataclass(frozen=True, slots=True)
class Diverted:
    """Where calls go for a reason. As a wish: a number, or "" for not at all. `seconds`: 5 to 30, for no-answer; 0
    where the network does not tell."""

    reason: str
    number: str = ""
    seconds: int = 0

    @property
    def active(self) -> bool:
        """Whether calls are forwarded for this reason."""
        return bool(self.number)


@dataclass(frozen=True, slots=True)
class Wish:
    """A line's settings. Without a number nothing is wanted."""

    number: str = ""
    unreachable: bool = True
    busy: bool = False
    no_answer: bool = False
    seconds: int = 20
    all: bool = False

    def wanted(self) -> tuple[Diverted, ...]:
        """What the network shall hold."""
        if not self.number:
            return ()
        switches = {"unreachable": self.unreachable, "busy": self.busy, "no-answer": self.no_answer, "all": self.all}
        return tuple(
            Diverted(reason, self.number, self.seconds if reason == "no-answer" else 0)
            for reason in REASONS
            if switches[reason]
        )


def changes(wish: Wish, found: Sequence[Diverted], ours: Sequence[str]) -> tuple[Diverted, ...]:
    """What to set, and what to erase of what we set before (`ours`, reasons)."""
    wanted = wish.wanted()
    held = {one.reason: one for one in found}
    to_set = [one for one in wanted if not holds(one, held.get(one.reason))]
    keep = {one.reason for one in wanted}
    to_erase = [
        Diverted(reason)
        for reason in REASONS
        if reason in ours and reason not in keep and held.get(reason, Diverted(reason, UNTOLD)).active
    ]
    return (*to_erase, *to_set)


def holds(wanted: Diverted, found: Diverted | None) -> bool:
    """Whether the network does what is wanted; a time it does not tell is taken as right."""
    if found is None or not found.active or not same_number(wanted.number, found.number):
        return False
    return not wanted.seconds or not found.seconds or wanted.seconds == found.seconds


def same_number(one: str, other: str) -> bool:
    """The same but for how the country is written; a number that is not told is taken as right."""
    if UNTOLD in (one, other):
        return True
    a, b = (one.lstrip("+0"), other.lstrip("+0"))
    return bool(a and b) and (a == b or (min(len(a), len(b)) >= TAIL and a[-TAIL:] == b[-TAIL:]))


def deviations(wish: Wish, found: Sequence[Diverted]) -> tuple[str, ...]:
    """The reasons that are not as wanted. One that the network does not tell is none: nothing is known of it."""
    held = {one.reason: one for one in found}
    return tuple(one.reason for one in wish.wanted() if one.reason in held and not holds(one, held[one.reason]))
