"""What the buttons of the box do: `panel.table.BUTTONS` names the deed, a method here does it. Loop thread.

Each deed is shown on the power lamp for a moment, because a button has no other way to say that it was understood.
"""

import logging
from collections.abc import Callable, Mapping

from appliance.core import events as ev
from appliance.core.commands import SetOverride
from appliance.core.model import PHONES, Direction, Kind, LegId, Number, Offer, Outcome, Route, ServiceStep, TraceStep
from appliance.core.routing import LET_NEXT
from appliance.exchange.exchange import Exchange
from appliance.panel.table import BUTTONS, CONFIRM_SECONDS

log = logging.getLogger(__name__)

SHOWN_SECONDS = 2.0
ADDRESS_CODE = "*65"  # what a called-back phone dials to hear the address again


class Buttons:
    """`block(pattern)` puts a number on the block list; `reset()` begins a factory reset."""

    def __init__(self, exchange: Exchange, block: Callable[[str], None], reset: Callable[[], None]) -> None:
        self._exchange = exchange
        self._block = block
        self._reset = reset
        self._count = 0
        self._shows = ""
        self._shows_until = 0.0
        self._deeds: Mapping[str, Callable[[], None]] = {
            "night-toggle": lambda: self._night("toggle"),
            "night-auto": lambda: self._night(""),
            "speak-address": self._speak_address,
            "last-caller": self._last_caller,
            "reset-arm": self._arm,
        }

    def pressed(self, event: ev.ButtonPressed) -> None:
        """A button was let go. While a reset is armed, a short press of the status button carries it out."""
        if self.shows() == "armed" and event.name == "status":
            self._show("done", SHOWN_SECONDS)
            log.warning("the box is reset to its first start: the status button was pressed")
            self._reset()
            return
        deed = BUTTONS.get((event.name, event.press))
        if deed:
            log.info("button %s, %s press: %s", event.name, event.press, deed)
            self._show("done", SHOWN_SECONDS)
            self._deeds[deed]()

    def shows(self) -> str:
        """What the power lamp says about the buttons: "", "done" or "armed"."""
        return self._shows if self._exchange.clock.monotonic() < self._shows_until else ""

    def _show(self, what: str, seconds: float) -> None:
        self._shows, self._shows_until = what, self._exchange.clock.monotonic() + seconds
        self._exchange.changed("lamps")

    def _night(self, value: str) -> None:
        self._exchange.set_override(SetOverride("night", value, "button"))

    def _speak_address(self) -> None:
        """The first phone that is connected and free rings; who answers hears the address."""
        plan, taken = self._exchange.plan, self._in_calls()
        free = sorted(self._exchange.registered & plan.people.keys() - taken, key=lambda e: (len(e), e))
        if not free:
            self._exchange.happened("address-no-phone", {}, "warn")
            return
        self._count += 1
        extension = free[0]
        offer = Offer(
            LegId(f"button-{self._count}"), PHONES, Number(extension, Kind.INTERNAL),
            Number(ADDRESS_CODE, Kind.INTERNAL), "Centralka",
        )  # fmt: skip
        why = TraceStep("summoned", Outcome.CHOSEN, {"extension": extension}, "/box/health")
        language = plan.people[extension].language
        self._exchange.summon(
            offer, Route((ServiceStep("address"),), (why,), Direction.INTERNAL, language=language)
        )  # fmt: skip

    def _in_calls(self) -> set[str]:
        """Extensions that ring or talk."""
        legs = [leg for running in self._exchange.calls.values() for leg in running.call.leg_facts()]
        return {leg["number"] for leg in legs if leg["line"] == PHONES and leg["state"] != "ended"}

    def _last_caller(self) -> None:
        """By the setting: block who called last, or let the next caller past everything."""
        if self._exchange.plan.last_caller == "let-next":
            self._exchange.set_override(SetOverride(LET_NEXT, "on", "button"))
            self._exchange.happened("let-next", {}, "info")
            return
        caller = self._exchange.last_caller
        if caller is None or any(b.pattern == caller.text for b in self._exchange.plan.blocks):
            self._exchange.happened("button-nobody", {}, "info")
            return
        self._block(caller.text)
        self._exchange.happened("button-blocked", {"number": caller.text}, "info")

    def _arm(self) -> None:
        self._show("armed", CONFIRM_SECONDS)
        self._exchange.happened("reset-armed", {}, "warn")
