"""Trunks that sign in: calls in and out over a provider, and what happens when the provider does not play along."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.settings.secret import Secret
from tests.peers import sound
from tests.peers.addresses import new_address
from tests.peers.baresip import Phone
from tests.peers.box import PASSWORDS, Box, people
from tests.peers.provider import PASSWORD, Provider, head
from tests.peers.sip_client import sdp
from tests.peers.waiting import until

NUMBER = "+48221234500"
OUTSIDE = "+48600100200"


def trunk(provider: str, line: str = "sip0", **more: object) -> dict:
    """A line of the kind `sip`, signing in."""
    return {
        "id": line, "kind": "sip", "label": "City line", "number": NUMBER, "sip_host": provider, "group": "office",
        "sip_user": "482212345", "sip_password": Secret(PASSWORD), **more,
    }  # fmt: skip


def office(*lines: dict, names: str = "", **sections: dict) -> Box:
    """A box with these lines and a group of two phones; `names`: its name server."""
    return Box({
        "people": people(PASSWORDS),
        "groups": {"items": [{"id": "office", "name": "Office", "members": ["101", "102"], "seconds": 30}]},
        "lines": {"items": list(lines)},
        **sections,
    }, CENTRALKA_NAMESERVERS=names or "127.0.0.1:1")  # fmt: skip


def line_of(box: Box, line: str = "sip0") -> dict:
    return next(one for one in box.status()["lines"] if one["id"] == line)


def wait_state(box: Box, state: str, seconds: float = 10.0, line: str = "sip0") -> dict:
    return until(f"{line} is {state}", lambda: f if (f := line_of(box, line))["state"] == state else None, seconds, 0.1)


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider(new_address())
    yield one
    one.stop()


@pytest.fixture
def box(provider: Provider) -> Iterator[Box]:
    with office(trunk(provider.address)) as started:
        provider.wait_registered()
        wait_state(started, "in-service")
        yield started


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Callable[..., Phone]]:
    """Makes registered phones: `phone(box, "101", hertz=440)`."""
    made: list[Phone] = []

    def make(box: Box, extension: str, hertz: float = 0, **more: object) -> Phone:
        mic = tmp_path / f"mic{len(made)}.wav"
        sound.tone(mic, hertz, 60) if hertz else sound.silence(mic, 60)
        one = Phone(tmp_path / f"phone{len(made)}", new_address(), box.address, extension, PASSWORDS[extension], mic,
                    **more)  # type: ignore[arg-type]  # fmt: skip
        made.append(one)
        return one.wait_registered()

    yield make
    for one in made:
        one.stop()


def here(box: Box) -> tuple[str, int]:
    return box.address, 5060


# ---- signing in ---------------------------------------------------------------------------------------------------


def test_a_trunk_signs_in_and_its_state_is_told(box: Box, provider: Provider) -> None:
    line = line_of(box)
    assert (line["kind"], line["usable"], line["busy"]) == ("sip", True, False)
    facts = line["facts"]
    assert facts["peer"] == f"{provider.address}:5060"
    assert 500 < int(facts["expires"]) <= 600
    assert provider.contact.startswith("sip:482212345@" + box.address)


def test_it_signs_out_when_the_box_ends(box: Box, provider: Provider) -> None:
    box.processes["exchange"].process.terminate()
    assert box.processes["exchange"].process.wait(10) == 0
    until("it signed out", lambda: not provider.contact, 5)


def test_a_refused_password_is_told_and_the_provider_is_left_alone(provider: Provider) -> None:
    with office(trunk(provider.address, sip_password=Secret("wrong"))) as box:
        line = wait_state(box, "password-refused")
        assert line["usable"] is False
        assert line["facts"]["said"].startswith("401")
        assert any(note["message"] == "trunk-password" for note in box.status()["notes"])
        tries = len(provider.got("REGISTER"))
        time.sleep(3)  # what must not happen cannot be waited for
        assert len(provider.got("REGISTER")) == tries
        assert "wrong" not in box.log()
        assert PASSWORD not in box.log()


def test_the_right_password_is_tried_at_once_when_it_is_saved(provider: Provider) -> None:
    with office(trunk(provider.address, sip_password=Secret("wrong"))) as box:
        wait_state(box, "password-refused")
        box.put_item("lines", "sip0", sip_password=PASSWORD)
        wait_state(box, "in-service")


def test_register_now_does_not_wait_for_the_plan(provider: Provider) -> None:
    provider.refuses = "403 Forbidden"
    with office(trunk(provider.address)) as box:
        wait_state(box, "password-refused")
        provider.refuses = ""
        box.ask("line.register", line="sip0")
        wait_state(box, "in-service")


def test_a_provider_that_goes_away_and_comes_back_is_told_both_times(box: Box, provider: Provider, phone) -> None:
    provider.stop()
    box.ask("line.register", line="sip0")  # asks at once; left alone it is noticed within half a minute
    line = wait_state(box, "no-provider", 40)
    assert line["usable"] is False
    assert [note["message"] for note in box.status()["notes"] if note["message"].startswith("trunk")] == ["trunk-gone"]
    provider.start()
    provider.wait_registered(40)
    wait_state(box, "in-service")
    events = [row["message"] for row in box.rows("events") if row["message"].startswith("line")]
    assert events == ["line-up", "line-down", "line-up"]
    ben = phone(box, "102")
    call = provider.call(here(box))
    ben.wait("CALL_INCOMING")
    call.cancel()
    ben.wait("CALL_CLOSED")


# ---- calls --------------------------------------------------------------------------------------------------------


def test_a_call_from_outside_rings_the_group_and_is_answered(box: Box, provider: Provider, phone) -> None:
    ben = phone(box, "102")
    call = provider.call(here(box), P_Asserted_Identity=f'"Marta" <sip:{OUTSIDE}@x>')
    ben.wait("CALL_INCOMING")
    call.wait("180")
    ben.answer()
    call.ack()
    ben.wait("CALL_ESTABLISHED")
    call.hang_up()
    ben.wait("CALL_CLOSED")
    [row] = box.wait_calls()
    assert (row["direction"], row["line"], row["caller"], row["called"]) == ("in", "sip0", OUTSIDE, NUMBER)
    assert (row["caller_name"], row["answered_by"], row["cause"]) == ("Marta", "102", "normal")


def test_a_caller_who_gives_up_stops_the_ringing(box: Box, provider: Provider, phone) -> None:
    ben = phone(box, "102")
    call = provider.call(here(box))
    ben.wait("CALL_INCOMING")
    call.cancel()
    ben.wait("CALL_CLOSED")
    assert box.wait_calls()[0]["cause"] == "cancelled"
    box.idle()


def test_a_call_to_outside_goes_out_with_the_number_of_the_line(box: Box, provider: Provider, phone) -> None:
    anna = phone(box, "101")
    anna.dial("600100200")
    anna.wait("CALL_ESTABLISHED")
    invite = provider.got("INVITE")[0]
    assert invite.startswith(f"INVITE sip:{OUTSIDE}@{provider.address} ")
    assert f"P-Asserted-Identity: <sip:{NUMBER}@{provider.address}>" in invite
    assert f"From: <sip:482212345@{provider.address}>" in invite
    assert "Route:" not in invite
    anna.hang_up()
    provider.wait_for("BYE")
    [row] = box.wait_calls()
    assert (row["direction"], row["called"], row["answered_by"], row["cause"]) == ("out", OUTSIDE, "sip0", "normal")
    box.idle()


def test_a_hidden_number_is_in_no_header_that_the_callee_sees(provider: Provider, phone) -> None:
    rule = {"id": "all", "pattern": "*", "lines": ["sip0"], "withhold": True}
    with office(trunk(provider.address), outgoing={"items": [rule]}) as box:
        wait_state(box, "in-service")
        anna = phone(box, "101")
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        invite = provider.got("INVITE")[0]
        assert 'From: "Anonymous" <sip:anonymous@anonymous.invalid>' in invite
        assert "Privacy: id" in invite
        anna.hang_up()
        box.wait_calls()


@pytest.mark.parametrize(
    ("answer", "cause"),
    [("486 Busy Here", "busy"), ("603 Decline", "rejected"), ("404 Not Found", "unknown-number"),
     ("480 Temporarily Unavailable", "no-answer"), ("484 Address Incomplete", "unknown-number"),
     ("600 Busy Everywhere", "busy")],
)  # fmt: skip
def test_what_the_provider_answers_is_told_with_its_words(box: Box, provider: Provider, phone, answer, cause) -> None:
    provider.answers = (answer,)
    anna = phone(box, "101")
    anna.dial("600100200")
    anna.wait("CALL_CLOSED")
    [row] = box.wait_calls()
    assert row["cause"] == cause
    assert row["legs"][-1]["detail"] == answer


@pytest.mark.parametrize("answer", ["403 Forbidden", "402 Payment Required", "503 Service Unavailable",
                                    "500 Server Error", "302 Moved Temporarily"])  # fmt: skip
def test_a_fault_of_the_line_is_told_as_no_line_free(box: Box, provider: Provider, phone, answer) -> None:
    """Another line would have been tried; here is none. A redirection is never followed."""
    provider.answers = (answer,)
    provider.extra = {"Contact": "<sip:+88213000@127.0.0.1>"} if answer.startswith("302") else {}
    anna = phone(box, "101")
    anna.dial("600100200")
    [row] = box.wait_calls(seconds=20)
    assert row["legs"][-1]["detail"] == answer
    assert len(provider.got("INVITE")) == 1
    assert not any("88213000" in one for one in provider.requests[1:])


# ---- sound --------------------------------------------------------------------------------------------------------


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Callable[..., Phone]]:
    """baresip as the provider's switch: `switch(user, hertz)`; it takes calls to that user at its address."""
    made: list[Phone] = []

    def make(box_address: str, user: str, hertz: float, address: str = "", **more: object) -> Phone:
        mic = sound.tone(tmp_path / f"switch{len(made)}.wav", hertz, 60)
        address = address or new_address()
        one = Phone(tmp_path / f"switch{len(made)}", address, box_address, user, "none", mic, register=0, **more)
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()


def hear(*pairs: tuple[Phone, float, float]) -> None:
    """Each hears the tone of the other and not its own."""
    for listener, tone, own in pairs:
        heard = sound.analyse(sound.read(listener.heard()), tone, own)
        assert heard.share > 0.8, (listener.extension, heard)
        assert heard.own < 0.01


def test_both_hear_each_other_on_a_call_out(phone, switch) -> None:
    provider = new_address()
    with office(trunk(provider, sip_register=False, sip_user="", sip_password="")) as box:
        far = switch(box.address, OUTSIDE, 1000, provider, answers=True)
        wait_state(box, "in-service", 15)
        anna = phone(box, "101", hertz=440)
        anna.dial("600100200")
        anna.wait("CALL_ESTABLISHED")
        far.wait("CALL_ESTABLISHED")
        until("4.5 s of talk", lambda: sum(len(sound.read(p.heard())) for p in (anna, far)) > 2 * 4.5 * 8000, 15, 0.2)
        far.press("12*")
        until("anna sees the digits", lambda: anna.digits() == "12*")
        anna.press("0#9")
        until("the far end sees the digits", lambda: far.digits() == "0#9")
        anna.hang_up()
        far.wait("CALL_CLOSED")
        hear((anna, 1000, 440), (far, 440, 1000))
        box.wait_calls()


def test_both_hear_each_other_on_a_call_in(phone, switch) -> None:
    provider = new_address()
    with office(trunk(provider, sip_register=False, sip_user="", sip_password="")) as box:
        ben = phone(box, "102", hertz=440)
        far = switch(box.address, OUTSIDE, 1000, provider)
        wait_state(box, "in-service", 15)
        far.dial(NUMBER)
        ben.wait("CALL_INCOMING")
        ben.answer()
        far.wait("CALL_ESTABLISHED")
        ben.wait("CALL_ESTABLISHED")
        until("4.5 s of talk", lambda: sum(len(sound.read(p.heard())) for p in (ben, far)) > 2 * 4.5 * 8000, 15, 0.2)
        far.hang_up()
        ben.wait("CALL_CLOSED")
        hear((ben, 1000, 440), (far, 440, 1000))
        [row] = box.wait_calls()
        assert (row["caller"], row["called"], row["line"]) == (OUTSIDE, NUMBER, "sip0")


# ---- before the answer --------------------------------------------------------------------------------------------


def test_what_the_provider_plays_before_the_answer_is_heard(box: Box, provider: Provider, phone) -> None:
    """Early media: an announcement, or the network's own ringing."""
    provider.answers = ("183", "tone 1000", "wait")
    anna = phone(box, "101")
    anna.dial("600100200")
    anna.wait("CALL_PROGRESS")
    until("four seconds before an answer", lambda: len(sound.read(anna.heard())) > 5 * 8000, 15, 0.2)
    assert not anna.saw("CALL_ESTABLISHED")
    assert sound.analyse(sound.read(anna.heard()), 1000, 440).share > 0.8
    anna.hang_up()
    assert box.wait_calls()[0]["cause"] == "cancelled"


@pytest.mark.parametrize("answers", [("183", "sleep 0.5", "200"), ("200",), ("180", "183", "180", "200"),
                                     ("183 bare", "sleep 0.5", "200")])  # fmt: skip
def test_a_provider_may_ring_in_its_own_way(box: Box, provider: Provider, phone, answers) -> None:
    """183 alone, no 180 at all, both, or a 183 without sound: the call comes about."""
    provider.answers = answers
    anna = phone(box, "101")
    anna.dial("600100200")
    if answers[0] == "183 bare":
        anna.wait("CALL_RINGING")
    elif answers[0] == "183":
        anna.wait("CALL_PROGRESS")
    anna.wait("CALL_ESTABLISHED")
    anna.hang_up()
    provider.wait_for("BYE")
    assert box.wait_calls()[0]["cause"] == "normal"


def test_a_caller_who_gives_up_while_it_rings_outside_is_told_to_the_provider(box: Box, provider: Provider, phone):
    provider.answers = ("183", "wait")
    anna = phone(box, "101")
    anna.dial("600100200")
    anna.wait("CALL_PROGRESS")
    anna.hang_up()
    provider.wait_for("CANCEL")
    assert box.wait_calls()[0]["cause"] == "cancelled"
    box.idle()


def test_keys_that_a_provider_tells_by_info_are_heard(box: Box, provider: Provider, phone) -> None:
    ben = phone(box, "102", answers=True)
    call = provider.call(here(box))
    call.ack()
    ben.wait("CALL_ESTABLISHED")
    call.info("5")
    until("ben sees the key", lambda: ben.digits() == "5")
    call.hang_up()
    ben.wait("CALL_CLOSED")


def test_media_that_a_provider_moves_within_a_call_keeps_the_call(box: Box, provider: Provider, phone) -> None:
    """A re-INVITE with another port, and one without an offer; both are answered with one."""
    ben = phone(box, "102", answers=True)
    call = provider.call(here(box))
    call.ack()
    ben.wait("CALL_ESTABLISHED")
    for number, body in ((5, sdp(provider.address, 9100)), (6, "")):
        call.invite_again(number, body)
        answer = provider.wait_reply(
            lambda r, n=number: r.startswith("SIP/2.0 200") and head(r, "CSeq") == f"{n} INVITE"
        )
        assert "m=audio" in answer
        call.ack_again(number, "" if body else sdp(provider.address, 9100))
    assert box.status()["calls"][0]["state"] == "talking"
    call.hang_up(9)
    ben.wait("CALL_CLOSED")
    assert box.wait_calls()[0]["cause"] == "normal"
