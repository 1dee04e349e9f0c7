"""The first settings of a box on virtual hardware: one SIM, two phones that ring together, a mailbox beside it."""

from collections.abc import Mapping
from pathlib import Path

from appliance.settings.fields import Value
from appliance.settings.secret import Secret, new_password

DEMO_MAIL_PORT = 2525
DEMO_NUMBER = 48990120100  # of the first SIM, inside a range that is never assigned


def demo_settings(devices: Path, address: str, sims: int = 1) -> dict[str, Mapping[str, Value]]:
    """Sections in the order in which they can be stored; a line for each of the virtual SIMs."""
    people: list[Value] = [
        {"id": "p101", "extension": "101", "name": "Anna (demo phone)", "password": Secret(new_password())},
        {"id": "p102", "extension": "102", "name": "Ben", "password": Secret(new_password())},
    ]
    return {
        "network": {"address": address},
        "people": {"items": people},
        "groups": {"items": [{"id": "office", "name": "Office", "members": ["101", "102"], "seconds": 25}]},
        "lines": {"items": [_line(devices, place) for place in range(sims)]},
        "outgoing": {"items": [{"id": "all", "pattern": "*", "lines": [f"gsm{place}" for place in range(sims)]}]},
        "mail": {
            "enabled": True,
            "host": address,
            "port": DEMO_MAIL_PORT,
            "security": "plain",
            "plain_allowed": True,
            "sender": "centralka@demo.invalid",
            "to": ["office@demo.invalid"],
        },
    }


def _line(devices: Path, place: int) -> Value:
    """The line of a virtual SIM; the first one has office hours."""
    return {
        "id": f"gsm{place}",
        "label": "Reception" if place == 0 else f"Line {place + 1}",
        "number": f"+{DEMO_NUMBER + place}",
        "device": str(devices / f"gsm{place}-at"),
        "pcm_device": str(devices / f"gsm{place}-pcm"),
        "group": "office",
        "always_open": place > 0,
        "ranges": [{"day": day, "start": "09:00", "end": "18:00"} for day in range(5)],
    }
