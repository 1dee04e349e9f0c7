"""What a provider's SIP says and what ours says to it: who calls, whom, who we are, and why a call failed. Pure.

Providers write the same fact into different headers. What each trunk uses is a setting; "auto" is the order that fits
most of them. Everything here comes from outside: it is cut, and what cannot be read counts as not there.
"""

import re
from dataclasses import dataclass

from appliance.protocols.sip_text import SipRequest, SipTextError, parse_address, parse_uri, unescape

MOST_DIGITS = 32
MOST_NAME = 60
LONGEST_REST = 600.0  # seconds: a provider that asks for more is asked again after that
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'  # RFC 3323 4.1.1.3
_SEPARATORS = re.compile(r"[\s().\-/]")
_NUMBER = re.compile(r"\+?[0-9]{1,32}")
_HIDES = frozenset({"id", "user", "header", "critical"})  # values of Privacy (RFC 3323, RFC 3325) that hide the caller
_REASON = re.compile(r"\bQ\.850\b[^,]*?;\s*cause\s*=\s*([0-9]{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: `number` as it was delivered, "" where none was; `hidden`: he does not want it shown."""

    number: str
    name: str = ""
    hidden: bool = False


# ---- who calls whom -----------------------------------------------------------------------------------------------


def number_of(uri: str) -> str:
    """The number in a SIP or tel URI: "+48221234567", "221234567"; "" where it holds none. Visual separators and
    parameters such as ;npdi and ;phone-context go (RFC 3966 5)."""
    scheme, _, rest = uri.strip().partition(":")
    if scheme.lower() == "tel":
        user = unescape(rest.partition(";")[0])
    else:
        try:
            user = parse_uri(uri.strip()).user
        except SipTextError:
            return ""
    bare = _SEPARATORS.sub("", user.partition(";")[0])
    return bare if _NUMBER.fullmatch(bare) else ""


def called(request: SipRequest, source: str, login: str) -> str:
    """The number that was called. `source`: "uri", "to", "called-party" (RFC 7315 4.2), "line" for none of them, or
    "auto": the Request-URI where it is not our `login`, then P-Called-Party-ID, then To. "" where nothing is there."""
    found = {
        "uri": number_of(request.uri),
        "called-party": _number_in(request.one("p-called-party-id")),
        "to": _number_in(request.one("to")),
    }
    if source in found:
        return found[source]
    if source == "line":
        return ""
    own = login.removeprefix("+")
    return next((number for number in found.values() if number and number.removeprefix("+") != own), "")


def caller(request: SipRequest, source: str) -> Caller:
    """Who calls. `source`: "pai" (P-Asserted-Identity, RFC 3325), "rpid" (Remote-Party-ID), "from", or "auto": the
    first of them in this order that has a number. Only for peers that are trusted: the headers are theirs to write."""
    names = {"pai": "p-asserted-identity", "rpid": "remote-party-id", "from": "from"}
    order = [names[source]] if source in names else list(names.values())
    hidden = bool(_HIDES & {part.strip().lower() for part in request.one("privacy").split(";")})
    best = Caller("", hidden=hidden)
    for name in order:
        for value in request.listed(name) if name != "from" else [request.one(name)]:
            found = _caller_in(value)
            hidden = hidden or found.hidden
            if not best.number and found.number:
                best = found
            elif not best.name and found.name and not best.number:
                best = Caller("", found.name)
    hidden = hidden or _anonymous(request.one("from"))
    return Caller(best.number, "" if hidden else best.name, hidden)


def _caller_in(value: str) -> Caller:
    try:
        address = parse_address(value)
    except SipTextError:
        return Caller("")
    name = "".join(char for char in address.display if char.isprintable())[:MOST_NAME].strip()
    number = number_of(address.uri)
    shown = "" if _SEPARATORS.sub("", name) == number else name
    return Caller(number, shown, address.params.get("privacy", "").lower() in ("full", "uri"))


def _anonymous(value: str) -> bool:
    try:
        uri = parse_uri(parse_address(value).uri)
    except SipTextError:
        return False
    return uri.host == "anonymous.invalid" or uri.user.lower() in ("anonymous", "restricted", "unavailable.hidden")


def _number_in(value: str) -> str:
    try:
        return number_of(parse_address(value).uri) if value else ""
    except SipTextError:
        return ""


# ---- who we are ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Own:
    """A trunk as its provider knows it: the account's user, the domain of its URIs, its number, and where the number is
    shown: "from", "pai", "both" or "login" (the account alone)."""

    user: str
    domain: str
    number: str
    present_as: str


def identity(own: Own, withhold: bool) -> tuple[str, list[tuple[str, str]]]:
    """The From of a call out and its headers. Hidden: an anonymous From, Privacy: id, and the number where only the
    provider reads it (RFC 3323 4.1, RFC 3325 9.1): Privacy alone leaves the number in From."""
    number = own.number or own.user
    asserted = [("P-Asserted-Identity", f"<sip:{_user(number)}@{own.domain}>")]
    if withhold:
        return ANONYMOUS, [("Privacy", "id"), *asserted]
    sender = number if own.present_as in ("from", "both") else own.user or own.number
    shown = f"<sip:{_user(sender)}@{own.domain}>"
    return shown, asserted if own.present_as in ("pai", "both") and own.number else []


def target(number: str, domain: str) -> str:
    """The Request-URI of a call out. `number` as the provider wants it; other signs than a number's are left out."""
    return f"sip:{_dialled(number)}@{domain}"


def _dialled(number: str) -> str:
    kept = "".join(char for char in number if char.isascii() and (char.isdigit() or char in "+*#"))[:MOST_DIGITS]
    return kept.replace("#", "%23")


def _user(text: str) -> str:
    """A user part with what must be escaped escaped (RFC 3261 25.1)."""
    safe = "-_.!~*'()&=+$,;/"
    return "".join(
        char if char.isascii() and (char.isalnum() or char in safe) else "".join(f"%{octet:02X}" for octet in
        char.encode("utf-8", "replace")) for char in text[:128]
    )  # fmt: skip


# ---- why it failed ------------------------------------------------------------------------------------------------


def header(message: str, name: str) -> str:
    """The first value of a header in a whole message, "" without it."""
    found = re.search(rf"(?im)^{re.escape(name)}[ \t]*:[ \t]*([^\r\n]{{1,500}})", message[:8000])
    return found[1].strip() if found else ""


def q850(reason: str) -> int:
    """The Q.850 cause in a Reason header (RFC 3326), 0 without one."""
    found = _REASON.search(reason[:500])
    return int(found[1]) if found else 0


def retry_after(value: str) -> float:
    """Seconds of a Retry-After (RFC 3261 20.33), at most LONGEST_REST; 0 without one."""
    found = re.match(r"\s*([0-9]{1,9})", value)
    return min(float(found[1]), LONGEST_REST) if found else 0.0
