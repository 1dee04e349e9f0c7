"""Every make of modem passes the same day: it comes up, takes a call and makes one, messages both ways, a code, and a
fault. What is different between them stands in tables, so what works with one works with all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakePhone, Office
from tests.acceptance.test_commands import typed
from tests.peers import sound
from tests.peers.waiting import until

MAKES = ("sim800", "sim7600", "ec25", "e1550", "ublox", "worst")
NO_REPORTS = "worst"  # keeps reports in a memory without room, as some SIM7600 do: "sent" is all that can be known
HEARD = frozenset({"sim7600", "ec25", "e1550"})  # speech over USB: the others have wires, or none that is known
CALLER = "+48600100200"


class OneModem(Office):
    """The demo with another make of modem."""

    def __init__(self, make: str) -> None:
        super().__init__(CENTRALKA_VIRTUAL_MODEMS=f"gsm0={make}")
        self.environ["CENTRALKA_VIRTUAL_QUIRKS"] = json.dumps({"gsm0": {"ring_interval": 1.0}})


@pytest.fixture(params=MAKES)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    with OneModem(request.param) as box:
        box.make = request.param  # type: ignore[attr-defined]
        yield box


def test_a_day_of_each_make(office: Office, phone: MakePhone, tmp_path: Path) -> None:
    ben = phone("102", hertz=1000, answers=True)
    office.far("sms", **{"from": CALLER, "text": "Zażółć gęślą jaźń"})
    office.far("call", number=CALLER)
    ben.wait("CALL_ESTABLISHED")
    if office.make in HEARD:  # type: ignore[attr-defined]
        heard = tmp_path / "heard.wav"
        office.far("record", file=str(heard))
        until("two seconds were heard", lambda: office.far("status")["speech"]["heard"] > 3 * 16000, 15, 0.1)
    until("both talk", lambda: [c["state"] for c in office.status()["calls"]] == ["talking"], 20, 0.1)
    office.far("hang-up")
    ben.wait("CALL_CLOSED")
    assert office.wait_calls()[0]["cause"] == "normal"
    if office.make in HEARD:  # type: ignore[attr-defined]
        assert sound.analyse(sound.read(heard), 1000, 440, 1.0).share > 0.8
    until(
        "the message is mailed",
        lambda: [m["text"].splitlines()[0] for m in office.mails()] == ["Zażółć gęślą jaźń"],
        60,
    )
    out = int(office.ask("sms.send", to=CALLER, text="Do jutra", line="gsm0")["id"])
    known = "sent" if office.make == NO_REPORTS else "delivered"  # type: ignore[attr-defined]
    until("ours arrived", lambda: office.rows("sms_out", f"id = {out} AND state = '{known}'"), 60, 0.2)
    assert [m["text"] for m in office.far("sent")["sent"]] == ["Do jutra"]
    code, text = typed(office, "ussd", "gsm0", "*100#")
    assert code == 0, text
    office.far("set", name="auto_answer", value=0.5)
    ben.dial("600100200")
    until("both talk", lambda: [c["state"] for c in office.status()["calls"]] == ["talking"], 20, 0.1)
    ben.hang_up()
    assert office.wait_calls(2)[1]["cause"] == "normal"
    office.virtual("gsm0 fault reset --once")
    until("it works again", lambda: office.line()["state"] == "up", 60, 0.2)
    office.far("sms", **{"from": CALLER, "text": "after the fault"})
    until("and mails", lambda: len(office.mails()) == 2, 130, 0.2)  # announcements get lost; it looks every minute
