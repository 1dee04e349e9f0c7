"""Watches SIM lines for what is no fault: see `core.line_watch`. Loop thread."""

from collections.abc import Callable, Mapping
from datetime import date

from appliance.core.commands import CallRecord
from appliance.core.line_watch import numbers_arrive, switch_off
from appliance.core.model import PHONES, Direction, LineId
from appliance.exchange.exchange import Exchange
from appliance.exchange.facts import Facts
from appliance.exchange.notices import Notices
from appliance.settings.fields import Value

NUMBERS, ENDING = "numbers", "network-ends"
FACTS = (NUMBERS, ENDING)
LOOK_SECONDS = 60.0


class LineWatch:
    """`office` gives the section of that name."""

    def __init__(
        self, exchange: Exchange, facts: Facts, notices: Notices, office: Callable[[], Mapping[str, Value]]
    ) -> None:
        self._exchange = exchange
        self._facts = facts
        self._notices = notices
        self._office = office
        self._next = 0.0
        exchange.call_ended.append(self.ended)

    def ended(self, record: CallRecord) -> None:
        """A call from outside showed a number, or none."""
        line = self._exchange.plan.lines.get(LineId(record.line))
        if record.direction is not Direction.IN or line is None or line.kind != "gsm":
            return
        known = self._facts.get(record.line, NUMBERS)
        before = known if isinstance(known, int) else -1
        now, told = numbers_arrive(before, record.caller.kind)
        if now != before:
            self._facts.put(record.line, NUMBERS, now)
        if told:
            bad = told == "stopped"
            self._notices.tell(line.id, f"numbers-{told}", {}, severity="warn" if bad else "info", mail=bad)

    def chore(self, at: float) -> None:
        """Once a minute: is a network ending that a SIM is on? `at`: monotonic seconds."""
        if at < self._next:
            return
        self._next = at + LOOK_SECONDS
        for line_id, line in self._exchange.lines.items():
            network = line.status().facts.get("network", "") if line_id != PHONES else ""
            if network:
                self._look(line_id, network)

    def _look(self, line: LineId, network: str) -> None:
        written = str(self._office().get(f"ends_{network}") or "")
        ends = date.fromisoformat(written) if written else None
        known = self._facts.get(str(line), ENDING)
        same = isinstance(known, list) and known[:2] == [network, written]
        told = known[2] if same and isinstance(known, list) else None
        due = switch_off(network, ends, self._notices.today(), told)
        if due is not None:
            self._facts.put(str(line), ENDING, [network, written, due])
            facts = {"network": network.upper(), "day": written}
            self._notices.tell(line, "network-ends" if due else "network-ended", facts, mail=True)
