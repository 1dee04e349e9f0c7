"""Blocking: who cannot reach us, and why? Blocked, Allowed."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from webui import flash, here, phrases, reading
from webui.control import SettingsRefused
from webui.pages.calls import line_names
from webui.words import ERRORS, error_words, sentence

page = Blueprint("blocking", __name__)

WHAT = {"calls": _l("Calls"), "messages": _l("Messages"), "both": _l("Calls and messages")}
WHEN = {"always": _l("Always"), "after-hours": _l("Only outside hours")}
ACTIONS = {
    "": _l("As the line says"), "reject": _l("Is refused"), "busy": _l("Hears “busy”"),
    "announce": _l("Hears an announcement"),
}  # fmt: skip
SEPARATORS = str.maketrans("", "", " -()./\u00a0")


@page.get("/blocking")
def index() -> str:
    """The block list."""
    return _draw(allow=False)


@page.get("/blocking/allowed")
def allowed() -> str:
    """The allow list, which wins."""
    return _draw(allow=True)


def _draw(allow: bool, errors: dict[str, str] | None = None) -> str:
    rows = reading.blocks(allow)
    hits = sum(row.hits for row in rows)
    if allow:
        answer = ngettext("%(num)s entry always gets through.", "%(num)s entries always get through.", len(rows))
    elif not rows:
        answer = _("Nobody is blocked.")
    else:
        answer = ngettext("%(num)s entry is blocked.", "%(num)s entries are blocked.", len(rows)) + " "
        answer += ngettext("%(num)s call was turned away so far.", "%(num)s calls were turned away so far.", hits)
    return render_template(
        "blocking/list.html", rows=rows, allow=allow, answer=answer, lines=line_names(), WHAT=WHAT, WHEN=WHEN,
        ACTIONS=ACTIONS, errors=errors or {}, typed=request.form, pattern_words=pattern_words,
    )  # fmt: skip


def pattern_words(pattern: str) -> str:
    """An entry for people."""
    if pattern == "withheld":
        return str(_("Callers who hide their number"))
    if pattern == "unavailable":
        return str(_("Callers whose number did not arrive"))
    if pattern.endswith("*"):
        return str(_("%(start)s and all that follows", start=phrases.caller(pattern[:-1])))
    return phrases.caller(pattern)


def cleaned(kind: str, text: str) -> str:
    """The pattern for the exchange, from what a person chose and typed."""
    if kind in {"withheld", "unavailable"}:
        return kind
    pattern = text.translate(SEPARATORS)
    pattern = "+" + pattern[2:] if pattern.startswith("00") else pattern
    return pattern.rstrip("*") + "*" if kind == "prefix" else pattern


@page.post("/blocking")
def add() -> Response | tuple[str, int]:
    """A new entry, at once, with Undo."""
    form = request.form
    allow = form.get("allow") == "1"
    pattern = cleaned(form.get("kind", "number"), form.get("pattern", ""))
    if not pattern.strip("*"):
        return _draw(allow, {"pattern": _("Give a number, or its beginning.")}), 422
    entry = {
        "pattern": pattern, "allow": allow, "what": form.get("what", "calls"), "when": form.get("when", "always"),
        "line": form.get("line", "") or None, "action": form.get("action", ""),
        "reason": form.get("reason", "").strip()[:200],
    }  # fmt: skip
    try:
        added(entry)
    except SettingsRefused as refused:
        errors = {k.split(".")[-1]: sentence(ERRORS, v, refused.facts.get(k, {})) for k, v in refused.fields.items()}
        return _draw(allow, errors), 422
    except ControlError as error:
        return _draw(allow, {"pattern": error_words(error)}), 422
    return redirect(url_for("blocking.allowed" if allow else "blocking.index"), 303)


def added(entry: dict[str, object]) -> None:
    """Ask the exchange, note it, say it with Undo. Raises ControlError."""
    answer = here.control().ask("block.add", entry, here.who())
    change = here.audit("block.add", {}, {**entry, "id": answer.get("id")})
    name = pattern_words(str(entry["pattern"]))
    if entry.get("allow"):
        flash.done(_("%(who)s always gets through now.", who=name), undo=change)
        return
    heard = {
        "busy": _("The caller hears “busy”."),
        "announce": _("The caller hears an announcement."),
    }.get(str(entry.get("action")), _("The call is refused as soon as the number is known."))
    flash.done(_("%(who)s will not ring here any more.", who=name), heard, change, icon="ban")


@page.post("/blocking/from-call/<call_id>")
def from_call(call_id: str) -> Response:
    """Block the caller of a call, straight from the list."""
    row = reading.call(call_id)
    if row is None or row.direction != "in":
        abort(404)
    pattern = row.caller if row.caller_kind in {"e164", "short"} else row.caller_kind
    entry: dict[str, object] = {
        "pattern": pattern, "allow": False, "what": "calls", "when": "always", "line": None, "action": "", "reason": "",
    }  # fmt: skip
    try:
        added(entry)
    except ControlError as error:
        flash.wrong(_("Not blocked."), error_words(error))
    return redirect(url_for("calls.index"), 303)


@page.post("/blocking/<int:number>/remove")
def remove(number: int) -> Response:
    """Take an entry out, at once, with Undo."""
    entry = next((b for b in [*reading.blocks(False), *reading.blocks(True)] if b.id == number), None)
    if entry is None:
        flash.wrong(_("This entry is gone already."))
        return redirect(url_for("blocking.index"), 303)
    try:
        here.control().ask("block.remove", {"id": number}, here.who())
    except ControlError as error:
        flash.wrong(_("The entry stays."), error_words(error))
        return redirect(url_for("blocking.allowed" if entry.allow else "blocking.index"), 303)
    old = {
        "pattern": entry.pattern, "allow": entry.allow, "what": entry.what, "when": entry.when,
        "line": entry.line or None, "action": entry.action, "reason": entry.reason,
    }  # fmt: skip
    change = here.audit("block.remove", old, {})
    who = pattern_words(entry.pattern)
    strong = (
        _("%(who)s is out of the allow list.", who=who) if entry.allow else _("%(who)s can reach you again.", who=who)
    )
    flash.done(strong, undo=change)
    return redirect(url_for("blocking.allowed" if entry.allow else "blocking.index"), 303)
