"""Which lines run: those of the settings, each started anew when its wire changed and it is free. Loop thread."""

import json
from collections.abc import Callable, Mapping

from appliance.core.model import PHONES, LineId
from appliance.lines import Line
from appliance.settings.fields import Value
from appliance.settings.secret import Secret
from appliance.settings.trunks import WIRE as TRUNK_WIRE

Item = Mapping[str, Value]
# what makes a line start anew when it changes; a label does not
WIRE = (
    "kind", "device", "pcm_device", "pin", "country", "imei", "call_waiting", "power", "power_port", "audio",
    "alsa_device", *TRUNK_WIRE,
)  # fmt: skip


class Keeper:
    """`lines` are the exchange's own; `make` builds one from its settings."""

    def __init__(self, lines: dict[LineId, Line], make: Callable[[Item], Line]) -> None:
        self._lines = lines
        self._make = make
        self._wires: dict[LineId, str] = {}
        self._waiting: dict[LineId, Item] = {}

    def apply(self, wanted: Mapping[str, Item]) -> None:
        """Lines that are gone are stopped, new ones started, changed ones started anew once they are free."""
        ids = {LineId(line_id) for line_id in wanted}
        for line_id in [i for i in self._lines if i != PHONES and i not in ids]:
            self._lines.pop(line_id).stop()
            self._wires.pop(line_id, None)
        for name, item in wanted.items():
            if self._wires.get(LineId(name)) != _wire_of(item):
                self._waiting[LineId(name)] = item
        self.restart(0.0)

    def restart(self, at: float) -> None:
        """Start what waits, as far as it is free."""
        for line_id, item in list(self._waiting.items()):
            old = self._lines.get(line_id)
            if old and _in_use(old):
                continue
            if old:
                old.stop()
            del self._waiting[line_id]
            line = self._make(item)
            self._wires[line_id] = _wire_of(item)
            self._lines[line_id] = line
            line.start()


def _in_use(line: Line) -> bool:
    """Whether it has a call: a trunk that could carry one more is not busy."""
    status = line.status()
    return status.busy or status.facts.get("calls", "0") not in ("", "0")


def _wire_of(item: Item) -> str:
    shown = {n: v.reveal() if isinstance(v := item.get(n), Secret) else v for n in WIRE}
    return json.dumps(shown, sort_keys=True, default=str)
