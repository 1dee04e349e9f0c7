"""First start: one question per step, an address per step. The one-time link opens it on a new box.

Steps that were done stand in the record of changes (`start.<step>`), so leaving and coming back goes on where it was.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, abort, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.errors import JournalError
from appliance.settings.schema import LINES, MAIL, OFFICE, PEOPLE
from webui import flash, forms, here, reading
from webui.auth import LONGEST_PASSWORD, SHORTEST_PASSWORD, hash_password, now
from webui.forms import Drawn
from webui.i18n import LANGUAGES, choose
from webui.pages import saving
from webui.pages.door import let_in
from webui.store import Account

page = Blueprint("start", __name__)

TOKEN = "first-start"  # noqa: S105 - a cookie's name
BEFORE_SIGN_IN = frozenset({"language", "password"})


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the wizard."""

    name: str
    title: object


STEPS = (
    Step("language", _l("Language and country")),
    Step("password", _l("Administrator's password")),
    Step("line", _l("First line")),
    Step("people", _l("People and phones")),
    Step("hours", _l("Open hours")),
    Step("mail", _l("Messages to mail")),
    Step("call", _l("Try a call")),
    Step("done", _l("Ready")),
)
NAMES = [step.name for step in STEPS]


def done_steps() -> set[str]:
    """What was done already."""
    with here.store().open() as db:
        rows = db.execute("SELECT DISTINCT what FROM audit WHERE what LIKE 'start.%'").fetchall()
    return {str(row["what"])[6:] for row in rows}


def unfinished() -> Step | None:
    """The first open step; None when the first start is over (or the box was set up another way)."""
    try:
        steps = done_steps()
    except JournalError:
        return None
    if not steps or "done" in steps:
        return None
    return next((step for step in STEPS if step.name not in steps), None)


@page.get("/start")
def begin() -> BaseResponse:
    """The one-time link, or the way back into the wizard."""
    token = request.args.get("token", "")[:100]
    if token:
        if not here.kit().door.token_fits(token):
            here.store().write_audit(now(), "", here.client(), "first-start.refused", {}, {})
            abort(404)
        session[TOKEN] = token
        return redirect(url_for("start.step", name="language"), 303)
    if not g.visitor and not admitted("language"):
        return redirect(url_for("door.login"), 303)
    step = unfinished()
    return redirect(url_for("start.step", name=step.name) if step else "/", 303)


def admitted(name: str) -> bool:
    """Whether the holder of the one-time link may see this step without an account."""
    return name in BEFORE_SIGN_IN and here.kit().door.token_fits(str(session.get(TOKEN, "")))


@page.route("/start/<name>", methods=["GET", "POST"])
def step(name: str) -> BaseResponse | str | tuple[str, int]:
    """One step."""
    if name not in NAMES:
        abort(404)
    if name == "password" and g.visitor:
        return redirect(url_for("start.step", name="line"), 303)
    return HANDLERS[name]()


def draw(name: str, code: int = 200, **more: object) -> tuple[str, int]:
    """The page of a step."""
    steps = done_steps()
    number = NAMES.index(name)
    back = NAMES[number - 1] if number else ""
    if back == "password" and g.visitor:
        back = "language"
    following = NAMES[number + 1] if number + 1 < len(NAMES) else ""
    return render_template(
        f"start/{name}.html", steps=STEPS, here_step=STEPS[number], number=number + 1, done=steps, back=back,
        following=following, **more,
    ), code  # fmt: skip


def onward(name: str) -> BaseResponse:
    """Note the step as done and go to the next."""
    here.audit(f"start.{name}")
    number = NAMES.index(name)
    return redirect(url_for("start.step", name=NAMES[number + 1]) if number + 1 < len(NAMES) else "/", 303)


def _language() -> BaseResponse | tuple[str, int]:
    only = ["name", "country", "language", "timezone"]
    held = here.section("office")
    if request.method == "POST":
        chosen = request.form.get("language", "en")
        outcome = saving.put("office", OFFICE, only)
        if not outcome.ok:
            return draw("language", 422, fields=outcome.fields, others=outcome.others)
        if chosen in LANGUAGES:
            session["language"] = chosen
        here.forget_office()
        return onward("language")
    doc = dict(held["doc"]) if held else {}
    if "language" not in done_steps():
        doc["language"] = choose()  # who reads the page in a language most likely speaks it with callers
    return draw("language", fields=forms.draw(OFFICE.fields, doc, only=only), others=[])


def _password() -> BaseResponse | tuple[str, int]:
    values = {"display": request.form.get("display", "").strip(), "name": request.form.get("name", "admin").strip()}
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = password_faults(request.form.get("password", ""), request.form.get("again", ""))
        if not values["name"] or len(values["name"]) > 40 or not values["name"].isprintable():
            errors["name"] = _("Give a name of 1 to 40 letters. You sign in with it.")
        if not errors:
            return _make_account(values)
    return draw("password", 422 if errors else 200, fields=_password_fields(values, errors), others=[])


def _make_account(values: dict[str, str]) -> BaseResponse:
    language = str(session.get("language", "en"))
    secret = hash_password(request.form["password"])
    account = Account(values["name"], values["display"] or values["name"], "main", secret, language)
    here.store().put_account(account, now())
    here.kit().door.burn_token()
    answer = redirect(url_for("start.step", name="line"), 303)
    let_in(answer, account)
    here.store().write_audit(now(), account.name, here.client(), "start.password", {}, {})
    return answer


def password_faults(password: str, again: str) -> dict[str, str]:
    """What is wrong with a new password, by field."""
    if len(password) < SHORTEST_PASSWORD:
        return {
            "password": _(
                "Use at least %(n)d characters. Three words with a space between them do well.", n=SHORTEST_PASSWORD
            )
        }
    if len(password) > LONGEST_PASSWORD or len(set(password)) < 4:
        return {"password": _("This one is too easy to guess or too long. Use 10 to 200 different characters.")}
    if password != again:
        return {"again": _("The two are not the same. Type the new password twice.")}
    return {}


def _password_fields(values: dict[str, str], errors: dict[str, str]) -> list[Drawn]:
    def one(name: str, kind: str, label: str, help_text: str, complete: str) -> Drawn:
        field = Drawn(name, name, kind, label, help_text, values.get(name, ""), errors.get(name, ""))
        field.autocomplete, field.longest, field.required = complete, 200, name != "display"
        return field

    return [
        one("display", "text", _("Your name"), _("Shown on the page."), "name"),
        one("name", "text", _("Name to sign in with"), _("Short, for example your first name."), "username"),
        one("password", "newpassword", _("Password"),
            _("At least %(n)d characters. There is no default one, and nobody else knows it.", n=SHORTEST_PASSWORD),
            "new-password"),
        one("again", "newpassword", _("The same password again"), "", "new-password"),
    ]  # fmt: skip


def _line() -> BaseResponse | tuple[str, int]:
    from webui.pages import lines

    held = here.section("lines")
    items = forms.items_of(held["doc"]) if held else []
    first = items[0] if items else None
    only = ("label", "number") if first else ("label", "number", "device", "pin")
    found = [] if first else lines.found()
    if request.method == "POST":
        if not first and not any(request.form.get(name, "").strip() for name in only if name != "device" or not found):
            return onward("line")  # no modem, nothing typed: later
        outcome = saving.put_item("lines", LINES, str(first.get("id")), only) if first else lines.create(only)
        if outcome.ok:
            return onward("line")
        return draw("line", 422, fields=outcome.fields, others=outcome.others, first=first, found=found)
    fields = forms.draw(LINES.fields, first, only=only) if first else lines.fresh_fields(only)
    for field in fields:
        field.required = field.required and first is not None
    return draw("line", fields=fields, others=[], first=first, found=found)


def _people() -> BaseResponse | tuple[str, int]:
    from webui.pages import people

    held = here.section("people")
    items = forms.items_of(held["doc"]) if held else []
    only = ["extension", "name"]
    if request.method == "POST":
        if not request.form.get("name") and items:
            return onward("people")
        outcome = people.create(only)
        if outcome.ok:
            flash.done(_("The person is there."), _("Their phone's data stands under People and phones."))
            here.audit("start.people")
            return redirect(url_for("start.step", name="people"), 303)
        return draw("people", 422, fields=outcome.fields, others=outcome.others, people=items)
    fresh = {"extension": people.free_extension(items), "name": ""}
    fields = forms.draw(PEOPLE.fields, fresh, only=only)
    for field in fields:
        field.required = field.required and not items
    return draw("people", fields=fields, others=[], people=items)


def _hours() -> BaseResponse | tuple[str, int]:
    held = here.section("lines")
    items = forms.items_of(held["doc"]) if held else []
    if request.method == "POST" and not items:
        return redirect(url_for("start.step", name="mail"), 303)  # nothing was answered, so it stays open
    if request.method == "POST":
        if request.form.get("open") == "always":
            change: dict[str, object] = {"always_open": True}
        else:
            start, end = request.form.get("from", "09:00"), request.form.get("to", "18:00")
            ranges = [
                {"day": int(day), "start": start, "end": end} for day in request.form.getlist("day") if day in "0123456"
            ]
            change = {"always_open": False, "ranges": ranges}
        problem = saving.change_all("lines", change)
        if not problem:
            return onward("hours")
        return draw("hours", 422, problem=problem, first=items[0] if items else {}, weekdays=range(7))
    return draw("hours", problem="", first=items[0] if items else {}, weekdays=range(7))


def _mail() -> BaseResponse | tuple[str, int]:
    from webui.pages.box import MAIL_ONLY, mail_test

    held = here.section("mail")
    fields = forms.draw(MAIL.fields, held["doc"] if held else {}, only=MAIL_ONLY)
    if request.method == "POST":
        if request.form.get("do") == "test":
            return draw(
                "mail",
                fields=forms.draw(MAIL.fields, saving.merged(held, MAIL, MAIL_ONLY), only=MAIL_ONLY),
                others=[],
                test=mail_test(),
            )
        outcome = saving.put("mail", MAIL, MAIL_ONLY)
        if outcome.ok:
            return onward("mail")
        return draw("mail", 422, fields=outcome.fields, others=outcome.others, test=None)
    return draw("mail", fields=fields, others=[], test=None)


def _call() -> BaseResponse | tuple[str, int]:
    if request.method == "POST":
        return onward("call")
    found, _older = reading.calls(reading.Wanted(direction="in"))
    return draw("call", last=found[0] if found else None)


def _done() -> BaseResponse | tuple[str, int]:
    if request.method == "POST":
        return onward("done")
    return draw("done")


HANDLERS: dict[str, Callable[[], BaseResponse | tuple[str, int]]] = {
    "language": _language, "password": _password, "line": _line, "people": _people, "hours": _hours,
    "mail": _mail, "call": _call, "done": _done,
}  # fmt: skip
