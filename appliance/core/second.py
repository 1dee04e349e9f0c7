"""The row of a call that was refused because its line was in a call. Pure."""

from appliance.core.causes import Cause
from appliance.core.commands import CallRecord
from appliance.core.model import CallId, Direction, Kind, LineId, Number, Outcome, TraceStep
from appliance.core.numbers import display
from appliance.core.plan import Plan


def refused_as_busy(call: CallId, line: LineId, caller: Number, name: str, plan: Plan, at: str) -> CallRecord:
    """`at`: ISO 8601 UTC of the plan's clock."""
    own = plan.lines.get(line)
    label = own.label if own else str(line)
    step = TraceStep(
        "second-call", Outcome.STOPPED, {"caller": display(caller) or str(caller.kind), "line": label}, f"/lines/{line}"
    )
    return CallRecord(
        id=call, direction=Direction.IN, line=str(line), caller=caller,
        called=Number(own.own_number if own else "", Kind.E164), caller_name=name, started_at=at, ended_at=at,
        ring_ms=0, talk_ms=0, answered_by="", cause=Cause.BUSY, detail="", legs=(), trace=(step,),
    )  # fmt: skip
