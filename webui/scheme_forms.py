"""Branches and blocks as a browser sent them, put into the shape of the settings; and what their forms offer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request
from flask_babel import gettext as _

from appliance.settings.calls import BRANCHES
from appliance.settings.fields import Field, Rows
from webui import forms, schemes
from webui.forms import Drawn, Options

SPARE = 2
MOST = 10
SEPARATORS = r"[\s().\-/]"  # in numbers as people write them
BACKUP_SECONDS, RING_SECONDS = 120, 25
RANGE = ("day", "start", "end")
DESTINATION = ("what", "number", "line", "delay", "confirm")
HOURS = ("name", "always", "days", "night")
RINGING = ("strategy", "seconds", "step")


@dataclass(slots=True)
class Offer:
    """A group of choices of where a call may go."""

    label: str
    options: list[tuple[str, str]]


@dataclass(slots=True)
class Row:
    """A destination in the form."""

    what: str = ""
    number: str = ""
    line: str = ""
    delay: str = ""
    confirm: bool = False
    error: str = ""


@dataclass(slots=True)
class BlockForm:
    """The form of a block."""

    fields: list[Drawn]
    rows: list[Row]
    errors: list[str] = field(default_factory=list)


def offers() -> list[Offer]:
    """Everything a call may go to, but a number outside, which has a field of its own."""
    names = schemes.names_of()

    def of(kind: str) -> list[tuple[str, str]]:
        return [(f"{kind}:{ref}", name) for (one, ref), name in sorted(names.items()) if one == kind]

    found = [
        Offer(str(_("Colleagues")), of("person")),
        Offer(str(_("Groups")), of("group")),
        Offer(str(_("Outside")), [("outside:", str(_("A number outside")))]),
        Offer(str(_("Menus")), of("menu")),
        Offer(str(_("Mailboxes")), of("mailbox")),
        Offer(str(_("Announcements")), of("announcement")),
        Offer(str(_("By the caller")), [("responsible:", str(_("Who looks after the caller")))]),
    ]
    return [one for one in found if one.options]


def line_options() -> Options:
    """Over which line a number outside is called."""
    return [("", str(_("By the rules"))), *((str(o.get("id")), str(o.get("label"))) for o in schemes.items("lines"))]


# ---- hours -------------------------------------------------------------------------------------------------------


def hours_fields(branch: Mapping[str, object], errors: Mapping[str, str] | None = None) -> list[Drawn]:
    """Name, all week, closed days, night."""
    return forms.draw(BRANCHES.columns, branch, errors, only=HOURS)


def sent_hours() -> dict[str, object]:
    """The hours of a branch from the form. "whole" makes a range the whole day."""
    rows = forms.numbered_rows("ranges", (*RANGE, "whole"))
    for row in rows:
        if row.pop("whole"):
            row["start"] = row["end"] = "00:00"
    return {**forms.sent(BRANCHES.columns, HOURS), "ranges": rows}


# ---- blocks ------------------------------------------------------------------------------------------------------


def block_form(block: Mapping[str, object], errors: Mapping[str, str] | None = None, more: int = SPARE) -> BlockForm:
    """The form of a block; `errors` by the path inside the block."""
    wrong = dict(errors or {})
    rows: list[Row] = []
    stored = block.get("destinations")
    for number, one in enumerate(stored if isinstance(stored, list) else []):
        if isinstance(one, Mapping):
            prefix = f"destinations.{number}."
            mine = [wrong.pop(path) for path in list(wrong) if path.startswith(prefix)]
            rows.append(_row(one, " ".join(mine)))
    rows += [Row() for _more in range(min(more, MOST - len(rows)))]
    fields = forms.draw(_columns("blocks"), block, wrong, only=RINGING)
    rest = [text for path, text in wrong.items() if path not in RINGING]
    return BlockForm(fields, rows, rest)


def fresh_block(before: int) -> dict[str, object]:
    """A new block: the first rings 25 seconds; one that stands behind others is the backup and has 120."""
    return {"strategy": "all", "seconds": BACKUP_SECONDS if before else RING_SECONDS, "step": 20}


def sent_block() -> dict[str, object]:
    """A block from the form; rows without a choice are left out."""
    destinations = []
    for row in forms.numbered_rows("to", DESTINATION, MOST):
        what, number = str(row["what"]), re.sub(SEPARATORS, "", str(row["number"]))
        to, _colon, ref = (what or ("outside:" if number else "")).partition(":")
        if to:
            destinations.append(
                {"to": to, "ref": number if to == "outside" else ref, "line": row["line"] if to == "outside" else "",
                 "delay": row["delay"] or 0, "confirm": bool(row["confirm"])}
            )  # fmt: skip
    return {**forms.sent(_columns("blocks"), RINGING), "destinations": destinations}


def sent_backup() -> dict[str, object]:
    """The scheme's name and where callers go when it cannot be followed."""
    to, _colon, ref = request.form.get("backup-what", "").partition(":")
    number = re.sub(SEPARATORS, "", request.form.get("backup-number", ""))
    outside = to == "outside"
    return {
        "name": request.form.get("name", "").strip(),
        "backup_to": to,
        "backup_ref": number if outside else ref,
        "backup_line": request.form.get("backup-line", "") if outside else "",
    }


def _row(one: Mapping[str, object], error: str) -> Row:
    to, ref = str(one.get("to") or ""), str(one.get("ref") or "")
    outside = to == "outside"
    delay = str(one.get("delay") or "")
    return Row(
        f"{to}:" if outside else f"{to}:{ref}", ref if outside else "", str(one.get("line") or ""),
        "" if delay == "0" else delay, bool(one.get("confirm")), error,
    )  # fmt: skip


def _columns(name: str) -> tuple[Field, ...]:
    return next(one.columns for one in BRANCHES.columns if isinstance(one, Rows) and one.name == name)
