"""Documents for lamps: dialog-info (RFC 4235) for busy lamps, PIDF with RPID (RFC 3863, 4480) for softphones."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class Dialog:
    """One dialog of the watched side. `state`: trying, early, confirmed or terminated; `remote`: the URI of the other
    side, "" where the watcher may not see it."""

    id: str
    state: str
    initiator: bool = False
    remote: str = ""
    display: str = ""


def dialog_info(entity: str, version: int, dialogs: Iterable[Dialog], gone: Iterable[str] = ()) -> str:
    """The whole state. There is always a dialog: phones without one keep their lamp (Yealink). `gone`: ids that the
    last document had, told as terminated when none is left."""
    shown = list(dialogs) or [Dialog(one, "terminated") for one in gone] or [Dialog("idle", "terminated")]
    inner = "".join(_dialog(entity, one) for one in shown)
    return (
        f'{_HEAD}<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" state="full" '
        f"entity={_attribute(entity)}>\n{inner}</dialog-info>\n"
    )


def _dialog(entity: str, one: Dialog) -> str:
    direction = "" if one.state == "terminated" else f' direction="{"initiator" if one.initiator else "recipient"}"'
    sides = ""
    if one.remote:
        name = f" display={_attribute(one.display)}" if one.display else ""
        sides = (
            f"<local><identity>{_text(entity)}</identity></local>"
            f"<remote><identity{name}>{_text(one.remote)}</identity><target uri={_attribute(one.remote)}/></remote>"
        )
    return f"<dialog id={_attribute(one.id)}{direction}><state>{_text(one.state)}</state>{sides}</dialog>\n"


def pidf(entity: str, reachable: bool, talking: bool) -> str:
    """Presence. The contact is the one who is watched: clients ignore a document that names the watcher there."""
    activity = "<rpid:on-the-phone/>" if talking else ""
    return (
        f'{_HEAD}<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" '
        f'xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity={_attribute(entity)}>\n'
        f'<tuple id="phone"><status><basic>{"open" if reachable else "closed"}</basic></status>'
        f"<contact>{_text(entity)}</contact></tuple>\n"
        f'<dm:person id="person"><rpid:activities>{activity}</rpid:activities></dm:person>\n</presence>\n'
    )


def _attribute(text: str) -> str:
    """In double quotes always: not every phone reads the others."""
    return '"' + escape(_NO_XML.sub("", text), {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}) + '"'


def _text(text: str) -> str:
    return escape(_NO_XML.sub("", text))
