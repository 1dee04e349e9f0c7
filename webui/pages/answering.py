"""Menus and mailboxes: what answers a caller when no person does. A list of each, a form of each, and removal."""

import re
from collections.abc import Mapping

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.settings.schema import MAILBOXES, MENUS
from webui import flash, forms, recordings, scheme_forms, schemes
from webui.forms import Options
from webui.pages import saving
from webui.pages.calls import people_names

page = Blueprint("answering", __name__)

MENU = ("name", "prompt", "seconds", "tries", "extensions")
MAILBOX = ("name", "owner", "greeting", "seconds", "silence", "pin", "mail_to", "sms_to")
KEY = ("digits", "what", "number", "line")
EXITS = ("no_key", "wrong_key")
SPARE, MOST_KEYS = 3, 40
Answer = Response | str | tuple[str, int]


def tabs(current: str) -> list[dict[str, object]]:
    """The pages of what answers callers."""
    words = {"schemes": _("Schemes"), "menus": _("Menus"), "mailboxes": _("Mailboxes")}
    return [{"href": f"/{name}", "label": label, "here": current == name} for name, label in words.items()]


# ---- menus -------------------------------------------------------------------------------------------------------


@page.get("/menus")
def menus() -> str:
    """All menus, with the number of their keys."""
    items = schemes.items("menus")
    words = ngettext("%(num)s menu.", "%(num)s menus.", len(items)) if items else _("No menu yet.")
    return render_template("answering/menus.html", items=items, answer=words, tabs=tabs("menus"))


@page.route("/menus/<menu_id>", methods=["GET", "POST"])
def menu(menu_id: str) -> Answer:
    """A menu's form; `new` makes one."""
    item = _item("menus", menu_id)
    choices: dict[str, Options] = {"prompt": _prompts()}
    fields, others, code = forms.draw(MENUS.fields, item, None, choices, MENU), [], 200
    keys = [_row(one) for one in forms.items_of({"items": item.get("keys")})]
    if request.method == "POST":
        keys = _sent_keys()
        extra: dict[str, object] = {"keys": [_key(row) for row in keys]}
        for name in EXITS:
            extra |= _exit(name)
        fresh = _fresh("menus", "menu") if menu_id == "new" else menu_id
        outcome = saving.put_item("menus", MENUS, fresh, MENU, choices, extra)
        if outcome.ok:
            flash.done(_("Saved."), _("The next caller hears it."))
            return redirect(url_for("answering.menus"), 303)
        fields, others, code, item = outcome.fields, outcome.others, 422, outcome.item
    return render_template(
        "answering/menu.html", item=item, known=menu_id != "new", fields=fields, others=others, keys=keys, spare=SPARE,
        exits={name: _row(item, f"{name}_") for name in EXITS}, offers=scheme_forms.offers(),
        title=item.get("name") or _("New menu"),
    ), code  # fmt: skip


def _sent_keys() -> list[dict[str, str]]:
    rows = forms.numbered_rows("key", KEY, MOST_KEYS)
    return [{name: str(value) for name, value in row.items()} for row in rows if row["digits"] or row["what"]]


def _key(row: Mapping[str, str]) -> dict[str, object]:
    return {"digits": row["digits"], **_destination(row["what"], row["number"], row["line"])}


def _exit(name: str) -> dict[str, object]:
    what, number = request.form.get(f"{name}-what", ""), request.form.get(f"{name}-number", "")
    found = _destination(what, number, request.form.get(f"{name}-line", ""))
    return {f"{name}_{key}": value for key, value in found.items()}


def _destination(what: str, number: str, line: str) -> dict[str, object]:
    """As the settings hold it; a number alone is one outside."""
    plain = re.sub(scheme_forms.SEPARATORS, "", number)
    to, _colon, ref = (what or ("outside:" if plain else "")).partition(":")
    outside = to == "outside"
    return {"to": to, "ref": plain if outside else ref, "line": line if outside else ""}


def _row(one: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """A destination as the form draws it."""
    to, ref = str(one.get(f"{prefix}to") or ""), str(one.get(f"{prefix}ref") or "")
    outside = to == "outside"
    return {
        "digits": str(one.get("digits") or ""), "what": f"{to}:" if outside else f"{to}:{ref}" if to else "",
        "number": ref if outside else "", "line": str(one.get(f"{prefix}line") or ""),
    }  # fmt: skip


# ---- mailboxes ---------------------------------------------------------------------------------------------------


@page.get("/mailboxes")
def mailboxes() -> str:
    """All mailboxes and whose lamp they light."""
    items = schemes.items("mailboxes")
    words = ngettext("%(num)s mailbox.", "%(num)s mailboxes.", len(items)) if items else _("No mailbox yet.")
    return render_template(
        "answering/mailboxes.html", items=items, answer=words, tabs=tabs("mailboxes"), people=people_names()
    )  # fmt: skip


@page.route("/mailboxes/<box_id>", methods=["GET", "POST"])
def mailbox(box_id: str) -> Answer:
    """A mailbox's form; `new` makes one."""
    item = _item("mailboxes", box_id)
    choices: dict[str, Options] = {
        "owner": [("", _("Nobody: it is the office's")), *people_names().items()], "greeting": _prompts(),
    }  # fmt: skip
    fields, others, code = forms.draw(MAILBOXES.fields, item, None, choices, MAILBOX), [], 200
    if request.method == "POST":
        fresh = _fresh("mailboxes", "mailbox") if box_id == "new" else box_id
        outcome = saving.put_item("mailboxes", MAILBOXES, fresh, MAILBOX, choices)
        if outcome.ok:
            flash.done(_("Saved."))
            return redirect(url_for("answering.mailboxes"), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    return render_template(
        "answering/mailbox.html", item=item, known=box_id != "new", fields=fields, others=others,
        title=item.get("name") or _("New mailbox"),
    ), code  # fmt: skip


@page.post("/<kind>/<item_id>/remove")
def remove(kind: str, item_id: str) -> Response:
    """A menu or a mailbox goes, unless something still leads to it."""
    section = {"menus": MENUS, "mailboxes": MAILBOXES}.get(kind)
    if section is None:
        abort(404)
    dropped = saving.drop_item(kind, section, item_id)
    if dropped.problem:
        flash.wrong(_("It stays."), dropped.problem)
    else:
        flash.done(_("It is removed."))
    return redirect(f"/{kind}", 303)


def _item(section: str, item_id: str) -> dict[str, object]:
    if item_id == "new":
        return {}
    found = next((one for one in schemes.items(section) if one.get("id") == item_id), None)
    if found is None:
        abort(404)
    return found


def _fresh(section: str, kind: str) -> str:
    taken = {str(one.get("id")) for one in schemes.items(section)}
    return next(f"{kind}-{n}" for n in range(1, 1000) if f"{kind}-{n}" not in taken)


def _prompts() -> Options:
    """Every announcement a caller may hear."""
    return recordings.everything()
