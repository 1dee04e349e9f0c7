"""What the pages of schemes draw: the week as bars, gaps and overlaps in words, branches as a flow of blocks."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import ngettext

from appliance.core.coverage import DAY, Coming, Gap, Overlap, Week, ahead, edges_of
from appliance.core.plan_time import Hours, Range
from appliance.core.scheme import Branch, Destination, Scheme, SchemeBlock, Strategy, To, has_backup
from appliance.settings.calls import DAYS, NIGHTS, STRATEGIES
from appliance.settings.fields import Value
from appliance.settings.planning import holidays_of
from appliance.settings.planning_calls import scheme as planned
from webui import forms, here, i18n, phrases, recordings
from webui.forms import label_of

LOOKS = "abcde"  # colours of branches, again from the start where there are more
TESTIDS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ICONS = {
    To.PERSON: "phone", To.GROUP: "users", To.OUTSIDE: "phone-outgoing", To.RESPONSIBLE: "users", To.MENU: "menu",
    To.MAILBOX: "message-square", To.ANNOUNCEMENT: "bell-ring",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seg:
    """A part of a day's bar, in per cent of the day; `look` is a branch's colour, "gap" or "over"."""

    x: str
    width: str
    look: str
    letter: str = ""


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day of the bar. `words`: the day in words, for who does not see it."""

    testid: str
    name: str
    words: str
    segs: tuple[Seg, ...]
    gap: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """A gap or an overlap in words. `key` names it in an address; `cure` is what its button does."""

    kind: str
    key: str
    strong: str
    text: str
    cure: str


@dataclass(frozen=True, slots=True)
class Node:
    """A block in the diagram."""

    icon: str
    title: str
    who: tuple[str, ...]
    sub: str


@dataclass(frozen=True, slots=True)
class BranchView:
    """A branch in the diagram."""

    number: int
    letter: str
    look: str
    name: str
    hours: str
    nodes: tuple[Node, ...]
    backup: bool


# ---- the settings ------------------------------------------------------------------------------------------------


def items(name: str) -> list[dict[str, object]]:
    """The records of a list section, none while the exchange does not answer."""
    held = here.section(name)
    return forms.items_of(held["doc"]) if held else []


def scheme_of(item: Mapping[str, object]) -> Scheme:
    """A stored scheme as it is decided with."""
    return planned(cast(Mapping[str, Value], item))


def used_by(scheme_id: str) -> list[dict[str, object]]:
    """The lines that follow a scheme."""
    return [line for line in items("lines") if line.get("scheme") == scheme_id]


def calendar(scheme_id: str) -> Hours:
    """Closed days, and the time zone of the first line that follows the scheme, else of the office."""
    held = here.section("hours")
    zones = (str(line.get("timezone") or "") for line in used_by(scheme_id))
    own = next((zone for zone in zones if zone), "")
    return Hours(
        False,
        (),
        holidays_of(cast(Mapping[str, Value], held["doc"] if held else {})),
        ZoneInfo(own) if own else here.office().zone,
    )


def digest(item: Mapping[str, object]) -> str:
    """What a form has seen of a scheme: a form of before does not change the branch that has taken the place."""
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()[:16]


# ---- the week ----------------------------------------------------------------------------------------------------


def letter(number: int) -> str:
    """A, B, C... for a branch."""
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def look(number: int) -> str:
    """The colour of a branch."""
    return LOOKS[number % len(LOOKS)]


def name_of(branch: Branch, number: int) -> str:
    """A branch by its name, else by its letter."""
    return branch.name or letter(number)


def bars(scheme: Scheme, week: Week) -> list[DayBar]:
    """Seven days."""
    over = {(o.first, o.second) for o in week.overlaps}
    out: list[DayBar] = []
    for day in range(7):
        segs: list[Seg] = []
        said: list[str] = []
        for piece in week.pieces:
            start, end = max(piece.start, day * DAY), min(piece.end, (day + 1) * DAY)
            if start >= end:
                continue
            first = piece.branches[0] if piece.branches else -1
            double = any(pair in over for pair in _pairs(piece.branches))
            word = _("nobody") if first < 0 else f"{letter(first)} {scheme.branches[first].name}".strip()
            shade = "gap" if first < 0 else "over" if double else look(first)
            wide = end - start >= 90
            segs.append(Seg(_percent(start - day * DAY), _percent(end - start), shade,
                            letter(first) if wide and first >= 0 else ""))  # fmt: skip
            _day, begins, _last, ends = edges_of(start, end)
            said.append(str(_("%(start)s to %(end)s %(who)s", start=begins, end=ends, who=word)))
        words = f"{i18n.weekday(day)}: {', '.join(said)}"
        gap = any(seg.look == "gap" for seg in segs)
        out.append(DayBar(TESTIDS[day], i18n.weekday(day, "abbreviated"), words, tuple(segs), gap))
    return out


def answer(week: Week) -> str:
    """The one line: covered, or how much is not."""
    if not week.gaps:
        return str(_("All hours covered."))
    missing = sum(gap.end - gap.start for gap in week.gaps)
    return str(
        ngettext(
            "%(num)s gap, %(span)s without anybody.", "%(num)s gaps, %(span)s without anybody.", len(week.gaps),
            span=span_words(missing),
        )
    )  # fmt: skip


def problems(scheme: Scheme, week: Week) -> list[Problem]:
    """Gaps first, then overlaps, each with what mends it."""
    return [*(_gap(scheme, gap) for gap in week.gaps), *(_overlap(scheme, one) for one in week.overlaps)]


def stretch(start: int, end: int) -> str:
    """ "Sunday 00:00 to Monday 09:00" """
    if end - start >= 7 * DAY:
        return str(_("The whole week"))
    day, begins, last, ends = edges_of(start, end)
    if day == last and end - start <= DAY:
        return str(_("%(day)s %(start)s to %(end)s", day=i18n.weekday(day), start=begins, end=ends))
    return str(
        _("%(day)s %(start)s to %(last)s %(end)s", day=i18n.weekday(day), start=begins, last=i18n.weekday(last),
          end=ends)
    )  # fmt: skip


def span_words(minutes: int) -> str:
    """ "33 h", "1 h 30 min" """
    return str(_("%(h)d h", h=minutes // 60)) if minutes % 60 == 0 else i18n.span(minutes * 60_000)


def found(week: Week, key: str) -> Gap | Overlap | None:
    """The gap or overlap that an address names."""
    everything: tuple[Gap | Overlap, ...] = (*week.gaps, *week.overlaps)
    return next((one for one in everything if key_of(one) == key), None)


def key_of(one: Gap | Overlap) -> str:
    """The name of a gap or overlap in an address."""
    if isinstance(one, Gap):
        return f"gap.{one.start}.{one.end}"
    return f"both.{one.start}.{one.end}.{one.first}.{one.second}"


def _gap(scheme: Scheme, gap: Gap) -> Problem:
    who = gap.mend.branch
    cure = (
        _("Add a branch for it")
        if gap.mend.do == "add"
        else _("Let “%(branch)s” take it", branch=name_of(scheme.branches[who], who))
    )
    strong = _("%(when)s: nobody takes calls.", when=stretch(gap.start, gap.end))
    return Problem("gap", key_of(gap), str(strong), str(_("Callers are turned away as outside hours.")), str(cure))


def _overlap(scheme: Scheme, one: Overlap) -> Problem:
    first = name_of(scheme.branches[one.first], one.first)
    second = name_of(scheme.branches[one.second], one.second)
    if one.mend.do == "move":
        cure = _("Move “%(branch)s” up", branch=second)
    else:
        cure = _("Leave it to “%(branch)s” alone", branch=first if one.mend.branch == one.second else second)
    when = stretch(one.start, one.end)
    strong = _("%(when)s: both “%(first)s” and “%(second)s” hold.", when=when, first=first, second=second)
    text = _("“%(first)s” stands first and takes the calls; “%(second)s” gets none then.", first=first, second=second)
    return Problem("overlap", key_of(one), str(strong), str(text), str(cure))


def _pairs(branches: Sequence[int]) -> list[tuple[int, int]]:
    return [(a, b) for n, a in enumerate(branches) for b in branches[n + 1 :]]


def _percent(minutes: int) -> str:
    return f"{minutes * 100 / DAY:.3f}%"


# ---- the coming days ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ComingView:
    """A coming day of the strip; `words` say what is special about it, "" for nothing."""

    x: str
    look: str
    words: str
    closed: bool
    changes: bool


def coming(scheme: Scheme, scheme_id: str, first: date) -> list[ComingView]:
    """Sixty days: closed days, clock changes and days with a gap are named."""
    days = ahead(scheme, calendar(scheme_id), first)
    out: list[ComingView] = []
    for number, day in enumerate(days):
        shade = "gap" if day.gaps else "closed" if day.closed is not None else "ok"
        out.append(ComingView(f"{number * 100 / len(days):.3f}%", shade, _coming_words(day), day.closed is not None,
                              day.hours != 24))  # fmt: skip
    return out


def _coming_words(day: Coming) -> str:
    parts = []
    if day.closed is not None:
        parts.append(day.closed or str(_("closed day")))
    if day.hours != 24:
        parts.append(str(_("the clocks change")))
    if day.gaps:
        missing = span_words(day.uncovered)
        parts.append(str(_("nobody for %(span)s", span=missing)))
    return f"{i18n.plain_day(day.day)}: {', '.join(parts)}" if parts else ""


# ---- branches and blocks -----------------------------------------------------------------------------------------


def branches(scheme: Scheme) -> list[BranchView]:
    """Branches in their order, each with its blocks in theirs."""
    names = names_of()
    return [
        BranchView(
            number, letter(number), look(number), name_of(one, number), hours_words(one),
            tuple(node(block, names) for block in one.blocks), has_backup(one),
        )
        for number, one in enumerate(scheme.branches)
    ]  # fmt: skip


def hours_words(branch: Branch) -> str:
    """ "Monday to Friday 09:00 to 18:00", and for which days and which position of the switch."""
    parts = [str(_("All week"))] if branch.always else _ranges(branch.ranges)
    if branch.days != "normal":
        parts.append(label_of(DAYS[branch.days]).lower() if branch.days == "closed" else str(_("also on closed days")))
    if branch.night != "off":
        parts.append(label_of(NIGHTS["on"]).lower() if branch.night == "on" else str(_("also in night mode")))
    return "; ".join(parts) or str(_("No hours"))


def _ranges(ranges: Sequence[Range]) -> list[str]:
    by_time: dict[tuple[str, str], list[int]] = {}
    for one in sorted(ranges, key=lambda r: (r.day, r.start)):
        by_time.setdefault((f"{one.start:%H:%M}", f"{one.end:%H:%M}"), []).append(one.day)
    return [_days(days, start, end) for (start, end), days in by_time.items()]


def _days(days: list[int], start: str, end: str) -> str:
    if len(days) == 1:
        return phrases.day_words(days[0], [{"day": days[0], "start": start, "end": end}])
    row = days == list(range(days[0], days[0] + len(days))) and len(days) > 2
    which = (
        str(_("%(day)s to %(last)s", day=i18n.weekday(days[0]), last=i18n.weekday(days[-1])))
        if row
        else phrases.several([i18n.weekday(day) for day in days])
    )
    if start == end == "00:00":
        return str(_("%(days)s the whole day", days=which))
    if end <= start and end != "00:00":
        return str(_("%(days)s %(start)s to %(end)s of the next day", days=which, start=start, end=end))
    return str(_("%(days)s %(start)s to %(end)s", days=which, start=start, end="24:00" if end == "00:00" else end))


def names_of() -> dict[tuple[str, str], str]:
    """What destinations are called: (kind, id) to name."""
    out = {("person", str(p.get("extension"))): f"{p.get('extension')} {p.get('name')}" for p in items("people")}
    for kind, section in (("group", "groups"), ("menu", "menus"), ("mailbox", "mailboxes")):
        out |= {(kind, str(one.get("id"))): str(one.get("name")) for one in items(section)}
    return out | {("announcement", key): name for key, name in announcements()}


def announcements() -> list[tuple[str, str]]:
    """Announcements that may be played: the standard ones and those of the office."""
    return recordings.choices()


def destination_words(one: Destination, names: Mapping[tuple[str, str], str]) -> str:
    """Who or what a destination is."""
    if one.to is To.RESPONSIBLE:
        return str(_("Who looks after the caller"))
    if one.to is To.OUTSIDE:
        return i18n.phone(one.ref)
    return names.get((str(one.to), one.ref), one.ref)


def node(block: SchemeBlock, names: Mapping[tuple[str, str], str]) -> Node:
    """A block in words."""
    first = block.destinations[0].to if block.destinations else To.GROUP
    who = tuple(destination_words(one, names) for one in block.destinations)
    if first in {To.MENU, To.MAILBOX, To.ANNOUNCEMENT}:
        title = {To.MENU: _("Menu"), To.MAILBOX: _("Mailbox"), To.ANNOUNCEMENT: _("Announcement")}[first]
        return Node(ICONS[first], str(title), who, "")
    title = label_of(STRATEGIES[str(block.strategy)]) if len(who) > 1 else _("Rings")
    sub = _("for %(n)d s", n=int(block.seconds))
    if block.strategy is not Strategy.ALL and len(who) > 1:
        sub = _("each %(step)d s, in all %(n)d s", step=int(block.step), n=int(block.seconds))
    return Node(ICONS[first], str(title), who, str(sub))
