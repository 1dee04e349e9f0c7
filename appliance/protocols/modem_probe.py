"""Which modem is at a port: AT, then its IMEI, and hands off a port that is no command port. A machine without I/O."""

from dataclasses import dataclass, field

from appliance.protocols.modem_text import digits_only

WITHIN = 3.0  # seconds for each of the two answers
MOST_OCTETS = 2048
STREAMS = (b"\x7e", b"$GP", b"$GN", b"$GL")  # DIAG frames, positions (NMEA)


@dataclass(slots=True)
class Probe:
    """`imei` is None while it asks, then the number, or "" for a port that does not answer like a modem's command
    port. Times are monotonic seconds."""

    by: float
    imei: str | None = None
    output: bytes = b"AT\r"  # to be written; whoever writes it empties it
    _asked: bool = False
    _heard: bytearray = field(default_factory=bytearray)

    @classmethod
    def begun(cls, at: float) -> "Probe":
        """One that starts now."""
        return cls(at + WITHIN)

    def feed(self, data: bytes, at: float) -> None:
        """What the port said."""
        self._heard += data
        if len(self._heard) > MOST_OCTETS or any(mark in self._heard for mark in STREAMS):
            self.imei = ""
            return
        lines = [line.strip() for line in self._heard.decode("latin-1").replace("\r", "\n").split("\n")]
        if not self._asked and "OK" in lines:
            self._asked, self.output, self.by = True, b"AT+CGSN\r", at + WITHIN
            self._heard.clear()
        elif self._asked and any(line in ("OK", "ERROR") or line.startswith("+CME ERROR") for line in lines):
            self.imei = digits_only(tuple(lines))

    def tick(self, at: float) -> None:
        """Nobody waits for ever."""
        if self.imei is None and at >= self.by:
            self.imei = ""
