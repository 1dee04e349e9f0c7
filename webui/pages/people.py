"""People and phones: who works here, which phone rings for them? And the data to type into a phone."""

from io import BytesIO

import segno
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from appliance.settings.schema import GROUPS, PEOPLE
from webui import flash, forms, here, recordings
from webui.auth import Refused, now
from webui.control import PhoneView
from webui.forms import Options
from webui.pages import fresh, saving
from webui.pages.calls import line_names
from webui.pages.door import refusal

page = Blueprint("people", __name__)

NEW = ("extension", "name", "email")
EDIT = (
    "extension", "name", "email", "language", "outgoing_line", "may_dial", "call_pin", "enabled", "all_lines",
    "mobile", "forward_always", "forward_busy", "forward_no_answer", "forward_seconds", "forward_offline",
    "call_waiting", "record",
    "cap_day_minutes", "cap_month_minutes", "cap_night_minutes", "cap_day_money", "cap_month_money", "cap_night_money",
)  # fmt: skip
GROUP = (
    "name", "members", "strategy", "seconds", "step", "queue", "wrap_up", "longest", "most", "music", "place", "repeat",
    "announcement", "call_back",
)  # fmt: skip


def tabs(current: str) -> list[dict[str, object]]:
    """The pages of People."""
    return [
        {"href": "/people", "label": _("People"), "here": current == "people"},
        {"href": "/people/groups", "label": _("Groups"), "here": current == "groups"},
    ]


@page.get("/people")
def index() -> str:
    """Everybody with their extension and the state of their phone."""
    items = sorted(_items("people"), key=lambda p: str(p.get("extension")))
    views = _views()
    connected = sum(1 for p in items if views.get(str(p.get("extension")), {}).get("state", "offline") != "offline")
    answer = _("Nobody has a phone yet.")
    if items:
        answer = ngettext("%(num)s person", "%(num)s people", len(items)) + ", "
        answer += ngettext("%(num)s phone connected.", "%(num)s phones connected.", connected)
    return render_template("people/list.html", items=items, views=views, answer=answer, tabs=tabs("people"))


@page.route("/people/new", methods=["GET", "POST"])
def new() -> Response | str | tuple[str, int]:
    """A new person: extension proposed, password made by the box."""
    if request.method == "POST":
        outcome = create(NEW)
        if outcome.ok:
            flash.done(_("The person is there."), _("Type this data into their phone."))
            return redirect(url_for("people.phone", person=outcome.item["id"]), 303)
        return render_template("people/new.html", fields=outcome.fields, others=outcome.others), 422
    fields = forms.draw(PEOPLE.fields, {"extension": free_extension(_items("people"))}, only=NEW)
    return render_template("people/new.html", fields=fields, others=[])


def create(only: tuple[str, ...] | list[str]) -> saving.Outcome:
    """Store a new person from the form, with a generated password; they join the first group. Raises ControlError."""
    password = str(here.control().ask("password.new").get("password", ""))
    taken = {str(p.get("id")) for p in _items("people")}
    extension = request.form.get("extension", "").strip()
    number = 0
    name = f"p{extension}" if extension.isdigit() else "p"
    while name in taken or name == "p":
        number += 1
        name = f"p{extension if extension.isdigit() else ''}-{number}"
    outcome = saving.put_item("people", PEOPLE, name, only, extra={"password": password, **fresh.person()})
    if outcome.ok:
        _join_first_group(extension)
    outcome.item.pop("password", None)
    return outcome


def _join_first_group(extension: str) -> None:
    """The first group rings when a line is called; a new colleague belongs to it unless somebody says otherwise."""
    held = here.section("groups")
    if held is None:
        return
    items = forms.items_of(held["doc"])
    first = items[0] if items else {"id": "office", "name": here.office().name or "Office", "members": []}
    members = first.get("members")
    several = [str(m) for m in members] if isinstance(members, list) else []
    if extension in several or len(several) >= 10:
        return
    first["members"] = [*several, extension]
    try:
        here.control().put("groups", held["version"], {"items": [first, *items[1:]]}, here.who())
    except ControlError:
        return


def free_extension(items: list[dict[str, object]]) -> str:
    """The first free one from 101 on."""
    taken = {str(p.get("extension")) for p in items}
    return next(str(n) for n in range(101, 10000) if str(n) not in taken)


@page.route("/people/<person>", methods=["GET", "POST"])
def one(person: str) -> Response | str | tuple[str, int]:
    """A person's form."""
    item = _person(person)
    choices: dict[str, Options] = {"outgoing_line": [("", _("By the rules for calling out")), *line_names().items()]}
    fields, others, code = forms.draw(PEOPLE.fields, item, None, choices, EDIT), [], 200
    if request.method == "POST":
        outcome = saving.put_item("people", PEOPLE, person, EDIT, choices)
        if outcome.ok:
            flash.done(_("Saved."))
            return redirect(url_for("people.one", person=person), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    view = _views().get(str(item.get("extension")), PhoneView(state="offline"))
    return render_template("people/one.html", item=item, view=view, fields=fields, others=others), code


@page.route("/people/<person>/remove", methods=["GET", "POST"])
def remove(person: str) -> Response | str:
    """Confirmed first: the phone stops working."""
    item = _person(person)
    if request.method == "GET":
        return render_template("people/remove.html", item=item)
    _leave_groups(str(item.get("extension")))
    fresh.leave_rules(str(item.get("extension")))
    problem = saving.drop_item("people", PEOPLE, person).problem
    if problem:
        flash.wrong(_("The person stays."), problem)
        return redirect(url_for("people.one", person=person), 303)
    flash.done(_("%(name)s is removed.", name=item.get("name", "")), _("Their phone cannot connect any more."))
    return redirect(url_for("people.index"), 303)


def _leave_groups(extension: str) -> None:
    held = here.control().section("groups")
    items = forms.items_of(held["doc"])
    changed = False
    for group in items:
        members = group.get("members")
        if isinstance(members, list) and extension in members and len(members) > 1:
            group["members"] = [m for m in members if m != extension]
            changed = True
    if changed:
        here.control().put("groups", held["version"], {"items": items}, here.who())


@page.route("/people/<person>/phone", methods=["GET", "POST"])
def phone(person: str) -> Response | str | tuple[str, int]:
    """The data to type into a phone, and a QR code; only after a fresh sign-in, and noted in the record of changes."""
    item = _person(person)
    guest = here.visitor()
    if request.method == "POST":
        result = here.kit().door.refresh(guest, request.form.get("password", ""), here.client(), now())
        if isinstance(result, Refused):
            return render_template(
                "people/fresh.html", item=item, error=refusal(result, _("This password is not right."))
            ), 401
        return redirect(url_for("people.phone", person=person), 303)
    if not guest.is_fresh(now()):
        return render_template("people/fresh.html", item=item, error=None)
    data = {
        k: str(v) for k, v in here.control().ask("secret.show", {"kind": "phone", "id": person}, here.who()).items()
    }
    here.audit("secret.shown", {}, {"person": person})
    return render_template("people/phone.html", item=item, data=data, qr=qr(data))


@page.post("/people/<person>/password")
def new_password(person: str) -> Response:
    """A new password for the phone; the old one stops working at once."""
    item = _person(person)
    password = str(here.control().ask("password.new").get("password", ""))
    outcome = saving.put_item("people", PEOPLE, person, (), extra={"password": password})
    if outcome.ok:
        here.audit("phone.password", {}, {"person": item.get("id")})
        flash.done(_("A new password is made."), _("The phone connects again once you type it in."))
    else:
        flash.wrong(_("The old password stays."), " ".join(outcome.others))
    return redirect(url_for("people.phone", person=person), 303)


def qr(data: dict[str, str]) -> Markup:
    """The account as a QR code (the sip: form that softphones read), drawn with classes only."""
    user, server = data.get("username", ""), data.get("server", "")
    port, password = data.get("port", "5060"), data.get("password", "")
    transport = data.get("transport", "udp").lower()
    text = f"sip:{user}:{password}@{server}:{port};transport={transport}"
    out = BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, border=3, svgclass="qr", lineclass="qr-line", omitsize=True,
        dark="#000", light="#fff", title=_("QR code of the phone's account"),
    )  # fmt: skip
    return Markup(out.getvalue().decode())  # noqa: S704 - made by segno from escaped modules, holds no text of people


@page.get("/people/groups")
def groups() -> str:
    """Groups of phones that ring together."""
    items = _items("groups")
    names = {str(p.get("extension")): str(p.get("name")) for p in _items("people")}
    answer = ngettext(
        "%(num)s group of phones that ring together.", "%(num)s groups of phones that ring together.", len(items)
    )
    return render_template("people/groups.html", items=items, names=names, answer=answer, tabs=tabs("groups"))


@page.route("/people/groups/<group>", methods=["GET", "POST"])
def group(group: str) -> Response | str | tuple[str, int]:
    """A group's form; `new` makes one."""
    items = _items("groups")
    item = next((g for g in items if g.get("id") == group), None)
    if item is None and group != "new":
        abort(404)
    people = sorted(_items("people"), key=lambda p: str(p.get("extension")))
    choices: dict[str, Options] = {
        "members": [(str(p.get("extension")), f"{p.get('extension')} {p.get('name')}") for p in people],
        "music": recordings.everything(), "announcement": [("", _("None")), *recordings.everything()],
    }  # fmt: skip
    fields, others, code = forms.draw(GROUPS.fields, item or {"seconds": 25}, None, choices, GROUP), [], 200
    if request.method == "POST":
        taken = {str(g.get("id")) for g in items}
        fresh = next(f"group-{n}" for n in range(1, 1000) if f"group-{n}" not in taken)
        outcome = saving.put_item("groups", GROUPS, group if item else fresh, GROUP, choices)
        if outcome.ok:
            flash.done(_("Saved."))
            return redirect(url_for("people.groups"), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    return render_template("people/group.html", item=item, fields=fields, others=others), code


@page.route("/people/groups/<group>/remove", methods=["POST"])
def remove_group(group: str) -> Response:
    """Take a group away; refused by the exchange while a line uses it."""
    problem = saving.drop_item("groups", GROUPS, group).problem
    if problem:
        flash.wrong(_("The group stays."), problem)
    else:
        flash.done(_("The group is removed."))
    return redirect(url_for("people.groups"), 303)


def _items(name: str) -> list[dict[str, object]]:
    held = here.section(name)
    return forms.items_of(held["doc"]) if held else []


def _person(person: str) -> dict[str, object]:
    held = here.control().section("people")
    found = next((one for one in forms.items_of(held["doc"]) if one.get("id") == person), None)
    if found is None:
        abort(404)
    return found


def _views() -> dict[str, PhoneView]:
    return {p.get("extension", ""): p for p in (here.status() or {}).get("phones", [])}
