"""Limits of calling out on the page: caps and night, countries, who uses which line, prices, rules for some people."""

from flask.testing import FlaskClient

from tests.webui.conftest import post
from tests.webui.fake_exchange import FakeExchange
from tests.webui.test_outgoing import text


def stored(exchange: FakeExchange, section: str, item: str = "") -> dict:
    doc = exchange.store.read()[section]
    return next(one for one in doc["items"] if one["id"] == item) if item else doc


def caps_form(**more: str) -> dict:
    form = {
        "night_from": "21:00", "night_to": "07:00", "night_classes:picks": "1", "night_classes": ["national"],
        "longest": "60", "a_minute": "5", "masks": "+48 ## ### ## ##",
        **{f"person_{p}_money": "0" for p in ("day", "month", "night")},
        **{f"person_{p}_minutes": "0" for p in ("day", "month", "night")},
    }  # fmt: skip
    return {**form, **more}


def test_caps_and_night_are_set_and_what_is_wrong_is_said_beside_it(anna: FlaskClient, exchange: FakeExchange) -> None:
    assert post(anna, "/outgoing/caps", caps_form(person_day_minutes="120")).status_code == 303
    plan = exchange.plan()
    assert plan.calling.person_cap.day_minutes == 120
    assert (plan.calling.longest, plan.calling.a_minute) == (3600, 5)
    assert plan.calling.night_classes == {"national"}
    assert plan.calling.masks == ("+48 ## ### ## ##",)
    for wrong, words in (({"person_day_money": "much"}, "Write an amount such as 3.00."), ({"masks": "48"}, "A mask")):
        answer = post(anna, "/outgoing/caps", caps_form(**wrong))
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)


def test_who_is_near_a_cap_is_shown_first(anna: FlaskClient, exchange: FakeExchange) -> None:
    exchange.spent = [
        {"key": "line/gsm0", "percent": 10, "day": 60, "month": 600, "money": 0},
        {"key": "person/101", "percent": 100, "day": 7200, "month": 7200, "money": 0},
    ]
    page = text(anna, "/outgoing/caps")
    assert "1 cap is reached." in page
    assert page.index("Anna Nowak</a>") < page.index("Reception</a>")


def test_a_country_is_opened_for_a_day_and_closed_again(anna: FlaskClient, exchange: FakeExchange) -> None:
    page = text(anna, "/outgoing/countries")
    assert "Only the own country may be called." in page
    people = stored(exchange, "people")["items"]
    exchange.store.put("people", None, {"items": [{**p, "may_dial": ["mobile", "abroad"]} for p in people]})
    assert "calls to the country Ukraine are closed" in text(anna, "/outgoing?to=%2B380671234567&from=103")
    assert post(anna, "/outgoing/countries", {"country": "UA", "how": "day"}).status_code == 303
    [row] = stored(exchange, "calling")["countries"]
    assert (row["country"], row["until"]) == ("UA", "2026-11-25T14:12+01:00"), "a day from now"
    page = text(anna, "/outgoing/countries")
    assert "1 other country may be called." in page
    assert "Ukraine" in page
    assert "goes out on Reception" in text(anna, "/outgoing?to=%2B380671234567&from=103")
    assert post(anna, "/outgoing/countries", {"country": "UA", "close": "1"}).status_code == 303
    assert stored(exchange, "calling")["countries"] == []
    post(anna, "/outgoing/countries", {"country": "XX", "how": "good"})
    assert stored(exchange, "calling")["countries"] == []


def test_a_line_that_cannot_show_its_number_is_no_default_and_the_page_says_why(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    lines = stored(exchange, "lines")["items"]
    exchange.store.put("lines", None, {"items": [lines[0], {**lines[1], "presents": False}]})
    page = text(anna, "/outgoing")
    assert "Billboard: This line shows no number: the called party would not know who calls." in page
    answer = post(anna, "/outgoing/default", {"default_line": "gsm1"}, page="/outgoing")
    assert answer.status_code == 303
    assert "shows no number" in text(anna, "/outgoing")
    assert stored(exchange, "calling")["default_line"] == ""
    post(anna, "/outgoing/default", {"default_line": "gsm0"}, page="/outgoing")
    assert stored(exchange, "calling")["default_line"] == "gsm0"
    assert post(anna, "/lines/gsm0/remove", {}).status_code == 303
    assert stored(exchange, "calling")["default_line"] == "", "it goes with its line"


def grid(exchange: FakeExchange) -> set[str]:
    plan = exchange.plan()
    from appliance.core.rights import may_use

    return {f"{e}/{i}" for e in plan.people for i, line in plan.lines.items() if may_use(line, e, plan)}


def test_only_who_is_ticked_uses_a_line(anna: FlaskClient, exchange: FakeExchange) -> None:
    everybody = {f"{e}/{i}": "1" for e in (101, 102, 103) for i in ("gsm0", "gsm1")}
    assert grid(exchange) == set(everybody)
    some = {name: "1" for name in everybody if name != "103/gsm0"}
    fresh = {"new_line": "all", "new_person": "all"}
    assert post(anna, "/outgoing/who", {**some, **fresh}).status_code == 303
    assert grid(exchange) == set(some)
    assert "1 line is not for everybody." in text(anna, "/outgoing/who")
    assert "is for other colleagues" in text(anna, "/outgoing?to=600100200&from=103")
    post(anna, "/outgoing/who", {**everybody, **fresh})
    assert stored(exchange, "lines", "gsm0")["everybody"] is True


def test_new_lines_and_people_get_all_or_nothing_as_set(anna: FlaskClient, exchange: FakeExchange) -> None:
    person = {"extension": "104", "name": "New", "email": ""}
    line = {
        "label": "Third",
        "number": "+48990120300",
        "device": "/dev/third",
        "pcm_device": "",
        "group": "",
        "pin": "",
    }
    exchange.spoken.clear()
    assert post(anna, "/people/new", person).status_code == 303
    assert post(anna, "/lines/new", line).status_code == 303
    assert {"104/gsm0", "104/gsm2", "101/gsm2"} <= grid(exchange), "the full grid"
    everybody = dict.fromkeys(grid(exchange), "1")
    post(anna, "/outgoing/who", {**everybody, "new_line": "none", "new_person": "none"})
    assert post(anna, "/people/new", {**person, "extension": "105"}).status_code == 303
    assert post(anna, "/lines/new", {**line, "label": "Fourth", "device": "/dev/fourth"}).status_code == 303
    assert not {name for name in grid(exchange) if name.startswith("105/") or name.endswith("/gsm3")}, "empty rows"


def test_prices_are_written_down_and_used(anna: FlaskClient, exchange: FakeExchange) -> None:
    form = {
        "rates-0-beginning": "+48", "rates-0-price": "0,19", "rates-0-step": "1", "rates-1-beginning": "",
        "rates-1-price": "1.5", "rates-1-step": "",
    }  # fmt: skip
    assert post(anna, "/lines/gsm0/prices", form).status_code == 303
    rates = exchange.plan().lines["gsm0"].rates
    assert [(rate.beginning, rate.per_minute, rate.step) for rate in rates] == [("+48", 1900, 1), ("", 15000, 60)]
    answer = post(anna, "/lines/gsm0/prices", {"rates-0-beginning": "+48", "rates-0-price": "cheap"})
    assert answer.status_code == 422
    assert "cheap" in answer.get_data(as_text=True)


def test_a_rule_is_for_some_people_and_some_hours(anna: FlaskClient, exchange: FakeExchange) -> None:
    form = {
        "kind": "all", "pattern": "", "line": ["gsm1"], "people:picks": "1", "people": ["102"], "days:picks": "1",
        "days": ["0", "1"], "start": "08:00", "end": "16:00", "withhold": "on", "cut": "0", "add": "", "group": "",
    }  # fmt: skip
    assert post(anna, "/outgoing/new", form).status_code == 303
    page = text(anna, "/outgoing")
    assert "for 102 Ben Kowalski" in page
    assert "number hidden" in page
    rule = exchange.plan().outgoing[1]
    assert (rule.people, rule.withhold) == ({"102"}, True)
    assert rule.hours is not None
    assert len(rule.hours.ranges) == 2
    assert "goes out on Billboard" in text(anna, "/outgoing?to=600100200&from=102"), "it is a Tuesday afternoon"
    assert "goes out on Reception" in text(anna, "/outgoing?to=600100200&from=101")
    assert post(anna, "/outgoing/new", form).status_code == 422, "the same rule twice"
    kept = text(anna, "/outgoing/rule-1")
    assert 'value="102" checked' in kept
    assert post(anna, "/people/p102/remove", {}).status_code == 303
    assert [r["id"] for r in stored(exchange, "outgoing")["items"]] == ["all"], "nobody is left for it"


def test_a_digit_dialled_in_front_is_cut_off(anna: FlaskClient, exchange: FakeExchange) -> None:
    form = {"kind": "prefix", "pattern": "9", "line": ["gsm1"], "cut": "1", "add": "", "start": "", "end": ""}
    assert post(anna, "/outgoing/new", form).status_code == 303
    page = text(anna, "/outgoing?to=9600100200&from=101").replace("\u00a0", " ")
    assert "The call goes out to +48 600 100 200 on Billboard." in page


def test_a_pin_is_kept_secret_and_has_digits(anna: FlaskClient, exchange: FakeExchange) -> None:
    base = {"extension": "101", "name": "Anna Nowak", "email": "", "language": "", "outgoing_line": "", "enabled": "on",
            "all_lines": "on", "may_dial:picks": "1", "may_dial": ["internal"],
            **{f"cap_{p}_{w}": "0" for p in ("day", "month", "night") for w in ("minutes", "money")}}  # fmt: skip
    assert post(anna, "/people/p101", {**base, "call_pin": "12ab"}).status_code == 422
    assert post(anna, "/people/p101", {**base, "call_pin": "4711"}).status_code == 303
    assert exchange.plan().people["101"].pin == "4711"
    assert "4711" not in text(anna, "/people/p101")
    assert "The PIN is asked for" in text(anna, "/outgoing?to=600100200&from=101")


def test_a_mask_changes_how_numbers_are_shown_and_a_search_finds_them_in_any_spelling(
    anna: FlaskClient, exchange: FakeExchange
) -> None:
    assert "+48\u00a0600\u00a0100\u00a0200" in text(anna, "/calls")
    post(anna, "/outgoing/caps", caps_form(masks="+48 ## ### ## ##"))
    page = text(anna, "/calls")
    assert "+48\u00a060\u00a0010\u00a002\u00a000" in page
    assert "+48\u00a0600\u00a0100\u00a0200" not in page
    for spelling in ("600100200", "%2B48 600 100 200", "+48 60 010 02 00", "0048600100200"):
        assert "Marta" in text(anna, f"/calls?q={spelling.replace(' ', '+')}"), spelling


def test_the_backup_number_has_its_price_beside_it(anna: FlaskClient, exchange: FakeExchange) -> None:
    first, *rest = stored(exchange, "lines")["items"]
    exchange.store.put("lines", None, {"items": [{**first, "backup_number": "+48601100200"}, *rest]})
    assert "What a minute costs there is not known" in text(anna, "/lines/gsm0/backup")
    post(anna, "/lines/gsm0/prices", {"rates-0-beginning": "+48", "rates-0-price": "0.195", "rates-0-step": "60"})
    assert "Each minute that is sent on costs 0.195 PLN." in text(anna, "/lines/gsm0/backup")
