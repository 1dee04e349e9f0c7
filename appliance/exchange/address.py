"""Which address the box uses: the one that is set, else that of the default route if it is private, else loopback."""

import ipaddress
import socket

LOOPBACK = "127.0.0.1"


def own_address(wanted: str = "") -> str:
    """The IPv4 address for SIP, speech and page. `wanted` is the owner's choice or ADDRESS; it is taken as it is."""
    if wanted:
        return str(ipaddress.IPv4Address(wanted))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737): picks the route, a datagram socket sends nothing
            found = str(probe.getsockname()[0])
        except OSError:
            return LOOPBACK
    address = ipaddress.IPv4Address(found)
    return found if address.is_private and not address.is_loopback else LOOPBACK


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach it."""
    return ipaddress.IPv4Address(address).is_loopback
