"""Other people's programs on other people's data: time, memory and file size bounded, nothing inherited.

Run as a script it sets the limits on itself and becomes the program; a limit that the unit's system call filter does
not let us set is left out, the unit's own (MemoryMax) holds then.
"""

import contextlib
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)

MEBI = 1024 * 1024
ENVIRON = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}


class Failed(Exception):
    """The program ended with a fault, was ended for its limits, or is not there."""


def run(
    command: Sequence[str], given: bytes = b"", seconds: float = 20, mebibytes: int = 512, file_mebibytes: int = 64
) -> bytes:
    """The output of a program that got `given` on its input. Raises Failed. Any thread."""
    launch = [
        sys.executable, "-I", "-S", str(Path(__file__)), str(int(seconds) + 1), str(mebibytes), str(file_mebibytes),
        *command,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            launch, input=given, capture_output=True, timeout=seconds, env=ENVIRON, cwd="/", check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[0]} took too long") from error
    except OSError as error:
        raise Failed(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        words = done.stderr[:300].decode("utf-8", "replace")
        raise Failed(f"{command[0]} ended with {done.returncode}: {words}")
    return done.stdout


def main(argv: Sequence[str]) -> None:
    """Set the limits, become the program."""
    seconds, memory, file = (int(one) for one in argv[1:4])
    wanted = (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory * MEBI),
        (resource.RLIMIT_FSIZE, file * MEBI),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    )
    for which, most in wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(which, (most, most))
    os.execvp(argv[4], list(argv[4:]))  # noqa: S606 - the very purpose; no shell


if __name__ == "__main__":
    main(sys.argv)
