"""A mailbox beside the box: takes every mail by SMTP and keeps the newest as files, for the demo and for looking at."""

import email
import json
import logging
import time
from email import policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

from appliance.virtual.where import Where

log = logging.getLogger(__name__)

MOST_KEPT = 500
MOST_OCTETS = 10 * 1024 * 1024


class Mailbox:
    """Listens on the event loop it is started on."""

    def __init__(self, where: Where) -> None:
        self._folder = where.kept / "mail"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._numbers = count(self._last() + 1)
        self._controller: UnthreadedController | None = None
        self._where = where

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        import asyncio

        loop = asyncio.get_running_loop()
        self._controller = UnthreadedController(
            self, hostname=self._where.address, port=self._where.mail_port, loop=loop, data_size_limit=MOST_OCTETS
        )
        self._controller.server = await self._controller._create_server()

    def stop(self) -> None:
        """Close the port."""
        if self._controller and self._controller.server:
            self._controller.server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd: a whole mail."""
        number = next(self._numbers)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        facts = {"to": list(envelope.rcpt_tos), "at": time.time()}
        path = self._folder / f"{number:06d}.eml"
        path.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
        temp = path.with_suffix(".new")
        temp.write_bytes(content)
        temp.rename(path)
        for old in self._paths()[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
            old.with_suffix(".json").unlink(missing_ok=True)
        return "250 Kept"

    def do(self, args: dict[str, object]) -> dict[str, object]:
        """The mails, newest last; `number` for one of them whole. Raises ValueError."""
        number = args.get("number")
        paths = self._paths()
        if number is not None:
            paths = [path for path in paths if int(path.stem) == number]
            if not paths:
                raise ValueError(f"there is no mail {number}")
        return {"mails": [_show(path) for path in paths[-100:]]}

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.eml"))

    def _last(self) -> int:
        paths = self._paths()
        return int(paths[-1].stem) if paths else 0


def _show(path: Path) -> dict[str, object]:
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        facts = {}
    return {
        "number": int(path.stem),
        "from": str(message.get("From", "")),
        "to": facts.get("to", []),
        "at": facts.get("at", 0),
        "subject": str(message.get("Subject", "")),
        "date": str(message.get("Date", "")),
        "message_id": str(message.get("Message-ID", "")),
        "references": str(message.get("References", "")),
        "headers": [[name, str(value)] for name, value in message.items()],
        "text": _text(message),
    }


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    try:
        return str(body.get_content()) if body else ""
    except (LookupError, ValueError):
        return ""
