"""A process with PJSIP, the native part and calls with sound, for tests that look at it from outside.

    python harness.py ADDRESS SECONDS CYCLES

Twenty calls go from the endpoint to itself over SIP and RTP. Each caller's leg is joined to a PCM port into which
another process plays a tone of its own, each callee's leg to a port from which that process listens. After the calls
are up, PCM ports are opened and closed CYCLES times. The result is a JSON line: what the process held before and after,
what was heard, and which descriptors are PCM.
"""

import gc
import json
import os
import socket
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pjsua2 as pj

from appliance.lines.endpoint import Endpoint, SipSettings
from appliance.native import api as native

CALLS = 20
AT_ONCE = 8


class Callee(pj.Call):
    """A leg."""


class Hook:
    """Lets everything through: only the media are looked at here."""

    def request(self, request: native.Request) -> bool:
        return False

    def dropped(self, data: bytes, source: str, port: int) -> None:
        return

    def answered(self, token: int, code: int) -> None:
        return

    def wanted(self, name: str) -> None:
        return


def held() -> dict[str, int]:
    """What the process holds. Of its memory the anonymous part: what libraries share with other processes changes
    with those, and nothing that is lost lies there."""
    gc.collect()
    rollup = Path("/proc/self/smaps_rollup").read_text()
    anonymous = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Anon:"))
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
        "ports": native.ports(),
        "pss_kib": anonymous,
    }


def start_player(stop: socket.socket, ins: list[socket.socket], outs: list[socket.socket]) -> subprocess.Popen:
    """A process that shares no memory with this one: what is measured here is this process alone."""
    names = [",".join(str(one.fileno()) for one in many) for many in (ins, outs)]
    fds = [one.fileno() for one in (stop, *ins, *outs)]
    player = subprocess.Popen([sys.executable, "-m", "tests.native.player", str(stop.fileno()), *names], pass_fds=fds)
    for one in (stop, *ins, *outs):
        one.close()
    return player


def main() -> None:
    address, seconds, cycles = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    pairs = [(socket.socketpair(), socket.socketpair()) for _ in range(CALLS)]
    stop_here, stop_there = socket.socketpair()
    player = start_player(stop_there, [a[1] for a, _ in pairs], [b[1] for _, b in pairs])
    incoming: list[Callee] = []
    waiting: list[Callee] = []
    endpoint = Endpoint(
        SipSettings(address), Hook(), lambda call: waiting.append(Callee(endpoint.account, call)), lambda lost: None
    )
    endpoint.start()
    account = endpoint.account
    callers: list[Callee] = []

    def pump(for_seconds: float) -> None:
        end = time.monotonic() + for_seconds
        while time.monotonic() < end:
            endpoint.pump(5)
            while waiting:
                call = waiting.pop(0)
                options = pj.CallOpParam(True)
                options.statusCode, options.opt.videoCount, options.opt.textCount = 200, 0, 0
                call.answer(options)
                incoming.append(call)

    for number in range(CALLS):
        call = Callee(account)
        options = pj.CallOpParam(True)
        options.opt.videoCount = options.opt.textCount = 0
        call.makeCall(f"sip:{number}@{address}", options)
        callers.append(call)
        pump(0.05)
    pump(0.5)
    fds = []
    ports = []
    by_number = {int(c.getInfo().localUri.split(":")[1].split("@")[0]): c for c in incoming}
    for number, call in enumerate(callers):
        for leg, sock in ((call, pairs[number][0][0]), (by_number[number], pairs[number][1][0])):
            fd = sock.detach()
            fds.append(fd)
            port = native.open_pcm(fd)
            ports.append(port)
            info = leg.getInfo()
            slot = info.media[0].audioConfSlot
            native.connect(port.slot, slot)
            native.connect(slot, port.slot)
    pump(2.0)
    cycle(2 * AT_ONCE, pump)  # memory that is taken once and kept
    pump(0.5)
    before = held()
    print(
        json.dumps(
            {"fds": fds, "main": threading.get_native_id(), "threads": [int(t) for t in os.listdir("/proc/self/task")]}
        ),
        flush=True,
    )
    cycle(cycles, pump)
    pump(max(seconds, 0.5))
    after = held()
    stop_here.sendall(b"x")
    heard = json.loads(stop_here.makefile().readline())
    player.wait(10)
    counters = [native.read_pcm(port) for port in ports]
    for port in ports:
        native.close_pcm(port)
    for call in callers:
        call.hangup(pj.CallOpParam())
    pump(1.0)
    ended = held()
    callers.clear()
    incoming.clear()
    by_number.clear()
    del call, leg
    gc.collect()
    endpoint.stop()
    print(
        json.dumps({"before": before, "after": after, "ended": ended, "heard": heard, "counters": counters}), flush=True
    )


def cycle(times: int, pump) -> None:
    """Open and close ports, a few at once, each joined to its neighbour while it lives."""
    for _ in range(times // AT_ONCE):
        ends = [socket.socketpair() for _ in range(AT_ONCE)]
        made = [native.open_pcm(a.detach()) for a, _ in ends]
        for one, other in pairwise(made):
            native.connect(one.slot, other.slot)
        pump(0.045)
        for one in made:
            native.close_pcm(one)
        pump(0.045)
        for _, b in ends:
            b.close()


if __name__ == "__main__":
    main()
