"""Sentences for ids: `appliance/words.py` has the English, gettext the translation of the reader.

An id without a sentence is shown as it is, small, so that support can find it; nothing here ever fails.
"""

from collections.abc import Mapping

from flask_babel import gettext, lazy_gettext

from appliance.errors import ControlError
from appliance.words import (
    BUTTONS,
    CAUSES,
    ERRORS,
    LAMPS,
    LINE_STATES,
    NOTICES,
    OUTCOMES,
    PRESSES,
    PROMPTS,
    SELF_TEST,
    SENDING,
    SMS_STATES,
    TRACE,
    say,
)

_l = lazy_gettext

CONTROL = {
    "exchange-down": _l(
        "The exchange does not answer. Calls may still work; this page cannot see them. Try again in a minute."
    ),
    "settings-changed": _l(
        "Somebody else has changed these settings meanwhile. What they saved is shown now; make your change again."
    ),
    "journal-not-ready": _l("The box is starting. Its journal is not open yet."),
    "too-big": _l("This is more than the box takes at once. Make it shorter."),
}  # fmt: skip


def sentence(table: Mapping[str, str], name: str, args: Mapping[str, object] | None = None) -> str:
    """The sentence of an id in the reader's language, its named facts filled in."""
    return say(table, name, args or {}, lambda text: str(gettext(text)))


def error_words(error: ControlError) -> str:
    """What a person reads when the exchange refused."""
    if error.id in CONTROL:
        return str(CONTROL[error.id])
    return sentence(ERRORS, error.id, error.args_for_words)


__all__ = [
    "BUTTONS", "CAUSES", "ERRORS", "LAMPS", "LINE_STATES", "NOTICES", "OUTCOMES", "PRESSES", "PROMPTS", "SELF_TEST",
    "SENDING", "SMS_STATES", "TRACE", "error_words", "sentence",
]  # fmt: skip
