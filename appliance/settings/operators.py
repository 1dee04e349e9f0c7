"""Operators we know the codes of: suggestions for a line's credit, which its owner may change.

`data/operators.json` says of each whether two sources agree; one that is not verified is shown as such, and a code is
tried once by hand before it is used every night.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Preset:
    """What an operator's prepaid SIM wants. `networks`: MCC and MNC of the SIM; `fee`: the question may cost money."""

    id: str
    country: str
    name: str
    networks: tuple[str, ...]
    code: str
    pattern: str
    currency: str
    topup_code: str
    verified: bool
    topup_verified: bool
    fee: bool

    def values(self) -> dict[str, str]:
        """For the fields of a line."""
        return {
            "balance_code": self.code, "balance_pattern": self.pattern, "currency": self.currency,
            "topup_code": self.topup_code,
        }  # fmt: skip


@cache
def presets(country: str = "") -> tuple[Preset, ...]:
    """Those of a country (ISO 3166 alpha-2), or all."""
    text = resources.files("appliance.settings").joinpath("data/operators.json").read_text(encoding="utf-8")
    found = (Preset(**{**row, "networks": tuple(row["networks"])}) for row in json.loads(text)["operators"])
    return tuple(one for one in found if country in ("", one.country))


def preset(name: str) -> Preset | None:
    """The one with that id."""
    return next((one for one in presets() if one.id == name), None)
