"""Where everything lies on disk, in one place, for all processes.

`CENTRALKA_STATE` holds what must survive (settings, journal, prompts), `CENTRALKA_RUN` what lives as long as the boot
(sockets, links to devices). Nothing is created here but by `make()`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PRODUCT_STATE = Path("/var/lib/centralka")
PRODUCT_RUN = Path("/run/centralka")


def cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the set-up leaves what it built and fetched: the same folder as in bootstrap.sh."""
    users = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/root")) / ".cache"
    return Path(environ.get("CENTRALKA_CACHE") or Path(users) / "centralka")


@dataclass(frozen=True, slots=True)
class Places:
    """The two folders, and the names in them."""

    state: Path
    run: Path

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> "Places":
        """From the environment, else the product's folders where they are ours to write, else the user's own."""
        home = Path(environ.get("HOME", "/root"))
        state = environ.get("CENTRALKA_STATE")
        run = environ.get("CENTRALKA_RUN")
        where = Path(state) if state else (PRODUCT_STATE if _ours(PRODUCT_STATE) else home / ".local/state/centralka")
        if run:
            return cls(where.absolute(), Path(run).absolute())
        if not state and _ours(PRODUCT_RUN):
            return cls(where, PRODUCT_RUN)
        return cls(where.absolute(), where.absolute() / "run")

    def make(self) -> None:
        """Create the folders: readable for owner and group, nobody else."""
        for folder in (
            self.state,
            self.run,
            self.prompts,
            self.uploads,
            self.rendered,
            self.devices,
            self.tls,
            self.voices,
            self.recordings,
            self.voicemail,
            self.lists,
        ):
            folder.mkdir(mode=0o770, parents=True, exist_ok=True)

    @property
    def settings(self) -> Path:
        return self.state / "settings.json"

    @property
    def settings_good(self) -> Path:
        return self.state / "settings.good.json"

    @property
    def key(self) -> Path:
        return self.state / "box.key"

    @property
    def answers_key(self) -> Path:
        """With it the tokens of our mails are signed; made by the worker."""
        return self.state / "answers.key"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def prompts(self) -> Path:
        return self.state / "prompts"

    @property
    def rendered(self) -> Path:
        """Spoken prompts: rendered/<language>/<id>.wav"""
        return self.prompts / "rendered"

    @property
    def uploads(self) -> Path:
        """The owner's own recordings: uploads/<id>.wav"""
        return self.prompts / "uploads"

    @property
    def voices(self) -> Path:
        """Texts that were spoken on the way, kept for the next time: voices/<language>/<hash>.wav"""
        return self.prompts / "voices"

    @property
    def recordings(self) -> Path:
        """Recorded calls: recordings/YYYY/MM/<id>.wav, later mp3"""
        return self.state / "recordings"

    @property
    def voicemail(self) -> Path:
        """Messages: voicemail/<id>.wav"""
        return self.state / "voicemail"

    @property
    def lists(self) -> Path:
        """Block lists that others write: lists/<name>.csv or .txt, watched."""
        return self.state / "lists"

    @property
    def tls(self) -> Path:
        return self.state / "tls"

    @property
    def first_start(self) -> Path:
        """The one-time sign-in of a new box; gone once the administrator's password is set."""
        return self.state / "first-start.token"

    @property
    def control(self) -> Path:
        return self.run / "exchange.sock"

    @property
    def worker(self) -> Path:
        return self.run / "worker.sock"

    @property
    def worker_requests(self) -> Path:
        return self.run / "worker-req.sock"

    @property
    def virtual(self) -> Path:
        return self.run / "virtual.sock"

    @property
    def devices(self) -> Path:
        """Links to the virtual modem's ports."""
        return self.run / "devices"


def _ours(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)
