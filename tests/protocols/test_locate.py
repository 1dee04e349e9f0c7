"""Finding a provider's servers: the octets of DNS, and the order of RFC 3263."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocols.dns_text import DnsError, Record, question, records
from appliance.protocols.locate import Found, Hop, literal, locate
from tests.peers.addresses import new_address
from tests.peers.names import NameServer, Rows

ROWS: Rows = {
    ("sip.test", "NAPTR"): [
        (20, 10, "s", "SIP+D2U", "_sip._udp.sip.test"), (10, 10, "s", "SIPS+D2T", "_sips._tcp.sip.test"),
        (5, 10, "u", "E2U+sip", ""),
    ],
    ("_sips._tcp.sip.test", "SRV"): [(20, 0, 5061, "b.sip.test"), (10, 0, 5081, "a.sip.test")],
    ("_sip._udp.sip.test", "SRV"): [(10, 0, 5080, "a.sip.test")],
    ("a.sip.test", "A"): [("127.0.0.1",), ("127.0.0.2",)],
    ("b.sip.test", "CNAME"): [("c.sip.test",)],
    ("c.sip.test", "A"): [("127.0.0.3",)],
    ("plain.test", "A"): [("127.0.0.9",)],
    ("gone.test", "SRV"): [],
    ("_sip._udp.gone.test", "SRV"): [(0, 0, 0, "")],
}  # fmt: skip


@pytest.fixture(scope="module")
def server():
    one = NameServer(new_address(), ROWS)
    yield one
    one.stop()


def find(server: NameServer, host: str, port: int = 0, transport: str = "udp") -> Found:
    """As the resolver does, without the wire."""
    known: dict = {}
    for _ in range(10):
        found = locate(host, port, transport, known, lambda n: 0)
        if not found.asks:
            return found
        for asked in found.asks:
            known[asked] = records(server.answer(question(*asked, 7)), *asked, 7)
    raise AssertionError("no end")


def test_an_address_is_taken_as_it_stands() -> None:
    assert literal("127.0.0.1", 0, "tls") == Hop("127.0.0.1", 5061, "tls")
    assert literal("127.0.0.1", 5070, "auto") == Hop("127.0.0.1", 5070, "udp")
    assert literal("sip.test", 0, "udp") is None
    assert locate("127.0.0.1", 0, "tcp", {}, lambda n: 0).hops == (Hop("127.0.0.1", 5060, "tcp"),)


def test_a_name_with_a_port_is_looked_up_as_it_is(server: NameServer) -> None:
    assert find(server, "plain.test", 5070).hops == (Hop("127.0.0.9", 5070, "udp"),)


def test_servers_come_in_the_order_of_their_priority(server: NameServer) -> None:
    assert find(server, "sip.test", transport="tls").hops == (
        Hop("127.0.0.1", 5081, "tls"), Hop("127.0.0.2", 5081, "tls"), Hop("127.0.0.3", 5061, "tls"),
    )  # fmt: skip


def test_the_name_says_which_transport_it_wants(server: NameServer) -> None:
    assert find(server, "SIP.test", transport="auto").hops[0] == Hop("127.0.0.1", 5081, "tls")


def test_a_name_without_such_records_is_looked_up_with_the_usual_port(server: NameServer) -> None:
    assert find(server, "plain.test").hops == (Hop("127.0.0.9", 5060, "udp"),)
    assert find(server, "plain.test", transport="auto").hops == (Hop("127.0.0.9", 5060, "udp"),)
    assert find(server, "plain.test", transport="tls").hops == (Hop("127.0.0.9", 5061, "tls"),)


def test_what_is_not_known_has_no_servers(server: NameServer) -> None:
    assert find(server, "nothing.test").hops == ()
    assert find(server, "gone.test").hops == ()


def test_servers_of_one_priority_share_by_weight() -> None:
    known = {
        ("_sip._udp.x", "SRV"): [Record("x", "SRV", 60, f"{w}.x", 1, w, 5060) for w in (10, 60, 30)],
        **{(f"{w}.x", "A"): [Record("x", "A", 60, f"10.0.0.{w}")] for w in (10, 60, 30)},
    }
    first = [locate("x", 0, "udp", known, lambda n, d=drawn: d % n).hops[0].address for drawn in range(101)]
    assert {a: first.count(a) for a in set(first)} == {"10.0.0.10": 11, "10.0.0.30": 30, "10.0.0.60": 60}


def test_answers_to_other_questions_are_not_taken(server: NameServer) -> None:
    answer = server.answer(question("a.sip.test", "A", 7))
    assert len(records(answer, "a.sip.test", "A", 7)) == 2
    for wrong in (("b.sip.test", "A", 7), ("a.sip.test", "SRV", 7), ("a.sip.test", "A", 8)):
        with pytest.raises(DnsError):
            records(answer, *wrong)
    with pytest.raises(DnsError):
        records(question("a.sip.test", "A", 7), "a.sip.test", "A", 7)  # no answer at all
    with pytest.raises(DnsError):
        question("x" * 64 + ".test", "A", 7)


@given(st.binary(max_size=200), st.integers(0, 60), st.integers(0, 255))
def test_whatever_comes_is_an_answer_or_one_error(data: bytes, at: int, octet: int) -> None:
    good = bytearray(b"\0\7\x81\x80\0\1\0\1\0\0\0\0\1a\4test\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\x7f\0\0\1")
    good[at % len(good)] = octet
    for one in (data, bytes(good), bytes(good[:at]), b"\0\7\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1"):
        try:
            for found in records(one, "a.test", "A", 7):
                assert literal(found.value, 0, "udp")
        except DnsError:
            pass
