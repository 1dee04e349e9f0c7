"""Me: my language."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webui import flash, here
from webui.auth import now
from webui.i18n import LANGUAGES
from webui.store import Account

page = Blueprint("me", __name__)


@page.route("/me", methods=["GET", "POST"])
def index() -> Response | str:
    """Name and language."""
    old = here.visitor().account
    if request.method == "POST":
        language = request.form.get("language", "")
        display = request.form.get("display", "").strip()[:60] or old.display
        chosen = language if language in LANGUAGES else old.language
        here.store().put_account(Account(old.name, display, old.role, old.password_hash, chosen), now())
        here.audit(
            "account.changed",
            {"display": old.display, "language": old.language},
            {"display": display, "language": chosen},
        )
        flash.done(_("Saved."))
        return redirect(url_for("me.index"), 303)
    return render_template("me.html", account=old)
