"""Where a provider's servers are (RFC 3263), from the records of its name. Pure: who asks for them is elsewhere."""

import ipaddress
from dataclasses import dataclass

PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


@dataclass(frozen=True, slots=True)
class Hop:
    """One server: its address as text, port and transport ("udp", "tcp", "tls")."""

    address: str
    port: int
    transport: str


def literal(host: str, port: int, transport: str) -> Hop | None:
    """The server that an IPv4 address names; None for a name. "auto" is UDP then (RFC 3263 4.1)."""
    try:
        address = str(ipaddress.IPv4Address(host))
    except ValueError:
        return None
    carried = transport if transport in PORTS else "udp"
    return Hop(address, port or PORTS[carried], carried)
