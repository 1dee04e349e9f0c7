"""Click to call: a colleague's phone rings first, then the number is called. Which phone, the browser remembers."""

import re

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from webui import flash, here, phrases, scheme_forms, traces
from webui.pages.calls import people_names
from webui.pages.door import inside
from webui.words import error_words

page = Blueprint("dialling", __name__)

COOKIE = "centralka-phone"
KEPT = 365 * 24 * 3600  # seconds
Options = list[tuple[str, str]]


@page.route("/dial", methods=["GET", "POST"])
def dial() -> Response | str:
    """A number and the phone that rings first; without a phone that is known the page asks for one."""
    to, back = request.values.get("to", "").strip()[:60], inside(request.values.get("back", ""))
    if request.method == "GET":
        return render_template("calls/dial.html", to=to, back=back, mine=chosen(), phones=phones(), ready=connected())
    number, phone = number_of(to), request.form.get("phone", "") or chosen()
    if not number or phone not in people_names():
        return redirect(url_for("dialling.dial", to=to, back=back), 303)
    try:
        here.control().ask("call.make", {"extension": phone, "to": number}, here.who())
    except ControlError as error:
        flash.wrong(_("Nobody was called."), why(error))
    else:
        here.audit("call.make", {}, {"extension": phone, "to": number})
        facts = {"phone": phrases.person(phone), "number": phrases.person(number)}
        flash.done(_("The phone %(phone)s rings. Lift it, and %(number)s is called.", **facts))
    answer = redirect(back, 303)
    answer.set_cookie(COOKIE, phone, max_age=KEPT, httponly=True, samesite="Lax", secure=here.kit().https)
    return answer


def number_of(text: str) -> str:
    """What is dialled for what was typed: the extension of a colleague's name or of "102 Ben", else the number without
    the spaces it was written with."""
    wanted = " ".join(text.split()).casefold()
    for extension, shown in people_names().items():
        if wanted and wanted in {shown.casefold(), shown.removeprefix(extension).strip().casefold()}:
            return extension
    return re.sub(scheme_forms.SEPARATORS, "", text)


def chosen() -> str:
    """The phone this browser has called from; "" where none, or it is gone."""
    held = request.cookies.get(COOKIE, "")
    return held if held in people_names() else ""


def phones() -> Options:
    """Whose phone may ring first; who has none connected is named so."""
    ready = connected()
    return [
        (extension, name if extension in ready else str(_("%(name)s (not connected)", name=name)))
        for extension, name in sorted(people_names().items())
    ]


def connected() -> frozenset[str]:
    """Extensions with a phone that is connected."""
    found = (here.status() or {}).get("phones", [])
    return frozenset(p.get("extension", "") for p in found if p.get("state", "offline") != "offline")


def why(error: ControlError) -> str:
    """Why nobody was called: the rule that stopped it, as a trace says it."""
    facts = dict(error.args_for_words)
    rule = facts.pop("rule", "")
    return traces.words(rule, facts) if error.id == "call-refused" and rule else error_words(error)
