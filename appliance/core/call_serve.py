"""What the box itself says and does for a caller: announcements, greetings, menus, mailboxes, feature codes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from appliance.core import call_ring
from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.call_states import ANNOUNCEMENT, LONGEST_TALK, State
from appliance.core.causes import Cause
from appliance.core.model import (
    AnnounceStep,
    GreetStep,
    MailboxStep,
    MenuStep,
    ServiceStep,
)
from appliance.core.scheme import Destination, Menu, To

if TYPE_CHECKING:
    from appliance.core.call import Call

Commands = list[do.Command]
EARLY = 2.0  # seconds in which a line can let the caller hear something before an answer
BETWEEN_KEYS = 2.0  # seconds for the next key where more could follow
TAKES = {"pickup": "pickup", "pickup.of": "pickup", "slot": "slot"}  # services that take another call
SAID = {"night.toggle": ("night-on", "night-off"), "dnd": ("dnd-on", "dnd-off"), "sign": ("signed-in", "signed-out")}


# ---- announcements and greetings ---------------------------------------------------------------------------------


def announce(call: "Call", step: AnnounceStep, at: float) -> Commands:
    """Play it, then the end."""
    call.state = State.ANNOUNCING
    call.answered_by = "announcement"
    call.cause = Cause(step.cause)
    return [*_quiet(call), do.Play(call.near, step.prompt, call.route.language), _guard(call)]


def heard_early(call: "Call", event: ev.Progressed, at: float) -> Commands:
    """The caller hears us before an answer, and that is enough for what is said now."""
    if not isinstance(call.step, AnnounceStep) or not call.route.early:
        return []
    return [do.StopTimer(call.id, "early"), *announce(call, call.step, at)]


def not_heard_early(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """Nothing can be heard before an answer here: it is answered after all."""
    return [do.Answer(call.near)] if event.name == "early" else []


def greet(call: "Call", step: GreetStep, at: float) -> Commands:
    """Play it, then the next step."""
    call.state = State.GREETING
    number, line = call.party()
    kept: Commands = [do.Remember(line, number)] if step.first else []
    return [*_quiet(call), *kept, do.Play(call.near, step.prompt, call.route.language), _guard(call)]


def greeted(call: "Call", event: ev.PromptEnded | ev.TimerFired, at: float) -> Commands:
    """The greeting is over."""
    return [do.StopTimer(call.id, "announcement"), *call.next_step(at)]


def said(call: "Call", event: ev.PromptEnded | ev.TimerFired, at: float) -> Commands:
    """All is said."""
    return call.finish(at, [do.HangUp(call.near, Cause.NORMAL if call.near_up else call.cause)])


def listener_left(call: "Call", event: ev.Ended, at: float) -> Commands:
    """Who hears an announcement hangs up: the reason for the announcement stays the cause of the call."""
    return call.finish(at, [])


def _quiet(call: "Call") -> Commands:
    return call.let_hear("")


def _guard(call: "Call") -> do.StartTimer:
    return do.StartTimer(call.id, "announcement", ANNOUNCEMENT)


# ---- menus -------------------------------------------------------------------------------------------------------


def choose(call: "Call", step: MenuStep, at: float) -> Commands:
    """Play the menu and wait for keys. A menu that is gone is passed over."""
    menu = call.plan.menus.get(step.menu)
    if menu is None:
        return call.next_step(at)
    call.state = State.CHOOSING
    call.answered_by = call.answered_by or "menu"
    call.tries = 0
    return [*_quiet(call), *_ask(call, menu)]


def _ask(call: "Call", menu: Menu) -> Commands:
    call.typed = ""
    call.tries += 1
    return [do.Play(call.near, menu.prompt, call.route.language), _guard(call)]


def menu_said(call: "Call", event: ev.PromptEnded, at: float) -> Commands:
    """The caller has heard the choices: his time begins."""
    menu = _menu(call)
    if menu is None or call.typed:
        return []
    return [do.StopTimer(call.id, "announcement"), do.StartTimer(call.id, "key", menu.seconds)]


def menu_digit(call: "Call", event: ev.Digit, at: float) -> Commands:
    """A key: at once where no longer one begins with it."""
    menu = _menu(call)
    if menu is None or len(call.typed) >= 6:
        return []
    call.typed += event.digit
    keys = {key.digits for key in menu.keys} | (set(call.plan.people) if menu.extensions else set())
    if any(key != call.typed and key.startswith(call.typed) for key in keys):
        return [do.StopPlay(call.near), do.StartTimer(call.id, "key", BETWEEN_KEYS)]
    return [do.StopPlay(call.near), do.StopTimer(call.id, "announcement"), *_chosen(call, menu, at)]


def menu_time(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """No key, or no further one."""
    menu = _menu(call)
    if menu is None:
        return []
    if call.typed:
        return _chosen(call, menu, at)
    return _ask(call, menu) if call.tries < menu.tries else _exit(call, menu.no_key, at)


def _chosen(call: "Call", menu: Menu, at: float) -> Commands:
    stop: Commands = [do.StopTimer(call.id, "key")]
    key = next((key for key in menu.keys if key.digits == call.typed), None)
    if key:
        return [*stop, *_exit(call, key.destination, at)]
    if menu.extensions and call.typed in call.plan.people:
        return [*stop, *_exit(call, Destination(To.PERSON, call.typed), at)]
    if call.tries < menu.tries:
        again = _ask(call, menu)
        return [*stop, do.Say(call.near, ("wrong-key", menu.prompt), call.route.language), again[1]]
    return [*stop, *_exit(call, menu.wrong_key or menu.no_key, at)]


def _exit(call: "Call", destination: Destination | None, at: float) -> Commands:
    call.cause = Cause.NO_ANSWER
    if destination is None:
        return call.next_step(at)
    call.state = State.DECIDING
    call.typed = ""
    return [do.Decide(call.id, destination)]


def _menu(call: "Call") -> Menu | None:
    return call.plan.menus.get(call.step.menu) if isinstance(call.step, MenuStep) else None


# ---- mailboxes ---------------------------------------------------------------------------------------------------


def take_message(call: "Call", step: MailboxStep, at: float) -> Commands:
    """Greeting, tone, message. A mailbox that is gone is passed over."""
    box = call.plan.mailboxes.get(step.mailbox)
    if box is None:
        return call.next_step(at)
    call.state = State.RECORDING
    call.answered_by = f"mailbox {box.id}"
    call.cause = Cause(step.cause)
    return [*_quiet(call), do.Say(call.near, (box.greeting, "tone-beep"), call.route.language), _guard(call)]


def greeting_said(call: "Call", event: ev.PromptEnded, at: float) -> Commands:
    """The tone has sounded."""
    box = call.plan.mailboxes.get(call.step.mailbox) if isinstance(call.step, MailboxStep) else None
    if box is None or call.recording:
        return []
    caller, line = call.party()
    call.recording = f"{call.id}-message"
    record = do.Record(call.recording, call.near, None, box.seconds, box.silence, call.id, box.id, caller, str(line))
    return [do.StopTimer(call.id, "announcement"), record]


def message_digit(call: "Call", event: ev.Digit, at: float) -> Commands:
    """# ends the greeting, and the message."""
    if event.digit != "#":
        return []
    if not call.recording:
        return [do.StopPlay(call.near), *greeting_said(call, ev.PromptEnded(call.near), at)]
    return _kept(call, at, [do.StopRecord(call.recording)])


def message_over(call: "Call", event: ev.RecordingEnded, at: float) -> Commands:
    """Silence, or the longest message: it is kept."""
    return _kept(call, at, []) if event.id == call.recording else []


def _kept(call: "Call", at: float, before: Commands) -> Commands:
    call.state, call.recording = State.ANNOUNCING, ""
    return [*before, do.Play(call.near, "message-kept", call.route.language), _guard(call)]


def message_left(call: "Call", event: ev.Ended, at: float) -> Commands:
    """The caller hung up: what was said is kept."""
    return call.finish(at, [])


def message_time(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """The greeting does not end."""
    return greeting_said(call, ev.PromptEnded(call.near), at)


# ---- feature codes -----------------------------------------------------------------------------------------------


def at_once(call: "Call", step: ServiceStep) -> Commands:
    """What a code sets before it is answered."""
    who, value = call.offer.caller.text, step.args.get("value", "")
    name = step.args.get("override", "night" if step.service == "night.toggle" else "")
    return [do.SetOverride(name, value, who)] if name else []


def serve(call: "Call", step: ServiceStep, at: float) -> Commands:
    """A feature code whose caller is up."""
    call.answered_by = step.service
    call.cause = Cause.NORMAL
    row = SERVICES.get(step.service)
    if row:
        return [do.StopTimer(call.id, "no-answer"), *row(call, step, at)]
    call.state = State.ANNOUNCING
    pieces = tuple(piece for piece in step.args.get("say", "").split("|") if piece)
    said_now = do.Say(call.near, pieces, call.route.language) if pieces else None
    play = said_now or do.Play(call.near, _spoken(step), call.route.language)
    return [do.StopTimer(call.id, "no-answer"), play, _guard(call)]


def _spoken(step: ServiceStep) -> str:
    """What is said for a service: by its value where it has two states."""
    on, off = SAID.get(step.service, (step.service, step.service))
    return on if step.args.get("value") else off


def _echo(call: "Call", step: ServiceStep, at: float) -> Commands:
    call.state = State.SERVING
    return [do.Join(call.near, call.near), do.StartTimer(call.id, "longest", LONGEST_TALK)]


def _attend(call: "Call", step: ServiceStep, at: float) -> Commands:
    """The exchange talks to the caller: his mailbox."""
    call.state = State.SERVING
    longest = do.StartTimer(call.id, "longest", LONGEST_TALK)
    return [do.Serve(call.id, step.service, step.args, call.extension_of(call.near)), longest]


def _room(call: "Call", step: ServiceStep, at: float) -> Commands:
    call.state = State.SERVING
    return [do.EnterRoom(call.near, step.args.get("room", "")), do.StartTimer(call.id, "longest", LONGEST_TALK)]


def served_too_long(call: "Call", event: ev.TimerFired, at: float) -> Commands:
    """A service is not used for ever."""
    if event.name != "longest":
        return []
    call.cause = Cause.TIMEOUT
    return call.finish(at, [do.HangUp(call.near, Cause.NORMAL)])


Row = Callable[..., Commands]
S = State
SERVICES: Mapping[str, Row] = {
    "echo": _echo, "room": _room, "mailbox.own": _attend, "mailbox.any": _attend,
}  # fmt: skip
OPENED: Mapping[type, Row] = {
    AnnounceStep: announce, GreetStep: greet, MenuStep: choose, MailboxStep: take_message, ServiceStep: serve,
}  # fmt: skip
ROWS: Mapping[tuple[State, type, str], Row] = {
    (S.OPENING, ev.Progressed, "caller"): heard_early,
    (S.OPENING, ev.TimerFired, ""): not_heard_early,
    (S.ANNOUNCING, ev.PromptEnded, "caller"): said,
    (S.ANNOUNCING, ev.TimerFired, ""): said,
    (S.ANNOUNCING, ev.Ended, "caller"): listener_left,
    (S.GREETING, ev.PromptEnded, "caller"): greeted,
    (S.GREETING, ev.TimerFired, ""): greeted,
    (S.GREETING, ev.Ended, "caller"): call_ring.gave_up,
    (S.CHOOSING, ev.Ended, "caller"): call_ring.gave_up,
    (S.CHOOSING, ev.PromptEnded, "caller"): menu_said,
    (S.CHOOSING, ev.Digit, "caller"): menu_digit,
    (S.CHOOSING, ev.TimerFired, ""): menu_time,
    (S.RECORDING, ev.PromptEnded, "caller"): greeting_said,
    (S.RECORDING, ev.Digit, "caller"): message_digit,
    (S.RECORDING, ev.RecordingEnded, "caller"): message_over,
    (S.RECORDING, ev.TimerFired, ""): message_time,
    (S.RECORDING, ev.Ended, "caller"): message_left,
    (S.SERVING, ev.Ended, "caller"): listener_left,
    (S.SERVING, ev.TimerFired, ""): served_too_long,
}
