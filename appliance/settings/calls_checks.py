"""Faults between the settings of call handling: what is named and not there, blocks that cannot work, menus that go
round for ever. All of them at once, each under its path.

A key of a menu may lead back to a menu before it: the caller chose that. What happens without a key may not, for a
caller who presses nothing would never get out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.core.scheme import ENDS_HUNT
from appliance.settings.fields import Fault, Value
from appliance.words import PROMPTS

Row = Mapping[str, Value]
Faults = dict[str, Fault]
STANDARD_GREETING = "mailbox"
EXITS = ("no_key_", "wrong_key_")
OUTSIDE = r"\+[1-9][0-9]{6,14}|[0-9*#]{2,15}"
UNKNOWN = {  # what a destination names: the sections, and the fault with the name of its fact
    "person": ("unknown-extension", "extension"),
    "group": ("unknown-group", "group"),
    "menu": ("unknown-menu", "menu"),
    "mailbox": ("unknown-mailbox", "mailbox"),
    "announcement": ("unknown-prompt", "prompt"),
}


@dataclass(frozen=True, slots=True)
class There:
    """The ids that are there."""

    refs: Mapping[str, frozenset[str]]  # by kind of destination
    lines: frozenset[str]
    schemes: frozenset[str]

    @classmethod
    def of(cls, sections: Mapping[str, list[Row]]) -> "There":
        """From the records of the list sections."""

        def ids(name: str, key: str = "id") -> frozenset[str]:
            return frozenset(str(row.get(key)) for row in sections.get(name, []))

        refs = {
            "person": ids("people", "extension"),
            "group": ids("groups"),
            "menu": ids("menus"),
            "mailbox": ids("mailboxes"),
            "announcement": ids("prompts") | frozenset(PROMPTS) | {STANDARD_GREETING},
        }
        return cls(refs, ids("lines"), ids("schemes"))


def call_faults(sections: Mapping[str, list[Row]]) -> Faults:
    """Every fault of schemes, menus, mailboxes and of the lines that name them."""
    there = There.of(sections)
    faults: Faults = {}
    for i, row in enumerate(sections.get("schemes", [])):
        faults |= _scheme(row, f"schemes.{i}.", there)
    for i, row in enumerate(sections.get("menus", [])):
        faults |= _menu(row, f"menus.{i}.", there)
    for i, row in enumerate(sections.get("mailboxes", [])):
        faults |= _named(row, f"mailboxes.{i}.", "owner", "person", there)
        faults |= _named(row, f"mailboxes.{i}.", "greeting", "announcement", there)
    for i, row in enumerate(sections.get("lines", [])):
        faults |= _line(row, f"lines.{i}.", there)
    faults |= {f"menus.{i}.{prefix}to": Fault("goes-round") for i, prefix in _rounds(sections.get("menus", []))}
    return faults


def _scheme(row: Row, path: str, there: There) -> Faults:
    faults = _destination(row, path, there, "backup_")
    for b, branch in enumerate(_records(row.get("branches"))):
        here = f"{path}branches.{b}."
        blocks = _records(branch.get("blocks"))
        if not blocks:
            faults[f"{here}blocks"] = Fault("branch-empty")
        if not branch.get("always") and not _records(branch.get("ranges")):
            faults[f"{here}ranges"] = Fault("branch-without-hours")
        for k, block in enumerate(blocks):
            faults |= _block(block, f"{here}blocks.{k}.", there)
    return faults


def _block(block: Row, path: str, there: There) -> Faults:
    faults: Faults = {}
    destinations = _records(block.get("destinations"))
    if not destinations:
        faults[f"{path}destinations"] = Fault("block-empty")
    for n, one in enumerate(destinations):
        here = f"{path}destinations.{n}."
        faults |= _destination(one, here, there)
        if len(destinations) > 1 and one.get("to") in ENDS_HUNT:
            faults[f"{here}to"] = Fault("stands-alone")
    return faults


def _menu(row: Row, path: str, there: There) -> Faults:
    faults = _named(row, path, "prompt", "announcement", there)
    seen: set[Value] = set()
    for n, key in enumerate(_records(row.get("keys"))):
        faults |= _destination(key, f"{path}keys.{n}.", there)
        if key.get("digits") in seen:
            faults[f"{path}keys.{n}.digits"] = Fault("taken")
        seen.add(key.get("digits"))
    for prefix in EXITS:
        faults |= _destination(row, path, there, prefix)
    return faults


def _line(row: Row, path: str, there: There) -> Faults:
    faults: Faults = {}
    if row.get("scheme") and str(row["scheme"]) not in there.schemes:
        faults[f"{path}scheme"] = Fault("unknown-scheme", scheme=str(row["scheme"]))
    if row.get("mode") == "forward" and not row.get("forward_to"):
        faults[f"{path}forward_to"] = Fault("required")
    faults |= _over(row, path, "forward_over", there)
    users = row.get("users")
    for extension in users if isinstance(users, list) else []:
        if str(extension) not in there.refs["person"]:
            faults[f"{path}users"] = Fault("unknown-extension", extension=str(extension))
    for name in ("welcome", "first_greeting", "whisper_prompt", "music"):
        faults |= _named(row, path, name, "announcement", there)
    for action in ("no_answer", "closed", "offline", "refuse"):
        faults |= _ending(row, path, action, there)
    return faults


def _ending(row: Row, path: str, action: str, there: There) -> Faults:
    """What an ending needs: a mailbox that is there, a number, or an announcement that is there or none."""
    what, to = str(row.get(action) or ""), str(row.get(f"{action}_to") or "")
    where = f"{path}{action}_to"
    if what == "mailbox":
        kind = "mailbox"
    elif what == "announce" and to:
        kind = "announcement"
    elif what == "transfer":
        number = re.sub(r"[\s().\-/]", "", to)
        wrong = Fault("not-a-phone-number") if to else Fault("required")
        return {} if re.fullmatch(OUTSIDE, number) else {where: wrong}
    else:
        return {}
    if not to:
        return {where: Fault("required")}
    fault, fact = UNKNOWN[kind]
    return {} if to in there.refs[kind] else {where: Fault(fault, **{fact: to})}


def _destination(row: Row, path: str, there: There, prefix: str = "") -> Faults:
    to, ref = str(row.get(f"{prefix}to") or ""), str(row.get(f"{prefix}ref") or "")
    faults = _over(row, path, f"{prefix}line", there)
    where = f"{path}{prefix}ref"
    if to in {"", "responsible"}:
        return faults
    if not ref:
        faults[where] = Fault("required")
    elif to == "outside":
        if not re.fullmatch(OUTSIDE, re.sub(r"[\s().\-/]", "", ref)):
            faults[where] = Fault("not-a-phone-number")
    elif ref not in there.refs[to]:
        fault, fact = UNKNOWN[to]
        faults[where] = Fault(fault, **{fact: ref})
    return faults


def _named(row: Row, path: str, name: str, kind: str, there: There) -> Faults:
    """A field that names one of its kind, or nothing."""
    ref = str(row.get(name) or "")
    if not ref or ref in there.refs[kind]:
        return {}
    fault, fact = UNKNOWN[kind]
    return {f"{path}{name}": Fault(fault, **{fact: ref})}


def _over(row: Row, path: str, name: str, there: There) -> Faults:
    line = str(row.get(name) or "")
    return {f"{path}{name}": Fault("unknown-line", line=line)} if line and line not in there.lines else {}


def _rounds(menus: list[Row]) -> Iterable[tuple[int, str]]:
    """The exits without a key that come back to their own menu."""
    exits = {
        str(menu.get("id")): [str(menu.get(f"{p}ref")) for p in EXITS if menu.get(f"{p}to") == "menu"] for menu in menus
    }
    for i, menu in enumerate(menus):
        for prefix in EXITS:
            if menu.get(f"{prefix}to") == "menu" and str(menu.get("id")) in _reached(
                exits, str(menu.get(f"{prefix}ref"))
            ):
                yield i, prefix


def _reached(exits: Mapping[str, list[str]], start: str) -> set[str]:
    found, ahead = set[str](), [start]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += exits.get(name, [])
    return found


def _records(value: Value) -> list[Row]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
