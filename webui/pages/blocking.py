"""Blocking: who cannot reach us, and why? Blocked, Allowed, By itself, Ended. Files have a page beside it."""

from collections.abc import Mapping

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.core.entry import Form, form_of, limits_of
from appliance.errors import ControlError
from appliance.settings.schema import SCREENING
from webui import blocked, flash, forms, here, i18n, phrases, reading, traces
from webui.control import Doc, SettingsRefused
from webui.pages import saving
from webui.pages.calls import line_names
from webui.words import ERRORS, error_words, sentence

page = Blueprint("blocking", __name__)

WHAT = {"calls": _l("Calls"), "messages": _l("Messages"), "both": _l("Calls and messages")}
WHEN = {"always": _l("Always"), "after-hours": _l("Only outside hours")}
ACTIONS = {
    "": _l("As the line says"), "reject": _l("Is refused"), "busy": _l("Hears “busy”"),
    "announce": _l("Hears an announcement"),
}  # fmt: skip
KINDS = {
    "number": _l("One number"), "prefix": _l("All that begin with"), "range": _l("A range: first number-last digits"),
    "mask": _l("A mask: ? is any digit"), "expression": _l("A regular expression"),
    "withheld": _l("Who hide their number"), "unavailable": _l("Whose number did not arrive"),
}  # fmt: skip
WITHOUT_PATTERN = {"withheld", "unavailable"}
ORIGINS = {"automatic": _l("Automatic"), "key": _l("Automatic: pressed the key")}
SEPARATORS = str.maketrans("", "", " -()./\u00a0")
REFUSED = {
    "block-list", "block-list-after-hours", "block-automatic", "block-subscribed", "blocked-by-itself",
    "line-withheld", "line-unavailable",
}  # fmt: skip
PAUSE_MINUTES = 30


@page.get("/blocking")
def index() -> str:
    """The block list."""
    return _draw("blocked")


@page.get("/blocking/allowed")
def allowed() -> str:
    """The allow list, which wins."""
    return _draw("allowed")


@page.get("/blocking/ended")
def ended() -> str:
    """Entries whose time is over."""
    return _draw("ended")


@page.route("/blocking/automatic", methods=["GET", "POST"])
def automatic() -> Response | str | tuple[str, int]:
    """Entries that were made by themselves, and when that happens."""
    held = here.section("screening")
    fields, others, code = forms.draw(SCREENING.fields, held["doc"] if held else {}), list[str](), 200
    if request.method == "POST":
        outcome = saving.put("screening", SCREENING, tuple(one.name for one in SCREENING.fields))
        if outcome.ok:
            flash.done(_("Saved."), _("It holds from the next call on."))
            return redirect(url_for("blocking.automatic"), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    return _draw("automatic", fields=fields, others=others), code


def tabs(current: str) -> list[dict[str, object]]:
    """The pages of Blocking."""
    names = (
        ("blocked", "", _("Blocked")), ("allowed", "/allowed", _("Allowed")),
        ("automatic", "/automatic", _("By itself")), ("ended", "/ended", _("Ended")), ("files", "/files", _("Files")),
    )  # fmt: skip
    return [{"href": f"/blocking{path}", "label": label, "here": name == current} for name, path, label in names]


def _draw(tab: str, errors: Mapping[str, str] | None = None, **more: object) -> str:
    query = request.args.get("q", "").strip()[:40]
    number = request.args.get("page", "0")
    at = int(number) if number.isdecimal() and len(number) < 4 else 0
    found = blocked.listed(tab, query, at)
    return render_template(
        "blocking/list.html", rows=found.rows, count=found.count, tab=tab, allow=tab == "allowed", query=query, at=at,
        more=found.count > (at + 1) * blocked.PAGE, answer=_answer(tab, found, query), lines=line_names(), WHAT=WHAT,
        WHEN=WHEN, ACTIONS=ACTIONS, ORIGINS=ORIGINS, kinds=_kinds(tab), errors=errors or {}, typed=request.form,
        pattern_words=pattern_words, tabs=tabs(tab), doing=_state(), tried=_tried(), **more,
    )  # fmt: skip


def _kinds(tab: str) -> dict[str, object]:
    return {key: word for key, word in KINDS.items() if tab != "allowed" or key not in WITHOUT_PATTERN}


def _answer(tab: str, found: blocked.Found, query: str) -> str:
    count = found.count
    if query:
        return str(ngettext("%(num)s entry fits.", "%(num)s entries fit.", count))
    if tab == "allowed":
        return str(ngettext("%(num)s entry always gets through.", "%(num)s entries always get through.", count))
    if tab == "automatic":
        return str(ngettext("%(num)s entry was made by itself.", "%(num)s entries were made by themselves.", count))
    if tab == "ended":
        return str(ngettext("%(num)s entry does not hold any more.", "%(num)s entries do not hold any more.", count))
    if not count:
        return str(_("Nobody is blocked."))
    answer = ngettext("%(num)s entry is blocked.", "%(num)s entries are blocked.", count)
    hits = ngettext("%(num)s call was turned away so far.", "%(num)s calls were turned away so far.", found.hits)
    return f"{answer} {hits}"


def _state() -> Doc:
    """The pause, the next caller, the last one; nothing while the exchange is away."""
    try:
        return here.control().ask("block.lists", {}, here.who())
    except ControlError:
        return {}


def _tried() -> dict[str, object]:
    """Would this caller be blocked now, and why? Nothing rings."""
    wanted = request.args.get("try", "").strip()[:30]
    line = request.args.get("on", "") or next(iter(line_names()), "")
    tried: dict[str, object] = {"number": wanted, "line": line}
    if not wanted or not line:
        return tried
    caller = wanted.lower() if wanted.lower() in WITHOUT_PATTERN else cleaned("number", wanted)
    try:
        at = here.local_now().isoformat()
        result = here.control().ask("explain", {"line": line, "from": caller, "to": "", "at": at}, here.who())
    except ControlError as error:
        return {**tried, "problem": error_words(error)}
    steps = result.get("trace")
    trace = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    stopped = any(step.get("rule") in REFUSED for step in trace)
    who = phrases.caller(caller)
    answer = _("%(who)s would be refused now.", who=who) if stopped else _("No block would hold %(who)s now.", who=who)
    return {**tried, "answer": answer, "stopped": stopped, "steps": traces.draw(trace)}


def pattern_words(pattern: str) -> str:
    """An entry for people."""
    form = form_of(pattern)
    if pattern == "withheld":
        return str(_("Callers who hide their number"))
    if pattern == "unavailable":
        return str(_("Callers whose number did not arrive"))
    if form is Form.ANYBODY:
        return str(_("Everybody with a number"))
    if form is Form.EXPRESSION:
        return str(_("Numbers that fit %(pattern)s", pattern=pattern))
    if form is Form.RANGE:
        base, first, last, width, _more = limits_of(pattern)
        ends = (i18n.phone(f"{base}{one:0{width}d}") for one in (first, last))
        return str(_("%(first)s to %(last)s", first=next(ends), last=next(ends)))
    if form is Form.MASK:
        return pattern
    if form is Form.BEGINNING:
        return str(_("%(start)s and all that follows", start=phrases.caller(pattern[:-1])))
    return phrases.caller(pattern)


def cleaned(kind: str, text: str) -> str:
    """The pattern for the exchange, from what a person chose and typed."""
    if kind in WITHOUT_PATTERN:
        return kind
    if kind in {"range", "mask"}:
        return text.strip()
    if kind == "expression":
        return f"/{text.strip().strip('/')}/" if text.strip(" /") else ""
    pattern = text.translate(SEPARATORS)
    pattern = "+" + pattern[2:] if pattern.startswith("00") else pattern
    return pattern.rstrip("*") + "*" if kind == "prefix" else pattern


@page.post("/blocking")
def add() -> Response | tuple[str, int]:
    """A new entry, at once, with Undo."""
    form = request.form
    allow = form.get("allow") == "1"
    tab = "allowed" if allow else "blocked"
    pattern = cleaned(form.get("kind", "number"), form.get("pattern", ""))
    if not pattern.strip("*"):
        return _draw(tab, {"pattern": _("Give a number, or its beginning.")}), 422
    entry = {
        "pattern": pattern, "allow": allow, "what": form.get("what", "calls"), "when": form.get("when", "always"),
        "line": form.get("line", "") or None, "action": form.get("action", ""),
        "reason": form.get("reason", "").strip()[:200], "begins": form.get("begins", ""), "ends": form.get("ends", ""),
    }  # fmt: skip
    try:
        added(entry)
    except SettingsRefused as refused:
        errors = {k.split(".")[-1]: sentence(ERRORS, v, refused.facts.get(k, {})) for k, v in refused.fields.items()}
        return _draw(tab, errors), 422
    except ControlError as error:
        return _draw(tab, {"pattern": error_words(error)}), 422
    return redirect(url_for("blocking.allowed" if allow else "blocking.index"), 303)


def added(entry: Mapping[str, object]) -> None:
    """Ask the exchange, note it, say it with Undo. Raises ControlError."""
    said(here.control().ask("block.add", entry, here.who()), entry)


def said(answer: Doc, entry: Mapping[str, object]) -> None:
    """Note what was added and say it with Undo; the exchange's spelling of the pattern is the one that holds."""
    pattern = str(answer.get("pattern") or entry.get("pattern"))
    change = here.audit("block.add", {}, {**entry, "pattern": pattern, "id": answer.get("id")})
    name = pattern_words(pattern)
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


@page.post("/blocking/now/<deed>")
def now(deed: str) -> Response:
    """At once, each with Undo: `last` blocks who called last, `let-next` lets the next caller through, `pause` lets
    everybody ring for half an hour; `unpause` and `hold-next` take these back."""
    control, who = here.control(), here.who()
    try:
        if deed == "last":
            said(control.ask("block.last", {}, who), {"allow": False, "action": ""})
        elif deed in {"let-next", "hold-next"}:
            on = deed == "let-next"
            control.ask("block.let-next", {"on": on}, who)
            change = here.audit("block.let-next", {"on": not on}, {"on": on})
            flash.done(_("The next caller rings, past blocks and hours.") if on else _("Taken back."), undo=change)
        elif deed in {"pause", "unpause"}:
            minutes = PAUSE_MINUTES if deed == "pause" else 0
            control.ask("block.pause", {"minutes": minutes}, who)
            change = here.audit("block.pause", {"minutes": 0}, {"minutes": minutes})
            if minutes:
                flash.done(_("Nobody is blocked for 30 minutes."), _("Then all blocks hold again."), undo=change)
            else:
                flash.done(_("All blocks hold again."))
        else:
            abort(404)
    except ControlError as error:
        flash.wrong(_("Nothing has changed."), error_words(error))
    return redirect(url_for("blocking.index"), 303)


@page.post("/blocking/<int:number>/remove")
def remove(number: int) -> Response:
    """Take an entry out, at once, with Undo."""
    entry = blocked.one(number)
    if entry is None:
        flash.wrong(_("This entry is gone already."))
        return redirect(url_for("blocking.index"), 303)
    try:
        here.control().ask("block.remove", {"id": number}, here.who())
    except ControlError as error:
        flash.wrong(_("The entry stays."), error_words(error))
        return redirect(url_for("blocking.allowed" if entry.allow else "blocking.index"), 303)
    change = here.audit("block.remove", entry.as_args(), {})
    who = pattern_words(entry.pattern)
    strong = (
        _("%(who)s is out of the allow list.", who=who) if entry.allow else _("%(who)s can reach you again.", who=who)
    )
    flash.done(strong, undo=change)
    return redirect(url_for("blocking.allowed" if entry.allow else "blocking.index"), 303)
