"""The page of Blocking: what is typed stands in the list, is found, taken back, kept as a file and read from one."""

import html
import re
import sqlite3

import pytest
from flask.testing import FlaskClient

from appliance.settings.places import Places
from tests.webui.conftest import post, token_of
from tests.webui.fake_exchange import FakeExchange


def shown(client: FlaskClient, path: str = "/blocking") -> str:
    return html.unescape(client.get(path).get_data(as_text=True)).replace("\u00a0", " ")


def rows(page: str) -> list[str]:
    """What stands in each row of the list."""
    return [
        " ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r'data-testid="block-row".*?</tr>', page)
    ]


def add(client: FlaskClient, **form: str):
    return post(client, "/blocking", {"allow": "0", "kind": "number", "what": "calls", "when": "always", **form})


def take_in(client: FlaskClient, text: str, **form: str):
    """Import a file, as a browser sends it."""
    page = client.get("/blocking/files").get_data(as_text=True)
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"csrf_token": token_of(page), **form}.items()
    ]
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="../list.csv"\r\n\r\n'
    body = b"".join([*parts, head, text.encode(), b"\r\n--x--\r\n"])
    return client.post("/blocking/import", data=body, content_type="multipart/form-data; boundary=x")


@pytest.mark.parametrize(
    ("kind", "typed", "reads"),
    [
        ("number", "600 100 300", "+48 600 100 300"),
        ("range", "600 100 200-299", "+48 600 100 200 to +48 600 100 299"),
        ("mask", "+48 600 12? ???", "+4860012????"),
        ("expression", "^\\+48(80|81)", "Numbers that fit /^\\+48(80|81)/"),
        ("prefix", "+48 801", "+48801 and all that follows"),
    ],
)
def test_each_kind_of_entry_is_made_and_reads_back(
    anna: FlaskClient, exchange: FakeExchange, kind: str, typed: str, reads: str
) -> None:
    assert add(anna, kind=kind, pattern=typed).status_code == 303
    page = shown(anna)
    assert f"{reads} will not ring here any more." in page
    assert rows(page)[0].split("> ", 1)[-1].startswith(reads)


def test_an_entry_with_a_time_says_it_and_undo_takes_it_back(anna: FlaskClient, exchange: FakeExchange) -> None:
    add(anna, pattern="600100300", ends="2026-12-01T18:00", begins="2026-11-25T08:00")
    page = shown(anna)
    assert "until 1 Dec 18:00" in rows(page)[0]
    undo = re.search(r'action="(/undo/\d+)"', page)
    assert undo
    assert post(anna, undo[1], {}, "/blocking").status_code == 303
    assert "600 100 300" not in "".join(rows(shown(anna)))


def test_every_fault_of_the_form_is_said_and_what_was_typed_stays(anna: FlaskClient, exchange: FakeExchange) -> None:
    answer = add(anna, kind="expression", pattern="(1|11|111)*$", ends="2026-11-01T08:00", begins="2026-11-02T08:00")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "take for ever" in page
    assert "It would end before it begins." in page
    assert "(1|11|111)*$" in page


def test_what_is_over_stands_under_ended_and_what_nobody_made_under_by_itself(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    for pattern, more in (
        ("+48600100301", {"ends": "2026-11-01T20:00"}),
        ("+48600100302", {"ends": "2026-11-25T20:00", "origin": "automatic"}),
        ("+48600100303", {"allow": True, "origin": "key"}),
    ):
        exchange._block_add({"pattern": pattern, **more}, "")
    assert [row.count("600 100 301") for row in rows(shown(anna, "/blocking/ended"))] == [1]
    page = rows(shown(anna, "/blocking/automatic"))
    assert ["pressed the key" in page[0], "until 25 Nov 20:00" in page[1]] == [True, True]
    assert "600 100 301" not in "".join(rows(shown(anna)))


def test_an_entry_is_found_by_any_spelling_and_by_its_reason(anna: FlaskClient, exchange: FakeExchange) -> None:
    add(anna, pattern="600100300", reason="sells windows")
    for query in ("600 100 300", "0048600100300", "windows"):
        found = rows(shown(anna, f"/blocking?q={query}"))
        assert [row.count("600 100 300") for row in found] == [1]
    assert "No entry fits." in shown(anna, "/blocking?q=%25")


def test_a_long_list_comes_page_by_page(anna: FlaskClient, exchange: FakeExchange, places: Places) -> None:
    with sqlite3.connect(places.journal) as db:
        db.executemany(
            "INSERT INTO blocks (pattern, created_at) VALUES (?, '2026-11-24T10:00:00.000Z')",
            [(f"+4870{n:07d}",) for n in range(5000)],
        )
    page = shown(anna)
    assert len(rows(page)) == 50
    assert "5002 entries are blocked." in page
    assert len(rows(shown(anna, "/blocking?page=100"))) == 2
    assert shown(anna, "/blocking?page=-1%27").count('data-testid="block-row"') == 50
    assert anna.get("/calls").status_code == 200


def test_a_caller_is_blocked_from_the_list_of_calls_with_one_click_and_undo_takes_it_back(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    page = shown(anna, "/calls")
    button = re.search(r'action="(/blocking/from-call/[^"]+)">.{0,200}aria-label="Block \+48 600 771 236"', page, re.S)
    assert button
    post(anna, button[1], {}, "/calls")
    page = shown(anna, "/calls")
    assert "+48 600 771 236 will not ring here any more." in page
    assert 'aria-label="Block +48 600 771 236"' not in page
    undo = re.search(r'action="(/undo/\d+)"', page)
    assert undo
    post(anna, undo[1], {}, "/calls")
    assert 'aria-label="Block +48 600 771 236"' in shown(anna, "/calls")


def test_the_dry_run_says_whether_a_caller_would_be_refused_and_why(anna: FlaskClient, exchange: FakeExchange) -> None:
    page = shown(anna, "/blocking?try=0048+700+100+250&on=gsm0")
    assert "+48 700 100 250 would be refused now." in page
    assert "Refused: blocklist (+48700*)." in page
    assert "No block would hold +48 700 100 900 now." in shown(anna, "/blocking?try=%2B48700100900&on=gsm0")
    assert exchange.asked["explain"] == 2


def test_what_is_done_at_once_is_shown_and_taken_back(anna: FlaskClient, exchange: FakeExchange) -> None:
    for deed, words, name, back in (
        ("pause", "Blocking is paused until 14:42.", "paused", ""),
        ("let-next", "The next caller is let through", "let_next", False),
    ):
        post(anna, f"/blocking/now/{deed}", {}, "/blocking")
        page = shown(anna)
        assert words in page
        undo = re.search(r'action="(/undo/\d+)"', page)
        assert undo
        post(anna, undo[1], {}, "/blocking")
        assert exchange.blocking[name] == back
    post(anna, "/blocking/now/last", {}, "/blocking")
    assert "Nobody who shows a number has called yet." in shown(anna)
    exchange.blocking["last"] = "+48600771236"
    post(anna, "/blocking/now/last", {}, "/blocking")
    assert "+48 600 771 236 will not ring here any more." in shown(anna)
    assert post(anna, "/blocking/now/anything", {}, "/blocking").status_code == 404


def test_blocking_by_itself_is_switched_on_with_its_numbers(anna: FlaskClient, exchange: FakeExchange) -> None:
    form = {"auto": "on", "auto_calls": "4", "auto_minutes": "15", "auto_hours": "48"}
    assert post(anna, "/blocking/automatic", form).status_code == 303
    rule = exchange.plan().repeats
    assert rule is not None
    assert (rule.calls, rule.minutes, rule.hours) == (4, 15, 48)
    refused = post(anna, "/blocking/automatic", {**form, "auto_calls": "1"})
    assert refused.status_code == 422
    assert "This must be from 2 to 20." in refused.get_data(as_text=True)


def test_a_list_that_is_saved_and_read_back_is_the_same_list(anna: FlaskClient, exchange: FakeExchange) -> None:
    add(anna, kind="range", pattern="600 100 200-299", reason="=1+1", ends="2026-12-01T18:00", line="gsm0")
    answer = anna.get("/blocking/blocking.csv")
    assert (answer.mimetype, "attachment" in answer.headers["Content-Disposition"]) == ("text/csv", True)
    text = answer.get_data(as_text=True)
    assert take_in(anna, text, replace="on").status_code == 303
    assert "4 entries were imported." in shown(anna, "/blocking/files")
    assert anna.get("/blocking/blocking.csv").get_data(as_text=True) == text


def test_bad_rows_are_named_by_their_line_and_nothing_is_imported(
    anna: FlaskClient, exchange: FakeExchange, places: Places
) -> None:
    before = len(exchange._blocks())
    text = "pattern,line\n+48600100201,\n????,\n+48600100202,gsm9\n"
    answer = take_in(anna, text)
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "Nothing was imported." in page
    assert "Row 3: pattern: A number, or its beginning with * at the end." in page
    assert "Row 4: line: There is no line gsm9." in page
    assert len(exchange._blocks()) == before
    assert take_in(anna, text, skip="on").status_code == 303
    assert "2 rows were left out." in shown(anna, "/blocking/files")
    assert len(exchange._blocks()) == before + 1
    assert list(places.prompts.glob("upload-*")) == [], "no file of an upload is left"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 422, "Some rows cannot be read."),
        ("\x00\x01\x02", 422, "Some rows cannot be read."),
        ("pattern\n" + "+48600100200\n" * 90000, 413, "This file is too big"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_words(
    anna: FlaskClient, exchange: FakeExchange, text: str, code: int, words: str
) -> None:
    answer = take_in(anna, text)
    assert answer.status_code == code
    assert words in answer.get_data(as_text=True)


def test_watched_files_are_shown_with_count_and_date(anna: FlaskClient, exchange: FakeExchange) -> None:
    assert "/var/lib/centralka/lists" in shown(anna, "/blocking/files")
    exchange.lists = [{"name": "spam<b>.txt", "count": 1204, "refused": 3, "at": "2026-11-24T09:12:00.000Z"}]
    page = anna.get("/blocking/files").get_data(as_text=True)
    assert "spam&lt;b&gt;.txt" in page
    assert "1204" in page
    assert "10:12" in page


def test_nobody_keeps_or_changes_the_lists_without_signing_in(guest: FlaskClient) -> None:
    assert guest.get("/blocking/blocking.csv").status_code in (302, 303)
    assert guest.post("/blocking/now/pause").status_code in (302, 303, 400)
