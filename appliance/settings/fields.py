"""Fields: a setting declared once serves validation, the form, the API and the manual.

A field takes what a form or the API sent (text, number, list, None) and gives a clean JSON value, or raises `Fault`
with a stable id and the facts for its sentence (`words.ERRORS`). Fields know nothing of storage; sections of them are
made in `schema.py`. Validation always returns every fault at once, each under its path (`lines.0.label`).
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from appliance.core.credit import minor
from appliance.core.patterns import LONGEST_PATTERN, fault
from appliance.settings.secret import Secret

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Value = Json | Secret | list["Value"] | dict[str, "Value"] | Mapping[str, "Value"]


class Fault(ValueError):
    """This value cannot be taken; `id` names the rule, `args` its numbers."""

    def __init__(self, fault_id: str, **facts: str) -> None:
        super().__init__(fault_id)
        self.id = fault_id
        self.facts = facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Common to all: `label` and `help` are English sentences, translated by gettext where they are shown."""

    name: str
    label: str
    help: str = ""
    default: Value = ""
    required: bool = False
    seldom: bool = False  # folded away in the form
    kind: str = "text"  # what the form draws

    def clean(self, raw: Value) -> Value:
        """The value to store. Raises Fault."""
        raise NotImplementedError

    def load(self, raw: Value) -> Value:
        """clean(), with emptiness and `required` dealt with."""
        if raw is None or raw == "":
            if self.required:
                raise Fault("required")
            return self.default
        return self.clean(raw)


def _text_of(raw: Value) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise Fault("not-text")
    return str(raw).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Field):
    """A line of text without control characters."""

    longest: int = 100
    shortest: int = 0
    pattern: str = ""
    pattern_fault: str = "not-allowed-characters"

    def clean(self, raw: Value) -> Value:
        text = _text_of(raw)
        if len(text) > self.longest:
            raise Fault("too-long", most=str(self.longest))
        if len(text) < self.shortest:
            raise Fault("too-short", least=str(self.shortest))
        if any(ord(c) < 32 or ord(c) == 127 for c in text):
            raise Fault("not-allowed-characters")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise Fault(self.pattern_fault)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(Field):
    """A whole number between two limits, with its unit for the form."""

    least: int = 0
    most: int = 2**31
    unit: str = ""
    kind: str = "number"

    def clean(self, raw: Value) -> Value:
        if isinstance(raw, bool) or not re.fullmatch(r"-?[0-9]{1,10}", str(raw).strip()):
            raise Fault("not-a-number")
        number = int(str(raw))
        if not self.least <= number <= self.most:
            raise Fault("out-of-range", least=str(self.least), most=str(self.most))
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Field):
    """Yes or no. A form sends "on" or nothing."""

    default: Value = False
    kind: str = "switch"

    def load(self, raw: Value) -> Value:
        if raw is None:
            return self.default
        table: dict[Value, bool] = {
            True: True, "true": True, "on": True, "1": True, "yes": True,
            False: False, "false": False, "off": False, "0": False, "no": False, "": False,
        }  # fmt: skip
        if isinstance(raw, str | bool) and raw in table:
            return table[raw]
        raise Fault("not-yes-or-no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Field):
    """One of a few; `options` maps the stored value to its English label."""

    options: Mapping[str, str] = field(default_factory=dict)
    kind: str = "choice"

    def clean(self, raw: Value) -> Value:
        text = _text_of(raw)
        if text not in self.options:
            raise Fault("not-a-choice")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone(Text):
    """A telephone number in international form, separators forgiven."""

    kind: str = "tel"

    def clean(self, raw: Value) -> Value:
        text = re.sub(r"[\s().\-/]", "", _text_of(raw))
        text = "+" + text[2:] if text.startswith("00") else text
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", text):
            raise Fault("not-a-phone-number")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(Text):
    """One mail address, plain ASCII, no display name (RFC 5321 4.1.2, dot-string only)."""

    longest: int = 254
    kind: str = "email"

    def clean(self, raw: Value) -> Value:
        text = str(Text.clean(self, raw))
        if not re.fullmatch(
            r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", text
        ):
            raise Fault("not-an-email")
        if ".." in text:
            raise Fault("not-an-email")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Host(Text):
    """A host name or an IP address."""

    longest: int = 253

    def clean(self, raw: Value) -> Value:
        text = str(Text.clean(self, raw))
        if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?", text):
            raise Fault("not-a-host")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Text):
    """An IPv4 address of this box, or empty for "find it yourself"."""

    def clean(self, raw: Value) -> Value:
        try:
            return str(ipaddress.IPv4Address(_text_of(raw)))
        except ValueError as error:
            raise Fault("not-an-address") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfDay(Text):
    """ "HH:MM" """

    kind: str = "time"

    def clean(self, raw: Value) -> Value:
        text = _text_of(raw)
        match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::00)?", text)
        if not match or int(match[1]) > 23 or int(match[2]) > 59:
            raise Fault("not-a-time")
        return f"{int(match[1]):02}:{match[2]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day(Text):
    """ "2026-12-25" """

    kind: str = "date"

    def clean(self, raw: Value) -> Value:
        try:
            return date.fromisoformat(_text_of(raw)).isoformat()
        except ValueError as error:
            raise Fault("not-a-date") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Money(Text):
    """An amount with its two decimals: "3.00". A comma is taken for the point."""

    longest: int = 12

    def clean(self, raw: Value) -> Value:
        amount = minor(str(Text.clean(self, raw)))
        if amount is None or amount < 0:
            raise Fault("not-an-amount")
        return f"{amount // 100}.{amount % 100:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern(Text):
    """A regular expression that comes to an end on any text."""

    longest: int = LONGEST_PATTERN

    def clean(self, raw: Value) -> Value:
        text = str(Text.clean(self, raw))
        wrong = fault(text)
        if wrong:
            raise Fault(wrong)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone(Text):
    """A time zone of the IANA list."""

    kind: str = "zone"

    def clean(self, raw: Value) -> Value:
        text = _text_of(raw)
        try:
            return ZoneInfo(text).key
        except (KeyError, ValueError, OSError) as error:
            raise Fault("not-a-time-zone") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Password(Field):
    """A secret. `None` or the mask leave what is stored; the store keeps it encrypted, pages never show it."""

    default: Value = field(default_factory=lambda: Secret(""))
    longest: int = 200
    kind: str = "secret"

    def load(self, raw: Value) -> Value:
        if isinstance(raw, Secret):
            return raw
        if raw is None or isinstance(raw, Mapping):
            return Secret("")
        if not isinstance(raw, str) or len(raw) > self.longest:
            raise Fault("too-long", most=str(self.longest))
        return Secret(raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Field):
    """Several values of one field; from a form also one text, split at commas, semicolons and new lines."""

    item: Field
    most: int = 50
    default: Value = field(default_factory=list)
    kind: str = "list"

    def load(self, raw: Value) -> Value:
        if raw is None:
            raw = []
        if isinstance(raw, str):
            raw = [piece for piece in re.split(r"[,;\n\r]+", raw) if piece.strip()]
        if not isinstance(raw, Sequence) or isinstance(raw, str):
            raise Fault("not-a-list")
        if len(raw) > self.most:
            raise Fault("too-many", most=str(self.most))
        if self.required and not raw:
            raise Fault("required")
        return [self.item.load(value) for value in raw]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Field):
    """A list of small records, such as the ranges of a week; `columns` are their fields."""

    columns: tuple[Field, ...]
    most: int = 200
    default: Value = field(default_factory=list)
    kind: str = "rows"


def check(
    fields: Sequence[Field], raw: Mapping[str, Value], path: str = ""
) -> tuple[dict[str, Value], dict[str, Fault]]:
    """Every field's value and every fault, keyed by path. An unknown key is a fault too: a slip is told, not lost."""
    values: dict[str, Value] = {}
    faults: dict[str, Fault] = {}
    for one in fields:
        where = f"{path}{one.name}"
        try:
            if isinstance(one, Rows):
                values[one.name] = _check_rows(one, raw.get(one.name), where, faults)
            else:
                values[one.name] = one.load(raw.get(one.name, one.default))
        except Fault as fault:
            faults[where] = fault
    known = {one.name for one in fields}
    for key in raw:
        if key not in known:
            faults[f"{path}{str(key)[:40]}"] = Fault("unknown-setting")
    return values, faults


def _check_rows(rows: Rows, raw: Value, where: str, faults: dict[str, Fault]) -> Value:
    if raw is None:
        raw = []
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise Fault("not-a-list")
    if len(raw) > rows.most:
        raise Fault("too-many", most=str(rows.most))
    out: list[Value] = []
    for index, row in enumerate(raw):
        if not isinstance(row, Mapping):
            faults[f"{where}.{index}"] = Fault("not-a-record")
            continue
        values, wrong = check(rows.columns, row, f"{where}.{index}.")
        faults.update(wrong)
        out.append(values)
    return out
