"""A group rings: all at once, and one takes the call."""

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Office
from tests.peers.addresses import new_address
from tests.peers.sip_client import SipClient, sdp

CALLER = "+48600100200"
PASSWORDS = {str(extension): f"Phone{extension}PasswordAbcd" for extension in range(101, 111)}


@pytest.fixture
def phones(office: Office) -> Iterator[dict[str, SipClient]]:
    """Ten phones, all registered, all of the group that rings."""
    everybody = [{"id": f"p{e}", "extension": e, "name": f"Colleague {e}", "password": p} for e, p in PASSWORDS.items()]
    group = [{"id": "office", "name": "Office", "members": list(PASSWORDS), "seconds": 25}]
    for section, items in (("people", everybody), ("groups", group)):
        version = office.ask("settings.get", section=section)["version"]
        office.ask("settings.put", section=section, version=version, doc={"items": items})
    made = {extension: SipClient(new_address(), office.address) for extension in PASSWORDS}
    for extension, one in made.items():
        contact = f"<sip:{extension}@{one.address}:{one.port}>"
        assert " 200 " in one.authorised("REGISTER", extension, PASSWORDS[extension], Contact=contact)[:16]
    yield made
    for one in made.values():
        one.close()


def invited(one: SipClient) -> str:
    return one.wait(lambda text: text.startswith("INVITE"))


def test_ten_phones_ring_at_once(office: Office, phones: dict[str, SipClient]) -> None:
    office.far("call", number=CALLER)
    invites = [invited(one) for one in phones.values()]
    assert all(CALLER in invite for invite in invites)
    for one, invite in zip(phones.values(), invites, strict=True):
        one.send(one.answer(invite, "180 Ringing"))
    office.far("hang-up")
    for one in phones.values():
        assert one.wait(lambda text: text.startswith("CANCEL"))
    assert office.wait_calls()[0]["cause"] == "cancelled"


def test_of_two_who_lift_in_the_same_moment_one_has_the_call(office: Office, phones: dict[str, SipClient]) -> None:
    """The other is let go at once, and nothing rings on."""
    office.far("call", number=CALLER)
    anna, ben, *others = phones.items()
    ringing = [(extension, one, invited(one)) for extension, one in (anna, ben)]
    for extension, one, invite in ringing:
        contact = f"<sip:{extension}@{one.address}:{one.port}>"
        one.send(one.answer(invite, "200 OK", sdp(one.address), Contact=contact))
    let_go = [
        extension
        for extension, one, _ in ringing
        if any(text.startswith(("BYE", "CANCEL")) for text in one.answers(1.0))
    ]
    assert len(let_go) == 1
    for _, one in others:
        one.send(one.answer(invited(one), "180 Ringing"))
        assert one.wait(lambda text: text.startswith("CANCEL"))
    office.far("hang-up")
    assert office.wait_calls()[0]["answered_by"] == ({"101", "102"} - set(let_go)).pop()
