"""A started writer on a journal of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.journal.writer import Writer
from tests.journal.builders import join


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    started = Writer(path, join, host="box.test")
    assert started.start() is None
    yield started
    started.stop()
