"""From where a caller is sent to what is done: destinations, blocks, groups and endings become steps with reasons.

What is decided when the call comes holds for its first block. Later blocks are rung when it is their turn, so there the
phones are asked again at that moment (`Target.when_free`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from appliance.core import strategies
from appliance.core.calling_out import best_rule, over_lines
from appliance.core.causes import Cause
from appliance.core.model import (
    PHONES,
    AnnounceStep,
    DialStep,
    Kind,
    LineId,
    MailboxStep,
    MenuStep,
    Number,
    Outcome,
    Presence,
    QueueStep,
    RefuseStep,
    ResponsibleStep,
    RingStep,
    Step,
    Target,
    ToneStep,
    TraceStep,
)
from appliance.core.numbers import display, parse
from appliance.core.plan import Group, Line, Person, Plan
from appliance.core.rights import may_call, may_use
from appliance.core.scheme import Destination, SchemeBlock, Strategy, To

WIRE = {"busy": Cause.BUSY, "reject": Cause.REJECTED}
MAILBOX = "mailbox"  # a person's forwarding to his own mailbox
COLLEAGUE_SECONDS = 60.0  # how long a colleague rings who is dialled himself and whose calls are not sent on
MOST_FORWARDS = 3  # A to B to C; a fourth is a loop

Steps = tuple[list[Step], list[TraceStep]]


@dataclass(frozen=True, slots=True)
class Road:
    """Where a caller is on his way. `later`: not the first that is tried. `seen`: whose forwarding was followed."""

    plan: Plan
    now: datetime
    state: Presence
    line: Line | None  # on which the caller came
    whisper: str = ""
    whisper_prompt: str = ""
    later: bool = False
    seen: tuple[str, ...] = ()

    @property
    def country(self) -> str:
        """How numbers without a country are read."""
        return self.line.country if self.line else self.plan.country

    @property
    def page(self) -> str:
        """Where the line's part is set."""
        return f"/lines/{self.line.id}/incoming" if self.line else "/lines"


# ---- destinations ------------------------------------------------------------------------------------------------


def to_steps(destination: Destination, road: Road, seconds: float = 25.0) -> Steps:
    """A single destination, as a key of a menu or a backup has it."""
    return block_steps(SchemeBlock((destination,), seconds=seconds), road)


def block_steps(block: SchemeBlock, road: Road, hunt: str = "") -> Steps:
    """One block of a scheme."""
    alone = block.destinations[0] if block.destinations else None
    if alone is None:
        return [], [TraceStep("block-empty", Outcome.SKIPPED, {}, road.page)]
    row = ALONE.get(alone.to)
    if row:
        return row(alone, block, road)
    group = road.plan.groups.get(alone.ref) if alone.to is To.GROUP else None
    if group and len(block.destinations) == 1:
        return group_steps(group, road)
    targets, trace = [], []
    for destination in block.destinations:
        found, why = _targets(destination, road)
        targets += found
        trace += why
    name = ", ".join(dict.fromkeys(target.label or target.number.text for target in targets))
    ring = _ring(targets, block.strategy, block.seconds, block.step, hunt, name, road)
    if ring is None:
        return [], [*trace, TraceStep("block-nobody", Outcome.SKIPPED, {}, road.page)]
    return [ring], [*trace, _rings("block-rings", block.strategy, targets, block.seconds, {}, road.page)]


def group_steps(group: Group, road: Road) -> Steps:
    """A group: its queue, or its phones that are there and free."""
    if group.queue:
        return _queue(group, road)
    targets: list[Target] = []
    trace: list[TraceStep] = []
    for extension in group.members:
        found, why = _person(extension, road)
        targets += found
        trace += why
    ring = _ring(targets, group.strategy, group.seconds, group.step, f"group/{group.id}", group.name, road)
    if ring is None:
        return [], [*trace, TraceStep("nobody-there", Outcome.STOPPED, {"group": group.name}, "/people/groups")]
    facts = {"group": group.name}
    return [ring], [*trace, _rings("group-rings", group.strategy, targets, group.seconds, facts, "/people/groups")]


def _rings(
    rule: str, strategy: Strategy, targets: Iterable[Target], seconds: float, facts: dict[str, str], page: str
) -> TraceStep:
    who = ", ".join(target.number.text if target.line == PHONES else display(target.number) for target in targets)
    how = "" if strategy is Strategy.ALL else f"-{strategy}"
    return TraceStep(f"{rule}{how}", Outcome.CHOSEN, {**facts, "who": who, "seconds": f"{seconds:g}"}, page)


def _ring(
    targets: list[Target], strategy: Strategy, seconds: float, step: float, hunt: str, name: str, road: Road
) -> RingStep | None:
    if not targets:
        return None
    waves, repeat = strategies.waves(strategy, targets, step, road.state.places.get(hunt, 0), road.state)
    moves = hunt if strategy is Strategy.ROUND_ROBIN else ""
    return RingStep(
        tuple(targets), seconds, name, waves, repeat, whisper=road.whisper, whisper_prompt=road.whisper_prompt,
        hunt=moves,
    )  # fmt: skip


def _queue(group: Group, road: Road) -> Steps:
    present = [extension for extension in group.members if _may_use(extension, road) and road.state.present(extension)]
    facts = {"group": group.name, "who": ", ".join(present)}
    if not present:
        return [], [TraceStep("nobody-there", Outcome.STOPPED, {"group": group.name}, "/people/groups")]
    step = QueueStep(group.id, road.whisper, road.whisper_prompt)
    return [step], [TraceStep("queue-waits", Outcome.CHOSEN, facts, "/people/groups")]


def _targets(destination: Destination, road: Road) -> tuple[list[Target], list[TraceStep]]:
    """Whoever a destination of a block rings."""
    if destination.to is To.PERSON:
        found, why = _person(destination.ref, road)
    elif destination.to is To.OUTSIDE:
        found, why = outside(destination.ref, destination.line, road)
    elif destination.to is To.GROUP and destination.ref in road.plan.groups:
        found, why = [], []
        for extension in road.plan.groups[destination.ref].members:
            one, reason = _person(extension, road)
            found += one
            why += reason
    else:
        return [], [TraceStep("gone", Outcome.SKIPPED, {"what": destination.ref or destination.to}, road.page)]
    confirm = destination.confirm
    return [replace(target, delay=destination.delay, confirm=target.confirm or confirm) for target in found], why


def _person(extension: str, road: Road) -> tuple[list[Target], list[TraceStep]]:
    """A colleague's phone; where his calls are sent on always, who gets them."""
    facts = {"extension": extension}
    if extension not in road.plan.people:
        return [], [TraceStep("gone", Outcome.SKIPPED, {"what": extension}, "/people")]
    person = road.plan.people[extension]
    if not _may_use(extension, road):
        return [], [TraceStep("not-of-line", Outcome.SKIPPED, facts, "/people")]
    sent_on = forwarded_to(person, "always", road.state)
    if sent_on and sent_on != MAILBOX:
        return _forwarded(person, sent_on, road)
    if not road.state.present(extension):
        rule = "phone-away" if extension in road.state.registered else "phone-offline"
        if rule == "phone-away" or not road.later:
            return [], [TraceStep(rule, Outcome.SKIPPED, facts, "/people")]
    if not road.later and not road.state.available(extension):
        rule = "phone-busy" if extension in road.state.busy else "phone-resting"
        return [], [TraceStep(rule, Outcome.SKIPPED, facts, "/people")]
    target = Target(PHONES, Number(extension, Kind.INTERNAL), person.name, when_free=road.later)
    return [target], []


def _forwarded(person: Person, to: str, road: Road) -> tuple[list[Target], list[TraceStep]]:
    facts = {"extension": person.extension, "to": to}
    step = TraceStep("sent-on", Outcome.PASSED, facts, "/people")
    if person.extension in road.seen or len(road.seen) >= MOST_FORWARDS:
        return [], [TraceStep("sent-on-loop", Outcome.STOPPED, facts, "/people")]
    further = replace(road, seen=(*road.seen, person.extension))
    inside = to in road.plan.people
    found, why = _person(to, further) if inside else outside(to, None, further, person, confirm=True)
    return found, [step, *why]


def person_steps(extension: str, road: Road) -> Steps:
    """A colleague who is called himself: his phone, or where his calls are sent on."""
    person = road.plan.people[extension]
    facts = {"extension": extension, "name": person.name}
    always = forwarded_to(person, "always", road.state)
    if always:
        steps, why = _sent_on(person, always, road)
        return steps, [TraceStep("sent-on", Outcome.PASSED, {"extension": extension, "to": always}, "/people"), *why]
    for holds, rule, when, cause in (
        (extension not in road.state.registered, "phone-offline", "offline", Cause.NOT_REGISTERED),
        (not road.state.present(extension), "phone-away", "busy", Cause.BUSY),
        (extension in road.state.busy and not person.call_waiting, "phone-busy", "busy", Cause.BUSY),
    ):
        if holds:
            steps, why = _instead(person, when, road)
            stop = TraceStep(rule, Outcome.SKIPPED if steps else Outcome.STOPPED, facts, "/people")
            return steps or [RefuseStep(cause)], [stop, *why]
    detours = {when: tuple(_instead(person, when, road)[0]) for when in ("busy", "no-answer", "offline")}
    seconds = person.forward_seconds if detours["no-answer"] else COLLEAGUE_SECONDS
    target = Target(PHONES, Number(extension, Kind.INTERNAL), person.name)
    trace = [TraceStep("colleague-rings", Outcome.CHOSEN, facts, "/people"), *_instead(person, "no-answer", road)[1]]
    return [RingStep((target,), seconds, detours={when: to for when, to in detours.items() if to})], trace


def _instead(person: Person, when: str, road: Road) -> Steps:
    """Where a call goes that the colleague does not get: as he set it, else into his mailbox, else nowhere."""
    to = forwarded_to(person, when, road.state) or (MAILBOX if _mailbox_of(person, road.plan) else "")
    if not to:
        return [], []
    steps, why = _sent_on(person, to, road)
    facts = {"extension": person.extension, "to": to}
    return steps, [TraceStep(f"then-sent-on-{when}", Outcome.CHOSEN, facts, "/people"), *why] if steps else why


def _sent_on(person: Person, to: str, road: Road) -> Steps:
    if to == MAILBOX:
        box = _mailbox_of(person, road.plan)
        return ([MailboxStep(box)], []) if box else ([], [])
    if person.extension in road.seen or len(road.seen) >= MOST_FORWARDS:
        box = _mailbox_of(person, road.plan)
        loop = TraceStep("sent-on-loop", Outcome.STOPPED, {"extension": person.extension, "to": to}, "/people")
        return ([MailboxStep(box)] if box else []), [loop]
    further = replace(road, seen=(*road.seen, person.extension))
    if to in road.plan.people:
        return person_steps(to, further)
    dials, why = dial_steps(to, None, further, person)
    return [*dials], why


def _mailbox_of(person: Person, plan: Plan) -> str:
    """The mailbox that is his, or ""."""
    return next((box.id for box in plan.mailboxes.values() if box.owner == person.extension), "")


def forwarded_to(person: Person, when: str, state: Presence) -> str:
    """Where a colleague's calls go `when` "always", "busy", "no-answer" or "offline": by code, else by his settings."""
    if when == "always":
        return state.overrides.get(f"forward/{person.extension}") or person.forward_always
    settings = {"busy": person.forward_busy, "no-answer": person.forward_no_answer, "offline": person.forward_offline}
    return settings[when]


def _may_use(extension: str, road: Road) -> bool:
    return road.line is None or may_use(road.line, extension, road.plan)


def outside(
    text: str, over: LineId | None, road: Road, person: Person | None = None, confirm: bool = False
) -> tuple[list[Target], list[TraceStep]]:
    """A number outside, over the first line that can carry it. `person`: whose forwarding sends the call there; his
    rights count. Without one it is a setting of the office."""
    dials, trace = dial_steps(text, over, road, person)
    targets = [target for dial in dials for target in dial.targets][:1]
    return [replace(target, confirm=confirm) for target in targets], trace


def dial_steps(
    text: str, over: LineId | None, road: Road, person: Person | None = None
) -> tuple[list[DialStep], list[TraceStep]]:
    """The same over all lines that can carry it, one after another. The SIM on which the caller came is in use."""
    number = parse(text, road.country)
    verdict = may_call(number, person, road.plan, road.now, road.state)
    if verdict.outcome is Outcome.STOPPED:
        return [], [verdict]
    state = road.state
    if road.later:  # a line that is in use now may be free when it is its turn
        here = {road.line.id} if road.line and road.line.kind == "gsm" else set()
        state = replace(state, lines_free=state.lines_up - here)
    rule = best_rule(number, person, road.plan, road.now)
    steps, why = over_lines(number, person, road.plan, road.now, state, rule, (over,) if over else ())
    return [step for step in steps if isinstance(step, DialStep)], [verdict, *why]


# ---- destinations that stand alone -------------------------------------------------------------------------------


def _to_menu(destination: Destination, block: SchemeBlock, road: Road) -> Steps:
    menu = road.plan.menus.get(destination.ref)
    if menu is None:
        return [], [TraceStep("gone", Outcome.SKIPPED, {"what": destination.ref}, road.page)]
    return [MenuStep(menu.id)], [TraceStep("menu-asks", Outcome.CHOSEN, {"menu": menu.name}, "/schemes")]


def _to_mailbox(destination: Destination, block: SchemeBlock, road: Road) -> Steps:
    box = road.plan.mailboxes.get(destination.ref)
    if box is None:
        return [], [TraceStep("gone", Outcome.SKIPPED, {"what": destination.ref}, road.page)]
    step = TraceStep("mailbox-takes", Outcome.CHOSEN, {"mailbox": box.name}, "/schemes")
    return [MailboxStep(box.id)], [step]


def _to_announcement(destination: Destination, block: SchemeBlock, road: Road) -> Steps:
    step = TraceStep("then-announce", Outcome.CHOSEN, {}, road.page)
    return [AnnounceStep(destination.ref, Cause.NO_ANSWER)], [step]


def _to_responsible(destination: Destination, block: SchemeBlock, road: Road) -> Steps:
    step = ResponsibleStep(block.seconds, road.whisper, road.whisper_prompt)
    return [step], [TraceStep("responsible", Outcome.CHOSEN, {}, road.page)]


ALONE: dict[To, Callable[[Destination, SchemeBlock, Road], Steps]] = {
    To.MENU: _to_menu, To.MAILBOX: _to_mailbox, To.ANNOUNCEMENT: _to_announcement, To.RESPONSIBLE: _to_responsible,
}  # fmt: skip


# ---- endings -----------------------------------------------------------------------------------------------------


def ending(action: str, to: str, prompt: str, cause: Cause, road: Road, rule: str) -> Steps:
    """How a caller is let go (F71 to F76). `prompt`: the standard announcement; `rule`: "then", "nobody", "offline" or
    "refuse", of whose trace message the action is the second half."""
    step = TraceStep(f"{rule}-{action}", Outcome.CHOSEN, {"to": to} if action == "transfer" else {}, road.page)
    if action == "mailbox":
        box = road.plan.mailboxes.get(to)
        if box:
            return [MailboxStep(box.id, cause)], [step]
        return [AnnounceStep(prompt, cause)], [TraceStep("gone", Outcome.SKIPPED, {"what": to}, road.page)]
    if action == "transfer":
        dials, why = dial_steps(to, None, replace(road, later=True))
        return [*dials, AnnounceStep(prompt, cause)], [step, *why]
    if action == "ring":
        return [ToneStep(cause)], [step]
    if action == "announce":
        return [AnnounceStep(to or prompt, cause)], [step]
    return [RefuseStep(cause, WIRE.get(action, Cause.REJECTED))], [step]


def whisper_of(line: Line, scheme: str, name: str, number: Number) -> str:
    """What is said to who answers, with all but {wait} filled in. The caller's words are no part of the template."""
    facts = {"{line}": line.label, "{scheme}": scheme, "{name}": name, "{number}": display(number)}
    text = line.whisper
    pieces: list[str] = []
    while text:
        at, key = min(((text.find(key), key) for key in facts if key in text), default=(-1, ""))
        if at < 0:
            break
        pieces += [text[:at], facts[key].replace("{", "").replace("}", "")]
        text = text[at + len(key) :]
    return "".join([*pieces, text])
