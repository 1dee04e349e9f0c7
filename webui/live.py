"""Live parts of a page: one event stream per tab, ready HTML fragments, at most two a second, the newest state winning.

One thread subscribes to the exchange and wakes the streams; each stream draws its own fragments in its reader's
language and sends those that changed. A stream pins a server thread, so each sign-in has four at most and all together
twenty: the oldest is told "paused" and ends.
"""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Blueprint, Flask, Response, current_app, g, render_template, request, stream_with_context

from appliance.errors import ControlError, JournalError
from webui import here
from webui.auth import COOKIE, now
from webui.control import Control, StatusView

log = logging.getLogger(__name__)

TOPICS = ("calls", "lines", "phones", "lamps", "log", "notes", "sms", "counts", "levels")
PER_SESSION = 4
IN_ALL = 20
BEAT = 15.0  # seconds
PAUSE = 0.5  # between two sendings of one stream
LARGEST = 16 * 1024

page = Blueprint("live", __name__)

SINCE = ("new_calls", "new_messages")  # these tell of what came after the page was drawn
FRAGMENTS = {
    "status": ("small_panel", "now_line", "panel", "notes", "live_calls", "levels", "lines", "phones", "badges"),
    "calls": ("small_panel", "badges", "new_calls"),
    "messages": ("small_panel", "badges", "new_messages", "ours"),
}


@dataclass(eq=False, slots=True)
class Seat:
    """One open stream."""

    session: str
    dropped: bool = False
    born: float = field(default_factory=time.monotonic)


class Hub:
    """The subscriber thread and the seats. Any thread may call it; the condition guards everything inside."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._changed = threading.Condition()
        self._version = 0
        self._seats: list[Seat] = []
        self._thread: threading.Thread | None = None
        self._state: StatusView | None = None
        self._state_version = -1

    def enter(self, session: str) -> Seat:
        """Take a seat; the oldest of the same session, or of all, gives way."""
        seat = Seat(session)
        with self._changed:
            self._seats.append(seat)
            mine = [s for s in self._seats if s.session == session and not s.dropped]
            for old in mine[:-PER_SESSION]:
                old.dropped = True
            everybody = [s for s in self._seats if not s.dropped]
            for old in everybody[:-IN_ALL]:
                old.dropped = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._follow, name="live", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return seat

    def leave(self, seat: Seat) -> None:
        """Give the seat back; without any the subscriber ends at its next beat."""
        with self._changed:
            if seat in self._seats:
                self._seats.remove(seat)

    def wait(self, version: int, seat: Seat, seconds: float) -> int:
        """Until something changed, the seat was dropped, or the time is over; the version now."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version or seat.dropped, seconds)
            return self._version

    def state(self, version: int) -> StatusView | None:
        """The state for this version, asked once for all streams."""
        with self._changed:
            if self._state_version == version:
                return self._state
        try:
            found = self._control.status()
        except ControlError:
            found = None
        with self._changed:
            self._state, self._state_version = found, version
        return found

    def _bump(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def _follow(self) -> None:
        """Subscribe again and again while anybody watches."""
        while True:
            try:
                self._bump()
                for event in self._control.subscribe(TOPICS, BEAT):
                    if event is not None and "event" in event:
                        self._bump()
                    if self._idle():
                        return
            except ControlError as error:
                log.info("live: no event stream from the exchange: %s", error.id)
            if self._idle():
                return
            self._bump()
            time.sleep(1.0)

    def _idle(self) -> bool:
        with self._changed:
            if self._seats:
                return False
            self._thread = None
            return True


@page.get("/live")
def stream() -> Response:
    """The stream of one tab."""
    which = request.args.get("page", "")
    hub: Hub = current_app.extensions["centralka-live"]
    seat = hub.enter(here.visitor().session.id_hash)
    body = stream_with_context(_send(hub, seat, FRAGMENTS.get(which, ("small_panel", "badges"))))
    answer = Response(body, mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _send(hub: Hub, seat: Seat, names: tuple[str, ...]) -> Iterator[str]:
    """What the tab gets: fragments that changed, a beat in silence, and the reason when it ends."""
    shown: dict[str, str] = {}
    version = -1
    try:
        yield "retry: 3000\n\n"
        while True:
            newest = hub.wait(version, seat, BEAT)
            if seat.dropped:
                yield _event("paused", render_template("live/paused.html"))
                return
            if newest == version:
                if not _still_in():
                    return
                yield ": beat\nevent: beat\ndata: .\n\n"
                continue
            version = newest
            g.status = hub.state(version)
            for name in names:
                text = _draw(name)
                first = name not in shown
                if text != shown.get(name) and len(text) < LARGEST:
                    shown[name] = text
                    if not (first and name in SINCE):
                        yield _event("live", text)
            time.sleep(PAUSE)
    finally:
        hub.leave(seat)


def _draw(name: str) -> str:
    try:
        return render_template(f"live/{name}.html", oob=True)
    except JournalError:
        return ""


def _still_in() -> bool:
    """Whether the session still holds; watching does not keep it alive."""
    try:
        return here.kit().door.visitor(request.cookies.get(COOKIE, ""), now(), touch=False) is not None
    except JournalError:
        return True


def _event(name: str, text: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines() if line.strip())
    return f"event: {name}\n{lines}\n"


def register(app: Flask) -> None:
    """Put /live on the app."""
    app.register_blueprint(page)
