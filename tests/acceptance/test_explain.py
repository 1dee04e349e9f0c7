"""What `explain` says is what happens."""

import random
from datetime import datetime, timedelta

import pytest

from appliance.exchange.control import ask
from tests.acceptance.conftest import MakePhone, Office
from tests.peers.waiting import until

OFFERS = 25  # of each of eight seeds: two hundred in all
CALLERS = (
    "+48600100200", "+48700123456", "+48221234567", "+380671234567", "+48790000001", "withheld", "unavailable",
    "+34612345678", "+48600100299",
)  # fmt: skip
ENTRIES = (
    {"pattern": "+48700*", "allow": False, "what": "calls", "when": "always"},
    {"pattern": "+48600*", "allow": False, "what": "calls", "when": "after-hours"},
    {"pattern": "+48600100200", "allow": True, "what": "calls", "when": "always"},
    {"pattern": "+380*", "allow": False, "what": "both", "when": "always", "action": "busy", "line": "gsm0"},
    {"pattern": "withheld", "allow": False, "what": "calls", "when": "after-hours"},
)
MONDAY = datetime(2026, 11, 23)  # noqa: DTZ001 - wall time of the office


@pytest.mark.parametrize("seed", range(8))
def test_the_trace_of_explain_is_the_trace_of_the_real_call(office: Office, phone: MakePhone, seed: int) -> None:
    chance = random.Random(seed)
    phone("102")
    office.put_item("lines", "gsm0", closed="reject", no_answer="reject", unavailable="block-after-hours")
    for entry in ENTRIES:
        office.ask("block.add", **entry)
    for number in range(OFFERS):
        caller = chance.choice(CALLERS)
        at = MONDAY + timedelta(minutes=chance.randrange(7 * 24 * 60))
        office.ask("night", value=chance.choice(["", "", "", "on", "off"]))
        office.at(at.isoformat())
        explained = office.ask("explain", line="gsm0", **{"from": caller, "at": at.isoformat()})
        hidden = {caller: True} if caller in ("withheld", "unavailable") else {}
        office.far("call", number="+48600000001" if hidden else caller, **hidden)
        rows = until(
            "the row", lambda n=number: _ended(office, n + 1), 20, 0.01
        )  # fmt: skip
        real = [{k: step[k] for k in ("rule", "outcome", "args", "link")} for step in rows[-1]["trace"]]
        told = [{k: step[k] for k in ("rule", "outcome", "args", "link")} for step in explained["trace"]]
        assert told == real, (caller, at)
        until("the far end is free", lambda: not office.far("status")["calls"], 10, 0.01)


def _ended(office: Office, number: int) -> list[dict] | None:
    """The rows in the order of their ends, once there are that many; a call that rings is given up by its caller."""
    if any(call["state"] == "ringing" for call in office.status()["calls"]):
        ask(office.places.virtual, "gsm0.hang-up", {}, "test")  # refused when it ended in this moment
    rows = office.calls_as_written()
    return rows if len(rows) >= number else None
