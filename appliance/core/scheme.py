"""Forwarding schemes: who is tried for a caller, at which hours, in which order. Frozen; `planning` builds them.

A scheme has branches, each with its days and hours; the first branch that holds takes the call. A branch has blocks,
tried in order; a block has up to ten destinations and a strategy.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from appliance.core.model import LineId
from appliance.core.plan_time import Range

MOST_DESTINATIONS = 10


class To(StrEnum):
    """What a destination is; `Destination.ref` is the id in the last column.

    | person | a colleague's phones | extension |
    | group | a group; it holds callers with music where it is a queue | group id |
    | outside | a number over a line of ours | number, E.164 or short |
    | responsible | whoever looks after this caller | |
    | menu | a digit menu | menu id |
    | mailbox | voicemail; it ends the hunt | mailbox id |
    | announcement | a prompt, then the end | prompt id |
    """

    PERSON = "person"
    GROUP = "group"
    OUTSIDE = "outside"
    RESPONSIBLE = "responsible"
    MENU = "menu"
    MAILBOX = "mailbox"
    ANNOUNCEMENT = "announcement"


ENDS_HUNT = frozenset({To.MENU, To.MAILBOX, To.ANNOUNCEMENT})  # the caller is answered: alone in its block


class Strategy(StrEnum):
    """How the destinations of a block or the members of a group ring."""

    ALL = "all"
    ORDER = "order"  # one after another, once
    ROUND_ROBIN = "round-robin"  # again and again; the next call begins one place further
    RANDOM = "random"
    LONGEST_IDLE = "longest-idle"
    FEWEST_CALLS = "fewest-calls"


@dataclass(frozen=True, slots=True)
class Destination:
    """One that can be tried. `line`: over which an outside number is dialled, None: by the rules for calling out.
    `delay`: seconds after the block began, where all ring together. `confirm`: who answers outside must press 1."""

    to: To
    ref: str = ""
    line: LineId | None = None
    delay: float = 0.0
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class SchemeBlock:
    """`seconds`: the block gives up then (5 to 600). `step`: how long each rings where they ring in turn."""

    destinations: tuple[Destination, ...]
    strategy: Strategy = Strategy.ALL
    seconds: float = 25.0
    step: float = 20.0


@dataclass(frozen=True, slots=True)
class Branch:
    """`days`: "normal" holds on days that are not closed, "closed" on closed days only, "any" on both. `night`: "off"
    holds while the night switch is off, "on" while it is on, "any" always."""

    name: str
    always: bool
    ranges: tuple[Range, ...]
    blocks: tuple[SchemeBlock, ...]
    days: str = "normal"
    night: str = "off"


@dataclass(frozen=True, slots=True)
class Scheme:
    """`backup`: where callers go when the scheme cannot be followed (a destination is gone)."""

    id: str
    name: str
    branches: tuple[Branch, ...]
    backup: Destination | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What a key of a menu does."""

    digits: str  # one digit, * or #; or several
    destination: Destination


@dataclass(frozen=True, slots=True)
class Menu:
    """A digit menu, made once. `extensions`: a caller who knows an extension may dial it. After `tries` without a key,
    or with wrong ones, the exits `no_key` and `wrong_key` are taken; none of them: the caller is let go."""

    id: str
    name: str
    prompt: str
    keys: tuple[Key, ...]
    seconds: float = 5.0
    tries: int = 3
    extensions: bool = False
    no_key: Destination | None = None
    wrong_key: Destination | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Voicemail. `greeting`: a prompt id; `owner`: the extension whose lamp it lights, or "" for a box of the office.
    `silence`: seconds of silence that end a message."""

    id: str
    name: str
    owner: str = ""
    greeting: str = "mailbox"
    seconds: float = 180.0
    silence: float = 8.0
    pin: str = field(default="", repr=False)
    mail_to: tuple[str, ...] = ()
    sms_to: str = ""


def has_backup(branch: Branch) -> bool:
    """Whether somebody or something stands behind who rings first, so that a call is not lost: another block that is
    no announcement, or a menu or mailbox."""
    reached = {one.to for block in branch.blocks for one in block.destinations}
    if reached & {To.MAILBOX, To.MENU}:
        return True
    ringing = [block for block in branch.blocks if any(one.to not in ENDS_HUNT for one in block.destinations)]
    return len(ringing) > 1


def without_backup(scheme: Scheme) -> bool:
    """Whether a branch that rings somebody has nothing behind it."""
    return any(
        not has_backup(one)
        for one in scheme.branches
        if any(d.to not in ENDS_HUNT for block in one.blocks for d in block.destinations)
    )
