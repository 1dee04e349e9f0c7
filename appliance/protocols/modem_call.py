"""The one call of a modem: RING and CLIP, ATD and its progress, the end, whoever tells it (3GPP TS 27.007 7, vendors).

A call is offered when its number is known, or shortly after the second ring when none came. It is over when any sign
says so: a result code, a vendor's URC, or three looks (CLCC) that do not find it any more. There is one call at a time:
who calls meanwhile (CCWA) is refused as busy and told about.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from appliance.protocols import modem_text as text
from appliance.protocols.at import AtEngine, Command, Finished, Priority, Unsolicited
from appliance.protocols.modem_events import (
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallerKnown,
    CallOffered,
    ModemEvent,
    NoVoice,
    SecondCall,
    SpeechFlow,
    SpeechRefused,
)
from appliance.protocols.modem_families import CALL_WAITING, OTHERS, Family

NUMBER_WITHIN = 0.4  # seconds after the second RING
FIRST_RING_ALONE = 6.0  # a network that rings once in so long has said all
RING_LOST = 14.0  # no RING for so long: the caller gave up
LOOK_EVERY, LOOK_IN_CALL = 1.0, 2.5
LOOKS_MISSED = 3
AUDIO_AGAIN = 0.25
DEAF = 1.0  # seconds after our hang-up: what rings then may be the call that is gone, still in the pipe
END_WITHIN = 15.0  # a hang-up that nobody answers
NO_VOICE_WITHIN = 2.0  # a network that ends a call so soon after ATD carries none
SECOND_ONCE = 10.0  # signs of a second call within that time are of the same one

RESULT_CODES = {
    "BUSY": "busy", "NO ANSWER": "no-answer", "NO DIALTONE": "congestion", "NO DIAL TONE": "congestion",
}  # fmt: skip


@dataclass(slots=True)
class Current:
    """The call. `state`: ringing, dialling, alerting, answering, active, ending."""

    outgoing: bool
    state: str
    last_sign: float
    rings: int = 0
    told: bool = False
    caller: text.Caller | None = None
    audio: bool = False
    audio_tries: int = 0
    looks_missed: int = 0
    answered: bool = False
    began: float = 0.0
    end_by: float | None = None
    number: str = ""  # that is dialled
    withhold: str = ""  # how our number is withheld: "call" by the I of ATD, "service" by CLIR


@dataclass(slots=True)
class Calls:
    """See the module."""

    engine: AtEngine
    tell: Callable[[ModemEvent], None]
    family: Family = OTHERS
    by_card: bool = False  # speech goes over a sound card
    current: Current | None = None
    _offer_at: float | None = None
    _look_at: float | None = None
    _looking: bool = False
    _can_look: bool = True
    _audio_at: float | None = None
    _endings: list[str] = field(default_factory=list)
    _begun: bool = False
    _deaf_until: float = 0.0
    _doubting: bool = False  # the modem is asked whether what rings is a new call
    _doubted: text.Caller | None = None
    _second_at: float = -SECOND_ONCE
    _failed: tuple[str, str, bool] | None = None  # how our call ended, whether at once, while its cause is asked
    _at: float = 0.0

    @property
    def talking(self) -> bool:
        """Whether a call is up."""
        return bool(self.current and self.current.answered)

    # ---- from the line ------------------------------------------------------------------------------------------

    def answer(self) -> None:
        """Take the ringing call; CallAnswered follows."""
        if self.current and self.current.state == "ringing":
            self.current.state = "answering"
            self._send("answer", "ATA", 10.0)

    def dial(self, number: str, at: float, withhold: bool = False) -> bool:
        """Call out, without showing our number if `withhold`. False when the number cannot be dialled or a call is
        there already."""
        if self.current or self._failed or not re.fullmatch(r"\+?[0-9*#]{1,40}", number):
            return False
        self._at = at
        self.current = Current(True, "dialling", at, told=True, began=at, number=number)
        self.current.withhold = "call" if withhold else ""
        self._send("dial", f"ATD{number}{'I' if withhold else ''};", 90.0)
        self._look_at = at + LOOK_EVERY
        return True

    def hang_up(self) -> None:
        """Refuse or end it; CallEnded follows."""
        call = self.current
        if not call or call.state == "ending":
            return
        fresh = call.state == "ringing"
        call.state, call.end_by = "ending", self._at + END_WITHIN
        self._offer_at = None
        self._endings = list(self.family.refuse if fresh else self.family.hang_up)
        self._send("end", self._endings.pop(0), 5.0)

    def begin(self, call_waiting: bool) -> None:
        """The SIM is open: say what who calls while we talk shall hear. It asks the network, so once is enough."""
        if not self._begun:
            self._begun = True
            command = CALL_WAITING[call_waiting]
            self.engine.send(Command(command, (), 30.0, Priority.LONG, tag="call quiet"))

    def reset(self) -> None:
        """The modem begins anew."""
        self.current, self._offer_at, self._look_at, self._audio_at = None, None, None, None
        self._looking, self._can_look, self._failed, self._begun = False, True, None, False
        self._doubting, self._doubted = False, None

    def lost(self) -> None:
        """The modem is gone: so is the call."""
        if self.current:
            self._over("lost", "the modem is gone", tidy=False)
        elif self._failed:
            self._tell_failed()

    # ---- from the modem -----------------------------------------------------------------------------------------

    def unsolicited(self, event: Unsolicited, at: float) -> None:
        """A line that may be about the call."""
        self._at = at
        upper = event.text.upper()
        for prefix, method in self._SIGNS:
            if upper.startswith(prefix):
                method(self, event.text, at)
                return

    def finished(self, done: Finished, what: str, at: float) -> None:
        """The answer of a command of ours."""
        self._at = at
        if done.final != "dropped":
            self._ANSWERS[what](self, done, at)

    def tick(self, at: float) -> None:
        """Offers that waited for a number, looks at the call, its audio."""
        self._at = at
        call = self.current
        if call is None:
            return
        if self._offer_at is not None and at >= self._offer_at:
            self._offer(call.caller, at)
        if call.state == "ringing" and at >= call.last_sign + RING_LOST:
            self._over("cancelled", "no more rings")
            return
        if call.end_by is not None and at >= call.end_by:
            self._over("normal", "no answer to the hang-up")
            return
        if self._audio_at is not None and at >= self._audio_at:
            self._audio_at = None
            self._switch_audio()
        if self._look_at is not None and at >= self._look_at and not self._looking and self._can_look:
            self._looking = True
            self._send("look", "AT+CLCC", 4.0, ("+CLCC", "^SLCC"))

    # ---- incoming -----------------------------------------------------------------------------------------------

    def _ring(self, line: str, at: float) -> None:
        if ":" in line and "VOICE" not in line.upper():
            return  # +CRING: a data or fax call
        call = self._incoming(at)
        if call is None:
            return
        call.rings += 1
        call.last_sign = at
        if not call.told and call.rings >= 2:
            self._offer_at = at + NUMBER_WITHIN

    def _incoming(self, at: float) -> Current | None:
        """The ringing call, begun by whatever came first."""
        if self.current is None and at < self._deaf_until:
            if not self._doubting:
                self._doubting = True
                self._send("doubt", "AT+CLCC", 4.0, ("+CLCC", "^SLCC"))
            return None
        if self.current is None:
            self._tell_failed()
            self.current = Current(False, "ringing", at)
            self._offer_at = at + FIRST_RING_ALONE
            self._look_at = at + LOOK_EVERY
        return self.current if not self.current.outgoing and self.current.state == "ringing" else None

    def _caller(self, line: str, at: float) -> None:
        found = text.caller(line)
        if found and self.current and self.current.answered:
            self._second(found)
            return
        call = self._incoming(at) if found else None
        if call is None or found is None:
            return
        call.last_sign = at
        if not call.told:
            self._offer(found, at)
        elif call.caller is None or (found.number and not call.caller.number):
            call.caller = found
            self.tell(CallerKnown(found))

    def _offer(self, caller: text.Caller | None, at: float) -> None:
        self._offer_at = None
        if self.current and not self.current.told:
            self.current.told, self.current.caller = True, caller
            self.tell(CallOffered(caller))

    def _waiting(self, line: str, at: float) -> None:
        """+CCWA: somebody calls while we talk."""
        found = text.caller(line)
        if found and self.current:
            self._second(found)

    def _second(self, caller: text.Caller) -> None:
        if self._at < self._second_at + SECOND_ONCE:
            return
        self._second_at = self._at
        self._send("quiet", "AT+CHLD=0", 5.0)  # "user determined user busy" (22.030 6.5.5.1)
        self.tell(SecondCall(caller))

    # ---- progress -----------------------------------------------------------------------------------------------

    def _alerting(self, line: str, at: float) -> None:
        call = self.current
        if call and call.outgoing and call.state == "dialling":
            call.state = "alerting"
            self.tell(CallAlerting())

    def _active(self, line: str, at: float) -> None:
        call = self.current
        if call is None or call.answered or call.state in ("ending", "ringing"):
            return
        call.answered, call.state = True, "active"
        self._look_at = at + LOOK_IN_CALL
        self._switch_audio()
        if not self._audio_on:
            self.tell(CallAnswered())

    @property
    def _audio_on(self) -> tuple[str, ...]:
        return self.family.card_on if self.by_card else self.family.audio_on

    def _switch_audio(self) -> None:
        """The modem's speech channel is opened within the call, and once per call."""
        call = self.current
        if call is None or not self._audio_on:
            return
        call.audio_tries += 1
        for command in self._audio_on:
            self._send("audio", command, 5.0)

    def _audio_answered(self, done: Finished, at: float) -> None:
        call = self.current
        if call is None or call.state != "active" or call.audio:
            return
        if not done.ok and call.audio_tries < self.family.audio_tries:
            self._audio_at = at + AUDIO_AGAIN
            return
        call.audio = done.ok
        if not done.ok:
            self.tell(SpeechRefused())
        self.tell(CallAnswered())

    def _state_said(self, line: str, at: float) -> None:
        found = text.call_state(line)
        if found:
            self._saw(found, line, at)

    def _saw(self, found: text.CallState, line: str, at: float) -> None:
        call = self.current
        if found.state == "incoming" and not found.outgoing and call is None:
            call = self._incoming(at)
        if call is None:
            return
        call.looks_missed = 0
        if found.state == "waiting":
            self._second(text.Caller(found.number, "ok") if found.number else text.Caller("", "unavailable"))
        elif found.state == "released":
            self._over(self._usual_end(), line.partition(":")[0])
        elif found.state in ("active", "held"):
            self._active(line, at)
        elif found.state == "alerting":
            self._alerting(line, at)
        elif found.state == "incoming" and call.state == "ringing":
            call.last_sign = at
            if found.number and not call.told and call.rings >= 1:
                self._offer(text.Caller(found.number, "ok"), at)

    # ---- the end ------------------------------------------------------------------------------------------------

    def _result_code(self, line: str, at: float) -> None:
        word = line.strip().upper()
        self._over(RESULT_CODES.get(word) or self._usual_end(), word)

    def _vendor_end(self, line: str, at: float) -> None:
        fields = text.fields_of(line)
        cause = text.number_in(fields[3]) if line.startswith("^CEND") and len(fields) > 3 else -1
        answered = bool(self.current and self.current.answered)
        self._over(self._usual_end() if answered else text.CC_CAUSES.get(cause, self._usual_end()), line[:40])

    def _usual_end(self) -> str:
        """Why a call most likely ended when nobody says."""
        call = self.current
        if call is None or call.answered or call.state == "ending":
            return "normal"
        if not call.outgoing:
            return "cancelled"
        return "no-answer" if call.state == "alerting" else "unreachable"

    def _over(self, reason: str, detail: str, tidy: bool = True) -> None:
        call, self.current = self.current, None
        self._offer_at, self._look_at, self._audio_at = None, None, None
        self._can_look = True
        if call is None:
            return
        if call.state == "ending" and not call.outgoing:
            self._deaf_until = self._at + DEAF
        if tidy and call.audio:
            for command in self.family.audio_off:
                self._send("quiet", command, 5.0)
        if tidy and call.withhold == "service":
            self._send("quiet", "AT+CLIR=0", 5.0)
        if tidy and call.outgoing and reason == "unreachable":
            self._failed = (reason, detail, self._at < call.began + NO_VOICE_WITHIN)
            self._send("cause", "AT+CEER", 3.0, ("+CEER",))
        elif call.told:
            self.tell(CallEnded(reason, detail))

    def _cause_said(self, done: Finished, at: float) -> None:
        """Why the network ended our call, in its own words (27.007 6.10)."""
        self._tell_failed(*text.release_cause(done.lines))

    def _tell_failed(self, said: str = "", words: str = "") -> None:
        if self._failed is None:
            return
        (reason, detail, at_once), self._failed = self._failed, None
        if at_once and not said:
            self.tell(NoVoice())
        self.tell(CallEnded(said or reason, words or detail))

    # ---- answers ------------------------------------------------------------------------------------------------

    def _dialled(self, done: Finished, at: float) -> None:
        if done.ok or self.current is None:
            return
        word = done.final.upper()
        if "ERROR" in word and self.current.withhold == "call":
            self.current.withhold = "service"
            self._send("withhold", "AT+CLIR=1", 5.0)
            return
        reason = RESULT_CODES.get(word) or ("fault" if word == "TIMEOUT" else self._usual_end())
        if "ERROR" in word:
            reason = "rejected" if text.error_code(done.final) in (3, 4) else "congestion"
        self._clear_up(done)
        self._over(reason, done.final)

    def _withheld(self, done: Finished, at: float) -> None:
        """Our number is hidden for the next call; where it cannot be, the call is not made."""
        if self.current and self.current.state == "dialling":
            if done.ok:
                self._send("dial", f"ATD{self.current.number};", 90.0)
            else:
                self._over("rejected", "the number cannot be withheld")

    def _answered(self, done: Finished, at: float) -> None:
        if done.ok:
            self._active("", at)
        elif self.current:
            self.current.state = "ringing"
            self._clear_up(done)
            self._over("cancelled", done.final)

    def _clear_up(self, done: Finished) -> None:
        """A command whose answer was lost may have worked: the modem shall not keep a call that nobody has."""
        if done.final == "timeout":
            self._send("quiet", self.family.hang_up[0], 5.0)

    def forget_old(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        """What ends a call that an earlier run of ours left behind, from the answer of a look at the start. A call that
        rings is left to ring."""
        found = [state for line in lines if (state := text.call_state(line))]
        old = any(one.state in ("active", "held", "dialling", "alerting") for one in found)
        return self.family.hang_up if old else ()

    def _ended(self, done: Finished, at: float) -> None:
        if self.current is None or self.current.state != "ending":
            return
        if not done.ok and self._endings:
            self._send("end", self._endings.pop(0), 5.0)
            return
        self._over("normal", done.final)

    def _looked(self, done: Finished, at: float) -> None:
        self._looking = False
        call = self.current
        if call is None:
            return
        self._look_at = at + (LOOK_IN_CALL if call.answered else LOOK_EVERY)
        if not done.ok:
            self._can_look = done.final != "ERROR" and text.error_code(done.final) not in (3, 4)
            return
        found = [state for line in done.lines if (state := text.call_state(line))]
        if not found:
            call.looks_missed += 1
            if call.looks_missed >= LOOKS_MISSED:
                self._over(self._usual_end(), "not among the modem's calls")
            return
        for state in sorted(found, key=lambda one: one.state == "waiting")[:2]:
            if state is found[0] or state.state == "waiting":
                self._saw(state, "+CLCC", at)

    def _doubt_settled(self, done: Finished, at: float) -> None:
        """What rang right after our hang-up is a new call when the modem has one, else the old one's last word."""
        caller, self._doubted, self._doubting = self._doubted, None, False
        found = [state for line in done.lines if (state := text.call_state(line))]
        new = next((state for state in found if state.state == "incoming" and not state.outgoing), None)
        if new is None or self.current is not None:
            return
        self._deaf_until = 0.0
        call = self._incoming(at)
        if call:
            call.rings = 1
        if caller or new.number:
            self._offer(caller or text.Caller(new.number, "ok"), at)

    def _nothing(self, done: Finished, at: float) -> None:
        """Nothing follows from this answer."""

    def _send(self, what: str, command: str, seconds: float, expects: tuple[str, ...] = ()) -> None:
        self.engine.send(Command(command, expects, seconds, Priority.CALL, tag=f"call {what}"))

    def _flow(self, line: str, at: float) -> None:
        """+QPCMV: 0,0 and 1,0 within a call: the serial speech port is full, or takes more."""
        first = (text.fields_of(line) or [""])[0]
        if self.current and self.current.audio and first in ("0", "1"):
            self.tell(SpeechFlow(first == "1"))

    _SIGNS: ClassVar[tuple[tuple[str, Callable[["Calls", str, float], None]], ...]] = (
        ("RING", _ring), ("+CRING", _ring), ("+CLIP", _caller), ("+CCWA", _waiting),
        ("+CLCC", _state_said), ("+QIND", _state_said), ("^DSCI", _state_said), ("^SLCC", _state_said),
        ("^CONF", _alerting), ("MO RING", _alerting), ("^CONN", _active), ("MO CONNECTED", _active),
        ("CONNECT", _active), ("VOICE CALL: BEGIN", _active), ("VOICE CALL: END", _vendor_end), ("^CEND", _vendor_end),
        ("MISSED_CALL", _vendor_end), ("HANGUP", _vendor_end),
        ("NO CARRIER", _result_code), ("BUSY", _result_code), ("NO ANSWER", _result_code), ("NO DIAL", _result_code),
        ("+QPCMV", _flow),
    )  # fmt: skip
    _ANSWERS: ClassVar[dict[str, Callable[["Calls", Finished, float], None]]] = {
        "dial": _dialled, "answer": _answered, "end": _ended, "look": _looked, "audio": _audio_answered,
        "quiet": _nothing, "cause": _cause_said, "withhold": _withheld, "doubt": _doubt_settled,
    }  # fmt: skip
