"""Answers by mail: the mailbox that is read, and a try that shows its server's own words."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from appliance.settings.schema import MAILBOX
from webui import flash, forms, here
from webui.pages import box, saving
from webui.pages.box import Said
from webui.words import error_words

page = Blueprint("mailbox", __name__)

ONLY = tuple(one.name for one in MAILBOX.fields)


@page.route("/box/answers", methods=["GET", "POST"])
def answers() -> Response | str | tuple[str, int]:
    """The settings of the mailbox."""
    held = here.control().section("mailbox")
    fields, others, test, code = forms.draw(MAILBOX.fields, held["doc"], only=ONLY), [], None, 200
    if request.method == "POST" and request.form.get("do") == "test":
        fields = forms.draw(MAILBOX.fields, saving.merged(held, MAILBOX, ONLY), only=ONLY)
        test = _test()
        here.audit("mailbox.test", {}, {"ok": test.ok})
    elif request.method == "POST":
        outcome = saving.put("mailbox", MAILBOX, ONLY)
        if outcome.ok:
            flash.done(_("Saved."), _("Answers are read from now on.") if outcome.item.get("enabled") else "")
            return redirect(url_for("mailbox.answers"), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    on = (
        _("An answer to a mail goes to the phone as SMS.") if held["doc"].get("enabled") else _("Answers are not read.")
    )
    return render_template(
        "box/answers.html", fields=fields, others=others, test=test, tabs=box.tabs("answers"), answer=on
    ), code


def _test() -> Said:
    """Try the settings as they stand in the form."""
    doc = forms.sent(MAILBOX.fields, ONLY)
    try:
        result = here.control().ask("mailbox.test", doc, here.who())
    except ControlError as error:
        return Said(False, error_words(error), [])
    lines = result.get("said")
    said = [str(line) for line in lines][:40] if isinstance(lines, list) else []
    return Said(bool(result.get("ok")), str(result.get("error") or ""), said)
