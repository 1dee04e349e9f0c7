"""Saving settings from a form: read the section with its version, put in what was sent, and hand every fault back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from appliance.errors import ControlError
from appliance.settings.schema import Section
from webui import forms, here
from webui.control import Section as Held
from webui.control import SettingsRefused
from webui.forms import Drawn, Options
from webui.words import error_words


@dataclass(slots=True)
class Outcome:
    """What came of it: saved, or the form again with its faults."""

    ok: bool
    fields: list[Drawn] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    item: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What came of a removal: what is wrong in words, or the row of the record of changes."""

    problem: str = ""
    change: int = 0


def merged(held: Held | None, section: Section, only: Sequence[str]) -> dict[str, object]:
    """The stored document with what was typed put over it."""
    return {**(held["doc"] if held else {}), **forms.sent(section.fields, only)}


def put(name: str, section: Section, only: Sequence[str], extra: Mapping[str, object] | None = None) -> Outcome:
    """Save fields of a single section."""
    held = here.section(name)
    if held is None:
        raise ControlError("exchange-down")
    doc = {**merged(held, section, only), **(extra or {})}
    try:
        here.control().put(name, held["version"], doc, here.who())
    except SettingsRefused as refused:
        errors, others = forms.faults_under(refused, f"{name}.")
        return Outcome(
            False, forms.draw(section.fields, doc, errors, only=only), _rest(errors, only, others), errors, doc
        )
    except ControlError as error:
        return Outcome(False, forms.draw(section.fields, doc, only=only), [error_words(error)], item=doc)
    here.audit(f"settings.{name}", masked(section, held["doc"]), masked(section, doc))
    return Outcome(True, item=doc)


def put_item(
    name: str,
    section: Section,
    item_id: str,
    only: Sequence[str],
    choices: Mapping[str, Options] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Outcome:
    """Save fields of one record of a list section; an id that is not there is a new record."""
    held = here.section(name)
    if held is None:
        raise ControlError("exchange-down")
    items = forms.items_of(held["doc"])
    place = next((i for i, one in enumerate(items) if one.get("id") == item_id), len(items))
    before = items[place] if place < len(items) else {}
    item = {"id": item_id, **before, **forms.sent(section.fields, only), **(extra or {})}
    items[place:] = [item, *items[place + 1 :]]
    try:
        here.control().put(name, held["version"], {"items": items}, here.who())
    except SettingsRefused as refused:
        errors, others = forms.faults_under(refused, f"{name}.{place}.")
        fields = forms.draw(section.fields, item, errors, choices, only)
        return Outcome(False, fields, _rest(errors, only, others), errors, item)
    except ControlError as error:
        return Outcome(False, forms.draw(section.fields, item, {}, choices, only), [error_words(error)], item=item)
    here.audit(f"settings.{name}.{item_id}", masked(section, before), masked(section, item))
    return Outcome(True, item=item)


def drop_item(name: str, section: Section, item_id: str) -> Dropped:
    """Take a record out of a list."""
    held = here.section(name)
    if held is None:
        raise ControlError("exchange-down")
    items = forms.items_of(held["doc"])
    gone = [one for one in items if one.get("id") == item_id]
    try:
        rest = [one for one in items if one.get("id") != item_id]
        here.control().put(name, held["version"], {"items": rest}, here.who())
    except SettingsRefused as refused:
        mine, others = forms.faults_under(refused, f"{name}.")
        return Dropped(" ".join(mine.values()) or " ".join(others))
    except ControlError as error:
        return Dropped(error_words(error))
    return Dropped(change=here.audit(f"settings.{name}.remove", masked(section, gone[0]) if gone else {}, {}))


def change_all(name: str, change: Mapping[str, object]) -> str:
    """The same change to every record of a list section; what is wrong, in words, or nothing."""
    held = here.section(name)
    if held is None:
        raise ControlError("exchange-down")
    items = [{**one, **change} for one in forms.items_of(held["doc"])]
    if wrong := _put(name, held, items):
        return wrong
    here.audit(f"settings.{name}", {}, dict(change))
    return ""


def put_list(name: str, section: Section, held: Held, items: list[dict[str, object]]) -> str:
    """A whole list section as it was read and changed; what is wrong, in words, or nothing."""
    before = {str(one.get("id")): one for one in forms.items_of(held["doc"])}
    if wrong := _put(name, held, items):
        return wrong
    for item in items:
        old = before.get(str(item.get("id")), {})
        if old != item:
            here.audit(f"settings.{name}.{item.get('id')}", masked(section, old), masked(section, item))
    return ""


def _put(name: str, held: Held, items: list[dict[str, object]]) -> str:
    """Save the records; what is wrong, in words, or nothing."""
    try:
        here.control().put(name, held["version"], {"items": items}, here.who())
    except SettingsRefused as refused:
        mine, others = forms.faults_under(refused, f"{name}.")
        return " ".join(dict.fromkeys([*mine.values(), *others]))
    except ControlError as error:
        return error_words(error)
    return ""


def masked(section: Section, doc: Mapping[str, object]) -> dict[str, object]:
    """For the record of changes: secrets are left out."""
    secret = {one.name for one in section.fields if one.kind == "secret" or type(one).__name__ == "Password"}
    return {key: value for key, value in doc.items() if key not in secret}


def _rest(errors: Mapping[str, str], only: Sequence[str], others: list[str]) -> list[str]:
    """Faults of fields that this form does not show, so that none is lost."""
    hidden = [f"{name}: {text}" for name, text in errors.items() if name.split(".")[0] not in only]
    return [*hidden, *others]
