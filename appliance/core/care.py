"""What is done for a modem that fails, step by step, and when to stop: a pure machine. Times are monotonic seconds.

A modem that hangs is opened anew, then its radio is switched off and on, then it is reset, then its USB socket loses
power where that can be done. After the last step people are told, and the heavy steps come again every ten minutes;
between them it is only asked, so that one that recovers by itself is in service within seconds. Whether it is in a call
is for its owner to know: nothing but asking is done then.
"""

from dataclasses import dataclass, field

STEPS = ("reopen", "radio", "reset", "power")
PATIENCE = {"reopen": 0.0, "radio": 15.0, "reset": 40.0, "power": 40.0}  # seconds a step has to work
HEAVY = STEPS.index("reset")
ROUND_AGAIN = 600.0
WELL_AFTER = 30.0  # seconds of service after which the next failure begins at the first step


@dataclass(slots=True)
class Ladder:
    """`counts`: how often each step was taken; `last`: the last one; `given_up`: people have been told."""

    has_power: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    last: str = ""
    given_up: bool = False
    _next: int = 0
    _patient_until: float = 0.0
    _again_at: float = 0.0
    _well_since: float | None = None

    def failed(self, at: float, answering: bool = False) -> str:
        """What to do now: one of STEPS, "give-up" once (tell people, open anew), or "wait". `answering`: it answers,
        but does not do its work; opening it anew would change nothing."""
        self._well_since = None
        idle = "wait" if answering else self._taken("reopen")
        if at < self._patient_until:
            return idle
        if self.given_up and at >= self._again_at:
            self._next, self._again_at = HEAVY, at + ROUND_AGAIN
        while self._next < len(STEPS):
            step = STEPS[self._next]
            self._next += 1
            if (step == "power" and not self.has_power) or (step == "reopen" and answering):
                continue
            self._patient_until = at + PATIENCE[step]
            return self._taken(step) if step != idle else step
        if self.given_up:
            return idle
        self.given_up, self._again_at = True, at + ROUND_AGAIN
        return "give-up"

    def well(self, at: float) -> bool:
        """It works. True once, when it has worked long enough after people were told that it does not."""
        if self._well_since is None:
            self._well_since = at
        if at < self._well_since + WELL_AFTER or (self._next == 0 and not self.given_up):
            return False
        told, self.given_up, self._next = self.given_up, False, 0
        return told

    def _taken(self, step: str) -> str:
        self.counts[step] = self.counts.get(step, 0) + 1
        self.last = step
        return step
