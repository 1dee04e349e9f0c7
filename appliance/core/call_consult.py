"""By keys in a call: a number is typed while the other waits with music, and gets the call, or is asked first."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from appliance.core import call_talk
from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import NO_ANSWER, RECALL, Hunt, State
from appliance.core.causes import Cause
from appliance.core.model import DialStep, Kind, LegId, Number, RingStep, Route, Wave

if TYPE_CHECKING:
    from appliance.core.call import Call

Commands = list[do.Command]
DIALLED = 4.0  # a number is whole after a pause of this, or by #
MOST_DIGITS = 24


def begin(call: "Call", leg: LegId, attended: bool) -> Commands:
    """`leg` types a number while the other waits."""
    call.state = State.CONSULTING
    call.typed, call.typist, call.attended, call.third = "", leg, attended, None
    parted: Commands = [] if call.holding else [do.Part(call.near, call.other())]
    call.holding = {leg}
    ask = do.Play(leg, "transfer-to", call.route.language)
    return [*parted, call.music(call.other(leg)), ask, do.StartTimer(call.id, "typed", DIALLED * 2)]


def digit(call: "Call", event: ev.Digit, at: float) -> Commands:
    """One more digit of the number; # ends it, * goes back to the one who waits. Talking to the third, * drops him."""
    if event.leg != call.typist:
        return []
    if event.digit == "*":
        return _back(call)
    if call.third is not None:
        return [do.SendDigits(call.third, event.digit)]
    if event.digit == "#":
        return _typed(call, at)
    call.typed = (call.typed + event.digit)[:MOST_DIGITS]
    return [do.StopPlay(event.leg), do.StartTimer(call.id, "typed", DIALLED)]


def time_out(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """A pause: the number is whole. Or the third does not answer."""
    if event.name == "third" and call.third and call.legs[call.third].state != "talking":
        return _back(call)
    return _typed(call, at) if event.name == "typed" else []


def _typed(call: "Call", at: float) -> Commands:
    leg, number = call.typist, call.typed
    if leg is None or not number:
        return _back(call)
    stop = do.StopTimer(call.id, "typed")
    if call.attended:
        return [stop, do.Decide(call.id, Number(number, Kind.INTERNAL), call.extension_of(leg))]
    call.typed, call.typist = "", None
    return [stop, *call_talk.send_on(call, leg, number, at)]


def decided(call: "Call", route: Route, at: float) -> Commands:
    """The router found whom the number reaches: he is rung, for the one who typed it."""
    call.add_trace(route.trace)
    step = next((step for step in route.steps if isinstance(step, RingStep | DialStep)), None)
    if step is None or not step.targets or call.typist is None:
        return _back(call)
    dialled = call.dial(step.targets[0])
    call.trying.discard(dialled.leg)
    call.third, call.typed = dialled.leg, ""
    tone = do.Play(call.typist, "tone-ringing", call.route.language, loop=True)
    return [do.StopPlay(call.typist), tone, dialled, do.StartTimer(call.id, "third", NO_ANSWER)]


def third_answered(call: "Call", event: ev.Answered, at: float) -> Commands:
    """The two talk about the one who waits."""
    call.legs[event.leg].state = "talking"
    typist = call.typist or call.near
    return [do.StopTimer(call.id, "third"), do.StopPlay(typist), do.Join(typist, event.leg)]


def third_ended(call: "Call", event: ev.Ended, at: float) -> Commands:
    """The third is gone: back to the one who waits."""
    talked = call.legs[event.leg].state == "talking"
    parted: Commands = [do.Part(call.typist or call.near, event.leg)] if talked else []
    call.end_leg(event.leg, event.cause, event.detail)
    call.third = None
    return [*parted, *_back(call)]


def one_left(call: "Call", event: ev.Ended, at: float) -> Commands:
    """Who asked hangs up: the other has the third, or hears him ring. Who waited hangs up: the two talk on."""
    third = call.third
    if third is None:
        return call_talk.talk_ended(call, event, at)
    answered = call.legs[third].state == "talking"
    if event.leg == call.typist:
        return _handed_over(call, event.leg, third, answered)
    if not answered:
        return [do.HangUp(third, Cause.CANCELLED), *call_talk.talk_ended(call, event, at)]
    stays = call.typist or call.near
    call.leave(event.leg, stays)
    call.far, call.typist, call.state = third, None, State.TALKING
    return []


def _handed_over(call: "Call", gone: LegId, third: LegId, answered: bool) -> Commands:
    rest = call.other(gone)
    call.sender = call.extension_of(gone)
    call.leave(gone, rest)
    call.typist = None
    if answered:
        call.state, call.far = State.TALKING, third
        call.answered_by = call.extension_of(third) or call.legs[third].line
        return [do.StopPlay(rest), do.Join(rest, third), *call_talk.record_again(call)]
    target = call.legs[third].target
    call.state = State.RINGING
    call.trying.add(third)
    targets = (target,) if target else ()
    call.step = RingStep(targets, RECALL)
    call.hunt = Hunt((Wave(targets, RECALL),), repeat=False, index=0)
    call.steps = call_talk.recall(call)
    timers: Commands = [do.StopTimer(call.id, "third"), do.StartTimer(call.id, "no-answer", RECALL)]
    return [*call.let_hear("tone-ringing"), *timers]


def _back(call: "Call") -> Commands:
    """The two talk again."""
    leg, third = call.typist or call.near, call.third
    drop: Commands = []
    if third is not None:
        drop = [do.Part(leg, third)] if call.legs[third].state == "talking" else []
        drop.append(do.HangUp(third, Cause.CANCELLED))
        call.end_leg(third, Cause.CANCELLED)
    call.state, call.typed, call.typist, call.third = State.TALKING, "", None, None
    call.holding.clear()
    timers: Commands = [do.StopTimer(call.id, "typed"), do.StopTimer(call.id, "third")]
    quiet: Commands = [do.StopPlay(leg), do.StopPlay(call.other(leg))]
    return [*drop, *timers, *quiet, do.Join(call.near, call.other())]


Row = Callable[..., Commands]
S = State
ROWS: Mapping[tuple[State, type, str], Row] = {
    (S.CONSULTING, ev.Digit, "caller"): digit,
    (S.CONSULTING, ev.Digit, "target"): digit,
    (S.CONSULTING, ev.TimerFired, ""): time_out,
    (S.CONSULTING, ev.Answered, "third"): third_answered,
    (S.CONSULTING, ev.Ended, "third"): third_ended,
    (S.CONSULTING, ev.Ended, "caller"): one_left,
    (S.CONSULTING, ev.Ended, "target"): one_left,
}
