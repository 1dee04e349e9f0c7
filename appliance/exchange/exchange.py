"""The exchange connects: an event goes to core, core's commands go to lines, audio and storage.

It decides nothing. It owns the calls in progress and the table from leg to call; everything runs on the loop thread.
"""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.blocklist import Block
from appliance.core.call import Call
from appliance.core.caps import Spent
from appliance.core.causes import Cause
from appliance.core.limits import Limits
from appliance.core.model import (
    PHONES,
    CallId,
    Kind,
    LegId,
    LineId,
    Number,
    Offer,
    Presence,
    Route,
    ServiceStep,
)
from appliance.core.night import NIGHT, NIGHT_UNTIL, night_over
from appliance.core.numbers import display
from appliance.core.plan import Plan
from appliance.core.repeats import Tries, noted
from appliance.core.routing import LET_NEXT, opening, route
from appliance.core.screening import DIGITS
from appliance.core.second import refused_as_busy
from appliance.exchange.clock import Clock
from appliance.exchange.loop import Timers
from appliance.exchange.parts import Bridge, Running, Storage
from appliance.exchange.receiving import Receiving
from appliance.journal.times import stamp
from appliance.lines import Line
from appliance.settings.prompts import Prompts

log = logging.getLogger(__name__)


class Exchange:
    """Event in, commands out. `post` is the loop's inbox."""

    def __init__(
        self,
        plan: Plan,
        lines: dict[LineId, Line],
        bridge: Bridge,
        storage: Storage,
        clock: Clock,
        prompts: Prompts,
        post: Callable[[ev.Event], None],
    ) -> None:
        self.plan = plan
        self.lines = lines
        self.clock = clock
        self.calls: dict[CallId, Running] = {}
        self.overrides: dict[str, str] = {}
        self.registered: set[str] = set()
        self.limits = Limits()
        self.tries: Tries = {}  # who was turned away as closed, and when
        self.last_caller: Number | None = None  # who called from outside last and showed a number
        self.line_facts: dict[str, dict[str, object]] = {}  # line -> name -> what is known (table line_facts)
        self.changed: Callable[[str], None] = lambda topic: None
        self.pressed: Callable[[ev.ButtonPressed], None] = lambda event: None
        self.sim_said: Callable[[ev.UssdAnswered | ev.UssdFailed | ev.ForwardingRead], None] = lambda event: None
        self.call_ended: list[Callable[[do.CallRecord], None]] = []
        self.spent: Callable[[], Mapping[str, Spent]] = dict
        self.balances: Callable[[], Mapping[LineId, int | None]] = dict
        self.decided: list[Callable[[Offer, Route], None]] = []
        self.message_came: Callable[[ev.SmsReceived], None] = lambda event: None
        self.plan_changed: Callable[[ev.PlanChanged], None] = lambda event: None
        self.sms_out: Callable[[ev.Event], None] = lambda event: None
        self.knows: Callable[[Presence, Offer | None], Presence] = lambda state, offer: state
        self.stray: Callable[[ev.Event], None] = lambda event: None  # of a leg that no call has
        self._bridge = bridge
        self._storage = storage
        self._prompts = prompts
        self._post = post
        self._timers = Timers()
        self._by_leg: dict[LegId, CallId] = {}
        self._line_of: dict[LegId, LineId] = {}
        self._joined: set[tuple[LegId, LegId]] = set()
        self._wanted_joins: set[tuple[LegId, LegId]] = set()
        self._events: dict[type, Callable[..., None]] = {
            ev.Offered: self._offered,
            **dict.fromkeys((ev.TimerFired, ev.LookedUp, ev.AgentsChosen, ev.PlaceChanged), self._call_event),
            ev.SmsPartSent: lambda event: self.sms_out(event),
            ev.SmsPartFailed: lambda event: self.sms_out(event),
            ev.SmsPartUncertain: lambda event: self.sms_out(event),
            ev.SmsReported: lambda event: self.sms_out(event),
            ev.LineUp: self._line_up,
            ev.LineDown: self._line_down,
            ev.LineSaid: self._line_said,
            ev.FactKnown: self._fact_known,
            ev.SecondCall: self._second_call,
            ev.BindingChanged: self._binding_changed,
            ev.ButtonPressed: lambda event: self.pressed(event),
            ev.PlanChanged: lambda event: self.plan_changed(event),
            ev.UssdAnswered: lambda event: self.sim_said(event),
            ev.UssdFailed: lambda event: self.sim_said(event),
            ev.ForwardingRead: lambda event: self.sim_said(event),
        }
        self._looks: dict[type, list[Callable[[ev.Event], bool]]] = {}
        self.receiving = Receiving(self, storage)
        self._events.update(self.receiving.events())
        self._commands: dict[type, Callable[..., None]] = {
            do.Dial: self._dial,
            do.Join: self._join,
            do.Part: self._part,
            do.Play: self._play,
            do.StopPlay: lambda c: self._bridge.stop_play(c.leg),
            do.StartTimer: lambda c: self._timers.start((c.call, c.name), self.clock.monotonic() + c.seconds),
            do.StopTimer: lambda c: self._timers.stop((c.call, c.name)),
            do.StoreCall: self._store_call,
            do.SetOverride: self.set_override,
            do.CountHit: lambda c: self._storage.hit(c.block),
            do.AllowCaller: self._allow,
            do.Notify: lambda c: self._storage.happened(c.message, c.args, "info"),
            do.Log: lambda c: log.log(logging.getLevelName(c.level.upper()), "%s %s", c.text, c.args),
            do.Lamp: lambda c: None,
        }

    def extend(self, commands: Mapping[type, Callable[..., None]], events: Mapping[type, Callable[..., None]]) -> None:
        """Another part carries out these commands and takes these events."""
        self._commands.update(commands)
        self._events.update(events)

    def replace_command(self, kind: type, carry_out: Callable[..., None]) -> Callable[..., None]:
        """Another part stands before a command; gives who carried it out so far."""
        before, self._commands[kind] = self._commands[kind], carry_out
        return before

    def before(self, kind: type, look: Callable[..., bool]) -> None:
        """Another part looks at events of this kind first; what it says True to was for it."""
        self._looks.setdefault(kind, []).append(look)

    # ---- events -------------------------------------------------------------------------------------------------

    def handle(self, event: ev.Event) -> None:
        """One event, whole. An event of a leg that no call knows is a stray: logged, and an answered one is ended."""
        if any(look(event) for look in self._looks.get(type(event), ())):
            return
        known = self._events.get(type(event))
        if known:
            known(event)
        else:
            self.leg_event(event)

    def tick(self, at: float) -> None:
        """Fire what is due."""
        if night_over(self.overrides, self.clock.now()):
            self.set_override(do.SetOverride(NIGHT, "", "its end time"))
        for call, name in self._timers.due(at):
            self.handle(ev.TimerFired(call, name))

    def presence(self, offer: Offer | None = None) -> Presence:
        """What routing may know of the moment, and of an offer's caller."""
        status = {line_id: line.status() for line_id, line in self.lines.items() if line_id != PHONES}
        busy = {
            leg["number"]
            for running in self.calls.values()
            for leg in running.call.leg_facts()
            if leg["line"] == PHONES and leg["state"] in ("talking", "caller")
        }
        state = Presence(
            registered=frozenset(self.registered),
            busy=frozenset(busy),
            lines_up=frozenset(i for i, s in status.items() if s.usable),
            lines_free=frozenset(i for i, s in status.items() if s.usable and not s.busy),
            lines_emergency=frozenset(i for i, s in status.items() if s.usable or s.usable_for_emergency),
            overrides=dict(self.overrides),
            draw=secrets.randbelow(1 << 30),
            spent=self.spent(),
            balances=self.balances(),
            clock_sure=self.clock.sure,
            tries=self.tries,
            digit=secrets.choice(DIGITS),
            last_caller=self.last_caller,
        )
        return self.knows(state, offer)

    def explain(self, offer: Offer, now: datetime, presence: Presence | None = None) -> Route:
        """What route() would decide; rings nobody and changes nothing."""
        return route(offer, self.plan, now, presence or self.presence(offer))

    def hang_up(self, call: str) -> bool:
        """Let the party of a call go, as if it had hung up. False when there is none of that id."""
        running = self.calls.get(CallId(call))
        if running:
            self._line(running.call.near).perform(do.HangUp(running.call.near, Cause.NORMAL))
        return running is not None

    def levels(self, leg: LegId) -> tuple[int, int] | None:
        """How loud a leg is now, from it and to it, in dBFS; None while it has no sound."""
        slot = self._line(leg).slot(leg) if leg in self._line_of else None
        return None if slot is None else self._bridge.levels(slot)

    def summon(self, offer: Offer, decided: Route) -> None:
        """A call of the box itself: the offer's caller is the phone that rings."""
        self._begin(offer, decided, summons=True)

    def happened(self, message: str, args: Mapping[str, str], severity: str) -> None:
        """Something people should read on the page; `message` is an id of `words.NOTICES`."""
        self._storage.happened(message, args, severity)
        self.changed("notes")

    def _offered(self, event: ev.Offered) -> None:
        offer = event.offer
        self._line_of[offer.leg] = offer.line
        decided = self.explain(offer, self.clock.local(self.plan.zone))
        decided = self.limits.applied(offer, decided, len(self._calls_of(offer)), self.clock.monotonic())
        for told in self.decided:
            told(offer, decided)
        self._screened(offer, decided)
        if offer.line != PHONES:
            self._came_in(offer)
        self._serve(decided, offer.caller.text)
        self._begin(offer, decided)

    def _screened(self, offer: Offer, decided: Route) -> None:
        """Remember who calls outside hours, and make the entry of who does so too often."""
        line, rule = self.plan.lines.get(offer.line), self.plan.repeats
        if decided.adds and decided.adds.ends:
            facts = {"number": display(offer.caller), "until": decided.adds.ends.strftime("%Y-%m-%d %H:%M")}
            self._storage.add_block(decided.adds, "")
            self.happened("blocked-by-itself", facts, "info")
        elif line and rule and not opening(line, self.clock.local(self.plan.zone), self.presence())[0]:
            self.tries = noted(self.tries, offer.caller, self.clock.local(self.plan.zone), rule)

    def _serve(self, decided: Route, by: str) -> None:
        """What a feature code does beyond what is heard."""
        for step in decided.steps:
            if isinstance(step, ServiceStep) and step.service == "let-next":
                self.set_override(do.SetOverride(LET_NEXT, "on", by))
            elif isinstance(step, ServiceStep) and "pattern" in step.args:
                self._storage.add_block(Block(0, step.args["pattern"]), by)

    def _allow(self, command: do.AllowCaller) -> None:
        self._storage.add_block(Block(0, command.caller.text, allow=True, origin="key"), "")

    def _came_in(self, offer: Offer) -> None:
        if offer.caller.kind is Kind.E164:
            self.last_caller = offer.caller
        if self.overrides.get(LET_NEXT):
            self.set_override(do.SetOverride(LET_NEXT, "", "the call it let through"))

    def _begin(self, offer: Offer, decided: Route, summons: bool = False) -> None:
        now = self.clock.local(self.plan.zone)
        call_id = self._new_id(now)
        call = Call(call_id, offer, decided, self.plan, self.clock.monotonic(), stamp(now), summons)
        self.calls[call_id] = Running(call, offer, decided, now)
        self._by_leg[offer.leg] = call_id
        verb = "made to" if summons else "offered on"
        log.info("call %s: %s %s, %d steps", call_id, verb, offer.line, len(decided.steps))
        self.carry_out(call_id, call.begin())

    def _calls_of(self, offer: Offer) -> list[Running]:
        if offer.line != PHONES:
            return []
        return [r for r in self.calls.values() if r.offer.line == PHONES and r.offer.caller == offer.caller]

    def leg_event(self, event: ev.Event) -> None:
        """An event for the call of its leg."""
        leg = getattr(event, "leg", None)
        call_id = self._by_leg.get(leg) if leg else None
        if isinstance(event, ev.Answered | ev.Progressed):
            self._try_joins(event.leg)
        if call_id is None or call_id not in self.calls:
            self.stray(event)
            if isinstance(event, ev.Answered) and event.leg in self._line_of:
                self._line(event.leg).perform(do.HangUp(event.leg, Cause.NORMAL))
        else:
            self.carry_out(call_id, self.calls[call_id].call.handle(event, self.clock.monotonic()))
            if isinstance(event, ev.NumberKnown):
                self._screen_again(call_id, event)
        if isinstance(event, ev.Ended):
            self._forget(event.leg)

    def _screen_again(self, call_id: CallId, event: ev.NumberKnown) -> None:
        """The number came after the offer: blocks hold for it all the same."""
        running = self.calls.get(call_id)
        if running is None or running.offer.line == PHONES:
            return
        offer = replace(running.offer, caller=event.caller, name=event.name or running.offer.name)
        if event.caller.kind is Kind.E164:
            self.last_caller = event.caller
        decided = self.explain(offer, self.clock.local(self.plan.zone))
        self._screened(offer, decided)
        if any(getattr(step, "cause", "") == Cause.BLOCKED for step in decided.steps[:1]):
            self.carry_out(call_id, running.call.turn_away(decided, self.clock.monotonic()))

    def _forget(self, leg: LegId) -> None:
        self._bridge.stop_play(leg)
        self._by_leg.pop(leg, None)
        self._line_of.pop(leg, None)
        self._joined = {pair for pair in self._joined if leg not in pair}
        self._wanted_joins = {pair for pair in self._wanted_joins if leg not in pair}

    def _call_event(self, event: ev.TimerFired | ev.LookedUp | ev.AgentsChosen | ev.PlaceChanged) -> None:
        running = self.calls.get(CallId(event.call))
        if running:
            self.carry_out(CallId(event.call), running.call.handle(event, self.clock.monotonic()))

    def _line_up(self, event: ev.LineUp) -> None:
        self._storage.happened("line-up", {"line": self._label(event.line)}, "info")
        self.changed("lines")

    def _line_down(self, event: ev.LineDown) -> None:
        self._storage.happened("line-down", {"line": self._label(event.line), "reason": event.reason}, "warn")
        self.changed("lines")

    def _line_said(self, event: ev.LineSaid) -> None:
        self.happened(event.message, {"line": self._label(event.line), **event.args}, event.severity)

    def _fact_known(self, event: ev.FactKnown) -> None:
        self.line_facts.setdefault(str(event.line), {})[event.name] = event.value
        self._storage.fact(str(event.line), event.name, event.value)
        self.changed("lines")

    def _second_call(self, event: ev.SecondCall) -> None:
        """A row of its own, as of every call that nobody took."""
        now = self.clock.local(self.plan.zone)
        record = refused_as_busy(
            self._new_id(now), event.line, event.caller, event.name or "", self.plan, stamp(now)
        )  # fmt: skip
        self._storage.call(record)
        if event.caller.kind is Kind.E164:
            self.last_caller = event.caller
        self.changed("calls")

    def _new_id(self, now: datetime) -> CallId:
        return CallId(f"{now.astimezone():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}")

    def _label(self, line: LineId) -> str:
        return self.plan.lines[line].label if line in self.plan.lines else str(line)

    def _binding_changed(self, event: ev.BindingChanged) -> None:
        (self.registered.add if event.online else self.registered.discard)(event.extension)
        self.changed("phones")

    # ---- commands -----------------------------------------------------------------------------------------------

    def call_of(self, leg: LegId) -> Running | None:
        """The call that has this leg."""
        call_id = self._by_leg.get(leg)
        return self.calls.get(call_id) if call_id else None

    def moved(self, leg: LegId, call: CallId) -> None:
        """The leg belongs to another call now."""
        self._by_leg[leg] = call

    def knows_leg(self, leg: LegId) -> bool:
        """The leg is not gone."""
        return leg in self._line_of

    def post(self, event: ev.Event) -> None:
        """For later in this turn of the loop."""
        self._post(event)

    def keep(self, line: str, name: str, value: object) -> None:
        """A fact that outlives a restart."""
        self._storage.fact(line, name, value)

    def perform(self, command: do.Command) -> None:
        """Carry out a command that belongs to no call."""
        self._commands[type(command)](command)

    def carry_out(self, call_id: CallId, commands: list[do.Command]) -> None:
        """The commands of a call, in order."""
        for command in commands:
            perform = self._commands.get(type(command))
            if perform:
                if isinstance(command, do.Dial):
                    self._by_leg[command.leg] = call_id
                perform(command)
            else:
                leg = getattr(command, "leg", None)
                if leg in self._line_of:
                    self._line(leg).perform(command)
        running = self.calls.get(call_id)
        if running and running.call.ended:
            self._timers.stop_all(call_id)
            del self.calls[call_id]
        self.changed("calls")

    def _line(self, leg: LegId) -> Line:
        return self.lines[self._line_of[leg]]

    def _dial(self, command: do.Dial) -> None:
        line = self.lines.get(command.line)
        if line is None:
            self._post(ev.Ended(command.leg, Cause.UNREACHABLE, "no such line"))
            return
        if command.when_free and not self.presence().available(command.number.text):
            self._post(ev.Ended(command.leg, Cause.BUSY, "in a call"))
            return
        self._line_of[command.leg] = command.line
        line.perform(command)

    def _join(self, command: do.Join) -> None:
        self._wanted_joins.add((command.a, command.b))
        self._try_joins(command.a)

    def _try_joins(self, leg: LegId) -> None:
        """Join what is wanted as soon as both legs have a slot; a leg whose audio comes later posts Answered again."""
        for pair in [p for p in self._wanted_joins if leg in p and p not in self._joined]:
            slots = [self._line(one).slot(one) if one in self._line_of else None for one in pair]
            if slots[0] is not None and slots[1] is not None:
                self._bridge.join(slots[0], slots[1])
                self._joined.add(pair)

    def _part(self, command: do.Part) -> None:
        pair = (command.a, command.b)
        self._wanted_joins.discard(pair)
        if pair not in self._joined:
            return
        self._joined.discard(pair)
        slots = [self._line(one).slot(one) if one in self._line_of else None for one in pair]
        if slots[0] is not None and slots[1] is not None:
            self._bridge.part(slots[0], slots[1])

    def _play(self, command: do.Play) -> None:
        path = self._prompts.find(command.prompt, command.language, self.country_of(command.leg))
        slot = self.slot_of(command.leg)
        if path is None or slot is None:
            log.warning("prompt %s cannot be played to %s", command.prompt, command.leg)
            self._post(ev.PromptEnded(command.leg, ok=False))
            return
        self._bridge.play(command.leg, slot, path, command.loop)

    def play_files(self, leg: LegId, paths: Sequence[Path]) -> bool:
        """Play files to a leg without a gap; PromptEnded comes back. False where it has no sound yet."""
        slot = self.slot_of(leg)
        if slot is not None:
            self._bridge.say(leg, slot, paths)
        return slot is not None

    def slot_of(self, leg: LegId | None) -> int | None:
        """A leg's slot in the bridge; None while it has no sound."""
        return self._line(leg).slot(leg) if leg is not None and leg in self._line_of else None

    def country_of(self, leg: LegId) -> str:
        """The country of a leg's line: of a phone, that of the line its call is on, else of the office."""
        running = self.calls.get(self._by_leg[leg]) if leg in self._by_leg else None
        for name in (self._line_of.get(leg), running.offer.line if running else None):
            if name is not None and name in self.plan.lines:
                return self.plan.lines[name].country
        return self.plan.country

    def _store_call(self, command: do.StoreCall) -> None:
        self._storage.call(replace(command.record, ended_at=stamp(self.clock.now())))
        for told in self.call_ended:
            told(command.record)

    def set_override(self, command: do.SetOverride) -> None:
        """Set, clear or toggle an override; "toggle" sets `night` or gives it back to the hours."""
        value = command.value
        if value == "toggle":
            value = "" if self.overrides.get(command.name) == "on" else "on"
        self.overrides[command.name] = value
        self._storage.override(command.name, value, command.by)
        if command.name == NIGHT and self.overrides.get(NIGHT_UNTIL, "") != command.until:
            self.overrides[NIGHT_UNTIL] = command.until
            self._storage.override(NIGHT_UNTIL, command.until, command.by)
        self.changed("lamps")
