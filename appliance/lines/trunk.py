"""A SIP trunk: a line that a provider carries. Signs in and stays signed in, takes calls and makes them.

`core.registration` says when to sign in and whether the line works; `protocols.trunk_text` reads and writes what SIP
says of callers; here both are joined with PJSIP. All on the loop thread; nothing blocks. A provider that is away is no
error: the line is down, says why, and tries again.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count

import pjsua2 as pj

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core import registration as reg
from appliance.core.causes import Cause
from appliance.core.model import Kind, LegId, LineId, Number, Offer
from appliance.core.numbers import parse
from appliance.lines import LineStatus, Post
from appliance.lines.audio import Audio
from appliance.lines.trunk_account import Registered, TrunkAccount, TrunkSettings, config_of, route_to
from appliance.lines.trunk_calls import TrunkCalls
from appliance.lines.trunks import Trunks
from appliance.native import api as native
from appliance.protocols.locate import Hop
from appliance.protocols.sip_text import SipRequest
from appliance.protocols.trunk_text import Own, called, caller, identity, number_of, retry_after, target

log = logging.getLogger(__name__)

CERTIFICATE_WORDS = ("ssl", "tls", "certificate")


class Trunk:
    """Implements `lines.Line`. Loop thread only; times are monotonic seconds."""

    def __init__(
        self,
        line_id: LineId,
        settings: TrunkSettings,
        post: Post,
        audio: Audio,
        host: Trunks,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = line_id
        self.settings = settings
        self._post = post
        self._host = host
        self._monotonic = monotonic
        self._calls = TrunkCalls(post, audio, monotonic, self._rest)
        self._watch = reg.Watch(settings.registers, settings.asks)
        self._account: TrunkAccount | None = None
        self._hop: Hop | None = None
        self._noted: deque[Registered] = deque()
        self._numbers = count(1)
        self._said = ""  # the provider's last word when something failed
        self._since = _now()
        self._expires = 0.0
        self._rests_until = 0.0
        self._started = False

    # ---- lines.Line -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Sign in, or ask for a sign of life."""
        if self._started:
            return
        self._started = True
        self._host.add(self)
        self._look(self._monotonic())

    def stop(self) -> None:
        """Hang up, sign out."""
        if not self._started:
            return
        self._started = False
        self._calls.end_all()
        account, self._account = self._account, None
        self._host.remove(self, account, self._calls, signs_out=self._watch.registered)
        self._watch = reg.Watch(self.settings.registers, self.settings.asks, state="off")

    def poll(self, at: float) -> None:
        """See `lines.Line`."""
        if not self._started:
            return
        if self._account is None:
            self._look(at)
        while self._noted:
            self._registered(self._noted.popleft(), at)
        self._do(self._watch.tick(at), at)
        self._calls.poll(at)

    def perform(self, command: do.Command) -> None:
        """Carry out a command for a leg of ours."""
        if isinstance(command, do.Dial):
            self._dial(command)
        else:
            self._calls.perform(command)

    def slot(self, leg: LegId) -> int | None:
        """See `lines.Line`."""
        return self._calls.slot(leg)

    def status(self) -> LineStatus:
        """See `lines.Line`. A trunk is busy when all its channels are in use, or its provider asked for a rest."""
        watch, at = self._watch, self._monotonic()
        busy = len(self._calls) >= self.settings.channels or at < self._rests_until
        left = max(round(self._expires - at), 0) if watch.registered else 0
        facts = {
            "since": self._since, "calls": str(len(self._calls)), "channels": str(self.settings.channels),
            "peer": f"{self._hop.address}:{self._hop.port}" if self._hop else "",
            "transport": self._hop.transport if self._hop else "", "provider": self.settings.host,
            "expires": str(left) if left else "", "said": self._said,
        }  # fmt: skip
        return LineStatus(self.id, "sip", watch.state, watch.usable, busy, facts, watch.usable)

    # ---- for the page ---------------------------------------------------------------------------------------------

    def sign_in(self) -> None:
        """Somebody wants it now."""
        at = self._monotonic()
        self._host.look_again(self.settings)
        self._look(at)
        if self._account:
            self._do(self._watch.sign_in(at), at)

    # ---- the provider ---------------------------------------------------------------------------------------------

    def _look(self, at: float) -> None:
        """Find the server; the account is made as soon as it is known."""
        hop = self._host.hop_of(self.settings)
        if hop is None:
            if self._host.unknown(self.settings) and self._watch.state != reg.UNKNOWN_NAME:
                self._watch.state = reg.UNKNOWN_NAME
                self._became(self._watch.state)
            return
        self._hop = hop
        if self._account is None:
            self._make_account(hop)
            self._do(self._watch.start(at), at)

    def _make_account(self, hop: Hop) -> None:
        self._account = TrunkAccount(self._incoming, self._noted.append)
        tls = self._host.tls_of(self.settings) if hop.transport == "tls" else -1
        self._account.create(config_of(self.settings, hop, self._host.endpoint, tls))
        log.info("line %s: provider %s at %s:%d over %s", self.id, self.settings.host, *_shown(hop))

    def _registered(self, answer: Registered, at: float) -> None:
        if answer.code // 100 == 2 and answer.seconds:
            self._said, self._expires = "", at + answer.seconds
            self._do(self._watch.accepted(at, answer.seconds), at)
        elif answer.code // 100 == 2:
            self._watch.unregistered()
        else:
            said = f"{answer.code} {answer.reason}".strip()
            self._said = said
            certificate = any(word in answer.reason.lower() for word in CERTIFICATE_WORDS)
            why = reg.CERTIFICATE if certificate and answer.code in reg.NOTHING_CAME else ""
            log.warning("line %s: the provider did not sign us in: %s", self.id, said)
            self._do(self._watch.refused(at, answer.code, answer.retry_after, why), at)
            if self._watch.state == reg.NO_ANSWER and self._move_on(at):
                self._do(self._watch.sign_in(at), at)

    def answered(self, code: int) -> None:
        """The answer to a question for a sign of life."""
        at = self._monotonic()
        self._do(self._watch.answered(at, code), at)

    def untrusted(self, address: str, why: str) -> None:
        """The certificate of a server was refused: inside PJSIP, so it is noted alone."""
        hop = self._hop
        if hop and hop.transport == "tls" and address == f"{hop.address}:{hop.port}":
            self._noted.append(Registered(0, f"certificate: {why}"[:100], 0))

    def _do(self, deeds: list[reg.Deed], at: float) -> None:
        for deed in deeds:
            self._DEEDS[deed](self, at)

    def _sign_in(self, at: float) -> None:
        if self._account:
            try:
                self._account.setRegistration(True)
            except pj.Error as error:
                self._noted.append(Registered(0, error.reason[:100], 0))

    def _ask(self, at: float) -> None:
        if self._hop is None:
            return
        if self._watch.state == reg.NO_ANSWER and not self.settings.registers:
            self._move_on(at)
        own = f"sip:{self.settings.user or 'centralka'}@{self.settings.domain}"
        token = self._host.token_for(self)
        way = route_to(self.settings, self._hop)
        if not native.send_options(f"sip:{self.settings.domain}", way, own, token, self.account):
            self._host.forget(token)
            self._do(self._watch.answered(at, 0), at)

    def _up(self, at: float) -> None:
        self._since = _now()
        self._said = ""
        log.info("line %s: in service", self.id)
        self._post(ev.LineUp(self.id))

    def _down(self, at: float) -> None:
        self._became(self._watch.state)
        lost = self._watch.state == reg.NO_ANSWER and not self._watch.trying_since
        if lost and self._move_on(at):
            self._do(self._watch.sign_in(at), at)

    def _move_on(self, at: float) -> bool:
        """To the next server of the provider's name, where there is one."""
        moved = self._host.next_hop(self.settings, at)
        self._hop = self._host.hop_of(self.settings) or self._hop
        return moved

    def _became(self, state: str) -> None:
        self._since = _now()
        log.info("line %s: out of service, %s (%s)", self.id, state, self._said or "nothing said")
        self._post(ev.LineDown(self.id, state))

    def _rest(self, value: str) -> None:
        """The provider wants no call for a while (503 with Retry-After)."""
        self._rests_until = self._monotonic() + retry_after(value)

    _DEEDS: Mapping[reg.Deed, Callable[..., None]] = {
        reg.Deed.SIGN_IN: _sign_in, reg.Deed.ASK: _ask, reg.Deed.UP: _up, reg.Deed.DOWN: _down,
    }  # fmt: skip

    # ---- calls ----------------------------------------------------------------------------------------------------

    def _dial(self, command: do.Dial) -> None:
        if self._account is None:
            self._post(ev.Ended(command.leg, Cause.UNREACHABLE, "no way to the provider"))
            return
        if len(self._calls) >= self.settings.channels:
            self._post(ev.Ended(command.leg, Cause.CONGESTION, "all channels in use"))
            return
        present = self.settings.present_as
        if present == "auto":
            present = "pai" if self.settings.registers else "both"
        own = Own(self.settings.user, self.settings.domain, self.settings.number, present)
        sender, headers = identity(own, command.withhold)
        to = target(command.number.text, self.settings.domain)
        if not self._calls.dial(command.leg, self._account, to, sender, headers, str(self.id)):
            self._post(ev.Ended(command.leg, Cause.UNREACHABLE, "not sent"))

    def _incoming(self, call_id: int) -> None:
        """Inside onIncomingCall: the door admitted it, and PJSIP made its dialog."""
        admitted = self._host.admitted()
        if admitted is None or self._account is None:
            return
        if len(self._calls) >= self.settings.channels:
            self._calls.turn_away(self._account, call_id, admitted.call_id)
            who, name = self._caller(admitted.request)
            self._post(ev.SecondCall(self.id, who, name or ""))
            return
        leg = LegId(f"{self.id}-{next(self._numbers)}")
        self._calls.take(leg, self._account, call_id, admitted.call_id, str(self.id))
        who, name = self._caller(admitted.request)
        self._post(ev.Offered(Offer(leg, self.id, who, self._called(admitted.request), name)))

    def _caller(self, request: SipRequest) -> tuple[Number, str | None]:
        """Never an extension: whoever calls on a trunk is outside, whatever he writes."""
        found = caller(request, self.settings.caller_from)
        if found.hidden:
            return Number("", Kind.WITHHELD), None
        number = parse(found.number, self.settings.country) if found.number else Number("", Kind.UNAVAILABLE)
        return number, found.name or None

    def _called(self, request: SipRequest) -> Number:
        text = called(request, self.settings.number_from, self.settings.user)
        number = parse(text, self.settings.country) if text else None
        return number if number and number.kind is Kind.E164 else Number(self.settings.number, Kind.E164)

    # ---- for the door ---------------------------------------------------------------------------------------------

    @property
    def account(self) -> int:
        """PJSUA's id of the account, -1 without one."""
        return int(self._account.getId()) if self._account else -1

    def likes(self, request: SipRequest) -> int:
        """How surely a call from an address that several trunks have is for this one: our user or our number in it."""
        user = number_of(request.uri) or request.uri.partition(":")[2].partition("@")[0]
        numbers = {called(request, name, "") for name in ("uri", "called-party", "to")}
        mine = {str(parse(one, self.settings.country).text) for one in numbers if one}
        return 2 * (bool(self.settings.user) and user == self.settings.user) + (self.settings.number in mine)

    def has_dialog(self, call_id: str) -> bool:
        """Whether a Call-ID is of a call of ours."""
        return self._calls.has(call_id)

    def info_digit(self, call_id: str, digit: str) -> None:
        """See `sip_door.Dialogs`."""
        self._calls.info_digit(call_id, digit)


def _shown(hop: Hop) -> tuple[str, int, str]:
    return hop.address, hop.port, hop.transport


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
