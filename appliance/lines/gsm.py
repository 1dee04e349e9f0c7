"""A SIM line: a modem on a serial port (the one place that opens serial ports), its speech port, its one leg.

All on the loop thread; nothing blocks. A modem that is not there, does not answer or goes away is not an error: the
line is down, says why, and looks again.
"""

import contextlib
import errno
import logging
import termios
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import serial

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.countries import country as facts_of
from appliance.core.model import Kind, LegId, LineId, Number, Offer
from appliance.core.numbers import parse
from appliance.lines import LineStatus, Post
from appliance.lines import gsm_services as sim
from appliance.lines.gsm_care import Care
from appliance.lines.pin_memory import PinMemory
from appliance.lines.ports import Ports
from appliance.lines.power import UsbPower
from appliance.lines.speech import BY_PORT, PcmAudio, Speech, Way
from appliance.protocols import modem_events as said
from appliance.protocols.dtmf import DigitsOnce
from appliance.protocols.modem import Modem
from appliance.protocols.modem_send import PartToSend
from appliance.protocols.modem_text import Caller
from appliance.protocols.pdu import to_part
from appliance.protocols.sms_part import Part
from appliance.protocols.sms_report import report_of

log = logging.getLogger(__name__)

SPEED = 115200
READ_AT_ONCE = 4096
SPEECH_ALONE = 0.5  # seconds that the command port may go later than the speech
OPEN_AGAIN = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds between tries to open the port; the last is repeated
STORE_AGAIN = 20.0  # seconds: a message that could not be stored is reported again after that
LOOK_SOON = 0.05  # between two small steps of looking for a modem
TROUBLES = ("no-answer", "port-busy", "other-modem")
BUSY = (errno.EAGAIN, errno.EBUSY)  # another program has the port
ENDINGS = {
    "normal": Cause.NORMAL, "cancelled": Cause.CANCELLED, "busy": Cause.BUSY, "no-answer": Cause.NO_ANSWER,
    "rejected": Cause.REJECTED, "unreachable": Cause.UNREACHABLE, "congestion": Cause.CONGESTION,
    "lost": Cause.LINE_LOST, "fault": Cause.FAULT,
}  # fmt: skip
KINDS = {"withheld": Kind.WITHHELD, "unavailable": Kind.UNAVAILABLE}


class GsmLine:
    """Implements `lines.Line` for one modem. Loop thread only; times are monotonic seconds."""

    def __init__(
        self, line_id: LineId, device: str, pcm_device: str, number: str, country: str, modem: Modem, post: Post,
        audio: PcmAudio, monotonic: Callable[[], float] = time.monotonic, care: Care | None = None, way: Way = BY_PORT,
    ) -> None:  # fmt: skip
        self.id = line_id
        self._path = device  # the port that is open
        self._pcm_device = pcm_device
        self._care = care or Care(line_id, device, post, Ports(list), UsbPower())
        self._step = ""  # what is done to the modem when its port is open again
        self._digits = DigitsOnce()
        self._speech = Speech(line_id, way, audio, self._key, self._speech_lost)
        modem.calls.by_card = way.by_card
        self._deaf, self._deaf_at = "", 0.0  # why the speech of the call went away, and until when the modem may follow
        self._own = Number(number, Kind.E164)
        self._country = country
        self._modem = modem
        self._post = post
        self._monotonic = monotonic
        self._port: serial.Serial | None = None
        self._out = bytearray()
        self._open_at = 0.0
        self._tries = 0
        self._down = "not-there"  # why, while the port is not open
        self._told_up = False
        self._since = _now()
        self._leg: LegId | None = None
        self._numbers = count(1)
        self._waiting: dict[tuple[str, int], float] = {}  # slots whose message is being stored
        self._started = False

    # ---- lines.Line -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the port at the next poll."""
        self._started = True

    def stop(self) -> None:
        """End a call, close."""
        if self._started and self._port and self._leg:
            with contextlib.suppress(serial.SerialException, OSError):  # whatever else is in flight: nobody reads on
                self._port.write(f"{self._modem.family.hang_up[0]}\r".encode("ascii"))
        self._started = False
        self._close("off")
        self._care.gone()

    def poll(self, at: float) -> None:
        """See `lines.Line`."""
        if not self._started:
            return
        if self._port is None:
            if at >= self._open_at:
                self._open(at)
            return
        try:
            data = self._port.read(READ_AT_ONCE)
            self._handle(self._modem.feed(data, at) if data else [])
            self._handle(self._modem.tick(at))
            if self._port:
                self._write(at)
                self._end_deaf(at)
                if self._modem.usable:
                    self._care.well(at)
        except (serial.SerialException, OSError) as error:
            log.warning("line %s: the modem went away: %s", self.id, error)
            self._close("not-there")
        self._report_again(at)

    def perform(self, command: do.Command) -> None:
        """Carry out a command for our leg, or free a slot."""
        at = self._monotonic()
        if isinstance(command, do.Dial):
            self._dial(command, at)
        elif isinstance(command, do.FreeSlot):
            self._free(command, at)
        elif isinstance(command, do.SendSmsPart):
            self._send_part(command)
        elif isinstance(command, sim.COMMANDS):
            for event in sim.perform(self.id, self._modem, bool(self._port), command, at):
                self._post(event)
        elif getattr(command, "leg", None) == self._leg and self._leg is not None:
            if isinstance(command, do.Answer):
                self._modem.calls.answer()
            elif isinstance(command, do.HangUp):
                self._modem.calls.hang_up()
            elif isinstance(command, do.SendDigits) and not self._speech.press(command.digits):
                self._modem.tones.send(command.digits)
        if self._port:
            with contextlib.suppress(serial.SerialException, OSError):  # the next poll sees and tells it
                self._write(at)

    def _free(self, command: do.FreeSlot, at: float) -> None:
        if command.slot is None:
            self._modem.messages.acknowledge()
        else:
            self._waiting.pop((command.memory, command.slot), None)
            self._modem.messages.free(command.memory, command.slot, command.pdu, at)

    def digit_heard(self, source: str, digit: str, at: float) -> None:
        """A key of the far end, as the modem told it (`source` "modem") or as it was heard in the speech: what both
        say is one key."""
        if self._leg and self._digits.is_new(digit, source == "modem", at):
            self._post(ev.Digit(self._leg, digit))

    def slot(self, leg: LegId) -> int | None:
        """See `lines.Line`."""
        return self._speech.slot if leg == self._leg else None

    def status(self) -> LineStatus:
        """See `lines.Line`."""
        modem = self._modem
        state = modem.state if self._port else self._down
        if state == "starting" and self._down in TROUBLES and not modem.answers:
            state = self._down  # it is being asked once more
        facts = {
            "signal": "" if modem.network.signal is None else str(modem.network.signal),
            "operator": modem.network.operator, "network": modem.network.technology,
            "model": f"{modem.maker} {modem.model}".strip(), "imei": modem.imei, "iccid": modem.sim.iccid,
            "roaming": "1" if modem.network.roaming else "", "voice": modem.network.voice,
            "storage": f"{modem.messages.used}/{modem.messages.total}" if modem.messages.total else "",
            "calls": "1" if self._leg else "0", "since": self._since, **self._speech.facts(),
        }  # fmt: skip
        usable = bool(self._port) and modem.usable
        busy = self._leg is not None or modem.calls.current is not None
        return LineStatus(self.id, "gsm", state, usable, busy, facts, bool(self._port) and modem.answers)

    # ---- the port -------------------------------------------------------------------------------------------------

    def _open(self, at: float) -> None:
        path = self._care.port(at)
        if not path:
            self._open_at = at + (LOOK_SOON if self._care.searching else OPEN_AGAIN[0])
            self._became_down("no-answer" if self._care.powering else self._care.missing)
            return
        self._open_at = at + OPEN_AGAIN[min(self._tries, len(OPEN_AGAIN) - 1)]
        self._tries += 1
        self._care.opened(path)
        try:
            self._port = serial.Serial(path, SPEED, timeout=0, write_timeout=0, exclusive=True)
        except (serial.SerialException, OSError, ValueError, termios.error) as error:
            taken = getattr(error, "errno", 0) in BUSY
            if self._tries == 1:
                log.warning("line %s: %s cannot be opened: %s", self.id, path, error)
            self._became_down("port-busy" if taken else "no-answer")
            return
        log.info("line %s: port open", self.id)
        self._path, self._tries = path, 0
        self._out.clear()
        step, self._step = self._step, ""
        self._modem.start(at, step)
        self._since = _now()

    def _close(self, why: str) -> None:
        port, self._port = self._port, None
        if port:
            with contextlib.suppress(serial.SerialException, OSError, termios.error):
                if why != "off":
                    port.reset_output_buffer()  # a port that takes nothing would hold its close up for half a minute
            with contextlib.suppress(serial.SerialException, OSError):
                port.close()
        self._handle(self._modem.stop())
        self._waiting.clear()
        self._open_at = self._monotonic() + OPEN_AGAIN[0]
        self._became_down(why)

    def _became_down(self, why: str) -> None:
        if self._down != why or self._told_up:
            self._down = why
            self._since = _now()
            self._told_up = False
            self._post(ev.LineDown(self.id, why))

    def _write(self, at: float) -> None:
        """What the modem shall get; what the port does not take now waits."""
        self._out += self._modem.output(at)
        if self._out and self._port:
            try:
                sent = self._port.write(bytes(self._out))
            except serial.SerialTimeoutException:
                return
            del self._out[: sent or 0]

    # ---- what the modem says --------------------------------------------------------------------------------------

    def _handle(self, events: list[said.ModemEvent]) -> None:
        for event in events:
            self._EVENTS[type(event)](self, event)

    def _state_changed(self, event: said.StateChanged) -> None:
        log.info("line %s: %s", self.id, event.state)
        self._since = _now()
        usable = event.state in ("up", "storage-full")
        if usable and not self._told_up:
            self._told_up = True
            self._down = ""
            self._post(ev.LineUp(self.id))
        elif not usable and event.state != "starting" and (self._told_up or event.state != self._down):
            self._told_up, self._down = False, event.state
            self._post(ev.LineDown(self.id, event.state))

    def _port_dead(self, event: said.PortDead) -> None:
        self._step = self._care.failed(self._monotonic(), "it does not answer", answering=False)
        self._close("no-answer")

    def _sick(self, event: said.Sick) -> None:
        """Never in a call; it will say so again."""
        if self._leg or self._modem.calls.current:
            return
        at = self._monotonic()
        step = self._care.failed(at, event.why, answering=True)
        if step:
            self._modem.start(at, step)
        elif self._care.powering:
            self._close("no-answer")

    def _identified(self, event: said.Identified) -> None:
        if not self._care.identified(event):
            log.warning("line %s: the modem at %s is another one", self.id, self._path)
            self._close("other-modem")

    def _network_time(self, event: said.NetworkTime) -> None:
        self._care.network_time(event, self._monotonic())

    def _second_call(self, event: said.SecondCall) -> None:
        caller, name = self._caller(event.caller)
        self._post(ev.SecondCall(self.id, caller, name))

    def _no_voice(self, event: said.NoVoice) -> None:
        self._post(ev.LineSaid(self.id, "no-voice"))

    def _speech_refused(self, event: said.SpeechRefused) -> None:
        self._post(ev.LineSaid(self.id, "speech-refused"))

    def _slot_stuck(self, event: said.SlotStuck) -> None:
        self._care.stuck(event)

    def _mended(self, event: said.Mended) -> None:
        log.warning("line %s: the modem had lost a setting of ours (%s); it is set again", self.id, event.what)

    def _offered(self, event: said.CallOffered) -> None:
        self._leg = LegId(f"{self.id}-{next(self._numbers)}")
        caller, name = self._caller(event.caller)
        self._post(ev.Offered(Offer(self._leg, self.id, caller, self._own, name)))

    def _caller(self, caller: Caller | None) -> tuple[Number, str | None]:
        if caller is None:
            return Number("", Kind.UNAVAILABLE), None
        if caller.validity in KINDS:
            return Number("", KINDS[caller.validity]), None
        return parse(caller.number, self._country), caller.name or None

    def _caller_known(self, event: said.CallerKnown) -> None:
        if self._leg:
            caller, name = self._caller(event.caller)
            self._post(ev.NumberKnown(self._leg, caller, name))

    def _alerting(self, event: said.CallAlerting) -> None:
        if self._leg:
            self._post(ev.Ringing(self._leg))

    def _answered(self, event: said.CallAnswered) -> None:
        if self._leg:
            self._open_speech(self._leg)
            self._post(ev.Answered(self._leg, by=str(self.id)))

    def _ended(self, event: said.CallEnded) -> None:
        self._deaf = ""
        leg, self._leg = self._leg, None
        self._speech.close()
        if leg:
            self._post(ev.Ended(leg, ENDINGS.get(event.reason, Cause.FAULT), event.detail))

    def _digit(self, event: said.DigitHeard) -> None:
        self.digit_heard("modem", event.digit, self._monotonic())

    def _key(self, digit: str) -> None:
        self.digit_heard("speech", digit, self._monotonic())

    def _flow(self, event: said.SpeechFlow) -> None:
        self._speech.flow(event.go)

    def _speech_lost(self, why: str) -> None:
        """A sound card was pulled out, or a speech port; the whole modem goes with it in a moment most often."""
        self._deaf, self._deaf_at = why, self._monotonic() + SPEECH_ALONE

    def _end_deaf(self, at: float) -> None:
        """A call that nobody hears is no call."""
        if not self._deaf or at < self._deaf_at:
            return
        why, self._deaf = self._deaf, ""
        leg, self._leg = self._leg, None
        self._speech.close()
        self._modem.calls.hang_up()
        if leg:
            self._post(ev.Ended(leg, Cause.MEDIA, why))

    def _message(self, event: said.MessageRead) -> None:
        if event.slot is not None:
            self._waiting[(event.memory, event.slot)] = self._monotonic() + STORE_AGAIN
        report = None if event.raw else report_of(event.pdu)
        if report:
            where = (self.id, event.memory, event.slot, event.pdu)
            self._post(ev.SmsReported(*where, report.reference, report.recipient, report.status))
            return
        part = _raw_part(event.pdu) if event.raw else to_part(event.pdu)
        self._post(ev.SmsReceived(self.id, event.memory, event.slot, self._part(part)))

    def _part(self, part: Part) -> ev.SmsPart:
        sender = parse(part.sender, self._country, alphanumeric=True)
        if part.sender_kind == "alphanumeric":
            sender = Number(part.sender[:16], Kind.ALPHANUMERIC)
        elif part.sender_kind == "hidden":
            sender = Number("", Kind.WITHHELD)
        return ev.SmsPart(
            part.pdu, sender, part.text, part.coding, part.octets, part.sent_at, part.reference, part.total,
            part.sequence, part.flags,
        )  # fmt: skip

    def _send_part(self, command: do.SendSmsPart) -> None:
        part = PartToSend(command.out, command.sequence, command.pdu, command.length, command.more)
        if self._port is None or not self._modem.sending.send(part):
            self._post(ev.SmsPartFailed(self.id, command.out, command.sequence, 0, "line not free"))

    def _part_sent(self, event: said.PartSent) -> None:
        self._post(ev.SmsPartSent(self.id, event.out, event.sequence, event.reference))

    def _part_failed(self, event: said.PartFailed) -> None:
        self._post(ev.SmsPartFailed(self.id, event.out, event.sequence, event.code, event.detail))

    def _part_uncertain(self, event: said.PartUncertain) -> None:
        self._post(ev.SmsPartUncertain(self.id, event.out, event.sequence))

    def _services(self, event: said.UssdSaid | said.UssdFailed | said.ForwardingSaid) -> None:
        self._post(sim.translated(self.id, event))

    def _freed(self, event: said.SlotFreed) -> None:
        log.info("line %s: slot %s %d freed", self.id, event.memory, event.slot)
        self._care.freed(event)

    _EVENTS: Mapping[type, Callable[..., None]] = {
        said.StateChanged: _state_changed, said.PortDead: _port_dead, said.Sick: _sick,
        said.Identified: _identified, said.NetworkTime: _network_time, said.SecondCall: _second_call,
        said.NoVoice: _no_voice, said.SpeechRefused: _speech_refused,
        said.SlotStuck: _slot_stuck, said.Mended: _mended, said.CallOffered: _offered,
        said.CallerKnown: _caller_known, said.CallAlerting: _alerting, said.CallAnswered: _answered,
        said.CallEnded: _ended, said.DigitHeard: _digit, said.MessageRead: _message, said.SlotFreed: _freed,
        said.PartSent: _part_sent, said.PartFailed: _part_failed, said.PartUncertain: _part_uncertain,
        said.UssdSaid: _services, said.UssdFailed: _services, said.ForwardingSaid: _services,
        said.SpeechFlow: _flow,
    }  # fmt: skip

    def _report_again(self, at: float) -> None:
        """What could not be stored still lies on the SIM."""
        for (memory, slot), due in list(self._waiting.items()):
            if at >= due:
                del self._waiting[(memory, slot)]
                self._modem.messages.forget(memory, slot)
                self._modem.messages.look_soon(at)

    # ---- calls ----------------------------------------------------------------------------------------------------

    def _dial(self, command: do.Dial, at: float) -> None:
        emergency = command.number.text in facts_of(self._country).emergency and self._modem.answers
        if self._leg is not None or self._port is None or not (self._modem.usable or emergency):
            self._post(ev.Ended(command.leg, Cause.CONGESTION if self._leg else Cause.UNREACHABLE, "line not free"))
            return
        if not self._modem.calls.dial(command.number.text, at, command.withhold):
            self._post(ev.Ended(command.leg, Cause.CONGESTION, "not dialled"))
            return
        self._leg = command.leg

    def _open_speech(self, leg: LegId) -> None:
        """Hand the speech to the bridge."""
        self._speech.open(leg, self._modem.family, self._care.speech(self._path, self._pcm_device))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _raw_part(pdu: str) -> Part:
    """Something that lay among the messages and is none: kept and mailed as it came."""
    shown = bytes.fromhex(pdu).decode("latin-1")
    return Part(pdu, text=shown, flags=("undecodable",))


def from_settings(
    item: Mapping[str, object], post: Post, audio: PcmAudio, country: str = "PL", tries: Path | None = None,
    ports: Ports | None = None, known: Mapping[str, object] | None = None,
) -> GsmLine:  # fmt: skip
    """A line from its item of the settings. `country`: the office's; `tries`: the file that remembers PINs tried;
    `ports`: shared by all lines; `known`: the line's facts of before."""
    pin = item.get("pin")
    secret = str(pin.reveal()) if pin is not None and hasattr(pin, "reveal") else ""
    memory = PinMemory(tries, secret) if tries else None
    modem = Modem(secret, memory.may_try, memory.was_right, memory.was_wrong) if memory else Modem(secret)
    modem.call_waiting = bool(item.get("call_waiting"))
    line, device = LineId(str(item["id"])), str(item.get("device") or "")
    power = UsbPower(str(item.get("power_port") or "") if item.get("power") == "uhubctl" else "")
    care = Care(line, device, post, ports or Ports(list), power, str(item.get("imei") or ""), known)
    return GsmLine(
        line, device, str(item.get("pcm_device") or ""), str(item.get("number") or ""),
        str(item.get("country") or country), modem, post, audio, care=care,
        way=Way(str(item.get("alsa_device") or ""), str(item.get("audio") or "automatic")),
    )  # fmt: skip
