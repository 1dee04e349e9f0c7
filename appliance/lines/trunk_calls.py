"""The calls of one trunk: each leg is one dialog with the provider. Translates, decides nothing.

A leg ends at most once, whatever its dialog still does; dialogs whose leg is over are kept until PJSIP is done with
them, and freed outside every callback.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pjsua2 as pj

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import LegId
from appliance.lines import Post
from appliance.lines.audio import Audio
from appliance.lines.sip_call import Note, Noted, SipCall
from appliance.protocols.dtmf import DigitsOnce
from appliance.protocols.trunk_text import header, q850

log = logging.getLogger(__name__)

NO_SIGN_SECONDS = 4.0  # not even "trying": the provider is not there
DIGITS = "0123456789*#ABCD"
# a provider's answers as causes. Those of core.call_states.FAILOVER are the line's own fault: another line is tried
CAUSE_OF: Mapping[int, Cause] = {
    401: Cause.NOT_ALLOWED, 402: Cause.NOT_ALLOWED, 403: Cause.NOT_ALLOWED, 407: Cause.NOT_ALLOWED,
    404: Cause.UNKNOWN_NUMBER, 410: Cause.UNKNOWN_NUMBER, 484: Cause.UNKNOWN_NUMBER, 604: Cause.UNKNOWN_NUMBER,
    408: Cause.TIMEOUT, 504: Cause.TIMEOUT, 480: Cause.NO_ANSWER, 486: Cause.BUSY, 600: Cause.BUSY,
    487: Cause.CANCELLED, 488: Cause.MEDIA, 606: Cause.MEDIA, 415: Cause.MEDIA, 503: Cause.CONGESTION,
    603: Cause.REJECTED, 607: Cause.REJECTED, 608: Cause.REJECTED,
}  # fmt: skip
# what a Reason header says better than the status beside it (ITU-T Q.850)
CAUSE_OF_Q850: Mapping[int, Cause] = {
    1: Cause.UNKNOWN_NUMBER, 3: Cause.UNKNOWN_NUMBER, 17: Cause.BUSY, 18: Cause.NO_ANSWER, 19: Cause.NO_ANSWER,
    20: Cause.NO_ANSWER, 21: Cause.REJECTED, 22: Cause.UNKNOWN_NUMBER, 27: Cause.UNREACHABLE, 28: Cause.UNKNOWN_NUMBER,
    34: Cause.CONGESTION, 38: Cause.CONGESTION, 41: Cause.CONGESTION, 42: Cause.CONGESTION, 44: Cause.CONGESTION,
    58: Cause.MEDIA, 65: Cause.MEDIA, 88: Cause.MEDIA, 102: Cause.TIMEOUT,
}  # fmt: skip


def cause_of(code: int, reason: str = "") -> Cause:
    """Why a call out failed, from the provider's status and its Reason header. A redirection is not followed: who
    answers it could send our calls anywhere; to us the number is out of reach on this line."""
    if code < 300:
        return Cause.NORMAL
    if code < 400:
        return Cause.UNREACHABLE
    said = CAUSE_OF_Q850.get(q850(reason))
    if said and (code in (480, 500, 503) or code not in CAUSE_OF):
        return said
    return CAUSE_OF.get(code, Cause.FAULT)


class TrunkCall(SipCall):
    """A dialog with a provider: "100 Trying" is a sign of life already."""

    def onCallTsxState(self, prm: "pj.OnCallTsxStateParam") -> None:  # noqa: N802 (pjsua2's name)
        """Any answer to our INVITE."""
        try:
            if prm.e.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG:
                self.sign = True
        except Exception:
            log.exception("a sign of a provider was lost")

    def onCallRedirected(self, prm: "pj.OnCallRedirectedParam") -> int:  # noqa: N802
        """A 3xx is not followed, and is what the call ends with."""
        return int(pj.PJSIP_REDIRECT_REJECT)


@dataclass(slots=True)
class _Leg:
    id: LegId
    call: SipCall
    incoming: bool
    started: float
    wanted: bool = False  # Answer was asked for
    answered: bool = False
    rang: bool = False
    plays: bool = False  # a 183 came
    early: bool = False  # its sound before the answer was told
    digits: DigitsOnce = field(default_factory=DigitsOnce)


class TrunkCalls:
    """Loop thread only. `resting(text)`: the provider wants no call for now, with its Retry-After."""

    def __init__(
        self, post: Post, audio: Audio, monotonic: Callable[[], float], resting: Callable[[str], None]
    ) -> None:
        self._post = post
        self._audio = audio
        self._monotonic = monotonic
        self._resting = resting
        self._legs: dict[LegId, _Leg] = {}
        self._leg_of: dict[SipCall, _Leg] = {}
        self._leaving: set[SipCall] = set()
        self._by_call_id: dict[str, SipCall] = {}
        self._notes: deque[Note] = deque()
        self._gone: list[SipCall] = []
        self._refused: list[SipCall] = []  # to be told that we are busy

    def __len__(self) -> int:
        return len(self._legs)

    @property
    def live(self) -> bool:
        """Whether PJSIP still has a dialog of ours."""
        return bool(self._leg_of or self._leaving or self._gone)

    # ---- begin and end --------------------------------------------------------------------------------------------

    def take(self, leg: LegId, account: "pj.Account", call_id: int, sip_call_id: str, who: str) -> None:
        """A call that came in. Inside onIncomingCall: nothing is answered yet."""
        call = TrunkCall(account, self._notes.append, call_id)
        call.sip_call_id, call.contact = sip_call_id, who
        self._keep(_Leg(leg, call, True, self._monotonic()))

    def turn_away(self, account: "pj.Account", call_id: int, sip_call_id: str) -> None:
        """One too many: refused as busy at the next turn."""
        call = TrunkCall(account, self._notes.append, call_id)
        call.sip_call_id = sip_call_id
        self._by_call_id[sip_call_id] = call
        self._leaving.add(call)
        self._refused.append(call)

    def dial(
        self, leg: LegId, account: "pj.Account", to: str, caller: str, headers: list[tuple[str, str]], who: str
    ) -> bool:
        """A call out. False when it could not be sent."""
        call = TrunkCall(account, self._notes.append)
        call.contact = who
        if not call.dial(to, "", caller, headers):
            self._gone.append(call)
            return False
        call.sip_call_id = call.getInfo().callIdString
        self._keep(_Leg(leg, call, False, self._monotonic()))
        return True

    def _keep(self, leg: _Leg) -> None:
        self._legs[leg.id] = leg
        self._leg_of[leg.call] = leg
        self._by_call_id[leg.call.sip_call_id] = leg.call

    def end_all(self) -> None:
        """Hang up; the legs are told so at once."""
        for leg in list(self._legs.values()):
            self._end_leg(leg, Cause.LINE_LOST, "")
            leg.call.end(Cause.NORMAL)

    # ---- for the line ---------------------------------------------------------------------------------------------

    def perform(self, command: do.Command) -> None:
        """Carry out a command for a leg of ours; others are left out."""
        leg = self._legs.get(getattr(command, "leg", LegId("")))
        action = self._ACTIONS.get(type(command))
        if leg and action:
            action(self, leg, command)

    def slot(self, leg: LegId) -> int | None:
        """See `lines.Line`."""
        found = self._legs.get(leg)
        return found.call.slot if found and found.call.slot >= 0 else None

    def has(self, sip_call_id: str) -> bool:
        """Whether a dialog is ours."""
        return sip_call_id in self._by_call_id

    def info_digit(self, sip_call_id: str, digit: str) -> None:
        """A digit in an INFO that PJSIP does not know."""
        call = self._by_call_id.get(sip_call_id)
        if call:
            self._notes.append(Note(call, Noted.DIGIT, text=digit, by_info=True))

    def poll(self, at: float) -> None:
        """Act on what callbacks noted; give up a provider that is silent."""
        self._drain()
        while self._refused:
            self._refused.pop().end(Cause.BUSY)
        for leg in list(self._legs.values()):
            if leg.plays and not leg.early and not leg.rang:  # a 183 without sound
                self._rings(leg)
            silent = not leg.incoming and not leg.answered and not leg.call.sign
            if silent and at > leg.started + NO_SIGN_SECONDS:
                self._end_leg(leg, Cause.TIMEOUT, "no answer from the provider")
                leg.call.end(Cause.CANCELLED)
        self._gone.clear()

    # ---- commands -------------------------------------------------------------------------------------------------

    def _ring(self, leg: _Leg, command: do.Ring) -> None:
        leg.call.send_answer(180)

    def _progress(self, leg: _Leg, command: do.Progress) -> None:
        leg.call.send_answer(183)

    def _answer(self, leg: _Leg, command: do.Answer) -> None:
        leg.wanted = True
        leg.call.send_answer(200)
        self._maybe_answered(leg)

    def _hang_up(self, leg: _Leg, command: do.HangUp) -> None:
        self._end_leg(leg, command.cause, "")
        leg.call.end(command.cause)

    def _digits(self, leg: _Leg, command: do.SendDigits) -> None:
        leg.call.send_digits(command.digits)

    _ACTIONS: Mapping[type, Callable[..., None]] = {
        do.Ring: _ring, do.Progress: _progress, do.Answer: _answer, do.HangUp: _hang_up, do.SendDigits: _digits,
    }  # fmt: skip

    # ---- what callbacks noted -------------------------------------------------------------------------------------

    def _drain(self) -> None:
        while self._notes:
            note = self._notes.popleft()
            leg = self._leg_of.get(note.call)
            if leg:
                self._NOTES[note.what](self, leg, note)
            if note.what is Noted.ENDED:
                self._call_over(note.call)

    def _rang(self, leg: _Leg, note: Note) -> None:
        note.call.sign = True
        if not leg.incoming:
            self._rings(leg)

    def _rings(self, leg: _Leg) -> None:
        if not leg.rang:
            leg.rang = True
            self._post(ev.Ringing(leg.id))

    def _progressed(self, leg: _Leg, note: Note) -> None:
        note.call.sign = True
        leg.plays = not leg.incoming

    def _confirmed(self, leg: _Leg, note: Note) -> None:
        note.call.sign = note.call.confirmed = True
        self._maybe_answered(leg)

    def _media(self, leg: _Leg, note: Note) -> None:
        call, old = note.call, note.call.slot
        call.sign = True
        call.slot = note.slot
        if old >= 0:
            self._audio.moved(old, call.slot)
        self._maybe_answered(leg)
        if not leg.answered and not leg.early:
            leg.early = True  # sound before the answer: the provider's of a call out, ours of a call in
            self._post(ev.Progressed(leg.id))
        if leg.answered and note.held != call.held:
            call.held = note.held
            self._post(ev.Held(leg.id, note.held))

    def _maybe_answered(self, leg: _Leg) -> None:
        taken = leg.wanted if leg.incoming else leg.call.confirmed
        if taken and not leg.answered and leg.call.slot >= 0:
            leg.answered = True
            self._post(ev.Answered(leg.id, by=leg.call.contact))

    def _digit(self, leg: _Leg, note: Note) -> None:
        if leg.answered and note.text in DIGITS and leg.digits.is_new(note.text, note.by_info, self._monotonic()):
            self._post(ev.Digit(leg.id, note.text))

    def _ended(self, leg: _Leg, note: Note) -> None:
        detail = f"{note.code} {note.text}".strip()[:100]
        if leg.incoming:
            cause = Cause.CANCELLED if note.code == 487 else cause_of(note.code)
        else:
            cause = cause_of(note.code, header(note.message, "Reason"))
            wait = header(note.message, "Retry-After") if note.code == 503 else ""
            if wait:
                self._resting(wait)
        self._end_leg(leg, cause, detail)

    _NOTES: Mapping[Noted, Callable[..., None]] = {
        Noted.RINGING: _rang, Noted.PROGRESSED: _progressed, Noted.CONFIRMED: _confirmed, Noted.MEDIA: _media,
        Noted.DIGIT: _digit, Noted.ENDED: _ended,
    }  # fmt: skip

    def _end_leg(self, leg: _Leg, cause: Cause, detail: str) -> None:
        if self._legs.pop(leg.id, None) is None:
            return
        self._leg_of.pop(leg.call, None)
        self._leaving.add(leg.call)
        self._post(ev.Ended(leg.id, cause, detail))

    def _call_over(self, call: SipCall) -> None:
        call.over = True
        if call.slot >= 0:
            self._audio.gone(call.slot)
        self._leaving.discard(call)
        if self._by_call_id.get(call.sip_call_id) is call:
            del self._by_call_id[call.sip_call_id]
        self._gone.append(call)  # freed at the end of the turn, outside every callback
