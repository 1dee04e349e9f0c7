"""What a SIM line does beside calls and messages: codes of the network and its forwarding, from core's words to the
modem's and back."""

from collections.abc import Callable, Mapping

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.forwarding import UNTOLD, Diverted
from appliance.core.model import LineId
from appliance.protocols import modem_events as said
from appliance.protocols.modem import Modem
from appliance.protocols.modem_services import Change

COMMANDS = (do.SendUssd, do.AnswerUssd, do.CancelUssd, do.Forward)


def perform(line: LineId, modem: Modem, is_open: bool, command: do.Command, at: float) -> list[ev.Event]:
    """Carry it out; what cannot even begin is told at once. `at`: monotonic seconds."""
    reason = "ussd-lost" if not (is_open and modem.usable) else _REFUSED[type(command)]
    if is_open and modem.usable and _BEGIN[type(command)](modem, command, at):
        return []
    if isinstance(command, do.Forward):
        return [ev.ForwardingRead(line, (), dict.fromkeys(("all", "busy", "no-answer", "unreachable"), reason))]
    return [ev.UssdFailed(line, reason)]


def translated(line: LineId, event: said.UssdSaid | said.UssdFailed | said.ForwardingSaid) -> ev.Event:
    """The modem's event as core's."""
    if isinstance(event, said.UssdSaid):
        return ev.UssdAnswered(line, event.text, event.more, event.form, event.request, event.asked)
    if isinstance(event, said.UssdFailed):
        return ev.UssdFailed(line, event.reason, event.detail)
    found = tuple(
        Diverted(one.reason, (one.number or UNTOLD) if one.active else "", one.seconds) for one in event.found
    )
    return ev.ForwardingRead(line, found, dict(event.refused))


def _ask(modem: Modem, command: do.SendUssd, at: float) -> bool:
    taken = modem.calls.current is not None or modem.sending.current is not None
    return not taken and modem.ussd.ask(command.code, at, command.request, command.coding, command.once)


def _forward(modem: Modem, command: do.Forward, at: float) -> bool:
    return modem.services.forward(tuple(Change(one.reason, one.number, one.seconds) for one in command.changes))


_BEGIN: Mapping[type, Callable[..., bool]] = {
    do.SendUssd: _ask,
    do.AnswerUssd: lambda modem, command, at: modem.ussd.answer(command.text, at),
    do.CancelUssd: lambda modem, command, at: modem.ussd.cancel(),
    do.Forward: _forward,
}
_REFUSED: Mapping[type, str] = {
    do.SendUssd: "ussd-busy", do.AnswerUssd: "ussd-no-menu", do.CancelUssd: "ussd-no-menu", do.Forward: "ussd-busy",
}  # fmt: skip
