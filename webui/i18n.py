"""Languages, and how numbers, times and durations are written in them.

The language is the account's; before sign-in the one chosen at the foot of the page, else the browser's, else the
office's. Formats are Babel's; the clock has 24 hours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal, cast

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, get_day_names
from babel.numbers import format_decimal
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, get_locale, gettext, lazy_gettext, ngettext

from appliance.core.numbers import with_mask
from webui import here
from webui.store import moment

LANGUAGES = {"en": "English", "pl": "Polski", "uk": "Українська", "es": "Español", "ro": "Română"}

_ = gettext
_l = lazy_gettext


def choose() -> str:
    """The language of this request."""
    found = g.get("visitor")
    if found and found.account.language in LANGUAGES:
        return str(found.account.language)
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES)) or here.office().language


def install(app: Flask) -> None:
    """Translations and the template filters."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    app.config["BABEL_DEFAULT_LOCALE"] = "en"
    Babel(app, locale_selector=choose)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    filters = {
        "clock": clock, "day": day, "when": when, "span": span, "talked": talked, "local": local, "phone": phone,
        "weekday": weekday, "groupby_day": by_day, "plain_day": plain_day,
    }  # fmt: skip
    app.jinja_env.filters.update(filters)


def locale() -> Locale:
    """Babel's locale of this request."""
    return cast(Locale, get_locale() or Locale("en"))


def local(text: str) -> datetime:
    """A time of the journal as wall time of the office."""
    return moment(text).astimezone(here.office().zone)


def country(code: str) -> str:
    """The country's name in the reader's language; the code where there is none."""
    return str(locale().territories.get(code, code))


def clock(at: datetime | str) -> str:
    """ "14:12" """
    at = local(at) if isinstance(at, str) else at
    return str(format_time(at, "HH:mm", locale=locale()))


def day(at: datetime | date | str) -> str:
    """ "Today, Thursday 19 November" """
    at = local(at) if isinstance(at, str) else at
    which = at.date() if isinstance(at, datetime) else at
    today = here.local_now().date()
    pattern = "EEEE d MMMM" if which.year == today.year else "d MMMM y"
    text = str(format_date(which, pattern, locale=locale()))
    if which == today:
        return str(_("Today, %(day)s", day=text))
    if which == today - timedelta(days=1):
        return str(_("Yesterday, %(day)s", day=text))
    if which == today + timedelta(days=1):
        return str(_("Tomorrow, %(day)s", day=text))
    return text


def plain_day(at: date) -> str:
    """ "Thursday 19 November", for the middle of a sentence."""
    return str(format_date(at, "EEEE d MMMM", locale=locale()))


def when(at: datetime | str) -> str:
    """The time today, the weekday within a week, else the date."""
    at = local(at) if isinstance(at, str) else at
    age = (here.local_now().date() - at.date()).days
    if age == 0:
        return clock(at)
    if 0 < age < 7:
        return str(format_datetime(at, "EEE HH:mm", locale=locale()))
    return str(format_datetime(at, "d MMM HH:mm" if age < 300 else "d MMM y", locale=locale()))


def weekday(number: int, width: Literal["abbreviated", "narrow", "short", "wide"] = "wide") -> str:
    """Monday is 0."""
    names = get_day_names(width, context="stand-alone", locale=locale())
    text = str(names[number % 7])
    return text[:1].upper() + text[1:]


def weekday_at(at: datetime) -> str:
    """ "Monday 09:00"; where a day has cases or an article, its short form, which has none."""
    return str(format_datetime(at, "EEEE HH:mm" if locale().language == "en" else "EEE HH:mm", locale=locale()))


def talked(milliseconds: int | float | None) -> str:
    """ "4:12" for lists; empty when there was no talk."""
    if not milliseconds:
        return ""
    seconds = round(milliseconds / 1000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def span(milliseconds: int | float | None) -> str:
    """ "4 min 12 s" for sentences."""
    seconds = round((milliseconds or 0) / 1000)
    if seconds < 60:
        return str(_("%(n)d s", n=seconds))
    if seconds < 3600:
        return str(_("%(m)d min %(s)d s", m=seconds // 60, s=seconds % 60))
    return str(_("%(h)d h %(m)d min", h=seconds // 3600, m=seconds % 3600 // 60))


def money(amount: int, currency: str) -> str:
    """ "12.30 PLN", of minor units, as the reader's language writes decimals."""
    return f"{format_decimal(amount / 100, format='#,##0.00', locale=locale())} {currency}".strip()


def gigabytes(count: int) -> str:
    """ "82.4" or "82,4" """
    return str(format_decimal(round(count / 1_000_000_000, 1), locale=locale()))


def phone(text: str) -> str:
    """A number in groups that can be read, "+48 600 100 200", or by the mask of the office that fits. Others than E.164
    stay as they are."""
    if not text.startswith("+") or not text[1:].isdigit() or len(text) < 9:
        return text
    shown = with_mask(text, here.office().masks) if has_request_context() else ""
    if shown:
        return shown.replace(" ", GLUE)
    for code in ("48", "380", "34", "40", "49", "44", "33"):
        if text[1:].startswith(code):
            return f"+{code}{GLUE}{_masked(code, text[1 + len(code) :])}"
    return "+" + _groups(text[1:])


GLUE = "\u00a0"  # a number never breaks over two lines
# country, first digits, groups: the most special first; as the numbering plans of the countries write them
MASKS = (
    ("48", "45 50 51 53 57 60 66 69 70 72 73 78 79 80 88 90 99", (3, 3, 3)), ("48", "", (2, 3, 2, 2)),
    ("380", "", (2, 3, 4)), ("34", "", (3, 2, 2, 2)), ("40", "21 31", (2, 3, 4)), ("40", "", (3, 3, 3)),
)  # fmt: skip


def _masked(code: str, rest: str) -> str:
    """The national part in the groups that are usual there."""
    for country, begins, sizes in MASKS:
        fits = not begins or rest[:2] in begins.split()
        if country == code and fits and sum(sizes) == len(rest):
            ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
            return GLUE.join(rest[end - size : end] for end, size in zip(ends, sizes, strict=True))
    return _groups(rest)


@dataclass(frozen=True, slots=True)
class DayGroup:
    """The rows of a day."""

    day: str
    rows: list[Mapping[str, object]]


def by_day(rows: Sequence[Mapping[str, object]]) -> list[DayGroup]:
    """Rows with `started_at`, in groups of a day, order kept."""
    found = groupby(rows, key=lambda row: day(str(row["started_at"])))
    return [DayGroup(name[:1].upper() + name[1:], list(some)) for name, some in found]


def _groups(digits: str) -> str:
    """Groups of three from the left; the last has two to four."""
    out = []
    while len(digits) > 4:
        out.append(digits[:3])
        digits = digits[3:]
    return GLUE.join([*out, digits])


__all__ = [
    "LANGUAGES",
    "_l",
    "clock",
    "day",
    "gettext",
    "local",
    "ngettext",
    "phone",
    "span",
    "talked",
    "weekday",
    "when",
]
