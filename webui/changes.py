"""The record of changes in words: one sentence per kind of change."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.settings.schema import SECTIONS
from webui.forms import label_of

WORDS = {
    "sign-in": _l("Signed in"),
    "sign-in.refused": _l("Sign-in refused"),
    "first-start.refused": _l("A wrong one-time link was tried"),
    "night": _l("Moved the night switch"),
    "block.add": _l("Added to the lists of Blocking"),
    "block.remove": _l("Removed from the lists of Blocking"),
    "block.import": _l("Imported a file into the lists of Blocking"),
    "block.pause": _l("Paused blocking, or ended the pause"),
    "block.let-next": _l("Let the next caller through, or took it back"),
    "call.end": _l("Ended a call"),
    "call.make": _l("Had a number called"),
    "call.transfer": _l("Sent a call on"),
    "call.drop": _l("Left a message in a call"),
    "outbox.retry": _l("Sent a mail again"),
    "sms.send": _l("Sent a message"),
    "sms.again": _l("Sent a message again"),
    "sms.cancel": _l("Took a message back"),
    "ussd": _l("Sent a code to the operator"),
    "mail.test": _l("Sent a test mail"),
    "mailbox.test": _l("Looked into the mailbox for answers"),
    "prompt.upload": _l("Uploaded an announcement"),
    "prompt.speak": _l("Had an announcement spoken"),
    "prompt.remove": _l("Removed an announcement"),
    "sound.play": _l("Listened to a recording"),
    "sound.download": _l("Downloaded a recording"),
    "sound.remove": _l("Deleted a recording"),
    "right.missing": _l("Was refused a recording"),
    "secret.shown": _l("Looked at the data of a phone"),
    "phone.password": _l("Made a new password for a phone"),
    "password.changed": _l("Changed the own password"),
    "sessions.dropped": _l("Signed out other browsers"),
    "account.changed": _l("Changed the own account"),
}

START = {
    "language": _l("Language and country"), "password": _l("Administrator's password"), "line": _l("First line"),
    "people": _l("People and phones"), "hours": _l("Open hours"), "mail": _l("Messages to mail"),
    "call": _l("Try a call"), "done": _l("Ready"),
}  # fmt: skip


def words(what: str) -> str:
    """What was done."""
    if what in WORDS:
        return str(WORDS[what])
    kind, _dot, rest = what.partition(".")
    if kind == "settings":
        section = rest.split(".")[0]
        label = label_of(SECTIONS[section].label) if section in SECTIONS else section
        return str(_("Changed settings: %(name)s", name=label))
    if kind == "start":
        return str(_("First start: %(step)s", step=START.get(rest, rest)))
    if kind == "undo":
        return str(_("Took back: %(what)s", what=words(rest)))
    return what
