"""Stand-ins that keep the rules of the real thing: a line that answers commands with events, a bridge that knows who
hears whom, a storage that remembers."""

from dataclasses import dataclass, field

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import PHONES, Kind, LegId, LineId, Number, Offer
from appliance.lines import LineStatus


@dataclass
class FakeLine:
    """A line whose far end does what the test says. Legs that were answered have a slot."""

    id: LineId
    post: object
    usable: bool = True
    legs: dict[LegId, str] = field(default_factory=dict)
    seen: list[object] = field(default_factory=list)
    slots: dict[LegId, int] = field(default_factory=dict)

    def start(self): ...
    def stop(self): ...
    def poll(self, at): ...

    def perform(self, command):
        self.seen.append(command)
        if isinstance(command, do.Dial):
            self.legs[command.leg] = "dialled"
        elif isinstance(command, do.Answer):
            self._up(command.leg)
        elif isinstance(command, do.HangUp) and self.legs.pop(command.leg, None):
            self.slots.pop(command.leg, None)
            self.post(ev.Ended(command.leg, command.cause))

    def _up(self, leg):
        self.legs[leg] = "up"
        self.slots[leg] = len(self.slots) + (100 if self.id == PHONES else 200)
        self.post(ev.Answered(leg))

    def slot(self, leg):
        return self.slots.get(leg)

    def status(self):
        busy = bool(self.legs)
        return LineStatus(self.id, "gsm", "up" if self.usable else "not-there", self.usable, busy)

    # what the far end does
    def offer(self, leg, caller, called):
        self.legs[leg] = "offered"
        self.post(ev.Offered(Offer(leg, self.id, caller, called)))

    def far_answers(self, leg):
        self._up(leg)

    def far_ends(self, leg, cause=Cause.NORMAL):
        self.legs.pop(leg, None)
        self.slots.pop(leg, None)
        self.post(ev.Ended(leg, cause))

    def dialled(self):
        return [c for c in self.seen if isinstance(c, do.Dial)]


@dataclass
class FakeBridge:
    """Who hears whom."""

    post: object
    joined: set = field(default_factory=set)
    playing: dict = field(default_factory=dict)

    def join(self, a, b):
        self.joined.add((a, b))

    def part(self, a, b):
        self.joined.discard((a, b))

    def play(self, leg, slot, path, loop):
        self.playing[leg] = (path.stem, loop)

    def say(self, leg, slot, paths):
        self.playing[leg] = (" ".join(path.stem for path in paths), False)

    def levels(self, slot):
        return -20, -30

    def stop_play(self, leg):
        self.playing.pop(leg, None)

    def prompt_ends(self, leg):
        self.playing.pop(leg, None)
        self.post(ev.PromptEnded(leg))


@dataclass
class FakeStorage:
    """Remembers; a message is stored at once unless the disk is full."""

    post: object
    calls: list = field(default_factory=list)
    messages: list = field(default_factory=list)
    overrides: dict = field(default_factory=dict)
    facts: dict = field(default_factory=dict)
    hits: list = field(default_factory=list)
    events: list = field(default_factory=list)
    blocked: list = field(default_factory=list)
    added: list = field(default_factory=list)
    full: bool = False

    def call(self, record):
        self.calls.append(record)

    def sms(self, command):
        facts = (command.line, command.memory, command.slot, command.part.pdu)
        if self.full:
            self.post(ev.SmsStoreFailed(*facts, reason="disk-full"))
            return
        self.messages.append(command)
        self.post(ev.SmsStored(*facts))

    def override(self, name, value, by):
        self.overrides[name] = value

    def hit(self, block):
        self.hits.append(block)

    def block(self, pattern, by):
        self.blocked.append(pattern)

    def add_block(self, entry, by):
        self.added.append(entry)

    def happened(self, message, args, severity):
        self.events.append(message)

    def fact(self, line, name, value):
        self.facts[line, name] = value


def e164(text):
    return Number(text, Kind.E164)


def internal(text):
    return Number(text, Kind.INTERNAL)
