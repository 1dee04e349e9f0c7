"""What SIMs do beside calls and messages, joined: codes, credit, the network's forwarding; their verbs. Loop thread.

ussd.send         {line, code}    {text, more, coding, forwards}   later: within 90 s
ussd.answer       {line, text}    as ussd.send
ussd.cancel       {line}          {}
credit.read       {line}          {text, amount, currency}         minor units; null: it was not understood
forwarding.check  {line}          {number, found, wrong, refused, lost, checked}
forwarding.apply  {line}          as forwarding.check
"""

from collections.abc import Callable, Mapping

from appliance.core import events as ev
from appliance.core.model import LineId
from appliance.exchange import codes as ussd
from appliance.exchange import credit, forwarding
from appliance.exchange.control import Answer
from appliance.exchange.exchange import Exchange
from appliance.exchange.facts import Facts, Post, Submit
from appliance.exchange.notices import Notices
from appliance.exchange.verbs import Args, Reply, text

FACTS = (ussd.FACT, credit.FACT, credit.BALANCE, forwarding.FACT)


class Sims:
    """See the module."""

    def __init__(
        self,
        exchange: Exchange,
        submit: Submit,
        post: Post,
        items: credit.Items,
        recipients: Callable[[], tuple[str, ...]],
    ) -> None:
        self.facts = Facts(submit, exchange.clock, post)
        notices = Notices(exchange, submit, recipients)
        self._codes = ussd.Codes(
            exchange.lines, self.facts,
            lambda said: notices.tell(said.line, "network-said", {"said": said.text[:200]}, severity="info"),
        )  # fmt: skip
        parts = (items, self._codes, self.facts, notices, exchange.clock)
        self._credit, self._forwardings = credit.Credit(*parts), forwarding.Forwardings(*parts)
        exchange.sim_said = self.said
        exchange.message_came = self._credit.message
        exchange.call_ended.append(self._credit.call_ended)

    def said(self, event: ev.UssdAnswered | ev.UssdFailed | ev.ForwardingRead) -> None:
        """An event of a line, to whom it belongs."""
        if isinstance(event, ev.ForwardingRead):
            self._forwardings.read(event)
        else:
            self._codes.said(event)

    def chore(self, at: float) -> None:
        """Once a second. `at`: monotonic seconds."""
        self._credit.chore(at)
        self._forwardings.chore(at)

    def verbs(self) -> Mapping[str, Callable[[Args, str, Reply], None]]:
        """For the table of the control socket."""
        return {
            "ussd.send": self._send,
            "ussd.answer": self._answer,
            "ussd.cancel": self._cancel,
            "credit.read": lambda args, who, reply: self._credit.read(_line(args), reply),
            "forwarding.check": lambda args, who, reply: self._forwardings.check(_line(args), reply),
            "forwarding.apply": lambda args, who, reply: self._forwardings.apply(_line(args), reply),
        }

    def _send(self, args: Args, who: str, reply: Reply) -> None:
        code = "".join(text(args, "code").split())
        forwards, once = ussd.sets_forwarding(code), ussd.may_spend(code)
        self._codes.send(_line(args), code, lambda said: reply(_as_answer(said, forwards)), once)

    def _answer(self, args: Args, who: str, reply: Reply) -> None:
        self._codes.answer(_line(args), text(args, "text").strip(), lambda said: reply(_as_answer(said)))

    def _cancel(self, args: Args, who: str, reply: Reply) -> None:
        self._codes.cancel(_line(args))
        reply(Answer(ok={}))


def _line(args: Args) -> LineId:
    return LineId(text(args, "line"))


def _as_answer(said: ussd.Said, forwards: bool = False) -> Answer:
    if isinstance(said, ev.UssdFailed):
        return Answer(error=said.reason, args={"said": said.detail})
    return Answer(ok={"text": said.text, "more": said.more, "coding": said.coding, "forwards": forwards})
