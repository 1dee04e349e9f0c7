"""Writes down the talk of a program with a real modem, in the form of the transcripts the virtual modem answers from.

`Transcript` is the talk without the wire: octets of both sides in, rows out. `Recorder` stands between the modem's port
and one it makes, and passes on what it writes down. PINs, PUKs and top-up codes are masked before they are written.
"""

import json
import os
import re
import select
import termios
import tty
from pathlib import Path

from appliance.virtual.pty import PtyPort

Row = dict[str, object]
FINALS = r"\r\n(OK|ERROR|\+CM[ES] ERROR: [^\r\n]*|NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE|COMMAND NOT SUPPORT)\r+"
FINAL, FINAL_BEGUN = re.compile(FINALS + r"\n"), re.compile(FINALS)
PROMPT = re.compile(r"\r?\n?> ?$")
SECRETS = re.compile(
    r'(?i)(AT\+CPIN=|AT\+CPWD=|AT\+CLCK="?SC"?,\d,|AT\+CUSD=\d,"[*#]\d+[*#](?=\d{6,})|AT\^CPWD=)([^\r\n]*)'
)
TRIGGERS = (
    ("RING", "incoming call"), ("+CRING", "incoming call"), ("+CLIP", "+CLIP"), ("+CCWA", "+CCWA"),
    ("+CMTI", "+CMTI new SMS"), ("+CMT", "+CMT new SMS"), ("+CDSI", "+CDSI status report stored"),
    ("+CDS", "+CDS status report"), ("+CUSD", "+CUSD answer"), ("+CREG", "+CREG registration change"),
    ("+CGREG", "+CGREG registration change"), ("+CEREG", "+CEREG registration change"),
    ("^CEND", "far end hung up"), ("NO CARRIER", "far end hung up"), ("^CONN", "far end answered (outgoing call)"),
    ("^ORIG", "outgoing call set-up"), ("^CONF", "outgoing call set-up"), ("RDY", "boot"), ("VOICE CALL", "call"),
)  # fmt: skip
LONGEST = 256 * 1024
READ_SECONDS = 0.2
SPEED = termios.B115200


def masked(text: str) -> str:
    """The same without secrets."""
    return SECRETS.sub(lambda found: found[1] + "".join(c if c in '",#' else "*" for c in found[2]), text)


class Transcript:
    """Rows are `model, command, response, urc, trigger, complete, kind, source`, as in the file of transcripts."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._out = ""
        self._in = ""
        self._command = ""
        self._message = False  # the program types a message behind a prompt
        self.model = "unknown"

    def sent(self, data: bytes) -> list[Row]:
        """The program wrote."""
        rows: list[Row] = []
        self._out += data.decode("latin-1")
        if self._message:
            end = min((i for i in (self._out.find("\x1a"), self._out.find("\x1b")) if i >= 0), default=-1)
            if end < 0:
                return rows
            self._out, self._message = self._out[end + 1 :], False
        while "\r" in self._out:
            line, _, self._out = self._out.partition("\r")
            if not line.strip():
                continue
            rows += self._before()
            self._command = line.strip()
        self._out = self._out[-LONGEST:]
        return rows

    def _before(self) -> list[Row]:
        """What came before a command: whole lines that came unasked, or the end of the command before this one."""
        if self._command:
            return self._end(bool(FINAL_BEGUN.search("\r\n" + self._in)))
        whole, end, rest = self._in.rpartition("\n")
        self._in = whole + end
        rows = self.quiet()
        self._in += rest
        return rows

    def received(self, data: bytes) -> list[Row]:
        """The modem wrote."""
        self._in = (self._in + data.decode("latin-1"))[-LONGEST:]
        if self._command and FINAL.search("\r\n" + self._in):
            return self._end(True)
        if self._command.upper().startswith("AT+CMG") and PROMPT.search(self._in):
            self._message = True
        return []

    def quiet(self) -> list[Row]:
        """Nothing comes any more: what came unasked is whole."""
        if self._command or not self._in.strip():
            return []
        text, self._in = self._in, ""
        head = text.strip().split("\r")[0]
        trigger = next((told for word, told in TRIGGERS if head.startswith(word)), "unasked")
        return [self._row(None, text, True) | {"urc": True, "trigger": trigger}]

    def end(self) -> list[Row]:
        """The talk is over."""
        return self._end(False) if self._command else self.quiet()

    def _end(self, complete: bool) -> list[Row]:
        """The command has its answer, or never will; lines behind the final result came unasked."""
        found = FINAL.search("\r\n" + self._in) if complete else None
        cut = found.end() - 2 if found else len(self._in)
        answer, self._in = self._in[:cut], self._in[cut:]
        command, self._command = self._command, ""
        if command.upper() == "AT+CGMM" and complete:
            lines = [line for line in re.split(r"[\r\n]+", answer) if line.isascii() and line.isprintable()]
            lines = [line for line in lines if line not in ("", "OK", command)]
            self.model = lines[0].removeprefix("+CGMM: ").strip('"') if lines else self.model
        return [self._row(masked(command), masked(answer), complete)]

    def _row(self, command: str | None, response: str, complete: bool) -> Row:
        return {"model": self.model, "command": command, "response": response, "urc": False, "complete": complete,
                "kind": "captured", "source": self._source}  # fmt: skip


class Recorder:
    """The two ports and the file. Raises OSError when the modem's port cannot be opened."""

    def __init__(self, device: str, file: Path, link: Path | None = None) -> None:
        self._device = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._device)
        speed = termios.tcgetattr(self._device)
        speed[4] = speed[5] = SPEED
        termios.tcsetattr(self._device, termios.TCSANOW, speed)
        self._pty = PtyPort(link or file.with_suffix(".port").absolute())
        self._pty.plug()
        self._file = file.open("a", encoding="utf-8")
        self._rows: list[Row] = []
        self._stopped = False
        self._transcript = Transcript(f"record of {device}")

    @property
    def port(self) -> Path:
        """What the program opens."""
        return self._pty.link

    def run(self) -> None:
        """Until the modem's port is gone, or `stop`."""
        while not self._stopped and self.step(READ_SECONDS):
            pass

    def stop(self, *_: object) -> None:
        """For a signal: what has come is written down first."""
        self._stopped = True

    def step(self, seconds: float) -> bool:
        """Pass on what there is; False when the modem is gone."""
        ready, _, _ = select.select([self._device, self._pty.fd], [], [], seconds)
        rows: list[Row] = []
        if self._pty.fd in ready:
            data = self._pty.read()
            os.write(self._device, data)
            rows += self._transcript.sent(data)
        if self._device in ready:
            try:
                data = os.read(self._device, 65536)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._pty.write(data)
            rows += self._transcript.received(data)
        self._keep(rows if ready else self._transcript.quiet())
        return True

    def _keep(self, rows: list[Row]) -> None:
        """One row a line; the model is known from the first time the modem said it."""
        self._rows += rows
        for row in rows:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        if rows:
            self._file.flush()

    def close(self) -> int:
        """Write what is left, and say how many rows there are."""
        self._keep(self._transcript.end())
        os.fsync(self._file.fileno())
        self._file.close()
        self._pty.unplug()
        os.close(self._device)
        return len(self._rows)
