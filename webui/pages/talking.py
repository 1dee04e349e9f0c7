"""A call in progress: end it, send it on, leave a message in it. Their list stands on Status."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from webui import flash, here, phrases, recordings
from webui.control import CallView
from webui.pages.dialling import number_of
from webui.words import error_words

page = Blueprint("talking", __name__)

STANDARD = "voicedrop"


@page.route("/calls/live/<call_id>/end", methods=["GET", "POST"])
def end(call_id: str) -> Response | str:
    """Asked first, it cannot be taken back."""
    live = _live(call_id)
    if live is None:
        return _over()
    if request.method == "GET":
        return render_template("calls/end.html", c=live)
    if _done("call.hang_up", {"call": call_id}):
        here.audit("call.end", {"call": call_id}, {})
        flash.done(_("The call is ended."))
    return redirect("/", 303)


@page.post("/calls/live/<call_id>/transfer")
def transfer(call_id: str) -> Response:
    """The colleague is let go, and the other side is sent to a number or a colleague."""
    to = number_of(request.form.get("to", "")[:60])
    if not to:
        flash.wrong(_("The call goes on."), _("Type a number or a colleague to send it to."))
    elif _done("call.transfer", {"call": call_id, "to": to}):
        here.audit("call.transfer", {"call": call_id}, {"to": to})
        flash.done(
            _("The call is sent to %(who)s.", who=phrases.person(to)), _("If nobody there takes it, it comes back.")
        )
    return redirect("/", 303)


@page.route("/calls/live/<call_id>/drop", methods=["GET", "POST"])
def drop(call_id: str) -> Response | str:
    """An announcement is left to the other side, and the colleague let go."""
    live, offered = _live(call_id), recordings.everything()
    if live is None:
        return _over()
    if request.method == "GET":
        return render_template("calls/drop.html", c=live, offered=offered, standard=STANDARD)
    prompt = request.form.get("prompt", "")
    wanted = prompt if prompt in dict(offered) else STANDARD
    if _done("call.drop", {"call": call_id, "prompt": wanted}):
        here.audit("call.drop", {"call": call_id}, {"prompt": wanted})
        flash.done(_("The message plays."), _("The colleague is free; the call ends after it."))
    return redirect("/", 303)


def sends_on(view: CallView) -> bool:
    """Whether a colleague talks with somebody outside: his call can be sent on, or a message left in it."""
    legs = [leg for leg in view.get("legs", []) if leg.get("state") in {"talking", "caller"}]
    inside = [leg for leg in legs if leg.get("line") == "phones"]
    return view.get("state") in {"talking", "held"} and bool(inside) and len(inside) < len(legs)


def _live(call_id: str) -> CallView | None:
    return next((c for c in (here.status() or {}).get("calls", []) if c.get("id") == call_id), None)


def _over() -> Response:
    flash.done(_("The call is over already."))
    return redirect("/", 303)


def _done(verb: str, args: Mapping[str, object]) -> bool:
    """Ask it of the exchange; a refusal is told."""
    try:
        here.control().ask(verb, args, here.who())
    except ControlError as error:
        flash.wrong(_("The call goes on."), error_words(error))
        return False
    return True
