"""What lamps on phones show: colleagues, lines, night mode, messages; told to phones that asked, and to nobody else."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.lines.conftest import MakeClient, MakePhone
from tests.peers.box import PASSWORDS, Box, people
from tests.peers.sip_client import SipClient
from tests.peers.waiting import until

INFO = "{urn:ietf:params:xml:ns:dialog-info}"


class Watcher:
    """A phone with one lamp. Answers each NOTIFY as it comes."""

    def __init__(self, client: SipClient, extension: str, target: str, package: str = "dialog") -> None:
        self.client, self.extension, self.target, self.package = client, extension, target, package
        self.notified: list[str] = []
        self.answer = "200 OK"
        self.to = ""

    def subscribe(self, expires: int = 300, **more: str) -> str:
        """The final answer."""
        answer = self.client.authorised(
            "SUBSCRIBE", self.extension, PASSWORDS[self.extension], self.target, **self.headers(expires), **more
        )
        self.to = next(line[4:] for line in answer.splitlines() if line.startswith("To:"))
        return answer

    def headers(self, expires: int) -> dict[str, str]:
        contact = f"<sip:{self.extension}@{self.client.address}:{self.client.port}>"
        return {"Event": self.package, "Expires": str(expires), "Contact": contact}

    def refresh(self, expires: int) -> str:
        """Within the dialog, without a password."""
        target = {"uri": f"sip:centralka@{self.client.server[0]}", "sender": self.extension, "to": self.to}
        self.client.send(self.client.request("SUBSCRIBE", self.target, **target, **self.headers(expires)))
        return self.client.wait(lambda text: text.startswith("SIP/2.0"))

    def hear(self, seconds: float = 0.05) -> None:
        for text in self.client.answers(seconds):
            if text.startswith("NOTIFY "):
                self.notified.append(text)
                self.client.send(self.client.answer(text, self.answer))

    def next(self, what: str = "a NOTIFY comes") -> str:
        """The next one."""

        def heard() -> str | None:
            if not self.notified:
                self.hear()
            return self.notified.pop(0) if self.notified else None

        return until(what, heard)

    def sees(self, state: str) -> ElementTree.Element:
        """Wait until the lamp shows that; the dialog."""
        while True:
            found = dialog(self.next(f"{self.target} is {state}"))
            if found.findtext(f"{INFO}state") == state:
                return found


def document(notify: str) -> ElementTree.Element:
    return ElementTree.fromstring(notify.partition("\r\n\r\n")[2].encode())


def dialog(notify: str) -> ElementTree.Element:
    found = document(notify).find(f"{INFO}dialog")
    assert found is not None
    return found


def header(text: str, name: str) -> str:
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(f"{name}:")), "")


def code(text: str) -> int:
    return int(text.split(" ", 2)[1])


@pytest.fixture
def box() -> Iterator[Box]:
    """101 and 102 in one group, 103 in none."""
    groups = {"items": [{"id": "desk", "name": "Desk", "members": ["101", "102"]}]}
    with Box({"people": people(PASSWORDS), "groups": groups}) as started:
        yield started


def test_a_lamp_is_dark_at_once_then_blinks_then_is_lit_then_dark_again(
    box: Box, client: MakeClient, phone: MakePhone
) -> None:
    anna, ben = phone("101"), phone("102")
    lamp = Watcher(client(), "103", "102")
    answer = lamp.subscribe()
    assert code(answer) == 200
    assert header(answer, "Expires") == "300"
    first = lamp.next()
    assert header(first, "Event") == "dialog"
    assert header(first, "Content-Type") == "application/dialog-info+xml"
    assert re.fullmatch(r"active;expires=(300|299)", header(first, "Subscription-State"))
    assert document(first).attrib == {"version": "0", "state": "full", "entity": f"sip:102@{box.address}"}
    assert dialog(first).findtext(f"{INFO}state") == "terminated"
    anna.dial("102")
    ringing = lamp.sees("early")
    assert ringing.get("direction") == "recipient"
    ben.wait("CALL_INCOMING")
    ben.answer()
    talking = lamp.sees("confirmed")
    assert talking.get("id") == ringing.get("id")
    anna.hang_up()
    assert lamp.sees("terminated").get("id") == ringing.get("id")


def test_a_second_call_neither_hides_the_first_nor_brings_it_back(
    box: Box, client: MakeClient, phone: MakePhone
) -> None:
    anna, ben = phone("101"), phone("102", answers=True)
    lamp = Watcher(client(), "103", "102")
    lamp.subscribe()
    anna.dial("102")
    first = lamp.sees("confirmed").get("id")
    ben.dial("*28")

    def talks() -> list[str | None]:
        return [one.get("id") for one in document(lamp.next()).iter(f"{INFO}dialog")]

    assert first in until("both calls are told", lambda: found if len(found := talks()) == 2 else None)
    until("the first stays", lambda: talks() == [first])
    anna.hang_up()
    assert lamp.sees("terminated").get("id") == first


def test_who_the_other_side_is_only_the_own_group_sees(box: Box, client: MakeClient, phone: MakePhone) -> None:
    anna = phone("101")
    phone("102")
    colleague, stranger = Watcher(client(), "101", "102"), Watcher(client(), "103", "102")
    colleague.subscribe()
    stranger.subscribe()
    anna.dial("102")
    seen = colleague.sees("early")
    identity = seen.find(f"{INFO}remote/{INFO}identity")
    assert identity is not None
    assert identity.text == f"sip:101@{box.address}:5060"
    assert identity.get("display") == "Person 101"
    assert stranger.sees("early").find(f"{INFO}remote") is None


def test_the_lamp_of_a_group_blinks_when_somebody_of_it_rings(box: Box, client: MakeClient, phone: MakePhone) -> None:
    eve = phone("103")
    phone("102")
    lamp = Watcher(client(), "103", "desk")
    lamp.subscribe()
    assert lamp.sees("terminated") is not None
    eve.dial("102")
    lamp.sees("early")
    eve.hang_up()
    lamp.sees("terminated")


def test_the_key_of_night_mode_switches_it_and_is_lit_while_it_is_on(
    box: Box, client: MakeClient, phone: MakePhone
) -> None:
    anna = phone("101")
    lamp = Watcher(client(), "103", "*28")
    assert code(lamp.subscribe()) == 200
    lamp.sees("terminated")
    anna.dial("*28")
    lamp.sees("confirmed")
    box.idle()
    anna.dial("*28")
    lamp.sees("terminated")


def test_a_softphone_sees_who_is_there_and_who_talks(box: Box, client: MakeClient, phone: MakePhone) -> None:
    watcher = Watcher(client(), "103", "102", "presence")
    watcher.subscribe()
    assert "<basic>closed</basic>" in watcher.next()
    ben = phone("102", answers=True)
    assert "<basic>open</basic>" in watcher.next("102 is there")
    anna = phone("101")
    anna.dial("102")
    ben.wait("CALL_ESTABLISHED")
    until("102 talks", lambda: "on-the-phone" in watcher.next())


def test_the_message_lamp_is_told_at_once_and_only_of_the_own_mailbox(box: Box, client: MakeClient) -> None:
    own = Watcher(client(), "101", "101", "message-summary")
    assert code(own.subscribe()) == 200
    told = own.next()
    assert header(told, "Content-Type") == "application/simple-message-summary"
    assert "Messages-Waiting: no\r\n" in told
    assert "Voice-Message: 0/0 (0/0)\r\n" in told
    assert f"Message-Account: sip:*97@{box.address}" in told
    assert code(Watcher(client(), "101", "102", "message-summary").subscribe()) == 403


def test_a_subscription_is_refreshed_without_a_password_and_ended_with_a_last_word(
    box: Box, client: MakeClient
) -> None:
    lamp = Watcher(client(), "101", "102")
    lamp.subscribe()
    lamp.next()
    assert code(lamp.refresh(120)) == 200
    again = lamp.next("a refresh is told the state")
    assert header(again, "Subscription-State").startswith("active;expires=1")
    assert document(again).get("version") == "1"
    assert code(lamp.refresh(0)) == 200
    assert header(lamp.next(), "Subscription-State") == "terminated;reason=timeout"
    assert code(lamp.refresh(300)) == 481


def test_asking_once_is_answered_once(box: Box, client: MakeClient) -> None:
    lamp = Watcher(client(), "101", "102")
    assert code(lamp.subscribe(0)) == 200
    assert header(lamp.next(), "Subscription-State") == "terminated;reason=timeout"
    assert code(lamp.refresh(300)) == 481


def test_a_phone_that_knows_its_subscription_no_more_is_left_alone(
    box: Box, client: MakeClient, phone: MakePhone
) -> None:
    lamp = Watcher(client(), "103", "102")
    lamp.answer = "481 Gone"
    lamp.subscribe()
    lamp.next()
    until("its subscription is dropped", lambda: code(lamp.refresh(300)) == 481)


def test_nobody_takes_over_a_subscription_from_somewhere_else(box: Box, client: MakeClient) -> None:
    lamp = Watcher(client(), "101", "102")
    lamp.subscribe()
    lamp.next()
    thief = Watcher(client(), "101", "102")
    thief.to = lamp.to
    thief.client.call_id, thief.client.cseq = lamp.client.call_id, 50
    assert code(thief.refresh(0)) == 481
    assert code(lamp.refresh(300)) == 200


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({"Event": "as-feature-event"}, 489),
        ({"Accept": "text/plain"}, 406),
        ({"Expires": "20"}, 423),
        ({"Require": "eventlist"}, 420),
        ({"Contact": "<tel:101>"}, 416),
        ({"Contact": "*"}, 416),
        ({"target": "555"}, 404),
    ],
)
def test_what_cannot_be_watched_is_refused_with_the_reason(
    box: Box, client: MakeClient, more: dict[str, str], answer: int
) -> None:
    target = more.pop("target", "102")
    headers = {"Event": "dialog", "Contact": "<sip:101@127.0.0.1>", **more}
    told = client().authorised("SUBSCRIBE", "101", PASSWORDS["101"], target, **headers)
    assert code(told) == answer
    assert header(told, "Allow-Events") == "dialog, message-summary, presence"


def test_a_contact_that_no_request_can_be_sent_to_harms_nobody(box: Box, client: MakeClient) -> None:
    for contact in ("<sip:101@1.2.3.4?Route=%3Csip:1.2.3.4%3E>", "<sips:1@127.0.0.1>", "<sip:1@nowhere.invalid>"):
        one = client()
        code(one.authorised("SUBSCRIBE", "101", PASSWORDS["101"], "102", Event="dialog", Contact=contact))
        one.answers(0.1)
    assert code(Watcher(client(), "101", "102").subscribe()) == 200


def test_a_real_phone_lights_its_message_lamp_by_what_it_is_told(box: Box, phone: MakePhone) -> None:
    anna = phone("101", lamp=True)
    until("101 is told of its messages", lambda: "Voice-Message: 0/0" in anna.log())
    assert "Messages-Waiting: no" in anna.log()


def test_a_real_softphone_shows_who_is_there_and_who_talks(box: Box, phone: MakePhone) -> None:
    anna = phone("101", watches="102")
    until("nobody is there", lambda: "Offline" in anna.command("contacts"))
    ben = phone("102", answers=True)
    until("102 is there", lambda: "Online" in anna.command("contacts"))
    phone("103").dial("102")
    ben.wait("CALL_ESTABLISHED")
    until("102 talks", lambda: "Busy" in anna.command("contacts"))
