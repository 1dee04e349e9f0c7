"""Benches of virtual hardware for the tests of this folder."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.virtual.bench import Bench


@pytest.fixture
def benches() -> Iterator[Callable[..., Bench]]:
    """Makes benches: `benches("gsm0=sim7600", {"pin": "1234"})`."""
    made: list[Bench] = []
    with tempfile.TemporaryDirectory(prefix="virt") as name:

        def make(modems: str = "gsm0=huawei", quirks: dict | None = None, **environ: str) -> Bench:
            folder = Path(name) / str(len(made))
            folder.mkdir()
            made.append(Bench(folder, modems, quirks, **environ))
            return made[-1]

        yield make
        for bench in made:
            bench.stop()
