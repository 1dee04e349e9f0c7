"""The end of the night switch: somebody moves it until a time, and the hours decide again from then on."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

NIGHT, NIGHT_UNTIL = "night", "night/until"  # names of overrides; the second holds a time, ISO 8601 in UTC
LONGEST = timedelta(days=366)


def until_of(text: str, now: datetime) -> str | None:
    """The end to store for what was asked (ISO 8601 with its offset; "" for none), None when it is no time, has passed
    or is more than a year ahead. `now`: aware."""
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    if at.tzinfo is None or not now < at <= now + LONGEST:
        return None
    return at.astimezone(UTC).isoformat()


def night_over(overrides: Mapping[str, str], now: datetime) -> bool:
    """Whether the switch was moved until a time that has come."""
    until = overrides.get(NIGHT_UNTIL, "")
    return bool(until) and now >= datetime.fromisoformat(until)
