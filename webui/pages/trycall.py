"""Try a call: what would happen to it, and why. A GET, so that a result can be linked; nothing rings."""

from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from appliance.core.model import PHONES
from appliance.errors import ControlError
from webui import here, i18n, phrases, traces
from webui.control import Doc
from webui.pages.blocking import SEPARATORS
from webui.pages.calls import cause_words, line_names, people_names
from webui.words import error_words

page = Blueprint("trycall", __name__)
PLAIN = {  # steps that say all with their name; whose turn it is stands in the reasons
    "greet": _l("The caller hears a greeting."),
    "queue": _l("The caller waits with music until somebody is free."),
    "menu": _l("A menu asks the caller for a key."),
    "mailbox": _l("The caller can leave a message."),
    "responsible": _l("Who looks after the caller is asked for, and rung."),
    "screen": _l("The caller is asked to press a key."),
}


@page.get("/try")
def index() -> str:
    """The form, and under it the answer when one was asked for."""
    now = here.local_now()
    args = {
        "line": request.args.get("line", ""),
        "from": request.args.get("from", "")[:30], "to": request.args.get("to", "")[:30],
        "d": request.args.get("d", now.strftime("%Y-%m-%d"))[:10],
        "t": request.args.get("t", now.strftime("%H:%M"))[:5],
        "kind": request.args.get("kind", "number"),
        "nobody": request.args.get("nobody", "")[:1], "closed": request.args.get("closed", "")[:1],
    }  # fmt: skip
    if args["from"] in {"withheld", "unavailable"}:
        args["kind"], args["from"] = args["from"], ""
    answer, problem = "", ""
    steps: list[traces.Drawn] = []
    if request.args.get("line"):
        try:
            answer, steps = ask(args)
        except ControlError as error:
            problem = error_words(error)
        except ValueError:
            problem = _("Give the day as 2026-12-24 and the time as 17:59.")
    return render_template(
        "try.html", args=args, lines=line_names(), people=people_names(), answer=answer, steps=steps, problem=problem,
        phones=str(PHONES),
    )  # fmt: skip


def ask(args: Mapping[str, str]) -> tuple[str, list[traces.Drawn]]:
    """The sentence and the reasons. `args`: line, from, to, kind, d, t. Raises ControlError, ValueError."""
    at = datetime.fromisoformat(f"{args['d']}T{args['t']}")
    number = args["from"].translate(SEPARATORS)
    caller = args["kind"] if args["kind"] in {"withheld", "unavailable"} else number
    body: Doc = {"line": args["line"], "from": caller, "to": args["to"].translate(SEPARATORS), "at": at.isoformat()}
    body |= {"nobody": bool(args.get("nobody")), "closed": bool(args.get("closed"))}
    result = here.control().ask("explain", body, here.who())
    steps = result.get("steps")
    trace = result.get("trace")
    return (
        _sentences([step for step in steps if isinstance(step, dict)]) if isinstance(steps, list) else "",
        traces.draw(trace if isinstance(trace, list) else []),
    )


def _sentences(steps: list[Doc]) -> str:
    """The route read out; what follows a call out is for when no line takes it."""
    said = [_step(step, place) for place, step in enumerate(steps)]
    if len(steps) > 1 and steps[0].get("do") == "dial" and steps[-1].get("do") == "announce":
        said[-1] = str(_("If no line takes it, an announcement says so."))
    return " ".join(said)


def _step(step: Doc, place: int) -> str:
    """One sentence per step of the route."""
    what = str(step.get("do") or step.get("kind") or "")
    found = step.get("targets")
    targets = [_target(t) for t in found if isinstance(t, dict)] if isinstance(found, list) else []
    who = phrases.several(targets)
    if what == "ring":
        seconds = int(float(str(step.get("seconds") or 0)))
        return str(
            ngettext(
                "%(who)s rings for %(s)d seconds.", "%(who)s ring for %(s)d seconds.", len(targets), who=who, s=seconds
            )
        )
    if what == "dial":
        return str(_("The call goes out to %(who)s.", who=who))
    if what == "announce":
        cause = cause_words(str(step.get("cause", "")))
        if not place:
            return str(_("The caller hears an announcement (%(cause)s).", cause=cause))
        return str(_("Then the caller hears an announcement (%(cause)s).", cause=cause))
    if what == "refuse":
        return str(_("The call is turned away: %(cause)s.", cause=cause_words(str(step.get("cause", "")))))
    if what == "tone":
        return str(_("The caller hears it ring for 30 seconds, and no phone rings."))
    if what in PLAIN:
        return str(PLAIN[what])
    if what == "pin":
        return str(_("The PIN is asked for; with the right one the call goes out."))
    if what == "service":
        return str(_("The box carries out the code itself."))
    return ""


def _target(target: Doc) -> str:
    number, line = str(target.get("number", "")), str(target.get("line", ""))
    if line == PHONES:
        return people_names().get(number, number)
    return str(_("%(number)s on %(line)s", number=i18n.phone(number), line=line_names().get(line, line)))
