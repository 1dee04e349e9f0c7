"""Numbers as networks deliver and people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.model import Kind, Number
from appliance.core.numbers import as_pattern, dial_class, display, masked, matches, parse, pattern_fault

E = Kind.E164


@pytest.mark.parametrize(
    ("text", "country", "expected", "kind"),
    [
        ("+48600100200", "PL", "+48600100200", E),
        ("600 100 200", "PL", "+48600100200", E),
        ("0048600100200", "PL", "+48600100200", E),
        ("48600100200", "PL", "+48600100200", E),
        ("22 123 45 67", "PL", "+48221234567", E),
        ("067 123 45 67", "UA", "+380671234567", E),
        ("+380671234567", "PL", "+380671234567", E),
        ("612 34 56 78", "ES", "+34612345678", E),
        ("0721 234 567", "RO", "+40721234567", E),
        ("112", "PL", "112", Kind.SHORT),
        ("80500", "PL", "80500", Kind.SHORT),
        ("*100#", "PL", "*100#", Kind.SHORT),
        ("", "PL", "", Kind.UNAVAILABLE),
        ("anonymous", "PL", "", Kind.WITHHELD),
    ],
)
def test_a_spelling_becomes_one_number(text: str, country: str, expected: str, kind: Kind) -> None:
    assert parse(text, country) == Number(expected, kind)


def test_a_name_is_a_sender_of_messages_and_no_caller() -> None:
    assert parse("Bank PKO", "PL", alphanumeric=True) == Number("Bank PKO", Kind.ALPHANUMERIC)
    assert parse("Bank PKO", "PL").kind is Kind.UNAVAILABLE


@given(st.text(max_size=80), st.sampled_from(["PL", "UA", "ES", "RO", "US", "XX", ""]))
def test_no_text_breaks_it(text: str, country: str) -> None:
    found = parse(text, country)
    assert found.kind in Kind
    assert len(found.text) <= 64
    assert isinstance(display(found), str)


def test_a_prefix_matches_what_begins_so() -> None:
    assert matches("+48700*", Number("+48700123456", E))
    assert not matches("+48700*", Number("+48600123456", E))
    assert matches("+48600100200", Number("+48600100200", E))
    assert not matches("+48600100200", Number("+486001002001", E))


def test_withheld_and_not_delivered_are_two_things() -> None:
    assert matches("withheld", Number("", Kind.WITHHELD))
    assert not matches("withheld", Number("", Kind.UNAVAILABLE))
    assert matches("unavailable", Number("", Kind.UNAVAILABLE))
    assert not matches("+48*", Number("", Kind.WITHHELD))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+48600100200", "mobile"),
        ("+48221234567", "national"),
        ("+48700123456", "premium"),
        ("+380671234567", "abroad"),
    ],
)
def test_classes_of_what_is_dialled(text: str, kind: str) -> None:
    assert dial_class(Number(text, E), "PL") == kind


def test_an_unknown_short_number_may_cost_and_counts_so() -> None:
    assert dial_class(Number("80500", Kind.SHORT), "PL") == "premium"


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [
        ("600 100 200", "+48600100200"),
        ("+48 700*", "+48700*"),
        ("0048700*", "+48700*"),
        ("Withheld", "withheld"),
        ("600*", "+48600*"),
        ("0 22 12*", "+482212*"),
        ("72*", "72*"),
    ],
)
def test_what_is_typed_into_the_block_list(typed: str, pattern: str) -> None:
    assert as_pattern(typed, "PL") == pattern
    assert pattern_fault(pattern) == ""


@pytest.mark.parametrize("pattern", ["", "*", "+", "abc<script>", "+48 600; DROP"])
def test_what_is_no_pattern_is_said_to_be_none(pattern: str) -> None:
    assert pattern_fault(pattern) == "not-a-pattern"


def test_a_log_shows_a_number_in_part() -> None:
    assert masked(Number("+48600100200", E)) == "+486…00"
    assert display(Number("+48600100200", E)) == "+48 600 100 200"
