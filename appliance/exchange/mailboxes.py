"""Mailboxes heard by telephone: the caller's keys go to `core.listening`, what it says goes to him. Loop thread."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.listening import TIMER, Left, Listening, last_words_said
from appliance.core.model import CallId
from appliance.exchange.exchange import Exchange
from appliance.exchange.handling import Handling
from appliance.exchange.views import Views
from appliance.journal.recordings import MessageRow, messages

Post = Callable[[Callable[[], None]], None]  # run this on the loop


class Mailboxes:
    """One session a call."""

    def __init__(self, exchange: Exchange, handling: Handling, views: Views, post: Post) -> None:
        self._exchange = exchange
        self._views = views
        self._post = post
        self._sessions: dict[CallId, Listening] = {}
        handling.services.update({"mailbox.own": self._begin, "mailbox.any": self._begin})
        exchange.before(ev.TimerFired, self._timer_fired)
        exchange.before(ev.Digit, self._leg_event)
        exchange.before(ev.PromptEnded, self._leg_event)
        exchange.call_ended.append(lambda record: self._forget(record.id))

    def _begin(self, command: do.Serve) -> None:
        own = command.service == "mailbox.own"

        def done(found: Sequence[MessageRow] | None) -> None:  # the thread of views
            self._post(lambda: self._ready(command, own, found or ()))

        self._views.later(lambda db: messages(db, limit=500), done)

    def _ready(self, command: do.Serve, own: bool, found: Sequence[MessageRow]) -> None:
        running = self._exchange.calls.get(command.call)
        if running is None:
            return
        left: dict[str, list[Left]] = {}
        for row in reversed(found):  # they come newest first
            left.setdefault(row.mailbox, []).append(Left(row.id, new=not row.heard_at))
        call = running.call
        boxes = tuple(call.plan.mailboxes.values())
        mine = next((box for box in boxes if box.owner and box.owner == command.by), None) if own else None
        session = Listening(call.id, call.near, call.route.language, boxes, mine, command.by, left)
        self._sessions[call.id] = session
        self._carry_out(call.id, session.begin(*self._moment()))

    def _moment(self) -> tuple[Mapping[str, str], datetime]:
        return self._exchange.overrides, self._exchange.clock.local(self._exchange.plan.zone)

    def _leg_event(self, event: ev.Digit | ev.PromptEnded) -> bool:
        """True when the event was for a session."""
        running = self._exchange.call_of(event.leg)
        session = self._sessions.get(running.call.id) if running else None
        if running is None or session is None:
            return False
        if session.ended:
            if isinstance(event, ev.PromptEnded):
                self._carry_out(running.call.id, last_words_said(event.leg))
            return True
        self._carry_out(running.call.id, session.handle(event, *self._moment()))
        return True

    def _timer_fired(self, event: ev.TimerFired) -> bool:
        session = self._sessions.get(CallId(event.call))
        if session is None or event.name != TIMER:
            return False
        self._carry_out(CallId(event.call), session.handle(event, *self._moment()))
        return True

    def _carry_out(self, call: CallId, commands: list[do.Command]) -> None:
        self._exchange.carry_out(call, commands)

    def _forget(self, call: CallId) -> None:
        self._sessions.pop(call, None)
