"""The settings of a SIP trunk: fields of a line of the kind `sip`, and what each kind of line cannot do without."""

from collections.abc import Mapping

from appliance.settings.fields import Choice, Fault, Field, Host, Integer, ListOf, Password, Switch, Text, Value

KINDS = {"gsm": "SIM card", "sip": "SIP trunk"}
TRANSPORTS = {
    "auto": "As the provider's name says", "udp": "UDP, in the clear", "tcp": "TCP, in the clear",
    "tls": "TLS, encrypted",
}  # fmt: skip
SRTP = {"off": "Not encrypted", "optional": "Encrypted where the provider can", "mandatory": "Encrypted, or no call"}
NUMBERS_FROM = {
    "auto": "Wherever it is", "uri": "The Request-URI", "to": "The header To",
    "called-party": "The header P-Called-Party-ID",
    "line": "Always the number of the line",
}  # fmt: skip
CALLERS_FROM = {
    "auto": "Wherever it is", "pai": "The header P-Asserted-Identity", "rpid": "The header Remote-Party-ID",
    "from": "The header From",
}  # fmt: skip
PRESENTED = {
    "auto": "As most providers want it", "from": "The header From", "pai": "The header P-Asserted-Identity",
    "both": "From and P-Asserted-Identity", "login": "Not at all: the provider knows it",
}  # fmt: skip
SERVER = r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?"
ADDRESS = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
USER = r"[^\s@<>\"\x00-\x1f]{1,100}"

LINE_FIELDS: tuple[Field, ...] = (
    Host(name="sip_host", label="Provider", help="The name or address your provider gives, such as sip.example.org."),
    Integer(name="sip_port", label="Port of the provider", default=0, least=0, most=65535, seldom=True,
            help="0: found by the name, else the usual one."),
    Choice(name="sip_transport", label="Carried over", options=TRANSPORTS, default="udp"),
    Switch(name="sip_register", label="Signs in with user and password", default=True,
           help="Off: the provider knows the box by its address, and calls come from the provider's addresses only."),
    Text(name="sip_user", label="User", longest=100, pattern=USER, pattern_fault="not-allowed-characters"),
    Password(name="sip_password", label="Password of the trunk", longest=100),
    Text(name="sip_auth_user", label="User for the password", longest=100, pattern=USER, seldom=True,
         pattern_fault="not-allowed-characters", help="Empty: the same user."),
    Text(name="sip_realm", label="Realm", longest=100, seldom=True, help="Empty: any."),
    Text(name="sip_proxy", label="Outbound proxy", longest=120, pattern=SERVER, pattern_fault="not-a-host", seldom=True,
         help="Where the packets go, where that differs from the provider's name."),
    Integer(name="sip_expires", label="Signs in again every", unit="seconds", default=600, least=60, most=7200,
            seldom=True),
    Integer(name="sip_channels", label="Calls at once", default=2, least=1, most=100,
            help="As your contract says. One more caller hears busy."),
    ListOf(name="sip_peers", label="Calls also come from", most=50, seldom=True,
           item=Text(name="address", label="Address", longest=15, pattern=ADDRESS, pattern_fault="not-an-address"),
           help="Addresses, one a line, beside those of the provider's name."),
    Choice(name="sip_srtp", label="Speech", options=SRTP, default="off", seldom=True,
           help="Encryption of speech needs TLS, else its key can be read on the way."),
    Switch(name="sip_verify", label="Check the provider's certificate", default=True, seldom=True),
    Text(name="sip_authority", label="File of the certificate authority", longest=200, pattern=r"/[^\0]*",
         pattern_fault="not-a-path", seldom=True, help="Empty: the authorities that the system knows."),
    Switch(name="sip_ping", label="Asks the provider for signs of life", default=True, seldom=True,
           help="Off for a provider that never answers OPTIONS."),
    Switch(name="sip_early", label="Announcements that end a call are said without answering", seldom=True,
           help="The caller pays nothing for them. Some networks let nobody hear them; then leave it off."),
    Choice(name="number_from", label="The called number is in", options=NUMBERS_FROM, default="auto", seldom=True),
    Choice(name="caller_from", label="The caller's number is in", options=CALLERS_FROM, default="auto", seldom=True),
    Choice(name="present_as", label="Our number is shown in", options=PRESENTED, default="auto", seldom=True),
)  # fmt: skip

# what makes a line start anew when it changes
WIRE = (*(field.name for field in LINE_FIELDS), "number")

NEEDED: Mapping[str, tuple[str, ...]] = {"gsm": ("device",), "sip": ("sip_host",)}


def needed(item: Mapping[str, Value]) -> tuple[str, ...]:
    """Fields that a line of this kind cannot do without."""
    more = ("sip_user",) if item.get("kind") == "sip" and item.get("sip_register", True) else ()
    return NEEDED.get(str(item.get("kind") or "gsm"), ()) + more


def trunk_faults(item: Mapping[str, Value]) -> dict[str, Fault]:
    """What is missing or does not fit together in a line, by field."""
    faults = {name: Fault("required") for name in needed(item) if not item.get(name)}
    if item.get("kind") == "sip" and item.get("sip_srtp") != "off" and item.get("sip_transport") in ("udp", "tcp"):
        faults["sip_srtp"] = Fault("srtp-needs-tls")
    return faults
