"""Messages: what did they write, and has it been mailed?"""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from webui import flash, here, i18n, phrases, reading
from webui.looks import Look
from webui.pages.calls import line_names
from webui.words import error_words

page = Blueprint("messages", __name__)


@page.get("/messages")
def index() -> str:
    """The list of conversations; beside it, on a wide screen, the newest one."""
    query = request.args.get("q", "").strip()[:60]
    return _draw(query, "")


@page.get("/messages/<path:sender>")
def thread(sender: str) -> str:
    """One conversation."""
    return _draw(request.args.get("q", "").strip()[:60], sender[:60])


def _draw(query: str, sender: str) -> str:
    found = reading.conversations(query)
    chosen = sender or (found[0].sender if found else "")
    messages = reading.thread(chosen) if chosen else []
    if sender and any(not m.read_at for m in messages):
        _mark_read(sender)
    dead = reading.dead()
    return render_template(
        "messages/list.html", conversations=found, chosen=chosen, opened=bool(sender), query=query, dead=dead,
        messages=[(m, mail_look(m)) for m in messages], lines=line_names(), answer=answer(), who=phrases.caller,
    )  # fmt: skip


def answer() -> str:
    """The first line: where messages go, and whether any wait."""
    held = here.section("mail")
    doc = held["doc"] if held else {}
    to = doc.get("to")
    names = [str(one) for one in to] if isinstance(to, list) else []
    if not doc.get("enabled"):
        first = _("Every message is kept here. Mail is switched off.")
    elif len(names) == 1:
        first = _("Every message is kept here and mailed to %(address)s.", address=names[0])
    else:
        first = ngettext(
            "Every message is kept here and mailed to %(num)s address.",
            "Every message is kept here and mailed to %(num)s addresses.",
            len(names),
        )
    waits = reading.waiting()
    if not waits:
        return str(first)
    wait = ngettext("%(num)s mail waits for the mail server.", "%(num)s mails wait for the mail server.", waits)
    return f"{first} {wait}"


def mail_look(message: reading.Message) -> Look:
    """What became of the mail of a message."""
    if message.mail_state == "sent":
        words = ngettext("Mailed to %(num)s address", "Mailed to %(num)s addresses", message.mail_to)
        return Look(words, "", icon="mail-check")
    if message.mail_state in {"waiting", "leased"}:
        if not message.last_error:
            return Look(_("On its way to the mail server"), "", icon="hourglass")
        words = _("Waits for the mail server, next try %(time)s", time=i18n.when(message.next_at))
        return Look(words, "warn", icon="hourglass")
    if message.mail_state == "dead":
        return Look(_("Not mailed: %(why)s", why=message.last_error), "bad", icon="circle-alert")
    return Look(_("Kept here, not mailed"), "", icon="circle-minus")


def _mark_read(sender: str) -> None:
    """The exchange owns the table; when it cannot now, the message stays unread."""
    try:
        here.control().ask("sms.read", {"sender": sender}, here.who())
    except ControlError:
        return


@page.post("/messages/retry/<int:number>")
def retry(number: int) -> Response:
    """Send a dead letter again."""
    try:
        here.control().ask("outbox.retry", {"id": number}, here.who())
    except ControlError as error:
        flash.wrong(_("It stays here."), error_words(error))
        return redirect(url_for("messages.index"), 303)
    here.audit("outbox.retry", {}, {"id": number})
    flash.done(_("It is sent again now."))
    return redirect(url_for("messages.index"), 303)
