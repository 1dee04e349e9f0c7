"""The registrar, rule by rule (RFC 3261 10.3, RFC 5626)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocols.registrar import MOST_BINDINGS, Flow, Registrar
from appliance.protocols.sip_text import (
    SipRequest,
    SipTextError,
    parse_address,
    parse_request,
    parse_uri,
    same_uri,
    split_commas,
)

HOST = "10.0.0.1"
FLOW = Flow("udp", "10.0.0.7", 5062)


def register(contact: str = "<sip:101@10.0.0.7:5062>", cseq: int = 1, call_id: str = "a", **headers: str) -> SipRequest:
    lines = [
        f"REGISTER sip:{HOST} SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.7:5062;branch=z9hG4bKx",
        f"From: <sip:101@{HOST}>;tag=1", f"To: <sip:101@{HOST}>", f"Call-ID: {call_id}",
        f"CSeq: {cseq} REGISTER", "Content-Length: 0",
    ]  # fmt: skip
    lines += [f"Contact: {contact}"] if contact else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return parse_request(("\r\n".join(lines) + "\r\n\r\n").encode(), False)


@pytest.fixture
def registrar() -> Registrar:
    return Registrar(frozenset({HOST}))


def uris(registrar: Registrar, at: float = 0.0) -> list[str]:
    return [b.uri for b in registrar.bindings("101", at)]


def test_a_phone_registers_and_is_told_until_when(registrar: Registrar) -> None:
    answer = registrar.register(register(Expires="600"), "101", FLOW, 0.0)
    assert answer.code == 200
    assert answer.headers == (("Contact", "<sip:101@10.0.0.7:5062>;expires=600"),)
    assert uris(registrar, 599.0) == ["sip:101@10.0.0.7:5062"]
    assert uris(registrar, 601.0) == []


@pytest.mark.parametrize(
    ("wanted", "granted"), [("10", 60), ("60", 60), ("3600", 3600), ("2678400", 3600), ("x", 3600)]
)
def test_expiry_is_clamped_not_refused(registrar: Registrar, wanted: str, granted: int) -> None:
    answer = registrar.register(register(Expires=wanted), "101", FLOW, 0.0)
    assert answer.headers[0][1].endswith(f"expires={granted}")


def test_the_parameter_of_the_contact_outweighs_the_header(registrar: Registrar) -> None:
    answer = registrar.register(register("<sip:101@10.0.0.7>;expires=120", Expires="3600"), "101", FLOW, 0.0)
    assert answer.headers[0][1].endswith("expires=120")


def test_several_phones_of_one_extension(registrar: Registrar) -> None:
    registrar.register(register("<sip:101@10.0.0.7>", call_id="a"), "101", FLOW, 0.0)
    answer = registrar.register(register("<sip:101@10.0.0.8>", call_id="b"), "101", FLOW, 0.0)
    assert len(uris(registrar)) == 2
    assert answer.headers[0][1].startswith("<sip:101@10.0.0.8>"), "the requester's own contact comes first"


def test_expires_zero_takes_one_away(registrar: Registrar) -> None:
    registrar.register(register(), "101", FLOW, 0.0)
    answer = registrar.register(register(cseq=2, Expires="0"), "101", FLOW, 1.0)
    assert uris(registrar) == []
    assert len(answer.gone) == 1


def test_a_star_takes_all_away_and_only_with_expires_zero(registrar: Registrar) -> None:
    registrar.register(register("<sip:101@10.0.0.7>", call_id="a"), "101", FLOW, 0.0)
    registrar.register(register("<sip:101@10.0.0.8>", call_id="b"), "101", FLOW, 0.0)
    for bad in (register("*", call_id="c"), register("*, <sip:101@10.0.0.9>", call_id="c", Expires="0")):
        with pytest.raises(SipTextError) as refused:
            registrar.register(bad, "101", FLOW, 1.0)
        assert refused.value.code == 400
    registrar.register(register("*", call_id="c", Expires="0"), "101", FLOW, 1.0)
    assert uris(registrar) == []


def test_an_old_request_of_the_same_call_is_out_of_order_and_changes_nothing(registrar: Registrar) -> None:
    registrar.register(register(cseq=5), "101", FLOW, 0.0)
    with pytest.raises(SipTextError) as refused:
        registrar.register(register(cseq=4, Expires="0"), "101", FLOW, 1.0)
    assert refused.value.code == 500
    assert len(uris(registrar)) == 1


def test_a_restarted_phone_with_a_new_call_id_is_taken(registrar: Registrar) -> None:
    registrar.register(register(cseq=50), "101", FLOW, 0.0)
    registrar.register(register(cseq=1, call_id="b"), "101", FLOW, 1.0)
    assert len(uris(registrar)) == 1


def test_contacts_of_one_request_are_all_taken_or_none(registrar: Registrar) -> None:
    registrar.register(register("<sip:101@10.0.0.7>", cseq=9), "101", FLOW, 0.0)
    with pytest.raises(SipTextError):
        registrar.register(register("<sip:101@10.0.0.8>, <sip:101@10.0.0.7>", cseq=9), "101", FLOW, 1.0)
    assert uris(registrar) == ["sip:101@10.0.0.7"]


def test_an_instance_replaces_its_own_uri(registrar: Registrar) -> None:
    def contact(port: int) -> str:
        return f'<sip:101@10.0.0.7:{port}>;+sip.instance="<urn:uuid:1>";reg-id=1'

    registrar.register(register(contact(5001)), "101", FLOW, 0.0)
    registrar.register(register(contact(5002), call_id="b"), "101", FLOW, 1.0)
    assert uris(registrar) == ["sip:101@10.0.0.7:5002"]


def test_a_tcp_phone_that_restarted_leaves_no_dead_binding(registrar: Registrar) -> None:
    old, new = Flow("tcp", "10.0.0.7", 40001, 11), Flow("tcp", "10.0.0.7", 40002, 12)
    registrar.register(register("<sip:101@10.0.0.7:40001>", User_Agent="Zoiper"), "101", old, 0.0)
    registrar.register(register("<sip:101@10.0.0.7:40002>", call_id="b", User_Agent="Zoiper"), "101", new, 1.0)
    assert uris(registrar) == ["sip:101@10.0.0.7:40002"]


def test_too_many_phones_push_out_the_one_that_ends_first(registrar: Registrar) -> None:
    for number in range(MOST_BINDINGS + 2):
        contact = f"<sip:101@10.0.0.{number + 20}>"
        registrar.register(register(contact, call_id=str(number), Expires=str(100 + number)), "101", FLOW, 0.0)
    assert len(uris(registrar)) == MOST_BINDINGS
    assert "sip:101@10.0.0.20" not in uris(registrar)


def test_nobody_registers_for_somebody_else(registrar: Registrar) -> None:
    with pytest.raises(SipTextError) as refused:
        registrar.register(register(), "102", FLOW, 0.0)
    assert refused.value.code == 403


def test_a_query_lists_and_changes_nothing(registrar: Registrar) -> None:
    registrar.register(register(), "101", FLOW, 0.0)
    answer = registrar.register(register("", cseq=2), "101", FLOW, 10.0)
    assert len(answer.headers) == 1
    assert not answer.moved + answer.renewed + answer.gone


def test_another_domain_and_an_unknown_extension_are_refused_at_once(registrar: Registrar) -> None:
    with pytest.raises(SipTextError) as required:
        registrar.check(register(Require="nothing-we-know"))
    assert required.value.code == 420
    other = Registrar(frozenset({"10.9.9.9"}))
    with pytest.raises(SipTextError) as elsewhere:
        other.check(register())
    assert elsewhere.value.code == 404


def test_uris_are_equal_as_the_rfc_has_it() -> None:
    pairs = [
        ("sip:101@HOST", "sip:101@host", True),
        ("sip:101@host", "sip:101@host:5060", False),
        ("sip:101@host;transport=tcp", "sip:101@host", False),
        ("sip:101@host;x=1", "sip:101@host", True),
        ("sip:101@host;x=1", "sip:101@host;x=2", False),
        ("sip:A@host", "sip:a@host", False),
    ]
    for a, b, same in pairs:
        assert same_uri(parse_uri(a), parse_uri(b)) is same, (a, b)


def test_commas_in_names_and_uris_do_not_split() -> None:
    assert split_commas('"A, B" <sip:a@x;p=1,2>, <sip:b@y>') == ['"A, B" <sip:a@x;p=1,2>', "<sip:b@y>"]
    address = parse_address('"Anna \\"N\\"" <sip:101@x;transport=tcp>;expires=60;+sip.instance="<urn:uuid:1;2>"')
    assert (address.display, address.uri) == ('Anna "N"', "sip:101@x;transport=tcp")
    assert address.params == {"expires": "60", "+sip.instance": "<urn:uuid:1;2>"}


@given(st.binary(max_size=600))
def test_no_octets_break_the_parser(data: bytes) -> None:
    refusals: set[int] = set()
    for text in (data, b"REGISTER sip:10.0.0.1 SIP/2.0\r\n" + data, data + b"\r\n\r\n"):
        try:
            assert parse_request(text, False).cseq >= 0
        except SipTextError as error:
            refusals.add(error.code)
    assert refusals <= {400, 413, 414, 416, 513}


@given(st.text(max_size=200))
def test_no_contact_breaks_the_registrar(contact: str) -> None:
    registrar = Registrar(frozenset({HOST}))
    clean = contact.replace("\r", "").replace("\n", "")
    try:
        answer = registrar.register(register(clean), "101", FLOW, 0.0)
    except SipTextError:
        return
    assert answer.code == 200
