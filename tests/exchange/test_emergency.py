"""Emergency calls while every line is in use: one is freed, never that of another emergency call; people are told."""

import pytest

from appliance.core import commands as do
from appliance.core.causes import Cause
from appliance.exchange.emergency import FREED_SECONDS, Emergency
from appliance.exchange.notices import Notices
from appliance.journal.writes import AddNotice


class Desk:
    """The small office with its one SIM, and what the journal got."""

    def __init__(self, office):
        self.office, self.writes = office, []
        self.emergency = Emergency(
            office.exchange, Notices(office.exchange, self.submit, lambda: ("office@example.org",))
        )

    def submit(self, write, done):
        self.writes.append(write)

    def dialled(self):
        return [str(command.number.text) for command in self.office.gsm.dialled()]

    def call(self, extension, number, leg):
        self.office.call_from(extension, number, leg)

    def turn(self, seconds=0.0):
        self.emergency.tick(self.office.clock.monotonic() + seconds)
        self.office.settle()


@pytest.fixture
def desk(office):
    return Desk(office)


def talking(desk, extension="101", number="600100200", leg="phones-1"):
    desk.call(extension, number, leg)
    desk.office.gsm.far_answers(desk.office.gsm.dialled()[-1].leg)
    desk.office.settle()


def test_the_line_of_a_talk_is_freed_and_the_emergency_call_goes_out(desk):
    talking(desk)
    desk.call("102", "112", "phones-2")
    desk.turn()
    assert desk.dialled() == ["+48600100200", "112"]
    ended = next(row for row in desk.office.storage.calls if row.called.text == "+48600100200")
    assert ended.cause is Cause.FREED
    assert ended.trace[-1].rule == "freed-for-emergency"


def test_an_emergency_call_is_never_ended_for_another(desk):
    talking(desk, number="112")
    desk.call("102", "112", "phones-2")
    desk.turn(FREED_SECONDS + 1)
    first = next(iter(desk.office.exchange.calls.values()))
    assert first.offer.caller.text == "101"
    assert first.call.answered_at is not None


def test_nothing_is_ended_for_an_ordinary_call(desk):
    talking(desk)
    desk.call("102", "600100201", "phones-2")
    desk.turn()
    assert desk.dialled() == ["+48600100200"]
    assert any(running.offer.caller.text == "101" for running in desk.office.exchange.calls.values())


def test_who_hangs_up_before_the_line_is_free_calls_nobody(desk):
    talking(desk)
    line = desk.office.gsm
    gone, line.perform = line.perform, lambda command: None  # a modem that takes its time to hang up
    desk.call("102", "112", "phones-2")
    line.perform = gone
    desk.office.phones.far_ends("phones-2")
    desk.office.settle()
    desk.turn(FREED_SECONDS + 1)
    assert desk.dialled() == ["+48600100200"]
    assert not [running for running in desk.office.exchange.calls.values() if running.route.emergency]


def test_a_line_that_does_not_get_free_is_dialled_all_the_same(desk):
    talking(desk)
    line = desk.office.gsm
    gone, line.perform = line.perform, lambda command: None
    desk.call("102", "112", "phones-2")
    line.perform = gone
    desk.turn(FREED_SECONDS - 1)
    assert desk.dialled() == ["+48600100200"]
    desk.turn(FREED_SECONDS + 1)
    assert desk.dialled() == ["+48600100200", "112"]
    assert isinstance(line.seen[-1], do.Dial)


def test_the_office_is_told_of_it_by_mail(desk):
    desk.call("102", "112", "phones-2")
    told = [write for write in desk.writes if isinstance(write, AddNotice)]
    assert [(one.message, dict(one.args)["who"], dict(one.args)["number"], bool(one.to)) for one in told] == [
        ("emergency-call", "Ben", "112", True)
    ]
