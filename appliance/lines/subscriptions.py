"""Phones that watch: their subscriptions to lamps, presence and messages, and the NOTIFYs that tell them (RFC 6665).

The dialogs are kept here, not by PJSIP: it only carries requests and repeats them. A NOTIFY goes over the flow that the
phone's SUBSCRIBE came over. A subscription has one NOTIFY under way at a time and the last state wins, so a slow phone
costs no more than a fast one; one that refuses or stays silent is dropped.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count, islice

from appliance.core.watching import Watched
from appliance.lines.registrations import route_to
from appliance.native.api import Notify
from appliance.protocols.dialog_info import Dialog, dialog_info, pidf
from appliance.protocols.mwi import message_summary
from appliance.protocols.registrar import Flow
from appliance.protocols.sip_text import SipRequest, SipTextError, parse_address
from appliance.protocols.subscribe import ALLOW_EVENTS, BODIES, SHORTEST, Wanted, parse_subscribe, state_header

log = logging.getLogger(__name__)

MOST_OF_A_PHONE, MOST = 50, 2000
MOST_A_TURN = 20  # NOTIFYs of one turn of the loop: calls go before lamps
GAP = 0.1  # seconds: what changes within goes out together
SWEEP_SECONDS = 1.0
AGAIN_SECONDS = 5.0
FOR_NOW = (491, 500, 503)  # refused for the moment; asked again
MAILBOX = "*97"

Send = Callable[[Notify, int], bool]
Key = tuple[str, str, str, str]  # extension, device, package, resource


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer a SUBSCRIBE. `tag` is ours, "" where no dialog is made."""

    code: int
    headers: list[tuple[str, str]]
    tag: str = ""


@dataclass(slots=True)
class _Subscription:
    key: Key
    wanted: Wanted
    call_id: str
    flow: Flow
    expires_at: float
    cseq_theirs: int
    tag: str
    cseq: int = 0
    version: int = 0
    due: float = 0.0
    forced: bool = True  # tell it even if nothing changed
    under_way: int = 0  # token of the NOTIFY that is not answered yet
    failed: int = 0
    reason: str = ""  # why it ends, "" while it goes on
    shown: object = None
    ids: tuple[str, ...] = ()


@dataclass(slots=True)
class _Body:
    text: str
    shown: object  # what a change is told by
    ids: tuple[str, ...] = ()


class Subscriptions:
    """Loop thread only; `at` is monotonic seconds everywhere. `own` is our host and port."""

    def __init__(self, send: Send, own: str) -> None:
        self._send = send
        self._own = own
        self._tokens = count(1)
        self._all: dict[Key, _Subscription] = {}
        self._by_dialog: dict[tuple[str, str], _Subscription] = {}  # Call-ID and our tag
        self._watchers: dict[tuple[str, str], set[Key]] = {}  # package and resource
        self._due: dict[Key, None] = {}  # oldest first
        self._asked: dict[int, Key] = {}
        self._states: dict[str, Watched] = {}
        self._messages: dict[str, tuple[int, int]] = {}
        self._next_sweep = 0.0
        self._bodies: Mapping[str, Callable[[_Subscription], _Body]] = {
            "dialog": self._dialogs, "presence": self._presence, "message-summary": self._summary,
        }  # fmt: skip

    def __len__(self) -> int:
        return len(self._all)

    # ---- states -----------------------------------------------------------------------------------------------------

    def show(self, name: str, state: Watched | None, at: float) -> None:
        """What lamps for `name` show from now on; None: it is not there any more, its watchers are let go."""
        if state is None:
            self._states.pop(name, None)
            for key in self._watching(name, "dialog", "presence"):
                self._end(self._all[key], "noresource", at)
            return
        self._states[name] = state
        self._changed(self._watching(name, "dialog", "presence"), at)

    def show_messages(self, extension: str, messages: tuple[int, int] | None, at: float) -> None:
        """New and old messages of an extension's mailbox; None: it has none any more."""
        self._messages.pop(extension, None)
        if messages is not None:
            self._messages[extension] = messages
        self._changed(self._watching(extension, "message-summary"), at)

    def has_messages(self, extension: str, host: str) -> bool:
        """Whether a phone at `host` subscribed to the messages of its extension."""
        return any(self._all[key].flow.host == host for key in self._watching(extension, "message-summary"))

    def messages(self, extension: str) -> tuple[int, int]:
        """What the mailbox of an extension holds, new and old."""
        return self._messages.get(extension, (0, 0))

    def _watching(self, name: str, *packages: str) -> list[Key]:
        return [key for package in packages for key in self._watchers.get((package, name), ())]

    def _changed(self, keys: list[Key], at: float) -> None:
        for key in keys:
            if key not in self._due:
                self._all[key].due = at + GAP
                self._due[key] = None

    # ---- requests ---------------------------------------------------------------------------------------------------

    def subscribe(self, request: SipRequest, extension: str, flow: Flow, at: float) -> Reply:
        """A new subscription of a phone that proved to be `extension`'s. Never raises."""
        try:
            wanted = parse_subscribe(request)
            resource = self._resource(wanted, extension)
        except SipTextError as error:
            return _refusal(error)
        device = wanted.instance or f"{flow.transport}:{flow.host}:{flow.port}"
        key = (extension, device, wanted.package, resource)
        if key not in self._all:
            if sum(known[:2] == key[:2] for known in self._all) >= MOST_OF_A_PHONE:
                return _refusal(SipTextError("too many of this phone", 403))
            if len(self._all) >= MOST:
                return _refusal(SipTextError("too many", 503))
        self._drop(self._all.get(key))
        made = _Subscription(
            key, wanted, request.call_id, flow, at + wanted.expires, request.cseq, secrets.token_hex(8), due=at
        )
        made.reason = "" if wanted.expires else "timeout"
        self._all[key] = made
        self._by_dialog[made.call_id, made.tag] = made
        self._watchers.setdefault((wanted.package, resource), set()).add(key)
        self._due[key] = None
        return self._accepted(made)

    def refresh(self, request: SipRequest, flow: Flow, at: float) -> Reply | None:
        """A SUBSCRIBE within one of our dialogs, from where the dialog is; None for any other. Never raises."""
        try:
            known = self._by_dialog.get((request.call_id, parse_address(request.one("to")).params.get("tag", "")))
            if known is None or known.flow.host != flow.host:
                return None
            wanted = parse_subscribe(request)
            if wanted.tag != known.wanted.tag:
                return None
            if wanted.package != known.wanted.package or request.cseq <= known.cseq_theirs:
                raise SipTextError("out of order", 500)
        except SipTextError as error:
            return _refusal(error)
        known.cseq_theirs, known.flow, known.expires_at = request.cseq, flow, at + wanted.expires
        known.wanted = replace(known.wanted, contact=wanted.contact, expires=wanted.expires)
        known.reason, known.forced, known.failed = "" if wanted.expires else "timeout", True, 0
        if known.key not in self._due:
            known.due = at
            self._due[known.key] = None
        return self._accepted(known)

    def _resource(self, wanted: Wanted, extension: str) -> str:
        """What is watched. Messages are one's own. Raises SipTextError 404 and 403."""
        if wanted.package == "message-summary":
            if wanted.resource not in (extension, MAILBOX, ""):
                raise SipTextError("another's messages", 403)
            return extension
        if wanted.resource not in self._states:
            raise SipTextError("nobody of that name", 404)
        return wanted.resource

    def _accepted(self, one: _Subscription) -> Reply:
        contact = f"<sip:centralka@{self._own};transport={one.flow.transport}>"
        return Reply(200, [("Expires", str(one.wanted.expires)), ("Contact", contact)], one.tag)

    # ---- what happens ------------------------------------------------------------------------------------------------

    def answered(self, token: int, code: int, at: float) -> None:
        """A phone answered a NOTIFY, or PJSIP gave up waiting: 408."""
        one = self._all.get(self._asked.pop(token, ("", "", "", "")))
        if one is None or one.under_way != token:
            return
        one.under_way = 0
        if 200 <= code < 300:
            one.failed = 0
        elif code in FOR_NOW and not one.failed and not one.flow.connection:
            one.failed, one.forced, one.due = 1, True, at + AGAIN_SECONDS
            self._due[one.key] = None
        else:
            log.info("extension %s no longer watches %s: %d", one.key[0], one.key[3], code)
            self._drop(one)

    def connection_lost(self, connection: int) -> None:
        """The phones behind it come back by themselves, and subscribe anew."""
        for one in [one for one in self._all.values() if connection and one.flow.connection == connection]:
            self._drop(one)

    def remove_extension(self, extension: str, at: float) -> None:
        """Somebody was taken off, or their password changed: they watch nobody any more."""
        for one in [one for one in self._all.values() if one.key[0] == extension]:
            self._end(one, "deactivated", at)

    def poll(self, at: float) -> None:
        """Tell who is due; once a second let go what ran out."""
        if at >= self._next_sweep:
            self._next_sweep = at + SWEEP_SECONDS
            for one in [one for one in self._all.values() if one.expires_at <= at and not one.reason]:
                self._end(one, "timeout", at)
        ready = (key for key in self._due if self._all[key].due <= at and not self._all[key].under_way)
        for key in list(islice(ready, MOST_A_TURN)):
            del self._due[key]
            self._tell(self._all[key], at)

    def _end(self, one: _Subscription, reason: str, at: float) -> None:
        one.reason, one.forced, one.due = reason, True, at
        self._due[one.key] = None

    def _drop(self, one: _Subscription | None) -> None:
        if one is None or self._all.get(one.key) is not one:
            return
        del self._all[one.key]
        self._due.pop(one.key, None)
        self._by_dialog.pop((one.call_id, one.tag), None)
        self._asked.pop(one.under_way, None)
        watchers = self._watchers[one.key[2:]]
        watchers.discard(one.key)
        if not watchers:
            del self._watchers[one.key[2:]]

    # ---- NOTIFY ------------------------------------------------------------------------------------------------------

    def _tell(self, one: _Subscription, at: float) -> None:
        body = self._bodies[one.wanted.package](one)
        if body.shown == one.shown and not one.forced:
            return
        one.cseq += 1
        one.under_way = -next(self._tokens)  # OPTIONS count upwards
        one.forced, one.shown, one.ids, one.version = False, body.shown, body.ids, one.version + 1
        self._asked[one.under_way] = one.key
        sent = self._send(self._notify(one, body.text, round(one.expires_at - at)), one.under_way)
        if one.reason or not sent:  # nobody waits for the answer to the last word
            self._drop(one)

    def _notify(self, one: _Subscription, body: str, remaining: int) -> Notify:
        event = f"{one.wanted.package};id={one.wanted.event_id}" if one.wanted.event_id else one.wanted.package
        return Notify(
            one.wanted.contact, route_to(one.flow), one.wanted.ours, one.tag, one.wanted.theirs, one.wanted.tag,
            f"sip:centralka@{self._own};transport={one.flow.transport}", one.call_id, one.cseq,
            [("Event", event), ("Subscription-State", state_header(remaining, one.reason))],
            BODIES[one.wanted.package].partition("/")[2], body,
        )  # fmt: skip

    def _dialogs(self, one: _Subscription) -> _Body:
        watcher, name = one.key[0], one.key[3]
        state = self._states.get(name, Watched())
        openly = watcher in state.seen_by
        dialogs = tuple(
            Dialog(
                talk.id, talk.stage.value, talk.calling, self._uri(talk.other) if openly else "",
                talk.name if openly else "",
            )
            for talk in state.talks
        )  # fmt: skip
        text = dialog_info(one.wanted.uri, one.version, dialogs, one.ids)
        return _Body(text, dialogs, tuple(dialog.id for dialog in dialogs))

    def _presence(self, one: _Subscription) -> _Body:
        state = self._states.get(one.key[3], Watched())
        seen = (state.reachable, bool(state.talks))
        return _Body(pidf(one.wanted.uri, *seen), seen)

    def _summary(self, one: _Subscription) -> _Body:
        messages = self.messages(one.key[3])
        return _Body(message_summary(f"sip:{MAILBOX}@{self._own}", *messages), messages)

    def _uri(self, number: str) -> str:
        user = "".join(c for c in number if (c.isalnum() and c.isascii()) or c in "+*#")
        return f"sip:{user.replace('#', '%23')}@{self._own}" if user else ""


def _refusal(error: SipTextError) -> Reply:
    more: Mapping[int, tuple[str, str]] = {
        423: ("Min-Expires", str(SHORTEST)), 503: ("Retry-After", "300"), 406: ("Accept", ", ".join(BODIES.values())),
    }  # fmt: skip
    return Reply(error.code, [("Allow-Events", ALLOW_EVENTS), *([more[error.code]] if error.code in more else [])])
