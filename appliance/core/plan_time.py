"""The parts of a week and of a year that plans are made of. Frozen; `schedule` reads them."""

from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Range:
    """Open from `start` on `day` (0 Monday) to `end`; end <= start reaches into the next day; both 00:00 is the whole
    day. Start included, end excluded. Local wall time of the line's zone."""

    day: int
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Holiday:
    """A closed day; `yearly` repeats it each year."""

    day: date
    name: str
    yearly: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """The week of a line. No ranges and `always` false: always closed."""

    always: bool
    ranges: tuple[Range, ...]
    holidays: tuple[Holiday, ...]
    zone: ZoneInfo
