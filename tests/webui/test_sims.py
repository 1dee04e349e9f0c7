"""Credit, codes and the backup number of a line, as pages without JavaScript."""

import json
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient

from appliance.journal.sims import store
from appliance.journal.times import stamp
from appliance.journal.writes import AddCredit
from tests.webui.conftest import post, token_of
from tests.webui.fake_exchange import FakeExchange

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


def line(exchange: FakeExchange) -> dict:
    return next(one for one in exchange.store.read()["lines"]["items"] if one["id"] == "gsm0")


def fact(exchange: FakeExchange, name: str, value: object) -> None:
    with exchange.db:
        exchange.db.execute(
            "INSERT INTO line_facts (line, name, value, at) VALUES ('gsm0', ?, ?, '2026-11-24T02:12:00.000Z')",
            (name, json.dumps(value)),
        )


def test_the_balance_and_its_series_are_shown_as_a_plot_and_in_words(anna: FlaskClient, exchange: FakeExchange) -> None:
    page = anna.get("/lines/gsm0/credit").get_data(as_text=True)
    assert 'data-testid="credit-unknown"' in page
    assert '<svg viewBox="0 0 600 140"' not in page
    with exchange.db:
        for n, amount in enumerate((1200, 1100, 1000, 250)):
            store(
                exchange.db, AddCredit("gsm0", stamp(START + timedelta(days=n)), amount, "PLN", "ussd", f"You have {n}")
            )
    page = anna.get("/lines/gsm0/credit").get_data(as_text=True)
    assert "2.50 PLN" in page
    assert page.count('class="plot-dot"') == 4
    assert 'role="img"' in page
    assert "You have 3" in page, "the drawing has its values in a table"
    assert "At this pace it lasts until" in page
    assert ">Low<" in page.replace("</svg>", ">").replace("\n", "")


def test_a_code_is_sent_and_a_menu_answered(anna: FlaskClient, exchange: FakeExchange) -> None:
    asked: list[dict] = []

    def send(args: dict, who: str) -> dict:
        asked.append(args)
        return {"text": "1 Balance\n2 <b>Packages</b>", "more": True, "forwards": False}

    def reply(args: dict, who: str) -> dict:
        asked.append(args)
        return {"text": "Done.", "more": False}

    exchange._ussd_send, exchange._ussd_answer = send, reply  # type: ignore[attr-defined]
    answer = post(anna, "/lines/gsm0/codes", {"code": "*101#"}, "/lines/gsm0/credit")
    assert answer.status_code == 303
    page = anna.get("/lines/gsm0/credit").get_data(as_text=True)
    assert "1 Balance\n2 &lt;b&gt;Packages&lt;/b&gt;" in page
    anna.post("/lines/gsm0/codes", data={"csrf_token": token_of(page), "answer": "2"})
    page = anna.get("/lines/gsm0/credit").get_data(as_text=True)
    assert "Done." in page
    assert asked == [{"line": "gsm0", "code": "*101#"}, {"line": "gsm0", "text": "2"}]
    assert "Done." not in anna.get("/lines/gsm0/credit").get_data(as_text=True), "an answer is shown once"


def test_what_the_operator_refuses_is_said_in_words(anna: FlaskClient, exchange: FakeExchange) -> None:
    post(anna, "/lines/gsm0/codes", {"code": "*101#"}, "/lines/gsm0/credit")
    page = anna.get("/lines/gsm0/credit").get_data(as_text=True)
    assert "The operator gave no answer." in page


def test_codes_of_an_operator_are_filled_in_and_say_when_they_are_not_sure(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    page = anna.get("/lines/gsm0/credit").get_data(as_text=True)
    assert "Heyah" in page
    assert "not verified" in page
    assert "Kyivstar" not in page, "only those of the country"
    page = anna.get("/lines/gsm0/credit?operator=pl-heyah").get_data(as_text=True)
    assert 'value="*108#"' in page
    assert "Only one source knows this code" in page
    assert line(exchange)["balance_code"] == "", "nothing is stored before it is saved"
    form = {"balance_code": "*108#", "balance_low": "5,5", "topup": "none", "topup_daily": "1", "currency": "PLN",
            "balance_days": "1", "renewal_day": "0"}  # fmt: skip
    assert post(anna, "/lines/gsm0/credit", form).status_code == 303
    assert (line(exchange)["balance_code"], line(exchange)["balance_low"]) == ("*108#", "5.50")


def test_faults_of_the_form_are_told_at_their_fields_and_vouchers_are_never_shown(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    form = {"balance_code": "hello", "balance_pattern": "(", "topup": "voucher", "topup_code": "*123#",
            "vouchers": "123456789012", "balance_low": "a lot"}  # fmt: skip
    answer = post(anna, "/lines/gsm0/credit", form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for words in ("A code has only the signs", "This is no regular expression.", "Write an amount such as 3.00."):
        assert words in page
    good = {"balance_code": "*100#", "topup": "voucher", "topup_code": "*123*{voucher}#", "vouchers": "123456789012"}
    assert post(anna, "/lines/gsm0/credit", good).status_code == 303
    assert "123456789012" not in anna.get("/lines/gsm0/credit").get_data(as_text=True)
    assert "123456789012" not in exchange.places.settings.read_text()


def test_the_backup_number_is_saved_and_the_page_says_what_the_network_does(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    assert "reach nobody" in anna.get("/lines/gsm0/backup").get_data(as_text=True)
    form = {"backup_number": "+48 22 123 45 67", "forward_unreachable": "on", "forward_seconds": "15"}
    assert post(anna, "/lines/gsm0/backup", form).status_code == 303
    assert line(exchange)["backup_number"] == "+48221234567"
    assert "Not set yet" in anna.get("/lines/gsm0/backup").get_data(as_text=True)
    found = [
        {"reason": "unreachable", "number": "+48221234567", "seconds": 0},
        {"reason": "busy", "number": "", "seconds": 0},
    ]
    fact(exchange, "forwarding", {"number": "+48221234567", "found": found, "wrong": []})
    page = anna.get("/lines/gsm0/backup").get_data(as_text=True)
    assert "when the box cannot take them: set, checked 03:12." in page
    assert "calls come to the SIM" in page
    exchange._forwarding_check = lambda args, who: {"lost": ["unreachable"], "wrong": []}  # type: ignore[attr-defined]
    post(anna, "/lines/gsm0/backup/check", {}, "/lines/gsm0/backup")
    assert "was set again" in anna.get("/lines/gsm0/backup").get_data(as_text=True)


def test_a_line_that_is_not_there_has_no_such_pages(anna: FlaskClient) -> None:
    for path in ("/lines/gsm9/credit", "/lines/gsm9/backup"):
        assert anna.get(path).status_code == 404
