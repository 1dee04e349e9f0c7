"""The phones that are there: the registrar's bindings, kept over a restart, and asked for signs of life.

A binding whose phone stays silent is kept but not rung; it counts again as soon as the phone answers or registers.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from appliance.core.events import BindingChanged
from appliance.lines import Post
from appliance.protocols.registrar import Answer, Binding, Flow, Registrar
from appliance.protocols.sip_text import SipRequest, without_headers

log = logging.getLogger(__name__)

ASK_EVERY = 30.0  # seconds between two questions to a phone
ANSWER_WITHIN = 4.0
MISSES = 3
NOTHING_CAME = (408, 503)  # what PJSIP reports when no answer came


class BindingStore(Protocol):
    """Where bindings survive a restart; each call hands over at once. `remaining`: seconds until it ends."""

    def put(self, binding: Binding, remaining: float) -> None: ...
    def drop(self, extension: str, key: str) -> None: ...


@dataclass(slots=True)
class _Life:
    """What we know of a phone's life."""

    next_ask: float
    asked: int = 0  # token of the question that is out, 0 for none
    misses: int = 0

    @property
    def dead(self) -> bool:
        return self.misses >= MISSES


Ask = Callable[[str, str, int], bool]  # target URI, route, token -> sent


def route_to(flow: Flow) -> str:
    """A route that leads over the flow and stays out of the message."""
    return f"<sip:{flow.host}:{flow.port};transport={flow.transport};lr;hide>"


class Registrations:
    """Loop thread only; `at` is monotonic seconds everywhere."""

    def __init__(self, registrar: Registrar, store: BindingStore, post: Post, ask: Ask) -> None:
        self.registrar = registrar
        self._store = store
        self._post = post
        self._ask = ask
        self._lives: dict[tuple[str, str], _Life] = {}
        self._tokens = count(1)
        self._asked: dict[int, Binding] = {}
        self._online: set[str] = set()

    def restore(self, bindings: Iterable[Binding], at: float) -> None:
        """Take over what was stored. A connection does not survive a restart, a phone behind one comes by itself."""
        kept = [b for b in bindings if b.flow.transport == "udp"]
        self.registrar.restore(kept)
        for number, binding in enumerate(kept):
            self._lives[_id(binding)] = _Life(at + number * ASK_EVERY / max(len(kept), 1))
            self._tell(binding.extension, at)

    def register(self, request: SipRequest, extension: str, flow: Flow, at: float) -> Answer:
        """A REGISTER of an authenticated phone. Raises SipTextError."""
        answer = self.registrar.register(request, extension, flow, at)
        for binding in answer.gone:
            self._forget(binding)
        for binding in answer.moved:
            self._store.put(binding, binding.expires_at - at)
        for binding in answer.moved + answer.renewed:
            self._lives[_id(binding)] = _Life(at + ASK_EVERY)
        self._tell(extension, at)
        return answer

    def reachable(self, extension: str, at: float) -> tuple[Binding, ...]:
        """Phones of an extension that can be rung."""
        return tuple(b for b in self.registrar.bindings(extension, at) if not self._life(b).dead)

    def all_of(self, extension: str, at: float) -> tuple[tuple[Binding, bool], ...]:
        """Every binding of an extension and whether it gives signs of life, for the page."""
        return tuple((b, not self._life(b).dead) for b in self.registrar.bindings(extension, at))

    def remaining(self, at: float) -> dict[tuple[str, str], float]:
        """Seconds every binding has left, by extension and key: written from time to time."""
        return {_id(b): b.expires_at - at for b in self.registrar.everything() if b.expires_at > at}

    def remove_extension(self, extension: str, at: float) -> None:
        """Somebody was taken off, or their password changed: their phones must sign in anew."""
        for binding in self.registrar.bindings(extension, at):
            self.registrar.remove(binding)
            self._forget(binding)
        self._tell(extension, at)

    def connection_lost(self, connection: int, at: float) -> None:
        """A connection closed: the phones behind it cannot be reached until they come back."""
        for binding in self.registrar.everything():
            if binding.flow.connection == connection and self.registrar.remove(binding):
                self._forget(binding)
                self._tell(binding.extension, at)

    def answered(self, token: int, code: int, at: float) -> None:
        """A phone answered a question of ours, or PJSIP gave up waiting. Any answer proves life."""
        binding = self._asked.pop(token, None)
        life = self._lives.get(_id(binding)) if binding else None
        if binding is None or life is None or life.asked != token:
            return
        if code in NOTHING_CAME:
            self._missed(binding, life, at)
            return
        was_dead, life.asked, life.misses = life.dead, 0, 0
        life.next_ask = at + ASK_EVERY
        if was_dead:
            self._tell(binding.extension, at)

    def poll(self, at: float) -> None:
        """Ask who is due, count who stayed silent, sweep what ran out. A few times a second is enough."""
        for binding in self.registrar.sweep(at):
            self._forget(binding)
            self._tell(binding.extension, at)
        for binding in self.registrar.everything():
            life = self._life(binding)
            if at < life.next_ask:
                continue
            if life.asked:
                self._missed(binding, life, at)
            else:
                self._question(binding, life, at)

    def _question(self, binding: Binding, life: _Life, at: float) -> None:
        life.asked = next(self._tokens)
        life.next_ask = at + ANSWER_WITHIN
        self._asked[life.asked] = binding
        if not self._ask(without_headers(binding.uri), route_to(binding.flow), life.asked):
            self._missed(binding, life, at)

    def _missed(self, binding: Binding, life: _Life, at: float) -> None:
        self._asked.pop(life.asked, None)
        life.asked = 0
        life.misses += 1
        life.next_ask = at + (ASK_EVERY if life.dead else 0.0)
        if life.misses == MISSES:
            log.info("phone of %s does not answer: %s", binding.extension, binding.user_agent)
            self._tell(binding.extension, at)

    def _life(self, binding: Binding) -> _Life:
        return self._lives.setdefault(_id(binding), _Life(binding.expires_at))

    def _forget(self, binding: Binding) -> None:
        life = self._lives.pop(_id(binding), None)
        if life:
            self._asked.pop(life.asked, None)
        self._store.drop(binding.extension, binding.key)

    def _tell(self, extension: str, at: float) -> None:
        online = bool(self.reachable(extension, at))
        if online != (extension in self._online):
            (self._online.add if online else self._online.discard)(extension)
            self._post(BindingChanged(extension, online))


def _id(binding: Binding) -> tuple[str, str]:
    return binding.extension, binding.key
