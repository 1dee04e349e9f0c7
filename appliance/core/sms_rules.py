"""Who gets a message: the office's rules in their order, then the line's own addresses. Pure.

A rule names a line, a sender, a time and a word, each of which may be left open; where all fit it acts, and unless it
stops there, the next ones act too. The line's addresses are the last rule of every line. It is decided in two steps:
`narrowed` when a part arrives (line, sender, hours), `decide` when the text is whole. The trace says why.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from appliance.core.model import Number, Outcome, TraceStep
from appliance.core.numbers import matches

LINK = "/lines/{line}/rules"
_FORWARDED = re.compile(r"Fwd [^:\n]{1,40}: ")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `line` "" is every line, `sender` a number, the beginning of one with * or a name, "" anybody; `when`
    always, open or closed; `action` mail (to `to`), webhook, sms (to `number`, E.164) or keep."""

    id: str
    name: str
    action: str
    line: str = ""
    sender: str = ""
    word: str = ""
    when: str = "always"
    to: tuple[str, ...] = ()
    number: str = ""
    stop: bool = True

    def record(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: Mapping[str, object]) -> "Rule":
        """From JSON that `record` made."""
        to = record.get("to")
        texts = {name: str(record.get(name) or "") for name in ("id", "name", "action", "line", "sender", "word")}
        return cls(
            **texts, when=str(record.get("when") or "always"), number=str(record.get("number") or ""),
            to=tuple(str(one) for one in to) if isinstance(to, list | tuple) else (), stop=bool(record.get("stop")),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """Addresses, ids of rules whose webhook is called, numbers that get it as SMS, and the reasons."""

    mail: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    trace: tuple[TraceStep, ...] = ()


def narrowed(
    rules: Iterable[Rule], line: str, sender: Number, open_now: bool, own: frozenset[str] = frozenset()
) -> tuple[Rule, ...]:
    """The rules that hold for this line, sender and hour. `own` are our own numbers (E.164): nothing is sent to them as
    SMS, and what they sent is not sent on, so that no message goes in a circle."""
    now = ("always", "open" if open_now else "closed")
    return tuple(
        rule
        for rule in rules
        if rule.line in ("", line) and rule.when in now and fits(rule.sender, sender)
        and not (rule.action == "sms" and (rule.number in own or sender.text in own))
    )  # fmt: skip


def decide(rules: Sequence[Rule], line: str, text: str, addresses: Sequence[str], never: bool = False) -> Decision:
    """What becomes of a message with this whole text. `rules` are narrowed already, `addresses` those of the line;
    `never`: its sender is on the line's list of senders that are only kept."""
    link = LINK.format(line=line)
    if never:
        return Decision(trace=(TraceStep("sms-never", Outcome.STOPPED, {}, link),))
    mail: list[str] = []
    hooks: list[str] = []
    numbers: list[str] = []
    trace: list[TraceStep] = []
    for rule in rules:
        facts = {"rule": rule.name, "to": ", ".join(rule.to), "number": rule.number, "word": rule.word}
        if rule.word.casefold() not in text.casefold():
            trace.append(TraceStep("sms-rule-word", Outcome.SKIPPED, facts, link))
            continue
        if rule.action == "sms" and is_forwarded(text):
            trace.append(TraceStep("sms-rule-again", Outcome.SKIPPED, facts, link))
            continue
        mail += rule.to if rule.action == "mail" else ()
        hooks += [rule.id] if rule.action == "webhook" else []
        numbers += [rule.number] if rule.action == "sms" else []
        trace.append(TraceStep(f"sms-rule-{rule.action}", Outcome.CHOSEN, facts, link))
        if rule.stop:
            trace.append(TraceStep("sms-rule-stops", Outcome.STOPPED, facts, link))
            break
    else:
        mail += addresses
        name = "sms-line-mail" if addresses else "sms-line-keeps"
        trace.append(TraceStep(name, Outcome.CHOSEN, {"to": ", ".join(addresses)}, f"/lines/{line}/messages"))
    return Decision(_once(mail), _once(hooks), _once(numbers), tuple(trace))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def fits(pattern: str, sender: Number) -> bool:
    """Whether a sender fits: "" is anybody, a name may end with * too."""
    if not pattern:
        return True
    if pattern.endswith("*") and not pattern[:-1].lstrip("+").isdigit():
        return sender.text.casefold().startswith(pattern[:-1].casefold())
    return matches(pattern, sender)


def forwarded(sender: str, text: str) -> str:
    """The text of a message that is sent on."""
    return f"Fwd {sender.replace(':', ' ')[:40] or '?'}: {text}"


def is_forwarded(text: str) -> bool:
    """Whether a box sent this on already: it is not sent on again."""
    return _FORWARDED.match(text) is not None
