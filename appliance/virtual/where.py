"""Where the virtual hardware keeps its things, read from the environment.

The same two folders as the product's (`CENTRALKA_STATE`, `CENTRALKA_RUN`), worked out here once more because this part
imports nothing of the product.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MAKES = ("huawei", "sim7600", "ec25", "sim800", "ublox", "e1550")
PRODUCT_STATE, PRODUCT_RUN = Path("/var/lib/centralka"), Path("/run/centralka")


@dataclass(frozen=True, slots=True)
class Where:
    """Folders, the address for SIP and mail, and the options of the devices."""

    state: Path
    run: Path
    address: str = "127.0.0.1"
    modems: tuple[tuple[str, str], ...] = (("gsm0", "huawei"),)
    quirks: str = ""
    mail_port: int = 2525
    phone_mic: str = ""
    seed: str = "1"

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> "Where":
        """From the environment. Raises ValueError for a port or a list of modems that is none."""
        home = Path(environ.get("HOME", "/root"))
        state = environ.get("CENTRALKA_STATE", "")
        run = environ.get("CENTRALKA_RUN", "")
        base = Path(state) if state else (PRODUCT_STATE if _ours(PRODUCT_STATE) else home / ".local/state/centralka")
        if not run:
            run = str(PRODUCT_RUN if not state and _ours(PRODUCT_RUN) else base.absolute() / "run")
        return cls(
            base.absolute(),
            Path(run).absolute(),
            environ.get("ADDRESS", "") or "127.0.0.1",
            _modems(environ.get("CENTRALKA_VIRTUAL_MODEMS") or _sims(environ.get("CENTRALKA_VIRTUAL_SIMS", "1"))),
            environ.get("CENTRALKA_VIRTUAL_QUIRKS", ""),
            int(environ.get("CENTRALKA_VIRTUAL_MAIL_PORT", "2525")),
            environ.get("CENTRALKA_VIRTUAL_PHONE_WAV", ""),
            environ.get("CENTRALKA_VIRTUAL_SEED", "1"),
        )

    @property
    def socket(self) -> Path:
        return self.run / "virtual.sock"

    @property
    def exchange(self) -> Path:
        """The exchange's control socket: the clock is moved there."""
        return self.run / "exchange.sock"

    @property
    def devices(self) -> Path:
        return self.run / "devices"

    @property
    def kept(self) -> Path:
        """What outlives the process: mails, the phone's folder."""
        return self.state / "virtual"

    def quirks_of(self, name: str) -> dict[str, object]:
        """The switches set by `CENTRALKA_VIRTUAL_QUIRKS`, a JSON object by device. Raises ValueError."""
        if not self.quirks:
            return {}
        found = json.loads(self.quirks)
        mine = found.get(name, {}) if isinstance(found, dict) else None
        if not isinstance(mine, dict):
            raise ValueError('CENTRALKA_VIRTUAL_QUIRKS looks like {"gsm0": {"ring_interval": 1}}')
        return mine


def _sims(count: str) -> str:
    """So many modems, each of another make. Raises ValueError."""
    if not count.isdecimal() or not 1 <= int(count) <= len(MAKES):
        raise ValueError(f"CENTRALKA_VIRTUAL_SIMS is a number from 1 to {len(MAKES)}")
    return ",".join(f"gsm{place}={make}" for place, make in enumerate(MAKES[: int(count)]))


def _modems(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.strip().split("=", 1) for part in text.split(",") if part.strip()]
    if any(len(pair) != 2 or not pair[0].isalnum() for pair in pairs):
        raise ValueError("CENTRALKA_VIRTUAL_MODEMS looks like gsm0=huawei,gsm1=sim7600")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _ours(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)
