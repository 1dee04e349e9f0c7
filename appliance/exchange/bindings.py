"""Registrations in the journal: monotonic seconds of the registrar on one side, stamps of real time on the other."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from appliance.journal.rows import BindingRow
from appliance.journal.times import moment, stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import DropBinding, PutBinding, TouchBindings
from appliance.protocols.registrar import Binding, Flow

TOUCH_SECONDS = 60.0


class JournalBindings:
    """Implements `registrations.BindingStore`. Registrations run on real time: the demo's clock does not end them."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._next_touch = 0.0

    def put(self, binding: Binding, remaining: float) -> None:
        """A contact came or moved."""
        flow = binding.flow
        facts: dict[str, str | int | float] = {
            "transport": flow.transport, "host": flow.host, "port": flow.port, "call_id": binding.call_id,
            "cseq": binding.cseq, "q": binding.q,
        }  # fmt: skip
        self._writer.submit(
            PutBinding(binding.extension, binding.key, binding.uri, _at(remaining), binding.user_agent, facts)
        )

    def drop(self, extension: str, key: str) -> None:
        """A contact went."""
        self._writer.submit(DropBinding(extension, key))

    def chore(self, at: float, remaining: Callable[[float], dict[tuple[str, str], float]]) -> None:
        """Once a minute write when each ends, in one transaction."""
        if at < self._next_touch:
            return
        self._next_touch = at + TOUCH_SECONDS
        left = remaining(at)
        if left:
            self._writer.submit(TouchBindings({key: _at(seconds) for key, seconds in left.items()}))


def _at(remaining: float) -> str:
    return stamp(datetime.now(UTC) + timedelta(seconds=remaining))


def restored(rows: Iterable[BindingRow], at: float) -> list[Binding]:
    """What the journal kept, as bindings that end `at` (monotonic) plus what they had left."""
    now = datetime.now(UTC)
    bindings: list[Binding] = []
    for row in rows:
        flow = row.flow
        try:
            ends = at + (moment(row.expires_at) - now).total_seconds()
            way = Flow(str(flow["transport"]), str(flow["host"]), int(str(flow["port"])))
            cseq, q = int(str(flow.get("cseq", 0))), float(str(flow.get("q", 1)))
        except (KeyError, ValueError):
            continue  # a row of another version: the phone registers again by itself
        call_id = str(flow.get("call_id", ""))
        bindings.append(Binding(row.extension, row.key, row.contact, call_id, cseq, ends, way, row.user_agent, q))
    return bindings
