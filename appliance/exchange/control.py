"""The control socket: a JSON line in, a JSON line out, on a Unix socket of mode 0660.

One thread with a selector serves all connections; it knows no verb. A request becomes an `Asked` event in the loop's
inbox; the loop answers through `Asked.reply`, from any thread. A connection that sends more than 64 KiB without an end
of line is told so and closed; a request that is not answered in time is told so (five seconds, or what the table given
says for its verb). Subscribers get lines for their topics.
"""

import json
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

LONGEST_LINE = 64 * 1024
LONGEST_ANSWER = 1024 * 1024
SECONDS_TO_ANSWER = 5.0
MOST_CONNECTIONS = 64
VERSION = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A request from the socket, for the loop."""

    verb: str
    args: Mapping[str, Json]
    who: str
    reply: Callable[["Answer"], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """`ok`, or an error with its id, its faulty fields and facts for its sentence."""

    ok: Mapping[str, Json] | None = None
    error: str = ""
    fields: Mapping[str, Json] = field(default_factory=dict)
    args: Mapping[str, Json] = field(default_factory=dict)

    def line(self, number: Json) -> bytes:
        """The answer's line."""
        body: dict[str, Json] = {"id": number}
        if self.ok is not None:
            body["ok"] = dict(self.ok)
        else:
            body["error"] = {"id": self.error, "fields": dict(self.fields), "args": dict(self.args)}
        return json.dumps(body, ensure_ascii=False).encode() + b"\n"


@dataclass(slots=True, eq=False)
class _Connection:
    sock: socket.socket
    inward: bytes = b""
    outward: bytearray = field(default_factory=bytearray)
    waiting: dict[int, tuple[Json, float]] = field(default_factory=dict)
    topics: frozenset[str] = frozenset()
    closing: bool = False


class ControlServer:
    """Owns the socket and its thread. `start()` and `stop()` may be called twice."""

    def __init__(self, path: Path, ask: Callable[[Asked], None], seconds: Mapping[str, float] | None = None) -> None:
        """`seconds`: verbs that may take longer than others, and how long."""
        self._path = path
        self._ask = ask
        self._seconds = dict(seconds or {})
        self._selector = selectors.DefaultSelector()
        self._thread: threading.Thread | None = None
        self._listener: socket.socket | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # guards _ready: answers and published lines on their way to the thread
        self._ready: list[tuple[_Connection | None, int, bytes, str]] = []
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._connections: set[_Connection] = set()
        self._count = 0

    def start(self) -> None:
        """Listen. Raises OSError when the folder is not ours."""
        if self._thread:
            return
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        os.chmod(self._path, 0o660)
        self._listener.listen(4 * MOST_CONNECTIONS)  # a burst waits; what is too many is closed when taken
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close everything; waits at most two seconds for the thread."""
        thread, self._thread = self._thread, None
        if not thread:
            return
        self._stopping.set()
        self._wake()
        thread.join(2)
        self._path.unlink(missing_ok=True)

    def publish(self, topic: str, data: Mapping[str, Json]) -> None:
        """A line for every subscriber of the topic. Any thread; never blocks."""
        line = json.dumps({"event": topic, "data": dict(data)}, ensure_ascii=False).encode() + b"\n"
        self._hand_over(None, 0, line, topic)

    def _hand_over(self, connection: _Connection | None, number: int, line: bytes, topic: str) -> None:
        with self._lock:
            self._ready.append((connection, number, line, topic))
        self._wake()

    def _wake(self) -> None:
        try:
            self._wake_write.send(b"x")
        except (BlockingIOError, OSError):
            return  # it is awake already, or gone

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                for key, mask in self._selector.select(0.5):
                    self._serve(key, mask)
                self._deliver()
                self._tell_late()
        finally:
            for connection in list(self._connections):
                self._close(connection)
            if self._listener:
                self._listener.close()
            self._selector.close()
            self._wake_read.close()
            self._wake_write.close()

    def _serve(self, key: selectors.SelectorKey, mask: int) -> None:
        if key.fileobj is self._listener:
            self._accept()
        elif key.fileobj is self._wake_read:
            try:
                self._wake_read.recv(4096)
            except BlockingIOError:
                return
        elif isinstance(key.data, _Connection):
            if mask & selectors.EVENT_READ:
                self._read(key.data)
            if mask & selectors.EVENT_WRITE:
                self._write(key.data)

    def _accept(self) -> None:
        if not self._listener:
            return
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        if len(self._connections) >= MOST_CONNECTIONS:
            sock.close()
            return
        sock.setblocking(False)
        connection = _Connection(sock)
        self._connections.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        connection.inward += data
        while b"\n" in connection.inward:
            line, connection.inward = connection.inward.split(b"\n", 1)
            self._request(connection, line)
        if len(connection.inward) > LONGEST_LINE:
            self._refuse(connection, None, "too-long")

    def _request(self, connection: _Connection, line: bytes) -> None:
        try:
            asked = json.loads(line) if len(line) <= LONGEST_LINE else None
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("do"), str):
            self._refuse(connection, None, "bad-request")
            return
        number, args = asked.get("id"), asked.get("args", {})
        if asked.get("v", VERSION) != VERSION or not isinstance(args, dict):
            self._refuse(connection, number, "bad-request")
            return
        if asked["do"] == "subscribe":
            topics = args.get("topics", [])
            connection.topics = frozenset(str(t) for t in topics) if isinstance(topics, list) else frozenset()
            self._send(connection, Answer(ok={}).line(number))
            return
        self._count += 1
        own = self._count
        limit = self._seconds.get(asked["do"], SECONDS_TO_ANSWER)
        connection.waiting[own] = (number, time.monotonic() + limit)
        who = str(asked.get("who", ""))[:100]

        def reply(answer: Answer) -> None:
            self._hand_over(connection, own, answer.line(number), "")

        self._ask(Asked(asked["do"][:60], args, who, reply))

    def _refuse(self, connection: _Connection, number: Json, error: str) -> None:
        self._send(connection, Answer(error=error).line(number))
        connection.closing = True
        self._write(connection)

    def _deliver(self) -> None:
        with self._lock:
            ready, self._ready = self._ready, []
        for connection, number, line, topic in ready:
            if connection is None:
                for one in list(self._connections):
                    if topic in one.topics:
                        self._send(one, line)
            elif connection.waiting.pop(number, None) is not None:
                self._send(connection, line)

    def _tell_late(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            for own, (number, until) in list(connection.waiting.items()):
                if now > until:
                    del connection.waiting[own]
                    self._send(connection, Answer(error="no-answer-in-time").line(number))

    def _send(self, connection: _Connection, line: bytes) -> None:
        if connection not in self._connections:
            return
        if len(connection.outward) + len(line) > LONGEST_ANSWER:
            self._close(connection)  # a reader that does not read: it may connect again
            return
        connection.outward += line
        self._write(connection)

    def _write(self, connection: _Connection) -> None:
        try:
            if connection.outward:
                sent = connection.sock.send(connection.outward)
                del connection.outward[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._close(connection)
            return
        if not connection.outward and connection.closing:
            self._close(connection)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.outward else 0)
        self._selector.modify(connection.sock, wanted, connection)

    def _close(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self._selector.unregister(connection.sock)
            connection.sock.close()


def ask(path: Path, verb: str, args: Mapping[str, Json], who: str = "", seconds: float = SECONDS_TO_ANSWER) -> Answer:
    """Ask the exchange one thing, for the command line. Raises OSError when it is not running."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(seconds)
        sock.connect(str(path))
        request = {"v": VERSION, "id": 1, "do": verb, "args": dict(args), "who": who}
        sock.sendall(json.dumps(request).encode() + b"\n")
        received = b""
        while not received.endswith(b"\n"):
            piece = sock.recv(65536)
            if not piece:
                break
            received += piece
    body = json.loads(received or b"{}")
    error = body.get("error")
    if isinstance(error, dict):
        return Answer(None, str(error.get("id", "control-error")), error.get("fields", {}), error.get("args", {}))
    return Answer(ok=body.get("ok", {}))
