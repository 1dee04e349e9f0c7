"""Listening to a mailbox by telephone: the PIN, what is new, and the keys while messages are played. Pure.

A caller who typed three wrong PINs finds the mailbox locked for fifteen minutes. The count and the lock are kept as an
override of the mailbox, so that neither a new call nor a restart begins anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import CallId, LegId
from appliance.core.scheme import Mailbox

TRIES = 3
LOCKED = timedelta(minutes=15)
IDLE_SECONDS = 10.0
MOST_REPEATS = 3  # of the menu, for somebody who presses nothing
LONGEST_TYPED = 12
TIMER = "listening"
LOCK = "mailbox-lock "  # and the mailbox's id: the name of its override

Commands = list[do.Command]


@dataclass(frozen=True, slots=True)
class Left:
    """A message that can be heard."""

    id: str
    new: bool


class State(StrEnum):
    """What a key means now."""

    BOX = "box"
    PIN = "pin"
    MENU = "menu"
    PLAYING = "playing"
    ENDED = "ended"


def lock_of(overrides: Mapping[str, str], box: str) -> tuple[int, datetime | None]:
    """How many wrong PINs were typed, and until when the mailbox is locked (aware)."""
    value = overrides.get(LOCK + box, "")
    if value.isdecimal() or not value:
        return int(value or 0), None
    try:
        return TRIES, datetime.fromisoformat(value)
    except ValueError:
        return 0, None


class Listening:
    """One caller. `begin` once, then `handle` for each event of its leg or timer until `ended`.

    `boxes`: every mailbox; `own`: that of the caller, None where its number is asked for; `left`: the messages of each
    mailbox, oldest first.
    """

    def __init__(
        self, call: CallId, leg: LegId, language: str, boxes: Sequence[Mailbox], own: Mailbox | None, caller: str,
        left: Mapping[str, Sequence[Left]],
    ) -> None:  # fmt: skip
        self.state = State.BOX
        self._call, self._leg, self._language, self._caller = call, leg, language, caller
        self._boxes = {name: box for box in boxes for name in (box.id, box.owner) if name}
        self._box = own
        self._left = left
        self._queue: list[Left] = []
        self._now_playing: Left | None = None
        self._typed = ""
        self._repeats = 0
        self._table = {
            State.BOX: self._box_key, State.PIN: self._pin_key, State.MENU: self._menu_key,
            State.PLAYING: self._menu_key,
        }  # fmt: skip

    @property
    def ended(self) -> bool:
        """Whether the caller is done."""
        return self.state is State.ENDED

    def begin(self, overrides: Mapping[str, str], now: datetime) -> Commands:
        """The caller is up."""
        return self._say("listen-box") if self._box is None else self._entered(overrides, now)

    def handle(self, event: ev.Event, overrides: Mapping[str, str], now: datetime) -> Commands:
        """A key, the end of what was said, or nothing pressed for a while. `now`: aware."""
        if self.ended:
            return []
        if isinstance(event, ev.Digit):
            self._repeats = 0
            return self._table[self.state](event.digit, overrides, now)
        if isinstance(event, ev.PromptEnded):
            return self._said()
        if isinstance(event, ev.TimerFired) and event.name == TIMER:
            return self._silent()
        if isinstance(event, ev.Ended):
            self.state = State.ENDED
        return []

    # ---- who ------------------------------------------------------------------------------------------------------

    def _box_key(self, key: str, overrides: Mapping[str, str], now: datetime) -> Commands:
        if key != "#":
            self._typed = (self._typed + key)[:LONGEST_TYPED]
            return [do.StopPlay(self._leg), self._wait()]
        typed, self._typed = self._typed, ""
        self._box = self._boxes.get(typed)
        return self._entered(overrides, now) if self._box else self._say("wrong-key", "listen-box")

    def _entered(self, overrides: Mapping[str, str], now: datetime) -> Commands:
        box = self._chosen()
        _, until = lock_of(overrides, box.id)
        if until is not None and now < until:
            return self._leave("listen-locked")
        if box.pin:
            self.state = State.PIN
            return self._say("enter-pin")
        if box.owner and box.owner != self._caller:
            return self._leave("not-allowed")  # a colleague's mailbox without a PIN is for his own phone
        return self._opened()

    def _pin_key(self, key: str, overrides: Mapping[str, str], now: datetime) -> Commands:
        if key != "#":
            self._typed = (self._typed + key)[:LONGEST_TYPED]
            return [do.StopPlay(self._leg), self._wait()]
        box, typed, self._typed = self._chosen(), self._typed, ""
        wrong, until = lock_of(overrides, box.id)
        if until is not None and now < until:
            return self._leave("listen-locked")
        if typed == box.pin:
            forgive = [do.SetOverride(LOCK + box.id, "", self._caller)] if wrong else []
            return [*forgive, *self._opened()]
        wrong = 1 if until is not None else wrong + 1
        if wrong >= TRIES:
            lock = do.SetOverride(LOCK + box.id, (now + LOCKED).isoformat(), self._caller)
            return [lock, *self._leave("listen-locked")]
        return [do.SetOverride(LOCK + box.id, str(wrong), self._caller), *self._say("wrong-pin", "enter-pin")]

    def _chosen(self) -> Mailbox:
        if self._box is None:
            raise ValueError("no mailbox was chosen")
        return self._box

    # ---- messages -------------------------------------------------------------------------------------------------

    def _opened(self) -> Commands:
        self.state = State.MENU
        left = self._left.get(self._chosen().id, ())
        new, old = [one for one in left if one.new], [one for one in left if not one.new]
        self._queue = [*new, *old]
        if not left:
            return self._leave("listen-none")
        told = [f"n:{len(new)}", "listen-new"] if new else [f"n:{len(old)}", "listen-old"]
        return self._say(*told, "listen-menu")

    def _menu_key(self, key: str, overrides: Mapping[str, str], now: datetime) -> Commands:
        if key == "#":
            return [*self._heard(), *self._leave("listen-goodbye")]
        if key == "1":
            return [*self._heard(), *self._next()]
        if key in "239" and self._now_playing is not None:
            return self._about(key, self._now_playing)
        return self._say("wrong-key", "listen-menu")

    def _about(self, key: str, message: Left) -> Commands:
        if key == "2":
            return self._play(message)
        self._now_playing, self.state = None, State.MENU
        if key == "3":
            return [do.MarkMessage(message.id, "deleted"), *self._say("listen-deleted", "listen-menu")]
        marks: Commands = [do.MarkMessage(message.id, "heard"), do.MarkMessage(message.id, "saved")]
        return [*marks, *self._say("listen-saved", "listen-menu")]

    def _next(self) -> Commands:
        if not self._queue:
            return self._leave("listen-last")
        return self._play(self._queue.pop(0))

    def _play(self, message: Left) -> Commands:
        self.state, self._now_playing = State.PLAYING, message
        return self._say(f"v:{message.id}", "tone-beep")

    def _heard(self) -> Commands:
        """Whoever goes on has heard the message."""
        message, self._now_playing = self._now_playing, None
        return [do.MarkMessage(message.id, "heard")] if message is not None and message.new else []

    # ---- what is said ---------------------------------------------------------------------------------------------

    def _said(self) -> Commands:
        if self.state is not State.PLAYING or self._now_playing is None:
            return [self._wait()]
        self.state = State.MENU
        message, self._now_playing = self._now_playing, Left(self._now_playing.id, new=False)
        mark: Commands = [do.MarkMessage(message.id, "heard")] if message.new else []
        return [*mark, *self._say("listen-menu")]

    def _silent(self) -> Commands:
        self._repeats += 1
        if self._repeats >= MOST_REPEATS:
            return self._leave("listen-goodbye")
        again = {State.BOX: "listen-box", State.PIN: "enter-pin"}.get(self.state, "listen-menu")
        self._typed = ""
        return self._say(again)

    def _say(self, *pieces: str) -> Commands:
        return [do.StopTimer(self._call, TIMER), do.Say(self._leg, pieces, self._language)]

    def _wait(self) -> do.Command:
        return do.StartTimer(self._call, TIMER, IDLE_SECONDS)

    def _leave(self, prompt: str) -> Commands:
        """The last word; who carries this out hangs up when it is said."""
        self.state = State.ENDED
        return self._say(prompt)


def last_words_said(leg: LegId) -> Commands:
    """After the PromptEnded that follows the end."""
    return [do.HangUp(leg, Cause.NORMAL)]
