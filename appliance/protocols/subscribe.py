"""SUBSCRIBE as it comes and what NOTIFY says of it (RFC 6665): pure, no dialog is kept here."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.protocols.sip_text import SipRequest, SipTextError, parse_address, parse_uri, without_headers

SHORTEST = 60  # seconds
# a phone learns of our restart when its refresh is answered by 481: until then its lamps lie
LONGEST = 600
BODIES: Mapping[str, str] = {  # event package -> the body it comes with
    "dialog": "application/dialog-info+xml",  # RFC 4235
    "message-summary": "application/simple-message-summary",  # RFC 3842
    "presence": "application/pidf+xml",  # RFC 3856
}
ALLOW_EVENTS = ", ".join(BODIES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a SUBSCRIBE asks for. `ours` and `theirs` are the URIs of To and From, `tag` is From's, `uri` the
    Request-URI as it was written; `event_id` goes into each NOTIFY again (RFC 6665 8.2.1)."""

    package: str
    event_id: str
    expires: int  # seconds, clamped; 0: tell once and end
    resource: str
    uri: str
    contact: str
    instance: str
    ours: str
    theirs: str
    tag: str


def parse_subscribe(request: SipRequest) -> Wanted:
    """Read one, outside a dialog or within. Raises SipTextError: 489 for another package, 406 where our body is not
    taken, 420 for an extension, 423 for less than a minute."""
    if request.listed("require"):
        raise SipTextError("extension", 420)
    package, event_id = parse_event(request)
    contacts = request.listed("contact")
    if len(contacts) != 1:
        raise SipTextError("contact")
    contact = parse_address(contacts[0])
    parse_uri(contact.uri)
    ours, theirs = parse_address(request.one("to")), parse_address(request.one("from"))
    if not theirs.params.get("tag"):
        raise SipTextError("from tag")
    return Wanted(
        package, event_id, parse_expires(request), parse_uri(request.uri).user, request.uri,
        without_headers(contact.uri), contact.params.get("+sip.instance", "").lower(), without_headers(ours.uri),
        without_headers(theirs.uri), theirs.params["tag"],
    )  # fmt: skip


def parse_event(request: SipRequest) -> tuple[str, str]:
    """Package and id of the Event header, its body taken by Accept. Raises SipTextError 489 and 406."""
    name, _, rest = request.one("event").partition(";")
    package = name.strip().lower()
    if package not in BODIES:
        raise SipTextError("event", 489)
    accepted = {one.partition(";")[0].strip().lower() for one in request.listed("accept")}
    if accepted and not accepted & {BODIES[package], "*/*", "application/*"}:
        raise SipTextError("accept", 406)
    ids = [part.strip()[3:] for part in rest.split(";") if part.strip().lower().startswith("id=")]
    return package, "".join(c for c in ids[0] if c.isascii() and (c.isalnum() or c in "-._"))[:64] if ids else ""


def parse_expires(request: SipRequest) -> int:
    """Seconds from Expires: our longest where there is none or it cannot be read. Raises SipTextError 423."""
    text = request.one("expires")
    seconds = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else LONGEST
    if 0 < seconds < SHORTEST:
        raise SipTextError("expires", 423)
    return min(seconds, LONGEST)


def state_header(remaining: int, reason: str = "") -> str:
    """Subscription-State; a `reason` ends it."""
    return f"terminated;reason={reason}" if reason else f"active;expires={max(remaining, 0)}"
