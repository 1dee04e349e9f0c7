"""A small office on stand-in lines, bridge and storage."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from appliance.core import events as ev
from appliance.core.model import PHONES, Kind, LegId, LineId, Number
from appliance.core.plan import Group, Line, OutgoingRule, Person, Plan
from appliance.core.plan_time import Hours, Range
from appliance.exchange.buttons import Buttons
from appliance.exchange.clock import Clock
from appliance.exchange.exchange import Exchange
from appliance.exchange.loop import Inbox
from appliance.settings.prompts import Prompts
from tests.fakes.lines import FakeBridge, FakeLine, FakeStorage, e164, internal

WARSAW = ZoneInfo("Europe/Warsaw")
GSM = LineId("gsm0")
FRIDAY_NOON = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)


class Office:
    """A small office: one SIM, three phones, a group of two."""

    def __init__(self, folder, blocks=()):
        for name in ("closed", "nobody", "night-on", "hold", "address", "not-allowed", "all-busy", "blocked"):
            (folder / "en").mkdir(exist_ok=True)
            (folder / "en" / f"{name}.wav").write_bytes(b"RIFF")
        self.inbox = Inbox()
        self.clock = Clock()
        self.clock.set(FRIDAY_NOON)
        self.gsm, self.phones = FakeLine(GSM, self.inbox.put), FakeLine(PHONES, self.inbox.put)
        self.bridge, self.storage = FakeBridge(self.inbox.put), FakeStorage(self.inbox.put)
        hours = Hours(False, tuple(Range(d, time(9), time(18)) for d in range(5)), (), WARSAW)
        plan = Plan(
            country="PL",
            language="en",
            zone=WARSAW,
            lines={GSM: Line(GSM, "gsm", "Reception", "+48990120100", "PL", "en", hours, "office")},
            people={e: Person(e, n, "en", None) for e, n in (("101", "Anna"), ("102", "Ben"), ("103", "Cyril"))},
            groups={"office": Group("office", "Office", ("101", "102"), 25)},
            blocks=tuple(blocks),
            outgoing=(OutgoingRule("*", (GSM,)),),
        )
        self.exchange = Exchange(
            plan, {GSM: self.gsm, PHONES: self.phones}, self.bridge, self.storage, self.clock,
            Prompts(folder / "uploads", [folder]), self.inbox.put,
        )  # fmt: skip
        self.resets = 0
        self.buttons = Buttons(self.exchange, lambda number: self.storage.block(number, "button"), self._reset)
        self.exchange.pressed = self.buttons.pressed
        for extension in ("101", "102", "103"):
            self.exchange.handle(ev.BindingChanged(extension, online=True))

    def _reset(self):
        self.resets += 1

    def press(self, name, press="short"):
        self.exchange.handle(ev.ButtonPressed(name, press))
        self.settle()

    def settle(self):
        while (event := self.inbox.get()) is not None:
            self.exchange.handle(event)

    def later(self, seconds):
        self.exchange.tick(self.clock.monotonic() + seconds)
        self.settle()

    def call_in(self, caller="+48600100200", leg="gsm0-1", kind=Kind.E164):
        self.gsm.offer(LegId(leg), Number(caller, kind), e164("+48990120100"))
        self.settle()

    def call_from(self, extension, number, leg="phones-1"):
        self.phones.offer(LegId(leg), internal(extension), internal(number))
        self.settle()

    def rung(self):
        return [c.number.text for c in self.phones.dialled()]

    def row(self):
        assert len(self.storage.calls) == 1
        return self.storage.calls[0]

    def rules(self):
        return [step.rule for step in self.row().trace]


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)
