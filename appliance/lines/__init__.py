"""The only code that touches a line. A line translates between its wire and core's events and commands, and decides
nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from appliance.core.commands import Command
from appliance.core.events import Event
from appliance.core.model import LegId, LineId

Post = Callable[[Event], None]  # Inbox.put: from any thread


@dataclass(frozen=True, slots=True)
class LineStatus:
    """What the page shows of a line. `state` is an id of words.LINE_STATES; `facts` are raw values for the page:
    signal (0-100 as text), operator, network ("2g" "3g" "lte"), model, imei, iccid, storage ("3/20"), calls, since
    (ISO), roaming ("1"), voice ("yes" "lte-only" "none")."""

    id: LineId
    kind: str
    state: str
    usable: bool  # can carry a call now
    busy: bool
    facts: Mapping[str, str] = field(default_factory=dict)
    usable_for_emergency: bool = False  # can call 112, perhaps without a SIM


class Line(Protocol):
    """What the exchange needs of a line. All methods are called on the loop thread only."""

    id: LineId

    def start(self) -> None:
        """Open the wire; may be called twice. A missing device is not an error: the line is down and tries again."""

    def stop(self) -> None:
        """End calls and close; may be called twice."""

    def poll(self, at: float) -> None:
        """Read what is there, run what is due (monotonic seconds), post events. Never blocks."""

    def perform(self, command: Command) -> None:
        """Carry out a command for a leg of this line; the result comes back as an event."""

    def slot(self, leg: LegId) -> int | None:
        """The leg's slot in the conference bridge once its audio is up."""

    def status(self) -> LineStatus:
        """For the page and the lamps."""
