"""One call: a caller leg and the legs tried for it. Events in, commands out; no clock, no I/O.

The machine is `TABLE`: (state, event, side) -> function. A function sets the next state first and then gives the
commands. An event without a row changes nothing. The rows stand with what they are about: ringing, talking, serving,
waiting (`call_ring`, `call_talk`, `call_serve`, `call_queue`).

The side of a leg is computed: `caller`, the party for whom somebody is sought (after a transfer: who stays);
`callee`, a leg being rung; `target`, the leg that answered; `third`, whom one of the two consults, or who parked the
call; `stray`, a leg that lost, whose late answer is ended at once and whose end touches nobody. The caller leg is
answered only when a person, a prompt or a service takes the call: ringing costs the caller nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from appliance.core import call_consult, call_pin, call_queue, call_ring, call_screen, call_serve, call_talk
from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import SUMMONS, Hunt, Leg, State
from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    CallId,
    DialStep,
    GreetStep,
    LegId,
    LineId,
    MailboxStep,
    MenuStep,
    Number,
    Offer,
    PinStep,
    QueueStep,
    RefuseStep,
    ResponsibleStep,
    RingStep,
    Route,
    ScreenStep,
    ServiceStep,
    Step,
    Target,
    ToneStep,
    TraceStep,
)
from appliance.core.plan import Plan

Commands = list[do.Command]
NO_LEG = LegId("")


@dataclass(slots=True)
class Call:
    """See the module. `at` is monotonic seconds, `wall` the journal's time text of the moment of the offer.

    A `summons` is a call of the box itself to a phone: its caller leg is dialled, and the steps begin once it answered.
    """

    id: CallId
    offer: Offer
    route: Route
    plan: Plan
    at: float
    wall: str
    summons: bool = False
    state: State = State.NEW
    near: LegId = NO_LEG  # the caller leg; after a transfer, who stays
    near_up: bool = False
    far: LegId | None = None  # who answered
    far_up: bool = True
    third: LegId | None = None  # whom one of the two consults
    legs: dict[LegId, Leg] = field(default_factory=dict)
    trying: set[LegId] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    step: Step | None = None
    lines_left: list[Target] = field(default_factory=list)  # of a DialStep
    hunt: Hunt | None = None  # of a RingStep
    holding: set[LegId] = field(default_factory=set)  # who put the other on hold
    hears: str = ""  # what the caller leg hears again and again
    typed: str = ""  # keys of a menu, of a code
    typist: LegId | None = None
    attended: bool = False  # the third is asked before he gets the call
    tries: int = 0
    place: int = 0  # in a queue
    wait: float = -1.0
    recording: str = ""
    sender: str = ""  # the extension that transferred or parked the call
    told_ringing: bool = False
    early: LegId | None = None  # whose early media the caller hears
    caller: Number | None = None
    answered_at: float | None = None
    answered_by: str = ""
    cause: Cause = Cause.NO_ANSWER
    detail: str = ""
    _count: int = 0

    # ---- from outside -------------------------------------------------------------------------------------------

    def __post_init__(self) -> None:
        self.near = self.near or self.offer.leg
        self.caller = self.offer.caller

    @property
    def ended(self) -> bool:
        """The row is written; late events of its legs need no call any more."""
        return self.state is State.ENDED

    def begin(self) -> Commands:
        """The first commands."""
        self.steps = list(self.route.steps)
        hit: Commands = [do.CountHit(self.route.block)] if self.route.block is not None else []
        if self.summons:
            self.state = State.SUMMONING
            offer = self.offer
            dial = do.Dial(offer.leg, LineId(offer.line), offer.caller, offer.called, offer.name or "")
            return [*hit, dial, do.StartTimer(self.id, "no-answer", SUMMONS)]
        return hit + self.next_step(self.at)

    def turn_away(self, route: Route, at: float) -> Commands:
        """The number came late and `route`, decided with it, refuses the caller: who rings falls silent, and the row
        tells both decisions. Nothing once somebody has answered."""
        if self.state is not State.RINGING:
            return []
        self.add_trace(route.trace)
        self.steps = list(route.steps)
        hit: Commands = [do.CountHit(route.block)] if route.block is not None else []
        return [*hit, *self.drop_others(Cause.CANCELLED), *self.stop_timers(), *self.next_step(at)]

    def go_on(self, route: Route, at: float) -> Commands:
        """The router's answer to Decide: where the call goes on."""
        if self.state is State.CONSULTING:
            return call_consult.decided(self, route, at)
        if self.state is not State.DECIDING:
            return []
        self.add_trace(route.trace)
        recall = call_talk.recall(self)
        steps = [step for step in route.steps if call_talk.fits_transferred(step)] if recall else list(route.steps)
        self.steps = steps + recall
        return self.next_step(at)

    def refused(self, prompt: str, at: float) -> Commands:
        """The exchange's answer to TakeCall: there is nothing to take."""
        if self.state is not State.DECIDING:
            return []
        self.steps = [AnnounceStep(prompt, Cause.NOT_ALLOWED)]
        return self.next_step(at)

    def parked(self, slot: str, at: float) -> Commands:
        """The exchange's answer to Park: the slot, or "" when all are taken."""
        return call_talk.parked_on(self, slot)

    def handle(self, event: ev.Event, at: float) -> Commands:
        """The commands that answer `event`."""
        leg = getattr(event, "leg", None)
        row = TABLE.get((self.state, type(event), self.side(leg)))
        return row(self, event, at) if row else []

    def side(self, leg: LegId | None) -> str:
        """ "caller", "callee", "target", "third", "stray", or "" for events without a leg."""
        if leg is None:
            return ""
        if leg == self.near:
            return "caller"
        if leg == self.far:
            return "target"
        if leg == self.third:
            return "third"
        return "callee" if leg in self.trying else "stray"

    def leg_facts(self) -> list[dict[str, str]]:
        """The legs for the page: who called first."""
        here = self.offer.leg in (self.near, self.far) and not self.ended
        first = {
            "leg": str(self.offer.leg), "line": str(self.offer.line), "number": self.offer.caller.text,
            "side": "caller", "state": "caller" if here else "ended", "cause": "",
        }  # fmt: skip
        return [first, *(self._facts(leg) for leg in self.legs.values())]

    def state_name(self) -> str:
        """For the page and the lamp: ringing, talking, held, waiting, parked, message or announcement."""
        if self.state is State.TALKING:
            return "held" if self.holding else "talking"
        return NAMES.get(self.state, "ringing")

    def _facts(self, leg: Leg) -> dict[str, str]:
        return {
            "leg": str(leg.id), "line": leg.line, "number": leg.number.text, "side": self.side(leg.id),
            "state": leg.state, "cause": leg.cause,
        }  # fmt: skip

    # ---- legs that come from or go to another call ------------------------------------------------------------------

    def taken_by(self, leg: Leg, at: float) -> Commands:
        """Somebody dialled a code to take this ringing, waiting or parked call: his leg, offered to another call, is
        the one that answers."""
        self.legs[leg.id] = leg
        self.trying.add(leg.id)
        self.far_up = False
        let_go = call_talk.told_slot(self, None, at)
        return [*let_go, do.Answer(leg.id), *call_ring.won(self, leg.id, at, whisper=False)]

    def release(self, leg: LegId, at: float) -> Commands:
        """`leg` goes to another call; this one ends, and its other legs with it."""
        self.cause = Cause.NORMAL
        rest = [one for one in (self.near, self.far, self.third) if one not in (None, leg)]
        music: Commands = [do.StopPlay(leg)]
        if self.state is State.TALKING and self.far and not self.holding:
            music.append(do.Part(self.near, self.far))
        ends = [do.HangUp(one, Cause.NORMAL) for one in rest if one]
        return self.finish(at, [*music, *self.drop_others(Cause.CANCELLED), *ends])

    def replace(self, old: LegId, new: Leg, at: float) -> Commands:
        """`new`, answered already in another call, takes the place of `old`, which goes (RFC 3891, RFC 5589 7)."""
        leaving: Commands = [do.HangUp(old, Cause.NORMAL)]
        talking = self.state is State.TALKING and self.far is not None
        if talking and not self.holding:
            leaving.insert(0, do.Part(self.near, self.far or self.near))
        music = [do.StopPlay(one) for one in (self.near, self.far) if talking and one and one != old]
        self.legs[new.id] = new
        new.state = "talking"
        self.end_leg(old, Cause.NORMAL)
        self.holding.clear()
        if old == self.near:
            self.near, self.near_up, self.caller, self.hears = new.id, True, new.number, ""
        else:
            self.far = new.id
        if talking:
            join: Commands = [do.Join(self.near, self.far or self.near)]
            return [*leaving, *music, *join, *call_talk.record_again(self)]
        return [*leaving, *self.let_hear("tone-ringing")]

    # ---- steps --------------------------------------------------------------------------------------------------

    def next_step(self, at: float) -> Commands:
        """The next step of the route; without one the caller is let go with the last cause."""
        if not self.steps:
            return self.finish(at, [do.HangUp(self.near, self.cause)])
        self.step = self.steps.pop(0)
        return BEGIN[type(self.step)](self, self.step, at)

    def open_for(self, step: Step, at: float) -> Commands:
        """Answer the caller leg to play or serve something."""
        if isinstance(step, ServiceStep) and step.service in call_serve.TAKES:
            self.state = State.DECIDING
            what, by = call_serve.TAKES[step.service], self.extension_of(self.near)
            return [do.TakeCall(self.id, what, step.args.get("digits", ""), by)]
        self.state = State.OPENING
        before = call_serve.at_once(self, step) if isinstance(step, ServiceStep) else []
        if self.near_up:
            return before + opened(self, ev.Answered(self.near), at)
        if isinstance(step, AnnounceStep) and self.route.early and self.near == self.offer.leg:
            return [do.Progress(self.near), do.StartTimer(self.id, "early", call_serve.EARLY)]
        return [*before, do.Answer(self.near)]

    def add_trace(self, trace: Iterable[TraceStep]) -> None:
        """More reasons for the row."""
        self.route = replace(self.route, trace=(*self.route.trace, *trace))

    # ---- helpers ------------------------------------------------------------------------------------------------

    def dial(self, target: Target) -> do.Dial:
        """A new leg that is tried."""
        self._count += 1
        leg = LegId(f"{self.id}/{self._count}")
        self.legs[leg] = Leg(leg, str(target.line), target.number, target=target)
        self.trying.add(leg)
        shown, name = self.shown(target)
        number = replace(target.number, text=target.wire) if target.wire else target.number
        return do.Dial(leg, target.line, number, shown, name, target.withhold, target.when_free)

    def shown(self, target: Target) -> tuple[Number, str]:
        """Number and name the far end sees: the line's own number outside; inside the caller, with the line's name."""
        own = self.plan.lines.get(target.line)
        if own:
            return Number(own.own_number, self.offer.called.kind), ""
        caller, line = self.party()
        came_on = self.plan.lines.get(line)
        if came_on:
            name = self.offer.name or "" if self.near == self.offer.leg else ""
            return caller, f"{came_on.label}: {name}" if name else came_on.label
        person = self.plan.people.get(caller.text)
        return caller, person.name if person else self.offer.name or ""

    def party(self) -> tuple[Number, LineId]:
        """Number and line of the one for whom somebody is sought."""
        leg = self.legs.get(self.near)
        if leg is None:
            return self.caller or self.offer.caller, self.offer.line
        return leg.number, LineId(leg.line)

    def extension_of(self, leg: LegId) -> str:
        """The extension whose phone this leg is, or ""."""
        known = self.legs.get(leg)
        if known:
            return known.number.text if known.line == PHONES else ""
        return self.offer.caller.text if leg == self.offer.leg and self.offer.line == PHONES else ""

    def other(self, leg: LegId | None = None) -> LegId:
        """The far leg; of a given one, the one it talks to."""
        return self.near if leg is not None and leg == self.far else self.far or self.near

    def let_hear(self, prompt: str) -> Commands:
        """The caller leg hears it again and again, where it is up and does not hear it already; "" is silence."""
        if not self.near_up or prompt == self.hears:
            return []
        before, self.hears = self.hears, prompt
        if prompt:
            return [do.Play(self.near, prompt, self.route.language, loop=True)]
        return [do.StopPlay(self.near)] if before else []

    def music(self, leg: LegId) -> do.Play:
        """What who is on hold hears."""
        return do.Play(leg, self.route.music, self.route.language, loop=True)

    def leave(self, leg: LegId, rest: LegId) -> None:
        """`leg` is out of the call, `rest` stays and is the one for whom somebody is sought."""
        self.end_leg(leg, Cause.NORMAL, "transferred")
        self.near, self.near_up, self.far, self.third = rest, True, None, None
        self.holding.clear()
        self.hears, self.step = "", None

    def end_leg(self, leg: LegId, cause: Cause, detail: str = "") -> None:
        """Note that the leg is gone."""
        known = self.legs.get(leg)
        if known and known.state != "ended":
            known.state, known.cause, known.detail = "ended", known.cause or str(cause), detail

    def drop_others(self, cause: Cause) -> Commands:
        """Nobody else is tried any more."""
        dropped: Commands = self.part_early() if self.early in self.trying else []
        for leg in sorted(self.trying):
            self.legs[leg].state, self.legs[leg].cause = "ended", str(cause)
            dropped.append(do.HangUp(leg, cause))
        self.trying.clear()
        return dropped

    def part_early(self) -> Commands:
        """The early media that the caller hears ends."""
        leg, self.early = self.early, None
        return [do.Part(self.near, leg)] if leg else []

    def stop_timers(self) -> Commands:
        """Those of trying."""
        more = ("wave", "delay") if self.hunt else ()
        self.hunt = None
        return [do.StopTimer(self.id, name) for name in ("no-answer", "no-sign", *more)]

    def finish(self, at: float, last: Iterable[do.Command]) -> Commands:
        """The end: last commands, timers off, the row."""
        talked = self.state in (State.TALKING, State.CONSULTING)
        queued = self.state is State.QUEUED
        self.state = State.ENDED
        ring_ms = round(((self.answered_at or at) - self.at) * 1000)
        talk_ms = round((at - self.answered_at) * 1000) if talked and self.answered_at is not None else 0
        if self.far and not talked and self.far in self.legs:
            self.legs[self.far].cause = self.legs[self.far].cause or str(self.cause)
        tail: Commands = [do.Dequeue(self.id)] if queued else []
        tail += [do.StopRecord(self.recording)] if self.recording else []
        return [*last, *tail, do.StoreCall(self._record(ring_ms, talk_ms))]

    def _called(self) -> Number:
        """Who was called: for a call to the outside the number itself, not how it was dialled."""
        behind = (step.steps if isinstance(step, PinStep) else (step,) for step in self.route.steps)
        outside = next((step for steps in behind for step in steps if isinstance(step, DialStep)), None)
        mine = outside and outside.targets and self.offer.line == PHONES
        return outside.targets[0].number if outside and mine else self.offer.called

    def _record(self, ring_ms: int, talk_ms: int) -> do.CallRecord:
        legs = tuple(
            {"leg": str(leg.id), "line": leg.line, "number": leg.number.text, "cause": leg.cause, "detail": leg.detail}
            for leg in self.legs.values()
        )
        return do.CallRecord(
            id=self.id, direction=self.route.direction, line=str(self.offer.line),
            caller=self.caller if self.near == self.offer.leg and self.caller else self.offer.caller,
            called=self._called(), caller_name=self.offer.name or "", started_at=self.wall, ended_at="",
            ring_ms=ring_ms, talk_ms=talk_ms, answered_by=self.answered_by, cause=self.cause, detail=self.detail,
            legs=legs, trace=self.route.trace,
        )  # fmt: skip


def refuse(call: Call, step: RefuseStep, at: float) -> Commands:
    """Never answer: end the leg."""
    call.cause = Cause(step.cause)
    return call.finish(at, [do.HangUp(call.near, Cause(step.wire or step.cause))])


def tone(call: Call, step: ToneStep, at: float) -> Commands:
    """Ring no phone, and let the caller hear that it rings; who is up already hears the tone."""
    call.state = State.RINGING
    call.cause = Cause(step.cause)
    told: Commands = [] if call.told_ringing or call.near_up else [do.Ring(call.near)]
    call.told_ringing = True
    return [*told, *call.let_hear("tone-ringing"), do.StartTimer(call.id, "tone", step.seconds)]


def opened(call: Call, event: ev.Answered, at: float) -> Commands:
    """The caller leg is up: say or do what the step wants."""
    call.near_up = True
    if call.answered_at is None:
        call.answered_at = at
    return OPENED[type(call.step)](call, call.step, at)


def summoned(call: Call, event: ev.Answered, at: float) -> Commands:
    """The phone that the box called is up: the steps begin."""
    call.near_up = True
    return [do.StopTimer(call.id, "no-answer"), *call.next_step(at)]


def summons_ignored(call: Call, event: ev.TimerFired, at: float) -> Commands:
    """Nobody lifts."""
    call.cause = Cause.NO_ANSWER
    return call.finish(at, [do.HangUp(call.near, Cause.NO_ANSWER)])


def summons_failed(call: Call, event: ev.Ended, at: float) -> Commands:
    """The phone that the box called refuses, or is gone."""
    call.cause, call.detail = event.cause, event.detail
    return call.finish(at, [])


def stray_answered(call: Call, event: ev.Answered, at: float) -> Commands:
    """A leg that lost lifts late."""
    return [do.HangUp(event.leg, Cause.ELSEWHERE)]


def stray_ended(call: Call, event: ev.Ended, at: float) -> Commands:
    """A leg that lost is gone."""
    call.end_leg(event.leg, event.cause, event.detail)
    return []


Row = Callable[..., Commands]
S = State
NAMES: Mapping[State, str] = {
    S.OPENING: "announcement", S.ANNOUNCING: "announcement", S.SERVING: "announcement", S.GREETING: "announcement",
    S.CHOOSING: "announcement", S.ASKING: "announcement",
    S.RECORDING: "message", S.QUEUED: "waiting", S.PARKED: "parked", S.CONSULTING: "held",
    S.DECIDING: "ringing",
}  # fmt: skip
BEGIN: Mapping[type, Row] = {
    RefuseStep: refuse,
    ToneStep: tone,
    RingStep: call_ring.ring,
    DialStep: call_ring.dial_out,
    ResponsibleStep: call_ring.look_up,
    **dict.fromkeys(
        (AnnounceStep, GreetStep, QueueStep, MenuStep, MailboxStep, ServiceStep, PinStep, ScreenStep), Call.open_for
    ),
}
OPENED: Mapping[type, Row] = {
    **call_serve.OPENED,
    QueueStep: call_queue.wait,
    PinStep: call_pin.ask,
    ScreenStep: call_screen.ask,
}
TABLE: Mapping[tuple[State, type, str], Row] = {
    (S.SUMMONING, ev.Answered, "caller"): summoned,
    (S.SUMMONING, ev.TimerFired, ""): summons_ignored,
    (S.SUMMONING, ev.Ended, "caller"): summons_failed,
    (S.OPENING, ev.Answered, "caller"): opened,
    (S.OPENING, ev.Ended, "caller"): call_ring.gave_up,
    **call_ring.ROWS,
    **call_queue.ROWS,
    **call_talk.ROWS,
    **call_consult.ROWS,
    **call_serve.ROWS,
    **call_pin.ROWS,
    **call_screen.ROWS,
    **{(state, ev.Answered, "stray"): stray_answered for state in State},
    **{(state, ev.Ended, "stray"): stray_ended for state in State},
}


def diagram() -> str:
    """The table as text for the manual: one line a row."""
    rows = sorted((str(s), e.__name__, side or "-", m.__name__.lstrip("_")) for (s, e, side), m in TABLE.items())
    return "\n".join(
        f"{state:11} {event:12} {side:7} -> {method.replace('_', ' ')}" for state, event, side, method in rows
    )
