"""The page with its fake exchange, and a client that is signed in."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.settings.places import Places
from tests.webui import office
from tests.webui.fake_exchange import FakeExchange
from webui.app import create_app
from webui.auth import hash_password, now
from webui.store import Account, Store


@pytest.fixture
def places() -> Iterator[Places]:
    """Short paths, because a Unix socket's name has room for 100 characters."""
    with tempfile.TemporaryDirectory(prefix="web") as folder:
        found = Places(Path(folder), Path(folder) / "run")
        found.make()
        yield found


@pytest.fixture
def exchange(places: Places) -> Iterator[FakeExchange]:
    fake = FakeExchange(places)
    office.settings(fake.store)
    office.journal(places.journal)
    fake.phones = {"101": "free", "102": "talking"}
    fake.start()
    yield fake
    fake.stop()
    fake.db.close()


@pytest.fixture
def app(places: Places, exchange: FakeExchange) -> Flask:
    """The page with an administrator "anna"."""
    Store(places.journal).put_account(Account("anna", "Anna Nowak", "main", HASH, "en"), now())
    return create_app({"PLACES": places, "TESTING": False})


HASH = hash_password(office.PASSWORD)


@pytest.fixture
def guest(app: Flask) -> FlaskClient:
    """Nobody yet."""
    return app.test_client()


@pytest.fixture
def anna(guest: FlaskClient) -> FlaskClient:
    """Signed in."""
    answer = post(guest, "/login", {"username": "anna", "password": office.PASSWORD})
    assert answer.status_code == 303
    return guest


def token_of(page: str) -> str:
    """The CSRF token in a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def post(client: FlaskClient, path: str, data: dict, page: str = ""):
    """Post a form as a browser does: with the token of its page."""
    source = client.get(page or path).get_data(as_text=True)
    return client.post(path, data={"csrf_token": token_of(source), **data})
