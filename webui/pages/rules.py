"""Rules for messages of a line: who gets what, in their order; a message to try; add, edit, move, remove."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from appliance.settings.schema import SMS_RULES
from webui import flash, forms, here, phrases, traces
from webui.forms import Options
from webui.pages import lines, saving
from webui.words import error_words

page = Blueprint("rules", __name__)

FIELDS = ("name", "enabled", "line", "sender", "when", "word", "action", "to", "number", "url", "secret", "stop")


@dataclass(frozen=True, slots=True)
class Row:
    """A rule as the list draws it."""

    id: str
    name: str
    fits: str
    does: str
    enabled: bool
    stop: bool


@dataclass(slots=True)
class Tried:
    """A message that was tried, and the reasons, or what is wrong."""

    sender: str = ""
    text: str = ""
    problem: str = ""
    steps: list[traces.Drawn] = field(default_factory=list)


@page.get("/lines/<line_id>/rules")
def index(line_id: str) -> str:
    """The rules of a line, in the order in which they act."""
    item = lines.item_of(line_id)
    rows = [_row(one) for one in _items() if one.get("line") in ("", None, line_id)]
    return render_template(
        "lines/rules.html", item=item, view=lines.view_of(line_id), tabs=lines.tabs_of(line_id, "rules"), rows=rows,
        tried=_try(line_id),
    )  # fmt: skip


@page.route("/lines/<line_id>/rules/<rule>", methods=["GET", "POST"])
def one(line_id: str, rule: str) -> Response | str | tuple[str, int]:
    """A rule's form; `new` makes one."""
    items = _items()
    known = next((one for one in items if one.get("id") == rule), None)
    if known is None and rule != "new":
        abort(404)
    item = lines.item_of(line_id)
    choices: dict[str, Options] = {"line": [("", _("All lines")), *lines.line_choices()]}
    fields, others, code = forms.draw(SMS_RULES.fields, known or {"line": line_id}, None, choices, FIELDS), [], 200
    if request.method == "POST":
        taken = {str(one.get("id")) for one in items}
        fresh = next(f"rule-{n}" for n in range(1, 1000) if f"rule-{n}" not in taken)
        outcome = saving.put_item("sms_rules", SMS_RULES, rule if known else fresh, FIELDS, choices)
        if outcome.ok:
            flash.done(_("Saved."), _("The next message follows it."))
            return redirect(url_for("rules.index", line_id=line_id), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    return render_template(
        "lines/rule.html", item=item, known=known, fields=fields, others=others,
        title=known.get("name") if known else _("New rule"),
    ), code  # fmt: skip


@page.post("/lines/<line_id>/rules/<rule>/remove")
def remove(line_id: str, rule: str) -> Response:
    """Take a rule away, at once, with Undo."""
    item = next((one for one in _items() if one.get("id") == rule), None)
    if item is None:
        flash.wrong(_("This rule is gone already."))
        return redirect(url_for("rules.index", line_id=line_id), 303)
    dropped = saving.drop_item("sms_rules", SMS_RULES, rule)
    if dropped.problem:
        flash.wrong(_("The rule stays."), dropped.problem)
    else:
        flash.done(_("“%(name)s” is removed.", name=item.get("name", "")))
    return redirect(url_for("rules.index", line_id=line_id), 303)


@page.post("/lines/<line_id>/rules/<rule>/up")
def up(line_id: str, rule: str) -> Response:
    """Let a rule act before the one above it."""
    held = here.section("sms_rules")
    items = forms.items_of(held["doc"]) if held else []
    seen = [place for place, one in enumerate(items) if one.get("line") in ("", None, line_id)]
    mine = next((place for place in seen if items[place].get("id") == rule), -1)
    above = max((place for place in seen if place < mine), default=-1)
    if held is not None and above >= 0:
        items.insert(above, items.pop(mine))
        try:
            here.control().put("sms_rules", held["version"], {"items": items}, here.who())
            here.audit("settings.sms_rules", {}, {"first": rule})
        except ControlError as error:
            flash.wrong(_("Nothing was changed."), error_words(error))
    return redirect(url_for("rules.index", line_id=line_id), 303)


def answer(count: int) -> str:
    """How many rules a line has, in words."""
    if not count:
        return str(_("No rules: every message goes to the addresses of the line."))
    return str(ngettext("%(num)s rule decides first.", "%(num)s rules decide first.", count))


def _row(rule: Mapping[str, object]) -> Row:
    parts = []
    if rule.get("sender"):
        parts.append(_("from %(who)s", who=phrases.caller(str(rule["sender"]))))
    if rule.get("word"):
        parts.append(_("with “%(word)s”", word=rule["word"]))
    when = {"open": _("in opening hours"), "closed": _("outside hours")}.get(str(rule.get("when")))
    if when:
        parts.append(when)
    to = rule.get("to")
    does = {
        "mail": _("mailed to %(to)s", to=", ".join(str(one) for one in to) if isinstance(to, list) else ""),
        "webhook": _("to %(url)s", url=rule.get("url") or ""),
        "sms": _("as SMS to %(number)s", number=phrases.caller(str(rule.get("number") or ""))),
        "keep": _("kept here only"),
    }.get(str(rule.get("action")), "")
    return Row(
        str(rule.get("id")), str(rule.get("name")), ", ".join(str(one) for one in parts) or _("Every message"),
        str(does), bool(rule.get("enabled", True)), bool(rule.get("stop", True)),
    )  # fmt: skip


def _try(line_id: str) -> Tried:
    """What would become of a message."""
    tried = Tried(request.args.get("from", "").strip()[:30], request.args.get("text", "").strip()[:500])
    if not tried.sender:
        return tried
    try:
        found = here.control().ask("sms.explain", {"line": line_id, "from": tried.sender, "text": tried.text})
    except ControlError as error:
        tried.problem = error_words(error)
        return tried
    steps = found.get("trace")
    tried.steps = traces.draw([one for one in steps if isinstance(one, Mapping)] if isinstance(steps, list) else [])
    return tried


def _items() -> list[dict[str, object]]:
    held = here.section("sms_rules")
    return forms.items_of(held["doc"]) if held else []
