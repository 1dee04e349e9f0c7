"""Whatever happens in whatever order: one record a call, no leg left, no leg answered twice, nobody joined who is gone.

A small world plays the lines: it holds the legs, obeys the commands, and lets anything happen that a leg in its state
can do, and things that should not happen besides. The seeds are fixed; SEEDS=n runs more of them.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call import Call
from appliance.core.call_states import Leg, State
from appliance.core.call_talk import cut
from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    CallId,
    DialStep,
    Direction,
    GreetStep,
    Kind,
    LegId,
    LineId,
    MailboxStep,
    MenuStep,
    Number,
    PinStep,
    QueueStep,
    RefuseStep,
    ResponsibleStep,
    RingStep,
    Route,
    ServiceStep,
    Step,
    Target,
    ToneStep,
    Wave,
)
from appliance.core.plan import Group, Person
from appliance.core.scheme import Destination, Key, Mailbox, Menu, To
from tests.core.builders import GSM0, dialled, line, offer, plan

RUNS = int(os.environ.get("SEEDS", "100000"))
CODES = {"##": "transfer", "*2": "attended", "*1": "record", "*5": "park", "*66": "voicedrop"}
KEYS = (Key("1", Destination(To.PERSON, "101")), Key("22", Destination(To.GROUP, "office")))
MENU = Menu("main", "Main", "menu", KEYS, extensions=True, no_key=Destination(To.MAILBOX, "office"))  # fmt: skip
PLAN = plan(
    menus={"main": MENU}, mailboxes={"office": Mailbox("office", "Office")}, call_codes=CODES,
    groups={"office": Group("office", "Office", ("101", "102"), queue=True, call_back=True)},
    lines={GSM0: line(record=True)},
    people={e: Person(e, e, "pl", None, pin="1") for e in ("101", "102", "103")},
)  # fmt: skip


def _phone(extension: str, **more: Any) -> Target:
    return replace(Target(PHONES, Number(extension, Kind.INTERNAL), extension), **more)


def _outside(**more: Any) -> Target:
    return replace(Target(LineId("gsm0"), Number("+48600100200", Kind.E164)), **more)


STEPS: tuple[Callable[[random.Random], Step], ...] = (
    lambda r: RingStep((_phone("101"), _phone("102", delay=3.0)), 20.0, whisper=r.choice(["", "for {wait} s"])),
    lambda r: RingStep((_outside(confirm=True), _phone("103")), 20.0, whisper_prompt="w" if r.random() < 0.3 else ""),
    lambda r: RingStep(
        (_phone("101"), _phone("102")), 60.0, waves=(Wave((_phone("101"),), 20.0), Wave((_phone("102"),), 20.0)),
        repeat=r.random() < 0.5, detours={"busy": (AnnounceStep("all-busy", "busy"),)},
    ),
    lambda r: DialStep((_outside(), _outside()), emergency=r.random() < 0.2),
    lambda r: GreetStep("welcome", first=r.random() < 0.5),
    lambda r: QueueStep("office", whisper="hello" if r.random() < 0.5 else ""),
    lambda r: MenuStep("main"),
    lambda r: MailboxStep("office"),
    lambda r: ResponsibleStep(20.0),
    lambda r: AnnounceStep("closed", "closed"),
    lambda r: ToneStep("closed"),
    lambda r: RefuseStep("busy"),
    lambda r: PinStep("101", (DialStep((_outside(),), talk_seconds=r.choice([0.0, 90.0])), RefuseStep("busy"))),
    lambda r: ServiceStep(r.choice(["echo", "night.toggle", "room", "address"]), {"value": "on"}),
)  # fmt: skip


@dataclass
class World:
    """The lines, as far as a call sees them."""

    chance: random.Random
    call: Call
    up: dict[LegId, str] = field(default_factory=dict)  # offered | dialled | up | ended
    joined: set[frozenset[LegId]] = field(default_factory=set)
    answered: list[LegId] = field(default_factory=list)
    timers: set[str] = field(default_factory=set)
    records: int = 0
    early: set[LegId] = field(default_factory=set)  # hear early media
    hung: set[LegId] = field(default_factory=set)
    recordings: dict[str, LegId] = field(default_factory=dict)
    pending: list[ev.Event] = field(default_factory=list)

    def obey(self, commands: list[do.Command]) -> None:
        for command in commands:
            getattr(self, f"_{type(command).__name__.lower()}", lambda c: None)(command)

    def _dial(self, c: do.Dial) -> None:
        assert self.up.setdefault(c.leg, "dialled") == "dialled"
        if self.chance.random() < 0.15:
            self.pending.append(ev.Ended(c.leg, self.chance.choice([Cause.BUSY, Cause.NOT_REGISTERED])))

    def _answer(self, c: do.Answer) -> None:
        assert self.up[c.leg] == "offered", "answered twice, or a leg that is gone"
        assert c.leg not in self.answered
        self.answered.append(c.leg)
        self.pending.append(ev.Answered(c.leg))

    def _hangup(self, c: do.HangUp) -> None:
        assert c.leg in self.up
        self.hung.add(c.leg)
        if self.up[c.leg] != "ended":
            self.pending.append(ev.Ended(c.leg, c.cause))

    def _join(self, c: do.Join) -> None:
        assert self.records == 0
        self.joined.add(frozenset((c.a, c.b)))

    def _progress(self, c: do.Progress) -> None:
        self.early.add(c.leg)

    def _part(self, c: do.Part) -> None:
        self.joined.discard(frozenset((c.a, c.b)))

    def _play(self, c: do.Play) -> None:
        if not c.loop:
            self.pending.append(ev.PromptEnded(c.leg))

    def _say(self, c: do.Say) -> None:
        self.pending.append(ev.PromptEnded(c.leg))

    def _record(self, c: do.Record) -> None:
        self.recordings[c.id] = c.leg

    def _stoprecord(self, c: do.StopRecord) -> None:
        self.recordings.pop(c.id, None)

    def _starttimer(self, c: do.StartTimer) -> None:
        self.timers.add(c.name)

    def _stoptimer(self, c: do.StopTimer) -> None:
        self.timers.discard(c.name)

    def _lookup(self, c: do.LookUp) -> None:
        found = {"extension": "102"} if self.chance.random() < 0.5 else {}
        self.pending.append(ev.LookedUp(str(self.call.id), found))

    def _enqueue(self, c: do.Enqueue) -> None:
        if self.chance.random() < 0.8:
            self.pending.append(ev.PlaceChanged(str(self.call.id), self.chance.randint(1, 3), 120.0))
            self.pending.append(ev.AgentsChosen(str(self.call.id), ("101", "102"), 20.0))

    def _park(self, c: do.Park) -> None:
        self.obey(self.call.parked(self.chance.choice(["701", ""]), 5.0))

    def _decide(self, c: do.Decide) -> None:
        steps = tuple(self.chance.choice(STEPS)(self.chance) for _ in range(self.chance.randint(0, 2)))
        self.obey(self.call.go_on(Route(steps, (), Direction.IN), 5.0))

    def _storecall(self, c: do.StoreCall) -> None:
        self.records += 1

    def happen(self) -> None:
        """One thing: what was asked for, or anything else."""
        if self.chance.random() < 0.04 and self._moved():
            return
        if self.chance.random() < 0.005:
            self.obey(cut(self.call, "anna", 6.0))
            return
        if self.pending and self.chance.random() < 0.6:
            event = self.pending.pop(self.chance.randrange(len(self.pending)))
        else:
            event = self._anything()
        leg = getattr(event, "leg", None)
        if leg is not None:
            if self.up.get(leg, "ended") == "ended":
                return
            self.up[leg] = {ev.Answered: "up", ev.Ended: "ended"}.get(type(event), self.up[leg])
        if isinstance(event, ev.Ended):
            self.joined = {pair for pair in self.joined if leg not in pair}
        if isinstance(event, ev.Progressed):
            self.early.add(event.leg)
        if isinstance(event, ev.RecordingEnded):
            self.recordings.pop(event.id, None)
        if isinstance(event, ev.TimerFired):
            self.timers.discard(event.name)
        self.obey(self.call.handle(event, 7.0))

    def _moved(self) -> bool:
        """A leg of another call takes this one, takes the place of one of its legs, or one goes to another call."""
        call, new = self.call, f"other-{len(self.up)}"
        leg = Leg(LegId(new), "phones", Number("103", Kind.INTERNAL))
        if call.state in (State.RINGING, State.QUEUED, State.PARKED) and self.chance.random() < 0.5:
            self.up[leg.id] = "offered"
            self.obey(call.taken_by(leg, 6.0))
            return True
        if call.state not in (State.TALKING, State.RINGING):
            return False
        phones = [one for one in (call.near, call.far) if one and self.up[one] == "up"]
        if not phones:
            return False
        gone = self.chance.choice(phones)
        if self.chance.random() < 0.5:
            self.up[leg.id] = "up"
            self.obey(call.replace(gone, leg, 6.0))
        else:
            self.obey(call.release(gone, 6.0))
            self.up[gone] = "ended"
        return True

    def _anything(self) -> ev.Event:
        r = self.chance
        if self.timers and r.random() < 0.3:
            return ev.TimerFired(str(self.call.id), r.choice(sorted(self.timers)))
        leg = r.choice(sorted(self.up))
        near = leg == self.call.offer.leg and self.up[leg] == "offered"
        return r.choice([
            ev.Ended(leg, r.choice([Cause.NORMAL, Cause.BUSY, Cause.LINE_LOST, Cause.REJECTED])),
            ev.Ringing(leg), ev.Progressed(leg), ev.Held(leg, r.random() < 0.5),
            ev.Digit(leg, r.choice("0123#*1266")), ev.Digit(leg, r.choice("##*12")),
            ev.PromptEnded(leg, r.random() < 0.9), ev.TransferAsked(leg, r.choice(["102", "700", "+48600100200"])),
            ev.RecordingEnded(leg, next(iter(self.recordings), "none"), 3.0, "silence"),
            ev.Ringing(leg) if near else ev.Answered(leg), ev.NumberKnown(leg, Number("+48", Kind.E164)),
        ])  # fmt: skip

    def check(self) -> None:
        if not self.call.ended:
            for pair in self.joined:
                for leg in pair:
                    assert self.up[leg] == "up" or self.early, "joined with somebody who is not up"


def _play(seed: int) -> None:
    chance = random.Random(seed)
    steps = tuple(chance.choice(STEPS)(chance) for _ in range(chance.randint(1, 4)))
    inside = chance.random() < 0.4
    made = dialled("102") if inside else offer()
    route = Route(steps, (), Direction.IN, record=chance.random() < 0.3, record_notice=True)
    summons = inside and chance.random() < 0.2
    call = Call(CallId("c"), made, route, PLAN, 0.0, "t", summons)
    world = World(chance, call)
    if not summons:
        world.up[made.leg] = "offered"
    world.obey(call.begin())
    for _ in range(60):
        if call.ended:
            break
        world.happen()
        world.check()
    for _ in range(200):  # everybody hangs up in the end
        if call.ended:
            break
        standing = [leg for leg, state in sorted(world.up.items()) if state != "ended"]
        assert standing, "nobody is there and the call goes on"
        world.pending.clear()
        leg = chance.choice(standing)
        world.up[leg] = "ended"
        world.obey(call.handle(ev.Ended(leg, Cause.NORMAL), 9.0))
    assert world.records == 1, "one record"
    left = {leg: state for leg, state in world.up.items() if state != "ended" and leg not in world.hung}
    assert not left, "a leg is left"
    assert not world.recordings, "a recording runs on"


@pytest.mark.parametrize("part", range(4))
def test_whatever_happens_there_is_one_record_and_no_leg_is_left(part: int) -> None:
    for seed in range(part, RUNS, 4):
        try:
            _play(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
