"""A serial port made of a pseudo terminal: a raw one, with a link of a stable name in front.

We keep the far end (the slave) open ourselves, so that the master can be read while nobody has the port open. To pull
the device out, both are closed and the link is removed: readers get a hang-up, writers EIO, as with USB.
"""

import fcntl
import os
import struct
import termios
import tty
from pathlib import Path


class PtyPort:
    """One port. The owner reads and writes `fd`, which never blocks."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.fd = -1
        self._keeper = -1
        self.name = ""

    @property
    def open(self) -> bool:
        return self.fd >= 0

    def plug(self) -> None:
        """Make a new pty under the link, with another name than the last one. Raises OSError when there is none."""
        if self.open:
            return
        refused: list[int] = []
        while True:
            master, slave = os.openpty()
            name = os.ttyname(slave)
            if name != self.name:
                break
            refused += [master, slave]
        for fd in refused:
            os.close(fd)
        tty.setraw(slave, termios.TCSANOW)
        os.set_blocking(master, False)
        os.set_inheritable(master, False)
        self.fd, self._keeper, self.name = master, slave, name
        self.link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link.with_name(self.link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        os.replace(fresh, self.link)

    def unplug(self) -> None:
        """Take the link away and close both ends. May be called twice."""
        if not self.open:
            return
        if self.link.is_symlink() and os.readlink(self.link) == self.name:
            self.link.unlink()
        os.close(self.fd)
        os.close(self._keeper)
        self.fd = self._keeper = -1

    def read(self) -> bytes:
        """What the program wrote to the port; b"" when there is nothing."""
        try:
            return os.read(self.fd, 65536) if self.open else b""
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            return b""

    def write(self, data: bytes) -> int:
        """Give octets to the program; the number that fitted."""
        try:
            return os.write(self.fd, data) if self.open else len(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            return len(data)

    def unread(self) -> int:
        """Octets we wrote that the program has not taken."""
        if not self.open:
            return 0
        return int(struct.unpack("i", fcntl.ioctl(self._keeper, termios.FIONREAD, b"\0\0\0\0"))[0])

    def forget_unread(self) -> None:
        """Throw away what the program has not taken."""
        if self.open:
            termios.tcflush(self._keeper, termios.TCIFLUSH)

    def forget_unheard(self) -> None:
        """Throw away what the program wrote and we have not read."""
        while self.read():
            pass
