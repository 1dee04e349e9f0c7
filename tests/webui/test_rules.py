"""Rules for messages, answers by mail, codes and heartbeats on the page."""

import json
import sqlite3

import pytest
from flask.testing import FlaskClient

from appliance.settings.places import Places
from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange

RULE = {
    "name": "Alarms", "enabled": "on", "line": "gsm0", "sender": "", "when": "always", "word": "alarm",
    "action": "mail",
    "to": "boss@example.org", "number": "", "url": "", "stop": "on",
}  # fmt: skip


def rules(exchange: FakeExchange) -> list[dict]:
    return list(exchange.store.read()["sms_rules"]["items"])


def test_a_rule_is_made_tried_changed_and_removed(anna: FlaskClient, exchange: FakeExchange) -> None:
    assert "No rules" in anna.get("/lines/gsm0/rules").get_data(as_text=True)
    assert post(anna, "/lines/gsm0/rules/new", RULE).status_code == 303
    [made] = rules(exchange)
    assert (made["name"], made["word"], made["to"], made["stop"]) == ("Alarms", "alarm", ["boss@example.org"], True)
    page = anna.get("/lines/gsm0/rules?from=%2B48600100200&text=Fire+ALARM").get_data(as_text=True)
    assert "with “alarm”" in page
    assert "mailed to boss@example.org" in page
    assert "Rule “Alarms” ends it there." in page
    page = anna.get("/lines/gsm0/rules?from=%2B48600100200&text=hello").get_data(as_text=True)
    assert "By the line: mailed to office@example.org." in page
    changed = {k: v for k, v in RULE.items() if k != "stop"} | {"sender": "MyBank*"}
    post(anna, f"/lines/gsm0/rules/{made['id']}", changed)
    assert (rules(exchange)[0]["sender"], rules(exchange)[0]["stop"]) == ("MyBank*", False)
    post(anna, f"/lines/gsm0/rules/{made['id']}/remove", {}, page="/lines/gsm0/rules")
    assert rules(exchange) == []


def test_a_rule_that_cannot_act_says_what_it_lacks(anna: FlaskClient, exchange: FakeExchange) -> None:
    answer = post(anna, "/lines/gsm0/rules/new", RULE | {"action": "webhook", "url": "ftp://x"})
    assert answer.status_code == 422
    assert "web address such as" in answer.get_data(as_text=True)
    answer = post(anna, "/lines/gsm0/rules/new", RULE | {"action": "sms"})
    assert answer.status_code == 422
    assert "This is needed." in answer.get_data(as_text=True)
    assert rules(exchange) == []


def test_a_rule_is_moved_up_among_those_of_its_line(anna: FlaskClient, exchange: FakeExchange) -> None:
    for name, line in (("one", "gsm0"), ("two", "gsm1"), ("three", "")):
        post(anna, "/lines/gsm0/rules/new", RULE | {"name": name, "line": line})
    third = rules(exchange)[2]["id"]
    post(anna, f"/lines/gsm0/rules/{third}/up", {}, page="/lines/gsm0/rules")
    assert [one["name"] for one in rules(exchange)] == ["three", "one", "two"]
    post(anna, f"/lines/gsm0/rules/{third}/up", {}, page="/lines/gsm0/rules")
    assert [one["name"] for one in rules(exchange)] == ["three", "one", "two"]


def test_the_secret_of_a_webhook_never_leaves_the_box_again(anna: FlaskClient, exchange: FakeExchange) -> None:
    hook = RULE | {"action": "webhook", "url": "https://shop.example.org/sms", "secret": "kitten-basket-7"}
    post(anna, "/lines/gsm0/rules/new", hook)
    rule = rules(exchange)[0]
    assert rule["secret"].reveal() == "kitten-basket-7"
    for path in (f"/lines/gsm0/rules/{rule['id']}", "/lines/gsm0/rules", "/box/changes"):
        assert "kitten-basket-7" not in anna.get(path).get_data(as_text=True)
    post(anna, f"/lines/gsm0/rules/{rule['id']}", hook | {"secret": ""})
    assert rules(exchange)[0]["secret"].reveal() == "kitten-basket-7"


def test_a_line_takes_its_rules_along_when_it_goes(anna: FlaskClient, exchange: FakeExchange) -> None:
    post(anna, "/lines/gsm1/rules/new", RULE | {"line": "gsm1"})
    post(anna, "/lines/gsm0/rules/new", RULE | {"line": ""})
    post(anna, "/lines/gsm1/remove", {})
    assert [one["line"] for one in rules(exchange)] == [""]


def test_the_mailbox_is_saved_and_tried_with_the_servers_words(anna: FlaskClient, exchange: FakeExchange) -> None:
    form = {
        "enabled": "on", "host": "imap.example.org", "port": "993", "security": "tls", "user": "office",
        "password": "kitten-basket-8", "folder": "INBOX", "address": "office@example.org", "plus": "on", "senders": "",
    }  # fmt: skip
    exchange.mail_answer = {"ok": False, "said": ["* OK ready", "NO [AUTHENTICATIONFAILED]"], "error": "Refused: NO"}
    tried = post(anna, "/box/answers", form | {"do": "test"}).get_data(as_text=True)
    assert "NO [AUTHENTICATIONFAILED]" in tried
    assert "The mailbox cannot be read." in tried
    assert "kitten-basket-8" not in tried
    assert post(anna, "/box/answers", form | {"do": "save"}).status_code == 303
    stored = exchange.store.read()["mailbox"]
    assert (stored["enabled"], stored["address"]) == (True, "office@example.org")
    assert "kitten-basket-8" not in anna.get("/box/answers").get_data(as_text=True)
    answer = post(anna, "/box/answers", form | {"host": "", "do": "save"})
    assert answer.status_code == 422


def test_a_code_stands_above_its_message_with_a_button(anna: FlaskClient, places: Places) -> None:
    store_sms(places, "Your code is 482913. Do not tell anybody.")
    page = anna.get("/messages/MyBank").get_data(as_text=True)
    assert "482 913" in page
    assert 'data-copy="482913"' in page
    assert "Code 4 8 2 9 1 3" in page
    assert "<strong>Code 482 913</strong>" in anna.get("/messages").get_data(as_text=True)


def test_why_a_message_was_mailed_is_told(anna: FlaskClient, places: Places) -> None:
    why = [{"rule": "sms-rule-mail", "outcome": "chosen", "args": {"rule": "Alarms", "to": "boss@x.test"}, "link": ""}]
    store_sms(places, "Fire alarm", json.dumps(why))
    assert "Rule “Alarms”: mailed to boss@x.test." in anna.get("/messages/MyBank").get_data(as_text=True)


def test_the_last_heartbeat_of_a_line_is_told(anna: FlaskClient, places: Places) -> None:
    assert "None was sent yet." in anna.get("/lines/gsm0/messages").get_data(as_text=True)
    beat = {"token": "0" * 16, "sent": "2026-11-24T06:30:00.000Z", "lost": True}
    put_beat(places, beat)
    assert "The SMS did not come back." in anna.get("/lines/gsm0/messages").get_data(as_text=True)
    put_beat(places, beat | {"lost": False, "mailed": "2026-11-24T06:30:41.000Z", "seconds": 41.2})
    assert "it arrived in the mailbox after 41 s" in anna.get("/lines/gsm0/messages").get_data(as_text=True)
    put_beat(places, beat | {"lost": False, "error": "sms-line-may-not"})
    assert "may not send messages" in anna.get("/lines/gsm0/messages").get_data(as_text=True)


@pytest.mark.parametrize(
    ("flag", "words"),
    [("nothing-waits", "nothing waits for this number any more"), ("voicemail-waiting", "its own voicemail has"),
     ("replaced", "A later message took its place."), ("silent", "it is for nobody")],
)  # fmt: skip
def test_what_a_message_without_text_means_stands_small_in_its_place(
    anna: FlaskClient, places: Places, flag: str, words: str
) -> None:
    store_sms(places, "", flags=json.dumps([flag, "replace-1", "a-flag-of-later"]))
    page = anna.get("/messages/MyBank").get_data(as_text=True)
    assert words in page
    assert 'class="txt"></div>' not in page
    assert "a-flag-of-later" not in page
    assert "No text" in page


def test_a_web_address_that_gave_up_is_named_as_people_know_it(
    anna: FlaskClient, exchange: FakeExchange, places: Places
) -> None:
    post(anna, "/lines/gsm0/rules/new", RULE | {"action": "webhook", "url": "https://shop.example.org/sms"})
    [made] = rules(exchange)
    with sqlite3.connect(places.journal) as db:
        db.executemany(
            "INSERT INTO outbox (kind, created_at, since, next_at, attempts, state, message_id, payload, last_error)"
            " VALUES ('webhook', '2026-11-24T13:00:00.000Z', '', '', 9, 'dead', ?, ?, 'hook-refused: 410')",
            [(f"<hook.{n}@box>", json.dumps({"sender": "MyBank", "to": [to]}))
             for n, to in enumerate((made["id"], "r-gone", "@alarm", "@topup:gsm0"))],
        )  # fmt: skip
    page = anna.get("/messages").get_data(as_text=True)
    for words in ("to Alarms<", "to a rule that is gone<", "to the web address for alarms<", "to top-up of Reception<"):
        assert words in page
    assert made["id"] not in page


def store_sms(places: Places, text: str, why: str = "[]", flags: str = "[]") -> None:
    with sqlite3.connect(places.journal) as db:
        db.execute(
            "INSERT INTO sms"
            " (line, sender, sender_kind, text, coding, received_at, parts, parts_total, complete, why, flags)"
            " VALUES ('gsm0','MyBank','alphanumeric',?,'gsm7','2026-11-24T13:00:00.000Z',1,1,1,?,?)",
            (text, why, flags),
        )


def put_beat(places: Places, beat: dict[str, object]) -> None:
    with sqlite3.connect(places.journal) as db:
        db.execute(
            "INSERT OR REPLACE INTO line_facts (line, name, value, at) VALUES ('gsm0','heartbeat',?,?)",
            (json.dumps(beat), beat["sent"]),
        )
