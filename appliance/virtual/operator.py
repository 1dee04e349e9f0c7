"""The mobile network that all virtual SIMs share: it knows who has which number and what went to the world outside."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MOST_HOPS = 5
COMPARED = 9  # last digits by which two writings of a number are the same


@dataclass(slots=True)
class Caller:
    """Somebody who calls a SIM. `hidden` is "", withheld or unavailable; `seconds` 0 = until told.

    `clip` says how the number comes (`quirks.py`). `answered` and `ended(outcome)` are told to the calling side, `ear`
    hears what the called side says. `hops` counts forwardings.
    """

    number: str
    hidden: str = ""
    clip: str = ""
    seconds: float = 0.0
    answered: Callable[[], None] | None = None
    ended: Callable[[str], None] | None = None
    ear: Callable[[bytes], None] | None = None
    hops: int = 0


class Placed(Protocol):
    """A call that rings somewhere."""

    def hang_up(self) -> None:
        """The caller ends it."""

    def hear(self, sound: bytes) -> None:
        """What the caller says (8 kHz, mono, 16 bits)."""


class Subscriber(Protocol):
    """A SIM in a device, as the network sees it."""

    @property
    def number(self) -> str:
        """With + and country."""

    def receive(self, message: str, stored: Callable[[], None] | None) -> bool:
        """Bring a message (PDU in hex); held while the device is away. True: it can be brought at once."""

    def incoming(self, caller: Caller) -> Placed | None:
        """Ring it; None when the call was forwarded out of here. Raises ValueError when it is busy or away."""


class Operator:
    """One for all devices of the process."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self.forwarded: list[dict[str, object]] = []

    def join(self, subscriber: Subscriber) -> None:
        """A SIM more."""
        self._subscribers.append(subscriber)

    def subscriber(self, number: str) -> Subscriber | None:
        """Whose number it is, if it is one of ours."""
        wanted = tail(number)
        found = (one for one in self._subscribers if wanted and tail(one.number) == wanted)
        return next(found, None)

    def forward(self, called: str, caller: Caller, to: str, reason: str) -> Placed | None:
        """A call goes on to another number: one of ours rings, one outside is only written down."""
        gone: dict[str, object] = {"from": caller.number, "called": called, "to": to, "reason": reason}
        self.forwarded = [*self.forwarded, gone][-100:]
        target = self.subscriber(to)
        caller.hops += 1
        if target is None or caller.hops > MOST_HOPS:
            return None
        try:
            return target.incoming(caller)
        except ValueError:
            if caller.ended:
                caller.ended("busy")
            return None

    @staticmethod
    def later(seconds: float, do: Callable[[], None]) -> None:
        """The network does something after a while, whatever becomes of the device."""
        asyncio.get_running_loop().call_later(seconds, do)


def tail(number: str) -> str:
    """The digits that tell numbers apart; "" for one that is too short to be a subscriber's."""
    digits = re.sub(r"\D", "", number)
    return digits[-COMPARED:] if len(digits) >= COMPARED else ""
