"""Hours: are we open now? Week per line, closed days, night mode."""

from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from appliance.settings import closed_days
from appliance.settings.schema import HOURS, LINES
from webui import flash, forms, here, i18n, phrases, security
from webui.pages import saving

page = Blueprint("hours", __name__)

TABS = (
    ("index", _l("Week"), "/hours"),
    ("holidays", _l("Closed days"), "/hours/holidays"),
    ("night", _l("Night mode"), "/hours/night"),
    ("prompts", _l("Announcements"), "/hours/prompts"),
)
SPARE = 2  # empty rows to fill in

CLOSED_ONLY = ("always_open", "closed")


def tabs(current: str) -> list[dict[str, object]]:
    """The pages of Hours."""
    return [{"href": path, "label": label, "here": name == current} for name, label, path in TABS]


def answer() -> str:
    """Whether we are open, in one line."""
    state = here.status()
    return phrases.now_words(state) if state else str(_("The state is not known now."))


@page.route("/hours", methods=["GET", "POST"])
def index() -> Response | str | tuple[str, int]:
    """The week of one line: several ranges a day, also over midnight."""
    held = here.control().section("lines")
    items = forms.items_of(held["doc"])
    wanted = request.args.get("line") or request.form.get("line_id", "")
    item = next((one for one in items if one.get("id") == wanted), items[0] if items else None)
    if item is None:
        return render_template("hours/week.html", item=None, items=[], tabs=tabs("index"), answer=answer())
    errors: dict[str, str] = {}
    others: list[str] = []
    fields = forms.draw(LINES.fields, item, only=CLOSED_ONLY)
    ranges = _ranges(item)
    if request.method == "POST":
        ranges = forms.numbered_rows("ranges", ("day", "start", "end"))
        outcome = saving.put_item("lines", LINES, str(item["id"]), CLOSED_ONLY, extra={"ranges": ranges})
        if outcome.ok:
            flash.done(_("Saved."), answer_after(ranges))
            return redirect(url_for("hours.index", line=item["id"]), 303)
        errors, others, fields = outcome.errors, outcome.others, outcome.fields
        others = [text for text in others if not text.startswith("ranges.")]
    by_day = _by_day(ranges)
    labels = [phrases.day_words(number, ranges, bool(item.get("always_open"))) for number in range(7)]
    drawn = render_template(
        "hours/week.html", item=item, items=items, tabs=tabs("index"), answer=answer(), ranges=ranges, errors=errors,
        others=others, fields=fields, spare=SPARE, weekdays=range(7), back=phrases.ranges_words(ranges), by_day=by_day,
        labels=labels,
    )  # fmt: skip
    return (drawn, 422) if errors or others else drawn


def answer_after(ranges: list[dict[str, object]]) -> str:
    """The saved week read back."""
    text = phrases.ranges_words(ranges)
    return (
        "; ".join(text) + "."
        if text
        else str(_("No open hours: this line is closed all week unless it is open around the clock."))
    )


def _ranges(item: dict[str, object]) -> list[dict[str, object]]:
    rows = item.get("ranges")
    return (
        sorted((dict(r) for r in rows if isinstance(r, dict)), key=lambda r: (str(r.get("day")), str(r.get("start"))))
        if isinstance(rows, list)
        else []
    )


def _minutes(text: object) -> int:
    hours, _colon, minutes = str(text).partition(":")
    return int(hours) * 60 + int(minutes) if hours.isdigit() and minutes.isdigit() else 0


def _by_day(ranges: list[dict[str, object]]) -> list[list[tuple[int, int]]]:
    """Per day the open stretches in minutes, those over midnight cut in two, for the drawn week."""
    days: list[list[tuple[int, int]]] = [[] for _day in range(7)]
    for row in ranges:
        if not (str(row.get("day")).isdigit() and row.get("start") and row.get("end")) or int(str(row["day"])) > 6:
            continue
        day, start, end = int(str(row["day"])), _minutes(row.get("start")), _minutes(row.get("end"))
        if end > start:
            days[day].append((start, end))
        else:
            days[day].append((start, 1440))
            if end:
                days[(day + 1) % 7].append((0, end))
    return days


@page.route("/hours/holidays", methods=["GET", "POST"])
def holidays() -> Response | str | tuple[str, int]:
    """Closed days: once or every year."""
    held = here.control().section("hours")
    rows = held["doc"].get("holidays")
    days: list[dict[str, object]] = [dict(d) for d in rows if isinstance(d, dict)] if isinstance(rows, list) else []
    errors: dict[str, str] = {}
    others: list[str] = []
    if request.method == "POST":
        days = forms.numbered_rows("holidays", ("day", "name", "yearly"))
        for day in days:
            day["yearly"] = bool(day.get("yearly"))
        outcome = saving.put("hours", HOURS, (), {"holidays": days})
        if outcome.ok:
            flash.done(_("Saved."), _("On these days all lines with hours are closed."))
            return redirect(url_for("hours.holidays"), 303)
        errors, others = outcome.errors, [t for t in outcome.others if not t.startswith("holidays.")]
    days = sorted(days, key=lambda d: str(d.get("day"))) if not errors else days
    drawn = render_template(
        "hours/holidays.html",
        days=days,
        spare=SPARE,
        errors=errors,
        others=others,
        tabs=tabs("holidays"),
        answer=_closed_answer(days),
    )
    return (drawn, 422) if errors or others else drawn


@page.post("/hours/holidays/calendar")
@security.takes_uploads
def calendar() -> Response:
    """The closed days of a calendar file (iCal) join those that are there; the same day stays once."""
    problem = _take_calendar()
    if problem:
        flash.wrong(_("Nothing was changed."), problem)
    return redirect(url_for("hours.holidays"), 303)


def _take_calendar() -> str:
    """What is wrong, in words, or nothing. Days that have passed are left out. Raises CSRFError, ControlError."""
    try:
        security.take_upload()
        sent = request.files.get("file")
        octets = sent.stream.read(closed_days.LARGEST + 1) if sent else b""
        if sent:
            sent.close()
    except RequestEntityTooLarge:
        octets = b" " * (closed_days.LARGEST + 1)
    if len(octets) > closed_days.LARGEST:
        return str(_("This calendar is too big: at most 1 MB."))
    found = closed_days.closed_days(octets)
    if not found.calendar:
        return str(_("This is no calendar file. Save it as iCal (its name ends in .ics)."))
    held = here.control().section("hours")
    rows = held["doc"].get("holidays")
    days: list[dict[str, object]] = [dict(d) for d in rows if isinstance(d, dict)] if isinstance(rows, list) else []
    today, known = here.local_now().date(), {(str(d.get("day")), bool(d.get("yearly"))) for d in days}
    fresh = [
        {"day": one.day.isoformat(), "name": one.name, "yearly": one.yearly}
        for one in found.days
        if (one.yearly or one.day >= today) and (one.day.isoformat(), one.yearly) not in known
    ]
    outcome = saving.put("hours", HOURS, (), {"holidays": [*days, *fresh]}) if fresh else None
    if outcome and not outcome.ok:
        return " ".join(dict.fromkeys([*outcome.errors.values(), *outcome.others]))
    text = _("%(n)d events close nothing and were left out: they have a time of day, are cancelled or too long.",
             n=found.left_out) if found.left_out else ""  # fmt: skip
    once = _("Of %(n)d events that repeat in another way only the first time was taken.", n=found.partly)
    flash.done(
        ngettext("%(num)s closed day was added.", "%(num)s closed days were added.", len(fresh)),
        " ".join(str(part) for part in (text, once if found.partly else "") if part),
    )
    return ""


def _closed_answer(days: list[dict[str, object]]) -> str:
    """Which closed day is next; those of every year count from their day of this year or the next."""
    today = here.local_now().date()
    coming: list[date] = []
    for row in days:
        try:
            day = date.fromisoformat(str(row.get("day")))
            if row.get("yearly"):
                day = day.replace(year=today.year)
                day = day if day >= today else day.replace(year=today.year + 1)
        except ValueError:
            continue
        coming += [day] if day >= today else []
    if not coming:
        return str(_("No closed day is ahead."))
    return str(_("Next closed day: %(day)s.", day=i18n.day(min(coming))))


@page.get("/hours/night")
def night() -> str:
    """The night switch and the lines that follow it."""
    held = here.section("lines")
    items = forms.items_of(held["doc"]) if held else []
    return render_template("hours/night.html", items=items, tabs=tabs("night"), answer=answer())
