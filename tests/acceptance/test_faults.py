"""What goes wrong in an office: processes die, the disk is full. Nothing accepted is lost, nothing is mailed under two
names, calls go on."""

import random
import signal
import subprocess
import time
from collections import Counter

import pytest

from appliance.exchange.control import ask
from tests.acceptance.conftest import MakePhone, Office
from tests.peers.waiting import until

SENDER = "+48600100200"
KILLS = 10


def texts(office: Office) -> Counter[str]:
    """First lines of the mails and how often each came under different identifiers."""
    names: dict[str, set[str]] = {}
    for mail in office.mails():
        names.setdefault(mail["text"].strip().splitlines()[0], set()).add(mail["message_id"])
    return Counter({text: len(found) for text, found in names.items()})


def settled(office: Office, wanted: set[str]) -> None:
    """Every message is in the mailbox under one name, in the journal once, and the SIM is empty."""
    until(f"{len(wanted)} mails", lambda: wanted <= texts(office).keys(), 60, 0.2)
    until("the SIM is empty", lambda: office.far("status")["messages"]["SM"]["used"] == 0, 60, 0.2)
    assert {text: count for text, count in texts(office).items() if count > 1} == {}
    stored = Counter(row["text"].strip() for row in office.rows("sms"))
    assert {text for text in stored if stored[text] > 1} == set()
    assert wanted <= stored.keys()
    assert office.rows("sqlite_master", "0") == []


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_any_moment_no_message_is_lost(office: Office, seed: int) -> None:
    """Ten kills each of five seeds, of whichever process, while messages arrive."""
    chance = random.Random(seed)
    wanted = set()
    for number in range(KILLS):
        text = f"message {seed}-{number}"
        office.far("sms", **{"from": SENDER, "text": text})
        wanted.add(text)
        time.sleep(chance.random() * 0.3)  # the moment is what is varied here
        name = chance.choice(["exchange", "exchange", "worker"])
        office.processes.pop(name).kill()
        office.start(name)
    settled(office, wanted)


@pytest.mark.parametrize("syscall", ["fsync", "fdatasync", "pwrite64", "unlink"])
@pytest.mark.parametrize("when", [1, 2, 3])
def test_killed_at_each_step_of_storing_no_message_is_lost(office: Office, syscall: str, when: int) -> None:
    """SIGKILL from the kernel at the first, second and third write to the disk after a message has come."""
    pid = office.processes["exchange"].process.pid
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-e", f"trace={syscall}", "-e", f"inject={syscall}:signal=KILL:when={when}",
         "-o", "/dev/null"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert tracer.stderr
    assert "attached" in tracer.stderr.readline()
    office.far("sms", **{"from": SENDER, "text": "storing"})
    try:
        office.processes["exchange"].process.wait(2)
    except subprocess.TimeoutExpired:
        tracer.send_signal(signal.SIGINT)  # this step does not come so often: nothing was killed
    else:
        office.processes.pop("exchange").kill()
        office.start("exchange")
    tracer.wait(10)
    tracer.stderr.close()
    settled(office, {"storing"})


def test_a_full_disk_leaves_messages_on_the_sim_and_calls_go_on(office: Office, phone: MakePhone) -> None:
    ben = phone("102", answers=True)
    pid = office.processes["exchange"].process.pid
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC",
         "-o", "/dev/null"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert tracer.stderr
    assert "attached" in tracer.stderr.readline()
    office.far("sms", **{"from": SENDER, "text": "no room"})
    until("the page says so", lambda: "disk-full" in {note["message"] for note in office.status()["notes"]}, 15, 0.1)
    assert office.far("status")["messages"]["SM"]["used"] == 1
    office.far("call", number=SENDER)
    ben.wait("CALL_ESTABLISHED")
    office.far("hang-up")
    ben.wait("CALL_CLOSED")
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    tracer.stderr.close()
    until("the message is mailed after all", lambda: texts(office)["no room"] == 1, 60, 0.2)
    until("the SIM is empty", lambda: office.far("status")["messages"]["SM"]["used"] == 0, 30, 0.2)


def test_a_killed_worker_and_page_do_not_disturb_a_call(office: Office, phone: MakePhone) -> None:
    ben = phone("102", answers=True)
    office.far("call", number=SENDER)
    ben.wait("CALL_ESTABLISHED")
    office.processes.pop("worker").kill()
    office.start("worker")
    assert office.status()["calls"][0]["state"] == "talking"
    assert not ben.saw("CALL_CLOSED")
    office.far("hang-up")
    assert office.wait_calls()[0]["cause"] == "normal"


def test_garbage_on_the_serial_port_is_survived(office: Office) -> None:
    office.far("set", name="garbage", value="ff00fe0d0a2b434d0d0a41")
    office.far("sms", **{"from": SENDER, "text": "through the noise"})
    until("it arrives", lambda: texts(office)["through the noise"] == 1, 60, 0.2)
    office.far("set", name="garbage", value="")
    until("the line works", lambda: office.line()["state"] in ("up", "storage-full"), 40, 0.2)


def test_wrong_settings_come_back_all_at_once_and_nothing_is_saved(office: Office) -> None:
    now = office.ask("settings.get", section="network")
    wrong = {**now["doc"], "sip_port": 99999, "web_port": "x", "min_expiry": 1}
    answer = ask(office.places.control, "settings.put", {"section": "network", "version": now["version"], "doc": wrong})
    assert answer.error == "invalid-settings"
    assert set(answer.fields) == {"network.sip_port", "network.web_port", "network.min_expiry"}
    assert office.ask("settings.get", section="network")["doc"] == now["doc"]
