"""What a REFER asks for (RFC 3515, RFC 3891, RFC 5589): sans-IO.

`Refer-To: <sip:102@box>` sends the other party to 102; with `?Replaces=call-id;to-tag=..;from-tag=..` it takes the
place of the one who asks in another call of his.
"""

import re
from dataclasses import dataclass

from appliance.protocols.sip_text import SipRequest, SipTextError, parse_address, parse_uri, unescape

_REPLACES = re.compile(r"(?:\A|[?&])replaces=([^&]*)", re.IGNORECASE)
MOST_TARGET = 64


@dataclass(frozen=True, slots=True)
class Refer:
    """`user` and `host` of the target; `replaces`: the Call-ID of the other call, "" for a blind transfer; `told`: the
    phone wants to be told how it went (RFC 4488)."""

    user: str
    host: str
    replaces: str
    told: bool


def read(request: SipRequest) -> Refer:
    """Raises SipTextError with the status to answer."""
    values = request.headers.get("refer-to", ())
    if len(values) != 1:
        raise SipTextError("Refer-To")
    written = values[0] if "<" in values[0] else f"<{values[0]}>"  # some phones leave the brackets out
    address = parse_address(written)
    uri = parse_uri(address.uri)
    found = _REPLACES.search(address.uri.partition("?")[2])
    replaces = unescape(found[1]).partition(";")[0].strip() if found else ""
    if found and not replaces:
        raise SipTextError("Replaces")
    if not replaces and not uri.user:
        raise SipTextError("nobody to send it to")
    return Refer(uri.user[:MOST_TARGET], uri.host, replaces[:256], request.one("refer-sub").lower() != "false")


def fragment(code: int, reason: str) -> str:
    """The body of a NOTIFY about a REFER (RFC 3515 2.4.5)."""
    return f"SIP/2.0 {code} {reason}\r\n"
