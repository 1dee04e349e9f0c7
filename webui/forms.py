"""Forms drawn from the fields of the settings, and what a browser sent put back into the shape of the settings.

A form never validates by itself: the exchange does, with the same fields, and sends every fault at once. What was
typed stays in the form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import request
from flask_babel import gettext

from appliance.settings.fields import Choice, Field, Integer, ListOf, Password, Rows, Switch
from webui.control import SettingsRefused
from webui.words import ERRORS, sentence

Options = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Drawn:
    """A field as the template draws it. `kind` names its macro; `value` is text, bool or a list of texts."""

    id: str
    name: str
    kind: str
    label: str
    help: str
    value: object
    error: str = ""
    unit: str = ""
    required: bool = False
    seldom: bool = False
    least: int | None = None
    most: int | None = None
    longest: int | None = None
    autocomplete: str = "off"
    options: list[tuple[str, str]] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)

    @property
    def described(self) -> str:
        """aria-describedby: the error before the help."""
        return " ".join(
            part for part in (f"e-{self.id}" if self.error else "", f"h-{self.id}" if self.help else "") if part
        )


def label_of(text: str) -> str:
    """A label or help of a field in the reader's language."""
    return str(gettext(text)) if text else ""


def draw(
    fields: Sequence[Field],
    values: Mapping[str, object],
    errors: Mapping[str, str] | None = None,
    choices: Mapping[str, Options] | None = None,
    only: Sequence[str] | None = None,
) -> list[Drawn]:
    """The fields with their values. `choices` gives options to fields that name a record; `only` picks and orders."""
    found = {one.name: one for one in fields}
    wanted = [found[name] for name in only if name in found] if only else list(fields)
    return [
        _draw(one, values.get(one.name, one.default), (errors or {}).get(one.name, ""), (choices or {}).get(one.name))
        for one in wanted
        if one.kind != "hidden" and not isinstance(one, Rows)
    ]


def _draw(one: Field, value: object, error: str, choices: Options | None) -> Drawn:
    drawn = Drawn(one.name.replace("_", "-"), one.name, one.kind, label_of(one.label), label_of(one.help), value, error)
    drawn.required, drawn.seldom = one.required, one.seldom
    drawn.longest = getattr(one, "longest", None)
    if isinstance(one, Integer):
        drawn.least, drawn.most, drawn.unit = one.least, one.most, label_of(one.unit)
    elif isinstance(one, Choice):
        drawn.options = [(key, label_of(text)) for key, text in one.options.items()]
    elif isinstance(one, Password):
        drawn.kind, drawn.autocomplete = "secret", "new-password"
        drawn.value = bool(value.get("secret")) if isinstance(value, Mapping) else False
    elif isinstance(one, ListOf):
        _draw_list(one, drawn, value)
    if choices is not None:
        drawn.kind = "picks" if isinstance(one, ListOf) else "choice"
        drawn.options = list(choices)
        drawn.value = [str(v) for v in value] if isinstance(value, list) else value
    return drawn


def _draw_list(one: ListOf, drawn: Drawn, value: object) -> None:
    if isinstance(one.item, Choice):
        drawn.kind = "picks"
        drawn.options = [(key, label_of(text)) for key, text in one.item.options.items()]
        drawn.value = [str(v) for v in value] if isinstance(value, list) else []
    else:
        drawn.kind = "lines"
        drawn.value = "\n".join(str(v) for v in value) if isinstance(value, list) else (value or "")


def sent(fields: Sequence[Field], only: Sequence[str] | None = None) -> dict[str, object]:
    """What the browser sent for these fields, ready for settings.put. A secret left empty stays as it is."""
    out: dict[str, object] = {}
    for one in fields:
        if (only is not None and one.name not in only) or isinstance(one, Rows):
            continue
        if isinstance(one, Switch):
            out[one.name] = one.name in request.form
        elif isinstance(one, ListOf):
            several = request.form.getlist(one.name)
            picked = isinstance(one.item, Choice) or f"{one.name}:picks" in request.form
            out[one.name] = [text for text in several if text] if picked else _split("\n".join(several))
        elif isinstance(one, Password):
            if request.form.get(one.name):
                out[one.name] = request.form[one.name]
        elif one.name in request.form:
            out[one.name] = request.form[one.name].strip()
    return out


def _split(text: str) -> list[str]:
    return [piece.strip() for piece in text.replace(",", "\n").replace(";", "\n").splitlines() if piece.strip()]


def faults_under(refused: SettingsRefused, prefix: str) -> tuple[dict[str, str], list[str]]:
    """Sentences by field for the paths under `prefix`; faults of other places come as a list of sentences."""
    mine: dict[str, str] = {}
    others: list[str] = []
    for path, fault in refused.fields.items():
        text = sentence(ERRORS, fault, refused.facts.get(path, {}))
        if path.startswith(prefix):
            mine[path[len(prefix) :]] = text
        else:
            others.append(f"{path}: {text}")
    return mine, others


def numbered_rows(name: str, columns: Sequence[str], most: int = 200) -> list[dict[str, object]]:
    """Rows sent as `ranges-0-day`, `ranges-0-start`...; an empty row, or one ticked for removal, is left out."""
    out: list[dict[str, object]] = []
    for index in range(most):
        keys = [f"{name}-{index}-{column}" for column in columns]
        if not any(key in request.form for key in keys):
            continue
        row: dict[str, object] = {c: request.form.get(k, "").strip() for c, k in zip(columns, keys, strict=True)}
        if request.form.get(f"{name}-{index}-remove") or not any(
            v for c, v in row.items() if c not in {"day", "yearly"}
        ):
            continue
        out.append(row)
    return out


def items_of(doc: Mapping[str, object]) -> list[dict[str, object]]:
    """The records of a list section."""
    items = doc.get("items", [])
    return [dict(item) for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
