"""Verbs of the control socket about calls: made by a click, sent on, ended, a message left. Loop thread."""

from appliance.core.call_states import State
from appliance.core.call_talk import cut, send_on, voicedrop
from appliance.core.model import CallId, LegId
from appliance.errors import ControlError
from appliance.exchange.control import Answer, Json
from appliance.exchange.exchange import Exchange
from appliance.exchange.handling import Handling
from appliance.exchange.parts import Running
from appliance.exchange.verbs import Args, Later, Reply, text


class CallVerbs:
    """A table for `Verbs`."""

    def __init__(self, exchange: Exchange, handling: Handling) -> None:
        self._exchange = exchange
        self._handling = handling

    def table(self) -> dict[str, Later]:
        """Verb to method."""
        return {
            "call.make": self._make, "call.transfer": self._transfer, "call.drop": self._drop,
            "call.hang_up": self._hang_up, "queues": self._queues,
        }  # fmt: skip

    def _make(self, args: Args, who: str, reply: Reply) -> None:
        """Ring a colleague, then the number; `call-refused` with the rule of the trace where it may not be called.
        Raises ControlError."""
        extension, to = text(args, "extension"), text(args, "to").replace(" ", "")
        if extension not in self._exchange.plan.people:
            raise ControlError("no-such-person")
        if not to:
            raise ControlError("bad-request", name="to")
        if extension not in self._exchange.registered:
            raise ControlError("not-connected", extension=extension)
        stopped = self._handling.refusal(extension, to[:64])
        if stopped:
            raise ControlError("call-refused", rule=stopped.rule, **stopped.args)
        self._handling.make_call(extension, to[:64])
        reply(Answer(ok={}))

    def _transfer(self, args: Args, who: str, reply: Reply) -> None:
        """Send the other party of a colleague's call on, from the page."""
        running, leg = self._talking(args)
        to = text(args, "to").replace(" ", "")[:64]
        self._exchange.carry_out(running.call.id, send_on(running.call, leg, to, self._exchange.clock.monotonic()))
        reply(Answer(ok={}))

    def _drop(self, args: Args, who: str, reply: Reply) -> None:
        """Leave a recorded message and let the colleague go (F80)."""
        running, leg = self._talking(args)
        prompt = text(args, "prompt") or "voicedrop"
        commands = voicedrop(running.call, leg, prompt, self._exchange.clock.monotonic())
        self._exchange.carry_out(running.call.id, commands)
        reply(Answer(ok={}))

    def _hang_up(self, args: Args, who: str, reply: Reply) -> None:
        """End a call, with every leg of it; the trace says who did. Raises ControlError."""
        running = self._exchange.calls.get(CallId(text(args, "call")))
        if running is None:
            raise ControlError("no-such-call")
        self._exchange.carry_out(running.call.id, cut(running.call, who, self._exchange.clock.monotonic()))
        reply(Answer(ok={}))

    def _talking(self, args: Args) -> tuple[Running, LegId]:
        running = self._exchange.calls.get(CallId(text(args, "call")))
        if running is None:
            raise ControlError("no-such-call")
        if running.call.state is not State.TALKING:
            raise ControlError("not-talking")
        call, extension = running.call, text(args, "extension")
        legs = [leg for leg in (call.near, call.other()) if extension in ("", call.extension_of(leg))]
        legs = [leg for leg in legs if call.extension_of(leg)]
        if not legs:
            raise ControlError("not-talking")
        return running, legs[-1]

    def _queues(self, args: Args, who: str, reply: Reply) -> None:
        """Who waits where, in order."""
        at = self._exchange.clock.monotonic()
        rows: list[Json] = [
            {
                "group": group, "call": one.call, "number": one.number.text, "seconds": round(at - one.since),
                "ringing": list(one.ringing),
            }
            for group, one in self._handling.queues.rows()
        ]  # fmt: skip
        reply(Answer(ok={"waiting": rows}))
