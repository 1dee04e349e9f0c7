"""Where things lie: what the set-up script leaves is found by the program, whatever folder the user chose."""

import os
import subprocess
from pathlib import Path

import pytest

from appliance.settings.places import Places, cache
from appliance.settings.prompts import Prompts

ROOT = Path(__file__).parents[2]
CHOSEN = [{}, {"XDG_CACHE_HOME": "/far/away"}, {"CENTRALKA_CACHE": "/disk/kept"}]


@pytest.mark.parametrize("more", CHOSEN, ids=["nothing", "the caches of the user", "our own"])
def test_the_scripts_and_the_program_mean_one_cache(more: dict[str, str]) -> None:
    told = {"HOME": "/home/anna", **more}
    for script in ("bootstrap.sh", "appliance/native/build_pjsip.sh", "systemd/install.sh"):
        [line] = [one for one in (ROOT / script).read_text().splitlines() if one.startswith("CACHE=")]
        said = subprocess.run(
            ["bash", "-c", f'{line}; echo "$CACHE"'], env={"PATH": os.environ["PATH"], **told},
            capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
        assert Path(said.stdout.strip()) == cache(told), script


def test_announcements_are_heard_where_the_cache_is_elsewhere(tmp_path: Path) -> None:
    spoken = tmp_path / "kept" / "sounds" / "en" / "closed.wav"
    spoken.parent.mkdir(parents=True)
    spoken.write_bytes(b"RIFF")
    environ = {"HOME": str(tmp_path), "CENTRALKA_CACHE": str(tmp_path / "kept")}
    assert Prompts.of(Places.of(environ), environ).find("closed", "en") == spoken
