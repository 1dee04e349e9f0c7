"""Ports of modems on this machine, by the names that last: what the page offers when a line is added.

/dev/centralka is made by our udev rules (the command port ends in -at, the speech port in -pcm); /dev/serial is made by
udev itself, by the place of the socket and by the number in the modem. The virtual modem's ports lie in our own folder.
Sound cards have names of their own.
"""

import os
from collections.abc import Iterable
from pathlib import Path

FOLDERS = (Path("/dev/centralka"), Path("/dev/serial/by-path"), Path("/dev/serial/by-id"))
KERNEL = ("ttyUSB*", "ttyACM*")  # names that move: only for looking where a modem went
CARDS, CARDS_BY_PATH = Path("/proc/asound"), Path("/dev/snd/by-path")
MOST = 100


def ports(own: Path, folders: Iterable[Path] = FOLDERS) -> list[str]:
    """Whole paths, the surest names first; a port that was named already is not named again by another folder."""
    found: list[str] = []
    seen: set[str] = set()
    for folder in (own, *folders):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue  # no such modem, or no udev
        paths = [(str(folder / name), os.path.realpath(folder / name)) for name in names]
        fresh = [(path, real) for path, real in paths if real not in seen and os.path.exists(real)]
        found += [path for path, _real in fresh]
        seen |= {real for _path, real in fresh}
    return found[:MOST]


def all_ports(own: Path, folders: Iterable[Path] = FOLDERS, dev: Path = Path("/dev")) -> list[str]:
    """As `ports`, and after them those that have no lasting name."""
    found = ports(own, folders)
    seen = {os.path.realpath(path) for path in found}
    return [*found, *(str(path) for kind in KERNEL for path in sorted(dev.glob(kind)) if str(path) not in seen)]


def cards(folder: Path = CARDS, by_path: Path = CARDS_BY_PATH) -> list[str]:
    """Sound cards by their own names, then by the sockets they are in: where two are of a kind only that lasts. The
    kernel has a link for each from its name to its number, udev one from its socket."""
    return [f"hw:CARD={path.name}" for path in _links(folder)][:MOST] + [str(path) for path in _links(by_path)][:MOST]


def _links(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_symlink())
    except OSError:
        return []  # no sound in this machine
