"""Power of a USB socket, off and on again: the last thing that helps a modem that hangs."""

import logging
import shutil
import subprocess

log = logging.getLogger(__name__)

OFF_SECONDS = "5"


class UsbPower:
    """`port`: hub and socket as uhubctl shows them, "1-1:2"; "" where the socket cannot be switched. Loop thread;
    nothing waits."""

    def __init__(self, port: str = "") -> None:
        self._port = port
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def there(self) -> bool:
        """Whether it can be switched."""
        return bool(self._port) and shutil.which("uhubctl") is not None

    @property
    def busy(self) -> bool:
        """Whether it is being switched."""
        return self._running is not None and self._running.poll() is None

    def cycle(self) -> None:
        """Off, five seconds, on. uhubctl is started without a shell; its result shows in whether the modem comes
        back."""
        hub, _, socket = self._port.partition(":")
        command = ["uhubctl", "-l", hub, "-p", socket, "-a", "cycle", "-d", OFF_SECONDS]
        try:
            self._running = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            log.error("the power of USB socket %s cannot be switched: %s", self._port, error)
