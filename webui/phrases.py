"""Sentences that pages say about live things: what is open, where a call goes, who called."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from babel.lists import format_list
from flask_babel import gettext as _

from webui import here, i18n
from webui.control import CallView, LineView, OpenView, StatusView
from webui.looks import LINE_KINDS, reachable

NETWORKS = {"2g": "2G", "3g": "3G", "lte": "4G", "4g": "4G", "5g": "5G"}


def caller(text: str, kind: str = "") -> str:
    """A caller for people: the number in groups, or why there is none."""
    if kind == "withheld" or text == "withheld":
        return str(_("Number withheld"))
    if kind == "unavailable" or text == "unavailable" or not text:
        return str(_("No number delivered"))
    return i18n.phone(text)


def moment_words(at: datetime) -> str:
    """ "18:00" today, "Thursday 09:00" within a week, else with the date. It stands behind "until"."""
    days = (at.date() - here.local_now().date()).days
    if days == 0:
        return i18n.clock(at)
    if 0 < days < 7:
        return i18n.weekday_at(at)
    return i18n.when(at)


def until(view: OpenView) -> str:
    """The end of the present state in words, or nothing."""
    text = view.get("until")
    return until_words(text, "") if text else ""


def until_words(text: str, otherwise: str | None = None) -> str:
    """A time of the exchange, wall time of the office or with its zone, in words; what is no time stays as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text if otherwise is None else otherwise
    zone = here.office().zone
    return moment_words(at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone))


def person(text: str) -> str:
    """ "101 Anna" for an extension, a number in groups for others."""
    names = {p.get("extension", ""): p.get("name", "") for p in (here.status() or {}).get("phones", [])}
    if text in names:
        return f"{text} {names[text]}".strip()
    return i18n.phone("".join(text.split()) if text.startswith("+") else text)


def pattern(text: str) -> str:
    """An entry of a list for a sentence: "+48 700 123 456", or the beginning with its star."""
    plain = text.rstrip("*").lstrip("+").isdecimal()
    return i18n.phone(text.rstrip("*")) + "*" * text.endswith("*") if plain else text


def lead(text: str) -> tuple[str, str]:
    """What happened, which is set in bold, and what follows it."""
    ends = [place for place in (text.find(". "), text.find(": ")) if place >= 0]
    return (text[: min(ends) + 1], text[min(ends) + 2 :]) if ends else (text, "")


def of(text: str) -> str:
    """ "3 of 50" for "3/50" """
    used, slash, most = text.partition("/")
    return str(_("%(used)s of %(all)s", used=used, all=most)) if slash else text


def network(text: str) -> str:
    """ "4G" for "lte" """
    return NETWORKS.get(text.lower(), text)


def device(text: str) -> str:
    """What a phone calls itself, without the notes that its maker puts in brackets."""
    return text.split(" (")[0][:40]


def open_words(state: StatusView, line: str) -> str:
    """ "Open until 18:00" for a line."""
    view = state.get("open", {}).get(line)
    return state_words(view) if view else str(_("Not known"))


def state_words(view: OpenView) -> str:
    """Open or closed, until when, and why when that is not the week's hours."""
    end, reason = until(view), view.get("reason", "")
    if view.get("open"):
        if view.get("branch"):
            name = view["branch"]
            return str(_("“%(branch)s” until %(time)s", branch=name, time=end)) if end else f"“{name}”"
        if reason in {"night", "night-off", "override"}:
            return str(_("Open: switched by hand"))
        return str(_("Open until %(time)s", time=end)) if end else str(_("Open around the clock"))
    if reason in {"night", "night-on", "override"}:
        return str(_("Closed: night mode"))
    if reason == "holiday":
        return str(_("Closed: a closed day"))
    return str(_("Closed until %(time)s", time=end)) if end else str(_("Closed"))


def now_words(state: StatusView) -> str:
    """The answer line of Status: the time, and whether the office is open."""
    at = here.local_now()
    head = f"{i18n.day(at).split(', ', 1)[-1]}, {i18n.clock(at)}."
    head = head[:1].upper() + head[1:]
    labels = {line.get("id", ""): line.get("label") or line.get("id", "") for line in state.get("lines", [])}
    by_words: dict[str, list[str]] = {}
    for line, view in state.get("open", {}).items():
        by_words.setdefault(state_words(view), []).append(labels.get(line, line))
    if not by_words:
        return f"{head} {_('There is no line yet.')}"
    if len(by_words) == 1:
        return f"{head} {next(iter(by_words))}."
    parts = [f"{'/'.join(names)}: {words}." for words, names in by_words.items()]
    return " ".join([head, *parts])


def goes(view: CallView) -> str:
    """ "Reception → 101 Anna, 102 Ben" """
    state = here.status() or {}
    lines = {line.get("id", ""): line.get("label") or line.get("id", "") for line in state.get("lines", [])}
    names = {
        p.get("extension", ""): f"{p.get('extension', '')} {p.get('name', '')}".strip() for p in state.get("phones", [])
    }
    ends = [leg.get("number", "") for leg in view.get("legs", []) if leg.get("number") != view.get("caller")]
    shown = [names.get(end, i18n.phone(end)) for end in ends if end][:4]
    if view.get("direction") == "in":
        return f"{lines.get(view.get('line', ''), view.get('line', ''))} → {', '.join(shown)}" if shown else lines.get(
            view.get("line", ""), view.get("line", ""))  # fmt: skip
    target = ", ".join(shown) or i18n.phone(view.get("called", ""))
    return f"{names.get(view.get('caller', ''), view.get('caller', ''))} → {target}"


def operator(line: LineView) -> str:
    """ "4G, Orange"; of a trunk "sip.example.org, 1 of 2 calls" """
    facts = line.get("facts", {}) if reachable(line) else {}
    if line.get("kind") == "sip":
        calls = _("%(now)s of %(most)s calls", now=facts.get("calls", "0"), most=facts.get("channels", "0"))
        return ", ".join(part for part in (facts.get("provider", ""), calls) if part)
    return ", ".join(part for part in (network(facts.get("network", "")), facts.get("operator", "")) if part)


def kind_words(kind: str) -> str:
    """What sort of line it is."""
    return str(LINE_KINDS.get(kind, kind))


def several(texts: list[str]) -> str:
    """ "Anna, Ben and Oksana" """
    return str(format_list(texts, locale=i18n.locale())) if texts else ""


def ranges_words(ranges: Sequence[Mapping[str, object]]) -> list[str]:
    """The week read back: one sentence per open day; ranges over midnight say where they end."""
    return [day_words(day, ranges) for day in range(7) if any(str(r.get("day")) == str(day) for r in ranges)]


def day_words(day: int, ranges: Sequence[Mapping[str, object]], always: bool = False) -> str:
    """ "Monday 09:00 to 12:00 and 13:00 to 18:00" """
    mine = [r for r in ranges if str(r.get("day")) == str(day) and r.get("start") and r.get("end")]
    if always:
        return str(_("%(day)s open around the clock", day=i18n.weekday(day)))
    if not mine:
        return str(_("%(day)s closed", day=i18n.weekday(day)))
    parts = [_range(day, str(r.get("start", "")), str(r.get("end", ""))) for r in mine]
    return f"{i18n.weekday(day)} {several(parts)}"


def _range(number: int, start: str, end: str) -> str:
    if start == end == "00:00":
        return str(_("the whole day"))
    if end <= start and end != "00:00":
        return str(_("%(start)s to %(day)s %(end)s", start=start, day=i18n.weekday(number + 1), end=end))
    return str(_("%(start)s to %(end)s", start=start, end="24:00" if end == "00:00" else end))


FILTERS = {
    "caller_words": caller, "open_words": open_words, "now_words": now_words, "goes": goes, "operator_words": operator,
    "kind_words": kind_words, "several": several, "lead": lead, "device": device, "of": of, "network": network,
    "until_words": until_words,
}  # fmt: skip
