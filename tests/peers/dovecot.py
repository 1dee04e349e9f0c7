"""A real IMAP server for tests: dovecot in a folder of its own, on loopback, one mailbox of one user.

It runs from a copy of its parts: it becomes another user, who cannot see root's cache, and the place from which it
loads TLS is compiled in, so the copy gets a name of the same length there. It listens on `port` (with STARTTLS) and
`tls_port` (TLS from the start); plain sign-in without TLS is refused. Mails are put into it as a mail server does, by
`deliver`. Debian 12 has dovecot 2.3 and Debian 13 has 2.4, which wants the same settings in other words: both are here.
"""

import contextlib
import email
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from email import policy
from email.message import EmailMessage
from pathlib import Path

from appliance.settings.places import cache
from tests.peers.certificates import Certificates, make_certificates
from tests.peers.exim import answers, free_port, until

USER, PASSWORD = "box@office.test", "pąss wörd-2"
COMPILED_IN = b"/usr/lib/dovecot/modules"
COMMON = """\
base_dir = {folder}/run
state_dir = {folder}/state
libexec_dir = {lib}
mail_plugin_dir = {lib}/modules
login_plugin_dir = {lib}/modules/login
log_path = {folder}/log
auth_verbose = yes
listen = {address}
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 0
mail_uid = {user}
mail_gid = {group}
ssl = required
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service auth {{
  user = {user}
}}
"""
OF_23 = """\
protocols = imap
import_environment = LD_LIBRARY_PATH
mail_location = maildir:{folder}/mail
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = yes
passdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
service config {{
  executable = config -c {folder}/conf
}}
"""
OF_24 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols {{
  imap = yes
}}
import_environment {{
  LD_LIBRARY_PATH = {lib}
}}
mail_driver = maildir
mail_path = {folder}/mail
ssl_server_cert_file = {folder}/cert.pem
ssl_server_key_file = {folder}/key.pem
auth_allow_cleartext = no
passdb passwd-file {{
  auth_username_format = %{{user}}
  passwd_file_path = {folder}/users
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {group}
    home = {folder}/home
  }}
}}
"""


class Dovecot:
    """`with Dovecot() as mailbox:`"""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port, self.tls_port = free_port(address), free_port(address)
        self.folder = Path(tempfile.mkdtemp(prefix="i"))
        self.folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None
        self._user = pwd.getpwnam("mail" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        for name in ("run", "state", "home", "mail", "mail/new", "mail/cur", "mail/tmp"):
            (self.folder / name).mkdir()
        self.certificates: Certificates = make_certificates(self.folder, (address,))
        self._program, lib = program()
        lib = copy_of(lib, self.folder / "l")
        self._environ = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(lib)}
        group = "mail" if os.geteuid() == 0 else str(os.getegid())
        self._new = version(self._program, self._environ) >= (2, 4)
        config = (OF_24 + COMMON if self._new else COMMON + OF_23).format(
            folder=self.folder, lib=lib, address=address, user=self._user.pw_name, group=group, port=self.port,
            tls_port=self.tls_port,
        )  # fmt: skip
        (self.folder / "conf").write_text(config, encoding="utf-8")
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n", encoding="utf-8")
        self._own()

    def start(self) -> "Dovecot":
        """Runs when this returns. `dovecot` itself starts /usr/bin/doveconf, so we start the one we have."""
        conf = str(self.folder / "conf")
        reader = [str(self._program.parent.parent / "bin" / "doveconf"), "-c", conf]
        of_23 = ["-f", "service=master", "-m", "master", "-e", str(self._program), "-F"]
        of_24 = ["-F", str(self._program), "-F", "-c", conf]
        with open(self.folder / "out", "ab") as out:
            self._process = subprocess.Popen(
                reader + (of_24 if self._new else of_23),
                env=self._environ, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        until(lambda: answers(self.address, self.port), 20, self.log)
        return self

    def stop(self) -> None:
        """Ends it and everything it started; the mailbox stays."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)

    def __enter__(self) -> "Dovecot":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def deliver(self, mail: EmailMessage | bytes) -> str:
        """Put a mail into the mailbox, as delivery does: written beside and renamed. Gives its file's name."""
        name = f"{time.time():.6f}.{secrets.token_hex(4)}.test"
        beside = self.folder / "mail" / "tmp" / name
        beside.write_bytes(mail if isinstance(mail, bytes) else mail.as_bytes())
        if os.geteuid() == 0:
            os.chown(beside, self._user.pw_uid, self._user.pw_gid)
        beside.rename(self.folder / "mail" / "new" / name)
        return name

    def mails(self) -> list[EmailMessage]:
        """What lies in the mailbox."""
        paths = sorted(p for part in ("new", "cur") for p in (self.folder / "mail" / part).iterdir())
        return [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]

    def log(self) -> str:
        """What the server wrote down."""
        found = [self.folder / name for name in ("log", "out")]
        return "\n".join(path.read_text(errors="replace") for path in found if path.exists())

    def _own(self) -> None:
        if os.geteuid() == 0:
            for path in (self.folder / "mail", *(self.folder / "mail").iterdir(), self.folder / "home",
                         self.folder / "users"):  # fmt: skip
                os.chown(path, self._user.pw_uid, self._user.pw_gid)


def copy_of(lib: Path, to: Path) -> Path:
    """A copy of dovecot's parts whose compiled-in folder of modules is its own."""
    shutil.copytree(lib, to, symlinks=True)
    inside = str(to / "modules")
    name = inside.replace("/modules", "/" * (len(COMPILED_IN) - len(inside) + 1) + "modules").encode()
    assert len(name) == len(COMPILED_IN), "the folder of temporary files has too long a name"
    for path in (*to.iterdir(), *(to / "modules").rglob("*.so")):
        if path.is_file() and not path.is_symlink() and COMPILED_IN in (octets := path.read_bytes()):
            path.write_bytes(octets.replace(COMPILED_IN, name))
    return to


def version(program: Path, environ: dict[str, str]) -> tuple[int, int]:
    """Which dovecot this is: 2.3 (Debian 12) and 2.4 (Debian 13) want the same settings in different words."""
    said = subprocess.run([program, "--version"], env=environ, capture_output=True, text=True, timeout=10, check=True)
    major, minor, *_ = said.stdout.split(".")
    return int(major), int(minor)


def program() -> tuple[Path, Path]:
    """Where dovecot and its parts are: the system's, or those unpacked into the cache."""
    if shutil.which("dovecot", path="/usr/sbin"):
        return Path("/usr/sbin/dovecot"), Path("/usr/lib/dovecot")
    for path in cache().glob("daemons/**/usr/sbin/dovecot"):
        return path, path.parent.parent / "lib" / "dovecot"
    raise RuntimeError("dovecot is missing: apt-get install dovecot-imapd")
