"""smtplib with the edges taken off: every answer is bounded in length and in time, and kept in the server's own words.

Python's client reads as many lines as a server likes to send, each with a fresh time-out, looks its own name up in the
DNS before it says hello, and signs in with ASCII only. Here one deadline holds for each step, an answer has at most 100
lines, and the sign-in knows UTF-8 (RFC 4616). What a server says is scrubbed of our secrets before anybody sees it.
"""

import base64
import contextlib
import ipaddress
import smtplib
import socket
import ssl
import time
import unicodedata
from collections.abc import Sequence

from appliance.settings.secret import MASK, Secret

LONGEST_LINE = 2048  # RFC 5321 4.5.3.1.5 asks for 512
MOST_LINES = 100
MOST_KEPT = 40
LONGEST_KEPT = 300


class Slow(OSError):
    """The server did not answer in the time of this step."""


class Wire(smtplib.SMTP):
    """One connection. `said` are the server's own lines, scrubbed. Used by one thread; `cut` may come from any."""

    def __init__(self, tls: ssl.SSLContext | None, secrets: Sequence[Secret] = ()) -> None:
        super().__init__(timeout=30, local_hostname="centralka.invalid")
        self.said: list[str] = []
        self._tls = tls
        self._names = [form for secret in secrets for form in forms_of(secret)]
        self._held = b""
        self._step_ends = 0.0
        self._all_ends = float("inf")
        self._cut = False

    def limit(self, step: float, whole: float | None = None) -> None:
        """From now on a step may take `step` seconds, and all of them together end at `whole` (monotonic seconds)."""
        if whole is not None:
            self._all_ends = whole
        self._step_ends = min(time.monotonic() + step, self._all_ends)
        self.timeout = self._left()
        if self.sock is not None:
            self.sock.settimeout(self.timeout)

    def cut(self) -> None:
        """End the connection at once, whatever it waits for. Any thread."""
        self._cut = True
        sock = self.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def connect(self, host: str = "localhost", port: int = 0, source_address: object = None) -> tuple[int, bytes]:
        """As smtplib's; afterwards our own name is the address this connection comes from (RFC 5321 4.1.3)."""
        del source_address  # the system chooses
        self.timeout = self._left()
        self._host = host  # for the certificate; smtplib sets it only when the constructor connects
        self.sock = socket.create_connection((host, port), self.timeout)
        own = self.sock.getsockname()[0]
        self.local_hostname = f"[IPv6:{own}]" if isinstance(_ip(own), ipaddress.IPv6Address) else f"[{own}]"
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=host)
        return self.getreply()

    def getreply(self) -> tuple[int, bytes]:
        """The next answer: its code and its text. Raises SMTPServerDisconnected, Slow, SMTPResponseException."""
        text: list[bytes] = []
        code = -1
        for _ in range(MOST_LINES):
            line = self._line()
            self._keep(line)
            text.append(line[4:].strip(b" \t\r\n"))
            code = int(line[:3]) if line[:3].isdigit() and len(line) >= 3 else -1
            if line[3:4] != b"-" or code < 0:
                return code, b"\n".join(text)
        self.close()
        raise smtplib.SMTPResponseException(500, b"too many lines in one answer")

    def starttls(self, *, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:  # type: ignore[override]
        """As smtplib's. Octets that came in the clear behind the answer are an attack (CVE-2011-0411): the end."""
        code, text = self.docmd("STARTTLS")
        if code != 220:
            return code, text
        if self._held:
            self.close()
            raise smtplib.SMTPServerDisconnected("octets in the clear after STARTTLS")
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("connection closed")
        self.sock.settimeout(self._left())
        self.sock = (context or ssl.create_default_context()).wrap_socket(self.sock, server_hostname=self._host)
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        return code, text

    def sign_in(self, user: str, password: Secret) -> None:
        """AUTH PLAIN, else LOGIN, in UTF-8. Raises SMTPNotSupportedError, SMTPAuthenticationError."""
        offered = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            whole = f"\0{user}\0{password.reveal()}".encode()
            code, text = self.docmd("AUTH", "PLAIN " + base64.b64encode(whole).decode())
        elif "LOGIN" in offered:
            code, text = self.docmd("AUTH", "LOGIN")
            for piece in (user, password.reveal()):
                if code == 334:
                    code, text = self.docmd(base64.b64encode(piece.encode()).decode())
        else:
            raise smtplib.SMTPNotSupportedError("the server offers no sign-in that we know")
        if code not in (235, 503):  # 503: signed in already
            raise smtplib.SMTPAuthenticationError(code, text)

    def scrubbed(self, text: str) -> str:
        """The text without our secrets, in any form in which they went over the wire, and without control letters."""
        for form in self._names:
            text = text.replace(form, MASK)
        plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)
        return plain[:LONGEST_KEPT].rstrip()

    def close(self) -> None:
        self._held = b""
        super().close()

    def _keep(self, line: bytes) -> None:
        self.said.append(self.scrubbed(line.decode("utf-8", "replace")))
        del self.said[:-MOST_KEPT]

    def _line(self) -> bytes:
        while b"\n" not in self._held:
            if len(self._held) > LONGEST_LINE:
                self.close()
                raise smtplib.SMTPResponseException(500, b"a line of the answer is too long")
            if self.sock is None or self._cut:
                raise smtplib.SMTPServerDisconnected("connection closed")
            try:
                self.sock.settimeout(self._left())
                piece = self.sock.recv(4096)
            except TimeoutError as error:
                self.close()
                raise Slow("no answer in time") from error
            except OSError as error:
                self.close()
                raise smtplib.SMTPServerDisconnected(f"connection lost: {error}") from error
            if not piece:
                self.close()
                raise smtplib.SMTPServerDisconnected("connection closed by the server")
            self._held += piece
        line, self._held = self._held.split(b"\n", 1)
        return line

    def _left(self) -> float:
        left = min(self._step_ends or float("inf"), self._all_ends) - time.monotonic()
        if left <= 0:
            self.close()
            raise Slow("no answer in time")
        return min(left, 3600.0)


def forms_of(secret: Secret) -> list[str]:
    """How a secret may come back in an answer: as it is, and in base64 wherever it stands in a longer text."""
    plain = secret.reveal()
    if len(plain) < 3:
        return [plain] if plain else []
    forms = [plain]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain.encode()).decode()
        first = {0: 0, 1: 2, 2: 3}[shift]
        whole = len(plain.encode()) + shift
        last = len(encoded) if whole % 3 == 0 else {1: -3, 2: -2}[whole % 3]
        forms.append(encoded[first:last])
    return [form for form in forms if len(form) >= 3]


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
