"""Where a provider's servers are (RFC 3263), from the records of its name. Pure: who asks for them is elsewhere.

An address is taken as it stands. A name with a port is looked up as it is. A name without one is asked for SRV records,
and where the transport is open for NAPTR records first: they say which transports the provider wants. Where a name has
neither, it is looked up with the usual port.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from appliance.protocols.dns_text import Record

PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
SRV = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
MOST_HOPS = 16
LEAST_SECONDS, MOST_SECONDS = 30, 600  # a name is asked for again

Question = tuple[str, str]  # name in lower case, kind
Known = Mapping[Question, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class Hop:
    """One server: its address as text, port and transport ("udp", "tcp", "tls")."""

    address: str
    port: int
    transport: str


@dataclass(frozen=True, slots=True)
class Found:
    """What must still be asked, or the servers in the order in which they are tried, and for how long that holds."""

    asks: tuple[Question, ...] = ()
    hops: tuple[Hop, ...] = ()
    seconds: float = MOST_SECONDS


def literal(host: str, port: int, transport: str) -> Hop | None:
    """The server that an IPv4 address names; None for a name. "auto" is UDP then (RFC 3263 4.1)."""
    try:
        address = str(ipaddress.IPv4Address(host))
    except ValueError:
        return None
    carried = transport if transport in PORTS else "udp"
    return Hop(address, port or PORTS[carried], carried)


def locate(host: str, port: int, transport: str, known: Known, below: Callable[[int], int]) -> Found:
    """`transport`: one of PORTS, or "auto"; `known`: the answers so far, empty ones too; `below(n)`: a number from 0 to
    n - 1, for sharing calls among servers of one priority (RFC 2782)."""
    hop = literal(host, port, transport)
    if hop:
        return Found((), (hop,))
    name, carried = host.lower().rstrip("."), transport if transport in PORTS else "udp"
    if port:
        return _addresses([(name, port, carried)], known)
    services = [(SRV[transport] + name, transport)] if transport in PORTS else _services(name, known)
    asks = tuple((service, "SRV") for service, _ in services if (service, "SRV") not in known)
    if transport not in PORTS and (name, "NAPTR") not in known:
        return Found(((name, "NAPTR"),))
    if asks:
        return Found(asks)
    for service, carrier in services:
        servers = [one for one in known[service, "SRV"] if one.value and one.port]
        if servers:
            targets = [(one.value, one.port, carrier) for one in _shared(servers, below)]
            return _addresses(targets[:MOST_HOPS], known)
    return _addresses([(name, PORTS[carried], carried)], known)


def _services(name: str, known: Known) -> list[tuple[str, str]]:
    """Names of SRV records with their transports, best first."""
    offered = [one for one in known.get((name, "NAPTR"), ()) if one.flags == "s" and one.service in SERVICES]
    offered.sort(key=lambda one: (one.order, one.weight))
    return [(one.value, SERVICES[one.service]) for one in offered] or [(SRV[t] + name, t) for t in PORTS]


def _shared(servers: Sequence[Record], below: Callable[[int], int]) -> list[Record]:
    """By priority, and within one by chance according to weight."""
    left, out = sorted(servers, key=lambda one: (one.order, one.weight)), list[Record]()
    while left:
        same = [one for one in left if one.order == left[0].order]
        drawn, total = below(sum(one.weight for one in same) + 1), 0
        for one in same:
            total += one.weight
            if total >= drawn:
                out.append(one)
                left.remove(one)
                break
    return out


def _addresses(targets: Sequence[tuple[str, int, str]], known: Known) -> Found:
    asks = tuple(dict.fromkeys((name, "A") for name, _, _ in targets if (name, "A") not in known))
    if asks:
        return Found(asks)
    hops = [Hop(one.value, port, carried) for name, port, carried in targets for one in known[name, "A"]]
    ttl = min((one.ttl for found in known.values() for one in found), default=LEAST_SECONDS)
    return Found((), tuple(dict.fromkeys(hops))[:MOST_HOPS], float(min(max(ttl, LEAST_SECONDS), MOST_SECONDS)))
