"""What is asked of each SIM every night."""

import json
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.worker.jobs import ROUND, Chores
from appliance.worker.rounds import asked_of, go, rounds_of

LINES = [
    {"id": "gsm0", "enabled": True, "balance_code": "*100#", "backup_number": "+48221234567"},
    {"id": "gsm1", "enabled": True, "balance_code": "*101#", "balance_days": 6},
    {"id": "gsm2", "enabled": False, "balance_code": "*101#", "backup_number": "+48221234567"},
    {"id": "gsm3", "enabled": True, "backup_number": "+48221234567", "forward_unreachable": False},
]


class Exchange:
    """A control socket with one answer for everything; `asked` are the requests."""

    def __init__(self, path: Path, answer: dict) -> None:
        self.path = path
        self.asked: list[dict] = []
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(10)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with self._listener.accept()[0] as sock:
            self.asked.append(json.loads(sock.makefile().readline()))
            sock.sendall(json.dumps({"id": 1, **self._answer}).encode() + b"\n")
        self._listener.close()


def test_only_what_is_set_is_asked_and_each_has_its_own_quiet_minute(tmp_path: Path) -> None:
    asked = asked_of(LINES)
    assert asked == (("credit.read", "gsm0", 1), ("forwarding.check", "gsm0", 1), ("credit.read", "gsm1", 6))
    rounds = rounds_of(asked, tmp_path / "none")
    times = {(one.hour, one.minute) for one in rounds}
    assert len(times) == 3
    assert all((3, 0) <= time < (5, 0) for time in times)
    assert [(one.hour, one.minute) for one in rounds_of(asked, tmp_path)] == [(o.hour, o.minute) for o in rounds]
    many = rounds_of([("credit.read", f"gsm{n}", 1) for n in range(60)], tmp_path)
    assert len({(one.hour, one.minute) for one in many}) == 60


def test_rounds_are_planned_in_the_zone_of_the_office_and_follow_the_settings(tmp_path: Path) -> None:
    chores = Chores(tmp_path / "none.db", lambda: datetime(2026, 11, 27, tzinfo=UTC))
    zone = ZoneInfo("America/New_York")
    rounds = rounds_of(asked_of(LINES), tmp_path / "none")
    chores.plan_rounds(rounds)
    chores.start(zone)
    try:
        plan = {name: at.astimezone(zone) for name, at in chores.plan().items() if name.startswith(ROUND)}
        assert plan["round credit.read gsm1"].day % 6 == 1, "every six days"
        assert {name: (at.hour, at.minute) for name, at in plan.items()} == {
            ROUND + one.name: (one.hour, one.minute) for one in rounds
        }
        chores.plan_rounds(rounds[:1])
        assert [name for name in chores.plan() if name.startswith(ROUND)] == [ROUND + rounds[0].name]
        assert "retention" in chores.plan()
    finally:
        chores.stop()


@pytest.mark.parametrize(
    ("answer", "done"),
    [({"ok": {}}, True), ({"error": {"id": "line-in-call"}}, False), ({"error": {"id": "no-balance-code"}}, True)],
)
def test_a_line_that_cannot_be_asked_now_is_asked_again(tmp_path: Path, answer: dict, done: bool) -> None:
    exchange = Exchange(tmp_path / "s", answer)
    assert go(exchange.path, "credit.read", "gsm0") is done
    assert [(one["do"], one["args"]) for one in exchange.asked] == [("credit.read", {"line": "gsm0"})]


def test_an_exchange_that_is_not_there_is_asked_again(tmp_path: Path) -> None:
    assert go(tmp_path / "none", "credit.read", "gsm0") is False


def test_a_round_that_is_not_done_comes_again_in_ten_minutes_and_ends_after_two_hours(tmp_path: Path) -> None:
    chores = Chores(tmp_path / "none.db", lambda: datetime(2026, 11, 27, tzinfo=UTC))
    (one,) = rounds_of([("credit.read", "gsm0", 1)], tmp_path / "none")
    chores.start(ZoneInfo("UTC"))
    try:
        chores._go_round(one, 1)
        again = chores.plan()[f"{ROUND}{one.name} again"]
        assert 500 < (again - datetime.now(UTC)).total_seconds() < 700
        chores.plan_rounds([])
        chores._go_round(one, 12)
        assert [name for name in chores.plan() if name.startswith(ROUND)] == []
    finally:
        chores.stop()
