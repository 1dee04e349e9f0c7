"""One call: a caller leg and the legs tried for it. Events in, commands out; no clock, no I/O.

The machine is `TABLE`: (state, event, side) -> method. A method sets the next state first and then gives the commands.
An event without a row changes nothing. The side of a leg is computed: `caller`; `callee`, a leg being rung; `target`,
the leg that answered; `stray`, a leg that lost, whose late answer is ended at once and whose end touches nobody. The
caller leg is answered only when a person, a prompt or a service takes the call: ringing costs the caller nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    CallId,
    DialStep,
    LegId,
    Number,
    Offer,
    RefuseStep,
    RingStep,
    Route,
    ServiceStep,
    Step,
    Target,
)
from appliance.core.plan import Plan

LONGEST_TALK = 4 * 3600.0  # seconds; a forgotten call must not hold a line for ever
NO_SIGN = 45.0  # an outside leg that neither rings nor ends: try the next line
NO_ANSWER = 90.0  # an outside leg that rings
ANNOUNCEMENT = 180.0  # a guard for prompts that never end
SUMMONS = 25.0  # how long a phone rings that the box itself calls
FAILOVER = frozenset({Cause.CONGESTION, Cause.LINE_LOST, Cause.TIMEOUT, Cause.FAULT, Cause.UNREACHABLE, Cause.MEDIA})


class State(StrEnum):
    """Where the call stands."""

    NEW = "new"
    RINGING = "ringing"  # legs are being tried
    CONNECTING = "connecting"  # somebody took it; the caller leg is being answered
    TALKING = "talking"
    OPENING = "opening"  # the caller leg is being answered for a prompt or service
    ANNOUNCING = "announcing"
    SERVING = "serving"
    ENDED = "ended"


@dataclass(slots=True)
class Leg:
    """What the call knows of one of its legs."""

    id: LegId
    line: str
    number: Number
    state: str = "dialling"  # dialling | ringing | talking | ended
    cause: str = ""
    detail: str = ""


@dataclass(slots=True)
class Call:
    """See the module. `at` is monotonic seconds, `wall` the journal's time text of the moment of the offer.

    A `summons` is a call of the box itself to a phone, to say something to it: its caller leg is dialled, not offered.
    """

    id: CallId
    offer: Offer
    route: Route
    plan: Plan
    at: float
    wall: str
    summons: bool = False
    state: State = State.NEW
    _steps: list[Step] = field(default_factory=list)
    _legs: dict[LegId, Leg] = field(default_factory=dict)
    _trying: set[LegId] = field(default_factory=set)
    _hunt: list[Target] = field(default_factory=list)
    _target: LegId | None = None
    _count: int = 0
    _holding: set[LegId] = field(default_factory=set)  # who put the other on hold
    _told_ringing: bool = False
    _early: bool = False
    _step: Step | None = None
    _caller: Number | None = None
    _caller_up: bool = False
    _answered_at: float | None = None
    _answered_by: str = ""
    _cause: Cause = Cause.NO_ANSWER
    _detail: str = ""

    # ---- from outside -------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """The row is written; late events of its legs need no call any more."""
        return self.state is State.ENDED

    def begin(self) -> list[do.Command]:
        """The first commands."""
        self._caller = self.offer.caller
        self._steps = list(self.route.steps)
        hit: list[do.Command] = [do.CountHit(self.route.block)] if self.route.block is not None else []
        return hit + self._next_step(self.at)

    def turn_away(self, route: Route, at: float) -> list[do.Command]:
        """The number came late and `route`, decided with it, refuses the caller: who rings falls silent, and the row
        tells both decisions. Nothing once somebody has answered."""
        if self.state is not State.RINGING:
            return []
        self.route = replace(route, trace=(*self.route.trace, *route.trace))
        self._steps = list(route.steps)
        hit: list[do.Command] = [do.CountHit(route.block)] if route.block is not None else []
        timers: list[do.Command] = [do.StopTimer(self.id, "no-answer"), do.StopTimer(self.id, "no-sign")]
        return [*hit, *self._drop_others(Cause.CANCELLED), *timers, *self._next_step(at)]

    def handle(self, event: ev.Event, at: float) -> list[do.Command]:
        """The commands that answer `event`."""
        leg = getattr(event, "leg", None)
        method = TABLE.get((self.state, type(event), self.side(leg)))
        return method(self, event, at) if method else []

    def side(self, leg: LegId | None) -> str:
        """ "caller", "callee", "target", "stray", or "" for events without a leg."""
        if leg is None:
            return ""
        if leg == self.offer.leg:
            return "caller"
        if leg == self._target:
            return "target"
        return "callee" if leg in self._trying else "stray"

    def leg_facts(self) -> list[dict[str, str]]:
        """The legs for the page: the caller first."""
        caller = {
            "leg": str(self.offer.leg), "line": str(self.offer.line), "number": self.offer.caller.text,
            "side": "caller", "state": "ended" if self.ended else "caller", "cause": "",
        }  # fmt: skip
        return [caller, *(self._facts(leg) for leg in self._legs.values())]

    def state_name(self) -> str:
        """For the page and the lamp: ringing, talking, held or announcement."""
        if self.state is State.TALKING:
            return "held" if self._holding else "talking"
        return "announcement" if self.state in (State.OPENING, State.ANNOUNCING, State.SERVING) else "ringing"

    def _facts(self, leg: Leg) -> dict[str, str]:
        return {
            "leg": str(leg.id), "line": leg.line, "number": leg.number.text, "side": self.side(leg.id),
            "state": leg.state, "cause": leg.cause,
        }  # fmt: skip

    # ---- steps --------------------------------------------------------------------------------------------------

    def _next_step(self, at: float) -> list[do.Command]:
        """The next step of the route; without one the caller is let go with the last cause."""
        if not self._steps:
            return self._finish(at, [do.HangUp(self.offer.leg, self._cause)])
        self._step = step = self._steps.pop(0)
        if isinstance(step, RingStep):
            return self._ring(step)
        if isinstance(step, DialStep):
            self._hunt = list(step.targets)
            return self._dial_next(at)
        if isinstance(step, RefuseStep):
            self._cause = Cause(step.cause)
            return self._finish(at, [do.HangUp(self.offer.leg, Cause(step.wire or step.cause))])
        return self._open_for(step, at)

    def _ring(self, step: RingStep) -> list[do.Command]:
        self.state = State.RINGING
        dials = [self._dial(target) for target in step.targets]
        return [*dials, do.StartTimer(self.id, "no-answer", step.seconds)]

    def _dial_next(self, at: float) -> list[do.Command]:
        if not self._hunt:
            return self._next_step(at)
        self.state = State.RINGING
        return [self._dial(self._hunt.pop(0)), do.StartTimer(self.id, "no-sign", NO_SIGN)]

    def _dial(self, target: Target) -> do.Dial:
        self._count += 1
        leg = LegId(f"{self.id}/{self._count}")
        self._legs[leg] = Leg(leg, str(target.line), target.number)
        self._trying.add(leg)
        shown, name = self._shown(target)
        return do.Dial(leg, target.line, target.number, shown, name)

    def _shown(self, target: Target) -> tuple[Number, str]:
        """Number and name the far end sees: the line's own number outside; inside the caller, with the line's name."""
        own = self.plan.lines.get(target.line)
        if own:
            return Number(own.own_number, self.offer.called.kind), ""
        caller = self._caller or self.offer.caller
        came_on = self.plan.lines.get(self.offer.line)
        if came_on:
            name = self.offer.name or ""
            return caller, f"{came_on.label}: {name}" if name else came_on.label
        person = self.plan.people.get(caller.text)
        return caller, person.name if person else self.offer.name or ""

    def _open_for(self, step: Step, at: float) -> list[do.Command]:
        """Answer the caller leg to play or serve something."""
        self.state = State.OPENING
        before: list[do.Command] = []
        if self.summons:
            dial = do.Dial(self.offer.leg, PHONES, self.offer.caller, self.offer.called, self.offer.name or "")
            return [dial, do.StartTimer(self.id, "no-answer", SUMMONS)]
        if isinstance(step, ServiceStep) and step.service == "night.toggle":
            before = [do.SetOverride("night", step.args.get("value", ""), self.offer.caller.text)]
        if self._caller_up:
            return before + self._opened(ev.Answered(self.offer.leg), at)
        return [*before, do.Answer(self.offer.leg)]

    # ---- rows of the table --------------------------------------------------------------------------------------

    def _rings(self, event: ev.Ringing, at: float) -> list[do.Command]:
        self._legs[event.leg].state = "ringing"
        out: list[do.Command] = []
        if isinstance(self._step, DialStep):
            out = [do.StopTimer(self.id, "no-sign"), do.StartTimer(self.id, "no-answer", NO_ANSWER)]
        if not self._told_ringing and not self._caller_up:
            self._told_ringing = True
            out.append(do.Ring(self.offer.leg))
        return out

    def _progresses(self, event: ev.Progressed, at: float) -> list[do.Command]:
        """Early media of a single outside leg is let through; of several phones it never is: which one?"""
        if not isinstance(self._step, DialStep) or self._early:
            return []
        self._early = True
        timers: list[do.Command] = [
            do.StopTimer(self.id, "no-sign"),
            do.StartTimer(self.id, "no-answer", NO_ANSWER),
        ]
        return [*timers, do.Progress(self.offer.leg), do.Join(self.offer.leg, event.leg)]

    def _taken(self, event: ev.Answered, at: float) -> list[do.Command]:
        self.state = State.CONNECTING
        self._target = event.leg
        winner = self._legs[event.leg]
        winner.state = "talking"
        self._trying.discard(event.leg)
        self._answered_by = winner.number.text if winner.line == PHONES else winner.line
        out: list[do.Command] = [do.StopTimer(self.id, "no-answer"), do.StopTimer(self.id, "no-sign")]
        out += self._drop_others(Cause.ELSEWHERE)
        if self._caller_up:
            return out + self._connected(ev.Answered(self.offer.leg), at)
        return [*out, do.Answer(self.offer.leg)]

    def _connected(self, event: ev.Answered, at: float) -> list[do.Command]:
        self.state = State.TALKING
        self._caller_up = True
        self._answered_at = at
        self._cause = Cause.NORMAL
        longest = do.StartTimer(self.id, "longest", LONGEST_TALK)
        caller, other = self.offer.leg, self._other()
        if not self._holding:
            return [do.Join(caller, other), longest]
        waiting = {caller, other} - self._holding
        return [*(do.Play(leg, "hold", self.route.language, loop=True) for leg in waiting), longest]

    def _callee_ended(self, event: ev.Ended, at: float) -> list[do.Command]:
        """One of those being tried is out. The last one ends the step: the next line of a hunt, or the next step."""
        self._mark_ended(event)
        self._trying.discard(event.leg)
        if self._trying:
            return []
        self._cause, self._detail = event.cause, event.detail
        out: list[do.Command] = [do.StopTimer(self.id, "no-answer"), do.StopTimer(self.id, "no-sign")]
        if not isinstance(self._step, DialStep):
            return out + self._next_step(at)
        if self._early:
            out.append(do.Part(self.offer.leg, event.leg))
            self._early = False
        if event.cause in FAILOVER or self._step.emergency:
            return out + self._dial_next(at)
        return out + self._finish(at, [do.HangUp(self.offer.leg, event.cause)])

    def _nobody_answered(self, event: ev.TimerFired, at: float) -> list[do.Command]:
        if event.name not in ("no-answer", "no-sign"):
            return []
        out = self._drop_others(Cause.NO_ANSWER)
        self._cause = Cause.NO_ANSWER if event.name == "no-answer" else Cause.TIMEOUT
        if isinstance(self._step, DialStep) and event.name == "no-sign":
            return out + self._dial_next(at)
        if isinstance(self._step, DialStep):
            return out + self._finish(at, [do.HangUp(self.offer.leg, Cause.NO_ANSWER)])
        return out + self._next_step(at)

    def _caller_gave_up(self, event: ev.Ended, at: float) -> list[do.Command]:
        lost = self.summons or event.cause in (Cause.LINE_LOST, Cause.MEDIA, Cause.FAULT, Cause.TIMEOUT)
        self._cause, self._detail = (event.cause if lost else Cause.CANCELLED), event.detail
        return self._finish(at, self._drop_others(Cause.CANCELLED))

    def _talk_ended(self, event: ev.Ended, at: float) -> list[do.Command]:
        """Either side hung up: end the other."""
        self._cause, self._detail = event.cause, event.detail
        out: list[do.Command] = []
        if event.leg == self.offer.leg:
            out.append(do.HangUp(self._other(), Cause.NORMAL))
        else:
            out.append(do.HangUp(self.offer.leg, Cause.NORMAL if self._caller_up else event.cause))
        self._mark_ended(event)
        return self._finish(at, out)

    def _too_long(self, event: ev.TimerFired, at: float) -> list[do.Command]:
        if event.name != "longest":
            return []
        self._cause = Cause.TIMEOUT
        return self._finish(at, [do.HangUp(self.offer.leg, Cause.NORMAL), do.HangUp(self._other(), Cause.NORMAL)])

    def _digit(self, event: ev.Digit, at: float) -> list[do.Command]:
        other = self._other() if event.leg == self.offer.leg else self.offer.leg
        return [do.SendDigits(other, event.digit)]

    def _held(self, event: ev.Held, at: float) -> list[do.Command]:
        """The one who is left waiting hears music, not the room of the other. They are joined when neither holds."""
        caller, other = self.offer.leg, self._other()
        holder, waiting = (caller, other) if event.leg == caller else (other, caller)
        if event.held == (holder in self._holding):
            return []
        (self._holding.add if event.held else self._holding.discard)(holder)
        music = self.route.language
        if waiting in self._holding:  # who holds as well does not listen
            return [do.StopPlay(holder)] if event.held else [do.Play(holder, "hold", music, loop=True)]
        if event.held:
            return [do.Part(caller, other), do.Play(waiting, "hold", music, loop=True)]
        return [do.StopPlay(waiting), do.Join(caller, other)]

    def _summons_ignored(self, event: ev.TimerFired, at: float) -> list[do.Command]:
        self._cause = Cause.NO_ANSWER
        return self._finish(at, [do.HangUp(self.offer.leg, Cause.NO_ANSWER)])

    def _number_known(self, event: ev.NumberKnown, at: float) -> list[do.Command]:
        self._caller = event.caller
        return []

    def _holds_early(self, event: ev.Held, at: float) -> list[do.Command]:
        """Who holds before both are up is not joined when they are."""
        (self._holding.add if event.held else self._holding.discard)(event.leg)
        return []

    def _opened(self, event: ev.Answered, at: float) -> list[do.Command]:
        """The caller leg is up: say or do what the step wants."""
        self._caller_up = True
        self._answered_at = at
        step = self._step
        if isinstance(step, ServiceStep):
            return [do.StopTimer(self.id, "no-answer"), *self._serve(step)]
        self.state = State.ANNOUNCING
        self._answered_by = "announcement"
        prompt = step.prompt if isinstance(step, AnnounceStep) else "nobody"
        self._cause = Cause(step.cause) if isinstance(step, AnnounceStep) else Cause.NO_ANSWER
        return [do.Play(self.offer.leg, prompt, self.route.language), self._guard()]

    def _serve(self, step: ServiceStep) -> list[do.Command]:
        self._answered_by = step.service
        self._cause = Cause.NORMAL
        if step.service == "echo":
            self.state = State.SERVING
            return [do.Join(self.offer.leg, self.offer.leg), do.StartTimer(self.id, "longest", LONGEST_TALK)]
        self.state = State.ANNOUNCING
        prompt = {"night.toggle": "night-on" if step.args.get("value") else "night-off"}.get(step.service, step.service)
        return [do.Play(self.offer.leg, prompt, self.route.language), self._guard()]

    def _guard(self) -> do.StartTimer:
        return do.StartTimer(self.id, "announcement", ANNOUNCEMENT)

    def _said(self, event: ev.PromptEnded | ev.TimerFired, at: float) -> list[do.Command]:
        return self._finish(at, [do.HangUp(self.offer.leg, Cause.NORMAL)])

    def _listener_left(self, event: ev.Ended, at: float) -> list[do.Command]:
        """Who hears an announcement hangs up: the reason for the announcement stays the cause of the call."""
        return self._finish(at, [])

    def _stray_answered(self, event: ev.Answered, at: float) -> list[do.Command]:
        return [do.HangUp(event.leg, Cause.ELSEWHERE)]

    def _stray_ended(self, event: ev.Ended, at: float) -> list[do.Command]:
        self._mark_ended(event)
        return []

    # ---- helpers ------------------------------------------------------------------------------------------------

    def _other(self) -> LegId:
        return self._target or self.offer.leg

    def _mark_ended(self, event: ev.Ended) -> None:
        leg = self._legs.get(event.leg)
        if leg and leg.state != "ended":
            leg.state, leg.cause, leg.detail = "ended", leg.cause or str(event.cause), event.detail

    def _drop_others(self, cause: Cause) -> list[do.Command]:
        dropped: list[do.Command] = []
        for leg in sorted(self._trying):
            self._legs[leg].state, self._legs[leg].cause = "ended", str(cause)
            dropped.append(do.HangUp(leg, cause))
        self._trying.clear()
        return dropped

    def _finish(self, at: float, last: Iterable[do.Command]) -> list[do.Command]:
        """The end: last commands, timers off, the row."""
        talked = self.state is State.TALKING
        self.state = State.ENDED
        ring_ms = round(((self._answered_at or at) - self.at) * 1000)
        talk_ms = round((at - self._answered_at) * 1000) if talked and self._answered_at is not None else 0
        if self._target and not talked:
            self._legs[self._target].cause = self._legs[self._target].cause or str(self._cause)
        return [*last, do.StoreCall(self._record(ring_ms, talk_ms))]

    def _called(self) -> Number:
        """Who was called: for a call to the outside the number itself, not how it was dialled."""
        outside = next((step for step in self.route.steps if isinstance(step, DialStep)), None)
        return outside.targets[0].number if outside and outside.targets else self.offer.called

    def _record(self, ring_ms: int, talk_ms: int) -> do.CallRecord:
        legs = tuple(
            {"leg": str(leg.id), "line": leg.line, "number": leg.number.text, "cause": leg.cause, "detail": leg.detail}
            for leg in self._legs.values()
        )
        return do.CallRecord(
            id=self.id,
            direction=self.route.direction,
            line=str(self.offer.line),
            caller=self._caller or self.offer.caller,
            called=self._called(),
            caller_name=self.offer.name or "",
            started_at=self.wall,
            ended_at="",
            ring_ms=ring_ms,
            talk_ms=talk_ms,
            answered_by=self._answered_by,
            cause=self._cause,
            detail=self._detail,
            legs=legs,
            trace=self.route.trace,
        )


Row = Callable[..., list[do.Command]]
S = State
TABLE: Mapping[tuple[State, type, str], Row] = {
    (S.RINGING, ev.Ringing, "callee"): Call._rings,
    (S.RINGING, ev.Progressed, "callee"): Call._progresses,
    (S.RINGING, ev.Answered, "callee"): Call._taken,
    (S.RINGING, ev.Ended, "callee"): Call._callee_ended,
    (S.RINGING, ev.TimerFired, ""): Call._nobody_answered,
    (S.RINGING, ev.Ended, "caller"): Call._caller_gave_up,
    (S.RINGING, ev.NumberKnown, "caller"): Call._number_known,
    (S.CONNECTING, ev.Answered, "caller"): Call._connected,
    (S.CONNECTING, ev.Held, "caller"): Call._holds_early,
    (S.CONNECTING, ev.Held, "target"): Call._holds_early,
    (S.CONNECTING, ev.Ended, "caller"): Call._talk_ended,
    (S.CONNECTING, ev.Ended, "target"): Call._talk_ended,
    (S.TALKING, ev.Ended, "caller"): Call._talk_ended,
    (S.TALKING, ev.Ended, "target"): Call._talk_ended,
    (S.TALKING, ev.Digit, "caller"): Call._digit,
    (S.TALKING, ev.Digit, "target"): Call._digit,
    (S.TALKING, ev.Held, "caller"): Call._held,
    (S.TALKING, ev.Held, "target"): Call._held,
    (S.TALKING, ev.TimerFired, ""): Call._too_long,
    (S.OPENING, ev.Answered, "caller"): Call._opened,
    (S.OPENING, ev.Ended, "caller"): Call._caller_gave_up,
    (S.OPENING, ev.TimerFired, ""): Call._summons_ignored,
    (S.ANNOUNCING, ev.PromptEnded, "caller"): Call._said,
    (S.ANNOUNCING, ev.TimerFired, ""): Call._said,
    (S.ANNOUNCING, ev.Ended, "caller"): Call._listener_left,
    (S.SERVING, ev.Ended, "caller"): Call._listener_left,
    (S.SERVING, ev.TimerFired, ""): Call._too_long,
    **{(state, ev.Answered, "stray"): Call._stray_answered for state in State},
    **{(state, ev.Ended, "stray"): Call._stray_ended for state in State},
}


def diagram() -> str:
    """The table as text for the manual: one line a row."""
    rows = sorted((str(s), e.__name__, side or "-", m.__name__.lstrip("_")) for (s, e, side), m in TABLE.items())
    return "\n".join(
        f"{state:11} {event:12} {side:7} -> {method.replace('_', ' ')}" for state, event, side, method in rows
    )
