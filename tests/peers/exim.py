"""A real mail server for tests: exim4 in a folder of its own, on loopback, delivering into one maildir.

It listens on two ports: `port` (SMTP, with STARTTLS unless told otherwise) and `tls_port` (TLS from the start). Local
parts with a meaning: `nobody@` is refused for good at RCPT, `later@` for now, `spam@` after DATA with 5xx; and while
`defer(True)` holds, every recipient is refused for now.
"""

import contextlib
import email
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from pathlib import Path

from appliance.settings.places import cache
from tests.peers.certificates import Certificates, make_certificates

USER, PASSWORD = "box", "pąss wörd-1"
CONFIG = """\
exim_path = {folder}/exim4
primary_hostname = mail.test
local_interfaces = {address}
daemon_smtp_ports = {port} : {tls_port}
tls_on_connect_ports = {tls_port}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
log_selector = +all
pid_file_path = {folder}/pid
exim_user = {user}
exim_group = {group}
keep_environment =
add_environment = PATH=/usr/bin:/bin
tls_certificate = {folder}/cert.pem
tls_privatekey = {folder}/key.pem
tls_advertise_hosts = {advertise}
auth_advertise_hosts = {auth}
message_size_limit = {size}
smtp_accept_max = 100
smtp_accept_max_per_host = 100
rfc1413_query_timeout = 0s
host_lookup =
helo_lookup_domains =
check_spool_space = 0
check_log_space = 0
smtp_banner = mail.test ESMTP ready
acl_smtp_connect = connect
acl_smtp_rcpt = rcpt
acl_smtp_data = data
smtputf8_advertise_hosts =

begin acl
connect:
  deny condition = ${{if exists{{{folder}/closed}}}}
       message = no service for you
  accept
rcpt:
  deny message = 5.1.1 no such user
       local_parts = nobody
  defer message = 4.2.1 try later
       local_parts = later
  defer message = 4.3.2 greylisted, come back
       condition = ${{if exists{{{folder}/defer}}}}
{anybody}
  accept authenticated = *
  deny message = authentication required
data:
  deny message = 5.7.1 we do not want this
       condition = ${{if match{{$recipients}}{{spam@}}}}
  accept

begin routers
all:
  driver = accept
  transport = box

begin transports
box:
  driver = appendfile
  directory = {folder}/in
  maildir_format
  create_directory
  envelope_to_add
  user = {user}
  group = {group}

begin retry
* * F,1h,1m

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{name}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{eq{{$auth1}}{{{name}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
"""


class Exim:
    """Started by `start`, or as a context manager."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        starttls: bool = True,
        sign_in: bool = True,
        size: str = "5M",
        port: int = 0,
        expired: bool = False,
    ) -> None:
        """`starttls` False: no TLS is offered on the plain port, and the sign-in is. `sign_in` False: an open relay."""
        self.address = address
        self.port, self.tls_port = port or free_port(address), free_port(address)
        self.folder = Path(tempfile.mkdtemp(prefix="exim-"))
        self._process: subprocess.Popen[bytes] | None = None
        user = pwd.getpwnam("mail").pw_name if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.folder.chmod(0o755)
        for name in ("spool", "in", "log"):
            (self.folder / name).mkdir()
        self.certificates: Certificates = make_certificates(self.folder, (address,), days=-1 if expired else 30)
        config = CONFIG.format(
            address=address, port=self.port, tls_port=self.tls_port, folder=self.folder, user=user,
            group=user if os.geteuid() == 0 else os.getegid(), advertise="*" if starttls else "", size=size,
            auth="${if eq{$tls_in_cipher}{}{}{*}}" if starttls else "*",
            anybody="" if sign_in else "  accept", name=USER, password=PASSWORD,
        )  # fmt: skip
        (self.folder / "exim.conf").write_text(config, encoding="utf-8")
        self._program = self.folder / "exim4"  # a copy: it starts itself anew as `mail`, who cannot see root's cache
        shutil.copy(program(), self._program)
        self._program.chmod(0o4755 if os.geteuid() == 0 else 0o755)
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                if path.name not in ("exim.conf", "exim4"):
                    shutil.chown(path, user, user)

    def start(self) -> "Exim":
        """Runs when this returns."""
        out = open(self.folder / "out", "ab")  # noqa: SIM115 - exim keeps it
        self._process = subprocess.Popen(
            [str(self._program), "-C", str(self.folder / "exim.conf"), "-bdf", "-q1m"], stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
        out.close()
        until(lambda: answers(self.address, self.port), 20, lambda: (self.folder / "out").read_text())
        return self

    def stop(self) -> None:
        """Ends it and everything it started; the mailbox stays readable."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def __enter__(self) -> "Exim":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def defer(self, on: bool) -> None:
        """While on, every recipient is told to come back."""
        self._switch("defer", on)

    def close_door(self, on: bool) -> None:
        """While on, the greeting is 5xx."""
        self._switch("closed", on)

    def _switch(self, name: str, on: bool) -> None:
        if on:
            (self.folder / name).touch()
        else:
            (self.folder / name).unlink(missing_ok=True)

    def mails(self) -> list[EmailMessage]:
        """What lies in the mailbox, in order of arrival. `Envelope-To` says for whom."""
        new = self.folder / "in" / "new"
        paths = sorted(new.iterdir(), key=lambda path: path.stat().st_mtime_ns) if new.is_dir() else []
        return [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]

    def wait_for(self, count: int, seconds: float = 20) -> list[EmailMessage]:
        """At least so many mails. Raises TimeoutError."""
        until(lambda: len(self.mails()) >= count, seconds, lambda: f"{len(self.mails())} mails\n{self.log()}")
        return self.mails()

    def log(self) -> str:
        """What exim wrote down about everything."""
        path = self.folder / "log" / "mainlog"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def program() -> str:
    """Where exim4 is: EXIM4, the system's, or the one unpacked into the cache."""
    found = os.environ.get("EXIM4") or shutil.which("exim4") or shutil.which("exim4", path="/usr/sbin")
    if found:
        return found
    for path in cache().glob("daemons/**/usr/sbin/exim4"):
        return str(path)
    raise RuntimeError("exim4 is missing: apt-get install exim4-daemon-light")


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def answers(address: str, port: int) -> bool:
    """Whether somebody greets there."""
    try:
        with socket.create_connection((address, port), 2) as sock:
            return sock.recv(3) != b""
    except OSError:
        return False


def until(true: Callable[[], object], seconds: float, otherwise: Callable[[], str] = lambda: "") -> None:
    """Wait for it to become true. Raises TimeoutError with what `otherwise` says."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(otherwise())
        time.sleep(0.02)  # bounded by `seconds`
