"""Seen on the wire: an allowed caller causes an INVITE, a blocked one none."""

import subprocess
from pathlib import Path

from tests.acceptance.conftest import MakePhone, Office
from tests.peers.waiting import until

CALLER = "+48600100200"


def test_in_one_capture_allowed_rings_blocked_does_not_and_allowed_rings_again(
    office: Office, phone: MakePhone, tmp_path: Path
) -> None:
    ben = phone("102")
    capture = tmp_path / "sip.pcap"
    dump = subprocess.Popen(
        ["tcpdump", "-i", "lo", "-U", "--immediate-mode", "-w", str(capture),
         f"udp and port 5060 and host {office.address}"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert dump.stderr
    until("tcpdump listens", lambda: "listening" in dump.stderr.readline())
    counts = []
    for blocked in (False, True, False):
        entry = office.ask("block.add", pattern=CALLER, allow=False, what="calls", when="always") if blocked else None
        before = len(office.calls())
        office.far("call", number=CALLER)
        if not blocked:
            ben.wait("CALL_INCOMING")
            office.far("hang-up")
            ben.wait("CALL_CLOSED")
        office.wait_calls(before + 1)
        counts.append(invites(capture, office.address))
        if entry:
            office.ask("block.remove", id=entry["id"])
    dump.terminate()
    dump.wait(5)
    dump.stderr.close()
    assert counts == [1, 1, 2]
    row = office.calls()[1]
    assert row["cause"] == "blocked"
    assert "block-list" in [step["rule"] for step in row["trace"]]


def invites(capture: Path, box: str, phone: str = "") -> int:
    """Different INVITEs that left the box, to everybody or to one phone's address."""
    whom = f" && ip.dst == {phone}" if phone else ""
    done = subprocess.run(
        ["tshark", "-r", str(capture), "-Y", f"sip.Method == INVITE && ip.src == {box}{whom}", "-T", "fields", "-e",
         "sip.Call-ID"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return len(set(done.stdout.split()))
