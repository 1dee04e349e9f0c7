"""What goes wrong with a SIM line without any fault: numbers that stop arriving, a network that will be switched off.
Pure; what was told is kept by the caller."""

from datetime import date

from appliance.core.model import Kind

MISSING = 5  # calls in a row without a number, where numbers arrived before
TOLD_BEFORE = (180, 90, 30, 7, 0)  # days before a network is switched off; 0 is the day itself and after
OLD_NETWORKS = ("2g", "3g")


def numbers_arrive(known: int, kind: Kind) -> tuple[int, str]:
    """`known`: -1 while no number ever arrived, else how many calls in a row came without one. Gives the new count, and
    "stopped" or "back" when people should hear of it. A caller who hides his number tells nothing."""
    if kind is Kind.E164:
        return 0, "back" if known >= MISSING else ""
    if kind is not Kind.UNAVAILABLE or known < 0:
        return known, ""
    return known + 1, "stopped" if known + 1 == MISSING else ""


def switch_off(network: str, ends: date | None, today: date, told: int | None) -> int | None:
    """The threshold of TOLD_BEFORE to tell now, None for nothing. `network`: what the SIM is on ("2g", "3g", "lte");
    `ends`: when that one ends; `told`: the last threshold that was told."""
    if network not in OLD_NETWORKS or ends is None:
        return None
    left = max((ends - today).days, 0)
    due = min((days for days in TOLD_BEFORE if left <= days), default=None)
    return due if due is not None and (told is None or due < told) else None
