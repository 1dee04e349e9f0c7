"""A JSON line each way on a Unix socket: the server of `worker-req.sock`, and a client for the exchange's socket.

Requests come from the exchange only, a few a day: one thread accepts, each connection has a thread, eight at most. A
line has at most 64 KiB; a verb gets its arguments and gives its answer or raises ControlError, whose id, fields and
facts become the error.
"""

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance.errors import CentralkaError, ControlError, SettingsError
from appliance.journal.rows import Json

log = logging.getLogger(__name__)

LONGEST_LINE = 64 * 1024
LONGEST_ANSWER = 1024 * 1024
MOST_CONNECTIONS = 8
IDLE_SECONDS = 30.0

Args = Mapping[str, Json]
Verb = Callable[[Args], Mapping[str, Json]]


class LineServer:
    """Owns the socket and its threads. `start()` and `stop()` may be called twice."""

    def __init__(self, path: Path, verbs: Mapping[str, Verb]) -> None:
        self._path = path
        self._verbs = dict(verbs)
        self._listener: socket.socket | None = None
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def start(self) -> None:
        """Listen. Raises OSError when the folder is not ours."""
        if self._listener:
            return
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._path))
            os.chmod(self._path, 0o660)
            listener.listen(MOST_CONNECTIONS)
        except OSError:
            listener.close()
            raise
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="requests", daemon=True).start()

    def stop(self) -> None:
        """Take no more requests; the ones that run end with the process."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self._path.unlink(missing_ok=True)

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if not self._places.acquire(blocking=False):
                sock.close()
                continue
            threading.Thread(target=self._serve, args=(sock,), name="request", daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            with sock:
                sock.settimeout(IDLE_SECONDS)
                held = b""
                while piece := sock.recv(LONGEST_LINE):
                    held += piece
                    *whole, held = held.split(b"\n")
                    for line in whole:
                        sock.sendall(self.answer(line))
                    if len(held) > LONGEST_LINE:
                        sock.sendall(_line({"id": None, "error": {"id": "too-long-request", "fields": {}, "args": {}}}))
                        return
        except OSError as error:
            log.debug("a request's connection ended: %s", error)
        finally:
            self._places.release()

    def answer(self, line: bytes) -> bytes:
        """The answer to one line, whatever the line is."""
        number: Json = None
        try:
            asked = json.loads(line) if len(line) <= LONGEST_LINE else None
            if not isinstance(asked, dict):
                raise ControlError("bad-request")
            number, args = asked.get("id"), asked.get("args", {})
            verb = asked.get("do")
            if asked.get("v", 1) != 1 or not isinstance(args, dict) or not isinstance(verb, str):
                raise ControlError("bad-request")
            if verb not in self._verbs:
                raise ControlError("no-such-verb", verb=verb[:60])
            return _line({"id": number, "ok": dict(self._verbs[verb](args))})
        except SettingsError as error:
            fields: dict[str, Json] = dict(error.fields)
            return _line({"id": number, "error": {"id": error.id, "fields": fields, "args": {}}})
        except CentralkaError as error:
            facts: dict[str, Json] = dict(error.args_for_words)
            return _line({"id": number, "error": {"id": error.id, "fields": {}, "args": facts}})
        except (ValueError, RecursionError):
            return _line({"id": number, "error": {"id": "bad-request", "fields": {}, "args": {}}})
        except Exception:
            log.exception("a request failed")
            return _line({"id": number, "error": {"id": "fault", "fields": {}, "args": {}}})


def ask(
    path: Path, verb: str, args: Args | None = None, seconds: float = 2.0, who: str = "worker"
) -> Mapping[str, Json]:
    """Ask a socket of this kind one thing in the name of `who`.

    Raises OSError when nobody is there, ControlError for its refusal."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(seconds)
        sock.connect(str(path))
        sock.sendall(_line({"v": 1, "id": 1, "do": verb, "args": dict(args or {}), "who": who}))
        received = b""
        while not received.endswith(b"\n"):
            piece = sock.recv(65536)
            if not piece or len(received) > LONGEST_ANSWER:
                raise ControlError("no-answer-in-time")
            received += piece
    try:
        body = json.loads(received)
    except ValueError as error:
        raise ControlError("bad-request") from error
    ok = body.get("ok") if isinstance(body, dict) else None
    if not isinstance(ok, dict):
        fault = body.get("error") if isinstance(body, dict) else None
        raise ControlError(str(fault.get("id", "fault")) if isinstance(fault, dict) else "fault")
    return ok


def text_of(args: Args, name: str, longest: int = 2000, required: bool = True) -> str:
    """A text argument of sane length. Raises ControlError."""
    value = args.get(name, "")
    if not isinstance(value, str) or len(value) > longest or (required and not value.strip()):
        raise ControlError("bad-request", name=name)
    return value


def _line(body: Mapping[str, Json]) -> bytes:
    return json.dumps(body).encode() + b"\n"
