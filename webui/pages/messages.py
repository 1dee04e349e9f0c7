"""Messages: what did they write, and has it been mailed?"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from appliance.journal.outbox import ALARM, TOPUP
from webui import conversations, flash, forms, here, i18n, phrases, reading
from webui.looks import Look
from webui.pages.calls import line_names
from webui.words import error_words

page = Blueprint("messages", __name__)


MOST_LETTERS = 2000


@dataclass(frozen=True, slots=True)
class Compose:
    """The form for a message: what was typed, the lines it can go on, and why it did not go. `fixed`: to whom is given
    by the page; `mute`: the other side is no number."""

    to: str = ""
    text: str = ""
    line: str = ""
    lines: Sequence[tuple[str, str]] = ()
    error: str = ""
    fixed: bool = False
    mute: bool = False


@page.get("/messages")
def index() -> str:
    """The list of conversations; beside it, on a wide screen, the newest one."""
    if request.args.get("new"):
        to = request.args.get("to", "").strip()[:30]
        return render_template("messages/new.html", compose=Compose(to, lines=senders()), who=phrases.caller)
    query = request.args.get("q", "").strip()[:60]
    return _draw(query, "")


@page.get("/messages/<path:sender>")
def thread(sender: str) -> str:
    """One conversation."""
    return _draw(request.args.get("q", "").strip()[:60], sender[:60])


def _draw(query: str, sender: str, typed: Compose | None = None) -> str:
    found = conversations.conversations(query)
    chosen = sender or (found[0].sender if found else "")
    came = reading.thread(chosen) if chosen else []
    went = conversations.ours(chosen) if chosen else []
    if sender and any(not m.read_at for m in came):
        _mark_read(sender)
    messages = [(m.received_at, m, mail_look(m)) for m in came]
    both = sorted([*messages, *((m.created_at, m, None) for m in went)], key=lambda row: row[0])
    line = came[-1].line if came else went[-1].line if went else ""
    return render_template(
        "messages/list.html", conversations=found, chosen=chosen, opened=bool(sender), query=query,
        dead=reading.dead(_receivers()),
        messages=both, lines=line_names(), answer=answer(), who=phrases.caller, line=line,
        compose=typed or reply_to(chosen, line),
    )  # fmt: skip


def _receivers() -> dict[str, str]:
    """What people call those who get webhooks: rules, the address for alarms, the one that tops a line up."""
    held = here.section("sms_rules")
    rules = {str(one.get("id")): str(one.get("name")) for one in forms.items_of(held["doc"])} if held else {}
    topups = {f"{TOPUP}{line}": _("top-up of %(line)s", line=label) for line, label in line_names().items()}
    return {"": _("a rule that is gone"), ALARM: _("the web address for alarms"), **rules, **topups}


def senders() -> list[tuple[str, str]]:
    """Lines that may send, for people to choose from."""
    held = here.section("lines")
    items = forms.items_of(held["doc"]) if held else []
    may = [one for one in items if one.get("enabled", True) and one.get("sms_out", True)]
    may = [one for one in may if one.get("kind", "gsm") == "gsm"]
    return [(str(one["id"]), str(one.get("label") or one["id"])) for one in may]


def reply_to(chosen: str, line: str) -> Compose:
    """The form under a conversation; none where the sender is a name or hidden."""
    if not chosen.lstrip("+").isdigit():
        return Compose(mute=True)
    return Compose(chosen, "", line, senders(), fixed=True)


@page.post("/messages")
def send() -> Response | tuple[str, int]:
    """A new message: it is kept before this answers."""
    form = request.form
    to, words, line = form.get("to", "").strip()[:40], form.get("text", ""), form.get("line", "")[:31]
    try:
        sent = here.control().ask(
            "sms.send", {"to": to, "text": words.replace("\r\n", "\n"), "line": line, "origin": "page"}, here.who()
        )
    except ControlError as error:
        fixed = bool(form.get("fixed"))
        typed = Compose(to, words, line, senders(), error_words(error), fixed)
        if fixed:
            return _draw("", to[:60], typed), 422
        return render_template("messages/new.html", compose=typed, who=phrases.caller), 422
    parts = int(str(sent["parts"]))
    here.audit("sms.send", {}, {"id": sent["id"], "to": sent["to"], "line": sent["line"], "parts": parts})
    if parts > 1:
        flash.done(ngettext("It goes as %(num)s message.", "It goes as %(num)s messages.", parts))
    return redirect(url_for("messages.thread", sender=sent["to"]), 303)


@page.post("/messages/count")
def count() -> str:
    """How much of a message the text fills, while it is written."""
    words = request.form.get("text", "").replace("\r\n", "\n")[:MOST_LETTERS]
    try:
        found = here.control().ask("sms.count", {"text": words, "line": request.form.get("line", "")[:31]}, here.who())
    except ControlError:
        return ""
    used, room, parts = (int(str(found[name])) for name in ("letters", "room", "parts"))
    fills = ngettext(
        "%(used)s of %(room)s letters, %(num)s message", "%(used)s of %(room)s letters, %(num)s messages", parts,
        used=used, room=room,
    )  # fmt: skip
    if found["coding"] == "gsm7":
        return str(fills)
    return f"{fills}. {_('Letters such as these need more room.')}"


@page.post("/messages/out/<int:number>/<deed>")
def change(number: int, deed: str) -> Response:
    """Send a message of ours again, or take it back."""
    message = conversations.one(number)
    if deed not in {"again", "cancel"} or message is None:
        abort(404)
    try:
        here.control().ask(f"sms.{deed}", {"id": number}, here.who())
    except ControlError as error:
        flash.wrong(_("Nothing was changed."), error_words(error))
    else:
        here.audit(f"sms.{deed}", {}, {"id": number, "to": message.recipient})
        flash.done(_("It is sent again now.") if deed == "again" else _("It is not sent."))
    return redirect(url_for("messages.thread", sender=message.recipient), 303)


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
