"""The modem as a machine, against a table of answers, with the time in our hands."""

import re

import pytest

from appliance.protocols import modem_events as said
from appliance.protocols import modem_text as text
from appliance.protocols.modem import Modem
from appliance.protocols.modem_families import FAMILIES, OTHERS, family_of

PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
READY = {
    "AT": "", "ATE0": "", "AT+CMEE=1": "", "AT+CGMI": "huawei", "AT+CGMM": "E1752", "AT+CFUN?": "+CFUN: 1",
    "AT+CPIN?": "+CPIN: READY", "AT+CPMS=?": '+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")', "AT+CPMS?":
    '+CPMS: "SM",0,20,"SM",0,20,"SM",0,20', "AT+CREG?": "+CREG: 2,1", "AT+CEREG?": None, "AT+CSQ": "+CSQ: 20,99",
    "AT+COPS?": '+COPS: 0,0,"Orange PL",2', "AT+CMGF=0": "", "AT+CLIP=1": "",
    "AT^ICCID?": "^ICCID: 8948031234567890123",
}  # fmt: skip


class Bench:
    """A modem, what its device answers, and what it told."""

    def __init__(self, pin: str = "", **answers: str | None) -> None:
        self.tried: list[str] = []
        self.right: list[str] = []
        self.modem = Modem(pin=pin, may_try_pin=self._may, pin_was_right=self.right.append)
        self.answers: dict[str, str | None] = {**READY, **answers}
        self.sent: list[str] = []
        self.raw: list[str] = []
        self.events: list[said.ModemEvent] = []
        self.at = 0.0
        self.modem.start(self.at)

    def _may(self, iccid: str) -> bool:
        self.tried.append(iccid)
        return len(self.tried) == 1

    def run(self, seconds: float) -> "Bench":
        """Let time pass; the device answers at once: a text with OK, None with ERROR, ? with silence, others as they
        stand."""
        end = self.at + seconds
        while self.at < end:
            self.at += 0.05
            self.events += self.modem.tick(self.at)
            out = self.modem.output(self.at).decode()
            self.raw.append(out)
            for command in out.split("\r"):
                if command.strip("\x1b"):
                    self.sent.append(command)
                    self.hear(self._answer(command))
        return self

    def _answer(self, command: str) -> str:
        answer = self.answers.get(command, "")
        if answer is None:
            return "\r\nERROR\r\n"
        if answer == "?":
            return ""
        if answer.startswith("!"):
            return f"\r\n{answer[1:]}\r\n"
        return (f"\r\n{answer}\r\n" if answer else "") + "\r\nOK\r\n"

    def hear(self, text: str) -> None:
        self.events += self.modem.feed(text.encode(), self.at)

    def told(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def up(self) -> "Bench":
        self.run(5)
        assert self.modem.state == "up", (self.modem.state, self.sent)
        self.events.clear()
        self.sent.clear()
        return self


def test_a_modem_that_is_ready_comes_up() -> None:
    bench = Bench().run(5)
    assert [event.state for event in bench.told(said.StateChanged)][-1] == "up"
    assert bench.modem.family.name == "huawei"
    assert (bench.modem.operator, bench.modem.iccid) == ("Orange PL", "8948031234567890123")
    assert bench.modem.signal == 65


def test_a_wrong_pin_is_sent_once_and_never_again() -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", 'AT+CPIN="1234"': "!+CME ERROR: 16"}).run(200)
    assert bench.sent.count('AT+CPIN="1234"') == 1
    assert bench.modem.state == "pin-wrong"
    again = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN"})
    again.tried.append("remembered from before the restart")
    again.run(100)
    assert 'AT+CPIN="1234"' not in again.sent


def test_a_right_pin_opens_the_sim_and_may_be_used_again() -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN"})
    bench.run(3)
    assert bench.right == ["8948031234567890123"]
    bench.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.run(6)
    assert bench.modem.state == "up"


@pytest.mark.parametrize(
    ("answer", "state"),
    [("+CPIN: SIM PUK", "puk-needed"), ("!+CME ERROR: 10", "no-sim"), ("!+CME ERROR: SIM not inserted", "no-sim"),
     ("+CPIN: SIM PIN", "pin-needed")],
)  # fmt: skip
def test_a_sim_that_wants_something_is_said_to_and_no_puk_is_ever_sent(answer: str, state: str) -> None:
    bench = Bench(**{"AT+CPIN?": answer}).run(60)
    assert bench.modem.state == state
    assert not [c for c in bench.sent if c.startswith("AT+CPIN=")]


def test_a_call_is_offered_when_its_number_is_known() -> None:
    bench = Bench().up()
    bench.hear("\r\nRING\r\n")
    assert bench.told(said.CallOffered) == []
    bench.hear('\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    offered = bench.told(said.CallOffered)
    assert [event.caller.number for event in offered] == ["+48600100200"]


def test_a_call_without_a_number_is_offered_after_the_second_ring() -> None:
    bench = Bench().up()
    bench.hear("\r\n+CRING: VOICE\r\n")
    bench.run(2)
    assert bench.told(said.CallOffered) == []
    bench.hear("\r\n+CRING: VOICE\r\n")
    bench.run(0.6)
    assert [event.caller for event in bench.told(said.CallOffered)] == [None]
    bench.hear('\r\n+CLIP: "600100200",129,,,,0\r\n')
    assert [event.caller.number for event in bench.told(said.CallerKnown)] == ["600100200"]


@pytest.mark.parametrize(("clip", "validity"), [('"",128,,,,1', "withheld"), ('"",128,,,,2', "unavailable")])
def test_hidden_and_not_delivered_are_told_apart(clip: str, validity: str) -> None:
    bench = Bench().up()
    bench.hear(f"\r\nRING\r\n\r\n+CLIP: {clip}\r\n")
    assert [event.caller.validity for event in bench.told(said.CallOffered)] == [validity]


def test_rings_that_stop_are_a_caller_who_gave_up() -> None:
    bench = Bench(**{"AT+CLCC": None}).up()
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    bench.run(20)
    assert [event.reason for event in bench.told(said.CallEnded)] == ["cancelled"]


@pytest.mark.parametrize(
    ("urc", "reason"),
    [("BUSY", "busy"), ("NO ANSWER", "no-answer"), ("^CEND:1,0,104,17", "busy"), ("^CEND:1,0,104,34", "congestion"),
     ("NO CARRIER", "unreachable")],
)  # fmt: skip
def test_a_call_out_that_fails_says_why(urc: str, reason: str) -> None:
    bench = Bench(**{"AT+CLCC": '+CLCC: 1,0,2,0,0,"600100200",129'}).up()
    assert bench.modem.calls.dial("600100200", bench.at)
    bench.run(0.5)
    assert "ATD600100200;" in bench.sent
    bench.hear(f"\r\n{urc}\r\n")
    assert [event.reason for event in bench.told(said.CallEnded)] == [reason]


def test_a_call_out_rings_is_answered_and_its_speech_is_opened() -> None:
    bench = Bench(**{"AT+CLCC": '+CLCC: 1,0,3,0,0,"600100200",129'}).up()
    bench.modem.calls.dial("600100200", bench.at)
    bench.run(2)
    assert len(bench.told(said.CallAlerting)) == 1
    bench.answers["AT+CLCC"] = '+CLCC: 1,0,0,0,0,"600100200",129'
    bench.run(2)
    assert "AT^DDSETEX=2" in bench.sent
    assert len(bench.told(said.CallAnswered)) == 1
    bench.answers["AT+CLCC"] = ""
    bench.run(12)
    assert [event.reason for event in bench.told(said.CallEnded)] == ["normal"], "three looks did not find it"


def test_a_message_is_read_once_and_freed_only_while_it_is_the_same() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    assert [(e.memory, e.slot) for e in bench.told(said.MessageRead)] == [("SM", 3)]
    bench.run(10)
    bench.answers["AT+CMGR=3"] = f"+CMGR: 0,,30\r\n{PDU[:-2]}08"  # another message has moved in
    bench.modem.messages.free("SM", 3, PDU, bench.at)
    bench.run(1)
    assert not [c for c in bench.sent if c.startswith("AT+CMGD")]


def test_a_message_that_cannot_be_deleted_is_left_after_a_second_try() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}", "AT+CMGD=3": "!+CMS ERROR: 500"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.modem.messages.free("SM", 3, PDU, bench.at)
    bench.run(120)
    assert bench.sent.count("AT+CMGD=3") == 2
    assert len(bench.told(said.MessageRead)) == 1


def test_what_lay_on_the_sim_before_is_found_without_being_announced() -> None:
    bench = Bench(**{"AT+CPMS?": '+CPMS: "SM",1,20,"SM",1,20,"SM",1,20', "AT+CMGR=7": f"+CMGR: 1,,30\r\n{PDU}",
                     **{f"AT+CMGR={n}": "!+CMS ERROR: 321" for n in range(21) if n != 7}}).run(8)  # fmt: skip
    assert [(e.memory, e.slot, e.pdu) for e in bench.told(said.MessageRead)] == [("SM", 7, PDU)]


def test_an_announcement_of_the_other_memory_is_read_there() -> None:
    bench = Bench(**{"AT+CMGR=2": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "ME",2\r\n')
    bench.run(1)
    assert bench.sent.index('AT+CPMS="ME"') < bench.sent.index("AT+CMGR=2")
    assert bench.told(said.MessageRead)[0].memory == "ME"


def test_a_restart_of_the_modem_begins_anew_and_ends_its_call() -> None:
    bench = Bench().up()
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    bench.hear("\r\nRDY\r\n")
    assert [event.reason for event in bench.told(said.CallEnded)] == ["lost"]
    bench.run(6)
    assert bench.modem.state == "up"


def test_registered_for_messages_only_is_no_line_for_calls() -> None:
    bench = Bench().up()
    bench.answers["AT+CREG?"] = "+CREG: 2,6"
    bench.hear("\r\n+CREG: 6\r\n")
    assert bench.modem.state == "data-only"
    assert not bench.modem.usable


@pytest.mark.parametrize(
    ("model", "family"),
    [("huawei E1752", "huawei"), ("SIMCOM INCORPORATED SIMCOM_SIM7600E", "simcom-lte"), ("SIMCOM_Ltd SIM800L",
     "simcom-2g"), ("Quectel EC25", "quectel"), ("Telit HE910", "telit"), ("", "others")],
)  # fmt: skip
def test_models_find_their_row(model: str, family: str) -> None:
    assert family_of(model).name == family
    assert all(re.compile(row.matches) for row in (*FAMILIES, OTHERS))


def test_a_modem_that_is_slow_at_first_is_asked_for_its_pin_all_the_same() -> None:
    bench = Bench("1234", **{"AT": "?", "AT+CPIN?": "+CPIN: SIM PIN"})
    bench.run(3)
    bench.answers["AT"] = ""  # it slept; from now on it answers
    bench.run(8)
    assert 'AT+CPIN="1234"' in bench.sent
    assert bench.modem.family.name == "huawei"
    bench.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.run(6)
    assert bench.modem.state == "up"


def test_an_answer_that_is_lost_in_the_initialisation_does_not_shift_the_others() -> None:
    bench = Bench(**{"AT+CMEE=1": "?", "AT+CREG=2": "?"}).run(30)
    assert bench.modem.family.name == "huawei"
    assert bench.modem.iccid == "8948031234567890123"
    assert bench.modem.state == "up"


def test_a_sim_put_in_later_comes_up() -> None:
    bench = Bench(**{"AT+CPIN?": "!+CME ERROR: 10"}).run(15)
    assert bench.modem.state == "no-sim"
    bench.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.run(15)
    assert bench.modem.state == "up"


def test_another_sim_is_another_number_and_its_messages_are_read() -> None:
    bench = Bench(**{"AT+CPMS?": '+CPMS: "SM",1,20,"SM",1,20,"SM",1,20', "AT+CMGR=3": f"+CMGR: 1,,30\r\n{PDU}",
                     "AT+CMGD=3": "!+CMS ERROR: 500",
                     **{f"AT+CMGR={n}": "!+CMS ERROR: 321" for n in range(21) if n != 3}}).run(8)  # fmt: skip
    bench.hear("\r\n+CPIN: NOT INSERTED\r\n")
    bench.answers["AT^ICCID?"] = "^ICCID: 8948039999999999999"
    bench.answers["AT+CMGR=3"] = f"+CMGR: 1,,30\r\n{PDU}"
    bench.run(20)
    assert bench.modem.iccid == "8948039999999999999"
    assert len(bench.told(said.MessageRead)) == 2, "once for each SIM"


def test_a_pin_whose_answer_was_lost_counts_as_right_when_the_sim_opens() -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", 'AT+CPIN="1234"': "?"}).run(12)
    assert bench.right == []
    bench.answers["AT+CPIN?"] = "+CPIN: READY"
    bench.run(20)
    assert bench.right == ["8948031234567890123"]
    assert bench.sent.count('AT+CPIN="1234"') == 1
    assert bench.modem.state == "up"


def test_what_was_to_be_deleted_on_one_sim_is_never_deleted_on_the_next() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.modem.stop()
    bench.modem.messages.free("SM", 3, PDU, bench.at)  # stored while the modem was being pulled
    bench.sent.clear()
    bench.modem.start(bench.at + 1)
    bench.run(8)
    assert bench.modem.state == "up"
    assert not [c for c in bench.sent if c.startswith("AT+CMGD")]


def test_a_deletion_whose_answer_was_lost_is_looked_at_before_it_is_repeated() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}", "AT+CMGD=3": "?"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.modem.messages.free("SM", 3, PDU, bench.at)
    bench.run(5)
    bench.answers["AT+CMGR=3"] = f"+CMGR: 0,,30\r\n{PDU[:-2]}08"  # it had worked, and the next message moved in
    bench.answers["AT+CMGD=3"] = ""
    bench.run(40)
    assert bench.sent.count("AT+CMGD=3") == 1


def test_nothing_is_read_or_deleted_in_a_memory_the_modem_did_not_turn_to() -> None:
    bench = Bench(**{"AT+CMGR=2": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "ME",2\r\n')
    bench.run(1)
    assert [e.memory for e in bench.told(said.MessageRead)] == ["ME"]
    bench.hear('\r\n+CMTI: "SM",5\r\n')
    bench.answers["AT+CMGR=5"] = "!+CMS ERROR: 321"
    bench.run(2)
    bench.answers['AT+CPMS="ME"'] = "!+CMS ERROR: 314"  # the SIM is busy
    bench.modem.messages.free("ME", 2, PDU, bench.at)
    bench.run(5)
    assert not [c for c in bench.sent if c.startswith("AT+CMGD")], "that would be another message"
    bench.answers['AT+CPMS="ME"'] = ""
    bench.run(20)
    assert bench.sent.count("AT+CMGD=2") == 1


def test_a_modem_without_a_choice_of_memory_is_read_all_the_same() -> None:
    bench = Bench(**{'AT+CPMS="SM","SM","SM"': None, "AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    assert len(bench.told(said.MessageRead)) == 1


def test_a_call_whose_answer_was_lost_is_not_kept_by_the_modem() -> None:
    bench = Bench(**{"ATA": "?", "AT+CLCC": '+CLCC: 1,1,4,0,0,"+48600100200",145'}).up()
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    bench.modem.calls.answer()
    bench.run(20)
    assert [event.reason for event in bench.told(said.CallEnded)] == ["cancelled"]
    assert "AT+CHUP" in bench.sent


@pytest.mark.parametrize(("state", "ended"), [(0, True), (2, True), (4, False)])
def test_a_call_left_from_before_a_crash_is_ended_and_one_that_rings_is_not(state: int, ended: bool) -> None:
    bench = Bench(**{"AT+CLCC": f'+CLCC: 1,0,{state},0,0,"600100200",129'}).run(3)
    assert ("AT+CHUP" in bench.sent) is ended


@pytest.mark.parametrize(
    ("answer", "sent"),
    [("^CPIN: SIM PIN,1,10,1,10,3", False), ("^CPIN: SIM PIN,2,10,2,10,3", True), (None, True)],
)  # fmt: skip
def test_the_last_try_of_a_pin_is_left_to_a_person(answer: str | None, sent: bool) -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", "AT^CPIN?": answer}).run(30)
    assert ('AT+CPIN="1234"' in bench.sent) is sent
    assert (bench.tried != []) is sent, "what was not sent does not count as tried"


@pytest.mark.parametrize(
    ("line", "left"),
    [("+UPINCNT: 3,3,10,10", 3), ("+UPINCNT: 0,3,5,5", 0), ('+QPINC: "SC",2,10', 2), ("+SPIC: 1,10,3,10", 1),
     ("#PCT: 3", 3), ("^CPIN: READY,,10,3,10,3", 3), ("^CPIN: SIM PIN,10,1,10,3", 1), ("ERROR", -1), ("", -1)],
)  # fmt: skip
def test_counters_of_tries_are_read_as_vendors_write_them(line: str, left: int) -> None:
    assert text.tries_left((line,)) == left


def test_the_modem_itself_sends_a_refused_pin_once_whatever_the_memory_says() -> None:
    bench = Bench("1234", **{"AT+CPIN?": "+CPIN: SIM PIN", 'AT+CPIN="1234"': "!+CME ERROR: 16"})
    bench.modem.may_try_pin = lambda iccid: True
    bench.run(100)
    assert bench.sent.count('AT+CPIN="1234"') == 1
