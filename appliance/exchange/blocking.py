"""The lists of blocking on their way in and out: verbs of the socket, the journal, the files that are watched.

The list that routing reads is made on the thread of views and handed to the loop whole, so that thousands of entries
cost the loop nothing. Loop thread but where said otherwise.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from appliance.core.blocklist import MOST_EXPRESSIONS, Block, Blocklist
from appliance.core.commands import SetOverride
from appliance.core.entry import Form, form_of
from appliance.core.entry_form import COLUMNS, LONGEST_FILE, MOST_ROWS, RowFault, clean, read
from appliance.core.plan import Plan
from appliance.core.repeats import noted
from appliance.core.routing import LET_NEXT
from appliance.core.screening import PAUSE, paused_until
from appliance.errors import CentralkaError, ControlError, JournalError
from appliance.exchange import views
from appliance.exchange.block_lists import Subscribed, scan
from appliance.exchange.control import Answer, Json
from appliance.exchange.exchange import Exchange
from appliance.exchange.verbs import Args, Reply, flag, number, text
from appliance.journal.rows import BlockRow
from appliance.journal.times import moment, stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import AddBlock, AddBlocks, RemoveBlock, Result, Write

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0  # between two looks into the folder
MOST_FAULTS = 200  # rows that an answer names
LONGEST_PAUSE = 24 * 60  # minutes

Later = Callable[[Args, str, Reply], None]


class Blocking:
    """`table` is for `Verbs`; `entries` for the plan. `rebuild()` makes a new plan of `entries`."""

    def __init__(
        self, exchange: Callable[[], Exchange], writer: Writer, reader: views.Views,
        post: Callable[[Callable[[], None]], None], rebuild: Callable[[], None], folder: Path, spool: Path,
    ) -> None:  # fmt: skip
        """`folder` is watched; files to import lie in `spool`."""
        self.entries = Blocklist()
        self._exchange = exchange
        self._writer = writer
        self._views = reader
        self._post = post
        self._rebuild = rebuild
        self._folder = folder
        self._spool = spool
        self._lists: dict[str, Subscribed] = {}
        self._own = 0  # entries that are in the journal
        self._next_look = 0.0
        self.table: Mapping[str, Later] = {
            "block.add": self._add, "block.remove": self._remove, "block.import": self._import,
            "block.lists": self._show_lists, "block.pause": self._pause, "block.let-next": self._let_next,
            "block.last": self._block_last,
        }  # fmt: skip

    # ---- the list of the plan -------------------------------------------------------------------------------------

    def restore(self, plan: Plan) -> None:
        """At start: the list as it was left, and who was turned away as closed a moment ago."""
        self._taken(self._views.now(self._read_with(plan)))

    def restore_tries(self) -> None:
        """Count on where the last run ended: the rows of the calls say who called outside hours."""
        exchange = self._exchange()
        rule, now = exchange.plan.repeats, exchange.clock.now()
        if rule:
            for caller, at in self._views.now(views.called_closed(now - timedelta(minutes=rule.minutes))) or ():
                exchange.tries = noted(exchange.tries, caller, moment(at), rule)

    def reload(self, then: Callable[[], None]) -> None:
        """The list has changed in the journal: a new plan, then `then`."""

        def read_again(found: tuple[Blocklist, int, dict[str, Subscribed]] | None) -> None:  # the thread of views
            def taken() -> None:
                if self._taken(found):
                    self._rebuild()
                then()

            self._post(taken)

        self._views.later(self._read_with(self._exchange().plan), read_again)

    def chore(self, at: float) -> None:
        """Look into the watched folder now and then; the loop waits for nothing."""
        if at < self._next_look:
            return
        self._next_look = at + LOOK_SECONDS
        plan, held = self._exchange().plan, self._lists

        def look(db: object) -> bool:
            return scan(self._folder, held, plan.country, plan.zone, [str(i) for i in plan.lines]) != held

        def looked(changed: bool | None) -> None:  # the thread of views
            if changed:
                self._post(lambda: self.reload(_nothing))

        self._views.later(look, looked)

    def _read_with(self, plan: Plan) -> Callable[..., tuple[Blocklist, int, dict[str, Subscribed]]]:
        held = self._lists

        def read_all(db: views.Connection) -> tuple[Blocklist, int, dict[str, Subscribed]]:
            own = views.blocks(db)
            lists = scan(self._folder, held, plan.country, plan.zone, [str(i) for i in plan.lines])
            return Blocklist([*own, *(entry for one in lists.values() for entry in one.entries)]), len(own), lists

        return read_all

    def _taken(self, found: tuple[Blocklist, int, dict[str, Subscribed]] | None) -> bool:
        if found is None:
            return False
        self.entries, self._own, self._lists = found
        return True

    # ---- verbs ----------------------------------------------------------------------------------------------------

    def _add(self, args: Args, who: str, reply: Reply) -> None:
        """A new entry of the block or allow list."""
        plan, now = self._exchange().plan, self._exchange().clock.now()
        texts = {name: str(args.get(name) or "")[:2000] for name in COLUMNS}
        texts["list"] = "allow" if args.get("allow") else "block"
        entry, faults = clean(texts, plan.country, plan.zone, [str(line) for line in plan.lines])
        full = self._full(entry)
        if full[0]:
            faults["pattern"] = full
        if faults:
            reply(_refused(faults))
            return
        self._write(
            _row(entry, stamp(now), who), reply, lambda result: {"id": _whole(result), "pattern": entry.pattern}
        )

    def _full(self, entry: Block) -> tuple[str, Mapping[str, str]]:
        expressions = sum(form_of(one.pattern) is Form.EXPRESSION for one in self.entries)
        if form_of(entry.pattern) is Form.EXPRESSION and expressions >= MOST_EXPRESSIONS:
            return "too-many-expressions", {"most": str(MOST_EXPRESSIONS)}
        return ("list-full", {"most": str(MOST_ROWS)}) if self._own >= MOST_ROWS else ("", {})

    def _remove(self, args: Args, who: str, reply: Reply) -> None:
        """Take an entry off the list."""

        def shown(result: Result) -> dict[str, Json]:
            if not isinstance(result, BlockRow):
                raise ControlError("no-such-entry")
            names = ("id", "pattern", "allow", "what", "when", "line", "action", "reason", "origin")
            facts: dict[str, Json] = {name: getattr(result, name) for name in names}
            return {"entry": {**facts, "begins": result.begins_at, "ends": result.ends_at}}

        self._write(RemoveBlock(number(args, "id")), reply, shown)

    def _import(self, args: Args, who: str, reply: Reply) -> None:
        """A CSV file of the spool: all of it, or with `skip` what can be read; `replace` takes the rest off. `check`
        only reads. Raises ControlError."""
        path = self._spool / text(args, "name")
        if path.parent != self._spool or path.is_symlink():
            raise ControlError("bad-request", name="name")
        plan, at = self._exchange().plan, stamp(self._exchange().clock.now())
        skip, whole, check = (flag(args, name, default=False) for name in ("skip", "replace", "check"))

        def read_file(db: views.Connection) -> tuple[list[Block], list[RowFault]]:
            octets = path.read_bytes() if path.stat().st_size <= LONGEST_FILE else b""
            try:
                content = octets.decode("utf-8")
            except UnicodeDecodeError:
                return [], [RowFault(1, "", "not-a-csv", {})]
            return read(content, plan.country, plan.zone, [str(line) for line in plan.lines])

        def done(found: tuple[list[Block], list[RowFault]] | None) -> None:
            entries, faults = found if found else ([], [RowFault(1, "", "not-a-csv", {})])
            answer = _read_as_json(entries, faults)
            if check:
                reply(Answer(ok=answer))
            elif (faults and not skip) or not entries:
                reply(Answer(error="rows-refused", args=answer))
            elif not whole and self._own + len(entries) > MOST_ROWS:
                reply(Answer(error="list-full", args={"most": str(MOST_ROWS)}))
            else:
                write = AddBlocks(tuple(_row(entry, at, who) for entry in entries), whole)
                self._write(write, reply, lambda result: {**answer, "entries": _whole(result)})

        def read_it(db: views.Connection) -> tuple[list[Block], list[RowFault]] | None:
            try:
                return read_file(db)
            except OSError as error:
                log.warning("a list cannot be imported: %s", error.strerror)
                return None

        self._views.later(read_it, lambda found: self._post(lambda: done(found)))

    def _show_lists(self, args: Args, who: str, reply: Reply) -> None:
        """The watched lists, the pause, and whether the next caller is let through."""
        exchange = self._exchange()
        until = paused_until(exchange.overrides, exchange.clock.local(exchange.plan.zone))
        shown: list[Json] = [
            {"name": one.name, "count": len(one.entries), "refused": one.refused, "at": stamp(one.at)}
            for one in self._lists.values()
        ]
        last = exchange.last_caller
        reply(Answer(ok={
            "folder": str(self._folder), "lists": shown, "paused": until.isoformat() if until else "",
            "let_next": bool(exchange.overrides.get(LET_NEXT)), "last": last.text if last else "",
        }))  # fmt: skip

    def _pause(self, args: Args, who: str, reply: Reply) -> None:
        """Everybody rings for so many minutes; 0 ends it. Raises ControlError."""
        minutes = number(args, "minutes")
        if not 0 <= minutes <= LONGEST_PAUSE:
            raise ControlError("out-of-range", least="0", most=str(LONGEST_PAUSE))
        exchange = self._exchange()
        until = exchange.clock.local(exchange.plan.zone) + timedelta(minutes=minutes)
        value = until.isoformat(timespec="seconds") if minutes else ""
        exchange.set_override(SetOverride(PAUSE, value, who))
        reply(Answer(ok={"until": value}))

    def _let_next(self, args: Args, who: str, reply: Reply) -> None:
        """The next caller from outside rings, past blocks and hours."""
        on = flag(args, "on", default=True)
        self._exchange().set_override(SetOverride(LET_NEXT, "on" if on else "", who))
        reply(Answer(ok={"on": on}))

    def _block_last(self, args: Args, who: str, reply: Reply) -> None:
        """Block who called last. Raises ControlError `no-last-caller`."""
        last = self._exchange().last_caller
        if last is None:
            raise ControlError("no-last-caller")
        self._add({"pattern": last.text}, who, reply)

    def _write(self, write: Write, reply: Reply, shown: Callable[[Result], dict[str, Json]]) -> None:
        def done(result: Result | JournalError) -> None:  # storage thread
            try:
                if isinstance(result, JournalError):
                    raise result
                answer = Answer(ok=shown(result))
            except CentralkaError as error:
                reply(Answer(error=error.id))
                return
            self._post(lambda: self.reload(lambda: reply(answer)))

        self._writer.submit(write, done)


def _row(entry: Block, at: str, who: str) -> AddBlock:
    return AddBlock(
        entry.pattern, at, who, entry.allow, entry.what, entry.when, str(entry.line) if entry.line else None,
        entry.action, entry.reason, _stamp(entry.begins), _stamp(entry.ends), entry.origin,
    )  # fmt: skip


def _stamp(at: datetime | None) -> str | None:
    return stamp(at) if at else None


def _refused(faults: Mapping[str, tuple[str, Mapping[str, str]]]) -> Answer:
    facts: dict[str, Json] = {name: dict(of) for name, (_fault, of) in faults.items()}
    return Answer(error="invalid-settings", fields={name: fault for name, (fault, _of) in faults.items()}, args=facts)


def _read_as_json(entries: list[Block], faults: list[RowFault]) -> dict[str, Json]:
    named: list[Json] = [
        {"line": fault.line, "column": fault.column, "fault": fault.fault, "facts": dict(fault.facts)}
        for fault in faults[:MOST_FAULTS]
    ]
    return {"read": len(entries), "bad": len({fault.line for fault in faults}), "faults": named}


def _whole(result: Result) -> int:
    return result if isinstance(result, int) else 0


def _nothing() -> None:
    """Nobody waits for this."""
