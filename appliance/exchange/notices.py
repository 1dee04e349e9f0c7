"""Notices of a line that people should get even when they do not look at the page. Loop thread."""

from collections.abc import Callable, Mapping
from datetime import date

from appliance.core.model import PHONES, LineId
from appliance.exchange.exchange import Exchange
from appliance.exchange.facts import Submit
from appliance.journal.times import stamp
from appliance.journal.writes import AddNotice, Write


class Notices:
    """Writes them; `recipients` gives whom the mail of the office goes to, nobody where mail is off."""

    def __init__(self, exchange: Exchange, submit: Submit, recipients: Callable[[], tuple[str, ...]]) -> None:
        self._exchange = exchange
        self._submit = submit
        self._recipients = recipients

    def tell(
        self,
        line: LineId,
        message: str,
        args: Mapping[str, str],
        severity: str = "warn",
        mail: bool = False,
        hook: str = "",
    ) -> None:
        """An id of `words.NOTICES` about a line; its label is put among the facts."""
        known = self._exchange.plan.lines.get(line)
        facts = {"line": known.label if known else str(line), **args}
        to = self._recipients() if mail else ()
        at = stamp(self._exchange.clock.now())
        self.write(AddNotice(at, message, facts, severity, to, hook))
        self._exchange.changed("notes")
        self._exchange.changed("lines")

    def write(self, write: Write, then: Callable[[], None] | None = None) -> None:
        """Into the journal; `then` runs on the storage thread when it is there, or could not be put there."""
        self._submit(write, (lambda result: then()) if then else None)

    def iccid(self, line: LineId) -> str:
        """The SIM in that line, "" where it does not say."""
        found = self._exchange.lines.get(line) if line != PHONES else None
        return str(found.status().facts.get("iccid", "")) if found else ""

    def today(self) -> date:
        """By the plan's clock, in the office's zone."""
        return self._exchange.clock.local(self._exchange.plan.zone).date()
