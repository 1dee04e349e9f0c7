"""What one call alone cannot know: queues, parking, pick-up, rooms, transfers between calls, places and first calls.

Carries out the commands of the call machine that concern more than its own legs. Loop thread; what must outlive a
restart is handed to storage.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import Leg, State
from appliance.core.destinations import Road, to_steps, whisper_of
from appliance.core.feature_codes import may_pick_up
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    CallId,
    Direction,
    GreetStep,
    Kind,
    LegId,
    Number,
    Offer,
    Outcome,
    Presence,
    RefuseStep,
    Route,
    TraceStep,
)
from appliance.core.queues import Queues, Turn
from appliance.core.scheme import Destination
from appliance.exchange.exchange import Exchange
from appliance.exchange.parts import Running
from appliance.exchange.views import Views, line_facts
from appliance.journal import handling as journal
from appliance.journal.times import stamp

log = logging.getLogger(__name__)

TICK_SECONDS = 0.2
HUNTS = "hunt"  # the "line" under which places of round robins are kept
PICKABLE = (State.RINGING, State.QUEUED)


class Handling:
    """One for the exchange. `heard` are the (line, number) that have called before; `remember` keeps one."""

    def __init__(self, exchange: Exchange, remember: Callable[[str, str], None]) -> None:
        self.queues = Queues()
        self.parked: dict[str, CallId] = {}
        self.rooms: dict[str, list[LegId]] = {}
        self.heard: set[tuple[str, str]] = set()
        self.places: dict[str, int] = {}
        self.answered: dict[str, str] = {}
        self.taken: dict[str, int] = {}
        self.services: dict[str, Callable[[do.Serve], None]] = {}
        self._exchange = exchange
        self._remember = remember
        self._resting: dict[str, float] = {}
        self._next = 0.0
        self._count = 0
        self._today = ""
        exchange.extend(
            {
                do.Decide: self._decide, do.Enqueue: self._enqueue, do.Dequeue: lambda c: self.queues.leave(c.call),
                do.Park: self._park, do.TakeCall: self._take, do.EnterRoom: self._enter_room,
                do.CallBack: self._ask_back, do.MovePlace: self._move_place,
                do.Remember: self._first_greeting, do.Serve: self._serve, do.LookUp: self._look_up,
            },
            {ev.TransferAsked: self._transfer},
        )  # fmt: skip
        exchange.knows = self.knows
        exchange.call_ended.append(self.ended)
        exchange.decided.append(self.decided)

    def restore(self, views: Views) -> None:
        """What the journal knows of before. At start."""
        zone = self._exchange.plan.zone
        midnight = self._exchange.clock.local(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self.heard = views.now(journal.heard) or set()
        self.answered = views.now(journal.last_answers) or {}
        self.taken = views.now(lambda db: journal.taken_since(db, stamp(midnight.astimezone(UTC)))) or {}
        kept = (views.now(line_facts([HUNTS])) or {}).get(HUNTS, {})
        self.places = {name: value for name, value in kept.items() if isinstance(value, int)}

    # ---- what routing may know --------------------------------------------------------------------------------------

    def knows(self, state: Presence, offer: Offer | None) -> Presence:
        """The moment, with what is known of colleagues and, for an offer, of its caller."""
        now = self._exchange.clock.monotonic()
        resting = frozenset(extension for extension, until in self._resting.items() if until > now)
        first = None
        if offer is not None and offer.caller.kind is Kind.E164:
            first = (str(offer.line), offer.caller.text) not in self.heard
        return replace(
            state, resting=resting, places=dict(self.places), answered=dict(self.answered), taken=dict(self.taken),
            first_call=first,
        )  # fmt: skip

    def decided(self, offer: Offer, route: Route) -> None:
        """Who will hear the first greeting is no first caller for the next call, which may come at once."""
        if offer.caller.kind is Kind.E164 and any(isinstance(s, GreetStep) and s.first for s in route.steps):
            self.heard.add((str(offer.line), offer.caller.text))

    def left_alone(self) -> frozenset[str]:
        """Extensions that do not want to be disturbed, or signed out."""
        on = (name.partition("/") for name, value in self._exchange.overrides.items() if value)
        return frozenset(extension for kind, _, extension in on if kind in ("dnd", "out"))

    def slots(self) -> dict[str, str]:
        """Every parking slot, with the number that waits there or ""."""
        waiting = dict.fromkeys(self._exchange.plan.park_slots, "")
        for slot, call in self.parked.items():
            running = self._exchange.calls.get(call)
            waiting[slot] = running.call.party()[0].text or "?" if running else ""
        return waiting

    def ended(self, record: do.CallRecord) -> None:
        """A row was written: who took the call rests, and is no longer idle for longest."""
        self.parked = {slot: call for slot, call in self.parked.items() if call != record.id}
        extension = record.answered_by
        if record.direction is not Direction.IN or extension not in self._exchange.plan.people:
            return
        began = datetime.fromisoformat(record.started_at)
        self.answered[extension] = stamp((began + timedelta(milliseconds=record.ring_ms)).astimezone(UTC))
        self._new_day()
        self.taken[extension] = self.taken.get(extension, 0) + 1
        groups = [group for group in self._exchange.plan.groups.values() if extension in group.members]
        pause = max((group.wrap_up for group in groups), default=0.0)
        if pause:
            self._resting[extension] = self._exchange.clock.monotonic() + pause
        for group in groups:
            self.queues.talked(group.id, record.talk_ms / 1000)

    def _new_day(self) -> None:
        today = self._exchange.clock.local(self._exchange.plan.zone).date().isoformat()
        if today != self._today:
            if self._today:
                self.taken.clear()
            self._today = today

    def tick(self, at: float) -> None:
        """Whose turn it is in the queues."""
        if at < self._next or not self.queues.rows():
            return
        self._next = at + TICK_SECONDS
        groups, state = self._exchange.plan.groups, self._exchange.presence()
        for place in self.queues.places(groups, state):
            self._exchange.handle(ev.PlaceChanged(place.call, place.place, place.wait))
        for turn in self.queues.turns(groups, state):
            if turn.call:
                self._exchange.handle(ev.AgentsChosen(turn.call, turn.extensions, turn.seconds))
            else:
                self._call_back(turn)

    # ---- commands ---------------------------------------------------------------------------------------------------

    def _decide(self, command: do.Decide) -> None:
        running = self._exchange.calls.get(command.call)
        if running is None:
            return
        plan, wanted = running.call.plan, command.destination
        if isinstance(wanted, Destination):
            line = plan.lines.get(running.offer.line)
            number, _ = running.call.party()
            whisper = whisper_of(line, "", running.offer.name or "", number) if line else ""
            now = self._exchange.clock.local(plan.zone)
            road = Road(plan, now, self._exchange.presence(), line, whisper, line.whisper_prompt if line else "")
            steps, trace = to_steps(wanted, road)
            decided = Route(tuple(steps), tuple(trace))
        elif isinstance(wanted, Number):
            offer = Offer(running.call.near, PHONES, Number(command.by, Kind.INTERNAL), wanted)
            decided = self._exchange.explain(offer, self._exchange.clock.local(plan.zone))
        else:
            return
        self._run(running, running.call.go_on(decided, self._at()))

    def _enqueue(self, command: do.Enqueue) -> None:
        running = self._exchange.calls.get(command.call)
        line = str(running.offer.line) if running else ""
        self.queues.enter(command.call, command.group, command.caller, self._at(), line)
        self._next = 0.0

    def _ask_back(self, command: do.CallBack) -> None:
        self.queues.call_back(command.call, command.line)

    def _park(self, command: do.Park) -> None:
        running = self._exchange.calls.get(command.call)
        if running is None:
            return
        slot = next((slot for slot in running.call.plan.park_slots if slot not in self.parked), "")
        if slot:
            self.parked[slot] = command.call
        self._run(running, running.call.parked(slot, self._at()))

    def _take(self, command: do.TakeCall) -> None:
        """The caller leg of `command.call` goes to another call, which it answers."""
        taker = self._exchange.calls.get(command.call)
        if taker is None:
            return
        found = self._parked_on(command) if command.what == "slot" else self._ringing(command)
        if found is None:
            self._run(taker, taker.call.refused("nothing-to-pick-up", self._at()))
            return
        leg = Leg(taker.offer.leg, str(taker.offer.line), taker.offer.caller)
        self._run(taker, taker.call.release(leg.id, self._at()))
        self._exchange.moved(leg.id, found.call.id)
        self.parked = {slot: call for slot, call in self.parked.items() if call != found.call.id}
        self._run(found, found.call.taken_by(leg, self._at()))

    def _parked_on(self, command: do.TakeCall) -> Running | None:
        call = self.parked.get(command.which)
        return self._exchange.calls.get(call) if call else None

    def _ringing(self, command: do.TakeCall) -> Running | None:
        """The call that has rung longest at a colleague of an own group, or at the one who is named."""
        plan = self._exchange.plan
        for running in self._exchange.calls.values():
            if running.call.id == command.call or running.call.state not in PICKABLE:
                continue
            for leg in running.call.trying:
                extension = running.call.extension_of(leg)
                wanted = command.which in ("", extension)
                if extension and wanted and may_pick_up(command.by, extension, plan):
                    return running
        return None

    def _enter_room(self, command: do.EnterRoom) -> None:
        """Everybody in a room hears the others."""
        for legs in self.rooms.values():
            if command.leg in legs:
                legs.remove(command.leg)
        legs = [leg for leg in self.rooms.get(command.room, []) if self._exchange.knows_leg(leg)]
        for other in legs:
            self._exchange.perform(do.Join(command.leg, other))
        self.rooms[command.room] = [*legs, command.leg]

    def _move_place(self, command: do.MovePlace) -> None:
        self.places[command.hunt] = self.places.get(command.hunt, 0) + 1
        self._exchange.keep(HUNTS, command.hunt, self.places[command.hunt])

    def _first_greeting(self, command: do.Remember) -> None:
        if command.caller.kind is Kind.E164:
            self.heard.add((str(command.line), command.caller.text))
            self._remember(str(command.line), command.caller.text)

    def _serve(self, command: do.Serve) -> None:
        service = self.services.get(command.service)
        if service:
            service(command)

    def _look_up(self, command: do.LookUp) -> None:
        """Nobody is asked yet who looks after a caller."""
        self._exchange.post(ev.LookedUp(str(command.call), {}))

    # ---- between calls ----------------------------------------------------------------------------------------------

    def _transfer(self, event: ev.TransferAsked) -> None:
        """Attended: the party of one call takes the transferor's place in the other (RFC 5589 7). Blind: the call does
        it."""
        first = self._exchange.call_of(event.leg)
        second = self._exchange.call_of(event.replaces) if event.replaces else None
        if first is None:
            return
        if second is None or event.replaces is None or second.call.id == first.call.id:
            self._run(first, first.call.handle(event, self._at()))
            return
        if first.call.state is not State.TALKING or not first.call.extension_of(event.leg):
            return
        rest = first.call.other(event.leg)
        known = first.call.legs.get(rest)
        number, line = (known.number, known.line) if known else (first.offer.caller, str(first.offer.line))
        self._run(first, first.call.release(rest, self._at()))
        self._exchange.moved(rest, second.call.id)
        self._run(second, second.call.replace(event.replaces, Leg(rest, line, number), self._at()))

    def refusal(self, extension: str, dialled: str) -> TraceStep | None:
        """Why nobody would be called for this colleague; None where somebody would. Nothing is changed."""
        caller, called = Number(extension, Kind.INTERNAL), Number(dialled, Kind.INTERNAL)
        offer = Offer(LegId("explain"), PHONES, caller, called, dialled)
        decided = self._exchange.explain(offer, self._exchange.clock.local(self._exchange.plan.zone))
        if any(not isinstance(step, RefuseStep | AnnounceStep) for step in decided.steps):
            return None
        stopped = [step for step in decided.trace if step.outcome is Outcome.STOPPED]
        return stopped[-1] if stopped else TraceStep("no-line", Outcome.STOPPED, {})

    def make_call(self, extension: str, dialled: str) -> None:
        """The colleague's phone rings first; when it is lifted, the number is called (F102)."""
        self._count += 1
        person = self._exchange.plan.people.get(extension)
        caller = Number(extension, Kind.INTERNAL)
        offer = Offer(LegId(f"click-{self._count}"), PHONES, caller, Number(dialled, Kind.INTERNAL), dialled)
        decided = self._exchange.explain(offer, self._exchange.clock.local(self._exchange.plan.zone))
        why = TraceStep("click-to-call", Outcome.PASSED, {"extension": extension, "number": dialled})
        language = person.language if person else decided.language
        self._exchange.summon(offer, replace(decided, trace=(why, *decided.trace), language=language))

    def _call_back(self, turn: Turn) -> None:
        """His turn has come: a colleague's phone rings, and then he is called."""
        self.queues.called_back(turn.group, turn.number)
        self.make_call(turn.extensions[0], turn.number.text)

    def _run(self, running: Running, commands: list[do.Command]) -> None:
        self._exchange.carry_out(running.call.id, commands)

    def _at(self) -> float:
        return self._exchange.clock.monotonic()
