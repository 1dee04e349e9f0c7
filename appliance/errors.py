"""The one tree of errors.

Every error that a person may read has a stable `id` (kebab case, never reused) and named `args`; `words.py` holds the
English sentence for the id and gettext its translations. "We did wrong" (a programming fault) is a built-in exception;
everything here is "they did wrong" or "the world is like that". Each class also derives from the built-in that a caller
would expect, so `except ValueError` works where it is natural.
"""


class CentralkaError(Exception):
    """Base of all our errors: a stable id and the facts for its sentence."""

    id = "error"

    def __init__(self, detail: str = "", /, **args: str) -> None:
        super().__init__(detail or self.id)
        self.detail = detail
        self.args_for_words: dict[str, str] = dict(args)


class ProtocolError(CentralkaError):
    """What came over a wire does not follow its protocol."""

    id = "protocol-error"


class PduError(ProtocolError, ValueError):
    """These octets are not an SMS PDU that can be read (3GPP TS 23.040)."""

    id = "bad-pdu"


class MessageError(CentralkaError, ValueError):
    """A message that cannot be put on the air as it was asked for."""

    id = "bad-message"


class RecipientError(MessageError):
    """A recipient that is no number of the mobile network: digits and * # a b c, + in front, at most 20."""

    id = "bad-recipient"


class MessageTooLong(MessageError):
    """A text of more than 255 parts."""

    id = "message-too-long"


class ValidityError(MessageError):
    """The network can be told to try for 5 minutes to 63 weeks, not for this long."""

    id = "bad-validity"


class SettingsError(CentralkaError, ValueError):
    """Settings that cannot be used: `fields` maps a field's path to the id of its fault, all of them at once."""

    id = "invalid-settings"

    def __init__(self, fields: dict[str, str], detail: str = "") -> None:
        super().__init__(detail or ", ".join(f"{k}: {v}" for k, v in sorted(fields.items())))
        self.fields = fields


class LineError(CentralkaError, OSError):
    """A line (modem, phone, trunk) could not do what it was told."""

    id = "line-error"


class JournalError(CentralkaError, RuntimeError):
    """The journal could not be read or written."""

    id = "journal-error"


class DiskFull(JournalError):
    """There is no room for the journal; calls go on, messages stay on their SIM."""

    id = "disk-full"


class JournalBusy(JournalError):
    """Too much waits to be written, or another process holds the journal for too long."""

    id = "journal-busy"


class JournalDamaged(JournalError):
    """The journal's file is damaged or not a journal. It is left as it is; the owner decides to put it aside."""

    id = "journal-damaged"


class JournalTooNew(JournalError):
    """A newer release wrote this journal; this one must not touch it."""

    id = "journal-too-new"


class ControlError(CentralkaError, RuntimeError):
    """A request on the control socket was refused or could not be carried out."""

    id = "control-error"

    def __init__(self, id: str, detail: str = "", /, **args: str) -> None:  # noqa: A002 - the wire's own word
        super().__init__(detail or id, **args)
        self.id = id
