"""Lines: which numbers do we have, do they work? One line: State, Incoming, Messages, Modem."""

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.settings.schema import LINES
from webui import flash, forms, here
from webui.control import LineView
from webui.forms import Options
from webui.pages import saving

page = Blueprint("lines", __name__)


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of one line: which fields its form has."""

    name: str
    label: object
    fields: tuple[str, ...]


TABS = (
    Tab("state", _l("State"), ()),
    Tab("incoming", _l("Incoming"), (
        "label", "number", "group", "no_answer", "language", "closed", "blocked", "withheld", "unavailable", "night",
    )),
    Tab("messages", _l("Messages"), ("sms_mail", "sms_to")),
    Tab("modem", _l("Modem"), ("enabled", "device", "pcm_device", "pin", "outgoing", "country")),
)  # fmt: skip


@page.get("/lines")
def index() -> str:
    """All lines."""
    held = here.section("lines")
    items = forms.items_of(held["doc"]) if held else []
    state = here.status() or {}
    views: dict[str, LineView] = {line.get("id", ""): line for line in state.get("lines", [])}
    works = sum(1 for view in views.values() if view.get("usable"))
    if not items:
        answer = _("There is no line yet.")
    elif works == len(items):
        answer = ngettext("%(num)s line, and it works.", "%(num)s lines, and all work.", works)
    elif not works:
        answer = _("No line works now.")
    else:
        answer = _("%(works)d of %(all)d lines work.", works=works, all=len(items))
    groups = dict(group_choices())
    return render_template("lines/list.html", items=items, views=views, answer=answer, groups=groups)


@page.route("/lines/<line_id>", methods=["GET"])
def one(line_id: str) -> str:
    """The state of a line."""
    item = _item(line_id)
    return render_template(
        "lines/state.html", item=item, view=_view(line_id), tabs=_tabs(line_id, "state"), groups=dict(group_choices())
    )


@page.route("/lines/<line_id>/<tab>", methods=["GET", "POST"])
def form(line_id: str, tab: str) -> Response | str | tuple[str, int]:
    """A form of a line."""
    which = next((t for t in TABS if t.name == tab and t.fields), None)
    if which is None:
        abort(404)
    item = _item(line_id)
    choices: dict[str, Options] = {"group": [("", _("Nobody")), *group_choices()]}
    fields, others, code = forms.draw(LINES.fields, item, None, choices, which.fields), [], 200
    if request.method == "POST":
        outcome = saving.put_item("lines", LINES, line_id, which.fields, choices)
        if outcome.ok:
            flash.done(_("Saved."), _("The line follows the new settings; a call in progress ends first."))
            return redirect(url_for("lines.form", line_id=line_id, tab=tab), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    return render_template(
        "lines/form.html", item=item, view=_view(line_id), tabs=_tabs(line_id, tab), fields=fields, others=others,
        which=which,
    ), code  # fmt: skip


def group_choices() -> list[tuple[str, str]]:
    """Groups as options: id and name."""
    held = here.section("groups")
    return [(str(g.get("id")), str(g.get("name"))) for g in (forms.items_of(held["doc"]) if held else [])]


def _item(line_id: str) -> dict[str, object]:
    held = here.control().section("lines")
    found = next((one for one in forms.items_of(held["doc"]) if one.get("id") == line_id), None)
    if found is None:
        abort(404)
    return found


def _view(line_id: str) -> LineView:
    state = here.status() or {}
    return next((line for line in state.get("lines", []) if line.get("id") == line_id), LineView(id=line_id, state=""))


def _tabs(line_id: str, current: str) -> list[dict[str, object]]:
    return [
        {"href": f"/lines/{line_id}" if t.name == "state" else f"/lines/{line_id}/{t.name}", "label": t.label,
         "here": t.name == current}
        for t in TABS
    ] + [{"href": f"/hours?line={line_id}", "label": _("Hours"), "here": False}]  # fmt: skip
