"""The words of calling out in the plan: caps, rates, what counts as night, which countries are open. All frozen.

Money is in minor units of the line's currency; a cap of 0 is no cap. Where no rate fits a call, it costs nothing here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

CLASSES = frozenset({"local", "national", "mobile", "abroad", "premium"})  # what goes outside


@dataclass(frozen=True, slots=True)
class Cap:
    """How much may be spent: minutes and money (minor units), in a day, a month and a night."""

    day_minutes: int = 0
    month_minutes: int = 0
    night_minutes: int = 0
    day_money: int = 0
    month_money: int = 0
    night_money: int = 0

    def over(self, other: "Cap") -> "Cap":
        """Each figure of this cap, and of the other where this one has none."""
        names = self.__dataclass_fields__
        return Cap(**{name: getattr(self, name) or getattr(other, name) for name in names})


@dataclass(frozen=True, slots=True)
class Rate:
    """What a minute costs to numbers that begin so. `per_minute`: ten-thousandths of the currency; `step`: seconds in
    which the operator counts, begun ones are paid whole."""

    beginning: str  # "+48", "" for all
    per_minute: int
    step: int = 60


@dataclass(frozen=True, slots=True)
class Night:
    """What counts as night. `start` to `end` is wall time of the office, over midnight where the end is earlier."""

    start: time = time(22)
    end: time = time(6)
    weekend: bool = False  # Saturday and Sunday are night all day
    switched: bool = True  # night mode is night, too


@dataclass(frozen=True, slots=True)
class Calling:
    """What holds for every call out. `countries`: ISO alpha-2 -> until when it is open (aware), None for good; the
    office's own is always open."""

    default_line: str = ""
    countries: Mapping[str, datetime | None] = field(default_factory=dict)
    longest: float = 4 * 3600.0  # seconds of talk, of any call
    a_minute: int = 20  # calls to the outside of one phone
    night: Night = field(default_factory=Night)
    night_classes: frozenset[str] = CLASSES  # what may be called at night
    person_cap: Cap = field(default_factory=Cap)  # of each person who has none
    masks: tuple[str, ...] = ()  # how numbers are shown: "+48 ## ### ## ##"
