"""What each lamp shows and each button does: the one table behind the box, the Status page and Health.

Pure. A lamp's row is (pattern, word): the pattern for the bulb, the word an id of `words.LAMPS`. The order of the
conditions is their weight: the first that holds is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PERIODS = {"slow": 2.0, "fast": 0.5}  # seconds of one on and off
FAULT_CODES = {
    "modem-gone": 1, "sim-pin": 2, "mail-down": 3, "disk-full": 4, "settings-damaged": 5, "journal-damaged": 6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What lamps may know. `sims`: states of the SIM lines (words.LINE_STATES); `calls`: ringing, talking, held."""

    starting: bool = False
    button: str = ""  # what the status button was just told: "done", "armed" for a reset
    faults: tuple[str, ...] = ()  # keys of FAULT_CODES, worst first
    sims: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    unread: int = 0
    storage_full: bool = False
    night: str = ""  # "on" | "off" | ""
    closed_by_hours: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A lamp now: "off", "steady", "slow", "fast", "double" or "code-3"; `word` is an id of words.LAMPS."""

    name: str
    pattern: str
    word: str


def lamps(facts: Facts) -> tuple[Shown, ...]:
    """All lamps in the order in which they stand on the box."""
    return (_power(facts), _sim(facts), _line(facts), _message(facts), _night(facts))


def _power(facts: Facts) -> Shown:
    if facts.button:
        return Shown("power", {"armed": "fast"}.get(facts.button, "double"), f"power-{facts.button}")
    if facts.faults:
        return Shown("power", f"code-{FAULT_CODES.get(facts.faults[0], 9)}", f"power-{facts.faults[0]}")
    return Shown("power", "slow", "power-starting") if facts.starting else Shown("power", "steady", "power-well")


SIM_PATTERNS: Mapping[str, tuple[str, str]] = {  # worst first: one SIM that needs a person outweighs three that work
    "pin-needed": ("double", "sim-pin"),
    "pin-wrong": ("double", "sim-pin"),
    "puk-needed": ("double", "sim-pin"),
    "data-only": ("fast", "sim-data-only"),
    "searching": ("slow", "sim-searching"),
    "emergency-only": ("slow", "sim-searching"),
    "denied": ("slow", "sim-searching"),
    "starting": ("slow", "sim-searching"),
    "no-answer": ("off", "sim-no-modem"),
    "port-busy": ("off", "sim-no-modem"),
    "other-modem": ("off", "sim-no-modem"),
    "no-sim": ("off", "sim-no-modem"),
    "not-there": ("off", "sim-no-modem"),
    "up": ("steady", "sim-registered"),
    "storage-full": ("steady", "sim-registered"),
}


def _sim(facts: Facts) -> Shown:
    for state, (pattern, word) in SIM_PATTERNS.items():
        if state in facts.sims:
            return Shown("sim", pattern, word)
    return Shown("sim", "off", "sim-no-modem")


def _line(facts: Facts) -> Shown:
    for state, pattern in (("ringing", "fast"), ("held", "slow"), ("talking", "steady"), ("announcement", "steady")):
        if state in facts.calls:
            return Shown("line", pattern, f"line-{state}")
    return Shown("line", "off", "line-free")


def _message(facts: Facts) -> Shown:
    if facts.storage_full:
        return Shown("message", "fast", "message-full")
    return Shown("message", "slow", "message-unread") if facts.unread else Shown("message", "off", "message-none")


def _night(facts: Facts) -> Shown:
    if facts.night == "on":
        return Shown("night", "steady", "night-on")
    if facts.night != "off" and facts.closed_by_hours:
        return Shown("night", "slow", "night-hours")
    return Shown("night", "off", "night-open")


def blink(pattern: str) -> Sequence[tuple[bool, float]]:
    """The pattern as (lit, seconds) to be repeated for ever; one step without end for steady and off."""
    if pattern in ("steady", "off"):
        return ((pattern == "steady", 3600.0),)
    if pattern in PERIODS:
        half = PERIODS[pattern] / 2
        return ((True, half), (False, half))
    if pattern == "double":
        return ((True, 0.2), (False, 0.2), (True, 0.2), (False, 1.4))
    count = int(pattern.removeprefix("code-"))
    return ((True, 0.3), (False, 0.3)) * (count - 1) + ((True, 0.3), (False, 2.0))


LONG, VERY_LONG = 3.0, 10.0  # seconds held; a button acts when it is let go

# (button, press) -> what the exchange does; the words for people are words.BUTTONS under the same name
BUTTONS: Mapping[tuple[str, str], str] = {
    ("night", "short"): "night-toggle",
    ("night", "long"): "night-auto",
    ("status", "short"): "speak-address",
    ("status", "long"): "last-caller",
    ("status", "very-long"): "reset-arm",
}
CONFIRM_SECONDS = 10.0  # a factory reset wants a second press within this time


def press_of(held: float) -> str:
    """ "short", "long" or "very-long" by the seconds the button was held."""
    if held >= VERY_LONG:
        return "very-long"
    return "long" if held >= LONG else "short"
