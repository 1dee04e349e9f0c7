"""Message lamps of phones that never subscribe: NOTIFYs that nobody asked for (RFC 3842 leaves them out, RFC 6665
forbids them, many desk phones wait for them).

Each phone is told once per registration and at every change. One that refuses is not told again until it registers
anew; one that subscribed to its messages is left to its subscription.
"""

import secrets
from collections.abc import Callable, Iterable
from itertools import count

from appliance.lines.registrations import route_to
from appliance.lines.subscriptions import MAILBOX, Send
from appliance.native.api import Notify
from appliance.protocols.mwi import message_summary
from appliance.protocols.registrar import Binding
from appliance.protocols.sip_text import without_headers

EVERY = 1.0  # seconds between two looks
MOST_A_LOOK = 20
FIRST_TOKEN = 1 << 40  # far from those of registrations

Messages = tuple[int, int]
Phone = tuple[str, str, str]  # extension, key of the binding, Call-ID of its registration


class MessageLamps:
    """Loop thread only; `at` is monotonic seconds. `subscribed(extension, host)`: whether a phone there asked."""

    def __init__(self, send: Send, own: str, subscribed: Callable[[str, str], bool]) -> None:
        self.on = False
        self._send = send
        self._own = own
        self._subscribed = subscribed
        self._tokens = count(FIRST_TOKEN)
        self._told: dict[Phone, Messages] = {}
        self._refused: set[Phone] = set()
        self._asked: dict[int, Phone] = {}
        self._next = 0.0

    def poll(self, bindings: Callable[[], Iterable[Binding]], messages: Callable[[str], Messages], at: float) -> None:
        """Tell phones what they were not told yet."""
        if not self.on or at < self._next:
            return
        self._next = at + EVERY
        phones = {(b.extension, b.key, b.call_id): b for b in bindings()}
        self._told = {phone: told for phone, told in self._told.items() if phone in phones}
        self._refused &= phones.keys()
        wanted = [
            (phone, binding)
            for phone, binding in phones.items()
            if phone not in self._refused and self._told.get(phone) != messages(binding.extension)
        ]
        for phone, binding in wanted[:MOST_A_LOOK]:
            self._told[phone] = messages(binding.extension)
            if not self._subscribed(binding.extension, binding.flow.host):
                self._tell(phone, binding, self._told[phone])

    def answered(self, token: int, code: int) -> None:
        """Its answer: any refusal is final, silence is the registration's matter."""
        phone = self._asked.pop(token, None)
        if phone and code >= 400 and code not in (408, 503):
            self._refused.add(phone)

    def _tell(self, phone: Phone, binding: Binding, messages: Messages) -> None:
        token = next(self._tokens)
        own = f"sip:centralka@{self._own}"
        notify = Notify(
            without_headers(binding.uri), route_to(binding.flow), own, secrets.token_hex(8),
            f"sip:{binding.extension}@{self._own}", "", f"{own};transport={binding.flow.transport}",
            secrets.token_hex(16), 1, [("Event", "message-summary"), ("Subscription-State", "active")],
            "simple-message-summary", message_summary(f"sip:{MAILBOX}@{self._own}", *messages),
        )  # fmt: skip
        if self._send(notify, token):
            self._asked[token] = phone
        else:
            self._refused.add(phone)
