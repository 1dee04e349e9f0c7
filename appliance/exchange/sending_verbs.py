"""The verbs about messages of ours: a request becomes a message on disk, or an answer that says why not."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import cast

from appliance.core import sending as core
from appliance.core.model import LineId, Number
from appliance.core.numbers import masked, parse
from appliance.core.plan import Line
from appliance.core.sending import Outgoing, OutPart
from appliance.errors import CentralkaError, ControlError, JournalError
from appliance.exchange.clock import Clock
from appliance.exchange.control import Answer, Json
from appliance.exchange.exchange import Exchange
from appliance.exchange.sending import Post, Sending
from appliance.exchange.verbs import Args, Reply, flag, number, text
from appliance.exchange.views import Views
from appliance.journal import sending as rows
from appliance.journal.sending import AddOutgoing, OutgoingAdded
from appliance.journal.times import stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import Result
from appliance.protocols.pdu_encode import Submit, submits, user_data

log = logging.getLogger(__name__)

LONGEST_TEXT = 2000


class SendingVerbs:
    """`table` is for `Verbs`. Loop thread; `iccid` answers for a line's id."""

    def __init__(
        self, queue: Sending, exchange: Exchange, writer: Writer, views: Views, clock: Clock, post: Post,
        iccid: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._queue = queue
        self._exchange = exchange
        self._writer = writer
        self._views = views
        self._clock = clock
        self._post = post
        self._iccid = iccid
        self.table: Mapping[str, Callable[[Args, str, Reply], None]] = {
            "sms.send": self._send, "sms.sent": self._sent, "sms.cancel": self._cancel, "sms.again": self._again,
            "sms.count": self._count,
        }  # fmt: skip

    def _send(self, args: Args, who: str, reply: Reply) -> None:
        """A new message. It is on disk when the answer leaves."""
        wanted = text(args, "line")
        if wanted or not args.get("to"):
            self._accept(args, who, reply, LineId(wanted) if wanted else None)
            return
        to = parse(text(args, "to"), self._exchange.plan.country)

        def read(last: str | None) -> None:  # the thread of views
            self._post(lambda: self._guarded(reply, lambda: self._accept(args, who, reply, self._choose(last or ""))))

        self._views.later(lambda db: rows.last_line(db, to.text), read)

    def _choose(self, last: str) -> LineId | None:
        ready = {i for i, line in self._exchange.lines.items() if line.status().state in core.SENDS}
        return core.choose(self._exchange.plan, LineId(last), ready)

    def _accept(self, args: Args, who: str, reply: Reply, line_id: LineId | None) -> None:
        plan = self._exchange.plan
        if line_id is None:
            raise ControlError("sms-no-line")
        line = plan.lines.get(line_id)
        if line is None:
            raise ControlError("no-such-line", line=str(line_id))
        origin = text(args, "origin") or ("command line" if who == "command line" else "page")
        to = parse(text(args, "to"), line.country)
        reason = core.refused(to, line, plan, origin)
        if reason:
            raise ControlError(reason, line=line.label)
        if self._queue.waiting >= core.MOST_WAITING:
            raise ControlError("sms-queue-full")
        words, options, reply_to = self._words(args), self._options(args, line), args.get("reply_to")
        add = AddOutgoing(
            line=str(line.id),
            recipient=to.text,
            text=words,
            origin=origin[:40],
            at=stamp(self._clock.now()),
            parts=(),
            by=who[:80],
            iccid=self._iccid(line.id),
            options=options,
            reply_to=reply_to if isinstance(reply_to, int) else None,
            key=text(args, "key") or None,
            reference=self._queue.new_reference(line.id),
        )

        def encoded(found: tuple[Submit, ...] | CentralkaError | None) -> None:  # the thread of views
            self._post(lambda: self._guarded(reply, lambda: self._store(add, found, line, reply)))

        self._views.later(lambda db: _encoded(add), encoded)

    def _store(
        self, add: AddOutgoing, found: tuple[Submit, ...] | CentralkaError | None, line: Line, reply: Reply
    ) -> None:
        """It has its PDUs: write it down. Raises ControlError."""
        if not isinstance(found, tuple):
            raise ControlError("journal-error") if found is None else ControlError(found.id, **found.args_for_words)
        if len(found) > min(line.sms.per_hour, line.sms.per_day):
            raise ControlError("sms-too-long")
        parts = tuple(OutPart(p.sequence, p.total, p.pdu, p.length) for p in found)

        def done(result: Result | JournalError) -> None:  # storage thread
            self._post(lambda: self._added(result, found[0].coding, reply))

        self._writer.submit(replace(add, parts=parts), done)

    @staticmethod
    def _words(args: Args) -> str:
        """The text, half surrogate pairs replaced. Raises ControlError."""
        words = args.get("text")
        if not isinstance(words, str) or not words.strip():
            raise ControlError("sms-empty")
        if len(words) > LONGEST_TEXT:
            raise ControlError("sms-too-long")
        return words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _options(self, args: Args, line: Line) -> dict[str, bool | int]:
        """How it goes; what is not said is the line's own. Raises ControlError."""
        return {
            "report": flag(args, "report", line.sms.report),
            "national": flag(args, "national", line.sms.national),
            "flash": flag(args, "flash", False),
            "valid_minutes": number(args, "valid_minutes") if args.get("valid_minutes") is not None else 0,
        }

    def _added(self, result: Result | JournalError, coding: str, reply: Reply) -> None:
        if not isinstance(result, OutgoingAdded):
            reply(Answer(error=result.id if isinstance(result, JournalError) else "fault"))
            return
        message = result.message
        if result.fresh:
            self._queue.take(message)
            shown = masked(Number(message.recipient, parse(message.recipient, self._exchange.plan.country).kind))
            log.info("message %d: %d parts to %s wait for %s", message.id, len(message.parts), shown, message.line)
        reply(
            Answer(
                ok={
                    "id": message.id, "parts": len(message.parts), "coding": coding, "line": str(message.line),
                    "to": message.recipient,
                }
            )
        )  # fmt: skip

    def _count(self, args: Args, who: str, reply: Reply) -> None:
        """How much room a text takes, while it is written: letters as the coding counts them, of how many in so many
        parts."""
        line = self._exchange.plan.lines.get(LineId(text(args, "line")))
        words, national = self._words(args), bool(line and line.sms.national)

        def counted(found: dict[str, Json] | None) -> None:  # the thread of views
            reply(Answer(error="journal-error") if found is None else Answer(ok=found))

        self._views.later(lambda db: _counted(words, national), counted)

    def _sent(self, args: Args, who: str, reply: Reply) -> None:
        """Messages of ours, newest first; one alone by its `id`."""
        limit = number(args, "limit") if args.get("limit") is not None else 50
        out = number(args, "id") if args.get("id") is not None else 0

        def read(found: tuple[rows.OutRow, ...] | None) -> None:  # the thread of views
            if found is None:
                reply(Answer(error="journal-error"))
            else:
                reply(Answer(ok={"messages": [cast(Json, asdict(row)) for row in found]}))

        self._views.later(lambda db: rows.sent_messages(db, limit, out=out), read)

    def _cancel(self, args: Args, who: str, reply: Reply) -> None:
        """Take back what waits."""
        message = self._queue.find(number(args, "id"))
        if message is None or message.state != "queued":
            raise ControlError("sms-not-waiting")
        self._queue.put(core.given_up(message, "sms-cancelled"), lambda: reply(Answer(ok={})))

    def _again(self, args: Args, who: str, reply: Reply) -> None:
        """Send once more what failed or may not have arrived, because somebody says so."""
        out = number(args, "id")

        def read(found: Outgoing | None) -> None:  # the thread of views
            self._post(lambda: self._guarded(reply, lambda: self._once_more(self._queue.find(out) or found, reply)))

        self._views.later(lambda db: rows.outgoing(db, out), read)

    def _once_more(self, message: Outgoing | None, reply: Reply) -> None:
        if message is None:
            raise ControlError("no-such-entry")
        if message.state not in ("failed", "uncertain"):
            raise ControlError("sms-not-failed")
        plan = self._exchange.plan
        line = plan.lines.get(message.line)
        if line is None:
            raise ControlError("no-such-line", line=str(message.line))
        reason = core.refused(parse(message.recipient, line.country), line, plan, "page")
        if reason:
            raise ControlError(reason, line=line.label)
        self._queue.put(core.again(message, self._clock.now()), lambda: reply(Answer(ok={})))
        self._queue.hurry()

    def _guarded(self, reply: Reply, act: Callable[[], None]) -> None:
        """A verb that goes on later: its faults are answers all the same."""
        try:
            act()
        except ControlError as error:
            reply(Answer(error=error.id, args=dict(error.args_for_words)))
        except Exception:
            log.exception("a message could not be handled")
            reply(Answer(error="fault"))


def _encoded(add: AddOutgoing) -> tuple[Submit, ...] | CentralkaError:
    """Its parts, or why there are none. Milliseconds for a long text: not on the loop."""
    how = {name: bool(add.options[name]) for name in ("report", "national", "flash")}
    valid = int(add.options["valid_minutes"]) or None
    try:
        return submits(add.recipient, add.text, reference=add.reference, valid_minutes=valid, **how)
    except CentralkaError as error:
        return error


def _counted(words: str, national: bool) -> dict[str, Json]:
    """Letters as the coding counts them, and how many fit in so many parts."""
    parts = user_data(words, national=national)
    used, room = 0, 0
    for part in parts:
        head = part.octets[0] + 1 if part.has_header else 0
        head, most = (-(-head * 8 // 7), 160) if part.coding == "gsm7" else (head, 140)
        used, room = used + part.length - head, room + most - head
    if parts[0].coding != "gsm7":
        used, room = used // 2, room // 2
    return {"letters": used, "room": room, "parts": len(parts), "coding": parts[0].coding}
