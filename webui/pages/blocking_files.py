"""Blocking, files: the lists as a CSV file out and in, and the lists that others write into the watched folder."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from appliance.core.entry_form import LONGEST_FILE, MOST_ROWS, written
from appliance.errors import ControlError
from webui import blocked, flash, here, security
from webui.control import Doc
from webui.pages.blocking import tabs
from webui.recordings import UPLOAD
from webui.words import ERRORS, error_words, sentence

page = Blueprint("blocking_files", __name__)


@page.get("/blocking/files")
def index() -> str:
    """Export, import, and the watched folder."""
    return _draw()


def _draw(problem: str = "", read: Mapping[str, object] | None = None) -> str:
    try:
        state = here.control().ask("block.lists", {}, here.who())
    except ControlError as error:
        state, problem = {}, problem or error_words(error)
    count = len(blocked.every())
    return render_template(
        "blocking/files.html", tabs=tabs("files"), doing=state, problem=problem, faults=_faults(read or {}),
        read=read or {}, count=count, most=MOST_ROWS,
        answer=ngettext("%(num)s entry stands in the lists.", "%(num)s entries stand in the lists.", count),
    )  # fmt: skip


@page.get("/blocking/blocking.csv")
def export() -> Response:
    """Both lists as CSV (RFC 4180), to keep or to import elsewhere."""
    text = written(entry.as_entry() for entry in blocked.every())
    answer = Response(text, mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="blocking.csv"'
    return answer


@page.post("/blocking/import")
@security.takes_uploads
def take_in() -> Response | tuple[str, int]:
    """A CSV file: all of it, or nothing where a row is bad, unless bad rows are to be left out."""
    try:
        security.take_upload()
    except RequestEntityTooLarge:
        return _draw(_too_big()), 413
    file = request.files.get("file")
    if file is None or not file.filename:
        return _draw(_("Choose a CSV file first.")), 422
    octets = file.stream.read(LONGEST_FILE + 1)
    file.close()
    if len(octets) > LONGEST_FILE:
        return _draw(_too_big()), 413
    path = here.kit().places.prompts / f"{UPLOAD}{secrets.token_hex(8)}"
    args = {
        "name": path.name, "skip": request.form.get("skip") == "on", "replace": request.form.get("replace") == "on",
    }  # fmt: skip
    try:
        _write(path, octets)
        read = here.control().ask("block.import", {**args, "check": True}, here.who())
        if not read.get("read") or (read.get("bad") and not args["skip"]):
            return _draw(_("Some rows cannot be read. Nothing was imported."), read), 422
        answer = here.control().ask("block.import", args, here.who())
    except ControlError as error:
        return _draw(error_words(error)), 422
    except OSError:
        return _draw(_("The file could not be stored here. Look at Health whether the card is full.")), 422
    finally:
        path.unlink(missing_ok=True)
    _imported(answer, bool(args["replace"]))
    return redirect(url_for("blocking_files.index"), 303)


def _imported(answer: Doc, replaced: bool) -> None:
    read, bad = int(str(answer.get("read") or 0)), int(str(answer.get("bad") or 0))
    here.audit("block.import", {}, {"read": read, "bad": bad, "replace": replaced})
    left = ngettext("%(num)s row was left out.", "%(num)s rows were left out.", bad) if bad else ""
    flash.done(ngettext("%(num)s entry was imported.", "%(num)s entries were imported.", read), left)


def _faults(read: Mapping[str, object]) -> list[tuple[int, str]]:
    """Line and sentence of each bad row."""
    found = read.get("faults")
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [(int(str(one.get("line") or 0)), _fault(one)) for one in rows]


def _fault(one: Mapping[str, object]) -> str:
    facts = one.get("facts")
    words = sentence(ERRORS, str(one.get("fault")), facts if isinstance(facts, dict) else {})
    column = str(one.get("column") or "")
    return f"{column}: {words}" if column else words


def _write(path: Path, octets: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
    with os.fdopen(handle, "wb") as out:
        out.write(octets)


def _too_big() -> str:
    return str(_("This file is too big; the limit is 1 MB and 5000 rows."))
