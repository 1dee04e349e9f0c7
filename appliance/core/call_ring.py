"""Ringing: waves of phones, a hunt over lines, who answers first, what is whispered to him."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from appliance.core import call_talk
from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import (
    ASKED,
    BREATH,
    DETOURS,
    FAILOVER,
    LOST,
    NO_ANSWER,
    NO_SIGN,
    WHISPERED,
    Hunt,
    State,
)
from appliance.core.causes import Cause
from appliance.core.model import PHONES, DialStep, LegId, QueueStep, ResponsibleStep, RingStep, ToneStep, Wave

if TYPE_CHECKING:
    from appliance.core.call import Call

Commands = list[do.Command]
LOOK_UP_SECONDS = 1.5


# ---- beginning ---------------------------------------------------------------------------------------------------


def ring(call: "Call", step: RingStep, at: float) -> Commands:
    """Ring the first wave; `seconds` is the end of all of them."""
    call.state = State.RINGING
    waves = step.waves or (Wave(step.targets, step.seconds),)
    call.hunt = Hunt(waves, step.repeat, began=at)
    moved: Commands = [do.MovePlace(step.hunt)] if step.hunt else []
    return [
        *moved,
        *call.let_hear("tone-ringing"),
        *_next_wave(call),
        do.StartTimer(call.id, "no-answer", step.seconds),
    ]


def _next_wave(call: "Call") -> Commands:
    hunt = call.hunt
    if hunt is None:  # a wave belongs to a RingStep
        return []
    hunt.index = (hunt.index + 1) % len(hunt.waves)
    hunt.resting = False
    wave = hunt.waves[hunt.index]
    hunt.later = tuple(sorted((t for t in wave.targets if t.delay), key=lambda t: t.delay))
    out: Commands = [call.dial(target) for target in wave.targets if not target.delay]
    if hunt.later:
        out.append(do.StartTimer(call.id, "delay", hunt.later[0].delay))
    if len(hunt.waves) > 1 or hunt.repeat:
        out.append(do.StartTimer(call.id, "wave", wave.seconds))
    return out


def dial_out(call: "Call", step: DialStep, at: float) -> Commands:
    """Try the first line."""
    call.lines_left = list(step.targets)
    return _dial_next(call, at)


def _dial_next(call: "Call", at: float) -> Commands:
    if not call.lines_left:
        return call.next_step(at)
    call.state = State.RINGING
    hears = call.let_hear("tone-ringing")
    return [*hears, call.dial(call.lines_left.pop(0)), do.StartTimer(call.id, "no-sign", NO_SIGN)]


def look_up(call: "Call", step: ResponsibleStep, at: float) -> Commands:
    """Ask who looks after the caller, who hears it ring meanwhile."""
    call.state = State.LOOKING
    told: Commands = [] if call.told_ringing or call.near_up else [do.Ring(call.near)]
    call.told_ringing = True
    number, _ = call.party()
    wait = do.StartTimer(call.id, "look-up", LOOK_UP_SECONDS)
    return [*told, *call.let_hear("tone-ringing"), do.LookUp(call.id, number, LOOK_UP_SECONDS), wait]


def looked_up(call: "Call", event: ev.LookedUp, at: float) -> Commands:
    """Ring all phones of whoever was found; nobody found: the next step."""
    step, extension = call.step, event.result.get("extension", "")
    person = call.plan.people.get(extension)
    stop: Commands = [do.StopTimer(call.id, "look-up")]
    if person is None or not isinstance(step, ResponsibleStep):
        return [*stop, *call.next_step(at)]
    targets = call_talk.all_phones(call.plan, person)
    call.step = step = RingStep(
        targets, step.seconds, person.name, whisper=step.whisper, whisper_prompt=step.whisper_prompt
    )
    return [*stop, *ring(call, step, at)]


def not_looked_up(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """Nobody said in time who looks after the caller."""
    return call.next_step(at) if event.name == "look-up" else []


# ---- while it rings ----------------------------------------------------------------------------------------------


def rings(call: "Call", event: ev.Ringing, at: float) -> Commands:
    """The first sign is passed on to the caller."""
    call.legs[event.leg].state = "ringing"
    out: Commands = []
    if isinstance(call.step, DialStep):
        out = [do.StopTimer(call.id, "no-sign"), do.StartTimer(call.id, "no-answer", NO_ANSWER)]
    if not call.told_ringing and not call.near_up:
        call.told_ringing = True
        out.append(do.Ring(call.near))
    return out


def progresses(call: "Call", event: ev.Progressed, at: float) -> Commands:
    """Early media of a single outside leg is let through; of several phones it never is: which one?"""
    if not isinstance(call.step, DialStep) or call.early:
        return []
    call.early = event.leg
    timers: Commands = [do.StopTimer(call.id, "no-sign"), do.StartTimer(call.id, "no-answer", NO_ANSWER)]
    opens: Commands = [] if call.near_up else [do.Progress(call.near)]
    return [*timers, *call.let_hear(""), *opens, do.Join(call.near, event.leg)]


def taken(call: "Call", event: ev.Answered, at: float) -> Commands:
    """Somebody lifts. Outside it may be an answering machine: who must press 1 is asked, and the others ring on."""
    leg = call.legs[event.leg]
    if leg.state == "asked":
        return []
    if leg.target and leg.target.confirm:
        leg.state = "asked"
        ask = do.Play(leg.id, "press-1", call.route.language)
        return [ask, do.StartTimer(call.id, f"ask/{leg.id}", ASKED)]
    return won(call, event.leg, at)


def keyed(call: "Call", event: ev.Digit, at: float) -> Commands:
    """Who was asked presses 1."""
    leg = call.legs[event.leg]
    if leg.state != "asked" or event.digit != "1":
        return []
    return [do.StopTimer(call.id, f"ask/{leg.id}"), do.StopPlay(leg.id), *won(call, leg.id, at)]


def asked_again(call: "Call", event: ev.PromptEnded, at: float) -> Commands:
    """The question is put again until time is out."""
    asked = call.legs[event.leg].state == "asked" and event.ok
    return [do.Play(event.leg, "press-1", call.route.language)] if asked else []


def won(call: "Call", leg: LegId, at: float, whisper: bool = True) -> Commands:
    """This leg has the call: the others fall silent, it hears the whisper, and the caller is answered."""
    early = call.part_early() if call.early != leg else []
    call.far, call.early = leg, None
    winner = call.legs[leg]
    winner.state = "talking"
    call.trying.discard(leg)
    call.answered_by = winner.number.text if winner.line == PHONES else winner.line
    out: Commands = [*early, *call.stop_timers()]
    if call.state is State.QUEUED:
        out += [do.StopTimer(call.id, "queue"), do.StopTimer(call.id, "say"), do.Dequeue(call.id)]
    out += call.drop_others(Cause.ELSEWHERE)
    said = _whisper(call, leg, at) if whisper else []
    if said:
        call.state = State.WHISPERING
        return [*out, *said, do.StartTimer(call.id, "whisper", WHISPERED)]
    return [*out, *_answer(call, at)]


def _whisper(call: "Call", leg: LegId, at: float) -> Commands:
    step = call.step
    if not isinstance(step, RingStep | QueueStep | ResponsibleStep):
        return []
    if step.whisper_prompt:
        return [do.Play(leg, step.whisper_prompt, call.route.language)]
    before, wait, after = step.whisper.partition("{wait}")
    pieces = [f"t:{before.strip()}"] if before.strip() else []
    pieces += [f"n:{max(0, round(at - call.at))}"] if wait else []
    pieces += [f"t:{after.strip()}"] if after.strip() else []
    return [do.Say(leg, tuple(pieces), call.route.language)] if pieces else []


def whispered(call: "Call", event: ev.PromptEnded | ev.TimerFired, at: float) -> Commands:
    """The colleague knows who calls."""
    if isinstance(event, ev.TimerFired) and event.name != "whisper":
        return []
    guard: Commands = [do.StopTimer(call.id, "whisper")]
    stop: Commands = [do.StopPlay(call.other())] if isinstance(event, ev.TimerFired) else []
    return [*guard, *stop, *_answer(call, at)]


def whispered_away(call: "Call", event: ev.Ended, at: float) -> Commands:
    """Who answered hung up before the two were joined: the others ring again, as if he had not answered."""
    gone, step = call.legs[event.leg].target, call.step
    call.end_leg(event.leg, event.cause, event.detail)
    call.far, call.answered_by, call.cause = None, "", Cause.NO_ANSWER
    if isinstance(step, RingStep):
        others = tuple(target for target in step.targets if target != gone)
        call.steps[:0] = [replace(step, targets=others, waves=(), hunt="")] if others else []
    elif isinstance(step, QueueStep):
        call.steps[:0] = [step]
    return [do.StopTimer(call.id, "whisper"), *call.next_step(at)]


def _answer(call: "Call", at: float) -> Commands:
    call.state = State.CONNECTING
    if call.near_up and not call.far_up:
        return []
    if call.near_up:
        return call_talk.connected(call, ev.Answered(call.near), at)
    return [do.Answer(call.near)]


# ---- nobody ------------------------------------------------------------------------------------------------------


def callee_ended(call: "Call", event: ev.Ended, at: float) -> Commands:
    """One of those being tried is out. The last one ends the wave: the next wave, the next line of a hunt, or the next
    step."""
    asked = call.legs[event.leg].state == "asked"
    call.end_leg(event.leg, event.cause, event.detail)
    call.trying.discard(event.leg)
    quiet: Commands = [do.StopTimer(call.id, f"ask/{event.leg}")] if asked else []
    if call.trying or (call.hunt and call.hunt.later):
        return quiet
    call.cause, call.detail = event.cause, event.detail
    if call.hunt is not None:
        return [*quiet, *_wave_out(call, at)]
    out: Commands = [*quiet, *call.stop_timers()]
    if not isinstance(call.step, DialStep):
        return out + call.next_step(at)
    out += call.part_early()
    if event.cause in FAILOVER or call.step.emergency:
        return out + _dial_next(call, at)
    return out + _dial_failed(call, event.cause, at)


def _dial_failed(call: "Call", cause: Cause, at: float) -> Commands:
    """A caller from inside is told by the cause; for one from outside, or who was transferred, there are next steps."""
    own = call.offer.line == PHONES and call.near == call.offer.leg
    if own or not call.steps:
        return call.finish(at, [do.HangUp(call.near, cause)])
    call.cause = cause
    return call.next_step(at)


def _wave_out(call: "Call", at: float) -> Commands:
    hunt = call.hunt
    if hunt is None:
        return []
    if hunt.index + 1 < len(hunt.waves):
        return _next_wave(call)
    if hunt.repeat:
        hunt.resting = True
        return [do.StartTimer(call.id, "wave", BREATH)]
    return _step_over(call, at)


def _step_over(call: "Call", at: float) -> Commands:
    """The step found nobody: a way around for this cause, or the next step."""
    out = call.stop_timers()
    if isinstance(call.step, RingStep):
        call.steps[:0] = call.step.detours.get(DETOURS.get(call.cause, ""), ())
    return out + call.next_step(at)


def time_out(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """A timer of trying: the whole step, one wave, a delayed phone, a line without a sign, a question unanswered."""
    name, _, leg = event.name.partition("/")
    row = TIMERS.get(name)
    return row(call, LegId(leg), at) if row else []


def _no_answer(call: "Call", leg: LegId, at: float) -> Commands:
    out = call.drop_others(Cause.NO_ANSWER)
    call.cause = Cause.NO_ANSWER
    if isinstance(call.step, DialStep):
        return out + _dial_failed(call, Cause.NO_ANSWER, at)
    return out + _step_over(call, at)


def _no_sign(call: "Call", leg: LegId, at: float) -> Commands:
    out = call.drop_others(Cause.NO_ANSWER)
    call.cause = Cause.TIMEOUT
    return out + (_dial_next(call, at) if isinstance(call.step, DialStep) else call.next_step(at))


def _wave_time(call: "Call", leg: LegId, at: float) -> Commands:
    hunt = call.hunt
    if hunt is None:
        return []
    last = hunt.index + 1 == len(hunt.waves) and not hunt.repeat
    if last:
        return []  # the end of the step ends it
    dropped = call.drop_others(Cause.NO_ANSWER)
    return dropped + _next_wave(call)


def _delayed(call: "Call", leg: LegId, at: float) -> Commands:
    hunt = call.hunt
    if hunt is None or not hunt.later:
        return []
    due = hunt.later[0].delay
    now = [target for target in hunt.later if target.delay <= due]
    hunt.later = hunt.later[len(now) :]
    out: Commands = [call.dial(target) for target in now]
    if hunt.later:
        out.append(do.StartTimer(call.id, "delay", hunt.later[0].delay - due))
    return out


def _not_confirmed(call: "Call", leg: LegId, at: float) -> Commands:
    if leg not in call.trying:
        return []
    return [do.HangUp(leg, Cause.NO_ANSWER), *callee_ended(call, ev.Ended(leg, Cause.NO_ANSWER), at)]


def _tone_over(call: "Call", leg: LegId, at: float) -> Commands:
    return call.next_step(at) if isinstance(call.step, ToneStep) else []


def gave_up(call: "Call", event: ev.Ended, at: float) -> Commands:
    """The caller hangs up, or is lost, before anybody answered."""
    call.cause, call.detail = (event.cause if event.cause in LOST else Cause.CANCELLED), event.detail
    last: Commands = call.drop_others(Cause.CANCELLED)
    if call.state is State.WHISPERING and call.far:
        last.append(do.HangUp(call.far, Cause.CANCELLED))
    return call.finish(at, last)


def number_known(call: "Call", event: ev.NumberKnown, at: float) -> Commands:
    """The caller's number came after the offer."""
    call.caller = event.caller
    return []


Row = Callable[..., Commands]
S = State
TIMERS: Mapping[str, Row] = {
    "no-answer": _no_answer, "no-sign": _no_sign, "wave": _wave_time, "delay": _delayed, "ask": _not_confirmed,
    "tone": _tone_over,
}  # fmt: skip
ROWS: Mapping[tuple[State, type, str], Row] = {
    (S.RINGING, ev.Ringing, "callee"): rings,
    (S.RINGING, ev.Progressed, "callee"): progresses,
    (S.RINGING, ev.Answered, "callee"): taken,
    (S.RINGING, ev.Digit, "callee"): keyed,
    (S.RINGING, ev.PromptEnded, "callee"): asked_again,
    (S.RINGING, ev.Ended, "callee"): callee_ended,
    (S.RINGING, ev.TimerFired, ""): time_out,
    (S.RINGING, ev.Ended, "caller"): gave_up,
    (S.RINGING, ev.NumberKnown, "caller"): number_known,
    (S.LOOKING, ev.LookedUp, ""): looked_up,
    (S.LOOKING, ev.TimerFired, ""): not_looked_up,
    (S.LOOKING, ev.Ended, "caller"): gave_up,
    (S.LOOKING, ev.NumberKnown, "caller"): number_known,
    (S.WHISPERING, ev.PromptEnded, "target"): whispered,
    (S.WHISPERING, ev.TimerFired, ""): whispered,
    (S.WHISPERING, ev.Ended, "target"): whispered_away,
    (S.WHISPERING, ev.Ended, "caller"): gave_up,
}
