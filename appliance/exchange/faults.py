"""What is wrong with the box right now: for the power lamp, and in sentences for the page. Pure."""

from appliance.core.model import PHONES, LineId
from appliance.core.routing import LET_NEXT
from appliance.core.scheme import without_backup
from appliance.errors import DiskFull, JournalError
from appliance.exchange.control import Json
from appliance.exchange.exchange import Exchange
from appliance.exchange.views import Numbers
from appliance.journal.outbox import why
from appliance.words import ERRORS, say

GONE = ("not-there", "no-answer", "other-modem", "port-busy")
NEARLY_FULL = 0.8  # of the places for messages
WANTS_PIN = ("pin-needed", "pin-wrong", "puk-needed")
TRUNKS = {  # states of a trunk and the note that explains each
    "password-refused": "trunk-password", "no-provider": "trunk-gone", "provider-refused": "trunk-refused",
    "no-such-name": "trunk-name", "certificate": "trunk-certificate",
}  # fmt: skip


def faults_now(
    exchange: Exchange, journal: JournalError | None, settings_damaged: bool, numbers: Numbers
) -> tuple[str, ...]:
    """Keys of `panel.table.FAULT_CODES`, worst first."""
    states = [line.status().state for line_id, line in exchange.lines.items() if line_id != PHONES]
    found = {
        "journal-damaged": journal is not None and not isinstance(journal, DiskFull),
        "disk-full": isinstance(journal, DiskFull),
        "settings-damaged": settings_damaged,
        "modem-gone": any(state in GONE for state in states),
        "sim-pin": any(state in WANTS_PIN for state in states),
        "mail-down": numbers.stuck > 0 or bool(lost_lines(exchange, numbers)),
    }
    return tuple(name for name, holds in found.items() if holds)


def lost_lines(exchange: Exchange, numbers: Numbers) -> tuple[str, ...]:
    """Labels of the lines in use whose heartbeat was lost."""
    lines = exchange.plan.lines
    return tuple(lines[LineId(one)].label for one in numbers.lost if LineId(one) in lines)


def notes_now(
    exchange: Exchange, journal: JournalError | None, settings_damaged: bool, numbers: Numbers, mail_on: bool
) -> list[Json]:
    """Notes for the page: what happened, what it means, where to mend it."""
    notes: list[Json] = []

    def note(message: str, severity: str, link: str, args: dict[str, Json] | None = None) -> None:
        about = (args or {}).get("line", "") or (args or {}).get("scheme", "")
        identity = f"{message}-{about}" if about else message
        notes.append({"id": identity, "severity": severity, "message": message, "args": args or {}, "link": link})

    if isinstance(journal, DiskFull):
        note("disk-full", "bad", "/box/health")
    elif journal is not None:
        note("journal-damaged", "bad", "/box/health")
    if settings_damaged:
        note("settings-damaged", "bad", "/box/health")
    for line_id, line in exchange.plan.lines.items():
        wire = exchange.lines.get(line_id)
        state = wire.status().state if wire else "not-there"
        about: dict[str, Json] = {"line": line.label}
        facts = wire.status().facts if wire else {}
        if state == "port-busy":
            note("line-taken", "bad", f"/lines/{line_id}", about)
        elif state in GONE:
            note("line-gone", "bad", "/lines", about)
        elif state in WANTS_PIN:
            note("line-pin", "bad", "/lines", about)
        elif state in TRUNKS:
            note(TRUNKS[state], "bad", f"/lines/{line_id}", {**about, "said": facts.get("said", "")})
        elif state == "storage-full":
            note("storage-full", "warn", "/lines", about)
        elif _nearly_full(facts.get("storage", "")):
            note("storage-filling", "warn", f"/lines/{line_id}", about)
        if facts.get("roaming"):
            note("roaming", "warn", f"/lines/{line_id}", about)
        if facts.get("voice") == "none":
            note("no-voice", "bad", f"/lines/{line_id}", about)
    if numbers.stuck:
        fault, words = why(numbers.said)
        said = words or say(ERRORS, fault, {"said": words})
        note("mail-down", "warn", "/box/mail", {"said": said, "count": str(numbers.stuck)})
    for lost in lost_lines(exchange, numbers):
        note("heartbeat-lost", "bad", "/lines", {"line": lost})
    if numbers.dead:
        note("mail-dead", "warn", "/messages", {"count": str(numbers.dead)})
    for scheme_id in sorted({line.scheme for line in exchange.plan.lines.values() if line.scheme}):
        scheme = exchange.plan.schemes.get(scheme_id)
        if scheme and without_backup(scheme):
            note("no-backup", "warn", f"/schemes/{scheme_id}", {"scheme": scheme.name})
    if exchange.overrides.get(LET_NEXT):
        note("let-next", "info", "/")
    if not mail_on:
        note("mail-off", "info", "/box/mail")
    if exchange.plan.people and not exchange.registered:
        note("no-phone", "warn", "/people")
    return notes


def _nearly_full(storage: str) -> bool:
    """Whether four fifths of "16/20" are used."""
    used, _, total = storage.partition("/")
    return total.isdigit() and used.isdigit() and int(used) >= int(total) * NEARLY_FULL > 0
