"""Calling out: emergency numbers past everything; then the rule, what it makes of the number, rights, and the lines.

Of all rules that fit, the one that fits most exactly counts: a whole number before a mask, a mask before a beginning, a
longer beginning before a shorter one; then one for certain people before one for everybody, one with hours before one
without, and the earlier of the list. The lines: the person's own, those of the rule, the default line of the office
(before a rule for all numbers, behind any other). Pure, and a trace step for each decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import inf

from appliance.core.caps import NOTHING, Charge, affords, left, price, rate_for
from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    DialStep,
    Direction,
    Kind,
    LineId,
    Number,
    Outcome,
    PinStep,
    Presence,
    Route,
    Step,
    Target,
    TraceStep,
)
from appliance.core.numbers import dial_class, display, matches, parse, wired
from appliance.core.plan import Line, OutgoingRule, Person, Plan
from appliance.core.rights import COSTLY, PIN_LIFTS, PROMPTS, may_call, may_use, night_now, pin_resting, seconds_of
from appliance.core.schedule import state_at

SHORTEST = 30.0  # seconds: a call that could only be cut off at once is not begun


def emergency(dialled: str, plan: Plan, state: Presence, trace: Sequence[TraceStep], language: str) -> Route:
    """Every line, whatever its settings say: free ones first, then busy ones, then those that seem to be down; SIMs
    before trunks, whose providers may not know where we are."""

    def weight(line: Line) -> tuple[bool, bool, bool, bool]:
        up, free = line.id in state.lines_up, line.id in state.lines_free
        return not free, not up, line.id not in state.lines_emergency, line.kind != "gsm"

    ordered = sorted(plan.lines.values(), key=weight)
    number = Number(dialled, Kind.SHORT)
    targets = tuple(Target(line.id, number, line.label) for line in ordered)
    facts = {"number": dialled, "lines": ", ".join(line.label for line in ordered)}
    why = TraceStep("emergency", Outcome.CHOSEN, facts, "/lines")
    steps: tuple[Step, ...] = (AnnounceStep("emergency-failed", Cause.CONGESTION),)
    if targets:
        steps = (DialStep(targets, emergency=True), *steps)
    return Route(steps, (*trace, why), Direction.OUT, emergency=True, language=language)


def outside(
    dialled: str, number: Number, person: Person, plan: Plan, now: datetime, state: Presence, trace: Sequence[TraceStep]
) -> Route:
    """The route of a number that is neither ours nor an emergency number. `trace`: what was decided before."""
    trace = list(trace)
    rule = best_rule(number, person, plan, now)
    if rule and (rule.cut or rule.add):
        changed = _rewritten(dialled, rule)
        trace.append(TraceStep("rewritten", Outcome.PASSED, {"number": dialled, "changed": changed}, "/outgoing"))
        if changed in plan.emergency:
            return emergency(changed, plan, state, trace, person.language)
        number = parse(changed, plan.country)
    verdict = may_call(number, person, plan, now, state)
    trace.append(verdict)
    stopped = verdict.outcome is Outcome.STOPPED
    with_pin = stopped and verdict.rule in PIN_LIFTS and person.pin
    if with_pin and pin_resting(person.extension, now, state):
        trace.append(TraceStep("pin-resting", Outcome.STOPPED, {"name": person.name}, "/people"))
        with_pin = ""
    if with_pin and seconds_of(person, plan, now, state, number) > 0:
        trace.append(TraceStep("pin-asked", Outcome.PASSED, {"name": person.name}, "/people"))
    elif stopped:
        step = AnnounceStep(PROMPTS[verdict.rule], Cause.NOT_ALLOWED)
        return Route((step,), tuple(trace), Direction.OUT, language=person.language)
    steps, reasons = over_lines(number, person, plan, now, state, rule)
    if with_pin:
        steps = (PinStep(person.extension, steps),)
    return Route(steps, (*trace, *reasons), Direction.OUT, language=person.language)


def best_rule(number: Number, person: Person | None, plan: Plan, now: datetime) -> OutgoingRule | None:
    """The rule that counts for this number, person and moment. See the module for the order."""
    fitting = [
        rule
        for rule in plan.outgoing
        if matches(rule.pattern, number)
        and (rule.people is None or (person is not None and person.extension in rule.people))
        and (rule.hours is None or state_at(rule.hours, now).open)
    ]
    return max(fitting, key=weight, default=None)


def weight(rule: OutgoingRule) -> tuple[bool, bool, int, bool, bool]:
    """How exactly a rule fits; the page lists rules by it."""
    beginning = rule.pattern.endswith("*")
    fixed = len(rule.pattern.replace("X", "").rstrip("*"))
    return not beginning, "X" not in rule.pattern, fixed, rule.people is not None, rule.hours is not None


def _rewritten(dialled: str, rule: OutgoingRule) -> str:
    """What is dialled, with digits cut off in front and others put there; a + goes with the digits it stands before."""
    bare = dialled.removeprefix("+") if rule.cut else dialled
    return f"{rule.add}{bare[rule.cut :]}"[:40]


# ---- lines --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call that looks for lines."""

    number: Number
    kind: str
    person: Person | None
    plan: Plan
    now: datetime
    state: Presence


def over_lines(
    number: Number,
    person: Person | None,
    plan: Plan,
    now: datetime,
    state: Presence,
    rule: OutgoingRule | None = None,
    wanted: Sequence[LineId] = (),
) -> tuple[tuple[Step, ...], list[TraceStep]]:
    """The steps of a call that is allowed: its lines in order, each with the longest talk it may have, and what is said
    when none takes it. `wanted`: lines to try instead of those of rule and person. A call that is sent on has no person
    but counts on its line as any other."""
    asked = _Asked(number, dial_class(number, plan.country), person, plan, now, state)
    trace: list[TraceStep] = []
    found: list[tuple[Target, float]] = []
    for line_id in wanted or _wanted_lines(person, plan, rule):
        line = plan.lines.get(line_id)
        if line is None:
            continue
        why, seconds = _usable(line, asked)
        facts = {"line": line.label, "number": display(number)}
        if why:
            trace.append(TraceStep(why, Outcome.SKIPPED, facts, LINKS.get(why, f"/lines/{line_id}")))
            continue
        wire = f"{line.dial_prefix}{wired(number, line.dial_form, line.country)}"
        target = Target(
            line_id, number, line.label, wire="" if wire == number.text else wire,
            withhold=bool(rule and rule.withhold),
        )  # fmt: skip
        found.append((target, seconds))
        trace.append(TraceStep("goes-out", Outcome.CHOSEN, facts, "/outgoing"))
        if seconds < plan.calling.longest:
            short = {**facts, "minutes": f"{seconds / 60:.0f}"}
            trace.append(TraceStep("talk-limited", Outcome.PASSED, short, "/outgoing/caps"))
    if not found:
        trace.append(TraceStep("no-line", Outcome.STOPPED, {}, "/outgoing"))
    capped = not found and any(step.rule in ("line-cap", "line-no-credit", "credit-unknown") for step in trace)
    last = AnnounceStep("cap-reached" if capped else "all-busy", Cause.CONGESTION)
    dials = [
        DialStep(tuple(target for target, _ in some), talk_seconds=seconds)
        for seconds, some in groupby(found, key=lambda one: one[1])
    ]
    return (*dials, last), trace


LINKS = {"line-cap": "/outgoing/caps"}


def _usable(line: Line, asked: _Asked) -> tuple[str, float]:
    """The id of why the line is passed over, or "" and how long the talk may be, in seconds."""
    state, plan = asked.state, asked.plan
    if not line.outgoing:
        return "line-not-out", 0.0
    if asked.person and not may_use(line, asked.person.extension, plan):
        return "line-not-yours", 0.0
    if line.id not in state.lines_up:
        return "line-down", 0.0
    if line.id not in state.lines_free:
        return "line-busy", 0.0
    longest = plan.calling.longest
    if asked.number.text in plan.help_numbers:
        return "", longest
    rate = rate_for(asked.number.text, line.rates)
    spent = state.spent.get(f"line/{line.id}", NOTHING)
    seconds = left(line.cap, spent, night_now(plan, asked.now, state), rate)
    if asked.person:
        person = state.spent.get(f"person/{asked.person.extension}", NOTHING)
        cap = asked.person.cap.over(plan.calling.person_cap)
        seconds = min(seconds, left(cap, person, night_now(plan, asked.now, state), rate))
    if seconds < SHORTEST:
        return "line-cap", 0.0
    why, credit = _credit(line, asked)
    return why, min(longest, seconds, affords(credit, rate))


def _credit(line: Line, asked: _Asked) -> tuple[str, float]:
    """Closed for abroad and premium numbers while the balance is not known; for all that costs when nothing is left."""
    if line.id not in asked.state.balances:
        return "", inf
    balance = asked.state.balances[line.id]
    if balance is None:
        return ("credit-unknown", 0.0) if asked.kind in COSTLY else ("", inf)
    rate = rate_for(asked.number.text, line.rates)
    empty = balance <= 0 or affords(balance, rate) < SHORTEST
    return ("line-no-credit", 0.0) if empty else ("", float(balance))


def _wanted_lines(person: Person | None, plan: Plan, rule: OutgoingRule | None) -> Iterable[LineId]:
    own = [person.outgoing_line] if person and person.outgoing_line else []
    default = [LineId(plan.calling.default_line)] if plan.calling.default_line else []
    if not plan.outgoing:  # without a rule every line will do
        return dict.fromkeys([*own, *default, *plan.lines])
    if rule is None:
        return dict.fromkeys([*own, *default])
    for_all = rule.pattern == "*" and rule.people is None and rule.hours is None
    ruled = [*default, *rule.lines] if for_all else [*rule.lines, *default]
    return dict.fromkeys([*own, *ruled])


# ---- what a call cost -----------------------------------------------------------------------------------------------

TALKED = frozenset({"", "normal", "timeout"})  # causes of legs that somebody spoke on; others never came so far


def charge_of(
    plan: Plan,
    began: datetime,
    line: str,
    caller: str,
    answered_by: str,
    talk_ms: int,
    legs: Iterable[Mapping[str, object]],
) -> Charge | None:
    """What a call costs that has talked for `talk_ms`; None where no line of ours was called out on, and for emergency
    and help numbers. `line` and `caller` are of who called first, `legs` those that were dialled, with line, number and
    cause. A call that was sent on or transferred counts on the line that was called out on, whole."""
    outside = [leg for leg in legs if LineId(str(leg.get("line"))) in plan.lines]
    talked = [leg for leg in outside if leg.get("line") == answered_by or str(leg.get("cause")) in TALKED]
    if talk_ms <= 0 or not talked:
        return None
    number = str(talked[-1].get("number"))
    if number in plan.emergency or number in plan.help_numbers:
        return None
    over = plan.lines[LineId(str(talked[-1].get("line")))]
    seconds = talk_ms / 1000
    money = price(seconds, rate_for(number, over.rates))
    return Charge(began, str(over.id), caller if line == PHONES else "", round(seconds), money)
