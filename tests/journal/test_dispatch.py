"""What a stored message causes: rows by kind, with their reasons; a code first; a heartbeat by itself."""

import json
from pathlib import Path

from appliance.core.sms_rules import Rule
from appliance.journal.writer import Writer
from appliance.journal.writes import PutLineFact
from tests.journal.builders import at, rows, sms, write

RULES = (
    Rule("hook", "Hook", "webhook", stop=False),
    Rule("on", "On", "sms", number="+48600100299", stop=False),
    Rule("boss", "Boss", "mail", word="contract", to=("boss@x.test",)),
)


def test_each_kind_has_one_row_with_its_recipients(writer: Writer, path: Path) -> None:
    [stored] = write(writer, sms("The Contract is signed", rules=RULES))
    found = rows(path, "SELECT * FROM outbox ORDER BY id")
    assert [(r["kind"], json.loads(str(r["recipients"]))) for r in found] == [
        ("webhook", {"hook": "waiting"}),
        ("sms", {"+48600100299": "waiting"}),
        ("mail", {"boss@x.test": "waiting"}),
    ]
    assert found[2]["id"] == stored.outbox


def test_why_a_message_was_mailed_is_kept_with_it(writer: Writer, path: Path) -> None:
    write(writer, sms("no such word", rules=RULES))
    [row] = rows(path, "SELECT why FROM sms")
    assert [step["rule"] for step in json.loads(str(row["why"]))] == [
        "sms-rule-webhook", "sms-rule-sms", "sms-rule-word", "sms-line-mail",
    ]  # fmt: skip


def test_a_word_split_over_two_parts_is_found(writer: Writer, path: Path) -> None:
    long = {"reference": 7, "total": 2, "rules": RULES[2:]}
    write(writer, sms("The Cont", sequence=1, **long), sms("ract is signed", sequence=2, **long))
    [row] = rows(path, "SELECT recipients FROM outbox")
    assert json.loads(str(row["recipients"])) == {"boss@x.test": "waiting"}


def test_a_code_leaves_before_other_mail(writer: Writer, path: Path) -> None:
    write(writer, sms("hello"), sms("Your code is 482913"))
    assert [r["priority"] for r in rows(path, "SELECT priority FROM outbox ORDER BY id")] == [0, 1]


def test_a_sender_that_is_never_passed_on_is_kept(writer: Writer, path: Path) -> None:
    write(writer, sms("buy now", rules=RULES, never=True))
    assert rows(path, "SELECT * FROM outbox") == []
    assert len(rows(path, "SELECT * FROM sms WHERE mailed = 0")) == 1


def test_a_heartbeat_of_ours_is_read_already_and_goes_where_it_is_proved(writer: Writer, path: Path) -> None:
    token = "0123456789abcdef"
    text = f"Centralka heartbeat {token}"
    write(writer, PutLineFact("gsm0", "heartbeat", {"token": token}, at()), sms(text, rules=RULES, proof="box@x.test"))
    [row] = rows(path, "SELECT * FROM outbox")
    assert json.loads(str(row["recipients"])) == {"box@x.test": "waiting"}
    assert json.loads(str(row["payload"]))["what"] == "heartbeat"
    assert rows(path, "SELECT id FROM sms WHERE read_at IS NULL") == []


def test_a_heartbeat_that_we_did_not_send_is_a_message_like_any_other(writer: Writer, path: Path) -> None:
    write(writer, sms("Centralka heartbeat 0123456789abcdef", proof="box@x.test"))
    [row] = rows(path, "SELECT * FROM outbox")
    assert json.loads(str(row["payload"]))["what"] == "sms"
    assert len(rows(path, "SELECT id FROM sms WHERE read_at IS NULL")) == 1
