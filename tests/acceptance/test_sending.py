"""A message of ours arrives at the far end as it was written, once, and everybody sees what became of it."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.acceptance.conftest import OPEN, MakePhone, Office
from tests.acceptance.test_commands import typed
from tests.acceptance.test_page import SIZES, base, sign_in
from tests.peers.waiting import until

TO = "+48600100200"
UKRAINIAN = "Доброго дня! Ваше замовлення готове, його можна забрати в п’ятницю з десятої до вісімнадцятої 😀. " * 2
LETTERS = ("Так, приходьте, усе готове. " * 20)[:399] + "!"  # 400


def far_end(office: Office) -> list[dict]:
    """What the network got of us: to, text..."""
    return list(office.far("sent")["sent"])


def state(office: Office, out: int = 1) -> dict:
    return office.rows("sms_out", f"id = {out}")[0]


def becomes(office: Office, wanted: str, out: int = 1, seconds: float = 20.0) -> dict:
    return until(f"message {out} is {wanted}", lambda: r if (r := state(office, out))["state"] == wanted else None,
                 seconds, 0.1)  # fmt: skip


def test_a_long_ukrainian_text_with_an_emoji_is_delivered_as_it_was_written(office: Office) -> None:
    code, text = typed(office, "sms", "send", "--to", TO, "--text", UKRAINIAN, "--line", "gsm0", "--wait")
    assert code == 0, text
    assert text.splitlines()[-1] == "Delivered"
    assert [(m["to"], m["text"]) for m in far_end(office)] == [(TO, UKRAINIAN)]
    assert len(office.rows("sms_out_parts")) > 1
    assert {p["state"] for p in office.rows("sms_out_parts")} == {"delivered"}


def send(office: Office, text: str = "Hello", to: str = TO, **more: object) -> int:
    return int(office.ask("sms.send", to=to, text=text, line="gsm0", **more)["id"])


def under_way(office: Office, sequence: int, out: int = 1) -> None:
    where = f"out_id = {out} AND sequence = {sequence} AND state = 'sending'"
    until(f"part {sequence} is under way", lambda: office.rows("sms_out_parts", where))


def test_killed_in_the_middle_it_is_never_sent_twice(office: Office) -> None:
    """The network has taken a part, and the power fails before its result is heard."""
    office.far("set", name="lose_final", value="AT+CMGS")
    office.far("set", name="report_seconds", value=8)
    send(office, UKRAINIAN)
    until("the network has the first part", lambda: far_end(office))
    office.processes.pop("exchange").kill()
    assert [p["state"] for p in office.rows("sms_out_parts")] == ["sending", "queued", "queued"]
    office.far("set", name="lose_final", value="")
    office.start("exchange")
    office.at(OPEN)
    until("the other parts have left", lambda: far_end(office)[0]["parts"] == 3, 20, 0.1)
    assert office.rows("sms_out_parts", "sequence = 1")[0]["state"] == "uncertain"
    becomes(office, "delivered", seconds=30)  # the reports tell that all of it arrived
    [arrived] = far_end(office)
    assert (arrived["text"], arrived["parts"], arrived["complete"]) == (UKRAINIAN, 3, True)


def test_a_modem_that_is_pulled_out_in_the_middle_leaves_it_uncertain_until_somebody_says_again(office: Office) -> None:
    office.far("set", name="send_seconds", value=30)
    out = send(office, report=False)
    under_way(office, 1)
    since = time.monotonic()
    until("the modem has had a second to take it", lambda: time.monotonic() > since + 1)
    office.far("unplug")
    assert becomes(office, "uncertain")["reason"] == "sms-no-result"
    office.far("set", name="send_seconds", value=0.2)
    office.far("plug")
    until("the line is back", lambda: office.line()["state"] == "up", 20)
    assert state(office)["state"] == "uncertain"
    assert far_end(office) == []
    office.ask("sms.again", id=out)
    becomes(office, "sent")
    assert [m["text"] for m in far_end(office)] == ["Hello"]


def test_a_number_the_network_bars_fails_with_words(office: Office) -> None:
    office.far("fault", name="cms", words=["10"])
    code, text = typed(office, "sms", "send", "--to", TO, "--text", "Hello", "--wait")
    assert code == 1
    assert "Not sent: The network does not let this SIM send there. (+CMS ERROR: 10)" in text
    assert far_end(office) == []
    assert [e["message"] for e in office.rows("events") if e["message"] == "sms-not-sent"] == ["sms-not-sent"]


def test_what_the_network_could_not_take_goes_a_minute_later(office: Office) -> None:
    office.far("fault", name="cms", words=["38"], once=True)
    send(office)
    row = until("it waits again", lambda: r if (r := state(office))["attempts"] == 1 else None)
    assert (row["state"], row["reason"]) == ("queued", "sms-network")
    office.at("2026-11-27T12:02")
    becomes(office, "delivered")
    assert [m["text"] for m in far_end(office)] == ["Hello"]


def test_a_prompt_that_never_comes_costs_no_message(office: Office) -> None:
    office.far("fault", name="prompt-lost", once=True)
    send(office)
    until("it waits again", lambda: state(office)["reason"] == "sms-no-answer", 20)
    office.at("2026-11-27T12:02")
    becomes(office, "delivered")
    assert [m["text"] for m in far_end(office)] == ["Hello"]


def test_caps_hold_back_until_there_is_room(office: Office) -> None:
    office.put_item("lines", "gsm0", sms_per_hour=1, sms_gap=0)
    send(office, "first")
    becomes(office, "delivered")
    second = send(office, "second")
    until("it says why", lambda: state(office, second)["reason"] == "sms-hour-cap")
    assert len(far_end(office)) == 1
    office.at("2026-11-27T13:05")
    becomes(office, "delivered", second)
    assert [m["text"] for m in far_end(office)] == ["first", "second"]


@pytest.mark.parametrize(("to", "words"), [("7155", "short and premium numbers"), ("112", "Emergency numbers")])
def test_a_number_that_costs_extra_needs_the_right_and_an_emergency_number_gets_nothing(
    office: Office, to: str, words: str
) -> None:
    code, text = typed(office, "sms", "send", "--to", to, "--text", "HELP")
    assert code == 1
    assert words in text
    office.put_item("lines", "gsm0", sms_premium=True)
    code, _ = typed(office, "sms", "send", "--to", to, "--text", "HELP", "--wait")
    assert (code == 0) is (to == "7155")
    assert len(far_end(office)) == (to == "7155")


def test_a_message_waits_for_the_end_of_a_call_and_a_call_comes_through_a_message(
    office: Office, phone: MakePhone
) -> None:
    ben = phone("102", answers=True)
    office.far("call", number="+48600100209")
    ben.wait("CALL_ESTABLISHED")
    first = send(office)
    assert state(office)["state"] == "queued"
    office.far("hang-up")
    office.wait_calls()
    becomes(office, "delivered", first)
    office.at("2026-11-27T12:01")
    office.far("set", name="send_seconds", value=2)
    second = send(office, "while it rings")
    until("the network has it in hand", lambda: office.far("status")["message_in_hand"], 10)
    office.far("call", number="+48600100209")
    until("the phone talks", lambda: any(c["state"] == "talking" for c in office.status()["calls"]), 15)
    becomes(office, "delivered", second)
    office.far("hang-up")
    assert [c["cause"] for c in office.wait_calls(2)] == ["normal", "normal"]


def test_a_flash_message_without_a_report_is_sent_and_no_more(office: Office) -> None:
    words = ("sms", "send", "--to", TO, "--text", "Fire drill", "--flash", "--no-report", "--wait")
    assert typed(office, *words)[0] == 0
    [arrived] = far_end(office)
    assert (arrived["class"], arrived["report"], arrived["text"]) == (0, False, "Fire drill")
    assert state(office)["state"] == "sent"


def test_a_report_that_says_still_trying_first_ends_well(office: Office) -> None:
    office.far("set", name="report_statuses", value="30,00")
    send(office)
    becomes(office, "delivered")
    assert [p["status"] for p in office.rows("sms_out_parts")] == [0]


def test_a_report_that_says_no_is_a_failure_with_its_reason(office: Office) -> None:
    office.far("set", name="report_statuses", value="46")
    send(office)
    assert becomes(office, "failed")["reason"] == "sms-not-delivered"


def test_reports_that_a_modem_stores_are_read_and_taken_off_the_sim(office: Office) -> None:
    office.far("set", name="report_kinds", value="02")
    office.far("unplug")
    office.far("plug")
    until("the line is gone", lambda: office.line()["state"] != "up", 20)
    until("the line is back", lambda: office.line()["state"] == "up", 20)
    send(office)
    becomes(office, "delivered")
    until("no report is left", lambda: not office.modem()["messages"]["SR"]["used"], 20, 0.2)
    assert office.rows("sms") == []


@pytest.mark.parametrize("profile", ["e1550", "sim800", "sim7600", "ec25", "ublox"])
def test_every_make_of_modem_delivers(office: Office, profile: str) -> None:
    office.far("profile", name=profile)
    until("the line is gone", lambda: office.line()["state"] != "up", 20)
    until("the line is back", lambda: office.line()["state"] == "up", 60)
    send(office, UKRAINIAN)
    becomes(office, "delivered", seconds=60)
    assert [(m["text"], m["parts"]) for m in far_end(office)] == [(UKRAINIAN, 3)]


# ---- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def web() -> Iterator[Office]:
    with Office(("virtual", "exchange", "worker", "web")) as box:
        yield box


def test_an_answer_from_the_page_is_delivered_before_ones_eyes(web: Office, browser: Browser) -> None:
    web.far("sms", **{"from": TO, "text": "Is it ready?"})
    until("it is here", lambda: web.rows("sms"))
    context = browser.new_context(viewport=SIZES["desk"])
    page = sign_in(web, context)
    page.goto(f"{base(web)}/messages/%2B48600100200")
    page.fill("#text", LETTERS)
    page.wait_for_selector("#count:has-text('400 of 402 letters, 6 messages')")
    page.click("[data-testid=compose] button")
    page.wait_for_selector("[data-testid=sms-out] [data-state=delivered]", timeout=20000)
    assert [(m["text"], m["parts"]) for m in far_end(web)] == [(LETTERS, 6)]
    context.close()


def test_without_javascript_a_new_message_goes_and_a_failed_one_goes_again(web: Office, browser: Browser) -> None:
    first = browser.new_context()
    sign_in(web, first)
    context = browser.new_context(java_script_enabled=False, viewport=SIZES["telephone"])
    context.add_cookies(first.cookies())
    page = context.new_page()
    web.far("fault", name="cms", words=["10"], once=True)
    page.goto(f"{base(web)}/messages")
    page.click("text=New message")
    page.fill("#to", "600 100 200")
    page.fill("#text", "Hello")
    page.click("[data-testid=compose] button")
    page.wait_for_url("**/messages/*")
    becomes(web, "failed")
    page.reload()
    page.wait_for_selector("text=The network does not let this SIM send there.")
    page.click("[data-testid=sms-out] >> text=Send again")
    becomes(web, "delivered")
    page.reload()
    page.wait_for_selector("[data-testid=sms-out] [data-state=delivered]")
    assert [m["text"] for m in far_end(web)] == ["Hello"]
    first.close()
    context.close()
