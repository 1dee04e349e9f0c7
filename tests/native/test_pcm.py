"""The PCM port of the bridge: sound of modems, in C alone, for as long as the box runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.native.harness import CALLS
from tests.peers.addresses import new_address


def run_harness(seconds: float, cycles: int, *before: str) -> tuple[dict, dict]:
    """Its two lines. A crash (the assertions of the test build abort) fails with what it said."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "tests.native.harness", new_address(), str(seconds), str(cycles)],
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(lines) == 2, done.stderr[-3000:]
    return json.loads(lines[0]), json.loads(lines[1])


@pytest.mark.sound
def test_a_thousand_ports_come_and_go_while_twenty_calls_are_heard() -> None:
    """Descriptors, ports of the bridge and threads are as before, memory within 2 MiB, and every call's tone is there
    without a gap."""
    _, found = run_harness(1.0, 1000)
    before, after = found["before"], found["after"]
    assert {k: after[k] for k in ("descriptors", "threads", "ports")} == {
        k: before[k] for k in ("descriptors", "threads", "ports")
    }
    assert after["pss_kib"] - before["pss_kib"] < 2048
    assert len(found["heard"]) == CALLS
    for seconds, share, gap in found["heard"]:
        assert seconds > 5
        assert share > 0.8
        assert gap <= 0.04
    assert found["ended"]["ports"] < before["ports"] - CALLS


@pytest.mark.sound
def test_no_thread_but_the_clock_touches_sound(tmp_path: Path) -> None:
    """With twenty calls up, every read and write of a PCM descriptor comes from one thread, and it is not Python's."""
    out = tmp_path / "trace"
    trace = ("strace", "-f", "-o", str(out), "-e", "trace=read,write,readv,writev,recvfrom,sendto,recvmsg,sendmsg")
    first, _ = run_harness(1.0, 0, *trace)
    touched = re.compile(r"^(\d+) +(?:read|write|readv|writev|recvfrom|sendto|recvmsg|sendmsg)\((\d+),")
    pcm = set(first["fds"])
    lines = out.read_text().splitlines()
    lines = lines[next(i for i, line in enumerate(lines) if '"{\\"fds\\"' in line) :]  # the ports are open from here on
    mine = set(first["threads"])
    threads = {int(m[1]) for line in lines if (m := touched.match(line)) and int(m[2]) in pcm and int(m[1]) in mine}
    busy = [t for t in threads if sum(1 for x in lines if x.startswith(f"{t} ") and _pcm_call(x, pcm)) > 100]
    assert len(busy) == 1
    assert busy[0] != first["main"]


def _pcm_call(line: str, pcm: set[int]) -> bool:
    found = re.match(r"^\d+ +\w+\((\d+),", line)
    return bool(found) and int(found[1]) in pcm


UNHEARD = """
import json, socket, sys
from appliance.lines.endpoint import Endpoint, SipSettings
from appliance.native import api as native
from tests.native.harness import Hook
endpoint = Endpoint(SipSettings(sys.argv[1]), Hook(), lambda call: None, lambda lost: None)
endpoint.start()
modem, ours = socket.socketpair()
modem.setblocking(False)
port = native.open_pcm(ours.detach())
sent = 0
for _ in range(150):
    try:
        sent += modem.send(bytes(3200))  # ten times as fast as speech: a kernel that buffers is full soon
    except BlockingIOError:
        pass
    endpoint.pump(20)
for _ in range(10):
    endpoint.pump(20)
print(json.dumps({"sent": sent, **native.read_pcm(port)}))
native.close_pcm(port)
endpoint.stop()
"""


def test_a_port_nobody_listens_to_is_drained_and_keeps_only_the_newest() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNHEARD, new_address()], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["sent"] > 300_000
    assert found["in_bytes"] == found["sent"]
    assert found["level"] <= 2 * 160, "what is older than two frames is gone"
