"""Phones that are there and phones that went silent, with the time in our hands."""

from collections.abc import Callable

import pytest

from appliance.core.events import BindingChanged
from appliance.lines.registrations import ANSWER_WITHIN, ASK_EVERY, Registrations
from appliance.protocols.registrar import Binding, Flow, Registrar
from tests.protocols.test_registrar import HOST, register

FLOW = Flow("udp", "10.0.0.7", 5062)


class Store:
    """Remembers what would be written."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], float] = {}

    def put(self, binding: Binding, remaining: float) -> None:
        self.kept[(binding.extension, binding.key)] = remaining

    def drop(self, extension: str, key: str) -> None:
        self.kept.pop((extension, key), None)


class Office:
    """Registrations and what they told."""

    def __init__(self) -> None:
        self.told: list[BindingChanged] = []
        self.asked: list[int] = []
        self.store = Store()
        post: Callable[[object], None] = self.told.append  # type: ignore[assignment]
        self.phones = Registrations(Registrar(frozenset({HOST})), self.store, post, self.ask)

    def ask(self, target: str, route: str, token: int) -> bool:
        self.asked.append(token)
        return True

    def run(self, start: float, end: float, answers: bool) -> None:
        """Let time pass in quarters of a second."""
        at = start
        while at < end:
            at += 0.25
            before = len(self.asked)
            self.phones.poll(at)
            if answers:
                for token in self.asked[before:]:
                    self.phones.answered(token, 200, at)


@pytest.fixture
def office() -> Office:
    one = Office()
    one.phones.register(register(), "101", FLOW, 0.0)
    return one


def test_a_silent_phone_is_offline_within_ninety_seconds(office: Office) -> None:
    assert office.told == [BindingChanged("101", True)]
    office.run(0.0, ASK_EVERY + 3 * ANSWER_WITHIN + 1, answers=False)
    assert office.told[-1] == BindingChanged("101", False)
    assert office.phones.reachable("101", 50.0) == ()
    assert ASK_EVERY + 3 * ANSWER_WITHIN + 1 < 90


def test_a_phone_that_answers_anything_stays(office: Office) -> None:
    office.run(0.0, 300.0, answers=True)
    assert office.told == [BindingChanged("101", True)]
    assert len(office.asked) >= 9


def test_a_phone_that_was_silent_is_back_as_soon_as_it_answers(office: Office) -> None:
    office.run(0.0, 60.0, answers=False)
    assert office.told[-1].online is False
    office.run(60.0, 120.0, answers=True)
    assert office.told[-1].online is True


def test_a_binding_that_runs_out_is_gone_and_forgotten(office: Office) -> None:
    office.run(0.0, 3605.0, answers=True)
    assert office.told[-1] == BindingChanged("101", False)
    assert office.store.kept == {}


def test_a_closed_connection_takes_its_phones_away() -> None:
    office = Office()
    office.phones.register(register(), "101", Flow("tcp", "10.0.0.7", 40000, 77), 0.0)
    office.phones.connection_lost(78, 1.0)
    assert office.told[-1].online is True
    office.phones.connection_lost(77, 1.0)
    assert office.told[-1].online is False


def test_a_restart_keeps_udp_phones_and_waits_for_the_others(office: Office) -> None:
    kept = office.phones.registrar.everything()
    fresh = Office()
    fresh.phones.restore(
        [*kept, Binding("102", "k", "sip:102@10.0.0.8", "c", 1, 500.0, Flow("tcp", "10.0.0.8", 1))], 1.0
    )
    assert [b.extension for b in fresh.phones.registrar.everything()] == ["101"]
    assert fresh.told == [BindingChanged("101", True)]


def test_only_what_moved_is_written_again(office: Office) -> None:
    office.store.kept.clear()
    office.phones.register(register(cseq=2), "101", FLOW, 60.0)
    assert office.store.kept == {}, "a refresh is written with the others once a minute"
    office.phones.register(register(cseq=3), "101", Flow("udp", "10.0.0.7", 6000), 61.0)
    assert len(office.store.kept) == 1
