"""Questions to a name server and its answers, as octets (RFC 1035, RFC 2782 for SRV, RFC 3403 for NAPTR). Pure.

Only what finding a SIP server needs: A, CNAME, SRV and NAPTR of the class IN. Parsing is total and bounded: pointers
are followed a few times, a name has 253 characters at most, other records are stepped over.
"""

import struct
from dataclasses import dataclass

from appliance.errors import ProtocolError

KINDS = {"A": 1, "CNAME": 5, "SRV": 33, "NAPTR": 35}
_NAMES = {number: name for name, number in KINDS.items()}
MOST_POINTERS, MOST_RECORDS, LONGEST_NAME = 16, 100, 253
MOST_OCTETS = 1232  # of an answer over UDP without fragments, announced by EDNS (RFC 6891)


class DnsError(ProtocolError, ValueError):
    """Not an answer that can be read, or not to this question."""

    id = "bad-dns"


@dataclass(frozen=True, slots=True)
class Record:
    """`ttl` in seconds. By kind: A has `value`, an address; CNAME a name; SRV `value` (target), `order` (priority),
    `weight` and `port`; NAPTR `value` (replacement), `order`, `weight` (preference), `flags`, `service`."""

    name: str
    kind: str
    ttl: int
    value: str
    order: int = 0
    weight: int = 0
    port: int = 0
    flags: str = ""
    service: str = ""


def question(name: str, kind: str, ident: int) -> bytes:
    """A question with recursion wanted. Raises DnsError for what is no name."""
    head = struct.pack("!6H", ident, 0x0100, 1, 0, 0, 1)
    asked = _encoded(name) + struct.pack("!2H", KINDS[kind], 1)
    return head + asked + b"\0" + struct.pack("!2HIH", 41, MOST_OCTETS, 0, 0)


def _encoded(name: str) -> bytes:
    labels = name.rstrip(".").encode("ascii", "replace").split(b".")
    if len(name) > LONGEST_NAME or not all(0 < len(label) < 64 for label in labels):
        raise DnsError("no name")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def records(data: bytes, name: str, kind: str, ident: int) -> list[Record]:
    """The records that answer this question, names followed through CNAMEs; empty where there are none. Raises
    DnsError: not an answer to it, or a server that could not find out."""
    try:
        return _records(data, name.rstrip(".").lower(), kind, ident)
    except (IndexError, struct.error) as error:
        raise DnsError("cut off") from error


def _records(data: bytes, name: str, kind: str, ident: int) -> list[Record]:
    found, flags, questions, answers, _authorities, _more = struct.unpack_from("!6H", data)
    code = flags & 15
    if found != ident or not flags & 0x8000:
        raise DnsError("another answer")
    if code not in (0, 3):  # no error, no such name
        raise DnsError(f"code {code}")
    at = 12
    for _ in range(min(questions, 4)):
        asked, at = _name(data, at)
        if asked != name or data[at : at + 2] != struct.pack("!H", KINDS[kind]):
            raise DnsError("another question")
        at += 4
    listed: list[Record] = []
    for _ in range(min(answers, MOST_RECORDS)):
        one, at = _record(data, at)
        listed += [one] if one else []
    return _fitting(listed, name, kind)


def _fitting(listed: list[Record], name: str, kind: str) -> list[Record]:
    names = {name}
    for _ in range(MOST_POINTERS):
        more = {one.value for one in listed if one.kind == "CNAME" and one.name in names} - names
        if not more:
            break
        names |= more
    return [one for one in listed if one.kind == kind and one.name in names]


def _record(data: bytes, at: int) -> tuple[Record | None, int]:
    name, at = _name(data, at)
    kind, _class, ttl, size = struct.unpack_from("!2HIH", data, at)
    at += 10
    end = at + size
    if end > len(data):
        raise DnsError("cut off")
    known = _NAMES.get(kind, "")
    ttl = ttl if ttl < 1 << 31 else 0
    if known == "A" and size == 4:
        return Record(name, known, ttl, ".".join(str(octet) for octet in data[at:end])), end
    if known == "CNAME":
        return Record(name, known, ttl, _name(data, at)[0]), end
    if known == "SRV":
        order, weight, port = struct.unpack_from("!3H", data, at)
        return Record(name, known, ttl, _name(data, at + 6)[0], order, weight, port), end
    if known == "NAPTR":
        order, weight = struct.unpack_from("!2H", data, at)
        flags, at = _string(data, at + 4)
        service, at = _string(data, at)
        _pattern, at = _string(data, at)
        value = _name(data, at)[0]
        return Record(name, known, ttl, value, order, weight, 0, flags.lower(), service.upper()), end
    return None, end


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    return data[at + 1 : end].decode("ascii", "replace"), end


def _name(data: bytes, at: int) -> tuple[str, int]:
    """A name in lower case without its last dot, and where it ended."""
    labels: list[str] = []
    after, jumps = 0, 0
    while data[at]:
        size = data[at]
        if size & 0xC0 == 0xC0:
            after = after or at + 2
            at = (size & 0x3F) << 8 | data[at + 1]
            jumps += 1
            if jumps > MOST_POINTERS:
                raise DnsError("a name without end")
            continue
        if size & 0xC0 or sum(map(len, labels)) + len(labels) + size > LONGEST_NAME:
            raise DnsError("no name")
        labels.append(data[at + 1 : at + 1 + size].decode("ascii", "replace").lower())
        at += 1 + size
    return ".".join(labels), after or at + 1
