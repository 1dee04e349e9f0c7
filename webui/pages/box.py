"""The box: Health, Mail and notices, Office, Network, Access."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from appliance.errors import ControlError, JournalError
from appliance.settings.schema import MAIL, NETWORK, OFFICE
from webui import flash, forms, here, i18n, looks, reading
from webui.auth import hash_password, now
from webui.pages import saving
from webui.pages.start import password_faults
from webui.store import Account
from webui.words import BUTTONS, PRESSES, error_words, sentence

page = Blueprint("box", __name__)

MAIL_ONLY = (
    "enabled", "host", "port", "security", "plain_allowed", "user", "password", "sender", "to", "code_in_subject",
    "alarm_url", "alarm_secret",
)  # fmt: skip
NETWORK_ONLY = tuple(one.name for one in NETWORK.fields)


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a test mail, with the server's own words."""

    ok: bool
    error: str
    said: list[str]


def tabs(current: str) -> list[dict[str, object]]:
    """The pages of the box."""
    names = (
        ("health", _("Health")),
        ("mail", _("Mail and notices")),
        ("answers", _("Answers by mail")),
        ("office", _("Office")),
        ("network", _("Network")),
        ("access", _("Access")),
        ("changes", _("Record of changes")),
    )
    return [{"href": f"/box/{name}", "label": label, "here": name == current} for name, label in names]


@page.get("/alive")
def alive() -> Response:
    """A bare sign of life, without a sign-in."""
    return Response("alive\n", mimetype="text/plain")


@page.get("/box/health")
def health() -> str:
    """What needs a person, and what each lamp means."""
    state = here.status()
    wants = looks.todo(state)
    answer = ngettext("%(num)s thing needs you.", "%(num)s things need you.", wants) if wants else _("All well.")
    if state is None:
        answer = _("The exchange does not answer.")
    return render_template(
        "box/health.html", answer=answer, tabs=tabs("health"), facts=_facts(), buttons=_buttons(state)
    )


def _buttons(state: Mapping[str, object] | None) -> list[tuple[str, str, str]]:
    """Button, press and deed in words, from the exchange's own table."""
    rows = (state or {}).get("buttons")
    names = {"night": _("Night"), "status": _("Status")}
    return [
        (names.get(str(one["name"]), str(one["name"])), sentence(PRESSES, str(one["press"])),
         sentence(BUTTONS, str(one["does"])))
        for one in (rows if isinstance(rows, list) else [])
    ]  # fmt: skip


def _facts() -> list[tuple[str, str, bool]]:
    """Word, value, and whether it is well."""
    facts: list[tuple[str, str, bool]] = []
    try:
        usage = shutil.disk_usage(here.kit().journal.parent)
        full = round(usage.used * 100 / usage.total)
        facts.append(
            (_("Storage"), _("%(n)d %% full, %(free)s GB free", n=full, free=i18n.gigabytes(usage.free)), full < 95)
        )
    except OSError:
        facts.append((_("Storage"), _("Not known"), False))
    try:
        waits, dead = reading.waiting(), len(reading.dead({}))
        facts.append((_("Mails that wait"), str(waits), waits == 0))
        facts.append((_("Mails that gave up"), str(dead), dead == 0))
    except JournalError:
        facts.append((_("Journal"), _("It cannot be read now"), False))
    return facts


@page.route("/box/mail", methods=["GET", "POST"])
def mail() -> BaseResponse | str | tuple[str, int]:
    """The mail server, and a test that shows its own words."""
    held = here.control().section("mail")
    fields, others, test, code = forms.draw(MAIL.fields, held["doc"], only=MAIL_ONLY), [], None, 200
    if request.method == "POST" and request.form.get("do") == "test":
        fields = forms.draw(MAIL.fields, saving.merged(held, MAIL, MAIL_ONLY), only=MAIL_ONLY)
        test = mail_test()
        here.audit("mail.test", {}, {"ok": test.ok})
    elif request.method == "POST":
        outcome = saving.put("mail", MAIL, MAIL_ONLY)
        if outcome.ok:
            flash.done(_("Saved."), _("Send a test to see whether it arrives."))
            return redirect(url_for("box.mail"), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    return render_template(
        "box/mail.html", fields=fields, others=others, test=test, tabs=tabs("mail"), answer=_mail_answer(held["doc"])
    ), code


def _mail_answer(doc: Mapping[str, object]) -> str:
    if not doc.get("enabled"):
        return str(_("Mail is switched off; messages are kept here."))
    try:
        waits = reading.waiting()
    except JournalError:
        waits = 0
    return str(ngettext("%(num)s mail waits.", "%(num)s mails wait.", waits)) if waits else str(_("Nothing waits."))


def mail_test() -> Said:
    """Try the settings as they stand in the form."""
    doc = forms.sent(MAIL.fields, MAIL_ONLY)
    try:
        result = here.control().ask("mail.test", doc, here.who())
    except ControlError as error:
        return Said(False, error_words(error), [])
    lines = result.get("said")
    return Said(
        bool(result.get("ok")),
        str(result.get("error") or ""),
        [str(line) for line in lines][:40] if isinstance(lines, list) else [],
    )


@page.route("/box/office", methods=["GET", "POST"])
def office() -> BaseResponse | str | tuple[str, int]:
    """Name, country, language and time of the office, and what its status button does."""
    held = here.control().section("office")
    fields, others, code = forms.draw(OFFICE.fields, held["doc"]), list[str](), 200
    if request.method == "POST":
        outcome = saving.put("office", OFFICE, tuple(one.name for one in OFFICE.fields))
        if outcome.ok:
            flash.done(_("Saved."))
            return redirect(url_for("box.office"), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    name = str(held["doc"].get("name") or "")
    return render_template("box/office.html", fields=fields, others=others, tabs=tabs("office"), answer=name), code


@page.route("/box/network", methods=["GET", "POST"])
def network() -> BaseResponse | str | tuple[str, int]:
    """Addresses, ports and limits."""
    held = here.control().section("network")
    fields, others, code = forms.draw(NETWORK.fields, held["doc"], only=NETWORK_ONLY), [], 200
    if request.method == "POST":
        outcome = saving.put("network", NETWORK, NETWORK_ONLY)
        if outcome.ok:
            flash.done(_("Saved."), _("Address and ports change at the next start."))
            return redirect(url_for("box.network"), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    state = here.status() or {}
    answer = _(
        "Phones connect to %(address)s, port %(port)s.",
        address=state.get("address", "?"),
        port=state.get("sip_port", "?"),
    )
    return render_template("box/network.html", fields=fields, others=others, tabs=tabs("network"), answer=answer), code


@page.route("/box/access", methods=["GET", "POST"])
def access() -> BaseResponse | str | tuple[str, int]:
    """Change the password; where this account is signed in."""
    guest = here.visitor()
    errors: dict[str, str] = {}
    if request.method == "POST":
        result = here.kit().door.refresh(guest, request.form.get("current", ""), here.client(), now())
        if result is not True:
            errors["current"] = _("This is not your present password.")
        errors.update(password_faults(request.form.get("password", ""), request.form.get("again", "")))
        if not errors:
            old = guest.account
            here.store().put_account(
                Account(old.name, old.display, old.role, hash_password(request.form["password"]), old.language), now()
            )
            others = here.store().drop_others(old.name, guest.session.id_hash)
            here.audit("password.changed")
            flash.done(
                _("The password is changed."),
                ngettext("%(num)s other browser was signed out.", "%(num)s other browsers were signed out.", others),
            )
            return redirect(url_for("box.access"), 303)
    sessions = here.store().sessions_of(guest.account.name)
    answer = ngettext("You are signed in on %(num)s browser.", "You are signed in on %(num)s browsers.", len(sessions))
    drawn = render_template(
        "box/access.html",
        sessions=sessions,
        mine=guest.session.id_hash,
        errors=errors,
        tabs=tabs("access"),
        answer=answer,
    )
    return (drawn, 422) if errors else drawn


@page.post("/box/access/sign-out-others")
def sign_out_others() -> BaseResponse:
    """Sign out every other browser of this account."""
    guest = here.visitor()
    count = here.store().drop_others(guest.account.name, guest.session.id_hash)
    here.audit("sessions.dropped", {}, {"count": count})
    flash.done(ngettext("%(num)s other browser was signed out.", "%(num)s other browsers were signed out.", count))
    return redirect(url_for("box.access"), 303)


@page.get("/box/changes")
def changes() -> str:
    """Who did what, newest first."""
    return render_template("box/changes.html", rows=here.store().changes(200), tabs=tabs("changes"))
