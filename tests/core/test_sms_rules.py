"""Who gets which message, and why."""

from typing import Any

from appliance.core.model import Kind, Number
from appliance.core.sms_rules import Rule, decide, fits, forwarded, narrowed

ANNA, BANK = Number("+48600100200", Kind.E164), Number("My Bank", Kind.ALPHANUMERIC)
LINE_TO = ("office@x.test",)


def rule(name: str = "r", action: str = "mail", **more: Any) -> Rule:
    fields: dict[str, object] = {"to": (f"{name}@x.test",) if action == "mail" else ()} | more
    return Rule(name, name.title(), action, **fields)


def reasons(*rules: Rule, text: str = "hello", never: bool = False) -> list[str]:
    return [step.rule for step in decide(rules, "gsm0", text, LINE_TO, never).trace]


def test_without_rules_the_lines_addresses_get_it() -> None:
    decided = decide((), "gsm0", "hello", LINE_TO)
    assert (decided.mail, decided.hooks, decided.numbers) == (LINE_TO, (), ())
    assert [step.args for step in decided.trace] == [{"to": "office@x.test"}]


def test_the_first_rule_that_fits_ends_it_unless_it_lets_go_on() -> None:
    one, two = rule("one"), rule("two")
    assert decide((one, two), "gsm0", "x", LINE_TO).mail == ("one@x.test",)
    on = rule("one", stop=False)
    assert decide((on, two), "gsm0", "x", LINE_TO).mail == ("one@x.test", "two@x.test")
    assert decide((on,), "gsm0", "x", LINE_TO).mail == ("one@x.test", "office@x.test")


def test_all_actions_of_a_message_come_together() -> None:
    rules = (
        rule("hook", "webhook", stop=False), rule("phone", "sms", number="+48600100299", stop=False), rule("mail"),
    )  # fmt: skip
    decided = decide(rules, "gsm0", "x", LINE_TO)
    assert (decided.mail, decided.hooks, decided.numbers) == (("mail@x.test",), ("hook",), ("+48600100299",))


def test_a_word_is_found_whatever_its_capitals() -> None:
    alarm = rule("alarm", word="ALARM")
    assert decide((alarm,), "gsm0", "Pożar! Alarm w hali", LINE_TO).mail == ("alarm@x.test",)
    assert reasons(alarm) == ["sms-rule-word", "sms-line-mail"]


def test_line_sender_and_hours_narrow_the_rules() -> None:
    rules = [
        rule("any"), rule("line", line="gsm1"), rule("number", sender=ANNA.text), rule("start", sender="+48600*"),
        rule("bank", sender="my bank"), rule("banks", sender="My*"), rule("night", when="closed"),
        rule("day", when="open"),
    ]  # fmt: skip
    names = lambda sender, open_now: [r.id for r in narrowed(rules, "gsm0", sender, open_now)]  # noqa: E731
    assert names(ANNA, True) == ["any", "number", "start", "day"]
    assert names(BANK, False) == ["any", "bank", "banks", "night"]


def test_what_is_only_kept_goes_to_nobody() -> None:
    assert decide((rule("junk", "keep"),), "gsm0", "x", LINE_TO).mail == ()
    assert reasons(rule(), never=True) == ["sms-never"]
    assert decide((rule(),), "gsm0", "x", LINE_TO, never=True).mail == ()


def test_a_message_goes_in_no_circle() -> None:
    on = rule("on", "sms", number="+48600100299")
    own = frozenset({"+48600100299"})
    assert narrowed([on], "gsm0", ANNA, True, own) == ()
    assert narrowed([on], "gsm0", Number("+48990120100", Kind.E164), True, frozenset({"+48990120100"})) == ()
    again = forwarded("My Bank: x", "code 1234")
    assert decide((on,), "gsm0", again, LINE_TO).numbers == ()
    assert reasons(on, text=again) == ["sms-rule-again", "sms-line-mail"]


def test_a_sender_without_a_number_fits_only_rules_for_anybody() -> None:
    nobody = Number("", Kind.UNAVAILABLE)
    assert fits("", nobody)
    assert not fits("+48*", nobody)
    assert not fits("My*", nobody)


def test_a_rule_is_the_same_after_json() -> None:
    one = rule("one", word="x", sender="My*", when="closed", stop=False)
    assert Rule.of_record(one.record()) == one
