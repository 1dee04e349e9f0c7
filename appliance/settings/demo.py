"""The first settings of a box on virtual hardware: one SIM, two phones that ring together, a mailbox beside it."""

from collections.abc import Mapping
from pathlib import Path

from appliance.settings.fields import Value
from appliance.settings.secret import Secret, new_password

DEMO_MAIL_PORT = 2525
DEMO_NUMBER = "+48990120100"  # inside a range that is never assigned


def demo_settings(devices: Path, address: str) -> dict[str, Mapping[str, Value]]:
    """Sections in the order in which they can be stored."""
    people: list[Value] = [
        {"id": "p101", "extension": "101", "name": "Anna (demo phone)", "password": Secret(new_password())},
        {"id": "p102", "extension": "102", "name": "Ben", "password": Secret(new_password())},
    ]
    return {
        "network": {"address": address},
        "people": {"items": people},
        "groups": {"items": [{"id": "office", "name": "Office", "members": ["101", "102"], "seconds": 25}]},
        "lines": {
            "items": [
                {
                    "id": "gsm0",
                    "label": "Reception",
                    "number": DEMO_NUMBER,
                    "device": str(devices / "gsm0-at"),
                    "pcm_device": str(devices / "gsm0-pcm"),
                    "group": "office",
                    "always_open": False,
                    "ranges": [{"day": d, "start": "09:00", "end": "18:00"} for d in range(5)],
                }
            ]
        },
        "outgoing": {"items": [{"id": "all", "pattern": "*", "lines": ["gsm0"]}]},
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
