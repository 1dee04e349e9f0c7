"""Who is asking: accounts, sessions on the server, a throttle that grows, and the fresh sign-in before a secret.

The cookie holds a random id, the table its SHA-256. A session ends 8 hours after its last use and 7 days after it
began. Wrong passwords are counted per address and per name: five are free, then the pause doubles from one minute to
fifteen. The door is never shut for good: on the box itself `centralka` makes a new one-time link.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from webui.store import Account, Session, Store, moment, stamp

COOKIE = "centralka"
IDLE = timedelta(hours=8)
ABSOLUTE = timedelta(days=7)
FRESH = timedelta(minutes=5)
FREE_TRIES = 5
LONGEST_PAUSE = timedelta(minutes=15)
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    """Argon2id, 19 MiB and two passes: about 50 ms on a Pi 4, in OWASP's recommended range."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash to check against when the name is unknown, so that both refusals take the same time."""
    return _hasher().hash(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Refused:
    """The sign-in failed: tries left before the pause, or seconds of the pause that runs."""

    left: int
    wait: int


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person for the length of a request."""

    account: Account
    session: Session

    def is_fresh(self, at: datetime) -> bool:
        """Whether the password was given in the last five minutes."""
        return at - moment(self.session.fresh_at) < FRESH


def now() -> datetime:
    """Real time, aware; sign-ins never follow a virtual clock."""
    return datetime.now(UTC)


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher().hash(password)


def password_fits(password: str, password_hash: str) -> bool:
    """Whether it is the right one; takes the same time for no hash at all."""
    try:
        return _hasher().verify(password_hash or _nobody(), password) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


def id_hash(cookie: str) -> str:
    """What the sessions table knows of a cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()


class Door:
    """Lets people in and out. Every method may be called from any thread."""

    def __init__(self, store: Store, token_file: Path) -> None:
        self._store = store
        self._token_file = token_file

    def visitor(self, cookie: str, at: datetime, touch: bool = True) -> Visitor | None:
        """Who holds this cookie. An ended session is removed; a used one is noted at most once a minute."""
        if not cookie or len(cookie) > 200:
            return None
        session = self._store.session(id_hash(cookie))
        if session is None:
            return None
        if at - moment(session.seen_at) > IDLE or at - moment(session.created_at) > ABSOLUTE:
            self._store.drop_session(session.id_hash)
            return None
        account = self._store.account(session.account)
        if account is None:
            return None
        if touch and at - moment(session.seen_at) > timedelta(minutes=1):
            self._store.touch(session.id_hash, at)
        return Visitor(account, session)

    def try_password(self, name: str, password: str, ip: str, at: datetime) -> Account | Refused:
        """The account, or why not. While a pause runs no password is looked at, not even the right one."""
        keys = (f"ip:{ip[:60]}", f"name:{name.lower()[:60]}")
        wait = max(self._wait(key, at) for key in keys)
        if wait > 0:
            return Refused(0, wait)
        account = self._store.account(name)
        if password_fits(password[:LONGEST_PASSWORD], account.password_hash if account else "") and account:
            for key in keys:
                self._store.put_failures(key, 0, "")
            return account
        left = min(self._fail(key, at) for key in keys)
        return Refused(left, 0 if left else max(self._wait(key, at) for key in keys))

    def sign_in(self, account: Account, ip: str, at: datetime) -> tuple[str, Session]:
        """A new session: what the cookie holds, and the row."""
        cookie = secrets.token_urlsafe(32)
        when = stamp(at)
        session = Session(id_hash(cookie), account.name, when, when, ip, when, secrets.token_hex(20))
        self._store.put_session(session)
        return cookie, session

    def refresh(self, visitor: Visitor, password: str, ip: str, at: datetime) -> bool | Refused:
        """The password once more, for what must not be open to whoever finds the browser. Throttled like a sign-in."""
        result = self.try_password(visitor.account.name, password, ip, at)
        if isinstance(result, Refused):
            return result
        self._store.touch(visitor.session.id_hash, at, fresh=True)
        return True

    def token_fits(self, token: str) -> bool:
        """Whether this is the one-time sign-in of a new box."""
        try:
            held = self._token_file.read_text().strip()
        except OSError:
            return False
        return len(held) >= 20 and secrets.compare_digest(held.encode(), token.encode())

    def burn_token(self) -> None:
        """The one-time link works once; the mark beside it says that no new one is to be made by itself."""
        self._token_file.with_name("first-start.done").touch(mode=0o600)
        self._token_file.unlink(missing_ok=True)

    def _wait(self, key: str, at: datetime) -> int:
        left = moment(self._store.failures(key)[1]) - at
        return max(0, int(left.total_seconds() + 0.999))

    def _fail(self, key: str, at: datetime) -> int:
        """Count it; how many tries are left before the next pause."""
        failures, until = self._store.failures(key)
        if until and at - moment(until) > timedelta(hours=1):
            failures = 0
        failures += 1
        pause = pause_after(failures)
        self._store.put_failures(key, failures, stamp(at + pause))
        return max(0, FREE_TRIES - failures)


def pause_after(failures: int) -> timedelta:
    """How long nobody may try again after so many wrong passwords in a row."""
    if failures < FREE_TRIES:
        return timedelta(0)
    doubled: timedelta = timedelta(minutes=1) * 2 ** min(failures - FREE_TRIES, 10)
    return min(doubled, LONGEST_PAUSE)


def make_token(path: Path) -> str:
    """The one-time sign-in of a new box: kept if it is there, else made; mode 0600."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    token = secrets.token_urlsafe(24)
    with os.fdopen(handle, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    return token
