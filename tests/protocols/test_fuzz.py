"""A short run of each target of fuzzing, the same each time; the long one is in `make gsm-report`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import LONGEST, TARGETS

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = 1000


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run_breaks_nothing(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, str(RUNS), "1"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1])["runs"] == RUNS
    assert list(tmp_path.glob("crash-*")) == []


def test_every_target_has_seeds_that_are_real_and_a_length() -> None:
    assert TARGETS.keys() == SEEDS.keys() == LONGEST.keys()
    assert min(len(seeds()) for seeds in SEEDS.values()) > 100


def test_no_parser_takes_longer_by_the_square_of_a_line() -> None:
    """Lines of a hundred thousand characters: seconds, or minutes where one does; two minutes are the limit."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.long_lines"], cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
