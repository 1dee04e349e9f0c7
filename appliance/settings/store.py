"""The settings file: TinyDB, one document per section with a version, replaced atomically, the last good copy kept.

Written by the exchange alone (storage thread); the worker reads it. Secrets lie encrypted (`secret.Vault`). A file that
cannot be read is put aside as `settings.broken-<n>.json` only when a new one is written; until then the last good copy
is used and `faults` says so.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document

from appliance.errors import ControlError, SettingsError
from appliance.settings.fields import Fault, Value
from appliance.settings.schema import SECTIONS, Section, Settings, check_between, check_section
from appliance.settings.secret import Secret, Vault

SEALED = "sealed"


class AtomicStorage(Storage):
    """TinyDB storage that replaces the file: temp, fsync, rename, fsync of the folder; the old one stays as `good`."""

    def __init__(self, path: str, good: str) -> None:
        self._path, self._good = Path(path), Path(good)

    def read(self) -> dict[str, dict[str, object]] | None:
        """The tables, or None for an empty file. A damaged file gives the last good copy."""
        for candidate in (self._path, self._good):
            try:
                data = json.loads(candidate.read_text(encoding="utf-8"))
            except FileNotFoundError:
                continue
            except (ValueError, OSError):
                continue
            if isinstance(data, dict):
                return data
        return None

    def write(self, data: Mapping[str, object]) -> None:
        """Replace the file. Raises OSError, and then the old file stands."""
        text = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True)
        temp = self._path.with_name(self._path.name + ".new")
        handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if _readable(self._path):
            spare = self._good.with_name(self._good.name + ".new")
            spare.unlink(missing_ok=True)
            os.link(self._path, spare)
            os.replace(spare, self._good)
        os.replace(temp, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _readable(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return False
    return True


class Store:
    """Reads and writes whole sections. One thread at a time; every `put` is fsynced when it returns."""

    def __init__(self, path: Path, good: Path, key: Path) -> None:
        self._path = path
        self._vault = Vault(key)
        self._looked_at = (0, 0, 0)
        self._damaged = False
        self._db = TinyDB(str(path), str(good), storage=AtomicStorage)

    @property
    def damaged(self) -> bool:
        """True when the settings file exists and cannot be read: the last good copy (or nothing) is in use. Asked every
        second on the loop: the file is read only when it has changed."""
        try:
            found = self._path.stat()
        except OSError:
            return False
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._looked_at:
            self._looked_at, self._damaged = seen, not _readable(self._path)
        return self._damaged

    def read(self) -> Settings:
        """All sections, defaults filled in, secrets opened. Values that became invalid fall back to their default."""
        return {name: self._read_section(section)[0] for name, section in SECTIONS.items()}

    def version(self, name: str) -> int:
        """The version of a section, 0 when it was never written."""
        return self._read_section(SECTIONS[name])[1]

    def put(self, name: str, version: int | None, doc: Mapping[str, Value]) -> int:
        """Store a section and give its new version. Raises SettingsError with every fault, ControlError
        `settings-changed` when somebody else stored it meanwhile, OSError when the disk refuses."""
        section = SECTIONS.get(name)
        if section is None:
            raise ControlError("no-such-section", section=name)
        current, now = self._read_section(section)
        if version is not None and version != now:
            raise ControlError("settings-changed", section=name)
        merged = _keep_secrets(section, current, doc)
        clean, faults = check_section(section, merged)
        if not faults:
            before = self.read()
            between = check_between({**before, name: clean})
            known = {(path, fault.id) for path, fault in check_between(before).items()}  # not this form's to mend
            own = {path: fault for path, fault in between.items() if path.startswith(name + ".")}
            faults = own or {path: fault for path, fault in between.items() if (path, fault.id) not in known}
        if faults:
            raise InvalidSettings(faults)
        self._write(section, clean, now + 1)
        return now + 1

    def _write(self, section: Section, clean: Mapping[str, Value], version: int) -> None:
        body = {"name": section.name, "version": version, "doc": self._seal(clean)}
        position = list(SECTIONS).index(section.name) + 1
        self._db.table("sections").upsert(Document(body, doc_id=position))

    def _read_section(self, section: Section) -> tuple[dict[str, Value], int]:
        row = self._db.table("sections").get(doc_id=list(SECTIONS).index(section.name) + 1)
        stored = cast(dict[str, Value], row.get("doc", {})) if isinstance(row, Document) else {}
        version = int(row.get("version", 0)) if isinstance(row, Document) else 0
        clean, _ = check_section(section, cast(dict[str, Value], self._unseal(stored)))
        return clean, version

    def _seal(self, value: Value) -> Value:
        if isinstance(value, Secret):
            return {SEALED: self._vault.seal(value)}
        if isinstance(value, Mapping):
            return {key: self._seal(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._seal(one) for one in value]
        return value

    def _unseal(self, value: Value) -> Value:
        if isinstance(value, Mapping):
            if set(value) == {SEALED}:
                return self._vault.open(str(value[SEALED]))
            return {key: self._unseal(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._unseal(one) for one in value]
        return value


class InvalidSettings(SettingsError):
    """SettingsError that keeps the facts of each fault for its sentence."""

    def __init__(self, faults: Mapping[str, Fault]) -> None:
        super().__init__({path: fault.id for path, fault in faults.items()})
        self.facts = {path: fault.facts for path, fault in faults.items()}


def masked(value: Value) -> Value:
    """For pages and the socket: every secret as {"secret": whether one is set}."""
    if isinstance(value, Secret):
        return {"secret": bool(value)}
    if isinstance(value, Mapping):
        return {key: masked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [masked(one) for one in value]
    return value


def _keep_secrets(section: Section, current: Mapping[str, Value], doc: Mapping[str, Value]) -> dict[str, Value]:
    """A secret that was not typed anew (absent, None or its mask) keeps what is stored."""
    hidden = {f.name for f in section.fields if f.kind == "secret"}
    if not section.many:
        return _keep_in(hidden, current, doc)
    items = doc.get("items", [])
    old = current.get("items", [])
    known = {o.get("id"): o for o in old if isinstance(o, Mapping)} if isinstance(old, list) else {}
    if not isinstance(items, list):
        return dict(doc)
    kept: list[Value] = [
        _keep_in(hidden, known.get(item.get("id"), {}), item) if isinstance(item, Mapping) else item for item in items
    ]
    return {"items": kept}


def _keep_in(hidden: set[str], current: Mapping[str, Value], doc: Mapping[str, Value]) -> dict[str, Value]:
    out = {k: v for k, v in doc.items() if k != "version"}
    for name in hidden:
        typed = out.get(name)
        if not (isinstance(typed, Secret) or (isinstance(typed, str) and typed)):
            out[name] = current.get(name, Secret(""))
    return out
