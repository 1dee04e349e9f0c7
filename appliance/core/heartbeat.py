"""The heartbeat of a line: an SMS to ourselves that proves the whole way, from the SIM to the mailbox. Pure.

Once a day or week the line texts a marked message. It is well when that came back, was stored and its mail left (or,
where there is a mailbox that we read, lies in it); not within half an hour is an alarm. What is known of the last one
is the fact "heartbeat" of the line; times in it are stamps (UTC) of the plan's clock.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

LOST_AFTER = timedelta(minutes=30)
_MARK = re.compile(r"\ACentralka heartbeat ([0-9a-f]{16})\s*\Z")


@dataclass(frozen=True, slots=True)
class Beat:
    """The last heartbeat: its token, when it was sent, arrived, and its mail left (stamps, "" not yet), the seconds
    the whole way took, and `lost` once its absence was told; `before` says that the one before it was lost. `error` is
    why it could not be sent."""

    token: str = ""
    sent: str = ""
    arrived: str = ""
    mailed: str = ""
    seconds: float = 0.0
    lost: bool = False
    before: bool = False
    error: str = ""

    @classmethod
    def of(cls, value: object) -> "Beat":
        """From the fact in the journal; nonsense is no beat."""
        if not isinstance(value, Mapping):
            return cls()
        texts = {name: str(value.get(name) or "") for name in ("token", "sent", "arrived", "mailed", "error")}
        seconds = value.get("seconds")
        return cls(
            **texts,
            lost=bool(value.get("lost")),
            before=bool(value.get("before")),
            seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        )

    def record(self) -> dict[str, object]:
        """For the journal."""
        return asdict(self)


def text_of(token: str) -> str:
    """The marked text."""
    return f"Centralka heartbeat {token}"


def token_in(text: str) -> str:
    """The token of a heartbeat's text; "" for any other text. Whether it is ours, the last fact says."""
    found = _MARK.match(text)
    return found[1] if found else ""


def due(every: str, at: time, last: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a beat shall be sent now: `every` off, daily or weekly (on Mondays), `at` wall time of `zone`. A time
    that passed while the box was off is made up for; a last one in the future (a clock set back) does not count."""
    if every not in ("daily", "weekly"):
        return False
    local = now.astimezone(zone)
    planned = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    if every == "weekly":
        planned -= timedelta(days=local.weekday())
    if planned > local:
        planned -= timedelta(days=7 if every == "weekly" else 1)
    return last is None or last > now + timedelta(minutes=1) or last < planned


def arrived(beat: Beat, stamp: str) -> Beat:
    """It came back to us."""
    return beat if beat.arrived else replace(beat, arrived=stamp)


def mailed(beat: Beat, stamp: str, seconds: float) -> Beat:
    """Its mail left, or was found: the way is whole. A beat that was told as lost may still come."""
    return beat if beat.mailed else replace(beat, mailed=stamp, seconds=round(max(0.0, seconds), 1), lost=False)


def is_lost(beat: Beat, sent: datetime, now: datetime) -> bool:
    """Whether its absence is to be told now: once."""
    return bool(beat.token) and not beat.mailed and not beat.lost and now - sent >= LOST_AFTER
