"""What the exchange can ask storage to write: data, not SQL. Frozen, made on any thread, carried out on one.

Times are stamps (`times.stamp`) of the plan's clock. Each class says what its result is; a failed write gives a
JournalError instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.core.commands import CallRecord
from appliance.core.events import SmsPart
from appliance.core.sms_rules import Rule
from appliance.journal.recordings import RecordingWrite
from appliance.journal.sending import AddOutgoing, PutOutgoing


@dataclass(frozen=True, slots=True)
class StoreCallRow:
    """The row of an ended call; the same id again changes nothing. Result: None."""

    record: CallRecord


@dataclass(frozen=True, slots=True)
class StoreSmsPart:
    """A part as it lies on the SIM, and what to do with its message: `recipients` are the line's addresses, `rules` the
    rules that hold for this line, sender and hour, `never` says that the sender is never passed on, `proof` is the
    address of the mailbox that we read ourselves ("" none). Result: PartStored."""

    line: str
    memory: str
    slot: int | None
    part: SmsPart
    received_at: str
    iccid: str = ""
    line_label: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    mail: bool = True
    rules: tuple[Rule, ...] = ()
    never: bool = False
    proof: str = ""


@dataclass(frozen=True, slots=True)
class PartStored:
    """The part is on disk. `sms` is its message once it has one, `outbox` the row of the outbox that this
    part caused: its mail, else a webhook or a copy."""

    duplicate: bool
    sms: int | None = None
    outbox: int | None = None


@dataclass(frozen=True, slots=True)
class SweepParts:
    """Deliver sets that wait for a part for ten minutes or longer. Result: the ids of the messages made (tuple)."""

    at: str
    older_than_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class SetOverrideRow:
    """Set an override, or forget it with the value "". Result: None."""

    name: str
    value: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class AddBlock:
    """A new entry of the block or allow list. One that was made by itself (`origin`) takes the place of the last one of
    its number. Result: its id."""

    pattern: str
    created_at: str
    created_by: str = ""
    allow: bool = False
    what: str = "calls"
    when: str = "always"
    line: str | None = None
    action: str = ""
    reason: str = ""
    begins: str | None = None
    ends: str | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class AddBlocks:
    """Many entries at once, in one transaction; one that is on the list already keeps its counter and takes the new
    reason, action and moments. `replace` takes all others off first. Result: how many entries there are now."""

    entries: tuple[AddBlock, ...]
    replace: bool = False


@dataclass(frozen=True, slots=True)
class RemoveBlock:
    """Take an entry off the list. Result: the entry (BlockRow of queries), or None when there was none."""

    id: int


@dataclass(frozen=True, slots=True)
class CountHits:
    """Add to the counters of block entries: id to number. Kept in memory for a while, no fsync. Result: None."""

    hits: Mapping[int, int]
    at: str


@dataclass(frozen=True, slots=True)
class PutBinding:
    """A phone's contact came or moved. `flow` is the registrar's own. Result: None."""

    extension: str
    key: str
    contact: str
    expires_at: str
    user_agent: str = ""
    flow: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DropBinding:
    """A phone's contact went; key "" means all of the extension. Result: None."""

    extension: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class TouchBindings:
    """New expiries of contacts that only refreshed: (extension, key) to stamp. Once a minute. Result: None."""

    expiries: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class AddEvent:
    """Something people should see. Result: its id."""

    at: str
    message: str
    args: Mapping[str, str] = field(default_factory=dict)
    severity: str = "info"


@dataclass(frozen=True, slots=True)
class PutLineFact:
    """The last that is known of a line under a name, instead of what was known before. `value` can be JSON.
    Result: None."""

    line: str
    name: str
    value: object
    at: str


@dataclass(frozen=True, slots=True)
class RememberCaller:
    """This number has heard the first greeting of this line. Result: None."""

    line: str
    number: str
    at: str


@dataclass(frozen=True, slots=True)
class PutSignal:
    """How well a line hears its network: a point of its history; what is older than 30 days goes. `percent`: 0 to 100,
    None unknown. Result: None."""

    line: str
    at: str
    percent: int | None
    network: str = ""
    operator: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class AddCredit:
    """A balance that was read: `amount` in minor units, `source` "ussd" or "sms", `text` as the operator said it.
    Result: None."""

    line: str
    at: str
    amount: int
    currency: str
    source: str
    text: str = ""
    iccid: str = ""


@dataclass(frozen=True, slots=True)
class AddNotice:
    """An event for the page that also leaves the box: as a mail to each of `to`, and as a call of the web
    address that has the name `hook`, all in one transaction. Result: the event's id."""

    at: str
    message: str
    args: Mapping[str, str] = field(default_factory=dict)
    severity: str = "warn"
    to: tuple[str, ...] = ()
    hook: str = ""


@dataclass(frozen=True, slots=True)
class RetryOutbox:
    """Send a dead letter again, or a waiting one now. Result: True, False when there is nothing to send."""

    id: int
    at: str


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Somebody has read these messages. Result: how many were unread."""

    ids: tuple[int, ...]
    at: str


@dataclass(frozen=True, slots=True)
class MarkSenderRead:
    """Somebody has read the messages of this sender. Result: how many were unread."""

    sender: str
    at: str


Write = (
    StoreCallRow | StoreSmsPart | SweepParts | SetOverrideRow | AddBlock | RemoveBlock | CountHits | PutBinding
    | DropBinding | TouchBindings | AddEvent | PutLineFact | PutSignal | RetryOutbox | MarkRead | MarkSenderRead
    | RememberCaller | AddOutgoing | PutOutgoing | AddCredit | AddNotice | AddBlocks
    | RecordingWrite
)  # fmt: skip
Result = None | bool | int | tuple[int, ...] | PartStored | object
