"""Somebody presses the buttons of the box."""

from pathlib import Path

from tests.acceptance.conftest import MakePhone, Office
from tests.peers import sound
from tests.peers.waiting import until

CALLER = "+48600100200"


def test_the_status_button_makes_a_phone_say_the_address(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    until("the address was spoken", lambda: list(office.places.rendered.glob("*/address.wav")), 20)
    office.virtual("button status")
    assert "Centralka" in str(ben.wait("CALL_INCOMING"))
    ben.answer()
    row = office.wait_calls(1, 30)[0]
    assert (row["direction"], row["caller"], row["answered_by"]) == ("internal", "102", "address")
    heard: Path = ben.heard()
    assert sound.level(sound.read(heard)) > 0.01


def test_a_long_press_blocks_who_called_last_and_the_next_call_does_not_ring(office: Office, phone: MakePhone) -> None:
    ben = phone("102")
    office.virtual(f"gsm0 call {CALLER} --for 2")
    ben.wait("CALL_INCOMING")
    office.wait_calls()
    office.virtual("button status --hold 4")
    until("the entry", lambda: [r["pattern"] for r in office.rows("blocks")] == [CALLER])
    ben.wait("CALL_CLOSED")
    until("the entry is in force", lambda: "blocklist" in str(office.ask("explain", line="gsm0", **{"from": CALLER})))
    office.far("call", number=CALLER)
    assert office.wait_calls(2)[1]["cause"] == "blocked"
    assert not ben.saw("CALL_INCOMING")


def test_a_reset_leaves_a_box_as_new_and_a_worker_that_knows_it(office: Office) -> None:
    office.start("web")
    office.far("call", number=CALLER, **{"for": 0.5})
    office.wait_calls()
    office.virtual("button status --hold 11")
    assert office.status()["lamps"][0] == {"name": "power", "pattern": "fast", "word": "power-armed"}
    office.virtual("button status")
    exchange = office.processes.pop("exchange")
    assert until("the exchange ends", lambda: exchange.process.poll() is not None, 15)
    assert exchange.stop() == 0
    office.start("exchange")
    assert office.status()["lines"] == []
    assert office.calls() == []
    until("a one-time sign-in", office.places.first_start.exists, 15)
    until("the worker sees it", lambda: "the journal is open" in office.log("worker").partition("replaced")[2], 15, 0.1)
