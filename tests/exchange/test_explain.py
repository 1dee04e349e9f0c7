"""What `explain` says is what happens: eight hundred cases on stand-in lines; two hundred are played for real."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from appliance.core import events as ev
from appliance.core.model import PHONES, Kind, LegId, LineId, Number, Offer
from appliance.core.plan import Block, OutgoingRule

GSM = LineId("gsm0")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
CALLERS = ("+48600100200", "+48700123456", "+48221234567", "+380671234567", "withheld", "unavailable")
DIALLED = ("112", "101", "102", "103", "199", "*28", "*43", "600100200", "+48221234567", "+380671234567", "0", "#")
HIDDEN = {"withheld": Kind.WITHHELD, "unavailable": Kind.UNAVAILABLE}
BLOCKS = (
    Block(1, "+48700*"), Block(2, "+48600*", when="after-hours"), Block(3, "+48600100200", allow=True),
    Block(4, "+380*", action="busy", line=GSM), Block(5, "withheld", action="announce"),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_a_hundred_offers_are_decided_as_they_were_explained(office, seed):
    chance = random.Random(seed)
    exchange = office.exchange
    exchange.limits.invites_per_phone = 1e6  # how fast a phone may call is no matter of the plan
    for number in range(100):
        some = tuple(block for block in BLOCKS if chance.random() < 0.5)
        line = replace(
            exchange.plan.lines[GSM], withheld=chance.choice(("ring", "block")),
            no_answer=chance.choice(("busy", "announce")), closed=chance.choice(("announce", "busy", "reject")),
            night=chance.random() < 0.8,
        )  # fmt: skip
        rules = (OutgoingRule("*", (GSM,)),) if chance.random() < 0.7 else ()
        exchange.plan = replace(exchange.plan, blocks=some, lines={GSM: line}, outgoing=rules)
        exchange.overrides["night"] = chance.choice(("", "", "on", "off"))
        for extension in ("101", "102", "103"):
            exchange.handle(ev.BindingChanged(extension, online=chance.random() < 0.7))
        office.clock.set(MONDAY + timedelta(minutes=chance.randrange(7 * 24 * 60)))
        leg = LegId(f"leg-{number}")
        offer = _from_phone(chance, leg) if chance.random() < 0.4 else _from_outside(chance, leg)
        before = (dict(exchange.overrides), set(exchange.registered), exchange.plan, len(office.storage.calls))
        told = exchange.explain(offer, office.clock.local(exchange.plan.zone))
        assert (exchange.overrides, exchange.registered, exchange.plan, len(office.storage.calls)) == before
        wire = office.phones if offer.line == PHONES else office.gsm
        wire.offer(leg, offer.caller, offer.called)
        office.settle()
        if wire.legs.get(leg):
            wire.far_ends(leg)
            office.settle()
        assert office.storage.calls[-1].trace == told.trace, (seed, number)
        for rung in (*office.phones.legs, *office.gsm.legs):
            raise AssertionError(f"{rung} was left ringing")
    assert len(office.storage.calls) == 100


def _from_outside(chance: random.Random, leg: LegId) -> Offer:
    caller = chance.choice(CALLERS)
    shown = Number("", HIDDEN[caller]) if caller in HIDDEN else Number(caller, Kind.E164)
    return Offer(leg, GSM, shown, Number("+48990120100", Kind.E164))


def _from_phone(chance: random.Random, leg: LegId) -> Offer:
    caller = Number(chance.choice(("101", "103", "999")), Kind.INTERNAL)
    return Offer(leg, PHONES, caller, Number(chance.choice(DIALLED), Kind.INTERNAL))


def test_a_refused_caller_lights_no_lamp(office):
    """Neither while the call is offered nor afterwards does the line lamp say that anything rings."""
    office.exchange.plan = replace(office.exchange.plan, blocks=(Block(1, "+48600*"),))
    seen = []
    office.exchange.changed = lambda topic: seen.append([r.call.state_name() for r in office.exchange.calls.values()])
    office.call_in()
    assert "ringing" not in {state for states in seen for state in states}
    assert office.exchange.calls == {}
    assert office.rung() == []
