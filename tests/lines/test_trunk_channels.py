"""Several calls on one trunk, one too many, and a line that fails: the next one takes the call."""

import pytest

from tests.lines.test_trunk import NUMBER, OUTSIDE, here, line_of, office, phone, provider, trunk, wait_state
from tests.lines.test_trunk_door import OTHER, by_address
from tests.peers.addresses import new_address
from tests.peers.provider import Provider, head
from tests.peers.waiting import until

__all__ = ["phone", "provider"]  # fixtures
BOTH = {"items": [{"id": "all", "pattern": "*", "lines": ["sip0", "sip1"]}]}


def test_a_trunk_carries_as_many_calls_as_its_channels_and_is_busy_then(provider: Provider, phone) -> None:
    with office(trunk(provider.address, sip_channels=2)) as box:
        wait_state(box, "in-service")
        anna, ben = phone(box, "101"), phone(box, "102")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        assert line_of(box)["busy"] is False
        ben.dial("600100201")
        ben.wait("CALL_ESTABLISHED")
        line = line_of(box)
        assert (line["busy"], line["facts"]["calls"], line["facts"]["channels"]) == (True, "2", "2")
        third = provider.call(here(box))
        third.wait("486")
        anna.hang_up()
        until("a channel is free", lambda: not line_of(box)["busy"])
        ben.hang_up()
        rows = box.wait_calls(3)
    busy = next(row for row in rows if row["direction"] == "in")
    assert (busy["caller"], busy["cause"], busy["line"]) == (OUTSIDE, "busy", "sip0")


def test_settings_that_change_wait_for_the_calls_of_the_trunk(provider: Provider, phone) -> None:
    with office(trunk(provider.address)) as box:
        wait_state(box, "in-service")
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        registered = len(provider.registrations)
        box.put_item("lines", "sip0", sip_expires=300)
        assert len(box.status()["calls"]) == 1
        anna.hang_up()
        until("it signed in anew", lambda: len(provider.registrations) >= registered + 2, 15)
        wait_state(box, "in-service")


@pytest.mark.parametrize("answer", ["503 Service Unavailable", "403 Forbidden", "402 Payment Required", "500 Fault",
                                    "302 Moved Temporarily", "silent"])  # fmt: skip
def test_what_is_the_fault_of_a_line_is_tried_on_the_next(provider: Provider, phone, answer: str) -> None:
    other = Provider(new_address(), user="482299999")
    provider.answers = () if answer == "silent" else (answer,)
    second = trunk(other.address, "sip1", label="Other", number=OTHER, sip_user="482299999")
    with office(trunk(provider.address), second, outgoing=BOTH) as box:
        wait_state(box, "in-service")
        wait_state(box, "in-service", line="sip1")
        if answer == "silent":
            provider.stop()  # between two signs of life
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED", 20)
        assert head(other.got("INVITE")[0], "P-Asserted-Identity") == f"<sip:{OTHER}@{other.address}>"
        anna.hang_up()
        [row] = box.wait_calls()
        assert [leg["line"] for leg in row["legs"] if leg["line"] != "phones"] == ["sip0", "sip1"]
        assert row["answered_by"] == "sip1"
    other.stop()


@pytest.mark.parametrize("answer", ["486 Busy Here", "404 Not Found", "603 Decline", "480 Unavailable"])
def test_what_the_callee_says_is_not_tried_again_elsewhere(provider: Provider, phone, answer: str) -> None:
    other = Provider(new_address(), user="482299999")
    provider.answers = (answer,)
    second = trunk(other.address, "sip1", label="Other", number=OTHER, sip_user="482299999")
    with office(trunk(provider.address), second, outgoing=BOTH) as box:
        wait_state(box, "in-service")
        wait_state(box, "in-service", line="sip1")
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_CLOSED")
        box.wait_calls()
        assert other.got("INVITE") == []
    other.stop()


def test_a_provider_that_wants_a_rest_gets_it(provider: Provider, phone) -> None:
    """503 with Retry-After: the next call goes to the next line at once."""
    other = Provider(new_address(), user="482299999")
    provider.answers, provider.extra = ("503 Overload",), {"Retry-After": "60"}
    second = trunk(other.address, "sip1", label="Other", number=OTHER, sip_user="482299999")
    with office(trunk(provider.address), second, outgoing=BOTH) as box:
        wait_state(box, "in-service")
        wait_state(box, "in-service", line="sip1")
        anna = phone(box, "101")
        for number in (1, 2):
            anna.dial("600100200")
            anna.wait("CALL_ESTABLISHED")
            anna.hang_up()
            box.wait_calls(number)
        assert len(provider.got("INVITE")) == 1
        assert len(other.got("INVITE")) == 2
    other.stop()


def test_a_reason_that_says_more_than_the_status_counts(provider: Provider, phone) -> None:
    provider.answers, provider.extra = ("480 Temporarily Unavailable",), {"Reason": "Q.850;cause=17"}
    with office(by_address(provider.address)) as box:
        wait_state(box, "in-service")
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_CLOSED")
        assert box.wait_calls()[0]["cause"] == "busy"


def test_an_emergency_call_goes_out_on_a_trunk_as_it_was_dialled(provider: Provider, phone) -> None:
    with office(trunk(provider.address)) as box:
        wait_state(box, "in-service")
        anna = phone(box, "101")
        anna.dial("112")
        anna.wait("CALL_ESTABLISHED")
        assert provider.got("INVITE")[0].startswith(f"INVITE sip:112@{provider.address} ")
        assert f"<sip:{NUMBER}@" in provider.got("INVITE")[0]
        anna.hang_up()
        box.wait_calls()


def test_a_trunk_that_is_taken_away_in_a_call_ends_it_and_signs_out(provider: Provider, phone) -> None:
    with office(trunk(provider.address)) as box:
        wait_state(box, "in-service")
        anna, ben = phone(box, "101"), phone(box, "102")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        ringing = provider.call(here(box))
        ben.wait("CALL_INCOMING")
        box.put_item("lines", "sip0", enabled=False)
        anna.wait("CALL_CLOSED")
        ben.wait("CALL_CLOSED")
        provider.wait_for("BYE")
        ringing.wait("487")
        until("it signed out", lambda: not provider.contact)
        assert {row["cause"] for row in box.wait_calls(2)} == {"line-lost"}
        provider.call(here(box), NUMBER).wait("401")
        for enabled in (True, False, True):
            box.put_item("lines", "sip0", enabled=enabled)
        provider.wait_registered()
        wait_state(box, "in-service")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        anna.hang_up()
        box.wait_calls(3)


def test_the_exchange_ends_in_order_while_a_trunk_has_calls(provider: Provider, phone) -> None:
    with office(trunk(provider.address)) as box:
        wait_state(box, "in-service")
        anna, ben = phone(box, "101"), phone(box, "102")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        provider.call(here(box))
        ben.wait("CALL_INCOMING")
        process = box.processes["exchange"].process
        process.terminate()
        assert process.wait(10) == 0
        anna.wait("CALL_CLOSED")
        provider.wait_for("BYE")
        until("it signed out", lambda: not provider.contact, 5)
