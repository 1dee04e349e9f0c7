"""How states look: a word first, then an icon, then a colour. One table per kind of state."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webui import here, i18n
from webui.control import CallView, LampView, LineView, NoteView, PhoneView, StatusView
from webui.conversations import Ours
from webui.words import LAMPS, LINE_STATES, NOTICES, SELF_TEST, SENDING, SMS_STATES, sentence


@dataclass(frozen=True, slots=True)
class Look:
    """A state as a tag: its word, its tone ("ok", "warn", "bad", "info", "night", "") and its icon."""

    word: object
    tone: str = ""
    icon: str = ""


PHONES = {
    "free": Look(_l("Free")),
    "ringing": Look(_l("Ringing"), "warn", icon="bell-ring"),
    "talking": Look(_l("In a call"), "ok", icon="phone-call"),
    "offline": Look(_l("Not connected"), "bad", icon="circle-x"),
}
CALLS = {
    "ringing": Look(_l("Ringing"), "warn"),
    "talking": Look(_l("Talking"), "ok"),
    "announcement": Look(_l("Announcement"), "night"),
    "held": Look(_l("On hold"), "warn"),
    "waiting": Look(_l("Waiting"), "warn"),
    "parked": Look(_l("Parked"), "warn"),
    "message": Look(_l("Leaves a message"), "night"),
}
LAMP_NAMES = {
    "power": _l("Power"),
    "sim": _l("SIM"),
    "line": _l("Line"),
    "message": _l("Message"),
    "night": _l("Night"),
}
OURS = {  # tone and icon of a message of ours
    "queued": ("", "clock"), "sending": ("", "clock"), "sent": ("", "check"), "delivered": ("ok", "check-check"),
    "failed": ("bad", "circle-alert"), "uncertain": ("warn", "circle-help"),
}  # fmt: skip
REMARKS = {  # what the air or the network says of a message beside its text, smallest print of a bubble
    "flash": _l("This message was sent to be shown at once and not to be kept (flash)."),
    "cut-off": _l("The end of this message was lost on its way."),
    "damaged": _l("This message was damaged on its way; what could be read stands here."),
    "compressed": _l("This message is compressed, and the box cannot unpack it. It is kept as it came."),
    "undecodable": _l("This message cannot be read. It is kept as it came."),
    "e-mail": _l("This message is a mail that a gateway made an SMS."),
    "return-call": _l("The sender asks to be called back."),
    "voicemail-waiting": _l("The operator says that its own voicemail has a message for this number."),
    "fax-waiting": _l("The operator says that a fax waits for this number."),
    "email-waiting": _l("The operator says that mail waits for this number."),
    "video-waiting": _l("The operator says that a video message waits for this number."),
    "other-waiting": _l("The operator says that something waits for this number."),
    "nothing-waits": _l("The operator says that nothing waits for this number any more."),
    "mms-waiting": _l("This message announces a picture message (MMS). The box cannot fetch it."),
    "silent": _l("The network looked for this SIM with it; it is for nobody."),
    "sim-data": _l("The operator wrote to the SIM itself with it; it is for nobody."),
    "status-report": _l("This says what became of a message of ours."),
    "replaced": _l("A later message took its place."),
}
LINE_KINDS = {"gsm": _l("SIM card"), "sip": _l("SIP trunk")}


def phone(view: PhoneView) -> Look:
    """The tag of a phone."""
    return PHONES.get(view.get("state", ""), Look(view.get("state", "")))


def call(view: CallView) -> Look:
    """The tag of a call in progress."""
    return CALLS.get(view.get("state", ""), Look(view.get("state", "")))


def line(view: LineView) -> Look:
    """The tag of a line: working, or the word for what it waits for."""
    state = view.get("state", "")
    word = sentence(LINE_STATES, state, view.get("facts", {}))
    if view.get("usable"):
        if not view.get("busy"):
            return Look(_("Working"), "ok", icon="check")
        calls = [c.get("state") for c in (here.status() or {}).get("calls", []) if c.get("line") == view.get("id")]
        return PHONES["ringing" if calls and set(calls) == {"ringing"} else "talking"]
    if state in {"starting", "searching", "signing-in"}:
        return Look(word, "warn", icon="clock")
    if state in {"off", ""}:
        return Look(word)
    return Look(word, "bad", icon="circle-x")


def ours(message: Ours) -> Look:
    """What became of a message of ours, and why."""
    tone, icon = OURS.get(message.state, ("", "clock"))
    words = sentence(SMS_STATES, message.state)
    if message.state == "delivered":
        return Look(_("Delivered %(time)s", time=i18n.clock(message.updated_at)), tone, icon)
    if message.state == "sending" and message.parts > 1:
        words = _("Being sent, %(done)d of %(parts)d parts", done=message.done, parts=message.parts)
    if message.reason:
        why = sentence(SENDING, message.reason, {"line": line_label(message.line)})
        words = _("%(state)s: %(why)s", state=words, why=why)
    return Look(f"{words} ({message.detail})" if message.detail else words, tone, icon)


def remarks(flags: Sequence[str]) -> list[object]:
    """What the flags of a message say, each a sentence; those that stand elsewhere are left out."""
    return [REMARKS[flag] for flag in flags if flag in REMARKS]


def line_label(line_id: str) -> str:
    """What colleagues call a line."""
    lines = (here.status() or {}).get("lines", [])
    return next((view.get("label") or line_id for view in lines if view.get("id") == line_id), line_id)


def reachable(view: LineView) -> bool:
    """Whether its modem answers: else what it said last is old, and is not shown as if it were so now."""
    return view.get("state", "") not in {"not-there", "no-answer", "port-busy", "other-modem", "off", ""} and bool(
        view.get("facts")
    )


def bulb(lamp: LampView) -> str:
    """The classes of a lamp's bulb."""
    pattern, name = lamp.get("pattern", "off"), lamp.get("name", "")
    if pattern == "off":
        return ""
    blink = (
        f" is-{pattern}" if pattern in {"slow", "fast", "double"} else " is-fast" if pattern.startswith("code") else ""
    )
    if pattern.startswith("code") or (name == "power" and pattern == "fast"):
        return "bulb--bad" + blink
    if (name == "message") or (name == "night") or (name in {"sim", "power"} and pattern != "steady"):
        return "bulb--warn" + blink
    return "bulb--ok" + blink


def lamp_name(lamp: LampView) -> str:
    """What stands beside the lamp on the box."""
    name = lamp.get("name", "")
    return str(LAMP_NAMES.get(name, name))


def lamp_says(lamp: LampView) -> str:
    """ "Steady: registered" """
    return sentence(LAMPS, lamp.get("word", ""))


def lamp_state(lamp: LampView) -> str:
    """The value of data-state."""
    return lamp.get("pattern", "off")


def note_text(note: NoteView) -> str:
    """The sentence of a note."""
    return sentence(NOTICES, note.get("message", ""), note.get("args", {}))


def note_tone(note: NoteView) -> str:
    """ "bad", "warn" or "info" """
    severity = note.get("severity", "info")
    return {"error": "bad", "bad": "bad", "warning": "warn", "warn": "warn"}.get(severity, "info")


def todo(state: StatusView | None) -> int:
    """How many notes want a person."""
    return sum(1 for note in (state or {}).get("notes", []) if note_tone(note) != "info")


def sorted_notes(state: StatusView) -> list[NoteView]:
    """Worst first."""
    order = {"bad": 0, "warn": 1, "info": 2}
    return sorted(state.get("notes", []), key=lambda note: order[note_tone(note)])


def self_test_words(verdict: object, facts: dict[str, object]) -> str:
    """What a test of a line's speech does, or has found."""
    return sentence(SELF_TEST, str(verdict), facts)


FILTERS = {
    "self_test_words": self_test_words,
    "bulb": bulb, "lamp_name": lamp_name, "lamp_says": lamp_says, "lamp_state": lamp_state, "todo": todo,
    "note_text": note_text, "note_tone": note_tone, "look_phone": phone, "look_line": line, "look_call": call,
    "look_ours": ours, "remarks": remarks, "sorted_notes": sorted_notes, "reachable": reachable,
}  # fmt: skip
