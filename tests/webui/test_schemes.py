"""Schemes on the page: who takes calls when, gaps in words with what mends them, branches and blocks, copy, lines."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.core.branches import branch_at
from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange
from tests.webui.test_announcements import upload

WEEK = [{"day": day, "start": "09:00", "end": "18:00"} for day in range(5)]
RINGS = {"strategy": "all", "seconds": 25, "step": 20, "destinations": [{"to": "group", "ref": "office"}]}
MOBILE = {"strategy": "all", "seconds": 120, "step": 20, "destinations": [{"to": "outside", "ref": "+48600100200"}]}


def branch(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "always": "ranges" not in more, "blocks": [RINGS], **more}


def scheme(*branches: dict[str, Any], name: str = "Main office", scheme_id: str = "main") -> dict[str, Any]:
    return {"id": scheme_id, "name": name, "branches": list(branches)}


@pytest.fixture
def office(exchange: FakeExchange) -> FakeExchange:
    """A scheme for the week's working hours, followed by the line of Reception."""
    put(exchange, scheme(branch("Working hours", ranges=WEEK, blocks=[RINGS, MOBILE])))
    lines = [dict(one) for one in exchange.store.read()["lines"]["items"]]
    lines[0]["scheme"] = "main"
    exchange.store.put("lines", None, {"items": lines})
    return exchange


def put(exchange: FakeExchange, *schemes: dict[str, Any]) -> None:
    exchange.store.put("schemes", None, {"items": list(schemes)})


def stored(exchange: FakeExchange, scheme_id: str = "main") -> dict[str, Any]:
    return next(dict(one) for one in exchange.store.read()["schemes"]["items"] if one["id"] == scheme_id)


def text(client: FlaskClient, path: str = "/schemes/main") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def send(client: FlaskClient, path: str, data: dict[str, Any] | None = None, page: str = "/schemes/main") -> Any:
    """A form of the scheme's page, with what it has seen of the scheme."""
    seen = re.search(r'name="seen" value="([^"]+)"', text(client, page))
    assert seen
    return post(client, path, {"seen": seen[1], **(data or {})}, page)


def day(page: str, name: str) -> str:
    found = re.search(rf'aria-label="([^"]*)" data-testid="cov-{name}"', page)
    assert found
    return found[1]


def test_one_all_week_branch_is_green_from_end_to_end(anna: FlaskClient, exchange: FakeExchange) -> None:
    put(exchange, scheme(branch("Always")))
    page = text(anna)
    assert "All hours covered." in page
    assert 'data-testid="gap"' not in page
    assert page.count('data-state="covered"') == 8  # the card and seven days
    assert day(page, "monday") == "Monday: 00:00 to 24:00 A Always"


def test_without_sunday_exactly_sunday_is_red_and_listed(anna: FlaskClient, exchange: FakeExchange) -> None:
    days = [{"day": d, "start": "00:00", "end": "00:00"} for d in range(6)]
    put(exchange, scheme(branch("Six days", ranges=days)))
    page = text(anna)
    assert re.findall(r'data-testid="cov-(\w+)" data-state="gap"', page) == ["sunday"]
    assert "Sunday 00:00 to 24:00: nobody takes calls." in page


def test_a_gap_is_mended_after_a_look_at_the_new_bar(anna: FlaskClient, office: FakeExchange) -> None:
    while gap := re.search(r'href="/schemes/main\?mend=([^#"]+)#coverage"', text(anna)):
        preview = text(anna, f"/schemes/main?mend={gap[1]}")
        assert "This is how it would be." in preview
        before = stored(office)
        assert post(anna, "/schemes/main/mend", {"key": gap[1]}, "/schemes/main").status_code == 303
        assert stored(office) != before
    assert "All hours covered." in text(anna)


def test_a_gap_that_was_closed_meanwhile_is_not_mended_again(anna: FlaskClient, office: FakeExchange) -> None:
    before = stored(office)
    post(anna, "/schemes/main/mend", {"key": "gap.0.10"}, "/schemes/main")
    assert stored(office) == before
    assert "changed meanwhile" in text(anna)


def test_overlaps_are_told_in_words_and_the_rest_of_the_week_is_none(anna: FlaskClient, exchange: FakeExchange) -> None:
    early = [{"day": 0, "start": "08:00", "end": "10:00"}]
    put(exchange, scheme(branch("Day", ranges=WEEK), branch("Early", ranges=early), branch("Rest")))
    page = text(anna)
    assert "Monday 09:00 to 10:00: both “Day” and “Early” hold." in page
    assert page.count('data-testid="overlap"') == 1
    assert "Leave it to “Day” alone" in page


def test_friday_evening_reads_as_it_is_meant(anna: FlaskClient, office: FakeExchange) -> None:
    data = {"name": "Weekend", "days": "normal", "night": "off", "ranges-0-day": "4", "ranges-0-start": "18:00",
            "ranges-0-end": "09:00", "ranges-1-day": "6", "ranges-1-whole": "1"}  # fmt: skip
    assert send(anna, "/schemes/main/branches/new/hours", data).status_code == 303
    page = text(anna)
    assert "Friday 18:00 to Saturday 09:00" in page
    assert "Sunday the whole day" in page
    assert "Monday to Friday 09:00 to 18:00" in page
    assert stored(office)["branches"][1]["ranges"][1] == {"day": 6, "start": "00:00", "end": "00:00"}


def test_a_branch_without_hours_is_refused_and_what_was_typed_stays(anna: FlaskClient, office: FakeExchange) -> None:
    answer = send(anna, "/schemes/main/branches/new/hours", {"name": "Nothing", "days": "closed", "night": "off"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "This branch has no hours" in page
    assert 'value="Nothing"' in page
    assert len(stored(office)["branches"]) == 1


def test_a_new_block_behind_others_is_the_backup_and_proposes_two_minutes(
    anna: FlaskClient, office: FakeExchange
) -> None:
    assert re.search(r'name="seconds"[^>]*value="120"', text(anna, "/schemes/main?open=1.new"))
    put(office, scheme(branch("Day", blocks=[RINGS])))
    assert "no backup" in text(anna)
    data = {"strategy": "all", "seconds": "120", "step": "20", "to-0-what": "outside:",
            "to-0-number": "+48 600 100 200", "to-1-what": "", "to-1-number": ""}  # fmt: skip
    assert send(anna, "/schemes/main/branches/1/blocks/new", data).status_code == 303
    assert "no backup" not in text(anna)
    [_first, backup] = stored(office)["branches"][0]["blocks"]
    assert (backup["seconds"], backup["destinations"][0]["ref"]) == (120, "+48600100200")


def test_a_block_that_cannot_work_says_why_at_its_row(anna: FlaskClient, office: FakeExchange) -> None:
    data = {"strategy": "all", "seconds": "3", "step": "20", "to-0-what": "group:office"}
    answer = send(anna, "/schemes/main/branches/1/blocks/1", data)
    assert answer.status_code == 422
    assert "This must be from 5 to 600." in answer.get_data(as_text=True)
    both = {"seconds": "20", "step": "20", "to-0-what": "group:office", "to-1-what": "announcement:closed"}
    answer = send(anna, "/schemes/main/branches/1/blocks/1", {"strategy": "all", **both})
    page = answer.get_data(as_text=True)
    assert "it stands alone in its block" in page
    assert 'id="e-d2"' in page
    empty = send(anna, "/schemes/main/branches/1/blocks/1", {"strategy": "all", "seconds": "20", "step": "20"})
    assert "This block has nobody to ring." in empty.get_data(as_text=True)


def test_more_rows_come_without_a_script_and_keep_what_was_typed(anna: FlaskClient, office: FakeExchange) -> None:
    before = stored(office)
    data = {"strategy": "order", "seconds": "50", "step": "20", "to-0-what": "person:101", "more": "1"}
    page = send(anna, "/schemes/main/branches/1/blocks/1", data).get_data(as_text=True)
    assert page.count('class="dest"') == 6 + 1  # six rows and the form of the name
    assert '<option value="person:101" selected>' in page
    assert stored(office) == before


def test_branches_and_blocks_are_moved_and_removed(anna: FlaskClient, exchange: FakeExchange) -> None:
    put(exchange, scheme(branch("Day", ranges=WEEK, blocks=[RINGS, MOBILE]), branch("Rest")))
    send(anna, "/schemes/main/branches/2/up")
    assert [one["name"] for one in stored(exchange)["branches"]] == ["Rest", "Day"]
    send(anna, "/schemes/main/branches/2/blocks/2/up")
    assert [block["seconds"] for block in stored(exchange)["branches"][1]["blocks"]] == [120, 25]
    send(anna, "/schemes/main/branches/2/blocks/1/remove")
    assert [block["seconds"] for block in stored(exchange)["branches"][1]["blocks"]] == [25]
    send(anna, "/schemes/main/branches/1/remove")
    assert [one["name"] for one in stored(exchange)["branches"]] == ["Day"]
    assert send(anna, "/schemes/main/branches/9/up").status_code == 404


def test_a_form_of_before_does_not_change_the_branch_that_took_the_place(
    anna: FlaskClient, office: FakeExchange
) -> None:
    seen = re.search(r'name="seen" value="([^"]+)"', text(anna))
    put(office, scheme(branch("Another")))
    post(anna, "/schemes/main/branches/1/remove", {"seen": seen[1] if seen else ""}, "/schemes/main")
    assert [one["name"] for one in stored(office)["branches"]] == ["Another"]


def test_a_copy_is_whole_and_changing_it_leaves_the_first_as_it_was(anna: FlaskClient, office: FakeExchange) -> None:
    before = stored(office)
    path = post(anna, "/schemes/main/copy", {}, "/schemes").headers["Location"]
    copied = stored(office, "scheme-1")
    assert copied["name"] == "Copy of Main office"
    assert copied["branches"] == before["branches"]
    send(anna, "/schemes/scheme-1/branches/1/blocks/2/remove", page=path)
    assert len(stored(office, "scheme-1")["branches"][0]["blocks"]) == 1
    assert stored(office) == before


def test_a_new_scheme_takes_calls_from_the_first_moment(anna: FlaskClient, exchange: FakeExchange) -> None:
    put(exchange)
    assert "No scheme yet" in text(anna, "/schemes")
    assert post(anna, "/schemes/new", {"name": "Evening"}, "/schemes").status_code == 303
    assert "All hours covered." in text(anna, "/schemes/scheme-1")


def test_the_diagram_reads_as_a_nested_list(anna: FlaskClient, office: FakeExchange) -> None:
    page = text(anna)
    flow = page[page.index('<ol class="flow"') :]
    words = re.sub(r"<[^>]+>", " ", flow[: flow.index("</ol>")])
    assert re.sub(r"\s+", " ", words).strip() == (
        "Rings Office for 25 s Change block 1 Rings +48 600 100 200 for 120 s Change block 2"
    )


def test_the_next_60_days_name_closed_days_and_the_clock_change(anna: FlaskClient, office: FakeExchange) -> None:
    page = text(anna)
    assert "Friday 25 December: Christmas, nobody for 24 h" in page
    assert "On closed days nobody takes calls." in page
    assert 'value="closed" selected' in text(anna, "/schemes/main?open=new&days=closed")


def test_three_lines_follow_their_schemes_after_one_save(anna: FlaskClient, office: FakeExchange) -> None:
    assert "Scheme of Billboard" in text(anna, "/lines")
    answer = post(anna, "/lines/schemes", {"scheme-gsm0": "", "scheme-gsm1": "main"}, "/lines")
    assert answer.status_code == 303
    assert [one.get("scheme") for one in office.store.read()["lines"]["items"]] == ["", "main"]
    plan = office.plan()
    assert [line.scheme for line in plan.lines.values()] == ["", "main"]


def test_a_scheme_that_a_line_follows_stays(anna: FlaskClient, office: FakeExchange) -> None:
    assert "Choose another scheme for them first" in text(anna, "/schemes/main/remove")
    post(anna, "/lines/schemes", {"scheme-gsm0": ""}, "/lines")
    assert post(anna, "/schemes/main/remove", {}).status_code == 303
    assert office.store.read()["schemes"]["items"] == []


def test_a_person_in_a_scheme_is_not_removed_and_the_page_says_why(anna: FlaskClient, exchange: FakeExchange) -> None:
    put(exchange, scheme(branch("Day", blocks=[{**RINGS, "destinations": [{"to": "person", "ref": "103"}]}])))
    post(anna, "/people/p103/remove", {})
    assert len(exchange.store.read()["people"]["items"]) == 3
    assert "Nobody has the extension 103" in text(anna, "/people/p103")


def test_the_night_switch_takes_an_end_time_and_the_page_says_it(anna: FlaskClient, exchange: FakeExchange) -> None:
    assert (
        post(anna, "/night", {"value": "on", "until": "07:30", "back": "/hours/night"}, "/hours/night").status_code
        == 303
    )
    assert exchange.night_until == "2026-11-25T07:30:00+01:00"
    assert "Night mode is on until Wednesday 07:30; then the hours decide again." in text(anna, "/hours/night")


def calendar(client: FlaskClient, octets: bytes) -> str:
    """Send a calendar file from the page of closed days; the page that comes of it."""
    answer = upload(client, "/hours/holidays/calendar", octets, "/hours/holidays")
    assert answer.status_code == 303
    return text(client, "/hours/holidays")


def test_the_days_of_a_calendar_file_take_the_branch_for_closed_days(anna: FlaskClient, exchange: FakeExchange) -> None:
    days = ("20261224", "20261225", "20201111")  # the last has passed
    events = "".join(f"BEGIN:VEVENT\nDTSTART;VALUE=DATE:{day}\nSUMMARY:Feast {day}\nEND:VEVENT\n" for day in days)
    octets = f"BEGIN:VCALENDAR\n{events}END:VCALENDAR\n".encode()
    assert "2 closed days were added." in calendar(anna, octets)
    assert "0 closed days were added." in calendar(anna, octets)
    put(exchange, scheme(branch("Day"), branch("Feast", days="closed")))
    plan = exchange.plan()
    line = next(iter(plan.lines.values()))
    index, step = branch_at(plan.schemes["main"], line.hours, datetime(2026, 12, 24, 12, tzinfo=UTC))
    assert (index, step.args["name"]) == (1, "Feast 20261224")


def test_what_is_no_calendar_changes_nothing(anna: FlaskClient, exchange: FakeExchange) -> None:
    before = exchange.store.read()["hours"]
    assert "This is no calendar file." in calendar(anna, b"GIF89a")
    assert "too big" in calendar(anna, b" " * (1024 * 1024 + 1))
    assert exchange.store.read()["hours"] == before
