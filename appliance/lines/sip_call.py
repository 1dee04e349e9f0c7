"""One SIP dialog as pjsua2 shows it. Callbacks only note what happened; the line acts on it from its own turn."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import pjsua2 as pj

from appliance.core.causes import WIRE, Cause
from appliance.protocols.refer import fragment

log = logging.getLogger(__name__)


class Noted(Enum):
    """What a callback saw."""

    RINGING = "ringing"
    PROGRESSED = "progressed"
    CONFIRMED = "confirmed"
    ENDED = "ended"
    MEDIA = "media"
    DIGIT = "digit"


@dataclass(frozen=True, slots=True)
class Note:
    """`code` and `text` are the last SIP status; `slot` and `held` belong to MEDIA, `by_info` to DIGIT, `message` is
    what ended the call, where the other side said it."""

    call: "SipCall"
    what: Noted
    code: int = 0
    text: str = ""
    slot: int = -1
    held: bool = False
    by_info: bool = False
    message: str = ""


# SIP answers of a phone as causes (RFC 3398 turned round for an office: 603 is a person who said no)
CAUSE_OF = {
    403: Cause.REJECTED, 404: Cause.UNKNOWN_NUMBER, 408: Cause.UNREACHABLE, 410: Cause.UNKNOWN_NUMBER,
    480: Cause.UNREACHABLE, 484: Cause.UNKNOWN_NUMBER, 486: Cause.BUSY, 487: Cause.CANCELLED, 488: Cause.MEDIA,
    503: Cause.CONGESTION, 504: Cause.TIMEOUT, 600: Cause.BUSY, 603: Cause.REJECTED, 604: Cause.UNKNOWN_NUMBER,
    606: Cause.MEDIA,
}  # fmt: skip


def cause_of(code: int) -> Cause:
    """Why a leg ended, from the status PJSIP holds for it."""
    if code < 300:
        return Cause.NORMAL
    return CAUSE_OF.get(code, Cause.NOT_ALLOWED if code in (401, 407) else Cause.FAULT)


class SipCall(pj.Call):  # type: ignore[misc]
    """A dialog with one phone. Loop thread only; drop it after ENDED, outside the callback."""

    def __init__(self, account: "pj.Account", note: Callable[[Note], None], call: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call)
        self._note = note
        self.contact = ""  # who it is with, for the journal
        self.peer = ""  # the address its packets come from
        self.sip_call_id = ""
        self.sign = False  # anything came back
        self.confirmed = False
        self.over = False
        self.slot = -1
        self.held = False

    # ---- callbacks ------------------------------------------------------------------------------------------------

    def onCallState(self, prm: "pj.OnCallStateParam") -> None:  # noqa: N802 (pjsua2's name)
        """A new state of the dialog."""
        try:
            info = self.getInfo()
            self.sip_call_id = self.sip_call_id or info.callIdString
            what = _WHAT.get(info.state)
            if what is Noted.RINGING and info.lastStatusCode == 183:
                what = Noted.PROGRESSED
            if what:
                message = _said(prm) if what is Noted.ENDED else ""
                self._note(Note(self, what, info.lastStatusCode, info.lastReason, message=message))
        except Exception:
            log.exception("a state of a call was lost")

    def onCallMediaState(self, prm: "pj.OnCallMediaStateParam") -> None:  # noqa: N802
        """Media began, was put on hold, or moved."""
        try:
            info = self.getInfo()  # held in a name: its media live only as long as it does
            for media in info.media:
                if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in _WITH_SOUND:
                    held = media.status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD
                    self._note(Note(self, Noted.MEDIA, slot=media.audioConfSlot, held=held))
                    return
        except Exception:
            log.exception("a change of media was lost")

    def onDtmfDigit(self, prm: "pj.OnDtmfDigitParam") -> None:  # noqa: N802
        """A digit, from telephone-events (RFC 4733) or INFO."""
        try:
            by_info = prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO
            self._note(Note(self, Noted.DIGIT, text=str(prm.digit)[:1].upper(), by_info=by_info))
        except Exception:
            log.exception("a digit was lost")

    # ---- what the line asks ---------------------------------------------------------------------------------------

    def dial(self, to: str, target: str, caller: str, headers: list[tuple[str, str]]) -> bool:
        """Send the INVITE. False when it could not be sent."""
        options = _options()
        options.txOption.targetUri, options.txOption.localUri = target, caller
        _add_headers(options, headers)
        return self._try("dial", lambda: self.makeCall(to, options))

    def send_answer(self, code: int) -> bool:
        """180, 183 or 200."""
        options = _options()
        options.statusCode = code
        return self._try("answer", lambda: self.answer(options))

    def end(self, cause: Cause) -> None:
        """Refuse, cancel or hang up, whichever fits; the phone is told why (RFC 3326)."""
        if self.over:
            return
        options = _options()
        wire = WIRE[cause]
        options.statusCode = wire.sip
        reason = f"Q.850;cause={wire.q850}"
        if cause is Cause.ELSEWHERE:
            reason = 'SIP;cause=200;text="Call completed elsewhere"'
        _add_headers(options, [("Reason", reason)])
        self._try("hang up", lambda: self.hangup(options))

    def tell_referred(self, code: int, reason: str) -> None:
        """How the transfer went that this phone asked for: the last NOTIFY about it (RFC 3515)."""
        wanted = pj.CallSendRequestParam()
        wanted.method = "NOTIFY"
        wanted.txOption.contentType = "message/sipfrag;version=2.0"
        wanted.txOption.msgBody = fragment(code, reason)
        for name, value in (("Event", "refer"), ("Subscription-State", "terminated;reason=noresource")):
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            wanted.txOption.headers.push_back(header)
        self._try("tell of the transfer", lambda: self.sendRequest(wanted))

    def send_digits(self, digits: str) -> None:
        """As telephone-events, or INFO where the phone knows none."""
        if self._try("send digits", lambda: self.dialDtmf(digits)):
            return
        wanted = pj.CallSendDtmfParam()
        wanted.method, wanted.digits = pj.PJSUA_DTMF_METHOD_SIP_INFO, digits
        self._try("send digits by INFO", lambda: self.sendDtmf(wanted))

    def _try(self, what: str, action: Callable[[], object]) -> bool:
        try:
            action()
        except pj.Error as error:  # the other side was faster
            log.info("could not %s: %s", what, error.reason)
            return False
        return True


def _said(prm: "pj.OnCallStateParam") -> str:
    """The message that brought a dialog to its state, "" where none did (a time-out, our own hanging up)."""
    happened = prm.e
    if happened.type != pj.PJSIP_EVENT_TSX_STATE or happened.body.tsxState.type != pj.PJSIP_EVENT_RX_MSG:
        return ""
    return str(happened.body.tsxState.src.rdata.wholeMsg)[:8000]


def _options() -> "pj.CallOpParam":
    options = pj.CallOpParam(True)
    options.opt.audioCount, options.opt.videoCount, options.opt.textCount = 1, 0, 0
    return options


def _add_headers(options: "pj.CallOpParam", headers: list[tuple[str, str]]) -> None:
    for name, value in headers:
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        options.txOption.headers.push_back(header)


_WHAT = {
    pj.PJSIP_INV_STATE_EARLY: Noted.RINGING,
    pj.PJSIP_INV_STATE_CONFIRMED: Noted.CONFIRMED,
    pj.PJSIP_INV_STATE_DISCONNECTED: Noted.ENDED,
}
_WITH_SOUND = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
