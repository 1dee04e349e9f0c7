"""Texts that go out as PDUs: what the receiver reads is what was written, and no part is longer than the air allows."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.errors import MessageTooLong, RecipientError, ValidityError
from appliance.protocols import alphabet
from appliance.protocols.graphemes import clusters
from appliance.protocols.multipart import join
from appliance.protocols.pdu import Pdu, decode, to_part
from appliance.protocols.pdu_encode import Submit, submits

DATA = Path(__file__).parent.parent / "data"
ROWS = [json.loads(line) for line in (DATA / "pdu_corpus.jsonl").read_text(encoding="utf-8").splitlines()]
TEXTS = {row["expect"]["text"] for row in ROWS if row["kind"] != "STATUS-REPORT" and row["expect"].get("text")}
NUMBER = "+48600100200"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def read(parts: tuple[Submit, ...]) -> list[Pdu]:
    return [decode(part.pdu) for part in parts]


def text_of(parts: tuple[Submit, ...]) -> str:
    return join(to_part(part.pdu) for part in parts)


@pytest.mark.parametrize(
    ("text", "coding", "parts"),
    [
        ("", "gsm7", 1),
        ("a" * 160, "gsm7", 1),
        ("a" * 161, "gsm7", 2),
        ("a" * 306, "gsm7", 2),
        ("a" * 307, "gsm7", 3),
        ("€" * 80, "gsm7", 1),
        ("€" * 81, "gsm7", 2),
        ("€" * 152, "gsm7", 2),  # 76 of two septets in a part of 153: none is cut
        ("€" * 153, "gsm7", 3),
        ("ж" * 70, "ucs2", 1),
        ("ж" * 71, "ucs2", 2),
        ("ж" * 134, "ucs2", 2),
        ("ж" * 135, "ucs2", 3),
        ("\U0001f600" * 35, "ucs2", 1),
        ("\U0001f600" * 66, "ucs2", 2),  # 33 pairs in a part of 67 units: none is cut
        ("\U0001f600" * 67, "ucs2", 3),
    ],
)
def test_as_many_parts_as_the_standard_counts(text: str, coding: str, parts: int) -> None:
    found = submits(NUMBER, text)
    assert ([part.total for part in found], {part.coding for part in found}) == ([parts] * parts, {coding})
    assert [part.sequence for part in found] == list(range(1, parts + 1))
    assert text_of(found) == text


@pytest.mark.parametrize(("sixteen_bit", "most"), [(False, 153), (True, 152)])
def test_a_reference_of_sixteen_bits_takes_a_septet(sixteen_bit: bool, most: int) -> None:
    found = read(submits(NUMBER, "a" * 200, reference=0x1234, sixteen_bit=sixteen_bit))
    assert len(found[0].text or "") == most
    concat = found[0].concat
    assert concat is not None
    assert (concat.reference, concat.bits) == ((0x1234, 16) if sixteen_bit else (0x34, 8))


def test_what_was_asked_for_stands_in_the_pdu() -> None:
    (plain,) = read(submits("*100#", "hello"))
    assert (plain.address, plain.dcs, plain.message_class) == ("*100#", 0, None)
    assert plain.more["status_report_request"] is False
    assert "vp_relative_minutes" not in plain.more
    (full,) = read(submits(NUMBER, "ż", flash=True, report=True, valid_minutes=1440))
    assert (full.address, full.dcs, full.message_class, full.text) == (NUMBER, 0x18, 0, "ż")
    assert full.more["status_report_request"] is True
    assert full.more["vp_relative_minutes"] == 1440


@given(st.integers(1, 63 * 7 * 1440))
def test_the_network_tries_at_least_as_long_as_asked(minutes: int) -> None:
    (found,) = read(submits(NUMBER, "x", valid_minutes=minutes))
    said = found.more["vp_relative_minutes"]
    assert isinstance(said, int)
    assert minutes <= said < minutes + 10080


@pytest.mark.parametrize("minutes", [0, -1, 63 * 7 * 1440 + 1])
def test_a_time_that_cannot_be_said_is_refused(minutes: int) -> None:
    with pytest.raises(ValidityError):
        submits(NUMBER, "x", valid_minutes=minutes)


@pytest.mark.parametrize("number", ["", "+", "Office", "+48 600", "++48", "48+600", "1" * 21, "6٣", "+4860010020x"])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(RecipientError):
        submits(number, "x")


@pytest.mark.parametrize("number", ["112", NUMBER, "+" + "1" * 20, "*#abc", "5"])
def test_a_number_comes_back_as_it_was(number: str) -> None:
    (found,) = read(submits(number, "x"))
    assert found.address == number


def test_255_parts_go_and_one_more_is_refused() -> None:
    assert len(submits(NUMBER, "a" * 153 * 255)) == 255
    with pytest.raises(MessageTooLong):
        submits(NUMBER, "a" * (153 * 255 + 1))
    with pytest.raises(MessageTooLong):
        submits(NUMBER, "€" * 40000)
    with pytest.raises(MessageTooLong):
        submits(NUMBER, "a" * 1_000_000)


@pytest.mark.parametrize("text", sorted(TEXTS))
@pytest.mark.parametrize("national", [False, True])
def test_texts_of_the_field_come_back_as_they_were(text: str, national: bool) -> None:
    assert text_of(submits(NUMBER, text, national=national)) == text


LETTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from(
        ["€", "[", "~", "ł", "ж", "\U0001f600", "e\u0301", FAMILY, "\U0001f1f5\U0001f1f1", "ş", "\r\n", "अ"]
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(LETTERS, max_size=400).map("".join), st.booleans(), st.booleans(), st.integers(0, 65535))
@example("a" + "\u0301" * 500, False, False, 1)
@example("ş" * 500, True, True, 1)
def test_any_text_comes_back_as_it_was(text: str, national: bool, sixteen_bit: bool, reference: int) -> None:
    found = submits(NUMBER, text, national=national, sixteen_bit=sixteen_bit, reference=reference, valid_minutes=60)
    assert text_of(found) == text.removeprefix("\ufeff")
    for part in found:
        assert part.length == len(part.pdu) // 2 - 1 <= 164
        assert decode(part.pdu).cut is False
    if len(found) > 1:
        places = [(p.concat.sequence, p.concat.total) for p in read(found) if p.concat]
        assert places == [(n, len(found)) for n in range(1, len(found) + 1)]


@settings(max_examples=300, deadline=None)
@given(st.lists(LETTERS, max_size=300).map("".join))
def test_no_part_ends_inside_a_letter(text: str) -> None:
    """Each part is whole by itself: no escape, no half pair, no letter without its accent."""
    parts = [pdu.text or "" for pdu in read(submits(NUMBER, text))]
    if text.startswith("\ufeff") or any(part.startswith("\ufeff") for part in parts):
        return
    assert "".join(parts) == text
    borders = {sum(map(len, parts[:n])) for n in range(len(parts) + 1)}
    whole, at = {0}, 0
    for cluster in clusters(text):
        at += len(cluster)
        whole.add(at)
    longest = max((len(cluster) for cluster in clusters(text)), default=0)
    assert borders <= whole or longest > 60


def test_half_a_pair_does_not_stop_a_message() -> None:
    assert text_of(submits(NUMBER, "a\ud83d b")) == "a\ufffd b"


@pytest.mark.parametrize(
    ("cluster", "whole"),
    [
        (FAMILY, True),
        ("e\u0301", True),
        ("\U0001f1f5\U0001f1f1", True),
        ("\U0001f44d\U0001f3fd", True),
        ("\r\n", True),
        ("\u1112\u1161\u11ab", True),
        ("नि", True),
        ("ab", False),
        ("\U0001f1f5\U0001f1f1\U0001f1fa\U0001f1e6", False),
        ("각가", False),
    ],
)
def test_letters_as_a_reader_sees_them(cluster: str, whole: bool) -> None:
    assert (len(list(clusters(cluster))) == 1) is whole


@pytest.mark.parametrize(
    ("text", "language", "locking"),
    [
        ("ğüşıİ" * 20, 1, True),
        ("á sólo í", 3, True),
        ("¿Está aquí?", 2, False),
        ("नमस्ते", 6, True),
        ("வணக்கம்", 11, True),
    ],
)
def test_national_tables_are_used_when_asked_and_only_then(text: str, language: int, locking: bool) -> None:
    assert {part.coding for part in submits(NUMBER, text)} == {"ucs2"}
    found = submits(NUMBER, text, national=True)
    assert {part.coding for part in found} == {"gsm7"}
    assert text_of(found) == text
    header = decode(found[0].pdu).header or b""
    assert bytes([0x25 if locking else 0x24, 1, language]) in header
    assert found[0].total <= submits(NUMBER, text)[0].total


def test_a_text_of_the_default_alphabet_never_needs_a_national_table() -> None:
    (found,) = read(submits(NUMBER, "Grüße [€]", national=True))
    assert found.header is None


@pytest.mark.parametrize("locking", range(14))
@pytest.mark.parametrize("single", range(14))
def test_every_letter_of_every_table_is_read_as_it_is_written(locking: int, single: int) -> None:
    codes = alphabet.codes(locking, single)
    assert len(codes) > 100
    for char, septets in codes.items():
        assert alphabet.gsm7(septets, locking, single) == char
