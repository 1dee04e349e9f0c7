"""sipp as two hundred phones, through the box and straight to each other."""

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

DATA = Path(__file__).parent.parent / "data" / "sipp"


@dataclass(frozen=True)
class Load:
    """What came of a run: post-dial delays in milliseconds, calls that failed."""

    delays: tuple[float, ...]
    failed: int
    calls: int

    @property
    def median(self) -> float:
        return quantiles(self.delays, n=2)[0] if len(self.delays) > 1 else float("nan")

    @property
    def p99(self) -> float:
        return quantiles(self.delays, n=100)[98] if len(self.delays) > 1 else float("nan")


def sipp(folder: Path, scenario: str, target: str, address: str, port: int, *more: str) -> list[str]:
    """A command line of sipp."""
    return [
        "sipp", "-sf", str(DATA / scenario), "-i", address, "-mi", address, "-p", str(port), "-nostdin",
        "-timeout_error", *more, target,
    ]  # fmt: skip


def register(folder: Path, box: str, address: str, port: int, users: list[tuple[str, str]]) -> None:
    """Sign all phones in from one address and port: they are rung there."""
    table = folder / f"users{port}.csv"
    rows = [f"{name};[authentication username={name} password={password}]" for name, password in users]
    table.write_text("SEQUENTIAL\n" + "\n".join(rows) + "\n")
    subprocess.run(
        sipp(folder, "register.xml", f"{box}:5060", address, port, "-inf", str(table), "-m", str(len(users)), "-r",
             "100", "-timeout", "30s"),
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip


def answerer(folder: Path, address: str, port: int, *more: str) -> "subprocess.Popen[bytes]":
    """Phones that answer; ended by the caller of this."""
    return subprocess.Popen(
        sipp(folder, "uas.xml", "127.0.0.1", address, port, "-timeout", "600s", "-aa", *more)[:-1],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def call(
    folder: Path, scenario: str, target: str, address: str, port: int, table: Path, calls: int, rate: int, hold: int,
    *more: str,
) -> Load:  # fmt: skip
    """Place calls and measure on the wire: sipp's own clock counts in steps too coarse for this."""
    capture = folder / f"{Path(scenario).stem}-{port}.pcap"
    listener = dump(capture, f"udp and host {address} and port {port}")
    done = subprocess.run(
        sipp(folder, scenario, target, address, port, "-inf", str(table), "-m", str(calls), "-r", str(rate), "-d",
             str(hold), "-timeout", f"{calls // rate + 60}s", *more),
        cwd=folder, capture_output=True, text=True, timeout=calls // rate + 90, check=False,
    )  # fmt: skip
    finish(listener)
    delays = delays_in(capture, address, port)
    failed = 0 if done.returncode == 0 else max(calls - len(delays), 1)
    return Load(tuple(delays), failed, calls)


def dump(capture: Path, what: str) -> "subprocess.Popen[str]":
    """tcpdump on loopback, listening when this returns."""
    process = subprocess.Popen(
        ["tcpdump", "-i", "lo", "-n", "-B", "32768", "-s", "1600", "-w", str(capture), what],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    while "listening" not in process.stderr.readline():
        pass
    return process


def finish(process: "subprocess.Popen[str]") -> str:
    """End it; what it says of packets it could not keep."""
    time.sleep(1)  # tcpdump hands over what it holds once a second
    process.terminate()
    said = process.communicate(timeout=5)[1]
    return next((line for line in said.splitlines() if "dropped by kernel" in line), "")


@dataclass(frozen=True)
class Streams:
    """RTP of some seconds: streams, their packets, those missing by sequence number."""

    streams: int
    packets: int
    lost: int


def streams(folder: Path, address: str, seconds: float) -> Streams:
    """Look at all RTP to and from the box for some seconds."""
    capture = folder / "rtp.pcap"
    process = dump(capture, f"udp and host {address} and portrange 20000-23999")
    time.sleep(seconds)  # what is measured
    assert finish(process).startswith("0 "), "tcpdump could not follow"
    done = subprocess.run(
        ["tshark", "-r", str(capture), "-d", "udp.port==20000-23999,rtp", "-q", "-z", "rtp,streams"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    rows = re.findall(r"0x[0-9A-F]{8}\s+\S.*?\s(\d+)\s+(-?\d+) \(-?[\d.]+%\)", done.stdout)
    return Streams(len(rows), sum(int(packets) for packets, _ in rows), sum(max(int(lost), 0) for _, lost in rows))


def delays_in(capture: Path, address: str, port: int) -> list[float]:
    """Milliseconds from a caller's last INVITE to its first 180, for each call of a capture."""
    done = subprocess.run(
        ["tshark", "-r", str(capture), "-d", f"udp.port=={port},sip", "-Y", "sip.CSeq.method == INVITE", "-T", "fields",
         "-e", "frame.time_epoch", "-e", "sip.Call-ID", "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "ip.src"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    sent: dict[str, float] = {}
    rang: dict[str, float] = {}
    for line in done.stdout.splitlines():
        at, call_id, method, status, source = (line.split("\t") + [""] * 5)[:5]
        if method == "INVITE" and source == address and call_id not in rang:
            sent[call_id] = float(at)
        elif status == "180" and source != address:
            rang.setdefault(call_id, float(at))
    return [(rang[one] - sent[one]) * 1000 for one in rang if one in sent]
