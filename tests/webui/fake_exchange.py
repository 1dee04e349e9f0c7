"""A stand-in for the exchange behind the real control socket: real settings store, real plan and routing, no lines.

It keeps the exchange's rules (every fault at once, versions, secrets masked, the block list in the journal) and lets a
test set what its lines, phones and calls are doing. One switch: `mail_answer`. Counters: `asked`.
"""

import sqlite3
from collections import Counter
from datetime import datetime
from pathlib import Path

from appliance.core.entry_form import COLUMNS, clean, read
from appliance.core.model import PHONES, Kind, LegId, LineId, Number, Offer, Presence
from appliance.core.numbers import parse
from appliance.core.plan import Block, Plan
from appliance.core.routing import route
from appliance.core.schedule import state_at
from appliance.core.sms_rules import decide, narrowed
from appliance.errors import ControlError
from appliance.exchange.control import Answer, Asked, ControlServer
from appliance.exchange.verbs import route_as_json
from appliance.journal.db import open_owner
from appliance.panel.table import Facts, lamps
from appliance.settings.fields import Fault
from appliance.settings.places import Places
from appliance.settings.planning import build
from appliance.settings.schema import SECTIONS
from appliance.settings.secret import Secret, new_password
from appliance.settings.store import InvalidSettings, Store, masked

NOW = datetime.fromisoformat("2026-11-24T14:12:00+01:00")
FACTS = {"model": "SIM7600E-H", "signal": "74", "operator": "Orange", "network": "lte", "storage": "3/20"}


class FakeExchange:
    """Start it with the office's settings stored; stop it to see pages without an exchange."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.db = open_owner(places.journal)
        self.store = Store(places.settings, places.settings_good, places.key)
        self.server = ControlServer(places.control, self._ask)
        self.asked: Counter[str] = Counter()
        self.now = NOW
        self.night = self.night_until = ""
        self.usable = True
        self.calls: list[dict[str, object]] = []
        self.notes: list[dict[str, object]] = []
        self.phones: dict[str, str] = {}
        self.ports: list[str] = []
        self.sms_refused = ""
        self.spent: list[dict[str, object]] = []
        self.done: list[tuple[str, str]] = []  # what was done with calls
        self.cards: list[str] = []
        self.lists: list[dict[str, object]] = []
        self.blocking: dict[str, object] = {"paused": "", "let_next": False, "last": ""}
        self.tests: list[dict[str, object]] = []
        self.running_tests: dict[str, str] = {}
        self.test_error = ""
        self.sources: list[Path] = []
        self.spoken: list[tuple[str, str, str]] = []
        self.registered: list[str] = []
        self.states: dict[str, dict] = {}  # line -> what is other than in the usual
        self.mail_answer: dict[str, object] = {
            "ok": True,
            "said": ["220 mail.example.org ready", "250 queued"],
            "error": "",
        }

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

    def changed(self, topic: str) -> None:
        """Tell the subscribers, as the exchange does."""
        self.server.publish(topic, {})

    def plan(self) -> Plan:
        return build(self.store.read(), self._blocks(), ["112", "999", "998", "997"], [])

    def _blocks(self) -> list[Block]:
        with sqlite3.connect(self.places.journal) as db:
            rows = db.execute("SELECT id, pattern, allow, when_, line, what, action, reason FROM blocks").fetchall()
        return [
            Block(r[0], r[1], bool(r[2]), r[3], LineId(r[4]) if r[4] else None, r[5], r[6] or "", r[7] or "")
            for r in rows
        ]

    def _ask(self, asked: Asked) -> None:
        self.asked[asked.verb] += 1
        verb = getattr(self, "_" + asked.verb.replace(".", "_").replace("-", "_"), None)
        try:
            if verb is None:
                raise ControlError("no-such-verb")
            asked.reply(Answer(ok=verb(dict(asked.args), asked.who)))
        except InvalidSettings as fault:
            asked.reply(Answer(error="invalid-settings", fields=dict(fault.fields), args=dict(fault.facts)))
        except ControlError as fault:
            asked.reply(Answer(error=fault.id, args=dict(fault.args_for_words)))

    def _sms_send(self, args: dict, who: str) -> dict:
        if self.sms_refused:
            raise ControlError(self.sms_refused, line="Reception")
        with sqlite3.connect(self.places.journal) as db:
            out = db.execute(
                "INSERT INTO sms_out (line, recipient, text, origin, by_, created_at, updated_at, next_at)"
                " VALUES (?,?,?,?,?,?,?,?)",
                (args["line"], args["to"], args["text"], args["origin"], who, *["2026-11-24T13:11:00.000Z"] * 3),
            ).lastrowid
            db.execute(
                "INSERT INTO sms_out_parts (out_id, sequence, total, pdu, length) VALUES (?,1,1,'00',20)", (out,)
            )
        return {"id": out, "parts": 1, "coding": "gsm7", "line": args["line"], "to": args["to"]}

    def _calling_spent(self, args: dict, who: str) -> dict:
        return {"spent": self.spent}

    def _sms_count(self, args: dict, who: str) -> dict:
        return {"letters": len(args["text"]), "room": 160, "parts": 1, "coding": "gsm7"}

    def _sms_again(self, args: dict, who: str) -> dict:
        return self._sms_state(args["id"], "queued", "")

    def _sms_cancel(self, args: dict, who: str) -> dict:
        return self._sms_state(args["id"], "failed", "sms-cancelled")

    def _sms_state(self, out: int, state: str, reason: str) -> dict:
        with sqlite3.connect(self.places.journal) as db:
            db.execute("UPDATE sms_out SET state = ?, reason = ? WHERE id = ?", (state, reason, out))
        return {}

    def _status(self, args: dict, who: str) -> dict:
        plan = self.plan()
        lines = [
            {"id": str(line.id), "kind": line.kind, "label": line.label, "number": line.own_number,
             "state": "up" if self.usable else "searching", "usable": self.usable, "busy": bool(self.calls),
             "facts": dict(FACTS), **self.states.get(str(line.id), {})}
            for line in plan.lines.values()
        ]  # fmt: skip
        phones = [
            {"extension": p.extension, "name": p.name, "state": self.phones.get(p.extension, "offline"), "contacts":
             [{"uri": f"sip:{p.extension}@127.0.0.80:5070", "user_agent": "baresip v1.0.0", "flow": "udp 127.0.0.80:5070",  # noqa: E501
               "expires": "2026-11-24T13:30:00.000Z"}] if self.phones.get(p.extension, "offline") != "offline" else []}
            for p in plan.people.values()
        ]  # fmt: skip
        facts = Facts(sims=("up",) if self.usable else ("searching",), night=self.night, unread=self._unread(),
                      calls=tuple(str(c["state"]) for c in self.calls))  # fmt: skip
        return {
            "now": self.now.isoformat(), "open": {str(i): self._open(plan, i) for i in plan.lines}, "night": self.night,
            "night_until": self.night_until,
            "self_tests": self.running_tests,
            "lines": lines, "phones": phones, "calls": self.calls, "notes": self.notes,
            "lamps": [{"name": s.name, "pattern": s.pattern, "word": s.word} for s in lamps(facts)],
            "counts": {"unread": self._unread(), "missed": 2, "dead": 0}, "virtual": True, "version": "0.1.0",
            "address": "127.0.0.80", "sip_port": 5060, "clock_offset": 0,
        }  # fmt: skip

    def _open(self, plan: Plan, line: LineId) -> dict:
        if self.night and plan.lines[line].night:
            return {"open": self.night == "off", "until": None, "reason": f"night-{self.night}"}
        state = state_at(plan.lines[line].hours, self.now)
        return {"open": state.open, "until": state.until.isoformat() if state.until else None, "reason": state.reason}

    def _unread(self) -> int:
        with sqlite3.connect(self.places.journal) as db:
            return int(db.execute("SELECT count(*) FROM sms WHERE read_at IS NULL").fetchone()[0])

    def _settings_get(self, args: dict, who: str) -> dict:
        name = args["section"]
        if name not in SECTIONS:
            raise ControlError("no-such-section")
        return {"section": name, "version": self.store.version(name), "doc": masked(self.store.read()[name])}

    def _settings_put(self, args: dict, who: str) -> dict:
        return {"version": self.store.put(args["section"], args.get("version"), args["doc"])}

    def _password_new(self, args: dict, who: str) -> dict:
        return {"password": new_password()}

    def _secret_show(self, args: dict, who: str) -> dict:
        person = next(p for p in self.store.read()["people"]["items"] if p["id"] == args["id"])
        assert isinstance(person["password"], Secret)
        return {"username": person["extension"], "password": person["password"].reveal(), "server": "127.0.0.80",
                "port": 5060, "transport": "udp"}  # fmt: skip

    def _block_add(self, args: dict, who: str) -> dict:
        texts = {name: str(args.get(name) or "") for name in COLUMNS}
        texts["list"] = "allow" if args.get("allow") else "block"
        entry, faults = clean(texts, "PL", self.plan().zone, [str(line) for line in self.plan().lines])
        if faults:
            raise InvalidSettings({name: Fault(fault, **of) for name, (fault, of) in faults.items()})
        if any(b.pattern == entry.pattern and b.allow == entry.allow for b in self._blocks()):
            raise ControlError("taken")
        return {"id": self._insert(entry, who), "pattern": entry.pattern}

    def _insert(self, entry: Block, who: str) -> int | None:
        stamps = [at.isoformat().replace("+00:00", ".000Z") if at else None for at in (entry.begins, entry.ends)]
        with sqlite3.connect(self.places.journal) as db:
            return db.execute(
                "INSERT INTO blocks (pattern, allow, what, when_, line, action, reason, created_at, created_by,"
                " begins_at, ends_at, origin) VALUES (?, ?, ?, ?, ?, ?, ?, '2026-11-24T13:12:00.000Z', ?, ?, ?, ?)",
                (entry.pattern, int(entry.allow), entry.what, entry.when, entry.line, entry.action, entry.reason, who,
                 *stamps, entry.origin),
            ).lastrowid  # fmt: skip

    def _block_import(self, args: dict, who: str) -> dict:
        text = (self.places.prompts / args["name"]).read_text()
        entries, faults = read(text, "PL", self.plan().zone, [str(line) for line in self.plan().lines])
        if not args.get("check"):
            with sqlite3.connect(self.places.journal) as db:
                held = {(b.pattern, b.allow) for b in self._blocks()}
                if args["replace"]:
                    db.execute("DELETE FROM blocks")
                    held = set()
            for entry in entries:
                if (entry.pattern, entry.allow) not in held:
                    self._insert(entry, who)
        named = [{"line": f.line, "column": f.column, "fault": f.fault, "facts": dict(f.facts)} for f in faults]
        return {"read": len(entries), "bad": len({f.line for f in faults}), "faults": named}

    def _block_lists(self, args: dict, who: str) -> dict:
        return {"folder": "/var/lib/centralka/lists", "lists": self.lists, **self.blocking}

    def _block_pause(self, args: dict, who: str) -> dict:
        self.blocking["paused"] = "2026-11-24T14:42:00+01:00" if args["minutes"] else ""
        return {"until": self.blocking["paused"]}

    def _block_let_next(self, args: dict, who: str) -> dict:
        self.blocking["let_next"] = args["on"]
        return {"on": args["on"]}

    def _block_last(self, args: dict, who: str) -> dict:
        if not self.blocking["last"]:
            raise ControlError("no-last-caller")
        return self._block_add({"pattern": self.blocking["last"]}, who)

    def _block_remove(self, args: dict, who: str) -> dict:
        with sqlite3.connect(self.places.journal) as db:
            if not db.execute("DELETE FROM blocks WHERE id = ?", (args["id"],)).rowcount:
                raise ControlError("no-such-entry")
        return {"entry": {}}

    def _night(self, args: dict, who: str) -> dict:
        self.night, self.night_until = str(args["value"]), str(args.get("until") or "")
        self.changed("lamps")
        return {"night": self.night}

    def _explain(self, args: dict, who: str) -> dict:
        plan, at = self.plan(), datetime.fromisoformat(args["at"])
        now = at.replace(tzinfo=plan.zone) if at.tzinfo is None else at
        line, kinds = LineId(args["line"]), {"withheld": Kind.WITHHELD, "unavailable": Kind.UNAVAILABLE}
        if line == PHONES:
            caller, called = Number(args["from"], Kind.INTERNAL), Number(args["to"], Kind.INTERNAL)
        elif line not in plan.lines:
            raise ControlError("no-such-line", line=str(line))
        else:
            caller = Number("", kinds[args["from"]]) if args["from"] in kinds else parse(args["from"], "PL")
            called = Number(plan.lines[line].own_number, Kind.E164)
        presence = Presence(
            registered=frozenset(plan.people), lines_up=frozenset(plan.lines), lines_free=frozenset(plan.lines)
        )
        return route_as_json(route(Offer(LegId("x"), line, caller, called), plan, now, presence), now)

    def _call_hang_up(self, args: dict, who: str) -> dict:
        self._call(args)
        self.calls = [c for c in self.calls if c["id"] != args["call"]]
        return {}

    def _call(self, args: dict) -> dict:
        found = next((c for c in self.calls if c["id"] == args["call"]), None)
        if found is None:
            raise ControlError("no-such-call")
        return found

    def _call_transfer(self, args: dict, who: str) -> dict:
        if self._call(args)["state"] not in ("talking", "held"):
            raise ControlError("not-talking")
        self.done.append(("transfer", args["to"]))
        return {}

    def _call_drop(self, args: dict, who: str) -> dict:
        self._call(args)
        self.done.append(("drop", args["prompt"]))
        return {}

    def _call_make(self, args: dict, who: str) -> dict:
        """A phone that is not connected does not ring; an unknown extension may not be called."""
        if self.phones.get(args["extension"], "offline") == "offline":
            raise ControlError("not-connected", extension=args["extension"])
        if args["to"] == "999999":
            facts = {"name": "Ben Kowalski", "number": args["to"]}
            raise ControlError("call-refused", rule="may-not-dial", **facts)
        self.done.append((args["extension"], args["to"]))
        return {}

    def _mailbox_test(self, args: dict, who: str) -> dict:
        return self.mail_answer

    def _sms_explain(self, args: dict, who: str) -> dict:
        """The rules as the exchange asks them, with the line's addresses."""
        plan, line = self.plan(), str(args["line"])
        sender = parse(args["from"], "PL", alphanumeric=True)
        rules = narrowed(plan.sms_rules, line, sender, open_now=True)
        decided = decide(rules, line, args["text"], ["office@example.org"])
        return {"trace": [{"rule": t.rule, "outcome": str(t.outcome), "args": dict(t.args), "link": t.link}
                          for t in decided.trace]}  # fmt: skip

    def _mail_test(self, args: dict, who: str) -> dict:
        return self.mail_answer

    def _line_selftest(self, args: dict, who: str) -> dict:
        if self.test_error:
            raise ControlError(self.test_error)
        self.tests.append(args)
        self.running_tests = {args["line"]: "listening"}
        return {"started": True}

    def _line_register(self, args: dict, who: str) -> dict:
        if self.plan().lines[LineId(args["line"])].kind != "sip":
            raise ControlError("no-such-line", line=args["line"])
        self.registered.append(args["line"])
        return {}

    def _devices(self, args: dict, who: str) -> dict:
        return {"ports": self.ports, "cards": self.cards}

    def _prompt_convert(self, args: dict, who: str) -> dict:
        """The worker's rules: wav or mp3 by the first octets, at most 5 MB; the sound is kept as it is."""
        source = Path(args["source"])
        assert source.is_relative_to(self.places.prompts)
        assert source.stat().st_mode & 0o777 == 0o640
        self.sources.append(source)
        octets = source.read_bytes()
        if octets[:4] != b"RIFF" and octets[:3] != b"ID3":
            raise ControlError("not-a-sound")
        (self.places.uploads / f"{args['id']}.wav").write_bytes(octets)
        return {"id": args["id"], "seconds": 1.0}

    def _prompt_speak(self, args: dict, who: str) -> dict:
        self.spoken.append((args["id"], args["text"], args["language"]))
        (self.places.uploads / f"{args['id']}.wav").write_bytes(b"RIFF" + bytes(40 + 32000))
        return {"id": args["id"], "language": args["language"], "seconds": 2.0}

    def _prompt_remove(self, args: dict, who: str) -> dict:
        (self.places.uploads / f"{args['id']}.wav").unlink()
        return {}

    def _outbox_retry(self, args: dict, who: str) -> dict:
        with sqlite3.connect(self.places.journal) as db:
            db.execute("UPDATE outbox SET state = 'waiting', attempts = 0 WHERE id = ?", (args["id"],))
        return {}

    def _sms_read(self, args: dict, who: str) -> dict:
        with sqlite3.connect(self.places.journal) as db:
            db.execute("UPDATE sms SET read_at = '2026-11-24T13:12:00.000Z' WHERE sender = ?", (args["sender"],))
        return {}
