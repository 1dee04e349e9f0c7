"""Ten million inputs that nobody wrote, guided by the code they reach; what they found stands in docs/fuzzing.md."""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.gsm_report.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
PAPER = ROOT / "docs" / "fuzzing.md"
MARK = "## The last long run\n"
# most where an input costs least; together ten million
RUNS = {
    "modem": 50_000, "engine": 350_000, "transcript": 200_000, "outgoing": 150_000, "lines": 750_000,
    "parts": 1_000_000, "shown": 2_500_000, "pdu": 5_000_000,
}  # fmt: skip
QUICK = 1000  # times fewer, to try the report itself
LIMIT = 3600  # seconds, of all together


def fuzzing(table: Table) -> None:
    """Targets side by side, as many as there are cores."""
    quick = "--quick" in sys.argv
    runs = {name: count // QUICK if quick else count for name, count in RUNS.items()}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(lambda item: _run(*item, folder), runs.items()))
    failed = [f"{name}: {said}" for name, _runs, _seconds, said in results if said]
    total = sum(count for _name, count, _seconds, said in results if not said)
    table.row("inputs of fuzzing, none of which broke anything", f"{total:,}", f"{sum(runs.values()):,}",
              not failed, failed)  # fmt: skip
    for name, count, seconds, _said in results:
        sys.stdout.write(f"      {name:12} {count:>10,} in {seconds / 60:.1f} min\n")
    if not quick:
        _record(results)


def _run(name: str, runs: int, folder: str) -> tuple[str, int, float, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz", name, str(runs), str(int.from_bytes(os.urandom(3)) + 1)],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return name, 0, LIMIT, f"not done within {LIMIT} s"
    if done.returncode:
        for crash in Path(folder).glob("crash-*"):
            (ROOT / "build").mkdir(exist_ok=True)
            crash.replace(ROOT / "build" / crash.name)
        return name, runs, 0.0, " ".join(done.stderr.split())[-600:]
    return name, runs, float(json.loads(done.stdout.splitlines()[-1])["seconds"]), ""


def _record(results: list[tuple[str, int, float, str]]) -> None:
    head = PAPER.read_text(encoding="utf-8").partition(MARK)[0]
    day = datetime.now(UTC).date().isoformat()
    lines = [
        f"| {name} | {runs:,} | {seconds / 60:.1f} | {said or 'nothing'} |" for name, runs, seconds, said in results
    ]
    table = ["| target | inputs | minutes | found |", "| --- | --- | --- | --- |", *lines]
    PAPER.write_text(head + MARK + f"{day}, by `make gsm-report`:\n\n" + "\n".join(table) + "\n", encoding="utf-8")
