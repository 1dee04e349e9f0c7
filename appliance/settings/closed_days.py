"""Closed days from a calendar file (iCalendar, RFC 5545): whole-day events become rows of the closed days.

Events with a time of day close nothing and are left out, cancelled ones too (RFC 5545 3.8.1.11). A yearly rule without
an end or a condition repeats every year; of any other rule the first time alone is taken, and the number of those is
told. The file comes from outside: it is bounded, and a line that cannot be read costs its event only.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

LARGEST = 1024 * 1024  # octets
MOST_EVENTS = 5000
LONGEST_EVENT = 62  # days: longer is no closing of an office
LONGEST_NAME = 60
YEARLY = re.compile(r"FREQ=YEARLY(;INTERVAL=1)?(;WKST=[A-Z]{2})?", re.IGNORECASE)
ESCAPES = {"\\n": " ", "\\N": " ", "\\,": ",", "\\;": ";", "\\\\": "\\"}


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day of an event; `yearly`: each year again."""

    day: date
    name: str
    yearly: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds. `partly`: events of which only the first time was taken; `left_out`: events that close
    nothing here (with a time of day, cancelled, too long, unreadable)."""

    days: tuple[ClosedDay, ...] = ()
    partly: int = 0
    left_out: int = 0
    calendar: bool = True  # False: this is no calendar file


def closed_days(octets: bytes) -> Found:
    """The closed days of a calendar file. Never raises."""
    text = octets[:LARGEST].decode("utf-8", "replace").removeprefix("\ufeff")
    if not re.match(r"\s*BEGIN:VCALENDAR\s", text, re.IGNORECASE):
        return Found(calendar=False)
    days: dict[tuple[date, bool], ClosedDay] = {}
    partly = left_out = 0
    for number, event in enumerate(_events(text)):
        if number >= MOST_EVENTS:
            break
        found = _days(event)
        left_out += not found
        partly += bool(found) and "RRULE" in event and not found[0].yearly
        for one in found:
            days.setdefault((one.day, one.yearly), one)
    return Found(tuple(sorted(days.values(), key=lambda one: one.day)), partly, left_out)


def _events(text: str) -> Iterable[dict[str, str]]:
    """The properties of each VEVENT by name, those with parameters also as NAME;PARAMETERS."""
    event: dict[str, str] | None = None
    depth = 0  # inside a VALARM of the event
    for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
        name, _colon, value = line.partition(":")
        name, value = name.strip().upper(), value.strip()
        if (name, value.upper()) == ("BEGIN", "VEVENT"):
            event, depth = {}, 0
        elif event is None:
            continue
        elif (name, value.upper()) == ("END", "VEVENT"):
            yield event
            event = None
        elif name in {"BEGIN", "END"}:
            depth += 1 if name == "BEGIN" else -1
        elif not depth:
            event.setdefault(name.partition(";")[0], value)


def _days(event: dict[str, str]) -> list[ClosedDay]:
    """The days of an event; none for one that closes nothing."""
    first = _date(event.get("DTSTART", ""))
    if first is None or event.get("STATUS", "").upper() == "CANCELLED":
        return []
    end = _date(event["DTEND"]) if "DTEND" in event else first + timedelta(days=_duration(event))  # exclusive
    count = max((end - first).days, 1) if end else 0
    if not 1 <= count <= LONGEST_EVENT:
        return []
    yearly = bool(YEARLY.fullmatch(event.get("RRULE", "")))
    name = _text(event.get("SUMMARY", ""))
    return [ClosedDay(first + timedelta(days=n), name, yearly) for n in range(count)]


def _date(value: str) -> date | None:
    """A DATE (RFC 5545 3.3.4) within 200 years; a time of day is none."""
    if not re.fullmatch(r"(19|20)[0-9]{6}", value):
        return None
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return None


def _duration(event: dict[str, str]) -> int:
    found = re.fullmatch(r"\+?P([0-9]{1,3})(D|W)", event.get("DURATION", "P1D").upper())
    return int(found[1]) * (7 if found[2] == "W" else 1) if found else 0


def _text(value: str) -> str:
    """A TEXT (RFC 5545 3.3.11) as a name on one line."""
    plain = re.sub(r"\\[nN,;\\]", lambda found: ESCAPES[found[0]], value)
    return re.sub(r"[\x00-\x1f\x7f\s]+", " ", plain).strip()[:LONGEST_NAME].strip()
