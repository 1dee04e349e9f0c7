"""What calls out cost, kept while the box runs: sums of the day and month, the balance of SIMs, alarms. Loop thread.

The sums begin with the calls of the journal, every call that ends is added, and those that run count as they are now.
`core.caps` counts and `core.calling_out` decides; here is only what they need to know, and what people are told: at 80
and at 100 percent of a cap, once each in its day, night or month, and when a phone calls out without end.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from appliance.core.calling_out import charge_of
from appliance.core.caps import WARN_PERCENT, Charge, Ledger, Spent, is_night, periods, used
from appliance.core.commands import CallRecord
from appliance.core.limits import TOO_MANY
from appliance.core.model import PHONES, LineId, Offer, Route
from appliance.core.plan import Plan
from appliance.core.plan_calling import Cap
from appliance.exchange.control import Answer, Json
from appliance.exchange.credit import BALANCE, Items
from appliance.exchange.exchange import Exchange
from appliance.exchange.facts import Facts
from appliance.exchange.notices import Notices
from appliance.exchange.parts import Running
from appliance.exchange.verbs import Args, Reply
from appliance.journal.rows import CallRow
from appliance.journal.times import stamp
from appliance.settings.sims import balance_of

log = logging.getLogger(__name__)

FLOOD_SECONDS = 3600.0  # one alarm an hour for each phone
OLD = timedelta(days=2)  # a balance that was read longer ago, beyond the days between readings, is not known any more
PERIODS = {"day": 0, "month": 1, "night": 2}
FULL = 100


class Spending:
    """See the module."""

    def __init__(self, exchange: Exchange, facts: Facts, notices: Notices, items: Items) -> None:
        """`items`: lines of the settings, by id."""
        self._exchange = exchange
        self._facts = facts
        self._notices = notices
        self._items = items
        plan = exchange.plan
        self._plan, self._keys = plan, _keys(plan)
        self._ledger = Ledger(plan.zone, plan.calling.night)
        self._told: set[tuple[str, str, int]] = set()
        self._flood_told: dict[str, float] = {}
        exchange.call_ended.append(self.call_ended)
        exchange.spent, exchange.balances = self.spent, self.balances
        exchange.decided.append(self.decided)

    def month_began(self) -> str:
        """The stamp since which calls of the journal are asked for: a day before the month, for its night."""
        now = self._exchange.clock.local(self._exchange.plan.zone)
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return stamp(first - timedelta(days=1))

    def restore(self, rows: Iterable[CallRow]) -> None:
        """The calls of the journal that talked, oldest first. What they reached was told when they did."""
        self._follow_plan()
        for row in rows:
            self._add(row.started_at, row.line, row.caller, row.answered_by, row.talk_ms, row.legs)
        for key, percent, period in self._shares():
            self._told.update((key, period, level) for level in (WARN_PERCENT, FULL) if percent >= level)

    # ---- for decisions ----------------------------------------------------------------------------------------------

    def spent(self) -> Mapping[str, Spent]:
        """By the key of each line and person, up to now."""
        self._follow_plan()
        return self._ledger.of(self._keys, self._now(), (charge for _, charge in self._running()), self._switched())

    def balances(self) -> Mapping[LineId, int | None]:
        """Of the lines whose balance is read: minor units, None where it is not known."""
        found = {}
        for line, item in self._items().items():
            how = balance_of(item)
            if how.code or how.sender:
                found[LineId(line)] = self._balance(line, int(str(item.get("balance_days") or 1)))
        return found

    def _balance(self, line: str, days: int) -> int | None:
        known = self._facts.get(line, BALANCE)
        if not isinstance(known, Mapping) or not isinstance(known.get("amount"), int):
            return None
        try:
            read_at = datetime.fromisoformat(str(known.get("at")))
            fresh = self._now() - read_at <= OLD + timedelta(days=days)
        except (ValueError, TypeError):
            return None
        return int(known["amount"]) if fresh else None

    def verbs(self) -> Mapping[str, Callable[[Args, str, Reply], None]]:
        """For the table of the control socket."""
        return {"calling.spent": self._answer}

    def _answer(self, args: Args, who: str, reply: Reply) -> None:
        """calling.spent {} -> {"spent": [{key, percent, day, month, money}]}: of each line and person with a cap;
        seconds, and minor units of this month."""
        spent = self.spent()
        rows: list[Json] = [
            {"key": key, "percent": percent, "day": spent[key].day.seconds, "month": spent[key].month.seconds,
             "money": spent[key].month.money}
            for key, percent, _ in self._shares()
        ]  # fmt: skip
        reply(Answer(ok={"spent": rows}))

    # ---- what happens -----------------------------------------------------------------------------------------------

    def call_ended(self, record: CallRecord) -> None:
        """Add a call."""
        self._follow_plan()
        self._add(
            record.started_at, record.line, record.caller.text, record.answered_by, record.talk_ms, record.legs
        )  # fmt: skip

    def decided(self, offer: Offer, route: Route) -> None:
        """An alarm when a phone was stopped because it calls out again and again."""
        if offer.line != PHONES or not any(step.rule == TOO_MANY for step in route.trace):
            return
        extension, at = offer.caller.text, self._exchange.clock.monotonic()
        if at < self._flood_told.get(extension, at):
            return
        self._flood_told[extension] = at + FLOOD_SECONDS
        most = str(self._exchange.limits.a_minute)
        log.warning("phone %s is stopped: more than %s calls out a minute", extension, most)
        self._notices.tell(LineId(""), "phone-flood", {"extension": extension, "most": most}, "error", mail=True)

    def chore(self, at: float) -> None:
        """Once a second: tell of caps, and end calls of who is over one: several at once spend it together."""
        for key, percent, period in self._shares():
            for level, message in ((FULL, "cap-reached"), (WARN_PERCENT, "cap-warn")):
                if percent >= level and (key, period, level) not in self._told:
                    self._told.update((key, period, lower) for lower in (WARN_PERCENT, level))
                    self._tell(key, message, percent, period)
            if percent >= FULL:
                self._end_calls(key)

    def _end_calls(self, key: str) -> None:
        for running, charge in list(self._running()):
            if key in charge.whose():
                log.info("call %s ends: a cap of %s is reached", running.call.id, key)
                self._exchange.hang_up(str(running.call.id))

    def _tell(self, key: str, message: str, percent: int, period: str) -> None:
        plan, (kind, _, name) = self._exchange.plan, key.partition("/")
        line, person = plan.lines.get(LineId(name)), plan.people.get(name)
        who = (line.label if line else name) if kind == "line" else (person.name if person else name)
        facts = {"who": who, "percent": str(percent), "period": period.partition(" ")[2]}
        self._notices.tell(LineId(name if kind == "line" else ""), message, facts, mail=True)

    # ---- counting ---------------------------------------------------------------------------------------------------

    def _shares(self) -> list[tuple[str, int, str]]:
        """Of each line and person with a cap: how much of it is used, and the period it is of."""
        caps = _caps(self._exchange.plan)
        if not caps:
            return []
        spent, now = self.spent(), self._now()
        night, switched = self._ledger.night, self._switched()
        names = periods(night, now, switched)
        shares = [(key, *used(cap, spent[key], is_night(night, now, switched))) for key, cap in caps.items()]
        return [(key, percent, names[PERIODS[which]]) for key, percent, which in shares if which]

    def _running(self) -> Iterable[tuple[Running, Charge]]:
        plan, at, now = self._exchange.plan, self._exchange.clock.monotonic(), self._now()
        for running in self._exchange.calls.values():
            call = running.call
            if call.answered_at is None or running.route.emergency:
                continue
            legs = [leg for leg in call.leg_facts()[1:] if leg["state"] == "talking"]
            talk = round((at - call.answered_at) * 1000)
            caller, line = running.offer.caller.text, str(running.offer.line)
            charge = charge_of(plan, now - timedelta(milliseconds=talk), line, caller, call.answered_by, talk, legs)
            if charge:
                yield running, charge

    def _add(
        self, started: str, line: str, caller: str, answered_by: str, talk_ms: int, legs: Iterable[Mapping[str, object]]
    ) -> None:
        try:
            began = datetime.fromisoformat(started)
        except ValueError:
            return
        charge = charge_of(self._exchange.plan, began, line, caller, answered_by, talk_ms, legs)
        if charge:
            self._ledger.add(charge, self._switched())

    def _follow_plan(self) -> None:
        plan = self._exchange.plan
        if plan is not self._plan:
            self._plan, self._keys = plan, _keys(plan)
            self._ledger.zone, self._ledger.night = plan.zone, plan.calling.night

    def _now(self) -> datetime:
        return self._exchange.clock.local(self._exchange.plan.zone)

    def _switched(self) -> str:
        return self._exchange.overrides.get("night", "")


def _keys(plan: Plan) -> frozenset[str]:
    return frozenset((*(f"line/{line}" for line in plan.lines), *(f"person/{extension}" for extension in plan.people)))


def _caps(plan: Plan) -> dict[str, Cap]:
    caps = {f"line/{line.id}": line.cap for line in plan.lines.values()}
    caps |= {f"person/{one.extension}": one.cap.over(plan.calling.person_cap) for one in plan.people.values()}
    return {key: cap for key, cap in caps.items() if cap != Cap()}
