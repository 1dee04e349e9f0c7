"""Two SIMs in one box: each keeps its own number, hours, callers and messages."""

import json
from collections.abc import Iterator

import pytest

from appliance.exchange.control import ask
from tests.acceptance.conftest import CLOSED, MakePhone, Office
from tests.peers.waiting import until

CALLER = "+48600100200"
BILLBOARD = "+48990120200"


class TwoLines(Office):
    """The demo and a second SIM, the billboard's: open around the clock, only Anna calls out on it."""

    def __init__(self) -> None:
        super().__init__(CENTRALKA_VIRTUAL_MODEMS="gsm0=huawei,gsm1=sim7600")
        quick = {"ring_interval": 1.0, "register_seconds": 0.1}
        self.environ["CENTRALKA_VIRTUAL_QUIRKS"] = json.dumps({"gsm0": quick, "gsm1": quick})

    def __enter__(self) -> "TwoLines":
        super().__enter__()
        now = self.ask("settings.get", section="lines")
        second = {
            "id": "gsm1", "label": "Billboard", "number": BILLBOARD, "device": str(self.places.devices / "gsm1-at"),
            "pcm_device": str(self.places.devices / "gsm1-pcm"), "group": "office", "always_open": True,
            "sms_to": ["ads@demo.invalid"],
        }  # fmt: skip
        doc = {"items": [*now["doc"]["items"], second]}
        self.ask("settings.put", section="lines", version=now["version"], doc=doc)
        until("the second SIM is registered", lambda: self.line("gsm1")["state"] == "up", 30)
        return self

    def other(self, verb: str, **args: object) -> dict:
        """The far end of the second SIM."""
        answer = ask(self.places.virtual, f"gsm1.{verb}", args, "test")  # type: ignore[arg-type]
        assert answer.ok is not None, answer
        return dict(answer.ok)


@pytest.fixture
def office() -> Iterator[TwoLines]:
    with TwoLines() as box:
        yield box


def test_two_people_who_call_the_same_number_show_two_numbers(office: TwoLines, phone: MakePhone) -> None:
    """Anna has a line of her own; Ben, who has none, calls out on the line of the rule for all."""
    office.put_item("people", "p101", outgoing_line="gsm1")
    anna, ben = phone("101"), phone("102")
    for somebody, status in ((anna, lambda: office.other("status")), (ben, lambda: office.far("status"))):
        somebody.dial("600100200")
        until("the far end rings", lambda s=status: [c for c in s()["calls"] if c["number"] == CALLER], 10)
        somebody.hang_up()
        until("it is free again", lambda s=status: not s()["calls"], 10)
    rows = office.wait_calls(2)
    assert [(row["caller"], row["line"]) for row in rows] == [("101", "phones"), ("102", "phones")]
    assert [row["legs"][-1]["line"] for row in rows] == ["gsm1", "gsm0"]


def test_a_new_colleague_calls_out_over_the_line_of_everybody(office: TwoLines, phone: MakePhone) -> None:
    now = office.ask("settings.get", section="people")
    items = [
        *now["doc"]["items"],
        {"id": "p103", "extension": "103", "name": "New", "password": "Phone103PasswordAbcd"},
    ]
    office.ask("settings.put", section="people", version=now["version"], doc={"items": items})
    somebody = phone("103")
    somebody.dial("600100200")
    until("the far end of the first SIM rings", lambda: office.far("status")["calls"], 10)
    assert office.other("status")["calls"] == []
    somebody.hang_up()


def test_at_the_same_minute_one_line_is_closed_and_the_other_rings(office: TwoLines, phone: MakePhone) -> None:
    """A number that is listed for after hours is refused where it is night and rings where it is day."""
    ben = phone("102")
    office.ask("block.add", pattern=CALLER, allow=False, what="calls", when="after-hours")
    office.at(CLOSED)
    office.far("call", number=CALLER)
    assert office.wait_calls(1)[0]["cause"] == "blocked"
    assert not ben.saw("CALL_INCOMING")
    office.other("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    office.other("hang-up")
    assert {row["line"]: row["cause"] for row in office.wait_calls(2)} == {"gsm0": "blocked", "gsm1": "cancelled"}


def test_calls_and_messages_of_two_lines_never_mix(office: TwoLines, phone: MakePhone) -> None:
    anna, ben = phone("101"), phone("102")
    office.far("call", number=CALLER)
    ben.wait("CALL_INCOMING")
    ben.answer()
    ben.wait("CALL_ESTABLISHED")
    office.other("call", number="+48600100209")
    anna.wait("CALL_CLOSED")  # of the first call, which Ben took
    anna.wait("CALL_INCOMING")
    anna.answer()
    anna.wait("CALL_ESTABLISHED")
    office.far("sms", **{"from": CALLER, "text": "for reception"})
    office.other("sms", **{"from": CALLER, "text": "for the billboard"})
    mails = {mail["text"].splitlines()[0]: (mail["to"], mail["subject"]) for mail in office.wait_mails(2)}
    assert mails["for reception"][0] == ["office@demo.invalid"]
    assert mails["for the billboard"][0] == ["ads@demo.invalid"]
    assert "Reception" in mails["for reception"][1]
    assert "Billboard" in mails["for the billboard"][1]
    office.far("hang-up")
    office.other("hang-up")
    rows = {row["line"]: (row["caller"], row["answered_by"]) for row in office.wait_calls(2)}
    assert rows == {"gsm0": (CALLER, "102"), "gsm1": ("+48600100209", "101")}


def test_a_message_from_one_of_our_sims_arrives_on_the_other_and_is_delivered(office: TwoLines) -> None:
    out = office.ask("sms.send", to="+48990120100", text="Від сусіда 😀", line="gsm1")["id"]
    until("it is delivered", lambda: office.rows("sms_out", f"id = {out}")[0]["state"] == "delivered", 30, 0.1)
    [row] = until("it is here", lambda: office.rows("sms"))
    assert (row["line"], row["text"], row["sender"]) == ("gsm0", "Від сусіда 😀", office.other("status")["number"])


def test_an_answer_goes_out_on_the_line_that_was_written_to(office: TwoLines) -> None:
    office.other("sms", **{"from": CALLER, "text": "Is the billboard free?"})
    until("it is here", lambda: office.rows("sms"))
    assert office.ask("sms.send", to=CALLER, text="Yes")["line"] == "gsm1"
    until("it has left", lambda: office.other("sent")["sent"], 20, 0.1)
    assert office.far("sent")["sent"] == []
