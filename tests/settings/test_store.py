"""The settings file: every fault at once, nothing half saved, secrets sealed, the last good copy used."""

import json
import threading

import pytest

from appliance.errors import ControlError
from appliance.settings.demo import demo_settings
from appliance.settings.planning import build
from appliance.settings.schema import SECTIONS
from appliance.settings.secret import Secret, new_password
from appliance.settings.store import InvalidSettings, Store, masked


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "settings.json", tmp_path / "settings.good.json", tmp_path / "box.key")
    for name, doc in demo_settings(tmp_path, "127.0.0.1").items():
        made.put(name, None, doc)
    return made


def again(store_path):
    return Store(store_path / "settings.json", store_path / "settings.good.json", store_path / "box.key")


def test_a_new_box_has_all_sections_with_their_defaults(tmp_path):
    empty = again(tmp_path)
    assert set(empty.read()) == set(SECTIONS)
    assert empty.read()["office"]["country"] == "PL"
    assert not empty.damaged


def test_every_fault_comes_back_at_once_under_its_field(store):
    with pytest.raises(InvalidSettings) as caught:
        store.put("lines", None, {"items": [{"id": "X y", "label": "", "ranges": [{"day": 9, "start": "25:00"}]}]})
    assert caught.value.fields == {
        "lines.0.id": "not-an-id",
        "lines.0.label": "required",
        "lines.0.device": "required",
        "lines.0.ranges.0.day": "out-of-range",
        "lines.0.ranges.0.start": "not-a-time",
        "lines.0.ranges.0.end": "required",
    }


def test_a_refused_section_leaves_the_file_as_it_was(store, tmp_path):
    before = (tmp_path / "settings.json").read_bytes()
    with pytest.raises(InvalidSettings):
        store.put("groups", None, {"items": [{"id": "office", "name": "Office", "members": ["999"]}]})
    assert (tmp_path / "settings.json").read_bytes() == before


def test_what_was_wrong_elsewhere_before_does_not_keep_a_form_from_being_saved(store, tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(path.read_text().replace('"closed_prompt": "closed"', '"closed_prompt": "gone"'))
    assert "gone" in path.read_text()
    old = again(tmp_path)
    old.put("office", None, {**old.read()["office"], "name": "Bakery"})
    assert old.read()["office"]["name"] == "Bakery"
    with pytest.raises(InvalidSettings) as caught:
        old.put("groups", None, {"items": []})
    assert caught.value.fields == {"lines.0.group": "unknown-group"}
    with pytest.raises(InvalidSettings) as caught:
        old.put("lines", None, old.read()["lines"])
    assert caught.value.fields == {"lines.0.closed_prompt": "unknown-prompt"}


def test_two_people_cannot_have_one_extension(store):
    people = [dict(p) for p in store.read()["people"]["items"]]
    people[1]["extension"] = "101"
    with pytest.raises(InvalidSettings) as caught:
        store.put("people", None, {"items": people})
    assert caught.value.fields["people.1.extension"] == "taken"


def test_a_change_made_meanwhile_by_somebody_else_is_told(store):
    version = store.version("office")
    store.put("office", version, {"name": "First"})
    with pytest.raises(ControlError) as caught:
        store.put("office", version, {"name": "Second"})
    assert caught.value.id == "settings-changed"
    assert store.read()["office"]["name"] == "First"


def test_secrets_lie_sealed_and_are_never_shown(store, tmp_path):
    password = store.read()["people"]["items"][0]["password"]
    assert isinstance(password, Secret)
    assert len(password.reveal()) == 20
    on_disk = (tmp_path / "settings.json").read_text()
    assert password.reveal() not in on_disk
    assert password.reveal() not in repr(store.read()) + str(store.read()) + json.dumps(masked(dict(store.read())))
    assert (tmp_path / "box.key").stat().st_mode & 0o777 == 0o600


def test_a_secret_left_blank_in_a_form_stays(store):
    before = store.read()["people"]["items"][0]["password"]
    people = masked(store.read()["people"]["items"])
    people[0]["name"] = "Anna Nowak"
    store.put("people", None, {"items": people})
    after = store.read()["people"]["items"][0]
    assert after["name"] == "Anna Nowak"
    assert after["password"] == before


def test_a_damaged_file_gives_the_last_good_copy(store, tmp_path):
    store.put("office", None, {"name": "Clinic"})
    store.put("office", None, {"name": "Clinic on the hill"})
    (tmp_path / "settings.json").write_text('{"sections": {')
    damaged = again(tmp_path)
    assert damaged.damaged
    assert damaged.read()["office"]["name"] == "Clinic"


def test_readers_never_see_half_a_file(store, tmp_path):
    stop = threading.Event()
    seen: list[str] = []

    def read():
        while not stop.is_set():
            json.loads((tmp_path / "settings.json").read_text())
            seen.append("ok")

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(30):
        store.put("office", None, {"name": f"Office {n}"})
    stop.set()
    reader.join(5)
    assert seen
    assert again(tmp_path).read()["office"]["name"] == "Office 29"


def test_the_plan_holds_what_the_settings_say(store):
    plan = build(store.read(), [], ["112"], ["984"])
    assert plan.groups["office"].members == ("101", "102")
    assert plan.lines["gsm0"].label == "Reception"
    assert len(plan.lines["gsm0"].hours.ranges) == 5
    assert plan.emergency == {"112"}


def test_a_generated_password_has_twenty_characters_nobody_mistakes():
    made = {new_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(p) == 20 and not set(p) & set("0O1lI") for p in made)
