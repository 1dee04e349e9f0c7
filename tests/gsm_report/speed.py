"""How fast PDUs are read, on one core, by the time the processor spends."""

import time
from collections.abc import Callable

from appliance.protocols.pdu import decode, to_part
from tests.fuzz.seeds import rows
from tests.gsm_report.table import Table

GOAL = 20_000
ROUNDS, TRIES = 10, 5


def speed(table: Table) -> None:
    """The best of a few tries: what else runs on the machine only takes away."""
    pdus = [row["pdu"] for row in rows("pdu_corpus.jsonl") if not row["expect"].get("error")]
    for name, read in (("decode", lambda pdu: decode(pdu, strict=False)), ("to_part", to_part)):
        rate = max(per_second(read, pdus) for _ in range(TRIES))
        table.row(f"PDUs of the corpus read in a second ({name})", f"{rate:,.0f}", f">= {GOAL:,}", rate >= GOAL)


def per_second(read: Callable[[str], object], pdus: list[str]) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        for pdu in pdus:
            read(pdu)
    return ROUNDS * len(pdus) / (time.process_time() - began)
