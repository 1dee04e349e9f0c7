"""The buttons of the box: each press does its deed, and the power lamp says that it was understood."""

from dataclasses import replace
from datetime import timedelta

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.causes import Cause
from appliance.core.model import Kind
from appliance.core.plan import Block


def block(office, **facts):
    office.exchange.plan = replace(office.exchange.plan, blocks=(Block(1, "+48600100200"),), **facts)


def test_the_night_button_closes_and_gives_back_to_the_hours(office):
    office.press("night")
    assert office.storage.overrides == {"night": "on"}
    assert office.buttons.shows() == "done"
    office.press("night")
    assert office.storage.overrides == {"night": ""}
    office.press("night")
    office.press("night", "long")
    assert office.storage.overrides == {"night": ""}


def test_the_status_button_lets_the_first_free_phone_say_the_address(office):
    office.call_from("101", "102")
    office.press("status")
    rung = office.phones.dialled()[-1]
    assert (rung.number.text, rung.caller.text, rung.name) == ("103", "*65", "Centralka")
    office.phones.far_answers(rung.leg)
    office.settle()
    assert office.bridge.playing[rung.leg] == ("address", False)
    office.bridge.prompt_ends(rung.leg)
    office.settle()
    assert do.HangUp(rung.leg, Cause.NORMAL) in office.phones.seen
    assert [step.rule for step in office.storage.calls[-1].trace] == ["summoned"]


def test_a_phone_that_ignores_the_address_stops_ringing_by_itself(office):
    office.press("status")
    rung = office.phones.dialled()[-1]
    office.later(26)
    assert do.HangUp(rung.leg, Cause.NO_ANSWER) in office.phones.seen
    assert office.row().cause is Cause.NO_ANSWER
    assert office.exchange.calls == {}


def test_without_a_phone_the_address_is_not_spoken_and_the_page_says_so(office):
    for extension in ("101", "102", "103"):
        office.exchange.handle(ev.BindingChanged(extension, online=False))
    office.press("status")
    assert office.phones.dialled() == []
    assert office.storage.events == ["address-no-phone"]


def test_a_long_press_blocks_the_last_caller_once(office):
    office.press("status", "long")
    assert office.storage.events == ["button-nobody"]
    office.call_in()
    office.press("status", "long")
    assert office.storage.blocked == ["+48600100200"]
    block(office)
    office.press("status", "long")
    assert office.storage.blocked == ["+48600100200"]
    assert office.storage.events[-1] == "button-nobody"


def test_who_shows_no_number_is_not_the_last_caller(office):
    office.call_in("", kind=Kind.WITHHELD)
    office.press("status", "long")
    assert office.storage.blocked == []


def test_a_long_press_may_let_one_blocked_caller_through(office):
    block(office, last_caller="let-next")
    office.press("status", "long")
    assert office.storage.overrides == {"let-next": "on"}
    office.call_in()
    assert office.rung() == ["101", "102"]
    office.gsm.far_ends("gsm0-1")
    office.settle()
    assert office.rules()[:2] == ["came-in", "let-through"]
    assert office.storage.overrides == {"let-next": ""}
    office.call_in(leg="gsm0-2")
    assert office.rung() == ["101", "102"]  # the second one is refused as ever
    assert office.storage.calls[-1].cause is Cause.BLOCKED


def test_a_reset_wants_a_second_press_within_ten_seconds(office, monkeypatch):
    office.press("status", "very-long")
    assert office.buttons.shows() == "armed"
    later = office.exchange.clock.monotonic() + 11
    monkeypatch.setattr(office.exchange.clock, "monotonic", lambda: later)
    office.press("status")
    assert office.resets == 0
    office.press("status", "very-long")
    office.press("status")
    assert office.resets == 1


def test_a_phone_over_its_limit_reads_why(office):
    office.exchange.limits.calls_per_phone = 1
    office.call_from("101", "102")
    office.call_from("101", "103", leg="phones-2")
    refused = office.storage.calls[-1]
    assert (refused.cause, refused.trace[-1].rule) == (Cause.CONGESTION, "too-many-calls")


def test_without_a_rule_calls_go_out_on_any_line_that_may(office):
    office.exchange.plan = replace(office.exchange.plan, outgoing=())
    office.call_from("101", "600100200")
    assert [dial.line for dial in office.gsm.dialled()] == ["gsm0"]


def test_night_mode_with_an_end_time_gives_back_to_the_hours_by_itself_also_after_a_restart(office):
    end = office.clock.now() + timedelta(minutes=30)
    office.exchange.set_override(do.SetOverride("night", "on", "anna", end.isoformat()))
    office.clock.set(end - timedelta(seconds=1))
    office.exchange.tick(office.clock.monotonic())
    assert office.exchange.overrides["night"] == "on"
    office.exchange.overrides = dict(office.storage.overrides)  # what a new exchange reads
    office.clock.set(end)
    office.exchange.tick(office.clock.monotonic())
    assert office.exchange.overrides == {"night": "", "night/until": ""}
    assert office.storage.overrides == office.exchange.overrides


def test_whoever_moves_the_night_switch_again_takes_its_end_time_away(office):
    end = office.clock.now() + timedelta(minutes=30)
    office.exchange.set_override(do.SetOverride("night", "on", "anna", end.isoformat()))
    office.press("night")
    office.press("night")
    assert (office.exchange.overrides["night"], office.exchange.overrides["night/until"]) == ("on", "")
