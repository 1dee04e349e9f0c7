"""The far end of a virtual modem: what people, the operator and a hand at the plug do, by the control socket."""

import asyncio
from collections.abc import Callable, Mapping

from appliance.virtual.families import family
from appliance.virtual.modem import VirtualModem
from appliance.virtual.operator import Caller
from appliance.virtual.ussd import DONE, Screen

Answer = dict[str, object]
Args = Mapping[str, object]
WITHOUT_POWER = (
    "plug unplug status set call sms pdu profile pin sim forward balance ussd sent fault seed network storage"
)
MOST_SECONDS = 86400.0
MOST_BALANCE = 1e6
LAST_WORDS_SECONDS = 0.05


class FarEnd:
    """Verbs of one modem."""

    def __init__(self, modem: VirtualModem) -> None:
        self._modem = modem
        self._verbs: Mapping[str, Callable[[Args], Answer]] = {
            "call": self._call, "second": self._call, "answer": self._answers, "press": self._press,
            "busy": lambda args: self._ends("busy"), "no-answer": lambda args: self._ends("no-answer"),
            "hang-up": lambda args: self._ends("hang-up", bool(args.get("silent"))), "heard": self._heard,
            "sms": self._sms, "pdu": self._pdu, "sent": self._sent, "ussd": self._ussd, "balance": self._balance,
            "forward": self._forward, "network": self._network, "storage": self._storage, "sim": self._sim,
            "pin": self._pin, "unplug": self._unplug, "plug": self._plug, "profile": self._profile,
            "fault": self._fault, "play": self._play, "record": self._record, "set": self._set,
            "status": lambda args: self.status(),
        }  # fmt: skip

    def do(self, verb: str, args: Args) -> Answer:
        """Do it, and say what came of it. Raises ValueError with a sentence for people."""
        action = self._verbs.get(verb)
        if action is None:
            raise ValueError(f"a modem cannot {verb}; it can: {', '.join(self._verbs)}")
        if not self._modem.plugged and verb not in WITHOUT_POWER.split():
            raise ValueError("the modem is unplugged")
        answer = action(args)
        self._modem.slot.keep()
        return answer

    def status(self) -> Answer:
        """Everything there is to see."""
        modem, card = self._modem, self._modem.slot.owner
        number = modem.number
        return {
            "name": modem.name, "family": modem.family.name, "plugged": modem.plugged,
            "port": modem.wire.name, "speech_port": modem.speech.port.name, "registered": modem.on_network(),
            "imei": modem.imei, "number": number, "iccid": card.iccid, "sim": modem.slot.state or "absent",
            "pin_tries": card.tries, "puk_tries": card.puk_tries, "balance": card.balance,
            "calls": [call.public() for call in modem.calls.now],
            "history": [call.public() for call in modem.calls.history[-20:]],
            "messages": modem.store.status(), "submitted": modem.submit.status(),
            "message_in_hand": modem.submit.in_hand,
            "forwarding": modem.services.status(), "call_waiting": card.call_waiting,
            "forwarded": [one for one in modem.operator.forwarded if one["called"] == number][-20:],
            "ussd": list(modem.ussd.asked), "faults": modem.faults.listed(),
            "speech": {"sent": modem.speech.frames_sent, "heard": modem.speech.octets_heard},
        }  # fmt: skip

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, args: Args) -> Answer:
        hidden = "withheld" if args.get("withheld") else "unavailable" if args.get("unavailable") else ""
        number = str(args.get("number", ""))
        if not number or len(number) > 40 or any(c not in "+0123456789*#" for c in number):
            raise ValueError("a number has digits, and a + before them")
        clip = "late" if args.get("late") else str(args.get("clip") or "")
        if clip not in ("", "with", "before", "late", "never"):
            raise ValueError("the number comes with each ring, before the first, late, or never")
        calls = self._modem.calls
        before = len(self._modem.operator.forwarded)
        calls.incoming(Caller(number, hidden, clip, _seconds(args, "for")))
        if len(self._modem.operator.forwarded) > before:
            sent = self._modem.operator.forwarded[-1]
            return {"said": f"The network sent the call on to {sent['to']} ({sent['reason']}).", "forwarded": sent}
        return {"call": calls.now[-1].public()}

    def _answers(self, args: Args) -> Answer:
        return {"call": self._modem.calls.far_answers().public()}

    def _ends(self, how: str, silent: bool = False) -> Answer:
        return {"call": self._modem.calls.far_ends(how, silent).public()}

    def _press(self, args: Args) -> Answer:
        digits = str(args.get("digits", ""))
        if args.get("sound"):
            self._modem.speech.press(digits)
        else:
            self._modem.calls.far_digits(digits)
        return {}

    def _heard(self, args: Args) -> Answer:
        return {"digits": self._modem.speech.keys_heard(), "octets": self._modem.speech.octets_heard}

    def _play(self, args: Args) -> Answer:
        self._modem.speech.play(str(args.get("file", "")), bool(args.get("loop")))
        return {}

    def _record(self, args: Args) -> Answer:
        self._modem.speech.record(str(args.get("file", "")))
        return {}

    # -- messages and codes --------------------------------------------------------------------------------------------

    def _sms(self, args: Args) -> Answer:
        flash, coding = bool(args.get("flash")), str(args.get("coding") or "auto")
        text = str(args.get("text", ""))
        return {"parts": self._modem.store.send_text(str(args.get("from", "")), text, flash, coding)}

    def _pdu(self, args: Args) -> Answer:
        state, message = str(args.get("state") or ""), str(args.get("hex", ""))
        if state:
            self._modem.store.keep(message, state)
        else:
            self._modem.store.arrive(message)
        return {}

    def _sent(self, args: Args) -> Answer:
        return {"sent": self._modem.submit.listed()}

    def _ussd(self, args: Args) -> Answer:
        code, text = str(args.get("code", "")), str(args.get("text") or "")
        result = int(str(args.get("result") or DONE))
        if code == "push":
            self._modem.ussd.push(text, result)
        else:
            seconds = -1.0 if args.get("seconds") is None else _seconds(args, "seconds")
            self._modem.ussd.teach(code, Screen(text, result, {}, str(args.get("encoding") or ""), seconds))
        return {}

    def _balance(self, args: Args) -> Answer:
        amount = args.get("amount")
        if amount is not None:
            wanted = float(str(amount))
            if not -MOST_BALANCE <= wanted <= MOST_BALANCE:
                raise ValueError("a balance is less than a million")
            self._modem.slot.owner.balance = round(wanted * 100)
        return {"balance": self._modem.slot.owner.balance}

    def _forward(self, args: Args) -> Answer:
        self._modem.services.change(str(args.get("reason", "")), str(args.get("number") or ""))
        return {}

    # -- the network and the device ------------------------------------------------------------------------------------

    def _network(self, args: Args) -> Answer:
        self._modem.network.set_coverage(bool(args.get("on")))
        return {}

    def _storage(self, args: Args) -> Answer:
        self._modem.store.set_full(bool(args.get("full")))
        return {}

    def _sim(self, args: Args) -> Answer:
        if args.get("state") == "out":
            self._modem.slot.take_out()
        else:
            self._modem.slot.put_in(str(args.get("iccid") or ""))
        return {"said": f"The SIM: {self._modem.slot.state or 'absent'}."}

    def _pin(self, args: Args) -> Answer:
        pin = str(args.get("pin") or "")
        self._modem.slot.set_pin("" if pin == "none" else pin)
        return {}

    def _unplug(self, args: Args) -> Answer:
        self._modem.stop()
        return {}

    def _plug(self, args: Args) -> Answer:
        if not self._modem.plugged:
            self._modem.name_ports(str(args.get("as") or self._modem.name))
        self._modem.start()
        return {}

    def _profile(self, args: Args) -> Answer:
        """Another modem in the same slot, with the same card: this one goes away, that one comes."""
        found = family(str(args.get("name", "")))
        was_plugged = self._modem.plugged
        self._modem.faults.forget()
        self._modem.stop()
        self._modem.take_profile(found)
        if was_plugged:
            asyncio.get_running_loop().call_later(self._modem.quirks.reboot_seconds, self._modem.start)
        return {}

    def _set(self, args: Args) -> Answer:
        self._modem.change(str(args.get("name", "")), args.get("value", ""))
        return {}

    def _fault(self, args: Args) -> Answer:
        name, rest = str(args.get("name") or ""), args.get("words")
        words = [str(word) for word in rest] if isinstance(rest, list) else []
        if name == "none":
            self._modem.faults.forget()
        elif name in ("reboot", "under-voltage"):
            self._modem.urc("UNDER-VOLTAGE POWER DOWN" if name == "under-voltage" else "")
            asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, self._modem.reboot)
        elif name:
            self._modem.faults.start(name, words, _seconds(args, "for"), bool(args.get("once")))
        return {"faults": self._modem.faults.listed()}


def _seconds(args: Args, name: str) -> float:
    """A time from a request. Raises ValueError."""
    seconds = float(str(args.get(name) or 0))
    if not 0 <= seconds <= MOST_SECONDS:
        raise ValueError("a time is between 0 and 86400 seconds")
    return seconds
