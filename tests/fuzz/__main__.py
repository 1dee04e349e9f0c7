"""python -m tests.fuzz TARGET RUNS [SEED]: feeds a target, guided by the code it reaches (atheris, which is libFuzzer
for Python). Prints one JSON line. Where atheris has no wheel (it has for x86-64), seeds are changed at random instead.

An input that fails is written to `crash-*` in the folder of the call, its traceback to standard error; exit 1.
"""

import importlib.util
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.seeds import SEEDS

GUIDED = importlib.util.find_spec("atheris") is not None


def main() -> int:
    name, runs = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    began = time.monotonic()
    seeds = SEEDS[name]()
    status = _guided(name, seeds, runs, seed) if GUIDED else _blind(name, seeds, runs, seed)
    seconds = round(time.monotonic() - began, 1)
    sys.stdout.write(json.dumps({"target": name, "runs": runs, "seconds": seconds, "guided": GUIDED}) + "\n")
    return status


def _guided(name: str, seeds: list[bytes], runs: int, seed: int) -> int:
    """libFuzzer ends the process itself: it works in a child, this one waits."""
    with tempfile.TemporaryDirectory() as folder:
        for number, octets in enumerate(seeds):
            Path(folder, f"seed{number:04}").write_bytes(octets)
        child = os.fork()
        if child == 0:
            import atheris

            with atheris.instrument_imports(include=["appliance.protocols"], enable_loader_override=False):
                from tests.fuzz.targets import LONGEST, TARGETS
            options = [f"-runs={runs}", f"-seed={seed}", f"-max_len={LONGEST[name]}", "-timeout=20", "-verbosity=0"]
            atheris.Setup(["fuzz", *options, folder], TARGETS[name])
            atheris.Fuzz()
            os._exit(0)
        _, status = os.waitpid(child, 0)
    return 0 if status == 0 else 1


def _blind(name: str, seeds: list[bytes], runs: int, seed: int) -> int:
    from tests.fuzz.targets import LONGEST, TARGETS

    chance, target = random.Random(seed), TARGETS[name]
    for number in range(runs):
        octets = bytearray(seeds[number % len(seeds)] if number < len(seeds) else chance.choice(seeds))
        for _ in range(chance.randint(0, 6) if number >= len(seeds) else 0):
            at = chance.randint(0, len(octets))
            octets[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        try:
            target(bytes(octets[: LONGEST[name]]))
        except BaseException:
            Path(f"crash-{name}").write_bytes(octets)
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
