"""The verbs of the control socket: a table from name to method. All run on the loop thread but the ones that write
settings, which run on the settings thread and answer from there."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from appliance.core.commands import SetOverride
from appliance.core.events import ButtonPressed
from appliance.core.model import PHONES, Kind, LegId, LineId, Number, Offer, Outcome, Route, TraceStep
from appliance.core.night import NIGHT, NIGHT_UNTIL, until_of
from appliance.core.numbers import parse
from appliance.core.screening import screen_sms
from appliance.core.sms_rules import Decision, decide, fits
from appliance.errors import ControlError
from appliance.exchange.control import Answer, Asked, Json
from appliance.exchange.exchange import Exchange
from appliance.exchange.self_test import SelfTests
from appliance.panel.table import BUTTONS, press_of
from appliance.words import TRACE, say

log = logging.getLogger(__name__)

# what the worker does takes longer than an answer may; it has WORKER_SECONDS of the desk
SECONDS: Mapping[str, float] = {
    "mail.test": 65.0, "mailbox.test": 65.0, "prompt.convert": 65.0, "prompt.speak": 65.0,
    "block.import": 65.0,
    # what the network does: see modem_ussd and modem_services
    "ussd.send": 90.0, "ussd.answer": 70.0, "credit.read": 90.0, "forwarding.check": 600.0, "forwarding.apply": 600.0,
}  # fmt: skip

Reply = Callable[[Answer], None]
Args = Mapping[str, Json]
Later = Callable[[Args, str, Reply], None]


class Desk(Protocol):
    """What verbs need of the daemon beyond the exchange: settings, the journal's writes, devices."""

    def status(self) -> dict[str, Json]: ...
    def settings_get(self, section: str) -> dict[str, Json]: ...
    def settings_put(self, section: str, version: int | None, doc: Args, reply: Reply) -> None: ...
    def settings_schema(self) -> dict[str, Json]: ...
    def phone_secret(self, person: str) -> dict[str, Json]: ...
    def sms_addresses(self, line: str) -> tuple[str, ...]: ...
    def sms_read(self, sender: str, reply: Reply) -> None: ...
    def outbox_retry(self, item: int, reply: Reply) -> None: ...
    def mail_test(self, args: Args, reply: Reply) -> None: ...
    def mailbox_test(self, args: Args, reply: Reply) -> None: ...
    def prompt_convert(self, args: Args, reply: Reply) -> None: ...
    def prompt_speak(self, args: Args, reply: Reply) -> None: ...
    def prompt_remove(self, args: Args) -> None: ...
    def devices(self) -> list[str]: ...
    def cards(self) -> list[str]: ...
    def set_clock(self, at: datetime | None) -> float: ...
    def only_virtual(self) -> None: ...
    def reload(self) -> None: ...
    def new_password(self) -> str: ...


class Verbs:
    """Carries out what the socket asks; every fault becomes an answer with an id."""

    def __init__(
        self, exchange: Exchange, desk: Desk, self_tests: SelfTests, more: Mapping[str, Later] | None = None
    ) -> None:
        """`more`: verbs of other parts, answered later."""
        self._exchange = exchange
        self._desk = desk
        self._now: dict[str, Callable[[Args, str], dict[str, Json]]] = {
            "status": lambda args, who: self._desk.status(),
            "settings.get": lambda args, who: self._desk.settings_get(text(args, "section")),
            "settings.schema": lambda args, who: self._desk.settings_schema(),
            "secret.show": self._secret_show,
            "night": self._night,
            "explain": self._explain,
            "sms.explain": self._sms_explain,
            "clock.set": self._clock_set,
            "button.press": self._button_press,
            "reload": self._reload,
            "password.new": lambda args, who: {"password": self._desk.new_password()},
            "prompt.remove": self._prompt_remove,
            "line.selftest": lambda args, who: self_tests.start(args),
            "devices": lambda args, who: {"ports": [*self._desk.devices()], "cards": [*self._desk.cards()]},
        }
        self._later: dict[str, Callable[[Args, str, Reply], None]] = {
            "settings.put": self._settings_put,
            "sms.read": lambda args, who, reply: self._desk.sms_read(text(args, "sender"), reply),
            "outbox.retry": lambda args, who, reply: self._desk.outbox_retry(number(args, "id"), reply),
            "mail.test": lambda args, who, reply: self._desk.mail_test(args, reply),
            "mailbox.test": lambda args, who, reply: self._desk.mailbox_test(args, reply),
            "prompt.convert": lambda args, who, reply: self._desk.prompt_convert(args, reply),
            "prompt.speak": lambda args, who, reply: self._desk.prompt_speak(args, reply),
            **(more or {}),
        }

    def names(self) -> list[str]:
        """All verbs, for the manual and its test."""
        return sorted([*self._now, *self._later, "subscribe"])

    def answer(self, asked: Asked) -> None:
        """Carry out one request. Loop thread."""
        try:
            if asked.verb in self._now:
                asked.reply(Answer(ok=self._now[asked.verb](asked.args, asked.who)))
            elif asked.verb in self._later:
                self._later[asked.verb](asked.args, asked.who, asked.reply)
            else:
                asked.reply(Answer(error="no-such-verb", args={"verb": asked.verb}))
        except ControlError as error:
            asked.reply(Answer(error=error.id, args=dict(error.args_for_words)))
        except Exception:
            log.exception("verb %s failed", asked.verb)
            asked.reply(Answer(error="fault"))

    def _secret_show(self, args: Args, who: str) -> dict[str, Json]:
        log.info("secret of %s shown to %s", text(args, "id"), who or "the command line")
        return self._desk.phone_secret(text(args, "id"))

    def _night(self, args: Args, who: str) -> dict[str, Json]:
        value = text(args, "value")
        if value not in ("on", "off", "", "toggle"):
            raise ControlError("not-a-choice")
        until = until_of(text(args, "until"), self._exchange.clock.now()) if value in ("on", "off") else ""
        if until is None:
            raise ControlError("not-ahead")
        self._exchange.set_override(SetOverride(NIGHT, value, who, until))
        overrides = self._exchange.overrides
        return {"night": overrides.get(NIGHT, ""), "until": overrides.get(NIGHT_UNTIL, "")}

    def _clock_set(self, args: Args, who: str) -> dict[str, Json]:
        wanted = args.get("at")
        return {"offset": self._desk.set_clock(self._moment(wanted) if wanted else None)}

    def _button_press(self, args: Args, who: str) -> dict[str, Json]:
        """A button of virtual hardware, held for some seconds (nobody waits for them)."""
        name, seconds = text(args, "name"), args.get("seconds", 0.2)
        if name not in {button for button, _ in BUTTONS} or not isinstance(seconds, int | float):
            raise ControlError("bad-request")
        self._desk.only_virtual()
        self._exchange.handle(ButtonPressed(name, press_of(float(seconds))))
        return {}

    def _reload(self, args: Args, who: str) -> dict[str, Json]:
        self._desk.reload()
        return {}

    def _prompt_remove(self, args: Args, who: str) -> dict[str, Json]:
        self._desk.prompt_remove(args)
        return {}

    def _settings_put(self, args: Args, who: str, reply: Reply) -> None:
        doc, version = args.get("doc"), args.get("version")
        if not isinstance(doc, dict):
            raise ControlError("bad-request")
        self._desk.settings_put(text(args, "section"), version if isinstance(version, int) else None, doc, reply)

    def _moment(self, wanted: Json) -> datetime:
        """An ISO moment, naive ones read in the office's zone."""
        try:
            moment = datetime.fromisoformat(str(wanted))
        except ValueError as error:
            raise ControlError("not-a-time") from error
        return moment if moment.tzinfo else moment.replace(tzinfo=self._exchange.plan.zone)

    def _explain(self, args: Args, who: str) -> dict[str, Json]:
        plan = self._exchange.plan
        line = LineId(text(args, "line"))
        at = args.get("at")
        now = self._moment(at).astimezone(plan.zone) if at else self._exchange.clock.local(plan.zone)
        if line != PHONES and line not in plan.lines:
            raise ControlError("no-such-line", line=str(line))
        offer = self._offer(line, str(args.get("from") or ""), str(args.get("to") or ""))
        state = self._exchange.presence(offer)
        if flag(args, "nobody", False):
            state = replace(state, registered=frozenset())
        if flag(args, "closed", False):
            state = replace(state, overrides={**state.overrides, "night": "on"})
        return route_as_json(self._exchange.explain(offer, now, state), now)

    def _sms_explain(self, args: Args, who: str) -> dict[str, Json]:
        """What the rules would do with a message; nothing is sent. Also for the page's "Try a message"."""
        plan = self._exchange.plan
        line, at = LineId(text(args, "line")), args.get("at")
        own = plan.lines.get(line)
        if own is None:
            raise ControlError("no-such-line", line=str(line))
        sender = parse(text(args, "from"), own.country, alphanumeric=True)
        now = self._moment(at).astimezone(plan.zone) if at else self._exchange.clock.local(plan.zone)
        rules = self._exchange.receiving.rules(line, sender, now)
        never = any(fits(pattern, sender) for pattern in own.sms_never)
        decided = decide(rules, str(line), text(args, "text"), self._desk.sms_addresses(str(line)), never)
        if screen_sms(sender, line, plan, now).blocked:
            decided = Decision(trace=(TraceStep("sms-blocked", Outcome.STOPPED, {}, "/blocking"),))
        return {
            "mail": [*decided.mail],
            "webhooks": [*decided.hooks],
            "sms": [*decided.numbers],
            "trace": [_trace_as_json(t) for t in decided.trace],
        }

    def _offer(self, line: LineId, caller: str, called: str) -> Offer:
        plan = self._exchange.plan
        if line == PHONES:
            return Offer(LegId("explain"), PHONES, Number(caller, Kind.INTERNAL), Number(called, Kind.INTERNAL))
        own = plan.lines[line]
        kinds = {"withheld": Kind.WITHHELD, "unavailable": Kind.UNAVAILABLE}
        number_of = Number("", kinds[caller]) if caller in kinds else parse(caller, own.country)
        return Offer(LegId("explain"), line, number_of, Number(own.own_number, Kind.E164))


def route_as_json(decided: Route, now: datetime) -> dict[str, Json]:
    """A route for the wire: what would happen, and the trace in ids and English words."""
    return {
        "at": now.isoformat(),
        "direction": str(decided.direction),
        "emergency": decided.emergency,
        "steps": [_step_as_json(step) for step in decided.steps],
        "trace": [_trace_as_json(t) for t in decided.trace],
    }


def _trace_as_json(step: TraceStep) -> Json:
    words = say(TRACE, step.rule, step.args)
    return {
        "rule": step.rule, "outcome": str(step.outcome), "args": dict(step.args), "link": step.link, "text": words,
    }  # fmt: skip


def _step_as_json(step: object) -> dict[str, Json]:
    body: dict[str, Json] = {"do": type(step).__name__.removesuffix("Step").lower()}
    for name in ("seconds", "name", "prompt", "cause", "service", "emergency", "group", "menu", "mailbox"):
        if hasattr(step, name):
            body[name] = getattr(step, name)
    targets = getattr(step, "targets", None)
    if targets is not None:
        body["targets"] = [{"line": str(t.line), "number": t.number.text, "label": t.label} for t in targets]
    return body


def text(args: Args, name: str) -> str:
    """A text argument of sane length. Raises ControlError."""
    value = args.get(name, "")
    if not isinstance(value, str) or len(value) > 2000:
        raise ControlError("bad-request", name=name)
    return value


def number(args: Args, name: str) -> int:
    """A whole-number argument. Raises ControlError."""
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ControlError("bad-request", name=name)
    return value


def flag(args: Args, name: str, default: bool) -> bool:
    """A yes or no argument. Raises ControlError."""
    value = args.get(name)
    if value is not None and not isinstance(value, bool):
        raise ControlError("bad-request", name=name)
    return default if value is None else value
