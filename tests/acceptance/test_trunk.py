"""A SIM and a trunk in one box: the same colleagues, and each takes over for the other."""

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import CLOSED, MakePhone, Office
from tests.lines.test_trunk import NUMBER, trunk
from tests.peers.addresses import new_address
from tests.peers.provider import PASSWORD, Provider
from tests.peers.waiting import until

CALLER = "+48600100200"
MOBILE = "600100200"


class WithTrunk(Office):
    """The demo and a trunk; calls out go over the SIM first."""

    def __init__(self) -> None:
        super().__init__()
        self.provider = Provider(new_address())

    def __enter__(self) -> "WithTrunk":
        super().__enter__()
        now = self.ask("settings.get", section="lines")
        second = {**trunk(self.provider.address), "sip_password": PASSWORD}
        self.ask("settings.put", section="lines", version=now["version"], doc={"items": [*now["doc"]["items"], second]})
        self.over("gsm0", "sip0")
        until("the trunk works", lambda: self.line("sip0")["state"] == "in-service", 20)
        return self

    def __exit__(self, *facts: object) -> None:
        super().__exit__(*facts)
        self.provider.stop()

    def over(self, *lines: str) -> None:
        """The order of the lines for calls out."""
        self.put_item("outgoing", "all", lines=list(lines))

    @property
    def here(self) -> tuple[str, int]:
        return self.address, 5060


@pytest.fixture
def office() -> Iterator[WithTrunk]:
    with WithTrunk() as box:
        yield box


def lines_of(row: dict) -> list[str]:
    return [leg["line"] for leg in row["legs"] if leg["line"] != "phones"]


def test_the_trunk_takes_over_when_the_sim_is_gone_and_the_sim_again_when_it_is_back(
    office: WithTrunk, phone: MakePhone
) -> None:
    anna = phone("101")
    office.far("unplug")
    until("the SIM is down", lambda: not office.line()["usable"], 20)
    anna.dial(MOBILE)
    anna.wait("CALL_ESTABLISHED")
    assert office.provider.got("INVITE")[0].startswith(f"INVITE sip:{CALLER}@")
    anna.hang_up()
    assert lines_of(office.wait_calls(1)[0]) == ["sip0"]
    office.far("plug")
    until("the SIM is back", lambda: office.line()["usable"], 40)
    anna.dial(MOBILE)
    until("the far end of the SIM rings", lambda: office.far("status")["calls"], 10)
    anna.hang_up()
    assert lines_of(office.wait_calls(2)[1]) == ["gsm0"]


def test_the_sim_takes_a_call_that_the_provider_refuses(office: WithTrunk, phone: MakePhone) -> None:
    office.over("sip0", "gsm0")
    office.provider.answers = ("503 Service Unavailable",)
    anna = phone("101")
    anna.dial(MOBILE)
    until("the far end of the SIM rings", lambda: office.far("status")["calls"], 15)
    office.far("answer")
    anna.wait("CALL_ESTABLISHED")
    anna.hang_up()
    [row] = office.wait_calls(1)
    assert lines_of(row) == ["sip0", "gsm0"]
    assert row["legs"][0]["detail"] == "503 Service Unavailable"
    assert row["answered_by"] == "gsm0"


def test_a_sim_in_a_call_leaves_the_next_call_to_the_trunk(office: WithTrunk, phone: MakePhone) -> None:
    ben, anna = phone("102"), phone("101")
    office.far("call", number="+48600100209")
    ben.wait("CALL_INCOMING")
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    anna.wait("CALL_CLOSED")
    anna.dial(MOBILE)
    anna.wait("CALL_ESTABLISHED")
    assert office.provider.got("INVITE")
    anna.hang_up()
    office.far("hang-up")
    rows = office.wait_calls(2)
    assert next(lines_of(row) for row in rows if row["direction"] == "out") == ["sip0"]


def test_one_line_of_each_kind_rings_the_same_colleagues(office: WithTrunk, phone: MakePhone) -> None:
    """Blocks, hours and the night switch hold on both."""
    ben = phone("102")
    office.far("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    office.far("hang-up")
    ben.wait("CALL_CLOSED")
    call = office.provider.call(office.here)
    ben.wait("CALL_INCOMING")
    call.cancel()
    ben.wait("CALL_CLOSED")
    office.ask("block.add", pattern=CALLER, allow=False, what="calls", when="always")
    office.provider.call(office.here).wait("603")
    rows = office.wait_calls(3)
    assert [(row["line"], row["cause"]) for row in rows] == [
        ("gsm0", "cancelled"), ("sip0", "cancelled"), ("sip0", "blocked"),
    ]  # fmt: skip
    assert {row["called"] for row in rows if row["line"] == "sip0"} == {NUMBER}


def test_outside_hours_a_caller_on_the_trunk_hears_the_announcement(office: WithTrunk, phone: MakePhone) -> None:
    ben = phone("102")
    office.put_item("lines", "sip0", always_open=False)
    office.at(CLOSED)
    call = office.provider.call(office.here)
    call.wait("200")
    call.ack()
    assert not ben.saw("CALL_INCOMING")
    office.provider.wait_for("BYE", seconds=30)  # when it was said to its end
    assert office.wait_calls(1)[0]["cause"] == "closed"


def test_messages_never_go_over_a_trunk(office: WithTrunk) -> None:
    out = office.ask("sms.send", to=CALLER, text="hello")
    assert out["line"] == "gsm0"
    assert office.try_ask("sms.send", to=CALLER, text="hello", line="sip0").error
    for verb, more in (("ussd.send", {"code": "*100#"}), ("forwarding.check", {}), ("line.selftest", {})):
        assert office.try_ask(verb, line="sip0", **more).error == "no-such-line", verb
    assert office.try_ask("line.register", line="gsm0").error == "no-such-line"
