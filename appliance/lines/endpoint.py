"""The one PJSIP endpoint: transports, codecs, media, the account through which all our calls go, and its pump.

One thread owns it: no worker threads (threadCnt=0), every callback on the loop's thread, Python's own collector off and
run by the loop only, because a pj object freed on another thread aborts the process.
"""

import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass

import pjsua2 as pj

from appliance.errors import LineError
from appliance.native import api as native

log = logging.getLogger(__name__)

MOST_LEGS = 240
MOST_PORTS = 400
TLS_VERSIONS = pj.PJ_SSL_SOCK_PROTO_TLS1_2 | pj.PJ_SSL_SOCK_PROTO_TLS1_3
SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"  # Debian's package ca-certificates
SESSION_SECONDS, SHORTEST_SESSION = 1800, 90  # RFC 4028

# what we offer and take, best first; 0 switches a codec off. The bridge runs at 8 kHz, for the lines do.
CODECS = {
    "PCMA/8000": 255, "PCMU/8000": 254, "G722/16000": 200, "opus/48000": 150, "GSM/8000": 100, "speex/8000": 90,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Where SIP and RTP listen. Ports are first and last of a range."""

    address: str
    sip_port: int = 5060
    rtp_from: int = 20000
    rtp_to: int = 23999
    user_agent: str = "Centralka"
    tls_port: int = 0  # for phones that encrypt; 0: none
    papers: tuple[str, str] | None = None  # files of its certificate and key


class _Account(pj.Account):  # type: ignore[misc]
    """Receives the calls that the door let in."""

    def __init__(self, on_incoming: Callable[[int], None]) -> None:
        super().__init__()
        self._on_incoming = on_incoming

    def onIncomingCall(self, prm: "pj.OnIncomingCallParam") -> None:  # noqa: N802 (pjsua2's name)
        """Only notes: an answer from inside this callback can abort the process."""
        try:
            self._on_incoming(int(prm.callId))
        except Exception:
            log.exception("an incoming call could not be taken")


class _Endpoint(pj.Endpoint):  # type: ignore[misc]
    """Tells when a connection is gone, and whose certificate was not trusted."""

    def __init__(
        self, on_lost: Callable[[int], None], account_for: Callable[[], int], on_untrusted: Callable[[str, str], None]
    ) -> None:
        super().__init__()
        self._on_lost = on_lost
        self._account_for = account_for
        self._on_untrusted = on_untrusted

    def onSelectAccount(self, prm: "pj.OnSelectAccountParam") -> None:  # noqa: N802 (pjsua2's name)
        """The door knows whose call it let in; PJSIP would guess by names that anybody can write."""
        try:
            prm.accountIndex = self._account_for()
        except Exception:
            log.exception("the account of a call could not be chosen")

    def onTransportState(self, prm: "pj.OnTransportStateParam") -> None:  # noqa: N802
        """A phone's connection closed: the way to it is gone."""
        try:
            if prm.state in (pj.PJSIP_TP_STATE_DISCONNECTED, pj.PJSIP_TP_STATE_SHUTDOWN):
                self._on_lost(int(prm.hnd))
            if prm.type == "TLS" and prm.tlsInfo.verifyStatus:
                self._on_untrusted(prm.tlsInfo.remoteAddr, "; ".join(prm.tlsInfo.verifyMsgs)[:100])
        except Exception:
            log.exception("a closed connection could not be noted")


class Endpoint:
    """All methods on the loop thread. Order: start, pump..., stop. A process has one, once."""

    def __init__(
        self,
        settings: SipSettings,
        hook: native.Hook,
        on_incoming: Callable[[int], None],
        on_lost: Callable[[int], None],
    ) -> None:
        self.settings = settings
        self._hook = hook
        self.trunk_of: Callable[[], int | None] = lambda: None  # the account of the trunk whose INVITE is on its way
        self.is_secure: Callable[[], bool] = lambda: False  # a phone's INVITE that came over TLS
        self.untrusted: Callable[[str, str], None] = lambda address, why: None  # "10.0.0.1:5061", and why
        self._on_incoming = on_incoming
        self._on_lost = on_lost
        self._endpoint: _Endpoint | None = None
        self.account: _Account | None = None
        self.secure: _Account | None = None  # for calls with phones that encrypt

    def start(self) -> None:
        """Listen. Raises LineError when the address or port cannot be had."""
        gc.disable()
        native.quiet()
        self._endpoint = endpoint = _Endpoint(
            self._on_lost, self._account_for, lambda address, why: self.untrusted(address, why)
        )
        endpoint.libCreate()
        endpoint.libInit(self._config())
        native.quiet()
        native.install(self._hook)
        try:
            for kind in (pj.PJSIP_TRANSPORT_UDP, pj.PJSIP_TRANSPORT_TCP):
                endpoint.transportCreate(kind, self._transport(self.settings.sip_port))
        except pj.Error as error:
            where = f"{self.settings.address}:{self.settings.sip_port}"
            raise LineError(f"{where}: {error.reason}", address=where) from error
        endpoint.libStart()
        endpoint.audDevManager().setNullDev()  # the clock of the bridge
        for codec in endpoint.codecEnum2():
            name = codec.codecId.rpartition("/")[0]
            endpoint.codecSetPriority(codec.codecId, CODECS.get(name, 0))
        self.account = _Account(self._on_incoming)
        self.account.create(self._account_config())
        if self.settings.tls_port and self._listen_tls(endpoint):
            self.secure = _Account(self._on_incoming)
            config = self._account_config()
            config.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_OPTIONAL
            where = f"{self.settings.address}:{self.settings.tls_port}"  # PJSIP would take that of some interface
            config.sipConfig.contactForced = f"<sip:centralka@{where};transport=tls>"
            self.secure.create(config, False)

    def _listen_tls(self, endpoint: "pj.Endpoint") -> bool:
        """For phones that encrypt; where it cannot be had the others go on."""
        config = self._transport(self.settings.tls_port)
        config.tlsConfig.certFile, config.tlsConfig.privKeyFile = self.settings.papers or ("", "")
        config.tlsConfig.proto = TLS_VERSIONS
        try:
            endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, config)
        except pj.Error as error:
            log.error("phones cannot encrypt, port %d cannot be had: %s", self.settings.tls_port, error.reason)
            return False
        return True

    def _account_for(self) -> int:
        trunk = self.trunk_of()
        if trunk is not None:
            return trunk
        account = self.account_over(self.is_secure())
        return int(account.getId()) if account else -1

    def account_over(self, secure: bool) -> "pj.Account | None":
        """The account for calls with phones, over TLS or not."""
        return self.secure if secure and self.secure else self.account

    def add_tls(self, verify: bool, authority: str) -> int:
        """A way for calls out over TLS; PJSUA's id of it. `verify`: certificates are checked, against `authority` or
        what the system knows. Raises LineError."""
        config = self._transport(0)
        tls = config.tlsConfig
        tls.verifyServer = verify
        tls.CaListFile = authority or SYSTEM_AUTHORITIES
        tls.proto = TLS_VERSIONS
        try:
            return int(self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, config)) if self._endpoint else -1
        except pj.Error as error:
            raise LineError(f"TLS: {error.reason}", address=self.settings.address) from error

    def rtp_transport(self) -> "pj.TransportConfig":
        """Where the speech of calls goes."""
        rtp = self._transport(self.settings.rtp_from, self.settings.rtp_to - self.settings.rtp_from)
        rtp.randomizePort = True  # each account counts for itself: all would begin with the same port
        return rtp

    def pump(self, milliseconds: int) -> None:
        """Wait for SIP at most that long, and run the callbacks of what came."""
        if self._endpoint:
            self._endpoint.libHandleEvents(milliseconds)

    def stop(self) -> None:
        """End the library. Every call object must be gone before."""
        native.uninstall()
        for account in (self.account, self.secure):
            if account:
                account.shutdown()
        self.account = self.secure = None
        gc.collect()
        if self._endpoint:
            self._endpoint.libDestroy()
            self._endpoint = None
        gc.collect()

    def _config(self) -> "pj.EpConfig":
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = 1
        config.logConfig.msgLogging = 0
        ua, media = config.uaConfig, config.medConfig
        ua.maxCalls, ua.threadCnt, ua.mainThreadOnly = MOST_LEGS, 0, True
        ua.userAgent, ua.natTypeInSdp, ua.mwiUnsolicitedEnabled = self.settings.user_agent, 0, False
        media.clockRate = media.sndClockRate = 8000
        media.channelCount, media.audioFramePtime = 1, 20
        media.maxMediaPorts = MOST_PORTS
        media.hasIoqueue, media.threadCnt = True, 1
        media.noVad, media.ecTailLen = True, 0
        return config

    def _transport(self, port: int, port_range: int = 0) -> "pj.TransportConfig":
        config = pj.TransportConfig()
        config.port, config.portRange = port, port_range
        config.boundAddress = config.publicAddress = self.settings.address
        return config

    def _account_config(self) -> "pj.AccountConfig":
        config = pj.AccountConfig()
        config.idUri = f"sip:centralka@{self.settings.address}:{self.settings.sip_port}"
        config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_OPTIONAL
        config.callConfig.timerSessExpiresSec = SESSION_SECONDS
        config.callConfig.timerMinSESec = SHORTEST_SESSION
        config.mediaConfig.transportConfig = self.rtp_transport()
        config.mediaConfig.lockCodecEnabled = False
        config.natConfig.contactRewriteUse = config.natConfig.viaRewriteUse = config.natConfig.sdpNatRewriteUse = 0
        config.natConfig.sipOutboundUse = 0
        config.natConfig.udpKaIntervalSec = 0
        return config
