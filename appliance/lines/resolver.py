"""Names of providers and the addresses of their servers. Loop thread only; nothing waits.

Every name in use is asked for again before what is known of it runs out; while nobody answers, the last that was known
holds. One server of a name is in use: registration, calls and questions go to the same, and the next of the list takes
over when it does not answer.
"""

import ipaddress
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from appliance.native import api as native
from appliance.protocols.dns_text import DnsError, Record, question, records
from appliance.protocols.locate import Found, Hop, Question, literal, locate

log = logging.getLogger(__name__)

AGAIN = 1.5  # seconds until the next name server is asked
MOST_TRIES = 4
FAILED_AGAIN = 20.0  # after a name that nobody knew
BACK_AFTER = 600.0  # the first server of a name is tried again after that
FORGET_AFTER = 3600.0  # a name that only one message had
MOST_NAMES = 100
RESOLV_CONF = Path("/etc/resolv.conf")

Key = tuple[str, int, str]  # name, port, transport
Server = tuple[str, int]


def nameservers(conf: Path = RESOLV_CONF) -> tuple[Server, ...]:
    """Those of the system; CENTRALKA_NAMESERVERS, such as "127.0.0.1:5353", stands before them."""
    given = os.environ.get("CENTRALKA_NAMESERVERS", "").replace(",", " ").split()
    found = [_server(one) for one in given]
    if not given:
        with suppress(OSError):
            words = [line.split() for line in conf.read_text(encoding="utf-8", errors="replace").splitlines()]
            found = [_server(word[1]) for word in words if len(word) > 1 and word[0] == "nameserver"]
    return tuple(one for one in found if one)[:4]


def _server(text: str) -> Server | None:
    host, _, port = text.partition(":")
    try:
        return str(ipaddress.IPv4Address(host)), int(port or 53)
    except ValueError:
        return None


@dataclass(slots=True)
class _Asked:
    """A question that is out."""

    question: Question
    ident: int = 0
    wire: socket.socket | None = None
    tries: int = 0
    next_try: float = 0.0


@dataclass(slots=True)
class _Name:
    """What is known of a key. `single`: only a message had the name."""

    key: Key
    single: bool = False
    hops: tuple[Hop, ...] = ()
    place: int = 0
    moved_at: float = 0.0
    failed: bool = False
    look_at: float = 0.0
    known: dict[Question, list[Record]] = field(default_factory=dict)
    asked: dict[Question, _Asked] = field(default_factory=dict)
    used_at: float = 0.0

    @property
    def hop(self) -> Hop | None:
        """The server in use."""
        return self.hops[self.place % len(self.hops)] if self.hops else None


class Resolver:
    """`at`: monotonic seconds."""

    def __init__(
        self, servers: Callable[[], tuple[Server, ...]] = nameservers, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers = servers
        self._monotonic = monotonic
        self._names: dict[Key, _Name] = {}
        self._too_many: list[str] = []
        self.changes = 0  # grows with every address that comes or goes

    # ---- for trunks -----------------------------------------------------------------------------------------------

    def keep(self, keys: Iterable[Key]) -> None:
        """These are in use; others are forgotten."""
        wanted = {key for key in keys if literal(key[0], 0, "udp") is None and key[0]}
        for key in [key for key, one in self._names.items() if key not in wanted and not one.single]:
            self._close(self._names.pop(key))
        for key in wanted - self._names.keys():
            self._names[key] = _Name(key)

    def hop(self, name: str, port: int, transport: str) -> Hop | None:
        """The server to use now; None while the name is asked for, or is unknown."""
        found = literal(name, port, transport)
        one = self._names.get((name, port, transport))
        return found or (one.hop if one else None)

    def move_on(self, name: str, port: int, transport: str, at: float) -> bool:
        """The server in use does not answer: the next one. False where there is no other left to try."""
        one = self._names.get((name, port, transport))
        if one is None or one.place + 1 >= len(one.hops):
            if one:
                one.place = 0
                self._tell(one)
            return False
        one.place, one.moved_at = one.place + 1, at
        self._tell(one)
        return True

    def unknown(self, name: str, port: int, transport: str) -> bool:
        """Nobody knows the name."""
        one = self._names.get((name, port, transport))
        return bool(one and one.failed and not one.hops)

    def hurry(self, name: str, port: int, transport: str) -> None:
        """Ask again now."""
        one = self._names.get((name, port, transport))
        if one:
            one.look_at = 0.0

    def addresses(self, name: str, port: int, transport: str) -> frozenset[str]:
        """All addresses of a name."""
        found = literal(name, port, transport)
        one = self._names.get((name, port, transport))
        return frozenset({found.address} if found else {hop.address for hop in one.hops} if one else ())

    # ---- for PJSIP ------------------------------------------------------------------------------------------------

    def wanted(self, name: str) -> None:
        """A message has a name for a server, such as a provider's Contact. Inside PJSIP: only noted."""
        key = (name.lower(), 1, "udp")  # its address alone
        if key in self._names:
            self._names[key].look_at = 0.0
        elif len(self._names) < MOST_NAMES:
            self._names[key] = _Name(key, single=True, used_at=self._monotonic())
        else:
            self._too_many.append(key[0])

    # ---- asking ---------------------------------------------------------------------------------------------------

    def poll(self, at: float) -> None:
        """Ask what is due, read what came."""
        while self._too_many:
            native.set_server(self._too_many.pop(), "", 0)
        for one in list(self._names.values()):
            if one.asked:
                self._read(one, at)
            elif at >= one.look_at:
                self._look(one, at)
            if one.place and at >= one.moved_at + BACK_AFTER:
                one.place = 0
                self._tell(one)
            if one.single and at >= one.used_at + FORGET_AFTER:
                self._close(self._names.pop(one.key))
                native.set_server(one.key[0], "", 0)

    def _look(self, one: _Name, at: float) -> None:
        one.known.clear()
        self._go_on(one, at)

    def _go_on(self, one: _Name, at: float) -> None:
        found = locate(*one.key, one.known, secrets.randbelow)
        if found.asks:
            for asked in found.asks:
                one.asked[asked] = _Asked(asked)
            self._read(one, at)
        else:
            self._found(one, found, at)

    def _found(self, one: _Name, found: Found, at: float) -> None:
        one.failed = not found.hops
        one.look_at = at + (found.seconds if found.hops else FAILED_AGAIN)
        if not found.hops:
            log.info("the name %s is not known", one.key[0])
            if not one.hops:
                native.set_server(one.key[0], "", 0)
            return
        used = one.hop
        if set(found.hops) != set(one.hops):
            log.info("%s is at %s", one.key[0], ", ".join(f"{h.address}:{h.port}/{h.transport}" for h in found.hops))
            one.hops = found.hops
            self.changes += 1
            one.place = found.hops.index(used) if used in found.hops else 0
        self._tell(one)

    def _tell(self, one: _Name) -> None:
        hop = one.hop
        if hop:
            name = one.key[0] if one.single else f"{one.key[0]};{hop.transport}"
            native.set_server(name, hop.address, 0 if one.single else hop.port)

    def _read(self, one: _Name, at: float) -> None:
        for asked in list(one.asked.values()):
            answer = self._answer(asked)
            if answer is None and at >= asked.next_try:
                if asked.tries >= MOST_TRIES:
                    self._gave_up(one, at)
                    return
                self._send(asked, at)
            elif answer is not None:
                one.known[asked.question] = answer
                del one.asked[asked.question]
                self._hang_up(asked)
        if not one.asked:
            self._go_on(one, at)

    def _gave_up(self, one: _Name, at: float) -> None:
        """No server answers: what was known holds."""
        self._close(one)
        one.look_at, one.failed = at + FAILED_AGAIN, True
        if not one.hops:
            native.set_server(one.key[0], "", 0)

    def _send(self, asked: _Asked, at: float) -> None:
        servers = self._servers()
        self._hang_up(asked)
        asked.tries, asked.next_try = asked.tries + 1, at + AGAIN
        if not servers:
            return
        asked.ident = secrets.randbelow(1 << 16)
        wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # one for each question: its port is hard to guess
        wire.setblocking(False)
        asked.wire = wire
        with suppress(OSError, DnsError):
            wire.connect(servers[(asked.tries - 1) % len(servers)])
            wire.send(question(*asked.question, asked.ident))

    def _answer(self, asked: _Asked) -> list[Record] | None:
        if asked.wire is None:
            return None
        try:
            return records(asked.wire.recv(4096), *asked.question, asked.ident)
        except OSError:  # nothing yet, or nobody there
            return None
        except DnsError as error:
            log.info("%s %s: %s", *asked.question, error.detail)
            asked.next_try = 0.0
            return None

    def _hang_up(self, asked: _Asked) -> None:
        if asked.wire:
            asked.wire.close()
            asked.wire = None

    def _close(self, one: _Name) -> None:
        for asked in one.asked.values():
            self._hang_up(asked)
        one.asked.clear()

    def close(self) -> None:
        """Nobody needs names any more."""
        for one in self._names.values():
            self._close(one)
        self._names.clear()
