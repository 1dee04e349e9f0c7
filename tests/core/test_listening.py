"""A colleague listens to his mailbox by telephone."""

from datetime import UTC, datetime, timedelta

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.listening import LOCK, LOCKED, TIMER, Left, Listening, State
from appliance.core.model import CallId, LegId
from appliance.core.scheme import Mailbox

CALL, LEG = CallId("c1"), LegId("phones-1")
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ANNA, SALES = Mailbox("anna", "Anna", owner="101", pin="2580"), Mailbox("7", "Sales")
TWO = (Left("old", new=False), Left("m1", new=True), Left("m2", new=True))


class Phone:
    """What is typed, what is said, and the overrides that stay."""

    def __init__(self, box: Mailbox | None = ANNA, left: tuple[Left, ...] = TWO, caller: str = "101") -> None:
        self.overrides: dict[str, str] = {}
        self.call(box, left, caller)

    def call(self, box: Mailbox | None = ANNA, left: tuple[Left, ...] = TWO, caller: str = "101") -> None:
        self.said: list[tuple[str, ...]] = []
        self.marks: list[tuple[str, str]] = []
        left_in = {"anna": left, "7": left}
        self.machine = Listening(CALL, LEG, "en", (ANNA, SALES), box, caller, left_in)
        self.now = getattr(self, "now", NOW)
        self._do(self.machine.begin(self.overrides, self.now))

    def _do(self, commands: list[do.Command]) -> None:
        for one in commands:
            if isinstance(one, do.Say):
                self.said.append(one.pieces)
            elif isinstance(one, do.MarkMessage):
                self.marks.append((one.id, one.what))
            elif isinstance(one, do.SetOverride):
                self.overrides[one.name] = one.value

    def type(self, keys: str) -> "Phone":
        for key in keys:
            self._do(self.machine.handle(ev.Digit(LEG, key), self.overrides, self.now))
        return self

    def heard(self) -> "Phone":
        self._do(self.machine.handle(ev.PromptEnded(LEG), self.overrides, self.now))
        return self

    def waits(self) -> "Phone":
        self._do(self.machine.handle(ev.TimerFired(CALL, TIMER), self.overrides, self.now))
        return self


def test_the_pin_opens_and_new_messages_come_first() -> None:
    phone = Phone()
    assert phone.said == [("enter-pin",)]
    phone.type("2580#")
    assert phone.said[-1] == ("n:2", "listen-new", "listen-menu")
    assert phone.type("1").said[-1] == ("v:m1", "tone-beep")
    phone.heard()
    assert phone.marks == [("m1", "heard")]
    assert phone.type("1").said[-1] == ("v:m2", "tone-beep")
    assert phone.type("1").said[-1] == ("v:old", "tone-beep")
    assert phone.marks == [("m1", "heard"), ("m2", "heard")]
    phone.type("1")
    assert phone.said[-1] == ("listen-last",)
    assert phone.machine.ended


def test_a_message_is_repeated_deleted_and_kept_by_key() -> None:
    phone = Phone().type("2580#1").heard()
    assert phone.type("2").said[-1] == ("v:m1", "tone-beep")
    phone.type("3")
    assert phone.said[-1] == ("listen-deleted", "listen-menu")
    phone.type("19")
    assert phone.marks[-3:] == [("m1", "deleted"), ("m2", "heard"), ("m2", "saved")]
    phone.type("3")
    assert phone.said[-1] == ("wrong-key", "listen-menu"), "nothing is played that the key could be about"
    assert phone.type("#").said[-1] == ("listen-goodbye",)


def test_a_caller_who_hangs_up_within_a_message_has_not_heard_it() -> None:
    phone = Phone().type("2580#1")
    phone.machine.handle(ev.Ended(LEG, do.Cause.NORMAL), phone.overrides, NOW)
    assert phone.marks == []
    assert phone.machine.ended


def test_three_wrong_pins_lock_the_mailbox_for_fifteen_minutes_over_calls_and_restarts() -> None:
    phone = Phone().type("1111#")
    assert phone.said[-1] == ("wrong-pin", "enter-pin")
    phone.type("2222#")
    phone.call()
    phone.type("3333#")
    assert phone.said[-1] == ("listen-locked",)
    phone.call()
    assert phone.said == [("listen-locked",)]
    phone.now = NOW + LOCKED - timedelta(seconds=1)
    phone.call()
    assert phone.machine.ended
    phone.now = NOW + LOCKED
    phone.call()
    phone.type("2580#")
    assert phone.said[-1][-1] == "listen-menu"
    assert phone.overrides[LOCK + "anna"] == ""


def test_the_right_pin_forgives_the_wrong_ones() -> None:
    phone = Phone().type("1#2#2580#")
    assert phone.machine.state is State.MENU
    phone.call()
    phone.type("1#2#")
    assert not phone.machine.ended


def test_another_mailbox_is_chosen_by_its_number() -> None:
    phone = Phone(box=None)
    assert phone.said == [("listen-box",)]
    assert phone.type("55#").said[-1] == ("wrong-key", "listen-box")
    assert phone.type("101#").said[-1] == ("enter-pin",)
    phone = Phone(box=None).type("7#")
    assert phone.said[-1][-1] == "listen-menu", "the office's mailbox has no PIN"


def test_a_colleagues_mailbox_without_a_pin_is_for_his_own_phone() -> None:
    free = Mailbox("anna", "Anna", owner="101")
    assert Phone(free).said[-1][-1] == "listen-menu"
    assert Phone(free, caller="102").said == [("not-allowed",)]


def test_an_empty_mailbox_says_so() -> None:
    assert Phone(left=()).type("2580#").said[-1] == ("listen-none",)


@pytest.mark.parametrize(("typed", "again"), [("", "enter-pin"), ("2580#", "listen-menu")])
def test_who_presses_nothing_hears_it_again_and_then_goodbye(typed: str, again: str) -> None:
    phone = Phone().type(typed).waits()
    assert phone.said[-1] == (again,)
    phone.waits().waits()
    assert phone.said[-1] == ("listen-goodbye",)
    assert phone.machine.ended
