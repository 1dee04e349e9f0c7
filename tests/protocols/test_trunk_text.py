"""What providers write of callers and numbers, and what we write to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocols.sip_text import SipRequest, SipTextError, parse_address, parse_request, parse_uri
from appliance.protocols.trunk_text import (
    LONGEST_REST,
    Caller,
    Own,
    called,
    caller,
    header,
    identity,
    number_of,
    q850,
    retry_after,
    target,
)

LOGIN = "482212345"


def invite(
    uri: str = f"sip:{LOGIN}@10.0.0.1:5060", to: str = "<sip:+48221234500@provider>", **headers: str
) -> SipRequest:
    lines = [
        f"INVITE {uri} SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bKx",
        f"From: {headers.pop('sender', '<sip:+48600100200@provider>')};tag=1", f"To: {to}", "Call-ID: a",
        "CSeq: 1 INVITE", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]  # fmt: skip
    return parse_request(("\r\n".join(lines) + "\r\n\r\n").encode(), False)


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("sip:+48221234500@provider", "+48221234500"), ("tel:+48-22-123.45(00)", "+48221234500"),
        ("sip:+48221234500;npdi;rn=+4822@provider;user=phone", "+48221234500"),
        ("sip:0048221234500@x", "0048221234500"),
        ("tel:112;phone-context=+48", "112"), ("sip:anna@x", ""), ("sip:provider", ""), ("mailto:x@y", ""), ("", ""),
        ("sip:%2B48221234500@x", "+48221234500"), ("sip:48 22@x", "4822"),
    ],
)  # fmt: skip
def test_a_number_is_read_from_a_uri(uri: str, number: str) -> None:
    assert number_of(uri) == number


@pytest.mark.parametrize(
    ("source", "request_", "number"),
    [
        ("auto", invite(), "+48221234500"),
        ("auto", invite(uri="sip:+48221234599@10.0.0.1"), "+48221234599"),
        ("auto", invite(P_Called_Party_ID="<sip:+48221234588@p>"), "+48221234588"),
        ("uri", invite(), LOGIN),
        ("to", invite(uri="sip:+48221234599@10.0.0.1"), "+48221234500"),
        ("called-party", invite(), ""),
        ("line", invite(), ""),
        ("auto", invite(uri="sip:abc@x", to="<sip:abc@x>"), ""),
    ],
)
def test_the_called_number_is_where_the_setting_says(source: str, request_: SipRequest, number: str) -> None:
    assert called(request_, source, LOGIN) == number


def test_the_caller_is_who_the_provider_asserts() -> None:
    request = invite(P_Asserted_Identity='"Marta W" <sip:+48600999888@p>, <tel:+48600999888>',
                     Remote_Party_ID="<sip:+48600777666@p>;party=calling")  # fmt: skip
    assert caller(request, "auto") == Caller("+48600999888", "Marta W")
    assert caller(request, "rpid") == Caller("+48600777666")
    assert caller(request, "from") == Caller("+48600100200")
    assert caller(invite(), "pai") == Caller("")


def test_a_number_that_is_given_as_a_name_is_no_name() -> None:
    assert caller(invite(sender='"+48 600 100 200" <sip:+48600100200@p>'), "auto") == Caller("+48600100200")


@pytest.mark.parametrize(
    "request_",
    [
        invite(Privacy="id"), invite(Privacy="header;id"),
        invite(sender='"Anonymous" <sip:anonymous@anonymous.invalid>'),
        invite(sender='"A" <sip:anonymous@provider>', P_Asserted_Identity="<sip:+48600999888@p>"),
        invite(Remote_Party_ID="<sip:+48600777666@p>;privacy=full"),
    ],
)  # fmt: skip
def test_who_hides_is_hidden_and_has_no_name(request_: SipRequest) -> None:
    found = caller(request_, "auto")
    assert found.hidden
    assert found.name == ""


def test_privacy_none_hides_nobody() -> None:
    assert not caller(invite(Privacy="none"), "auto").hidden


OWN = Own("login@home", "provider", "+48221234500", "both")


def test_our_number_is_shown_where_the_provider_wants_it() -> None:
    number = "<sip:+48221234500@provider>"
    shown = {
        "both": (number, True), "from": (number, False), "pai": ("<sip:login%40home@provider>", True),
        "login": ("<sip:login%40home@provider>", False),
    }  # fmt: skip
    for how, (sender, asserted) in shown.items():
        found, headers = identity(Own("login@home", "provider", "+48221234500", how), False)
        assert found == sender, how
        assert headers == ([("P-Asserted-Identity", number)] if asserted else []), how


def test_a_hidden_number_is_read_by_the_provider_alone() -> None:
    sender, headers = identity(OWN, True)
    assert sender == '"Anonymous" <sip:anonymous@anonymous.invalid>'
    assert headers == [("Privacy", "id"), ("P-Asserted-Identity", "<sip:+48221234500@provider>")]


def test_nothing_but_a_number_gets_into_the_request_uri() -> None:
    assert target("+48600100200", "provider") == "sip:+48600100200@provider"
    assert target("*21#", "provider") == "sip:*21%23@provider"
    assert target("600;x=1@evil>\r\nRoute: <sip:evil>", "provider") == "sip:6001@provider"


def test_reasons_and_times_are_read() -> None:
    assert q850('Q.850;cause=17;text="user busy"') == 17
    assert q850("SIP;cause=486, Q.850 ;cause=34") == 34
    assert q850("SIP;cause=486") == 0
    assert retry_after("30 (lunch);duration=10") == 30
    assert retry_after("999999999") == LONGEST_REST
    assert retry_after("soon") == 0
    message = "SIP/2.0 503 x\r\nretry-after:  7\r\nX: 1\r\n\r\nRetry-After: 9"
    assert header(message, "Retry-After") == "7"
    assert header(message, "Reason") == ""


@given(st.text(max_size=300))
def test_whatever_stands_in_a_header_is_survived(text: str) -> None:
    line = "".join(char for char in text if char not in "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
    try:
        request = invite(
            P_Asserted_Identity=line, P_Called_Party_ID=line, Remote_Party_ID=line, Privacy=line, sender=line
        )
    except SipTextError:
        return
    for source in ("auto", "pai", "rpid", "from"):
        found = caller(request, source)
        assert number_of(f"sip:{found.number}@x") == found.number
        assert len(found.name) <= 60
    called(request, "auto", LOGIN)
    header(line, line[:20])
    q850(line)
    retry_after(line)


@given(st.text(max_size=200))
def test_our_own_identity_is_always_an_address(user: str) -> None:
    for how in ("from", "pai", "both", "login"):
        sender, headers = identity(Own(user or "x", "provider", "", how), False)
        assert parse_uri(parse_address(sender).uri).host == "provider" if len(user) < 100 else True
        assert headers == []
