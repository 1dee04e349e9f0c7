"""Lines by their kind: how each is made from its settings, and what only a trunk can be asked. Loop thread.

line.register   {line}   {}   signs a trunk in now, or asks for a sign of life
"""

import logging
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance import __version__
from appliance.core.model import LineId
from appliance.errors import ControlError
from appliance.exchange.control import Answer
from appliance.exchange.exchange import Exchange
from appliance.exchange.verbs import Args, Reply, text
from appliance.lines import Line, Post
from appliance.lines.audio import Audio
from appliance.lines.endpoint import SipSettings
from appliance.lines.gsm import from_settings
from appliance.lines.ports import Ports
from appliance.lines.registrations import BindingStore
from appliance.lines.sip import SipLimits, SipLine
from appliance.lines.trunk import Trunk
from appliance.lines.trunk_account import from_item
from appliance.lines.trunks import Trunks
from appliance.settings import certificate
from appliance.settings.fields import Value

log = logging.getLogger(__name__)

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


def make_phones(network: Item, address: str, tls: Path, store: BindingStore, post: Post, audio: Audio) -> SipLine:
    """The line of all phones from the section `network`; `tls`: the folder of the box's certificates."""
    host = os.uname().nodename.lower()
    port = _number(network, "sip_tls_port")
    papers: tuple[str, str] | None = None
    if port:
        try:
            found = certificate.ensure(tls, address, host or "centralka", "phones", old_clients=True)
            papers = str(found[0]), str(found[1])
        except (OSError, ValueError) as error:
            log.error("phones cannot encrypt: no certificate could be made: %s", error)
    sip = SipSettings(
        address, _number(network, "sip_port"), _number(network, "rtp_from"), _number(network, "rtp_to"),
        f"Centralka {__version__}", port if papers else 0, papers,
    )  # fmt: skip
    limits = SipLimits(
        _number(network, "requests_per_source"), _number(network, "requests_in_all"), _number(network, "min_expiry"),
        _number(network, "max_expiry"),
    )  # fmt: skip
    hosts = frozenset({host, host + ".local", "localhost"})
    return SipLine(sip, limits, hosts, secrets.token_bytes(32), store, post, audio)


def _number(network: Item, name: str) -> int:
    return int(str(network[name]))


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
