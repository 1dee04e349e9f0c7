"""Phones that watch, without a wire: how many, how long, and what a phone that is gone costs."""

from itertools import count

from appliance.core.watching import Stage, Talk, Watched
from appliance.lines.message_lamps import MessageLamps
from appliance.lines.subscriptions import GAP, MOST, MOST_A_TURN, MOST_OF_A_PHONE, Reply, Subscriptions
from appliance.native.api import Notify
from appliance.protocols.registrar import Binding, Flow
from appliance.protocols.sip_text import SipRequest

FLOW = Flow("udp", "10.0.0.7", 5062)
OWN = "10.0.0.1:5060"
RINGING = Watched((Talk("b", Stage.EARLY, False, "101", "Anna"),), seen_by=frozenset({"101"}))


class Desk:
    """Subscriptions with a clock, and a phone network that notes what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[Notify, int]] = []
        self.takes = True
        self.all = Subscriptions(self._send, OWN)
        self.at = 0.0
        self._calls = count(1)
        self.all.show("102", Watched(), 0)

    def _send(self, notify: Notify, token: int) -> bool:
        self.sent.append((notify, token))
        return self.takes

    def subscribe(
        self, name: str = "102", extension: str = "101", flow: Flow = FLOW, expires: int = 300, event: str = "dialog"
    ) -> Reply:
        return self.all.subscribe(request(name, f"c{next(self._calls)}", expires, event), extension, flow, self.at)

    def passes(self, seconds: float) -> None:
        self.at += seconds
        self.all.poll(self.at)

    def told(self, code: int = 200) -> list[Notify]:
        """What was sent since the last look, each answered."""
        self.all.poll(self.at)
        sent, self.sent = self.sent, []
        for _, token in sent:
            self.all.answered(token, code, self.at)
        return [notify for notify, _ in sent]


def request(
    name: str, call_id: str, expires: int = 300, event: str = "dialog", to: str = "", cseq: int = 1
) -> SipRequest:
    headers = {
        "from": "<sip:101@box>;tag=1", "to": f"<sip:{name}@box>{to}", "call-id": call_id, "via": "x",
        "cseq": f"{cseq} SUBSCRIBE", "contact": "<sip:101@192.168.1.5>", "event": event, "expires": str(expires),
    }  # fmt: skip
    return SipRequest("SUBSCRIBE", f"sip:{name}@box", {key: (value,) for key, value in headers.items()}, "")


def test_changes_of_a_moment_are_told_once_and_the_last_wins() -> None:
    desk = Desk()
    desk.subscribe()
    assert len(desk.told()) == 1
    desk.all.show("102", RINGING, desk.at)
    desk.all.show("102", Watched(), desk.at)
    desk.all.show("102", RINGING, desk.at)
    assert desk.told() == []
    desk.passes(GAP)
    (notify,) = desk.told()
    assert "<state>early</state>" in notify.body
    assert 'version="1"' in notify.body
    assert notify.cseq == 2


def test_what_is_as_it_was_is_not_told() -> None:
    desk = Desk()
    desk.subscribe()
    desk.told()
    desk.all.show("102", RINGING, desk.at)
    desk.all.show("102", Watched(), desk.at)
    desk.passes(GAP)
    assert desk.told() == []


def test_a_phone_that_is_slow_has_one_notify_under_way() -> None:
    desk = Desk()
    desk.subscribe()
    desk.passes(0)
    desk.all.show("102", RINGING, desk.at)
    desk.passes(5)
    assert len(desk.sent) == 1
    desk.told()
    assert len(desk.told()) == 1


def test_a_phone_that_refuses_or_stays_silent_is_told_no_more() -> None:
    for code in (481, 408, 489, 404, 603):
        desk = Desk()
        desk.subscribe()
        desk.told(code)
        assert len(desk.all) == 0


def test_a_phone_that_cannot_now_is_asked_once_more() -> None:
    desk = Desk()
    desk.subscribe()
    desk.told(500)
    desk.passes(6)
    assert len(desk.told(500)) == 1
    assert len(desk.all) == 0


def test_a_notify_that_cannot_be_sent_ends_the_subscription() -> None:
    desk = Desk()
    desk.takes = False
    desk.subscribe()
    desk.told()
    assert len(desk.all) == 0


def test_what_runs_out_is_told_and_forgotten() -> None:
    desk = Desk()
    desk.subscribe(expires=60)
    desk.told()
    desk.passes(61)
    (last,) = desk.told()
    assert ("Subscription-State", "terminated;reason=timeout") in last.headers
    assert len(desk.all) == 0


def test_a_phone_has_so_many_lamps_and_the_office_so_many_in_all() -> None:
    desk = Desk()
    for number in range(MOST_OF_A_PHONE + 1):
        desk.all.show(f"x{number}", Watched(), 0)
    codes = [desk.subscribe(f"x{number}").code for number in range(MOST_OF_A_PHONE + 1)]
    assert codes == [200] * MOST_OF_A_PHONE + [403]
    assert desk.subscribe("x0").code == 200
    assert len(desk.all) == MOST_OF_A_PHONE
    for phone in range(MOST // MOST_OF_A_PHONE - 1):
        for number in range(MOST_OF_A_PHONE):
            assert desk.subscribe(f"x{number}", flow=Flow("udp", "10.0.0.8", 1000 + phone)).code == 200
    full = desk.subscribe(flow=Flow("udp", "10.0.0.9", 5060))
    assert (full.code, len(desk.all)) == (503, MOST)
    assert ("Retry-After", "300") in full.headers


def test_a_phone_that_restarted_takes_the_place_of_its_old_subscription() -> None:
    desk = Desk()
    old = desk.subscribe()
    desk.told()
    assert desk.subscribe().tag != old.tag
    assert len(desk.all) == 1
    assert desk.all.refresh(request("102", "c1", to=f";tag={old.tag}", cseq=2), FLOW, desk.at) is None


def test_a_refresh_follows_a_phone_to_its_new_port_and_an_old_one_is_out_of_order() -> None:
    desk = Desk()
    tag = f";tag={desk.subscribe().tag}"
    desk.told()
    moved = Flow("udp", FLOW.host, 6000)
    found = desk.all.refresh(request("102", "c1", to=tag, cseq=2), moved, desk.at)
    assert found is not None
    assert found.code == 200
    assert desk.told()[0].route == "<sip:10.0.0.7:6000;transport=udp;lr;hide>"
    again = desk.all.refresh(request("102", "c1", to=tag, cseq=2), moved, desk.at)
    assert again is not None
    assert again.code == 500


def test_a_closed_connection_and_a_person_taken_off_end_what_they_watched() -> None:
    desk = Desk()
    desk.subscribe(flow=Flow("tcp", "10.0.0.7", 5062, 9))
    desk.told()
    desk.all.connection_lost(9)
    assert len(desk.all) == 0
    desk.subscribe()
    desk.told()
    desk.all.remove_extension("101", desk.at)
    assert ("Subscription-State", "terminated;reason=deactivated") in desk.told()[0].headers
    assert len(desk.all) == 0


def test_somebody_who_is_watched_and_leaves_the_office_is_told_to_be_gone() -> None:
    desk = Desk()
    desk.subscribe()
    desk.told()
    desk.all.show("102", None, desk.at)
    assert ("Subscription-State", "terminated;reason=noresource") in desk.told()[0].headers
    assert desk.subscribe().code == 404


def test_a_thousand_lamps_leave_the_loop_its_turns() -> None:
    desk = Desk()
    for port in range(100):
        desk.subscribe(flow=Flow("udp", "10.0.0.8", 1000 + port))
    desk.passes(0)
    assert len(desk.sent) == MOST_A_TURN
    for _ in range(4):
        desk.passes(0.02)
    assert len({notify.route for notify, _ in desk.sent}) == 100


def test_a_new_message_lights_the_lamp_and_hearing_it_puts_it_out() -> None:
    desk = Desk()
    desk.subscribe("*97", event="message-summary")
    assert "Messages-Waiting: no" in desk.told()[0].body
    desk.all.show_messages("101", (1, 0), desk.at)
    desk.passes(GAP)
    assert "Messages-Waiting: yes" in desk.told()[0].body
    desk.all.show_messages("101", (0, 1), desk.at)
    desk.passes(GAP)
    assert "Voice-Message: 0/1 (0/0)" in desk.told()[0].body


def binding(call_id: str = "r1") -> Binding:
    return Binding("101", "k", "sip:101@192.168.1.5", call_id, 1, 1e9, FLOW)


def test_a_phone_that_never_asks_is_told_at_each_change_and_not_again_once_it_refuses() -> None:
    sent: list[tuple[Notify, int]] = []
    subscribed: set[str] = set()
    counted = {"101": (1, 0)}
    lamps = MessageLamps(lambda n, t: bool(sent.append((n, t)) or True), OWN, lambda e, host: e in subscribed)
    phones = [binding()]

    def look(at: float) -> int:
        before = len(sent)
        lamps.poll(lambda: phones, lambda e: counted[e], at)
        return len(sent) - before

    assert look(1) == 0  # off unless the owner wants it
    lamps.on = True
    assert (look(2), look(4)) == (1, 0)
    assert "Messages-Waiting: yes" in sent[0][0].body
    assert sent[0][0].to_tag == ""
    counted["101"] = (0, 1)
    assert look(6) == 1
    lamps.answered(sent[-1][1], 489)
    counted["101"] = (2, 1)
    assert look(8) == 0
    phones[:] = [binding("r2")]
    assert look(10) == 1
    subscribed.add("101")
    counted["101"] = (0, 0)
    assert look(12) == 0
