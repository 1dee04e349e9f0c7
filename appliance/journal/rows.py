"""The journal's rows as people read them: frozen, typed, times as stamps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class CallRow:
    """One ended call. `legs` are {"leg","line","number","cause"}; `trace` {"rule","outcome","args","link"}."""

    id: str
    direction: str
    line: str
    caller: str
    caller_kind: str
    caller_name: str
    called: str
    called_kind: str
    started_at: str
    ended_at: str
    ring_ms: int
    talk_ms: int
    answered_by: str
    cause: str
    detail: str
    legs: tuple[Mapping[str, Json], ...]
    trace: tuple[Mapping[str, Json], ...]


@dataclass(frozen=True, slots=True)
class SmsRow:
    """One message. `mail` is the state of its newest mail: "" (none), waiting, leased, sent, dead."""

    id: int
    line: str
    iccid: str
    sender: str
    sender_kind: str
    text: str
    coding: str
    sent_at: str | None
    received_at: str
    parts: int
    parts_total: int
    complete: bool
    flags: tuple[str, ...]
    mailed: bool
    read_at: str | None
    mail: str = ""
    pdus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """All messages of one sender on one line, by its newest."""

    line: str
    sender: str
    sender_kind: str
    messages: int
    unread: int
    newest: SmsRow


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Something the worker sends or sent. `recipients`: address to waiting, sent or dead."""

    id: int
    kind: str
    created_at: str
    next_at: str
    attempts: int
    state: str
    message_id: str
    payload: Mapping[str, Json]
    recipients: Mapping[str, str]
    last_error: str
    sent_at: str | None
    priority: int


@dataclass(frozen=True, slots=True)
class BlockRow:
    """An entry of the block or allow list; line None is every line."""

    id: int
    pattern: str
    allow: bool
    what: str
    when: str
    line: str | None
    action: str
    reason: str
    created_at: str
    created_by: str
    hits: int
    last_hit: str | None
    begins_at: str | None = None
    ends_at: str | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class BindingRow:
    """A phone's registration as it was last written."""

    extension: str
    key: str
    contact: str
    flow: Mapping[str, Json]
    expires_at: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something people should see; `message` is an id of `words.NOTICES`."""

    id: int
    at: str
    message: str
    args: Mapping[str, Json] = field(default_factory=dict)
    severity: str = "info"
