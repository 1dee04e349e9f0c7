"""The modem's side of its AT port: octets in, command lines out; answers and URCs in, octets out.

Knows V.250's line form and the prompt of a message, nothing of commands. Output is in order; when the switches say so
it comes octet by octet. A port that nobody reads is given up after 64 KiB, as a modem's own buffer would be.
"""

import asyncio
from collections.abc import Callable

from appliance.virtual.pty import PtyPort
from appliance.virtual.quirks import Quirks

LONGEST_COMMAND = 2048
LONGEST_UNREAD = 65536
CTRL_Z, ESCAPE = 0x1A, 0x1B


class AtWire:
    """All on the event loop's thread."""

    def __init__(self, port: PtyPort, quirks: Quirks) -> None:
        self.port = port
        self._quirks = quirks
        self.on_line: Callable[[str], None] = lambda line: None
        self.on_message: Callable[[str | None], None] = lambda text: None
        self._in = bytearray()
        self._out = bytearray()
        self._prompt = False
        self._timer: asyncio.TimerHandle | None = None
        self.lost = 0

    @property
    def name(self) -> str:
        """The port's own name, behind the link."""
        return self.port.name

    def plug(self) -> None:
        """Make the port and listen."""
        self.port.plug()
        asyncio.get_running_loop().add_reader(self.port.fd, self._readable)

    def unplug(self) -> None:
        """Close the port; what is on its way is lost."""
        if not self.port.open:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.port.fd)
        loop.remove_writer(self.port.fd)
        if self._timer:
            self._timer.cancel()
        self._timer = None
        self.port.unplug()
        self._in.clear()
        self._out.clear()
        self._prompt = False

    def prompt(self, prompt: bytes) -> None:
        """Ask for a message: what follows up to Ctrl-Z or ESC is one."""
        self._prompt = True
        self.send(prompt)

    def send(self, data: bytes) -> None:
        """Put octets behind what is on its way."""
        if not self.port.open or not data:
            return
        if len(self._out) + len(data) > LONGEST_UNREAD:
            self.lost += len(self._out)
            self._out.clear()
        self._out += data
        self._pump()

    def _readable(self) -> None:
        data = self.port.read()
        if not data:
            return
        self._in += data
        while self._take():
            pass
        del self._in[:-LONGEST_COMMAND]

    def _take(self) -> bool:
        """Take one line or one message from what came; False when there is none whole."""
        if self._prompt:
            ends = [i for i in (self._in.find(CTRL_Z), self._in.find(ESCAPE)) if i >= 0]
            if not ends:
                return False
            end = min(ends)
            text, cancelled = bytes(self._in[:end]), self._in[end] == ESCAPE
            del self._in[: end + 1]
            self._prompt = False
            self.on_message(None if cancelled else text.decode("latin-1").strip())
            return True
        end = self._in.find(b"\r")
        if end < 0:
            return False
        line = bytes(self._in[:end]).decode("latin-1").strip("\n\x1a\x1b \0")
        del self._in[: end + 1]
        if line:
            self.on_line(line)
        return True

    def _pump(self) -> None:
        if self._timer or not self._out:
            return
        loop = asyncio.get_running_loop()
        if self._quirks.dribble > 0:
            self._timer = loop.call_later(self._quirks.dribble, self._dribble)
            return
        sent = self.port.write(bytes(self._out))
        del self._out[:sent]
        if self._out:
            loop.add_writer(self.port.fd, self._writable)

    def _writable(self) -> None:
        asyncio.get_running_loop().remove_writer(self.port.fd)
        self._pump()

    def _dribble(self) -> None:
        self._timer = None
        if self._out and self.port.write(bytes(self._out[:1])):
            del self._out[:1]
        self._pump()
