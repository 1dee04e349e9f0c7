"""baresip as a phone: a real SIP user agent in its own process, driven by JSON in netstrings on its ctrl_tcp port."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.peers.waiting import until

MODULES = next(
    (p for p in (Path("/usr/lib/baresip/modules"), *Path("/usr/lib").glob("*/baresip/modules")) if p.is_dir()),
    Path("/usr/lib/baresip/modules"),
)
CONTROL_PORT = 4444


class Phone:
    """One phone. `mic` is a wav file of 8 kHz, mono, 16 bit, longer than the call: at its end baresip hangs up. `lamp`:
    it subscribes to its messages; `watches`: an extension whose presence it subscribes to;
    `extra`: more parameters of its account;
    `certificate`: a file with certificate and key, for TLS on port 5061."""

    def __init__(
        self,
        folder: Path,
        address: str,
        server: str,
        extension: str,
        password: str,
        mic: Path,
        *,
        answers: bool = False,
        transport: str = "udp",
        register: int = 60,
        port: int = 5060,
        codecs: str = "",
        lamp: bool = False,
        watches: str = "",
        extra: str = "",
        certificate: Path | None = None,
    ) -> None:
        self.folder, self.address, self.server, self.extension = folder, address, server, extension
        self.recordings = folder / "rec"
        self.recordings.mkdir(parents=True)
        mode = "auto" if answers else "manual"
        outbound = f';outbound="sip:{server}:{port};transport={transport}"' if transport != "udp" else ""
        audio = f";audio_codecs={codecs}" if codecs else ""
        account = (
            f"<sip:{extension}@{server}:{port}>;auth_user={extension};auth_pass={password};regint={register};"
            f"answermode={mode};mwi={'yes' if lamp else 'no'}{outbound}{audio}{extra}\n"
        )
        (folder / "accounts").write_text(account)
        (folder / "contacts").write_text(f'"Watched" <sip:{watches}@{server}>;presence=p2p\n' if watches else "")
        (folder / "config").write_text(_config(address, mic, self.recordings, bool(watches), certificate))
        self.events: list[dict] = []  # not waited for yet
        self.seen: list[dict] = []  # all of them
        self._buffer = b""
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            ["baresip", "-f", str(folder)], stdin=subprocess.PIPE, stdout=self._log, stderr=self._log,
            start_new_session=True,
        )  # fmt: skip
        self._control = until(f"baresip {extension} listens", self._connect)
        self._control.settimeout(0.05)

    def _connect(self) -> socket.socket | None:
        try:
            return socket.create_connection((self.address, CONTROL_PORT), 1)
        except OSError:
            return None

    # ---- what a person does -------------------------------------------------------------------------------------

    def dial(self, number: str) -> None:
        self.command("dial", f"sip:{number}@{self.server}")

    def answer(self) -> None:
        self.command("accept")

    def hang_up(self) -> None:
        self.command("hangup")

    def press(self, digits: str) -> None:
        self.command("sndcode", digits)

    def hold(self) -> None:
        self.command("hold")

    def resume(self) -> None:
        self.command("resume")

    # ---- what a person sees -------------------------------------------------------------------------------------

    def registered(self) -> bool:
        return "OK" in self.command("reginfo")

    def wait_registered(self, seconds: float = 10.0) -> "Phone":
        until(f"{self.extension} is registered", self.registered, seconds, 0.1)
        return self

    def wait(self, event: str, seconds: float = 10.0, **facts: str) -> dict:
        """The next event of that type with these facts; earlier ones are used up."""

        def found() -> dict | None:
            self._pump()
            for index, one in enumerate(self.events):
                if one.get("type") == event and all(facts[k] in str(one.get(k, "")) for k in facts):
                    del self.events[: index + 1]
                    return one
            return None

        return until(f"{self.extension} sees {event} {facts or ''} (log {self.folder}/log)", found, seconds)

    def saw(self, event: str) -> bool:
        """Whether it happened, without waiting."""
        self._pump()
        return any(one.get("type") == event for one in self.events)

    def digits(self) -> str:
        """DTMF heard so far."""
        self._pump()
        return "".join(str(e.get("param", "")) for e in self.events if e.get("type") == "CALL_DTMF_START")

    def heard(self) -> Path:
        """The newest recording of what came out of the ear piece."""
        return sorted(self.recordings.glob("*-dec.wav"), key=lambda p: p.stat().st_mtime)[-1]

    def log(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*m", "", (self.folder / "log").read_text(errors="replace"))

    # ---- wire ---------------------------------------------------------------------------------------------------

    def command(self, name: str, params: str = "", seconds: float = 5.0) -> str:
        body = json.dumps({"command": name, "params": params, "token": name}).encode()
        self._control.sendall(b"%d:%s," % (len(body), body))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for message in self._pump():
                if message.get("response"):
                    return str(message.get("data", ""))
        raise TimeoutError(f"{self.extension}: {name}")

    def _pump(self) -> list[dict]:
        with contextlib.suppress(TimeoutError):
            self._buffer += self._control.recv(65536)
        messages: list[dict] = []
        while b":" in self._buffer:
            length, rest = self._buffer.split(b":", 1)
            if len(rest) <= int(length):
                break
            messages.append(json.loads(rest[: int(length)], strict=False))
            self._buffer = rest[int(length) + 1 :]
        self.events += [m for m in messages if m.get("event")]
        self.seen += [m for m in messages if m.get("event")]
        return messages

    def kill(self) -> None:
        """The plug is pulled: nothing is said to anybody."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)

    def stop(self) -> None:
        """Quit, then TERM, then KILL."""
        if self._process.poll() is None:
            with contextlib.suppress(TimeoutError, OSError):
                self.command("quit", seconds=0.3)
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self.kill()
        self._control.close()
        if self._process.stdin:
            self._process.stdin.close()
        self._log.close()


def _config(address: str, mic: Path, recordings: Path, watches: bool, certificate: Path | None = None) -> str:
    lines = [
        "poll_method epoll", f"sip_listen {address}:5060", f"net_interface {address}", "audio_path /nonexistent",
        f"audio_source aufile,{mic}", "audio_player aubridge,null", "audio_alert aubridge,null", "ausrc_srate 8000",
        "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1", "jitter_buffer_delay 1-5",
        "rtp_ports 10000-10999", f"ctrl_tcp_listen {address}:{CONTROL_PORT}", f"module_path {MODULES}",
        "module mwi.so", "module g711.so", "module sndfile.so", "module aufile.so", "module aubridge.so",
        "module srtp.so", "module_tmp uuid.so", "module_tmp account.so", "module_app menu.so",
        "module_app ctrl_tcp.so", *(["module_app contact.so", "module_app presence.so"] if watches else []),
        f"snd_path {recordings}", *([f"sip_certificate {certificate}"] if certificate else []),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
