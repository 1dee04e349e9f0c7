"""What a page needs of the running app and this request: the exchange, the store, the visitor, the state, the office.

Everything that is asked of the exchange is asked at most once per request.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from flask import current_app, g, request

from appliance.errors import ControlError
from appliance.settings.places import Places
from webui.auth import Door, Visitor, now
from webui.control import Control, Section, StatusView
from webui.store import Store

OFFICE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Office:
    """The few settings every page needs."""

    name: str = ""
    country: str = ""
    language: str = "en"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    masks: tuple[str, ...] = ()  # how numbers are shown


@dataclass(slots=True)
class Kit:
    """The app's own parts, made once by create_app."""

    control: Control
    store: Store
    door: Door
    journal: Path
    places: Places
    https: bool
    office: Office = field(default_factory=Office)
    office_until: float = 0.0


def kit() -> Kit:
    """The parts of this app."""
    return cast(Kit, current_app.extensions["centralka"])


def control() -> Control:
    """The exchange."""
    return kit().control


def store() -> Store:
    """The web's own tables."""
    return kit().store


def visitor() -> Visitor:
    """Who is signed in; only on pages behind the door."""
    found = g.get("visitor")
    if found is None:
        raise LookupError("a page behind the door was drawn without a visitor")
    return cast(Visitor, found)


def who() -> str:
    """The name for records of changes."""
    found = g.get("visitor")
    return cast(Visitor, found).account.name if found else ""


def status() -> StatusView | None:
    """The state of everything; None while the exchange does not answer."""
    if "status" not in g:
        try:
            g.status = control().status()
        except ControlError:
            g.status = None
    return cast("StatusView | None", g.status)


def section(name: str) -> Section | None:
    """A section of the settings; None while the exchange does not answer."""
    try:
        return control().section(name)
    except ControlError:
        return None


def office() -> Office:
    """The office's name, country and zone, remembered for ten seconds."""
    parts = kit()
    if time.monotonic() >= parts.office_until:
        found = section("office")
        if found:
            calling = section("calling")
            parts.office = _office(found["doc"], calling["doc"] if calling else {})
            parts.office_until = time.monotonic() + OFFICE_SECONDS
    return parts.office


def forget_office() -> None:
    """After a change of the office's settings."""
    kit().office_until = 0.0


def local_now() -> datetime:
    """The wall clock that plan and journal see (it may be a virtual one), in the office's zone."""
    state = status()
    zone = office().zone
    if state and state.get("now"):
        try:
            at = datetime.fromisoformat(state["now"])
            return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
        except ValueError:
            pass
    return datetime.now(zone)


def client() -> str:
    """The address of the browser."""
    return (request.remote_addr or "")[:60]


def audit(what: str, old: dict[str, object] | None = None, new: dict[str, object] | None = None) -> int:
    """Write what this person just did into the record of changes; the row's id."""
    return store().write_audit(now(), who(), client(), what, old or {}, new or {})


def _office(doc: dict[str, object], calling: Mapping[str, object]) -> Office:
    try:
        zone = ZoneInfo(str(doc.get("timezone") or "UTC"))
    except (ValueError, OSError):
        zone = ZoneInfo("UTC")
    masks = calling.get("masks")
    return Office(
        str(doc.get("name") or ""), str(doc.get("country") or ""), str(doc.get("language") or "en"), zone,
        tuple(str(one) for one in masks) if isinstance(masks, list) else (),
    )  # fmt: skip
