"""Who is let in: phones that prove who they are, and nobody else, whatever they send."""

import os
from pathlib import Path

import pytest

from tests.lines.conftest import MakeClient, MakePhone
from tests.peers.box import PASSWORDS, Box, people
from tests.peers.sip_client import sdp
from tests.peers.waiting import until

TORTURE = Path(__file__).parent.parent / "data" / "sip"
SILENT = "silent"
# what may be answered (RFC 4475, for a registrar that challenges); every code of a set is right, silence where named:
# a message with a header that cannot be parsed never leaves PJSIP's parser, its sender hears nothing
ANSWERS: dict[str, set[int | str]] = {
    "wsinv": {481}, "intmeth": {501, 405, 401, SILENT}, "esc01": {401}, "escnull": {401, 404}, "esc02": {501, 405},
    "lwsdisp": {200}, "longreq": {401, 513, 400}, "dblreq": {401, 404, 400}, "semiuri": {200, 404, 401},
    "transports": {200}, "mpart01": {401, 200, 415}, "unreason": {SILENT}, "noreason": {SILENT},
    "badinv01": {400, SILENT}, "clerr": {400, SILENT}, "ncl": {400, SILENT}, "scalar02": {400, SILENT},
    "scalarlg": {SILENT}, "quotbal": {400, SILENT}, "ltgtruri": {400, SILENT}, "lwsruri": {400, SILENT},
    "lwsstart": {400, 401, SILENT}, "trws": {400, 200, SILENT}, "escruri": {400, 401, SILENT},
    "baddate": {400, 401}, "regbadct": {400, 401, 404, SILENT}, "badaspec": {400, 200, SILENT},
    "baddn": {400, 200, SILENT}, "badvers": {505, SILENT}, "mismatch01": {400, SILENT},
    "mismatch02": {400, 501, SILENT}, "bigcode": {SILENT}, "badbranch": {200, 400}, "insuf": {400, SILENT},
    "unkscm": {416, SILENT}, "novelsc": {416, SILENT}, "unksm2": {400, 404, 401, 416, SILENT}, "bext01": {420},
    "invut": {415, 401}, "regaut01": {401, 404, SILENT}, "multi01": {400, SILENT}, "mcl01": {400, SILENT},
    "bcast": {SILENT}, "zeromf": {200, 483}, "cparam01": {401, 404}, "cparam02": {401, 404}, "regescrt": {401, 404},
    "sdp01": {406, 401}, "inv2543": {400, 401},
}  # fmt: skip


def code(text: str) -> int:
    return int(text.split(" ", 2)[1])


def fds(box: Box) -> int:
    return len(os.listdir(f"/proc/{box.processes['exchange'].process.pid}/fd"))


def test_the_torture_messages_get_a_proper_answer_or_silence(box: Box, client: MakeClient) -> None:
    """Never a stop, never a leak: afterwards a phone registers as before."""
    before = fds(box)
    wrong = {}
    for path in sorted(TORTURE.glob("*.dat")):
        one = client()
        one.send(path.read_bytes())
        heard = {code(a) for a in one.answers(0.15) if a.startswith("SIP/2.0")} - {100}
        if not (heard or {SILENT}) <= ANSWERS[path.stem]:
            wrong[path.stem] = heard
    assert wrong == {}
    assert box.status()["calls"] == []
    assert " 200 " in client().authorised("REGISTER", "101", PASSWORDS["101"], Contact="<sip:101@127.0.0.1>")[:14]
    until("descriptors are as before", lambda: fds(box) <= before + 1)


def test_garbage_is_survived_and_noted(box: Box, client: MakeClient) -> None:
    one = client()
    for data in (
        b"\0" * 500,
        b"INVITE\r\n\r\n",
        os.urandom(1400),
        b"\r\n\r\n",
        b"INVITE sip:1 SIP/2.0\r\n" + b"x" * 7000,
    ):
        one.send(data)
    assert one.answers(0.3) == []
    until("the log has a line", lambda: "not a SIP message" in box.log())
    one.send(one.request("OPTIONS"))
    assert code(one.wait()) == 200


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "SUBSCRIBE", "MESSAGE", "PUBLISH"])
def test_strangers_are_challenged_and_an_unknown_user_looks_like_a_wrong_password(
    box: Box, client: MakeClient, method: str
) -> None:
    texts = []
    for user in ("101", "555"):
        one = client()
        one.send(one.request(method, user, Contact="<sip:x@127.0.0.1>"))
        first = one.wait()
        one.send(one.request(method, user, Contact="<sip:x@127.0.0.1>", Authorization=one.credentials(
            first, method, user, "wrong")))  # fmt: skip
        second = one.wait()
        texts.append((code(first), code(second), sorted(line.split(":")[0] for line in second.splitlines())))
    assert texts[0][:2] == (401, 401)
    assert texts[0] == texts[1]
    assert box.status()["calls"] == []


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_phone_registers_with_either_algorithm(box: Box, client: MakeClient, algorithm: str) -> None:
    answer = client().authorised(
        "REGISTER", "101", PASSWORDS["101"], algorithm=algorithm, User_Agent="Linphone/5", Contact="<sip:101@127.0.0.1>"
    )
    assert code(answer) == 200
    assert "Contact: <sip:101@127.0.0.1>;expires=3600" in answer


def test_no_call_is_taken_from_somebody_with_a_wrong_password(box: Box, client: MakeClient, phone: MakePhone) -> None:
    ben = phone("102")
    one = client()
    answer = one.authorised("INVITE", "101", "wrong", "102", Contact="<sip:101@127.0.0.1>",
                            Content_Type="application/sdp", body=sdp(one.address))  # fmt: skip
    assert code(answer) == 401
    assert not ben.saw("CALL_INCOMING")
    assert box.calls() == []


def test_an_old_nonce_is_told_stale_so_that_nobody_types_the_password_again(box: Box, client: MakeClient) -> None:
    one = client()
    one.send(one.request("REGISTER", "101", Contact="<sip:101@127.0.0.1>"))
    challenge = one.wait()
    header = one.credentials(challenge, "REGISTER", "101", PASSWORDS["101"])
    one.send(one.request("REGISTER", "101", Contact="<sip:101@127.0.0.1>", Authorization=header))
    assert code(one.wait()) == 200
    one.send(one.request("REGISTER", "101", Contact="<sip:101@127.0.0.1>", Authorization=header))
    again = one.wait()
    assert code(again) == 401
    assert "stale=true" in again


def test_a_flood_of_strangers_is_answered_so_often_and_then_not_at_all(box: Box, client: MakeClient) -> None:
    one = client()
    for _ in range(200):
        one.send(one.request("REGISTER", "101", Contact="<sip:101@127.0.0.1>"))
    answered = len(one.answers(0.5))
    assert 10 <= answered <= 60
    other = client()
    other.send(other.request("OPTIONS"))
    assert code(other.wait()) == 200


def test_a_bye_from_somewhere_else_does_not_end_a_call(box: Box, client: MakeClient, phone: MakePhone) -> None:
    anna, ben = phone("101"), phone("102", answers=True)
    anna.dial("102")
    anna.wait("CALL_ESTABLISHED")
    ben.wait("CALL_ESTABLISHED")
    call_ids = {str(event["id"]) for event in anna.seen if event.get("id")}
    assert call_ids
    for call_id in call_ids:
        forger = client()
        forger.send(forger.request("BYE", "102", to="<sip:102@x>;tag=1", Call_ID=call_id))
        assert code(forger.wait()) == 481
    assert len(box.status()["calls"]) == 1
    anna.hang_up()
    ben.wait("CALL_CLOSED")


def test_registrations_outlive_a_restart_of_the_exchange(box: Box, phone: MakePhone) -> None:
    anna, ben = phone("101", register=3600), phone("102", register=3600)
    until("both are stored", lambda: len(box.rows("bindings")) == 2)
    box.processes.pop("exchange").kill()
    box.start("exchange")
    assert {p["extension"]: p["state"] for p in box.status()["phones"]}["102"] == "free"
    anna.dial("102")
    ben.wait("CALL_INCOMING")
    ben.hang_up()
    anna.wait("CALL_CLOSED")


def test_a_changed_password_shuts_the_old_phone_out(box: Box, phone: MakePhone) -> None:
    phone("101")
    assert {p["extension"]: p["state"] for p in box.status()["phones"]}["101"] == "free"
    box.put_item("people", "p101", password="AnotherPassword12345")
    assert {p["extension"]: p["state"] for p in box.status()["phones"]}["101"] == "offline"


def test_generated_passwords_have_twenty_characters_and_differ() -> None:
    with Box({"people": people(PASSWORDS)}) as box:
        now = box.ask("settings.get", section="people")
        items = [*now["doc"]["items"], {"id": "p110", "extension": "110", "name": "New"}]
        box.ask("settings.put", section="people", version=now["version"], doc={"items": items})
        shown = box.ask("secret.show", kind="phone", id="p110")
        assert len(shown["password"]) == 20
        assert shown["username"] == "110"
        assert box.ask("password.new")["password"] != box.ask("password.new")["password"]


OFFER = {"Contact": "<sip:101@127.0.0.1>", "Content_Type": "application/sdp"}


def test_a_cancel_that_is_not_the_callers_cancels_nothing(box: Box, client: MakeClient, phone: MakePhone) -> None:
    """PJSIP finds the call by Via alone: another Call-ID does not make the forger honest."""
    ben = phone("102")
    anna, forger = client(), client()
    ringing = anna.authorised("INVITE", "101", PASSWORDS["101"], "102", **OFFER, body=sdp(anna.address))
    assert code(ringing) == 180
    ben.wait("CALL_INCOMING")
    via = f"Via: SIP/2.0/UDP {anna.address}:{anna.port};branch=z9hG4bK{anna.call_id}{anna.cseq};rport"
    text = forger.request("CANCEL", "102", CSeq=str(anna.cseq), Call_ID="forged").decode()
    forger.send("\r\n".join(via if line.startswith("Via") else line for line in text.split("\r\n")).encode())
    assert not [a for a in anna.answers(0.5) if " 487 " in a[:16]]
    assert [call["state"] for call in box.status()["calls"]] == ["ringing"]


@pytest.mark.parametrize("tag", [";tag", ";tag="])
def test_an_empty_tag_makes_no_dialog_and_no_way_in(box: Box, client: MakeClient, tag: str) -> None:
    one = client()
    one.send(one.request("INVITE", "102", to=f"<sip:102@{box.address}>{tag}", Contact="<sip:101@127.0.0.1>"))
    assert {code(a) for a in one.answers(0.5)} - {100} <= {401, 400}
    assert box.status()["calls"] == []


def test_credentials_for_one_number_do_not_call_another(box: Box, client: MakeClient) -> None:
    one = client()
    one.send(one.request("INVITE", "102", sender="101", **OFFER, body=sdp(one.address)))
    challenge = one.wait(lambda text: " 401 " in text[:16])
    proof = one.credentials(challenge, "INVITE", "101", PASSWORDS["101"], target="102")
    one.send(one.request("INVITE", "0900123456", sender="101", Authorization=proof, **OFFER, body=sdp(one.address)))
    assert code(one.wait()) == 400
    assert box.calls() == []


def test_a_call_cannot_take_the_place_of_another(box: Box, client: MakeClient) -> None:
    one = client()
    answer = one.authorised("INVITE", "101", PASSWORDS["101"], "102", **OFFER, body=sdp(one.address),
                            Replaces="x@y;to-tag=1;from-tag=2")  # fmt: skip
    assert code(answer) == 481
    assert box.calls() == []


def test_what_stands_behind_a_contact_does_not_get_into_our_calls(box: Box, client: MakeClient) -> None:
    ben, anna = client(), client()
    contact = f"<sip:102@{ben.address}:{ben.port}?Subject=smuggled&Route=%3Csip:192.0.2.1%3Blr%3E>"
    registered = ben.authorised("REGISTER", "102", PASSWORDS["102"], Contact=contact)
    assert code(registered) == 200
    assert contact in registered, "a phone looks for its own words"
    assert "\r\nDate: " in registered
    anna.send(anna.request("INVITE", "102", sender="101", **OFFER, body=sdp(anna.address)))
    proof = anna.credentials(anna.wait(), "INVITE", "101", PASSWORDS["101"], target="102")
    anna.send(anna.request("INVITE", "102", sender="101", Authorization=proof, **OFFER, body=sdp(anna.address)))
    invite = ben.wait(lambda text: text.startswith("INVITE"))
    assert "smuggled" not in invite
    assert "192.0.2.1" not in invite


def test_a_phone_behind_nat_is_called_where_its_packets_come_from(
    box: Box, client: MakeClient, phone: MakePhone
) -> None:
    """Its contact and its Via name an address of a private network that nothing here can reach."""
    ben, inside = client(), "10.255.255.254:5060"
    via = f"Via: SIP/2.0/UDP {ben.address}:{ben.port}".encode()

    def register(**more: str) -> str:
        request = ben.request("REGISTER", "102", Contact=f"<sip:102@{inside}>", **more)
        ben.send(request.replace(via, f"Via: SIP/2.0/UDP {inside}".encode()))
        return ben.wait(lambda text: text.startswith("SIP/2.0"))

    registered = register(Authorization=ben.credentials(register(), "REGISTER", "102", PASSWORDS["102"]))
    assert code(registered) == 200
    assert f"received={ben.address}" in registered
    anna = phone("101")
    anna.dial("102")
    invite = ben.wait(lambda text: text.startswith("INVITE"))
    assert invite.startswith(f"INVITE sip:102@{inside}"), "a phone knows itself by its own words"
    ben.send(ben.answer(invite, "180 Ringing"))
    anna.wait("CALL_RINGING")
    ben.send(ben.answer(invite, "200 OK", sdp("10.255.255.254"), Contact=f"<sip:102@{inside}>"))
    assert ben.wait(lambda text: text.startswith("ACK"))
    anna.wait("CALL_ESTABLISHED")
    anna.hang_up()
    assert ben.wait(lambda text: text.startswith("BYE"))
