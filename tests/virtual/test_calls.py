"""Voice calls on the wire: what each make says, what waits, what fails, and two virtual SIMs that talk."""

import os
import re
import struct
import tty
from collections.abc import Callable

import pytest

from appliance.virtual import tones
from tests.peers.waiting import until
from tests.virtual.bench import Bench, Port

CALLER = "+48600100200"
# what a make says: to set reports up, when we are answered, when the far end goes, and when it gave up ringing
SAID = {
    "huawei": ((), r"\^CONN:1,0", r"\^CEND:1,\d+,29,16", r"\^CEND:1,0,104,16"),
    "sim7600": (("AT+CLCC=1",), r"VOICE CALL: BEGIN", r"VOICE CALL: END: 00000\d", r"MISSED_CALL: \d\d:\d\d[AP]M \+48"),
    "sim800": (("AT+CLCC=1", "AT+MORING=1"), r"MO CONNECTED", r"NO CARRIER", r"NO CARRIER"),
    "ec25": (('AT+QINDCFG="ccinfo",1,0', "AT^DSCI=1"), r'\+QIND: "ccinfo",1,0,0,0,0,"\+48600100200",145',
             r"\^DSCI: 1,0,6,0,\+48600100200,145", r"NO CARRIER"),
    "ublox": (("AT+UCALLSTAT=1",), r"\+UCALLSTAT: 1,0", r"\+UCALLSTAT: 1,6", r"NO CARRIER"),
}  # fmt: skip


def dial(port: Port, number: str = CALLER) -> None:
    assert "OK" in port.say(f"ATD{number};")
    until("it rings there", lambda: "+CLCC: 1,0,3" in port.say("AT+CLCC"))


@pytest.mark.parametrize("make", SAID)
def test_each_make_tells_a_call_in_its_own_words(benches: Callable[..., Bench], make: str) -> None:
    commands, answered, ended, missed = SAID[make]
    port = benches(f"gsm0={make}").gsm0.settle(*commands)
    dial(port)
    port.far("answer")
    port.read(answered)
    port.far("hang-up")
    port.read(ended)
    port.far("call", number=CALLER)
    port.read("RING")
    port.far("hang-up")
    port.read(missed)


@pytest.mark.parametrize(("how", "said"), [("busy", "BUSY"), ("no-answer", "NO ANSWER")])
def test_a_call_out_that_is_not_answered_says_why(benches: Callable[..., Bench], how: str, said: str) -> None:
    port = benches("gsm0=sim7600").gsm0.settle()
    dial(port)
    port.far(how)
    port.read(said + r"\r\n")
    assert "+CLCC" not in port.say("AT+CLCC").replace("AT+CLCC", "")


def test_registered_and_yet_no_calls_is_no_carrier_at_once(benches: Callable[..., Bench]) -> None:
    port = benches(quirks={"no_voice": True}).gsm0.settle()
    assert "NO CARRIER" in port.say(f"ATD{CALLER};")
    assert port.status()["registered"]


def test_a_far_end_that_goes_silently_is_seen_in_the_list_alone(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    dial(port)
    port.far("answer")
    port.read("CONN")
    port.far("hang-up", silent=True)
    assert port.listen(0.2) == b""
    assert "+CLCC:" not in port.say("AT+CLCC")


@pytest.mark.parametrize(
    ("clip", "said"),
    [("before", r'\+CLIP: "\+48600100200",145[^R]*RING'), ("late", r"RING\s+RING\s+\+CLIP"), ("never", r"RING\s+RING")],
)
def test_the_number_comes_before_with_a_later_ring_or_never(
    benches: Callable[..., Bench], clip: str, said: str
) -> None:
    port = benches().gsm0.settle("AT+CLIP=1")
    port.far("call", number=CALLER, clip=clip)
    found = port.read(said)
    assert (b"CLIP" in found) == (clip != "never")


def test_a_second_caller_waits_when_that_is_wanted_and_can_be_refused_or_taken(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle("AT+CCWA=1,1,1")
    port.far("call", number=CALLER)
    port.say("ATA")
    until("they talk", lambda: "+CLCC: 1,1,0" in port.say("AT+CLCC"))
    port.far("second", number="+48600100201")
    port.read(r'\+CCWA: "\+48600100201",145,1')
    assert "+CLCC: 2,1,5" in port.say("AT+CLCC")
    assert "OK" in port.say("AT+CHLD=0")
    assert port.status()["history"][-1]["outcome"] == "refused"
    port.far("second", number="+48600100202")
    assert "OK" in port.say("AT+CHLD=2")
    listed = port.say("AT+CLCC")
    assert "+CLCC: 1,1,1" in listed
    assert "+CLCC: 2,1,0" in listed


def test_without_waiting_a_second_caller_hears_busy(benches: Callable[..., Bench]) -> None:
    port = benches().gsm0.settle()
    port.far("call", number=CALLER)
    assert "busy" in port.ask("second", number="+48600100201")["error"]["text"]


@pytest.fixture
def pair(benches: Callable[..., Bench]) -> Bench:
    bench = benches("gsm0=huawei,gsm1=sim800")
    bench.gsm0.settle("AT+CLIP=1")
    bench.gsm1.settle("AT+CLIP=1")
    return bench


def test_one_sim_calls_the_other(pair: Bench) -> None:
    one, two = pair.gsm0, pair.gsm1
    assert "OK" in one.say(f"ATD{two.status()['number']};")
    two.read(rf'\+CLIP: "\{one.status()["number"]}"')
    until("it rings there", lambda: "+CLCC: 1,0,3" in one.say("AT+CLCC"))
    assert "OK" in two.say("ATA")
    one.read(r"\^CONN:1,0")
    assert "OK" in two.say("ATH")
    one.read(r"\^CEND:1,\d+,29,16")
    assert one.status()["history"][-1]["outcome"] == two.status()["history"][-1]["outcome"] == "ended"


def test_a_sim_that_refuses_is_busy_for_the_other_and_one_that_gives_up_is_missed(pair: Bench) -> None:
    one, two = pair.gsm0, pair.gsm1
    one.say(f"ATD{two.status()['number']};")
    two.read("RING")
    two.say("ATH")
    one.read("BUSY")
    one.say(f"ATD{two.status()['number']};")
    two.read("RING")
    one.say("ATH")
    two.read("NO CARRIER")
    assert two.status()["history"][-1]["outcome"] == "missed"


def test_a_hidden_number_is_hidden_from_the_other_sim(pair: Bench) -> None:
    one, two = pair.gsm0, pair.gsm1
    one.say("AT+CLIR=1")
    one.say(f"ATD{two.status()['number']};")
    two.read(r'\+CLIP: "",128,,,,1')
    assert two.status()["calls"][0]["hidden"] == "withheld"


def test_two_sims_that_forward_to_each_other_ring_nobody_for_ever(pair: Bench) -> None:
    one, two = pair.gsm0, pair.gsm1
    one.far("forward", reason="always", number=two.status()["number"])
    two.far("forward", reason="always", number=one.status()["number"])
    assert one.far("call", number=CALLER)["forwarded"]["reason"] == "always"
    assert one.status()["calls"] == two.status()["calls"] == []


def test_what_one_sim_says_the_other_hears(pair: Bench) -> None:
    one, two = pair.gsm0, pair.gsm1
    ports = []
    for name in ("gsm0", "gsm1"):
        fd = os.open(pair.folder / "run" / "devices" / f"{name}-pcm", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(fd)
        ports.append(fd)
    one.say(f"ATD{two.status()['number']};")
    two.read("RING")
    two.say("ATA")
    one.read("CONN")
    assert "OK" in one.say("AT^DDSETEX=2")
    os.write(ports[0], tones.keys("42"))
    until("the other heard it", lambda: _loud(ports[1]))
    for fd in ports:
        os.close(fd)


def _loud(fd: int) -> bool:
    try:
        sound = os.read(fd, 65536)
    except BlockingIOError:
        return False
    return any(abs(s) > 3000 for s in struct.unpack(f"<{len(sound) // 2}h", sound[: len(sound) // 2 * 2]))


@pytest.mark.parametrize(
    ("make", "command", "said"),
    [("huawei", "AT^DDTMFCFG=0,1", r"\^DDTMF: 5"), ("sim7600", "AT+DDET=1", r"\+RXDTMF: 5"),
     ("sim800", "AT+DDET=1", r"\+DTMF: 5"), ("ec25", "AT+QTONEDET=1", r"\+QTONEDET: 53"),
     ("ublox", "AT+UDTMFD=1,2", r"\+UUDTMFD: 5")],
)  # fmt: skip
def test_keys_of_the_far_end_come_as_lines(benches: Callable[..., Bench], make: str, command: str, said: str) -> None:
    port = benches(f"gsm0={make}").gsm0.settle()
    port.far("call", number=CALLER)
    port.say("ATA")
    until("they talk", lambda: "+CLCC: 1,1,0" in port.say("AT+CLCC"))
    port.far("press", digits="5")
    assert b"5" not in re.sub(rb"[^5]", b"", port.listen(0.1))
    assert "OK" in port.say(command)
    port.far("press", digits="5")
    port.read(said)
    assert "OK" in port.say("AT+VTS=7")
    assert port.status()["calls"][0]["digits"] == "7"


def test_the_make_whose_ath_hangs_up_nothing_until_it_is_told(benches: Callable[..., Bench]) -> None:
    port = benches("gsm0=sim7600", {"bearer": True}).gsm0.settle()
    dial(port)
    assert "OK" in port.say("ATH")
    listed = port.say("AT+CLCC")
    assert "+CLCC: 1,0,3" in listed
    assert re.search(r"\+CLCC: 8,0,0,1,", listed)  # a data connection, which is no call
    assert "OK" in port.say("AT+CVHU=0")
    assert "OK" in port.say("ATH")
    assert "+CLCC: 1," not in port.say("AT+CLCC")
