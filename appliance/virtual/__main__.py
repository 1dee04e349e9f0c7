"""The virtual hardware's process: modems, the demo phone, the mailbox, and the socket that tells them what to do.

A JSON line each way, as on the exchange's socket: {"v":1,"id":1,"do":"gsm0.call","args":{"number":"+48600100200"}}.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping

from appliance.virtual.far_end import FarEnd
from appliance.virtual.mailbox import Mailbox
from appliance.virtual.modem import VirtualModem
from appliance.virtual.operator import Operator
from appliance.virtual.phone import DemoPhone
from appliance.virtual.where import Where

log = logging.getLogger(__name__)

LONGEST = 64 * 1024


class Virtual:
    """All devices of one process."""

    def __init__(self, where: Where) -> None:
        self._where = where
        operator = Operator()
        self.modems = {
            name: VirtualModem(name, profile, where, operator, place)
            for place, (name, profile) in enumerate(where.modems)
        }
        for modem in self.modems.values():
            operator.join(modem)
        self.far_ends = {name: FarEnd(modem) for name, modem in self.modems.items()}
        self.phone = DemoPhone("phone0", where)
        self.mailbox = Mailbox(where)

    async def run(self) -> None:
        """Until TERM or INT."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for what in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(what, stop.set)
        for folder in (self._where.run, self._where.devices, self._where.kept):
            folder.mkdir(parents=True, exist_ok=True)
        for modem in self.modems.values():
            modem.start()
        await self.mailbox.start()
        self._where.socket.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, str(self._where.socket), limit=LONGEST)
        os.chmod(self._where.socket, 0o660)
        phone = asyncio.create_task(self.phone.run())
        _ready()
        await stop.wait()
        phone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await phone
        server.close()
        self._where.socket.unlink(missing_ok=True)
        self.mailbox.stop()
        for modem in self.modems.values():
            modem.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await self._answer(line)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ValueError, OSError):
            log.info("a client of the socket was sent away")
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, object]:
        try:
            asked = json.loads(line)
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("args", {}), dict):
            return {"id": None, "error": {"id": "bad-request", "text": "not a request"}}
        try:
            return {"id": asked.get("id"), "ok": await self._do(str(asked.get("do", "")), asked.get("args", {}))}
        except ValueError as error:
            return {"id": asked.get("id"), "error": {"id": "refused", "text": str(error)}}
        except Exception:
            log.exception("%s failed", asked.get("do"))
            return {"id": asked.get("id"), "error": {"id": "fault", "text": "a fault in the virtual hardware"}}

    async def _do(self, what: str, args: Mapping[str, object]) -> dict[str, object]:
        device, _, verb = what.partition(".")
        if device in self.modems:
            return self.far_ends[device].do(verb, args)
        if device == self.phone.name:
            return await self.phone.do(verb, dict(args))
        if device == "mail":
            return self.mailbox.do(dict(args))
        if device == "devices":
            return {"devices": [*self.modems, self.phone.name, "mail"], "modems": list(self.modems)}
        raise ValueError(f"there is no {device}; there are: {', '.join(self.modems)}, {self.phone.name}, mail")


def _ready() -> None:
    """READY=1 for whoever started us (sd_notify(3))."""
    name = os.environ.get("NOTIFY_SOCKET", "")
    if name:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
            sock.sendto(b"READY=1", "\0" + name[1:] if name[0] == "@" else name)


def main() -> int:
    """The process."""
    argparse.ArgumentParser(prog="python -m appliance.virtual", description=__doc__).parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    try:
        asyncio.run(Virtual(Where.of()).run())
    except (OSError, ValueError) as error:
        log.error("the virtual hardware cannot start: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
