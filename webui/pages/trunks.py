"""What only a trunk can be asked: to sign in now."""

from flask import Blueprint, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from webui import flash, here
from webui.words import error_words

page = Blueprint("trunks", __name__)


@page.post("/lines/<line_id>/register")
def register(line_id: str) -> Response:
    """Sign in now, or ask the provider for a sign of life."""
    try:
        here.control().ask("line.register", {"line": line_id}, here.who())
    except ControlError as error:
        flash.wrong(_("The provider was not asked."), error_words(error))
    else:
        flash.done(_("The provider is asked."), _("What it says is here in a moment; look again."))
    return redirect(url_for("lines.one", line_id=line_id), 303)
