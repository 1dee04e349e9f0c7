"""The door of the exchange: every SIP request passes here before PJSIP acts on it.

Strangers hear nothing, phones are challenged, the registrar answers, calls of phones that proved who they are go on to
PJSIP. Requests within a dialog must come from the address the dialog is with: Call-IDs alone are no secret.
"""

import ipaddress
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Protocol

from appliance.lines.message_lamps import FIRST_TOKEN, MessageLamps
from appliance.lines.registrations import Registrations
from appliance.lines.subscriptions import Reply, Subscriptions
from appliance.lines.trunks import FIRST_TOKEN as TRUNK_TOKEN
from appliance.native import api as native
from appliance.protocols.digest import Guard, Verdict, parse_authorization
from appliance.protocols.refer import Refer
from appliance.protocols.refer import read as read_refer
from appliance.protocols.registrar import Flow
from appliance.protocols.sip_text import SipRequest, SipTextError, parse_request, parse_uri
from appliance.protocols.subscribe import ALLOW_EVENTS

log = logging.getLogger(__name__)

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE, PRACK, REFER, SUBSCRIBE"
BOTH, MD5_ONLY = ("SHA-256", "MD5"), ("MD5",)
# who reads a second challenge after one it does not know; others stop at the first (RFC 8760 asks for better)
KNOWS_SHA256 = re.compile(r"linphone|pjsua|pjsip|baresip v?([2-9]|1\d)\b|centralka", re.IGNORECASE)
SIP_INFO_DIGIT = re.compile(r"\s*([0-9A-D*#])\s*\Z", re.IGNORECASE)
MOST_SOURCES = 4096


@dataclass(frozen=True, slots=True)
class Admitted:
    """An INVITE of a phone that proved who it is, on its way through PJSIP."""

    extension: str
    called: str
    call_id: str
    source: str
    secure: bool = False  # it came over TLS


class Dialogs(Protocol):
    """What the door asks about calls in progress."""

    def has_peer(self, call_id: str, source: str) -> bool | None:
        """Whether a dialog is with this address; None for a Call-ID of none of our calls."""

    def info_digit(self, call_id: str, digit: str) -> None:
        """A digit came in an INFO of a kind PJSIP does not know."""

    def referred(self, call_id: str, refer: Refer) -> int:
        """A phone sends the other party on. Gives the status: 202, or why not."""


class Providers(Protocol):
    """What the door asks about trunks (see `lines.trunks`)."""

    def forget_admission(self) -> None:
        """Another request is here."""

    def from_provider(self, source: str) -> bool:
        """Whether an address is a provider's."""

    def admit(self, source: str, request: SipRequest) -> bool:
        """Whether an INVITE is a provider's; it is remembered for PJSIP's callbacks."""

    def answered(self, token: int, code: int) -> None:
        """A provider answered, or nothing came."""

    def wanted(self, name: str) -> None:
        """PJSIP needs the address of a name."""


@dataclass(slots=True)
class _Rate:
    tokens: float
    at: float


class Rates:
    """How many answers a second strangers are given: per source and in all."""

    def __init__(self, per_source: float, in_all: float) -> None:
        self._per_source = per_source
        self._all = _Rate(in_all, 0.0)
        self._in_all = in_all
        self._sources: OrderedDict[str, _Rate] = OrderedDict()

    def take(self, source: str, at: float) -> bool:
        """Whether one more may be answered."""
        rate = self._sources.setdefault(source, _Rate(self._per_source, at))
        self._sources.move_to_end(source)
        if len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        return _take(rate, self._per_source, at) and _take(self._all, self._in_all, at)


def _take(rate: _Rate, most: float, at: float) -> bool:
    rate.tokens = min(most, rate.tokens + (at - rate.at) * most)
    rate.at = at
    if rate.tokens < 1:
        return False
    rate.tokens -= 1
    return True


class Door:
    """Implements `native.Hook`. Loop thread only; methods run inside libHandleEvents."""

    def __init__(
        self,
        registrations: Registrations,
        subscriptions: Subscriptions,
        message_lamps: MessageLamps,
        dialogs: Dialogs,
        providers: Providers,
        guard: Guard,
        rates: Rates,
        monotonic: Callable[[], float],
    ) -> None:
        self._registrations = registrations
        self._subscriptions = subscriptions
        self._message_lamps = message_lamps
        self._dialogs = dialogs
        self._providers = providers
        self._guard = guard
        self._rates = rates
        self._monotonic = monotonic
        self._secrets: Mapping[str, Mapping[str, str]] = {}
        self._agents_md5: OrderedDict[str, None] = OrderedDict()
        self.admitted: Admitted | None = None
        self.ours = "sip:centralka@localhost"  # the Contact of answers that PJSIP does not make
        self.counts: dict[str, int] = {"challenged": 0, "refused": 0, "silenced": 0, "garbage": 0}
        self._outside: dict[str, Callable[[native.Request, SipRequest], bool]] = {
            "REGISTER": self._register,
            "INVITE": self._invite,
            "OPTIONS": self._options,
            "SUBSCRIBE": self._subscribe,
            "PUBLISH": lambda r, q: self._known_only(r, q, 489),
            "MESSAGE": lambda r, q: self._known_only(r, q, 405),
            "REFER": lambda r, q: self._known_only(r, q, 403),
        }

    def set_phones(self, secrets: Mapping[str, Mapping[str, str]]) -> None:
        """HA1 by extension and algorithm."""
        self._secrets = secrets

    # ---- native.Hook ----------------------------------------------------------------------------------------------

    def request(self, request: native.Request) -> bool:
        """See `native.Hook`."""
        self.admitted = None
        self._providers.forget_admission()
        if not _is_near(request.source) and not self._providers.from_provider(request.source):
            self.counts["silenced"] += 1
            return True
        method = request.text[:8].partition(b" ")[0]
        if method in (b"ACK", b"CANCEL"):
            return self._late(request, method == b"CANCEL")
        try:
            parsed = parse_request(request.text, request.transport != "udp")
            if parsed.in_dialog:
                return self._inside(request, parsed)
            return self._outside.get(parsed.method, self._unknown)(request, parsed)
        except SipTextError as error:
            self._refuse(request, error.code, error.detail)
            return True

    def dropped(self, data: bytes, source: str, port: int) -> None:
        """See `native.Hook`."""
        self.counts["garbage"] += 1
        if self.counts["garbage"] <= 10 or self.counts["garbage"] % 1000 == 0:
            log.info("not a SIP message (%d so far), from %s: %r", self.counts["garbage"], source or "udp", data[:60])

    def answered(self, token: int, code: int) -> None:
        """See `native.Hook`."""
        if token >= TRUNK_TOKEN:
            self._providers.answered(token, code)
        elif token >= FIRST_TOKEN:
            self._message_lamps.answered(token, code)
        else:
            owner = self._registrations if token > 0 else self._subscriptions
            owner.answered(token, code, self._monotonic())

    def wanted(self, name: str) -> None:
        """See `native.Hook`."""
        self._providers.wanted(name)

    # ---- outside a dialog -----------------------------------------------------------------------------------------

    def _register(self, request: native.Request, parsed: SipRequest) -> bool:
        self._registrations.registrar.check(parsed)
        extension = self._who(request, parsed)
        if extension is None:
            return True
        answer = self._registrations.register(parsed, extension, _flow(request), self._monotonic())
        headers = [*answer.headers, ("Date", formatdate(usegmt=True))]  # the only clock some phones have
        self._answer(request, answer.code, headers, stateful=True)
        return True

    def _invite(self, request: native.Request, parsed: SipRequest) -> bool:
        if not self._claims_phone(parsed) and self._providers.from_provider(request.source):
            return self._from_provider(request, parsed)
        uri = parse_uri(parsed.uri)
        extension = self._who(request, parsed)
        if extension is None:
            return True
        if uri.host not in self._registrations.registrar.hosts:
            raise SipTextError("not our domain", 404)
        if parsed.one("max-forwards") == "0":
            raise SipTextError("Max-Forwards", 483)
        if parsed.one("replaces"):  # PJSIP would put it in the other call's place by itself
            raise SipTextError("Replaces", 481)
        self.admitted = Admitted(extension, uri.user, parsed.call_id, request.source, request.transport == "tls")
        return False

    def _from_provider(self, request: native.Request, parsed: SipRequest) -> bool:
        """A call from outside, never challenged: the address is its proof. It may ring here and nothing else: what core
        does with an offer on a line is the line's to decide, whatever the request says."""
        if parsed.one("max-forwards") == "0":
            raise SipTextError("Max-Forwards", 483)
        if parsed.one("replaces"):
            raise SipTextError("Replaces", 481)
        if self._providers.admit(request.source, parsed):
            return False
        self._refuse(request, 480, "a provider whose trunk is not ready")
        return True

    def _claims_phone(self, parsed: SipRequest) -> bool:
        """Whether it has credentials of an extension: a phone may stand at the address of a provider."""
        values = parsed.headers.get("authorization", ()) + parsed.headers.get("proxy-authorization", ())
        return any(found.username in self._secrets for found in map(parse_authorization, values) if found)

    def _options(self, request: native.Request, parsed: SipRequest) -> bool:
        if parsed.listed("require"):
            raise SipTextError("extension", 420)
        if self._providers.from_provider(request.source) or self._may_answer(request):
            self._answer(request, 200, [("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", "timer")])
        return True

    def _subscribe(self, request: native.Request, parsed: SipRequest) -> bool:
        extension = self._who(request, parsed)
        if extension is None:
            return True
        if parse_uri(parsed.uri).host not in self._registrations.registrar.hosts:
            raise SipTextError("not our domain", 404)
        self._reply(request, self._subscriptions.subscribe(parsed, extension, _flow(request), self._monotonic()))
        return True

    def _known_only(self, request: native.Request, parsed: SipRequest, code: int) -> bool:
        if self._who(request, parsed) is not None:
            self._answer(request, code, [("Allow", ALLOW), ("Allow-Events", ALLOW_EVENTS)])
        return True

    def _unknown(self, request: native.Request, parsed: SipRequest) -> bool:
        """Of a dialog that is none, or of a method that is not ours."""
        self._refuse(request, 481 if parsed.method in ("BYE", "INFO", "UPDATE", "PRACK", "NOTIFY") else 501, "method")
        return True

    # ---- inside a dialog ------------------------------------------------------------------------------------------

    def _inside(self, request: native.Request, parsed: SipRequest) -> bool:
        if parsed.method == "SUBSCRIBE":
            reply = self._subscriptions.refresh(parsed, _flow(request), self._monotonic())
            if reply:
                self._reply(request, reply)
                return True
        if not self._dialogs.has_peer(parsed.call_id, request.source):
            self._refuse(request, 481, "no such dialog, or not from there")
            return True
        if parsed.method == "OPTIONS":
            self._answer(request, 200, [("Allow", ALLOW)])
        elif parsed.method == "INFO" and parsed.one("content-type").lower() == "application/dtmf":
            digit = SIP_INFO_DIGIT.match(parsed.body)
            if digit:
                self._dialogs.info_digit(parsed.call_id, digit[1].upper())
            self._answer(request, 200, [])
        elif parsed.method == "REFER":
            code = self._dialogs.referred(parsed.call_id, read_refer(parsed))
            self._answer(request, code, [("Contact", f"<{self.ours}>")], stateful=True)
        elif parsed.method in ("INVITE", "BYE", "UPDATE", "PRACK", "INFO"):
            return False
        else:
            self._answer(request, 489 if parsed.method == "SUBSCRIBE" else 405, [("Allow", ALLOW)])
        return True

    def _late(self, request: native.Request, answer: bool) -> bool:
        """ACK and CANCEL are never challenged: they belong to a transaction. From elsewhere they are not heard."""
        found = re.search(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*(\S+)", request.text[:4000])
        mine = self._dialogs.has_peer(found[1].decode("utf-8", "replace"), request.source) if found else None
        if mine or (mine is None and not answer):
            return False
        if answer:  # PJSIP finds the call to cancel by the branch alone
            self._answer(request, 481, [])
        return True

    # ---- who is it ------------------------------------------------------------------------------------------------

    def _who(self, request: native.Request, parsed: SipRequest) -> str | None:
        """The extension that proved to send this; None when it was challenged instead."""
        at = self._monotonic()
        values = parsed.headers.get("authorization", ()) + parsed.headers.get("proxy-authorization", ())
        found = next((c for c in map(parse_authorization, values) if c), None)
        secrets = self._secrets.get(found.username) if found else None
        verdict = self._guard.judge(found, parsed.method, secrets, at)
        if verdict is Verdict.RIGHT and found:
            if parsed.method != "REGISTER" and not _same_target(found.uri, parsed.uri):
                raise SipTextError("credentials for another call")
            return found.username
        if verdict is Verdict.WRONG:
            log.warning("wrong password for %r from %s", found.username[:32] if found else "", request.source)
        if self._may_answer(request):
            self.counts["challenged"] += 1
            stale = verdict is Verdict.STALE
            challenges = self._guard.challenges(at, self._algorithms(parsed, found is not None), stale)
            self._answer(request, 401, [("WWW-Authenticate", value) for value in challenges])
        return None

    def _algorithms(self, parsed: SipRequest, answered: bool) -> tuple[str, ...]:
        """Both, or MD5 alone for phones that would stumble over the first. A phone that comes back without credentials
        after both were offered has stumbled."""
        agent = parsed.one("user-agent")
        if not KNOWS_SHA256.search(agent):
            return MD5_ONLY
        if answered:
            return BOTH
        key = f"{parsed.call_id} {agent}"
        if key in self._agents_md5:
            return MD5_ONLY
        self._agents_md5[key] = None
        while len(self._agents_md5) > MOST_SOURCES:
            self._agents_md5.popitem(last=False)
        return BOTH

    # ---- answers --------------------------------------------------------------------------------------------------

    def _may_answer(self, request: native.Request) -> bool:
        if self._rates.take(request.source, self._monotonic()):
            return True
        self.counts["silenced"] += 1
        return False

    def _refuse(self, request: native.Request, code: int, why: str) -> None:
        self.counts["refused"] += 1
        if self._may_answer(request):
            log.info("refused %d (%s) to %s", code, why, request.source)
            headers = {420: [("Unsupported", _required(request.text))], 501: [("Allow", ALLOW)]}
            self._answer(request, code, headers.get(code, []))

    def _reply(self, request: native.Request, reply: Reply) -> None:
        native.respond(request, reply.code, reply.headers, True, reply.tag)

    def _answer(
        self, request: native.Request, code: int, headers: list[tuple[str, str]], stateful: bool = False
    ) -> None:
        native.respond(request, code, headers, stateful)


def _flow(request: native.Request) -> Flow:
    return Flow(request.transport, request.source, request.port, request.flow)


def _required(text: bytes) -> str:
    found = re.search(rb"(?im)^require[ \t]*:[ \t]*([A-Za-z0-9.,!%*_+`'~ -]{1,200})", text)
    return found[1].decode("ascii").strip() if found else ""


def _same_target(signed: str, asked: str) -> bool:
    """Whether credentials were made for this Request-URI, loosely: some write port and parameters otherwise, some sign
    the host alone."""
    try:
        return parse_uri(signed).user in ("", parse_uri(asked).user)
    except SipTextError:
        return signed == asked


def _is_near(source: str) -> bool:
    """Whether it comes from a private network or this machine: nobody else is answered."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_link_local
