"""A box for each test; a mail server for each module."""

from collections.abc import Iterator

import pytest

from tests.peers.exim import Exim
from tests.worker.box import Box


@pytest.fixture
def box() -> Iterator[Box]:
    made = Box()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Exim]:
    with Exim() as started:
        yield started
