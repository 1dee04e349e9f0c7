"""A stranger presses a key to be put through: the little machine of a `ScreenStep`, for the call to run.

The caller leg is up when it begins. He hears the prompt, and may press while it plays. The right key passes him; the
first wrong one, or none within the time, refuses him: who dials by machine gets no second guess. A caller who hangs up
has left. Once there is an outcome, nothing changes it.
"""

from dataclasses import dataclass

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.model import CallId, Kind, LegId, Number, ScreenStep

TIMER = "screen"
PROMPT_SECONDS = 30.0  # a guard for a prompt that never ends
PASSED, REFUSED, LEFT = "passed", "refused", "left"


@dataclass(slots=True)
class Screening:
    """One caller at the door. `outcome` is "" while he is asked, then passed, refused or left."""

    call: CallId
    leg: LegId
    caller: Number
    step: ScreenStep
    language: str
    outcome: str = ""
    pressed: str = ""  # what he pressed, for the trace

    def begin(self) -> list[do.Command]:
        """Ask."""
        return [
            do.Play(self.leg, self.step.prompt, self.language),
            do.StartTimer(self.call, TIMER, PROMPT_SECONDS + self.step.seconds),
        ]

    def handle(self, event: ev.Event) -> list[do.Command]:
        """The commands that answer `event`; others than of this leg and this timer change nothing."""
        if self.outcome:
            return []
        if isinstance(event, ev.TimerFired):
            return self._decide(REFUSED) if (event.call, event.name) == (self.call, TIMER) else []
        if getattr(event, "leg", None) != self.leg:
            return []
        if isinstance(event, ev.Digit):
            self.pressed = event.digit
            return self._decide(PASSED if event.digit == self.step.digit else REFUSED)
        if isinstance(event, ev.PromptEnded):
            return [do.StartTimer(self.call, TIMER, self.step.seconds)]
        if isinstance(event, ev.Ended):
            self.outcome = LEFT
            return [do.StopTimer(self.call, TIMER)]
        return []

    def _decide(self, outcome: str) -> list[do.Command]:
        self.outcome = outcome
        commands: list[do.Command] = [do.StopPlay(self.leg), do.StopTimer(self.call, TIMER)]
        if outcome == PASSED and self.caller.kind is Kind.E164:
            commands.append(do.AllowCaller(self.caller))
        return commands
