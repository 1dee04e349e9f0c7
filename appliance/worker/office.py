"""What the worker knows of the settings: read from the file at the start, when told, and when the file has changed.

Settings that cannot be read, or mail that is not set up, are a state in which mail waits, never an end.
"""

import gettext
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import appliance
from appliance.errors import CentralkaError, ControlError, SettingsError
from appliance.journal.rows import Json
from appliance.settings.fields import Value
from appliance.settings.places import Places
from appliance.settings.schema import LANGUAGES, Section, check_section
from appliance.settings.schema import rows as records
from appliance.settings.secret import Secret
from appliance.settings.store import Store
from appliance.worker.mailbox import MailboxAccount
from appliance.worker.mailer import Account
from appliance.worker.rounds import Asked, asked_of
from appliance.worker.sms_mail import Desk
from appliance.worker.tokens import Answers, load_key
from appliance.worker.voice_files import Keep
from appliance.worker.webhook import Hook, hooks_of

log = logging.getLogger(__name__)

TRANSLATIONS = Path(appliance.__file__).parent.parent / "webui" / "translations"
_SAME_SERVER = ("host", "port", "user")
_NEEDED = {"mail": ("host", "sender"), "mailbox": ("host", "user", "address")}


@dataclass(frozen=True, slots=True)
class Office:
    """The settings as the worker uses them. `account` None: no mail is sent, and `why` says the reason as an id.
    `mailbox` None: answers are not read; `senders` are those who may answer, `lines` the records in use."""

    desk: Desk
    account: Account | None
    why: str
    mail: Mapping[str, Value]
    languages: tuple[str, ...] = ("en",)
    address: str = ""
    asked: tuple[Asked, ...] = ()  # of the SIMs, every night
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    mailbox: MailboxAccount | None = None
    senders: frozenset[str] = frozenset()
    lines: tuple[Mapping[str, Value], ...] = ()
    mailbox_settings: Mapping[str, Value] = field(default_factory=dict)
    keep: Keep = field(default_factory=Keep)


class OfficeReader:
    """Reads settings.json; any thread, one at a time."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._seen: tuple[int, int] | None = None

    def changed(self) -> bool:
        """Whether the file is another one than at the last `read`."""
        return self._stat() != self._seen

    def read(self) -> Office:
        """The office of now. Never raises."""
        self._seen = self._stat()
        try:
            if not self._places.settings.exists() and not self._places.settings_good.exists():
                return _unusable("settings-missing")
            store = Store(self._places.settings, self._places.settings_good, self._places.key)
            return office_of(store.read(), load_key(self._places.answers_key))
        except (CentralkaError, OSError, ValueError, KeyError, TypeError) as error:
            log.error("the settings cannot be used, mail waits: %s", error)
            return _unusable("settings-unusable")

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = self._places.settings.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def office_of(settings: Mapping[str, Mapping[str, Value]], key: bytes = b"") -> Office:
    """From whole settings; `key` signs the tokens of mails that can be answered."""
    office, mail = settings["office"], settings["mail"]
    language = str(office.get("language") or "en")
    mailbox = settings.get("mailbox", {})
    answers = None
    if mailbox.get("enabled") and mailbox.get("address"):
        answers = Answers(str(mailbox["address"]), bool(mailbox.get("plus")), key)
    desk = Desk(
        str(office.get("name") or "Centralka"), language, ZoneInfo(str(office.get("timezone") or "UTC")),
        str(mail.get("sender") or ""), bool(mail.get("code_in_subject")), translator(language), answers,
    )  # fmt: skip
    spoken = [language]
    for section in ("lines", "people"):
        items = settings.get(section, {}).get("items", [])
        rows = [row for row in items if isinstance(row, Mapping)] if isinstance(items, list) else []
        spoken += [str(row["language"]) for row in rows if row.get("language")]
    why = ""
    if not mail.get("enabled"):
        why = "mail-off"
    elif not (mail.get("host") and mail.get("sender")):
        why = "mail-incomplete"
    languages = tuple(dict.fromkeys(one for one in (*spoken, "en") if one in LANGUAGES))
    address = str(settings.get("network", {}).get("address") or "")
    nightly = asked_of(records(settings, "lines"))
    hooks = hooks_of(records(settings, "sms_rules"), mail, records(settings, "lines"))
    named = mailbox.get("senders")
    return Office(
        desk, None if why else Account.of(mail), why, mail, languages, address, nightly, hooks,
        MailboxAccount.of(mailbox) if answers else None,
        frozenset(str(one).casefold() for one in named) if isinstance(named, list) else frozenset(),
        tuple(row for row in records(settings, "lines") if row.get("enabled")), mailbox,
        Keep.of(settings.get("recording", {})),
    )  # fmt: skip


def merged(section: Section, stored: Mapping[str, Value], typed: Mapping[str, Json]) -> Mapping[str, Value]:
    """The section `mail` or `mailbox` with what stands in a form laid over it, checked. A password that was not typed
    anew is the stored one, but only for the same server and user: a test must not hand it to somebody else.

    Raises SettingsError with every fault, ControlError `mail-password-again` for a password that belongs elsewhere.
    """
    doc: dict[str, Value] = dict(stored)
    for key, value in typed.items():
        if key not in ("version", "password", "enabled", "alarm_secret"):
            doc[key] = value
    password = typed.get("password")
    new = isinstance(password, str) and password != ""
    if new:
        doc["password"] = password
    clean, faults = check_section(section, doc)
    found = {path: fault.id for path, fault in faults.items()}
    for name in _NEEDED[section.name]:
        if not clean.get(name) and f"{section.name}.{name}" not in found:
            found[f"{section.name}.{name}"] = "required"
    if clean.get("security") == "plain" and not clean.get("plain_allowed"):
        found["mail.security"] = "plain-not-allowed"
    elsewhere = any(clean.get(name) != stored.get(name) for name in _SAME_SERVER)
    if found:
        raise SettingsError(found)
    if elsewhere and not new and stored.get("password") and clean.get("user"):
        raise ControlError("mail-password-again")
    if elsewhere and not new:
        clean["password"] = Secret("")
    return clean


def sms_days_of(office: Office) -> dict[str, int]:
    """How many days the messages of each line are kept; 0 is for ever."""
    return {str(line["id"]): int(str(line.get("sms_keep_days", 730))) for line in office.lines}


def translator(language: str) -> Callable[[str], str]:
    """The gettext of the page's catalogue, English where there is none."""
    return gettext.translation("messages", str(TRANSLATIONS), [language], fallback=True).gettext


def _unusable(why: str) -> Office:
    return Office(Desk("Centralka", "en", ZoneInfo("UTC"), ""), None, why, {})
