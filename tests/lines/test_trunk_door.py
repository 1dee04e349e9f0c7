"""Who may call in on a trunk: exactly the provider's addresses. What a caller there can never do: anything but ring."""

from collections.abc import Iterator

import pytest

from tests.lines.test_trunk import NUMBER, OUTSIDE, here, line_of, office, phone, provider, trunk, wait_state
from tests.peers.addresses import new_address
from tests.peers.box import PASSWORDS, Box
from tests.peers.provider import PASSWORD, Provider, head
from tests.peers.sip_client import SipClient, sdp
from tests.peers.waiting import until

__all__ = ["phone", "provider"]  # fixtures
OTHER = "+48221239999"


def by_address(host: str, line: str = "sip0", **more: object) -> dict:
    return trunk(host, line, sip_register=False, sip_user="", sip_password="", **more)


@pytest.fixture
def box(provider: Provider) -> Iterator[Box]:
    with office(by_address(provider.address)) as started:
        wait_state(started, "in-service")
        yield started


def test_a_call_from_the_providers_address_is_never_challenged(box: Box, provider: Provider, phone) -> None:
    ben = phone(box, "102")
    call = provider.call(here(box), NUMBER)
    ben.wait("CALL_INCOMING")
    ben.answer()
    call.ack()
    call.hang_up()
    ben.wait("CALL_CLOSED")
    [row] = box.wait_calls()
    assert (row["caller"], row["called"], row["line"]) == (OUTSIDE, NUMBER, "sip0")


def test_the_same_call_from_an_address_beside_it_is_challenged(box: Box, provider: Provider, phone) -> None:
    ben = phone(box, "102")
    stranger = Provider(new_address())
    call = stranger.call(here(box), NUMBER, sender=f"<sip:{OUTSIDE}@{provider.address}>",
                         P_Asserted_Identity=f"<sip:{OUTSIDE}@{provider.address}>")  # fmt: skip
    call.wait("401")
    assert not ben.saw("CALL_INCOMING")
    assert box.status()["calls"] == []
    stranger.stop()


def test_further_addresses_of_a_provider_are_taken_as_they_stand_in_the_settings(provider: Provider, phone) -> None:
    gateway = Provider(new_address())
    with office(by_address(provider.address, sip_peers=[gateway.address])) as box:
        wait_state(box, "in-service")
        ben = phone(box, "102")
        call = gateway.call(here(box), NUMBER)
        ben.wait("CALL_INCOMING")
        call.cancel()
        ben.wait("CALL_CLOSED")
    gateway.stop()


def test_signs_of_life_of_a_provider_are_answered(box: Box, provider: Provider) -> None:
    one = SipClient(provider.address, box.address)
    one.send(one.request("OPTIONS", NUMBER))
    assert " 200 " in one.wait()[:14]
    one.close()


@pytest.mark.parametrize("number", ["+88213000123", "112", "*28", "101", "700", "0048600999888", "%2A97"])
def test_a_caller_on_a_trunk_can_only_ring_here_whatever_he_dials(box: Box, provider: Provider, phone, number) -> None:
    """Toll fraud: neither the number in the request, nor a From that is an extension, leads out again."""
    ben = phone(box, "102")
    call = provider.call(
        here(box), uri=f"sip:{number}@{box.address}", to=f"<sip:{number}@{box.address}>",
        sender=f'"Anna" <sip:101@{box.address}>',
    )  # fmt: skip
    ben.wait("CALL_INCOMING")
    [now] = box.status()["calls"]
    assert (now["direction"], now["caller_kind"]) == ("in", "short")
    call.cancel()
    ben.wait("CALL_CLOSED")
    [row] = box.wait_calls()
    assert (row["direction"], row["line"]) == ("in", "sip0")
    assert {leg["line"] for leg in row["legs"]} == {"phones"}
    assert provider.got("INVITE") == []
    assert box.status()["night"] == ""


def test_a_caller_on_a_trunk_cannot_send_us_elsewhere(box: Box, provider: Provider, phone) -> None:
    """REFER and Replaces from outside are refused, and the call goes on."""
    ben = phone(box, "102", answers=True)
    call = provider.call(here(box), NUMBER)
    call.ack()
    ben.wait("CALL_ESTABLISHED")
    call.refer(f"sip:+88213000123@{provider.address}")
    answer = provider.wait_reply(lambda r: "REFER" in head(r, "CSeq"))
    assert answer.split(" ")[1] in ("403", "481", "405")
    second = provider.call(here(box), NUMBER, Replaces=f"{call.call_id};to-tag=1;from-tag=2")
    second.wait("481")
    assert provider.got("INVITE") == []
    assert len(box.status()["calls"]) == 1
    call.hang_up()
    ben.wait("CALL_CLOSED")


def test_a_bye_from_somewhere_else_does_not_end_a_call_on_a_trunk(box: Box, provider: Provider, phone) -> None:
    ben = phone(box, "102", answers=True)
    call = provider.call(here(box), NUMBER)
    call.ack()
    ben.wait("CALL_ESTABLISHED")
    forger = SipClient(new_address(), box.address)
    forger.send(forger.request("BYE", NUMBER, to=f"<sip:{NUMBER}@x>;tag=1", Call_ID=call.call_id))
    assert " 481 " in forger.wait()[:14]
    assert len(box.status()["calls"]) == 1
    call.hang_up()
    ben.wait("CALL_CLOSED")
    forger.close()


def test_nobody_else_calls_out_with_the_trunks_user_and_password(box: Box, provider: Provider, phone) -> None:
    """The secrets of a trunk open nothing here."""
    ben = phone(box, "102")
    one = SipClient(new_address(), box.address)
    answer = one.authorised("INVITE", "482212345", PASSWORD, OUTSIDE, Contact="<sip:x@127.0.0.1>",
                            Content_Type="application/sdp", body=sdp(one.address))  # fmt: skip
    assert " 401 " in answer[:14]
    assert not ben.saw("CALL_INCOMING")
    assert provider.got("INVITE") == []
    one.close()


def test_a_phone_at_the_address_of_a_provider_is_a_phone(box: Box, provider: Provider) -> None:
    """It calls out as its owner: its credentials say so."""
    anna = SipClient(provider.address, box.address)
    headers = {"Contact": f"<sip:101@{provider.address}>", "Content_Type": "application/sdp", "body": sdp(anna.address)}
    anna.send(anna.request("REGISTER", "101"))
    challenge = anna.wait(lambda text: " 401 " in text[:14])
    proof = anna.credentials(challenge, "INVITE", "101", PASSWORDS["101"], target="600100200")
    anna.send(anna.request("INVITE", "600100200", sender="101", Authorization=proof, **headers))
    assert provider.wait_for("INVITE").startswith(f"INVITE sip:{OUTSIDE}@")
    anna.close()


# ---- several trunks -----------------------------------------------------------------------------------------------


def test_two_accounts_at_one_provider_are_told_apart(provider: Provider, phone) -> None:
    provider.accounts["482299999"] = PASSWORD
    second = trunk(provider.address, "sip1", label="Other", number=OTHER, sip_user="482299999")
    with office(trunk(provider.address), second) as box:
        wait_state(box, "in-service")
        wait_state(box, "in-service", line="sip1")
        ben = phone(box, "102")
        for number, (user, line) in enumerate({"482212345": "sip0", "482299999": "sip1"}.items(), 1):
            call = provider.call(here(box), uri=provider.contacts[user], to=f"<sip:{user}@{provider.address}>")
            ben.wait("CALL_INCOMING")
            call.cancel()
            ben.wait("CALL_CLOSED")
            assert box.wait_calls(number)[-1]["line"] == line
        assert [row["called"] for row in box.wait_calls(2)] == [NUMBER, OTHER]


def test_two_providers_at_once_each_have_their_own_calls(provider: Provider, phone) -> None:
    other = Provider(new_address(), user="482299999")
    rules = {
        "items": [{"id": "a", "pattern": "+4860*", "lines": ["sip1"]}, {"id": "b", "pattern": "*", "lines": ["sip0"]}]
    }
    second = trunk(other.address, "sip1", label="Other", number=OTHER, sip_user="482299999")
    with office(trunk(provider.address), second, outgoing=rules) as box:
        wait_state(box, "in-service")
        wait_state(box, "in-service", line="sip1")
        anna, ben = phone(box, "101"), phone(box, "102")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        ben.dial("221112233")
        ben.wait("CALL_ESTABLISHED")
        assert head(other.wait_for("INVITE"), "P-Asserted-Identity") == f"<sip:{OTHER}@{other.address}>"
        assert head(provider.wait_for("INVITE"), "P-Asserted-Identity") == f"<sip:{NUMBER}@{provider.address}>"
        assert [line_of(box, one)["facts"]["calls"] for one in ("sip0", "sip1")] == ["1", "1"]
        anna.hang_up()
        ben.hang_up()
        box.wait_calls(2)
    until("both signed out", lambda: not provider.contacts["482212345"] and not other.contacts["482299999"], 5)
    other.stop()
