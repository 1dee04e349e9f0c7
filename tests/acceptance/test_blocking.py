"""Callers who must not ring, on a whole box: who is refused, when, by what, and how it is taken back."""

import json
from datetime import datetime, timedelta

import pytest

from tests.acceptance.conftest import CLOSED, OPEN, MakePhone, Office
from tests.peers.baresip import Phone
from tests.peers.waiting import until

CALLER, OTHER = "+48600100200", "+48600100299"
EVENING = "2026-11-27T20:00"  # a Friday, after hours


def calls(office: Office, caller: str, number: int, line: str = "gsm0") -> dict:
    """The row of the next call, the `number`th."""
    office.virtual(f"{line} call {caller}")
    row = office.wait_calls(number, 30)
    return sorted(row, key=lambda one: one["id"])[-1] if len({r["started_at"] for r in row}) < number else row[-1]


def rings(office: Office, ben: Phone, caller: str) -> None:
    office.virtual(f"gsm0 call {caller}")
    ben.wait("CALL_INCOMING")
    office.virtual("gsm0 hang-up")
    ben.wait("CALL_CLOSED")
    office.idle()


def refused(office: Office, caller: str) -> dict:
    """The row of a call that was refused as blocked."""
    before = len(office.calls_as_written())
    office.far("call", number=caller)
    rows = until("the row", lambda: r if len(r := office.calls_as_written()) > before else None, 15, 0.05)
    assert rows[-1]["cause"] == "blocked", rows[-1]
    office.idle()
    return rows[-1]


def import_list(office: Office, text: str, **more: object) -> object:
    (office.places.prompts / "list.csv").write_text(text)
    return office.try_ask("block.import", name="list.csv", **more)


@pytest.mark.parametrize("pattern", ["600 100 2??", "+48600100200-250", "/^\\+48600.*200$/", "60010*"])
def test_a_listed_number_gets_no_ring_and_its_counter_goes_up_by_one(
    office: Office, phone: MakePhone, pattern: str
) -> None:
    ben = phone("102")
    office.ask("block.add", pattern=pattern, reason="noise")
    row = refused(office, CALLER)
    assert row["trace"][1]["rule"] == "block-list"
    assert not ben.saw("CALL_INCOMING")
    entry = until("the hit is written", lambda: [b for b in office.rows("blocks") if b["hits"] == 1], 20)[0]
    assert entry["last_hit"]
    if pattern != "60010*":
        rings(office, ben, "+48600100300")


def test_an_allowed_number_inside_a_blocked_beginning_rings(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    office.ask("block.add", pattern="+48600*")
    office.ask("block.add", pattern=CALLER, allow=True)
    rings(office, ben, CALLER)
    refused(office, OTHER)
    assert not ben.saw("CALL_INCOMING")


def test_the_entry_of_after_hours_blocks_at_eight_in_the_evening_and_rings_at_ten(
    office: Office, phone: MakePhone
) -> None:
    ben = phone("102")
    office.put_item("lines", "gsm0", closed="reject")
    office.ask("block.add", pattern=CALLER, when="after-hours")
    office.at(EVENING)
    assert refused(office, CALLER)["trace"][1]["rule"] == "block-list-after-hours"
    office.at("2026-11-27T10:00")
    rings(office, ben, CALLER)


def test_the_third_call_of_an_evening_is_blocked_by_itself_until_a_time_and_over_a_restart(
    office: Office, phone: MakePhone
) -> None:
    ben = phone("102")
    office.put_item("lines", "gsm0", closed="reject")
    office.put("screening", auto=True, auto_calls=3, auto_minutes=10, auto_hours=12)
    office.at(EVENING)
    for number in (1, 2):
        assert calls(office, CALLER, number)["cause"] == "closed"
        office.idle()
    offset = office.status()["clock_offset"]
    assert offset
    assert refused(office, CALLER)["trace"][-1]["rule"] == "blocked-by-itself"
    entry = until("the entry", lambda: office.rows("blocks"))[0]
    assert (entry["pattern"], entry["origin"], entry["allow"]) == (CALLER, "automatic", 0)
    ends = datetime.fromisoformat(entry["ends_at"])
    wanted = datetime.fromisoformat(EVENING + "+01:00") + timedelta(hours=12)
    assert abs(ends - wanted) < timedelta(minutes=2)
    until(
        "it is in force",
        lambda: "block-automatic" in json.dumps(office.ask("explain", line="gsm0", **{"from": CALLER})),
    )
    office.processes["exchange"].kill()
    office.processes.pop("exchange")
    office.start("exchange")
    until("the SIM is registered", lambda: office.line()["state"] == "up", 30)
    office.at(EVENING)
    assert refused(office, CALLER)["trace"][-1]["rule"] == "block-automatic"
    office.at("2026-11-30T10:00")
    ben.wait_registered()
    rings(office, ben, CALLER)


def test_a_box_that_fell_between_two_calls_of_an_evening_counts_on(office: Office) -> None:
    office.put_item("lines", "gsm0", closed="reject")
    office.put("screening", auto=True, auto_calls=2, auto_minutes=600, auto_hours=1)
    office.put_item("lines", "gsm0", always_open=False, ranges=[])
    office.ask("clock.set")
    assert calls(office, CALLER, 1)["cause"] == "closed"
    office.processes["exchange"].kill()
    office.processes.pop("exchange")
    office.start("exchange")
    until("the SIM is registered", lambda: office.line()["state"] == "up", 30)
    assert refused(office, CALLER)["trace"][-1]["rule"] == "blocked-by-itself"


def test_a_list_that_is_exported_and_imported_is_the_same_list(office: Office) -> None:
    text = (
        "pattern,list,what,when,line,action,begins,ends,reason,origin\r\n"
        "+48600100200,block,calls,always,,,,,noise,\r\n"
        '+4870*,block,both,after-hours,gsm0,busy,,2026-12-24T18:00:00+00:00,"a, b",\r\n'
        "+48600100300,allow,calls,always,,,,,,key\r\n"
    )
    assert import_list(office, text).ok == {"read": 3, "bad": 0, "faults": [], "entries": 3}
    held = office.rows("blocks")
    assert [row["pattern"] for row in held] == ["+48600100200", "+4870*", "+48600100300"]
    assert import_list(office, text).ok["entries"] == 3
    assert office.rows("blocks") == held
    assert import_list(office, "pattern\n+48600100200\n", replace=True).ok["entries"] == 1
    assert office.rows("blocks")[0]["id"] == held[0]["id"], "it keeps its counter"


def test_one_bad_row_imports_nothing_unless_it_is_left_out(office: Office) -> None:
    text = "pattern,line\n+48600100200,\n????,\n+48600100201,gsm7\n"
    answer = import_list(office, text)
    assert answer.error == "rows-refused"
    assert [(f["line"], f["fault"]) for f in answer.args["faults"]] == [(3, "not-a-pattern"), (4, "unknown-line")]
    assert office.rows("blocks") == []
    assert import_list(office, text, skip=True).ok["entries"] == 1
    for name in ("../settings.json", "/etc/passwd", "none.csv"):
        assert office.try_ask("block.import", name=name).error in ("bad-request", "rows-refused")


def test_five_thousand_rows_are_imported_and_the_next_call_is_refused(office: Office) -> None:
    text = "pattern\n" + "".join(f"+4870{n:07d}\n" for n in range(4998)) + CALLER + "\n+48600100201-299\n"
    assert import_list(office, text).ok["entries"] == 5000
    refused(office, CALLER)
    refused(office, OTHER)
    assert office.try_ask("block.add", pattern="+481*").fields == {"pattern": "list-full"}


def test_a_list_in_the_watched_folder_blocks_and_is_read_again_when_it_changes(
    office: Office, phone: MakePhone
) -> None:
    ben = phone("102")
    folder = office.places.lists
    (folder / "spam.txt").write_text(f"# known callers\n{CALLER}  # sells windows\nnonsense###\n")
    shown = until("the list is read", lambda: office.ask("block.lists")["lists"], 30)[0]
    assert (shown["name"], shown["count"], shown["refused"]) == ("spam.txt", 1, 1)
    row = refused(office, CALLER)
    assert (row["trace"][1]["rule"], row["trace"][1]["args"]["list"]) == ("block-subscribed", "spam.txt")
    assert not ben.saw("CALL_INCOMING")
    (folder / "spam.txt").write_text(f"{OTHER}\n")
    until(
        "it is read again",
        lambda: "block-subscribed" not in str(office.ask("explain", line="gsm0", **{"from": CALLER})),
        30,
    )
    rings(office, ben, CALLER)
    refused(office, OTHER)


def test_the_next_caller_is_let_through_and_a_pause_ends_by_itself(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    office.ask("block.add", pattern=CALLER)
    office.ask("block.let-next", on=True)
    rings(office, ben, CALLER)
    refused(office, CALLER)
    office.ask("block.pause", minutes=30)
    rings(office, ben, CALLER)
    office.at("2026-11-27T12:31")
    refused(office, CALLER)


def test_codes_block_the_last_caller_and_a_number_and_let_the_next_one_through(
    office: Office, phone: MakePhone
) -> None:
    ben = phone("102")
    rings(office, ben, CALLER)
    for code, held in (("*32", {CALLER}), ("*30600100299", {CALLER, OTHER}), ("*32", {CALLER, OTHER})):
        ben.dial(code)
        ben.wait("CALL_CLOSED", 20)
        until("the entry", lambda held=held: {row["pattern"] for row in office.rows("blocks")} == held, 10)
    until("it is in force", lambda: "block-list" in str(office.ask("explain", line="gsm0", **{"from": OTHER})))
    refused(office, CALLER)
    refused(office, OTHER)
    ben.dial("*31")
    ben.wait("CALL_CLOSED", 20)
    rings(office, ben, CALLER)
    refused(office, CALLER)
    assert len(office.rows("blocks")) == 2


def test_an_expression_that_would_run_long_is_refused_when_it_is_saved(office: Office) -> None:
    assert office.try_ask("block.add", pattern="/(1|11|111)*$/").fields == {"pattern": "slow-regex"}
    assert office.rows("blocks") == []
    assert CLOSED > OPEN
