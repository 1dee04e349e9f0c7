"""Lines: which numbers do we have, do they work? One line: State, Incoming, Messages, Modem. New ones, and away.

A new line takes a modem that the exchange sees and no other line has; its speech port stands beside its command port.
What only a trunk has is in `pages.trunks`.
"""

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.errors import ControlError
from appliance.settings.schema import LINES, OUTGOING, PEOPLE, SMS_RULES
from appliance.settings.trunks import NEEDED
from webui import flash, forms, heartbeats, here, line_care, reading, recordings
from webui.control import LineView
from webui.forms import Drawn, Options
from webui.pages import fresh, saving
from webui.words import error_words

page = Blueprint("lines", __name__)


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of one line: which fields its form has. `kind`: of lines that have it, "" for all; others are left out,
    or shown in grey where `why` says what they cannot do."""

    name: str
    label: object
    fields: tuple[str, ...]
    kind: str = ""
    why: object = ""


NO_MESSAGES = _l("A trunk carries calls, and no messages.")
NO_SIM = _l("Only a SIM card has this.")


TABS = (
    Tab("state", _l("State"), ()),
    Tab("incoming", _l("Incoming"), (
        "label", "number", "mode", "forward_to", "scheme", "group", "offline", "offline_to", "no_answer",
        "no_answer_to", "closed", "closed_prompt", "closed_to", "refuse", "refuse_to", "language", "blocked",
        "withheld", "unavailable", "strangers", "night", "timezone",
    )),
    Tab("heard", _l("What is heard"), (
        "welcome", "first_greeting", "first_withheld", "whisper", "whisper_prompt", "record", "record_notice", "music",
    )),
    Tab("messages", _l("Messages"), (
        "sms_mail", "sms_to", "sms_out", "sms_report", "sms_premium", "sms_national", "sms_again", "sms_gap",
        "sms_per_hour", "sms_per_day", "sms_never", "sms_keep_days", "heartbeat", "heartbeat_at", "heartbeat_to",
    ), "gsm", NO_MESSAGES),
    Tab("out", _l("Calling out"), (
        "outgoing", "presents", "cap_day_minutes", "cap_month_minutes", "cap_night_minutes", "cap_day_money",
        "cap_month_money", "cap_night_money", "dial_form", "dial_prefix",
    )),
    Tab("prices", _l("Prices"), ()),
    Tab("credit", _l("Credit and codes"), (), "gsm", NO_SIM),
    Tab("backup", _l("Backup number"), (), "gsm", NO_SIM),
    Tab("modem", _l("Modem"), (
        "enabled", "device", "pcm_device", "pin", "country", "imei", "call_waiting", "power", "power_port",
        "audio", "alsa_device",
    ), "gsm"),
    Tab("provider", _l("Provider"), (
        "enabled", "sip_host", "sip_register", "sip_user", "sip_password", "sip_transport", "sip_channels", "country",
        "sip_port", "sip_proxy", "sip_auth_user", "sip_realm", "sip_expires", "sip_peers", "sip_srtp", "sip_verify",
        "sip_authority", "sip_ping", "sip_early", "number_from", "caller_from", "present_as",
    ), "sip"),
)  # fmt: skip


NEW = ("label", "number", "device", "pcm_device", "group", "pin")
NEW_TRUNK = (
    "label", "number", "sip_host", "sip_register", "sip_user", "sip_password", "sip_transport", "sip_channels", "group",
)  # fmt: skip
HEARD = ("welcome", "first_greeting", "whisper_prompt")
TO = ("offline_to", "no_answer_to", "closed_to", "refuse_to")  # what an action needs
AT, PCM = "-at", "-pcm"  # how our udev rules end the names of the two ports of a modem


@page.get("/lines")
def index() -> str:
    """All lines."""
    held = here.section("lines")
    items = forms.items_of(held["doc"]) if held else []
    state = here.status() or {}
    views: dict[str, LineView] = {line.get("id", ""): line for line in state.get("lines", [])}
    works = sum(1 for view in views.values() if view.get("usable"))
    if not items:
        answer = _("There is no line yet.")
    elif works == len(items):
        answer = ngettext("%(num)s line, and it works.", "%(num)s lines, and all work.", works)
    elif not works:
        answer = _("No line works now.")
    else:
        answer = _("%(works)d of %(all)d lines work.", works=works, all=len(items))
    groups = dict(group_choices())
    schemes = [(str(one.get("id")), str(one.get("name"))) for one in _items("schemes")]
    return render_template("lines/list.html", items=items, views=views, answer=answer, groups=groups, schemes=schemes)


@page.route("/lines/<line_id>", methods=["GET"])
def one(line_id: str) -> str:
    """The state of a line."""
    item = item_of(line_id)
    return render_template(
        "lines/state.html",
        item=item,
        view=view_of(line_id),
        tabs=tabs_of(line_id, "state"),
        groups=dict(group_choices()),
        care=line_care.of(line_id),
        testing=(here.status() or {}).get("self_tests", {}).get(line_id, ""),
        tested=reading.self_test(line_id),
    )


@page.post("/lines/<line_id>/selftest")
def self_test(line_id: str) -> Response:
    """Begin the test of a line's speech; its verdict is on the page some seconds later."""
    args: dict[str, object] = {
        "line": line_id, "number": request.form.get("number", ""), "loop": request.form.get("loop") == "1",
    }  # fmt: skip
    try:
        here.control().ask("line.selftest", args, here.who())
    except ControlError as error:
        flash.wrong(_("The test did not begin."), error_words(error))
    else:
        flash.done(_("The test has begun."), _("Its result is here in a moment; look again."))
    return redirect(url_for("lines.one", line_id=line_id), 303)


@page.route("/lines/<line_id>/<tab>", methods=["GET", "POST"])
def form(line_id: str, tab: str) -> Response | str | tuple[str, int]:
    """A form of a line."""
    item = item_of(line_id)
    which = next((t for t in TABS if t.name == tab and t.fields and t.kind in ("", item.get("kind", "gsm"))), None)
    if which is None:
        abort(404)
    announcements = recordings.everything()
    choices: dict[str, Options] = {
        "group": [("", _("Nobody")), *group_choices()], "closed_prompt": _prompts(item),
        "scheme": [("", _("None: the group, within the hours")),
                   *((str(one.get("id")), str(one.get("name"))) for one in _items("schemes"))],
        **{name: [("", _("None")), *announcements] for name in HEARD},
        "music": announcements,
        "heartbeat_to": [("", _("To itself")), *((i, n) for i, n in line_choices("gsm") if i != line_id)],
    }  # fmt: skip
    fields, others, code = forms.draw(LINES.fields, item, None, choices, which.fields), [], 200
    if request.method == "POST":
        outcome = saving.put_item("lines", LINES, line_id, which.fields, choices)
        if outcome.ok:
            flash.done(_("Saved."), _("The line follows the new settings; a call in progress ends first."))
            return redirect(url_for("lines.form", line_id=line_id, tab=tab), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    _suggest(fields)
    _mark(fields, item)
    return render_template(
        "lines/form.html", item=item, view=view_of(line_id), tabs=tabs_of(line_id, tab), fields=fields, others=others,
        which=which, beat=heartbeats.words(line_id) if which.name == "messages" else None,
    ), code  # fmt: skip


@page.route("/lines/new", methods=["GET", "POST"])
def new() -> Response | str | tuple[str, int]:
    """A SIM line on a modem that was found, or on a port that is typed; with ?kind=sip a trunk."""
    kind = "sip" if request.args.get("kind") == "sip" else "gsm"
    only, begins = {"gsm": (NEW, _("The modem starts; it takes up to a minute until it has its network.")),
                    "sip": (NEW_TRUNK, _("It signs in at the provider now."))}[kind]  # fmt: skip
    if request.method == "POST":
        outcome = create(only, kind)
        if outcome.ok:
            flash.done(_("The line is there."), begins)
            return redirect(url_for("lines.one", line_id=outcome.item["id"]), 303)
        fields, others, code = outcome.fields, outcome.others, 422
    else:
        fields, others, code = fresh_fields(only), [], 200
    _mark(fields, {"kind": kind})
    return render_template("lines/new.html", kind=kind, found=found(), fields=fields, others=others), code


def fresh_fields(only: tuple[str, ...]) -> list[Drawn]:
    """The form of a new line, with the first modem that no line has."""
    device = next((path for path, owner in found() if not owner and path.endswith(AT)), "")
    groups = group_choices()
    values = {"device": device, "pcm_device": _speech_port(device), "group": groups[0][0] if groups else ""}
    fields = forms.draw(LINES.fields, values, None, {"group": [("", _("Nobody")), *groups]}, only)
    _suggest(fields)
    return fields


def create(only: tuple[str, ...], kind: str = "gsm") -> saving.Outcome:
    """Store a new line from the form. Its id was never used: what the journal says of lines that are gone stays true.
    Raises ControlError."""
    taken = {str(item.get("id")) for item in _items("lines")} | reading.lines_known()
    line_id = next(f"{kind}{n}" for n in range(1000) if f"{kind}{n}" not in taken)
    device = request.form.get("device", "").strip()
    extra: dict[str, object] = {"kind": kind}
    if kind == "gsm" and not request.form.get("pcm_device", "").strip():
        extra["pcm_device"] = _speech_port(device)
    choices: dict[str, Options] = {"group": [("", _("Nobody")), *group_choices()]}
    extra |= fresh.line()
    outcome = saving.put_item("lines", LINES, line_id, only, choices, extra)
    _suggest(outcome.fields)
    return outcome


def ports(kind: str = "ports") -> list[str]:
    """Ports of modems that the exchange sees, or its sound cards ("cards"); none while it does not answer."""
    try:
        listed = here.control().ask("devices").get(kind)
    except ControlError:
        return []
    return [str(path) for path in listed] if isinstance(listed, list) else []


def found() -> list[tuple[str, str]]:
    """Command ports with the name of the line that has each, if one has. Speech ports of ours are not shown."""
    owners = {str(item.get("device")): str(item.get("label")) for item in _items("lines")}
    return [(path, owners.get(path, "")) for path in ports() if not path.endswith(PCM)]


def _speech_port(device: str) -> str:
    """The port beside a command port of ours, if it is there."""
    beside = device.removesuffix(AT) + PCM
    return beside if device.endswith(AT) and beside in ports() else ""


def _suggest(fields: list[Drawn]) -> None:
    """Offer what is plugged in, and what an ending can lead to."""
    if any(field.name in TO for field in fields):
        ends = [str(one.get("id")) for one in _items("mailboxes")] + [name for name, _name in recordings.everything()]
        for field in fields:
            field.suggestions = ends if field.name in TO else field.suggestions
    if any(field.name in {"device", "pcm_device"} for field in fields):
        listed = ports()
        for field in fields:
            if field.name == "device":
                field.suggestions = [path for path in listed if not path.endswith(PCM)]
            elif field.name == "pcm_device":
                field.suggestions = [path for path in listed if not path.endswith(AT)]
            elif field.name == "alsa_device":
                field.suggestions = ports("cards")


def _mark(fields: list[Drawn], item: dict[str, object]) -> None:
    """Show what a line of this kind cannot do without."""
    for field in fields:
        field.required = field.required or field.name in NEEDED[str(item.get("kind") or "gsm")]


@page.route("/lines/<line_id>/remove", methods=["GET", "POST"])
def remove(line_id: str) -> Response | str:
    """Confirmed first, with what else changes: who calls out on it, and the rules that name it."""
    item = item_of(line_id)
    people = [str(p.get("name")) for p in _items("people") if p.get("outgoing_line") == line_id]
    rules = [rule for rule in _items("outgoing") if line_id in _listed(rule)]
    if request.method == "GET":
        alone = sum(1 for rule in rules if _listed(rule) == [line_id])
        return render_template("lines/remove.html", item=item, people=people, rules=len(rules), alone=alone)
    _leave(line_id)
    problem = saving.drop_item("lines", LINES, line_id).problem
    if problem:
        flash.wrong(_("The line stays."), problem)
        return redirect(url_for("lines.one", line_id=line_id), 303)
    flash.done(_("“%(name)s” is removed.", name=item.get("label", "")), _("Its past calls and messages stay."))
    return redirect(url_for("lines.index"), 303)


def _leave(line_id: str) -> None:
    """Take a line out of what names it; a rule without lines goes. Raises ControlError."""
    held = here.control().section("calling")
    if held["doc"].get("default_line") == line_id:
        here.control().put("calling", held["version"], {**held["doc"], "default_line": ""}, here.who())
    for section in (PEOPLE, OUTGOING, SMS_RULES):
        held = here.control().section(section.name)
        items = forms.items_of(held["doc"])
        changed: list[dict[str, object]] = []
        for one in items:
            if section is PEOPLE:
                changed.append({**one, "outgoing_line": ""} if one.get("outgoing_line") == line_id else one)
            elif section is SMS_RULES:
                changed += [one] if one.get("line") != line_id else []
            elif rest := [name for name in _listed(one) if name != line_id]:
                changed.append({**one, "lines": rest})
        if changed != items:
            here.control().put(section.name, held["version"], {"items": changed}, here.who())
            here.audit(f"settings.{section.name}", {}, {"without": line_id})


def _listed(rule: dict[str, object]) -> list[str]:
    lines = rule.get("lines")
    return [str(one) for one in lines] if isinstance(lines, list) else []


def _prompts(item: dict[str, object]) -> Options:
    """The announcements there are, and the one the line has."""
    known = recordings.choices()
    held = str(item.get("closed_prompt") or "closed")
    return known if held in dict(known) else [*known, (held, held)]


def group_choices() -> list[tuple[str, str]]:
    """Groups as options: id and name."""
    return [(str(g.get("id")), str(g.get("name"))) for g in _items("groups")]


def _items(name: str) -> list[dict[str, object]]:
    held = here.section(name)
    return forms.items_of(held["doc"]) if held else []


def line_choices(kind: str = "") -> list[tuple[str, str]]:
    """Lines as options: id and name; all, or those of a kind."""
    found = [one for one in _items("lines") if kind in ("", one.get("kind", "gsm"))]
    return [(str(one.get("id")), str(one.get("label"))) for one in found]


def item_of(line_id: str) -> dict[str, object]:
    """The settings of a line; 404 when there is none."""
    held = here.control().section("lines")
    found = next((one for one in forms.items_of(held["doc"]) if one.get("id") == line_id), None)
    if found is None:
        abort(404)
    return found


def view_of(line_id: str) -> LineView:
    """A line's state."""
    state = here.status() or {}
    return next((line for line in state.get("lines", []) if line.get("id") == line_id), LineView(id=line_id, state=""))


def tabs_of(line_id: str, current: str) -> list[dict[str, object]]:
    """The pages of a line; in grey what its kind cannot do."""
    kind = next((str(one.get("kind") or "gsm") for one in _items("lines") if one.get("id") == line_id), "gsm")
    listed = [t for t in TABS if t.kind in ("", kind)]
    listed.sort(key=lambda t: t.name not in ("state", "provider"))  # what a trunk is asked first
    pages: list[dict[str, object]] = [
        {"href": f"/lines/{line_id}" if t.name == "state" else f"/lines/{line_id}/{t.name}", "label": t.label,
         "here": t.name == current}
        for t in listed
    ]  # fmt: skip
    if kind == "gsm":
        pages.append({"href": f"/lines/{line_id}/rules", "label": _("Rules"), "here": current == "rules"})
    pages.append({"href": f"/hours?line={line_id}", "label": _("Hours"), "here": False})
    return [*pages, *({"label": t.label, "why": t.why} for t in TABS if t.why and t not in listed)]
