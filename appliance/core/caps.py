"""What calls out have cost, against what they may cost. Pure: times are arguments.

A `Ledger` keeps sums for each line and each person of the present day, month and night. A call counts where it began,
whole. The exchange fills it from the journal at its start, adds every call that ends, and counts those that run on top.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil, inf
from zoneinfo import ZoneInfo

from appliance.core.plan_calling import Cap, Night, Rate

WARN_PERCENT = 80
Key = str  # "line/gsm0", "person/101"


@dataclass(frozen=True, slots=True)
class Sum:
    """Seconds of talk and minor units of money."""

    seconds: int = 0
    money: int = 0

    def plus(self, seconds: int, money: int) -> "Sum":
        """With one more call."""
        return Sum(self.seconds + seconds, self.money + money)


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one line or person, up to now. `night` is of this night, nothing by day."""

    day: Sum = Sum()
    month: Sum = Sum()
    night: Sum = Sum()


NOTHING = Spent()


@dataclass(frozen=True, slots=True)
class Charge:
    """A call out that talked: when it began (aware), on which line, by whom ("" for a call that was sent on)."""

    at: datetime
    line: str
    person: str
    seconds: int
    money: int = 0

    def whose(self) -> tuple[Key, ...]:
        """Whose sums it raises."""
        return (f"line/{self.line}", *([f"person/{self.person}"] if self.person else []))


def is_night(night: Night, now: datetime, switched: str = "") -> bool:
    """Whether `now` (aware, in the office's zone) is night. `switched`: the night switch, "on" where it is on."""
    if night.switched and switched == "on":
        return True
    return (night.weekend and now.weekday() >= 5) or _within(night, now)


def _within(night: Night, now: datetime) -> bool:
    at = now.time()
    if night.start <= night.end:
        return night.start <= at < night.end
    return at >= night.start or at < night.end


def periods(night: Night, now: datetime, switched: str = "") -> tuple[str, str, str]:
    """Names of the day, the month and the night of `now`, which is in the office's zone; the night's is "" by day. A
    night has the date of its evening."""
    day = f"day {now.date().isoformat()}"
    month = f"month {now:%Y-%m}"
    if not is_night(night, now, switched):
        return day, month, ""
    morning = night.start > night.end and now.time() < night.end
    evening = now.date() - timedelta(days=1) if morning else now.date()
    return day, month, f"night {evening.isoformat()}"


@dataclass(frozen=True, slots=True)
class Lazily(Mapping[Key, Spent]):
    """A mapping whose values are made when they are asked for."""

    keys_: Collection[Key]
    make: Callable[[Key], Spent]

    def __getitem__(self, key: Key) -> Spent:
        if key not in self.keys_:
            raise KeyError(key)
        return self.make(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys_)

    def __len__(self) -> int:
        return len(self.keys_)


@dataclass(slots=True)
class Ledger:
    """See the module. `zone` and `night` are those of the plan; a change of them holds for what comes."""

    zone: ZoneInfo
    night: Night = field(default_factory=Night)
    _sums: dict[tuple[Key, str], Sum] = field(default_factory=dict)
    _month: str = ""

    def add(self, charge: Charge, switched: str = "") -> None:
        """A call that ended, or one of the journal; they come in the order of time, more or less."""
        names = self._periods(charge.at, switched)
        if names[1] != self._month:
            self._forget(names)
        for key in charge.whose():
            for name in names:
                if name:
                    sums = self._sums.get((key, name), Sum())
                    self._sums[key, name] = sums.plus(charge.seconds, charge.money)

    def spent(self, key: Key, now: datetime, running: Iterable[Charge] = (), switched: str = "") -> Spent:
        """The sums of `key` at `now` (aware), with those of its calls that still run."""
        return self._of(key, self._periods(now, switched), running)

    def of(
        self, keys: Collection[Key], now: datetime, running: Iterable[Charge], switched: str
    ) -> "Mapping[Key, Spent]":
        """The sums of many, each made when it is asked for: a decision asks for two or three of hundreds."""
        names, charges = self._periods(now, switched), tuple(running)
        return Lazily(keys, lambda key: self._of(key, names, charges))

    def _of(self, key: Key, names: Sequence[str], running: Iterable[Charge]) -> Spent:
        sums = [self._sums.get((key, name), Sum()) if name else Sum() for name in names]
        for charge in running:
            if key in charge.whose():
                sums = [
                    one.plus(charge.seconds, charge.money) if name else one
                    for one, name in zip(sums, names, strict=True)
                ]
        return Spent(*sums)

    def _periods(self, at: datetime, switched: str) -> tuple[str, str, str]:
        return periods(self.night, at.astimezone(self.zone), switched)

    def _forget(self, names: Sequence[str]) -> None:
        """Sums of months that are over."""
        self._month = names[1]
        self._sums = {place: sums for place, sums in self._sums.items() if place[1] in names}


# ---- prices and what is left ------------------------------------------------------------------------------------


def rate_for(number: str, rates: Iterable[Rate]) -> Rate | None:
    """The rate of the longest beginning that fits; None where none does."""
    fitting = [rate for rate in rates if number.startswith(rate.beginning)]
    return max(fitting, key=lambda rate: len(rate.beginning), default=None)


def price(seconds: float, rate: Rate | None) -> int:
    """Minor units that a talk of so many seconds costs; a begun step is paid whole, a begun minor unit too."""
    if rate is None or seconds <= 0:
        return 0
    step = max(1, rate.step)
    return ceil(ceil(seconds / step) * step * rate.per_minute / 6000)


def affords(money: float, rate: Rate | None) -> float:
    """Seconds that so many minor units pay for: whole steps."""
    if rate is None or rate.per_minute <= 0 or money == inf:
        return inf
    step = max(1, rate.step)
    return max(0.0, money * 6000 / rate.per_minute // step * step)


def left(cap: Cap, spent: Spent, night: bool, rate: Rate | None) -> float:
    """Seconds that may still be talked; `inf` without a cap, 0 when one is reached."""
    seconds = inf
    for minutes, money, done in _limits(cap, spent, night):
        if minutes:
            seconds = min(seconds, minutes * 60 - done.seconds)
        if money:
            seconds = min(seconds, 0.0 if done.money >= money else affords(money - done.money, rate))
    return max(0.0, seconds)


def used(cap: Cap, spent: Spent, night: bool) -> tuple[int, str]:
    """Percent of the cap that is nearest to its end, and which: "day", "month" or "night"; (0, "") without a cap."""
    shares = [(0, "")]
    for name, (minutes, money, done) in zip(("day", "month", "night"), _limits(cap, spent, night), strict=False):
        if minutes:
            shares.append((done.seconds * 100 // (minutes * 60), name))
        if money:
            shares.append((done.money * 100 // money, name))
    return max(shares)


def _limits(cap: Cap, spent: Spent, night: bool) -> list[tuple[int, int, Sum]]:
    limits = [(cap.day_minutes, cap.day_money, spent.day), (cap.month_minutes, cap.month_money, spent.month)]
    return [*limits, (cap.night_minutes, cap.night_money, spent.night)] if night else limits
