"""A name server on loopback: answers from a table, counts what it was asked, and can fall silent."""

import socket
import struct
import threading
from contextlib import suppress

from appliance.protocols.dns_text import KINDS

Rows = dict[tuple[str, str], list[tuple]]


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()


def body(kind: str, row: tuple) -> bytes:
    """The data of a record."""
    if kind == "A":
        return socket.inet_aton(row[0])
    if kind == "CNAME":
        return name(row[0])
    if kind == "SRV":
        priority, weight, port, target = row
        return struct.pack("!3H", priority, weight, port) + name(target)
    order, preference, flags, service, replacement = row
    return struct.pack("!2H", order, preference) + text(flags) + text(service) + text("") + name(replacement)


class NameServer:
    """`rows`: {("sip.test", "A"): [("127.0.0.1",)], ("_sip._udp.sip.test", "SRV"): [(0, 0, 5060, "a.sip.test")],
    ("sip.test", "NAPTR"): [(10, 10, "s", "SIPS+D2T", "_sips._tcp.sip.test")]}."""

    def __init__(self, address: str, rows: Rows, ttl: int = 30) -> None:
        self.rows, self.ttl, self.silent = rows, ttl, False
        self.asked: list[tuple[str, str]] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(0.1)
        self.address = f"{address}:{self.socket.getsockname()[1]}"
        self._over = False
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self._over = True
        self.socket.close()

    def _serve(self) -> None:
        while not self._over:
            with suppress(TimeoutError, OSError):
                data, peer = self.socket.recvfrom(4096)
                if not self.silent:
                    self.socket.sendto(self.answer(data), peer)

    def answer(self, data: bytes) -> bytes:
        """The response to a question."""
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        asked, kind = (
            ".".join(labels),
            next(k for k, n in KINDS.items() if n == struct.unpack_from("!H", data, at + 1)[0]),
        )
        self.asked.append((asked, kind))
        found = [(asked, kind, row) for row in self.rows.get((asked, kind), [])]
        for row in self.rows.get((asked, "CNAME"), []):
            found = [(asked, "CNAME", row), *((row[0], kind, one) for one in self.rows.get((row[0], kind), []))]
        code = 0 if found or any(known == asked for known, _ in self.rows) else 3
        head = data[:2] + struct.pack("!5H", 0x8180 | code, 1, len(found), 0, 0)
        listed = b"".join(
            name(owner) + struct.pack("!2HIH", KINDS[of], 1, self.ttl, len(body(of, row))) + body(of, row)
            for owner, of, row in found
        )
        return head + data[12 : at + 5] + listed
