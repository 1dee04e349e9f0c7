"""Who gets this call? `route` answers for every offer, and says why in trace steps; it changes nothing.

The order for a call from outside: screening, night switch and hours, the group, nobody there. For a call from a phone:
emergency numbers first and past everything, feature codes, colleagues, our own numbers, rights, lines. One function
serves real calls and `explain`, so both give the same trace for the same moment.
"""

from collections.abc import Iterable
from datetime import datetime

from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    DialStep,
    Direction,
    Kind,
    LineId,
    Number,
    Offer,
    Outcome,
    Presence,
    RefuseStep,
    RingStep,
    Route,
    ServiceStep,
    Step,
    Target,
    TraceStep,
)
from appliance.core.numbers import dial_class, display, matches, parse
from appliance.core.plan import Line, Person, Plan
from appliance.core.schedule import state_at
from appliance.core.screening import Moment, blocking_code, screen_call

COLLEAGUE_SECONDS = 60.0  # how long a directly dialled colleague rings
LET_NEXT = "let-next"  # the override that lets one caller past blocks and hours
WIRE = {"busy": Cause.BUSY, "reject": Cause.REJECTED}


def route(offer: Offer, plan: Plan, now: datetime, state: Presence) -> Route:
    """The decision for `offer` at `now` (aware). Never raises for a line or a number it does not know."""
    if offer.line == PHONES:
        return _from_phone(offer, plan, now, state)
    line = plan.lines.get(offer.line)
    if line is None:
        step = TraceStep("no-such-line", Outcome.STOPPED, {"line": str(offer.line)}, "/lines")
        return Route((RefuseStep(Cause.UNKNOWN_NUMBER),), (step,), language=plan.language)
    return _from_outside(offer, line, plan, now, state)


# ---- from outside ------------------------------------------------------------------------------------------------


def _from_outside(offer: Offer, line: Line, plan: Plan, now: datetime, state: Presence) -> Route:
    trace = [TraceStep("came-in", Outcome.PASSED, {"caller": _shown(offer.caller), "line": line.label})]
    if state.overrides.get(LET_NEXT):
        steps, reasons = _ring_group(line, plan, state)
        trace.append(TraceStep("let-through", Outcome.PASSED, {}, "/"))
        return Route(tuple(steps), (*trace, *reasons), language=line.language)
    open_now, why = opening(line, now, state)
    moment = Moment(now, open_now, state.clock_sure, state.overrides, state.tries, state.digit)
    verdict = screen_call(offer.caller, line, plan, moment)
    trace += verdict.trace
    if verdict.blocked:
        step = _turn_away(verdict.action, "blocked", Cause.BLOCKED)
        return Route((step,), tuple(trace), block=verdict.block, language=line.language, adds=verdict.adds)
    trace.append(why)
    if not open_now:
        step = _turn_away(line.closed, line.closed_prompt, Cause.CLOSED)
        trace.append(TraceStep(f"then-{line.closed}", Outcome.CHOSEN, {}, f"/lines/{line.id}/incoming"))
        return Route((step,), tuple(trace), block=verdict.block, language=line.language)
    steps, reasons = _ring_group(line, plan, state)
    if verdict.screen and isinstance(steps[0], RingStep):
        steps = [verdict.screen, *steps]  # nobody is asked for a key where nobody can ring
    return Route(tuple(steps), (*trace, *reasons), block=verdict.block, language=line.language)


def opening(line: Line, now: datetime, state: Presence) -> tuple[bool, TraceStep]:
    """Whether the line is open, and the step that says why: the night switch first, then the hours."""
    night = state.overrides.get("night", "") if line.night else ""
    if night == "on":
        return False, TraceStep("night-on", Outcome.STOPPED, {}, "/hours/night")
    if night == "off":
        return True, TraceStep("night-off", Outcome.PASSED, {}, "/hours/night")
    hours = state_at(line.hours, now)
    until = hours.until.strftime("%Y-%m-%d %H:%M") if hours.until else ""
    rule = f"{'open' if hours.open else 'closed'}-{hours.reason}" + ("" if until else "-for-good")
    outcome = Outcome.PASSED if hours.open else Outcome.STOPPED
    return hours.open, TraceStep(rule, outcome, {"until": until, **hours.args}, f"/lines/{line.id}/incoming")


def _ring_group(line: Line, plan: Plan, state: Presence) -> tuple[list[Step], list[TraceStep]]:
    """The group's phones that are connected and free, and after them what the line does when nobody answers."""
    nobody = _turn_away(line.no_answer, "nobody", Cause.NO_ANSWER)
    after = TraceStep(f"nobody-{line.no_answer}", Outcome.CHOSEN, {}, f"/lines/{line.id}/incoming")
    group = plan.groups.get(line.group)
    if group is None or not group.members:
        empty = TraceStep("group-empty", Outcome.STOPPED, {"line": line.label}, f"/lines/{line.id}/incoming")
        return [nobody], [empty, after]
    trace: list[TraceStep] = []
    targets: list[Target] = []
    for extension in group.members:
        if extension not in state.registered:
            trace.append(TraceStep("phone-offline", Outcome.SKIPPED, {"extension": extension}, "/people"))
        elif extension in state.busy:
            trace.append(TraceStep("phone-busy", Outcome.SKIPPED, {"extension": extension}, "/people"))
        else:
            targets.append(_phone(extension, plan))
    if not targets:
        trace.append(TraceStep("nobody-there", Outcome.STOPPED, {"group": group.name}, "/people/groups"))
        return [nobody], [*trace, after]
    ringing = ", ".join(t.number.text for t in targets)
    facts = {"group": group.name, "who": ringing, "seconds": f"{group.seconds:g}"}
    trace.append(TraceStep("group-rings", Outcome.CHOSEN, facts, "/people/groups"))
    return [RingStep(tuple(targets), group.seconds, group.name), nobody], [*trace, after]


def _turn_away(action: str, prompt: str, cause: Cause) -> Step:
    return AnnounceStep(prompt, cause) if action == "announce" else RefuseStep(cause, WIRE.get(action, Cause.REJECTED))


def _phone(extension: str, plan: Plan) -> Target:
    person = plan.people.get(extension)
    return Target(PHONES, Number(extension, Kind.INTERNAL), person.name if person else extension)


def _shown(number: Number) -> str:
    return display(number) or str(number.kind)


# ---- from a phone ------------------------------------------------------------------------------------------------


def _from_phone(offer: Offer, plan: Plan, now: datetime, state: Presence) -> Route:
    dialled = offer.called.text
    person = plan.people.get(offer.caller.text)
    language = person.language if person else plan.language
    trace = [TraceStep("dialled", Outcome.PASSED, {"extension": offer.caller.text, "number": dialled})]
    if dialled in plan.emergency:
        return _emergency(dialled, plan, state, trace, language)
    code = next((c for c, service in plan.codes.items() if dialled == c or _takes_number(service, c, dialled)), "")
    if code:
        return _code(code, dialled, plan, state, trace, language)
    if dialled in plan.people:
        return _colleague(offer, plan, state, trace, language)
    if person is None:
        trace.append(TraceStep("no-such-person", Outcome.STOPPED, {"extension": offer.caller.text}, "/people"))
        return Route((RefuseStep(Cause.NOT_ALLOWED),), tuple(trace), Direction.OUT, language=language)
    if dialled.isdigit() and len(dialled) in plan.extension_digits and dialled not in plan.help_numbers:
        trace.append(TraceStep("no-such-extension", Outcome.STOPPED, {"number": dialled}, "/people"))
        return Route((RefuseStep(Cause.UNKNOWN_NUMBER),), tuple(trace), Direction.INTERNAL, language=language)
    return _outside(dialled, person, plan, now, state, trace)


def _emergency(dialled: str, plan: Plan, state: Presence, trace: list[TraceStep], language: str) -> Route:
    """Every line, whatever its settings say: free ones first, then busy ones, then those that seem to be down."""

    def weight(line: Line) -> tuple[bool, bool, bool]:
        up, free = line.id in state.lines_up, line.id in state.lines_free
        return not free, not up, line.id not in state.lines_emergency

    ordered = sorted(plan.lines.values(), key=weight)
    number = Number(dialled, Kind.SHORT)
    targets = tuple(Target(line.id, number, line.label) for line in ordered)
    facts = {"number": dialled, "lines": ", ".join(line.label for line in ordered)}
    trace.append(TraceStep("emergency", Outcome.CHOSEN, facts, "/lines"))
    steps: tuple[Step, ...] = (AnnounceStep("emergency-failed", Cause.CONGESTION),)
    if targets:
        steps = (DialStep(targets, emergency=True), *steps)
    return Route(steps, tuple(trace), Direction.OUT, emergency=True, language=language)


def _takes_number(service: str, code: str, dialled: str) -> bool:
    return service == "block-number" and dialled.startswith(code)


def _code(code: str, dialled: str, plan: Plan, state: Presence, trace: list[TraceStep], language: str) -> Route:
    service = plan.codes[code]
    args = {"value": "" if state.overrides.get("night") == "on" else "on"} if service == "night.toggle" else {}
    if service in ("block-number", "block-last"):
        service, args = blocking_code(service, parse(dialled.removeprefix(code), plan.country), plan, state.last_caller)
    trace.append(TraceStep("feature-code", Outcome.CHOSEN, {"code": dialled, "service": service}))
    return Route((ServiceStep(service, args),), tuple(trace), Direction.INTERNAL, language=language)


def _colleague(offer: Offer, plan: Plan, state: Presence, trace: list[TraceStep], language: str) -> Route:
    extension = offer.called.text
    facts = {"extension": extension, "name": plan.people[extension].name}
    refusals = (
        (extension == offer.caller.text, "own-extension", Cause.BUSY),
        (extension not in state.registered, "phone-offline", Cause.NOT_REGISTERED),
        (extension in state.busy, "phone-busy", Cause.BUSY),
    )
    for holds, rule, cause in refusals:
        if holds:
            trace.append(TraceStep(rule, Outcome.STOPPED, facts, "/people"))
            return Route((RefuseStep(cause),), tuple(trace), Direction.INTERNAL, language=language)
    trace.append(TraceStep("colleague-rings", Outcome.CHOSEN, facts, "/people"))
    step = RingStep((_phone(extension, plan),), COLLEAGUE_SECONDS)
    return Route((step,), tuple(trace), Direction.INTERNAL, language=language)


def _outside(dialled: str, person: Person, plan: Plan, now: datetime, state: Presence, trace: list[TraceStep]) -> Route:
    number = parse(dialled, plan.country)
    own = next((line for line in plan.lines.values() if line.own_number and line.own_number == number.text), None)
    if own:
        trace.append(TraceStep("own-number", Outcome.PASSED, {"line": own.label}, f"/lines/{own.id}"))
        steps, reasons = _ring_group(own, plan, state)
        return Route(tuple(steps), (*trace, *reasons), Direction.INTERNAL, language=person.language)
    refusal = _right(number, dialled, person, plan)
    trace.append(refusal)
    if refusal.outcome is Outcome.STOPPED:
        step = AnnounceStep("not-allowed", Cause.NOT_ALLOWED)
        return Route((step,), tuple(trace), Direction.OUT, language=person.language)
    targets, reasons = _lines_for(number, person, plan, state)
    trace += reasons
    last = AnnounceStep("all-busy", Cause.CONGESTION)
    steps = [DialStep(tuple(targets)), last] if targets else [last]
    return Route(tuple(steps), tuple(trace), Direction.OUT, language=person.language)


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
