"""The menu: only entries whose feature exists. It never depends on the state of the system."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the side menu; `name` is the first part of its path."""

    name: str
    label: object
    path: str
    icon: str
    count: str = ""  # the key of `counts` in the state


@dataclass(frozen=True, slots=True)
class Group:
    """A group of entries with a heading."""

    label: object
    entries: tuple[Entry, ...]


GROUPS = (
    Group(_l("Every day"), (
        Entry("status", _l("Status"), "/", icon="gauge"),
        Entry("calls", _l("Calls"), "/calls", icon="phone", count="missed"),
        Entry("messages", _l("Messages"), "/messages", icon="message-square", count="unread"),
        Entry("voicemail", _l("Voicemail"), "/voicemail", icon="bell-ring"),
    )),
    Group(_l("Call plan"), (
        Entry("lines", _l("Lines"), "/lines", icon="card-sim"),
        Entry("schemes", _l("Schemes"), "/schemes", icon="split"),
        Entry("hours", _l("Hours"), "/hours", icon="clock"),
        Entry("blocking", _l("Blocking"), "/blocking", icon="ban"),
        Entry("outgoing", _l("Calling out"), "/outgoing", icon="phone-outgoing"),
        Entry("try", _l("Try a call"), "/try", icon="route"),
        Entry("people", _l("People and phones"), "/people", icon="users"),
    )),
    Group(_l("Office"), (
        Entry("box", _l("The box"), "/box/health", icon="router"),
    )),
)  # fmt: skip


def current(path: str) -> str:
    """The name of the entry a path belongs to."""
    first = path.split("/")[1] or "status"
    return {"menus": "schemes", "mailboxes": "schemes", "dial": "calls"}.get(first, first)
