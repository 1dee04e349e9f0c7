"""Facts of a country: calling code, emergency numbers, numbers no premium rule may stop, tones.

`data/countries.json` is read once; after that everything here is pure. Its own `sources` say where each value is from.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Country:
    """What routing needs of a country."""

    code: str  # ISO 3166 alpha-2
    calling_code: str
    emergency: frozenset[str]  # first, past every lock
    helping: frozenset[str]  # always allowed, free no line
    language: str
    zone: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a tone: hertz that sound together; `cadence` milliseconds on, off, on, off..., empty for continuous;
    `repeat`: how often the cadence is played before the next segment."""

    hertz: tuple[int, ...]
    cadence: tuple[int, ...]
    repeat: int = 1


@cache
def country(code: str) -> Country:
    """The facts of `code`; of Poland where the code is not among ours."""
    return _all().get(code) or _all()["PL"]


def codes() -> tuple[str, ...]:
    """The countries we have facts of."""
    return tuple(_all())


def tone(code: str, name: str) -> tuple[Segment, ...]:
    """A country's tone: ringback, busy, congestion, call_waiting, special_information, dial, stutter, howler; Poland's
    where the country is not among ours, nothing where there is no such tone."""
    rows = _tones()
    found = (rows.get(code) or rows["PL"]).get(name)
    segments = found.get("segments") if isinstance(found, dict) else None
    return tuple(
        Segment(tuple(one["frequencies_hz"]), tuple(one["cadence_ms"]), int(one.get("repeat", 1)))
        for one in segments or ()
    )


@cache
def _tones() -> dict[str, dict[str, object]]:
    return {code: row["tones"] for code, row in json.loads(_text())["countries"].items()}


def _text() -> str:
    return resources.files("appliance.core").joinpath("data/countries.json").read_text(encoding="utf-8")


@cache
def _all() -> dict[str, Country]:
    return {code: _read(code, row) for code, row in json.loads(_text())["countries"].items()}


def _read(code: str, row: dict[str, object]) -> Country:
    numbers = row["emergency_numbers"]
    found = [n for n in numbers if isinstance(n, dict)] if isinstance(numbers, list) else []
    zones = row["timezones"]
    return Country(
        code=code,
        calling_code=str(row["calling_code"]),
        emergency=frozenset(str(n["number"]) for n in found if n["treat_as"] == "emergency") | {"112"},
        helping=frozenset(str(n["number"]) for n in found if n["treat_as"] == "help"),
        language=str(row["default_language"]),
        zone=str(zones[0]) if isinstance(zones, list) else "Europe/Warsaw",
    )
