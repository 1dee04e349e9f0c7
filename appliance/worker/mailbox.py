"""The mailbox that answers come to: IMAP (RFC 3501), with IDLE (RFC 2177), on a thread of its own.

It looks for mails it has not dealt with, hands each on, marks it afterwards, and then waits until the server tells of
new ones. A mark is a keyword of ours, so that people may read the same mailbox; a server that keeps no keywords gets
\\Seen. A connection that breaks is made again, later and later; nothing is lost meanwhile, the mails lie there.
"""

import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from appliance.settings.fields import Value
from appliance.settings.secret import MASK, Secret
from appliance.worker.replies import LONGEST_MAIL, Answer, Verdict, read
from appliance.worker.wire import forms_of

log = logging.getLogger(__name__)

DEALT_WITH = "$CentralkaDone"
LOOK_BACK = timedelta(days=6)  # older mails are not looked at
MOST_AT_ONCE = 200
IDLE_SECONDS = 60.0  # also how late a mail is seen whose announcement came with another answer
PAUSES = (5.0, 15.0, 60.0, 300.0)
TIMEOUT = SocketTimeout(connect=20, read=60)


@dataclass(frozen=True, slots=True)
class MailboxAccount:
    """Where it is and how to get in."""

    host: str
    port: int
    security: str  # tls | starttls
    user: str
    password: Secret
    folder: str

    @classmethod
    def of(cls, mailbox: Mapping[str, Value]) -> "MailboxAccount":
        """From the section `mailbox` of valid settings."""
        password = mailbox.get("password")
        return cls(
            str(mailbox.get("host") or ""), int(str(mailbox.get("port") or 993)),
            str(mailbox.get("security") or "tls"), str(mailbox.get("user") or ""),
            password if isinstance(password, Secret) else Secret(""), str(mailbox.get("folder") or "INBOX"),
        )  # fmt: skip


class Unusable(Exception):
    """The mailbox cannot be read: an id of words.ERRORS and the server's own words."""

    def __init__(self, error: str, words: str) -> None:
        super().__init__(error)
        self.error, self.words = error, words


class Session:
    """One connection, signed in, with the folder open. `close` may come from any thread and ends what waits."""

    def __init__(self, account: MailboxAccount, roots: ssl.SSLContext | None = None) -> None:
        """Raises Unusable."""
        self._account = account
        self.said: list[str] = []
        self._client: IMAPClient | None = None
        try:
            self._open(roots or ssl.create_default_context())
        except Unusable:
            self.close()
            raise
        except (OSError, IMAPClientError, ValueError) as error:
            self.close()
            certificate = isinstance(error, ssl.SSLCertVerificationError)
            words = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else _plain(error)
            raise Unusable("mail-certificate" if certificate else "mailbox-no-server", self._scrubbed(words)) from error

    def _open(self, context: ssl.SSLContext) -> None:
        a = self._account
        tls = a.security == "tls"
        client = self._client = IMAPClient(
            a.host, a.port, ssl=tls, ssl_context=context if tls else None, timeout=TIMEOUT
        )
        self._hear(client.welcome)
        if not tls:
            if not client.has_capability("STARTTLS"):
                raise Unusable("mail-no-tls", "")
            self._hear(client.starttls(context))
        try:
            self._hear(self._sign_in(client))
        except LoginError as error:
            raise Unusable("mailbox-sign-in", self._scrubbed(_plain(error))) from error
        try:
            found = client.select_folder(a.folder)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise Unusable("mailbox-folder", self._scrubbed(_plain(error))) from error
        self._keeps_keywords = b"\\*" in found.get(b"PERMANENTFLAGS", ())
        self._idles = client.has_capability("IDLE")
        self._hear(f"{a.folder}: {found.get(b'EXISTS', 0)}")

    def _sign_in(self, client: IMAPClient) -> object:
        """AUTHENTICATE PLAIN knows UTF-8 (RFC 4616), LOGIN does not."""
        if client.has_capability("AUTH=PLAIN"):
            return client.plain_login(self._account.user, self._account.password.reveal())
        return client.login(self._account.user, self._account.password.reveal())

    def open_mails(self, today: date) -> list[int]:
        """UIDs of mails that were not dealt with, oldest first. Raises OSError, IMAPClientError."""
        assert self._client is not None
        which = ["UNKEYWORD", DEALT_WITH] if self._keeps_keywords else ["UNSEEN"]
        wanted = [*which, "UNDELETED", "SINCE", today - LOOK_BACK]
        self._client.search(wanted)  # a mail that came just now is announced at its end, and found by the next one
        found = self._client.search(wanted)
        return sorted(int(uid) for uid in found)[:MOST_AT_ONCE]

    def fetch(self, uid: int) -> Answer:
        """One mail, as far as it is read. Raises OSError, IMAPClientError."""
        assert self._client is not None
        part = f"BODY.PEEK[]<0.{LONGEST_MAIL}>".encode()
        found = self._client.fetch([uid], [part]).get(uid, {})
        octets = next((value for name, value in found.items() if name.startswith(b"BODY[]")), b"")
        return read(octets if isinstance(octets, bytes) else b"")

    def mark(self, uid: int, verdict: Verdict) -> None:
        """It is dealt with; one that is ours also counts as read. Raises OSError, IMAPClientError."""
        assert self._client is not None
        flags = [DEALT_WITH] if self._keeps_keywords else []
        if verdict is Verdict.DONE or not flags:
            flags.append("\\Seen")
        self._client.add_flags([uid], flags, silent=True)

    def wait(self, seconds: float) -> None:
        """Until the server tells of something, or the time is over. Raises OSError, IMAPClientError."""
        assert self._client is not None
        if not self._idles:
            time.sleep(min(seconds, 30.0))  # a server of before 1997: it is asked again
            return
        if "EXISTS" in repr(self._client.noop()):
            return
        self._client.idle()
        try:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                told = self._client.idle_check(timeout=min(left, 60.0))
                if any(len(one) > 1 and one[1] == b"EXISTS" for one in told):
                    break
                if any(one and one[0] == b"BYE" for one in told):
                    raise IMAPClientAbortError("the server says goodbye")
        finally:
            self._client.idle_done()

    def close(self) -> None:
        """End the connection at once."""
        if self._client is not None:
            with contextlib.suppress(Exception):  # it may be half open, or in use by the other thread
                self._client.shutdown()

    def _hear(self, words: object) -> None:
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        self.said.append(self._scrubbed(text))

    def _scrubbed(self, text: str) -> str:
        for form in forms_of(self._account.password):
            text = text.replace(form, MASK)
        return "".join(c if c.isprintable() else " " for c in text)[:300]


class Mailbox:
    """Owns the thread. `start()` and `stop()` may be called twice. `trouble` is (error, words) while it cannot be read;
    `told` is called with each new trouble, on the thread."""

    def __init__(
        self,
        account: MailboxAccount,
        handle: Callable[[Answer], Verdict],
        told: Callable[[str, str], None],
        roots: ssl.SSLContext | None = None,
    ) -> None:
        self.account = account
        self.trouble: tuple[str, str] = ("", "")
        self._handle = handle
        self._told = told
        self._roots = roots
        self._stopping = threading.Event()
        self._session: Session | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="mailbox", daemon=True)
            self._thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        """End; a mail that is being handed on is dealt with again next time, and makes no second SMS."""
        self._stopping.set()
        session, thread = self._session, self._thread
        if session is not None:
            session.close()
        if thread is not None:
            thread.join(seconds)
        self._thread = None

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._session = session = Session(self.account, self._roots)
                self.trouble, failures = ("", ""), 0
                log.info("mailbox: %s is read", self.account.folder)
                self._read(session)
            except Unusable as error:
                self._failed(error.error, error.words, failures)
            except Exception as error:  # noqa: BLE001 - whatever a server says, the thread lives
                if not self._stopping.is_set():
                    log.warning("mailbox: the connection ended: %s", _plain(error))
            finally:
                if self._session is not None:
                    self._session.close()
                self._session = None
            failures += 1
            self._stopping.wait(PAUSES[min(failures, len(PAUSES)) - 1])

    def _read(self, session: Session) -> None:
        while not self._stopping.is_set():
            for uid in session.open_mails(datetime.now(UTC).date()):
                verdict = self._handle(session.fetch(uid))
                if verdict is not Verdict.LATER:
                    session.mark(uid, verdict)
                if self._stopping.is_set():
                    return
            session.wait(IDLE_SECONDS)

    def _failed(self, error: str, words: str, failures: int) -> None:
        new = self.trouble[0] != error
        self.trouble = (error, words)
        log.warning("mailbox: %s (%s)", error, words)
        if new and (failures > 0 or error != "mailbox-no-server"):
            self._told(error, words)


def _plain(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:300]
