"""Who is answered at all: our own networks and providers, nobody else."""

import pytest

from appliance.lines.sip_door import _is_near


@pytest.mark.parametrize(("source", "near"), [
    ("127.0.0.1", True), ("10.1.2.3", True), ("172.16.0.9", True), ("192.168.1.5", True), ("169.254.3.3", True),
    ("8.8.8.8", False), ("100.64.0.1", False), ("172.32.0.1", False), ("", False), ("x", False),
])  # fmt: skip
def test_only_private_networks_are_near(source: str, near: bool) -> None:
    assert _is_near(source) is near
