"""Traces in words: the same component for calls that were and calls that are tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


def _draw(step: Mapping[str, object]) -> Drawn:
    rule, outcome = str(step.get("rule", "")), str(step.get("outcome", ""))
    args = step.get("args")
    text = sentence(TRACE, rule, args if isinstance(args, Mapping) else {})
    link = str(step.get("link") or "")
    safe = link if link.startswith("/") and not link.startswith("//") else ""
    return Drawn(
        text, outcome, sentence(OUTCOMES, outcome), TONES.get(outcome, ""), ICONS.get(outcome, "circle-minus"), safe
    )
