"""The credit of a prepaid SIM: read out of a text, watched, topped up. Money is minor units (groszy, cents). Pure.

A fall is told once: from the first reading under the threshold until one above it. A top-up is written down before it
is done, counts for its day whether it worked or not, and never goes past the day's limit: a balance that cannot be
understood or a top-up that does nothing must not spend a drawer of vouchers. An unreadable balance is unknown, never
zero.
"""

import hashlib
import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from appliance.core.patterns import found

GENERIC = r"(?<![\d.,])(?P<amount>-?\d{1,6}(?:[ \u00a0]\d{3})?[.,]\d{2})(?!\d)"  # the first amount with two decimals
MOST = 10_000_000  # minor units: more is no balance of a SIM
RENEWAL_DAYS = 3  # how long before its day the money for a package must be there
FORECAST_READINGS = 3
MOST_USED = 500
CLOCK_BACK_DAYS = 7  # a box without a clock of its own wakes up with the time of its last shutdown
VOUCHER = "{voucher}"
SECRET_DIGITS = re.compile(r"\d[\d -]{6,}\d")  # long numbers in an answer to a top-up: its voucher, most likely


def amount_in(text: str, pattern: str = "") -> int | None:
    """The balance that a text tells, None when it tells none. `pattern`: with a group `amount`, or its first group."""
    said = found(pattern or GENERIC, text, "amount")
    return minor(said) if said else None


def minor(text: str) -> int | None:
    """ "1 234,50", "12.3", "-5" as minor units; None for what is no amount."""
    bare = re.sub(r"[\s\u00a0']", "", text)
    match = re.fullmatch(r"(-?)(\d{1,9}|\d{1,3}(?:[.,]\d{3})+)(?:[.,](\d{1,2}|\d{4}))?", bare)
    if not match:
        return None
    whole = int(re.sub(r"[.,]", "", match[2])) * 100 + int((match[3] or "0").ljust(2, "0")[:2])
    amount = -whole if match[1] else whole
    return amount if abs(amount) <= MOST else None


def shown(amount: int, currency: str) -> str:
    """ "12.30 PLN" """
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02} {currency}".strip()


@dataclass(frozen=True, slots=True)
class Guard:
    """A line's settings. `topup`: none, ussd, voucher, webhook; `code`: what is sent for it, with {voucher} where the
    digits go; `daily`: the most top-ups of a day. The vouchers are secrets."""

    low: int = 300
    renewal_cost: int = 0
    renewal_day: int = 0  # of the month; 0: no package
    topup: str = "none"
    code: str = ""
    vouchers: tuple[str, ...] = ()
    daily: int = 1

    def __repr__(self) -> str:
        return f"Guard(low={self.low}, topup={self.topup!r}, {len(self.vouchers)} vouchers)"

    def needed(self, today: date) -> int:
        """What must be there today: the threshold, and the package's cost when its day is near."""
        near = self.renewal_day and self.renewal_cost and days_until(self.renewal_day, today) <= RENEWAL_DAYS
        return max(self.low, self.renewal_cost) if near else self.low


@dataclass(frozen=True, slots=True)
class Kept:
    """What must outlive a restart. `day`: ISO, on which `count` top-ups were begun; `used`: marks of vouchers;
    `stopped`: the day and the reason for which a top-up was last not done."""

    told: bool = False
    day: str = ""
    count: int = 0
    used: tuple[str, ...] = ()
    stopped: str = ""

    @classmethod
    def of(cls, value: object) -> "Kept":
        """From what was stored; anything else is a new one."""
        if not isinstance(value, Mapping):
            return cls()
        used = value.get("used")
        count = value.get("count")
        marks = tuple(str(one) for one in used) if isinstance(used, list) else ()
        number = count if isinstance(count, int) else 0
        day, stopped = str(value.get("day") or ""), str(value.get("stopped") or "")
        return cls(bool(value.get("told")), day, number, marks, stopped)

    def stored(self) -> dict[str, object]:
        """As JSON takes it."""
        used = list(self.used[-MOST_USED:])
        return {"told": self.told, "day": self.day, "count": self.count, "used": used, "stopped": self.stopped}


@dataclass(frozen=True, slots=True)
class TellLow:
    """People should know, once a fall."""

    amount: int
    needed: int


@dataclass(frozen=True, slots=True)
class TopUp:
    """Send the code, or call the webhook. Only after the new `Kept` is on disk."""

    kind: str  # ussd | voucher | webhook
    code: str = ""

    def __repr__(self) -> str:
        return f"TopUp({self.kind!r})"


@dataclass(frozen=True, slots=True)
class TellNoTopUp:
    """It should be topped up and is not: `reason` is "limit" or "no-vouchers". Told once a day."""

    reason: str


Action = TellLow | TopUp | TellNoTopUp


def after_reading(guard: Guard, kept: Kept, amount: int, today: date) -> tuple[Kept, tuple[Action, ...]]:
    """What to remember and what to do now that the balance is known."""
    needed = guard.needed(today)
    if amount >= needed:
        return replace(kept, told=False), ()
    actions: list[Action] = [] if kept.told else [TellLow(amount, needed)]
    kept = replace(kept, told=True)
    if guard.topup == "none":
        return kept, tuple(actions)
    if is_new_day(kept.day, today):
        kept = replace(kept, day=today.isoformat(), count=0)
    voucher = next((one for one in guard.vouchers if mark(one) not in kept.used), "")
    reason = "limit" if kept.count >= guard.daily else "" if voucher or guard.topup != "voucher" else "no-vouchers"
    if reason:
        stopped = f"{kept.day} {reason}"
        told = kept.stopped == stopped
        return replace(kept, stopped=stopped), (*actions, *(() if told else (TellNoTopUp(reason),)))
    if guard.topup == "voucher":
        kept = replace(kept, used=(*kept.used, mark(voucher)))
    else:
        voucher = ""
    kept = replace(kept, count=kept.count + 1)
    return kept, (*actions, TopUp(guard.topup, guard.code.replace(VOUCHER, voucher)))


def is_new_day(day: str, today: date) -> bool:
    """Whether the count of top-ups begins anew. A clock that was set back has not made a new day of an old one."""
    try:
        ahead = (date.fromisoformat(day) - today).days
    except ValueError:
        return True
    return not 0 <= ahead <= CLOCK_BACK_DAYS


def mark(voucher: str) -> str:
    """Under which a used voucher is remembered; what it bought is spent, so a hash is secret enough."""
    return hashlib.sha256(voucher.encode()).hexdigest()[:32]


def vouchers_in(text: str) -> tuple[str, ...]:
    """The vouchers of a list, separated by spaces, commas or lines; each of digits."""
    return tuple(dict.fromkeys(re.findall(r"(?<!\d)\d{6,24}(?!\d)", re.sub(r"(?<=\d)-(?=\d)", "", text))))


def without_secrets(text: str) -> str:
    """An answer to a top-up without the long numbers in it."""
    return SECRET_DIGITS.sub("...", text)


def days_until(day: int, today: date) -> int:
    """Days until that day of a month; the last one where the month is shorter."""
    this = min(day, monthrange(today.year, today.month)[1])
    if this >= today.day:
        return this - today.day
    year, month = (today.year + 1, 1) if today.month == 12 else (today.year, today.month + 1)
    return (date(year, month, min(day, monthrange(year, month)[1])) - today).days


def runs_out(readings: Sequence[tuple[datetime, int]]) -> date | None:
    """The day the credit ends if it goes on as since the last top-up; None when it does not fall, or too little is
    known. `readings`: oldest first, aware times."""
    since: list[tuple[datetime, int]] = []
    for at, amount in readings:
        if since and amount > since[-1][1]:
            since = []
        since.append((at, amount))
    if len(since) < FORECAST_READINGS or since[0][1] <= since[-1][1]:
        return None
    took = (since[-1][0] - since[0][0]).total_seconds()
    rate = (since[0][1] - since[-1][1]) / took if took > 0 else 0.0
    if rate <= 0:
        return None
    left = since[-1][1] / rate
    return date.fromordinal(since[-1][0].date().toordinal() + int(min(left / 86400, 3650)))
