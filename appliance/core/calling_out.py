"""Calling out from a phone: emergency numbers past everything, then rights, then the lines. Pure, a trace step each."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from appliance.core.causes import Cause
from appliance.core.model import (
    AnnounceStep,
    DialStep,
    Direction,
    Kind,
    LineId,
    Number,
    Outcome,
    Presence,
    Route,
    Step,
    Target,
    TraceStep,
)
from appliance.core.numbers import dial_class, display, matches
from appliance.core.plan import Line, Person, Plan


def emergency(dialled: str, plan: Plan, state: Presence, trace: Sequence[TraceStep], language: str) -> Route:
    """Every line, whatever its settings say: free ones first, then busy ones, then those that seem to be down."""

    def weight(line: Line) -> tuple[bool, bool, bool]:
        up, free = line.id in state.lines_up, line.id in state.lines_free
        return not free, not up, line.id not in state.lines_emergency

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
    refusal = _right(number, dialled, person, plan)
    trace.append(refusal)
    if refusal.outcome is Outcome.STOPPED:
        step = AnnounceStep("not-allowed", Cause.NOT_ALLOWED)
        return Route((step,), tuple(trace), Direction.OUT, language=person.language)
    targets, reasons = _lines_for(number, person, plan, state)
    trace += reasons
    last = AnnounceStep("all-busy", Cause.CONGESTION)
    steps: tuple[Step, ...] = (DialStep(tuple(targets)), last) if targets else (last,)
    return Route(steps, tuple(trace), Direction.OUT, language=person.language)


def _right(number: Number, dialled: str, person: Person, plan: Plan) -> TraceStep:
    """May this person dial that? Help lines are open to everybody."""
    if dialled in plan.help_numbers:
        return TraceStep("help-number", Outcome.PASSED, {"number": dialled})
    kind = dial_class(number, plan.country)
    facts = {"name": person.name, "class": kind, "number": display(number)}
    if kind in person.may_dial:
        return TraceStep("may-dial", Outcome.PASSED, facts, "/people")
    return TraceStep("may-not-dial", Outcome.STOPPED, facts, "/people")


def _lines_for(number: Number, person: Person, plan: Plan, state: Presence) -> tuple[list[Target], list[TraceStep]]:
    """The lines to try, in order: the person's own, then those of the rule that fits most exactly."""
    trace: list[TraceStep] = []
    targets: list[Target] = []
    for line_id in _wanted_lines(number, person, plan):
        line = plan.lines.get(line_id)
        if line is None or not line.outgoing:
            continue
        facts = {"line": line.label}
        if line_id not in state.lines_up:
            trace.append(TraceStep("line-down", Outcome.SKIPPED, facts, f"/lines/{line_id}"))
        elif line_id not in state.lines_free:
            trace.append(TraceStep("line-busy", Outcome.SKIPPED, facts, f"/lines/{line_id}"))
        else:
            targets.append(Target(line_id, number, line.label))
            trace.append(TraceStep("goes-out", Outcome.CHOSEN, {**facts, "number": display(number)}, "/outgoing"))
    if not targets:
        trace.append(TraceStep("no-line", Outcome.STOPPED, {}, "/outgoing"))
    return targets, trace


def _wanted_lines(number: Number, person: Person, plan: Plan) -> Iterable[LineId]:
    fitting = [rule for rule in plan.outgoing if rule.pattern == "*" or matches(rule.pattern, number)]
    best = max(fitting, key=lambda rule: (not rule.pattern.endswith("*"), len(rule.pattern)), default=None)
    ruled = plan.lines if not plan.outgoing else best.lines if best else ()  # without a rule every line will do
    wanted = ([person.outgoing_line] if person.outgoing_line else []) + list(ruled)
    return dict.fromkeys(wanted)
