"""Numbers of people: from any spelling to E.164 and a kind; patterns; classes of what is dialled.

phonenumberslite (the only door to it) knows the numbering plans; what it does not know stays as dialled with the kind
`short`. A number is never guessed: digits that fit no plan keep their text, so that a block or a route for exactly that
text still works.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from appliance.core.model import Kind, Number

WITHHELD_WORDS = frozenset({"anonymous", "withheld", "private", "restricted", "unknown"})
SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2011]")
DIALLED = re.compile(r"[+*#0-9A-D]{1,40}")

CLASSES = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "national",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "national",
    PhoneNumberType.TOLL_FREE: "national",
    PhoneNumberType.VOIP: "national",
    PhoneNumberType.UAN: "national",
    PhoneNumberType.PERSONAL_NUMBER: "premium",
    PhoneNumberType.PAGER: "premium",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "premium",
}


def parse(text: str, country: str, alphanumeric: bool = False) -> Number:
    """The number behind `text` as a network of `country` (ISO alpha-2) delivers or a person types it.

    Empty is `unavailable`; "anonymous" and its like are `withheld`; letters are an alphanumeric sender where
    `alphanumeric` allows it (SMS). Never raises.
    """
    raw = text.strip()[:64]
    if not raw:
        return Number("", Kind.UNAVAILABLE)
    if raw.lower() in WITHHELD_WORDS:
        return Number("", Kind.WITHHELD)
    bare = SEPARATORS.sub("", raw.removeprefix("tel:"))
    if alphanumeric and re.search(r"[^+*#0-9\s().\-/]", raw):
        return Number(raw, Kind.ALPHANUMERIC)
    if not DIALLED.fullmatch(bare):
        return Number(raw, Kind.ALPHANUMERIC) if alphanumeric else Number("", Kind.UNAVAILABLE)
    if bare.startswith(("*", "#")):
        return Number(bare, Kind.SHORT)
    found = _e164(bare, country)
    return Number(found, Kind.E164) if found else Number(bare, Kind.SHORT)


@lru_cache(maxsize=4096)
def _e164(bare: str, country: str) -> str:
    """E.164, or "". Digits of a foreign number without its + are tried with one where they fit no plan at home."""
    for candidate in (bare, "+" + bare if len(bare) >= 10 and not bare.startswith(("+", "0")) else ""):
        if not candidate:
            continue
        try:
            number = phonenumbers.parse(candidate, country)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
    if re.fullmatch(r"\+[1-9][0-9]{6,14}", bare):
        return bare  # international as it stands: a plan newer than our tables
    return ""


def complete(text: str, country: str) -> bool:
    """Whether `text` is a whole number of a numbering plan that we know."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text[:64], country))
    except NumberParseException:
        return False


def display(number: Number) -> str:
    """For people: "+48 600 100 200"; other kinds as they are."""
    if number.kind is not Kind.E164:
        return number.text
    try:
        parsed = phonenumbers.parse(number.text, None)
    except NumberParseException:
        return number.text
    return str(phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL))


def masked(number: Number) -> str:
    """For the log: the first and the last digits of a long number."""
    text = number.text
    return f"{text[:4]}…{text[-2:]}" if len(text) > 7 else text or f"({number.kind})"


def matches(pattern: str, number: Number) -> bool:
    """Whether `number` fits `pattern`: a number, a beginning with * at the end, "*", "withheld" or "unavailable"."""
    if pattern in (Kind.WITHHELD, Kind.UNAVAILABLE):
        return number.kind == pattern
    if not number.text:
        return False
    if pattern.endswith("*") and pattern[:-1].lstrip("+").isdigit():
        return number.text.startswith(pattern[:-1])
    if pattern == "*":
        return True
    if "X" in pattern:  # a mask: as many digits as it has
        return re.fullmatch(re.escape(pattern).replace("X", "[0-9]"), number.text) is not None
    return number.text.casefold() == pattern.casefold()


def region(number: Number) -> str:
    """ISO alpha-2 of the country of an E.164 number; "" for others and for numbers of no country (satellites)."""
    if number.kind is not Kind.E164:
        return ""
    try:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(number.text, None))
    except NumberParseException:
        return ""
    return found if found and found != "001" else ""


def regions() -> tuple[str, ...]:
    """Every country that has numbers, ISO alpha-2."""
    return tuple(sorted(phonenumbers.SUPPORTED_REGIONS))


def wired(number: Number, form: str, country: str) -> str:
    """The digits that an operator in `country` wants for an E.164 number. `form`: "" as it is, "plain" without its +,
    "00" with 00 for it, "national" as people there dial it, with 00 for other countries."""
    if number.kind is not Kind.E164 or not form:
        return number.text
    bare = number.text[1:]
    if form == "national":
        try:
            parsed = phonenumbers.parse(number.text, None)
        except NumberParseException:
            return "00" + bare
        if phonenumbers.region_code_for_number(parsed) == country:
            shown = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
            return re.sub(r"[^0-9]", "", shown)
    return bare if form == "plain" else "00" + bare


def with_mask(text: str, masks: Iterable[str]) -> str:
    """The number as the first mask that fits shows it, "" where none does: # stands for a digit, other signs for
    themselves, and both have as many digits."""
    for mask in masks:
        places = [sign for sign in mask if sign.isdigit() or sign in "#+"]
        if len(places) != len(text) or any(p not in ("#", t) for p, t in zip(places, text, strict=True)):
            continue
        digits = iter(text)
        return "".join(next(digits) if sign.isdigit() or sign in "#+" else sign for sign in mask)
    return ""


def dial_class(number: Number, country: str) -> str:
    """ "national", "mobile", "abroad", "premium" or "local" for what somebody dials to the outside. A short number of
    unknown cost counts as premium; a number of +1 or +44 is abroad where its region is not `country`."""
    if number.kind is not Kind.E164:
        return "premium"
    try:
        parsed = phonenumbers.parse(number.text, None)
    except NumberParseException:
        return "premium"
    kind = CLASSES.get(phonenumbers.number_type(parsed), "")
    if phonenumbers.region_code_for_number(parsed) != country:
        return "premium" if kind == "premium" else "abroad"
    return kind or "premium"


def pattern_fault(pattern: str) -> str:
    """The id of what is wrong with a pattern of the block list, or ""."""
    if pattern in (Kind.WITHHELD, Kind.UNAVAILABLE):
        return ""
    if re.fullmatch(r"\+?[0-9]{2,15}\*?", pattern):
        return ""
    if re.fullmatch(r"[^\W_][\w .&!-]{0,10}", pattern) and not pattern.replace(" ", "").isdigit():
        return ""  # an alphanumeric sender
    return "not-a-pattern"


def _beginning(bare: str, country: str) -> str:
    """The beginning of numbers as E.164: "0048" and the national "600" alike. One or two digits stay as they are: short
    numbers begin so."""
    if bare.startswith("00"):
        return "+" + bare[2:]
    if len(bare) < 3 or not bare.isdigit():
        return bare
    code = phonenumbers.country_code_for_region(country)
    return f"+{code}{bare.lstrip('0')}" if code else bare


def as_pattern(text: str, country: str) -> str:
    """What a person typed as a pattern: a number in any spelling becomes E.164, a beginning keeps its *."""
    raw = text.strip()
    if raw.lower() in (Kind.WITHHELD, Kind.UNAVAILABLE):
        return raw.lower()
    if raw.endswith("*"):
        bare = SEPARATORS.sub("", raw[:-1])
        return _beginning(bare, country) + "*"
    number = parse(raw, country, alphanumeric=True)
    return number.text or raw
