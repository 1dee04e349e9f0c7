"""The lists as a file: what is written is read back, and what cannot be read is named by its line."""

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.core.blocklist import Block
from appliance.core.entry import entry_fault
from appliance.core.entry_form import MOST_ROWS, clean, read, written
from tests.core.builders import GSM0

ZONE = ZoneInfo("Europe/Warsaw")
LINES = {"gsm0"}
LIST = [
    Block(0, "+48600100200"),
    Block(0, "+48700*", what="both", action="busy", reason='he said "no", twice'),
    Block(0, "+4860010020?", when="after-hours", line=GSM0, action="announce"),
    Block(0, "+48600100200-299", allow=True, reason="=our, own\u2019s"),
    Block(0, "/^\\+48(70|80),/", reason="'quoted"),
    Block(0, "withheld", begins=datetime(2026, 11, 1, tzinfo=UTC), ends=datetime(2026, 12, 1, 12, 30, tzinfo=UTC)),
    Block(0, "+48600100201", ends=datetime(2026, 12, 1, tzinfo=UTC), origin="automatic"),
    Block(0, "+48600100202", allow=True, origin="key"),
]


def test_a_list_that_is_written_and_read_is_the_same_list() -> None:
    text = written(LIST)
    assert text.startswith("pattern,list,what,when,line,action,begins,ends,reason,origin\r\n")
    assert read(text, "PL", ZONE, LINES) == (LIST, [])
    assert read("\ufeff" + text.replace("\r\n", "\n"), "PL", ZONE, LINES) == (LIST, [])


def test_no_reason_is_a_formula_in_a_spreadsheet() -> None:
    assert ",\"'=our, own" in written(LIST)


def test_a_table_of_a_spreadsheet_with_semicolons_and_only_numbers_is_read() -> None:
    found, faults = read("Reason;Pattern\nfax;600 100 200\n;\n;22 123 45 67\n", "PL", ZONE, LINES)
    assert faults == []
    assert [(entry.pattern, entry.reason) for entry in found] == [("+48600100200", "fax"), ("+48221234567", "")]


def test_every_bad_row_is_named_by_its_line_and_column_at_once() -> None:
    text = (
        "pattern,list,what,line,begins,ends,reason\n"
        '+48600100200,,,,,,"two\nlines"\n'
        "????,maybe,,gsm9,,,\n"
        ",,,,,,nothing\n"
        "+48600100201,,shouting,,soon,,\n"
        "+48600100202,,,,2026-12-02,2026-12-01,\n"
        "+48600100200,allow,,,,,\n"
    )
    found, faults = read(text, "PL", ZONE, LINES)
    assert [(entry.pattern, entry.allow, entry.reason) for entry in found] == [
        ("+48600100200", False, "two lines"), ("+48600100200", True, ""),
    ]  # fmt: skip
    assert [(f.line, f.column, f.fault) for f in faults] == [
        (4, "list", "not-a-list-name"), (4, "pattern", "not-a-pattern"), (4, "line", "unknown-line"),
        (5, "pattern", "not-an-entry"), (6, "what", "not-a-choice"), (6, "begins", "not-a-moment"),
        (7, "ends", "ends-before-it-begins"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "\x00\x01", "no,such,column\n1,2,3\n", '"', "\ufeff", "pattern\x00\n"])
def test_what_is_no_table_is_said_so(text: str) -> None:
    found, faults = read(text, "PL", ZONE, LINES)
    assert found == []
    assert [fault.fault for fault in faults] == ["not-a-csv"]


def test_a_file_is_bounded() -> None:
    text = "pattern\n" + "".join(f"+48600{n:06d}\n" for n in range(MOST_ROWS + 10))
    found, faults = read(text, "PL", ZONE, LINES)
    assert len(found) == MOST_ROWS
    assert [(fault.fault, fault.line) for fault in faults] == [("list-full", MOST_ROWS + 2)]


def test_any_text_is_read_or_refused() -> None:
    chance = random.Random(3)
    letters = [*'0123456789+*?#-/;,"\n\r ().pattern\x00\ufeff\u2013x=', "+48600100200", "withheld", "pattern\n"]
    for _ in range(400):
        text = "".join(chance.choice(letters) for _ in range(chance.randrange(60)))
        for whole in (text, "pattern,ends,line\n" + text):
            found, faults = read(whole, "PL", ZONE, LINES)
            assert found or faults or not text.strip('\n\r ,"\ufeff;0')
            assert all(entry_fault(entry.pattern) == "" for entry in found)
            again, wrong = read(written(found), "PL", ZONE, LINES)
            assert (again, wrong) == (found, [])


@pytest.mark.parametrize("when", ["2026-13-01", "9999-12-31T23:59-14:00", "0001-01-01T00:00+14:00", "x" * 500])
def test_a_moment_that_is_none_is_a_fault(when: str) -> None:
    assert clean({"pattern": "+48*", "ends": when}, "PL", ZONE, LINES)[1]["ends"][0] == "not-a-moment"
