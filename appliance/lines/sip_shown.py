"""What phones are shown of a caller, and what a caller is told of phones: pure, for `lines.sip`."""

from dataclasses import replace

from appliance.core import commands as do
from appliance.core.causes import Cause
from appliance.core.model import Kind
from appliance.lines.sip_call import Note, cause_of
from appliance.protocols.sip_text import quote

# the best of several phones' refusals: what the caller is told when all said no
WORTH = (Cause.BUSY, Cause.REJECTED, Cause.NO_ANSWER, Cause.MEDIA, Cause.UNREACHABLE)


def of_caller(note: Note) -> Cause:
    """Why a leg ended that a phone had started: 487 is its own CANCEL, 408 a lost ACK."""
    return Cause.CANCELLED if note.code == 487 else cause_of(note.code)


def best(causes: list[tuple[Cause, str]]) -> tuple[Cause, str]:
    """Of several phones' refusals the one that a caller is told."""
    ranked = [c for worth in WORTH for c in causes if c[0] is worth]
    return (ranked or causes or [(Cause.UNREACHABLE, "")])[0]


def caller_of(command: do.Dial, own: str) -> str:
    """The From of an INVITE to a phone: as it is shown there, and as it can be called back."""
    kind = command.caller.kind
    if command.withhold or kind is Kind.WITHHELD:
        return '"Anonymous" <sip:anonymous@anonymous.invalid>'
    user = "".join(c for c in command.caller.text if (c.isalnum() and c.isascii()) or c in "+*") or "unknown"
    name = command.name or command.caller.text
    return f"{quote(name)} <sip:{user}@{own}>" if name else f"<sip:{user}@{own}>"


def identity_of(command: do.Dial, own: str) -> list[tuple[str, str]]:
    """The headers beside it: phones show one or the other."""
    if command.withhold or command.caller.kind is Kind.WITHHELD:
        return [("Privacy", "id")]
    return [("P-Asserted-Identity", caller_of(replace(command, withhold=False), own))]
