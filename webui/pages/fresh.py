"""What new lines and colleagues get by the settings of calling out (F83), and what goes with a colleague."""

from collections.abc import Mapping

from webui import forms, here


def line() -> dict[str, object]:
    """Fields of a new line beside those that were typed."""
    return {"everybody": False, "users": []} if _doc().get("new_line") == "none" else {}


def person() -> dict[str, object]:
    """Fields of a new colleague beside those that were typed."""
    return {"all_lines": False} if _doc().get("new_person") == "none" else {}


def leave_rules(extension: str) -> None:
    """Take an extension out of the rules for calling out; a rule for nobody else goes. Raises ControlError."""
    held = here.control().section("outgoing")
    items, kept = forms.items_of(held["doc"]), list[dict[str, object]]()
    for rule in items:
        people = rule.get("people")
        named = people if isinstance(people, list) else []
        rest = [one for one in named if one != extension]
        if rest or rest == named or rule.get("group"):
            kept.append({**rule, "people": rest})
    if kept != [{**rule, "people": rule.get("people") or []} for rule in items]:
        here.control().put("outgoing", held["version"], {"items": kept}, here.who())


def _doc() -> Mapping[str, object]:
    held = here.section("calling")
    return held["doc"] if held else {}
