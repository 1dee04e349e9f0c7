"""Feature codes: what a phone dials, or types in a call, to make the box do something. Pure.

Two lists (B11): dialled codes, some of which take digits after them, and codes typed while talking. `CODES` names what
each does; the settings say which digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core.model import Outcome, Presence, ServiceStep, Step, TraceStep
from appliance.core.plan import Plan

DIALLED: Mapping[str, str] = {
    "*28": "night.toggle", "*43": "echo", "*65": "address", "*8": "pickup", "**": "pickup.of", "*97": "mailbox.own",
    "*98": "mailbox.any", "*78": "dnd.on", "*79": "dnd.off", "*72": "forward.on", "*73": "forward.off",
    "*30": "block-number", "*31": "let-next", "*32": "block-last", "*20": "sign.in", "*21": "sign.out",
}  # fmt: skip
TYPED: Mapping[str, str] = {
    "##": "transfer", "*2": "attended", "*5": "park", "*1": "record", "*66": "voicedrop", "*9": "pause",
}  # fmt: skip
TAKES_DIGITS = frozenset({"pickup.of", "forward.on", "block-number"})


@dataclass(frozen=True, slots=True)
class Dialled:
    """A code that was dialled, and the digits after it."""

    code: str
    service: str
    digits: str = ""


def read(text: str, plan: Plan) -> Dialled | None:
    """The code that `text` is, or begins with where it takes digits; the longest that fits."""
    if text in plan.codes:
        return Dialled(text, plan.codes[text])
    for code in sorted(plan.codes, key=len, reverse=True):
        if plan.codes[code] in TAKES_DIGITS and text.startswith(code) and len(text) > len(code):
            return Dialled(code, plan.codes[code], text[len(code) :])
    if text in plan.park_slots:
        return Dialled(text, "slot", text)
    return Dialled(text, "room", text) if text in plan.rooms else None


def steps_of(dialled: Dialled, extension: str, state: Presence) -> tuple[list[Step], TraceStep]:
    """What the code does for this extension."""
    row = SERVICES.get(dialled.service)
    args = row(dialled, extension, state) if row else {}
    facts = {"code": dialled.code, "service": dialled.service}
    service = {"dnd.on": "dnd", "dnd.off": "dnd", "sign.in": "sign", "sign.out": "sign"}.get(
        dialled.service, dialled.service
    )
    return [ServiceStep(service, args)], TraceStep("feature-code", Outcome.CHOSEN, facts, "/people")


Args = dict[str, str]


def _night(dialled: Dialled, extension: str, state: Presence) -> Args:
    return {"value": "" if state.overrides.get("night") == "on" else "on"}


def _dnd(dialled: Dialled, extension: str, state: Presence) -> Args:
    return {"override": f"dnd/{extension}", "value": "on" if dialled.service == "dnd.on" else ""}


def _sign(dialled: Dialled, extension: str, state: Presence) -> Args:
    """Signed in is the usual state: what is kept is who signed out."""
    return {"override": f"out/{extension}", "value": "" if dialled.service == "sign.in" else "on"}


def _forward(dialled: Dialled, extension: str, state: Presence) -> Args:
    return {"override": f"forward/{extension}", "value": dialled.digits if dialled.service == "forward.on" else ""}


def _digits(dialled: Dialled, extension: str, state: Presence) -> Args:
    return {"digits": dialled.digits}


SERVICES = {
    "night.toggle": _night, "dnd.on": _dnd, "dnd.off": _dnd, "sign.in": _sign, "sign.out": _sign,
    "forward.on": _forward, "forward.off": _forward, "pickup.of": _digits, "slot": _digits,
    "room": _digits,
}  # fmt: skip


def clashes(codes: Mapping[str, str]) -> list[str]:
    """Codes of one list that cannot stand together: an equal beginning where digits may follow."""
    found = []
    for code, service in codes.items():
        for other in codes:
            if other != code and service in TAKES_DIGITS and other.startswith(code):
                found.append(other)
    return sorted(found)


def may_pick_up(taker: str, ringing: str, plan: Plan) -> bool:
    """Only within the own groups (F33, F34)."""
    return any(taker in group.members and ringing in group.members for group in plan.groups.values())
