"""Where an announcement is chosen: on lines, in menus, mailboxes, groups and schemes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webui import forms, here

Sections = Mapping[str, list[dict[str, object]]]
LINE_FIELDS = ("welcome", "first_greeting", "whisper_prompt", "music", "no_answer_to", "closed_to", "offline_to",
               "refuse_to")  # fmt: skip
# section, the fields that name an announcement, the page of one of its records
FIELDS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("menus", ("prompt",), "/menus/{}"),
    ("mailboxes", ("greeting",), "/mailboxes/{}"),
    ("groups", ("music", "announcement"), "/people/groups"),
)


@dataclass(frozen=True, slots=True)
class Use:
    """Where an announcement is heard; `href` is the page where that is set."""

    label: str
    href: str = ""


def sections() -> Sections:
    """The records where one can be chosen, but for the lines; read once for all announcements of a page."""
    return {name: _items(name) for name in (*(section for section, _names, _page in FIELDS), "schemes")}


def chosen(prompt: str, lines: list[dict[str, object]], records: Sections | None = None) -> list[Use]:
    """All that name it, each once. `records`: what `sections` gave, else they are read."""
    records = sections() if records is None else records
    found = [
        Use(str(line.get("label")), f"/lines/{line.get('id')}/incoming")
        for line in lines
        if any(line.get(name) == prompt for name in LINE_FIELDS) or prompt in _destinations(line)
    ]
    for section, names, page in FIELDS:
        for item in records[section]:
            if any(item.get(name) == prompt for name in names) or prompt in _destinations(item):
                found.append(Use(str(item.get("name")), page.format(item.get("id"))))
    for scheme in records["schemes"]:
        if prompt in _destinations(scheme):
            found.append(Use(str(scheme.get("name")), f"/schemes/{scheme.get('id')}"))
    return list(dict.fromkeys(found))


def _destinations(value: object) -> Iterator[str]:
    """Every announcement that a destination in this record leads to, however deep."""
    if isinstance(value, list):
        for one in value:
            yield from _destinations(one)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            if str(name).endswith("to") and one == "announcement":
                yield str(value.get(f"{str(name)[:-2]}ref") or "")
            yield from _destinations(one)


def _items(name: str) -> list[dict[str, object]]:
    held = here.section(name)
    return forms.items_of(held["doc"]) if held else []
