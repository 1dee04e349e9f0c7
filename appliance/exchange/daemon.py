"""The exchange process: builds the parts, runs the loop, swaps the plan when settings change."""

import json
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from appliance import __version__, logs, notify
from appliance.core import events as ev
from appliance.core.countries import country
from appliance.core.model import PHONES, LineId
from appliance.core.night import NIGHT_UNTIL
from appliance.core.plan import Plan
from appliance.errors import CentralkaError
from appliance.exchange import devices, line_watch, reset, views
from appliance.exchange.address import own_address
from appliance.exchange.bindings import JournalBindings, restored
from appliance.exchange.blocking import Blocking
from appliance.exchange.buttons import Buttons
from appliance.exchange.call_verbs import CallVerbs
from appliance.exchange.clock import Clock
from appliance.exchange.collecting import Collecting
from appliance.exchange.control import Asked, ControlServer, Json
from appliance.exchange.desk import Desk
from appliance.exchange.emergency import Emergency
from appliance.exchange.exchange import Exchange
from appliance.exchange.faults import faults_now, notes_now
from appliance.exchange.handling import Handling
from appliance.exchange.keeper import Keeper
from appliance.exchange.line_kinds import Shared, make_line, make_phones, trunk_verbs
from appliance.exchange.line_watch import LineWatch
from appliance.exchange.loop import Inbox, Loop
from appliance.exchange.mailboxes import Mailboxes
from appliance.exchange.notices import Notices
from appliance.exchange.phone_lamps import PhoneLamps
from appliance.exchange.recordings import Kept, Recordings
from appliance.exchange.self_test import SelfTests
from appliance.exchange.sending import Sending
from appliance.exchange.sending_verbs import SendingVerbs
from appliance.exchange.sims import FACTS, Sims
from appliance.exchange.speaking import Speaking
from appliance.exchange.spending import Spending
from appliance.exchange.status import call_rows, lamps_now, line_rows, open_rows, phone_states
from appliance.exchange.storage import JournalStorage
from appliance.exchange.verbs import SECONDS, Verbs
from appliance.exchange.voices import Voices
from appliance.journal.recordings import mailbox_counts
from appliance.journal.times import stamp
from appliance.journal.writer import Writer
from appliance.journal.writes import PutLineFact
from appliance.lines import Line
from appliance.lines.audio import Audio
from appliance.lines.ports import Ports
from appliance.lines.sip import SipLine
from appliance.panel.pins import Panel
from appliance.panel.table import BUTTONS, Shown
from appliance.protocols.multipart import join
from appliance.settings.fields import Value
from appliance.settings.places import Places
from appliance.settings.planning import build
from appliance.settings.prompts import Prompts
from appliance.settings.schema import Settings, rows
from appliance.settings.secret import Secret
from appliance.settings.store import Store

log = logging.getLogger(__name__)

UNUSABLE_SETTINGS = 78  # EX_CONFIG of sysexits.h
PUBLISH_SECONDS = 0.1
PANEL_SECONDS = 0.05  # how exactly a lamp blinks
COUNT_SECONDS = 2.0
SIGNAL_SECONDS = 300.0

Item = ev.Event | Asked | Callable[[], None]


class Daemon:
    """All parts of the process. `run` returns the exit code."""

    def __init__(self, places: Places, environ: Mapping[str, str]) -> None:
        self._places = places
        self._virtual = bool(environ.get("CENTRALKA_VIRTUAL"))
        self._inbox: Inbox[Item] = Inbox()
        self._clock = Clock()
        self._store = Store(places.settings, places.settings_good, places.key)
        settings = self._store.read()
        self._numbers = views.Numbers()
        self._topics: set[str] = set()
        self._next_publish = self._next_count = self._next_panel = 0.0
        self._writer = Writer(places.journal, join, worker=places.worker)
        self._views = views.Views(places.journal)
        self._blocking = Blocking(
            lambda: self._exchange, self._writer, self._views, self._inbox.put, self._swap_plan, places.lists,
            places.prompts,
        )  # fmt: skip
        self._audio = Audio(self._inbox.put)
        self._bindings = JournalBindings(self._writer)
        self._sip = self._make_sip(settings, environ.get("ADDRESS", ""))
        self._desk = Desk(
            self._store, settings, self._writer, self._clock, places.worker, places.worker_requests, self._virtual,
            self._inbox.put, self.status, self._settings_changed, lambda: (self._address, self._port), places.uploads,
            places.devices,
        )  # fmt: skip
        self._storage = JournalStorage(
            self._writer, self._clock, lambda: self._exchange.plan, self._desk.sms_addresses, self._iccid,
            self._inbox.put, self._proof,
        )  # fmt: skip
        prompts = Prompts.of(places, environ)
        lines: dict[LineId, Line] = {PHONES: self._sip}
        self._exchange = Exchange(
            self._plan(settings), lines, self._audio, self._storage, self._clock, prompts, self._inbox.put
        )
        self._keeper = Keeper(self._exchange.lines, self._make_line)
        self._phone_lamps = PhoneLamps(self._exchange, self._sip.subscriptions)
        self._exchange.changed = self._changed
        self._exchange.plan_changed = lambda event: self._settings_changed(event.sections, _nothing)
        self._buttons = Buttons(self._exchange, lambda number: self._storage.block(number, "button"), self._reset)
        self._exchange.pressed = self._buttons.pressed
        self._sending = Sending(self._exchange, self._writer, self._views, self._clock, self._inbox.put)
        self._exchange.sms_out = self._sending.handle
        sending = SendingVerbs(
            self._sending, self._exchange, self._writer, self._views, self._clock, self._inbox.put, self._iccid
        )  # fmt: skip
        self._sims = Sims(
            self._exchange, self._writer.submit, self._inbox.put, self._lines_in_use, lambda: self._recipients("")
        )
        self._voices = Voices(places.voices, prompts, self._desk.ask_worker, places.voicemail)
        self._speaking = Speaking(self._exchange, self._voices, time.monotonic)
        self._recordings = Recordings(self._exchange, self._audio.recorder, places, self._writer.submit)
        self._recordings.changed = self._count_messages
        self._recordings.kept = Kept(int(str(settings["recording"]["free_percent"])))
        self._phone_lamps.unheard = self._recordings.unheard
        self._handling = Handling(self._exchange, self._storage.remember)
        self._phone_lamps.do_not_disturb = self._handling.left_alone
        self._phone_lamps.parked = self._handling.slots
        notices = Notices(self._exchange, self._writer.submit, lambda: self._recipients(""))
        self._line_watch = LineWatch(
            self._exchange, self._sims.facts, notices, lambda: self._desk.settings["office"]
        )  # fmt: skip
        self._spending = Spending(self._exchange, self._sims.facts, notices, self._lines_in_use)
        self._emergency = Emergency(self._exchange, notices)
        Mailboxes(self._exchange, self._handling, self._views, self._inbox.put)
        self._self_tests = SelfTests(self._exchange, self._audio, self._tested, self._topics.add)
        self._exchange.stray = self._self_tests.heard
        self._verbs = Verbs(self._exchange, self._desk, self._self_tests, {
            **sending.table, **self._sims.verbs(), **CallVerbs(self._exchange, self._handling).table(),
            **self._spending.verbs(), **self._recordings.verbs(), **self._blocking.table,
            **trunk_verbs(self._exchange),
        })  # fmt: skip
        self._control = ControlServer(places.control, self._inbox.put, SECONDS)
        self._ports = Ports(lambda: devices.all_ports(places.devices))
        self._next_signal = 0.0
        self._panel = Panel(self._inbox.put)
        self._loop = Loop(self._inbox.__len__)

    def _make_sip(self, settings: Settings, address: str) -> SipLine:
        network = settings["network"]
        self._address = own_address(address or str(network["address"]))
        self._port = int(str(network["sip_port"]))
        return make_phones(network, self._address, self._places.tls, self._bindings, self._inbox.put, self._audio)

    # ---- life -----------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Start, serve until TERM or INT, end. 78 when the settings cannot be used (an address that is not ours)."""
        signal.signal(signal.SIGTERM, lambda *_: self._loop.stop())
        signal.signal(signal.SIGINT, lambda *_: self._loop.stop())
        fault = self._writer.start()
        if fault:
            log.error("the journal cannot be used: %s; calls work, nothing is written down", fault.id)
        self._restore()
        try:
            self._sip.start()
        except CentralkaError as error:
            log.error("SIP cannot listen at %s: is another exchange running there?", error.detail)
            self._writer.stop()
            return UNUSABLE_SETTINGS
        self._apply_people(self._desk.settings)
        self._sip.restore(self._kept_bindings)
        self._keeper.apply(self._lines_in_use())
        self._apply_limits(self._desk.settings)
        self._panel.start()
        self._control.start()
        self._add_steps()
        notify.ready()
        log.info("ready: SIP at %s:%d, %d lines", self._address, self._port, len(self._exchange.lines) - 1)
        self._storage.happened("started", {}, "info")
        self._loop.run(self._sip.pump)
        self._end()
        return 0

    def _restore(self) -> None:
        self._blocking.restore(self._exchange.plan)
        self._swap_plan()
        self._blocking.restore_tries()
        self._exchange.overrides.update(self._views.now(views.overrides) or {})
        self._exchange.last_caller = self._views.now(views.last_caller)
        known = [str(item["id"]) for item in rows(self._desk.settings, "lines")]
        self._exchange.line_facts = self._views.now(views.line_facts(known)) or {}
        self._handling.restore(self._views)
        self._recordings.counts = self._views.now(mailbox_counts) or {}
        self._recordings.repair()
        self._sims.facts.restore(self._views.now(views.facts_named((*FACTS, *line_watch.FACTS))) or ())
        self._spending.restore(self._views.now(views.talked(self._spending.month_began())) or ())
        now = stamp(datetime.now(UTC))
        self._sending.restore()
        self._kept_bindings = restored(self._views.now(views.bindings(now)) or (), time.monotonic())

    def _add_steps(self) -> None:
        self._loop.add(self._poll_lines)
        self._loop.add(self._drain)
        self._loop.add(self._exchange.tick)
        self._loop.add(self._emergency.tick)
        self._loop.add(self._sending.tick)
        self._loop.add(self._handling.tick)
        self._loop.add(self._speaking.tick)
        self._loop.add(self._recordings.tick)
        self._loop.add(self._self_tests.tick)
        self._loop.add(self._tick_panel)
        self._phone_lamps.tick(time.monotonic())  # a phone may ask before the first turn ends
        self._loop.add(self._phone_lamps.tick)
        self._loop.add(self._publish)
        self._loop.add_chore(self._phone_lamps.chore)
        self._loop.add_chore(self._storage.chore)
        self._loop.add_chore(lambda at: self._bindings.chore(at, self._sip.registrations.remaining))
        self._loop.add_chore(self._show_lamps)
        self._loop.add_chore(self._count)
        self._loop.add_chore(self._note_signal)
        self._loop.add_chore(self._show_levels)
        self._loop.add_chore(self._keeper.restart)
        self._loop.add_chore(self._sims.chore)
        self._loop.add_chore(self._line_watch.chore)
        self._loop.add_chore(self._spending.chore)
        self._loop.add_chore(self._blocking.chore)
        self._loop.add_chore(Collecting(lambda: not self._exchange.calls).tick)
        self._loop.add_chore(self._health)

    def _reset(self) -> None:
        """Leave the marker and end: the next start, which the supervisor sees to, begins with an empty box."""
        try:
            reset.ask(self._places)
        except OSError as error:
            log.error("the box cannot be reset: %s", error)
            return
        self._loop.stop()

    def _end(self) -> None:
        notify.stopping()
        self._control.stop()
        for line in list(self._exchange.lines.values()):
            if line is not self._sip:
                line.stop()
        self._sip.stop()
        self._drain(time.monotonic())  # rows of the calls that just ended
        self._panel.stop()
        self._desk.stop()
        self._views.stop()
        self._writer.stop()
        log.info("ended")

    # ---- steps of the loop ----------------------------------------------------------------------------------------

    def _poll_lines(self, at: float) -> None:
        for line in self._exchange.lines.values():
            line.poll(at)

    def _drain(self, at: float) -> None:
        for _ in range(200):
            item = self._inbox.get()
            if item is None:
                return
            if isinstance(item, Asked):
                self._verbs.answer(item)
            elif callable(item):
                item()
            else:
                self._exchange.handle(item)

    def _tick_panel(self, at: float) -> None:
        if at >= self._next_panel:
            self._next_panel = at + PANEL_SECONDS
            self._panel.tick(at)

    def _changed(self, topic: str) -> None:
        self._topics.add(topic)
        self._phone_lamps.touched()

    def _publish(self, at: float) -> None:
        if self._topics and at >= self._next_publish:
            self._next_publish = at + PUBLISH_SECONDS
            for topic in sorted(self._topics):
                self._control.publish(topic, {})
            self._topics.clear()

    def _show_lamps(self, at: float) -> None:
        now = self._clock.local(self._exchange.plan.zone)
        self._panel.show(self._lamps(now), at)

    def _show_levels(self, at: float) -> None:
        """How loud calls are, once a second while there are any on a line."""
        if self._audio.has_speech:
            self._topics.add("levels")

    def _tested(self, line: LineId, facts: dict[str, Json]) -> None:
        self._writer.submit(PutLineFact(str(line), "self-test", facts, stamp(self._clock.now())))

    def _count(self, at: float) -> None:
        if at < self._next_count:
            return
        self._next_count = at + COUNT_SECONDS
        midnight = self._clock.local(self._exchange.plan.zone).replace(hour=0, minute=0, second=0, microsecond=0)

        def done(found: views.Numbers | None) -> None:  # the thread of views
            if found is not None:
                self._inbox.put(lambda: self._counted(found))

        self._views.later(views.numbers(stamp(midnight.astimezone(UTC))), done)

    def _counted(self, found: views.Numbers) -> None:
        if found != self._numbers:
            self._numbers = found
            self._topics.update(("counts", "notes"))

    def _note_signal(self, at: float) -> None:
        """A point of each line's history."""
        if at < self._next_signal:
            return
        first, self._next_signal = not self._next_signal, at + SIGNAL_SECONDS
        for line_id, line in self._exchange.lines.items():
            if line_id != PHONES and not first:
                status = line.status()
                heard = status.facts.get("signal", "")
                self._storage.signal(
                    str(line_id), int(heard) if heard and status.usable else None, status.facts.get("network", ""),
                    status.facts.get("operator", ""), status.state,
                )  # fmt: skip

    def _health(self, at: float) -> None:
        """Alive means: the loop turns, SIP listens, storage takes writes. Only then the watchdog is fed."""
        if self._sip.status().usable:
            notify.watchdog()

    # ---- plan -----------------------------------------------------------------------------------------------------

    def _plan(self, settings: Settings) -> Plan:
        facts = country(str(settings["office"]["country"]))
        return build(settings, self._blocking.entries, facts.emergency, facts.helping)

    def _settings_changed(self, sections: tuple[str, ...], then: Callable[[], None]) -> None:
        if "blocks" in sections:
            self._blocking.reload(then)
            return
        settings = self._desk.settings
        self._swap_plan()
        if "messages" in sections:
            self._topics.update(("counts", "sms"))
        if "people" in sections:
            self._apply_people(settings)
        if "lines" in sections:
            self._keeper.apply(self._lines_in_use())
        if "recording" in sections:
            self._recordings.kept = Kept(int(str(settings["recording"]["free_percent"])))
        if "network" in sections or "calling" in sections:
            self._apply_limits(settings)
        self._topics.update(("lines", "phones", "lamps", "notes"))
        self._phone_lamps.touched()
        then()

    def _swap_plan(self) -> None:
        self._exchange.plan = self._plan(self._desk.settings)

    def _count_messages(self) -> None:
        """On the storage thread: messages came, were heard or went."""
        self._views.later(mailbox_counts, lambda found: self._inbox.put(lambda: self._messages_counted(found or {})))

    def _messages_counted(self, found: Mapping[str, tuple[int, int]]) -> None:
        self._recordings.counts = found
        self._phone_lamps.touched()
        self._topics.update(("counts", "calls", "voicemail"))

    def _apply_people(self, settings: Settings) -> None:
        passwords: dict[str, str] = {}
        for person in rows(settings, "people"):
            password = person.get("password")
            if person.get("enabled") and isinstance(password, Secret):
                passwords[str(person["extension"])] = password.reveal()
        self._sip.set_passwords(passwords)

    def _apply_limits(self, settings: Settings) -> None:
        network = settings["network"]
        self._exchange.limits.calls_per_phone = int(str(network["calls_per_phone"]))
        self._exchange.limits.invites_per_phone = float(str(network["invites_per_phone"]))
        self._exchange.limits.a_minute = self._exchange.plan.calling.a_minute
        self._sip.message_lamps.on = bool(network["unsolicited_mwi"])

    def _make_line(self, item: Mapping[str, Value]) -> Line:
        office, tries = str(self._desk.settings["office"]["country"]), self._places.state / "pins-tried.json"
        known = self._exchange.line_facts.get(str(item["id"]))
        shared = Shared(self._inbox.put, self._audio, office, tries, self._ports, self._sip.trunks)
        return make_line(item, shared, known)

    def _lines_in_use(self) -> dict[str, Mapping[str, Value]]:
        items = rows(self._desk.settings, "lines")
        return {str(item["id"]): item for item in items if item.get("enabled")}

    def _recipients(self, line: str) -> tuple[str, ...]:
        """Whom a line's messages are mailed to; nobody where mail is off."""
        mail = self._desk.settings["mail"]
        item = next((i for i in rows(self._desk.settings, "lines") if i["id"] == line), {})
        if not mail["enabled"] or not item.get("sms_mail", True):
            return ()
        wanted = item.get("sms_to") or mail.get("to")
        return tuple(str(to) for to in wanted) if isinstance(wanted, list) else ()

    def _proof(self) -> str:
        """The mailbox that the worker reads."""
        mailbox = self._desk.settings["mailbox"]
        return str(mailbox.get("address") or "") if mailbox.get("enabled") else ""

    def _iccid(self, line: str) -> str:
        found = self._exchange.lines.get(LineId(line))
        return str(found.status().facts.get("iccid", "")) if found else ""

    # ---- status ---------------------------------------------------------------------------------------------------

    def _faults(self) -> tuple[str, ...]:
        return faults_now(self._exchange, self._storage.fault, self._store.damaged, self._numbers)

    def _lamps(self, now: datetime) -> tuple[Shown, ...]:
        return lamps_now(self._exchange, self._faults(), self._numbers.unread, now, self._buttons.shows())

    def status(self) -> dict[str, Json]:
        """Everything the page draws. Loop thread."""
        exchange, now = self._exchange, self._clock.local(self._exchange.plan.zone)
        mail_on = bool(self._desk.settings["mail"]["enabled"])
        lamps: list[Json] = [
            {"name": lamp.name, "pattern": lamp.pattern, "word": lamp.word} for lamp in self._lamps(now)
        ]
        return {
            "now": now.isoformat(),
            "open": open_rows(exchange, now),
            "night": exchange.overrides.get("night", ""),
            "night_until": exchange.overrides.get(NIGHT_UNTIL, ""),
            "lines": line_rows(exchange),
            "self_tests": self._self_tests.running(),
            "phones": phone_states(exchange, _as_json(self._sip.phones(now))),
            "calls": call_rows(exchange),
            "lamps": lamps,
            "buttons": [{"name": name, "press": press, "does": deed} for (name, press), deed in BUTTONS.items()],
            "notes": notes_now(exchange, self._storage.fault, self._store.damaged, self._numbers, mail_on),
            "counts": {"unread": self._numbers.unread, "missed": self._numbers.missed, "dead": self._numbers.dead},
            "virtual": self._virtual,
            "version": __version__,
            "address": self._address,
            "sip_port": self._port,
            "clock_offset": self._clock.offset,
            "door": dict(self._sip.door.counts),
        }


def _as_json(phones: list[dict[str, object]]) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = json.loads(json.dumps(phones))
    return found


def _nothing() -> None:
    """Nobody waits for this."""


def main() -> int:
    """The process."""
    logs.setup()
    places = Places.of()
    places.make()
    try:
        reset.carry_out(places)
        return Daemon(places, os.environ).run()
    except CentralkaError as error:
        log.error("the exchange cannot start: %s (%s)", error.id, error.detail)
        return UNUSABLE_SETTINGS
