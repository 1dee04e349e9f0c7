"""Calling out: which line does a call take? Rules for numbers, each with lines that are tried in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.core.calling_out import weight
from appliance.core.model import PHONES
from appliance.core.numbers import as_pattern
from appliance.errors import ControlError
from appliance.settings.calling import rule as planned
from appliance.settings.schema import OUTGOING
from webui import flash, forms, here, i18n, phrases, traces
from webui.pages import limits, saving, trycall
from webui.words import error_words

page = Blueprint("outgoing", __name__)

KINDS = {
    "all": _l("All numbers"), "prefix": _l("All that begin with"), "number": _l("One number"),
    "mask": _l("A mask, X for any digit"),
}  # fmt: skip
MORE = ("people", "group", "days", "start", "end", "cut", "add", "withhold")
WHOM_AND_WHEN = ("pattern", "people", "group", "days", "start", "end")  # two rules differ in one of these


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the page draws it."""

    id: str
    pattern: str
    words: str
    lines: list[str]
    notes: list[str]


@dataclass(slots=True)
class Tried:
    """A number that was tried: the sentence, the reasons, or what is wrong."""

    number: str = ""
    person: str = ""
    answer: str = ""
    problem: str = ""
    steps: list[traces.Drawn] = field(default_factory=list)


@page.get("/outgoing")
def index() -> str:
    """The rules, in the order in which they win, and a number to try."""
    rules, lines = _rules(), _lines()
    if not lines:
        answer = _("There is no line yet, so nobody can call out.")
    elif not rules:
        answer = _("Every line that may be used for calling out is tried in order.")
    else:
        answer = ngettext(
            "%(num)s rule says which line a call takes.", "%(num)s rules say which line a call takes.", len(rules)
        )
    people = [(str(p.get("extension")), f"{p.get('extension')} {p.get('name')}") for p in _items("people")]
    return render_template(
        "outgoing/list.html", rules=rules, lines=lines, answer=answer, people=people, tried=_try(people),
        tabs=limits.tabs("rules"), default=limits.default_choices(),
        rest=bool(rules) and not any(rule.pattern == "*" for rule in rules),
    )  # fmt: skip


@page.route("/outgoing/<rule>", methods=["GET", "POST"])
def one(rule: str) -> Response | str | tuple[str, int]:
    """A rule's form; `new` makes one."""
    items = _items("outgoing")
    item = next((one for one in items if one.get("id") == rule), None)
    if item is None and rule != "new":
        abort(404)
    if request.method == "GET":
        return _draw(item, _typed_of(item), {}, [])
    country = here.office().country
    kind, text = request.form.get("kind", "number"), request.form.get("pattern", "").strip()
    pattern = _pattern(kind, text, country)
    lines = list(dict.fromkeys(one for one in request.form.getlist("line") if one))
    taken = {str(one.get("id")) for one in items}
    fresh = next(f"rule-{n}" for n in range(1, 1000) if f"rule-{n}" not in taken)
    errors = _faults({**forms.sent(OUTGOING.fields, MORE), "pattern": pattern}, item, items)
    outcome = None
    if not errors:
        outcome = saving.put_item("outgoing", OUTGOING, rule if item else fresh, MORE, _choices(),
                                  {"pattern": pattern, "lines": lines})  # fmt: skip
    if outcome is None or not outcome.ok:
        errors = errors or (outcome.errors if outcome else {})
        typed: dict[str, object] = {
            **forms.sent(OUTGOING.fields, MORE), "kind": kind, "pattern": text, "lines": lines,
        }  # fmt: skip
        shown = {name.split(".")[0]: words for name, words in errors.items()}
        others = [] if shown or outcome is None else outcome.others
        return _draw(item, typed, shown, others), 422
    flash.done(_("Saved."), _("The next call out follows it."))
    return redirect(url_for("outgoing.index"), 303)


@page.post("/outgoing/<rule>/remove")
def remove(rule: str) -> Response:
    """Take a rule away, at once, with Undo."""
    item = next((one for one in _items("outgoing") if one.get("id") == rule), None)
    if item is None:
        flash.wrong(_("This rule is gone already."))
        return redirect(url_for("outgoing.index"), 303)
    dropped = saving.drop_item("outgoing", OUTGOING, rule)
    if dropped.problem:
        flash.wrong(_("The rule stays."), dropped.problem)
    else:
        flash.done(_("The rule for “%(what)s” is removed.", what=pattern_words(str(item["pattern"]))),
                   undo=dropped.change)  # fmt: skip
    return redirect(url_for("outgoing.index"), 303)


def pattern_words(pattern: str) -> str:
    """Which numbers a rule is for."""
    if pattern == "*":
        return str(KINDS["all"])
    if "X" in pattern:
        return pattern
    if pattern.endswith("*"):
        return str(_("%(start)s and all that follows", start=phrases.caller(pattern[:-1])))
    return phrases.caller(pattern)


def _pattern(kind: str, text: str, country: str) -> str:
    """What was typed, as a rule holds it."""
    if kind == "all":
        return "*"
    if kind == "mask":
        return "".join(text.split()).upper().replace("-", "")
    return as_pattern(text.rstrip("*") + ("*" if kind == "prefix" else ""), country)


def _rules() -> list[Rule]:
    """As the exchange weighs them: the first that fits wins."""
    labels = {str(line.get("id")): str(line.get("label")) for line in _lines()}
    rules = []
    for item in _items("outgoing"):
        pattern, lines = str(item.get("pattern")), item.get("lines")
        names = [labels.get(str(one), str(one)) for one in lines] if isinstance(lines, list) else []
        one = Rule(str(item.get("id")), pattern, pattern_words(pattern), names, _notes(item))
        known = {"id": "", "pattern": pattern, "lines": [], **item}
        rules.append((weight(planned(known, {}, here.office().zone)), one))  # type: ignore[arg-type]
    return [one for _weight, one in sorted(rules, key=lambda pair: pair[0], reverse=True)]


def _notes(item: Mapping[str, object]) -> list[str]:
    """For whom a rule is, when, and what it makes of the number."""
    people = dict(_choices()["people"])
    some = item.get("people")
    names = [people.get(str(one), str(one)) for one in some] if isinstance(some, list) else []
    if item.get("group"):
        names.append(dict(_choices()["group"]).get(str(item["group"]), str(item["group"])))
    notes = [_("for %(who)s", who=phrases.several(names))] if names else []
    days = item.get("days")
    when = [i18n.weekday(int(str(day)), "abbreviated") for day in days] if isinstance(days, list) else []
    if item.get("start") or item.get("end"):
        times = {"start": item.get("start") or "00:00", "end": item.get("end") or "24:00"}
        when.append(_("%(start)s to %(end)s", **times))
    notes += [", ".join(when)] if when else []
    if str(item.get("cut") or 0) != "0":
        notes.append(_("%(cut)s digits cut off", cut=item.get("cut")))
    if item.get("add"):
        notes.append(_("%(add)s put in front", add=item.get("add")))
    return [*notes, *([_("number hidden")] if item.get("withhold") else [])]


def _choices() -> dict[str, Sequence[tuple[str, str]]]:
    """Options of the fields that name something."""
    return {
        "people": [(str(p.get("extension")), f"{p.get('extension')} {p.get('name')}") for p in _items("people")],
        "group": [("", _("no group")), *((str(g.get("id")), str(g.get("name"))) for g in _items("groups"))],
        "days": [(str(day), i18n.weekday(day)) for day in range(7)],
    }


def _faults(
    typed: Mapping[str, object], item: Mapping[str, object] | None, items: Sequence[Mapping[str, object]]
) -> dict[str, str]:
    """What the exchange would not see: a rule without its number, and two rules for the same."""
    pattern = str(typed["pattern"])
    if not pattern.strip("*+") and pattern != "*":
        return {"pattern": _("Give a number, or its beginning.")}
    short = pattern.rstrip("*").isdigit() and len(pattern) <= 3  # a digit that is dialled in front
    if pattern.endswith("*") and pattern != "*" and not pattern.startswith("+") and not (short and typed.get("cut")):
        return {"pattern": _("Begin with the country, such as +48 600.")}
    if any(_key(one) == _key(typed) and one is not item for one in items):
        return {"pattern": _("There is a rule for these numbers already.")}
    return {}


def _key(rule: Mapping[str, object]) -> list[str]:
    """Which calls a rule is for."""
    values = (rule.get(name) or "" for name in WHOM_AND_WHEN)
    return [" ".join(sorted(map(str, one))) if isinstance(one, list) else str(one) for one in values]


def _typed_of(item: Mapping[str, object] | None) -> dict[str, object]:
    """A stored rule as its form has it."""
    pattern = str(item.get("pattern")) if item else ("" if _items("outgoing") else "*")
    kind = "all" if pattern == "*" else "prefix" if pattern.endswith("*") or not pattern else "number"
    kind = "mask" if "X" in pattern else kind
    first = [str(line.get("id")) for line in _lines() if line.get("outgoing", True)][:1]
    more = {name: item[name] for name in MORE if name in item} if item else {}
    return {**more, "kind": kind, "pattern": pattern.rstrip("*"), "lines": item.get("lines") if item else first}


def _draw(
    item: Mapping[str, object] | None, typed: Mapping[str, object], errors: Mapping[str, str], others: list[str]
) -> str:
    lines = _lines()
    options = [
        (str(one.get("id")), str(one.get("label")) if one.get("outgoing", True)
         else _("%(line)s (not for calling out)", line=one.get("label")))
        for one in lines
    ]  # fmt: skip
    chosen = typed.get("lines")
    return render_template(
        "outgoing/rule.html", item=item, kinds=KINDS, typed=typed, errors=errors, others=others, options=options,
        more=forms.draw(OUTGOING.fields, typed, errors, _choices(), MORE),
        chosen=[str(one) for one in chosen] if isinstance(chosen, list) else [],
        title=pattern_words(str(item.get("pattern"))) if item else _("New rule"),
    )  # fmt: skip


def _try(people: Sequence[tuple[str, str]]) -> Tried:
    """What would become of a number somebody dials now."""
    first = people[0][0] if people else ""
    tried = Tried(request.args.get("to", "").strip()[:30], request.args.get("from", first)[:30])
    if not tried.number:
        return tried
    now = here.local_now()
    asked = {
        "line": str(PHONES), "from": tried.person, "to": tried.number, "kind": "number",
        "d": now.strftime("%Y-%m-%d"), "t": now.strftime("%H:%M"),
    }  # fmt: skip
    try:
        tried.answer, tried.steps = trycall.ask(asked)
    except ControlError as error:
        tried.problem = error_words(error)
    return tried


def _lines() -> list[dict[str, object]]:
    return _items("lines")


def _items(name: str) -> list[dict[str, object]]:
    held = here.section(name)
    return forms.items_of(held["doc"]) if held else []
