"""What the control socket asks beyond the exchange: settings, secrets, mail, announcements.

Methods run on the loop thread and hand slow work (validation with its fsync, the worker) to two threads of their own;
results come back as functions in the inbox, so that the plan is swapped before anybody is told it was.
"""

import json
import logging
import re
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import cast

from appliance.errors import ControlError, JournalError
from appliance.exchange.clock import Clock
from appliance.exchange.control import Answer, Json
from appliance.exchange.devices import cards, ports
from appliance.exchange.verbs import Reply, text
from appliance.journal.times import stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import MarkSenderRead, Result, RetryOutbox, Write
from appliance.settings.fields import Value
from appliance.settings.schema import ID, SECTIONS, Settings, rows
from appliance.settings.secret import Secret, new_password
from appliance.settings.store import InvalidSettings, Store, masked
from appliance.words import PROMPTS

log = logging.getLogger(__name__)

WORKER_SECONDS = 60.0  # two programs of 20 s and 30 s at most, one after the other
LONGEST_ANSWER = 64 * 1024
Args = Mapping[str, Json]
Post = Callable[[Callable[[], None]], None]  # run this on the loop


class Desk:
    """Implements `verbs.Desk` but for `status`, which the daemon gives."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        writer: Writer,
        clock: Clock,
        worker: Path,
        worker_requests: Path,
        virtual: bool,
        post: Post,
        status: Callable[[], dict[str, Json]],
        changed: Callable[[tuple[str, ...], Callable[[], None]], None],
        server: Callable[[], tuple[str, int]],
        uploads: Path,
        devices: Path,
    ) -> None:
        """`changed(sections, then)` rebuilds the plan, on the loop, and calls `then` when it holds; `server` gives
        address and port of SIP."""
        self.settings = settings
        self.status = status
        self._store = store
        self._writer = writer
        self._clock = clock
        self._worker = worker
        self._worker_requests = worker_requests
        self._virtual = virtual
        self._post = post
        self._changed = changed
        self._server = server
        self._uploads = uploads
        self._devices = devices
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="settings")
        self._errands = ThreadPoolExecutor(2, thread_name_prefix="errands")

    def stop(self) -> None:
        """Finish what is being stored."""
        self._thread.shutdown(wait=True, cancel_futures=False)
        self._errands.shutdown(wait=False, cancel_futures=True)

    # ---- settings -------------------------------------------------------------------------------------------------

    def settings_get(self, section: str) -> dict[str, Json]:
        """A section with its secrets masked. Raises ControlError."""
        if section not in SECTIONS:
            raise ControlError("no-such-section", section=section)
        doc = cast(Json, masked(dict(self.settings[section])))
        return {"section": section, "version": self._store.version(section), "doc": doc}

    def settings_put(self, section: str, version: int | None, doc: Args, reply: Reply) -> None:
        """Validate and store; the plan is the new one when the answer leaves."""
        self._thread.submit(self._put, section, version, cast(Mapping[str, Value], doc), reply)

    def _put(self, section: str, version: int | None, doc: Mapping[str, Value], reply: Reply) -> None:
        """Settings thread."""
        try:
            new = self._store.put(section, version, self._with_passwords(section, doc))
            settings = self._store.read()
        except InvalidSettings as error:
            facts = cast(dict[str, Json], {path: dict(of) for path, of in error.facts.items()})
            reply(Answer(error="invalid-settings", fields=dict(error.fields), args=facts))
        except ControlError as error:
            reply(Answer(error=error.id, args=dict(error.args_for_words)))
        except OSError as error:
            log.error("settings could not be stored: %s", error)
            reply(Answer(error="disk-full" if error.errno == 28 else "not-stored"))
        except Exception:
            log.exception("settings could not be stored")
            reply(Answer(error="fault"))
        else:
            self._post(lambda: self._stored(section, new, settings, reply))

    def _with_passwords(self, section: str, doc: Mapping[str, Value]) -> Mapping[str, Value]:
        """Somebody new without a password gets one: nobody has to think of twenty characters."""
        items = doc.get("items")
        if section != "people" or not isinstance(items, list):
            return doc
        known = {str(p["id"]) for p in rows(self._store.read(), "people") if p.get("password")}
        filled: list[Value] = []
        for item in items:
            fresh = isinstance(item, Mapping) and str(item.get("id")) not in known
            if fresh and isinstance(item, Mapping) and not _typed(item.get("password")):
                filled.append({**item, "password": Secret(new_password())})
            else:
                filled.append(item)
        return {**doc, "items": filled}

    def _stored(self, section: str, version: int, settings: Settings, reply: Reply) -> None:
        self.settings = settings
        self.tell_worker(b"plan")
        self._changed((section,), lambda: reply(Answer(ok={"version": version})))

    def settings_schema(self) -> dict[str, Json]:
        """The fields of every section."""
        return {
            name: {"many": section.many, "fields": [{"name": f.name, "kind": f.kind} for f in section.fields]}
            for name, section in SECTIONS.items()
        }

    def reload(self) -> None:
        """Read the settings file again."""
        self.settings = self._store.read()
        self._changed(tuple(SECTIONS), _nothing)

    def sms_addresses(self, line: str) -> tuple[str, ...]:
        """Whom a line's messages are mailed to where no rule says otherwise; nobody where mail is off."""
        mail = self.settings["mail"]
        item = next((i for i in rows(self.settings, "lines") if i["id"] == line), {})
        if not mail["enabled"] or not item.get("sms_mail", True):
            return ()
        wanted = item.get("sms_to") or mail.get("to")
        return tuple(str(to) for to in wanted) if isinstance(wanted, list) else ()

    def phone_secret(self, person: str) -> dict[str, Json]:
        """What is typed into a phone. Raises ControlError."""
        for row in rows(self.settings, "people"):
            if row["id"] == person:
                address, port = self._server()
                password = row.get("password")
                return {
                    "username": str(row["extension"]), "server": address, "port": port, "transport": "udp",
                    "password": password.reveal() if isinstance(password, Secret) else "",
                }  # fmt: skip
        raise ControlError("no-such-person")

    def new_password(self) -> str:
        """Twenty characters."""
        return new_password()

    def set_clock(self, at: datetime | None) -> float:
        """Move plan, journal and worker in time. Raises ControlError on real hardware."""
        self.only_virtual()
        offset = self._clock.set(at)
        self.tell_worker(f"clock {offset}".encode())
        self._changed((), _nothing)
        return offset

    def only_virtual(self) -> None:
        """Raises ControlError on real hardware."""
        if not self._virtual:
            raise ControlError("not-virtual")

    # ---- journal --------------------------------------------------------------------------------------------------

    def sms_read(self, sender: str, reply: Reply) -> None:
        """Somebody has read a sender's messages."""
        write = MarkSenderRead(sender, stamp(self._clock.now()))
        self._write(write, reply, lambda result: {"read": cast(int, result)}, "messages")

    def outbox_retry(self, item: int, reply: Reply) -> None:
        """Send a dead letter again."""

        def shown(result: Result) -> dict[str, Json]:
            if not result:
                raise ControlError("no-such-entry")
            return {}

        self._write(RetryOutbox(item, stamp(self._clock.now())), reply, shown, "outbox")

    def _write(self, write: Write, reply: Reply, shown: Callable[[Result], dict[str, Json]], section: str) -> None:
        def done(result: Result | JournalError) -> None:  # storage thread
            if isinstance(result, JournalError):
                reply(Answer(error=result.id))
                return
            try:
                answer = Answer(ok=shown(result))
            except ControlError as error:
                answer = Answer(error=error.id)
            self._post(lambda: self._changed((section,), lambda: reply(answer)))

        self._writer.submit(write, done)

    # ---- worker ---------------------------------------------------------------------------------------------------

    def tell_worker(self, datagram: bytes) -> None:
        """May be lost: the worker looks by itself too."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.sendto(datagram, str(self._worker))
        except OSError:
            log.debug("the worker does not listen")

    def ask_worker(self, verb: str, args: Mapping[str, Json], over: Callable[[], None]) -> None:
        """Hand the worker a request whose answer is a file; `over` is told on another thread, also when it failed."""
        self._errands.submit(self._ask_worker, verb, dict(args), lambda answer: over())

    def mail_test(self, args: Args, reply: Reply) -> None:
        """Let the worker send a test mail; its answer is the server's own words."""
        self._errands.submit(self._ask_worker, "mail.test", dict(args), reply)

    def mailbox_test(self, args: Args, reply: Reply) -> None:
        """Let the worker look into the mailbox; its answer is the server's own words."""
        self._errands.submit(self._ask_worker, "mailbox.test", dict(args), reply)

    def prompt_convert(self, args: Args, reply: Reply) -> None:
        """Let the worker make a prompt of an uploaded file. Raises ControlError."""
        wanted: dict[str, Json] = {"id": prompt_id(args), "source": text(args, "source")}
        self._errands.submit(self._ask_worker, "convert", wanted, reply)

    def prompt_speak(self, args: Args, reply: Reply) -> None:
        """Let the worker speak a text of the owner. Raises ControlError."""
        wanted: dict[str, Json] = {
            "id": prompt_id(args), "text": text(args, "text"), "language": text(args, "language"),
        }  # fmt: skip
        self._errands.submit(self._ask_worker, "speak", wanted, reply)

    def prompt_remove(self, args: Args) -> None:
        """Take the owner's recording away: a standard prompt speaks again, another one is gone. Raises ControlError
        `prompt-in-use` while lines would have nothing to say, `no-such-entry`."""
        name = prompt_id(args)
        users = [str(line["label"]) for line in rows(self.settings, "lines") if line.get("closed_prompt") == name]
        if users and name not in PROMPTS:
            raise ControlError("prompt-in-use", lines=", ".join(users))
        try:
            (self._uploads / f"{name}.wav").unlink()
        except FileNotFoundError as error:
            raise ControlError("no-such-entry") from error

    def devices(self) -> list[str]:
        """Ports of modems that are plugged in."""
        return ports(self._devices)

    def cards(self) -> list[str]:
        """Sound cards that are plugged in."""
        return cards()

    def _ask_worker(self, verb: str, args: dict[str, Json], reply: Reply) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(WORKER_SECONDS)
                sock.connect(str(self._worker_requests))
                sock.sendall(json.dumps({"v": 1, "id": 1, "do": verb, "args": args}).encode() + b"\n")
                received = b""
                while not received.endswith(b"\n") and len(received) < LONGEST_ANSWER:
                    piece = sock.recv(65536)
                    if not piece:
                        break
                    received += piece
            body = json.loads(received)
            error = body.get("error")
            if isinstance(error, dict):
                reply(
                    Answer(
                        error=str(error.get("id", "fault")), fields=error.get("fields", {}), args=error.get("args", {})
                    )
                )
            else:
                reply(Answer(ok=body.get("ok", {})))
        except (OSError, ValueError, AttributeError) as error:
            log.warning("the worker did not answer: %s", error)
            reply(Answer(error="worker-down"))


def prompt_id(args: Args) -> str:
    """The id of a prompt in a request. Raises ControlError."""
    name = text(args, "id")
    if not re.fullmatch(ID, name):
        raise ControlError("not-an-id")
    return name


def _typed(value: Value) -> bool:
    return isinstance(value, (Secret, str)) and bool(value)


def _nothing() -> None:
    """No one waits for this."""
