"""Patterns of the block and allow list: from what a person typed to the one spelling that is stored, and what it fits.

A stored pattern says by itself what it is: `+48600100200` a number, `+48700*` a beginning, `+4860010020?` a mask (each
`?` one digit), `+48600100200-299` a range by its last digits, `/^\\+48(70|80)/` a regular expression, `*` anybody with
a number, `withheld`, `unavailable`, and anything else the name of a sender of messages.
"""

import re
from enum import StrEnum

from appliance.core.model import Kind
from appliance.core.numbers import SEPARATORS, as_pattern, complete, parse, pattern_fault
from appliance.core.patterns import fault

LONGEST = 200  # characters of a stored pattern
LONGEST_EXPRESSION = 120
RANGE = re.compile(r"(\+?[0-9]{2,14})-([0-9]{1,6})(\*?)")
MASK = re.compile(r"\+?[0-9?]{2,15}\*?")
TYPED_RANGE = re.compile(r"([+0-9\s().]+)[-\u2013]([0-9\s]{1,8})(\*?)")


class Form(StrEnum):
    """What a stored pattern is."""

    ANYBODY = "anybody"
    KIND = "kind"  # withheld, unavailable
    EXPRESSION = "expression"
    RANGE = "range"
    MASK = "mask"
    BEGINNING = "beginning"
    EXACT = "exact"


def form_of(pattern: str) -> Form:
    """Total: any text has a form."""
    if pattern == "*":
        return Form.ANYBODY
    if pattern in (Kind.WITHHELD, Kind.UNAVAILABLE):
        return Form.KIND
    if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):
        return Form.EXPRESSION
    if RANGE.fullmatch(pattern):
        return Form.RANGE
    if "?" in pattern and MASK.fullmatch(pattern):
        return Form.MASK
    if pattern.endswith("*") and pattern[:-1].lstrip("+").isdecimal():
        return Form.BEGINNING
    return Form.EXACT


def expression_of(pattern: str) -> str:
    """The regular expression between the two strokes."""
    return pattern[1:-1]


def limits_of(pattern: str) -> tuple[str, int, int, int, bool]:
    """A range as: what all its numbers begin with, the first and the last of the digits that follow, how many these
    are, and whether more digits may follow. Raises ValueError where it is none."""
    found = RANGE.fullmatch(pattern)
    if not found:
        raise ValueError(pattern)
    width = len(found[2])
    return found[1][:-width], int(found[1][-width:]), int(found[2]), width, bool(found[3])


def entry_pattern(typed: str, country: str) -> str:
    """The spelling to store. `country`: ISO alpha-2 of the office, for numbers that are typed without theirs."""
    raw = typed.strip()[:LONGEST]
    if form_of(raw) in (Form.EXPRESSION, Form.ANYBODY, Form.KIND):
        return raw
    masked = SEPARATORS.sub("", raw).replace("#", "?")
    if "?" in masked and MASK.fullmatch(masked):
        return _mask(masked, country)
    return _range(raw, country) or as_pattern(raw, country)


def entry_fault(pattern: str) -> str:
    """The id of what is wrong with a stored pattern, "" for nothing: not-a-pattern, not-a-range, too-many-digits,
    too-long, not-a-regex, slow-regex."""
    form = form_of(pattern)
    if len(pattern) > LONGEST:
        return "too-long"
    if form in (Form.ANYBODY, Form.KIND):
        return ""
    if form is Form.EXPRESSION:
        return "too-long" if len(pattern) > LONGEST_EXPRESSION else fault(expression_of(pattern))
    if form is Form.RANGE:
        base, first, last, width, _more = limits_of(pattern)
        return "" if last > first and len(base) + width <= 16 and base.strip("+") else "not-a-range"
    if form is Form.MASK:
        return "" if re.search(r"[0-9]{2}", pattern) else "not-a-pattern"
    return pattern_fault(pattern)


def _mask(masked: str, country: str) -> str:
    """A mask that begins with digits of the own country gets its code, as a beginning does."""
    first = masked.index("?")
    if first < 3 and not masked.startswith("00"):
        return masked
    start = as_pattern(masked[:first] + "*", country)
    return start.rstrip("*") + masked[first:]


def _range(raw: str, country: str) -> str:
    """`raw` as a range, "" where it is none. What is a whole number without its dash is that number."""
    found = TYPED_RANGE.fullmatch(raw)
    if not found or complete(SEPARATORS.sub("", raw).rstrip("*"), country):
        return ""
    first, last = SEPARATORS.sub("", found[1]), SEPARATORS.sub("", found[2])
    if len(first.lstrip("+")) <= len(last) or not first.lstrip("+").isdecimal() or not last:
        return ""
    number = parse(first, country)
    whole = number.text if number.kind is Kind.E164 else as_pattern(first + "*", country).rstrip("*")
    return f"{whole}-{last}{found[3]}"
