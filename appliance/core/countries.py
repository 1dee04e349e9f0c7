"""Facts of a country: calling code, emergency numbers, numbers no premium rule may stop.

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


@cache
def country(code: str) -> Country:
    """The facts of `code`; of Poland where the code is not among ours."""
    return _all().get(code) or _all()["PL"]


def codes() -> tuple[str, ...]:
    """The countries we have facts of."""
    return tuple(_all())


@cache
def _all() -> dict[str, Country]:
    text = resources.files("appliance.core").joinpath("data/countries.json").read_text(encoding="utf-8")
    return {code: _read(code, row) for code, row in json.loads(text)["countries"].items()}


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
