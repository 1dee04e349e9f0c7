"""Whether a trunk can be used: signing in at the provider, signs of life, and when to try again. Pure.

A trunk that signs in works while its registration holds and the provider answers; one that is known by its address
works while the provider answers. What failed is tried again soon at first and then more and more seldom, and a refused
password more seldom still: providers shut out addresses that knock too often (RFC 5626 4.5 has the same shape). All
times are seconds of one clock that only grows.
"""

from dataclasses import dataclass
from enum import StrEnum

ASK_EVERY = 30.0  # between two signs of life
ANSWER_WITHIN = 4.0
MISSES = 3
LOST_AGAIN = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0)  # after a provider that did not answer or had a fault
REFUSED_AGAIN = (30.0, 60.0, 120.0, 300.0, 600.0)  # after one that said no
NO_ANSWER_WITHIN = 10.0  # a registration without any answer: told, though the transaction still waits

SIGNING_IN, WORKS, NO_ANSWER, PASSWORD, REFUSED, UNKNOWN_NAME, CERTIFICATE = (
    "signing-in", "in-service", "no-provider", "password-refused", "provider-refused", "no-such-name", "certificate"
)  # fmt: skip
NOTHING_CAME = frozenset({0, 408, 503})  # what PJSIP says where no answer came, or no connection


class Deed(StrEnum):
    """What is to be done."""

    SIGN_IN = "sign-in"
    ASK = "ask"  # for a sign of life
    UP = "up"
    DOWN = "down"  # `Watch.state` says why


@dataclass(slots=True)
class Watch:
    """`registers`: it signs in; `asks`: the provider answers questions for signs of life. Methods give what is to be
    done, in order."""

    registers: bool
    asks: bool = True
    state: str = SIGNING_IN
    registered: bool = False
    usable: bool = False
    expires_at: float = 0.0
    next_try: float | None = None  # when it signs in again by itself; None: not planned
    tries: int = 0
    next_ask: float = 0.0
    asked_at: float | None = None  # of the question that is out
    misses: int = 0
    trying_since: float | None = None  # a registration is on its way since then

    def start(self, at: float) -> list[Deed]:
        """Begin."""
        self.next_ask = at + (ASK_EVERY if self.registers else 0.0)
        if self.registers:
            return self._sign_in(at)
        return [] if self.asks else self._works()

    def sign_in(self, at: float) -> list[Deed]:
        """Somebody wants it now, or the plan says so."""
        self.next_ask = at
        self.asked_at, self.misses = None, 0
        return self._sign_in(at) if self.registers else self.tick(at)

    def accepted(self, at: float, seconds: float) -> list[Deed]:
        """The provider took the registration, for that long."""
        self.registered, self.expires_at = True, at + seconds
        self.next_try, self.tries, self.misses, self.trying_since = None, 0, 0, None
        return self._works()

    def refused(self, at: float, code: int, retry_after: float = 0.0, why: str = "") -> list[Deed]:
        """It did not. `code`: the status, or one of NOTHING_CAME; `why`: a state that is known better than by it."""
        self.registered, self.trying_since = False, None
        plan = LOST_AGAIN if _may_pass(code) and not why else REFUSED_AGAIN
        wait = max(plan[min(self.tries, len(plan) - 1)], retry_after)
        self.tries += 1
        self.next_try = at + wait
        return self._down(why or state_of(code))

    def unregistered(self) -> list[Deed]:
        """We signed out, or were signed out."""
        self.registered = False
        return []

    def answered(self, at: float, code: int) -> list[Deed]:
        """A question was answered; NOTHING_CAME is no answer."""
        if self.asked_at is None:
            return []
        self.asked_at = None
        if code in NOTHING_CAME:
            return self._missed(at)
        self.misses, self.next_ask = 0, at + ASK_EVERY
        if not self.registers:
            return self._works()
        if self.registered:
            return self._works()
        lost = self.state == NO_ANSWER and self.trying_since is None
        return self._sign_in(at) if lost else []

    def tick(self, at: float) -> list[Deed]:
        """What is due."""
        deeds: list[Deed] = []
        if self.registers and self.next_try is not None and at >= self.next_try:
            deeds += self._sign_in(at)
        trying = self.trying_since is not None and at >= self.trying_since + NO_ANSWER_WITHIN
        if trying and self.state == SIGNING_IN:
            deeds += self._down(NO_ANSWER)
        if self.registered and at >= self.expires_at:
            self.registered = False
            deeds += [*self._down(NO_ANSWER), *self._sign_in(at)]
        if self.asked_at is not None and at >= self.asked_at + ANSWER_WITHIN:
            self.asked_at = None
            deeds += self._missed(at)
        if self.asks and self.asked_at is None and at >= self.next_ask:
            self.asked_at = at
            deeds.append(Deed.ASK)
        return deeds

    def _missed(self, at: float) -> list[Deed]:
        self.misses += 1
        self.next_ask = at + (ASK_EVERY if self.misses >= MISSES else 0.0)
        if self.misses < MISSES or self.state in (PASSWORD, REFUSED, UNKNOWN_NAME, CERTIFICATE):
            return []
        if self.registered:  # what it knew of us may be gone with it
            self.registered = False
            self.tries, self.next_try = 0, at + LOST_AGAIN[0]
        return self._down(NO_ANSWER)

    def _sign_in(self, at: float) -> list[Deed]:
        self.next_try, self.trying_since = None, at
        return [Deed.SIGN_IN]

    def _works(self) -> list[Deed]:
        before, self.usable, self.state = self.usable, True, WORKS
        return [] if before else [Deed.UP]

    def _down(self, why: str) -> list[Deed]:
        same = not self.usable and self.state == why
        self.usable, self.state = False, why
        return [] if same else [Deed.DOWN]


def _may_pass(code: int) -> bool:
    """Whether it may be over soon: no answer, a fault of theirs, too many at once."""
    return code in NOTHING_CAME or code >= 500


def state_of(code: int) -> str:
    """The state of a trunk whose registration was answered so."""
    if code in (401, 403, 407):
        return PASSWORD
    return NO_ANSWER if code in NOTHING_CAME else REFUSED
