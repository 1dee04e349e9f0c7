"""The demo phone: baresip as a real SIP user agent in a process of its own, answered and dialled from the command line.

What it is told (`RUN/phone0.json`: extension, password, server, port) is read again when the file changes; the phone
then starts anew. Without baresip the status says so, and everything else works.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import wave
from pathlib import Path

from appliance.virtual.where import Where

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
START_AGAIN_SECONDS = 2.0
COMMAND_SECONDS = 3.0
CONTROL_PORT = 4404
MIC_SECONDS = 1200  # at its end baresip hangs up
NUMBER = "0123456789*#+"


class DemoPhone:
    """All on the event loop's thread."""

    def __init__(self, name: str, where: Where) -> None:
        self.name = name
        self._where = where
        self._told = where.run / f"{name}.json"
        self._folder = where.kept / name
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answers: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None
        self._stamp = 0
        self._state = "waits for its password"
        self._call = ""
        self._start_at = 0.0

    async def run(self) -> None:
        """Keep the phone as it should be, until cancelled."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_SECONDS)  # the file and the process are looked at; nobody waits for this
        finally:
            await self._end()

    async def do(self, verb: str, args: dict[str, object]) -> dict[str, object]:
        """answer, dial, hang-up, press, status. Raises ValueError with a sentence for people."""
        if verb == "status":
            registered = await self._registered()
            return {"state": self._state, "registered": registered, "call": self._call}
        if self._writer is None:
            raise ValueError(f"the phone is not running: {self._state}")
        if verb == "answer":
            if self._call != "ringing":
                raise ValueError("nobody is calling the phone")
            await self._command("accept")
            return {"said": "Answered."}
        if verb in ("hang-up", "press") and not self._call:
            raise ValueError("the phone is in no call")
        if verb == "hang-up":
            await self._command("hangup")
            return {"said": "Hung up."}
        if verb in ("dial", "press"):
            wanted = str(args.get("number", ""))
            if not wanted or any(c not in NUMBER for c in wanted) or len(wanted) > 40:
                raise ValueError("a number has digits, * # and +")
            await self._command("dial" if verb == "dial" else "sndcode", wanted)
            return {"said": f"Dialled {wanted}." if verb == "dial" else f"Pressed {wanted}."}
        raise ValueError(f"a phone can answer, dial, hang-up, press and tell its status, not {verb}")

    # ---- process --------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        try:
            stamp = self._told.stat().st_mtime_ns
        except OSError:
            return
        loop = asyncio.get_running_loop()
        ended = self._process is not None and self._process.returncode is not None
        if ended and loop.time() < self._start_at:
            return
        if stamp != self._stamp or ended:
            await self._end()
            self._start_at = loop.time() + START_AGAIN_SECONDS
            if await self._start():
                self._stamp = stamp

    async def _start(self) -> bool:
        program, modules = shutil.which("baresip"), _modules()
        if not program or not modules:
            self._state = "baresip is not installed (Debian package baresip-core)"
            return True
        try:
            told = json.loads(self._told.read_text(encoding="utf-8"))
            account = _account(told)
        except (OSError, ValueError, KeyError, TypeError):
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        mic = Path(self._where.phone_mic) if self._where.phone_mic else self._silence()
        _write_private(self._folder / "accounts", account)
        (self._folder / "contacts").write_text("")
        (self._folder / "config").write_text(_config(self._where.address, mic, modules, self._folder))
        with open(self._folder / "log", "wb") as out:
            self._process = await asyncio.create_subprocess_exec(
                program, "-f", str(self._folder), stdin=asyncio.subprocess.PIPE, stdout=out, stderr=out,
                preexec_fn=_die_with_parent,
            )  # fmt: skip
        self._state = "starting"
        return await self._connect()

    async def _connect(self) -> bool:
        for _ in range(50):
            try:
                reader, self._writer = await asyncio.open_connection(self._where.address, CONTROL_PORT)
            except OSError:
                await asyncio.sleep(0.1)  # baresip opens its port while it starts; five seconds at most
                continue
            self._reading = asyncio.create_task(self._read(reader))
            self._state = "running"
            return True
        self._state = "baresip did not start; its log is in the state folder"
        return False

    async def _end(self) -> None:
        if self._reading:
            self._reading.cancel()
            self._reading = None
        if self._writer:
            self._writer.close()
            self._writer = None
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 2)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._call = ""

    def _silence(self) -> Path:
        path = self._folder / "silence.wav"
        if not path.exists():
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(bytes(2 * 8000 * MIC_SECONDS))
        return path

    # ---- its control port: JSON in netstrings -----------------------------------------------------------------------

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                length = int((await reader.readuntil(b":"))[:-1])
                message = json.loads(await reader.readexactly(min(length, 1 << 20)), strict=False)
                await reader.readexactly(1)
                self._heard(message)
        except (asyncio.IncompleteReadError, ValueError, OSError, asyncio.LimitOverrunError):
            return  # the process ended; the next look starts it again

    def _heard(self, message: dict[str, object]) -> None:
        if message.get("response"):
            self._answers.put_nowait((bool(message.get("ok", True)), str(message.get("data", "")).strip()))
            return
        states = {
            "CALL_INCOMING": "ringing", "CALL_OUTGOING": "dialling", "CALL_RINGING": "dialling",
            "CALL_ESTABLISHED": "talking", "CALL_CLOSED": "",
        }  # fmt: skip
        kind = str(message.get("type", ""))
        if kind in states:
            self._call = states[kind]

    async def _command(self, command: str, params: str = "") -> str:
        """What the phone said to it. Raises ValueError with the phone's own words when it refuses."""
        if self._writer is None:
            raise ValueError("the phone is not running")
        while not self._answers.empty():
            self._answers.get_nowait()
        body = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(body), body))
        try:
            done, said = await asyncio.wait_for(self._answers.get(), COMMAND_SECONDS)
        except TimeoutError:
            raise ValueError("the phone did not answer in time") from None
        if not done:
            raise ValueError(f"the phone says: {said}")
        return said

    async def _registered(self) -> bool:
        if self._writer is None:
            return False
        try:
            return "OK" in await self._command("reginfo")
        except ValueError:
            return False


def _modules() -> Path | None:
    found = [Path("/usr/lib/baresip/modules"), *Path("/usr/lib").glob("*/baresip/modules")]
    return next((path for path in found if path.is_dir()), None)


def _account(told: dict[str, object]) -> str:
    """The account line; Raises KeyError, ValueError for what would break it."""
    extension, password, server, port = (str(told[k]) for k in ("extension", "password", "server", "port"))
    if not (extension + password).isalnum() or not port.isdecimal() or any(c in server for c in ' <>;"'):
        raise ValueError("not an account")
    return (
        f"<sip:{extension}@{server}:{port}>;auth_user={extension};auth_pass={password};regint=60;answermode=manual;"
        "mwi=no\n"
    )


def _config(address: str, mic: Path, modules: Path, folder: Path) -> str:
    lines = [
        "poll_method epoll", f"sip_listen {address}:5070", f"net_interface {address}", "audio_path /nonexistent",
        f"audio_source aufile,{mic}", "audio_player aubridge,null", "audio_alert aubridge,null", "ausrc_srate 8000",
        "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1", "jitter_buffer_delay 1-5",
        "rtp_ports 24000-24999", f"ctrl_tcp_listen {address}:{CONTROL_PORT}", f"module_path {modules}",
        "module mwi.so", "module g711.so", "module sndfile.so", "module aufile.so", "module aubridge.so",
        "module_tmp uuid.so", "module_tmp account.so", "module_app menu.so", "module_app ctrl_tcp.so",
        f"snd_path {folder}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _die_with_parent() -> None:
    """In the child: PR_SET_PDEATHSIG, so that a killed parent leaves no phone behind."""
    import ctypes

    ctypes.CDLL(None).prctl(1, 15)
