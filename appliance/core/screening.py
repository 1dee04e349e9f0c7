"""Who may not ring: block and allow entries, and each line's rule for callers without a number.

The allow list wins over every block. An entry may hold always or only outside hours, for one line or all, for calls or
messages. The verdict names the entry, so that its hits can be counted and the page can show it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appliance.core.model import Kind, LineId, Number, Outcome, TraceStep
from appliance.core.numbers import matches
from appliance.core.plan import Block, Line, Plan
from appliance.core.schedule import state_at

LINK = "/blocking"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Blocked or not, by which entry (None: by the line's own rule), how to turn the caller away, and why."""

    blocked: bool
    block: int | None = None
    action: str = ""  # reject | busy | announce, "" when not blocked
    trace: tuple[TraceStep, ...] = ()


def screen_call(caller: Number, line: Line, plan: Plan, open_now: bool) -> Verdict:
    """The verdict on a caller of `line`; `open_now` says whether the line is open."""
    entries = [b for b in plan.blocks if b.what in ("calls", "both") and b.line in (None, line.id)]
    allowed = _first(entries, caller, open_now, allow=True)
    if allowed:
        step = TraceStep("allow-list", Outcome.PASSED, {"pattern": allowed.pattern, "reason": allowed.reason}, LINK)
        return Verdict(False, allowed.id, "", (step,))
    block = _first(entries, caller, open_now, allow=False)
    if block:
        rule = "block-list-after-hours" if block.when == "after-hours" else "block-list"
        step = TraceStep(rule, Outcome.STOPPED, {"pattern": block.pattern, "reason": block.reason}, LINK)
        return Verdict(True, block.id, block.action or line.blocked, (step,))
    policy = {Kind.WITHHELD: line.withheld, Kind.UNAVAILABLE: line.unavailable}.get(caller.kind, "ring")
    if policy == "block" or (policy == "block-after-hours" and not open_now):
        step = TraceStep(f"line-{caller.kind}", Outcome.STOPPED, {"line": line.label}, f"/lines/{line.id}/incoming")
        return Verdict(True, None, line.blocked, (step,))
    return Verdict(False, None, "", (TraceStep("not-blocked", Outcome.PASSED, {}, LINK),))


def screen_sms(sender: Number, line: LineId, plan: Plan, now: datetime) -> Verdict:
    """The verdict on a message: blocked ones are stored and not mailed."""
    known = plan.lines.get(line)
    open_now = state_at(known.hours, now).open if known else True
    entries = [b for b in plan.blocks if b.what in ("messages", "both") and b.line in (None, line)]
    if _first(entries, sender, open_now, allow=True):
        return Verdict(False)
    block = _first(entries, sender, open_now, allow=False)
    return Verdict(True, block.id, "store") if block else Verdict(False)


def _first(entries: Iterable[Block], caller: Number, open_now: bool, *, allow: bool) -> Block | None:
    """The entry that fits most exactly: a whole number before a beginning, a long beginning before a short one."""
    fitting = [
        b
        for b in entries
        if b.allow is allow and not (b.when == "after-hours" and open_now) and matches(b.pattern, caller)
    ]
    return max(fitting, key=lambda b: (not b.pattern.endswith("*"), len(b.pattern), -b.id), default=None)
