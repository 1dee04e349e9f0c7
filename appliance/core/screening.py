"""Who may not ring: block and allow entries, each line's rule for callers without a number, and the key for strangers.

The order: the allow list wins over every block; a pause lets everybody ring; then the blocks, the line's own rule, and
who called too often outside hours. The verdict names the entry, so that its hits can be counted and the page can show
it. A clock that is not sure blocks nobody by hours or by a moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appliance.core.blocklist import Asked, Block
from appliance.core.model import Kind, LineId, Number, Outcome, ScreenStep, TraceStep
from appliance.core.plan import Line, Plan
from appliance.core.repeats import Tries, due
from appliance.core.schedule import state_at

LINK = "/blocking"
PAUSE = "pause-blocks"  # the override that lets everybody ring until a moment (ISO 8601 with its offset)
DIGITS = "35789"  # machines that dial press 0, 1 or 2 by themselves


@dataclass(frozen=True, slots=True)
class Moment:
    """What the verdict may know of the moment: `now` (aware), whether the line is open, whether the clock can be
    trusted, the overrides, and who called before outside hours."""

    now: datetime
    open_now: bool
    sure: bool = True
    overrides: Mapping[str, str] = field(default_factory=dict)
    tries: Tries = field(default_factory=dict)
    digit: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Blocked or not, by which entry (None: by the line's own rule), how to turn the caller away, and why. `screen`:
    not blocked, but asked for a key first. `adds`: an entry to make."""

    blocked: bool
    block: int | None = None
    action: str = ""  # reject | busy | announce, "" when not blocked
    trace: tuple[TraceStep, ...] = ()
    screen: ScreenStep | None = None
    adds: Block | None = None


def screen_call(caller: Number, line: Line, plan: Plan, at: Moment) -> Verdict:
    """The verdict on a caller of `line`."""
    asked = Asked(line.id, "calls", at.now, at.open_now, at.sure)
    allowed = plan.blocklist.best(caller, asked, allow=True)
    if allowed:
        return Verdict(False, _counted(allowed), "", (_step("allow-list", Outcome.PASSED, allowed, at),))
    until = paused_until(at.overrides, at.now)
    if until:
        step = TraceStep("blocking-paused", Outcome.PASSED, {"until": until.strftime("%H:%M")}, LINK)
        return Verdict(False, None, "", (step,))
    block = plan.blocklist.best(caller, asked, allow=False)
    if block:
        step = _step(_rule_of(block), Outcome.STOPPED, block, at)
        return Verdict(True, _counted(block), block.action or line.blocked, (step,))
    return _by_line(caller, line, plan, at)


def screen_sms(sender: Number, line: LineId, plan: Plan, now: datetime, sure: bool = True) -> Verdict:
    """The verdict on a message: blocked ones are stored and not mailed."""
    known = plan.lines.get(line)
    open_now = state_at(known.hours, now).open if known else True
    asked = Asked(line, "messages", now, open_now, sure)
    if plan.blocklist.best(sender, asked, allow=True):
        return Verdict(False)
    block = plan.blocklist.best(sender, asked, allow=False)
    return Verdict(True, _counted(block), "store") if block else Verdict(False)


def paused_until(overrides: Mapping[str, str], now: datetime) -> datetime | None:
    """Until when blocking is paused, in the zone of `now`; None where it is not, or not any more."""
    try:
        until = datetime.fromisoformat(overrides.get(PAUSE, ""))
    except ValueError:
        return None
    return until.astimezone(now.tzinfo) if until.tzinfo and until > now else None


def blocking_code(service: str, typed: Number, plan: Plan, last: Number | None) -> tuple[str, dict[str, str]]:
    """What a code that blocks does, and to whom: `typed` is the number behind `block-number`, `last` who called last. A
    number of our own, an emergency number and nobody are not blocked; the service is the prompt that is heard. No
    pattern where the entry is there already."""
    wanted = typed if service == "block-number" else last
    if wanted is None or wanted.kind not in (Kind.E164, Kind.SHORT) or wanted.text in plan.known | plan.emergency:
        return "block-nobody", {}
    held = any(entry.pattern == wanted.text and not entry.allow for entry in plan.blocklist)
    return service, {} if held else {"pattern": wanted.text}


def _by_line(caller: Number, line: Line, plan: Plan, at: Moment) -> Verdict:
    """What the line itself says of callers without a number, too frequent ones and strangers."""
    policy = {Kind.WITHHELD: line.withheld, Kind.UNAVAILABLE: line.unavailable}.get(caller.kind, line.strangers)
    link = f"/lines/{line.id}/incoming"
    if policy == "block" or (policy == "block-after-hours" and not at.open_now and at.sure):
        step = TraceStep(f"line-{caller.kind}", Outcome.STOPPED, {"line": line.label}, link)
        return Verdict(True, None, line.blocked, (step,))
    familiar = caller.text in plan.known
    if plan.repeats and not at.open_now and at.sure and not familiar:
        earned = due(at.tries, caller, at.now, plan.repeats)
        if earned and earned.ends:
            facts = {
                "pattern": earned.pattern, "calls": str(plan.repeats.calls), "minutes": str(plan.repeats.minutes),
                "until": earned.ends.strftime("%Y-%m-%d %H:%M"),
            }  # fmt: skip
            step = TraceStep("blocked-by-itself", Outcome.STOPPED, facts, "/blocking/automatic")
            return Verdict(True, None, line.blocked, (step,), adds=earned)
    clear = TraceStep("not-blocked", Outcome.PASSED, {}, LINK)
    if policy == "key" and at.open_now and not familiar:
        digit = at.digit if at.digit in DIGITS and at.digit else DIGITS[0]
        asks = TraceStep("asked-for-a-key", Outcome.CHOSEN, {"line": line.label}, link)
        return Verdict(False, None, "", (clear, asks), screen=ScreenStep(f"press-{digit}", digit))
    return Verdict(False, None, "", (clear,))


def _rule_of(block: Block) -> str:
    if block.origin == "automatic":
        return "block-automatic"
    if block.origin.startswith("list:"):
        return "block-subscribed"
    return "block-list-after-hours" if block.when == "after-hours" else "block-list"


def _step(rule: str, outcome: Outcome, entry: Block, at: Moment) -> TraceStep:
    facts = {"pattern": entry.pattern, "reason": entry.reason}
    if rule == "block-automatic" and entry.ends:
        facts["until"] = entry.ends.astimezone(at.now.tzinfo).strftime("%Y-%m-%d %H:%M")
    if rule == "block-subscribed":
        facts["list"] = entry.origin.removeprefix("list:")
    return TraceStep(rule, outcome, facts, LINK)


def _counted(entry: Block) -> int | None:
    return entry.id if entry.id > 0 else None
