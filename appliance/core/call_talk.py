"""Talking: joined, on hold, keys, sent on, parked, recorded."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from appliance.core import call_consult
from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import PARKED, RECALL, Leg, State
from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    DialStep,
    Kind,
    LegId,
    Number,
    Outcome,
    RefuseStep,
    RingStep,
    Step,
    Target,
    TraceStep,
)
from appliance.core.plan import Person, Plan

if TYPE_CHECKING:
    from appliance.core.call import Call

Commands = list[do.Command]
TYPED = 1.5  # seconds: keys of a code follow each other sooner
WARNED = 60.0  # seconds before the longest talk is over
NOT_KEPT = frozenset({Cause.NOT_ALLOWED, Cause.UNKNOWN_NUMBER, Cause.CONGESTION, Cause.BUSY, Cause.NOT_REGISTERED})


# ---- joined, on hold ---------------------------------------------------------------------------------------------


def connected(call: "Call", event: ev.Answered, at: float) -> Commands:
    """Both are up: they hear each other, unless one put the other on hold meanwhile."""
    call.near_up = True
    if not call.far_up:
        return []
    call.state = State.TALKING
    if call.answered_at is None:
        call.answered_at = at
    call.cause = Cause.NORMAL
    step = call.step
    out = step if isinstance(step, DialStep) and step.talk_seconds else None
    seconds = out.talk_seconds if out else call.plan.calling.longest
    longest: Commands = [do.StartTimer(call.id, "longest", seconds)]
    if out and out.warning and WARNED < seconds < call.plan.calling.longest:
        longest.append(do.StartTimer(call.id, "warn", seconds - WARNED))
    quiet = call.let_hear("")
    near, far = call.near, call.other()
    if not call.holding:
        return [*quiet, do.Join(near, far), *_record(call), *longest]
    waiting = {near, far} - call.holding
    return [*quiet, *(call.music(leg) for leg in waiting), *longest]


def taker_up(call: "Call", event: ev.Answered, at: float) -> Commands:
    """The phone that took the call by a code is up."""
    call.far_up = True
    return connected(call, event, at) if call.near_up else []


def held(call: "Call", event: ev.Held, at: float) -> Commands:
    """The one who is left waiting hears music, not the room of the other. They are joined when neither holds."""
    near, far = call.near, call.other()
    holder, waiting = (near, far) if event.leg == near else (far, near)
    if event.held == (holder in call.holding):
        return []
    (call.holding.add if event.held else call.holding.discard)(holder)
    if waiting in call.holding:  # who holds as well does not listen
        return [do.StopPlay(holder)] if event.held else [call.music(holder)]
    if event.held:
        return [do.Part(near, far), call.music(waiting)]
    return [do.StopPlay(waiting), do.Join(near, far)]


def holds_early(call: "Call", event: ev.Held, at: float) -> Commands:
    """Who holds before both are up is not joined when they are."""
    (call.holding.add if event.held else call.holding.discard)(event.leg)
    return []


def talk_ended(call: "Call", event: ev.Ended, at: float) -> Commands:
    """Either side hung up: end the other."""
    call.cause, call.detail = event.cause, event.detail
    last: Commands = []
    if event.leg == call.near:
        last.append(do.HangUp(call.other(), Cause.NORMAL))
    else:
        last.append(do.HangUp(call.near, Cause.NORMAL if call.near_up else event.cause))
    call.end_leg(event.leg, event.cause, event.detail)
    call.end_leg(call.other(event.leg), Cause.NORMAL)
    return call.finish(at, last)


def too_long(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """The longest talk is over; or a code that was begun is no code."""
    if event.name == "typed":
        return _typed_out(call, at)
    if event.name == "warn":
        return _warn(call)
    if event.name != "longest":
        return []
    call.cause = Cause.TIMEOUT
    return call.finish(at, [do.HangUp(call.near, Cause.NORMAL), do.HangUp(call.other(), Cause.NORMAL)])


def _warn(call: "Call") -> Commands:
    """Both hear that the talk ends in a minute; who is on hold has music already."""
    prompt = call.step.warning if isinstance(call.step, DialStep) else ""
    if not prompt or call.holding:
        return []
    return [do.Play(leg, prompt, call.route.language) for leg in (call.near, call.other())]


# ---- recording ---------------------------------------------------------------------------------------------------


def _record(call: "Call") -> Commands:
    people = (call.plan.people.get(call.extension_of(leg)) for leg in (call.near, call.other()))
    wanted = call.route.record or any(person and person.record for person in people)
    return start_record(call) if wanted and not call.recording else record_again(call)


def start_record(call: "Call") -> Commands:
    """From now on both are recorded, and told of it where the line wants that."""
    call.recording = f"{call.id}-{len(call.legs)}"
    notice = [do.Play(leg, "recorded", call.route.language) for leg in (call.near, call.other())]
    return [*record_again(call), *(notice if call.route.record_notice else [])]


def record_again(call: "Call") -> Commands:
    """The recording goes on with whoever talks now: one file a call."""
    if not call.recording:
        return []
    caller, line = call.party()
    return [do.Record(call.recording, call.near, call.other(), call=call.id, caller=caller, line=str(line))]


# ---- keys --------------------------------------------------------------------------------------------------------


def digit(call: "Call", event: ev.Digit, at: float) -> Commands:
    """Keys go to the other side, but for those that a colleague's code begins with: they wait until it is clear."""
    typist = call.typist in (None, event.leg) and call.extension_of(event.leg)
    typed = call.typed + event.digit if typist else ""
    if typed and any(code.startswith(typed) for code in call.plan.call_codes):
        call.typed, call.typist = typed, event.leg
        if typed in call.plan.call_codes and not any(
            code != typed and code.startswith(typed) for code in call.plan.call_codes
        ):
            return _code(call, at)
        return [do.StartTimer(call.id, "typed", TYPED)]
    passed = call.typed if typist else ""
    if typist:
        call.typed, call.typist = "", None
    return [do.SendDigits(call.other(event.leg), passed + event.digit)]


def _typed_out(call: "Call", at: float) -> Commands:
    if call.typed in call.plan.call_codes:
        return _code(call, at)
    typed, typist, call.typed, call.typist = call.typed, call.typist, "", None
    return [do.SendDigits(call.other(typist), typed)] if typed and typist else []


def _code(call: "Call", at: float) -> Commands:
    """A code typed in a call."""
    service, leg = call.plan.call_codes[call.typed], call.typist or call.near
    call.typed, call.typist = "", None
    return [do.StopTimer(call.id, "typed"), *CODES[service](call, leg, at)]


def _code_transfer(call: "Call", leg: LegId, at: float) -> Commands:
    return call_consult.begin(call, leg, attended=False)


def _code_attended(call: "Call", leg: LegId, at: float) -> Commands:
    return call_consult.begin(call, leg, attended=True)


def _code_park(call: "Call", leg: LegId, at: float) -> Commands:
    return park(call, leg, at)


def _code_record(call: "Call", leg: LegId, at: float) -> Commands:
    """On demand: on, or off."""
    if not call.recording:
        return [*start_record(call), do.Play(leg, "recording-on", call.route.language)]
    stopped, call.recording = call.recording, ""
    return [do.StopRecord(stopped), do.Play(leg, "recording-off", call.route.language)]


def _code_voicedrop(call: "Call", leg: LegId, at: float) -> Commands:
    return voicedrop(call, leg, "voicedrop", at)


def voicedrop(call: "Call", leg: LegId, prompt: str, at: float) -> Commands:
    """The colleague is free at once; the message plays to its end to the other, and then the call ends."""
    rest = call.other(leg)
    call.leave(leg, rest)
    call.state = State.ANNOUNCING
    out: Commands = [do.Part(leg, rest), do.HangUp(leg, Cause.NORMAL), do.Play(rest, prompt, call.route.language)]
    return [*out, do.StartTimer(call.id, "announcement", 600.0)]


# ---- transfer ----------------------------------------------------------------------------------------------------


def transfer_asked(call: "Call", event: ev.TransferAsked, at: float) -> Commands:
    """A colleague sends the other one on. From outside nobody can."""
    by = call.extension_of(event.leg)
    if not by:
        return []
    if event.target == call.plan.park_code:
        return park(call, event.leg, at)
    return send_on(call, event.leg, event.target, at)


def send_on(call: "Call", leg: LegId, target: str, at: float) -> Commands:
    """`leg` is out; the router says where the other goes, as if `leg` had dialled it."""
    rest = call.other(leg)
    parted: Commands = [] if call.holding else [do.Part(call.near, call.other())]
    quiet: Commands = [do.StopPlay(rest)] if call.holding else []
    call.sender = call.extension_of(leg)
    call.leave(leg, rest)
    call.state = State.DECIDING
    ask = do.Decide(call.id, Number(target, Kind.INTERNAL), call.sender)
    return [do.StopTimer(call.id, "longest"), *parted, *quiet, do.HangUp(leg, Cause.NORMAL), ask]


def recall(call: "Call") -> list[Step]:
    """Who sent the call away is rung when nobody there takes it."""
    if not call.sender:
        return []
    target = Target(PHONES, Number(call.sender, Kind.INTERNAL), call.sender)
    return [RingStep((target,), RECALL, "recall")]


def fits_transferred(step: Step) -> bool:
    """An outside party is not told that a colleague may not dial that: the call comes back instead."""
    return not (isinstance(step, RefuseStep | AnnounceStep) and Cause(step.cause) in NOT_KEPT)


# ---- by hand -----------------------------------------------------------------------------------------------------


def cut(call: "Call", by: str, at: float) -> Commands:
    """Somebody ends it from outside the call; the row says who did it."""
    talked = call.state in (State.TALKING, State.CONSULTING)
    why = TraceStep("ended-by-hand", Outcome.STOPPED, {"name": by})
    return take_down(call, why, Cause.NORMAL if talked else Cause.BY_HAND, at)


def take_down(call: "Call", why: TraceStep, cause: Cause, at: float) -> Commands:
    """End it whole, every leg, with the reason in its row."""
    call.add_trace((why,))
    call.cause, call.detail = cause, ""
    legs = dict.fromkeys(leg for leg in (call.near, call.far, call.third) if leg)
    for leg in legs:
        call.end_leg(leg, call.cause)
    return call.finish(at, [*call.drop_others(Cause.CANCELLED), *(do.HangUp(leg, call.cause) for leg in legs)])


# ---- parked ------------------------------------------------------------------------------------------------------


def park(call: "Call", leg: LegId, at: float) -> Commands:
    """The other waits on a slot; its number is said to `leg`."""
    by = call.extension_of(leg)
    out: Commands = [do.StopTimer(call.id, "longest")]
    out += [] if call.holding else [do.Part(call.near, call.other())]
    call.sender = by
    rest = call.other(leg)
    call.third, call.near, call.near_up, call.far = leg, rest, True, None
    call.holding.clear()
    call.hears = ""
    call.state = State.PARKED
    return [*out, *call.let_hear(call.route.music), do.Park(call.id, by), do.StartTimer(call.id, "parked", PARKED)]


def parked_on(call: "Call", slot: str) -> Commands:
    """The exchange found a slot ("" when all are taken): it is said to who parks, and he is let go."""
    if call.third is None:
        return []
    pieces = ("parked-on", f"n:{slot}") if slot else ("all-busy",)
    return [do.Say(call.third, pieces, call.route.language)]


def told_slot(call: "Call", event: ev.Event | None, at: float) -> Commands:
    """Who parked knows the slot."""
    leg, call.third = call.third, None
    if leg is None:
        return []
    call.end_leg(leg, Cause.NORMAL, "parked")
    return [] if isinstance(event, ev.Ended) else [do.HangUp(leg, Cause.NORMAL)]


def parked_too_long(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """Nobody fetched it: who parked it is rung."""
    if event.name != "parked":
        return []
    call.steps = recall(call)
    call.cause = Cause.NO_ANSWER
    return [*told_slot(call, event, at), *call.let_hear(""), *call.next_step(at)]


def waiting_left(call: "Call", event: ev.Ended, at: float) -> Commands:
    """Who waited hung up."""
    call.cause, call.detail = Cause.CANCELLED, event.detail
    last: Commands = [do.HangUp(call.third, Cause.NORMAL)] if call.third else []
    return call.finish(at, [*last, *call.drop_others(Cause.CANCELLED)])


# ---- whom else ---------------------------------------------------------------------------------------------------


def all_phones(plan: Plan, person: Person) -> tuple[Target, ...]:
    """A colleague's desk phones and mobile (F51)."""
    desk = Target(PHONES, Number(person.extension, Kind.INTERNAL), person.name)
    line = person.outgoing_line or next((i for i, one in plan.lines.items() if one.outgoing), None)
    if not person.mobile or line is None:
        return (desk,)
    return (desk, Target(line, Number(person.mobile, Kind.E164), person.name, confirm=True))


Row = Callable[..., Commands]
S = State
CODES: Mapping[str, Row] = {
    "transfer": _code_transfer, "attended": _code_attended, "park": _code_park, "record": _code_record,
    "voicedrop": _code_voicedrop,
}  # fmt: skip
ROWS: Mapping[tuple[State, type, str], Row] = {
    (S.CONNECTING, ev.Answered, "caller"): connected,
    (S.CONNECTING, ev.Answered, "target"): taker_up,
    (S.CONNECTING, ev.Held, "caller"): holds_early,
    (S.CONNECTING, ev.Held, "target"): holds_early,
    (S.CONNECTING, ev.Ended, "caller"): talk_ended,
    (S.CONNECTING, ev.Ended, "target"): talk_ended,
    (S.TALKING, ev.Ended, "caller"): talk_ended,
    (S.TALKING, ev.Ended, "target"): talk_ended,
    (S.TALKING, ev.Digit, "caller"): digit,
    (S.TALKING, ev.Digit, "target"): digit,
    (S.TALKING, ev.Held, "caller"): held,
    (S.TALKING, ev.Held, "target"): held,
    (S.TALKING, ev.TransferAsked, "caller"): transfer_asked,
    (S.TALKING, ev.TransferAsked, "target"): transfer_asked,
    (S.TALKING, ev.TimerFired, ""): too_long,
    (S.PARKED, ev.PromptEnded, "third"): told_slot,
    (S.PARKED, ev.Ended, "third"): told_slot,
    (S.PARKED, ev.TimerFired, ""): parked_too_long,
    (S.PARKED, ev.Ended, "caller"): waiting_left,
    (S.DECIDING, ev.Ended, "caller"): waiting_left,
}


def leg_of(leg: LegId, line: str, number: Number) -> Leg:
    """A leg that comes from another call."""
    return Leg(leg, line, number, "talking")
