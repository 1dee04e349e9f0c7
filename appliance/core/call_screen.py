"""A stranger presses a key to be put through.

He hears the prompt, and may press while it plays. The right key lets him through, now and from now on; the first wrong
one, or none within the time, turns him away: who dials by machine gets no second guess.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from appliance.core import call_ring
from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import State
from appliance.core.causes import Cause
from appliance.core.model import Kind, Outcome, ScreenStep, TraceStep

if TYPE_CHECKING:
    from appliance.core.call import Call

Commands = list[do.Command]
PROMPT_SECONDS = 30.0  # a guard for a prompt that never ends


def ask(call: "Call", step: ScreenStep, at: float) -> Commands:
    """The caller is up: the question."""
    call.state = State.SCREENING
    call.answered_by = "announcement"
    call.cause = Cause.BLOCKED
    timer = do.StartTimer(call.id, "screen", PROMPT_SECONDS + step.seconds)
    return [*call.let_hear(""), do.Play(call.near, step.prompt, call.route.language), timer]


def asked(call: "Call", event: ev.PromptEnded, at: float) -> Commands:
    """His time begins."""
    step = call.step
    return [do.StartTimer(call.id, "screen", step.seconds)] if isinstance(step, ScreenStep) else []


def key(call: "Call", event: ev.Digit, at: float) -> Commands:
    """The first key decides."""
    step = call.step
    stop: Commands = [do.StopPlay(call.near), do.StopTimer(call.id, "screen")]
    if not isinstance(step, ScreenStep) or event.digit != step.digit:
        return [*stop, *_refused(call, at)]
    call.add_trace((TraceStep("key-pressed", Outcome.PASSED, {}, "/blocking"),))
    call.answered_by, call.cause = "", Cause.NO_ANSWER
    number, _ = call.party()
    kept: Commands = [do.AllowCaller(number)] if number.kind is Kind.E164 else []
    return [*stop, *kept, *call.next_step(at)]


def no_key(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """No key in time."""
    return [do.StopPlay(call.near), *_refused(call, at)] if event.name == "screen" else []


def _refused(call: "Call", at: float) -> Commands:
    call.add_trace((TraceStep("key-wrong", Outcome.STOPPED, {}, "/blocking"),))
    return call.finish(at, [do.HangUp(call.near, Cause.NORMAL)])


Row = Callable[..., Commands]
S = State
ROWS: Mapping[tuple[State, type, str], Row] = {
    (S.SCREENING, ev.PromptEnded, "caller"): asked,
    (S.SCREENING, ev.Digit, "caller"): key,
    (S.SCREENING, ev.TimerFired, ""): no_key,
    (S.SCREENING, ev.Ended, "caller"): call_ring.gave_up,
}
