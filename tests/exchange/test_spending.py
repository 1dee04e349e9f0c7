"""Caps and credit while calls run: what is counted, who is told, what ends. U4: a burst of calls abroad."""

from dataclasses import replace
from datetime import timedelta

import pytest

from appliance.core import commands as do
from appliance.core.model import PHONES, LegId
from appliance.core.plan_calling import Calling, Cap, Rate
from appliance.exchange.facts import Facts
from appliance.exchange.notices import Notices
from appliance.exchange.spending import Spending
from appliance.journal.rows import CallRow
from appliance.journal.times import stamp
from appliance.journal.writes import AddNotice
from tests.exchange.conftest import GSM

ALL = frozenset({"internal", "local", "national", "mobile", "abroad", "premium"})
MOBILE, ABROAD = "600100200", "+380671234567"


class Purse:
    """The spending of the small office; `writes` are what the journal got."""

    def __init__(self, office, **line):
        self.office, self.writes, self.items = office, [], {"gsm0": {}}
        self.passed = 0.0
        office.clock.monotonic = lambda: 1000.0 + self.passed
        exchange = office.exchange
        self.facts = Facts(self.submit, office.clock, lambda run: run())
        notices = Notices(exchange, self.submit, lambda: ("office@example.org",))
        self.spending = Spending(exchange, self.facts, notices, lambda: self.items)
        self.plan(lines={GSM: replace(exchange.plan.lines[GSM], **line)})

    def submit(self, write, done):
        self.writes.append(write)

    def plan(self, **more):
        self.office.exchange.plan = replace(self.office.exchange.plan, **more)

    def call(self, extension="101", number=MOBILE, leg="phones-1"):
        """Call out; the far end answers. The leg dialled, None where the call was refused."""
        before = len(self.office.gsm.dialled())
        self.office.call_from(extension, number, leg)
        if len(self.office.gsm.dialled()) == before:
            return None
        self.office.gsm.far_answers(self.office.gsm.dialled()[-1].leg)
        self.office.settle()
        return self.office.gsm.dialled()[-1].leg

    def talk(self, minutes, **how):
        """A whole call of so many minutes. False where it was refused."""
        leg = self.call(**how)
        if leg is None:
            return False
        self.pass_by(minutes * 60)
        self.office.gsm.far_ends(leg)
        self.office.settle()
        return True

    def pass_by(self, seconds):
        self.office.clock.set(self.office.clock.now() + timedelta(seconds=seconds))
        self.passed += seconds
        self.spending.chore(self.office.clock.monotonic())
        self.office.settle()

    def notices(self):
        return [(w.message, w.args.get("who", ""), bool(w.to)) for w in self.writes if isinstance(w, AddNotice)]


@pytest.fixture
def make(office):
    return lambda **line: Purse(office, **line)


def test_at_80_percent_there_is_a_warning_and_at_100_no_more_calls(make):
    purse = make(cap=Cap(day_minutes=10))
    assert purse.talk(7)
    assert purse.notices() == []
    assert purse.talk(1)
    purse.pass_by(1)
    assert purse.notices() == [("cap-warn", "Reception", True)]
    assert purse.talk(2)
    purse.pass_by(1)
    assert purse.notices()[1:] == [("cap-reached", "Reception", True)]
    assert not purse.talk(1), "refused"
    assert purse.call(number="112"), "never an emergency call"


def test_each_cap_is_told_once_in_its_day(make):
    purse = make(cap=Cap(day_minutes=1))
    purse.talk(1)
    for _ in range(5):
        purse.pass_by(1)
    assert len(purse.notices()) == 1
    purse.pass_by(86400)
    assert purse.talk(1), "a new day"
    purse.pass_by(1)
    assert len(purse.notices()) == 2


def test_a_call_that_runs_is_ended_when_all_calls_together_reach_the_cap(make):
    purse = make()
    people = {e: replace(p, cap=Cap(day_minutes=10)) for e, p in purse.office.exchange.plan.people.items()}
    purse.plan(people=people)
    assert purse.call()
    purse.pass_by(590)
    assert purse.office.exchange.calls
    purse.pass_by(20)
    assert not purse.office.exchange.calls
    assert purse.notices()[-1] == ("cap-reached", "Anna", True)


def test_an_emergency_call_is_not_ended_by_a_cap(make):
    purse = make(cap=Cap(day_minutes=1))
    assert purse.call(number="112")
    purse.pass_by(3600)
    assert purse.office.exchange.calls
    assert purse.office.exchange.spent()["line/gsm0"].day.seconds == 0


def test_the_sums_begin_with_the_calls_of_the_journal(make):
    purse = make(cap=Cap(month_minutes=10, day_minutes=5))
    now = purse.office.clock.now()
    legs = ({"leg": "1", "line": "gsm0", "number": "+48600100200", "cause": "normal"},)

    def row(ago, minutes, line=str(PHONES), answered_by="gsm0"):
        began = stamp(now - timedelta(hours=ago))
        return CallRow("c", "out", line, "101", "internal", "", "+48600100200", "e164", began, began, 0,
                       minutes * 60000, answered_by, "normal", "", legs, ())  # fmt: skip

    purse.spending.restore([row(48, 3), row(1, 2), row(2, 1, line="gsm1"), row(3, 4, answered_by="102")])
    spent = purse.office.exchange.spent()
    assert (spent["line/gsm0"].month.seconds, spent["line/gsm0"].day.seconds) == (600, 420)
    assert spent["person/101"].month.seconds == 540, "a call that was sent on is nobody's"
    purse.spending.chore(0.0)
    assert purse.notices() == [], "it was told when it was reached"


def test_a_phone_that_calls_out_20_times_in_a_minute_is_stopped_and_an_alarm_goes_out(make):
    purse = make()
    purse.office.exchange.limits.invites_per_phone = 1000
    done = 0
    for turn in range(25):
        leg = purse.call(leg=f"phones-{turn}")
        if leg:
            done += 1
            purse.office.gsm.far_ends(leg)
            purse.office.settle()
    assert done == 20
    assert purse.notices() == [("phone-flood", "", True)], "once"
    assert purse.call(number="112", leg="phones-112")


@pytest.mark.parametrize(
    ("limit", "calls"),
    [("money", 2), ("country", 0), ("balance", 3), ("unknown", 0), ("a minute", 4)],
)
def test_a_burst_of_calls_abroad_is_stopped_by_the_first_limit(make, limit, calls):
    """Each call of a minute costs 3.00; without limits it would go on for ever."""
    purse = make(rates=(Rate("+380", 30000, 60),), cap=Cap(day_money=600 if limit == "money" else 0))
    purse.plan(
        people={e: replace(p, may_dial=ALL) for e, p in purse.office.exchange.plan.people.items()},
        calling=Calling(countries={} if limit == "country" else {"UA": None}),
    )
    if limit in ("balance", "unknown"):
        purse.items["gsm0"]["balance_code"] = "*100#"
    purse.office.exchange.limits.a_minute = 4 if limit == "a minute" else 20
    done = 0
    for turn in range(10):
        if limit == "balance":  # the operator takes the price of each call; the balance is read after it
            left = {"amount": 1000 - done * 300, "at": stamp(purse.office.clock.now())}
            purse.facts.put("gsm0", "balance", left)
        seconds = 5 if limit == "a minute" else 60
        if not purse.talk(seconds / 60, number=ABROAD, leg=f"phones-{turn}"):
            break
        done += 1
    assert done == calls
    assert purse.call(number="112", leg="phones-112"), "emergency calls go out"


def test_the_operator_hears_the_digits_it_wants_and_the_journal_tells_the_number(make):
    purse = make(dial_form="national", dial_prefix="1010")
    assert purse.talk(1)
    dialled = purse.office.gsm.dialled()[-1]
    assert isinstance(dialled, do.Dial)
    assert dialled.number.text == "1010600100200"
    assert purse.office.row().called.text == "+48600100200"
    assert LegId(dialled.leg)


def test_an_old_balance_is_not_known(make):
    purse = make()
    purse.items["gsm0"]["balance_code"] = "*100#"
    purse.facts.put("gsm0", "balance", {"amount": 500, "at": stamp(purse.office.clock.now())})
    assert purse.office.exchange.balances() == {GSM: 500}
    purse.pass_by(4 * 86400)
    assert purse.office.exchange.balances() == {GSM: None}
