"""The switches of a virtual modem: how it behaves, and how it misbehaves when a test wants that.

Each is a field that `gsm0 set NAME VALUE` changes while it runs. The defaults are a modem that behaves; a profile
(`families.py`) brings its own. A fault (`faults.py`) moves some of them for a while, or until one has shown once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite

WORDS: dict[object, bool] = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


@dataclass(slots=True)
class Quirks:
    """Times in seconds."""

    # the network and the far end
    ring_interval: float = 5.0  # between two RINGs
    setup_seconds: float = 0.5  # from ATD until the far end rings
    auto_answer: float = -1.0  # an outgoing call is answered after so long; below 0: when told
    send_seconds: float = 0.3  # from the end of a message until the network took it
    send_error: int = 0  # CMS error for every message sent
    report_seconds: float = 0.5  # from there until the report of its delivery, and between two reports of one message
    report_statuses: str = "00"  # TP-ST of the reports, in hex, in their order: "30,00"; "" = none comes
    redeliver_seconds: float = 0.3  # a message held by the network comes so long after there is room
    register_seconds: float = 0.2  # from radio on until registered
    registered_as: int = 1  # +CREG: 1 home, 5 roaming, 3 denied ...
    service_seconds: float = 0.2  # what the network needs for forwarding and its like
    service_error: int = 0  # +CME error for each of these
    ussd_seconds: float = 0.3  # from a code until its answer
    ussd_timeout: float = 60.0  # an open dialogue is ended by the network after so long
    ussd_request: str = "plain"  # how the device wants a code: plain, packed, ucs2
    ussd_answer: str = "plain"  # how it gives the answer (`ussd_forms.py`)
    ussd_first: bool = False  # the answer comes before the OK
    ussd_refused: int = -1  # each code is answered by this m at once: 4 not supported, 5 time-out
    no_voice: bool = False  # registered, and each call fails at once: LTE without VoLTE
    operator: str = "Orange PL"
    operator_code: str = "26003"
    signal: int = 17  # CSQ, 0..31
    nitz: bool = True  # the network tells the time
    clock_offset: float = 0.0  # the network's clock is so far from this machine's
    # the SIM and the device
    number_known: bool = True  # the SIM tells its number
    no_lte: bool = False  # no +CEREG
    capacity_sm: int = 50
    capacity_me: int = 23
    capacity_sr: int = 10
    report_kinds: str = "012"  # the values of ds that AT+CNMI takes
    next_reference: int = -1  # TP-MR of the next message; below 0: one more than the last
    reboot_seconds: float = 2.0
    deaf_seconds: float = 0.0  # no answer so long after power-on
    pin_silent_seconds: float = 0.0  # AT+CPIN? is not answered so long after power-on
    boot_seconds: float = 0.0  # its lines after power-on are spread over so long
    sim_busy_seconds: float = 0.0  # +CME ERROR: 14 so long after power-on
    sms_busy_seconds: float = 0.0  # +CMS ERROR: 314 so long after power-on
    year_digits: int = 2  # of a date
    # misbehaviour on the AT port
    dribble: float = 0.0  # pause between two octets
    terminator: str = "\r\n"  # "\r\r\n" on some SIMCom firmwares
    garbage: str = ""  # octets in hex before each answer
    inside: str = ""  # a URC in the middle of each answer that has more than its final result
    silent: str = ""  # beginning of the commands that are not answered: "AT" = none is
    late: float = 0.0  # pause before answers ...
    late_for: str = "AT"  # ... to commands that begin so
    lose_final: str = ""  # beginning of the commands whose final result is lost
    fail: str = ""  # commands that fail, and how: "AT+CIMI 14", "AT 3"
    reset_on: str = ""  # beginning of the command that makes the device start anew instead of answering
    desync: bool = False  # each answer comes only with the next command
    join: bool = False  # a URC waits for the next answer, and both leave in one write
    drop_urc: float = 0.0  # share of the unsolicited lines that are lost, 0..1
    urcs_between: bool = False  # unsolicited lines come between prompt and result, too
    plain_errors: bool = False  # ERROR, whatever AT+CMEE says
    prompt: str = "\r\n> "
    prompt_seconds: float = 0.0  # pause before the prompt
    prompt_lost: bool = False  # it is not sent
    noise: float = 0.0  # a signal URC this often
    # misbehaviour of the store
    delete_fails: int = 0  # so many deletions fail; below 0: all
    memory_lie: bool = False  # +CMTI names the other memory
    wrong_length: bool = False  # the length beside a PDU is wrong
    readable_after: float = 0.0  # a message can be read so long after its +CMTI
    empty_slot: str = "321"  # what reading an empty slot gives: 321 (+CMS), 22 (+CME), ok
    class0_direct: bool = True  # a flash message comes as +CMT whatever CNMI says
    ack_seconds: float = 15.0  # +CNMA is due within
    # voice
    ath_ignored: bool = False  # ATH ends no call until AT+CVHU=0
    bearer: bool = False  # the list of calls has a data connection in it, as on LTE
    voice_locked: bool = False  # no audio over USB: the enabling command gives ERROR
    cring: bool = False  # it rings as +CRING: VOICE, whatever AT+CRC says
    clip: str = "with"  # the number comes with each ring, before the first one, late (with the second), or never
    drift_ppm: float = 0.0  # error of the audio clock
    lose_octet: int = 0  # drop one octet of audio each so many frames; 0: never
    audio_stall: bool = False  # no audio comes, though the call is up
    audio: str = "file"  # what the far end says: file, loop-back, octets (all 256 values), silence
    loopback_seconds: float = 0.1
    flow_control: bool = True  # a program that writes too fast is told to wait, if the family has words for it
    once: dict[str, object] = field(default_factory=dict)  # switch -> what it returns to after it has shown once

    def change(self, name: str, value: object) -> None:
        """Set one switch from JSON or from a word typed. Raises ValueError with a sentence for people."""
        known = {f.name: f.type for f in fields(self) if f.name != "once"}
        name = name.replace("-", "_")
        if name not in known:
            raise ValueError(f"there is no switch {name}; there are: {', '.join(known)}")
        kind = known[name]
        if kind is bool:
            if not isinstance(value, bool):
                if str(value).lower() not in WORDS:
                    raise ValueError(f"{name} is on or off")
                value = WORDS[str(value).lower()]
        elif kind is int or kind is float:
            try:
                value = int(str(value)) if kind is int else float(str(value))
            except ValueError:
                raise ValueError(f"{name} is a number") from None
            if not isfinite(value):
                raise ValueError(f"{name} is a number")
        else:
            value = str(value)
            if "\\" in value:
                value = value.encode("latin-1", "replace").decode("unicode_escape")
        if name == "garbage":
            bytes.fromhex(str(value))
        setattr(self, name, value)
        self.once.pop(name, None)

    def start_anew(self, *sets: Mapping[str, object]) -> None:
        """The defaults, then what each of the sets changes. Raises ValueError."""
        fresh = Quirks()
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))
        for one_set in sets:
            for name, value in one_set.items():
                self.change(name, value)

    def shown(self, *names: str) -> None:
        """A misbehaviour showed: one that was meant for one time is over."""
        for name in names:
            if name in self.once:
                setattr(self, name, self.once.pop(name))
