"""Lamps on phones: what core makes of the moment goes to the phones' line, as far as it changed. Loop thread."""

from collections.abc import Callable, Mapping
from typing import Protocol

from appliance.core.model import PHONES
from appliance.core.watching import Moment, Ongoing, Watched, changes, circles, messages, watch
from appliance.exchange.exchange import Exchange

GAP = 0.05  # seconds between a change and the lamps: a call changes several times in a moment, and comes first


class Shown(Protocol):
    """What is needed of lines/subscriptions.py."""

    def show(self, name: str, state: Watched | None, at: float) -> None: ...
    def show_messages(self, extension: str, messages: tuple[int, int] | None, at: float) -> None: ...


class PhoneLamps:
    """`unheard`, `do_not_disturb` and `parked` are asked each time: new and old messages of an extension; who wants
    to be left alone; every parking slot with the number that waits there, "" for nobody."""

    def __init__(self, exchange: Exchange, phones: Shown) -> None:
        self._exchange = exchange
        self._phones = phones
        self.unheard: Callable[[str], tuple[int, int]] = lambda extension: (0, 0)
        self.do_not_disturb: Callable[[], frozenset[str]] = frozenset
        self.parked: Callable[[], Mapping[str, str]] = dict
        self._states: dict[str, Watched] = {}
        self._messages: dict[str, tuple[int, int]] = {}
        self._touched = True
        self._due = float("-inf")  # the first time at once
        self._plan, self._circles = exchange.plan, circles(exchange.plan)

    def touched(self) -> None:
        """Something changed: look again in the next turn."""
        self._touched = True

    def chore(self, at: float) -> None:
        """Once a second: what changes without a word, as a line that comes and goes."""
        self._touched = True

    def tick(self, at: float) -> None:
        """Tell what is other than before."""
        if not self._touched:
            return
        self._due = self._due or at + GAP
        if at < self._due:
            return
        self._touched, self._due, plan = False, 0.0, self._exchange.plan
        if plan is not self._plan:
            self._plan, self._circles = plan, circles(plan)
        states, heard = watch(plan, self._moment(), self._circles), messages(plan, self.unheard)
        for name, state in changes(self._states, states):
            self._phones.show(name, state, at)
        for extension, counted in changes(self._messages, heard):
            self._phones.show_messages(extension, counted, at)
        self._states, self._messages = states, heard

    def _moment(self) -> Moment:
        exchange = self._exchange
        calls = tuple(Ongoing(one.offer, tuple(one.call.leg_facts())) for one in exchange.calls.values())
        up = frozenset(str(i) for i, line in exchange.lines.items() if i != PHONES and line.status().usable)
        return Moment(
            calls, frozenset(exchange.registered), up, self.do_not_disturb(), dict(exchange.overrides), self.parked()
        )
