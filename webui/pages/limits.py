"""Limits of calling out: caps and the night, open countries, who uses which line, what a line's calls cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.core.numbers import regions
from appliance.errors import ControlError
from appliance.settings.calling import day_from, why_no_default
from appliance.settings.schema import CALLING, LINES
from webui import flash, forms, here, i18n
from webui.control import Doc
from webui.pages import saving
from webui.pages.lines import item_of, tabs_of, view_of
from webui.words import ERRORS, sentence

page = Blueprint("limits", __name__)

NIGHT = ("night_from", "night_to", "weekend", "night_mode", "night_classes")
EACH = (
    "person_day_minutes", "person_month_minutes", "person_night_minutes", "person_day_money", "person_month_money",
    "person_night_money",
)  # fmt: skip
ALL = ("longest", "a_minute", "masks")
FRESH = ("new_line", "new_person")
SPARE = 3  # empty rows to fill in


@dataclass(frozen=True, slots=True)
class Used:
    """How much of its caps a line or a colleague has used."""

    who: str
    percent: int
    minutes: int
    month: int
    href: str


@dataclass(frozen=True, slots=True)
class Country:
    """A country whose numbers may be called; `until` in words, "" for good."""

    code: str
    name: str
    until: str
    over: bool = False


def tabs(current: str) -> list[dict[str, object]]:
    """The pages of Calling out."""
    pages = (
        ("rules", _("Rules"), "/outgoing"), ("caps", _("Caps and night"), "/outgoing/caps"),
        ("countries", _("Countries"), "/outgoing/countries"), ("grid", _("Who uses which line"), "/outgoing/who"),
    )  # fmt: skip
    return [{"href": href, "label": label, "here": name == current} for name, label, href in pages]


# ---- caps and night ------------------------------------------------------------------------------------------------


@page.route("/outgoing/caps", methods=["GET", "POST"])
def caps() -> Response | str | tuple[str, int]:
    """What may be spent, and what may be called at night."""
    names = (*NIGHT, *EACH, *ALL)
    fields, others, code = forms.draw(CALLING.fields, _doc(), only=names), [], 200
    if request.method == "POST":
        outcome = saving.put("calling", CALLING, names)
        if outcome.ok:
            here.forget_office()
            flash.done(_("Saved."), _("The next call out follows it."))
            return redirect(url_for("limits.caps"), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    parts = {name: [f for f in fields if f.name in some] for name, some in
             (("night", NIGHT), ("each", EACH), ("all", ALL))}  # fmt: skip
    used = _used()
    full = sum(1 for one in used if one.percent >= 100)
    answer = _("Nobody has reached a cap.") if used else _("No cap is set: calls out cost what they cost.")
    if full:
        answer = ngettext("%(num)s cap is reached.", "%(num)s caps are reached.", full)
    return render_template(
        "outgoing/caps.html", fields=fields, others=others, parts=parts, used=used, answer=answer, tabs=tabs("caps")
    ), code


def _used() -> list[Used]:
    """The nearest to its end first; nothing while the exchange does not answer."""
    try:
        told = here.control().ask("calling.spent", {}, here.who())
    except ControlError:
        return []
    labels = {
        f"line/{one.get('id')}": (str(one.get("label")), f"/lines/{one.get('id')}/out") for one in _items("lines")
    }
    labels |= {
        f"person/{one.get('extension')}": (str(one.get("name")), f"/people/{one.get('id')}") for one in _items("people")
    }
    rows = told.get("spent")
    found = [_used_row(row, labels) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return sorted(found, key=lambda one: -one.percent)


def _used_row(row: Doc, labels: Mapping[str, tuple[str, str]]) -> Used:
    who, href = labels.get(str(row.get("key")), (str(row.get("key")), ""))
    seconds = [int(str(row.get(name) or 0)) for name in ("day", "month")]
    return Used(who, int(str(row.get("percent") or 0)), seconds[0] // 60, seconds[1] // 60, href)


# ---- countries -----------------------------------------------------------------------------------------------------


@page.route("/outgoing/countries", methods=["GET", "POST"])
def countries() -> Response | str:
    """Which countries may be called: the office's own, and those that are added here."""
    rows = _rows("countries")
    if request.method == "POST":
        code = request.form.get("country", "")
        kept = [row for row in rows if row.get("country") != code]
        if code in regions() and not request.form.get("close"):
            until = "" if request.form.get("how") == "good" else day_from(here.local_now())
            kept.append({"country": code, "until": until})
        _save_countries(kept, code)
        return redirect(url_for("limits.countries"), 303)
    own, names = here.office().country, i18n.locale().territories
    shown = sorted((_country(row) for row in rows), key=lambda one: one.name)
    open_now = {one.code for one in shown if not one.over} | {own}
    options = sorted(((c, names.get(c, c)) for c in regions() if c not in open_now), key=lambda one: one[1])
    others = sum(1 for one in shown if not one.over)
    answer = ngettext(
        "%(num)s other country may be called.", "%(num)s other countries may be called.", others
    ) if others else _("Only the own country may be called.")  # fmt: skip
    return render_template(
        "outgoing/countries.html", own=names.get(own, own), rows=shown, options=options, answer=answer,
        tabs=tabs("countries"),
    )  # fmt: skip


def _save_countries(rows: list[dict[str, object]], code: str) -> None:
    outcome = saving.put("calling", CALLING, (), {"countries": rows})
    name = i18n.country(code)
    if not outcome.ok:
        flash.wrong(_("Nothing was saved."), " ".join([*outcome.errors.values(), *outcome.others]))
    elif any(row.get("country") == code for row in rows):
        flash.done(_("%(country)s may be called.", country=name), _("Who may call abroad is set with each colleague."))
    else:
        flash.done(_("%(country)s is closed.", country=name))


def _country(row: Mapping[str, object]) -> Country:
    until, code = str(row.get("until") or ""), str(row.get("country"))
    over = bool(until) and i18n.local(until) <= here.local_now()
    return Country(code, i18n.country(code), i18n.when(until) if until and not over else "", over)


# ---- who uses which line -------------------------------------------------------------------------------------------


@page.route("/outgoing/who", methods=["GET", "POST"])
def grid() -> Response | str | tuple[str, int]:
    """Colleagues and lines, and what is set for new ones."""
    people, lines = _items("people"), _items("lines")
    fields, others, code = forms.draw(CALLING.fields, _doc(), only=FRESH), list[str](), 200
    if request.method == "POST":
        problems = [_save_line(str(line.get("id")), people) for line in lines]
        outcome = saving.put("calling", CALLING, FRESH)
        others = [*(text for text in problems if text), *outcome.others]
        if outcome.ok and not others:
            flash.done(_("Saved."), _("It holds from the next call on."))
            return redirect(url_for("limits.grid"), 303)
        fields, code = outcome.fields, 422
    ticked = {(str(p.get("extension")), str(line.get("id"))) for p in people for line in lines if _uses(p, line)}
    apart = sum(1 for line in lines if len(people) != sum(1 for _who, name in ticked if name == line.get("id")))
    answer = _("Everybody may use every line.") if not apart else ngettext(
        "%(num)s line is not for everybody.", "%(num)s lines are not for everybody.", apart
    )  # fmt: skip
    return render_template(
        "outgoing/who.html", people=sorted(people, key=lambda p: str(p.get("extension"))), lines=lines, ticked=ticked,
        fields=fields, others=others, answer=answer, tabs=tabs("grid"),
    ), code  # fmt: skip


def _uses(person: Mapping[str, object], line: Mapping[str, object]) -> bool:
    users = line.get("users")
    if line.get("everybody", True):
        return bool(person.get("all_lines", True))
    return person.get("extension") in (users if isinstance(users, list) else [])


def _save_line(line_id: str, people: list[dict[str, object]]) -> str:
    """The line's column; what is wrong, in words. A column that is as it was is left alone."""
    line = item_of(line_id)
    users = [str(p.get("extension")) for p in people if f"{p.get('extension')}/{line_id}" in request.form]
    if users == [str(p.get("extension")) for p in people if _uses(p, line)]:
        return ""
    everybody = len(users) == len(people) and all(p.get("all_lines", True) for p in people)
    extra = {"everybody": everybody, "users": [] if everybody else users}
    outcome = saving.put_item("lines", LINES, line_id, (), None, extra)
    return " ".join([*outcome.errors.values(), *outcome.others])


# ---- default line, prices ------------------------------------------------------------------------------------------


@page.post("/outgoing/default")
def default() -> Response:
    """The line of all who have none of their own."""
    outcome = saving.put("calling", CALLING, ("default_line",))
    if outcome.ok:
        flash.done(_("Saved."), _("The next call out follows it."))
    else:
        flash.wrong(_("Nothing was saved."), " ".join([*outcome.errors.values(), *outcome.others]))
    return redirect(url_for("outgoing.index"), 303)


def default_choices() -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    """The default line; lines that can be it; the others, each with the reason why not."""
    can, cannot = [], []
    for line in _items("lines"):
        why = why_no_default(line)
        label = str(line.get("label"))
        if why:
            cannot.append((label, sentence(ERRORS, why, {"line": label})))
        else:
            can.append((str(line.get("id")), label))
    return str(_doc().get("default_line") or ""), can, cannot


@page.route("/lines/<line_id>/prices", methods=["GET", "POST"])
def prices(line_id: str) -> Response | str | tuple[str, int]:
    """What a minute costs on this line."""
    item, errors, others = item_of(line_id), dict[str, str](), list[str]()
    rows = item.get("rates")
    rates: list[dict[str, object]] = [dict(r) for r in rows if isinstance(r, dict)] if isinstance(rows, list) else []
    if request.method == "POST":
        rates = forms.numbered_rows("rates", ("beginning", "price", "step"))
        rates = [row for row in rates if row.get("price") or row.get("beginning")]
        for row in rates:
            row["beginning"] = "".join(str(row["beginning"]).split())
        outcome = saving.put_item("lines", LINES, line_id, (), None, {"rates": rates})
        if outcome.ok:
            flash.done(_("Saved."))
            return redirect(url_for("limits.prices", line_id=line_id), 303)
        errors, others = outcome.errors, [t for t in outcome.others if not t.startswith("rates.")]
    return render_template(
        "lines/prices.html", item=item, view=view_of(line_id), tabs=tabs_of(line_id, "prices"), rates=rates,
        spare=SPARE, errors=errors, others=others,
    ), 422 if errors or others else 200  # fmt: skip


# ---- helpers -------------------------------------------------------------------------------------------------------


def _doc() -> Mapping[str, object]:
    held = here.section("calling")
    return held["doc"] if held else {}


def _rows(name: str) -> list[dict[str, object]]:
    rows = _doc().get(name)
    return [dict(row) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _items(name: str) -> list[dict[str, object]]:
    held = here.section(name)
    return forms.items_of(held["doc"]) if held else []
