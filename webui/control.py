"""The client of the exchange: one short connection per request, a JSON line each way, five seconds at most (longer
where the worker has to do it: `SLOW`).

Every fault becomes a `ControlError` with a stable id; `exchange-down` means that nobody answers, which is a state of
the world that pages draw and never a crash.
"""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TypedDict, cast

from appliance.errors import ControlError

LONGEST = 64 * 1024  # octets of a request
LONGEST_ANSWER = 1024 * 1024
SECONDS = 5.0
SLOW = frozenset({"block.import", "mail.test", "prompt.convert", "prompt.speak"})
NETWORK = frozenset({"ussd.send", "ussd.answer", "credit.read", "forwarding.check", "forwarding.apply"})
NETWORK_SECONDS = 95.0  # what a mobile network takes for an answer, at most
SLOW_SECONDS = 70.0  # a little more than the exchange gives itself: its word for what went wrong is the better one

Doc = dict[str, object]


class SettingsRefused(ControlError):
    """The exchange found faults: `fields` maps a path to the id of its fault, `facts` a path to its numbers."""

    def __init__(self, fields: dict[str, str], facts: dict[str, dict[str, str]]) -> None:
        super().__init__("invalid-settings")
        self.fields = fields
        self.facts = facts


class LineView(TypedDict, total=False):
    """A line as `status` tells it."""

    id: str
    kind: str
    label: str
    number: str
    state: str
    usable: bool
    busy: bool
    facts: dict[str, str]


class PhoneView(TypedDict, total=False):
    """A phone as `status` tells it."""

    extension: str
    name: str
    state: str
    contacts: list[dict[str, str]]


class CallView(TypedDict, total=False):
    """A call in progress."""

    id: str
    direction: str
    line: str
    caller: str
    caller_name: str
    caller_kind: str
    called: str
    state: str
    since: str
    legs: list[dict[str, str]]
    level_in: int | None
    level_out: int | None


class LampView(TypedDict, total=False):
    """A lamp: its pattern and the word for what it says."""

    name: str
    pattern: str
    word: str


class NoteView(TypedDict, total=False):
    """Something a person should know or do."""

    id: str
    severity: str
    message: str
    args: dict[str, str]
    link: str


class OpenView(TypedDict, total=False):
    """Whether a line is open now."""

    open: bool
    until: str | None
    reason: str
    branch: str  # the branch that takes calls, where the line follows a scheme


class StatusView(TypedDict, total=False):
    """The answer to `status`."""

    now: str
    open: dict[str, OpenView]
    night: str
    night_until: str
    lines: list[LineView]
    phones: list[PhoneView]
    calls: list[CallView]
    lamps: list[LampView]
    notes: list[NoteView]
    counts: dict[str, int]
    virtual: bool
    version: str
    address: str
    sip_port: int
    clock_offset: float
    self_tests: dict[str, str]


class Section(TypedDict):
    """A settings section with its version; secrets are masked."""

    section: str
    version: int
    doc: Doc


class Control:
    """Asks the exchange. Safe to use from any thread: every request has its own connection."""

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self._path = path
        self._seconds = seconds
        self._ids = count(1)

    def ask(self, verb: str, args: Mapping[str, object] | None = None, who: str = "") -> Doc:
        """The `ok` part of the answer. Raises ControlError; its id is the exchange's, or `exchange-down`."""
        with closing(self._connect()) as wire:
            if verb in SLOW:
                wire.settimeout(SLOW_SECONDS)
            elif verb in NETWORK:
                wire.settimeout(NETWORK_SECONDS)
            number = next(self._ids)
            self._send(wire, number, verb, args, who)
            answer = next(self._answers(wire), None)
        if not answer:
            raise ControlError("exchange-down")
        return _unpack(answer)

    def subscribe(self, topics: Sequence[str], limit: float) -> Iterator[Doc | None]:
        """Events as they come, None after each `limit` seconds of silence. Ends when the exchange goes."""
        with closing(self._connect()) as wire:
            self._send(wire, next(self._ids), "subscribe", {"topics": list(topics)}, "web")
            wire.settimeout(limit)
            yield from self._answers(wire, quiet=True)

    def status(self) -> StatusView:
        """The state of everything, as the pages draw it."""
        return cast(StatusView, self.ask("status"))

    def section(self, name: str) -> Section:
        """One section of the settings."""
        return cast(Section, self.ask("settings.get", {"section": name}))

    def put(self, name: str, version: int, doc: Mapping[str, object], who: str) -> int:
        """Store a section; the new version. Raises SettingsRefused with every fault at once, or ControlError."""
        answer = self.ask("settings.put", {"section": name, "version": version, "doc": doc}, who)
        return int(str(answer.get("version", version + 1)))

    def _connect(self) -> socket.socket:
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        wire.settimeout(self._seconds)
        try:
            wire.connect(str(self._path))
        except OSError as error:
            wire.close()
            raise ControlError("exchange-down", str(error)) from error
        return wire

    def _send(self, wire: socket.socket, number: int, verb: str, args: Mapping[str, object] | None, who: str) -> None:
        line = json.dumps({"v": 1, "id": number, "do": verb, "args": args or {}, "who": who}).encode() + b"\n"
        if len(line) > LONGEST:
            raise ControlError("too-big")
        try:
            wire.sendall(line)
        except OSError as error:
            raise ControlError("exchange-down", str(error)) from error

    def _answers(self, wire: socket.socket, quiet: bool = False) -> Iterator[Doc | None]:
        """Whole lines as dictionaries; a line that is none of ours ends the talk."""
        held = b""
        while True:
            try:
                piece = wire.recv(LONGEST)
            except TimeoutError:
                if not quiet:
                    return
                yield None
                continue
            except OSError:
                return
            if not piece:
                return
            held += piece
            *lines, held = held.split(b"\n")
            if len(held) > LONGEST_ANSWER:
                return
            for line in lines:
                try:
                    answer = json.loads(line)
                except ValueError:
                    return
                if isinstance(answer, dict):
                    yield answer


def _unpack(answer: Doc) -> Doc:
    error = answer.get("error")
    if isinstance(error, dict):
        name = str(error.get("id", "control-error"))
        fields = error.get("fields")
        raw = error.get("args")
        if isinstance(fields, dict) and fields:
            raise SettingsRefused({str(k): str(v) for k, v in fields.items()}, _facts(raw))
        args = {str(k): str(v) for k, v in raw.items()} if isinstance(raw, dict) else {}
        raise ControlError(name, str(error.get("detail", "")), **args)
    ok = answer.get("ok")
    return ok if isinstance(ok, dict) else {}


def _facts(raw: object) -> dict[str, dict[str, str]]:
    """The numbers of each faulty field, when the exchange sends them by path."""
    if not isinstance(raw, dict):
        return {}
    return {str(k): {str(a): str(b) for a, b in v.items()} for k, v in raw.items() if isinstance(v, dict)}
