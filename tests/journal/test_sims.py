"""The series of a balance, and notices that leave the box in the same transaction as their event."""

import json
from contextlib import closing
from pathlib import Path

from appliance.journal.db import open_owner
from appliance.journal.sims import facts, notice, readings, store
from appliance.journal.writes import AddCredit, AddNotice

AT = "2026-11-24T03:12:00.000Z"


def test_the_series_of_a_line_is_in_order_and_of_the_sim_that_is_in_it(tmp_path: Path) -> None:
    with closing(open_owner(tmp_path / "j.db")) as db:
        for day, iccid, amount in ((22, "A", 300), (21, "A", 400), (23, "B", 900), (24, "", 100)):
            store(db, AddCredit("gsm0", f"2026-11-{day}T03:12:00.000Z", amount, "PLN", "ussd", "x" * 5000, iccid))
        store(db, AddCredit("gsm1", AT, 1, "PLN", "sms"))
        assert [one.amount for one in readings(db, "gsm0")] == [400, 300, 900, 100]
        assert [one.amount for one in readings(db, "gsm0", "A")] == [400, 300, 100]
        assert [one.amount for one in readings(db, "gsm0", most=2)] == [900, 100], "the newest ones"
        assert len(readings(db, "gsm0")[0].text) == 1000


def test_a_notice_is_an_event_a_mail_and_a_call_of_a_web_address(tmp_path: Path) -> None:
    with closing(open_owner(tmp_path / "j.db")) as db:
        args = {"line": "Reception", "amount": "2.00 PLN", "needed": "3.00 PLN"}
        notice(db, AddNotice(AT, "credit-low", args, to=("a@example.org", "b@example.org"), hook="@topup:gsm0"), "box")
        notice(db, AddNotice(AT, "credit-low", args), "box")
        assert db.execute("SELECT count(*) FROM events WHERE message = 'credit-low'").fetchone()[0] == 2
        rows = db.execute("SELECT kind, message_id, payload, recipients FROM outbox ORDER BY id").fetchall()
    assert [(row["kind"], json.loads(row["recipients"])) for row in rows] == [
        ("mail", {"a@example.org": "waiting", "b@example.org": "waiting"}), ("webhook", {"@topup:gsm0": "waiting"}),
    ]  # fmt: skip
    payload = json.loads(rows[0]["payload"])
    assert (payload["what"], payload["message"], payload["args"]) == ("notice", "credit-low", args)
    assert len({row["message_id"] for row in rows}) == 2


def test_facts_of_all_lines_are_found_by_their_names(tmp_path: Path) -> None:
    with closing(open_owner(tmp_path / "j.db")) as db:
        for line, name in (("gsm0", "forwarding"), ("gsm1", "forwarding"), ("gsm0", "heartbeat")):
            db.execute("INSERT INTO line_facts (line, name, value, at) VALUES (?,?,'{\"a\": 1}',?)", (line, name, AT))
        found = facts(db, ("forwarding", "credit-guard"))
    assert {(one.line, one.name) for one in found} == {("gsm0", "forwarding"), ("gsm1", "forwarding")}
    assert found[0].value == {"a": 1}
