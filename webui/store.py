"""The web process's own tables in journal.db: accounts, sessions, audit, throttle. It writes nothing else there.

Only the exchange makes and migrates the tables; until they exist `Unready` is raised and the page says so. Times are
real time (a virtual clock must not sign people out), ISO 8601 UTC.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import JournalError


class Unready(JournalError):
    """The exchange has not made the database yet."""

    id = "journal-not-ready"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    name: str
    display: str
    role: str
    password_hash: str
    language: str


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `id_hash` is the SHA-256 of what its cookie holds."""

    id_hash: str
    account: str
    created_at: str
    seen_at: str
    ip: str
    fresh_at: str
    csrf: str


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the record of changes."""

    id: int
    at: str
    who: str
    ip: str
    what: str
    old: dict[str, object]
    new: dict[str, object]


def stamp(at: datetime) -> str:
    """ISO 8601 UTC with milliseconds and Z, as everywhere in the journal."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def moment(text: str) -> datetime:
    """The other way; an empty or odd text is the beginning of time."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)


class Store:
    """Opens a connection per use; SQLite's WAL lets us read beside the exchange and write in turn with it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection with rows by name; with `write` a transaction that is committed at the end."""
        if not self._path.exists():
            raise Unready
        db = sqlite3.connect(self._path, timeout=2.0, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            db.execute("PRAGMA busy_timeout=2000")
            db.execute("PRAGMA synchronous=FULL")
            if write:
                db.execute("BEGIN IMMEDIATE")
            yield db
            if write:
                db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                raise Unready from error
            raise JournalError(str(error)) from error
        finally:
            db.close()

    def account(self, name: str) -> Account | None:
        """By the name typed at sign-in; capitals do not matter."""
        with self.open() as db:
            row = db.execute(
                "SELECT name, display, role, password_hash, language FROM accounts WHERE lower(name) = lower(?)",
                (name,),
            ).fetchone()
        return Account(*row) if row else None

    def has_accounts(self) -> bool:
        """False on a new box: then only the one-time link lets somebody in."""
        with self.open() as db:
            return db.execute("SELECT 1 FROM accounts LIMIT 1").fetchone() is not None

    def put_account(self, account: Account, at: datetime) -> None:
        """Make it, or change everything of it but its age."""
        with self.open(write=True) as db:
            db.execute(
                "INSERT INTO accounts (name, display, role, password_hash, language, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET display = excluded.display,"
                " role = excluded.role, password_hash = excluded.password_hash, language = excluded.language",
                (account.name, account.display, account.role, account.password_hash, account.language, stamp(at)),
            )

    def session(self, id_hash: str) -> Session | None:
        """The session of a cookie."""
        with self.open() as db:
            row = db.execute(
                "SELECT id_hash, account, created_at, seen_at, ip, fresh_at, csrf FROM sessions WHERE id_hash = ?",
                (id_hash,),
            ).fetchone()
        return Session(*(str(cell or "") for cell in row)) if row else None

    def sessions_of(self, account: str) -> list[Session]:
        """All browsers where this account is signed in, the last used first."""
        with self.open() as db:
            rows = db.execute(
                "SELECT id_hash, account, created_at, seen_at, ip, fresh_at, csrf FROM sessions WHERE account = ?"
                " ORDER BY seen_at DESC LIMIT 100",
                (account,),
            ).fetchall()
        return [Session(*(str(cell or "") for cell in row)) for row in rows]

    def put_session(self, session: Session) -> None:
        """Store a new session; those older than 30 days go."""
        with self.open(write=True) as db:
            db.execute("DELETE FROM sessions WHERE julianday('now') - julianday(created_at) > 30")
            db.execute(
                "INSERT INTO sessions (id_hash, account, created_at, seen_at, ip, fresh_at, csrf)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (session.id_hash, session.account, session.created_at, session.seen_at, session.ip, session.fresh_at,
                 session.csrf),
            )  # fmt: skip

    def touch(self, id_hash: str, at: datetime, fresh: bool = False) -> None:
        """Note that the session was used, and with `fresh` that the password was just given."""
        column = "fresh_at" if fresh else "seen_at"
        with self.open(write=True) as db:
            db.execute(f"UPDATE sessions SET {column} = ? WHERE id_hash = ?", (stamp(at), id_hash))  # noqa: S608

    def drop_session(self, id_hash: str) -> None:
        """Sign out."""
        with self.open(write=True) as db:
            db.execute("DELETE FROM sessions WHERE id_hash = ?", (id_hash,))

    def drop_others(self, account: str, keep: str) -> int:
        """Sign out everywhere else; how many there were."""
        with self.open(write=True) as db:
            return db.execute("DELETE FROM sessions WHERE account = ? AND id_hash <> ?", (account, keep)).rowcount

    def write_audit(
        self, at: datetime, who: str, ip: str, what: str, old: Mapping[str, object], new: Mapping[str, object]
    ) -> int:
        """One row of the record of changes; its id, by which it can be undone. Never give it a secret."""
        with self.open(write=True) as db:
            row = db.execute(
                "INSERT INTO audit (at, who, ip, what, old, new) VALUES (?, ?, ?, ?, ?, ?)",
                (stamp(at), who, ip, what, json.dumps(dict(old)), json.dumps(dict(new))),
            )
            return int(row.lastrowid or 0)

    def change(self, number: int) -> Change | None:
        """A row of the record of changes."""
        with self.open() as db:
            row = db.execute("SELECT id, at, who, ip, what, old, new FROM audit WHERE id = ?", (number,)).fetchone()
        return _change(row) if row else None

    def changes(self, limit: int) -> list[Change]:
        """The last changes, newest first."""
        with self.open() as db:
            rows = db.execute(
                "SELECT id, at, who, ip, what, old, new FROM audit ORDER BY id DESC LIMIT ?", (limit,)
            ).fetchall()
        return [_change(row) for row in rows]

    def failures(self, key: str) -> tuple[int, str]:
        """How often this key failed, and until when it must wait."""
        with self.open() as db:
            row = db.execute("SELECT failures, until FROM throttle WHERE key = ?", (key,)).fetchone()
        return (int(row["failures"]), str(row["until"] or "")) if row else (0, "")

    def put_failures(self, key: str, failures: int, until: str) -> None:
        """Remember a failure; zero forgets all of them."""
        with self.open(write=True) as db:
            if failures:
                db.execute(
                    "INSERT INTO throttle (key, failures, until) VALUES (?, ?, ?) ON CONFLICT (key)"
                    " DO UPDATE SET failures = excluded.failures, until = excluded.until",
                    (key, failures, until),
                )
            else:
                db.execute("DELETE FROM throttle WHERE key = ?", (key,))


def _change(row: sqlite3.Row) -> Change:
    return Change(
        int(row["id"]), str(row["at"]), str(row["who"]), str(row["ip"]), str(row["what"]),
        json.loads(row["old"] or "{}") or {}, json.loads(row["new"] or "{}") or {},
    )  # fmt: skip
