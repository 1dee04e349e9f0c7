"""An exchange with phones only, and phones for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.peers import sound
from tests.peers.addresses import new_address
from tests.peers.baresip import Phone
from tests.peers.box import PASSWORDS, Box, people
from tests.peers.sip_client import SipClient

MakePhone = Callable[..., Phone]
MakeClient = Callable[..., SipClient]


@pytest.fixture
def box() -> Iterator[Box]:
    with Box({"people": people(PASSWORDS)}) as started:
        yield started


@pytest.fixture
def phone(box: Box, tmp_path: Path) -> Iterator[MakePhone]:
    """Makes registered phones: `phone("101", hertz=440)`."""
    made: list[Phone] = []

    def make(extension: str, hertz: float = 0, registered: bool = True, **more: object) -> Phone:
        mic = tmp_path / f"mic{len(made)}.wav"
        sound.tone(mic, hertz, 60) if hertz else sound.silence(mic, 60)
        one = Phone(
            tmp_path / f"phone{len(made)}", new_address(), box.address, extension,
            str(more.pop("password", PASSWORDS.get(extension, ""))), mic, **more,
        )  # type: ignore[arg-type]  # fmt: skip
        made.append(one)
        return one.wait_registered() if registered else one

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def client(box: Box) -> Iterator[MakeClient]:
    made: list[SipClient] = []

    def make() -> SipClient:
        made.append(SipClient(new_address(), box.address))
        return made[-1]

    yield make
    for one in made:
        one.close()
