"""Who gets this call? `route` answers for every offer, and says why in trace steps; it changes nothing.

The order for a call from outside: screening, night switch and hours, the group, nobody there. For a call from a phone:
emergency numbers first and past everything, feature codes, colleagues, our own numbers, rights, lines. One function
serves real calls and `explain`, so both give the same trace for the same moment.
"""

from dataclasses import replace
from datetime import datetime

from appliance.core import calling_out, feature_codes
from appliance.core.branches import branch_at
from appliance.core.causes import Cause
from appliance.core.destinations import (
    WIRE,
    Road,
    Steps,
    block_steps,
    dial_steps,
    ending,
    group_steps,
    person_steps,
    to_steps,
    whisper_of,
)
from appliance.core.feature_codes import Dialled
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    Direction,
    GreetStep,
    Kind,
    MailboxStep,
    MenuStep,
    Number,
    Offer,
    Outcome,
    Presence,
    QueueStep,
    RefuseStep,
    ResponsibleStep,
    RingStep,
    Route,
    ServiceStep,
    Step,
    TraceStep,
)
from appliance.core.numbers import display, parse
from appliance.core.plan import Line, Plan
from appliance.core.schedule import state_at
from appliance.core.scheme import Scheme
from appliance.core.screening import Moment, blocking_code, screen_call

LET_NEXT = "let-next"  # the override that lets one caller past blocks and hours
BACKUP_SECONDS = 120.0
RINGS = (RingStep, QueueStep, ResponsibleStep)  # somebody is there to ring: the caller is greeted first
LASTS = (MenuStep, MailboxStep, AnnounceStep)  # nothing comes after them


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
        steps, reasons = _received(offer, line, plan, now, state)
        trace.append(TraceStep("let-through", Outcome.PASSED, {}, "/"))
        return _route(steps, [*trace, *reasons], line)
    open_now, why = opening(line, now, state)
    moment = Moment(now, open_now, state.clock_sure, state.overrides, state.tries, state.digit)
    verdict = screen_call(offer.caller, line, plan, moment)
    trace += verdict.trace
    if verdict.blocked:
        step = _turn_away(verdict.action, "blocked", Cause.BLOCKED)
        return replace(_route([step], trace, line, verdict.block), adds=verdict.adds)
    steps, reasons = _by_mode(offer, line, plan, now, state, open_now, why)
    if verdict.screen and any(isinstance(step, RINGS) for step in steps):
        steps = [verdict.screen, *steps]  # nobody is asked for a key where nobody can ring
    return _route(steps, [*trace, *reasons], line, verdict.block)


def _route(steps: list[Step], trace: list[TraceStep], line: Line, block: int | None = None) -> Route:
    return Route(
        tuple(steps), tuple(trace), block=block, language=line.language, record=line.record,
        record_notice=line.record_notice, music=line.music or "hold", early=line.early,
    )  # fmt: skip


def _by_mode(
    offer: Offer, line: Line, plan: Plan, now: datetime, state: Presence, open_now: bool, why: TraceStep
) -> Steps:
    """Receive, send on, or take no calls (F66)."""
    road = Road(plan, now, state, line)
    if line.mode == "refuse":
        return ending(line.refuse, line.refuse_to, "closed", Cause.CLOSED, road, "refuse")
    if line.mode == "forward":
        dials, reasons = dial_steps(line.forward_to, line.forward_over, road)
        step = TraceStep("forwards-all", Outcome.CHOSEN, {"to": line.forward_to}, road.page)
        last, more = ending(line.no_answer, line.no_answer_to, "nobody", Cause.NO_ANSWER, road, "nobody")
        return [*dials, *last], [step, *reasons, *more]
    if line.scheme in plan.schemes:
        return _received(offer, line, plan, now, state)
    if not open_now:
        steps, reasons = _closed(line, road)
        return steps, [why, *reasons]
    steps, reasons = _received(offer, line, plan, now, state)
    return steps, [why, *reasons]


def opening(line: Line, now: datetime, state: Presence) -> tuple[bool, TraceStep]:
    """Whether the line is open, and the step that says why: the night switch first, then the hours. Without a clock
    that can be trusted it is open: time must not silently drop a caller."""
    night = state.overrides.get("night", "") if line.night else ""
    if night == "on":
        return False, TraceStep("night-on", Outcome.STOPPED, {}, "/hours/night")
    if night == "off":
        return True, TraceStep("night-off", Outcome.PASSED, {}, "/hours/night")
    if not state.clock_sure:
        return True, TraceStep("clock-unsure", Outcome.PASSED, {}, "/box/health")
    hours = state_at(line.hours, now)
    until = hours.until.strftime("%Y-%m-%d %H:%M") if hours.until else ""
    rule = f"{'open' if hours.open else 'closed'}-{hours.reason}" + ("" if until else "-for-good")
    outcome = Outcome.PASSED if hours.open else Outcome.STOPPED
    return hours.open, TraceStep(rule, outcome, {"until": until, **hours.args}, f"/lines/{line.id}/incoming")


def _received(offer: Offer, line: Line, plan: Plan, now: datetime, state: Presence) -> Steps:
    """The line takes the call: by its scheme, else by its group; then what happens when nobody answers."""
    scheme = plan.schemes.get(line.scheme)
    name = scheme.name if scheme else ""
    road = Road(plan, now, state, line, whisper_of(line, name, offer.name or "", offer.caller), line.whisper_prompt)
    if line.offline and not line_online(line, plan, state):
        nobody = TraceStep("line-offline", Outcome.STOPPED, {"line": line.label}, road.page)
        steps, reasons = ending(line.offline, line.offline_to, "nobody", Cause.NO_ANSWER, road, "offline")
        return steps, [nobody, *reasons]
    if scheme:
        steps, trace = by_scheme(scheme, line, now, road)
    else:
        steps, trace = ring_group(line, road)
    greeting, said = _greetings(offer, line, state) if any(isinstance(s, RINGS) for s in steps) else ([], [])
    return [*greeting, *steps], [*said, *trace]


def line_online(line: Line, plan: Plan, state: Presence) -> bool:
    """Somebody of this line is there (F70)."""
    users = plan.people if line.users is None else line.users
    return any(state.present(extension) for extension in users)


def _greetings(offer: Offer, line: Line, state: Presence) -> Steps:
    """What the caller hears before anybody is rung: the greeting of a first call, the welcome of every call."""
    steps: list[Step] = []
    trace: list[TraceStep] = []
    known = state.first_call is not True and (offer.caller.kind is Kind.E164 or not line.first_withheld)
    if line.first_greeting and not known:
        steps.append(GreetStep(line.first_greeting, first=True))
        trace.append(TraceStep("greets-first", Outcome.PASSED, {}, f"/lines/{line.id}/incoming"))
    if line.welcome:
        steps.append(GreetStep(line.welcome))
        trace.append(TraceStep("welcomes", Outcome.PASSED, {}, f"/lines/{line.id}/incoming"))
    return steps, trace


def _closed(line: Line, road: Road) -> Steps:
    """How a caller is let go outside hours; an announcement named for it comes before that of the line."""
    to = line.closed_to or (line.closed_prompt if line.closed == "announce" else "")
    return ending(line.closed, to, "closed", Cause.CLOSED, road, "then")


def by_scheme(scheme: Scheme, line: Line, now: datetime, road: Road) -> Steps:
    """The blocks of the branch that holds, in order; no branch, or nobody in any: how the line lets callers go."""
    night = road.state.overrides.get("night", "") if line.night else ""
    unsure = not road.state.clock_sure and night != "on"
    index, why = branch_at(scheme, line.hours, now, "off" if unsure else night)
    if unsure:
        why = replace(why, rule="branch-clock-unsure")
    if index is None:
        steps, reasons = _closed(line, road)
        return steps, [why, *reasons]
    steps, trace = [], [why]
    for number, block in enumerate(scheme.branches[index].blocks):
        one, reasons = block_steps(block, replace(road, later=bool(steps)), f"scheme/{scheme.id}/{index}/{number}")
        steps += one
        trace += reasons
        if any(isinstance(step, LASTS) for step in one):
            return steps, trace
    if not steps and scheme.backup:
        steps, reasons = to_steps(scheme.backup, road, BACKUP_SECONDS)
        trace += [TraceStep("scheme-backup", Outcome.CHOSEN, {}, f"/schemes/{scheme.id}"), *reasons]
    last, reasons = ending(line.no_answer, line.no_answer_to, "nobody", Cause.NO_ANSWER, road, "nobody")
    return [*steps, *last], [*trace, *reasons]


def ring_group(line: Line, road: Road) -> Steps:
    """A line without a scheme: its group, and after it what the line does when nobody answers."""
    last, after = ending(line.no_answer, line.no_answer_to, "nobody", Cause.NO_ANSWER, road, "nobody")
    group = road.plan.groups.get(line.group)
    if group is None or not group.members:
        return last, [TraceStep("group-empty", Outcome.STOPPED, {"line": line.label}, road.page), *after]
    steps, trace = group_steps(group, road)
    return [*steps, *last], [*trace, *after]


def _turn_away(action: str, prompt: str, cause: Cause) -> Step:
    return AnnounceStep(prompt, cause) if action == "announce" else RefuseStep(cause, WIRE.get(action, Cause.REJECTED))


def _shown(number: Number) -> str:
    return display(number) or str(number.kind)


# ---- from a phone ------------------------------------------------------------------------------------------------


def _from_phone(offer: Offer, plan: Plan, now: datetime, state: Presence) -> Route:
    dialled = offer.called.text
    person = plan.people.get(offer.caller.text)
    language = person.language if person else plan.language
    trace = [TraceStep("dialled", Outcome.PASSED, {"extension": offer.caller.text, "number": dialled})]
    if dialled in plan.emergency:
        return calling_out.emergency(dialled, plan, state, trace, language)
    code = feature_codes.read(dialled, plan)
    if code:
        return _code(code, offer.caller.text, plan, state, trace, language)
    if dialled in plan.people:
        return _colleague(offer, plan, now, state, trace, language)
    if person is None:
        trace.append(TraceStep("no-such-person", Outcome.STOPPED, {"extension": offer.caller.text}, "/people"))
        return Route((RefuseStep(Cause.NOT_ALLOWED),), tuple(trace), Direction.OUT, language=language)
    if dialled.isdigit() and len(dialled) in plan.extension_digits and dialled not in plan.help_numbers:
        trace.append(TraceStep("no-such-extension", Outcome.STOPPED, {"number": dialled}, "/people"))
        return Route((RefuseStep(Cause.UNKNOWN_NUMBER),), tuple(trace), Direction.INTERNAL, language=language)
    number = parse(dialled, plan.country)
    own = next((line for line in plan.lines.values() if line.own_number and line.own_number == number.text), None)
    if own:
        trace.append(TraceStep("own-number", Outcome.PASSED, {"line": own.label}, f"/lines/{own.id}"))
        steps, reasons = ring_group(own, Road(plan, now, state, own))
        return Route(tuple(steps), (*trace, *reasons), Direction.INTERNAL, language=language)
    return calling_out.outside(dialled, number, person, plan, now, state, trace)


def _code(code: Dialled, extension: str, plan: Plan, state: Presence, trace: list[TraceStep], language: str) -> Route:
    steps, why = feature_codes.steps_of(code, extension, state)
    if code.service in ("block-number", "block-last"):
        typed = parse(code.digits, plan.country)
        steps = [ServiceStep(*blocking_code(code.service, typed, plan, state.last_caller))]
    return Route(tuple(steps), (*trace, why), Direction.INTERNAL, language=language)


def _colleague(
    offer: Offer, plan: Plan, now: datetime, state: Presence, trace: list[TraceStep], language: str
) -> Route:
    """A colleague's phone, and around it where his calls are sent on: always, when busy, unanswered, not connected."""
    extension = offer.called.text
    if extension == offer.caller.text:
        facts = {"extension": extension, "name": plan.people[extension].name}
        trace.append(TraceStep("own-extension", Outcome.STOPPED, facts, "/people"))
        return Route((RefuseStep(Cause.BUSY),), tuple(trace), Direction.INTERNAL, language=language)
    steps, reasons = person_steps(extension, Road(plan, now, state, None))
    return Route(tuple(steps), (*trace, *reasons), Direction.INTERNAL, language=language)
