"""Catalogues of the page and of the mails: taken from the sources, brought up to date, compiled.

python -m webui.translate update      after a sentence has changed: every catalogue gets the new ones, empty
python -m webui.translate compile     at set-up: .po to .mo
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from appliance.settings.schema import SECTIONS

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent / "translations"
LANGUAGES = ("pl", "uk", "es", "ro")
KEYWORDS = {
    "_": None,
    "_l": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}


def template() -> Catalog:
    """Every sentence a person may read: of the sources, and the labels and helps of the settings."""
    found = Catalog(charset="utf-8")
    folders = {"webui": ROOT / "webui", "appliance": ROOT / "appliance"}
    methods = {"webui": [("**.py", "python"), ("templates/**.html", "jinja2")], "appliance": [("**.py", "python")]}
    for name, folder in folders.items():
        for file, _line, message, comments, context in extract_from_dir(
            str(folder), methods[name], {"**.html": {"encoding": "utf-8"}}, KEYWORDS
        ):
            found.add(message, locations=[(f"{name}/{file}", 0)], auto_comments=comments, context=context)
    for text in sorted(set(labels())):
        found.add(text, locations=[("appliance/settings/schema.py", 0)])
    return found


def labels() -> Iterator[str]:
    """Words of the settings that forms show."""
    for section in SECTIONS.values():
        yield section.label
        for field in section.fields:
            yield from _of_field(field)


def _of_field(field: object) -> Iterator[str]:
    for name in ("label", "help", "unit"):
        text = getattr(field, name, "")
        if isinstance(text, str) and text:
            yield text
    options = getattr(field, "options", {})
    yield from (str(text) for text in (options.values() if isinstance(options, dict) else ()) if str(text))
    for inner in (*getattr(field, "columns", ()), *([field.item] if hasattr(field, "item") else [])):
        yield from _of_field(inner)


def path_of(language: str) -> Path:
    """Where a catalogue lies."""
    return HERE / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """A catalogue; an empty one where there is none."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update() -> None:
    """New sentences in, dead ones out; nothing is guessed (no fuzzy entries)."""
    wanted = template()
    for language in LANGUAGES:
        catalogue = read(language)
        catalogue.update(wanted, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, width=120, sort_output=True, no_location=True, omit_header=False)


def compile_all() -> None:
    """Make the .mo files that gettext reads."""
    for language in LANGUAGES:
        path = path_of(language).with_suffix(".mo")
        fresh = path.with_suffix(".mo.new")
        with fresh.open("wb") as file:
            write_mo(file, read(language))
        fresh.replace(path)  # a page that starts meanwhile reads the old one or the new one, never a half


if __name__ == "__main__":
    {"update": update, "compile": compile_all}[sys.argv[1]]()
