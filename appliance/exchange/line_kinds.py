"""Lines by their kind: how each is made from its settings, and what only a trunk can be asked. Loop thread.

line.register   {line}   {}   signs a trunk in now, or asks for a sign of life
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.core.model import LineId
from appliance.errors import ControlError
from appliance.exchange.control import Answer
from appliance.exchange.exchange import Exchange
from appliance.exchange.verbs import Args, Reply, text
from appliance.lines import Line, Post
from appliance.lines.audio import Audio
from appliance.lines.gsm import from_settings
from appliance.lines.ports import Ports
from appliance.lines.trunk import Trunk
from appliance.lines.trunk_account import from_item
from appliance.lines.trunks import Trunks
from appliance.settings.fields import Value

Item = Mapping[str, Value]
Facts = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Shared:
    """What lines are made with. `country`: the office's; `tries`: the file that remembers PINs tried."""

    post: Post
    audio: Audio
    country: str
    tries: Path
    ports: Ports
    trunks: Trunks


def make_line(item: Item, shared: Shared, known: Facts = None) -> Line:
    """A line from its item of the settings; `known`: its facts of before."""
    return MAKERS[str(item.get("kind") or "gsm")](item, shared, known)


def _gsm(item: Item, shared: Shared, known: Facts) -> Line:
    return from_settings(item, shared.post, shared.audio, shared.country, shared.tries, shared.ports, known)


def _sip(item: Item, shared: Shared, known: Facts) -> Line:
    settings = from_item(item, shared.country)
    return Trunk(LineId(str(item["id"])), settings, shared.post, shared.audio, shared.trunks)


MAKERS: Mapping[str, Callable[[Item, Shared, Facts], Line]] = {"gsm": _gsm, "sip": _sip}


def trunk_verbs(exchange: Exchange) -> Mapping[str, Callable[[Args, str, Reply], None]]:
    """For the table of the control socket."""

    def register(args: Args, who: str, reply: Reply) -> None:
        line = exchange.lines.get(LineId(text(args, "line")))
        if not isinstance(line, Trunk):
            raise ControlError("no-such-line", line=text(args, "line"))
        line.sign_in()
        exchange.changed("lines")
        reply(Answer(ok={}))

    return {"line.register": register}
