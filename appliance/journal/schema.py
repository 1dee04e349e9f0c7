"""The tables, version by version.

A migration is a tuple of statements that leads from one `user_version` to the next; statements of a released version
never change. Who writes what: the exchange calls, sms, sms_parts, sms_out, credit, signal, line_facts, blocks,
bindings, overrides, events, recordings, voicemail and new outbox rows; the worker the state of outbox rows, its answers
to mails it read (outbox), the fact "heartbeat" of a line and events of its own, and it deletes what is old; the page
accounts, sessions, audit and throttle.
"""

import sqlite3
from collections.abc import Sequence

from appliance.errors import JournalTooNew
from appliance.journal.recordings import TABLES as RECORDING_TABLES

CALLS = """
CREATE TABLE calls (
    id TEXT PRIMARY KEY, direction TEXT NOT NULL, line TEXT NOT NULL,
    caller TEXT NOT NULL, caller_kind TEXT NOT NULL, caller_name TEXT NOT NULL DEFAULT '',
    called TEXT NOT NULL, called_kind TEXT NOT NULL,
    started_at TEXT NOT NULL, ended_at TEXT NOT NULL, ring_ms INTEGER NOT NULL, talk_ms INTEGER NOT NULL,
    answered_by TEXT NOT NULL DEFAULT '', cause TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
    legs TEXT NOT NULL DEFAULT '[]', trace TEXT NOT NULL DEFAULT '[]'
) STRICT
"""

SMS = """
CREATE TABLE sms (
    id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL, iccid TEXT NOT NULL DEFAULT '',
    sender TEXT NOT NULL, sender_kind TEXT NOT NULL, text TEXT NOT NULL, coding TEXT NOT NULL,
    sent_at TEXT, received_at TEXT NOT NULL,
    parts INTEGER NOT NULL, parts_total INTEGER NOT NULL, complete INTEGER NOT NULL,
    flags TEXT NOT NULL DEFAULT '[]', mailed INTEGER NOT NULL DEFAULT 0, read_at TEXT
) STRICT
"""

# The hash is that of the PDU's hex; two SIMs of one office may get the very same PDU, so the line belongs to the key.
# `set_key` is the hash of the part of a long message that came first; `delivery` says to whom it shall be mailed.
SMS_PARTS = """
CREATE TABLE sms_parts (
    sha256 TEXT NOT NULL, line TEXT NOT NULL, iccid TEXT NOT NULL DEFAULT '', memory TEXT NOT NULL, slot INTEGER,
    pdu TEXT NOT NULL, received_at TEXT NOT NULL, sms_id INTEGER REFERENCES sms(id) ON DELETE CASCADE,
    set_key TEXT NOT NULL DEFAULT '', reference INTEGER, total INTEGER NOT NULL, sequence INTEGER NOT NULL,
    sender TEXT NOT NULL, sender_kind TEXT NOT NULL, sender_tail TEXT NOT NULL, coding TEXT NOT NULL,
    octets BLOB NOT NULL, text TEXT, sent_at TEXT, flags TEXT NOT NULL DEFAULT '[]',
    delivery TEXT NOT NULL DEFAULT '{}', PRIMARY KEY (sha256, line)
) STRICT
"""

# `since` is when the five days began: at the enqueue, or when somebody pressed "send again". `recipients` maps each
# address to "waiting", "sent" or "dead", so that a refused one does not make the others get the mail twice.
OUTBOX = """
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, created_at TEXT NOT NULL, since TEXT NOT NULL,
    next_at TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'leased', 'sent', 'dead')),
    lease_until TEXT, message_id TEXT NOT NULL UNIQUE,
    sms_id INTEGER REFERENCES sms(id) ON DELETE SET NULL, payload TEXT NOT NULL, recipients TEXT NOT NULL DEFAULT '{}',
    last_error TEXT NOT NULL DEFAULT '', sent_at TEXT, priority INTEGER NOT NULL DEFAULT 0
) STRICT
"""

BLOCKS = """
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, pattern TEXT NOT NULL, allow INTEGER NOT NULL DEFAULT 0,
    what TEXT NOT NULL DEFAULT 'calls', when_ TEXT NOT NULL DEFAULT 'always', line TEXT,
    action TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL, created_by TEXT NOT NULL DEFAULT '', hits INTEGER NOT NULL DEFAULT 0, last_hit TEXT
) STRICT
"""

# `flow` is the registrar's own JSON: transport, source, Call-ID, CSeq and what else it needs after a restart.
BINDINGS = """
CREATE TABLE bindings (
    extension TEXT NOT NULL, key TEXT NOT NULL, contact TEXT NOT NULL, flow TEXT NOT NULL DEFAULT '{}',
    expires_at TEXT NOT NULL, user_agent TEXT NOT NULL DEFAULT '', PRIMARY KEY (extension, key)
) STRICT
"""

OVERRIDES = (
    "CREATE TABLE overrides (name TEXT PRIMARY KEY, value TEXT NOT NULL, by_ TEXT NOT NULL, at TEXT NOT NULL) STRICT"
)

EVENTS = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, message TEXT NOT NULL, args TEXT NOT NULL DEFAULT '{}',
    severity TEXT NOT NULL
) STRICT
"""

ACCOUNTS = """
CREATE TABLE accounts (
    name TEXT PRIMARY KEY, display TEXT NOT NULL, role TEXT NOT NULL, password_hash TEXT NOT NULL,
    language TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL
) STRICT
"""

SESSIONS = """
CREATE TABLE sessions (
    id_hash TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts(name) ON DELETE CASCADE,
    created_at TEXT NOT NULL, seen_at TEXT NOT NULL, ip TEXT NOT NULL DEFAULT '', fresh_at TEXT,
    csrf TEXT NOT NULL DEFAULT ''
) STRICT
"""

AUDIT = """
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, ip TEXT NOT NULL DEFAULT '',
    what TEXT NOT NULL, old TEXT NOT NULL DEFAULT 'null', new TEXT NOT NULL DEFAULT 'null'
) STRICT
"""

THROTTLE = "CREATE TABLE throttle (key TEXT PRIMARY KEY, failures INTEGER NOT NULL, until TEXT NOT NULL) STRICT"

# A message of ours. `options`: flash, report, national, valid_minutes; `key` keeps the same request (a mail that is
# read twice) from making two; `next_at` is when the next try is due; `reason` an id of words.SENDING, `detail` the
# modem's own word for it.
SMS_OUT = """
CREATE TABLE sms_out (
    id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL, iccid TEXT NOT NULL DEFAULT '', recipient TEXT NOT NULL,
    text TEXT NOT NULL, origin TEXT NOT NULL, by_ TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, next_at TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'uncertain')),
    reason TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '', options TEXT NOT NULL DEFAULT '{}',
    reply_to INTEGER REFERENCES sms(id) ON DELETE SET NULL, key TEXT UNIQUE
) STRICT
"""

# `mr` is the modem's reference that delivery reports name; `status` the TP-ST of the last report.
SMS_OUT_PARTS = """
CREATE TABLE sms_out_parts (
    out_id INTEGER NOT NULL REFERENCES sms_out(id) ON DELETE CASCADE, sequence INTEGER NOT NULL, total INTEGER NOT NULL,
    pdu TEXT NOT NULL, length INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'queued', mr INTEGER, sent_at TEXT,
    status INTEGER, reported_at TEXT, PRIMARY KEY (out_id, sequence)
) STRICT
"""

# `amount` counts thousandths of the currency.
CREDIT = """
CREATE TABLE credit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL, iccid TEXT NOT NULL DEFAULT '', at TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, source TEXT NOT NULL, text TEXT NOT NULL DEFAULT ''
) STRICT
"""

SIGNAL = """
CREATE TABLE signal (
    line TEXT NOT NULL, at TEXT NOT NULL, percent INTEGER, network TEXT NOT NULL DEFAULT '',
    operator TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT '', PRIMARY KEY (line, at)
) STRICT
"""

# The last that is known of a line, by name: "forwarding", "heartbeat", "self-test", "quarantine"... `value` is JSON.
LINE_FACTS = """
CREATE TABLE line_facts (
    line TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (line, name)
) STRICT
"""

# Who has called a line before: the greeting of a first call is for the others.
HEARD = """
CREATE TABLE heard (line TEXT NOT NULL, number TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (line, number)) STRICT
"""

INDICES = (
    "CREATE INDEX calls_by_start ON calls (started_at, id)",
    "CREATE INDEX calls_by_caller ON calls (caller)",
    "CREATE INDEX sms_by_sender ON sms (line, sender, id)",
    "CREATE INDEX sms_unread ON sms (id) WHERE read_at IS NULL",
    "CREATE INDEX parts_by_sms ON sms_parts (sms_id)",
    "CREATE INDEX parts_by_set ON sms_parts (set_key)",
    "CREATE INDEX parts_by_reference ON sms_parts (line, sender_tail, reference, total)",
    "CREATE INDEX parts_awaited ON sms_parts (received_at) WHERE sms_id IS NULL",
    "CREATE INDEX outbox_due ON outbox (priority DESC, next_at) WHERE state IN ('waiting', 'leased')",
    "CREATE INDEX outbox_dead ON outbox (id) WHERE state = 'dead'",
    "CREATE INDEX outbox_by_sms ON outbox (sms_id)",
    "CREATE INDEX sessions_by_account ON sessions (account)",
)

Migration = tuple[str, ...]

MIGRATIONS: tuple[Migration, ...] = (
    (CALLS, SMS, SMS_PARTS, OUTBOX, BLOCKS, BINDINGS, OVERRIDES, EVENTS, ACCOUNTS, SESSIONS, AUDIT, THROTTLE, *INDICES),
    (
        "ALTER TABLE sms ADD COLUMN why TEXT NOT NULL DEFAULT '[]'",  # the trace of the rules: who got it, and why
        SMS_OUT,
        SMS_OUT_PARTS,
        CREDIT,
        SIGNAL,
        LINE_FACTS,
        "CREATE INDEX sms_out_by_state ON sms_out (state, updated_at)",
        "CREATE INDEX sms_out_by_recipient ON sms_out (recipient, id)",
        "CREATE INDEX sms_out_by_time ON sms_out_parts (sent_at) WHERE sent_at IS NOT NULL",
        "CREATE INDEX credit_by_line ON credit (line, at)",
        HEARD,
        "ALTER TABLE blocks ADD COLUMN begins_at TEXT",
        "ALTER TABLE blocks ADD COLUMN ends_at TEXT",
        "ALTER TABLE blocks ADD COLUMN origin TEXT NOT NULL DEFAULT ''",  # "" a person, "automatic", "key"
        *RECORDING_TABLES,
    ),
)
VERSION = len(MIGRATIONS)


def version(db: sqlite3.Connection) -> int:
    """The version of an open journal; 0 is an empty file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring the journal to the newest version, each step in a transaction of its own; gives the number of steps done.

    A step that fails leaves the version before it. Raises JournalTooNew for a file of a later release, and
    sqlite3.Error. Only the exchange calls it.
    """
    now = version(db)
    if now > len(migrations):
        raise JournalTooNew(found=str(now), known=str(len(migrations)))
    for step in range(now, len(migrations)):
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[step]:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {step + 1}")
            db.execute("COMMIT")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
    return len(migrations) - now
