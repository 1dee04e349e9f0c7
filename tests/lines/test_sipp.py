"""What phones do within a call, by sipp: media moved, the session refreshed."""

import subprocess
from pathlib import Path

from tests.lines.conftest import MakePhone
from tests.peers.addresses import new_address
from tests.peers.box import PASSWORDS, Box

SCENARIO = Path(__file__).parent.parent / "data" / "sipp" / "reinvite.xml"


def test_media_moved_and_session_refreshed_within_a_call(box: Box, phone: MakePhone, tmp_path: Path) -> None:
    """A re-INVITE to another port and codec, an UPDATE, and the session timer that the caller refreshes."""
    ben = phone("102", answers=True)
    users = tmp_path / "users.csv"
    users.write_text(f"SEQUENTIAL\n[authentication username=101 password={PASSWORDS['101']}];\n")
    done = subprocess.run(
        ["sipp", "-sf", str(SCENARIO), "-inf", str(users), "-s", "102", "-i", new_address(), "-m", "1",
         "-timeout", "20s", "-timeout_error", "-nostdin", "-trace_err", f"{box.address}:5060"],
        cwd=tmp_path, capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip
    errors = "".join(path.read_text(errors="replace") for path in tmp_path.glob("*errors.log"))
    assert done.returncode == 0, errors[-3000:] or done.stdout[-2000:]
    ben.wait("CALL_CLOSED")
    assert box.wait_calls()[0]["cause"] == "normal"
