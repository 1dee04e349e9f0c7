"""Telling systemd: both kinds of socket names, and never a fault of ours."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from appliance import notify


@pytest.mark.parametrize("abstract", [False, True])
def test_a_state_reaches_the_socket_that_the_supervisor_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    name = f"@centralka-test-{os.getpid()}" if abstract else str(tmp_path / "n")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as supervisor:
        supervisor.bind("\0" + name[1:] if abstract else name)
        supervisor.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify.ready()
        notify.watchdog()
        notify.status("two\nlines")
        notify.stopping()
        assert [supervisor.recv(100) for _ in range(4)] == [
            b"READY=1", b"WATCHDOG=1", b"STATUS=two lines", b"STOPPING=1",
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "relative", "/nowhere/at/all", "/" + "x" * 300, "@" + "y" * 300])
def test_a_supervisor_that_is_not_there_harms_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    assert notify.notify("READY=1\ud800") is None


@pytest.mark.parametrize(
    ("micros", "own", "seconds"),
    [("20000000", True, 20.0), ("20000000", False, None), ("", True, None), ("x", True, None), ("-5", True, None)],
)
def test_the_watchdog_is_fed_only_where_this_process_is_asked(
    monkeypatch: pytest.MonkeyPatch, micros: str, own: bool, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", micros)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() if own else 1))
    assert notify.watchdog_seconds() == seconds
