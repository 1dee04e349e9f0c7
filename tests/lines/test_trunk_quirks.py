"""What providers do that no phone does: proofs within a call, proxies that stay in it, forks, many calls at once."""

import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.settings.secret import Secret
from tests.lines.test_trunk import NUMBER, OUTSIDE, here, line_of, office, phone, provider, trunk, wait_state
from tests.lines.test_trunk_door import by_address
from tests.peers.addresses import new_address
from tests.peers.box import Box
from tests.peers.provider import Provider, head
from tests.peers.waiting import until

__all__ = ["phone", "provider"]  # fixtures
REGISTRAR = Path(__file__).parent.parent / "data" / "sipp" / "trunk_registrar.xml"
SCENARIO = Path(__file__).parent.parent / "data" / "sipp" / "trunk_in.xml"


@pytest.fixture
def box(provider: Provider) -> Iterator[Box]:
    with office(trunk(provider.address)) as started:
        provider.wait_registered()
        wait_state(started, "in-service")
        yield started


def test_a_proof_is_given_for_a_call_and_for_its_end(box: Box, provider: Provider, phone) -> None:
    """407 on INVITE, and on BYE as some switches do."""
    provider.challenges = ("INVITE", "BYE")
    anna = phone(box, "101")
    anna.dial("600100200")
    anna.wait("CALL_ESTABLISHED")
    anna.hang_up()
    until("a BYE with a proof", lambda: any("Proxy-Authorization:" in one for one in provider.got("BYE")))
    assert box.wait_calls()[0]["cause"] == "normal"


def test_a_call_that_needs_a_proof_that_we_do_not_have_goes_elsewhere(provider: Provider, phone) -> None:
    provider.challenges = ("INVITE",)
    with office(by_address(provider.address)) as box:
        wait_state(box, "in-service")
        anna = phone(box, "101")
        anna.dial("600100200")
        [row] = box.wait_calls(seconds=20)
        assert row["legs"][-1]["cause"] == "not-allowed"
        assert row["legs"][-1]["detail"].startswith("407")


@pytest.mark.parametrize("way", ["out", "in"])
def test_a_proxy_of_the_provider_stays_in_the_call(box: Box, provider: Provider, phone, way: str) -> None:
    """Its Record-Route is followed, and the Contact behind it stays as it was written."""
    route = f"<sip:{provider.address}:5060;lr>"
    if way == "out":
        provider.route, provider.name = route, "10.99.0.7"
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        anna.hang_up()
    else:
        ben = phone(box, "102", answers=True)
        call = provider.call(here(box), Record_Route=route, Contact="<sip:gateway@10.99.0.7:5060>")
        call.ack()
        ben.wait("CALL_ESTABLISHED")
        ben.hang_up()
    bye = provider.wait_for("BYE")
    assert "@10.99.0.7:5060 SIP/2.0" in bye.splitlines()[0]
    assert head(bye, "Route") == route


def test_a_call_that_forks_in_the_providers_network_rings_once(box: Box, provider: Provider, phone) -> None:
    provider.answers = ("180", "180 fork", "sleep 0.5", "200")
    anna = phone(box, "101")
    anna.dial("600100200")
    anna.wait("CALL_RINGING")
    anna.wait("CALL_ESTABLISHED")
    anna.hang_up()
    assert box.wait_calls()[0]["cause"] == "normal"


def test_the_number_goes_out_as_the_provider_wants_it(provider: Provider, phone) -> None:
    with office(trunk(provider.address, dial_form="plain", dial_prefix="9", present_as="from")) as box:
        wait_state(box, "in-service")
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        invite = provider.got("INVITE")[0]
        assert invite.startswith(f"INVITE sip:948600100200@{provider.address} ")
        assert head(invite, "From").startswith(f"<sip:{NUMBER}@{provider.address}>")
        anna.hang_up()
        assert box.wait_calls()[0]["called"] == OUTSIDE


def test_hold_is_told_to_the_provider_and_the_call_goes_on(box: Box, provider: Provider, phone) -> None:
    ben = phone(box, "102", answers=True)
    call = provider.call(here(box))
    call.ack()
    ben.wait("CALL_ESTABLISHED")
    ben.hold()
    until("it is held", lambda: box.status()["calls"][0]["state"] == "held")
    ben.resume()
    until("it goes on", lambda: box.status()["calls"][0]["state"] == "talking")
    call.hang_up()
    ben.wait("CALL_CLOSED")
    assert box.wait_calls()[0]["cause"] == "normal"


def test_a_hidden_caller_is_hidden_and_an_unknown_one_unknown(box: Box, provider: Provider, phone) -> None:
    ben = phone(box, "102")
    for more in (
        {
            "Privacy": "id",
            "P_Asserted_Identity": f"<sip:{OUTSIDE}@x>",
            "sender": '"A" <sip:anonymous@anonymous.invalid>',
        },
        {"sender": f"<sip:unknown@{provider.address}>"},
    ):
        call = provider.call(here(box), **more)
        ben.wait("CALL_INCOMING")
        call.cancel()
        ben.wait("CALL_CLOSED")
    rows = box.wait_calls(2)
    assert [(row["caller"], row["caller_kind"]) for row in rows] == [("", "withheld"), ("", "unavailable")]
    assert OUTSIDE not in box.log()


def test_a_pile_of_calls_at_once_from_behind_a_proxy(tmp_path: Path) -> None:
    """sipp as the switch: late offers, refreshed sessions; each caller hears the announcement to its end."""
    switch = new_address()
    closed = by_address(switch, sip_channels=8, always_open=False, ranges=[], sip_ping=False)
    with office(closed) as box:
        wait_state(box, "in-service")
        done = subprocess.run(
            ["sipp", "-sf", str(SCENARIO), "-i", switch, "-p", "5060", "-m", "8", "-r", "8", "-l", "8", "-timeout",
             "50s", "-timeout_error", "-nostdin", "-trace_err", f"{box.address}:5060"],
            cwd=tmp_path, capture_output=True, text=True, timeout=70, check=False,
        )  # fmt: skip
        errors = "".join(path.read_text(errors="replace") for path in tmp_path.glob("*errors.log"))
        assert done.returncode == 0, errors[-3000:] or done.stdout[-2000:]
        rows = box.wait_calls(8)
        assert Counter(row["cause"] for row in rows) == {"closed": 8}
        assert {(row["caller"], row["answered_by"]) for row in rows} == {(OUTSIDE, "announcement")}
        assert line_of(box)["facts"]["calls"] == "0"


def test_an_announcement_can_be_heard_without_an_answer(provider: Provider) -> None:
    """183 with sound, and at its end the refusal: the caller pays nothing."""
    with (
        office(by_address(provider.address, always_open=False, ranges=[], sip_early=True)) as box,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp,
    ):
        rtp.bind((provider.address, 9002))
        rtp.settimeout(5)
        wait_state(box, "in-service")
        call = provider.call(here(box), NUMBER)
        assert "m=audio" in call.wait("183")
        octets = b"".join(rtp.recv(2000)[12:] for _ in range(100))
        assert len(set(octets)) > 50, "speech, not silence"
        call.wait("480", 30)
        [row] = box.wait_calls()
        assert (row["cause"], row["talk_ms"], row["answered_by"]) == ("closed", 0, "announcement")
        assert not any(r.startswith("SIP/2.0 200") and "INVITE" in head(r, "CSeq") for r in provider._replies)


@pytest.mark.parametrize(("password", "state"), [("TrunkPassword1", "in-service"), ("other", "password-refused")])
def test_a_registrar_that_is_not_ours_takes_the_proof_and_its_expiry_holds(tmp_path: Path, password, state) -> None:
    """sipp checks the digest itself, and grants less than was asked for."""
    address = new_address()
    with subprocess.Popen(
        ["sipp", "-sf", str(REGISTRAR), "-i", address, "-p", "5060", "-m", "1", "-timeout", "30s", "-nostdin"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as registrar:  # fmt: skip
        with office(trunk(address, sip_ping=False, sip_password=Secret(password))) as box:
            line = wait_state(box, state, 20)
            assert (60 < int(line["facts"]["expires"]) <= 120) if state == "in-service" else line["facts"]["said"]
        registrar.terminate()
        registrar.wait(10)
