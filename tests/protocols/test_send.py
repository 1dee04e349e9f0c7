"""Messages of ours leave the modem once, and what became of each part is told truly."""

import random

import pytest

from appliance.protocols import modem_events as said
from appliance.protocols.modem_send import PartToSend
from appliance.protocols.sms_report import report_of
from tests.protocols.test_modem import Bench

PDU = "0011000B918406010002F00008AA0A041F044004380432"
REPORT = "0006D60B911326880736F4111011719551401110117195714000"
ZTE = "0297F1061C0F910B487228297020F5317062419272803170624192138000"


class SendBench(Bench):
    """A modem that is up; CMGS gives a prompt, what follows the PDU is `result`."""

    prompt = "\r\n> "
    result = "\r\n+CMGS: 7\r\n\r\nOK\r\n"

    def _answer(self, command: str) -> str:
        if command.startswith("AT+CMGS="):
            return self.prompt
        if command.endswith("\x1a"):
            return self.result
        return super()._answer(command)

    def send(self, sequence: int = 1, out: int = 5, more: bool = False) -> "SendBench":
        length = len(PDU) // 2 - 1
        assert self.modem.sending.send(PartToSend(out, sequence, PDU, length, more))
        return self

    def results(self) -> list:
        return [e for e in self.events if isinstance(e, said.PartSent | said.PartFailed | said.PartUncertain)]


@pytest.fixture
def bench() -> SendBench:
    made = SendBench()
    made.up()
    return made


def test_a_part_goes_out_after_the_prompt_and_its_reference_is_told(bench: SendBench) -> None:
    bench.send().run(3)
    assert [s for s in bench.sent if "CMGS" in s or "\x1a" in s] == [f"AT+CMGS={len(PDU) // 2 - 1}", PDU + "\x1a"]
    assert bench.results() == [said.PartSent(5, 1, 7)]


@pytest.mark.parametrize("prompt", ["\r\n> ", "\n>", ">"])
def test_every_form_of_the_prompt_is_known(bench: SendBench, prompt: str) -> None:
    bench.prompt = prompt
    bench.send().run(3)
    assert bench.results() == [said.PartSent(5, 1, 7)]


@pytest.mark.parametrize(
    ("result", "code"),
    [("+CMS ERROR: 38", 38), ("+CMS ERROR: 10", 10), ("+CMS ERROR: 500", 500), ("+CMS ERROR: memory full", 322),
     ("ERROR", -1), ("+CME ERROR: 14", 14)],
)  # fmt: skip
def test_a_refusal_keeps_its_code(bench: SendBench, result: str, code: int) -> None:
    bench.result = f"\r\n{result}\r\n"
    bench.send().run(3)
    assert bench.results() == [said.PartFailed(5, 1, code, result)]


def test_a_refusal_instead_of_the_prompt_is_no_uncertainty(bench: SendBench) -> None:
    bench.prompt = "\r\n+CMS ERROR: 330\r\n"
    bench.send().run(3)
    assert bench.results() == [said.PartFailed(5, 1, 330, "+CMS ERROR: 330")]


def test_without_a_prompt_nothing_left_and_the_modem_is_freed_from_it(bench: SendBench) -> None:
    bench.prompt = ""
    bench.send().run(8)
    assert bench.results() == [said.PartFailed(5, 1, 0, "timeout")]
    assert "\x1b" in "".join(bench.raw)
    assert bench.modem.engine.idle


def test_a_result_that_never_comes_is_uncertain(bench: SendBench) -> None:
    bench.result = ""
    bench.send().run(100)
    assert bench.results() == []
    bench.run(30)
    assert bench.results() == [said.PartUncertain(5, 1)]


def test_a_result_that_comes_too_late_settles_it(bench: SendBench) -> None:
    bench.result = ""
    bench.send().run(130)
    bench.hear("\r\n+CMGS: 9\r\n\r\nOK\r\n")
    assert bench.results() == [said.PartUncertain(5, 1), said.PartSent(5, 1, 9)]


def test_a_port_that_goes_away_before_the_prompt_lost_nothing_and_after_it_perhaps(bench: SendBench) -> None:
    bench.prompt = ""
    bench.send().run(0.2)
    bench.events += bench.modem.stop()
    assert bench.results() == [said.PartFailed(5, 1, 0, "dropped")]
    bench.events.clear()
    bench.prompt, bench.result = "> ", ""
    bench.modem.start(bench.at)
    bench.run(5)
    bench.send().run(0.2)
    bench.events += bench.modem.stop()
    assert bench.results() == [said.PartUncertain(5, 1)]


def test_a_reset_in_the_middle_is_uncertain(bench: SendBench) -> None:
    bench.result = "\r\nRDY\r\n"
    bench.send().run(2)
    assert bench.results() == [said.PartUncertain(5, 1)]


def test_a_modem_that_echoes_the_message_has_not_sent_it_yet(bench: SendBench) -> None:
    bench.result = f"\r\n{PDU}\r\n"
    bench.send().run(10)
    assert bench.results() == []
    bench.hear("\r\n+CMGS: 7\r\n\r\nOK\r\n")
    assert bench.results() == [said.PartSent(5, 1, 7)]


def test_a_result_without_its_ok_is_one(bench: SendBench) -> None:
    bench.result = "\r\n+CMGS: 7\r\n"
    bench.send().run(5)
    assert bench.results() == [said.PartSent(5, 1, 7)]


def test_pdu_mode_is_set_before_each_part_and_without_it_nothing_leaves(bench: SendBench) -> None:
    """In text mode the digits of the PDU would go to the number 23."""
    bench.send().run(2)
    assert bench.sent.index("AT+CMGF=0") < bench.sent.index(f"AT+CMGS={len(PDU) // 2 - 1}")
    bench.events.clear()
    bench.sent.clear()
    bench.answers["AT+CMGF=0"] = "!+CMS ERROR: 314"
    bench.send(2).run(2)
    assert bench.results() == [said.PartFailed(5, 2, 314, "+CMS ERROR: 314")]
    assert not any("CMGS" in one for one in bench.sent)


def test_one_part_at_a_time(bench: SendBench) -> None:
    bench.result = ""
    bench.send().run(1)
    assert not bench.modem.sending.send(PartToSend(6, 1, PDU, 20))


def test_the_link_is_kept_for_a_long_message_and_asked_for_once(bench: SendBench) -> None:
    bench.answers["AT+CMMS=1"] = None
    for sequence in (1, 2, 3):
        bench.send(sequence, more=sequence < 3).run(2)
    assert [e.sequence for e in bench.results()] == [1, 2, 3]
    assert bench.sent.count("AT+CMMS=1") == 1


def test_nothing_is_sent_while_a_call_is_up(bench: SendBench) -> None:
    bench.hear('\r\nRING\r\n\r\n+CLIP: "+48600100200",145,,,,0\r\n')
    bench.send().run(2)
    assert not any("CMGS" in one for one in bench.sent)
    bench.hear("\r\nNO CARRIER\r\n")
    bench.run(20)
    assert bench.results() == [said.PartSent(5, 1, 7)]


def test_a_notice_between_prompt_and_result_is_not_the_result(bench: SendBench) -> None:
    bench.result = '\r\n+CMTI: "SM",3\r\n\r\n+CMGS: 12\r\n\r\nOK\r\n'
    bench.answers["AT+CMGR=3"] = (
        f"+CMGR: 0,,24\r\n{'07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07'}"
    )
    bench.send().run(3)
    assert bench.results() == [said.PartSent(5, 1, 12)]
    assert [e.slot for e in bench.told(said.MessageRead)] == [3]


def test_a_pdu_that_is_too_long_for_modems_is_not_sent(bench: SendBench) -> None:
    assert bench.modem.sending.send(PartToSend(5, 1, "00" * 200, 199))
    bench.run(1)
    assert [e.code for e in bench.results()] == [304]
    assert not any("CMGS" in one for one in bench.sent)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_a_modem_does_one_part_has_one_result(bench: SendBench, seed: int) -> None:
    """Notices, echoes, cut lines and silence around prompt and result; a late result may settle an uncertain part."""
    chance = random.Random(seed)
    noise = [
        "",
        "\r\n^RSSI:17\r\n",
        f"\r\n{PDU}\r\n",
        "\r\n+CREG: 2\r\n",
        "\0\0",
        "\r\nOK\r",
        "\r\nRING\r\n",
        "\xff\xfe",
    ]
    ends = [
        "\r\n+CMGS: 7\r\n\r\nOK\r\n", "\r\n+CMGS: 7\r\n", "\r\n+CMS ERROR: 38\r\n", "\r\nERROR\r\n", "",
        "\r\nOK\r\n", "\r\n+CMGS: 7", "\r\n+CMGS:\r\nOK\r\n",
    ]  # fmt: skip
    bench.prompt = chance.choice(noise) + chance.choice(["\r\n> ", "> ", "", "\r\n>"])
    bench.result = chance.choice(noise) + chance.choice(ends)
    bench.send().run(140)
    if chance.random() < 0.5:
        bench.hear("\r\n+CMGS: 7\r\n\r\nOK\r\n")
    bench.hear("\r\nNO CARRIER\r\n")
    bench.run(5)
    kinds = [type(result) for result in bench.results()]
    assert kinds in ([said.PartSent], [said.PartFailed], [said.PartUncertain], [said.PartUncertain, said.PartSent])


def test_a_report_comes_with_its_notice(bench: SendBench) -> None:
    bench.hear(f"\r\n+CDS: 25\r\n{REPORT}\r\n")
    bench.run(1)
    assert [(e.slot, e.pdu) for e in bench.told(said.MessageRead)] == [(None, REPORT)]
    report = report_of(REPORT)
    assert report is not None
    assert (report.reference, report.recipient, report.status) == (0xD6, "+31628870634", 0)


def test_a_report_that_is_stored_is_read_from_its_slot(bench: SendBench) -> None:
    bench.answers["AT+CMGR=4"] = f"+CMGR: 0,,25\r\n{REPORT}"
    bench.hear('\r\n+CDSI: "SR",4\r\n')
    bench.run(2)
    assert [(e.memory, e.slot) for e in bench.told(said.MessageRead)] == [("SR", 4)]


def test_the_broken_report_of_a_zte_still_names_its_message() -> None:
    report = report_of(ZTE)
    assert report is not None
    assert (report.reference, report.status) == (28, 0)
    assert report.recipient.endswith("27829207025")


@pytest.mark.parametrize(
    "pdu", ["", "zz", "00", PDU, "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"]
)
def test_what_is_no_report_is_none(pdu: str) -> None:
    assert report_of(pdu) is None
