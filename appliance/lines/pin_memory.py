"""Which PIN was sent to which SIM: a file, written before the PIN goes out."""

import contextlib
import hashlib
import json
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

UNKNOWN, WRONG = -1, -2  # what a PIN that was sent is remembered with instead of the tries that were left


class PinMemory:
    """Which PIN was sent to which SIM without being taken, so that a wrong one is never sent twice, not even after a
    restart. The file holds hashes, each with the tries that were left before; it is written and fsynced before the PIN
    goes out."""

    def __init__(self, path: Path, pin: str) -> None:
        self._path = path
        self._pin = pin

    def may_try(self, iccid: str, left: int) -> bool:
        """True once for each SIM and PIN, until it `was_right`. A second time only where nobody heard the answer (the
        power failed) and the tries `left` (-1: the SIM does not tell) say that it cost none."""
        mark, tried = self._mark(iccid), self._read()
        if mark in tried and not 0 <= tried[mark] <= left:
            return False
        kept = dict(list(tried.items())[-50:])
        try:
            self._write({**kept, mark: left})
        except OSError as error:
            log.error("a PIN is not tried, because that could not be written down first: %s", error)
            return False
        return True

    def was_right(self, iccid: str) -> None:
        """It was taken: it may be sent again after the next start."""
        mark = self._mark(iccid)
        with contextlib.suppress(OSError):
            self._write({one: left for one, left in self._read().items() if one != mark})

    def was_wrong(self, iccid: str) -> None:
        """The SIM said so: not again, whatever its counter says later."""
        with contextlib.suppress(OSError):
            self._write({**self._read(), self._mark(iccid): WRONG})

    def _mark(self, iccid: str) -> str:
        return hashlib.sha256(f"{iccid}:{self._pin}".encode()).hexdigest()

    def _read(self) -> dict[str, int]:
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(held, list):  # of before: hashes alone
                return {str(one): UNKNOWN for one in held}
            return {str(one): int(left) for one, left in held.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, marks: dict[str, int]) -> None:
        temp = self._path.with_name(self._path.name + ".new")
        temp.unlink(missing_ok=True)
        with open(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(marks, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the new name lasts, not only what is under it
        finally:
            os.close(folder)
