"""Faults by name: what goes wrong, for a while, until it has shown once, or until it is taken back."""

import asyncio
from dataclasses import dataclass

from appliance.virtual.quirks import Quirks


@dataclass(frozen=True, slots=True)
class Fault:
    """Which switch it moves, to what when nothing is said, and what it does, in words."""

    switch: str
    value: object
    text: str
    kind: str = "word"  # of its parameter: word, seconds (it ends by itself after so many), percent, code, hex


FAULTS: dict[str, Fault] = {
    "silence": Fault("silent", "AT", "no command is answered", "seconds"),
    "late": Fault("late", 6.0, "answers come so many seconds late"),
    "drop-urc": Fault("drop_urc", 0.05, "this share of the unsolicited lines is lost", "percent"),
    "reset": Fault("reset_on", "AT", "it starts anew instead of answering"),
    "garbage": Fault("garbage", "00ff7e0d0a2b434d", "octets before each answer", "hex"),
    "desync": Fault("desync", True, "each answer comes with the next command"),
    "dribble": Fault("dribble", 0.005, "octet by octet, so many seconds apart"),
    "join": Fault("join", True, "unsolicited lines and answers in one write"),
    "inside": Fault("inside", "^RSSI:17", "a line in the middle of answers"),
    "lie-memory": Fault("memory_lie", True, "+CMTI names the other memory"),
    "wrong-length": Fault("wrong_length", True, "the length beside a PDU is wrong"),
    "unreadable": Fault("readable_after", 10.0, "a message can be read so many seconds after +CMTI"),
    "delete-fails": Fault("delete_fails", -1, "so many deletions fail; -1: all"),
    "prompt-lost": Fault("prompt_lost", True, "no prompt comes"),
    "prompt-slow": Fault("prompt_seconds", 3.0, "the prompt comes so many seconds late"),
    "result-lost": Fault("lose_final", "AT+CMGS", "the final result of these commands is lost"),
    "cms": Fault("send_error", 38, "messages are refused with this code"),
    "cme": Fault("fail", "AT+ 14", "commands are refused with this code", "code"),
    "no-report": Fault("report_statuses", "", "no report of delivery comes"),
    "no-voice": Fault("no_voice", True, "each call fails at once"),
    "ussd": Fault("ussd_refused", 5, "codes are answered by this m at once"),
    "services": Fault("service_error", 100, "forwarding is refused with this code"),
    "audio-stall": Fault("audio_stall", True, "no sound comes from the port"),
    "lose-octet": Fault("lose_octet", 50, "an octet of sound is lost each so many frames"),
    "drift": Fault("drift_ppm", 200.0, "the clock of the sound is wrong by so many millionths"),
}


@dataclass(slots=True)
class On:
    """A fault that is on: what its switch was, and when it ends."""

    before: object
    words: str
    timer: asyncio.TimerHandle | None = None


class Faults:
    """Those of one modem."""

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks
        self._on: dict[str, On] = {}

    def start(self, name: str, words: list[str], seconds: float = 0.0, once: bool = False) -> None:
        """Something goes wrong from now. Raises ValueError with a sentence."""
        fault = FAULTS.get(name)
        if fault is None:
            raise ValueError(f"there is no fault {name}; there are: reboot, under-voltage, {', '.join(FAULTS)}, none")
        if words == ["off"]:
            self.end(name)
            return
        value: object = words[0] if words else fault.value
        if fault.kind == "seconds":
            seconds, value = _number(words[0]) if words else seconds, fault.value
        elif fault.kind == "percent" and words:
            value = _number(words[0].rstrip("%")) / 100
        elif fault.kind == "code" and words:
            value = f"{words[1] if len(words) > 1 else 'AT+'} {int(_number(words[0]))}"
        self.end(name)
        before = getattr(self._quirks, fault.switch)
        self._quirks.change(fault.switch, value)
        on = On(before, " ".join(words))
        if once:
            self._quirks.once[fault.switch] = before
        if seconds > 0:
            on.timer = asyncio.get_running_loop().call_later(seconds, lambda: self.end(name))
        self._on[name] = on

    def end(self, name: str) -> None:
        """It is right again. May be called twice."""
        on = self._on.pop(name, None)
        if on is None:
            return
        if on.timer:
            on.timer.cancel()
        self._quirks.change(FAULTS[name].switch, on.before)

    def forget(self) -> None:
        """All is right again."""
        for name in list(self._on):
            self.end(name)

    def listed(self) -> dict[str, object]:
        """What is on: name -> what it does. One that has shown its one time is gone."""
        for name, on in list(self._on.items()):
            fault = FAULTS[name]
            if getattr(self._quirks, fault.switch) == on.before:
                self.end(name)
        return {name: f"{FAULTS[name].text} {on.words}".strip() for name, on in self._on.items()}


def _number(word: str) -> float:
    """A number that is not below zero. Raises ValueError with a sentence."""
    if not word.replace(".", "", 1).isdecimal():
        raise ValueError(f"{word} is no number")
    return float(word)
