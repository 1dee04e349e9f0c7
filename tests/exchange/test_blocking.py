"""Callers outside hours, codes and late numbers, on stand-in lines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import Kind, LegId, Number
from appliance.core.plan import Block
from appliance.core.repeats import Repeats
from appliance.exchange.block_lists import MOST_LISTS, scan

EVENING = datetime(2026, 11, 27, 19, 0, tzinfo=UTC)  # 20:00 of the office, a Friday
CALLER = "+48600100200"
WARSAW = ZoneInfo("Europe/Warsaw")


def test_who_calls_too_often_outside_hours_is_blocked_once_and_the_page_is_told(office):
    office.exchange.plan = replace(office.exchange.plan, repeats=Repeats(3, 10, 24))
    office.clock.set(EVENING)
    for number in range(3):
        office.call_in(CALLER, leg=f"gsm0-{number}")
        office.gsm.far_ends(f"gsm0-{number}")
        office.settle()
    [entry] = office.storage.added
    assert (entry.pattern, entry.origin) == (CALLER, "automatic")
    assert abs(entry.ends - EVENING - timedelta(hours=24)) < timedelta(minutes=1)
    assert office.storage.calls[-1].cause is Cause.BLOCKED
    assert office.storage.events == ["blocked-by-itself"]
    assert office.rung() == []


def test_calls_in_hours_are_not_counted(office):
    office.exchange.plan = replace(office.exchange.plan, repeats=Repeats(2, 600, 24))
    for number in range(3):
        office.call_in(CALLER, leg=f"gsm0-{number}")
        office.gsm.far_ends(f"gsm0-{number}")
        office.settle()
    assert office.exchange.tries == {}
    assert office.storage.added == []


def test_a_number_that_comes_late_is_counted_once(office):
    office.exchange.plan = replace(office.exchange.plan, repeats=Repeats(3, 10, 24))
    office.clock.set(EVENING)
    office.call_in("", kind=Kind.UNAVAILABLE)
    office.exchange.handle(ev.NumberKnown(LegId("gsm0-1"), Number(CALLER, Kind.E164)))
    assert [len(at) for at in office.exchange.tries.values()] == [1]


def test_asking_what_would_happen_blocks_nobody(office):
    office.exchange.plan = replace(office.exchange.plan, repeats=Repeats(2, 10, 24))
    office.clock.set(EVENING)
    office.call_in(CALLER)
    offer = office.exchange.calls[next(iter(office.exchange.calls))].offer
    before = dict(office.exchange.tries)
    assert office.exchange.explain(offer, office.clock.local(WARSAW)).adds
    assert office.storage.added == []
    assert office.exchange.tries == before


def test_who_pressed_the_key_is_put_on_the_allow_list(office):
    office.exchange.carry_out("none", [do.AllowCaller(Number(CALLER, Kind.E164))])
    assert office.storage.added == [Block(0, CALLER, allow=True, origin="key")]


@pytest.mark.parametrize(
    ("code", "prompt", "pattern"),
    [
        ("*32", "block-last", CALLER),
        ("*30600100299", "block-number", "+48600100299"),
        ("*30112", "block-nobody", None),
        ("*30", "block-nobody", None),
        ("*31", "let-next", None),
    ],
)
def test_a_code_blocks_and_says_what_it_did(office, code, prompt, pattern):
    codes = {"*30": "block-number", "*31": "let-next", "*32": "block-last"}
    office.exchange.plan = replace(office.exchange.plan, codes=codes)
    office.exchange.last_caller = Number(CALLER, Kind.E164)
    office.call_from("101", code)
    office.settle()
    assert [entry.pattern for entry in office.storage.added] == ([pattern] if pattern else [])
    assert office.storage.overrides == ({"let-next": "on"} if code == "*31" else {})
    running = next(iter(office.exchange.calls.values()), None)
    steps = running.route.steps if running else ()
    assert [step.service for step in steps] in ([prompt], [])


def test_a_clock_that_is_not_sure_lets_who_is_blocked_by_time_ring_and_no_other(office):
    office.exchange.plan = replace(
        office.exchange.plan,
        blocks=[Block(1, CALLER, ends=EVENING + timedelta(days=9)), Block(2, "+48600100299")],
    )
    office.clock.sure = False
    office.call_in(CALLER)
    assert office.rung() == ["101", "102"]
    office.gsm.far_ends("gsm0-1")
    office.settle()
    office.call_in("+48600100299", leg="gsm0-2")
    assert office.storage.calls[-1].cause is Cause.BLOCKED


def test_an_entry_with_an_expression_does_not_hold_the_loop(office):
    entries = [Block(n, "/(1|11|111)*x$/") for n in range(1, 51)]
    office.exchange.plan = replace(office.exchange.plan, blocks=entries)
    office.call_in("+48" + "1" * 12)
    assert office.rung() == ["101", "102"]


def test_lists_in_the_folder_are_read_totally_and_only_block(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf600 100 200\n\n# note\n\xff\xfe\x00\n+4870*  # premium\n")
    (tmp_path / "b.csv").write_text("pattern,list\n+48600100201,block\n+48600100202,allow\n????,\n")
    (tmp_path / "c.csv").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "note.md").write_text("600100203")
    (tmp_path / "d.txt").symlink_to("/etc/passwd")
    (tmp_path / "e.txt").mkdir()
    found = scan(tmp_path, {}, "PL", WARSAW, ["gsm0"])
    shown = {name: ([entry.pattern for entry in one.entries], one.refused) for name, one in found.items()}
    assert shown == {
        "a.txt": (["+48600100200", "+4870*"], 1), "b.csv": (["+48600100201"], 2), "c.csv": ([], 1),
    }  # fmt: skip
    assert all(entry.origin == f"list:{name}" for name, one in found.items() for entry in one.entries)
    assert scan(tmp_path, found, "PL", WARSAW, ["gsm0"]) == found
    (tmp_path / "b.csv").unlink()
    assert "b.csv" not in scan(tmp_path, found, "PL", WARSAW, ["gsm0"])
    assert scan(tmp_path / "none", found, "PL", WARSAW, ["gsm0"]) == {}


def test_folder_and_lists_are_bounded(tmp_path):
    for n in range(MOST_LISTS + 3):
        (tmp_path / f"{n:02d}.txt").write_text("".join(f"+48600{i:06d}\n" for i in range(5200 if n == 0 else 1)))
    found = scan(tmp_path, {}, "PL", WARSAW, [])
    assert len(found) == MOST_LISTS
    assert (len(found["00.txt"].entries), found["00.txt"].refused) == (5000, 200)
