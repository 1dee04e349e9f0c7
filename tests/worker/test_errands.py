"""Messages that rules send on as SMS: once each, at most so many an hour."""

from appliance.core.sms_rules import Rule
from tests.peers.exim import until
from tests.worker.box import Box
from tests.worker.stand_in import Sender

ON = Rule("on", "On", "sms", number="+48600100299")


def test_a_message_is_sent_on_once_though_the_worker_is_killed(box: Box) -> None:
    assert box.writer.start() is None
    with Sender(box) as exchange:
        exchange.refuse = "journal-error"
        box.start()
        box.sms("come at noon", to=(), rules=(ON,))
        until(lambda: exchange.asked, 10, box.log)
        box.kill()
        exchange.refuse = ""
        box.start()
        box.datagram(b"clock 120")
        until(lambda: box.outbox()[0]["state"] == "sent", 10, box.log)
        [one] = exchange.sent
        assert (one["to"], one["origin"], one["line"]) == ("+48600100299", "rule", "gsm0")
        assert one["text"] == "Fwd +48600100200: come at noon"


def test_a_number_that_the_exchange_refuses_for_good_is_told(box: Box) -> None:
    assert box.writer.start() is None
    with Sender(box) as exchange:
        exchange.refuse = "not-allowed-number"
        box.start()
        box.sms("come at noon", to=(), rules=(ON,))
        until(lambda: box.outbox()[0]["state"] == "dead", 10, box.log)
        until(lambda: box.events(), 10, box.log)
        assert box.events()[0][0] == "forward-dead"


def test_more_than_twenty_an_hour_wait_and_people_are_told_once(box: Box) -> None:
    assert box.writer.start() is None
    with Sender(box) as exchange:
        box.start()
        for n in range(24):
            box.sms(f"message {n}", to=(), rules=(ON,))
        until(lambda: box.events(), 20, box.log)
        until(lambda: all(row["attempts"] for row in box.outbox()), 20, box.log)
        assert 20 <= len(exchange.sent) <= 22  # three are on their way at once
        assert [message for message, _ in box.events()] == ["sms-cap"]
        assert {row["state"] for row in box.outbox()} <= {"sent", "waiting", "leased"}
