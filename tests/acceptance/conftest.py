"""A whole box on virtual hardware, with the demo's settings, and phones for it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.exchange.control import ask
from appliance.settings.demo import demo_settings
from appliance.settings.secret import Secret
from tests.peers import sound
from tests.peers.addresses import new_address
from tests.peers.baresip import Phone
from tests.peers.box import PASSWORDS, Box
from tests.peers.waiting import until

OPEN = "2026-11-27T12:00"  # a Friday
CLOSED = "2026-11-28T12:00"  # a Saturday
MakePhone = Callable[..., Phone]


class Office(Box):
    """A box with a SIM, set up as the demo is, its clock within the open hours."""

    def __init__(self, start: tuple[str, ...] = ("virtual", "exchange", "worker"), **environ: str) -> None:
        quirks = json.dumps({"gsm0": {"ring_interval": 1.0, "register_seconds": 0.1}})
        super().__init__({}, start, CENTRALKA_VIRTUAL_QUIRKS=quirks, **environ)

    def settle(self) -> None:
        """Store the demo's settings before the start, with passwords known to the tests."""
        from appliance.settings.store import Store

        store = Store(self.places.settings, self.places.settings_good, self.places.key)
        for name, doc in demo_settings(self.places.devices, self.address).items():
            if name == "people":
                items = [{**p, "password": Secret(PASSWORDS[str(p["extension"])])} for p in doc["items"]]  # type: ignore[union-attr]
                doc = {"items": items}
            store.put(name, None, doc)

    def __enter__(self) -> "Office":
        self.settle()
        super().__enter__()
        self.at(OPEN)
        until("the SIM is registered", lambda: self.line()["state"] == "up", 20)
        return self

    def at(self, moment: str) -> None:
        """Move the clock."""
        self.ask("clock.set", at=moment)

    def line(self, line_id: str = "gsm0") -> dict:
        return next(line for line in self.status()["lines"] if line["id"] == line_id)

    def modem(self) -> dict:
        """What the virtual modem knows of its calls and its SIM."""
        return json.loads(self.virtual("gsm0 status"))

    def far(self, verb: str, **args: object) -> dict:
        """What `centralka virtual gsm0 VERB` does, without starting a program for it."""
        answer = ask(self.places.virtual, f"gsm0.{verb}", args, "test")  # type: ignore[arg-type]
        assert answer.ok is not None, answer
        return dict(answer.ok)

    def mails(self) -> list[dict]:
        """Mails in the local mailbox."""
        return json.loads(self.virtual("mail --json")) if "No mail" not in self.virtual("mail") else []

    def wait_mails(self, number: int = 1, seconds: float = 15.0) -> list[dict]:
        return until(f"{number} mails", lambda: m if len(m := self.mails()) >= number else None, seconds, 0.1)


@pytest.fixture
def office() -> Iterator[Office]:
    with Office() as box:
        yield box


@pytest.fixture
def phone(office: Office, tmp_path: Path) -> Iterator[MakePhone]:
    """Makes registered phones: `phone("102", hertz=1000)`."""
    made: list[Phone] = []

    def make(extension: str, hertz: float = 0, **more: object) -> Phone:
        mic = tmp_path / f"mic{len(made)}.wav"
        sound.tone(mic, hertz, 90) if hertz else sound.silence(mic, 90)
        one = Phone(
            tmp_path / f"phone{len(made)}", new_address(), office.address, extension, PASSWORDS[extension], mic, **more
        )  # type: ignore[arg-type]
        made.append(one)
        return one.wait_registered()

    yield make
    for one in made:
        one.stop()
