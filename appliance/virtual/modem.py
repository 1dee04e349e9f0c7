"""A virtual modem, whole: two ports, the card and the radio, calls, messages, speech. Its far end is `far_end.py`."""

import asyncio
import random
from collections.abc import Callable

from appliance.virtual.at import ERROR, OK, Command, Handler, Reply
from appliance.virtual.at_answers import Family
from appliance.virtual.call_commands import CallCommands
from appliance.virtual.calls import ACTIVE, Calls
from appliance.virtual.card import Card
from appliance.virtual.dialogue import Dialogue
from appliance.virtual.families import family
from appliance.virtual.faults import Faults
from appliance.virtual.network import Network, identity
from appliance.virtual.operator import Caller, Operator, Placed
from appliance.virtual.pty import PtyPort
from appliance.virtual.quirks import Quirks
from appliance.virtual.services import Services
from appliance.virtual.sim import Slot
from appliance.virtual.speech import Speech
from appliance.virtual.store import MessageStore
from appliance.virtual.submit import Submit
from appliance.virtual.ussd import Ussd
from appliance.virtual.where import Where
from appliance.virtual.wire import AtWire

AUDIO_COMMANDS = {"ddsetex": "^DDSETEX", "cpcmreg": "+CPCMREG", "qpcmv": "+QPCMV"}
HARMLESS = ("V", "Q", "X", "S0", "&C", "&D", "+IPR")
CARD_FACTS = ("pin", "pin_tries", "sim_absent")


class VirtualModem:
    """One device. Implements `at.Host` and `operator.Subscriber`; everything on the event loop's thread."""

    def __init__(self, name: str, profile: str, where: Where, operator: Operator, place: int) -> None:
        self.name = name
        self.operator = operator
        self._where = where
        self._place = place
        self.quirks = Quirks()
        self.chance = random.Random(f"{where.seed}/{name}")  # noqa: S311 - the same each time is what is wanted
        self.slot = Slot(self, place, where.kept / f"{name}-cards.json")
        self.wire = AtWire(PtyPort(where.devices / f"{name}-at"), self.quirks)
        self.dialogue = Dialogue(self, self.wire, self._answer_to, self.slot.keep)
        self.wire.on_line, self.wire.on_message = self.dialogue.line, self.dialogue.typed
        self.speech = Speech(PtyPort(where.devices / f"{name}-pcm"), self.quirks, self._flow)
        self.network = Network(self, lambda: self.slot.usable)
        self.services = Services(self, self._card, self.on_network)
        self.calls = Calls(self, operator, self.services, lambda: self.number)
        self.store = MessageStore(self, where.kept / f"{name}-sim.json", self._card, self.chance)
        self.submit = Submit(
            self, operator, lambda: self.number, lambda: self.store.text_mode, self.store.report, self.chance
        )
        self.ussd = Ussd(self, self._card, self.on_network)
        self.faults = Faults(self.quirks)
        self._handlers: dict[str, Handler] = {}
        parts = (self.dialogue, self.slot, self.network, self.services, CallCommands(self, self.calls), self.store,
                 self.submit, self.ussd)  # fmt: skip
        for part in parts:
            self._handlers |= part.handlers()
        self.ussd.in_call = lambda: bool(self.calls.now)
        self.calls.on_change = self._follow_calls
        self.network.on_change = self._network_changed
        self.slot.on_change = self.network.card_changed
        self.plugged = False
        self._life = 0  # counts plugs: what was meant for an earlier one is forgotten
        self.family: Family = family(profile)
        self.take_profile(self.family)
        for fact, value in where.quirks_of(name).items():
            if fact in CARD_FACTS and (fact != "pin" or value != self.slot.owner.pin):
                self.change(fact, value)

    def take_profile(self, found: Family) -> None:
        """Be this modem from the next power-on: its forms, its habits, its serial number. Raises ValueError."""
        self.family = found
        self.imei = imei_of(found.tac, self._place)
        mine = self._where.quirks_of(self.name)
        self.quirks.start_anew(found.quirks, {name: mine[name] for name in mine if name not in CARD_FACTS})
        self._audio_on = not found.audio

    def change(self, name: str, value: object) -> None:
        """A switch, or a fact of the card. Raises ValueError."""
        name = name.replace("-", "_")
        if name == "pin":
            self.slot.set_pin(str(value))
        elif name == "pin_tries":
            self.slot.set_tries(int(str(value)))
        elif name == "sim_absent":
            self.slot.take_out() if str(value).lower() in ("1", "true", "on") else self.slot.put_in()
        else:
            self.quirks.change(name, value)

    def _card(self) -> Card:
        return self.slot.owner

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Power on. May be called twice."""
        if self.plugged:
            return
        self.plugged = True
        self._life += 1
        self.wire.plug()
        self.speech.port.plug()
        self._boot()

    def name_ports(self, name: str) -> None:
        """The links of the ports from the next power-on. Raises ValueError."""
        if not name.replace("_", "").replace("-", "").isalnum():
            raise ValueError("a device's name has letters and digits")
        self.wire.port.link = self._where.devices / f"{name}-at"
        self.speech.port.link = self._where.devices / f"{name}-pcm"

    def _boot(self) -> None:
        self._audio_on = not self.family.audio
        self.dialogue.boot()
        self.slot.boot()
        for part in (self.calls, self.services, self.store, self.ussd):
            part.boot()
        self.network.boot()

    def stop(self) -> None:
        """Power off. May be called twice."""
        if not self.plugged:
            return
        self.plugged = False  # first: a device that is pulled out says nothing more
        self.calls.lost("the modem was unplugged")
        self._life += 1
        self.speech.end()
        self.wire.unplug()
        self.speech.port.unplug()

    # -- at.Host -------------------------------------------------------------------------------------------------------

    def on_network(self) -> bool:
        """See `at.Host`."""
        return self.plugged and self.network.registered

    def urc(self, *lines: str) -> None:
        """See `at.Host`."""
        if self.plugged:
            self.dialogue.urc(*lines)

    def ask_message(self, take: Callable[[str | None], Reply | None]) -> None:
        """See `at.Host`."""
        self.dialogue.ask_message(take)

    def finish(self, reply: Reply) -> None:
        """See `at.Host`."""
        self.dialogue.finish(reply)

    def later(self, seconds: float, do: Callable[[], object]) -> asyncio.TimerHandle:
        """See `at.Host`."""
        life = self._life

        def when_due() -> None:
            if life == self._life:
                do()

        return asyncio.get_running_loop().call_later(seconds, when_due)

    def say(self, word: str, **facts: object) -> str:
        """See `at.Host`."""
        words = self.family.words.get(word)
        return words.form.format(**facts) if words else ""

    def hear(self, sound: bytes) -> None:
        """See `at.Host`."""
        self.speech.feed(sound)

    def reboot(self) -> None:
        """See `at.Host`."""
        self.stop()
        asyncio.get_running_loop().call_later(self.quirks.reboot_seconds, self.start)

    # -- operator.Subscriber -------------------------------------------------------------------------------------------

    @property
    def number(self) -> str:
        """See `operator.Subscriber`."""
        return str(self.slot.owner.number)

    def receive(self, message: str, stored: Callable[[], None] | None) -> bool:
        """See `operator.Subscriber`."""
        before = len(self.store.waiting)
        self.store.arrive(message, stored)
        return len(self.store.waiting) == before

    def incoming(self, caller: Caller) -> Placed | None:
        """See `operator.Subscriber`."""
        return self.calls.incoming(caller)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _answer_to(self, command: Command) -> Reply | None:
        if not command.name:
            return OK
        refused = self.slot.barrier(command)
        if refused:
            return refused
        if command.name == AUDIO_COMMANDS.get(self.family.audio):
            return self._audio(command)
        handler = self._handlers.get(command.name)
        if handler:
            return handler(command)
        known = identity(self, command)
        if known is not None:
            return known
        if f"AT{command.name}" in self.family.accepted or command.name in HARMLESS:
            return OK
        return Reply(final=self.family.unknown)

    def _audio(self, command: Command) -> Reply:
        """The command that opens speech over USB: within a call, and again in each."""
        if command.op == "=?":
            return identity(self, command) or OK
        if command.op == "?":
            return Reply((f"{command.name}: {int(self._audio_on)}",))
        if self.quirks.voice_locked:
            return ERROR
        on = command.number(0, 0) != 0
        if on and not self.calls.talking and self.family.audio == "cpcmreg":
            return ERROR
        self._audio_on = on
        self._follow_calls()
        return OK

    # -- what follows what ---------------------------------------------------------------------------------------------

    def _follow_calls(self) -> None:
        talking = next((call for call in self.calls.now if call.state == ACTIVE), None)
        if not self.calls.now and self.family.audio:
            self._audio_on = False
        if talking and self._audio_on:
            self.speech.begin(talking.ear)
        else:
            self.speech.end()

    def _flow(self, go: bool) -> None:
        self.urc(self.say("flow", go=int(go)))

    def _network_changed(self) -> None:
        if self.network.registered:
            self.store.deliver()
        else:
            self.calls.lost("the network was lost")


def imei_of(tac: str, place: int) -> str:
    """A serial number with its check digit (3GPP TS 23.003 6.2): the type's eight digits, and the device's place."""
    digits = f"{tac}{100200 + place:06d}"
    doubled = [int(d) * 2 if i % 2 else int(d) for i, d in enumerate(digits)]
    return digits + str(-sum(n // 10 + n % 10 for n in doubled) % 10)
