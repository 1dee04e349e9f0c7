"""A provider's account as PJSIP keeps it: signs in, refreshes, answers challenges. What it hears is only noted."""

import ipaddress
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pjsua2 as pj

from appliance.lines.endpoint import SESSION_SECONDS, SHORTEST_SESSION, Endpoint
from appliance.protocols.locate import Hop
from appliance.protocols.trunk_text import header, retry_after

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 20  # routers forget a UDP way after 30 (RFC 5626 4.4.1 has a range for this)
SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED, "optional": pj.PJMEDIA_SRTP_OPTIONAL, "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """A trunk as its owner describes it; see `settings.trunks`. `proxy` is host and port, or host alone."""

    host: str
    port: int = 0
    transport: str = "udp"
    registers: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    auth_user: str = ""
    realm: str = ""
    proxy: str = ""
    expires: int = 600
    channels: int = 2
    number: str = ""
    peers: tuple[str, ...] = ()
    srtp: str = "off"
    verify: bool = True
    authority: str = ""
    asks: bool = True
    number_from: str = "auto"
    caller_from: str = "auto"
    present_as: str = "auto"
    country: str = "PL"

    @property
    def next_hop(self) -> tuple[str, int]:
        """Name and port of where packets go, port 0 where none is given."""
        if not self.proxy:
            return self.host, self.port
        host, _, port = self.proxy.rpartition(":") if ":" in self.proxy.rpartition("]")[2] else (self.proxy, "", "")
        return host, int(port) if port.isdecimal() and int(port) < 65536 else 0

    @property
    def domain(self) -> str:
        """Of its URIs: the provider's name, with a port that was given and is not the usual one."""
        return f"{self.host}:{self.port}" if self.port and not self.proxy else self.host


@dataclass(frozen=True, slots=True)
class Registered:
    """How a registration ended: `code` 0 where nothing came; `seconds` it holds, 0 after signing out."""

    code: int
    reason: str
    seconds: int
    retry_after: float = 0.0


class TrunkAccount(pj.Account):  # type: ignore[misc]
    """Loop thread only; callbacks run inside libHandleEvents."""

    def __init__(self, incoming: Callable[[int], None], noted: Callable[[Registered], None]) -> None:
        super().__init__()
        self._incoming = incoming
        self._noted = noted
        self.is_out = False  # signed out, or never was in

    def sign_out(self) -> None:
        """Tell the provider; what it answers is not waited for long."""
        self._noted = self._out
        try:
            self.setRegistration(False)
        except pj.Error as error:
            log.info("could not sign out: %s", error.reason)
            self.is_out = True

    def _out(self, answer: Registered) -> None:
        self.is_out = True

    def onIncomingCall(self, prm: "pj.OnIncomingCallParam") -> None:  # noqa: N802 (pjsua2's name)
        """Only notes: an answer from inside this callback can abort the process."""
        try:
            self._incoming(int(prm.callId))
        except Exception:
            log.exception("a call on a trunk could not be taken")

    def onRegState(self, prm: "pj.OnRegStateParam") -> None:  # noqa: N802
        """A registration was answered, or failed."""
        try:
            seconds = int(prm.expiration) if 0 < int(prm.expiration) < 1 << 31 else 0
            wait = retry_after(header(prm.rdata.wholeMsg, "Retry-After"))
            self._noted(Registered(int(prm.code), str(prm.reason)[:100], seconds, wait))
        except Exception:
            log.exception("the answer to a registration was lost")


def route_to(settings: TrunkSettings, hop: Hop) -> str:
    """The way to the provider, kept out of the messages: by its name, which certificates are checked against."""
    host, port = settings.next_hop
    where = f"{host}:{port}" if port else host
    return f"<sip:{where};transport={hop.transport};lr;hide>"


def config_of(settings: TrunkSettings, hop: Hop, endpoint: Endpoint, tls: int) -> "pj.AccountConfig":
    """`hop`: the server that is used; `tls`: PJSUA's id of the transport that checks its certificate, -1 for others."""
    config = pj.AccountConfig()
    uri = f"sip:{settings.user}@{settings.domain}" if settings.user else f"sip:{settings.domain}"
    config.idUri = uri
    if settings.registers:
        transport = "" if hop.transport == "udp" else f";transport={hop.transport}"
        config.regConfig.registrarUri = f"sip:{settings.domain}{transport}"
        config.regConfig.registerOnAdd = False
        config.regConfig.timeoutSec = settings.expires
        config.regConfig.retryIntervalSec = config.regConfig.firstRetryIntervalSec = 0  # core.registration plans
        config.regConfig.dropCallsOnFail = False
    if settings.password:
        login = settings.auth_user or settings.user
        credentials = pj.AuthCredInfo("digest", settings.realm or "*", login, 0, settings.password)
        config.sipConfig.authCreds.append(credentials)
    config.sipConfig.proxies.append(route_to(settings, hop))
    if tls >= 0:
        config.sipConfig.transportId = tls
    _set_media(config, settings, endpoint)
    _set_nat(config, settings, hop)
    return config


def _set_media(config: "pj.AccountConfig", settings: TrunkSettings, endpoint: Endpoint) -> None:
    config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_OPTIONAL
    config.callConfig.timerSessExpiresSec = SESSION_SECONDS
    config.callConfig.timerMinSESec = SHORTEST_SESSION
    config.mediaConfig.transportConfig = endpoint.rtp_transport()
    config.mediaConfig.lockCodecEnabled = False
    config.mediaConfig.srtpUse = SRTP.get(settings.srtp, pj.PJMEDIA_SRTP_DISABLED)
    config.mediaConfig.srtpSecureSignaling = 0 if settings.srtp == "off" else 1


def _set_nat(config: "pj.AccountConfig", settings: TrunkSettings, hop: Hop) -> None:
    """Through a router to the Internet our addresses are what the provider saw; in our own networks they are ours."""
    nat = config.natConfig
    outside = settings.registers and not is_private(hop.address)
    nat.contactRewriteUse = nat.viaRewriteUse = nat.sdpNatRewriteUse = int(outside)
    nat.sipOutboundUse = 0  # ;ob and reg-id confuse registrars
    nat.udpKaIntervalSec = KEEP_ALIVE_SECONDS if outside and hop.transport == "udp" else 0


def is_private(address: str) -> bool:
    """Whether it is of a network that is not the Internet."""
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


def from_item(item: Mapping[str, object], country: str) -> TrunkSettings:
    """From an item of the section `lines`. `country`: the office's."""
    secret = item.get("sip_password")
    password = str(secret.reveal()) if secret is not None and hasattr(secret, "reveal") else ""
    peers = item.get("sip_peers")
    return TrunkSettings(
        host=str(item.get("sip_host") or "").lower(),
        port=_whole(item, "sip_port", 0),
        transport=str(item.get("sip_transport") or "udp"),
        registers=bool(item.get("sip_register", True)),
        user=str(item.get("sip_user") or ""),
        password=password,
        auth_user=str(item.get("sip_auth_user") or ""),
        realm=str(item.get("sip_realm") or ""),
        proxy=str(item.get("sip_proxy") or "").lower(),
        expires=_whole(item, "sip_expires", 600),
        channels=_whole(item, "sip_channels", 2),
        number=str(item.get("number") or ""),
        peers=tuple(str(one) for one in peers) if isinstance(peers, list) else (),
        srtp=str(item.get("sip_srtp") or "off"),
        verify=bool(item.get("sip_verify", True)),
        authority=str(item.get("sip_authority") or ""),
        asks=bool(item.get("sip_ping", True)),
        number_from=str(item.get("number_from") or "auto"),
        caller_from=str(item.get("caller_from") or "auto"),
        present_as=str(item.get("present_as") or "auto"),
        country=str(item.get("country") or country),
    )


def _whole(item: Mapping[str, object], name: str, otherwise: int) -> int:
    value = item.get(name)
    return value if isinstance(value, int) else otherwise
