"""Calls: who called, what came of it? One call: why did it go this way?"""

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from webui import blocked, here, i18n, phrases, reading, traces
from webui.looks import Look
from webui.words import CAUSES, sentence

page = Blueprint("calls", __name__)

ICONS = {
    "in": Look("", "ok", icon="phone-incoming"), "out": Look("", "accent", icon="phone-outgoing"),
    "internal": Look("", "accent", icon="phone"), "missed": Look("", "bad", icon="phone-missed"),
    "blocked": Look("", "muted", icon="ban"), "closed": Look("", "night", icon="moon"),
    "failed": Look("", "warn", icon="phone-off"),
}  # fmt: skip


@page.get("/calls")
def index() -> str:
    """The list with its filters; `open` names the row that is open."""
    wanted = reading.Wanted(
        request.args.get("tab", "all")[:10], request.args.get("q", "").strip()[:60], request.args.get("line", "")[:31],
        request.args.get("dir", "")[:10], request.args.get("days", "")[:3], request.args.get("before", "")[:40],
    )  # fmt: skip
    rows, older = reading.calls(wanted)
    opened = request.args.get("open", "")[:60]
    counts = reading.today()
    if counts.came or counts.out:
        answer = _("Today: %(came)d came in, %(out)d went out.", came=counts.came, out=counts.out) + " "
        answer += ngettext("%(num)s was missed.", "%(num)s were missed.", counts.missed)
    else:
        answer = _("No calls today yet.")
    filtered = bool(wanted.query or wanted.line or wanted.direction or wanted.days)
    return render_template(
        "calls/list.html", rows=[draw(row) for row in rows], older=older, wanted=wanted, opened=opened, answer=answer,
        filtered=filtered, lines=line_names(), link=_link, tabs=_tabs(wanted),
    )  # fmt: skip


@page.get("/calls/<call_id>")
def one(call_id: str) -> str:
    """One call with its trace; with htmx only the detail row for the list."""
    row = reading.call(call_id)
    if row is None:
        abort(404)
    template = "calls/detail_row.html" if request.headers.get("HX-Request") else "calls/one.html"
    return render_template(template, c=draw(row))


def draw(row: reading.Call) -> dict[str, object]:
    """A row as the templates draw it."""
    state = row.state
    out = row.direction != "in"
    number, kind = (row.called, row.called_kind) if out else (row.caller, row.caller_kind)
    name = row.caller_name if not out else ""
    shown = phrases.caller(number, kind) if kind != "internal" else number
    return {
        "id": row.id, "state": state, "look": ICONS[state], "who": name or shown, "number": shown if name else "",
        "raw": number, "kind": kind, "can_block": not out and kind in {"e164", "short", "withheld", "unavailable"},
        "can_call": kind in {"e164", "short", "internal"},
        "pattern": number if kind in {"e164", "short"} else kind, "word": _direction(state),
        "line": line_names().get(row.line, row.line), "line_id": row.line, "result": result(row),
        "talk_ms": row.talk_ms,
        "ring_ms": row.ring_ms, "started_at": row.started_at, "ended_at": row.ended_at, "direction": row.direction,
        "caller": row.caller, "trace": traces.draw(row.trace), "legs": [_leg(leg) for leg in row.legs],
        "blocked": not out and blocked.exactly(number if kind in {"e164", "short"} else kind),
    }  # fmt: skip


def result(row: reading.Call) -> str:
    """What happened, in a sentence."""
    names = people_names()
    who = names.get(row.answered_by, row.answered_by)
    state = row.state
    if state == "in":
        return str(_("Answered by %(who)s after %(time)s", who=who, time=i18n.span(row.ring_ms)))
    if state == "out":
        return str(_("%(who)s called, answered", who=names.get(row.caller, row.caller)))
    if state == "internal":
        return str(_("%(who)s answered", who=who))
    if state == "failed":
        who = names.get(row.caller, row.caller)
        return str(_("%(who)s called: %(cause)s", who=who, cause=cause_words(row.cause)))
    if state == "missed":
        if row.answered_by == "announcement":
            return str(_("Nobody answered; the caller heard the announcement"))
        if row.cause == "by-hand":
            return cause_words(row.cause)
        if row.cause == "cancelled" and row.ring_ms:
            return str(_("The caller hung up after %(time)s", time=i18n.span(row.ring_ms)))
        return (
            str(_("Nobody answered in %(time)s", time=i18n.span(row.ring_ms)))
            if row.ring_ms
            else cause_words(row.cause)
        )
    return cause_words(row.cause)


def cause_words(cause: str) -> str:
    """Why it ended."""
    return sentence(CAUSES, cause)


def line_names() -> dict[str, str]:
    """Label by id, of the lines there are."""
    state = here.status() or {}
    return {line.get("id", ""): line.get("label") or line.get("id", "") for line in state.get("lines", [])}


def people_names() -> dict[str, str]:
    """ "101 Anna" by extension."""
    state = here.status() or {}
    return {
        p.get("extension", ""): f"{p.get('extension', '')} {p.get('name', '')}".strip() for p in state.get("phones", [])
    }


def _leg(leg: dict[str, str]) -> str:
    number = str(leg.get("number", ""))
    return f"{people_names().get(number, i18n.phone(number))}: {cause_words(str(leg.get('cause', '')))}"


def _direction(state: str) -> str:
    words = {
        "in": _("Incoming"), "out": _("Outgoing"), "internal": _("Inside"), "missed": pgettext("one call", "Missed"),
        "blocked": pgettext("one call", "Blocked"), "closed": _("Closed"), "failed": _("Not reached"),
    }  # fmt: skip
    return str(words[state])


def _link(wanted: reading.Wanted, **change: str) -> str:
    """The address of the same list with something changed; empty parts are left out."""
    parts: dict[str, Any] = {
        "tab": wanted.tab if wanted.tab != "all" else "", "q": wanted.query, "line": wanted.line,
        "dir": wanted.direction, "days": wanted.days, "before": wanted.before, **change,
    }  # fmt: skip
    return url_for("calls.index", **{k: v for k, v in parts.items() if v})


def _tabs(wanted: reading.Wanted) -> list[dict[str, object]]:
    missed = int((here.status() or {}).get("counts", {}).get("missed", 0))
    names = (("all", _("All")), ("missed", _("Missed")), ("blocked", _("Blocked")))
    return [
        {
            "href": url_for("calls.index", tab=name if name != "all" else None),
            "label": label,
            "here": wanted.tab == name,
            "count": missed if name == "missed" else 0,
            "words": ngettext("%(num)s missed call", "%(num)s missed calls", missed),
        }
        for name, label in names
    ]


def _tab(name: str) -> str | None:
    """The first tab needs no word in the address."""
    return name if name != "all" else None
