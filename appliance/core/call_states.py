"""The words of the call machine: its states, what it knows of a leg, and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from appliance.core.causes import Cause
from appliance.core.model import LegId, Number, Target, Wave

LONGEST_TALK = 4 * 3600.0  # seconds; a forgotten call must not hold a line for ever
NO_SIGN = 45.0  # an outside leg that neither rings nor ends: try the next line
NO_ANSWER = 90.0  # an outside leg that rings
ANNOUNCEMENT = 180.0  # a guard for prompts that never end
SUMMONS = 25.0  # how long a phone rings that the box itself calls
ASKED = 15.0  # who answered outside and does not press 1
WHISPERED = 20.0  # a guard for whispers that never end
RECALL = 30.0  # how long a transferred or parked call rings the one who sent it away
PARKED = 60.0  # a parked call comes back after this
BREATH = 2.0  # between two rounds in which nobody could be rung
FAILOVER = frozenset({  # it was the line, not who was called: the next one is tried
    Cause.CONGESTION, Cause.LINE_LOST, Cause.TIMEOUT, Cause.FAULT, Cause.UNREACHABLE, Cause.MEDIA, Cause.NOT_ALLOWED,
})  # fmt: skip
LOST = frozenset({Cause.LINE_LOST, Cause.MEDIA, Cause.FAULT, Cause.TIMEOUT})
DETOURS: Mapping[Cause, str] = {
    Cause.BUSY: "busy", Cause.REJECTED: "busy", Cause.NO_ANSWER: "no-answer", Cause.NOT_REGISTERED: "offline",
    Cause.UNREACHABLE: "offline", Cause.TIMEOUT: "offline",
}  # fmt: skip


class State(StrEnum):
    """Where the call stands."""

    NEW = "new"
    SUMMONING = "summoning"  # the box calls a phone; nobody has answered yet
    RINGING = "ringing"  # legs are being tried
    LOOKING = "looking"  # somebody is asked who looks after the caller
    QUEUED = "queued"  # the caller waits with music; colleagues may be tried
    WHISPERING = "whispering"  # somebody took it and hears who calls
    CONNECTING = "connecting"  # the caller leg is being answered
    TALKING = "talking"
    OPENING = "opening"  # the caller leg is being answered for a prompt or service
    ANNOUNCING = "announcing"
    GREETING = "greeting"  # a prompt before the next step
    SCREENING = "screening"  # a stranger is asked for a key
    CHOOSING = "choosing"  # a menu waits for keys
    RECORDING = "recording"  # a mailbox takes a message
    SERVING = "serving"
    ASKING = "asking"  # for the PIN of whose phone it is
    DECIDING = "deciding"  # the router is asked where the call goes on
    PARKED = "parked"
    CONSULTING = "consulting"  # one of the two talks to a third, the other waits
    ENDED = "ended"


@dataclass(slots=True)
class Leg:
    """What the call knows of one of its legs."""

    id: LegId
    line: str
    number: Number
    state: str = "dialling"  # dialling | ringing | asked | talking | ended
    cause: str = ""
    detail: str = ""
    target: Target | None = None


@dataclass(slots=True)
class Hunt:
    """How far a RingStep has come."""

    waves: tuple[Wave, ...]
    repeat: bool
    index: int = -1
    later: tuple[Target, ...] = ()  # of this wave, not rung yet, by delay
    began: float = 0.0
    resting: bool = False  # nobody could be rung: a breath before the next round
