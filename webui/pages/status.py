"""Status: does it work, and who is on the phone? And the night switch."""

from datetime import datetime, time, timedelta

from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import ControlError, JournalError
from webui import flash, here, reading
from webui.pages import start
from webui.words import NOTICES, error_words, sentence

page = Blueprint("status", __name__)


@page.get("/")
def index() -> str:
    """The first page of the day."""
    try:
        counts = reading.today()
        today = [
            (_("calls came in"), counts.came, False), (_("answered"), counts.answered, False),
            (_("missed"), counts.missed, True), (_("blocked"), counts.blocked, False),
            (_("calls out"), counts.out, False), (_("messages"), counts.messages, False),
        ]  # fmt: skip
        events = [{"at": e.at, "text": sentence(NOTICES, e.message, e.args)} for e in reading.events(8)]
    except JournalError:
        today, events = [], []
    return render_template("status.html", today=today, events=events, unfinished=start.unfinished())


def _until(text: str) -> str:
    """The next moment at which the office's clock shows a time, with its offset; what is no time is for the exchange to
    refuse."""
    now = here.local_now()
    try:
        at = datetime.combine(now.date(), time.fromisoformat(text), now.tzinfo)
    except ValueError:
        return text
    return (at if at > now else datetime.combine(now.date() + timedelta(days=1), at.time(), now.tzinfo)).isoformat()


@page.post("/night")
def night() -> Response:
    """The night switch: on, off against the hours, or back to the hours."""
    value = request.form.get("value", "")
    before = str((here.status() or {}).get("night", ""))
    try:
        args = {"value": value if value in {"on", "off", ""} else "", "until": _until(request.form.get("until", ""))}
        here.control().ask("night", args, here.who())
    except ControlError as error:
        flash.wrong(_("The night switch did not move."), error_words(error))
        return redirect("/", 303)
    change = here.audit("night", {"value": before}, {"value": value})
    if value == "on":
        flash.done(
            _("Night mode is on."), _("All lines that follow the night switch are closed until you end it."), change
        )
    elif value == "off":
        flash.done(_("Open by hand."), _("All lines that follow the night switch are open until you end it."), change)
    else:
        flash.done(_("The hours decide again."), undo=change)
    return redirect("/hours/night" if request.form.get("back") == "/hours/night" else "/", 303)
