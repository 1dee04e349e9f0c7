"""Providers by their names: where the servers are, which takes over, and who may call in from there."""

from collections.abc import Iterator

import pytest

from appliance.lines.resolver import BACK_AFTER, Resolver, nameservers
from appliance.protocols.locate import Hop
from tests.lines.test_trunk import NUMBER, OUTSIDE, here, line_of, office, phone, provider, trunk, wait_state
from tests.peers.addresses import new_address
from tests.peers.names import NameServer, Rows
from tests.peers.provider import Provider
from tests.peers.waiting import until

__all__ = ["phone", "provider"]  # fixtures
NAME = "sip.provider.test"


@pytest.fixture
def names() -> Iterator[NameServer]:
    one = NameServer(new_address(), {})
    yield one
    one.stop()


def srv(*servers: Provider) -> Rows:
    """The first is used, the others stand in."""
    rows: Rows = {(f"_sip._udp.{NAME}", "SRV"): [(n, 0, s.port, f"s{n}.test") for n, s in enumerate(servers)]}
    return {**rows, **{(f"s{n}.test", "A"): [(s.address,)] for n, s in enumerate(servers)}}


def test_a_provider_is_found_by_its_name_and_the_port_that_the_name_has(names: NameServer, phone) -> None:
    provider = Provider(new_address(), port=5085)
    names.rows = srv(provider)
    with office(trunk(NAME), names=names.address) as box:
        line = wait_state(box, "in-service")
        assert line["facts"]["peer"] == f"{provider.address}:5085"
        assert provider.got("REGISTER")[0].startswith(f"REGISTER sip:{NAME} ")
        anna, ben = phone(box, "101"), phone(box, "102")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        assert provider.got("INVITE")[0].startswith(f"INVITE sip:{OUTSIDE}@{NAME} ")
        anna.hang_up()
        provider.wait_for("BYE")
        call = provider.call(here(box))
        ben.wait("CALL_INCOMING")
        call.cancel()
        ben.wait("CALL_CLOSED")
    provider.stop()


def test_the_name_says_which_transport_it_wants(names: NameServer, provider: Provider) -> None:
    names.rows = {**srv(provider), (NAME, "NAPTR"): [(10, 10, "s", "SIP+D2U", f"_sip._udp.{NAME}")]}
    with office(trunk(NAME, sip_transport="auto"), names=names.address) as box:
        assert wait_state(box, "in-service")["facts"]["transport"] == "udp"
    assert (NAME, "NAPTR") in names.asked


def test_the_next_server_of_a_name_takes_over_when_the_first_is_silent(
    names: NameServer, provider: Provider, phone
) -> None:
    second = Provider(new_address())
    names.rows = srv(provider, second)
    with office(trunk(NAME), names=names.address) as box:
        assert wait_state(box, "in-service")["facts"]["peer"] == f"{provider.address}:5060"
        provider.stop()
        box.ask("line.register", line="sip0")
        second.wait_registered(40)
        line = until("it works at the other", lambda: line_of(box) if line_of(box)["usable"] else None, 20)
        assert line["facts"]["peer"] == f"{second.address}:5060"
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        assert second.got("INVITE")
        anna.hang_up()
        box.wait_calls()
    second.stop()


def test_a_name_that_nobody_knows_is_told_and_is_tried_again(names: NameServer, provider: Provider) -> None:
    with office(trunk(NAME), names=names.address) as box:
        wait_state(box, "no-such-name")
        assert any(note["message"] == "trunk-name" for note in box.status()["notes"])
        names.rows = srv(provider)
        box.ask("line.register", line="sip0")
        wait_state(box, "in-service")


def test_calls_come_from_the_addresses_of_the_name_and_from_no_other(
    names: NameServer, provider: Provider, phone
) -> None:
    beside = Provider(new_address())
    names.rows = {(NAME, "A"): [(provider.address,)]}
    by_address = trunk(NAME, sip_register=False, sip_user="", sip_password="", sip_port=5060)
    with office(by_address, names=names.address) as box:
        wait_state(box, "in-service")
        ben = phone(box, "102")
        beside.call(here(box), NUMBER).wait("401")
        call = provider.call(here(box), NUMBER)
        ben.wait("CALL_INCOMING")
        call.cancel()
        ben.wait("CALL_CLOSED")
    beside.stop()


def test_a_provider_may_name_itself_within_a_call(names: NameServer, provider: Provider, phone) -> None:
    """Its Contact is a name: it is asked for while the call waits, and the BYE gets there."""
    names.rows = {("switch.test", "A"): [(provider.address,)]}
    provider.name = "switch.test"
    with office(trunk(provider.address), names=names.address) as box:
        wait_state(box, "in-service")
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        assert provider.wait_for("ACK").startswith("ACK sip:switch@switch.test:5060 ")
        anna.hang_up()
        provider.wait_for("BYE")
        box.wait_calls()


# ---- the resolver alone ---------------------------------------------------------------------------------------------

KEY = (NAME, 0, "udp")


def settle(resolver: Resolver, at: float, done) -> None:
    until("the resolver knows", lambda: resolver.poll(at) or done(), 5)


@pytest.fixture
def resolver(names: NameServer) -> Iterator[Resolver]:
    host, _, port = names.address.partition(":")
    one = Resolver(lambda: ((host, int(port)),))
    one.keep([KEY])
    yield one
    one.close()


def test_what_is_known_holds_while_nobody_answers_and_follows_the_name_afterwards(
    names: NameServer, resolver: Resolver
) -> None:
    names.rows = {(NAME, "A"): [("127.0.0.5",)]}
    settle(resolver, 0, lambda: resolver.hop(*KEY) == Hop("127.0.0.5", 5060, "udp"))
    names.silent = True
    for at in range(31, 50, 2):
        resolver.poll(at)
    assert resolver.hop(*KEY) == Hop("127.0.0.5", 5060, "udp")
    assert not resolver.unknown(*KEY)
    names.silent, names.rows = False, {(NAME, "A"): [("127.0.0.6",)]}
    settle(resolver, 100, lambda: resolver.hop(*KEY) == Hop("127.0.0.6", 5060, "udp"))
    assert resolver.addresses(*KEY) == {"127.0.0.6"}


def test_the_first_server_is_used_again_after_a_while(names: NameServer, resolver: Resolver) -> None:
    names.rows = {(NAME, "A"): [("127.0.0.5",), ("127.0.0.6",)]}
    settle(resolver, 0, lambda: resolver.hop(*KEY))
    assert resolver.move_on(*KEY, 1.0)
    assert resolver.hop(*KEY) == Hop("127.0.0.6", 5060, "udp")
    assert not resolver.move_on(*KEY, 2.0), "there is no third"
    assert resolver.move_on(*KEY, 3.0)
    resolver.poll(BACK_AFTER + 4)
    assert resolver.hop(*KEY) == Hop("127.0.0.5", 5060, "udp")
    assert resolver.addresses(*KEY) == {"127.0.0.5", "127.0.0.6"}


def test_the_systems_name_servers_are_asked(tmp_path, monkeypatch) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text("# a\nsearch home\nnameserver 192.168.1.1\nnameserver fe80::1\nnameserver 9.9.9.9\n")
    monkeypatch.delenv("CENTRALKA_NAMESERVERS", raising=False)
    assert nameservers(conf) == (("192.168.1.1", 53), ("9.9.9.9", 53))
    assert nameservers(tmp_path / "none") == ()
    monkeypatch.setenv("CENTRALKA_NAMESERVERS", "127.0.0.1:5353")
    assert nameservers(conf) == (("127.0.0.1", 5353),)
