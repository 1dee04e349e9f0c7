"""Menus and mailboxes on the page, and what a line and a colleague got with them."""

from typing import Any

from flask.testing import FlaskClient

from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange


def items(exchange: FakeExchange, section: str) -> list[dict[str, Any]]:
    return [dict(one) for one in exchange.store.read()[section]["items"]]


MENU = {
    "name": "Main menu", "prompt": "closed", "seconds": "5", "tries": "3", "key-0-digits": "1",
    "key-0-what": "group:office", "key-1-digits": "2", "key-1-what": "outside:", "key-1-number": "+48 600 100 200",
    "no_key-what": "group:office",
}  # fmt: skip


def test_a_menu_is_made_changed_and_removed(anna: FlaskClient, exchange: FakeExchange) -> None:
    assert post(anna, "/menus/new", MENU).status_code == 303
    [menu] = items(exchange, "menus")
    assert [(key["digits"], key["to"], key["ref"]) for key in menu["keys"]] == [
        ("1", "group", "office"), ("2", "outside", "+48600100200"),
    ]  # fmt: skip
    assert (menu["no_key_to"], menu["no_key_ref"], menu["wrong_key_to"]) == ("group", "office", "")
    page = anna.get("/menus/menu-1").get_data(as_text=True)
    assert "Main menu" in page
    assert "+48600100200" in page
    assert (
        post(anna, "/menus/menu-1", {**MENU, "name": "Other", "key-1-remove": "1"}, "/menus/menu-1").status_code == 303
    )
    [menu] = items(exchange, "menus")
    assert (menu["name"], len(menu["keys"])) == ("Other", 1)
    assert post(anna, "/menus/menu-1/remove", {}, "/menus").status_code == 303
    assert items(exchange, "menus") == []


def test_a_menu_that_cannot_work_says_why_and_keeps_what_was_typed(anna: FlaskClient, exchange: FakeExchange) -> None:
    answer = post(anna, "/menus/new", {**MENU, "prompt": "nowhere", "key-1-digits": "1"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "form-errors" in page
    assert 'value="Main menu"' in page
    assert items(exchange, "menus") == []


def test_a_mailbox_is_made_its_pin_is_never_shown_and_it_stays_while_a_line_needs_it(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    box = {"name": "Office", "owner": "101", "greeting": "mailbox", "seconds": "60", "silence": "8", "pin": "4711",
           "mail_to": "a@x.test", "sms_to": ""}  # fmt: skip
    assert post(anna, "/mailboxes/new", box).status_code == 303
    [kept] = items(exchange, "mailboxes")
    assert (kept["owner"], kept["seconds"], kept["mail_to"]) == ("101", 60, ["a@x.test"])
    assert "4711" not in anna.get("/mailboxes/mailbox-1").get_data(as_text=True)
    lines = items(exchange, "lines")
    lines[0] |= {"no_answer": "mailbox", "no_answer_to": "mailbox-1"}
    exchange.store.put("lines", None, {"items": lines})
    page = post(anna, "/mailboxes/mailbox-1/remove", {}, "/mailboxes")
    assert page.status_code == 303
    assert [one["id"] for one in items(exchange, "mailboxes")] == ["mailbox-1"]
    assert "It stays." in anna.get("/mailboxes").get_data(as_text=True)


def test_what_an_ending_needs_is_asked_for(anna: FlaskClient, exchange: FakeExchange) -> None:
    line = items(exchange, "lines")[0]
    sent = {"label": str(line["label"]), "no_answer": "mailbox", "no_answer_to": "", "closed": "announce",
            "closed_prompt": "closed", "offline": "transfer", "offline_to": "soon", "mode": "forward"}  # fmt: skip
    answer = post(anna, f"/lines/{line['id']}/incoming", sent, f"/lines/{line['id']}/incoming")
    assert answer.status_code == 422
    assert answer.get_data(as_text=True).count('class="err"') >= 3
