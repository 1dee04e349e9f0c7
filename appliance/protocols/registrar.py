"""The registrar (RFC 3261 10.3): requests in, answers and changed bindings out. Pure; times are monotonic seconds.

A binding is known by its instance and reg-id where the phone gives them (RFC 5626 6), else by its URI. Requests are
atomic: nothing changes unless every contact is in order. A binding keeps the flow it came over: the way back to a phone
behind NAT is its own packets' way, not the address it believes to have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from appliance.protocols.sip_text import SipRequest, SipTextError, Uri, parse_address, parse_uri, same_uri

MOST_BINDINGS = 6  # of one extension; the one that ends first makes room
DEFAULT_EXPIRY = 3600


@dataclass(frozen=True, slots=True)
class Flow:
    """Where packets of a phone come from. `connection` is 0 for UDP."""

    transport: str
    host: str
    port: int
    connection: int = 0


@dataclass(frozen=True, slots=True)
class Binding:
    """A phone that can be rung. `uri` is the contact as it was written, `expires_at` monotonic seconds."""

    extension: str
    key: str
    uri: str
    call_id: str
    cseq: int
    expires_at: float
    flow: Flow
    user_agent: str = ""
    q: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer, and what it changed: bindings that are new or moved, renewed, and gone."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()
    moved: tuple[Binding, ...] = ()
    renewed: tuple[Binding, ...] = ()
    gone: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Contact:
    key: str
    uri: str
    parsed: Uri
    expires: int
    q: float


@dataclass(slots=True)
class Registrar:
    """All bindings. `hosts` are our own names; expiries are clamped to `shortest`..`longest` seconds."""

    hosts: frozenset[str]
    shortest: int = 60
    longest: int = 3600
    _by_extension: dict[str, dict[str, Binding]] = field(default_factory=dict)

    def check(self, request: SipRequest) -> None:
        """What can be said before anybody is known: raises SipTextError 404, 416 or 420."""
        if parse_uri(request.uri).host not in self.hosts:
            raise SipTextError("not our domain", 404)
        if request.listed("require"):
            raise SipTextError("extension", 420)

    def bindings(self, extension: str, at: float) -> tuple[Binding, ...]:
        """Live bindings, best q first."""
        live = [b for b in self._by_extension.get(extension, {}).values() if b.expires_at > at]
        return tuple(sorted(live, key=lambda b: -b.q))

    def everything(self) -> tuple[Binding, ...]:
        """All bindings, also those that ran out and were not swept yet."""
        return tuple(b for bindings in self._by_extension.values() for b in bindings.values())

    def restore(self, bindings: Iterable[Binding]) -> None:
        """Take over what was stored before a restart."""
        for binding in bindings:
            self._by_extension.setdefault(binding.extension, {})[binding.key] = binding

    def remove(self, binding: Binding) -> bool:
        """Forget one, unless it was replaced meanwhile. Whether it was there."""
        known = self._by_extension.get(binding.extension, {})
        if known.get(binding.key) != binding:
            return False
        del known[binding.key]
        return True

    def sweep(self, at: float) -> tuple[Binding, ...]:
        """Remove what ran out."""
        return tuple(b for b in self.everything() if b.expires_at <= at and self.remove(b))

    def register(self, request: SipRequest, extension: str, flow: Flow, at: float) -> Answer:
        """A REGISTER of an authenticated extension. Raises SipTextError: nothing has changed then."""
        if parse_uri(parse_address(request.one("to")).uri).user != extension:
            raise SipTextError("another's address", 403)
        contacts = request.listed("contact")
        known = {k: b for k, b in self._by_extension.get(extension, {}).items() if b.expires_at > at}
        if "*" in contacts:
            return self._remove_all(request, extension, contacts, known)
        wanted = [self._contact(text, request) for text in contacts]
        for one in wanted:
            self._check_order(request, one, known)
        return self._take(request, extension, flow, wanted, known, at)

    # ---- parts --------------------------------------------------------------------------------------------------

    def _remove_all(
        self, request: SipRequest, extension: str, contacts: list[str], known: dict[str, Binding]
    ) -> Answer:
        if len(contacts) != 1 or request.one("expires") != "0":
            raise SipTextError("* needs Expires: 0 and no other contact")
        if any(b.call_id == request.call_id and b.cseq >= request.cseq for b in known.values()):
            raise SipTextError("out of order", 500)
        self._by_extension[extension] = {}
        return Answer(200, gone=tuple(known.values()))

    def _contact(self, text: str, request: SipRequest) -> _Contact:
        address = parse_address(text)
        uri = parse_uri(address.uri)
        instance, reg_id = address.params.get("+sip.instance", ""), address.params.get("reg-id", "")
        key = f"{instance.lower()};{reg_id}" if instance and reg_id.isdecimal() else ""
        seconds = _seconds(address.params.get("expires", ""), _seconds(request.one("expires"), DEFAULT_EXPIRY))
        expires = min(max(seconds, self.shortest), self.longest) if seconds else 0
        return _Contact(key, address.uri, uri, expires, _weight(address.params.get("q", "")))

    def _check_order(self, request: SipRequest, one: _Contact, known: Mapping[str, Binding]) -> None:
        old = _match(one, known)
        if old and old.call_id == request.call_id and request.cseq <= old.cseq:
            raise SipTextError("out of order", 500)

    def _take(
        self,
        request: SipRequest,
        extension: str,
        flow: Flow,
        wanted: list[_Contact],
        known: dict[str, Binding],
        at: float,
    ) -> Answer:
        moved: list[Binding] = []
        renewed: list[Binding] = []
        gone: list[Binding] = []
        agent = request.one("user-agent")[:128]
        for one in wanted:
            old = _match(one, known)
            if old:
                known.pop(old.key)
            if not one.expires:
                gone += [old] if old else []
                continue
            new = Binding(
                extension, one.key or one.uri, one.uri, request.call_id, request.cseq, at + one.expires, flow, agent,
                one.q,
            )  # fmt: skip
            gone += self._superseded(new, known)
            known[new.key] = new
            same = old is not None and (old.uri, old.flow, old.key) == (new.uri, new.flow, new.key)
            (renewed if same else moved).append(new)
        while len(known) > MOST_BINDINGS:
            gone.append(known.pop(min(known.values(), key=lambda b: b.expires_at).key))
        self._by_extension[extension] = known
        return Answer(200, self._contacts(known, wanted, at), tuple(moved), tuple(renewed), tuple(gone))

    def _superseded(self, new: Binding, known: dict[str, Binding]) -> list[Binding]:
        """A phone that restarted on a connection of its own leaves its old connection's binding behind."""

        def left_behind(old: Binding) -> bool:
            another = old.flow.connection != new.flow.connection and old.call_id != new.call_id
            same_phone = (old.flow.host, old.user_agent) == (new.flow.host, new.user_agent)
            same_user = old.uri.partition("@")[0] == new.uri.partition("@")[0]
            return bool(old.flow.connection) and another and same_phone and same_user

        same = [binding for binding in known.values() if left_behind(binding)]
        return [known.pop(b.key) for b in same]

    def _contacts(self, known: Mapping[str, Binding], wanted: list[_Contact], at: float) -> tuple[tuple[str, str], ...]:
        """The requester's own first: some clients look at no other."""
        own = {one.uri for one in wanted}
        ordered = sorted(known.values(), key=lambda b: b.uri not in own)
        return tuple(("Contact", f"<{b.uri}>;expires={max(round(b.expires_at - at), 1)}") for b in ordered)

    def moved_flow(self, binding: Binding, flow: Flow) -> Binding:
        """The same phone, now heard over another flow."""
        new = replace(binding, flow=flow)
        self._by_extension.setdefault(binding.extension, {})[binding.key] = new
        return new


def _match(one: _Contact, known: Mapping[str, Binding]) -> Binding | None:
    if one.key:
        return known.get(one.key)
    for binding in known.values():
        if binding.uri == one.uri or same_uri(parse_uri(binding.uri), one.parsed):
            return binding
    return None


def _seconds(text: str, otherwise: int) -> int:
    return min(int(text), 2**31) if text.isdecimal() and len(text) <= 10 else otherwise


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0
