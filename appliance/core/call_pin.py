"""Asking for a PIN: a person's own lets through what their phone may not call.

The caller leg is answered, the PIN is typed and ended with # or a pause; three wrong ones end the call, and no PIN is
asked for from that phone for a quarter of an hour (`rights.PIN_REST`). What is typed is nowhere written down.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from appliance.core import call_ring
from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import State
from appliance.core.causes import Cause
from appliance.core.model import PinStep

if TYPE_CHECKING:
    from appliance.core.call import Call

Commands = list[do.Command]
TRIES = 3
LONGEST_PIN = 12
FIRST_KEY = 15.0  # seconds until the first key, from the beginning of the question
NEXT_KEY = 4.0


def ask(call: "Call", step: PinStep, at: float) -> Commands:
    """The caller is up: the question."""
    call.state = State.ASKING
    call.cause = Cause.NOT_ALLOWED
    call.tries, call.typed = 0, ""
    return [do.Play(call.near, "enter-pin", call.route.language), do.StartTimer(call.id, "pin", FIRST_KEY)]


def key(call: "Call", event: ev.Digit, at: float) -> Commands:
    """A key of the PIN; the first ends the question, # ends the PIN."""
    if event.digit == "#":
        return _typed(call, at)
    quiet: Commands = [] if call.typed else [do.StopPlay(call.near)]
    call.typed += event.digit
    if len(call.typed) >= LONGEST_PIN:
        return [*quiet, *_typed(call, at)]
    return [*quiet, do.StartTimer(call.id, "pin", NEXT_KEY)]


def time_out(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """No key any more."""
    return _typed(call, at) if event.name == "pin" else []


def _typed(call: "Call", at: float) -> Commands:
    step = call.step
    if not isinstance(step, PinStep):
        return []
    typed, call.typed = call.typed, ""
    person = call.plan.people.get(step.extension)
    stop: Commands = [do.StopTimer(call.id, "pin"), do.StopPlay(call.near)]
    if person and person.pin and hmac.compare_digest(typed.encode(), person.pin.encode()):
        call.steps[:0] = step.steps
        return [*stop, *call.next_step(at)]
    call.tries += 1
    if call.tries < TRIES:
        again = do.Say(call.near, ("wrong-pin", "enter-pin"), call.route.language)
        return [*stop, again, do.StartTimer(call.id, "pin", FIRST_KEY)]
    rest = do.SetOverride(f"pin-wrong/{step.extension}", call.wall, step.extension)
    return [*stop, rest, *call.finish(at, [do.HangUp(call.near, Cause.NORMAL)])]


Row = Callable[..., Commands]
S = State
ROWS: Mapping[tuple[State, type, str], Row] = {
    (S.ASKING, ev.Digit, "caller"): key,
    (S.ASKING, ev.TimerFired, ""): time_out,
    (S.ASKING, ev.Ended, "caller"): call_ring.gave_up,
}
