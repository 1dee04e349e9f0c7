"""Handing a mail to the server of the office's provider, and telling whose fault it was when that fails.

Three kinds of failure, and only the last gives a mail up: the world (no connection, 4xx) is tried again; the set-up
(5xx at the greeting, STARTTLS, sign-in or to our own address; a certificate that does not hold) is tried again too,
with a notice for the owner; a recipient or a mail that the server refuses for good (5xx at RCPT or DATA) is dead.
STARTTLS never falls back to plain text; plain text is spoken only where the owner said so (`plain_allowed`).
"""

import contextlib
import logging
import smtplib
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from appliance.journal.outbox import Settled, State
from appliance.settings.fields import Value
from appliance.settings.secret import Secret
from appliance.worker.wire import Slow, Wire

log = logging.getLogger(__name__)

WHOLE_SECONDS = 240.0  # all steps together; under the lease of five minutes


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each step may take, in seconds (RFC 5321 4.5.3.2 has minutes; an office waits less)."""

    connect: float = 20.0
    greeting: float = 60.0
    command: float = 30.0
    recipients: float = 90.0
    data: float = 120.0
    whole: float = WHOLE_SECONDS


@dataclass(frozen=True, slots=True)
class Account:
    """Where mail goes to and how."""

    host: str
    port: int
    security: str  # tls | starttls | plain
    plain_allowed: bool
    user: str
    password: Secret
    sender: str

    @classmethod
    def of(cls, mail: Mapping[str, Value]) -> "Account":
        """From the section `mail` of valid settings."""
        password = mail.get("password")
        return cls(
            str(mail.get("host") or ""), int(str(mail.get("port") or 0)), str(mail.get("security") or "tls"),
            bool(mail.get("plain_allowed")), str(mail.get("user") or ""),
            password if isinstance(password, Secret) else Secret(""), str(mail.get("sender") or ""),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt: per recipient a state, an id of words.ERRORS with the server's words, and whether
    the server as such could not be used (`down`) or does not take us (`setup`)."""

    recipients: Mapping[str, State] = field(default_factory=dict)
    error: str = ""
    words: str = ""
    down: bool = False
    setup: bool = False
    said: tuple[str, ...] = ()

    def settled(self) -> Settled:
        """For the journal: "id: the server's own words"."""
        return Settled(self.recipients, f"{self.error}: {self.words}" if self.error and self.words else self.error)


class _Fault(Exception):
    """Ends an attempt: an id of words.ERRORS and what the other side said."""

    def __init__(self, error: str, words: str, setup: bool) -> None:
        super().__init__(error)
        self.error, self.words, self.setup = error, words, setup


class Delivery:
    """One attempt. `run` on a thread of its own; `cut` from any other ends it."""

    def __init__(self, account: Account, limits: Limits | None = None, roots: ssl.SSLContext | None = None) -> None:
        """`roots` are the certificates trusted, None for the system's (SSL_CERT_FILE is honoured)."""
        self._account = account
        self._limits = limits or Limits()
        self._context = roots
        self._wire: Wire | None = None
        self._cut = False
        self._sure = False  # the server has answered the end of DATA

    def cut(self) -> None:
        """Stop it: the recipients then still wait."""
        self._cut = True
        if self._wire is not None:
            self._wire.cut()

    def run(self, mail: EmailMessage, to: Sequence[str]) -> Outcome:
        """Hand the mail over for these recipients. Never raises."""
        states: dict[str, State] = {}
        try:
            words = self._talk(mail, to, states)
            error = "mail-refused-address" if words else ""
            return Outcome(states, error, words, said=self._said())
        except _Fault as fault:
            return Outcome(states, fault.error, fault.words, not fault.setup and not states, fault.setup, self._said())
        except (ssl.SSLError, OSError, smtplib.SMTPException, ValueError) as error:
            name, words, setup = self._named(error)
            return Outcome(states, name, words, not setup, setup, self._said())
        finally:
            self._end()

    def _talk(self, mail: EmailMessage, to: Sequence[str], states: dict[str, State]) -> str:
        """All steps; fills `states`; gives the words of the first recipient refused."""
        wire = self._open()
        octets = mail.as_bytes()
        taken, words = self._envelope(wire, octets, to, states)
        if taken:
            self._data(wire, octets, taken, states)
        return words

    def _open(self) -> Wire:
        """Connected, protected, signed in."""
        a, lim = self._account, self._limits
        if a.security == "plain" and not a.plain_allowed:
            raise _Fault("mail-no-tls", "", setup=True)
        context = None
        if a.security != "plain":
            context = self._context or ssl.create_default_context()
        secrets = (a.password,) if a.password else ()
        wire = self._wire = Wire(context if a.security == "tls" else None, secrets)
        wire.limit(lim.connect, time.monotonic() + lim.whole)
        if self._cut:
            raise Slow("stopped")
        code, text = wire.connect(a.host, a.port)
        if code != 220:
            raise self._refused(code, text, "mail-refused")
        self._hello(wire)
        if a.security == "starttls":
            self._secure(wire, context)
        if a.user:
            self._sign_in(wire)
        return wire

    def _hello(self, wire: Wire) -> None:
        wire.limit(self._limits.greeting)
        code, text = wire.ehlo()
        if not 200 <= code <= 299:
            code, text = wire.helo()
        if not 200 <= code <= 299:
            raise self._refused(code, text, "mail-refused")

    def _secure(self, wire: Wire, context: ssl.SSLContext | None) -> None:
        """STARTTLS, or the end."""
        if not wire.has_extn("starttls"):
            raise _Fault("mail-no-tls", "", setup=True)
        wire.limit(self._limits.command)
        code, text = wire.starttls(context=context)
        if code != 220:
            raise self._refused(code, text, "mail-no-tls")
        self._hello(wire)

    def _sign_in(self, wire: Wire) -> None:
        wire.limit(self._limits.command)
        try:
            wire.sign_in(self._account.user, self._account.password)
        except smtplib.SMTPNotSupportedError as error:
            raise _Fault("mail-sign-in", str(error), setup=True) from error
        except smtplib.SMTPAuthenticationError as error:
            raise self._refused(error.smtp_code, error.smtp_error, "mail-sign-in") from error

    def _envelope(
        self, wire: Wire, octets: bytes, to: Sequence[str], states: dict[str, State]
    ) -> tuple[list[str], str]:
        """MAIL and each RCPT: who is taken, and what was said about the first who is not."""
        wire.limit(self._limits.command)
        size = [f"SIZE={len(octets)}"] if wire.does_esmtp and wire.has_extn("size") else []
        code, text = wire.mail(self._account.sender, size)
        if code == 552:  # larger than the server ever takes
            states.update(dict.fromkeys(to, State.DEAD))
            raise self._refused(code, text, "mail-refused", setup=False)
        if not 200 <= code <= 299:
            raise self._refused(code, text, "mail-refused")
        taken: list[str] = []
        words = ""
        wire.limit(self._limits.recipients)
        for one in to:
            code, text = wire.rcpt(one)
            if code == 421:
                raise self._refused(code, text, "mail-refused")
            if code == 530:  # authentication required: nothing is wrong with this recipient
                raise self._refused(code, text, "mail-sign-in")
            if 200 <= code <= 299:
                taken.append(one)
                continue
            states[one] = State.DEAD if 500 <= code <= 599 else State.WAITING
            words = words or f"{one}: {self._words(code, text)}"
        return taken, words

    def _data(self, wire: Wire, octets: bytes, taken: Sequence[str], states: dict[str, State]) -> None:
        """The mail itself. Only the server's answer to its end makes it sent."""
        wire.limit(self._limits.data)
        try:
            code, text = wire.data(octets)
        except smtplib.SMTPDataError as error:  # no 354
            code, text = error.smtp_code, _octets(error.smtp_error)
        self._sure = True
        if 200 <= code <= 299:
            states.update(dict.fromkeys(taken, State.SENT))
            return
        fatal = 500 <= code <= 599
        states.update(dict.fromkeys(taken, State.DEAD if fatal else State.WAITING))
        raise _Fault("mail-refused", self._words(code, text), setup=False)

    def _refused(self, code: int, text: bytes | str, error: str, setup: bool | None = None) -> _Fault:
        """5xx is a fault of the set-up, everything else of the moment."""
        return _Fault(error, self._words(code, text), 500 <= code <= 599 if setup is None else setup)

    def _words(self, code: int, text: bytes | str) -> str:
        flat = " ".join(_octets(text).decode("utf-8", "replace").split())
        whole = f"{code} {flat}".strip() if code > 0 else flat or "no answer that follows SMTP"
        return self._wire.scrubbed(whole) if self._wire else whole[:300]

    def _named(self, error: Exception) -> tuple[str, str, bool]:
        """An id of words.ERRORS for what broke, its words, and whether the set-up is to blame."""
        words = self._wire.scrubbed(_plain(error)) if self._wire else _plain(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            return "mail-certificate", error.verify_message or words, True
        if isinstance(error, ssl.SSLError):
            return "mail-no-tls", words, True
        if isinstance(error, Slow | TimeoutError):
            return "mail-slow", "", False
        if isinstance(error, smtplib.SMTPResponseException):
            return "mail-refused", self._words(error.smtp_code, error.smtp_error), False
        return "mail-no-server", words, False

    def _said(self) -> tuple[str, ...]:
        return tuple(self._wire.said) if self._wire else ()

    def _end(self) -> None:
        """Say goodbye where that costs nothing, and close."""
        wire = self._wire
        if wire is None:
            return
        with contextlib.suppress(OSError, smtplib.SMTPException, ValueError):
            if wire.sock is not None and self._sure:
                wire.limit(2.0)
                wire.quit()
        with contextlib.suppress(OSError):
            wire.close()


def _octets(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")


def _plain(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "the name of the server is not known"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:300]
