"""Announcements: what do callers hear? Listen, put an own recording or an own text in its place, and back.

An upload lies in a private file below the folder of prompts only as long as the worker looks at it; the worker alone
decides whether it is a sound. Every change is asked of the exchange, which asks the worker.
"""

import re
from collections.abc import Mapping

from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from appliance.settings.places import Places
from appliance.settings.prompts import standard_text
from appliance.settings.schema import ANNOUNCEMENTS, ID, LANGUAGES
from webui import flash, forms, here, phrases, recordings, security
from webui.forms import Drawn
from webui.pages.hours import answer, tabs
from webui.recordings import Prompt
from webui.words import error_words

page = Blueprint("announcements", __name__)

Drawing = Response | str | tuple[str, int]


@page.get("/hours/prompts")
def index() -> str:
    """What can be heard, by whom it is heard."""
    prompts = recordings.listed()
    own = sum(1 for prompt in prompts if prompt.own)
    words = ngettext("%(num)s is your own.", "%(num)s are your own.", own) if own else _("All are spoken by the box.")
    groups = [
        (_("Callers hear"), [p for p in prompts if p.audience == "callers"]),
        (_("Colleagues hear"), [p for p in prompts if p.audience == "colleagues"]),
    ]
    return render_template("hours/prompts.html", groups=groups, tabs=tabs("prompts"), answer=answer(), words=words)


@page.get("/hours/prompts/<prompt>")
def one(prompt: str) -> str:
    """Hear it, change it."""
    return _draw(_found(prompt))


@page.get("/hours/prompts/<prompt>/sound")
def sound(prompt: str) -> Response:
    """The wav that would be played now."""
    language = request.args.get("language", "")
    path = None
    if re.fullmatch(ID, prompt) and language in {"", *LANGUAGES}:
        path = recordings.files().find(prompt, language or here.office().language)
    if path is None:
        abort(404)
    return send_file(path, mimetype="audio/wav", conditional=True, max_age=0)


@page.post("/hours/prompts/<prompt>/upload")
@security.takes_uploads
def upload(prompt: str) -> Drawing:
    """The owner's recording in place of what was heard."""
    item = _found(prompt)
    problem = recordings.room() or recordings.convert(item.id)
    if problem:
        return _draw(item, {"file": problem}), 422
    _kept(item.id, item.own_name, "", "")
    here.audit("prompt.upload", {}, {"id": item.id, "name": item.name})
    flash.done(_("Your recording is used from now on."), _("Listen to it once; the next caller hears it."))
    return redirect(url_for("announcements.one", prompt=item.id), 303)


@page.post("/hours/prompts/<prompt>/speak")
def speak(prompt: str) -> Drawing:
    """An own text, spoken by the box."""
    item = _found(prompt)
    text, language = _typed()
    problem = recordings.speak(item.id, text, language)
    if problem:
        return _draw(item, {"text": problem}, request.form), 422
    _kept(item.id, item.own_name, text, language)
    here.audit("prompt.speak", {"text": item.text}, {"id": item.id, "name": item.name, "text": text})
    flash.done(_("Your text is spoken from now on."), _("Listen to it once; the next caller hears it."))
    return redirect(url_for("announcements.one", prompt=item.id), 303)


@page.post("/hours/prompts/<prompt>/name")
def rename(prompt: str) -> Drawing:
    """Another name for one of the owner's; lines that use it keep it."""
    item = _found(prompt)
    if item.standard:
        abort(404)
    name = " ".join(request.form.get("name", "").split())[:40]
    errors = {} if name.casefold() == item.name.casefold() and name else _name_faults(name)
    if errors:
        return _draw(item, errors, request.form), 422
    _kept(item.id, name, item.text, item.language)
    here.audit("settings.prompts", {"name": item.name}, {"id": item.id, "name": name})
    flash.done(_("Saved."))
    return redirect(url_for("announcements.one", prompt=item.id), 303)


@page.route("/hours/prompts/new", methods=["GET", "POST"])
@security.takes_uploads
def new() -> Drawing:
    """One more announcement, with a name; lines choose it."""
    if request.method == "GET":
        return _draw_new({}, {})
    problem = recordings.room()
    if problem:
        return _draw_new({"file": problem}, {}), 422
    name = " ".join(request.form.get("name", "").split())[:40]
    prompt = recordings.id_of(name)
    errors, text = _name_faults(name), ""
    if not errors:
        errors, text = _make(prompt, name)
    if errors:
        return _draw_new(errors, request.form), 422
    here.audit("prompt.speak" if text else "prompt.upload", {}, {"id": prompt, "name": name, "text": text})
    flash.done(_("“%(name)s” is there.", name=name), _("Lines can choose it as announcement outside hours."))
    return redirect(url_for("announcements.one", prompt=prompt), 303)


def _make(prompt: str, name: str) -> tuple[dict[str, str], str]:
    """A new one of the file or the text that was sent: what is wrong by field, and the text that was spoken."""
    text, language = _typed()
    file = request.files.get("file")
    if file and file.filename:
        problem, where, text, language = recordings.convert(prompt), "file", "", ""
    elif text:
        problem, where = recordings.speak(prompt, text, language), "text"
    else:
        problem, where = _("Choose a wav or mp3 file, or type a text."), "file"
    if problem:
        return {where: problem}, ""
    try:
        _kept(prompt, name, text, language)
    except ControlError as error:
        recordings.forget(prompt)
        return {"name": error_words(error)}, ""
    return {}, text


@page.route("/hours/prompts/<prompt>/remove", methods=["GET", "POST"])
def remove(prompt: str) -> Drawing:
    """Confirmed first: a recording cannot be brought back. What a line needs stays."""
    item = _found(prompt)
    if not item.own:
        abort(404)
    users = [use.label for use in item.used if use.href != "/blocking"]
    if users and not item.standard:
        flash.wrong(
            _("“%(name)s” cannot be deleted. It is used by %(lines)s.", name=item.name, lines=phrases.several(users)),
            _("Replace it, or choose another there first."),
        )
        return redirect(url_for("announcements.one", prompt=prompt), 303)
    if request.method == "GET":
        return render_template("hours/prompt_remove.html", item=item)
    recordings.remember(prompt, None)
    here.control().ask("prompt.remove", {"id": prompt}, here.who())
    here.audit("prompt.remove", {"id": prompt, "name": item.name, "text": item.text}, {})
    if item.standard:
        flash.done(_("The spoken standard text is back."))
        return redirect(url_for("announcements.one", prompt=prompt), 303)
    flash.done(_("“%(name)s” is removed.", name=item.name))
    return redirect(url_for("announcements.index"), 303)


def forget_uploads(places: Places) -> None:
    """At the start: what a process before us left when it was ended in the middle of an upload."""
    recordings.sweep(places)


def _found(prompt: str) -> Prompt:
    item = next((one for one in recordings.listed() if one.id == prompt), None)
    if item is None:
        abort(404)
    return item


def _kept(prompt: str, name: str, text: str, language: str) -> None:
    """The record beside the sound: a name of its own, a text that was spoken. Raises ControlError."""
    wanted: dict[str, object] = {"id": prompt, "name": name, "text": text, "language": language}
    recordings.remember(prompt, wanted if name or text else None)


def _typed() -> tuple[str, str]:
    text = " ".join(request.form.get("text", "").split())
    language = request.form.get("language", "")
    return text, language if language in LANGUAGES else here.office().language


def _name_faults(name: str) -> dict[str, str]:
    if not name:
        return {"name": _("Give it a name.")}
    if any(prompt.name.casefold() == name.casefold() for prompt in recordings.listed()):
        return {"name": _("There is an announcement of this name already.")}
    return {}


def _draw(item: Prompt, errors: dict[str, str] | None = None, typed: Mapping[str, str] | None = None) -> str:
    standard = standard_text(item.id, here.office().language)
    typed = typed or {}
    text = typed.get("text") or item.text or standard
    language = typed.get("language") or item.language or here.office().language
    languages = [] if item.own else [(code, forms.label_of(LANGUAGES[code])) for code in recordings.languages()]
    return render_template(
        "hours/prompt.html", item=item, file=_file(errors or {}), speaking=_speaking(text, language, errors or {}),
        languages=languages, naming=[] if item.standard else _name({"name": item.name, **typed}, errors or {}),
        said=item.text or ("" if item.own else standard),
    )  # fmt: skip


def _draw_new(errors: dict[str, str], typed: Mapping[str, str]) -> str:
    speaking = _speaking(typed.get("text", ""), typed.get("language") or here.office().language, errors)
    return render_template("hours/prompt_new.html", fields=[*_name(typed, errors), _file(errors), *speaking])


def _name(typed: Mapping[str, str], errors: dict[str, str]) -> list[Drawn]:
    """The field for a name of its own."""
    drawn = forms.draw(ANNOUNCEMENTS.fields, typed, errors, only=["name"])
    drawn[0].required, drawn[0].help = True, _("What colleagues call it, such as “Summer holidays”.")
    return drawn


def _file(errors: dict[str, str]) -> Drawn:
    """The field for a file."""
    words = _("A wav or mp3 file of at most 5 MB and 5 minutes. We bring it to the loudness of a telephone.")
    return Drawn("file", "file", "file", _("Sound file"), words, "", errors.get("file", ""))


def _speaking(text: str, language: str, errors: dict[str, str]) -> list[Drawn]:
    """The fields for a text and its language."""
    values = {"text": text, "language": language}
    options = [(code, forms.label_of(name)) for code, name in LANGUAGES.items()]
    drawn = forms.draw(ANNOUNCEMENTS.fields, values, errors, {"language": options}, ["text", "language"])
    drawn[0].kind, drawn[0].help = "lines", _("At most 1000 characters. Write numbers as they are said.")
    return drawn
