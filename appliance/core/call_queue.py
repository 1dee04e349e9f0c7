"""Waiting: the caller hears music and his place until a colleague of the group is free."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from appliance.core import call_ring
from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import State
from appliance.core.causes import Cause
from appliance.core.model import PHONES, Kind, Number, QueueStep, Target
from appliance.core.plan import Group

if TYPE_CHECKING:
    from appliance.core.call import Call

Commands = list[do.Command]
CALL_BACK = "1"  # the key with which a waiting caller asks to be called back
MOST_MINUTES = 30  # a longer wait is not told


def wait(call: "Call", step: QueueStep, at: float) -> Commands:
    """The caller is up and waits. A group that is gone is passed over."""
    group = call.plan.groups.get(step.group)
    if group is None:
        return call.next_step(at)
    call.state = State.QUEUED
    call.answered_by = call.answered_by or f"queue {group.id}"
    caller, _ = call.party()
    timers: Commands = [do.StartTimer(call.id, "queue", group.longest)]
    if group.repeat:
        timers.append(do.StartTimer(call.id, "say", group.repeat))
    return [*call.let_hear(group.music), do.Enqueue(call.id, group.id, caller), *timers]


def place_changed(call: "Call", event: ev.PlaceChanged, at: float) -> Commands:
    """His place when he came is said at once, later ones with the next announcement."""
    came = call.place == 0
    call.place, call.wait = event.place, event.wait
    group = _group(call)
    if not came or group is None or not group.place or event.place < 2:
        return []
    return _say(call, group)


def _say(call: "Call", group: Group) -> Commands:
    """Place, expected wait, the owner's announcement, the offer to be called back."""
    pieces: list[str] = []
    if group.place and call.place:
        pieces += ["queue-place", f"n:{call.place}"]
        minutes = round(call.wait / 60)
        if 1 <= minutes <= MOST_MINUTES:
            pieces += ["queue-wait", f"n:{minutes}", "queue-minutes"]
    pieces += [group.announcement] if group.announcement else []
    pieces += ["queue-call-back"] if group.call_back else []
    if not pieces:
        return []
    call.hears = ""
    return [do.StopPlay(call.near), do.Say(call.near, tuple(pieces), call.route.language)]


def said(call: "Call", event: ev.PromptEnded, at: float) -> Commands:
    """Back to the music."""
    group = _group(call)
    return call.let_hear(group.music) if group else []


def time_out(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """Time for an announcement, for the next colleague, or for something else than waiting."""
    group = _group(call)
    name = event.name
    if group is None:
        return []
    if name == "say":
        return [*_say(call, group), do.StartTimer(call.id, "say", group.repeat)]
    if name == "agents":
        return [*call.drop_others(Cause.NO_ANSWER), *_again(call, group)]
    if name == "queue":
        call.cause = Cause.NO_ANSWER
        stop = [do.StopTimer(call.id, one) for one in ("say", "agents")]
        return [*stop, do.Dequeue(call.id), *call.drop_others(Cause.NO_ANSWER), *call.next_step(at)]
    return []


def chosen(call: "Call", event: ev.AgentsChosen, at: float) -> Commands:
    """His turn: these colleagues are rung, and he hears music on."""
    targets = [
        Target(PHONES, Number(extension, Kind.INTERNAL), extension, when_free=True) for extension in event.extensions
    ]
    return [*(call.dial(target) for target in targets), do.StartTimer(call.id, "agents", event.seconds)]


def rings(call: "Call", event: ev.Ringing, at: float) -> Commands:
    """A colleague's phone rings."""
    call.legs[event.leg].state = "ringing"
    return []


def agent_out(call: "Call", event: ev.Ended, at: float) -> Commands:
    """A colleague does not want, or cannot: when all are out, the next ones."""
    call.end_leg(event.leg, event.cause, event.detail)
    call.trying.discard(event.leg)
    group = _group(call)
    if call.trying or group is None:
        return []
    return [do.StopTimer(call.id, "agents"), *_again(call, group)]


def _again(call: "Call", group: Group) -> Commands:
    caller, _ = call.party()
    return [do.Enqueue(call.id, group.id, caller)]


def digit(call: "Call", event: ev.Digit, at: float) -> Commands:
    """The caller wants to be called back: he keeps his place."""
    group = _group(call)
    caller, line = call.party()
    if group is None or not group.call_back or event.digit != CALL_BACK or caller.kind is not Kind.E164:
        return []
    dropped = call.drop_others(Cause.CANCELLED)
    stop = [do.StopTimer(call.id, one) for one in ("queue", "say", "agents")]
    call.state = State.ANNOUNCING
    call.hears = ""
    back = do.CallBack(call.id, group.id, caller, str(line))
    said_now = do.Play(call.near, "call-back-kept", call.route.language)
    return [*dropped, *stop, back, do.StopPlay(call.near), said_now, do.StartTimer(call.id, "announcement", 30.0)]


def left(call: "Call", event: ev.Ended, at: float) -> Commands:
    """The caller waits no longer."""
    call.cause, call.detail = Cause.CANCELLED, event.detail
    return call.finish(at, call.drop_others(Cause.CANCELLED))


def _group(call: "Call") -> Group | None:
    return call.plan.groups.get(call.step.group) if isinstance(call.step, QueueStep) else None


Row = Callable[..., Commands]
S = State
ROWS: Mapping[tuple[State, type, str], Row] = {
    (S.QUEUED, ev.PlaceChanged, ""): place_changed,
    (S.QUEUED, ev.PromptEnded, "caller"): said,
    (S.QUEUED, ev.TimerFired, ""): time_out,
    (S.QUEUED, ev.AgentsChosen, ""): chosen,
    (S.QUEUED, ev.Ringing, "callee"): rings,
    (S.QUEUED, ev.Answered, "callee"): call_ring.taken,
    (S.QUEUED, ev.Ended, "callee"): agent_out,
    (S.QUEUED, ev.Digit, "caller"): digit,
    (S.QUEUED, ev.Ended, "caller"): left,
}
