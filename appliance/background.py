"""`centralka start` and `stop`: the same appliance as `run`, in the background, with what it said kept in a file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from appliance.settings.places import Places

START_SECONDS = 90.0
STOP_SECONDS = 30.0


def start(virtual: bool) -> int:
    """Start and wait until the page answers; prints what a newcomer needs. 0, or 1 with the reason."""
    places = Places.of()
    places.make()
    if running(places):
        _say("Centralka is running already. 'make stop' ends it.")
        return 0
    said = places.state / "log" / "run.log"
    said.parent.mkdir(parents=True, exist_ok=True)
    with open(said, "wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "run", *(["--virtual"] if virtual else [])],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    _pid_file(places).write_text(str(process.pid), encoding="ascii")
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        text = said.read_text(encoding="utf-8", errors="replace")
        if "Ctrl-C ends everything" in text:
            _say(text.replace("Ctrl-C ends everything.", "'make stop' ends everything."))
            return 0
        time.sleep(0.05)  # its words come through a file; START_SECONDS at most
    _say(said.read_text(encoding="utf-8", errors="replace"))
    _say(f"Centralka did not start. What it said is in {said}.")
    stop()
    return 1


def stop() -> int:
    """End it and wait. 0 also when it was not running."""
    places = Places.of()
    pid = running(places)
    if not pid:
        _say("Centralka is not running.")
        return 0
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while running(places) and time.monotonic() < until:
        time.sleep(0.05)  # its processes end one after the other
    if running(places):
        _say("Centralka does not end; its log may say why.")
        return 1
    _pid_file(places).unlink(missing_ok=True)
    _say("Centralka has ended.")
    return 0


def running(places: Places) -> int:
    """The process id of the supervisor in the background, 0 when there is none."""
    try:
        pid = int(_pid_file(places).read_text(encoding="ascii"))
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, ValueError, IndexError):
        return 0
    return pid if b"appliance" in words and b"run" in words and state != "Z" else 0


def _pid_file(places: Places) -> Path:
    return places.run / "run.pid"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
