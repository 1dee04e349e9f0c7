"""Messages of SIMs on their way into storage: who gets them, who is blocked, and when the SIM may forget them."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.model import LineId, Number, Presence
from appliance.core.plan import Plan
from appliance.core.routing import opening
from appliance.core.screening import screen_sms
from appliance.core.sms_rules import Rule, fits, narrowed
from appliance.exchange.clock import Clock
from appliance.exchange.parts import Storage
from appliance.lines import Line

log = logging.getLogger(__name__)


class Office(Protocol):
    """What is needed of the exchange."""

    plan: Plan
    clock: Clock
    lines: dict[LineId, Line]
    message_came: Callable[[ev.SmsReceived], None]
    changed: Callable[[str], None]

    def presence(self) -> Presence: ...


class Receiving:
    """Loop thread."""

    def __init__(self, office: Office, storage: Storage) -> None:
        self._office = office
        self._storage = storage

    def events(self) -> Mapping[type, Callable[..., None]]:
        """What it takes."""
        return {
            ev.SmsReceived: self._received, ev.SmsStored: self._stored, ev.SmsStoreFailed: self._store_failed,
        }  # fmt: skip

    def _received(self, event: ev.SmsReceived) -> None:
        plan, clock = self._office.plan, self._office.clock
        line, now, sender = plan.lines.get(event.line), clock.local(plan.zone), event.part.sender
        verdict = screen_sms(sender, event.line, plan, now, clock.sure)
        mail = line is not None and not verdict.blocked
        if verdict.blocked and verdict.block is not None:
            self._storage.hit(verdict.block)
        never = line is not None and any(fits(pattern, sender) for pattern in line.sms_never)
        rules = self.rules(event.line, sender, now)
        self._storage.sms(
            do.StoreSms(event.line, event.memory, event.slot, event.part, mail=mail, rules=rules, never=never)
        )
        self._office.message_came(event)

    def rules(self, line: LineId, sender: Number, now: datetime) -> tuple[Rule, ...]:
        """The rules that hold for a message of this sender on this line at this time."""
        plan = self._office.plan
        known = plan.lines.get(line)
        open_now = opening(known, now, self._office.presence())[0] if known else True
        own = frozenset(one.own_number for one in plan.lines.values() if one.own_number)
        return narrowed(plan.sms_rules, str(line), sender, open_now, own)

    def _stored(self, event: ev.SmsStored) -> None:
        if event.line in self._office.lines:
            self._office.lines[event.line].perform(do.FreeSlot(event.line, event.memory, event.slot, event.pdu))
        self._office.changed("sms")

    def _store_failed(self, event: ev.SmsStoreFailed) -> None:
        log.error("line %s: a message stays on the SIM, it could not be stored: %s", event.line, event.reason)
        self._office.changed("notes")
