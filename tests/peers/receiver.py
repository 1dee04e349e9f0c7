"""A real web server for webhooks, on loopback: keeps what it got and answers what it is told."""

import http.server
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Got:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """`with Receiver() as one:`. `status` is the answer; `moved` sends to another address; `slow` never answers, a
    byte a time; `huge` answers without an end."""

    certificate: tuple[Path, Path] | None = None
    address: str = "127.0.0.1"
    status: int = 200
    moved: str = ""
    slow: bool = False
    huge: bool = False
    got: list[Got] = field(default_factory=list)

    def __enter__(self) -> "Receiver":
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(Got(self.path, dict(self.headers), body))
                try:
                    outer.answer(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer((self.address, 0), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{self.address}:{self._server.server_address[1]}/hook?office=1"

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        if self.slow:
            for octet in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000:
                request.wfile.write(bytes([octet]))
                time.sleep(0.05)  # the client's own limit ends this
        request.send_response(self.status)
        if self.moved:
            request.send_header("Location", self.moved)
        request.end_headers()
        while self.huge:
            request.wfile.write(b"z" * 65536)
        request.wfile.write(b"thank you" if self.status < 300 else b"no\x1b[31m, not today")
