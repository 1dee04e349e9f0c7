"""Undo: the inverse of a row of the record of changes, for ten minutes, for the one who did it."""

from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, redirect
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from webui import flash, forms, here
from webui.auth import now
from webui.store import Change, moment
from webui.words import error_words

page = Blueprint("undo", __name__)

KEPT = timedelta(minutes=10)


@page.post("/undo/<int:number>")
def undo(number: int) -> Response:
    """Take back change `number`."""
    change = here.store().change(number)
    take_back = INVERSES.get(change.what) if change else None
    if not change or not take_back or change.who != here.who():
        flash.wrong(_("This cannot be taken back."))
        return redirect("/", 303)
    if now() - moment(change.at) > KEPT:
        flash.wrong(_("It is too late to take this back."), _("Undo is kept for ten minutes."))
        return redirect("/", 303)
    try:
        path = take_back(change)
    except ControlError as error:
        flash.wrong(_("It could not be taken back."), error_words(error))
        return redirect("/", 303)
    here.audit(f"undo.{change.what}", change.new, change.old)
    return redirect(path, 303)


def _unblock(change: Change) -> str:
    here.control().ask("block.remove", {"id": change.new.get("id")}, here.who())
    flash.done(_("Taken back."), _("The list is as it was."))
    return "/blocking/allowed" if change.new.get("allow") else "/blocking"


def _block_again(change: Change) -> str:
    here.control().ask("block.add", change.old, here.who())
    flash.done(_("Taken back."), _("The entry is in the list again."))
    return "/blocking/allowed" if change.old.get("allow") else "/blocking"


def _night(change: Change) -> str:
    here.control().ask("night", {"value": change.old.get("value", "")}, here.who())
    flash.done(_("Taken back."), _("The night switch is as it was."))
    return "/"


def _rule_again(change: Change) -> str:
    held = here.control().section("outgoing")
    items = [*forms.items_of(held["doc"]), change.old]
    here.control().put("outgoing", held["version"], {"items": items}, here.who())
    flash.done(_("Taken back."), _("The rule is there again."))
    return "/outgoing"


def _unpause(change: Change) -> str:
    here.control().ask("block.pause", {"minutes": 0}, here.who())
    flash.done(_("Taken back."), _("All blocks hold again."))
    return "/blocking"


def _hold_next(change: Change) -> str:
    here.control().ask("block.let-next", {"on": bool(change.old.get("on"))}, here.who())
    flash.done(_("Taken back."))
    return "/blocking"


INVERSES: dict[str, Callable[[Change], str]] = {
    "block.add": _unblock,
    "block.remove": _block_again,
    "night": _night,
    "settings.outgoing.remove": _rule_again,
    "block.pause": _unpause,
    "block.let-next": _hold_next,
}
