"""Documents and headers of lamps: whatever is asked is answered or refused, whatever is shown can be read."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.protocols.dialog_info import Dialog, dialog_info, pidf
from appliance.protocols.mwi import message_summary
from appliance.protocols.sip_text import SipRequest, SipTextError
from appliance.protocols.subscribe import BODIES, LONGEST, SHORTEST, parse_subscribe, state_header

INFO = "{urn:ietf:params:xml:ns:dialog-info}"
ANY = st.text(max_size=80)


def subscribe(**headers: str) -> SipRequest:
    held = {
        "from": "<sip:101@box>;tag=1", "to": "<sip:102@box>", "call-id": "a", "cseq": "1 SUBSCRIBE", "via": "x",
        "contact": "<sip:101@10.0.0.7:5062>", "event": "dialog", **headers,
    }  # fmt: skip
    return SipRequest("SUBSCRIBE", "sip:102@box", {name: (value,) for name, value in held.items() if value}, "")


def refusal(**headers: str) -> int:
    with pytest.raises(SipTextError) as caught:
        parse_subscribe(subscribe(**headers))
    return caught.value.code


def test_what_a_phone_asks_for_is_read() -> None:
    wanted = parse_subscribe(
        subscribe(event="Dialog;sla ; id=k7", expires="3600", accept="application/dialog-info+xml")
    )
    assert (wanted.package, wanted.event_id, wanted.expires, wanted.resource) == ("dialog", "k7", LONGEST, "102")
    assert (wanted.contact, wanted.ours, wanted.theirs) == ("sip:101@10.0.0.7:5062", "sip:102@box", "sip:101@box")
    assert parse_subscribe(subscribe()).expires == LONGEST
    assert parse_subscribe(subscribe(expires="0")).expires == 0
    assert parse_subscribe(subscribe(expires=str(SHORTEST))).expires == SHORTEST
    assert parse_subscribe(subscribe(contact='<sip:1@h?Route=x>;+sip.instance="<URN:1>"')).contact == "sip:1@h"


def test_what_cannot_be_watched_has_its_own_refusal() -> None:
    assert refusal(event="ua-profile") == refusal(event="") == 489
    assert refusal(expires="59") == 423
    assert refusal(accept="text/plain") == 406
    assert refusal(require="eventlist") == 420
    assert refusal(contact="") == 400
    assert refusal(**{"from": "<sip:101@box>"}) == 400


@given(st.dictionaries(st.sampled_from(["event", "expires", "accept", "contact", "from", "to", "require"]), ANY))
def test_any_subscribe_is_read_or_refused(headers: dict[str, str]) -> None:
    try:
        wanted = parse_subscribe(subscribe(**headers))
    except SipTextError:
        return
    assert wanted.package in BODIES
    assert wanted.expires == 0 or SHORTEST <= wanted.expires <= LONGEST


@given(ANY, st.lists(st.builds(Dialog, ANY, st.sampled_from(["trying", "early", "confirmed"]), st.booleans(), ANY, ANY),
                     max_size=4))  # fmt: skip
def test_any_name_makes_a_document_that_can_be_read(entity: str, dialogs: list[Dialog]) -> None:
    read = ElementTree.fromstring(dialog_info(entity, 7, dialogs).encode())
    assert [one.findtext(f"{INFO}state") for one in read.iter(f"{INFO}dialog")] == (
        [one.state for one in dialogs] or ["terminated"]
    )
    ElementTree.fromstring(pidf(entity, True, True).encode())


def test_there_is_always_a_dialog_and_the_last_one_is_told_to_be_over() -> None:
    assert '<dialog id="idle"><state>terminated</state></dialog>' in dialog_info("sip:102@box", 0, [])
    assert '<dialog id="x"><state>terminated</state></dialog>' in dialog_info("sip:102@box", 1, [], ["x"])


def test_a_message_summary_says_whether_something_waits() -> None:
    assert message_summary("sip:*97@box", 2, 5) == (
        "Messages-Waiting: yes\r\nMessage-Account: sip:*97@box\r\nVoice-Message: 2/5 (0/0)\r\n"
    )
    assert message_summary("sip:*97@box", 0, 5).startswith("Messages-Waiting: no")


def test_a_subscription_is_active_or_ended_for_a_reason() -> None:
    assert state_header(120) == "active;expires=120"
    assert state_header(0, "timeout") == "terminated;reason=timeout"
