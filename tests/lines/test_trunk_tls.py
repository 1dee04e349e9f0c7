"""A trunk over TLS with encrypted speech: what is trusted, what is heard, and what is never said in the clear."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lines.test_trunk import OUTSIDE, hear, line_of, office, phone, switch, trunk, wait_state
from tests.peers import sound
from tests.peers.addresses import new_address
from tests.peers.baresip import Phone
from tests.peers.certificates import Certificates, make_certificates
from tests.peers.waiting import until

__all__ = ["phone", "switch"]  # fixtures
Make = Callable[..., Phone]


def secure(provider: str, papers: Certificates, **more: object) -> dict:
    """A trunk by address over TLS with encrypted speech that trusts the test's authority."""
    base = {
        "sip_register": False, "sip_user": "", "sip_password": "", "sip_transport": "tls", "sip_srtp": "mandatory",
        "sip_authority": str(papers.authority),
    }  # fmt: skip
    return trunk(provider, **{**base, **more})


def served(tmp_path: Path, *addresses: str, days: int = 30) -> tuple[Certificates, Path]:
    """A certificate for these addresses, and the file of it and its key."""
    folder = tmp_path / f"ca{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    papers = make_certificates(folder, addresses, days)
    both = folder / "both.pem"
    both.write_bytes(papers.certificate.read_bytes() + papers.key.read_bytes())
    return papers, both


def test_a_call_over_tls_with_encrypted_speech_is_heard_both_ways(tmp_path: Path, phone: Make, switch: Make) -> None:
    provider = new_address()
    papers, both = served(tmp_path, provider)
    with office(secure(provider, papers)) as box:
        far = switch(box.address, OUTSIDE, 1000, provider, answers=True, certificate=both, extra=";mediaenc=srtp-mand")
        line = wait_state(box, "in-service", 30)
        assert (line["facts"]["peer"], line["facts"]["transport"]) == (f"{provider}:5061", "tls")
        anna = phone(box, "101", hertz=440)
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        far.wait("CALL_ESTABLISHED")
        until("4.5 s of talk", lambda: sum(len(sound.read(p.heard())) for p in (anna, far)) > 2 * 4.5 * 8000, 15, 0.2)
        anna.hang_up()
        far.wait("CALL_CLOSED")
        hear((anna, 1000, 440), (far, 440, 1000))
        box.wait_calls()


def test_a_provider_without_encryption_gets_no_call_where_it_is_a_must(
    tmp_path: Path, phone: Make, switch: Make
) -> None:
    provider = new_address()
    papers, both = served(tmp_path, provider)
    with office(secure(provider, papers)) as box:
        far = switch(box.address, OUTSIDE, 1000, provider, answers=True, certificate=both)
        wait_state(box, "in-service", 30)
        anna = phone(box, "101")
        anna.dial("600100200")
        [row] = box.wait_calls(seconds=25)
        assert not far.saw("CALL_ESTABLISHED")
        assert row["legs"][-1]["cause"] == "media"


@pytest.mark.parametrize("signs_in", [True, False])
@pytest.mark.parametrize("wrong", ["authority", "name", "expired"])
def test_a_certificate_that_is_not_right_is_told_and_nothing_is_sent(
    tmp_path: Path, switch: Make, wrong: str, signs_in: bool
) -> None:
    provider, other = new_address(), new_address()
    papers, both = served(tmp_path, other if wrong == "name" else provider, days=-1 if wrong == "expired" else 30)
    trusted = served(tmp_path, provider)[0] if wrong == "authority" else papers
    with office(secure(provider, trusted, sip_register=signs_in, sip_user="482212345", sip_password="x")) as box:
        switch(box.address, OUTSIDE, 1000, provider, answers=True, certificate=both)
        box.ask("line.register", line="sip0")
        line = wait_state(box, "certificate", 30)
        assert line["usable"] is False
        assert line["facts"]["said"]
        assert any(note["message"] == "trunk-certificate" for note in box.status()["notes"])


def test_a_certificate_need_not_be_right_where_the_owner_says_so(tmp_path: Path, switch: Make) -> None:
    provider = new_address()
    papers, both = served(tmp_path, new_address())
    with office(secure(provider, papers, sip_verify=False)) as box:
        switch(box.address, OUTSIDE, 1000, provider, answers=True, certificate=both)
        wait_state(box, "in-service", 30)
        assert line_of(box)["facts"]["transport"] == "tls"
