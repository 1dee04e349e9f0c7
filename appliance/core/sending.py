"""Messages of ours: may one go, which part goes next, and what follows from what modem and network said.

A message is one or more parts; the states of its parts make its own. What was written down as "sending" may have left
the box: it is never sent again blindly. Without a result it is "uncertain" until a delivery report settles it; with a
result that says "later" the part waits again, and only that part. Everything here is pure: `now` is an aware moment of
the plan's clock, a changed message is a new object, and every decision has its reason, an id of `words.SENDING`.
"""

import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from appliance.core.model import Kind, LineId, Number
from appliance.core.numbers import dial_class
from appliance.core.plan import Line, Plan, SmsRules

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RETRY_MINUTES = (1, 5, 15, 15, 15)  # after these the first try is an hour old, and nobody waits for the message
UNSURE_MINUTES = 5
LONGEST_WAIT = timedelta(days=2)  # a message that could not be begun for so long is not wanted any more
REPORTS_FOR = timedelta(days=7)  # how long the network may take to tell (23.040 9.2.3.12 allows 63 weeks; none does)
CLOCK_SLACK = timedelta(hours=1)
TAIL_DIGITS = 8  # a report may name the recipient without its country
MOST_WAITING = 500
RECIPIENT = re.compile(r"\+?[0-9]{2,15}")
PEOPLE = frozenset({"page", "command line", "heartbeat"})  # origins that cannot make a loop
SENDS = frozenset({"up", "storage-full", "data-only"})  # states of a line that can send

OPEN = ("queued", "sending")

# what a code of +CMS ERROR means (27.005 3.2.5, 24.011 8.2.5.4): its reason, and whether it may be tried again
CODES: Mapping[int, tuple[str, str]] = {
    **dict.fromkeys((1, 28, 30), ("sms-unknown-number", "permanent")),
    **dict.fromkeys((8, 10, 29, 50, 69), ("sms-barred", "permanent")),
    21: ("sms-rejected", "permanent"),
    27: ("sms-unreachable", "temporary"),
    **dict.fromkeys((38, 41, 42, 47, 331, 332), ("sms-network", "temporary")),
    **dict.fromkeys((304, 305), ("sms-not-understood", "permanent")),
    **dict.fromkeys((310, 311, 313, 315, 316), ("sms-sim", "temporary")),
    **dict.fromkeys((301, 314, 320, 514, 515, 532), ("sms-modem-busy", "temporary")),
    330: ("sms-no-centre", "permanent"),
}
OTHER_CODE = ("sms-modem", "once")
NO_ANSWER = ("sms-no-answer", "temporary")  # code 0: no prompt came, nothing was sent


@dataclass(frozen=True, slots=True)
class OutPart:
    """One part as it goes out. `mr` is the modem's reference, which a report names; `status` the TP-ST of its last
    report; `sent_at` when it was begun."""

    sequence: int
    total: int
    pdu: str
    length: int
    state: str = "queued"
    mr: int | None = None
    sent_at: datetime | None = None
    status: int | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message of ours. `report`: a delivery report was asked for; `attempts` counts tries that failed; `detail` is
    the modem's own word for `reason`."""

    id: int
    line: LineId
    recipient: str
    created_at: datetime
    next_at: datetime
    parts: tuple[OutPart, ...]
    state: str = "queued"
    reason: str = ""
    detail: str = ""
    attempts: int = 0
    report: bool = True
    valid_minutes: int = 0  # 0: as long as the network keeps it

    def part(self, sequence: int) -> OutPart | None:
        """The part of that place."""
        return next((one for one in self.parts if one.sequence == sequence), None)

    @property
    def deadline(self) -> datetime:
        """Until when it must be begun."""
        return self.next_at + (timedelta(minutes=self.valid_minutes) if self.valid_minutes else LONGEST_WAIT)


@dataclass(slots=True)
class Traffic:
    """When parts left on one line, a day back. Caps count parts: the operator does too."""

    times: deque[datetime] = field(default_factory=deque)

    def add(self, at: datetime) -> None:
        """A part leaves now."""
        self.times.append(at)

    def within(self, now: datetime, span: timedelta) -> int:
        """How many left in the last `span`; what is older than a day is forgotten."""
        while self.times and now - self.times[0] > DAY:
            self.times.popleft()
        return sum(1 for at in self.times if timedelta() <= now - at < span)

    def just(self, now: datetime, seconds: float) -> bool:
        """Whether one left less than so many seconds ago. A clock that was set back holds nothing up."""
        return bool(self.times) and timedelta() <= now - self.times[-1] < timedelta(seconds=seconds)


# ---- may it go ------------------------------------------------------------------------------------------------------


def refused(to: Number, line: Line, plan: Plan, origin: str) -> str:
    """Why nothing is sent to this number on this line, "" when it may go. A number that costs extra needs the line's
    explicit right, one of emergency never gets a message, and what no person began is not sent to ourselves."""
    if not line.sms.allowed:
        return "sms-line-may-not"
    if to.kind not in (Kind.E164, Kind.SHORT) or not RECIPIENT.fullmatch(to.text):
        return "sms-not-a-number"
    if to.text in plan.emergency:
        return "sms-emergency"
    if to.text in {one.own_number for one in plan.lines.values()}:
        return "" if origin in PEOPLE else "sms-own-number"
    if dial_class(to, line.country) == "premium" and not line.sms.premium:
        return "sms-premium"
    return ""


def choose(plan: Plan, last: LineId | None, ready: Collection[LineId]) -> LineId | None:
    """The line for a message that names none: the one that this number wrote to last, else the first that works, else
    the first that may send at all."""
    may = [line.id for line in plan.lines.values() if line.sms.allowed]
    if last in may:
        return last
    return next((one for one in may if one in ready), next(iter(may), None))


# ---- which goes next ------------------------------------------------------------------------------------------------


def held_back(message: Outgoing, rules: SmsRules, traffic: Traffic, now: datetime, ready: bool, busy: bool) -> str:
    """Why it does not go now, "" when it may. A message that was begun goes on without a pause: an operator gives up
    the link, and the far end waits for the rest."""
    if not rules.allowed:
        return "sms-line-may-not"
    if not ready:
        return "sms-line-down"
    if busy:
        return "sms-in-call"
    if any(part.state in ("sent", "delivered", "uncertain") for part in message.parts):
        return ""
    if traffic.just(now, rules.gap):
        return "sms-gap"
    if traffic.within(now, HOUR) + len(message.parts) > rules.per_hour:
        return "sms-hour-cap"
    if traffic.within(now, DAY) + len(message.parts) > rules.per_day:
        return "sms-day-cap"
    return ""


def in_order(messages: Iterable[Outgoing]) -> list[Outgoing]:
    """Those that have something to send: the begun ones first, then by age."""
    return sorted(
        (one for one in messages if one.state in (*OPEN, "uncertain")), key=lambda one: (one.state != "sending", one.id)
    )


def next_part(message: Outgoing, rules: SmsRules, now: datetime) -> OutPart | None:
    """The part to send now, None when nothing is due. An uncertain one goes again only once, after five minutes, where
    the line's settings say so and no report can settle it."""
    if timedelta() < message.next_at - now <= HOUR:  # further ahead it cannot be: the clock was set back
        return None
    if message.state in OPEN:
        return next((one for one in message.parts if one.state == "queued"), None)
    if message.state == "uncertain" and rules.again and not message.report and message.attempts == 1:
        return next((one for one in message.parts if one.state == "uncertain"), None)
    return None


# ---- what follows ---------------------------------------------------------------------------------------------------


def began(message: Outgoing, sequence: int, now: datetime) -> Outgoing:
    """It is about to leave the box. This must be on disk before it does."""
    changed = _with(message, sequence, state="sending", sent_at=now, mr=None, status=None, reported_at=None)
    return replace(changed, reason="", detail="")


def sent(message: Outgoing, sequence: int, mr: int) -> Outgoing:
    """The network took it; a negative `mr` is none."""
    return _with(message, sequence, state="sent", mr=mr if mr >= 0 else None)


def failed(message: Outgoing, sequence: int, code: int, detail: str, now: datetime) -> Outgoing:
    """The modem or the network refused it: tried again later, or over."""
    reason, kind = NO_ANSWER if code == 0 else CODES.get(code, OTHER_CODE)
    most = {"permanent": 0, "once": 1}.get(kind, len(RETRY_MINUTES))
    if message.attempts >= most:
        return replace(_with(message, sequence, state="failed"), reason=reason, detail=detail)
    wait = timedelta(minutes=RETRY_MINUTES[message.attempts])
    later = _with(message, sequence, state="queued", sent_at=None)
    return replace(later, reason=reason, detail=detail, attempts=message.attempts + 1, next_at=now + wait)


def unsure(message: Outgoing, sequence: int, now: datetime) -> Outgoing:
    """It left the box and no result came: it may have arrived. The other parts go on."""
    changed = _with(message, sequence, state="uncertain")
    if changed.state != "uncertain":
        return replace(changed, attempts=message.attempts + 1)
    wait = timedelta(minutes=UNSURE_MINUTES)
    return replace(changed, reason="sms-no-result", attempts=message.attempts + 1, next_at=now + wait)


def interrupted(message: Outgoing, now: datetime) -> Outgoing:
    """After a start: what was being sent when the box went down may have arrived."""
    for part in message.parts:
        if part.state == "sending":
            message = unsure(message, part.sequence, now)
    return message


def expired(message: Outgoing, now: datetime) -> bool:
    """Whether it waited too long to be begun."""
    return message.state == "queued" and now > message.deadline


def given_up(message: Outgoing, reason: str) -> Outgoing:
    """Nothing more of it is sent."""
    parts = tuple(replace(one, state="failed") if one.state == "queued" else one for one in message.parts)
    return replace(message, parts=parts, state="failed", reason=reason, detail="")


def again(message: Outgoing, now: datetime) -> Outgoing:
    """A person wants it sent once more: only the parts that did not arrive, or may not have."""
    parts = tuple(
        replace(one, state="queued", mr=None, sent_at=None, status=None, reported_at=None)
        if one.state in ("failed", "uncertain") else one
        for one in message.parts
    )  # fmt: skip
    fresh = replace(message, parts=parts, reason="", detail="", attempts=0, next_at=now)
    return replace(fresh, state=_state(parts))


# ---- reports --------------------------------------------------------------------------------------------------------


def match(mr: int, recipient: str, messages: Iterable[Outgoing], now: datetime) -> tuple[Outgoing, OutPart] | None:
    """Whose report it is: the newest part with that reference and recipient; else one whose reference never came. `mr`
    counts to 255 and begins anew, so a part older than a week is not meant."""
    told = [
        (message, part)
        for message in messages
        if _tail(message.recipient) == _tail(recipient)
        for part in message.parts
        if part.sent_at is not None
        and part.state in ("sent", "uncertain")
        and -CLOCK_SLACK <= now - part.sent_at <= REPORTS_FOR
    ]
    told.sort(key=lambda pair: (pair[1].sent_at or now, pair[1].sequence), reverse=True)
    by_reference = next((pair for pair in told if pair[1].mr == mr), None)
    return by_reference or next((pair for pair in told if pair[1].mr is None and pair[0].report), None)


def reported(message: Outgoing, sequence: int, mr: int, status: int, now: datetime) -> Outgoing:
    """What a delivery report says (23.040 9.2.3.15): below 0x20 it arrived, below 0x40 the centre still tries, the rest
    is final."""
    state = "delivered" if status < 0x20 else "sent" if status < 0x40 else "failed"
    changed = _with(message, sequence, state=state, mr=mr, status=status, reported_at=now)
    if state == "failed":
        return replace(changed, reason="sms-not-delivered", detail=f"TP-ST {status:#04x}")
    return replace(changed, reason="" if changed.state != "uncertain" else changed.reason)


def live(message: Outgoing, now: datetime) -> bool:
    """Whether anything can still happen to it by itself: it waits, or a report may come."""
    if message.state in OPEN:
        return True
    if message.state not in ("sent", "uncertain"):
        return False
    newest = max((part.sent_at for part in message.parts if part.sent_at), default=message.created_at)
    waits = message.report or message.state == "uncertain"
    return waits and now - newest <= REPORTS_FOR


def _with(message: Outgoing, sequence: int, **changes: object) -> Outgoing:
    parts = tuple(
        replace(one, **changes) if one.sequence == sequence else one  # type: ignore[arg-type]
        for one in message.parts
    )
    return replace(message, parts=parts, state=_state(parts))


def _state(parts: tuple[OutPart, ...]) -> str:
    """Of a message out of those of its parts: the worst, then what is still to do."""
    states = {part.state for part in parts}
    if states == {"queued"}:
        return "queued"
    if states == {"delivered"}:
        return "delivered"
    if "failed" in states:
        return "failed"
    if states & {"sending", "queued"}:
        return "sending"
    return "uncertain" if "uncertain" in states else "sent"


def _tail(number: str) -> str:
    digits = "".join(c for c in number if c.isdecimal())
    return digits[-TAIL_DIGITS:]
