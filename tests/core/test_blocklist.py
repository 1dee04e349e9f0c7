"""Entries of the block and allow list: how they are typed, whom they fit, and when they hold."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from appliance.core.blocklist import Asked, Block, Blocklist
from appliance.core.entry import entry_fault, entry_pattern, form_of
from appliance.core.model import Kind, Number
from tests.core.builders import GSM0, GSM1, OPEN, number

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ASKED = Asked(GSM0, "calls", NOW, open_now=True)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("600 100 200", "+48600100200"),
        ("0048-600-100-200", "+48600100200"),
        ("600*", "+48600*"),
        ("+48 600 100 20?", "+4860010020?"),
        ("+48 600 100 2##", "+486001002??"),
        ("600 1?? ???", "+486001?????"),
        ("+4860010020-29", "+4860010020-29"),
        ("600 100 200-299", "+48600100200-299"),
        ("600-100-200", "+48600100200"),
        ("22 123 45-67", "+48221234567"),
        ("+4822*", "+4822*"),
        ("/^\\+48(70|80)/", "/^\\+48(70|80)/"),
        ("Withheld", "withheld"),
        ("Bank", "Bank"),
    ],
)
def test_what_a_person_types_has_one_spelling(typed: str, stored: str) -> None:
    assert entry_pattern(typed, "PL") == stored
    assert entry_fault(stored) == ""
    assert entry_pattern(stored, "PL") == stored


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("+48600100299-200", "not-a-range"),
        ("/(a|aa|b)+$/", "slow-regex"),
        ("/(/", "not-a-regex"),
        ("/" + "a" * 130 + "/", "too-long"),
        ("????", "not-a-pattern"),
        ("", "not-a-pattern"),
        ("+", "not-a-pattern"),
        ("x" * 300, "too-long"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_when_it_is_saved(pattern: str, fault: str) -> None:
    assert entry_fault(pattern) == fault


@pytest.mark.parametrize(
    ("pattern", "fits", "leaves"),
    [
        ("+48600100200", ["+48600100200"], ["+48600100201", "+4860010020"]),
        ("+48700*", ["+48700123456"], ["+48600700123"]),
        ("+4860010020?", ["+48600100200", "+48600100209"], ["+48600100210", "+486001002000"]),
        ("+4860?100*", ["+48604100999", "+48600100"], ["+48610100999"]),
        ("+48600100200-299", ["+48600100200", "+48600100299"], ["+48600100199", "+48600100300", "+486001002500"]),
        ("+4860010020-29*", ["+48600100200", "+48600100299"], ["+48600100199", "+48600100300"]),
        ("/^\\+48(70|80)/", ["+48700100200", "+48801100200"], ["+48600100200"]),
        ("*", ["+48600100200", "+15550100"], []),
    ],
)
def test_each_kind_of_entry_fits_what_it_says_and_nothing_else(
    pattern: str, fits: list[str], leaves: list[str]
) -> None:
    found = Blocklist([Block(1, pattern)])
    assert all(found.best(number(text), ASKED, allow=False) for text in fits)
    assert not any(found.best(number(text), ASKED, allow=False) for text in leaves)
    assert not found.best(number("withheld"), ASKED, allow=False)


def test_callers_without_a_number_are_told_apart() -> None:
    found = Blocklist([Block(1, "withheld")])
    assert found.best(number("withheld"), ASKED, allow=False)
    assert not found.best(number("unavailable"), ASKED, allow=False)
    assert not found.best(number("+48600100200"), ASKED, allow=False)


def test_the_name_of_a_sender_fits_in_any_size_of_letters() -> None:
    found = Blocklist([Block(1, "Bank", what="messages")])
    asked = Asked(GSM0, "messages", NOW, open_now=True)
    assert found.best(Number("BANK", Kind.ALPHANUMERIC), asked, allow=False)
    assert not found.best(Number("Banker", Kind.ALPHANUMERIC), asked, allow=False)


def test_the_most_exact_entry_counts() -> None:
    patterns = ["*", "/600/", "+48*", "+48600*", "+4860010????", "+48600100200-299", "+48600100200"]
    for last in range(len(patterns), 0, -1):
        found = Blocklist([Block(place + 1, pattern) for place, pattern in enumerate(patterns[:last])])
        best = found.best(number("+48600100200"), ASKED, allow=False)
        assert best is not None
        assert best.pattern == patterns[last - 1]


def test_an_entry_holds_between_its_moments_only() -> None:
    found = Blocklist([Block(1, "+48*", begins=NOW, ends=NOW + timedelta(hours=1))])

    def holds(at: datetime) -> bool:
        return found.best(number("+48600100200"), Asked(GSM0, "calls", at, open_now=True), allow=False) is not None

    assert not holds(NOW - timedelta(seconds=1))
    assert holds(NOW)
    assert holds(NOW + timedelta(minutes=59))
    assert not holds(NOW + timedelta(hours=1))


def test_line_and_kind_narrow_an_entry() -> None:
    found = Blocklist([Block(1, "+48*", line=GSM1), Block(2, "+49*", what="messages")])
    assert not found.best(number("+48600100200"), ASKED, allow=False)
    assert found.best(number("+48600100200"), Asked(GSM1, "calls", NOW, open_now=True), allow=False)
    assert not found.best(number("+4930123456"), ASKED, allow=False)


def test_a_clock_that_is_not_sure_blocks_nobody_by_time_and_all_others_as_ever() -> None:
    entries = [
        Block(1, "+48600100200", when="after-hours"),
        Block(2, "+48600100201", ends=NOW + timedelta(days=1)),
        Block(3, "+48600100202"),
        Block(4, "+48600100203", allow=True, ends=NOW - timedelta(days=9)),
    ]
    found, unsure = Blocklist(entries), Asked(GSM0, "calls", NOW, open_now=False, sure=False)
    blocked = [n for n in range(4) if found.best(number(f"+4860010020{n}"), unsure, allow=False)]
    assert blocked == [2]
    assert found.best(number("+48600100203"), unsure, allow=True)


def test_thousands_of_entries_answer_as_one_by_one_would() -> None:
    chance = random.Random(7)
    make = [
        lambda n: f"+48{n:09d}", lambda n: f"+48{n:09d}"[: chance.randrange(5, 10)] + "*",
        lambda n: f"+48{n:09d}"[:9] + "???", lambda n: f"+48{n // 100 * 100:09d}-{chance.randrange(1, 99):02d}",
    ]  # fmt: skip
    entries = [Block(i + 1, chance.choice(make)(chance.randrange(600000000, 600400000))) for i in range(2000)]
    every, single = Blocklist(entries), [(entry, Blocklist([entry])) for entry in entries]
    assert {str(form_of(entry.pattern)) for entry in entries} == {"exact", "beginning", "mask", "range"}
    for _ in range(60):
        caller = number(f"+48{chance.randrange(600000000, 600500000)}")
        one_by_one = {entry.id for entry, alone in single if alone.best(caller, ASKED, allow=False)}
        assert {entry.id for entry in every._fitting(caller)} == one_by_one
    assert OPEN.tzinfo
