"""A SIM with a PIN: one try, remembered, and a person is asked."""

import json

from tests.acceptance.conftest import Office
from tests.peers.waiting import until

RESTARTS = 20


class Locked(Office):
    """The SIM wants 1234, and the settings say 9999."""

    def __init__(self) -> None:
        super().__init__()
        self.environ["CENTRALKA_VIRTUAL_QUIRKS"] = json.dumps({"gsm0": {"pin": "1234", "register_seconds": 0.1}})

    def settle(self) -> None:
        from appliance.settings.store import Store

        super().settle()
        store = Store(self.places.settings, self.places.settings_good, self.places.key)
        doc = store.read()["lines"]
        store.put("lines", None, {"items": [{**item, "pin": "9999"} for item in doc["items"]]})  # type: ignore[dict-item,union-attr]

    def __enter__(self) -> "Locked":
        self.settle()
        for name in self._start:
            self.start(name)
        return self


def test_a_wrong_pin_costs_one_try_in_twenty_restarts_and_the_page_asks_for_a_person() -> None:
    with Locked() as office:
        for _ in range(RESTARTS):
            until("the line says what it wants", lambda: office.line()["state"].startswith("pin-"), 20)
            assert "line-pin" in {note["message"] for note in office.status()["notes"]}
            office.processes.pop("exchange").kill()
            office.start("exchange")
        assert office.far("status")["pin_tries"] == 2
        office.put_item("lines", "gsm0", pin="1234")
        until("the right PIN opens it", lambda: office.line()["state"] == "up", 30)
