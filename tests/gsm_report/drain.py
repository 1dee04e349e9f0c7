"""How long the box needs for a SIM that filled up while it was off: every message stored, the SIM empty."""

import time

from tests.acceptance.conftest import Office
from tests.gsm_report.table import Table
from tests.peers.waiting import until

MESSAGES, GOAL = 50, 30.0  # as many as the SIM of an EC25 holds; seconds
PATIENCE = 4  # goals, until the wait is given up
SENDER = "+48600100200"


def drain(table: Table) -> None:
    """A full SIM in an EC25, by the whole box as people run it."""
    with Office() as office:
        seconds, stored = drained(office, MESSAGES)
    table.row(
        f"a full SIM of {MESSAGES} messages is stored and emptied", f"{seconds:.1f} s", f"< {GOAL:g} s",
        seconds < GOAL and stored == sorted(texts(MESSAGES)),
    )  # fmt: skip


def drained(office: Office, messages: int) -> tuple[float, list[str]]:
    """Seconds from the start of the exchange until the SIM is empty, and the texts in the journal."""
    office.virtual("gsm0 profile ec25")
    until("it is gone", lambda: office.line()["state"] != "up", 20)
    until("it is in service", lambda: office.line()["state"] == "up", 90, 0.2)
    office.processes.pop("exchange").stop()
    for text in texts(messages):
        office.far("sms", **{"from": SENDER, "text": text})
    until("they are on the SIM", lambda: _used(office) == messages, 30, 0.1)
    began = time.monotonic()
    office.start("exchange")
    until("the SIM is empty", lambda: _used(office) == 0, PATIENCE * GOAL, 0.05)
    return time.monotonic() - began, sorted(row["text"] for row in office.rows("sms"))


def texts(messages: int) -> list[str]:
    """What they say, each another."""
    return [f"Zamówienie {number:02d} jest gotowe do odbioru" for number in range(messages)]


def _used(office: Office) -> int:
    return int(office.far("status")["messages"]["SM"]["used"])
