"""What a SIM has and what the network does for it: credit and codes, and the backup number. Two pages of a line.

What the network answers to a code is shown once, from the session of the person who asked; nothing of it is stored.
"""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.core.credit import minor, runs_out
from appliance.errors import ControlError
from appliance.journal.sims import LineFact, Reading, facts, readings
from appliance.journal.times import moment
from appliance.settings.operators import Preset, preset, presets
from appliance.settings.schema import LINES
from appliance.settings.sims import wish_of
from webui import flash, forms, here, i18n, prices
from webui.pages import saving
from webui.pages.lines import item_of, tabs_of, view_of
from webui.plots import plot
from webui.words import error_words

page = Blueprint("sims", __name__)

CREDIT = (
    "balance_code", "currency", "balance_low", "topup", "topup_code", "vouchers", "topup_daily", "balance_pattern",
    "balance_days", "balance_sender", "renewal_cost", "renewal_day", "topup_url", "topup_secret",
)  # fmt: skip
BACKUP = (
    "backup_number", "forward_unreachable", "forward_busy", "forward_no_answer", "forward_seconds", "forward_all",
)  # fmt: skip
REASONS = {
    "unreachable": _l("The SIM cannot be reached"), "busy": _l("The line is busy"),
    "no-answer": _l("Nobody answers"), "all": _l("Always"),
}  # fmt: skip
LONGEST_SHOWN = 1500


@page.route("/lines/<line_id>/credit", methods=["GET", "POST"])
def credit(line_id: str) -> Response | str | tuple[str, int]:
    """The balance, a code for the operator, and how both are watched."""
    item = item_of(line_id)
    chosen = preset(request.args.get("operator", ""))
    values = {**item, **(chosen.values() if chosen else {})}
    fields, others, code = forms.draw(LINES.fields, values, None, None, CREDIT), [], 200
    if request.method == "POST":
        outcome = saving.put_item("lines", LINES, line_id, CREDIT)
        if outcome.ok:
            nightly = _("The balance is asked every night, at a minute of this line.")
            flash.done(_("Saved."), nightly if outcome.item.get("balance_code") else "")
            return redirect(url_for("sims.credit", line_id=line_id), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    series = _series(line_id, str(view_of(line_id).get("facts", {}).get("iccid", "")))
    last = series[-1] if series else None
    ends = runs_out([(moment(one.at), one.amount) for one in series])
    return render_template(
        "lines/credit.html", item=item, view=view_of(line_id), tabs=tabs_of(line_id, "credit"), fields=fields,
        others=others, series=list(reversed(series))[:30], last=last, plot=plot(series, _low(item)), low=_low(item),
        ends=ends, money=i18n.money, said=session.pop("ussd", None), presets=_presets(item), chosen=chosen,
        used=_used(line_id),
    ), code  # fmt: skip


@page.post("/lines/<line_id>/credit/read")
def read(line_id: str) -> Response:
    """Ask for the balance now."""
    item_of(line_id)
    try:
        answer = here.control().ask("credit.read", {"line": line_id}, here.who())
    except ControlError as error:
        flash.wrong(_("The balance was not read."), error_words(error))
    else:
        said = str(answer.get("text") or "")[:LONGEST_SHOWN]
        if answer.get("amount") is None:
            flash.wrong(_("The answer has no amount that we understand."), said)
        else:
            flash.done(_("The balance was read."), said)
    return redirect(url_for("sims.credit", line_id=line_id), 303)


@page.post("/lines/<line_id>/codes")
def codes(line_id: str) -> Response:
    """Send a code, or answer the operator's menu."""
    item_of(line_id)
    answers = "answer" in request.form
    verb, name = ("ussd.answer", "text") if answers else ("ussd.send", "code")
    words = request.form.get("answer" if answers else "code", "").strip()[:160]
    try:
        if request.form.get("leave"):
            here.control().ask("ussd.cancel", {"line": line_id}, here.who())
        else:
            said = here.control().ask(verb, {"line": line_id, name: words}, here.who())
            session["ussd"] = {"text": str(said.get("text") or "")[:LONGEST_SHOWN], "more": bool(said.get("more"))}
            here.audit("ussd", {}, {"line": line_id})
            if said.get("forwards"):
                flash.done(_("This code changes where the network sends callers."), _("Look at the backup number."))
    except ControlError as error:
        flash.wrong(_("The operator gave no answer."), error_words(error))
    return redirect(url_for("sims.credit", line_id=line_id, _anchor="codes"), 303)


@page.route("/lines/<line_id>/backup", methods=["GET", "POST"])
def backup(line_id: str) -> Response | str | tuple[str, int]:
    """Where the network sends callers when the box cannot take them."""
    item = item_of(line_id)
    fields, others, code = forms.draw(LINES.fields, item, None, None, BACKUP), [], 200
    if request.method == "POST":
        outcome = saving.put_item("lines", LINES, line_id, BACKUP)
        if outcome.ok:
            flash.done(_("Saved."), _("The network is told as soon as the line is free, and asked whether it holds."))
            return redirect(url_for("sims.backup", line_id=line_id), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    known = _fact(line_id, "forwarding")
    return render_template(
        "lines/backup.html", item=item, view=view_of(line_id), tabs=tabs_of(line_id, "backup"), fields=fields,
        others=others, rows=_rows(item, known), verdict=_state(item, known),
        cost=prices.minute_words(item, str(item.get("backup_number") or "")),
    ), code  # fmt: skip


@page.post("/lines/<line_id>/backup/check")
def check(line_id: str) -> Response:
    """Ask the network now, and set what is not as wanted."""
    item_of(line_id)
    try:
        answer = here.control().ask("forwarding.check", {"line": line_id}, here.who())
    except ControlError as error:
        flash.wrong(_("The network did not say."), error_words(error))
    else:
        if answer.get("wrong"):
            flash.wrong(_("The network does not do what is wanted."), _("Ask your operator whether it is allowed."))
        elif answer.get("lost"):
            flash.done(_("It was lost in the network and was set again."))
        else:
            flash.done(_("Checked: the network does what is wanted."))
    return redirect(url_for("sims.backup", line_id=line_id), 303)


def _series(line_id: str, iccid: str) -> tuple[Reading, ...]:
    with here.store().open() as db:
        return readings(db, line_id, iccid)


def _fact(line_id: str, name: str) -> LineFact | None:
    with here.store().open() as db:
        return next((one for one in facts(db, (name,)) if one.line == line_id), None)


def _low(item: Mapping[str, object]) -> int:
    return minor(str(item.get("balance_low") or "")) or 0


def _presets(item: Mapping[str, object]) -> tuple[Preset, ...]:
    return presets(str(item.get("country") or here.office().country))


def _used(line_id: str) -> int:
    known = _fact(line_id, "credit-guard")
    used = known.value.get("used") if known and isinstance(known.value, Mapping) else None
    return len(used) if isinstance(used, list) else 0


def _rows(item: Mapping[str, object], known: LineFact | None) -> list[dict[str, object]]:
    """Reason by reason: what is wanted and what the network says."""
    value = known.value if known and isinstance(known.value, Mapping) else {}
    found = {str(one["reason"]): one for one in value.get("found") or [] if isinstance(one, Mapping)}
    wanted = {one.reason for one in wish_of(item).wanted()}  # type: ignore[arg-type]
    return [
        {"reason": name, "word": word, "wanted": name in wanted, "told": name in found,
         "number": str(found.get(name, {}).get("number") or ""), "seconds": found.get(name, {}).get("seconds") or 0,
         "wrong": name in (value.get("wrong") or [])}
        for name, word in REASONS.items()
    ]  # fmt: skip


def _state(item: Mapping[str, object], known: LineFact | None) -> tuple[str, str]:
    """The answer in one sentence, and its tone."""
    number, value = str(item.get("backup_number") or ""), known.value if known else None
    if not number:
        return _("No backup number: while the box is off, callers of this line reach nobody."), "warn"
    if known is None or not isinstance(value, Mapping) or value.get("number") != number:
        return _("Not set yet: the network is told as soon as the line is free."), "info"
    at = i18n.when(known.at)
    if value.get("wrong"):
        return _(
            "The network does not send callers to %(number)s. Checked %(at)s.", number=i18n.phone(number), at=at
        ), "bad"
    return _("Callers reach %(number)s when the box cannot take them: set, checked %(at)s.",
             number=i18n.phone(number), at=at), "ok"  # fmt: skip
