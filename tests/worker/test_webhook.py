"""A webhook reaches a real receiver, signed; every other kind of answer has its consequence."""

import hashlib
import hmac
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.core.sms_rules import Rule
from appliance.settings.secret import Secret
from appliance.worker.webhook import Hook, body_of, call
from tests.peers.certificates import make_certificates
from tests.peers.exim import until
from tests.peers.receiver import Receiver
from tests.worker.box import Box
from tests.worker.rows import item

HOOK_RULE = Rule("shop", "Shop", "webhook")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def hook(to: Receiver, secret: str = "s3cret") -> Hook:
    return Hook("Shop", to.url, Secret(secret))


def test_the_receiver_can_check_the_signature_and_read_the_message(receiver: Receiver) -> None:
    answer = call(hook(receiver), "key-1", body_of(item("Kod: 482913"), hook(receiver)), 1_795_000_000.9)
    assert answer.state == "sent"
    [got] = receiver.got
    signed = got.headers["X-Centralka-Timestamp"].encode() + b"." + got.body
    wanted = "sha256=" + hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert got.headers["X-Centralka-Signature"] == wanted
    assert (got.headers["X-Centralka-Timestamp"], got.headers["Idempotency-Key"]) == ("1795000000", "key-1")
    assert got.path == "/hook?office=1"
    body = json.loads(got.body)
    assert (body["event"], body["rule"], body["message"]["text"], body["message"]["code"]) == (
        "message", "Shop", "Kod: 482913", "482913",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state"),
    [(204, "sent"), (400, "dead"), (404, "dead"), (410, "dead"), (408, "waiting"), (425, "waiting"), (429, "waiting"),
     (500, "waiting"), (503, "waiting")],
)  # fmt: skip
def test_an_answer_ends_it_or_is_tried_again(receiver: Receiver, status: int, state: str) -> None:
    receiver.status = status
    answer = call(hook(receiver), "k", b"{}", 0)
    assert answer.state == state
    assert "\x1b" not in answer.words


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        receiver.status, receiver.moved = 307, elsewhere.url
        assert call(hook(receiver), "k", b"{}", 0).state == "waiting"
        assert elsewhere.got == []


def test_a_receiver_that_hangs_or_never_stops_talking_is_left(receiver: Receiver) -> None:
    receiver.slow = True
    answer = call(hook(receiver), "k", b"{}", 0, seconds=0.5)
    assert (answer.state, answer.error) == ("waiting", "hook-slow")
    receiver.slow, receiver.huge = False, True
    assert call(hook(receiver), "k", b"{}", 0, seconds=5).state == "sent"


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "0.0.0.0", "224.0.0.1"])
def test_an_address_that_holds_the_keys_of_a_machine_is_never_called(host: str) -> None:
    answer = call(Hook("x", f"http://{host}/latest/meta-data", Secret("")), "k", b"{}", 0)
    assert (answer.state, answer.error) == ("dead", "hook-address")


def test_a_certificate_must_hold(tmp_path: Path) -> None:
    made = make_certificates(tmp_path, ("127.0.0.1",))
    with Receiver((tmp_path / "cert.pem", tmp_path / "key.pem")) as receiver:
        assert call(hook(receiver), "k", b"{}", 0).error == "hook-certificate"
        assert receiver.got == []
        roots = ssl.create_default_context(cafile=str(made.authority))
        assert call(hook(receiver), "k", b"{}", 0, roots).state == "sent"


def test_a_receiver_that_is_away_gets_it_later(box: Box) -> None:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    gone = call(Hook("x", f"http://127.0.0.1:{port}/", Secret("")), "k", b"{}", 0)
    assert (gone.state, gone.error) == ("waiting", "hook-no-server")
    with Receiver(status=503) as receiver:
        put_rule(box, receiver.url)
        assert box.writer.start() is None
        box.start()
        box.sms("for the shop", to=(), rules=(HOOK_RULE,))
        until(lambda: receiver.got, 10, box.log)
        [row] = box.outbox()
        assert (row["kind"], row["sms_id"]) == ("webhook", 1)
        receiver.status = 200
        until(lambda: box.outbox()[0]["state"] == "waiting", 10, box.log)
        box.datagram(b"clock 120")
        until(lambda: box.outbox()[0]["state"] == "sent", 10, box.log)
        first, second = receiver.got[:2]
        assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
        assert first.body == second.body


def test_a_receiver_that_wants_no_more_is_told_to_people(box: Box) -> None:
    with Receiver(status=410) as receiver:
        put_rule(box, receiver.url)
        assert box.writer.start() is None
        box.start()
        box.sms("for the shop", to=(), rules=(HOOK_RULE,))
        until(lambda: box.outbox()[0]["state"] == "dead", 10, box.log)
        until(lambda: box.events(), 10, box.log)
        [(message, facts)] = box.events()
        assert message == "hook-dead"
        assert facts["rule"] == "Shop"
        assert "s3cret" not in box.log()


def test_webhooks_leave_while_mail_is_off_and_a_hanging_one_holds_no_other_up(box: Box) -> None:
    with Receiver(slow=True) as hanging, Receiver() as quick:
        box.store.put(
            "sms_rules", None,
            {"items": [rule_doc("slow", hanging.url), rule_doc("shop", quick.url)]},
        )  # fmt: skip
        assert box.writer.start() is None
        box.start()
        box.sms("one", to=(), rules=(Rule("slow", "Slow", "webhook"),))
        until(lambda: hanging.got, 10, box.log)
        box.sms("two", to=(), rules=(HOOK_RULE,))
        until(lambda: quick.got, 8, box.log)
        assert [json.loads(one.body)["message"]["text"] for one in quick.got] == ["two"]


def rule_doc(name: str, url: str) -> dict[str, object]:
    return {"id": name, "name": name.title(), "action": "webhook", "url": url, "secret": Secret("s3cret")}


def put_rule(box: Box, url: str) -> None:
    box.store.put("sms_rules", None, {"items": [rule_doc("shop", url)]})
