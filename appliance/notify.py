"""What systemd is told (sd_notify(3)): ready, alive, ending. Without NOTIFY_SOCKET nothing happens; none raises."""

import logging
import os
import socket

log = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Send one state ("READY=1"). Any thread; never blocks, never raises. A name that begins with @ is abstract."""
    name = os.environ.get("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.setblocking(False)
            sock.sendto(state.encode("utf-8", "replace"), "\0" + name[1:] if name[0] == "@" else name)
    except (OSError, ValueError) as error:
        log.debug("the supervisor was not told: %s", error)


def ready() -> None:
    """The service does its work now."""
    notify("READY=1")


def stopping() -> None:
    """The service ends."""
    notify("STOPPING=1")


def watchdog() -> None:
    """The health check passed."""
    notify("WATCHDOG=1")


def status(text: str) -> None:
    """One line for `systemctl status`."""
    notify("STATUS=" + " ".join(text.split())[:500])


def watchdog_seconds() -> float | None:
    """How often at least the supervisor wants `watchdog()`, None when it does not ask (this process, at least)."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        micros = int(os.environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return micros / 1_000_000 if micros > 0 else None
