"""All trunks of the process: which of them a request is from, where their providers are, and what outlives them.

A trunk that is stopped hangs up and signs out; its account may go only when PJSIP is done with its calls, so it is kept
here until then.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from appliance.core.model import LineId
from appliance.lines.endpoint import Endpoint
from appliance.lines.resolver import Key, Resolver
from appliance.lines.trunk_account import TrunkAccount, TrunkSettings
from appliance.lines.trunk_calls import TrunkCalls
from appliance.native import api as native
from appliance.protocols.locate import Hop
from appliance.protocols.sip_text import SipRequest

log = logging.getLogger(__name__)

FIRST_TOKEN = 1 << 41  # far from those of registrations and message lamps
SIGNS_OUT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Admission:
    """An INVITE of a provider that the door lets through to PJSIP: the account it is for."""

    account: int
    call_id: str
    request: SipRequest


class Member(Protocol):
    """What is needed of a trunk."""

    id: LineId
    settings: TrunkSettings

    @property
    def account(self) -> int: ...
    def likes(self, request: SipRequest) -> int: ...
    def has_dialog(self, call_id: str) -> bool: ...
    def info_digit(self, call_id: str, digit: str) -> None: ...
    def answered(self, code: int) -> None: ...
    def untrusted(self, address: str, why: str) -> None: ...


@dataclass(slots=True)
class _Retired:
    account: TrunkAccount | None
    calls: TrunkCalls
    until: float  # when its signing out is not waited for any more


class Trunks:
    """Loop thread only; the methods for the door run inside libHandleEvents."""

    endpoint: Endpoint

    def __init__(self, resolver: Resolver, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._resolver = resolver
        self._monotonic = monotonic
        self._trunks: dict[LineId, Member] = {}
        self._retired: list[_Retired] = []
        self._tokens = count(FIRST_TOKEN)
        self._asked: dict[int, LineId] = {}
        self._tls: dict[tuple[bool, str], int] = {}
        self._known: frozenset[str] = frozenset()
        self._seen = 0  # of the resolver's changes
        self.admission: Admission | None = None

    def use(self, endpoint: Endpoint) -> None:
        """PJSIP, which asks whose calls are on their way. Before the first trunk."""
        self.endpoint = endpoint
        endpoint.untrusted, endpoint.trunk_of = self._untrusted, self.account_for

    # ---- the trunks -----------------------------------------------------------------------------------------------

    def add(self, trunk: Member) -> None:
        """It runs from now on."""
        self._trunks[trunk.id] = trunk
        self._keep_names()

    def remove(self, trunk: Member, account: TrunkAccount | None, calls: TrunkCalls, signs_out: bool) -> None:
        """It does no more; what is left of it goes when PJSIP lets it."""
        if self._trunks.get(trunk.id) is trunk:
            del self._trunks[trunk.id]
            self._keep_names()
        if account and signs_out:
            account.sign_out()
        wait = SIGNS_OUT_SECONDS if signs_out else 0.0
        self._retired.append(_Retired(account, calls, self._monotonic() + wait))

    def admitted(self) -> Admission | None:
        """The INVITE that is on its way now."""
        return self.admission

    def token_for(self, trunk: Member) -> int:
        """A name for a question of this trunk."""
        token = next(self._tokens)
        self._asked[token] = trunk.id
        return token

    def forget(self, token: int) -> None:
        """It was not sent."""
        self._asked.pop(token, None)

    def answered(self, token: int, code: int) -> None:
        """A provider answered a question, or nothing came."""
        trunk = self._trunks.get(self._asked.pop(token, LineId("")))
        if trunk:
            trunk.answered(code)

    # ---- where providers are --------------------------------------------------------------------------------------

    def hop_of(self, settings: TrunkSettings) -> Hop | None:
        """The server to use now; None while its name is asked for, or is unknown."""
        return self._resolver.hop(*settings.next_hop, settings.transport)

    def next_hop(self, settings: TrunkSettings, at: float) -> bool:
        """The server does not answer: take the next of its name. False where there is no other."""
        return self._resolver.move_on(*settings.next_hop, settings.transport, at)

    def look_again(self, settings: TrunkSettings) -> None:
        """Ask for its name now."""
        self._resolver.hurry(*settings.next_hop, settings.transport)

    def unknown(self, settings: TrunkSettings) -> bool:
        """Nobody knows the name."""
        return self._resolver.unknown(*settings.next_hop, settings.transport)

    def wanted(self, name: str) -> None:
        """See `native.Hook`."""
        self._resolver.wanted(name)

    def _keep_names(self) -> None:
        self._resolver.keep(key for trunk in self._trunks.values() for key in _names(trunk.settings))
        self._tell_addresses()

    def _tell_addresses(self) -> None:
        self._known = frozenset[str]().union(*(self._addresses(trunk) for trunk in self._trunks.values()))
        native.set_providers(self._known)

    def tls_of(self, settings: TrunkSettings) -> int:
        """PJSUA's id of the TLS transport that checks certificates as this trunk wants it."""
        key = (settings.verify, settings.authority)
        if key not in self._tls:
            self._tls[key] = self.endpoint.add_tls(settings.verify, settings.authority)
        return self._tls[key]

    def _untrusted(self, address: str, why: str) -> None:
        """A certificate was refused: the connection is not made. A trunk that does not check has one all the same."""
        for trunk in self._trunks.values():
            if trunk.settings.verify:
                trunk.untrusted(address, why)

    def _addresses(self, trunk: Member) -> frozenset[str]:
        found = (self._resolver.addresses(*name) for name in _names(trunk.settings))
        return frozenset(trunk.settings.peers).union(*found)

    # ---- for the door ---------------------------------------------------------------------------------------------

    def from_provider(self, source: str) -> bool:
        """Whether an address is one of a provider: exactly those, no networks."""
        return source in self._known

    def forget_admission(self) -> None:
        """Another request is here."""
        self.admission = None

    def account_for(self) -> int | None:
        """PJSUA's id of the account whose call is on its way, None where it is no provider's."""
        return self.admission.account if self.admission else None

    def admit(self, source: str, request: SipRequest) -> bool:
        """Whether a call is a provider's; it is remembered for PJSIP's callbacks. Of several trunks at one address the
        one whose user or number the call names."""
        found = [t for t in self._trunks.values() if t.account >= 0 and source in self._addresses(t)]
        if not found:
            return False
        trunk = max(found, key=lambda one: one.likes(request))
        self.admission = Admission(trunk.account, request.call_id, request)
        return True

    def has_peer(self, call_id: str, source: str) -> bool | None:
        """Whether a dialog of a trunk is with this address; None for a Call-ID of none."""
        trunk = next((t for t in self._trunks.values() if t.has_dialog(call_id)), None)
        if trunk:
            return source in self._addresses(trunk)
        leaving = any(one.calls.has(call_id) for one in self._retired)
        return True if leaving else None

    def info_digit(self, call_id: str, digit: str) -> None:
        """A digit in an INFO that PJSIP does not know."""
        for trunk in self._trunks.values():
            trunk.info_digit(call_id, digit)

    # ---- life -----------------------------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether something of a stopped trunk is still under way."""
        return bool(self._retired)

    def poll(self, at: float) -> None:
        """Follow the names; let go what PJSIP is done with."""
        self._resolver.poll(at)
        if self._seen != self._resolver.changes:
            self._seen = self._resolver.changes
            self._tell_addresses()
        for one in list(self._retired):
            one.calls.poll(at)
            if not one.calls.live and (at >= one.until or one.account is None or one.account.is_out):
                self._retired.remove(one)
                if one.account:
                    one.account.shutdown()

    def close(self) -> None:
        """The library ends."""
        for one in self._retired:
            if one.account:
                one.account.shutdown()
        self._retired.clear()
        self._asked.clear()
        self._resolver.close()


def _names(settings: TrunkSettings) -> tuple[Key, ...]:
    """Where the packets go, and what the provider is called: calls may come from either."""
    way = (*settings.next_hop, settings.transport)
    return (way, (settings.host, settings.port, settings.transport)) if settings.proxy else (way,)
