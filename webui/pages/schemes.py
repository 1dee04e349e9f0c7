"""Schemes: who takes calls when, are there gaps? One scheme is edited where it is drawn: a branch's hours and a block
open under their place, and each is saved by itself."""

from collections.abc import Callable
from copy import deepcopy

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.core.coverage import Mend, Week, mended, week_of
from appliance.core.plan_time import Range
from appliance.settings.schema import LINES, SCHEMES
from webui import flash, forms, here, scheme_forms, schemes
from webui.pages import answering, saving

page = Blueprint("schemes", __name__)

Item = dict[str, object]
Branches = list[dict[str, object]]
Answer = Response | str | tuple[str, int]


@page.get("/schemes")
def index() -> str:
    """All schemes with their week and the lines that follow them."""
    rows = []
    for item in schemes.items("schemes"):
        scheme = schemes.scheme_of(item)
        week = week_of(scheme)
        lines = [str(line.get("label")) for line in schemes.used_by(scheme.id)]
        rows.append({"item": item, "answer": schemes.answer(week), "bars": schemes.bars(scheme, week),
                     "gaps": week.gaps, "lines": lines})  # fmt: skip
    gaps = sum(1 for row in rows if row["gaps"])
    if not rows:
        words = _("No scheme yet: each line rings its group within its hours.")
    elif gaps:
        words = ngettext("%(num)s scheme has gaps.", "%(num)s schemes have gaps.", gaps)
    else:
        words = _("All hours of all schemes are covered.")
    return render_template("schemes/list.html", rows=rows, answer=words, tabs=answering.tabs("schemes"))


@page.post("/schemes/new")
def new() -> Response:
    """A scheme with one branch for the whole week, so that it takes calls from the first moment."""
    blocks = [_someone()]
    if not blocks[0]["destinations"]:
        flash.wrong(_("There is nobody a call could go to."), _("Add a person first."))
        return redirect(url_for("schemes.index"), 303)
    branch = {"name": str(_("Always")), "always": True, "blocks": blocks}
    name = request.form.get("name", "").strip() or str(_("New scheme"))
    return _create({"name": name, "branches": [branch]})


@page.post("/schemes/<scheme_id>/copy")
def copy(scheme_id: str) -> Response:
    """The same scheme again under another name, to be changed freely."""
    item = deepcopy(_item(scheme_id))
    name = str(_("Copy of %(name)s", name=item.get("name")))[:60]
    return _create({**item, "name": name})


def _create(item: Item) -> Response:
    taken = {str(one.get("id")) for one in schemes.items("schemes")}
    fresh = next(f"scheme-{n}" for n in range(1, 1000) if f"scheme-{n}" not in taken)
    outcome = saving.put_item("schemes", SCHEMES, fresh, (), extra={**item, "id": fresh})
    if not outcome.ok:
        flash.wrong(_("The scheme was not made."), _why(outcome))
        return redirect(url_for("schemes.index"), 303)
    flash.done(_("The scheme is there."), _("No line follows it yet. Choose it under Lines."))
    return redirect(url_for("schemes.one", scheme_id=fresh), 303)


@page.get("/schemes/<scheme_id>")
def one(scheme_id: str) -> str:
    """A scheme: its week, what is wrong with it, its branches. `open` names the form that is open, `mend` the gap or
    overlap whose cure is shown before it is saved."""
    return _page(_item(scheme_id))


@page.post("/schemes/<scheme_id>/name")
def name(scheme_id: str) -> Answer:
    """The name, and where callers go when the scheme cannot be followed."""
    outcome = saving.put_item("schemes", SCHEMES, scheme_id, (), extra=scheme_forms.sent_backup())
    return _after(scheme_id, outcome, "name", "scheme")


@page.post("/schemes/<scheme_id>/branches/<place>/hours")
def hours(scheme_id: str, place: str) -> Answer:
    """Name, hours, days and night of a branch; `new` adds one at the end."""
    sent = scheme_forms.sent_hours()

    def change(branches: Branches) -> str:
        if place == "new":
            branches.append({**sent, "blocks": [_someone()]})
            return f"branch-{len(branches)}"
        number = _place(place, branches)
        branches[number] = {**branches[number], **sent}
        return f"branch-{number + 1}"

    return _change(scheme_id, change, "new" if place == "new" else f"{place}.hours")


@page.post("/schemes/<scheme_id>/branches/<place>/<where>")
def move(scheme_id: str, place: str, where: str) -> Answer:
    """A branch one place up or down, or away."""

    def change(branches: Branches) -> str:
        return f"branch-{_moved(branches, _place(place, branches), where) + 1}"

    return _change(scheme_id, change, "")


@page.post("/schemes/<scheme_id>/branches/<place>/blocks/<which>")
def block(scheme_id: str, place: str, which: str) -> Answer:
    """A block of a branch; `new` adds one at the end. The button "more" only asks for more rows."""
    sent = scheme_forms.sent_block()

    def change(branches: Branches) -> str:
        number = _place(place, branches)
        blocks = forms.items_of({"items": branches[number].get("blocks")})
        if which == "new":
            blocks.append(sent)
        else:
            blocks[_place(which, blocks)] = sent
        branches[number]["blocks"] = blocks
        return f"branch-{number + 1}"

    return _change(scheme_id, change, f"{place}.{which}", keep="more" in request.form)


@page.post("/schemes/<scheme_id>/branches/<place>/blocks/<which>/<where>")
def move_block(scheme_id: str, place: str, which: str, where: str) -> Answer:
    """A block one place up or down, or away."""

    def change(branches: Branches) -> str:
        number = _place(place, branches)
        blocks = forms.items_of({"items": branches[number].get("blocks")})
        _moved(blocks, _place(which, blocks), where)
        branches[number]["blocks"] = blocks
        return f"branch-{number + 1}"

    return _change(scheme_id, change, "")


@page.post("/schemes/<scheme_id>/mend")
def mend(scheme_id: str) -> Answer:
    """Do what the button of a gap or an overlap says."""
    item = _item(scheme_id)
    found = schemes.found(week_of(schemes.scheme_of(item)), request.form.get("key", ""))
    if found is None:
        flash.wrong(_("Nothing was changed."), _("The scheme has been changed meanwhile. Look at it again."))
        return redirect(url_for("schemes.one", scheme_id=scheme_id), 303)
    cure = found.mend

    def change(branches: Branches) -> str:
        _cure(branches, cure)
        return "coverage"

    return _change(scheme_id, change, "", seen=False)


@page.route("/schemes/<scheme_id>/remove", methods=["GET", "POST"])
def remove(scheme_id: str) -> Response | str:
    """Confirmed first; while a line follows it, it stays."""
    item = _item(scheme_id)
    lines = schemes.used_by(scheme_id)
    if request.method == "GET" or lines:
        return render_template("schemes/remove.html", item=item, lines=lines)
    problem = saving.drop_item("schemes", SCHEMES, scheme_id).problem
    if problem:
        flash.wrong(_("The scheme stays."), problem)
        return redirect(url_for("schemes.one", scheme_id=scheme_id), 303)
    flash.done(_("“%(name)s” is removed.", name=item.get("name", "")))
    return redirect(url_for("schemes.index"), 303)


@page.post("/lines/schemes")
def of_lines() -> Response:
    """The schemes of all lines, saved in one step."""
    held = here.control().section("lines")
    chosen = [
        {**line, "scheme": request.form.get(f"scheme-{line.get('id')}", line.get("scheme") or "")}
        for line in forms.items_of(held["doc"])
    ]
    problem = saving.put_list("lines", LINES, held, chosen)
    if problem:
        flash.wrong(_("Not saved yet."), problem)
    else:
        flash.done(_("Saved."), _("The next call on each line follows its scheme."))
    return redirect(url_for("lines.index"), 303)


# ---- one change --------------------------------------------------------------------------------------------------


def _change(
    scheme_id: str, change: Callable[[Branches], str], opened: str, keep: bool = False, seen: bool = True
) -> Answer:
    """Change the branches and save them. `change` gives the anchor to come back to; `opened`: the form that stays open
    with its faults; `keep`: show it again and save nothing; `seen`: refuse a form that has seen another scheme."""
    item = _item(scheme_id)
    if seen and request.form.get("seen") != schemes.digest(item):
        flash.wrong(_("Nothing was changed."), _("The scheme has been changed meanwhile. Look at it again."))
        return redirect(url_for("schemes.one", scheme_id=scheme_id), 303)
    branches = forms.items_of({"items": deepcopy(item.get("branches"))})
    anchor = change(branches)
    if keep:
        return _page({**item, "branches": branches}, opened, {}, item, more=5)
    outcome = saving.put_item("schemes", SCHEMES, scheme_id, (), extra={"branches": branches})
    return _after(scheme_id, outcome, opened, anchor)


def _after(scheme_id: str, outcome: saving.Outcome, opened: str, anchor: str) -> Answer:
    if outcome.ok:
        flash.done(_("Saved."), _("The next call follows it."))
        return redirect(url_for("schemes.one", scheme_id=scheme_id, _anchor=anchor), 303)
    if not opened or not outcome.errors:
        flash.wrong(_("Nothing was changed."), _why(outcome))
        return redirect(url_for("schemes.one", scheme_id=scheme_id), 303)
    return _page(outcome.item, opened, outcome.errors, _item(scheme_id)), 422


def _why(outcome: saving.Outcome) -> str:
    return " ".join(dict.fromkeys([*outcome.errors.values(), *(outcome.others if not outcome.errors else [])]))


def _cure(branches: Branches, cure: Mend) -> None:
    """A mend on stored branches."""
    rows = [_stored(one) for one in cure.ranges]
    if cure.do == "add":
        branches.append({"name": str(_("The rest")), "ranges": rows, "blocks": [_someone()]})
    elif cure.do == "move":
        branches.insert(cure.before, branches.pop(cure.branch))
    elif rows:
        branches[cure.branch] |= {"always": False, "ranges": rows}
    else:
        branches.pop(cure.branch)  # it never took a call


def _stored(one: Range) -> Item:
    return {"day": one.day, "start": f"{one.start:%H:%M}", "end": f"{one.end:%H:%M}"}


def _someone() -> dict[str, object]:
    """The block a new branch begins with: the first group, else the first person."""
    groups, people = schemes.items("groups"), schemes.items("people")
    block = scheme_forms.fresh_block(0)
    if groups:
        return {**block, "destinations": [{"to": "group", "ref": groups[0].get("id")}]}
    return {**block, "destinations": [{"to": "person", "ref": one.get("extension")} for one in people[:1]]}


def _moved(rows: list[dict[str, object]], number: int, where: str) -> int:
    """Up, down or away; the place it has then."""
    if where == "remove":
        rows.pop(number)
        return max(number - 1, 0)
    if where not in {"up", "down"}:
        abort(404)
    place = min(max(number + (1 if where == "down" else -1), 0), len(rows) - 1)
    rows.insert(place, rows.pop(number))
    return place


def _place(text: str, rows: list[dict[str, object]]) -> int:
    """A place in a list from an address, counted from 1; 404 where there is none."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= len(rows):
        abort(404)
    return int(text) - 1


def _item(scheme_id: str) -> Item:
    held = here.control().section("schemes")
    found = next((one for one in forms.items_of(held["doc"]) if one.get("id") == scheme_id), None)
    if found is None:
        abort(404)
    return found


# ---- the page ----------------------------------------------------------------------------------------------------


def _page(
    item: Item, opened: str = "", errors: dict[str, str] | None = None, stored: Item | None = None, more: int = 2
) -> str:
    """The page of a scheme. `item`: with what was typed; `stored`: as it is stored, for the drawing."""
    opened = opened or request.args.get("open", "")
    scheme = schemes.scheme_of(stored or item)
    week = week_of(scheme)
    trying = schemes.found(week, request.args.get("mend", ""))
    shown = scheme
    if trying is not None:
        shown = mended(scheme, trying.mend)
        week = week_of(shown)
    lines = schemes.used_by(scheme.id)
    return render_template(
        "schemes/one.html", item=stored or item, seen=schemes.digest(stored or item), week=week, shown=shown,
        bars=schemes.bars(shown, week), answer=schemes.answer(week), problems=_problems(shown, week, trying is None),
        trying=trying and request.args.get("mend"), branches=schemes.branches(scheme), lines=lines,
        coming=schemes.coming(shown, scheme.id, here.local_now().date()), look=schemes.look, letter=schemes.letter,
        opened=opened, form=_form(item, opened, errors or {}, more), errors=errors or {},
        offers=scheme_forms.offers(), line_options=scheme_forms.line_options(),
        tries=url_for("trycall.index", line=lines[0].get("id")) if lines else "/try",
    )  # fmt: skip


def _problems(scheme: object, week: Week, ask: bool) -> list[schemes.Problem]:
    return schemes.problems(scheme, week) if ask else []  # type: ignore[arg-type]


def _form(item: Item, opened: str, errors: dict[str, str], more: int) -> dict[str, object]:
    """What the form that is open holds."""
    branches = forms.items_of({"items": item.get("branches")})
    place, _dot, which = opened.partition(".")
    if opened == "name":
        return {"kind": "name"}
    if opened == "new" or (place.isdigit() and which == "hours" and 1 <= int(place[:6]) <= len(branches)):
        number = len(branches) - (1 if errors else 0) if opened == "new" else int(place) - 1
        branch = branches[number] if number < len(branches) else {"days": request.args.get("days", "normal")}
        mine = _under(errors, f"branches.{number}.")
        ranges = forms.items_of({"items": branch.get("ranges")})
        return {"kind": "hours", "fields": scheme_forms.hours_fields(branch, mine), "ranges": ranges, "errors": mine,
                "spare": 7 if not ranges else 2}  # fmt: skip
    if place.isdigit() and 1 <= int(place[:6]) <= len(branches):
        number = int(place) - 1
        blocks = forms.items_of({"items": branches[number].get("blocks")})
        if which == "new" and not errors and request.method == "GET":
            return {"kind": "block", "form": scheme_forms.block_form(scheme_forms.fresh_block(len(blocks)))}
        at = len(blocks) - 1 if which == "new" else int(which) - 1 if which.isdigit() else -1
        if 0 <= at < len(blocks):
            mine = _under(errors, f"branches.{number}.blocks.{at}.")
            return {"kind": "block", "form": scheme_forms.block_form(blocks[at], mine, more)}
    return {}


def _under(errors: dict[str, str], prefix: str) -> dict[str, str]:
    return {path[len(prefix) :]: text for path, text in errors.items() if path.startswith(prefix)}
