"""All SIP phones of the office as one line: legs in, legs out, nothing decided.

A leg that we dial may be several dialogs, one per phone of the extension; the first that answers is the leg, the others
are cancelled. A leg ends at most once, whatever its dialogs still do.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import PHONES, Kind, LegId, LineId, Number, Offer
from appliance.lines import LineStatus, Post
from appliance.lines.audio import Audio
from appliance.lines.endpoint import Endpoint, SipSettings
from appliance.lines.message_lamps import MessageLamps
from appliance.lines.registrations import Ask, BindingStore, Registrations, route_to
from appliance.lines.resolver import Resolver
from appliance.lines.sip_call import Note, Noted, SipCall, cause_of
from appliance.lines.sip_door import Admitted, Door, Rates
from appliance.lines.sip_shown import best, caller_of, identity_of, of_caller
from appliance.lines.subscriptions import Subscriptions
from appliance.lines.trunks import Trunks
from appliance.native import api as native
from appliance.protocols.digest import ALGORITHMS, Guard, ha1
from appliance.protocols.dtmf import DigitsOnce
from appliance.protocols.refer import Refer
from appliance.protocols.registrar import Binding, Registrar
from appliance.protocols.sip_text import without_headers

log = logging.getLogger(__name__)

NO_SIGN_SECONDS = 4.0  # a phone that does not even say "trying" is not there
POLL_REGISTRATIONS = 0.25
STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SipLimits:
    """See the section `network` of the settings."""

    requests_per_source: int = 20
    requests_in_all: int = 100
    min_expiry: int = 60
    max_expiry: int = 3600


@dataclass(slots=True)
class _Leg:
    id: LegId
    extension: str
    calls: list[SipCall]
    incoming: bool
    started: float
    winner: SipCall | None = None
    wanted: bool = False  # Answer was asked for
    answered: bool = False
    rang: bool = False
    referred: bool = False  # this phone sent the other on, and waits to be told how it went
    digits: DigitsOnce = field(default_factory=DigitsOnce)
    causes: list[tuple[Cause, str]] = field(default_factory=list)


class SipLine:
    """Implements `lines.Line` for the phones. Loop thread only."""

    id: LineId = PHONES

    def __init__(
        self,
        settings: SipSettings,
        limits: SipLimits,
        hosts: frozenset[str],
        secret: bytes,
        store: BindingStore,
        post: Post,
        audio: Audio,
        monotonic: Callable[[], float] = time.monotonic,
        ask: Ask | None = None,
    ) -> None:
        self.settings = settings
        self._post = post
        self._audio = audio
        self._monotonic = monotonic
        self._ours = f"sip:centralka@{settings.address}:{settings.sip_port}"
        registrar = Registrar(hosts | {settings.address.lower()}, limits.min_expiry, limits.max_expiry)
        self.registrations = Registrations(registrar, store, post, ask or self._ask)
        own = f"{settings.address}:{settings.sip_port}"
        self.subscriptions = Subscriptions(native.send_notify, own)
        self.message_lamps = MessageLamps(native.send_notify, own, self.subscriptions.has_messages)
        rates = Rates(limits.requests_per_source, limits.requests_in_all)
        self.trunks = Trunks(Resolver(), monotonic)
        self.door = Door(
            self.registrations, self.subscriptions, self.message_lamps, self, self.trunks, Guard(secret), rates,
            monotonic,
        )  # fmt: skip
        self.door.ours = self._ours
        self._endpoint = Endpoint(settings, self.door, self._incoming, self._connection_lost)
        self._endpoint.is_secure = self._is_secure
        self.trunks.use(self._endpoint)
        self._numbers = count(1)
        self._legs: dict[LegId, _Leg] = {}
        self._leg_of: dict[SipCall, LegId] = {}
        self._leaving: set[SipCall] = set()  # dialogs whose leg is over
        self._by_call_id: dict[str, SipCall] = {}
        self._notes: deque[Note] = deque()
        self._gone: list[SipCall] = []
        self._unknown: list[SipCall] = []
        self._next_registrations = 0.0
        self._passwords: dict[str, str] = {}
        self._running = False

    # ---- lines.Line -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen. Raises LineError when address or port cannot be had."""
        if not self._running:
            self._endpoint.start()
            self._running = True

    def pump(self, milliseconds: int) -> None:
        """Wait for SIP: the loop's own waiting."""
        self._endpoint.pump(milliseconds)

    def stop(self) -> None:
        """End all calls and the library."""
        if not self._running:
            return
        self._running = False
        self._end_all()
        until = self._monotonic() + STOP_SECONDS
        while (self._leg_of or self._leaving or self.trunks.live) and self._monotonic() < until:
            self._endpoint.pump(10)
            self._drain()
            self.trunks.poll(self._monotonic())
        self.trunks.close()
        self._audio.stop()
        self._legs.clear()
        self._leg_of.clear()
        self._leaving.clear()
        self._by_call_id.clear()
        self._notes.clear()
        self._gone.clear()
        self._unknown.clear()
        self._endpoint.stop()

    def _end_all(self) -> None:
        """A method of its own: a call that a variable still names when the library has ended aborts the process."""
        for call in [*self._leg_of, *self._leaving]:
            call.end(Cause.NORMAL)

    def poll(self, at: float) -> None:
        """Act on what callbacks noted; give up phones that are silent."""
        self._drain()
        while self._unknown:
            self._unknown.pop().end(Cause.NOT_ALLOWED)
        for leg in list(self._legs.values()):
            if not leg.incoming and not leg.answered and at > leg.started + NO_SIGN_SECONDS:
                self._drop_silent(leg)
        if at >= self._next_registrations:
            self._next_registrations = at + POLL_REGISTRATIONS
            self.registrations.poll(at)
        self.subscriptions.poll(at)
        self.message_lamps.poll(self.registrations.registrar.everything, self.subscriptions.messages, at)
        self.trunks.poll(at)
        self._audio.poll(at)
        self._gone.clear()

    def perform(self, command: do.Command) -> None:
        """Carry out a command for a leg of ours."""
        if isinstance(command, do.Dial):
            self._dial(command)
            return
        leg = self._legs.get(getattr(command, "leg", LegId("")))
        action = self._ACTIONS.get(type(command))
        if leg and action:
            action(self, leg, command)

    def slot(self, leg: LegId) -> int | None:
        """See `lines.Line`."""
        found = self._legs.get(leg)
        call = (found.winner or (found.calls[0] if found.calls else None)) if found else None
        return call.slot if call and call.slot >= 0 else None

    def status(self) -> LineStatus:
        """The phones as a whole: up while we listen."""
        return LineStatus(PHONES, "sip", "ok" if self._running else "not-there", self._running, False, {})

    # ---- for the daemon -------------------------------------------------------------------------------------------

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Extensions that may register and their passwords. Who is gone or has another password must sign in anew."""
        for extension, password in list(self._passwords.items()):
            if passwords.get(extension) != password:
                self.registrations.remove_extension(extension, self._monotonic())
                self.subscriptions.remove_extension(extension, self._monotonic())
        self._passwords = dict(passwords)
        self.door.set_phones({e: {a: ha1(e, p, a) for a in ALGORITHMS} for e, p in passwords.items() if p})

    def restore(self, bindings: list[Binding]) -> None:
        """Registrations of before the restart."""
        self.registrations.restore([b for b in bindings if b.extension in self._passwords], self._monotonic())

    def phones(self, now: datetime) -> list[dict[str, object]]:
        """Every extension with its phones, for the page; `expires`: when a phone is forgotten unless it registers
        again, in the zone of `now`."""
        at = self._monotonic()
        return [
            {
                "extension": extension,
                "contacts": [
                    {
                        "uri": binding.uri,
                        "user_agent": binding.user_agent,
                        "flow": f"{binding.flow.transport} {binding.flow.host}:{binding.flow.port}",
                        "expires": (now + timedelta(seconds=binding.expires_at - at)).isoformat(timespec="seconds"),
                        "alive": alive,
                    }
                    for binding, alive in self.registrations.all_of(extension, at)
                ],
            }
            for extension in sorted(self._passwords)
        ]

    # ---- sip_door.Dialogs -----------------------------------------------------------------------------------------

    def has_peer(self, call_id: str, source: str) -> bool | None:
        """See `sip_door.Dialogs`."""
        call = self._by_call_id.get(call_id)
        return call.peer == source if call else self.trunks.has_peer(call_id, source)

    def info_digit(self, call_id: str, digit: str) -> None:
        """See `sip_door.Dialogs`."""
        call = self._by_call_id.get(call_id)
        if call:
            self._notes.append(Note(call, Noted.DIGIT, text=digit, by_info=True))
        else:
            self.trunks.info_digit(call_id, digit)

    def referred(self, call_id: str, refer: Refer) -> int:
        """See `sip_door.Dialogs`. A transfer that is on its way is not changed."""
        call = self._by_call_id.get(call_id)
        leg_id = self._leg_of.get(call) if call else None
        leg = self._legs.get(leg_id) if leg_id else None
        if call is None or leg is None or not leg.answered:
            return 481
        if leg.referred:
            return 491
        replaced = self._by_call_id.get(refer.replaces) if refer.replaces else None
        other = self._leg_of.get(replaced) if replaced else None
        if refer.replaces and other is None:
            return 481
        if not refer.replaces and refer.host not in self.registrations.registrar.hosts:
            return 404
        leg.referred = refer.told
        self._post(ev.TransferAsked(leg.id, refer.user, other))
        return 202

    # ---- commands -------------------------------------------------------------------------------------------------

    def _dial(self, command: do.Dial) -> None:
        at = self._monotonic()
        extension = command.number.text
        leg = _Leg(command.leg, extension, [], False, at)
        self._legs[leg.id] = leg
        for binding in self.registrations.reachable(extension, at):
            self._dial_phone(leg, binding, command)
        if not leg.calls:
            cause = Cause.UNREACHABLE if self.registrations.reachable(extension, at) else Cause.NOT_REGISTERED
            self._end_leg(leg, cause, "")

    def _dial_phone(self, leg: _Leg, binding: Binding, command: do.Dial) -> None:
        account = self._endpoint.account_over(binding.flow.transport == "tls")
        if account is None:
            return
        call = SipCall(account, self._notes.append)
        call.peer, call.contact = binding.flow.host, binding.user_agent or binding.uri
        native.route_calls(account.getId(), route_to(binding.flow))
        own = f"{self.settings.address}:{self.settings.sip_port}"
        sent = call.dial(
            f"sip:{leg.extension}@{own}", without_headers(binding.uri), caller_of(command, own),
            identity_of(command, own),
        )  # fmt: skip
        native.route_calls(account.getId(), "")
        if sent:
            leg.calls.append(call)
            self._leg_of[call] = leg.id
            call.sip_call_id = call.getInfo().callIdString
            self._by_call_id[call.sip_call_id] = call
        else:
            self._gone.append(call)

    def _ring(self, leg: _Leg, command: do.Ring) -> None:
        leg.calls[0].send_answer(180)

    def _progress(self, leg: _Leg, command: do.Progress) -> None:
        leg.calls[0].send_answer(183)

    def _answer(self, leg: _Leg, command: do.Answer) -> None:
        leg.wanted = True
        leg.calls[0].send_answer(200)

    def _hang_up(self, leg: _Leg, command: do.HangUp) -> None:
        calls = list(leg.calls)
        self._end_leg(leg, command.cause, "")
        if leg.referred and leg.winner:
            leg.winner.tell_referred(200, "OK")
        for call in calls:
            call.end(command.cause)

    def _digits(self, leg: _Leg, command: do.SendDigits) -> None:
        (leg.winner or leg.calls[0]).send_digits(command.digits)

    _ACTIONS: Mapping[type, Callable[..., None]] = {
        do.Ring: _ring,
        do.Progress: _progress,
        do.Answer: _answer,
        do.HangUp: _hang_up,
        do.SendDigits: _digits,
    }

    # ---- what callbacks noted -------------------------------------------------------------------------------------

    def _incoming(self, call_id: int) -> None:
        """Inside onIncomingCall: take the call, answer nothing yet."""
        account, admitted = self._endpoint.account_over(self._is_secure()), self.door.admitted
        if account is None:
            return
        call = SipCall(account, self._notes.append, call_id)
        if admitted is None:  # the door lets nobody pass unknown; ended outside this callback
            self._leaving.add(call)
            self._unknown.append(call)
            return
        self._offer(call, admitted)

    def _is_secure(self) -> bool:
        """Whether the INVITE that is on its way came over TLS."""
        return bool(self.door.admitted and self.door.admitted.secure)

    def _offer(self, call: SipCall, admitted: Admitted) -> None:
        leg = _Leg(
            LegId(f"phones-{next(self._numbers)}"), admitted.extension, [call], True, self._monotonic(), winner=call
        )
        call.peer, call.sip_call_id, call.contact = admitted.source, admitted.call_id, admitted.extension
        self._legs[leg.id] = leg
        self._leg_of[call] = leg.id
        self._by_call_id[call.sip_call_id] = call
        caller = Number(admitted.extension, Kind.INTERNAL)
        self._post(ev.Offered(Offer(leg.id, PHONES, caller, Number(admitted.called[:64], Kind.INTERNAL))))

    def _drain(self) -> None:
        while self._notes:
            note = self._notes.popleft()
            leg_id = self._leg_of.get(note.call)
            leg = self._legs.get(leg_id) if leg_id else None
            if leg:
                self._NOTES[note.what](self, leg, note)
            if note.what is Noted.ENDED:
                self._call_over(note.call)

    def _rang(self, leg: _Leg, note: Note) -> None:
        note.call.sign = True
        if not leg.incoming and not leg.rang:
            leg.rang = True
            self._post(ev.Ringing(leg.id))

    def _progressed(self, leg: _Leg, note: Note) -> None:
        """A phone that plays something before it answers counts as ringing: one of several must not be heard."""
        self._rang(leg, note)

    def _confirmed(self, leg: _Leg, note: Note) -> None:
        note.call.sign = note.call.confirmed = True
        self._maybe_answered(leg, note.call)

    def _media(self, leg: _Leg, note: Note) -> None:
        call, old = note.call, note.call.slot
        note.call.sign = True
        call.slot = note.slot
        if leg.answered and old >= 0:
            self._audio.moved(old, call.slot)
        self._maybe_answered(leg, call)
        if leg.incoming and not leg.wanted:
            self._post(ev.Progressed(leg.id))  # it can hear something before the answer
        if leg.answered and call is leg.winner and note.held != call.held:
            call.held = note.held
            self._post(ev.Held(leg.id, note.held))

    def _maybe_answered(self, leg: _Leg, call: SipCall) -> None:
        """With audio: an incoming call as soon as we said 200, an outgoing one when the phone did."""
        taken = leg.wanted if leg.incoming else call.confirmed
        if leg.answered or not taken or call.slot < 0:
            if call.confirmed and leg.winner is not None and call is not leg.winner:
                call.end(Cause.ELSEWHERE)  # two picked up in the same moment
            return
        leg.winner, leg.answered = call, True
        for other in leg.calls:
            if other is not call:
                other.end(Cause.ELSEWHERE)
        self._post(ev.Answered(leg.id, by=call.contact))

    def _digit(self, leg: _Leg, note: Note) -> None:
        if not leg.answered or note.call is not leg.winner or note.text not in "0123456789*#ABCD":
            return
        if leg.digits.is_new(note.text, note.by_info, self._monotonic()):
            self._post(ev.Digit(leg.id, note.text))

    def _ended(self, leg: _Leg, note: Note) -> None:
        leg.calls = [call for call in leg.calls if call is not note.call]
        detail = f"{note.code} {note.text}".strip()
        if note.call is leg.winner:
            self._end_leg(leg, of_caller(note) if leg.incoming else cause_of(note.code), detail)
            return
        leg.causes.append((cause_of(note.code), detail))
        if not leg.calls and not leg.answered:
            self._end_leg(leg, *best(leg.causes))

    _NOTES: Mapping[Noted, Callable[..., None]] = {
        Noted.RINGING: _rang,
        Noted.PROGRESSED: _progressed,
        Noted.CONFIRMED: _confirmed,
        Noted.MEDIA: _media,
        Noted.DIGIT: _digit,
        Noted.ENDED: _ended,
    }

    def _end_leg(self, leg: _Leg, cause: Cause, detail: str) -> None:
        self._legs.pop(leg.id, None)
        for call in leg.calls:
            self._leg_of.pop(call, None)
            self._leaving.add(call)
        leg.calls = []
        self._post(ev.Ended(leg.id, cause, detail))

    def _call_over(self, call: SipCall) -> None:
        call.over = True
        if call.slot >= 0:
            self._audio.gone(call.slot)
        self._leg_of.pop(call, None)
        self._leaving.discard(call)
        if self._by_call_id.get(call.sip_call_id) is call:  # a phone may use its Call-ID again
            del self._by_call_id[call.sip_call_id]
        self._gone.append(call)  # freed at the end of the turn, outside every callback

    def _drop_silent(self, leg: _Leg) -> None:
        for call in [c for c in leg.calls if not c.sign]:
            leg.calls.remove(call)
            self._leg_of.pop(call, None)
            self._leaving.add(call)
            leg.causes.append((Cause.UNREACHABLE, "no answer from the phone"))
            call.end(Cause.CANCELLED)
        if not leg.calls:
            self._end_leg(leg, *best(leg.causes))

    def _connection_lost(self, connection: int) -> None:
        self.registrations.connection_lost(connection, self._monotonic())
        self.subscriptions.connection_lost(connection)

    def _ask(self, target: str, route: str, token: int) -> bool:
        return native.send_options(target, route, self._ours, token)
