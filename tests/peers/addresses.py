"""Loopback addresses nobody else has: each test worker and each test its own, so that all run side by side."""

import os
from itertools import count

_numbers = count(0)


def new_address() -> str:
    """A fresh address of 127.0.0.0/8. The worker's number and a counter make it unique for this run; the process id
    keeps two runs on one machine apart."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    number = next(_numbers)
    return f"127.{32 + worker * 8 + number // 250 % 8}.{os.getpid() % 251 + 1}.{number % 250 + 2}"
