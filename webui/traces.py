"""Traces in words: the same component for calls that were and calls that are tried."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from webui import i18n, phrases
from webui.words import OUTCOMES, TRACE, sentence

ICONS = {"passed": "circle-check", "skipped": "circle-minus", "stopped": "circle-x", "chosen": "phone-call"}
TONES = {"passed": "yes", "skipped": "", "stopped": "stop", "chosen": "yes"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A step as the template draws it."""

    text: str
    outcome: str
    word: str
    tone: str
    icon: str
    link: str


def draw(steps: Sequence[Mapping[str, object]]) -> list[Drawn]:
    """The steps of a stored or tried call."""
    return [_draw(step) for step in steps if isinstance(step, Mapping)]


def words(rule: str, args: Mapping[str, object]) -> str:
    """A rule with its facts, for people."""
    return sentence(TRACE, rule, _facts(args))


def _draw(step: Mapping[str, object]) -> Drawn:
    rule, outcome = str(step.get("rule", "")), str(step.get("outcome", ""))
    args = step.get("args")
    text = words(rule, args if isinstance(args, Mapping) else {})
    link = str(step.get("link") or "")
    safe = link if link.startswith("/") and not link.startswith("//") else ""
    return Drawn(
        text, outcome, sentence(OUTCOMES, outcome), TONES.get(outcome, ""), ICONS.get(outcome, "circle-minus"), safe
    )


def _facts(args: Mapping[str, object]) -> dict[str, str]:
    """The facts of a step for people: names beside extensions, numbers in groups, times in words."""
    return {name: READERS[name](str(value)) if name in READERS else str(value) for name, value in args.items()}


READERS: Mapping[str, Callable[[str], str]] = {
    "caller": lambda text: phrases.caller(text) if text in {"withheld", "unavailable"} else phrases.person(text),
    "who": lambda text: ", ".join(phrases.person(one) for one in text.split(", ")), "extension": phrases.person,
    "number": phrases.person, "changed": phrases.person, "country": i18n.country,
    "pattern": phrases.pattern, "until": phrases.until_words,
}  # fmt: skip
