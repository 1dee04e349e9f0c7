"""Recordings of calls and messages of mailboxes: heard with seeking, taken home, deleted; and the list of messages.

The sound files are read here as they lie; marking and deleting is asked of the exchange. Each playback is in the record
of changes once, however often a browser asks for a piece of it.
"""

from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, abort, redirect, render_template, request, send_file
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from appliance.journal import recordings as rows
from appliance.journal.recordings import MessageRow, RecordingRow
from webui import flash, forms, here, rights
from webui.rights import Right
from webui.words import error_words

page = Blueprint("sounds", __name__)

KINDS = {".mp3": "audio/mpeg", ".wav": "audio/wav"}


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound as the templates draw it; `message`: it was left in a mailbox; `pauses`: (from, to) in milliseconds."""

    id: str
    message: bool
    caller: str
    caller_kind: str
    line: str
    at: str
    milliseconds: int
    new: bool = False
    saved: bool = False
    interrupted: bool = False
    pauses: tuple[tuple[int, int], ...] = ()
    call: str = ""
    mailbox: str = ""

    @property
    def hear(self) -> bool:
        return rights.may(Right.HEAR, self.line)

    @property
    def download(self) -> bool:
        return rights.may(Right.DOWNLOAD, self.line)

    @property
    def delete(self) -> bool:
        return rights.may(Right.DELETE, self.line)


def of_call(call: str) -> list[Sound]:
    """What was recorded of a call, and what its caller left; for the page of the call."""
    with here.store().open() as db:
        recorded, left = rows.recordings_of(db, call), rows.messages(db, call=call)
    return [*map(_recording, recorded), *map(_message, left)]


@page.get("/voicemail")
def index() -> str:
    """The messages of all mailboxes, newest first."""
    wanted = request.args.get("box", "")[:31]
    with here.store().open() as db:
        left, counted = rows.messages(db, mailbox=wanted), rows.mailbox_counts(db)
    new = sum(one for one, _old in counted.values())
    answer = ngettext("%(num)s new message.", "%(num)s new messages.", new) if new else _("No new messages.")
    names = _mailboxes()
    return render_template(
        "sounds/list.html", sounds=[_message(row) for row in left], answer=answer, names=names, wanted=wanted,
        counted=counted, lines=_lines(),
    )  # fmt: skip


@page.get("/sounds/<name>")
def sound(name: str) -> Response:
    """The sound, or the piece of it that the player asks for (RFC 9110 14)."""
    found, path = _found(name)
    rights.need(Right.HEAR, found.line)
    if request.headers.get("Range", "bytes=0-").startswith("bytes=0-"):
        here.audit("sound.play", {}, {"id": found.id, "call": found.call})
        if found.new:
            _ask("sound.heard", name)
    return send_file(path, mimetype=KINDS[path.suffix], conditional=True, max_age=0)


@page.get("/sounds/<name>/file")
def download(name: str) -> Response:
    """The file to keep."""
    found, path = _found(name)
    rights.need(Right.DOWNLOAD, found.line)
    here.audit("sound.download", {}, {"id": found.id, "call": found.call})
    return send_file(path, mimetype=KINDS[path.suffix], as_attachment=True, download_name=path.name, max_age=0)


@page.post("/sounds/<name>/heard")
def heard(name: str) -> Response:
    """The message counts as heard, without playing it."""
    found, _path = _found(name)
    rights.need(Right.HEAR, found.line)
    problem = _ask("sound.heard", name)
    if problem:
        flash.wrong(_("The message still counts as new."), problem)
    return redirect("/voicemail", 303)


@page.route("/sounds/<name>/remove", methods=["GET", "POST"])
def remove(name: str) -> Response | str:
    """Confirmed first: it cannot be brought back."""
    found, _path = _found(name)
    rights.need(Right.DELETE, found.line)
    back = "/voicemail" if found.message else f"/calls/{found.call}"
    if request.method == "GET":
        return render_template("sounds/remove.html", s=found, back=back)
    problem = _ask("sound.remove", name)
    if problem:
        flash.wrong(_("Nothing was deleted."), problem)
        return redirect(back, 303)
    here.audit("sound.remove", {"id": found.id, "call": found.call}, {})
    flash.done(_("The message is deleted.") if found.message else _("The recording is deleted."))
    return redirect(back, 303)


def _ask(verb: str, name: str) -> str:
    """Ask the exchange; the sentence of a refusal."""
    try:
        here.control().ask(verb, {"id": name}, here.who())
    except ControlError as error:
        return error_words(error)
    return ""


def _found(name: str) -> tuple[Sound, Path]:
    """The sound and its file, the small one where it is made; 404 where there is none."""
    with here.store().open() as db:
        message, recording = rows.message(db, name[:120]), rows.recording(db, name[:120])
    found = _message(message) if message else _recording(recording) if recording else None
    row = message or recording
    base = here.kit().places.state / row.path if row else Path()
    path = (
        next((one for kind in KINDS if (one := base.with_name(f"{base.name}{kind}")).is_file()), None) if row else None
    )
    if found is None or path is None:
        abort(404)
    return found, path


def _recording(row: RecordingRow) -> Sound:
    pauses = tuple((round(begin * 1000), round(end * 1000)) for begin, end in row.pauses)
    return Sound(
        row.id, False, row.caller, "e164", row.line, row.at, round(row.seconds * 1000), pauses=pauses,
        interrupted=row.interrupted, call=row.call,
    )  # fmt: skip


def _message(row: MessageRow) -> Sound:
    return Sound(
        row.id, True, row.caller, row.caller_kind, row.line, row.at, round(row.seconds * 1000), not row.heard_at,
        row.saved, call=row.call, mailbox=row.mailbox,
    )  # fmt: skip


def _mailboxes() -> dict[str, str]:
    held = here.section("mailboxes")
    items = forms.items_of(held["doc"]) if held else []
    return {str(item.get("id")): str(item.get("name")) for item in items}


def _lines() -> dict[str, str]:
    state = here.status() or {}
    return {line.get("id", ""): line.get("label") or line.get("id", "") for line in state.get("lines", [])}
