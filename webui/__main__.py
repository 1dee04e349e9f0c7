"""The web process: cheroot serves the page, on HTTP on loopback, on HTTPS with the box's own certificate elsewhere."""

import contextlib
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

from appliance import logs
from appliance.errors import ControlError
from appliance.settings import certificate
from appliance.settings.places import Places
from webui.app import create_app
from webui.auth import make_token
from webui.control import Control
from webui.pages.announcements import forget_uploads
from webui.security import MOST_DRAINED

log = logging.getLogger(__name__)

THREADS = 32  # open pages hold a stream each; live.py caps those
WAIT_SECONDS = 20.0
PULSE_SECONDS = 5.0


def main() -> int:
    """The process."""
    logs.setup()
    places = Places.of()
    places.make()
    forget_uploads(places)
    if not places.first_start.with_name("first-start.done").exists():
        make_token(places.first_start)  # a new box: its owner signs in with this once
    address, http, https = _where(places)
    secure = not ipaddress.ip_address(address).is_loopback
    app = create_app({"PLACES": places, "HTTPS": secure})
    server = wsgi.Server((address, https if secure else http), app, numthreads=THREADS, server_name="Centralka")
    server.shutdown_timeout = 1
    server.max_request_body_size = MOST_DRAINED
    if secure:
        paths = certificate.ensure(places.tls, address, os.uname().nodename.lower() or "centralka")
        server.ssl_adapter = BuiltinSSLAdapter(str(paths[0]), str(paths[1]))
    for what in (signal.SIGTERM, signal.SIGINT):
        signal.signal(what, lambda *_: threading.Thread(target=server.stop, daemon=True).start())
    try:
        server.prepare()
    except OSError as error:
        log.error("the page cannot listen at %s: %s", server.bind_addr, error)
        return 1
    _notify("READY=1")
    threading.Thread(target=_pulse, args=(server, places), name="pulse", daemon=True).start()
    server.serve()
    _notify("STOPPING=1")
    return 0


def _where(places: Places) -> tuple[str, int, int]:
    """Address and ports, from the exchange, which may still be starting; else the usual ones on loopback."""
    control = Control(places.control)
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            network = control.section("network")["doc"]
            address = os.environ.get("ADDRESS") or str(control.status().get("address") or "127.0.0.1")
            return address, int(str(network["web_port"])), int(str(network["https_port"]))
        except ControlError:
            if time.monotonic() >= until:
                log.warning("the exchange does not answer; the page is at its usual place")
                return os.environ.get("ADDRESS") or "127.0.0.1", 8080, 8443
            time.sleep(0.1)  # until the exchange listens; WAIT_SECONDS at most


def _pulse(server: wsgi.Server, places: Places) -> None:
    """Feed the watchdog while the server takes connections; a box that was reset gets a new one-time sign-in."""
    while server.ready:
        if not places.first_start.with_name("first-start.done").exists():
            make_token(places.first_start)  # the box was reset while we ran
        with contextlib.suppress(OSError), socket.create_connection(server.bind_addr[:2], 2):
            _notify("WATCHDOG=1")
        time.sleep(PULSE_SECONDS)  # well under the watchdog's limit


def _notify(state: str) -> None:
    name = os.environ.get("NOTIFY_SOCKET", "")
    if name:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
            sock.sendto(state.encode(), "\0" + name[1:] if name[0] == "@" else name)


if __name__ == "__main__":
    sys.exit(main())
